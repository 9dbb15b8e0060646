/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Theory of operation
 *
 * The probe of the SUT's wire (sutwire) shows that the SUT's default route leads
 * here. A route of the SUT that is more specific stays unseen by it: a SUT with a
 * second leg in the clients' network would answer real clients there. So each
 * network of clients (an IPv4 /24, an IPv6 /64) is proved by itself before its
 * first client is played: a SYN goes out from an address of that network that is
 * nobody's, and its SYN,ACK or RST must come back on this wire, to our hardware
 * address. What the SUT's other leg may carry of it is a question for that address
 * (ARP, neighbour solicitation), which nobody answers.
 *
 *   new --asked for--> queued --SYN--> asked --answer--> proved
 *                                        | PROVE_TRIES SYNs, no answer
 *                                        '--> lost, moved, or as before
 *   lost, moved --PROVE_AGAIN, asked for--> queued
 *   proved --PROVE_DEAF SYNs of its clients unanswered--> queued
 *
 * Nobody's: drawn from the run's seed, not the first or last two of the network
 * (its own addresses and, as a rule, its routers), no SUT's, not production's, and
 * not shown by the mirror so far. What was shown is kept as one bit a hash: it
 * takes more for shown than was, never less; three quarters full it is cleared.
 *
 * No answer has two reasons: the route, or a SUT that answers nobody (it
 * restarts, it is overloaded). Only the first is a lost network, so with the
 * second and the third SYN and after it a control is asked, a SYN from an address
 * of 198.18.0.0/15 (RFC 2544) or 2001:db8::/32 (RFC 3849) to the same port. The
 * network is lost if at least CONTROL_LEAST of these were answered, none was not,
 * and the last one was sent after the network's last SYN. Otherwise nothing is
 * decided, and it is tried again for the next client. One of which any SYN was
 * ever answered here is never lost but moved: that it is silent now is the SUT's
 * doing, and its clients are unanswered.
 *
 * Without @each a network is as if proved until PROVE_DEAF SYNs of its clients
 * went unanswered.
 *
 * All SYNs of this machine share one rate: @slot is when the next may go, a few
 * may go together. The RST that ends a probe does not count.
 */
#include "engine/prove.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "core/bytes.h"
#include "core/rng.h"
#include "core/wheel.h"
#include "wire/tcpopt.h"

#define BITS_4	      (IPADDR_4IN6 + 24)
#define BITS_6	      64
#define STEPS	      (PROVE_TRIES + 1)
#define CONTROL_LEAST 2
#define CONTROL_WAIT  PROVE_STEP /* longer is no answer */
#define SLOT	      (NS_PER_SEC / PROVE_RATE)
#define BURST	      NS_PER_MS
#define BATCH	      4 /* effects a call, the others are the machine's */
#define SHOWN_LEAST   (1u << 13)
#define SHOWN_MOST    (1u << 20)
#define SHOWN_PER_NET 16
#define DRAWS	      16 /* then all are looked through */
#define HOST_LOW      2
#define HOST_COUNT    252   /* 2 to 253 */
#define PORT_LOW      32768 /* the usual ephemeral range */
#define PORT_COUNT    28232
#define PROBE_MSS     1460
#define PROBE_WINDOW  65535
#define PROBE_TTL     64
#define SEED_SALT     UINT64_C(0x70726f7665) /* not the wire's numbers */

enum net_state {
	NET_NEW,
	NET_QUEUED,
	NET_ASKED,
	NET_PROVED,
	NET_LOST,
	NET_MOVED,
};

/* What a SYN of ours is known by. */
struct probe {
	struct ipaddr from;
	uint16_t port;
	uint32_t iss;
};

/* Hashed as bytes: no padding. */
struct net_key {
	struct ipaddr net;
	uint32_t sut;
};

/**
 * struct net - A network and a SUT
 * @chain:	Next with this hash, @settled: its place in the list of those that
 *		nobody asks for now, or in the queue
 * @news:	Link in the list of what prove_next() gives
 * @old:	State before it was queued
 * @told:	What the user was told last: it is not played
 * @heard:	A SYN of it was answered here, in this run
 * @deaf:	SYNs of its clients since without an answer
 * @step:	SYNs of the probe so far; PROVE_TRIES + 1: the last wait
 * @sent:	When its last SYN went out
 * @since:	When it was lost
 * @good, @bad:	Of the SUT's control, when the first SYN went out
 * @gate:	What those who waited may do
 */
struct net {
	struct net *chain;
	struct list settled;
	struct list news;
	struct list flows;
	struct list queries;
	struct timer timer;
	struct net_key key;
	struct probe probe;
	uint8_t state;
	uint8_t old;
	uint8_t gate;
	uint8_t deaf;
	uint8_t step;
	bool told;
	bool tell;
	bool heard;
	uint64_t sent;
	uint64_t since;
	uint64_t good;
	uint64_t bad;
};

/**
 * struct control - Does a SUT answer at all?
 * @open:	The last one is not answered yet
 * @sent, @last: When it was sent; when the last good one was
 * @good, @bad:	Answered within CONTROL_WAIT, or not
 */
struct control {
	struct prove_sut sut;
	struct probe probe;
	bool open;
	uint64_t sent;
	uint64_t last;
	uint64_t good;
	uint64_t bad;
};

struct prove {
	bool each;
	uint32_t suts;
	uint32_t nevers;
	uint32_t nets;
	uint32_t fresh; /* of @net, those from here on were never used */
	uint32_t mask;
	uint32_t queued;
	uint32_t shown_mask;
	uint32_t shown_n;
	uint32_t lost_n;
	uint64_t slot;
	struct hash_key key;
	struct rng rng;
	struct control control[MAP_MAX];
	struct ipaddr never[2 * MAP_MAX];
	struct prove_lost lost[PROVE_NAMED];
	struct list queue;
	struct list settled; /* longest ago first */
	struct list news;
	struct net **bucket;
	struct net *net;
	uint8_t *shown;
	struct prove_counters count;
	struct wheel wheel;
};

/* --- memory --- */

static uint32_t power_from(uint32_t n, uint32_t least, uint32_t most)
{
	uint32_t b = least;

	while (b < n && b < most)
		b *= 2;
	return b;
}

static uint32_t shown_bits(uint32_t nets)
{
	uint32_t want = nets < SHOWN_MOST / SHOWN_PER_NET ? nets * SHOWN_PER_NET
							  : SHOWN_MOST;

	return power_from(want, SHOWN_LEAST, SHOWN_MOST);
}

static uint32_t buckets(uint32_t nets)
{
	return power_from(nets, 64, PROVE_NETS);
}

size_t prove_size(uint32_t nets)
{
	return arena_need(sizeof(struct prove)) +
	       arena_need(buckets(nets) * sizeof(struct net *)) +
	       arena_need(nets * sizeof(struct net)) +
	       arena_need(shown_bits(nets) / 8);
}

static void control_init(struct prove *p, struct control *c)
{
	uint32_t host = 1 + rng_below(&p->rng, (1u << 17) - 2);
	uint8_t four[4];

	if (ipaddr_is4(&c->sut.ip)) {
		put_be32(four, 0xc6120000u | host); /* 198.18.0.0/15 */
		c->probe.from = ipaddr_from4(four);
		return;
	}
	put_be32(c->probe.from.b, 0x20010db8u);
	put_be32(c->probe.from.b + 4, (uint32_t)rng_next(&p->rng));
	put_be32(c->probe.from.b + 8, (uint32_t)rng_next(&p->rng));
	put_be32(c->probe.from.b + 12, (uint32_t)rng_next(&p->rng) | 1);
}

int prove_init(struct prove **out, struct arena *a, const struct prove_cfg *cfg,
	       uint64_t now)
{
	struct prove *p;

	assert(cfg->suts <= MAP_MAX && cfg->nevers <= 2 * MAP_MAX);
	assert(cfg->nets >= 1 && cfg->nets <= PROVE_NETS);
	if (a->size - a->used < prove_size(cfg->nets))
		return -ENOMEM;
	p = arena_take(a, sizeof(*p));
	p->bucket = arena_take(a, buckets(cfg->nets) * sizeof(struct net *));
	p->net = arena_take(a, cfg->nets * sizeof(struct net));
	p->shown = arena_take(a, shown_bits(cfg->nets) / 8);
	p->each = cfg->each;
	p->suts = cfg->suts;
	p->nevers = cfg->nevers;
	if (cfg->nevers > 0)
		memcpy(p->never, cfg->never, cfg->nevers * sizeof(p->never[0]));
	p->nets = cfg->nets;
	p->mask = buckets(cfg->nets) - 1;
	p->shown_mask = shown_bits(cfg->nets) - 1;
	p->key = cfg->key;
	p->rng.s = cfg->seed ^ SEED_SALT;
	list_init(&p->queue);
	list_init(&p->settled);
	list_init(&p->news);
	wheel_init(&p->wheel, now);
	for (uint32_t i = 0; i < p->suts; i++) {
		p->control[i].sut = cfg->sut[i];
		control_init(p, &p->control[i]);
	}
	*out = p;
	return 0;
}

/* --- networks --- */

uint8_t prove_bits(const struct ipaddr *client)
{
	return ipaddr_is4(client) ? BITS_4 : BITS_6;
}

static struct net_key key_of(uint8_t sut, const struct ipaddr *client)
{
	struct net_key k = { *client, sut };
	uint32_t n = prove_bits(client) / 8;

	memset(k.net.b + n, 0, sizeof(k.net.b) - n);
	return k;
}

static struct net **bucket_of(struct prove *p, const struct net_key *k)
{
	return &p->bucket[hash_bytes(&p->key, k, sizeof(*k)) & p->mask];
}

static struct net *find(struct prove *p, const struct net_key *k)
{
	struct net *n = *bucket_of(p, k);

	while (n != NULL && memcmp(&n->key, k, sizeof(*k)) != 0)
		n = n->chain;
	return n;
}

/* A place in the table: one never used, or that of the one settled longest ago. */
static struct net *place(struct prove *p)
{
	struct net *n;
	struct net **at;

	if (p->fresh < p->nets)
		return &p->net[p->fresh++];
	if (list_empty(&p->settled))
		return NULL;
	n = list_entry(p->settled.next, struct net, settled);
	at = bucket_of(p, &n->key);
	while (*at != n)
		at = &(*at)->chain;
	*at = n->chain;
	list_del(&n->settled);
	p->count.forgotten++;
	return n;
}

static void touch(struct prove *p, struct net *n)
{
	if (n->state == NET_QUEUED || n->state == NET_ASKED ||
	    !list_empty(&n->news))
		return;
	list_del(&n->settled);
	list_add_tail(&p->settled, &n->settled);
}

/* Find a network, or make it; NULL: no room. */
static struct net *get(struct prove *p, uint8_t sut,
		       const struct ipaddr *client)
{
	struct net_key k = key_of(sut, client);
	struct net *n = find(p, &k);

	if (n == NULL) {
		n = place(p);
		if (n == NULL) {
			p->count.full++;
			return NULL;
		}
		memset(n, 0, sizeof(*n));
		n->key = k;
		list_init(&n->settled);
		list_init(&n->news);
		list_init(&n->flows);
		list_init(&n->queries);
		timer_init(&n->timer);
		n->chain = *bucket_of(p, &k);
		*bucket_of(p, &k) = n;
	}
	touch(p, n);
	return n;
}

/* --- who is nobody --- */

static uint32_t shown_at(const struct prove *p, const struct ipaddr *ip)
{
	return (uint32_t)hash_bytes(&p->key, ip, sizeof(*ip)) & p->shown_mask;
}

void prove_show(struct prove *p, const struct ipaddr *ip)
{
	uint32_t at = shown_at(p, ip);
	uint8_t bit = (uint8_t)(1u << at % 8);

	if ((p->shown[at / 8] & bit) != 0)
		return;
	if (p->shown_n > (p->shown_mask + 1) / 4 * 3) {
		memset(p->shown, 0, (p->shown_mask + 1) / 8);
		p->shown_n = 0;
	}
	p->shown[at / 8] |= bit;
	p->shown_n++;
}

static bool is_nobody(const struct prove *p, const struct ipaddr *ip)
{
	uint32_t at = shown_at(p, ip);

	for (uint32_t i = 0; i < p->nevers; i++)
		if (ipaddr_eq(&p->never[i], ip))
			return false;
	return (p->shown[at / 8] & 1u << at % 8) == 0;
}

static bool draw6(struct prove *p, struct ipaddr *ip)
{
	for (int i = 0; i < DRAWS; i++) {
		put_be32(ip->b + 8, (uint32_t)rng_next(&p->rng));
		put_be32(ip->b + 12, (uint32_t)rng_next(&p->rng) | 1);
		if (is_nobody(p, ip))
			return true;
	}
	return false;
}

/* An address of the network that is nobody's. */
static bool draw(struct prove *p, const struct net *n, struct ipaddr *ip)
{
	uint32_t host;

	*ip = n->key.net;
	if (!ipaddr_is4(ip))
		return draw6(p, ip);
	for (int i = 0; i < DRAWS; i++) {
		host = rng_below(&p->rng, HOST_COUNT);
		ip->b[15] = (uint8_t)(HOST_LOW + host);
		if (is_nobody(p, ip))
			return true;
	}
	host = rng_below(&p->rng, HOST_COUNT);
	for (uint32_t i = 0; i < HOST_COUNT; i++) {
		ip->b[15] = (uint8_t)(HOST_LOW + (host + i) % HOST_COUNT);
		if (is_nobody(p, ip))
			return true;
	}
	return false;
}

/* --- sending --- */

static bool may_send(const struct prove *p, uint64_t now)
{
	return p->slot <= now + BURST;
}

static struct effect *probe_segment(const struct prove *p, uint8_t sut,
				    const struct probe *b, struct effects *out)
{
	const struct prove_sut *s = &p->control[sut].sut;
	struct effect *e;

	if (effects_left(out) == 0)
		return NULL;
	e = &out->e[out->n++];
	memset(e, 0, sizeof(*e));
	e->kind = EFFECT_TCP;
	e->cause = CAUSE_PROBE;
	e->sut = sut;
	e->src = b->from;
	e->dst = s->ip;
	e->sport = b->port;
	e->dport = s->port;
	e->ttl = PROBE_TTL;
	return e;
}

static void send_syn(struct prove *p, uint8_t sut, const struct probe *b,
		     uint64_t now, struct effects *out)
{
	struct effect *e = probe_segment(p, sut, b, out);

	assert(e); /* prove_timeout() has seen that there is room */
	e->flags = TCP_SYN;
	e->seq = b->iss;
	e->win = PROBE_WINDOW;
	e->optlen = tcp_put_options(
		e->opts,
		&(struct tcp_opts){ .has = OPT_HAS_MSS, .mss = PROBE_MSS });
	p->slot = (p->slot > now ? p->slot : now) + SLOT;
	p->count.probes++;
}

static void number(struct prove *p, struct probe *b)
{
	b->port = (uint16_t)(PORT_LOW + rng_below(&p->rng, PORT_COUNT));
	b->iss = (uint32_t)rng_next(&p->rng);
}

static void control_ask(struct prove *p, uint8_t sut, uint64_t now,
			struct effects *out)
{
	struct control *c = &p->control[sut];

	if (c->open && now - c->sent < CONTROL_WAIT)
		return;
	c->bad += c->open;
	c->open = true;
	c->sent = now;
	number(p, &c->probe);
	send_syn(p, sut, &c->probe, now, out);
}

/* --- deciding --- */

/* Leave a network out of, or take it into, those that can be named. */
static void name_lost(struct prove *p, const struct net *n)
{
	uint32_t i = 0;

	while (i < p->lost_n && (p->lost[i].sut != n->key.sut ||
				 !ipaddr_eq(&p->lost[i].net, &n->key.net)))
		i++;
	if (i == p->lost_n && !n->told)
		return;
	if (i == p->lost_n && i == PROVE_NAMED)
		i = 0;
	if (i < p->lost_n) {
		p->lost_n--;
		memmove(&p->lost[i], &p->lost[i + 1],
			(p->lost_n - i) * sizeof(p->lost[0]));
	}
	if (n->told)
		p->lost[p->lost_n++] = (struct prove_lost){
			.net = n->key.net,
			.bits = prove_bits(&n->key.net),
			.sut = (uint8_t)n->key.sut,
			.moved = n->state == NET_MOVED,
		};
}

static void settle(struct prove *p, struct net *n, enum net_state state,
		   enum flow_gate gate)
{
	bool lost = state == NET_LOST || state == NET_MOVED;

	wheel_disarm(&p->wheel, &n->timer);
	if (n->state == NET_QUEUED)
		p->queued--;
	list_del(&n->settled); /* of the queue */
	n->state = (uint8_t)state;
	n->gate = (uint8_t)gate;
	n->deaf = 0;
	n->tell = lost != n->told;
	n->told = lost;
	name_lost(p, n);
	if (list_empty(&n->news))
		list_add_tail(&p->news, &n->news);
}

static void proved(struct prove *p, struct net *n)
{
	p->count.proved++;
	p->count.regained += n->told;
	n->heard = true;
	settle(p, n, NET_PROVED, GATE_OPEN);
}

/* No SYN was answered. Is it the network's, or does the SUT answer nobody? */
static void unanswered(struct prove *p, struct net *n, uint64_t now)
{
	const struct control *c = &p->control[n->key.sut];
	bool route = c->good - n->good >= CONTROL_LEAST && c->bad == n->bad &&
		     c->last >= n->sent &&
		     !(c->open && now - c->sent >= CONTROL_WAIT);

	if (route) {
		n->since = now;
		p->count.lost += !n->heard;
		p->count.moved += n->heard;
		settle(p, n, n->heard ? NET_MOVED : NET_LOST,
		       n->heard ? GATE_DEAF : GATE_LOST);
		return;
	}
	p->count.undecided++;
	/* What is known of it stays; clients that waited find out themselves
	 * where that is safe.
	 */
	if (n->old == NET_PROVED || (n->old == NET_NEW && !p->each))
		settle(p, n, (enum net_state)n->old, GATE_OPEN);
	else
		settle(p, n, (enum net_state)n->old, GATE_DEAF);
}

/* Queue a network for its probe. Return: false, it is unchanged: no room */
static bool begin(struct prove *p, struct net *n)
{
	if (p->queued >= PROVE_QUEUE || !list_empty(&n->news)) {
		p->count.unasked++;
		return false;
	}
	n->old = n->state;
	n->state = NET_QUEUED;
	p->queued++;
	list_del(&n->settled);
	list_add_tail(&p->queue, &n->settled);
	return true;
}

static void first_syn(struct prove *p, struct net *n, uint64_t now,
		      struct effects *out)
{
	const struct control *c = &p->control[n->key.sut];

	if (!draw(p, n, &n->probe.from)) {
		p->count.crowded++;
		settle(p, n, (enum net_state)n->old,
		       n->old == NET_PROVED ? GATE_OPEN : GATE_LATER);
		return;
	}
	list_del(&n->settled);
	p->queued--;
	n->state = NET_ASKED;
	n->step = 1;
	n->good = c->good;
	n->bad = c->bad;
	n->sent = now;
	number(p, &n->probe);
	send_syn(p, (uint8_t)n->key.sut, &n->probe, now, out);
	wheel_arm(&p->wheel, &n->timer, now + PROVE_STEP);
}

static void next_step(struct prove *p, struct net *n, uint64_t now,
		      struct effects *out)
{
	if (n->step == STEPS) {
		unanswered(p, n, now);
		return;
	}
	if (n->step < PROVE_TRIES) {
		send_syn(p, (uint8_t)n->key.sut, &n->probe, now, out);
		n->sent = now;
	}
	n->step++;
	control_ask(p, (uint8_t)n->key.sut, now, out);
	wheel_arm(&p->wheel, &n->timer, now + PROVE_STEP);
}

/* --- the caller's side --- */

struct prove_ask prove_ask(struct prove *p, uint8_t sut,
			   const struct ipaddr *client, uint64_t now)
{
	struct net *n = get(p, sut, client);
	struct prove_ask a = { .gate = GATE_LATER };

	assert(sut < p->suts);
	if (n == NULL)
		return a;
	a.flows = &n->flows;
	a.queries = &n->queries;
	switch ((enum net_state)n->state) {
	case NET_PROVED:
		a.gate = GATE_OPEN;
		return a;
	case NET_NEW:
		if (!p->each) {
			a.gate = GATE_OPEN;
			return a;
		}
		break;
	case NET_LOST:
	case NET_MOVED:
		if (now - n->since < PROVE_AGAIN) {
			a.gate = n->heard ? GATE_DEAF : GATE_LOST;
			return a;
		}
		break;
	case NET_QUEUED:
	case NET_ASKED:
		a.gate = GATE_WAIT;
		return a;
	}
	if (begin(p, n))
		a.gate = GATE_WAIT;
	return a;
}

void prove_deaf(struct prove *p, uint8_t sut, const struct ipaddr *client)
{
	struct net *n = get(p, sut, client);

	if (n == NULL ||
	    (n->state != NET_PROVED && (n->state != NET_NEW || p->each)))
		return;
	if (n->deaf < PROVE_DEAF)
		n->deaf++;
	if (n->deaf == PROVE_DEAF)
		begin(p, n);
}

void prove_heard(struct prove *p, uint8_t sut, const struct ipaddr *client)
{
	struct net *n = get(p, sut, client);

	if (n == NULL)
		return;
	n->heard = true;
	n->deaf = 0;
	/* An answer to a client that came here is as good as one to a probe. */
	if (n->state == NET_QUEUED || n->state == NET_ASKED)
		proved(p, n);
}

static bool answers(const struct probe *b, const struct segment *g)
{
	return g->dport == b->port && g->ack == b->iss + 1 &&
	       ipaddr_eq(&g->dst, &b->from);
}

/* RFC 9293 section 3.10.7.1: a RST takes its seq from the segment's ack. */
static void reset(struct prove *p, uint8_t sut, const struct probe *b,
		  const struct segment *g, struct effects *out)
{
	struct effect *e;

	if ((g->flags & TCP_RST) != 0)
		return;
	e = probe_segment(p, sut, b, out);
	if (e == NULL)
		return; /* the SUT repeats its SYN,ACK */
	e->flags = TCP_RST;
	e->seq = g->ack;
}

bool prove_segment(struct prove *p, uint8_t sut, const struct segment *seg,
		   bool ours, uint64_t now, struct effects *out)
{
	struct control *c = &p->control[sut];
	struct net_key k;
	struct net *n;

	assert(sut < p->suts);
	if ((seg->flags & TCP_ACK) == 0 ||
	    (seg->flags & (TCP_SYN | TCP_RST)) == 0 ||
	    seg->sport != c->sut.port)
		return false;
	if (answers(&c->probe, seg)) {
		if (c->open && ours && now - c->sent < CONTROL_WAIT) {
			c->open = false;
			c->last = c->sent;
			c->good++;
		}
		reset(p, sut, &c->probe, seg, out);
		return true;
	}
	k = key_of(sut, &seg->dst);
	n = find(p, &k);
	if (n == NULL || !answers(&n->probe, seg))
		return false;
	p->count.elsewhere += !ours;
	if (ours && n->state == NET_ASKED)
		proved(p, n);
	reset(p, sut, &n->probe, seg, out);
	return true;
}

bool prove_next(struct prove *p, struct prove_news *news)
{
	struct net *n;

	if (list_empty(&p->news))
		return false;
	n = list_entry(p->news.next, struct net, news);
	list_del(&n->news);
	touch(p, n);
	*news = (struct prove_news){
		.sut = (uint8_t)n->key.sut,
		.bits = prove_bits(&n->key.net),
		.tell = n->tell,
		.gate = (enum flow_gate)n->gate,
		.net = n->key.net,
		.flows = &n->flows,
		.queries = &n->queries,
	};
	n->tell = false;
	return true;
}

/* A step sends two SYNs at most. */
static bool room(const struct prove *p, const struct effects *out, uint32_t end,
		 uint64_t now)
{
	return out->n + 2 <= end && may_send(p, now);
}

void prove_timeout(struct prove *p, uint64_t now, struct effects *out)
{
	uint32_t end = out->n + BATCH;
	struct timer *t;

	if (end > EFFECTS_MAX)
		end = EFFECTS_MAX;
	while (room(p, out, end, now) &&
	       (t = wheel_pop(&p->wheel, now)) != NULL)
		next_step(p, list_entry(t, struct net, timer), now, out);
	while (room(p, out, end, now) && !list_empty(&p->queue))
		first_syn(p, list_entry(p->queue.next, struct net, settled),
			  now, out);
}

uint64_t prove_next_timeout(const struct prove *p)
{
	uint64_t next = list_empty(&p->queue) ? wheel_next(&p->wheel) : 0;
	uint64_t may = p->slot > BURST ? p->slot - BURST : 0;

	return next < may ? may : next;
}

const struct prove_lost *prove_lost(const struct prove *p, uint32_t i)
{
	return i < p->lost_n ? &p->lost[i] : NULL;
}

struct prove_counters *prove_counters(struct prove *p)
{
	return &p->count;
}
