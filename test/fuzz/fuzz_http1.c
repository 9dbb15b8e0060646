/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_http1.c - Fuzz the HTTP/1 framer with arbitrary streams
 *
 * Input: 1 byte of seed, 1 byte of length of the client's stream (in units of 4
 * bytes), the client's stream, then an answer, given to production and the SUT.
 * The streams are framed whole and in random pieces: both must give the same
 * trace, every byte must be taken, and what framer.h promises of a piece must
 * hold (trace_add() counts what does not). Then holes: the framer must not fall
 * over, and a hole that it survives leaves its trace as if the bytes had come.
 */
#include "app/framer.h"

#include <assert.h>

#include "framer_trace.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t state[FRAMER_STATE_MAX / 8];

static uint64_t taken(const char *text)
{
	uint64_t sum = 0, n = 0;

	for (; *text != '\0'; text++) {
		if (*text >= '0' && *text <= '9')
			n = n * 10 + (uint64_t)(*text - '0');
		else
			n = 0;
		if (text[1] < '0' || text[1] > '9')
			sum += n;
	}
	return sum;
}

/* Frame all three streams, cut by @seed; 0: not at all. */
static void frame_all(struct trace t[WHO_COUNT], const uint8_t *p, size_t cn,
		      size_t an, uint64_t seed)
{
	enum cut cut = seed == 0   ? CUT_WHOLE
		       : seed == 1 ? CUT_BYTES
				   : CUT_RANDOM;
	struct rng rng = { seed };

	memset(t, 0, WHO_COUNT * sizeof(*t));
	framer_http1.init(state, false);
	trace_feed(&t[WHO_CLIENT], &framer_http1, state, WHO_CLIENT, p, cn, cut,
		   &rng);
	trace_feed(&t[WHO_PROD], &framer_http1, state, WHO_PROD, p + cn, an,
		   cut, &rng);
	trace_feed(&t[WHO_SUT], &framer_http1, state, WHO_SUT, p + cn, an, cut,
		   &rng);
	for (unsigned w = 0; w < WHO_COUNT; w++) {
		trace_end(&t[w]);
		assert(t[w].errors == 0);
		if (t[w].len < TRACE_MAX - 64)
			assert(taken(t[w].text) == (w == WHO_CLIENT ? cn : an));
	}
	assert(strcmp(t[WHO_PROD].text, t[WHO_SUT].text) == 0);
}

/* Skip random stretches of the answer. */
static void with_holes(const uint8_t *p, size_t n, struct rng *rng)
{
	struct framer_piece piece, want;
	uint64_t twin[FRAMER_STATE_MAX / 8];

	framer_http1.init(state, true);
	for (size_t i = 0; i < n; i += piece.used) {
		uint32_t hole = 1 + rng_below(rng, (uint32_t)(n - i));

		memcpy(twin, state, sizeof(twin));
		if (rng_below(rng, 8) == 0) {
			if (framer_http1.skip(state, WHO_PROD, hole)) {
				framer_http1.feed(twin, WHO_PROD, p + i, hole,
						  &want);
				assert(want.used == hole);
				assert((want.flags & FRAMER_MARK) == 0);
				assert(memcmp(twin, state, sizeof(twin)) == 0);
				piece.used = hole;
				continue;
			}
			framer_http1.resync(state, WHO_PROD, rng_below(rng, 9));
		}
		framer_http1.feed(state, WHO_PROD, p + i, (uint32_t)(n - i),
				  &piece);
		assert(piece.used >= 1 && piece.used <= n - i);
	}
	(void)framer_http1.fin(state, WHO_PROD);
	assert(framer_http1.fin(state, WHO_PROD) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct trace whole[WHO_COUNT], cut[WHO_COUNT];
	struct rng rng;
	size_t cn;

	if (size < 3 || size > 4096)
		return 0;
	rng.s = data[0];
	cn = (size_t)data[1] * 4;
	data += 2;
	size -= 2;
	if (cn > size)
		cn = size;
	frame_all(whole, data, cn, size - cn, 0);
	for (uint64_t seed = 1; seed < 4; seed++) {
		frame_all(cut, data, cn, size - cn, seed + rng.s);
		for (unsigned w = 0; w < WHO_COUNT; w++)
			assert(strcmp(whole[w].text, cut[w].text) == 0);
	}
	with_holes(data, size, &rng);
	(void)framer_http1.begins(data, (uint32_t)size);
	return 0;
}
