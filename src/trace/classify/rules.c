/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rules.c - What the user said about splitting a capture in two
 */
#include "classify/rules.h"

#include <string.h>

static bool net_has(const struct prep_net *n, const uint8_t *addr, bool v6)
{
	unsigned whole = n->bits / 8;
	unsigned rest = n->bits % 8;

	if (n->v6 != v6 || memcmp(addr, n->b, whole) != 0)
		return false;
	return rest == 0 || (addr[whole] ^ n->b[whole]) >> (8 - rest) == 0;
}

bool prep_nets_have(const struct prep_nets *n, const uint8_t *addr, bool v6)
{
	for (size_t i = 0; i < n->n; i++)
		if (net_has(&n->net[i], addr, v6))
			return true;
	return false;
}

bool prep_number_picked(const struct prep_rules *r, uint64_t i)
{
	bool in = false;

	if (r->pick != PICK_PACKETS)
		return true;
	for (size_t k = 0; k < r->ranges && !in; k++) {
		const struct number_range *p = &r->range[k];

		if (p->min == 0)
			in = i <= p->max;
		else
			in = i >= p->min && (i <= p->max || p->max == 0);
	}
	return in != r->exclude;
}

bool prep_addrs_picked(const struct prep_rules *r, const uint8_t *src,
		       const uint8_t *dst, bool v6)
{
	bool s, d, in;

	if (r->pick < PICK_SOURCE || r->pick > PICK_EITHER)
		return true;
	s = prep_nets_have(&r->picked, src, v6);
	d = prep_nets_have(&r->picked, dst, v6);
	switch (r->pick) {
	case PICK_SOURCE:
		in = s;
		break;
	case PICK_DEST:
		in = d;
		break;
	case PICK_BOTH:
		in = s && d;
		break;
	default:
		in = s || d;
	}
	return in != r->exclude;
}

bool prep_mac_listed(const struct prep_rules *r, const uint8_t *mac)
{
	for (size_t i = 0; i < r->macs; i++)
		if (memcmp(r->mac[i].b, mac, sizeof(r->mac[i].b)) == 0)
			return true;
	return false;
}
