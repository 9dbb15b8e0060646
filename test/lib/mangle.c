/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mangle - A mirror that repeats and swaps frames
 *
 *   mangle IN OUT [dup=PERMILLE] [swap=PERMILLE,DISTANCE] [seed=N]
 *
 * Every frame that comes in by IN goes out by OUT. Of each thousand, so many are
 * sent twice, and so many are held back until 1 to DISTANCE later frames (equally
 * often) have gone out; one at a time is held, and none longer than HOLD_NS. A
 * frame's virtio header goes with it, so super-frames stay whole.
 *
 * Prints "ready", and on SIGTERM or SIGINT what it did: "frames N dup N swap N
 * lost N"; lost are frames that the kernel could not give or take.
 */
#include <time.h>

#include "between.h"

#define HOLD_NS 2000000

struct mangle {
	struct between between;
	unsigned dup;
	unsigned swap;
	unsigned distance;
	uint64_t rng;
	unsigned long frames, dups, swaps;
	uint8_t held[FRAME_ROOM];
	size_t held_len;
	unsigned held_for; /* frames that still go first */
	uint64_t held_since;
};

static uint64_t clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* xorshift64 (Marsaglia 2003). Return: less than @n */
static unsigned draw(struct mangle *m, unsigned n)
{
	m->rng ^= m->rng << 13;
	m->rng ^= m->rng >> 7;
	m->rng ^= m->rng << 17;
	return (unsigned)((m->rng >> 32) % n);
}

static void put(struct mangle *m, const uint8_t *p, size_t len)
{
	if (send(m->between.out, p, len, 0) != (ssize_t)len)
		m->between.lost++;
}

static void let_go(struct mangle *m)
{
	if (m->held_len == 0)
		return;
	put(m, m->held, m->held_len);
	m->held_len = 0;
}

static void frame(void *ctx, uint8_t *p, size_t len)
{
	struct mangle *m = ctx;

	m->frames++;
	if (m->held_len == 0 && draw(m, 1000) < m->swap) {
		memcpy(m->held, p, len);
		m->held_len = len;
		m->held_for = 1 + draw(m, m->distance);
		m->held_since = clock_ns();
		m->swaps++;
		return;
	}
	put(m, p, len);
	if (draw(m, 1000) < m->dup) {
		put(m, p, len);
		m->dups++;
	}
	if (m->held_len > 0 && --m->held_for == 0)
		let_go(m);
}

static void options(struct mangle *m, char **word)
{
	unsigned long seed = 1;

	m->distance = 1;
	for (; *word; word++)
		if (sscanf(*word, "dup=%u", &m->dup) != 1 &&
		    sscanf(*word, "swap=%u,%u", &m->swap, &m->distance) != 2 &&
		    sscanf(*word, "seed=%lu", &seed) != 1) {
			fprintf(stderr, "mangle: %s?\n", *word);
			exit(2);
		}
	m->rng = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
}

static void held_too_long(void *ctx)
{
	struct mangle *m = ctx;

	if (m->held_len > 0 && clock_ns() - m->held_since >= HOLD_NS)
		let_go(m);
}

int main(int argc, char **argv)
{
	static struct mangle m;

	if (argc < 3) {
		fprintf(stderr, "usage: mangle IN OUT [dup=N] [swap=N,D]\n");
		return 2;
	}
	options(&m, argv + 3);
	m.between = (struct between){ .in = between_wire(argv[1], true),
				      .out = between_wire(argv[2], true),
				      .ctx = &m,
				      .frame = frame,
				      .idle = held_too_long };
	between_run(&m.between);
	let_go(&m);
	printf("frames %lu dup %lu swap %lu lost %lu\n", m.frames, m.dups,
	       m.swaps, m.between.lost);
	return 0;
}
