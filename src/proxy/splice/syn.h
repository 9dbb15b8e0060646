/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * syn - How a client's SYN becomes a pair
 *
 * Theory of operation
 *
 * Where nothing need be read or said before there is a server, there need be no
 * socket of ours either: the SYN itself is passed on, and the two ends agree on
 * everything between themselves. We are then what a router is that translates
 * addresses: seq, ack, windows, SACK and ECN go through as they are, and the
 * pair's state is what it has seen (state.h).
 *
 * But for the TSval towards the server. A port of ours is used by one client
 * after the other, and to the server, whose TIME-WAIT remembers the last one,
 * they are one host with one clock (RFC 7323 appendix B.2): so all of them get
 * one, which is ours, and runs at 1 kHz. A client whose own is faster may be
 * ahead of it when it ends; then the server may not take the port's next SYN
 * until its TIME-WAIT is over or the clock has come that far.
 *
 * The MSS is clamped in both SYNs to what both ways take, since nobody cuts a
 * segment (RFC 1191 is needed for the way beyond).
 */
#ifndef SPLICE_SYN_H
#define SPLICE_SYN_H

#include <stdbool.h>
#include <stdint.h>

#include "core/bytes.h"
#include "core/dir.h"
#include "splice/begin.h"
#include "splice/head.h"
#include "splice/pair.h"
#include "splice/state.h"

/** splice_is_syn() - Is it the first segment of a connection? */
static inline bool splice_is_syn(const struct splice_segment *s)
{
	return (s->flags & (SPLICE_SYN | SPLICE_ACK | SPLICE_RST |
			    SPLICE_FIN)) == SPLICE_SYN;
}

/** struct splice_reading - What splice_offer_option() is called with */
struct splice_reading {
	struct splice_head *h;
	struct splice_offer *offer;
};

/**
 * splice_offer_start() - Read the options of a SYN
 * @h:		Its headers; @tcp_len is set
 * @r:		Result: for splice_offer_option()
 */
static inline void splice_offer_start(struct splice_head *h,
				      struct splice_offer *offer,
				      struct splice_reading *r)
{
	static const struct splice_offer none;

	*offer = none;
	h->opts_at = SPLICE_TCP_MIN;
	h->opts_left = (uint16_t)(h->tcp_len - SPLICE_TCP_MIN);
	r->h = h;
	r->offer = offer;
}

/**
 * splice_offer_option() - Read one option
 * @i:		Not looked at
 * @ctx:	struct splice_reading
 *
 * As splice_option(). What is malformed ends the list; whoever maps it then
 * finds it wrong.
 */
static inline long splice_offer_option(uint32_t i, void *ctx)
{
	struct splice_reading *r = ctx;
	struct splice_head *h = r->h;
	uint32_t at = h->opts_at & (SPLICE_TCP_ROOM / 2 - 1);
	uint32_t left = h->opts_left;
	uint32_t len;

	(void)i;
	if (left == 0 || h->tcp[at] == SPLICE_OPT_EOL)
		return 1;
	len = splice_option_length(h, at);
	if (len == 0)
		return 1;
	if (h->tcp[at] == SPLICE_OPT_SCALE && len == 3) {
		/* RFC 7323 section 2.3 */
		r->offer->scale = h->tcp[at + 2] > 14 ? 14 : h->tcp[at + 2];
		r->offer->has_scale = true;
	} else if (h->tcp[at] == SPLICE_OPT_TS && len == 10) {
		r->offer->tsval = get_be32(h->tcp + at + 2);
		r->offer->has_ts = true;
	}
	h->opts_at = (uint16_t)(at + len);
	h->opts_left = (uint16_t)(left - len);
	return 0;
}

/** splice_read_offer() - Read all of them, where there is no bpf_loop */
static inline void splice_read_offer(struct splice_head *h,
				     struct splice_offer *offer)
{
	struct splice_reading r;

	splice_offer_start(h, offer, &r);
	for (uint32_t i = 0; i < SPLICE_OPTS_MAX; i++)
		if (splice_offer_option(i, &r) != 0)
			break;
}

/**
 * splice_may_begin() - Is a SYN with these addresses to be passed on?
 *
 * Not one that is from nobody, or from everybody, or from this host: nothing
 * has looked at its addresses yet (RFC 1122 section 3.2.1.3).
 */
static inline bool splice_may_begin(const struct splice_tuple *t, bool ip6)
{
	const uint8_t *a = t->src;
	uint8_t any = 0, loop;

	for (uint32_t i = 0; i < 15; i++)
		any |= a[i];
	loop = a[15];
	if (ip6)
		return a[0] != 0xff && (any != 0 || loop > 1);
	return a[12] != 0 && a[12] != 127 && a[12] < 224;
}

/**
 * splice_begin_syn() - Make a pair of a SYN
 * @p:		Result; its whole content is new
 * @client, @server: Of the segments that will come
 * @ip6:	Both are IPv6; else both are IPv4
 * @generation:	As splice_intend()
 * @s:		The SYN, with what it offers
 * @clock:	What a TSval of ours would be now, ms
 * @mss:	Most that a SYN may announce, either way, 0: anything
 * @now:	Time, ns
 *
 * The SYN itself is then a segment like others, for splice_step().
 */
static inline void splice_begin_syn(struct splice_pair *p,
				    const struct splice_tuple *client,
				    const struct splice_tuple *server, bool ip6,
				    uint32_t generation,
				    const struct splice_segment *s,
				    uint32_t clock, uint16_t mss, uint64_t now)
{
	splice_intend(p, client, server, ip6, generation, now);
	p->flags |= SPLICE_PAIR_JOINED | SPLICE_PAIR_SYN | SPLICE_PAIR_OPENING |
		    SPLICE_PAIR_SACK | SPLICE_PAIR_ECN |
		    (s->offer.has_ts ? SPLICE_PAIR_TS : 0);
	if (s->offer.has_ts) {
		p->map.ts_off[DIR_C2S] = clock - s->offer.tsval;
		p->side[DIR_S2C].tsval = clock;
	}
	p->side[DIR_C2S].state = p->side[DIR_S2C].state = SPLICE_SPLICED;
	p->since = now;
	p->side[DIR_C2S].mss = p->side[DIR_S2C].mss = mss;
}

#endif /* SPLICE_SYN_H */
