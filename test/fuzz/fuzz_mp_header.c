/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_mp_header.c - Fuzz the readers of what stands between two ends of a tunnel
 *
 * What is taken is written again as the same bytes, keeps the promises of
 * struct mp_report, and one byte less or more of it is refused; what is refused
 * leaves the output alone.
 */
#include "multipath/header.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/seq.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_header(const uint8_t *p, uint32_t n)
{
	struct mp_header h = { .path = 77, .path_seq = 5 };
	uint8_t out[MP_HEADER_TIMED];
	int r = mp_header_parse(p, n, &h);

	if (r < 0) {
		assert(r == -EBADMSG && h.path == 77 && h.path_seq == 5);
		return;
	}
	assert((uint32_t)r <= n);
	assert(mp_header_emit(&h, out) == (uint32_t)r);
	assert(memcmp(out, p, (size_t)r) == 0);
}

static void fuzz_report(const uint8_t *p, uint32_t n)
{
	struct mp_report r = { .path = 77, .highest = 5 }, cut;
	uint8_t out[MP_CONTROL_MAX];
	uint32_t end;

	if (mp_report_parse(p, n, &r) != 0) {
		assert(r.path == 77 && r.highest == 5);
		return;
	}
	assert(n <= MP_CONTROL_MAX && r.ranges <= MP_RANGES);
	end = r.highest - UINT16_MAX;
	for (uint32_t i = 0; i < r.ranges; i++) {
		assert(r.range[i].count > 0);
		assert(i == 0 ? seq_le(end, r.range[i].first)
			      : seq_lt(end, r.range[i].first));
		end = r.range[i].first + r.range[i].count;
		assert(seq_le(end, r.highest));
	}
	assert(mp_report_emit(&r, out) == n);
	assert(memcmp(out, p, n) == 0);
	assert(mp_report_parse(p, n - 1, &cut) != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy;

	if (size == 0 || size > 512)
		return 0;
	copy = malloc(size);
	if (copy == NULL)
		abort();
	memcpy(copy, data, size);
	fuzz_header(copy, (uint32_t)size);
	fuzz_report(copy, (uint32_t)size);
	free(copy);
	return 0;
}
