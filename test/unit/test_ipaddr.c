/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_ipaddr.c - Unit test of core/ipaddr and core/arena
 *
 * A prefix is held against a model that looks at one bit after the other.
 */
#include "core/ipaddr.h"

#include <stdalign.h>
#include <string.h>

#include "check.h"
#include "core/arena.h"

static bool bit(const struct ipaddr *a, unsigned i)
{
	return (a->b[i / 8] >> (7 - i % 8) & 1) != 0;
}

static void a_prefix_ends_at_its_bit(void)
{
	uint8_t b[16] = { 0x20, 1, 0x0d, 0xb8, 0xa5, 0x5a, 0xff, 0,
			  1,	2, 3,	 4,    5,    6,	   7,	 8 };
	struct ipaddr net = ipaddr_from6(b);

	for (unsigned i = 0; i < IPADDR_BITS; i++) {
		struct ipaddr a = net;

		a.b[i / 8] ^= (uint8_t)(0x80 >> i % 8);
		CHECK(bit(&a, i) != bit(&net, i));
		for (unsigned bits = 0; bits <= IPADDR_BITS; bits++)
			CHECK(ipaddr_in(&a, &net, bits) == (bits <= i));
	}
	CHECK(ipaddr_in(&net, &net, IPADDR_BITS));
}

static void an_ipv4_address_is_in_no_ipv6_prefix(void)
{
	const uint8_t v4[4] = { 10, 1, 2, 3 };
	const uint8_t zero[16] = { 0 };
	struct ipaddr four = ipaddr_from4(v4);
	struct ipaddr six = ipaddr_from6(zero);

	for (unsigned bits = 0; bits < IPADDR_4IN6; bits++)
		CHECK(!ipaddr_in(&four, &four, bits));
	for (unsigned bits = IPADDR_4IN6; bits <= IPADDR_BITS; bits++)
		CHECK(ipaddr_in(&four, &four, bits));
	CHECK(ipaddr_in(&six, &six, 0) && !ipaddr_in(&four, &six, 0));
	CHECK(!ipaddr_in(&six, &four, IPADDR_4IN6));
}

static void an_arena_gives_what_it_has(void)
{
	static alignas(ARENA_ALIGN) uint8_t memory[4 * ARENA_ALIGN];
	struct arena a = { .base = memory, .size = sizeof(memory) };

	CHECK(arena_take(&a, 1) == memory);
	CHECK(arena_take(&a, ARENA_ALIGN) == memory + ARENA_ALIGN);
	CHECK(arena_take(&a, 2 * ARENA_ALIGN + 1) == NULL);
	CHECK(arena_take(&a, SIZE_MAX) == NULL); /* its need wraps */
	CHECK(a.used == 2 * ARENA_ALIGN);
	CHECK(arena_take(&a, 2 * ARENA_ALIGN) == memory + 2 * ARENA_ALIGN);
	CHECK(arena_take(&a, 1) == NULL);
	CHECK(arena_take(&a, 0) != NULL && a.used == sizeof(memory));
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "a prefix ends at its bit", a_prefix_ends_at_its_bit },
		{ "an IPv4 address is in no IPv6 prefix",
		  an_ipv4_address_is_in_no_ipv6_prefix },
		{ "an arena gives what it has", an_arena_gives_what_it_has },
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
