/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Theory of operation
 *
 * On the SUT's wire there are only SUTs and we. We are everybody else: each
 * client, the router, whatever a SUT looks for. Three duties follow.
 *
 * 1. Hardware addresses. Each SUT is asked for (ARP request, neighbour
 * solicitation) until it answers; the first answer is pinned for the run. What a
 * SUT says unasked (its own ARP request, its own solicitation) serves as well.
 * The ARP request is sent from the probe's address in 198.18.0.0/15 (RFC 2544),
 * which is nobody's. 0.0.0.0 is not used: a SUT that is just coming up would
 * take it for another host's claim to its address (RFC 5227 section 2.1.1) and
 * give it up. The solicitation is sent from our link-local address, since a
 * source that is not on the link may be ignored.
 *
 * A frame from a hardware address that is no SUT's is harmless, and counted by
 * its kind, or stops the run (wire_rules.c). While a SUT is not found yet an
 * unknown address may turn out to be its own: the first frame of each that would
 * stop is remembered, and judged once all are found. More than
 * SUTWIRE_UNKNOWN_MAX of them are too many at once.
 *
 * What a SUT sends counts only if its frame is for our hardware address or for a
 * group's: on a switch that floods we also see what it sends to a router or to
 * another SUT. That proves nothing, teaches nothing and is not played on. A SUT
 * whose probe was answered once has no stale entries left that lead elsewhere:
 * from then on its packet to a third one's hardware address stops the run.
 *
 * A host that the user names (--wire-also: hardware address and address) may speak
 * from that address, unless as a router or DHCP server, and a SUT may speak to it
 * there. Both are counted and ignored. Another source of it, a SUT's packet to it
 * for another address (it routes), and a client in its network stop the run.
 *
 * 2. Questions of a SUT are answered by unicast to it, for any target but the
 * SUTs' own addresses: those configured, and those they were seen to use; and not
 * for the hosts of --wire-also, who answer themselves.
 * Whoever else has such an address would answer too, by unicast, which a switch
 * does not show us; so we ask for it ourselves, once, and he answers us: that stops
 * the run before the SUT has proved its way. Thus a router that the SUT uses is
 * found and named on any wire. ASKED_MAX targets are remembered; then the oldest is
 * asked for again.
 *
 * Probes for duplicates and announcements are not answered: the SUT would take
 * us for the owner of its address.
 *
 * 3. The probe. A SYN from an address of 198.18.0.0/15 or 2001:db8::/32 (RFC
 * 3849) to the SUT's own port shows that what a SUT sends to the world comes
 * back on this wire. SYNACK and RST both show it; a SYNACK is answered by RST
 * with seq = its ack, so that no half-open connection stays at the SUT. An answer
 * to another hardware address shows the opposite: that one is named. After
 * SUTWIRE_PROBE_TRIES SYNs without an answer the SUT is not played to, and the
 * next round begins at once. A SUT that was ready stays so during a round.
 *
 * A SUT's timer is one number, @due; there are at most MAP_MAX, so they are
 * looked through one by one.
 */
#include "engine/sutwire.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "core/arena.h"
#include "core/bytes.h"
#include "core/rng.h"
#include "wire/tcpopt.h"

#define OWN_MAX	     (4 * MAP_MAX)
#define ASKED_MAX    64
#define PROBE_MSS    1460
#define PROBE_WINDOW 65535
#define PROBE_TTL    64
#define PORT_LOW     32768 /* the probe's ports: the usual ephemeral range */
#define PORT_COUNT   28232
#define ND_HOPS	     255 /* RFC 4861 section 7.1.1: nothing from afar */
#define ND_SOLICIT   135
#define ARP_REQUEST  1
#define ARP_REPLY    2
#define CLIENT_BITS4 (IPADDR_4IN6 + 24) /* a network of clients */
#define CLIENT_BITS6 64

struct wire_sut {
	struct sutwire_sut cfg;
	enum sutwire_state state;
	bool known;    /* its hardware address is in cfg.mac */
	bool answered; /* the probe of this round */
	bool proved;   /* some probe was answered to us */
	bool astray;   /* the probe, to @via and not to us */
	uint8_t via[ETH_LEN];
	uint8_t tries;
	uint16_t sport;
	uint32_t iss;
	uint64_t due;
};

/* An unknown hardware address, and what it said before all SUTs were found. */
struct unknown {
	enum wire_kind kind;
	uint8_t mac[ETH_LEN];
	struct ipaddr ip;
};

struct sutwire {
	uint8_t mac[ETH_LEN];
	struct ipaddr probe4;
	struct ipaddr probe6;
	struct ipaddr link_local;
	struct rng rng;
	uint32_t suts;
	uint32_t alsos;
	uint32_t owns;
	uint32_t unknowns;
	struct wire_sut sut[MAP_MAX];
	bool ask;
	uint32_t asked_n;
	uint32_t asked_next;
	struct ipaddr asked[ASKED_MAX];
	struct sutwire_also also[SUTWIRE_ALSO_MAX];
	struct ipaddr own[OWN_MAX];
	struct unknown unknown[SUTWIRE_UNKNOWN_MAX];
	struct sutwire_stop stop;
	struct sutwire_stats stats;
};

const char *sutwire_state_text(enum sutwire_state s)
{
	static const char *const text[] = {
#define X(id, t) t,
		SUTWIRE_STATES(X)
#undef X
	};

	return text[s];
}

const char *sutwire_stop_text(enum sutwire_stop_reason r)
{
	static const char *const text[] = {
#define X(id, t) t,
		SUTWIRE_STOPS(X)
#undef X
	};

	return text[r];
}

size_t sutwire_size(void)
{
	return arena_need(sizeof(struct sutwire));
}

/* Host part never all zeroes or ones: those are a network's own. */
static void choose_addresses(struct sutwire *w)
{
	uint32_t host = 1 + rng_below(&w->rng, (1u << 17) - 2);
	uint8_t four[4];

	put_be32(four, 0xc6120000u | host); /* 198.18.0.0/15 */
	w->probe4 = ipaddr_from4(four);
	put_be32(w->probe6.b, 0x20010db8u);
	put_be32(w->probe6.b + 4, (uint32_t)rng_next(&w->rng));
	put_be32(w->probe6.b + 8, (uint32_t)rng_next(&w->rng));
	put_be32(w->probe6.b + 12, (uint32_t)rng_next(&w->rng) | 1);
	/* Modified EUI-64 of our hardware address (RFC 4291 appendix A). */
	w->link_local.b[0] = 0xfe;
	w->link_local.b[1] = 0x80;
	w->link_local.b[8] = w->mac[0] ^ 0x02;
	w->link_local.b[9] = w->mac[1];
	w->link_local.b[10] = w->mac[2];
	w->link_local.b[11] = 0xff;
	w->link_local.b[12] = 0xfe;
	memcpy(w->link_local.b + 13, w->mac + 3, 3);
}

/* Begin a round of the probe; it is due at @now. */
static void probe_begin(struct sutwire *w, struct wire_sut *s, uint64_t now)
{
	s->tries = 0;
	s->answered = false;
	s->sport = (uint16_t)(PORT_LOW + rng_below(&w->rng, PORT_COUNT));
	s->iss = (uint32_t)rng_next(&w->rng);
	s->due = now;
}

/* Entries with the same address have the same hardware address. */
static int spread_pins(struct sutwire *w)
{
	for (uint32_t i = 0; i < w->suts * w->suts; i++) {
		const struct wire_sut *from = &w->sut[i / w->suts];
		struct wire_sut *to = &w->sut[i % w->suts];

		if (!from->cfg.pinned || !ipaddr_eq(&from->cfg.ip, &to->cfg.ip))
			continue;
		if (to->cfg.pinned &&
		    memcmp(from->cfg.mac, to->cfg.mac, ETH_LEN) != 0)
			return -EINVAL;
		to->cfg.pinned = true;
		memcpy(to->cfg.mac, from->cfg.mac, ETH_LEN);
	}
	return 0;
}

/* Take over the list of other hosts. Return: false if a SUT is among them */
static bool take_also(struct sutwire *w, const struct sutwire_cfg *cfg)
{
	w->alsos = cfg->alsos;
	for (uint32_t i = 0; i < cfg->alsos; i++) {
		w->also[i] = cfg->also[i];
		for (uint32_t k = 0; k < w->suts; k++) {
			const struct sutwire_sut *s = &w->sut[k].cfg;

			if (ipaddr_eq(&s->ip, &w->also[i].ip) ||
			    (s->pinned &&
			     memcmp(s->mac, w->also[i].mac, ETH_LEN) == 0))
				return false;
		}
	}
	return true;
}

int sutwire_init(struct sutwire **out, struct arena *a,
		 const struct sutwire_cfg *cfg, uint64_t now)
{
	struct sutwire *w;

	if (cfg->suts == 0 || cfg->suts > MAP_MAX ||
	    cfg->alsos > SUTWIRE_ALSO_MAX)
		return -EINVAL;
	w = arena_take(a, sizeof(*w));
	if (!w)
		return -ENOMEM;
	memset(w, 0, sizeof(*w));
	memcpy(w->mac, cfg->mac, ETH_LEN);
	w->rng.s = cfg->seed;
	w->suts = cfg->suts;
	w->ask = cfg->ask;
	choose_addresses(w);
	for (uint32_t i = 0; i < w->suts; i++)
		w->sut[i].cfg = cfg->sut[i];
	if (spread_pins(w) || !take_also(w, cfg))
		return -EINVAL;
	for (uint32_t i = 0; i < w->suts; i++) {
		struct wire_sut *s = &w->sut[i];

		s->known = s->cfg.pinned;
		s->state = s->known ? SUTWIRE_PROBING : SUTWIRE_ASKING;
		probe_begin(w, s, now);
	}
	*out = w;
	return 0;
}

static void stop(struct sutwire *w, enum sutwire_stop_reason why,
		 const uint8_t *mac, const struct ipaddr *ip)
{
	w->stats.strangers++;
	/* The first reason is the one that is reported. */
	if (w->stop.reason != SUTWIRE_GOING)
		return;
	w->stop.reason = why;
	memcpy(w->stop.mac, mac, ETH_LEN);
	w->stop.ip = *ip;
}

/* The SUT with this hardware address; NULL: no known one. */
static struct wire_sut *by_mac(struct sutwire *w, const uint8_t *mac)
{
	for (uint32_t i = 0; i < w->suts; i++)
		if (w->sut[i].known &&
		    memcmp(w->sut[i].cfg.mac, mac, ETH_LEN) == 0)
			return &w->sut[i];
	return NULL;
}

static bool all_known(const struct sutwire *w)
{
	for (uint32_t i = 0; i < w->suts; i++)
		if (!w->sut[i].known)
			return false;
	return true;
}

/* A stranger's frame was @kind, and bears @ip. */
static void stranger(struct sutwire *w, enum wire_kind kind, const uint8_t *mac,
		     const struct ipaddr *ip)
{
	if (w->stop.reason == SUTWIRE_GOING)
		w->stop.kind = kind;
	stop(w, SUTWIRE_STRANGER, mac, ip);
}

/* All SUTs are found: who else spoke until now was a stranger. */
static void judge_unknown(struct sutwire *w)
{
	for (uint32_t i = 0; i < w->unknowns; i++) {
		const struct unknown *u = &w->unknown[i];

		if (!by_mac(w, u->mac))
			stranger(w, u->kind, u->mac, &u->ip);
	}
	w->unknowns = 0;
}

/* A frame that stops, unless @mac turns out to be a SUT's. */
static void unknown_spoke(struct sutwire *w, enum wire_kind kind,
			  const uint8_t *mac, const struct ipaddr *ip)
{
	bool multicast = mac[0] & 1;

	if (multicast || all_known(w) || memcmp(mac, w->mac, ETH_LEN) == 0) {
		stranger(w, kind, mac, ip);
		return;
	}
	for (uint32_t i = 0; i < w->unknowns; i++)
		if (memcmp(w->unknown[i].mac, mac, ETH_LEN) == 0)
			return;
	if (w->unknowns == SUTWIRE_UNKNOWN_MAX) {
		stranger(w, kind, mac, ip);
		return;
	}
	memcpy(w->unknown[w->unknowns].mac, mac, ETH_LEN);
	w->unknown[w->unknowns].kind = kind;
	w->unknown[w->unknowns].ip = *ip;
	w->unknowns++;
}

/* Test whether @ip is a found SUT's address, and @mac not its own. */
static bool has_moved(const struct sutwire *w, const struct ipaddr *ip,
		      const uint8_t *mac)
{
	for (uint32_t i = 0; i < w->suts; i++)
		if (w->sut[i].known && ipaddr_eq(&w->sut[i].cfg.ip, ip) &&
		    memcmp(w->sut[i].cfg.mac, mac, ETH_LEN) != 0)
			return true;
	return false;
}

/* A SUT's address was told with a hardware address: pin it, or see it moved. */
static void learn(struct sutwire *w, const struct ipaddr *ip,
		  const uint8_t *mac, uint64_t now)
{
	bool found = false;

	if (has_moved(w, ip, mac)) {
		stop(w, SUTWIRE_MOVED, mac, ip);
		return;
	}
	for (uint32_t i = 0; i < w->suts; i++) {
		struct wire_sut *s = &w->sut[i];

		if (s->known || !ipaddr_eq(&s->cfg.ip, ip))
			continue;
		if ((mac[0] & 1) || memcmp(mac, w->mac, ETH_LEN) == 0) {
			stranger(w, WIRE_CLAIM, mac, ip);
			return;
		}
		memcpy(s->cfg.mac, mac, ETH_LEN);
		s->known = true;
		s->state = SUTWIRE_PROBING;
		probe_begin(w, s, now);
		found = true;
	}
	if (found && all_known(w))
		judge_unknown(w);
}

static bool is_zero(const struct ipaddr *ip)
{
	static const struct ipaddr zero;
	static const struct ipaddr zero4 = { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
					       0xff, 0xff } };

	return ipaddr_eq(ip, &zero) || ipaddr_eq(ip, &zero4);
}

static bool is_own(const struct sutwire *w, const struct ipaddr *ip)
{
	for (uint32_t i = 0; i < w->suts; i++)
		if (ipaddr_eq(&w->sut[i].cfg.ip, ip))
			return true;
	for (uint32_t i = 0; i < w->owns; i++)
		if (ipaddr_eq(&w->own[i], ip))
			return true;
	return false;
}

/* Is this a host of --wire-also? By hardware address, by address, or both; NULL:
 * any.
 */
static bool is_also(const struct sutwire *w, const uint8_t *mac,
		    const struct ipaddr *ip)
{
	for (uint32_t i = 0; i < w->alsos; i++)
		if ((!mac || memcmp(w->also[i].mac, mac, ETH_LEN) == 0) &&
		    (!ip || ipaddr_eq(&w->also[i].ip, ip)))
			return true;
	return false;
}

/* Remember that a SUT uses @ip as its own. */
static void add_own(struct sutwire *w, const struct ipaddr *ip)
{
	if (is_own(w, ip))
		return;
	if (w->owns == OWN_MAX)
		w->stats.own_full++;
	else
		w->own[w->owns++] = *ip;
}

/* Is a frame for our hardware address, or for a group's? */
static bool for_us(const struct sutwire *w, const struct decoded *d)
{
	return (d->eth_dst[0] & 1) || memcmp(d->eth_dst, w->mac, ETH_LEN) == 0;
}

/* Somebody said by ARP or ND that @ip is his.
 *
 * Return: the SUT that it is, if it spoke to us; NULL: there is none to answer
 */
static const struct wire_sut *introduced(struct sutwire *w,
					 const struct decoded *d,
					 const struct ipaddr *ip, uint64_t now)
{
	const struct wire_sut *s;

	if (!for_us(w, d)) {
		if (has_moved(w, ip, d->eth_src))
			stop(w, SUTWIRE_MOVED, d->eth_src, ip);
		return NULL;
	}
	learn(w, ip, d->eth_src, now);
	s = by_mac(w, d->eth_src);
	if (s)
		add_own(w, ip);
	return s;
}

static struct effect *effect_new(struct sutwire *w, struct effects *out,
				 enum effect_kind kind, enum effect_cause cause,
				 const struct wire_sut *s)
{
	struct effect *e;

	if (effects_left(out) == 0) {
		w->stats.no_room++;
		return NULL;
	}
	e = &out->e[out->n++];
	memset(e, 0, sizeof(*e));
	e->kind = kind;
	e->cause = cause;
	e->sut = s->cfg.index;
	e->dst = s->cfg.ip;
	return e;
}

static void set_raw(struct effect *e, const uint8_t *frame, size_t len)
{
	assert(len <= EFFECT_RAW_MAX);
	memcpy(e->raw, frame, len);
	e->rawlen = (uint16_t)len;
}

/* Ask all on the wire who has @target. Return: false if there is no room */
static bool ask(struct sutwire *w, const struct wire_sut *s,
		const struct ipaddr *target, struct effects *out)
{
	static const uint8_t all[ETH_LEN] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff
	};
	bool four = ipaddr_is4(target);
	struct effect *e =
		effect_new(w, out, EFFECT_RAW, four ? CAUSE_ARP : CAUSE_ND, s);
	uint8_t f[BUILD_RAW_MAX];
	size_t n;

	if (!e)
		return false;
	if (four)
		n = build_arp(f, ARP_REQUEST, all, w->mac, &w->probe4, NULL,
			      target);
	else
		n = build_ns(f, w->mac, &w->link_local, target);
	set_raw(e, f, n);
	return true;
}

/* A SUT asked for @target, and we answered: has anybody else that address? */
static void ask_others(struct sutwire *w, const struct wire_sut *s,
		       const struct ipaddr *target, struct effects *out)
{
	if (!w->ask)
		return;
	for (uint32_t i = 0; i < w->asked_n; i++)
		if (ipaddr_eq(&w->asked[i], target))
			return;
	if (!ask(w, s, target, out))
		return; /* the SUT's next question will do */
	w->asked[w->asked_next] = *target;
	w->asked_next = (w->asked_next + 1) % ASKED_MAX;
	if (w->asked_n < ASKED_MAX)
		w->asked_n++;
	w->stats.asked_others++;
}

static struct effect *probe_segment(struct sutwire *w, const struct wire_sut *s,
				    struct effects *out)
{
	struct effect *e = effect_new(w, out, EFFECT_TCP, CAUSE_PROBE, s);

	if (!e)
		return NULL;
	e->src = ipaddr_is4(&s->cfg.ip) ? w->probe4 : w->probe6;
	e->sport = s->sport;
	e->dport = s->cfg.port;
	e->ttl = PROBE_TTL;
	return e;
}

static void probe_syn(struct sutwire *w, const struct wire_sut *s,
		      struct effects *out)
{
	struct effect *e = probe_segment(w, s, out);

	assert(e); /* as in sut_timeout() */
	e->flags = TCP_SYN;
	e->seq = s->iss;
	e->win = PROBE_WINDOW;
	e->optlen = tcp_put_options(
		e->opts,
		&(struct tcp_opts){ .has = OPT_HAS_MSS, .mss = PROBE_MSS });
	w->stats.probes++;
}

/* Whether an ARP request for this SUT's address is another entry's business. */
static bool asked_by_other(const struct sutwire *w, uint32_t i)
{
	for (uint32_t k = 0; k < i; k++)
		if (ipaddr_eq(&w->sut[k].cfg.ip, &w->sut[i].cfg.ip))
			return true;
	return false;
}

static void sut_timeout(struct sutwire *w, uint32_t i, uint64_t now,
			struct effects *out)
{
	struct wire_sut *s = &w->sut[i];

	if (!s->known) {
		if (!asked_by_other(w, i)) {
			bool asked = ask(w, s, &s->cfg.ip, out);

			assert(asked); /* sutwire_timeout() has seen room */
			(void)asked;
			w->stats.asked++;
		}
		s->due = now + SUTWIRE_ASK_EVERY;
		return;
	}
	if (!s->answered && s->tries == SUTWIRE_PROBE_TRIES)
		s->state = SUTWIRE_NO_ANSWER;
	if (s->answered || s->tries == SUTWIRE_PROBE_TRIES)
		probe_begin(w, s, now);
	probe_syn(w, s, out);
	s->tries++;
	s->due = now + SUTWIRE_PROBE_WAIT;
}

void sutwire_timeout(struct sutwire *w, uint64_t now, struct effects *out)
{
	if (w->stop.reason != SUTWIRE_GOING)
		return;
	for (uint32_t i = 0; i < w->suts && effects_left(out) > 0; i++)
		if (w->sut[i].due <= now)
			sut_timeout(w, i, now, out);
}

uint64_t sutwire_next_timeout(const struct sutwire *w)
{
	uint64_t next = SUTWIRE_NEVER;

	if (w->stop.reason != SUTWIRE_GOING)
		return SUTWIRE_NEVER;
	for (uint32_t i = 0; i < w->suts; i++)
		if (w->sut[i].due < next)
			next = w->sut[i].due;
	return next;
}

static void answer_arp(struct sutwire *w, const struct wire_sut *s,
		       const struct arp_packet *a, struct effects *out)
{
	struct effect *e = effect_new(w, out, EFFECT_RAW, CAUSE_ARP, s);
	uint8_t f[BUILD_RAW_MAX];

	if (!e)
		return;
	set_raw(e, f,
		build_arp(f, ARP_REPLY, a->sha, w->mac, &a->tpa, a->sha,
			  &a->spa));
	w->stats.answered++;
}

static void on_arp(struct sutwire *w, const struct frame_info *in,
		   const struct decoded *d, uint64_t now, struct effects *out)
{
	const struct wire_sut *s;
	struct arp_packet a;

	w->stats.arp++;
	if (d->l3 > in->cap ||
	    arp_parse(in->data + d->l3, in->cap - d->l3, &a)) {
		w->stats.bad++;
		return;
	}
	if (memcmp(a.sha, d->eth_src, ETH_LEN) != 0) {
		stop(w, SUTWIRE_FORGED, a.sha, &a.spa);
		return;
	}
	if (is_zero(&a.spa)) {
		w->stats.dad++;
		return;
	}
	s = introduced(w, d, &a.spa, now);
	if (!s)
		return;
	if (a.op == ARP_REQUEST && !is_own(w, &a.tpa) &&
	    !is_also(w, NULL, &a.tpa) && w->stop.reason == SUTWIRE_GOING) {
		answer_arp(w, s, &a, out);
		ask_others(w, s, &a.tpa, out);
	}
}

static void answer_ns(struct sutwire *w, const struct wire_sut *s,
		      const struct ipaddr *target, const struct ipaddr *dst,
		      struct effects *out)
{
	struct effect *e = effect_new(w, out, EFFECT_RAW, CAUSE_ND, s);
	uint8_t f[BUILD_RAW_MAX];

	if (!e)
		return;
	set_raw(e, f, build_na(f, s->cfg.mac, w->mac, target, dst));
	w->stats.answered++;
}

/* RFC 4861 section 7.1: what a router let through is not a neighbour's word. */
static bool nd_near(const struct frame_info *in, const struct decoded *d)
{
	/* A frame that was decoded as ND has its IPv6 header. */
	assert(d->l3 + 8 <= in->cap);
	return in->data[d->l3 + 7] == ND_HOPS;
}

static void on_nd(struct sutwire *w, const struct frame_info *in,
		  const struct decoded *d, uint64_t now, struct effects *out)
{
	const struct wire_sut *s;
	struct nd_packet n;
	bool solicit;
	int rc = nd_parse(d->l4, d->l4_len, &n);

	if (rc == -ENOTSUP) {
		w->stats.router++;
		return;
	}
	w->stats.nd++;
	if (rc || !nd_near(in, d)) {
		w->stats.bad++;
		return;
	}
	solicit = n.type == ND_SOLICIT;
	if (n.has_lladdr && memcmp(n.lladdr, d->eth_src, ETH_LEN) != 0) {
		stop(w, SUTWIRE_FORGED, n.lladdr,
		     solicit ? &d->seg.src : &n.target);
		return;
	}
	if (solicit && is_zero(&d->seg.src)) {
		w->stats.dad++;
		return;
	}
	s = introduced(w, d, solicit ? &d->seg.src : &n.target, now);
	if (!s)
		return;
	if (solicit && !is_own(w, &n.target) && !is_also(w, NULL, &n.target) &&
	    w->stop.reason == SUTWIRE_GOING) {
		answer_ns(w, s, &n.target, &d->seg.src, out);
		ask_others(w, s, &n.target, out);
	}
}

/* Test whether a TCP segment is for the probe's addresses. */
static bool for_probe(const struct sutwire *w, const struct segment *g)
{
	return ipaddr_eq(&g->dst, &w->probe4) || ipaddr_eq(&g->dst, &w->probe6);
}

/* The entry whose latest probe this answers; NULL: none's. */
static struct wire_sut *probe_answered(struct sutwire *w,
				       const struct segment *g)
{
	for (uint32_t i = 0; i < w->suts; i++) {
		struct wire_sut *s = &w->sut[i];

		if (s->known && s->tries > 0 && g->sport == s->cfg.port &&
		    g->dport == s->sport && (g->flags & TCP_ACK) &&
		    (g->flags & (TCP_SYN | TCP_RST)) && g->ack == s->iss + 1 &&
		    ipaddr_eq(&g->src, &s->cfg.ip))
			return s;
	}
	return NULL;
}

/* RFC 9293 section 3.10.7.1: a RST takes its seq from the segment's ack. */
static void reset(struct sutwire *w, const struct wire_sut *s,
		  const struct segment *g, struct effects *out)
{
	struct effect *e = probe_segment(w, s, out);

	if (!e)
		return;
	e->src = g->dst;
	e->dst = g->src;
	e->sport = g->dport;
	e->dport = g->sport;
	e->flags = TCP_RST;
	e->seq = g->ack;
}

static void on_probe(struct sutwire *w, const struct decoded *d, uint64_t now,
		     struct effects *out)
{
	const struct segment *g = &d->seg;
	struct wire_sut *s = probe_answered(w, g);
	bool rst = (g->flags & TCP_RST) != 0;

	/* Its hardware address is a SUT's, or it had not come here. */
	if (!s) {
		w->stats.probe_stray++;
		s = by_mac(w, d->eth_src);
	} else if (!s->answered) {
		w->stats.probe_rst += rst;
		w->stats.probe_synack += !rst;
		s->state = SUTWIRE_READY;
		/* The numbers stay, so that a repeated SYNACK is known too. */
		s->answered = true;
		s->proved = true;
		s->astray = false;
		s->due = now + SUTWIRE_PROBE_EVERY;
	}
	if (!rst && (g->flags & TCP_ACK) && w->stop.reason == SUTWIRE_GOING)
		reset(w, s, g, out);
}

/* Source address of a frame, as far as it was decoded; NULL: none. */
static const struct ipaddr *source_of(enum decode_result r,
				      const struct decoded *d)
{
	switch (r) {
	case DECODE_TCP:
	case DECODE_UDP:
	case DECODE_ND:
	case DECODE_ICMP:
	case DECODE_IP_OTHER:
	case DECODE_FRAGMENT:
		return &d->seg.src;
	default:
		return NULL;
	}
}

/* Frames that may come from a switch or bridge: counted, no reason to stop. */
static bool on_link_frame(struct sutwire *w, enum decode_result r)
{
	if (r == DECODE_LINK_CONTROL)
		w->stats.control++;
	else if (r == DECODE_NOT_IP)
		w->stats.other++;
	else
		return false;
	return true;
}

/* Is @ip one that we use ourselves? */
static bool is_ours(const struct sutwire *w, const struct ipaddr *ip)
{
	return ipaddr_eq(ip, &w->probe4) || ipaddr_eq(ip, &w->probe6) ||
	       ipaddr_eq(ip, &w->link_local);
}

/* A frame of a host of --wire-also. */
static void of_also(struct sutwire *w, const struct frame_info *in,
		    enum decode_result r, const struct decoded *d)
{
	struct ipaddr who;
	enum wire_kind kind = wire_rules(in, r, d, &who);
	const struct ipaddr *src = source_of(r, d);
	bool claims = is_own(w, &who) || is_ours(w, &who);

	w->stats.wire_also++;
	w->stats.other_hosts[kind]++;
	if (kind == WIRE_BROKEN ||
	    (!wire_rules_stops(kind) && !(kind == WIRE_DAD && claims)))
		return;
	if (wire_rules_routes(kind)) {
		stranger(w, kind, d->eth_src, &who);
		return;
	}
	if (is_also(w, d->eth_src, &who)) {
		if (!src || is_also(w, d->eth_src, src))
			return;
		who = *src; /* it advertises its own, but from another */
	}
	if (w->stop.reason == SUTWIRE_GOING)
		w->stop.kind = kind;
	stop(w, SUTWIRE_ALSO_SPOKE, d->eth_src, &who);
}

bool sutwire_client(struct sutwire *w, const struct ipaddr *client)
{
	unsigned bits = ipaddr_is4(client) ? CLIENT_BITS4 : CLIENT_BITS6;

	for (uint32_t i = 0; i < w->alsos; i++) {
		if (!ipaddr_in(client, &w->also[i].ip, bits))
			continue;
		stop(w, SUTWIRE_ALSO_CLIENT, w->also[i].mac, client);
		return true;
	}
	return false;
}

/* A frame from a hardware address that is no known SUT's. */
static void of_other(struct sutwire *w, const struct frame_info *in,
		     enum decode_result r, const struct decoded *d)
{
	struct ipaddr who;
	enum wire_kind kind = wire_rules(in, r, d, &who);

	/* Who asks whether an address is free is about to take it. */
	if (kind == WIRE_DAD && (is_own(w, &who) || is_ours(w, &who)))
		kind = WIRE_CLAIM;
	w->stats.other_hosts[kind]++;
	if (wire_rules_stops(kind))
		unknown_spoke(w, kind, d->eth_src, &who);
}

/* Has the SUT at this hardware address answered a probe to us, for each of its
 * entries?
 */
static bool is_proved(const struct sutwire *w, const uint8_t *mac)
{
	for (uint32_t i = 0; i < w->suts; i++)
		if (w->sut[i].known && !w->sut[i].proved &&
		    memcmp(w->sut[i].cfg.mac, mac, ETH_LEN) == 0)
			return false;
	return true;
}

/* A frame of a SUT that is not for us. */
static enum sutwire_fate not_for_us(struct sutwire *w, enum decode_result r,
				    const struct decoded *d)
{
	bool packet = source_of(r, d) && r != DECODE_ND;
	struct wire_sut *s;

	if (by_mac(w, d->eth_dst)) {
		w->stats.sut_to_sut++;
		return SUTWIRE_NOT_OURS;
	}
	if (is_also(w, d->eth_dst, NULL)) {
		w->stats.wire_also++;
		if (packet && !is_also(w, d->eth_dst, &d->seg.dst))
			stop(w, SUTWIRE_ALSO_ROUTES, d->eth_dst, &d->seg.dst);
		return SUTWIRE_NOT_OURS;
	}
	w->stats.elsewhere++;
	if (!packet)
		return SUTWIRE_NOT_OURS;
	if (is_proved(w, d->eth_src)) {
		stop(w, SUTWIRE_ROUTES, d->eth_dst, &d->seg.dst);
		return SUTWIRE_NOT_OURS;
	}
	if (r != DECODE_TCP || !for_probe(w, &d->seg))
		return SUTWIRE_NOT_OURS;
	s = probe_answered(w, &d->seg);
	if (s) {
		s->astray = true;
		memcpy(s->via, d->eth_dst, ETH_LEN);
	}
	return SUTWIRE_NOT_OURS;
}

/* IP of a SUT that is for us. */
static enum sutwire_fate on_ip(struct sutwire *w, enum decode_result r,
			       const struct decoded *d, uint64_t now,
			       struct effects *out)
{
	/* As its router we would have to forward it. */
	if (source_of(r, d) && is_own(w, &d->seg.dst)) {
		w->stats.sut_to_sut++;
		return SUTWIRE_NOT_OURS;
	}
	if (source_of(r, d) && is_also(w, NULL, &d->seg.dst)) {
		w->stats.wire_also++;
		return SUTWIRE_NOT_OURS;
	}
	switch (r) {
	case DECODE_TCP:
		if (for_probe(w, &d->seg)) {
			on_probe(w, d, now, out);
			return SUTWIRE_TAKEN;
		}
		break;
	case DECODE_UDP:
	case DECODE_FRAGMENT:
		break;
	case DECODE_ICMP:
		w->stats.icmp++;
		return SUTWIRE_OUTSIDE;
	case DECODE_IP_OTHER:
		w->stats.other++;
		return SUTWIRE_OUTSIDE;
	default:
		w->stats.bad++;
		return SUTWIRE_TAKEN;
	}
	w->stats.passed++;
	return SUTWIRE_PASSED;
}

/* A frame of a SUT; what it says by ARP or ND was read. */
static enum sutwire_fate of_sut(struct sutwire *w, enum decode_result r,
				const struct decoded *d, uint64_t now,
				struct effects *out)
{
	const struct ipaddr *src = source_of(r, d);
	bool nd = r == DECODE_ARP || r == DECODE_ND;

	/* Only ARP and ND introduce; a segment's source is anybody's claim. */
	if (!nd && src && has_moved(w, src, d->eth_src)) {
		stop(w, SUTWIRE_MOVED, d->eth_src, src);
		return SUTWIRE_TAKEN;
	}
	if (!for_us(w, d))
		return not_for_us(w, r, d);
	return nd ? SUTWIRE_TAKEN : on_ip(w, r, d, now, out);
}

enum sutwire_fate sutwire_frame(struct sutwire *w, const struct frame_info *in,
				enum decode_result r, const struct decoded *d,
				uint64_t now, struct effects *out)
{
	uint64_t strangers = w->stats.strangers;

	w->stats.frames++;
	if (!d->has_eth) {
		w->stats.bad++;
		return SUTWIRE_TAKEN;
	}
	if (on_link_frame(w, r))
		return SUTWIRE_TAKEN;
	if (is_also(w, d->eth_src, NULL)) {
		of_also(w, in, r, d);
		return SUTWIRE_TAKEN;
	}
	if (r == DECODE_ARP)
		on_arp(w, in, d, now, out);
	else if (r == DECODE_ND)
		on_nd(w, in, d, now, out);
	/* After the message was read: it may have been a SUT's introduction. */
	if (!by_mac(w, d->eth_src)) {
		if (w->stats.strangers == strangers)
			of_other(w, in, r, d);
		return SUTWIRE_TAKEN;
	}
	return of_sut(w, r, d, now, out);
}

enum sutwire_state sutwire_state(const struct sutwire *w, uint32_t i)
{
	assert(i < w->suts);
	return w->sut[i].state;
}

bool sutwire_ready(const struct sutwire *w, uint32_t i)
{
	return sutwire_state(w, i) == SUTWIRE_READY &&
	       w->stop.reason == SUTWIRE_GOING;
}

const uint8_t *sutwire_mac(const struct sutwire *w, uint32_t i)
{
	assert(i < w->suts);
	return w->sut[i].known ? w->sut[i].cfg.mac : NULL;
}

const uint8_t *sutwire_via(const struct sutwire *w, uint32_t i)
{
	assert(i < w->suts);
	return w->sut[i].astray ? w->sut[i].via : NULL;
}

const struct sutwire_stop *sutwire_stop(const struct sutwire *w)
{
	return &w->stop;
}

const struct sutwire_stats *sutwire_stats(const struct sutwire *w)
{
	return &w->stats;
}
