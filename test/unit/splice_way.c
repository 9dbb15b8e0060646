/* SPDX-License-Identifier: BSD-2-Clause */
#include "splice_way.h"

#include <string.h>

#include "splice/challenge.h"
#include "splice/syn.h"

#define TCP_NEXT 6

static enum splice_fault read_ip(const uint8_t *p, uint32_t len,
				 struct splice_head *h, uint32_t *total)
{
	enum splice_fault f;
	uint8_t next;

	if (len < SPLICE_IP4_MIN)
		return SPLICE_CUT;
	if (p[0] >> 4 == 4) {
		f = splice_ip4_read(p, len, h, total);
		if (f == SPLICE_FINE)
			memcpy(h->ip, p, h->ip_len);
		return f;
	}
	if (len < SPLICE_IP6_MIN)
		return SPLICE_CUT;
	f = splice_ip6_read(p, len, h, total);
	next = p[6];
	for (unsigned i = 0; f == SPLICE_FINE && splice_is_ext(next); i++) {
		if (i == SPLICE_EXT_MAX)
			return SPLICE_EXTENSION;
		if (*total - h->ip_len < 8u)
			return SPLICE_CUT;
		f = splice_ip6_ext(h, *total, p + h->ip_len, &next);
	}
	if (f != SPLICE_FINE)
		return f;
	if (next != TCP_NEXT)
		return SPLICE_EXTENSION;
	memcpy(h->ip, p, h->ip_len);
	return SPLICE_FINE;
}

enum splice_fault way_read(const uint8_t *p, uint32_t len,
			   struct splice_head *h, struct splice_segment *s)
{
	uint32_t total = 0;
	enum splice_fault f = read_ip(p, len, h, &total);

	if (f != SPLICE_FINE)
		return f;
	if (total - h->ip_len < SPLICE_TCP_MIN)
		return SPLICE_CUT;
	memcpy(h->tcp, p + h->ip_len, SPLICE_TCP_MIN);
	f = splice_tcp_read(h, total - h->ip_len, s);
	if (f != SPLICE_FINE)
		return f;
	memcpy(h->tcp, p + h->ip_len, h->tcp_len);
	return SPLICE_FINE;
}

struct way_result way_packet(struct splice_pair *pair, enum dir d, uint8_t *p,
			     uint32_t len, uint64_t now)
{
	struct way_result r = { .fate = WAY_DROPPED };
	enum splice_act act;
	struct splice_head h;

	/* What is behind the header must not matter. */
	memset(&h, 0xa5, sizeof(h));
	r.fault = way_read(p, len, &h, &r.seg);
	if (r.fault != SPLICE_FINE) {
		if (!splice_drops(pair, r.fault == SPLICE_FRAGMENT))
			r.fate = WAY_STACK;
		return r;
	}
	if ((r.seg.flags & SPLICE_SYN) != 0 &&
	    (pair->flags & SPLICE_PAIR_OPENING) != 0)
		splice_read_offer(&h, &r.seg.offer);
	act = splice_step(pair, d, &r.seg, now, &r.events);
	if (act == SPLICE_TO_STACK) {
		r.fate = WAY_STACK;
		return r;
	}
	if (act == SPLICE_TO_NOBODY) {
		r.fate = WAY_HELD;
		return r;
	}
	r.fault = act == SPLICE_TO_PEER ? splice_map(pair, d, &h)
					: splice_challenge(pair, d, &r.seg, &h);
	if (r.fault != SPLICE_FINE)
		return r;
	splice_seal(&h);
	if (act == SPLICE_TO_PEER)
		splice_relayed(pair, d, &h);
	memcpy(p, h.ip, h.ip_len);
	memcpy(p + h.ip_len, h.tcp, h.tcp_len);
	r.fate = act == SPLICE_TO_PEER ? WAY_PEER : WAY_SENDER;
	return r;
}
