/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_fit.c - What is done to packets that must fit a way
 *
 * Input: two bytes of an MTU, then a packet. A SYN that is changed has changed in its
 * MSS and its checksum alone, became less, and its sum is as right or wrong as before;
 * an answer has a right sum, quotes the packet, and goes back to its source.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "core/csum.h"
#include "wire/fit.h"
#include "wire/pseudo.h"
#include "wire/segment.h"

#define MOST 2048

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Is this what became of a SYN whose TCP header begins at @tcp and whose MSS lies at
 * @at?
 */
static bool is_lowered(const uint8_t *before, const uint8_t *after, uint32_t n,
		       uint32_t tcp, uint32_t at, uint32_t mtu)
{
	uint32_t over = before[0] >> 4 == 4 ? 40 : 60;

	if (tcp + 24 > n || at < tcp + 22 || at + 2 > n ||
	    before[at - 2] != 2 || before[at - 1] != 4 ||
	    (before[tcp + 13] & TCP_SYN) == 0 ||
	    get_be16(after + at) != mtu - over ||
	    get_be16(before + at) <= mtu - over)
		return false;
	for (uint32_t i = 0; i < n; i++)
		if (before[i] != after[i] && i - tcp - 16 > 1 && i - at > 1)
			return false;
	/* 0 and 0xffff are one number. */
	return csum_fold(csum_add(0, before + tcp, n - tcp)) % 0xffff ==
	       csum_fold(csum_add(0, after + tcp, n - tcp)) % 0xffff;
}

/* The first byte that differs is of the checksum, the last one of the MSS. */
static void check_mss(const uint8_t *before, const uint8_t *after, uint32_t n,
		      uint32_t mtu)
{
	uint32_t first = 0, last = n - 1;
	bool good = false;

	while (first < n && before[first] == after[first])
		first++;
	while (last > first && before[last] == after[last])
		last--;
	assert(last > first && first >= 17);
	for (uint32_t i = 0; i < 4; i++)
		good |= is_lowered(before, after, n, first - 16 - i / 2,
				   last - i % 2, mtu);
	assert(good);
}

static void check_answer(const uint8_t *p, uint32_t n, const uint8_t *out,
			 uint32_t len, uint32_t mtu)
{
	bool four = p[0] >> 4 == 4;
	uint32_t head = four ? 20 : 40, a = four ? 4 : 16;
	uint64_t sum = 0;

	assert(len <= (four ? FIT_ANSWER4 : FIT_ANSWER6) && len > head + 8);
	assert(!fit_may_cut(p, n) && len - head - 8 <= n);
	assert(memcmp(out + head + 8, p, len - head - 8) == 0);
	assert(memcmp(out + head - a, p + head - 2 * a, a) == 0);
	assert(memcmp(out + head - 2 * a, p + head - a, a) == 0);
	if (four) {
		assert(get_be16(out + 2) == len && get_be16(out + 26) == mtu);
		assert(csum_fold(csum_add(0, out, 20)) == 0xffff);
	} else {
		struct ipaddr src = ipaddr_from6(out + 8);
		struct ipaddr dst = ipaddr_from6(out + 24);

		assert(get_be16(out + 4) == len - 40);
		assert(get_be32(out + 44) == mtu);
		sum = pseudo_sum(false, &src, &dst, PROTO_ICMP6, len - 40);
	}
	assert(csum_fold(csum_add(sum, out + head, len - head)) == 0xffff);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t out[FIT_ANSWER6];
	uint8_t *p;
	uint32_t n, mtu, len;

	if (size < 3 || size > MOST)
		return 0;
	mtu = 1280u + get_be16(data) % 8000;
	n = (uint32_t)size - 2;
	p = malloc(n);
	if (p == NULL)
		abort();
	memcpy(p, data + 2, n);
	len = fit_answer(p, n, mtu, out);
	assert(memcmp(p, data + 2, n) == 0);
	if (len > 0)
		check_answer(p, n, out, len, mtu);
	if (fit_mss(p, n, mtu))
		check_mss(data + 2, p, n, mtu);
	else
		assert(memcmp(p, data + 2, n) == 0);
	free(p);
	return 0;
}
