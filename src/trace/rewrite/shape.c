/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shape.c - Where the headers of an Ethernet frame lie
 */
#include "rewrite/shape.h"

#include <errno.h>
#include <string.h>

#include "core/bytes.h"
#include "core/csum.h"
#include "wire/numbers.h"
#include "wire/segment.h"

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static void find_ip4(struct shape *s, const uint8_t *p, uint32_t len)
{
	uint32_t head;
	uint32_t total;
	uint16_t frag;

	if (len < s->l3 + 20 || p[s->l3] >> 4 != 4)
		return;
	head = (p[s->l3] & 15u) * 4;
	total = get_be16(p + s->l3 + 2);
	if (head < 20 || len < s->l3 + head || (total > 0 && total < head))
		return;
	s->version = 4;
	s->total = total > 0 ? s->l3 + total : len;
	s->end = least(s->total, len);
	frag = get_be16(p + s->l3 + 6);
	s->fragment = frag & 0x3fff;
	s->proto = p[s->l3 + 9];
	if (!(frag & 0x1fff) && s->l3 + head < s->end)
		s->l4 = s->l3 + head;
}

static void find_ip6(struct shape *s, const uint8_t *p, uint32_t len)
{
	uint32_t at = s->l3 + 40;
	uint32_t payload;
	uint8_t next;

	if (len < at || p[s->l3] >> 4 != 6)
		return;
	payload = get_be16(p + s->l3 + 4);
	s->version = 6;
	s->total = payload > 0 ? at + payload : len;
	s->end = least(s->total, len);
	next = p[s->l3 + 6];
	for (int i = 0; i < SHAPE_EXT_MAX; i++) {
		bool frag = next == EXT_FRAGMENT;

		if (next != EXT_HOP && next != EXT_ROUTING &&
		    next != EXT_DEST && !frag)
			break;
		if (at + 8 > s->end)
			return;
		if (frag) {
			s->fragment = true;
			if (get_be16(p + at + 2) & 0xfff8)
				return;
		}
		next = p[at];
		at += frag ? 8 : 8 + p[at + 1] * 8u;
	}
	s->proto = next;
	if (at < s->end)
		s->l4 = at;
}

int shape_find(struct shape *s, const uint8_t *p, uint32_t len)
{
	memset(s, 0, sizeof(*s));
	if (len < ETH_HEADER)
		return -EBADMSG;
	s->l3 = ETH_HEADER;
	s->type = get_be16(p + 12);
	for (int i = 0; i < SHAPE_TAGS_MAX; i++) {
		if (!ethertype_is_tag(s->type) || len < s->l3 + 4)
			break;
		s->type = get_be16(p + s->l3 + 2);
		s->l3 += 4;
	}
	s->total = s->end = len;
	if (s->type == ETHERTYPE_IP4)
		find_ip4(s, p, len);
	else if (s->type == ETHERTYPE_IP6)
		find_ip6(s, p, len);
	return 0;
}

uint32_t shape_csum_at(const struct shape *s, const uint8_t *p)
{
	uint32_t off;

	if (s->l4 == 0)
		return 0;
	if (s->proto == PROTO_TCP)
		off = 16;
	else if (s->proto == PROTO_UDP)
		off = 6;
	else if ((s->proto == PROTO_ICMP && s->version == 4) ||
		 (s->proto == PROTO_ICMP6 && s->version == 6))
		off = 2;
	else
		return 0;
	if (s->l4 + off + 2 > s->end)
		return 0;
	/* A datagram without a checksum keeps none (RFC 768). */
	if (s->proto == PROTO_UDP && get_be16(p + s->l4 + off) == 0)
		return 0;
	return s->l4 + off;
}

static void sum_ip4(uint8_t *p, uint32_t l3)
{
	uint32_t head = (p[l3] & 15u) * 4;

	put_be16(p + l3 + 10, 0);
	put_be16(p + l3 + 10, (uint16_t)~csum_fold(csum_add(0, p + l3, head)));
}

int shape_csum_full(const struct shape *s, uint8_t *p)
{
	uint32_t at = shape_csum_at(s, p);
	uint32_t len = s->end - s->l4;
	uint64_t sum = 0;
	uint16_t v;

	if (s->version == 4)
		sum_ip4(p, s->l3);
	if (at == 0)
		return s->l4 || s->version == 0 ? 0 : -ENODATA;
	if (s->fragment || s->end != s->total)
		return -ENODATA;
	if (s->proto != PROTO_ICMP)
		sum = csum_add(0, p + shape_ip_src(s),
			       s->version == 4 ? 8 : 32) +
		      s->proto + (len >> 16) + (len & 0xffff);
	put_be16(p + at, 0);
	v = (uint16_t)~csum_fold(csum_add(sum, p + s->l4, len));
	put_be16(p + at, v == 0 && s->proto == PROTO_UDP ? 0xffff : v);
	return 0;
}

/* For @n bytes at @old that become @new. */
static void adapt(uint8_t *sum, const uint8_t *old, const uint8_t *new,
		  uint32_t n)
{
	put_be16(sum, csum_move(get_be16(sum), csum_swap(0, old, new, n)));
}

void shape_put(uint8_t *p, uint32_t at, uint32_t where, const uint8_t *bytes,
	       uint32_t n)
{
	if (at > 0)
		adapt(p + at, p + where, bytes, n);
	memcpy(p + where, bytes, n);
}

void shape_put_ip(const struct shape *s, uint8_t *p, uint32_t where,
		  const uint8_t *ip)
{
	uint32_t n = s->version == 4 ? 4 : 16;
	uint32_t at = shape_csum_at(s, p);

	/* ICMP, unlike all others, has no pseudo header. */
	if (at > 0 && s->proto != PROTO_ICMP)
		adapt(p + at, p + where, ip, n);
	if (s->version == 4)
		adapt(p + s->l3 + 10, p + where, ip, n);
	memcpy(p + where, ip, n);
}

bool shape_ascending(const struct shape *s, const uint8_t *p)
{
	return s->version != 0 &&
	       memcmp(p + shape_ip_src(s), p + shape_ip_dst(s),
		      s->version == 4 ? 4 : 16) < 0;
}

static void shift_one(const struct shape *s, uint8_t *p, uint32_t where,
		      uint32_t n)
{
	uint32_t size = s->version == 4 ? 4 : 16;
	uint8_t ip[16];

	memcpy(ip, p + where, size);
	put_be32(ip + size - 4, get_be32(ip + size - 4) + n);
	shape_put_ip(s, p, where, ip);
}

void shape_shift(const struct shape *s, uint8_t *p, bool up, uint32_t n)
{
	if (s->version == 0)
		return;
	shift_one(s, p, shape_ip_src(s), up ? n : 0 - n);
	shift_one(s, p, shape_ip_dst(s), up ? 0 - n : n);
}
