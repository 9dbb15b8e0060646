/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ip.c - IPv4 and IPv6 of a frame, extension headers and fragments
 *
 * Theory of operation
 *
 * The span that comes in may be longer than the datagram (Ethernet pads to 60
 * bytes); the length in the header cuts it. A length that the frame cannot hold
 * is refused. BIG TCP is the exception: Linux hands frames of more than 64 KB
 * to a capture with a length of 0, which is then the frame's; IPv6 may instead
 * carry the true one in a jumbo option (RFC 2675), as a header that never was
 * on any wire. Other hosts leave a length of 0 in any segment that their device
 * is to cut; that is believed only where the caller says so (len_open), of a
 * TCP segment that is longer than what a link pads. Of a copy that may have
 * been cut, a length beyond the frame is believed, and what is missing counts
 * as not captured.
 *
 * A fragment goes to the reassembly only if all of it was captured. When the
 * datagram is whole, the span is replaced by the reassembly's buffer and
 * decoding goes on as if nothing had been. From there on a second fragment
 * header is refused: one buffer is all there is.
 */
#include "wire/decode_internal.h"

#include "core/bytes.h"
#include "core/csum.h"

#define IP4_HLEN    20
#define IP6_HLEN    40
#define IP_LEN_MAX  65535u
#define IP4_MF	    0x2000
#define IP4_OFFSET  0x1fff /* in units of 8 bytes */
#define IP4_OPT_EOL 0
#define IP4_OPT_NOP 1
#define PADDED_MAX  46 /* bytes behind Ethernet's header that may be padding */
#define EXT_MAX	    8  /* extension headers that are walked */
#define OPT_JUMBO   0xc2
#define JUMBO_OPLEN 4
#define UDP_HLEN    8

/* What the first fragment of a datagram tells of it: its ports. */
static void first_of_udp(struct segment *seg, const struct span *s)
{
	if (s->cap < UDP_HLEN)
		return;
	seg->proto = PROTO_UDP;
	seg->sport = get_be16(s->p);
	seg->dport = get_be16(s->p + 2);
	seg->data = s->p + UDP_HLEN;
	seg->cap = s->cap - UDP_HLEN;
	seg->len = s->wire - UDP_HLEN;
}

/**
 * reassemble() - Give a fragment to the reassembly
 * @s:		Fragment's payload; becomes the datagram's
 *
 * Return: DECODE_GO_ON if @s is whole now, else the result of the frame
 */
static enum decode_result reassemble(struct decode_ctx *c, uint32_t id,
				     uint8_t proto, uint32_t off, bool more,
				     struct span *s)
{
	struct frag_key key = {
		.src = c->d->seg.src,
		.dst = c->d->seg.dst,
		.id = id,
		.proto = proto,
	};
	const uint8_t *whole;
	int r;

	if (s->cap < s->wire)
		return DECODE_TRUNCATED;
	if (!c->frags)
		return DECODE_FRAG_DROPPED;
	r = frag_input(c->frags, &key, off, more, s->p, s->cap, c->now, &whole);
	if (r == 0 && off == 0 && proto == PROTO_UDP)
		first_of_udp(&c->d->seg, s);
	if (r == 0)
		return DECODE_FRAGMENT;
	if (r < 0)
		return DECODE_FRAG_DROPPED;

	*s = (struct span){
		.p = whole,
		.cap = (uint32_t)r,
		.wire = (uint32_t)r,
	};
	c->frags = NULL;
	c->d->reassembled = true;
	return DECODE_GO_ON;
}

/* Test the lengths in a list of IPv4 options (RFC 791 section 3.1). */
static bool ip4_options_good(const uint8_t *p, uint32_t len)
{
	uint32_t n;

	for (; len > 0 && p[0] != IP4_OPT_EOL; p += n, len -= n) {
		n = 1;
		if (p[0] == IP4_OPT_NOP)
			continue;
		if (len < 2 || p[1] < 2 || p[1] > len)
			return false;
		n = p[1];
	}
	return true;
}

/* A length of 0: is it that of a segment that a device was to cut? */
static bool left_open(struct decode_ctx *c, const struct span *s, uint8_t proto)
{
	c->d->no_length = proto == PROTO_TCP && s->wire > PADDED_MAX;
	return c->d->no_length && c->in->len_open;
}

enum decode_result decode_ip4(struct decode_ctx *c, struct span s)
{
	struct segment *seg = &c->d->seg;
	enum decode_result r = span_need(&s, IP4_HLEN);
	const uint8_t *ip = s.p;
	uint32_t hlen, len;
	uint16_t frag;

	if (r != DECODE_GO_ON)
		return r;
	hlen = (ip[0] & 0x0fu) * 4u;
	if (ip[0] >> 4 != 4 || hlen < IP4_HLEN)
		return DECODE_BAD_HEADER;

	len = get_be16(ip + 2);
	frag = get_be16(ip + 6);
	if (len == 0 &&
	    (s.wire > IP_LEN_MAX ||
	     (!(frag & (IP4_MF | IP4_OFFSET)) && left_open(c, &s, ip[9]))))
		len = s.wire;
	if (len < hlen || (len > s.wire && !c->in->cut))
		return DECODE_BAD_LENGTH;
	span_limit(&s, len);
	r = span_need(&s, hlen);
	if (r != DECODE_GO_ON)
		return r;
	if (!c->in->trusted && csum_fold(csum_add(0, ip, hlen)) != 0xffff) {
		c->d->offloaded = get_be16(ip + 10) == 0;
		if (!c->d->offloaded || !c->in->csum_ok)
			return DECODE_BAD_IP_CSUM;
	}
	if (!ip4_options_good(ip + IP4_HLEN, hlen - IP4_HLEN))
		return DECODE_BAD_HEADER;

	seg->src = ipaddr_from4(ip + 12);
	seg->dst = ipaddr_from4(ip + 16);
	seg->ttl = ip[8];
	span_skip(&s, hlen);

	if (frag & (IP4_MF | IP4_OFFSET)) {
		r = reassemble(c, get_be16(ip + 4), ip[9],
			       (frag & IP4_OFFSET) * 8u, (frag & IP4_MF) != 0,
			       &s);
		if (r != DECODE_GO_ON)
			return r;
	}
	return decode_l4(c, true, ip[9], s);
}

/**
 * jumbo_length() - Find the jumbo option (RFC 2675 section 2)
 * @s:		Hop-by-hop header and what follows
 * @len:	Set to the length it holds; untouched if there is none
 */
static enum decode_result jumbo_length(const struct span *s, uint32_t *len)
{
	enum decode_result r = span_need(s, 8);
	uint32_t end, off, n;

	if (r != DECODE_GO_ON)
		return r;
	end = (s->p[1] + 1u) * 8;
	r = span_need(s, end);
	if (r != DECODE_GO_ON)
		return r;

	for (off = 2; off < end; off += n) {
		if (s->p[off] == 0) {
			n = 1; /* Pad1 has no length */
			continue;
		}
		if (end - off < 2 || s->p[off + 1] > end - off - 2)
			return DECODE_BAD_HEADER;
		n = s->p[off + 1] + 2u;
		if (s->p[off] == OPT_JUMBO) {
			if (n != JUMBO_OPLEN + 2)
				return DECODE_BAD_HEADER;
			*len = get_be32(s->p + off + 2);
			if (*len <= IP_LEN_MAX)
				return DECODE_BAD_LENGTH;
		}
	}
	return DECODE_GO_ON;
}

/**
 * ext_length() - Length of the extension header at @s
 *
 * Return: bytes, 0 if @type is none; EXT_FRAGMENT is 8
 */
static uint32_t ext_length(uint8_t type, const struct span *s)
{
	switch (type) {
	case EXT_HOP:
	case EXT_ROUTING:
	case EXT_DEST:
	case EXT_MOBILITY:
	case EXT_HIP:
	case EXT_SHIM6:
		return s->cap < 2 ? 8 : (s->p[1] + 1u) * 8;
	case EXT_AUTH:
		return s->cap < 2 ? 8 : (s->p[1] + 2u) * 4;
	case EXT_FRAGMENT:
		return 8;
	default:
		return 0;
	}
}

/* Walk the extension headers; @s is the payload of the fixed header. */
static enum decode_result ip6_chain(struct decode_ctx *c, struct span s,
				    uint8_t next)
{
	for (unsigned n = 0;; n++) {
		uint32_t len = ext_length(next, &s);
		const uint8_t *ext = s.p;
		enum decode_result r;
		uint16_t frag;

		if (len == 0)
			return decode_l4(c, false, next, s);
		if (n == EXT_MAX)
			return DECODE_TOO_DEEP;
		if (next == EXT_HOP && n > 0)
			return DECODE_BAD_HEADER; /* RFC 8200 section 4.1 */
		r = span_need(&s, len);
		if (r != DECODE_GO_ON)
			return r;
		span_skip(&s, len);

		/* Offset 0 and nothing to follow: an atomic fragment is a
		 * whole datagram (RFC 6946).
		 */
		frag = get_be16(ext + 2);
		if (next == EXT_FRAGMENT && (frag & 0xfff9)) {
			r = reassemble(c, get_be32(ext + 4), ext[0],
				       frag & 0xfff8u, (frag & 1) != 0, &s);
			if (r != DECODE_GO_ON)
				return r;
		}
		next = ext[0];
	}
}

enum decode_result decode_ip6(struct decode_ctx *c, struct span s)
{
	struct segment *seg = &c->d->seg;
	enum decode_result r = span_need(&s, IP6_HLEN);
	const uint8_t *ip = s.p;
	uint32_t len;

	if (r != DECODE_GO_ON)
		return r;
	if (ip[0] >> 4 != 6)
		return DECODE_BAD_HEADER;
	len = get_be16(ip + 4);
	span_skip(&s, IP6_HLEN);

	if (len == 0 && s.wire > IP_LEN_MAX) {
		len = s.wire;
		if (ip[6] == EXT_HOP) {
			r = jumbo_length(&s, &len);
			if (r != DECODE_GO_ON)
				return r;
		}
	} else if (len == 0 && left_open(c, &s, ip[6])) {
		len = s.wire;
	}
	if (len > s.wire && !c->in->cut)
		return DECODE_BAD_LENGTH;
	span_limit(&s, len);

	seg->src = ipaddr_from6(ip + 8);
	seg->dst = ipaddr_from6(ip + 24);
	seg->ttl = ip[7];
	return ip6_chain(c, s, ip[6]);
}
