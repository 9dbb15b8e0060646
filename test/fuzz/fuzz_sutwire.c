/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_sutwire.c - Whatever is on the SUT's wire, the guard keeps its promises
 *
 * The input is a sequence of {length, frame}; between two frames time passes.
 * No frame goes to a hardware address that is no SUT's, but for questions to all; nothing goes out after a stop; a stop is for good.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/arena.h"
#include "core/bytes.h"
#include "lan/sutwire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static _Alignas(64) uint8_t memory[1 << 18];

static const struct sutwire_sut suts[2] = {
	{ .ip = { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 10, 72, 0, 20 } },
	  .port = 80,
	  .index = 0 },
	{ .ip = { { 0xfd, 0x72, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 20 } },
	  .port = 443,
	  .index = 1 },
};

static bool is_known(const struct sutwire *w, const uint8_t *mac)
{
	for (uint32_t i = 0; i < 2; i++)
		if (sutwire_mac(w, i) && memcmp(sutwire_mac(w, i), mac, 6) == 0)
			return true;
	return false;
}

static void check_effects(const struct sutwire *w, const struct effects *out,
			  bool may_ask)
{
	for (uint32_t i = 0; i < out->n; i++) {
		const struct effect *e = &out->e[i];

		if (e->kind == EFFECT_TCP)
			assert(e->sut < 2 && sutwire_mac(w, e->sut));
		else
			assert(e->rawlen <= EFFECT_RAW_MAX &&
			       (is_known(w, e->raw) ||
				(may_ask && (e->raw[0] & 1))));
	}
}

static size_t one_frame(struct sutwire *w, const uint8_t *p, size_t left,
			uint64_t now)
{
	size_t len = (size_t)p[0] + 1 < left ? p[0] : left - 1;
	struct frame_info f = { .data = p + 1,
				.cap = (uint32_t)len,
				.wire = (uint32_t)len,
				.link = LINK_ETHERNET,
				.csum_ok = true };
	bool stopped = sutwire_stop(w)->reason != SUTWIRE_GOING;
	struct effects out = { .n = 0 };
	struct decoded d;
	enum decode_result r;

	memset(&d, 0, sizeof(d));
	r = frame_decode(&f, NULL, now, &d);
	sutwire_frame(w, &f, r, &d, now, &out);
	check_effects(w, &out, true);
	if (stopped)
		assert(out.n == 0 && sutwire_stop(w)->reason != SUTWIRE_GOING);
	out.n = 0;
	sutwire_timeout(w, now, &out);
	check_effects(w, &out, true);
	if (sutwire_stop(w)->reason != SUTWIRE_GOING)
		assert(out.n == 0 && !sutwire_ready(w, 0) &&
		       !sutwire_ready(w, 1));
	return len + 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a = { .base = memory, .size = sizeof(memory) };
	struct sutwire_cfg cfg = { .sut = suts,
				   .suts = 2,
				   .ask = (size & 1) != 0,
				   .mac = { 2, 0xaa, 0, 0, 0, 1 },
				   .seed = 1 };
	struct sutwire *w;
	uint64_t now = 0;
	int rc = sutwire_init(&w, &a, &cfg, now);

	assert(rc == 0);
	(void)rc;
	for (size_t at = 0; at < size;) {
		now += 300 * NS_PER_MS;
		at += one_frame(w, data + at, size - at, now);
	}
	return 0;
}
