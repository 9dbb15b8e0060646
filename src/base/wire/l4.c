/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * l4.c - TCP, UDP and ICMP of a frame
 *
 * Theory of operation
 *
 * A checksum is tested when every byte that it covers was captured and the
 * capture did not say that it is not to be tested; before that the header's own
 * lengths are, after that the TCP options. A capture may cut the payload: the
 * segment then has cap < len. It may not cut the headers.
 */
#include "wire/decode_internal.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "core/bytes.h"
#include "core/csum.h"
#include "wire/pseudo.h"
#include "wire/tcpopt.h"

#define TCP_HLEN  20
#define UDP_HLEN  8
#define ICMP_HLEN 4

/* Types of neighbour discovery (RFC 4861 section 4): these and between. */
#define ND_FIRST 133
#define ND_LAST	 137

/**
 * csum_good() - Test the checksum of a layer whose protocol is in the segment
 * @s:		Layer, its header captured
 * @len:	Bytes of it that are covered
 * @field:	Offset of the checksum, even
 *
 * Return: false if it is wrong; tells in the result whether it looks offloaded
 */
static bool csum_good(const struct decode_ctx *c, bool v4, const struct span *s,
		      uint32_t len, uint32_t field)
{
	const struct segment *seg = &c->d->seg;
	bool ends = s->p + len == c->in->data + c->in->cap;
	uint64_t sum = 0;

	if (c->in->csum_ok || c->in->trusted || s->cap < len)
		return true;
	if (seg->proto != PROTO_ICMP) /* which has no pseudo header */
		sum = pseudo_sum(v4, &seg->src, &seg->dst, seg->proto, len);
	if (csum_fold(csum_add_end(sum, ends ? c->in->zero : NULL, s->p,
				   len)) == 0xffff)
		return true;
	c->d->offloaded = get_be16(s->p + field) == csum_fold(sum);
	if (c->in->len_open && !c->d->offloaded) /* without the length, too */
		c->d->offloaded = get_be16(s->p + field) ==
				  csum_fold(pseudo_sum(v4, &seg->src, &seg->dst,
						       seg->proto, 0));
	return false;
}

static enum decode_result decode_tcp(struct decode_ctx *c, bool v4,
				     struct span s)
{
	struct segment *seg = &c->d->seg;
	enum decode_result r = span_need(&s, TCP_HLEN);
	const uint8_t *th = s.p;
	uint32_t hlen;

	if (r != DECODE_GO_ON)
		return r;
	hlen = (th[12] >> 4) * 4u;
	if (hlen < TCP_HLEN || hlen > s.wire)
		return DECODE_BAD_HEADER;
	if (hlen > s.cap)
		return DECODE_TRUNCATED;
	if (!csum_good(c, v4, &s, s.wire, 16))
		return DECODE_BAD_L4_CSUM;

	if (tcp_parse_options(th + TCP_HLEN, hlen - TCP_HLEN, &seg->opts) != 0)
		return DECODE_BAD_HEADER;

	seg->sport = get_be16(th);
	seg->dport = get_be16(th + 2);
	seg->seq = get_be32(th + 4);
	seg->ack = get_be32(th + 8);
	seg->flags = th[13];
	seg->win = get_be16(th + 14);
	seg->urg = get_be16(th + 18);
	seg->data = th + hlen;
	seg->len = s.wire - hlen;
	seg->cap = s.cap - hlen;
	seg->gso = c->in->gso;
	return DECODE_TCP;
}

static enum decode_result decode_udp(struct decode_ctx *c, bool v4,
				     struct span s)
{
	struct segment *seg = &c->d->seg;
	enum decode_result r = span_need(&s, UDP_HLEN);
	const uint8_t *uh = s.p;
	bool good;
	uint32_t len;

	if (r != DECODE_GO_ON)
		return r;
	len = get_be16(uh + 4);
	if (len == 0 && s.wire > UINT16_MAX)
		len = s.wire; /* RFC 2675 section 4 */
	if (len < UDP_HLEN || len > s.wire)
		return DECODE_BAD_LENGTH;
	span_limit(&s, len);

	seg->sport = get_be16(uh);
	seg->dport = get_be16(uh + 2);
	seg->data = s.p + UDP_HLEN;
	seg->len = s.wire - UDP_HLEN;
	seg->cap = s.cap - UDP_HLEN;
	seg->gso = c->in->gso;

	/* 0: none was made. IPv6 allows that for tunnels only (RFC 6935). */
	if (get_be16(uh + 6) == 0) {
		good = v4 || c->in->csum_ok || c->in->trusted;
		c->d->no_sum = !good;
	} else {
		good = csum_good(c, v4, &s, len, 6);
	}
	if (!good)
		return DECODE_BAD_L4_CSUM;
	return DECODE_UDP;
}

static enum decode_result decode_icmp(struct decode_ctx *c, bool v4,
				      struct span s)
{
	enum decode_result r = span_need(&s, ICMP_HLEN);

	if (r != DECODE_GO_ON)
		return r;
	if (!csum_good(c, v4, &s, s.wire, 2))
		return DECODE_BAD_L4_CSUM;
	c->d->l4 = s.p;
	c->d->l4_len = s.cap;
	if (!v4 && s.p[0] >= ND_FIRST && s.p[0] <= ND_LAST)
		return DECODE_ND;
	return DECODE_ICMP;
}

enum decode_result decode_l4(struct decode_ctx *c, bool v4, uint8_t proto,
			     struct span s)
{
	c->d->seg.proto = proto;

	switch (proto) {
	case PROTO_TCP:
		return decode_tcp(c, v4, s);
	case PROTO_UDP:
		return decode_udp(c, v4, s);
	case PROTO_ICMP:
	case PROTO_ICMP6:
		if (v4 != (proto == PROTO_ICMP))
			return DECODE_IP_OTHER;
		return decode_icmp(c, v4, s);
	default:
		c->d->l4 = s.p;
		c->d->l4_len = s.cap;
		c->d->l4_wire = s.wire;
		return DECODE_IP_OTHER;
	}
}
