/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cut.c - Segments out of a record that is longer than the wire takes
 */
#include "rewrite/cut.h"

#include <errno.h>
#include <string.h>

#include "core/bytes.h"
#include "core/csum.h"
#include "wire/segment.h"

#define TCP_HEADER 20u
#define IP6_HEADER 40u
#define JUMBO	   8u /* a hop-by-hop header that holds nothing else */

/* Take the jumbo option's header out of @s, if that is all that lies between
 * IPv6 and TCP. Return: its bytes
 */
static uint32_t drop_jumbo(struct shape *s, const uint8_t *p)
{
	static const uint8_t head[4] = { PROTO_TCP, 0, 0xc2, 4 };
	uint32_t at = s->l3 + IP6_HEADER;

	if (s->version != 6 || s->l4 != at + JUMBO || p[s->l3 + 6] != 0 ||
	    memcmp(p + at, head, sizeof(head)) != 0)
		return 0;
	s->l4 = at;
	return JUMBO;
}

int cut_plan(struct cut *c, const uint8_t *p, uint32_t len, uint32_t mtu)
{
	struct shape s;
	struct cut n;
	uint32_t drop;
	int rc = shape_find(&s, p, len);

	if (rc)
		return rc;
	if (len - s.l3 <= mtu)
		return 0;
	drop = drop_jumbo(&s, p);
	if (s.fragment || s.l4 == 0 || s.proto != PROTO_TCP ||
	    s.l4 + drop + TCP_HEADER > s.end ||
	    (s.version == 6 && s.l4 != s.l3 + IP6_HEADER))
		return -EMSGSIZE;
	n = (struct cut){ .shape = s,
			  .drop = drop,
			  .head = s.l4 + (p[s.l4 + drop + 12] >> 4) * 4u };
	if (n.head < s.l4 + TCP_HEADER || n.head + drop >= s.end ||
	    n.head - s.l3 >= mtu)
		return -EMSGSIZE;
	n.payload = s.end - n.head - drop;
	n.mss = mtu - (n.head - s.l3);
	n.segments = (n.payload + n.mss - 1) / n.mss;
	*c = n;
	return 1;
}

static void put_length(const struct shape *s, uint8_t *p, uint32_t end)
{
	if (s->version == 4)
		put_be16(p + s->l3 + 2, (uint16_t)(end - s->l3));
	else
		put_be16(p + s->l3 + 4, (uint16_t)(end - s->l3 - IP6_HEADER));
}

uint32_t cut_segment(const struct cut *c, const uint8_t *p, uint32_t i,
		     uint8_t *out)
{
	struct shape s = c->shape;
	uint32_t from = i * c->mss;
	uint32_t n = c->payload - from < c->mss ? c->payload - from : c->mss;
	uint8_t *tcp = out + s.l4;

	memcpy(out, p, s.l4);
	memcpy(out + s.l4, p + c->drop + s.l4, c->head - s.l4);
	memcpy(out + c->head, p + c->drop + c->head + from, n);
	if (c->drop > 0)
		out[s.l3 + 6] = PROTO_TCP;
	s.total = s.end = c->head + n;
	put_length(&s, out, s.end);
	if (s.version == 4)
		put_be16(out + s.l3 + 4,
			 (uint16_t)(get_be16(out + s.l3 + 4) + i));
	put_be32(tcp + 4, get_be32(tcp + 4) + from);
	if (i > 0)
		tcp[13] &= (uint8_t)~TCP_CWR;
	if (i + 1 < c->segments)
		tcp[13] &= (uint8_t) ~(TCP_FIN | TCP_PSH);
	(void)shape_csum_full(&s, out);
	return s.end;
}

int64_t cut_keep(const struct cut *c, uint8_t *p, uint32_t super_max)
{
	const struct shape *s = &c->shape;
	uint32_t len = s->end - s->l4;
	uint64_t sum;

	if (c->drop > 0 || s->end > super_max || s->end - s->l3 > UINT16_MAX)
		return -EMSGSIZE;
	put_length(s, p, s->end);
	if (s->version == 4) {
		uint32_t head = s->l4 - s->l3;

		put_be16(p + s->l3 + 10, 0);
		put_be16(p + s->l3 + 10,
			 (uint16_t)~csum_fold(csum_add(0, p + s->l3, head)));
	}
	sum = csum_add(0, p + shape_ip_src(s), s->version == 4 ? 8 : 32) +
	      PROTO_TCP + len;
	put_be16(p + s->l4 + 16, csum_fold(sum));
	return s->end;
}
