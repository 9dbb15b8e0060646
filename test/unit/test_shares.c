/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_shares.c - Unit test of dial/shares: how many connections a client has
 */
#include "dial/shares.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "core/map.h"
#include "core/rng.h"

#define MOST 64u /* clients at a time */

static const struct hash_key key = { { 3, 4 } };

static void begin(struct shares *s, struct arena *a, uint32_t n)
{
	a->size = shares_size(n);
	a->used = 0;
	a->base = aligned_alloc(ARENA_ALIGN, a->size);
	memset(a->base, 0, a->size); /* as core/map wants it */
	shares_init(s, a, n, &key);
	CHECK(a->used == a->size);
}

static struct ipaddr four(uint32_t i)
{
	uint8_t b[4] = { 10, (uint8_t)(i >> 16), (uint8_t)(i >> 8),
			 (uint8_t)i };

	return ipaddr_from4(b);
}

static struct ipaddr six(uint8_t net, uint8_t host)
{
	uint8_t b[16] = { 0x20, 1, 0xd, 0xb8, 0, 0, 0, net };

	b[15] = host;
	return ipaddr_from6(b);
}

/* An IPv6 client is its /64; an IPv4 client is its address. */
static void a_client_has_so_many(void)
{
	struct ipaddr a = six(1, 1), b = six(1, 2), c = six(2, 1);
	struct ipaddr d = four(1), e = four(2);
	struct shares s;
	struct arena m;
	uint32_t at[2], i;

	begin(&s, &m, MOST);
	at[0] = shares_take(&s, &a, 2);
	at[1] = shares_take(&s, &b, 2);
	CHECK(at[0] != MAP_NONE && at[0] == at[1]);
	CHECK(shares_take(&s, &a, 2) == MAP_NONE);
	CHECK(shares_take(&s, &b, 2) == MAP_NONE);
	i = shares_take(&s, &c, 2);
	CHECK(i != MAP_NONE && i != at[0]);
	CHECK(shares_take(&s, &d, 1) != MAP_NONE);
	CHECK(shares_take(&s, &d, 1) == MAP_NONE);
	CHECK(shares_take(&s, &e, 1) != MAP_NONE);
	/* What is given back may be taken again; no bound is no bound. */
	shares_give(&s, at[0]);
	CHECK(shares_take(&s, &b, 2) == at[0]);
	for (int k = 0; k < 100; k++)
		CHECK(shares_take(&s, &c, 0) == i);
	free(m.base);
}

/* Against a plain table: as many as are taken, each client once, and all places
 * back at the end.
 */
static void sums_are_those_of_a_table(void)
{
	uint32_t taken[2 * MOST] = { 0 }, place[2 * MOST], clients = 0;
	struct rng r = { .s = 5 };
	struct shares s;
	struct arena m;

	begin(&s, &m, MOST);
	for (int k = 0; k < 200000; k++) {
		uint32_t c = rng_below(&r, 2 * MOST);
		struct ipaddr ip = four(c);

		if (rng_below(&r, 2) == 0 && taken[c] > 0) {
			shares_give(&s, place[c]);
			clients -= --taken[c] == 0;
		} else if (taken[c] > 0 || clients < MOST) {
			uint32_t at = shares_take(&s, &ip, 3);

			CHECK((at == MAP_NONE) == (taken[c] == 3));
			if (at == MAP_NONE)
				continue;
			CHECK(at < MOST && (taken[c] == 0 || at == place[c]));
			place[c] = at;
			clients += taken[c]++ == 0;
		}
	}
	for (uint32_t c = 0; c < 2 * MOST; c++)
		while (taken[c] > 0) {
			shares_give(&s, place[c]);
			taken[c]--;
		}
	for (uint32_t c = 0; c < MOST; c++) {
		struct ipaddr ip = four(1000 + c);

		CHECK(shares_take(&s, &ip, 1) != MAP_NONE);
	}
	free(m.base);
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "a client has so many", a_client_has_so_many },
		{ "sums are those of a table", sums_are_those_of_a_table },
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
