/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vnet.c - What a TUN device says of a packet, in front of it
 */
#include "pieces/vnet.h"

#include <errno.h>

#include "core/bytes.h"

#define NEEDS_CSUM 1	/* of flags */
#define ECN	   0x80 /* of gso_type */

int vnet_parse(const uint8_t *p, uint32_t n, struct vnet *v)
{
	uint8_t kind;

	if (n < VNET_HEADER)
		return -EBADMSG;
	kind = (uint8_t)(p[1] & ~ECN);
	if (kind != VNET_ONE && kind != VNET_TCP4 && kind != VNET_TCP6 &&
	    kind != VNET_UDP)
		return -EBADMSG;
	*v = (struct vnet){ .partial = (p[0] & NEEDS_CSUM) != 0,
			    .ecn = (p[1] & ECN) != 0,
			    .kind = (enum vnet_kind)kind,
			    .head = get_le16(p + 2),
			    .size = get_le16(p + 4),
			    .start = get_le16(p + 6),
			    .at = get_le16(p + 8) };
	return 0;
}

void vnet_emit(const struct vnet *v, uint8_t *out)
{
	out[0] = v->partial ? NEEDS_CSUM : 0;
	out[1] = (uint8_t)(v->kind | (v->ecn ? ECN : 0));
	put_le16(out + 2, v->head);
	put_le16(out + 4, v->size);
	put_le16(out + 6, v->start);
	put_le16(out + 8, v->at);
}
