/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * challenge - A SYN of a pair that is live becomes the answer to it
 *
 * An end that is sent a SYN in the middle of a connection says where it stands:
 * <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK> (RFC 5961 section 4). We say it for the
 * other end, by what we have seen of it, in the packet that the SYN came in:
 * its checksums are moved as those of a relayed packet are, and so it does not
 * matter who will make them. What were the SYN's options are NOPs. A peer that
 * has timestamps on the connection takes nothing without them (RFC 7323 section
 * 3.2), and need not: the answer is for one that has no such connection.
 */
#ifndef SPLICE_CHALLENGE_H
#define SPLICE_CHALLENGE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/bytes.h"
#include "core/dir.h"
#include "splice/head.h"
#include "splice/pair.h"
#include "splice/state.h"

/* The window that its peer was offered last, as it stands in a header. */
static inline uint16_t splice_offered(const struct splice_side *i)
{
	uint32_t v = (i->hi - i->lo) >> (i->told & 15);

	return v > 0xffff ? 0xffff : (uint16_t)v;
}

/**
 * splice_challenge() - Answer a SYN
 * @p:		Joined pair
 * @d:		Where the SYN comes from
 * @s:		Its numbers
 * @h:		Its headers; they become the answer's, and the sums say what
 *		that changes
 *
 * Return: SPLICE_FINE, or SPLICE_UNANSWERED and @h is unchanged: the SYN has
 * data, or options of IP, which nobody sends who has lost a connection
 */
static inline enum splice_fault splice_challenge(const struct splice_pair *p,
						 enum dir d,
						 const struct splice_segment *s,
						 struct splice_head *h)
{
	const struct splice_side *i = &p->side[d];
	uint16_t length = get_be16(h->tcp + SPLICE_TH_FLAGS) & 0xf000;

	if (s->len > 0 ||
	    h->ip_len != (h->ip6 ? SPLICE_IP6_MIN : SPLICE_IP4_MIN))
		return SPLICE_UNANSWERED;
	h->sum_tcp = h->sum_addr = h->sum_ip4 = h->sum_bare = 0;
	h->has_tsval = false;
	h->fault = SPLICE_FINE;
	splice_put16(h->tcp, 0, i->tuple.dport, &h->sum_tcp);
	splice_put16(h->tcp, 2, i->tuple.sport, &h->sum_tcp);
	splice_put32(h->tcp, SPLICE_TH_SEQ, splice_all(p, d), &h->sum_tcp);
	splice_put32(h->tcp, SPLICE_TH_ACK, i->lo, &h->sum_tcp);
	splice_put16(h->tcp, SPLICE_TH_FLAGS, length | SPLICE_ACK, &h->sum_tcp);
	splice_put16(h->tcp, SPLICE_TH_WIN, splice_offered(i), &h->sum_tcp);
	splice_put16(h->tcp, SPLICE_TH_URG, 0, &h->sum_tcp);
	splice_blank(h, SPLICE_TCP_MIN, h->tcp_len - SPLICE_TCP_MIN);
	splice_put_addresses(h->ip, h->ip6, i->tuple.dst, i->tuple.src,
			     &h->sum_addr);
	if (h->ip6)
		splice_put8(h->ip, 7, SPLICE_HOPS, &h->sum_bare);
	else
		splice_put8(h->ip, 8, SPLICE_HOPS, &h->sum_ip4);
	return SPLICE_FINE;
}

#endif /* SPLICE_CHALLENGE_H */
