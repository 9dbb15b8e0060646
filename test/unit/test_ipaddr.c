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
#include "header_use.h"

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

static const struct {
	const char *name;
	uint8_t b[16];
	bool v4, host;
} hosts[] = {
	{ "this network", { 0, 1, 2, 3 }, true, false },
	{ "the lowest", { 1, 0, 0, 1 }, true, true },
	{ "a private one", { 10, 0, 0, 1 }, true, true },
	{ "the loopback", { 127, 0, 0, 1 }, true, false },
	{ "169.253", { 169, 253, 1, 1 }, true, true },
	{ "link-local", { 169, 254, 1, 1 }, true, false },
	{ "x.254", { 168, 254, 1, 1 }, true, true },
	{ "the highest", { 223, 255, 255, 254 }, true, true },
	{ "a group", { 224, 0, 0, 1 }, true, false },
	{ "all", { 255, 255, 255, 255 }, true, false },
	{ "none", { 0 }, false, false },
	{ "::1", { [15] = 1 }, false, false },
	{ "2001:db8::", { 0x20, 1, 0x0d, 0xb8 }, false, true },
	{ "unique local", { 0xfd, 1 }, false, true },
	{ "fe00::", { 0xfe, 0 }, false, true },
	{ "link-local, lowest", { 0xfe, 0x80 }, false, false },
	{ "link-local, highest", { 0xfe, 0xbf, 0xff }, false, false },
	{ "fec0::", { 0xfe, 0xc0 }, false, true },
	{ "ff02::1", { 0xff, 2, [15] = 1 }, false, false },
};

static void a_host_is_of_more_than_one_link(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(hosts); i++) {
		struct ipaddr a = hosts[i].v4 ? ipaddr_from4(hosts[i].b)
					      : ipaddr_from6(hosts[i].b);

		CHECK_ROW(use_ipaddr_is_host(&a) == hosts[i].host,
			  hosts[i].name);
	}
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
		{ "a host is of more than one link",
		  a_host_is_of_more_than_one_link },
		{ "an arena gives what it has", an_arena_gives_what_it_has },
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
