/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_inner.c - Fuzz what a tunnel reads of the packets in it
 *
 * A packet that is taken is one of exactly its length, by a reader that knows
 * the two headers by their offsets; ports are those of UDP and of a first fragment;
 * what is refused leaves the output alone.
 */
#include "ends/inner.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned be16(const uint8_t *p)
{
	return p[0] * 256u + p[1];
}

/* Where UDP begins, if it does. */
static size_t check4(const uint8_t *p, size_t n, const struct inner_head *h)
{
	assert(n >= 20 && be16(p + 2) == n);
	assert((p[0] & 15) >= 5 && (p[0] & 15) * 4u <= n);
	assert(ipaddr_is4(&h->src) && memcmp(h->src.b + 12, p + 12, 4) == 0);
	assert(ipaddr_is4(&h->dst) && memcmp(h->dst.b + 12, p + 16, 4) == 0);
	if (p[9] != 17 || (be16(p + 6) & 0x1fff) != 0)
		return n;
	return (p[0] & 15) * 4u;
}

static size_t check6(const uint8_t *p, size_t n, const struct inner_head *h)
{
	assert(n >= 40 && be16(p + 4) + 40 == n);
	assert(memcmp(h->src.b, p + 8, 16) == 0);
	assert(memcmp(h->dst.b, p + 24, 16) == 0);
	return p[6] == 17 ? 40 : n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ends_net all[] = { { .bits = IPADDR_4IN6 }, { .bits = 0 } };
	struct inner_head h = { .src_port = 7, .udp = true };
	uint8_t *copy;
	size_t at;

	if (size == 0 || size > 256)
		return 0;
	copy = malloc(size);
	if (copy == NULL)
		abort();
	memcpy(copy, data, size);
	all[0].ip = ipaddr_from4((const uint8_t[4]){ 0 });
	if (inner_read(copy, (uint32_t)size, &h) != 0) {
		assert(h.src_port == 7 && h.udp);
	} else {
		at = copy[0] >> 4 == 4 ? check4(copy, size, &h)
				       : check6(copy, size, &h);
		assert(h.udp == (at + 8 <= size));
		assert(h.src_port == (h.udp ? be16(copy + at) : 0));
		assert(h.dst_port == (h.udp ? be16(copy + at + 2) : 0));
		assert(inner_allowed(&h, all, 2));
		assert(!inner_allowed(&h, all, 0));
	}
	free(copy);
	return 0;
}
