/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * decode.c - The link layers of a frame
 *
 * Theory of operation
 *
 * A frame passes decode_link() (here), decode_ip4() or decode_ip6() (ip.c) and
 * decode_l4() (l4.c). Each gets a struct span: the bytes of its layer, how many
 * were captured and how many there were on the wire. A header that runs past
 * the wire is a lie (DECODE_BAD_LENGTH), one that runs past the capture only is
 * not (DECODE_TRUNCATED). The IP length then cuts Ethernet's padding off.
 *
 * What a link-control frame is, is asked last: a frame that says it is IP or
 * ARP is treated as such whatever address it was sent to, so that no one can
 * hide IP behind the address of a bridge.
 *
 * Depth is bounded: four tags, eight extension headers.
 */
#include "wire/decode_internal.h"

#include <assert.h>
#include <string.h>

#include "core/bytes.h"

#define SLL_HLEN  16
#define SLL2_HLEN 20
#define TAG_LEN	  4
#define TAGS_MAX  4

#define LLC_SAP_STP 0x42 /* IEEE 802.1D spanning tree */

/* Address families of LINK_NULL and LINK_LOOP: every BSD has its own for IPv6.
 */
enum {
	BSD_INET = 2,
	LINUX_INET6 = 10,
	NETBSD_INET6 = 24,
	FREEBSD_INET6 = 28,
	DARWIN_INET6 = 30,
};

const char *decode_name(enum decode_result r)
{
	static const char *const name[DECODE_COUNT] = {
#define X(id, str) [id] = (str),
		DECODE_RESULTS(X)
#undef X
	};

	return r < DECODE_COUNT ? name[r] : "?";
}

/* Groups that bridges do not forward: 01:80:c2:00:00:00 to 0f, and Cisco's. */
static bool control_group(const uint8_t *mac)
{
	static const uint8_t ieee[5] = { 0x01, 0x80, 0xc2, 0x00, 0x00 };
	static const uint8_t cisco[5] = { 0x01, 0x00, 0x0c, 0xcc, 0xcc };

	if (memcmp(mac, ieee, sizeof(ieee)) == 0)
		return mac[5] < 0x10;
	return memcmp(mac, cisco, sizeof(cisco)) == 0 &&
	       (mac[5] == 0xcc || mac[5] == 0xcd);
}

/* What a frame is that holds neither IP nor ARP. */
static enum decode_result other_type(struct decode_ctx *c, const struct span *s,
				     uint16_t type)
{
	c->d->type = type;
	c->d->l4 = s->p;
	c->d->l4_len = s->cap;
	c->d->l4_wire = s->wire;
	if (type == ETHERTYPE_PAUSE || type == ETHERTYPE_SLOW ||
	    type == ETHERTYPE_LLDP)
		return DECODE_LINK_CONTROL;
	if (type < ETHERTYPE_MIN && s->cap > 0 && s->p[0] == LLC_SAP_STP)
		return DECODE_LINK_CONTROL;
	if (c->d->has_eth && control_group(c->d->eth_dst))
		return DECODE_LINK_CONTROL;
	return DECODE_NOT_IP;
}

/* Note where the network layer begins. */
static void set_l3(struct decode_ctx *c, const struct span *s)
{
	c->d->l3 = (uint32_t)(s->p - c->in->data);
}

/* Go on by EtherType; @s is what follows it. */
static enum decode_result by_type(struct decode_ctx *c, struct span s,
				  uint16_t type)
{
	enum decode_result r;

	for (unsigned tags = 0;
	     type == ETHERTYPE_VLAN || type == ETHERTYPE_QINQ ||
	     type == ETHERTYPE_QINQ_OLD;
	     tags++) {
		if (tags == TAGS_MAX)
			return DECODE_TOO_DEEP;
		r = span_need(&s, TAG_LEN);
		if (r != DECODE_GO_ON)
			return r;
		type = get_be16(s.p + 2);
		span_skip(&s, TAG_LEN);
	}

	switch (type) {
	case ETHERTYPE_IP4:
		set_l3(c, &s);
		return decode_ip4(c, s);
	case ETHERTYPE_IP6:
		set_l3(c, &s);
		return decode_ip6(c, s);
	case ETHERTYPE_ARP:
		set_l3(c, &s);
		c->d->l4 = s.p;
		c->d->l4_len = s.cap;
		return DECODE_ARP;
	default:
		return other_type(c, &s, type);
	}
}

static enum decode_result link_ethernet(struct decode_ctx *c, struct span s)
{
	enum decode_result r = span_need(&s, ETH_HEADER);
	uint16_t type;

	if (r != DECODE_GO_ON)
		return r;
	memcpy(c->d->eth_dst, s.p, 6);
	memcpy(c->d->eth_src, s.p + 6, 6);
	c->d->has_eth = true;
	type = get_be16(s.p + 12);
	span_skip(&s, ETH_HEADER);
	return by_type(c, s, type);
}

/* Linux cooked: @hlen bytes of header, the protocol at @type_off. */
static enum decode_result link_cooked(struct decode_ctx *c, struct span s,
				      uint32_t hlen, uint32_t type_off)
{
	enum decode_result r = span_need(&s, hlen);
	uint16_t type;

	if (r != DECODE_GO_ON)
		return r;
	type = get_be16(s.p + type_off);
	span_skip(&s, hlen);
	return by_type(c, s, type);
}

/* Raw IP of either version. */
static enum decode_result link_raw(struct decode_ctx *c, struct span s)
{
	enum decode_result r = span_need(&s, 1);

	if (r != DECODE_GO_ON)
		return r;
	switch (s.p[0] >> 4) {
	case 4:
		return by_type(c, s, ETHERTYPE_IP4);
	case 6:
		return by_type(c, s, ETHERTYPE_IP6);
	default:
		return DECODE_BAD_HEADER;
	}
}

/*
 * BSD loopback: an address family in 4 bytes, for LINK_NULL in the byte order
 * of the host that captured. All families are small: a large number is swapped.
 */
static enum decode_result link_family(struct decode_ctx *c, struct span s)
{
	enum decode_result r = span_need(&s, 4);
	uint32_t family;

	if (r != DECODE_GO_ON)
		return r;
	family = get_be32(s.p);
	if (family > UINT16_MAX)
		family = get_le32(s.p);
	span_skip(&s, 4);

	switch (family) {
	case BSD_INET:
		return by_type(c, s, ETHERTYPE_IP4);
	case LINUX_INET6:
	case NETBSD_INET6:
	case FREEBSD_INET6:
	case DARWIN_INET6:
		return by_type(c, s, ETHERTYPE_IP6);
	default:
		return DECODE_NOT_IP;
	}
}

enum decode_result decode_link(struct decode_ctx *c, struct span s,
			       uint16_t link)
{
	switch (link) {
	case LINK_ETHERNET:
		return link_ethernet(c, s);
	case LINK_SLL:
		return link_cooked(c, s, SLL_HLEN, 14);
	case LINK_SLL2:
		return link_cooked(c, s, SLL2_HLEN, 0);
	case LINK_RAW:
	case LINK_RAW_BSD:
	case LINK_RAW_OPENBSD:
		return link_raw(c, s);
	case LINK_IPV4:
		return by_type(c, s, ETHERTYPE_IP4);
	case LINK_IPV6:
		return by_type(c, s, ETHERTYPE_IP6);
	case LINK_NULL:
	case LINK_LOOP:
		return link_family(c, s);
	default:
		return DECODE_NOT_IP;
	}
}

enum decode_result frame_decode(const struct frame_info *in,
				struct frag_table *frags, uint64_t now,
				struct decoded *d)
{
	struct decode_ctx c = {
		.in = in,
		.frags = frags,
		.now = now,
		.d = d,
	};
	struct span s = {
		.p = in->data,
		.cap = in->cap,
		.wire = in->wire > in->cap ? in->wire : in->cap,
	};

	memset(d, 0, sizeof(*d));
	d->seg.ts = in->ts;
	return decode_link(&c, s, in->link);
}

enum decode_result frame_decode_open(const struct frame_info *in,
				     struct frag_table *frags, uint64_t now,
				     struct decoded *d, bool *open)
{
	enum decode_result r = frame_decode(in, frags, now, d);
	struct frame_info good = *in;

	if (r == DECODE_BAD_LENGTH && d->no_length) {
		good.len_open = true;
		r = frame_decode(&good, frags, now, d);
	}
	if (!in->csum_ok &&
	    (r == DECODE_BAD_IP_CSUM || r == DECODE_BAD_L4_CSUM) &&
	    d->offloaded) {
		good.csum_ok = true;
		r = frame_decode(&good, frags, now, d);
	}
	if ((r == DECODE_TCP || r == DECODE_UDP) &&
	    (good.len_open || good.csum_ok != in->csum_ok))
		*open = true;
	return r;
}

/* A datagram need not have one (RFC 768). */
static bool has_sum(const struct decoded *d, enum decode_result r)
{
	assert(r != DECODE_UDP || d->seg.data);
	return r == DECODE_TCP ||
	       (r == DECODE_UDP && get_be16(d->seg.data - 2) != 0);
}

enum frame_sum frame_sum(const struct frame_info *in)
{
	struct decoded d;
	bool open = false;
	enum decode_result r;

	if (in->cap < in->wire)
		return FRAME_SUM_NONE;
	r = frame_decode_open(in, NULL, 0, &d, &open);
	if (r == DECODE_BAD_IP_CSUM || r == DECODE_BAD_L4_CSUM)
		return FRAME_SUM_WRONG;
	return has_sum(&d, r) ? FRAME_SUM_RIGHT : FRAME_SUM_NONE;
}
