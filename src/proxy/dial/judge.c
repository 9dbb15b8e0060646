/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * judge.c - May a client of SOCKS be taken to this address?
 */
#include "dial/judge.h"

#include <stddef.h>

#define V4(a, b, c, d, n)                                                      \
	{                                                                      \
		{ { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d } },  \
			IPADDR_4IN6 + (n)                                      \
	}
#define V6(a, b, c, d, n)                                                      \
	{                                                                      \
		{ { a, b, c, d } }, n                                          \
	}

/* Nobody can be connected to there. */
static const struct judge_net never[] = {
	V4(0, 0, 0, 0, 8),   V4(224, 0, 0, 0, 4),  V4(255, 255, 255, 255, 32),
	V6(0, 0, 0, 0, 128), V6(0xff, 0, 0, 0, 8),
};

/* IANA's registries of special purpose addresses (RFC 6890): not globally
 * reachable.
 */
static const struct judge_net inner[] = {
	V4(10, 0, 0, 0, 8),	  V4(100, 64, 0, 0, 10),
	V4(127, 0, 0, 0, 8),	  V4(169, 254, 0, 0, 16),
	V4(172, 16, 0, 0, 12),	  V4(192, 0, 0, 0, 24),
	V4(192, 0, 2, 0, 24),	  V4(192, 168, 0, 0, 16),
	V4(198, 18, 0, 0, 15),	  V4(198, 51, 100, 0, 24),
	V4(203, 0, 113, 0, 24),	  V4(240, 0, 0, 0, 4),
	V6(0, 0, 0, 0, 64),	  V6(0x01, 0, 0, 0, 64),
	V6(0x20, 0x01, 0, 0, 23), V6(0x20, 0x01, 0x0d, 0xb8, 32),
	V6(0xfc, 0, 0, 0, 7),	  V6(0xfe, 0x80, 0, 0, 10),
	V6(0xfe, 0xc0, 0, 0, 10),
};

/* Networks whose addresses hold one of IPv4, and at which byte. */
static const struct {
	struct judge_net net;
	uint8_t at;
	bool inverted;
} holds[] = {
	{ V6(0x00, 0x64, 0xff, 0x9b, 96), 12, false }, /* RFC 6052 */
	{ V6(0x20, 0x02, 0, 0, 16), 2, false },	       /* RFC 3056 */
	{ V6(0, 0, 0, 0, 96), 12, false },	       /* RFC 4291 2.5.5.1 */
	{ V6(0x20, 0x01, 0, 0, 32), 12, true },	       /* RFC 4380 */
};

static bool in_list(const struct judge_net *l, size_t n, const struct ipaddr *a)
{
	for (size_t i = 0; i < n; i++)
		if (ipaddr_in(a, &l[i].ip, l[i].bits))
			return true;
	return false;
}

bool judge_in(const struct judge_nets *l, const struct ipaddr *a)
{
	return in_list(l->net, l->n, a);
}

static bool of_the_world(const struct ipaddr *a)
{
	if (in_list(inner, sizeof(inner) / sizeof(inner[0]), a))
		return false;
	return !in_list(never, sizeof(never) / sizeof(never[0]), a);
}

/* The address of IPv4 within @a. Return: there is one */
static bool held(const struct ipaddr *a, struct ipaddr *out)
{
	uint8_t b[4];

	for (size_t i = 0; i < sizeof(holds) / sizeof(holds[0]); i++) {
		if (!ipaddr_in(a, &holds[i].net.ip, holds[i].net.bits))
			continue;
		for (int k = 0; k < 4; k++)
			b[k] = a->b[holds[i].at + k] ^
			       (holds[i].inverted ? 0xff : 0);
		*out = ipaddr_from4(b);
		return true;
	}
	return false;
}

bool judge_address(const struct judge_nets *allow,
		   const struct judge_nets *deny, const struct ipaddr *a)
{
	struct ipaddr four;
	bool has = held(a, &four);

	if (in_list(never, sizeof(never) / sizeof(never[0]), a) ||
	    judge_in(deny, a) || (has && judge_in(deny, &four)))
		return false;
	if (judge_in(allow, a))
		return true;
	return of_the_world(a) && (!has || of_the_world(&four));
}
