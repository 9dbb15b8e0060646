/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * edit_damage.c - Frames that arrive broken
 *
 * Headers up to IP stay, so that what is broken still arrives. Lengths and
 * checksums stay too; who wants right ones over broken bytes asks for them.
 */
#include <errno.h>
#include <string.h>

#include "core/rng.h"
#include "rewrite/edit.h"
#include "rewrite/shape.h"

enum { FILL_ZERO, FILL_ONE, FILL_NOISE, FILLS };
enum { AT_START, WITHIN, AT_END, PLACES };

static void fill(struct rng *r, uint8_t *p, uint32_t n, uint32_t how)
{
	for (uint32_t i = 0; i < n; i++) {
		if (how == FILL_NOISE) /* never the byte that was there */
			p[i] ^= (uint8_t)(1 + rng_below(r, 255));
		else
			p[i] = how == FILL_ZERO ? 0 : 0xff;
	}
}

static uint32_t behind_ip(const struct shape *s, const uint8_t *p)
{
	if (s->l4 > 0 || s->version == 0)
		return s->l4 > 0 ? s->l4 : s->l3;
	return s->l3 + (s->version == 4 ? (p[s->l3] & 15u) * 4 : 40);
}

int edit_damage(uint64_t seed, uint64_t n, uint8_t *p, uint32_t *len)
{
	struct rng r = { .s = seed };
	uint32_t from, size, part, how;
	struct shape s;

	r.s = rng_next(&r) ^ n;
	if (shape_find(&s, p, *len))
		return -ENODATA;
	from = behind_ip(&s, p);
	if (from >= *len)
		return -ENODATA;
	size = *len - from;
	how = rng_below(&r, FILLS * PLACES + 2);
	if (how == FILLS * PLACES)
		return 0;
	if (how > FILLS * PLACES) {
		*len = from + rng_below(&r, size);
		return 1;
	}
	part = 1 +
	       rng_below(&r, size < EDIT_DAMAGE_MAX ? size : EDIT_DAMAGE_MAX);
	if (how / FILLS == WITHIN)
		from += rng_below(&r, size - part + 1);
	else if (how / FILLS == AT_END)
		from += size - part;
	fill(&r, p + from, part, how % FILLS);
	return 1;
}
