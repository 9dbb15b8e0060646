/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tunnel.c - The headers of VXLAN, GENEVE, GRE and ERSPAN, and labels
 */
#include "decap/tunnel.h"

#include "core/bytes.h"
#include "core/csum.h"
#include "wire/decode.h"
#include "wire/numbers.h"

#define VXLAN_HLEN 8
#define VXLAN_I	   0x08 /* the VNI is valid (RFC 7348 section 5) */

#define GENEVE_HLEN 8
#define GENEVE_OAM  0x80 /* a control packet, no frame (RFC 8926 section 3.4) */

#define GRE_HLEN  4
#define GRE_FIELD 4 /* bytes of each field that a flag announces */

/* Flags of GRE (RFC 2784, 2890); routing is RFC 1701's, and refused. */
enum {
	GRE_CSUM = 0x8000,
	GRE_ROUTING = 0x4000,
	GRE_KEY = 0x2000,
	GRE_SEQ = 0x1000,
	GRE_VERSION = 0x0007,
};

/* EtherTypes of what GRE and GENEVE carry. */
enum {
	TYPE_BRIDGED = 0x6558, /* Ethernet */
	TYPE_ERSPAN = 0x88be,  /* types I and II */
	TYPE_ERSPAN3 = 0x22eb,
};

#define ERSPAN2_HLEN  8
#define ERSPAN3_HLEN  12
#define ERSPAN3_SUB   8 /* bytes of the subheader of a platform */
#define SESSION_MASK  0x3ff
#define ERSPAN3_OPT   0x0001 /* O: there is a subheader */
#define ERSPAN3_FRAME 0x7c00 /* FT: what is inside */
#define ERSPAN3_IP    0x0800 /* FT 2: IP; FT 0: Ethernet */

#define LABEL_LEN    4
#define LABELS_MAX   8
#define LABEL_BOTTOM 0x01 /* in the third byte (RFC 3032 section 2.1) */

#define PPPOE_HLEN 8 /* with the protocol of PPP */
#define PPP_IP4	   0x0021
#define PPP_IP6	   0x0057

/* The link type of what an EtherType announces; 0: none that is read. */
static uint16_t link_of(uint16_t type)
{
	switch (type) {
	case TYPE_BRIDGED:
		return LINK_ETHERNET;
	case ETHERTYPE_IP4:
		return LINK_IPV4;
	case ETHERTYPE_IP6:
		return LINK_IPV6;
	default:
		return 0;
	}
}

bool tunnel_vxlan(const uint8_t *p, uint32_t cap, struct tunnel *t)
{
	if (cap < VXLAN_HLEN || !(p[0] & VXLAN_I))
		return false;
	*t = (struct tunnel){ .kind = DECAP_VXLAN,
			      .keyed = true,
			      .key = get_be32(p + 4) >> 8,
			      .skip = VXLAN_HLEN,
			      .link = LINK_ETHERNET };
	return true;
}

bool tunnel_geneve(const uint8_t *p, uint32_t cap, struct tunnel *t)
{
	uint32_t len;

	if (cap < GENEVE_HLEN || p[0] >> 6 != 0 || (p[1] & GENEVE_OAM))
		return false;
	len = GENEVE_HLEN + (p[0] & 0x3fu) * 4;
	if (len > cap || link_of(get_be16(p + 2)) == 0)
		return false;
	*t = (struct tunnel){ .kind = DECAP_GENEVE,
			      .keyed = true,
			      .key = get_be32(p + 4) >> 8,
			      .skip = len,
			      .link = link_of(get_be16(p + 2)) };
	return true;
}

/*
 * ERSPAN behind a GRE header of @t->skip bytes. Type I has no header of its
 * own, and is told from type II by GRE's sequence number, which only II has.
 */
static bool erspan(uint16_t type, bool seq, const uint8_t *p, uint32_t cap,
		   struct tunnel *t)
{
	const uint8_t *h = p + t->skip;
	uint32_t left = cap - t->skip;
	uint32_t len = type == TYPE_ERSPAN3 ? ERSPAN3_HLEN : ERSPAN2_HLEN;
	uint16_t how;

	t->kind = DECAP_ERSPAN;
	t->link = LINK_ETHERNET;
	t->keyed = false;
	if (type == TYPE_ERSPAN && !seq)
		return true;
	if (left < len || h[0] >> 4 != (type == TYPE_ERSPAN3 ? 2 : 1))
		return false;
	t->keyed = true;
	t->key = get_be16(h + 2) & SESSION_MASK;
	if (type == TYPE_ERSPAN3) {
		how = get_be16(h + 10);
		if ((how & ERSPAN3_FRAME) == ERSPAN3_IP)
			t->link = LINK_RAW;
		else if (how & ERSPAN3_FRAME)
			return false;
		if (how & ERSPAN3_OPT)
			len += ERSPAN3_SUB;
	}
	t->skip += len;
	return len <= left;
}

bool tunnel_gre(const uint8_t *p, uint32_t cap, bool sum, struct tunnel *t)
{
	uint16_t flags, type;

	if (cap < GRE_HLEN)
		return false;
	flags = get_be16(p);
	type = get_be16(p + 2);
	if (flags & (GRE_ROUTING | GRE_VERSION))
		return false;
	*t = (struct tunnel){ .kind = DECAP_GRE,
			      .skip = GRE_HLEN,
			      .link = link_of(type) };
	if (flags & GRE_CSUM)
		t->skip += GRE_FIELD;
	if (flags & GRE_KEY) {
		t->keyed = true;
		t->skip += GRE_FIELD;
	}
	if (t->skip > cap)
		return false;
	if (t->keyed)
		t->key = get_be32(p + t->skip - GRE_FIELD);
	if (flags & GRE_SEQ)
		t->skip += GRE_FIELD;
	if (t->skip > cap)
		return false;
	t->zero = (flags & GRE_CSUM) && sum;
	if (t->zero && csum_fold(csum_add(0, p, cap)) != 0xffff)
		return false;
	if (type == TYPE_ERSPAN || type == TYPE_ERSPAN3)
		return erspan(type, (flags & GRE_SEQ) != 0, p, cap, t);
	return t->link != 0;
}

/* A stack of labels says nothing of what it carries: IP's version does. */
static bool mpls(const uint8_t *p, uint32_t cap, struct tunnel *t)
{
	for (unsigned n = 1; n <= LABELS_MAX; n++) {
		uint32_t len = n * LABEL_LEN;

		if (len >= cap)
			return false;
		if (!(p[len - 2] & LABEL_BOTTOM))
			continue;
		t->skip = len;
		return p[len] >> 4 == 4 || p[len] >> 4 == 6;
	}
	return false;
}

bool tunnel_labels(uint16_t type, const uint8_t *p, uint32_t cap,
		   struct tunnel *t)
{
	uint16_t ppp;

	*t = (struct tunnel){ .kind = DECAP_KINDS, .link = LINK_RAW };
	if (type == ETHERTYPE_MPLS || type == ETHERTYPE_MPLS_MULTI)
		return mpls(p, cap, t);
	if (type != ETHERTYPE_PPPOE || cap < PPPOE_HLEN ||
	    get_be16(p) != 0x1100) /* version 1, type 1, a session's data */
		return false;
	ppp = get_be16(p + 6);
	t->link = ppp == PPP_IP4 ? LINK_IPV4 : LINK_IPV6;
	t->skip = PPPOE_HLEN;
	return ppp == PPP_IP4 || ppp == PPP_IP6;
}
