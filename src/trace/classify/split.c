/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * split.c - Connections of a capture, and who opened them
 *
 * Theory of operation
 *
 * A connection is two endpoints (address and port; the identifier of an ICMP
 * echo) and a protocol. The smaller endpoint is side A. What shows who is the
 * client is kept as it comes: the handshake (SYN or SYN,ACK, whatever ECN bits
 * go with them), then the content (a request or an answer of HTTP, a hello of
 * TLS, DNS's QR bit, NTP's mode, echo), then only who was seen first. A SYN
 * from the other side, after the first one was answered, is a new connection at
 * the same endpoints: a host may well be client and server at once.
 *
 * Each connection has a number and a state of four bits: which side is the
 * client and how sure that is. Frames are remembered by the caller as number
 * and side, because the decision may come after them. The states are ORed into
 * when the connection is decided, at the latest when its place in the table is
 * needed.
 *
 * What its own frames do not tell is asked of the whole capture at the end:
 * questions.c. Frames that one of the user's rules decides (-c, -r, -e, -p)
 * have no connection: where one end matches and the other does not, that says
 * it all.
 *
 * An ICMP error goes against the packet that it is about. A part of a datagram
 * goes with its first part.
 */
#include <errno.h>
#include <string.h>

#include "classify/split_internal.h"
#include "core/bytes.h"
#include "wire/segment.h"

#define FRAGS                                                                  \
	4096u /* datagrams in parts that are remembered; the newest stays */

const char *split_level_name(enum split_level l)
{
	static const char *const name[] = {
#define X(id, text) text,
		SPLIT_LEVELS(X)
#undef X
	};

	return name[l];
}

size_t split_size(uint32_t flows)
{
	return arena_need(sizeof(struct split)) +
	       arena_need((size_t)flows * sizeof(struct conn)) +
	       arena_need(map_size(flows)) +
	       arena_need(FRAGS * sizeof(struct frag)) + questions_size(flows);
}

int split_init(struct split **out, struct arena *a, uint32_t flows,
	       const struct prep_rules *r, const struct hash_key *key,
	       struct bitcache *states)
{
	struct split *s;

	if (a->size - a->used < split_size(flows))
		return -ENOMEM;
	s = arena_take(a, sizeof(*s));
	s->conn = arena_take(a, (size_t)flows * sizeof(struct conn));
	map_init(&s->map, flows, key, arena_take(a, map_size(flows)),
		 &s->conn->in, sizeof(struct conn));
	s->frag = arena_take(a, FRAGS * sizeof(struct frag));
	questions_init(&s->q, a, flows, key);
	s->flows = flows;
	s->r = r;
	s->states = states;
	*out = s;
	return 0;
}

const struct split_counters *split_counters(const struct split *s)
{
	return &s->n;
}

/* What one segment's first bytes say of its sender. */
static int content_says(const struct peek *p)
{
	static const char *const methods[] = { "GET ",	 "POST ",    "HEAD ",
					       "PUT ",	 "DELETE ",  "OPTIONS ",
					       "PATCH ", "CONNECT ", "TRACE ",
					       "PRI * " };
	const uint8_t *d = p->data;

	if (p->icmp > 0 && p->depth == PEEK_PORTS && !p->error)
		return p->icmp == 9 || p->icmp == 129 ? SAYS_CLIENT
						      : SAYS_SERVER;
	if (p->proto == PROTO_UDP && p->len >= 12 &&
	    (p->sport == 53 || p->dport == 53))
		return (d[2] & 0x80) ? SAYS_SERVER : SAYS_CLIENT;
	if (p->proto == PROTO_UDP && p->len >= 48 &&
	    (p->sport == 123 || p->dport == 123))
		return (d[0] & 7) == 3	 ? SAYS_CLIENT
		       : (d[0] & 7) == 4 ? SAYS_SERVER
					 : SAYS_NOTHING;
	if (p->proto != PROTO_TCP || p->len < 6)
		return SAYS_NOTHING;
	if (d[0] == 22 && d[1] == 3 && (d[5] == 1 || d[5] == 2))
		return d[5] == 1 ? SAYS_CLIENT : SAYS_SERVER;
	if (memcmp(d, "HTTP/1", 6) == 0)
		return SAYS_SERVER;
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		size_t n = strlen(methods[i]);

		if (p->len >= n && memcmp(d, methods[i], n) == 0)
			return SAYS_CLIENT;
	}
	return SAYS_NOTHING;
}

/* What it is about, and whether its sender is side B. */
static bool make_key(const struct peek *p, struct conn_key *k)
{
	bool b = memcmp(&p->src, &p->dst, sizeof(p->src)) > 0 ||
		 (ipaddr_eq(&p->src, &p->dst) && p->sport > p->dport);

	memset(k, 0, sizeof(*k));
	k->a = b ? p->dst : p->src;
	k->b = b ? p->src : p->dst;
	k->a_port = b ? p->dport : p->sport;
	k->b_port = b ? p->sport : p->dport;
	k->proto = p->proto;
	return b;
}

static uint64_t hash_of(const struct split *s, const struct conn_key *k)
{
	return map_hash(&s->map, k, sizeof(*k));
}

/* Would the ports alone say who the server is? */
int split_ports_say(const struct prep_rules *r, const struct conn_key *k)
{
	const bool *ports = k->proto == PROTO_TCP ? r->tcp : r->udp;
	bool a, b;

	if (k->proto != PROTO_TCP && k->proto != PROTO_UDP)
		return 0;
	a = ports[k->a_port];
	b = ports[k->b_port];
	return a == b ? 0 : a ? CLIENT_B : CLIENT_A;
}

static void try_level(struct split *s, enum split_level l, int says, int truth)
{
	if (says == 0)
		return;
	s->n.tried[l]++;
	s->n.right[l] += says == truth;
}

void split_decide(struct split *s, uint32_t serial, int client,
		  enum split_level l)
{
	bitcache_set(s->states, serial, (unsigned)client | (unsigned)l << 1);
	s->n.level[l]++;
}

/* Its frames have told all that they will. */
static void settle(struct split *s, const struct conn *c)
{
	if (s->r->mode == PREP_FIRST) {
		split_decide(s, c->serial, c->first == CLIENT_B, SPLIT_GUESS);
		return;
	}
	if (c->handshake) {
		try_level(s, SPLIT_GUESS, c->first, c->handshake);
		try_level(s, SPLIT_CONTENT, c->content, c->handshake);
		try_level(s, SPLIT_PORT, split_ports_say(s->r, &c->key),
			  c->handshake);
		split_decide(s, c->serial, c->handshake == CLIENT_B,
			     SPLIT_HANDSHAKE);
		questions_learn(s, &c->key, c->handshake);
	} else if (c->content) {
		split_decide(s, c->serial, c->content == CLIENT_B,
			     SPLIT_CONTENT);
		questions_learn(s, &c->key, c->content);
	} else {
		questions_ask(s, &c->key, c->serial, c->first);
	}
}

/* A place in the table: a free one, or one that was not used of late. */
static struct conn *take_place(struct split *s)
{
	struct conn *c;

	if (s->used < s->flows)
		return &s->conn[s->used++];
	for (;;) {
		c = &s->conn[s->hand];
		s->hand = s->hand + 1 == s->flows ? 0 : s->hand + 1;
		if (!c->recent)
			break;
		c->recent = false;
	}
	s->n.pushed_out++;
	settle(s, c);
	map_cut(&s->map, hash_of(s, &c->key), (uint32_t)(c - s->conn));
	return c;
}

static int new_conn(struct split *s, const struct conn_key *k, int first,
		    struct conn **out)
{
	struct conn *c;

	if (s->serial == SPLIT_CONNS_MAX || bitcache_add(s->states, 0) != 0)
		return -EFBIG;
	c = take_place(s);
	*c = (struct conn){ .key = *k,
			    .serial = s->serial++,
			    .first = (uint8_t)first };
	map_put(&s->map, hash_of(s, k), (uint32_t)(c - s->conn));
	*out = c;
	return 0;
}

static struct conn *find_conn(struct split *s, const struct conn_key *k)
{
	uint32_t i = map_first(&s->map, hash_of(s, k));

	while (i != MAP_NONE && memcmp(&s->conn[i].key, k, sizeof(*k)) != 0)
		i = map_next(&s->map, i);
	return i != MAP_NONE ? &s->conn[i] : NULL;
}

static int other(int client)
{
	return client == CLIENT_A ? CLIENT_B : CLIENT_A;
}

/*
 * Does this SYN open another connection than the one we know here? A SYN that
 * crosses another, or follows an ACK of it, is an answer to it (RFC 9293
 * section 3.5), as long as nothing else was seen.
 */
static bool is_new_syn(const struct conn *c, const struct peek *p, int self)
{
	if (p->proto != PROTO_TCP || p->error ||
	    (p->flags & (TCP_SYN | TCP_ACK)) != TCP_SYN)
		return false;
	return c->handshake ? c->handshake != self && c->answered : false;
}

static void take_evidence(struct conn *c, const struct peek *p, int self)
{
	int says;

	c->recent = true;
	if (p->error)
		return;
	if (p->proto == PROTO_TCP && (p->flags & TCP_SYN)) {
		if (!c->handshake)
			c->handshake =
				(uint8_t)((p->flags & TCP_ACK) ? other(self)
							       : self);
		c->answered |= (p->flags & TCP_ACK) != 0;
		return;
	}
	/* An ACK alone may be half of an answer: the SYN comes by itself. */
	c->answered |=
		(p->flags & TCP_ACK) && (self == c->handshake || p->len > 0);
	if (c->content)
		return;
	says = content_says(p);
	if (says == SAYS_CLIENT)
		c->content = (uint8_t)self;
	else if (says == SAYS_SERVER)
		c->content = (uint8_t)other(self);
}

/* Where a datagram in parts is remembered. One place each, the newest stays:
 * this is a cache and no map.
 */
static struct frag *frag_of(struct split *s, const struct peek *p)
{
	struct frag k = { .src = p->src, .dst = p->dst, .id = p->frag_id };

	return &s->frag[map_hash(&s->map, &k, 36) & (FRAGS - 1)];
}

static bool same_datagram(const struct frag *f, const struct peek *p)
{
	return f->used && f->id == p->frag_id && f->proto == p->proto &&
	       ipaddr_eq(&f->src, &p->src) && ipaddr_eq(&f->dst, &p->dst);
}

/* Frame of a connection. */
static int conn_frame(struct split *s, const struct peek *p, uint32_t *entry)
{
	struct conn_key k;
	bool b = make_key(p, &k);
	/* An error's sender stands where the packet went. */
	int self = b ? CLIENT_B : CLIENT_A;
	struct conn *c = find_conn(s, &k);
	int rc;

	if (!c || is_new_syn(c, p, self)) {
		rc = new_conn(s, &k, self, &c);
		if (rc)
			return rc;
	}
	take_evidence(c, p, self);
	*entry = c->serial << 1 | (b != p->error);
	if (p->fragment && !p->error)
		*frag_of(s, p) = (struct frag){ .src = p->src,
						.dst = p->dst,
						.id = p->frag_id,
						.proto = p->proto,
						.used = true,
						.entry = *entry };
	return 0;
}

static int ip_frame(struct split *s, const struct peek *p, uint32_t *entry)
{
	if (p->fragment && !p->first && !p->error) {
		const struct frag *f = frag_of(s, p);

		if (same_datagram(f, p)) {
			*entry = f->entry;
			return 0;
		}
		s->n.lost_fragments++;
	}
	return conn_frame(s, p, entry);
}

static const uint8_t *addr_of(const struct ipaddr *a)
{
	return ipaddr_is4(a) ? a->b + 12 : a->b;
}

/* Does an end match -c, -r or -e, or is its port one of -p? */
static bool is_match(const struct split *s, const struct peek *p, bool src)
{
	const struct prep_rules *r = s->r;
	const struct ipaddr *a = src ? &p->src : &p->dst;
	bool v6 = !ipaddr_is4(a);

	switch (r->mode) {
	case PREP_CIDR:
		return prep_nets_have(&r->split, addr_of(a), v6);
	case PREP_REGEX:
		return r->match(r->arg, addr_of(a), v6);
	case PREP_PORT:
		return p->depth == PEEK_PORTS &&
		       (p->proto == PROTO_TCP
				? r->tcp[src ? p->sport : p->dport]
			: p->proto == PROTO_UDP
				? r->udp[src ? p->sport : p->dport]
				: false);
	default:
		return false;
	}
}

/* Return: whether the rule decides alone. */
static bool by_rule(const struct split *s, const struct peek *p,
		    uint32_t *entry)
{
	const struct prep_rules *r = s->r;
	bool src, dst;

	if (r->mode == PREP_MAC && p->has_eth) {
		src = prep_mac_listed(r, p->eth_src);
		dst = prep_mac_listed(r, p->eth_dst);
	} else if (p->depth >= PEEK_IP) {
		src = is_match(s, p, true);
		dst = is_match(s, p, false);
		if (p->error) {
			bool was = src;

			src = dst;
			dst = was;
		}
	} else {
		return false;
	}
	if (src == dst)
		return false;
	if (r->reverse && r->mode != PREP_PORT)
		src = !src;
	*entry = src ? SPLIT_ENTRY_S2C : SPLIT_ENTRY_C2S;
	return true;
}

int split_frame(struct split *s, uint64_t i, const struct peek *p,
		uint32_t *entry)
{
	const struct prep_rules *r = s->r;

	*entry = SPLIT_ENTRY_SKIP;
	if (!prep_number_picked(r, i))
		return 0;
	if (p->depth >= PEEK_IP &&
	    !prep_addrs_picked(r, addr_of(&p->src), addr_of(&p->dst),
			       !ipaddr_is4(&p->src)))
		return 0;
	if (by_rule(s, p, entry))
		return 0;
	if (p->depth >= PEEK_IP)
		return ip_frame(s, p, entry);
	s->n.nonip++;
	*entry = r->nonip != r->reverse ? SPLIT_ENTRY_S2C : SPLIT_ENTRY_C2S;
	return 0;
}

void split_finish(struct split *s)
{
	for (uint32_t i = 0; i < s->used; i++)
		settle(s, &s->conn[i]);
	s->used = 0;
	questions_answer(s);
}

/* Nobody knows who the client is, and the mode says what is done then. */
static enum bitcache_fate guessed(const struct split *s, bool client)
{
	switch (s->r->mode) {
	case PREP_CLIENT:
		return BITCACHE_C2S;
	case PREP_SERVER:
		return BITCACHE_S2C;
	default:
		return client ? BITCACHE_C2S : BITCACHE_S2C;
	}
}

enum bitcache_fate split_fate(struct split *s, uint32_t entry)
{
	enum bitcache_fate fate = BITCACHE_SKIP;
	enum split_level level;
	unsigned state;

	if (entry == SPLIT_ENTRY_C2S) {
		fate = BITCACHE_C2S;
	} else if (entry == SPLIT_ENTRY_S2C) {
		fate = BITCACHE_S2C;
	} else if (entry != SPLIT_ENTRY_SKIP) {
		state = (unsigned)bitcache_get(s->states, entry >> 1);
		level = state >> 1;
		fate = (state & 1) == (entry & 1) ? BITCACHE_C2S : BITCACHE_S2C;
		if (level == SPLIT_GUESS)
			fate = guessed(s, fate == BITCACHE_C2S);
		s->n.frames[level]++;
	}
	s->n.fates[fate]++;
	return fate;
}
