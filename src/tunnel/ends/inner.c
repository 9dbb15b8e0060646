/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inner.c - What may go into the tunnel, and what may come out
 */
#include "ends/inner.h"

#include <errno.h>

#include "core/bytes.h"
#include "wire/numbers.h"
#include "wire/segment.h"

#define IP4_HEAD   20u
#define IP6_HEAD   40u
#define UDP_HEAD   8u
#define IP4_OFFSET 0x1fff /* of a fragment */

/* Ports of what begins @at, if it is UDP. */
static void read_ports(const uint8_t *p, uint32_t n, uint32_t at,
		       struct inner_head *h)
{
	if (n < at + UDP_HEAD)
		return;
	h->udp = true;
	h->src_port = get_be16(p + at);
	h->dst_port = get_be16(p + at + 2);
}

int inner_read(const uint8_t *p, uint32_t n, struct inner_head *h)
{
	struct inner_head t = { .udp = false };
	uint32_t head;

	if (n >= IP4_HEAD && p[0] >> 4 == 4) {
		head = (p[0] & 15u) * 4;
		if (head < IP4_HEAD || head > n || get_be16(p + 2) != n)
			return -EBADMSG;
		t.src = ipaddr_from4(p + 12);
		t.dst = ipaddr_from4(p + 16);
		if (p[9] == PROTO_UDP && !(get_be16(p + 6) & IP4_OFFSET))
			read_ports(p, n, head, &t);
	} else if (n >= IP6_HEAD && p[0] >> 4 == 6) {
		if (get_be16(p + 4) + IP6_HEAD != n)
			return -EBADMSG;
		t.src = ipaddr_from6(p + 8);
		t.dst = ipaddr_from6(p + 24);
		if (p[6] == PROTO_UDP)
			read_ports(p, n, IP6_HEAD, &t);
	} else {
		return -EBADMSG;
	}
	*h = t;
	return 0;
}

uint32_t inner_ip_at(const uint8_t *p, uint32_t n)
{
	uint32_t at = ETH_HEADER - 2;

	while (at + 6 <= n && ethertype_is_tag(get_be16(p + at)))
		at += 4;
	if (at + 2 > n || (get_be16(p + at) != ETHERTYPE_IP4 &&
			   get_be16(p + at) != ETHERTYPE_IP6))
		return 0;
	return at + 2;
}

int inner_of_frame(const uint8_t *p, uint32_t n, struct inner_head *h)
{
	uint32_t at = inner_ip_at(p, n);
	uint32_t len = 0;

	if (at == 0)
		return -ENOENT;
	p += at;
	n -= at;
	if (n >= IP4_HEAD && p[0] >> 4 == 4)
		len = get_be16(p + 2);
	else if (n >= IP6_HEAD && p[0] >> 4 == 6)
		len = get_be16(p + 4) + IP6_HEAD;
	return len > n ? -EBADMSG : inner_read(p, len, h);
}

bool inner_allowed(const struct inner_head *h, const struct ends_net *net,
		   unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (ipaddr_in(&h->src, &net[i].ip, net[i].bits))
			return true;
	return false;
}
