/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * quote - An error message of ICMP, mapped back to whom it concerns
 *
 * Theory of operation
 *
 * A router on the way to one end cannot pass on what we have relayed there, and
 * says so to us: it quotes the packet that we sent. The one who can do
 * something about it is the end that sent it first. So the message goes to him,
 * from us, and the quoted headers become those that he has sent: the mapping of
 * head.h backwards. An end believes such a message only if the quoted seq is
 * under way (RFC 5927 section 4.1); ours is therefore no judge, and no state
 * moves.
 *
 * Only the message's head, the quoted IP header without options and the
 * beginning of TCP's are looked at: that is all that RFC 792 promises, and more
 * than an end needs.
 */
#ifndef SPLICE_QUOTE_H
#define SPLICE_QUOTE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/bytes.h"
#include "core/csum_move.h"
#include "core/dir.h"
#include "core/seqmap.h"
#include "splice/head.h"
#include "splice/pair.h"
#include "splice/state.h"

#define SPLICE_ICMP_HEAD 8u /* bytes in front of what is quoted */
/* What is looked at behind the IP header, with IPv6, and at least of TCP's
 * header.
 */
#define SPLICE_QUOTE_MAX (SPLICE_ICMP_HEAD + SPLICE_IP6_MIN + SPLICE_TCP_MIN)
#define SPLICE_QUOTE_TCP 8u

/**
 * struct splice_quote - The headers of one message
 * @ip:		IP header without options, SPLICE_IP4_MIN or SPLICE_IP6_MIN
 *		bytes
 * @b, @len:	What follows, @len bytes of it: the message from its type on
 * @ip6:	The family
 * @sum_bare:	What the changes add to the sum of the packet's bytes, checksums
 *		included; see struct splice_head
 */
struct splice_quote {
	uint8_t ip[SPLICE_IP6_MIN];
	uint8_t b[SPLICE_QUOTE_MAX];
	uint16_t len;
	bool ip6;
	uint64_t sum_bare;
};

/* Where the quoted TCP header begins in @b. */
static inline uint32_t splice_quoted_tcp(const struct splice_quote *q)
{
	return SPLICE_ICMP_HEAD + (q->ip6 ? SPLICE_IP6_MIN : SPLICE_IP4_MIN);
}

/* Is this message about a packet that did not arrive? (RFC 792, RFC 4443) */
static inline bool splice_is_error(const struct splice_quote *q)
{
	if (q->ip6)
		return q->b[0] >= 1 && q->b[0] <= 4;
	return q->b[0] == 3 || q->b[0] == 11 || q->b[0] == 12;
}

/**
 * splice_quote_tuple() - Whose packet does it quote?
 * @q:		@ip, @b, @len and @ip6 are set; @len is at least what the TCP
 *		header begins at and SPLICE_QUOTE_TCP
 * @t:		Result: what the peer sends to whom we sent the packet
 *
 * Return: false: it is no error, or quotes no TCP packet of ours
 */
static inline bool splice_quote_tuple(const struct splice_quote *q,
				      struct splice_tuple *t)
{
	const uint8_t *ip = q->b + SPLICE_ICMP_HEAD;
	const uint8_t *tcp = q->b + splice_quoted_tcp(q);
	static const struct splice_tuple none;

	*t = none;
	if (!splice_is_error(q))
		return false;
	if (q->ip6) {
		if (ip[0] >> 4 != 6 || ip[6] != 6)
			return false;
		for (uint32_t i = 0; i < 16; i++) {
			t->dst[i] = ip[8 + i];
			t->src[i] = ip[24 + i];
		}
	} else {
		/* Without options, the first part of a datagram. */
		if (ip[0] != 0x45 || ip[9] != 6 || (get_be16(ip + 6) & 0x1fff))
			return false;
		t->src[10] = t->src[11] = t->dst[10] = t->dst[11] = 0xff;
		for (uint32_t i = 0; i < 4; i++) {
			t->dst[12 + i] = ip[12 + i];
			t->src[12 + i] = ip[16 + i];
		}
	}
	t->dport = get_be16(tcp);
	t->sport = get_be16(tcp + 2);
	return true;
}

/* The quoted headers become those that the peer of @o has sent. Return: what
 * that adds to the sum of the message.
 */
static inline uint64_t splice_map_quoted(const struct splice_pair *p,
					 enum dir d, struct splice_quote *q)
{
	const struct splice_side *o = &p->side[dir_reverse(d)];
	uint32_t at = splice_quoted_tcp(q);
	uint8_t *ip = q->b + SPLICE_ICMP_HEAD;
	uint8_t *tcp = q->b + at;
	uint64_t addr = 0, fields = 0, sums = 0;

	splice_put_addresses(ip, q->ip6, o->tuple.src, o->tuple.dst, &addr);
	if (!q->ip6)
		splice_put16(ip, 10, csum_move(get_be16(ip + 10), addr), &sums);
	splice_put16(tcp, 0, o->tuple.sport, &fields);
	splice_put16(tcp, 2, o->tuple.dport, &fields);
	/* What head.h has added to a seq goes back as an ack does, and the
	 * other way.
	 */
	splice_put32(tcp, SPLICE_TH_SEQ,
		     seqmap_ack(&p->map, d, get_be32(tcp + SPLICE_TH_SEQ)),
		     &fields);
	if (q->len < at + SPLICE_TCP_MIN)
		return addr + fields + sums;
	if (get_be16(tcp + SPLICE_TH_FLAGS) & SPLICE_ACK)
		splice_put32(
			tcp, SPLICE_TH_ACK,
			seqmap_seq(&p->map, d, get_be32(tcp + SPLICE_TH_ACK)),
			&fields);
	splice_put16(tcp, SPLICE_TH_CSUM,
		     csum_move(get_be16(tcp + SPLICE_TH_CSUM), addr + fields),
		     &sums);
	return addr + fields + sums;
}

/**
 * splice_map_quote() - Map a message
 * @p:		Joined pair
 * @d:		Direction of what comes from the peer to whom the quoted packet
 *		went
 * @q:		Message; with all its checksums moved
 */
static inline void splice_map_quote(const struct splice_pair *p, enum dir d,
				    struct splice_quote *q)
{
	const struct splice_side *o = &p->side[dir_reverse(d)];
	uint64_t message = splice_map_quoted(p, d, q);
	uint64_t addr = 0, head = 0;

	q->sum_bare = 0;
	splice_put_addresses(q->ip, q->ip6, o->tuple.dst, o->tuple.src, &addr);
	if (q->ip6) {
		splice_put8(q->ip, 7, SPLICE_HOPS, &q->sum_bare);
		message += addr; /* ICMPv6 has a pseudo header */
	} else {
		splice_put8(q->ip, 8, SPLICE_HOPS, &head);
		put_be16(q->ip + 10,
			 csum_move(get_be16(q->ip + 10), addr + head));
	}
	put_be16(q->b + 2, csum_move(get_be16(q->b + 2), message));
}

/* Of a message that we make: the whole packet that it is, with IPv6. */
#define SPLICE_TOO_LONG_MAX                                                    \
	(2 * SPLICE_IP6_MIN + SPLICE_ICMP_HEAD + SPLICE_TCP_MIN)

/* Ones' complement sum of @n bytes at @b, an even number. */
static inline uint64_t splice_sum(uint64_t sum, const uint8_t *b, uint32_t n)
{
	for (uint32_t i = 0; i < n; i += 2)
		sum += get_be16(b + i);
	return sum;
}

/**
 * splice_too_long() - Make the message that a packet does not fit
 * @t:		Tuple that the packet has
 * @h:		Its headers as they came, without options and extensions of IP
 * @mtu:	What would fit, bytes from the IP header on
 * @out:	SPLICE_TOO_LONG_MAX bytes: a packet to the packet's sender, from
 *		whom he has sent it to (RFC 1191 section 4, RFC 4443 section
 *		3.2)
 *
 * It quotes the IP header and SPLICE_TCP_MIN bytes.
 *
 * Return: bytes written, an even number
 */
static inline uint32_t splice_too_long(const struct splice_tuple *t,
				       const struct splice_head *h,
				       uint32_t mtu, uint8_t *out)
{
	uint32_t fixed = h->ip6 ? SPLICE_IP6_MIN : SPLICE_IP4_MIN;
	uint32_t message = SPLICE_ICMP_HEAD + fixed + SPLICE_TCP_MIN;
	uint8_t *icmp = out + fixed;
	uint64_t sum = 0, none = 0;

	for (uint32_t i = 0; i < SPLICE_TOO_LONG_MAX; i++)
		out[i] = 0;
	for (uint32_t i = 0; i < SPLICE_IP6_MIN; i++)
		if (i < fixed)
			icmp[SPLICE_ICMP_HEAD + i] = h->ip[i];
	for (uint32_t i = 0; i < SPLICE_TCP_MIN; i++)
		icmp[SPLICE_ICMP_HEAD + fixed + i] = h->tcp[i];
	splice_put_addresses(out, h->ip6, t->dst, t->src, &none);
	if (h->ip6) {
		out[0] = 0x60;
		put_be16(out + 4, (uint16_t)message);
		out[6] = 58;
		out[7] = SPLICE_HOPS;
		icmp[0] = 2;
		put_be32(icmp + 4, mtu);
		sum = splice_sum(message + 58, out + 8, 32);
	} else {
		out[0] = 0x45;
		put_be16(out + 2, (uint16_t)(fixed + message));
		out[8] = SPLICE_HOPS;
		out[9] = 1;
		put_be16(out + 10, (uint16_t)~csum_fold(
					   splice_sum(0, out, SPLICE_IP4_MIN)));
		icmp[0] = 3;
		icmp[1] = 4;
		put_be16(icmp + 6, mtu > 0xffff ? 0xffff : (uint16_t)mtu);
	}
	sum = splice_sum(sum, icmp, message);
	put_be16(icmp + 2, (uint16_t)~csum_fold(sum));
	return fixed + message;
}

#endif /* SPLICE_QUOTE_H */
