/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * l4.c - TCP, UDP and ICMP of a frame, TCP options
 *
 * Theory of operation
 *
 * A checksum is tested when every byte that it covers was captured and the
 * capture did not say that it is not to be tested; before that the header's own
 * lengths are, after that the TCP options. A capture may cut the payload: the
 * segment then has cap < len. It may not cut the headers.
 *
 * Most segments carry the timestamps and nothing else, as NOP NOP TS (RFC 7323
 * appendix A): one comparison finds them, the walk is for all others.
 */
#include "wire/decode_internal.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "core/bytes.h"
#include "core/csum.h"
#include "wire/pseudo.h"

#define TCP_HLEN   20
#define UDP_HLEN   8
#define ICMP_HLEN  4
#define VXLAN_HLEN 8
#define VXLAN_PORT 4789
#define VXLAN_I	   0x08 /* the VNI is valid (RFC 7348 section 5) */

/* Types of neighbour discovery (RFC 4861 section 4): these and between. */
#define ND_FIRST 133
#define ND_LAST	 137

/* TCP option kinds (IANA, "TCP Option Kind Numbers"). */
enum {
	OPT_EOL = 0,
	OPT_NOP = 1,
	OPT_MSS = 2,
	OPT_WSCALE = 3,
	OPT_SACK_OK = 4,
	OPT_SACK = 5,
	OPT_TS = 8,
	OPT_MD5 = 19,
	OPT_AO = 29,
	OPT_MPTCP = 30,
	OPT_FASTOPEN = 34,
	OPT_EXP = 254,
};

#define OPT_TS_LEN     10
#define OPT_TS_ALONE   0x0101080au /* NOP NOP, kind and length of timestamps */
#define OPT_MD5_LEN    18
#define EXP_FASTOPEN   0xf989 /* RFC 7413 appendix A.1 */
#define SACK_BLOCK_LEN 8
static_assert((TCP_OPT_MAX - 2) / SACK_BLOCK_LEN <= TCP_SACK_MAX,
	      "what the options hold fits");

/* Read the SACK option of @len bytes at @p (RFC 2018 section 3). */
static void read_sack(const uint8_t *p, size_t len, struct tcp_opts *o)
{
	size_t n = (len - 2) / SACK_BLOCK_LEN;

	if (n == 0 || n * SACK_BLOCK_LEN != len - 2)
		return;
	o->sacks = (uint8_t)n;
	for (size_t i = 0; i < n; i++) {
		const uint8_t *block = p + 2 + i * SACK_BLOCK_LEN;

		o->sack[i].left = get_be32(block);
		o->sack[i].right = get_be32(block + 4);
	}
}

/* Take over the option of @len bytes, at least 2, at @p, if its length fits. */
static void read_option(const uint8_t *p, size_t len, struct tcp_opts *o)
{
	unsigned has = 0;

	switch (p[0]) {
	case OPT_MSS:
		if (len == 4) {
			o->mss = get_be16(p + 2);
			has = OPT_HAS_MSS;
		}
		break;
	case OPT_WSCALE:
		if (len == 3) {
			o->wscale = p[2];
			has = OPT_HAS_WSCALE;
		}
		break;
	case OPT_SACK_OK:
		if (len == 2)
			has = OPT_HAS_SACK_OK;
		break;
	case OPT_SACK:
		read_sack(p, len, o);
		break;
	case OPT_TS:
		if (len == OPT_TS_LEN) {
			o->tsval = get_be32(p + 2);
			o->tsecr = get_be32(p + 6);
			has = OPT_HAS_TS;
		}
		break;
	case OPT_MD5:
		if (len == OPT_MD5_LEN)
			has = OPT_HAS_MD5;
		break;
	case OPT_AO:
		if (len >= 4)
			has = OPT_HAS_AO;
		break;
	case OPT_MPTCP:
		if (len >= 3)
			has = OPT_HAS_MPTCP;
		break;
	case OPT_FASTOPEN:
		has = OPT_HAS_FASTOPEN;
		break;
	case OPT_EXP:
		if (len >= 4 && get_be16(p + 2) == EXP_FASTOPEN)
			has = OPT_HAS_FASTOPEN;
		break;
	default:
		break;
	}
	o->has = (uint16_t)(o->has | has);
}

int tcp_parse_options(const uint8_t *p, size_t len, struct tcp_opts *o)
{
	struct tcp_opts got = { 0 };
	size_t n;

	assert(len <= TCP_OPT_MAX);

	for (; len > 0 && p[0] != OPT_EOL; p += n, len -= n) {
		n = 1;
		if (p[0] == OPT_NOP)
			continue;
		if (len < 2 || p[1] < 2 || p[1] > len)
			return -EBADMSG;
		n = p[1];
		read_option(p, n, &got);
	}
	*o = got;
	return 0;
}

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
	uint64_t sum = 0;

	if (c->in->csum_ok || s->cap < len)
		return true;
	if (seg->proto != PROTO_ICMP) /* which has no pseudo header */
		sum = pseudo_sum(v4, &seg->src, &seg->dst, seg->proto, len);
	if (csum_fold(csum_add(sum, s->p, len)) == 0xffff)
		return true;
	c->d->offloaded = get_be16(s->p + field) == csum_fold(sum);
	return false;
}

static enum decode_result decode_tcp(struct decode_ctx *c, bool v4,
				     struct span s)
{
	struct segment *seg = &c->d->seg;
	enum decode_result r = span_need(&s, TCP_HLEN);
	const uint8_t *th = s.p;
	uint32_t hlen, optlen;

	if (r != DECODE_GO_ON)
		return r;
	hlen = (th[12] >> 4) * 4u;
	if (hlen < TCP_HLEN || hlen > s.wire)
		return DECODE_BAD_HEADER;
	if (hlen > s.cap)
		return DECODE_TRUNCATED;
	if (!csum_good(c, v4, &s, s.wire, 16))
		return DECODE_BAD_L4_CSUM;

	optlen = hlen - TCP_HLEN;
	if (optlen == OPT_TS_LEN + 2 &&
	    get_be32(th + TCP_HLEN) == OPT_TS_ALONE) {
		seg->opts.has = OPT_HAS_TS;
		seg->opts.tsval = get_be32(th + TCP_HLEN + 4);
		seg->opts.tsecr = get_be32(th + TCP_HLEN + 8);
	} else if (tcp_parse_options(th + TCP_HLEN, optlen, &seg->opts) != 0) {
		return DECODE_BAD_HEADER;
	}

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

/* Test whether the payload @s of a datagram is a VXLAN frame to look into. */
static bool wanted_vxlan(const struct decode_ctx *c, const struct span *s)
{
	if (c->vxlan == VXLAN_NONE || c->d->seg.dport != VXLAN_PORT ||
	    s->cap < VXLAN_HLEN || (s->p[0] & VXLAN_I) == 0)
		return false;
	return c->vxlan == VXLAN_ANY || get_be32(s->p + 4) >> 8 == c->vxlan;
}

/* Begin again with the frame @s that a tunnel carries. */
static enum decode_result decode_inner(struct decode_ctx *c, struct span s)
{
	c->vxlan = VXLAN_NONE;
	c->tunnel = true;
	c->d->seg = (struct segment){ .ts = c->in->ts };
	return decode_link(c, s, LINK_ETHERNET);
}

static enum decode_result decode_udp(struct decode_ctx *c, bool v4,
				     struct span s)
{
	struct segment *seg = &c->d->seg;
	enum decode_result r = span_need(&s, UDP_HLEN);
	const uint8_t *uh = s.p;
	bool tunnel, good;
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
	good = csum_good(c, v4, &s, len, 6);
	span_skip(&s, UDP_HLEN);
	tunnel = wanted_vxlan(c, &s);

	/* 0: none was made. IPv6 allows that for tunnels only (RFC 6935). */
	if (get_be16(uh + 6) == 0)
		good = v4 || tunnel || c->in->csum_ok;
	if (!good)
		return DECODE_BAD_L4_CSUM;
	if (tunnel) {
		span_skip(&s, VXLAN_HLEN);
		return decode_inner(c, s);
	}

	seg->data = s.p;
	seg->len = s.wire;
	seg->cap = s.cap;
	seg->gso = c->in->gso;
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
		return DECODE_IP_OTHER;
	}
}
