/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sutwire.c - The SUT's wire is ours alone, and is proved so
 *
 * Theory of operation
 *
 * On the SUT's wire there are only SUTs and we. We are everybody else: each
 * client, the router, whatever a SUT looks for. Three duties follow.
 *
 * 1. Hardware addresses. Each SUT is asked for (ARP request, neighbour
 * solicitation) until it answers; the first answer is pinned for the run, but
 * with --sut-mac any a later one moves the SUT, which is proved anew. What a
 * SUT says unasked (its own ARP request, its own solicitation) serves as
 * well. The ARP request is sent from the probe's address in 198.18.0.0/15 (RFC
 * 2544), which is nobody's. 0.0.0.0 is not used: a SUT that is just coming up
 * would take it for another host's claim to its address (RFC 5227 section
 * 2.1.1) and give it up. The solicitation is sent from our link-local address,
 * since a source that is not on the link may be ignored.
 *
 * A frame from a hardware address that is no SUT's is harmless, and counted by
 * its kind, or stops the run (wire_rules.c). While a SUT is not found yet an
 * unknown address may turn out to be its own: the first frame of each that
 * would stop is remembered, and judged once all are found. More than
 * SUTWIRE_UNKNOWN_MAX of them are too many at once.
 *
 * What a SUT sends counts only if its frame is for our hardware address or for
 * a group's: on a switch that floods we also see what it sends to a router or
 * to another SUT. That proves nothing, teaches nothing and is not played on. A
 * SUT whose probe was answered once has no stale entries left that lead
 * elsewhere: from then on its packet to a third one's hardware address stops
 * the run.
 *
 * A host that the user names (--wire-also: hardware address and address) may
 * speak from that address, unless as a router or DHCP server, and a SUT may
 * speak to it there. Both are counted and ignored. Another source of it, a
 * SUT's packet to it for another address (it routes), and a client in its
 * network stop the run.
 *
 * 2. Questions of a SUT are answered by unicast to it, for any target but the
 * SUTs' own addresses: those configured, and those they were seen to use; and
 * not for the hosts of --wire-also, who answer themselves. Whoever else has
 * such an address would answer too, by unicast, which a switch does not show
 * us; so we ask for it ourselves, once, and he answers us: that stops the run
 * before the SUT has proved its way. Thus a router that the SUT uses is found
 * and named on any wire. ASKED_MAX targets are remembered; then the oldest is
 * asked for again.
 *
 * Probes for duplicates and announcements are not answered: the SUT would take
 * us for the owner of its address.
 *
 * 3. The probe. A SYN from an address of 198.18.0.0/15 or 2001:db8::/32 (RFC
 * 3849) to the SUT's own port shows that what a SUT sends to the world comes
 * back on this wire. SYNACK and RST both show it; a SYNACK is answered by RST
 * with seq = its ack, so that no half-open connection stays at the SUT. An
 * answer to another hardware address shows the opposite: that one is named.
 * After SUTWIRE_PROBE_TRIES SYNs without an answer the SUT is not played to,
 * and the next round begins at once. A SUT that was ready stays so during a
 * round.
 *
 * A SUT's timer is one number, @due; there are at most MAP_MAX, so they are
 * looked through one by one.
 */
#include "lan/sutwire_internal.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "core/arena.h"
#include "core/bytes.h"

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
	w->any = cfg->any;
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
		lan_probe_begin(w, s, now);
	}
	*out = w;
	return 0;
}

struct wire_sut *lan_by_mac(struct sutwire *w, const uint8_t *mac)
{
	for (uint32_t i = 0; i < w->suts; i++)
		if (w->sut[i].known &&
		    memcmp(w->sut[i].cfg.mac, mac, ETH_LEN) == 0)
			return &w->sut[i];
	return NULL;
}

bool lan_all_known(const struct sutwire *w)
{
	for (uint32_t i = 0; i < w->suts; i++)
		if (!w->sut[i].known)
			return false;
	return true;
}

bool lan_is_own(const struct sutwire *w, const struct ipaddr *ip)
{
	for (uint32_t i = 0; i < w->suts; i++)
		if (ipaddr_eq(&w->sut[i].cfg.ip, ip))
			return true;
	for (uint32_t i = 0; i < w->owns; i++)
		if (ipaddr_eq(&w->own[i], ip))
			return true;
	return false;
}

bool lan_is_also(const struct sutwire *w, const uint8_t *mac,
		 const struct ipaddr *ip)
{
	for (uint32_t i = 0; i < w->alsos; i++)
		if ((!mac || memcmp(w->also[i].mac, mac, ETH_LEN) == 0) &&
		    (!ip || ipaddr_eq(&w->also[i].ip, ip)))
			return true;
	return false;
}

bool lan_for_us(const struct sutwire *w, const struct decoded *d)
{
	return (d->eth_dst[0] & 1) || memcmp(d->eth_dst, w->mac, ETH_LEN) == 0;
}

struct effect *lan_effect(struct sutwire *w, struct effects *out,
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
			bool asked = lan_ask(w, s, &s->cfg.ip, out);

			assert(asked); /* sutwire_timeout() has seen room */
			(void)asked;
			w->stats.asked++;
		}
		s->due = now + SUTWIRE_ASK_EVERY;
		assert(s->due > now); /* or it would be due for ever */
		return;
	}
	if (!s->answered && s->tries == SUTWIRE_PROBE_TRIES)
		s->state = SUTWIRE_NO_ANSWER;
	if (s->answered || s->tries == SUTWIRE_PROBE_TRIES)
		lan_probe_begin(w, s, now);
	lan_probe_syn(w, s, out);
	/* It may have moved, and says nothing of it. */
	if (w->any && s->tries > 0 && effects_left(out) > 0)
		lan_ask(w, s, &s->cfg.ip, out);
	s->tries++;
	s->due = now + SUTWIRE_PROBE_WAIT;
	assert(s->due > now && s->tries <= SUTWIRE_PROBE_TRIES);
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

const struct ipaddr *lan_source(enum decode_result r, const struct decoded *d)
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
	bool packet = lan_source(r, d) && r != DECODE_ND;
	struct wire_sut *s;

	if (lan_by_mac(w, d->eth_dst)) {
		w->stats.sut_to_sut++;
		return SUTWIRE_NOT_OURS;
	}
	if (lan_is_also(w, d->eth_dst, NULL)) {
		w->stats.wire_also++;
		if (packet && !lan_is_also(w, d->eth_dst, &d->seg.dst))
			lan_stop(w, SUTWIRE_ALSO_ROUTES, d->eth_dst,
				 &d->seg.dst);
		return SUTWIRE_NOT_OURS;
	}
	w->stats.elsewhere++;
	if (!packet)
		return SUTWIRE_NOT_OURS;
	if (is_proved(w, d->eth_src)) {
		lan_stop(w, SUTWIRE_ROUTES, d->eth_dst, &d->seg.dst);
		return SUTWIRE_NOT_OURS;
	}
	if (r != DECODE_TCP || !lan_for_probe(w, &d->seg))
		return SUTWIRE_NOT_OURS;
	s = lan_probe_answered(w, &d->seg);
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
	if (lan_source(r, d) && lan_is_own(w, &d->seg.dst)) {
		w->stats.sut_to_sut++;
		return SUTWIRE_NOT_OURS;
	}
	if (lan_source(r, d) && lan_is_also(w, NULL, &d->seg.dst)) {
		w->stats.wire_also++;
		return SUTWIRE_NOT_OURS;
	}
	switch (r) {
	case DECODE_TCP:
		if (lan_for_probe(w, &d->seg)) {
			lan_on_probe(w, d, now, out);
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
	const struct ipaddr *src = lan_source(r, d);
	bool nd = r == DECODE_ARP || r == DECODE_ND;

	/* Only ARP and ND introduce; a segment's source is anybody's claim. */
	if (!nd && src && lan_has_moved(w, src, d->eth_src)) {
		lan_stop(w, SUTWIRE_MOVED, d->eth_src, src);
		return SUTWIRE_TAKEN;
	}
	if (!lan_for_us(w, d))
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
	if (lan_is_also(w, d->eth_src, NULL)) {
		lan_of_also(w, in, r, d);
		return SUTWIRE_TAKEN;
	}
	if (r == DECODE_ARP)
		lan_on_arp(w, in, d, now, out);
	else if (r == DECODE_ND)
		lan_on_nd(w, in, d, now, out);
	/* After the message was read: it may have been a SUT's introduction. */
	if (!lan_by_mac(w, d->eth_src)) {
		if (w->stats.strangers == strangers &&
		    !lan_moving(w, r, d, now, out))
			lan_of_other(w, in, r, d);
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
