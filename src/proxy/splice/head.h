/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * head - A packet's headers, mapped from one connection to the other
 *
 * Theory of operation
 *
 * The headers are copied out of the packet, mapped in the copy, and written
 * back if that went well: so a packet is mapped whole or not at all, and no
 * byte of a frame is ever addressed by a number that came with it.
 *
 * Each change adds what it does to a ones' complement sum, in four sums: what
 * the TCP checksum covers in the segment, what it covers of the addresses, what
 * IPv4's covers, and what nothing covers. In a packet whose checksum is still
 * to be made by a device the first must not be applied, and only the last
 * changes the sum of all bytes that a device may have made; hence four. A
 * checksum is moved by them (RFC 1624) and never made: one that was wrong stays
 * wrong (S10), and payload is not read.
 *
 * What changes: addresses, ports, hop limit (where sockets of ours were an end
 * it begins anew; else we are a router, and it counts down),
 * seq, ack, edges of SACK blocks, TSval, TSecr, window. The urgent pointer
 * counts from seq and stays. Options of IPv4 and of IPv6's extension headers
 * become padding. TCP options stand where they stood: the walk takes them one
 * by one at any offset; what both sides have not agreed on becomes NOPs of the
 * same length.
 *
 * More than 600 lines: the kernel's programs and ours inline all of it, and its
 * parts share the copy and the four sums.
 */
#ifndef SPLICE_HEAD_H
#define SPLICE_HEAD_H

#include <stdbool.h>
#include <stdint.h>

#include "core/bytes.h"
#include "core/csum_move.h"
#include "core/dir.h"
#include "core/seq.h"
#include "core/seqmap.h"
#include "splice/pair.h"
#include "splice/state.h"

#define SPLICE_HOPS	64u  /* hop limit of what we send (RFC 1700) */
#define SPLICE_IP4_MIN	20u  /* IPv4 header without options */
#define SPLICE_IP4_MAX	60u  /* and with all that fit */
#define SPLICE_IP6_MIN	40u  /* IPv6 header */
#define SPLICE_IP_MAX	104u /* IPv6 header and 64 bytes of extension headers */
#define SPLICE_EXT_MAX	4u   /* extension headers of a packet */
#define SPLICE_TCP_MIN	20u
#define SPLICE_TCP_MAX	60u
#define SPLICE_OPTS_MAX (SPLICE_TCP_MAX - SPLICE_TCP_MIN)
/* Room behind the header that an option with a wrong length may name. */
#define SPLICE_TCP_ROOM 128u

/**
 * enum splice_fault - Why a packet of a pair is not mapped; it is dropped then
 */
enum splice_fault {
	SPLICE_FINE,
	SPLICE_CUT, /* shorter than its headers say, or than they must be */
	SPLICE_BAD_LIST,  /* an option with an illegal length */
	SPLICE_SIGNED,	  /* TCP-MD5 or TCP-AO: no end would take it changed */
	SPLICE_FRAGMENT,  /* a part of a datagram */
	SPLICE_EXTENSION, /* headers of IPv6 that we cannot pass on */
	SPLICE_NO_HOPS, /* of a pair made of a SYN: its hop limit is used up */
	SPLICE_UNANSWERED, /* a SYN that is not relayed: see challenge.h */

	SPLICE_FAULTS /* must be last */
};

/**
 * struct splice_head - The headers of one packet
 * @ip:		IP header, with options or extension headers, @ip_len bytes
 * @tcp:	TCP header, with options, @tcp_len bytes
 * @ip6:	Its version is 6
 * @opts_at, @opts_left: For splice_option(): where in @tcp it is, and what is
 *		left
 * @ext_at:	For splice_extension(): the same in @ip
 * @fault:	Of the walk
 * @sum_tcp, @sum_addr, @sum_ip4, @sum_bare: What the changes add to a sum: of
 *		what the TCP checksum covers in the segment; of the addresses
 *		that it covers; of the IPv4 header; of what no checksum covers
 * @tsval:	TSval as mapped; only with @has_tsval
 */
struct splice_head {
	uint8_t ip[SPLICE_IP_MAX];
	uint8_t tcp[SPLICE_TCP_ROOM];
	uint16_t ip_len;
	uint16_t tcp_len;
	uint16_t opts_at;
	uint16_t opts_left;
	uint16_t ext_at;
	uint64_t sum_tcp;
	uint64_t sum_addr;
	uint64_t sum_ip4;
	uint64_t sum_bare;
	uint32_t tsval;
	bool has_tsval;
	bool ip6;
	uint8_t fault;
};

/* Offsets in a TCP header (RFC 9293 section 3.1). */
enum {
	SPLICE_TH_SEQ = 4,
	SPLICE_TH_ACK = 8,
	SPLICE_TH_FLAGS = 12, /* with the header length in the upper 4 bits */
	SPLICE_TH_WIN = 14,
	SPLICE_TH_CSUM = 16,
	SPLICE_TH_URG = 18,
};

/* Kinds of TCP options (IANA). */
enum {
	SPLICE_OPT_EOL = 0,
	SPLICE_OPT_NOP = 1,
	SPLICE_OPT_MSS = 2,
	SPLICE_OPT_SCALE = 3,
	SPLICE_OPT_SACK = 5,
	SPLICE_OPT_TS = 8,
	SPLICE_OPT_MD5 = 19,
	SPLICE_OPT_AO = 29,
	SPLICE_OPT_MPTCP = 30,
	SPLICE_OPT_FASTOPEN = 34,
	SPLICE_OPT_ACC0 = 172, /* AccECN (RFC 9768) */
	SPLICE_OPT_ACC1 = 174,
};

/* ECE, CWR, and AE of AccECN (RFC 3168 section 6.1, RFC 9768). */
#define SPLICE_TH_ECN 0x01c0u

/* --- one field, and what it does to a sum --- */

static inline void splice_put8(uint8_t *b, uint32_t at, uint8_t v,
			       uint64_t *sum)
{
	uint16_t old = b[at];
	uint16_t now = v;

	b[at] = v;
	*sum = (at & 1) ? csum_swap16(*sum, old, now)
			: csum_swap16(*sum, (uint16_t)(old << 8),
				      (uint16_t)(now << 8));
}

static inline void splice_put16(uint8_t *b, uint32_t at, uint16_t v,
				uint64_t *sum)
{
	*sum = csum_swap16(*sum, get_be16(b + at), v);
	put_be16(b + at, v);
}

/* Four bytes from an odd place on are the same words, but turned by a byte. */
static inline uint32_t splice_words(uint32_t at, uint32_t v)
{
	return (at & 1) ? v << 8 | v >> 24 : v;
}

static inline void splice_put32(uint8_t *b, uint32_t at, uint32_t v,
				uint64_t *sum)
{
	*sum = csum_swap32(*sum, splice_words(at, get_be32(b + at)),
			   splice_words(at, v));
	put_be32(b + at, v);
}

/* --- what stands in the headers --- */

/**
 * splice_ip4_read() - Length of an IPv4 header, and what follows it
 * @b:		SPLICE_IP4_MIN bytes
 * @have:	Bytes of the packet from @b on
 * @h:		@ip_len is set; @ip is not
 * @total:	Result: length of the packet as its header says; a packet beyond
 *		65535 says 0 and is @have long (BIG TCP)
 */
static inline enum splice_fault splice_ip4_read(const uint8_t *b, uint32_t have,
						struct splice_head *h,
						uint32_t *total)
{
	uint32_t hlen = (b[0] & 15u) * 4u;

	*total = get_be16(b + 2);
	if (*total == 0 && have > 0xffff)
		*total = have;
	if (hlen < SPLICE_IP4_MIN || hlen > *total || *total > have)
		return SPLICE_CUT;
	h->ip_len = (uint16_t)hlen;
	h->ip6 = false;
	/* More fragments, or an offset (RFC 791 section 3.1). */
	return (get_be16(b + 6) & 0x3fff) ? SPLICE_FRAGMENT : SPLICE_FINE;
}

/** splice_ip6_read() - The same of an IPv6 header without what extends it */
static inline enum splice_fault splice_ip6_read(const uint8_t *b, uint32_t have,
						struct splice_head *h,
						uint32_t *total)
{
	*total = get_be16(b + 4) + SPLICE_IP6_MIN;
	if (*total == SPLICE_IP6_MIN && have > 0xffff)
		*total = have;
	if (*total > have)
		return SPLICE_CUT;
	h->ip_len = SPLICE_IP6_MIN;
	h->ip6 = true;
	return SPLICE_FINE;
}

/**
 * splice_ip6_ext() - The next extension header
 * @h:		@ip_len bytes are behind us; set on
 * @total:	Length of the packet, at least @ip_len + 8
 * @b:		First 2 bytes of the header
 * @next:	Its kind; set to what follows it (RFC 8200 section 4)
 *
 * Return: SPLICE_FINE, and @next is TCP's number or another header's, or what
 * is wrong. What is neither is not ours and is never handed in
 */
static inline enum splice_fault splice_ip6_ext(struct splice_head *h,
					       uint32_t total, const uint8_t *b,
					       uint8_t *next)
{
	uint32_t len = (b[1] + 1u) * 8u;

	if (*next == 44)
		return SPLICE_FRAGMENT;
	/* Hop-by-hop and destination options. A routing header means that we
	 * are not where the packet is going.
	 */
	if ((*next != 0 && *next != 60) || h->ip_len + len > SPLICE_IP_MAX)
		return SPLICE_EXTENSION;
	if (h->ip_len + len > total)
		return SPLICE_CUT;
	*next = b[0];
	h->ip_len = (uint16_t)(h->ip_len + len);
	return SPLICE_FINE;
}

/**
 * splice_is_ext() - Is this an extension header, behind which TCP may stand?
 */
static inline bool splice_is_ext(uint8_t next)
{
	return next == 0 || next == 43 || next == 44 || next == 60;
}

/**
 * splice_tcp_read() - Length of a TCP header, and its numbers
 * @h:		@tcp holds at least SPLICE_TCP_MIN bytes; @tcp_len is set
 * @left:	Bytes of the packet behind the IP header
 * @s:		Result
 */
static inline enum splice_fault
splice_tcp_read(struct splice_head *h, uint32_t left, struct splice_segment *s)
{
	uint32_t hlen = (uint32_t)(h->tcp[SPLICE_TH_FLAGS] >> 4) * 4u;

	if (hlen < SPLICE_TCP_MIN || hlen > left)
		return SPLICE_CUT;
	h->tcp_len = (uint16_t)hlen;
	s->seq = get_be32(h->tcp + SPLICE_TH_SEQ);
	s->ack = get_be32(h->tcp + SPLICE_TH_ACK);
	s->flags = get_be16(h->tcp + SPLICE_TH_FLAGS) & 0x1ff;
	s->win = get_be16(h->tcp + SPLICE_TH_WIN);
	s->len = left - hlen;
	return SPLICE_FINE;
}

/* --- TCP options --- */

/** struct splice_walk - What splice_option() is called with */
struct splice_walk {
	const struct splice_pair *p;
	struct splice_head *h;
	enum dir d;
	bool ack; /* the ACK bit is set */
	bool syn;
};

/* The kernel's verifier wants to see that it is one of two. */
static inline enum dir splice_walk_dir(const struct splice_walk *w)
{
	return w->d == DIR_C2S ? DIR_C2S : DIR_S2C;
}

static inline void splice_blank(struct splice_head *h, uint32_t at,
				uint32_t len)
{
	for (uint32_t i = 0; i < SPLICE_OPTS_MAX && i < len; i++)
		splice_put8(h->tcp, at + i, SPLICE_OPT_NOP, &h->sum_tcp);
}

static inline void splice_map_ts(const struct splice_walk *w, uint32_t at)
{
	struct splice_head *h = w->h;

	if (!(w->p->flags & SPLICE_PAIR_TS)) {
		splice_blank(h, at, 10);
		return;
	}
	h->tsval = seqmap_tsval(&w->p->map, splice_walk_dir(w),
				get_be32(h->tcp + at + 2));
	h->has_tsval = true;
	splice_put32(h->tcp, at + 2, h->tsval, &h->sum_tcp);
	/* Without ACK it holds nothing (RFC 7323 section 3.2). */
	if (w->ack)
		splice_put32(h->tcp, at + 6,
			     seqmap_tsecr(&w->p->map, splice_walk_dir(w),
					  get_be32(h->tcp + at + 6)),
			     &h->sum_tcp);
}

static inline void splice_map_sack(const struct splice_walk *w, uint32_t at,
				   uint32_t len)
{
	struct splice_head *h = w->h;

	if (!(w->p->flags & SPLICE_PAIR_SACK)) {
		splice_blank(h, at, len);
		return;
	}
	if (!w->ack)
		return;
	for (uint32_t i = 2; i < 34 && i < len; i += 4)
		splice_put32(h->tcp, at + i,
			     seqmap_ack(&w->p->map, splice_walk_dir(w),
					get_be32(h->tcp + at + i)),
			     &h->sum_tcp);
}

/* The MSS of a SYN, no larger than the other side can have it. */
static inline void splice_map_mss(const struct splice_walk *w, uint32_t at)
{
	struct splice_head *h = w->h;
	uint16_t most = w->p->side[dir_reverse(splice_walk_dir(w))].mss;

	if (!w->syn || most == 0 || get_be16(h->tcp + at + 2) <= most)
		return;
	splice_put8(h->tcp, at + 2, (uint8_t)(most >> 8), &h->sum_tcp);
	splice_put8(h->tcp, at + 3, (uint8_t)most, &h->sum_tcp);
}

/* The option at @at of a legal length. */
static inline enum splice_fault splice_map_option(const struct splice_walk *w,
						  uint32_t at, uint32_t len)
{
	switch (w->h->tcp[at]) {
	case SPLICE_OPT_TS:
		if (len != 10)
			return SPLICE_BAD_LIST;
		splice_map_ts(w, at);
		break;
	case SPLICE_OPT_SACK:
		if (len < 10 || (len & 7) != 2)
			return SPLICE_BAD_LIST;
		splice_map_sack(w, at, len);
		break;
	case SPLICE_OPT_MSS:
		if (len == 4)
			splice_map_mss(w, at);
		break;
	case SPLICE_OPT_MD5:
	case SPLICE_OPT_AO:
		return SPLICE_SIGNED;
	case SPLICE_OPT_MPTCP:
	case SPLICE_OPT_FASTOPEN:
	case SPLICE_OPT_ACC0:
	case SPLICE_OPT_ACC1:
		splice_blank(w->h, at, len);
		break;
	default:
		break;
	}
	return SPLICE_FINE;
}

/* Bytes of the option at @at; 0: the list is malformed (RFC 9293, 3.1) */
static inline uint32_t splice_option_length(const struct splice_head *h,
					    uint32_t at)
{
	uint32_t left = h->opts_left;
	uint32_t len = h->tcp[at] == SPLICE_OPT_NOP ? 1 : h->tcp[at + 1];

	if (h->tcp[at] == SPLICE_OPT_NOP)
		return len;
	return left < 2 || len < 2 || len > left || len > SPLICE_OPTS_MAX ? 0
									  : len;
}

/**
 * splice_option() - Map one TCP option
 * @i:		Not looked at
 * @ctx:	struct splice_walk; its head knows where it stands
 *
 * Of the kind that bpf_loop calls; elsewhere a loop of at most SPLICE_OPTS_MAX
 * rounds does.
 *
 * Return: 0 to be called again, 1 at the end; the head's @fault says how it
 * went
 */
static inline long splice_option(uint32_t i, void *ctx)
{
	struct splice_walk *w = ctx;
	struct splice_head *h = w->h;
	uint32_t at = h->opts_at & (SPLICE_TCP_ROOM / 2 - 1);
	uint32_t left = h->opts_left;
	uint32_t len;

	(void)i;
	if (left == 0 || h->tcp[at] == SPLICE_OPT_EOL)
		return 1;
	len = splice_option_length(h, at);
	if (len == 0) {
		h->fault = SPLICE_BAD_LIST;
		return 1;
	}
	h->fault = (uint8_t)splice_map_option(w, at, len);
	if (h->fault != SPLICE_FINE)
		return 1;
	h->opts_at = (uint16_t)(at + len);
	h->opts_left = (uint16_t)(left - len);
	return 0;
}

/* --- the rest of the headers --- */

/* A window of one scale in the other: never more than was offered, but rounded,
 * and at most what 16 bits hold (RFC 7323 section 2.2). A SYN's is not scaled.
 */
static inline uint16_t splice_window(const struct splice_pair *p, enum dir d,
				     uint16_t win)
{
	uint32_t v = (uint32_t)win << (p->side[d].scale & 15);

	v >>= p->side[dir_reverse(d)].told & 15;
	return v > 0xffff ? 0xffff : (uint16_t)v;
}

/* Addresses of an IP header at @ip: from @src to @dst, as a tuple has them. */
static inline void splice_put_addresses(uint8_t *ip, bool ip6,
					const uint8_t *src, const uint8_t *dst,
					uint64_t *sum)
{
	if (ip6) {
		for (uint32_t i = 0; i < 16; i += 4) {
			splice_put32(ip, 8 + i, get_be32(src + i), sum);
			splice_put32(ip, 24 + i, get_be32(dst + i), sum);
		}
		return;
	}
	splice_put32(ip, 12, get_be32(src + 12), sum);
	splice_put32(ip, 16, get_be32(dst + 12), sum);
}

static inline uint8_t splice_hops(const struct splice_pair *p, uint8_t had)
{
	if (!(p->flags & SPLICE_PAIR_SYN))
		return SPLICE_HOPS;
	return had > 0 ? had - 1 : 0;
}

/* Blank the options, set the hop limit, without ECN clear its bits. */
static inline void splice_map_ip4(const struct splice_pair *p,
				  struct splice_head *h)
{
	for (uint32_t i = SPLICE_IP4_MIN; i < SPLICE_IP4_MAX && i < h->ip_len;
	     i++)
		splice_put8(h->ip, i, 1, &h->sum_ip4);
	splice_put8(h->ip, 8, splice_hops(p, h->ip[8]), &h->sum_ip4);
	if (!(p->flags & SPLICE_PAIR_ECN))
		splice_put8(h->ip, 1, h->ip[1] & 0xfc, &h->sum_ip4);
}

/**
 * splice_extension() - Blank one extension header: one PadN of all its length
 * @i:		Not looked at
 * @ctx:	struct splice_walk
 *
 * As splice_option(); a loop of SPLICE_EXT_MAX rounds does. RFC 8200 section
 * 4.2.
 */
static inline long splice_extension(uint32_t i, void *ctx)
{
	struct splice_head *h = ((struct splice_walk *)ctx)->h;
	uint32_t at = h->ext_at & 127;
	uint32_t len;

	(void)i;
	if (at + 8 > h->ip_len || at > SPLICE_IP_MAX - 8)
		return 1;
	len = (h->ip[at + 1] + 1u) * 8u;
	for (uint32_t k = SPLICE_IP6_MIN + 4; k < SPLICE_IP_MAX; k += 4)
		if (k >= at + 4 && k < at + len)
			splice_put32(h->ip, k, 0, &h->sum_bare);
	splice_put8(h->ip, at + 2, 1, &h->sum_bare);
	splice_put8(h->ip, at + 3, (uint8_t)(len - 4), &h->sum_bare);
	h->ext_at = (uint16_t)(at + len);
	return 0;
}

static inline void splice_map_ip6(const struct splice_pair *p,
				  struct splice_head *h)
{
	splice_put8(h->ip, 7, splice_hops(p, h->ip[7]), &h->sum_bare);
	if (!(p->flags & SPLICE_PAIR_ECN))
		splice_put8(h->ip, 1, h->ip[1] & 0xcf, &h->sum_bare);
}

/**
 * splice_map_start() - Map all but TCP options and extension headers
 * @p:		Joined pair
 * @d:		Where the packet comes from
 * @h:		Its headers; the sums are set to 0 first
 * @w:		Result: what splice_option() is to be called with, if the header
 *		is longer than SPLICE_TCP_MIN, and splice_extension(), if that
 *		of IPv6 is longer than SPLICE_IP6_MIN
 */
static inline void splice_map_start(const struct splice_pair *p, enum dir d,
				    struct splice_head *h,
				    struct splice_walk *w)
{
	const struct splice_side *o = &p->side[dir_reverse(d)];
	uint16_t flags = get_be16(h->tcp + SPLICE_TH_FLAGS);

	h->sum_tcp = h->sum_addr = h->sum_ip4 = h->sum_bare = 0;
	h->has_tsval = false;
	h->fault = SPLICE_FINE;
	h->opts_at = SPLICE_TCP_MIN;
	h->opts_left = (uint16_t)(h->tcp_len - SPLICE_TCP_MIN);
	h->ext_at = SPLICE_IP6_MIN;
	w->p = p;
	w->h = h;
	w->d = d;
	w->ack = (flags & SPLICE_ACK) != 0;
	w->syn = (flags & SPLICE_SYN) != 0;
	splice_put16(h->tcp, 0, o->tuple.dport, &h->sum_tcp);
	splice_put16(h->tcp, 2, o->tuple.sport, &h->sum_tcp);
	splice_put32(h->tcp, SPLICE_TH_SEQ,
		     seqmap_seq(&p->map, d, get_be32(h->tcp + SPLICE_TH_SEQ)),
		     &h->sum_tcp);
	/* Without the bit the field holds nothing (RFC 9293 section 3.1). */
	if (w->ack)
		splice_put32(h->tcp, SPLICE_TH_ACK,
			     seqmap_ack(&p->map, d,
					get_be32(h->tcp + SPLICE_TH_ACK)),
			     &h->sum_tcp);
	if (!(p->flags & SPLICE_PAIR_ECN))
		splice_put16(h->tcp, SPLICE_TH_FLAGS,
			     (uint16_t)(flags & ~SPLICE_TH_ECN), &h->sum_tcp);
	if (!w->syn)
		splice_put16(
			h->tcp, SPLICE_TH_WIN,
			splice_window(p, d, get_be16(h->tcp + SPLICE_TH_WIN)),
			&h->sum_tcp);
	/* What comes from a peer goes to us; what goes there is the other way
	 * round.
	 */
	splice_put_addresses(h->ip, h->ip6, o->tuple.dst, o->tuple.src,
			     &h->sum_addr);
	if (h->ip6)
		splice_map_ip6(p, h);
	else
		splice_map_ip4(p, h);
	if (h->ip[h->ip6 ? 7 : 8] == 0) {
		h->fault = SPLICE_NO_HOPS;
		h->opts_left = 0;
	}
}

/** splice_map() - Map the headers of a packet, where there is no bpf_loop */
static inline enum splice_fault splice_map(const struct splice_pair *p,
					   enum dir d, struct splice_head *h)
{
	struct splice_walk w;

	splice_map_start(p, d, h, &w);
	for (uint32_t i = 0; h->ip6 && i < SPLICE_EXT_MAX; i++)
		if (splice_extension(i, &w) != 0)
			break;
	for (uint32_t i = 0; i < SPLICE_OPTS_MAX; i++)
		if (splice_option(i, &w) != 0)
			break;
	return (enum splice_fault)h->fault;
}

/**
 * splice_seal() - Move the checksums in mapped headers whose sums are complete
 */
static inline void splice_seal(struct splice_head *h)
{
	uint8_t *at = h->tcp + SPLICE_TH_CSUM;

	put_be16(at, csum_move(get_be16(at), h->sum_tcp + h->sum_addr));
	if (!h->ip6)
		put_be16(h->ip + 10, csum_move(get_be16(h->ip + 10),
					       h->sum_ip4 + h->sum_addr));
}

/**
 * splice_relayed() - Note the newest TSval that goes to the peer opposite @d
 */
static inline void splice_relayed(struct splice_pair *p, enum dir d,
				  const struct splice_head *h)
{
	struct splice_side *o = &p->side[dir_reverse(d)];

	if (h->has_tsval && seq_lt(o->tsval, h->tsval))
		o->tsval = h->tsval;
}

#endif /* SPLICE_HEAD_H */
