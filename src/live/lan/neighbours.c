/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * neighbours.c - Hardware addresses: whose they are, and the SUT's questions
 * for them
 */
#include "lan/sutwire_internal.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#define ND_HOPS	    255 /* RFC 4861 section 7.1.1: nothing from afar */
#define ND_SOLICIT  135
#define ARP_REQUEST 1
#define ARP_REPLY   2

bool lan_has_moved(const struct sutwire *w, const struct ipaddr *ip,
		   const uint8_t *mac)
{
	for (uint32_t i = 0; i < w->suts; i++)
		if (w->sut[i].known && ipaddr_eq(&w->sut[i].cfg.ip, ip) &&
		    memcmp(w->sut[i].cfg.mac, mac, ETH_LEN) != 0)
			return true;
	return false;
}

/* With --sut-mac any a SUT has moved to @mac, on purpose: from now on this one
 * is pinned, and proved anew. Return: it may
 */
static bool move(struct sutwire *w, const struct ipaddr *ip, const uint8_t *mac,
		 uint64_t now)
{
	if (!w->any || (mac[0] & 1) || memcmp(mac, w->mac, ETH_LEN) == 0 ||
	    lan_is_also(w, mac, NULL))
		return false;
	w->stats.moves++;
	for (uint32_t i = 0; i < w->suts; i++) {
		struct wire_sut *s = &w->sut[i];

		if (!s->known || !ipaddr_eq(&s->cfg.ip, ip))
			continue;
		memcpy(s->cfg.mac, mac, ETH_LEN);
		s->state = SUTWIRE_PROBING;
		lan_probe_begin(w, s, now);
	}
	return true;
}

bool lan_moving(struct sutwire *w, enum decode_result r,
		const struct decoded *d, uint64_t now, struct effects *out)
{
	const struct ipaddr *src = lan_source(r, d);

	if (!w->any || !src || !lan_has_moved(w, src, d->eth_src))
		return false;
	w->stats.moving++;
	for (uint32_t i = 0; i < w->suts && now >= w->ask_at; i++)
		if (ipaddr_eq(&w->sut[i].cfg.ip, src) &&
		    lan_ask(w, &w->sut[i], src, out))
			w->ask_at = now + SUTWIRE_ASK_EVERY;
	return true;
}

/* A SUT's address was told with a hardware address: pin it, or see it moved. */
static void learn(struct sutwire *w, const struct ipaddr *ip,
		  const uint8_t *mac, uint64_t now)
{
	bool found = false;

	if (lan_has_moved(w, ip, mac)) {
		if (!move(w, ip, mac, now))
			lan_stop(w, SUTWIRE_MOVED, mac, ip);
		return;
	}
	for (uint32_t i = 0; i < w->suts; i++) {
		struct wire_sut *s = &w->sut[i];

		if (s->known || !ipaddr_eq(&s->cfg.ip, ip))
			continue;
		if ((mac[0] & 1) || memcmp(mac, w->mac, ETH_LEN) == 0) {
			lan_stranger(w, WIRE_CLAIM, mac, ip);
			return;
		}
		memcpy(s->cfg.mac, mac, ETH_LEN);
		s->known = true;
		s->state = SUTWIRE_PROBING;
		lan_probe_begin(w, s, now);
		found = true;
	}
	if (found && lan_all_known(w))
		lan_judge_unknown(w);
}

static bool is_zero(const struct ipaddr *ip)
{
	static const struct ipaddr zero;
	static const struct ipaddr zero4 = { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
					       0xff, 0xff } };

	return ipaddr_eq(ip, &zero) || ipaddr_eq(ip, &zero4);
}

/* Remember that a SUT uses @ip as its own. */
static void add_own(struct sutwire *w, const struct ipaddr *ip)
{
	if (lan_is_own(w, ip))
		return;
	if (w->owns == OWN_MAX)
		w->stats.own_full++;
	else
		w->own[w->owns++] = *ip;
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

	if (!lan_for_us(w, d)) {
		if (!w->any && lan_has_moved(w, ip, d->eth_src))
			lan_stop(w, SUTWIRE_MOVED, d->eth_src, ip);
		return NULL;
	}
	learn(w, ip, d->eth_src, now);
	s = lan_by_mac(w, d->eth_src);
	if (s)
		add_own(w, ip);
	return s;
}

static void set_raw(struct effect *e, const uint8_t *frame, size_t len)
{
	assert(len <= EFFECT_RAW_MAX);
	memcpy(e->raw, frame, len);
	e->rawlen = (uint16_t)len;
}

bool lan_ask(struct sutwire *w, const struct wire_sut *s,
	     const struct ipaddr *target, struct effects *out)
{
	static const uint8_t all[ETH_LEN] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff
	};
	bool four = ipaddr_is4(target);
	struct effect *e =
		lan_effect(w, out, EFFECT_RAW, four ? CAUSE_ARP : CAUSE_ND, s);
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
	if (!lan_ask(w, s, target, out))
		return; /* the SUT's next question will do */
	w->asked[w->asked_next] = *target;
	w->asked_next = (w->asked_next + 1) % ASKED_MAX;
	if (w->asked_n < ASKED_MAX)
		w->asked_n++;
	w->stats.asked_others++;
}

static void answer_arp(struct sutwire *w, const struct wire_sut *s,
		       const struct arp_packet *a, struct effects *out)
{
	struct effect *e = lan_effect(w, out, EFFECT_RAW, CAUSE_ARP, s);
	uint8_t f[BUILD_RAW_MAX];

	if (!e)
		return;
	set_raw(e, f,
		build_arp(f, ARP_REPLY, a->sha, w->mac, &a->tpa, a->sha,
			  &a->spa));
	w->stats.answered++;
}

void lan_on_arp(struct sutwire *w, const struct frame_info *in,
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
		lan_stop(w, SUTWIRE_FORGED, a.sha, &a.spa);
		return;
	}
	if (is_zero(&a.spa)) {
		w->stats.dad++;
		return;
	}
	s = introduced(w, d, &a.spa, now);
	if (!s)
		return;
	if (a.op == ARP_REQUEST && !lan_is_own(w, &a.tpa) &&
	    !lan_is_also(w, NULL, &a.tpa) && w->stop.reason == SUTWIRE_GOING) {
		answer_arp(w, s, &a, out);
		ask_others(w, s, &a.tpa, out);
	}
}

static void answer_ns(struct sutwire *w, const struct wire_sut *s,
		      const struct ipaddr *target, const struct ipaddr *dst,
		      struct effects *out)
{
	struct effect *e = lan_effect(w, out, EFFECT_RAW, CAUSE_ND, s);
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

void lan_on_nd(struct sutwire *w, const struct frame_info *in,
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
		lan_stop(w, SUTWIRE_FORGED, n.lladdr,
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
	if (solicit && !lan_is_own(w, &n.target) &&
	    !lan_is_also(w, NULL, &n.target) &&
	    w->stop.reason == SUTWIRE_GOING) {
		answer_ns(w, s, &n.target, &d->seg.src, out);
		ask_others(w, s, &n.target, out);
	}
}
