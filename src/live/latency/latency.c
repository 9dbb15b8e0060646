/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * latency.c - How long client, production and SUT took, from stamps alone
 *
 * Theory of operation
 *
 * A latency is the difference of two stamps: of a captured frame the kernel's
 * (or the capture's), of what we send the clock when it was handed to the wire.
 * Both are in the journal, so that a rerun computes the same. The engine's
 * `now` is a batch's and serves no latency: a request and its answer often come
 * in one batch. And nothing that is decided looks at a stamp: clocks may be
 * wrong.
 *
 * An answer's last byte is the last to come, not the one with the highest
 * number; so is a request's.
 *
 * Each side of each exchange that is judged is measured or has a reason why
 * not, so that the sums close. The reasons stand in the order in which they are
 * looked for.
 *
 * Skew. From the SYN to the SYN,ACK, from there to the client's next segment,
 * and from a request to its answer no time can be negative. Where it is, by
 * more than the queues of one card explain, the directions came by two clocks
 * or two ways. A constant skew shows where the way is short enough; if it does
 * in more than LATENCY_SKEW_SHARE of a hundred, the differences of the others
 * are wrong by as much, and none is reported. A skew below every round trip
 * cannot be told from the wire.
 */
#include "latency/latency.h"

#include <string.h>

const char *latency_why_name(enum latency_why why)
{
	static const char *const name[] = {
#define X(id, text) [id] = text,
		LATENCY_WHYS(X)
#undef X
	};

	return name[why];
}

static enum latency_why why_of(const struct latency_stamps *s)
{
	if (!s->answered)
		return LATENCY_NO_ANSWER;
	if (s->guessed)
		return LATENCY_UNSURE;
	if (s->resumed)
		return LATENCY_RESUMED;
	if (s->stepped)
		return LATENCY_CLOCK_STEP;
	if (s->early)
		return LATENCY_EARLY;
	if (s->asked == 0 || s->first == 0 || s->last == 0)
		return LATENCY_NO_STAMP;
	if (s->first < s->asked || s->last < s->first)
		return LATENCY_SKEW;
	return LATENCY_MEASURED;
}

enum latency_why latency_of(const struct latency_stamps *s, struct latency *out)
{
	enum latency_why why = why_of(s);

	memset(out, 0, sizeof(*out));
	if (why == LATENCY_MEASURED) {
		out->first = s->first - s->asked;
		out->last = s->last - s->asked;
	}
	return why;
}

/* Of a packed stamp: it is one; it is before @from; how far the rest is
 * shifted.
 */
#define PACK_SOME  (UINT32_C(1) << 31)
#define PACK_BACK  (UINT32_C(1) << 30)
#define PACK_SHIFT 24
#define PACK_MAX   ((UINT64_C(1) << PACK_SHIFT) - 1)

uint32_t latency_pack(uint64_t from, uint64_t stamp)
{
	bool back = stamp < from;
	uint64_t d = back ? from - stamp : stamp - from;
	uint32_t shift = 0;

	while (d >> shift > PACK_MAX)
		shift++;
	return PACK_SOME | (back ? PACK_BACK : 0) | shift << PACK_SHIFT |
	       (uint32_t)(d >> shift);
}

uint64_t latency_unpack(uint64_t from, uint32_t packed)
{
	uint64_t d = (packed & PACK_MAX) << (packed >> PACK_SHIFT & 0x3f);

	if (packed == 0)
		return 0;
	return (packed & PACK_BACK) ? from - d : from + d;
}

enum latency_why latency_add(struct latency_side *side,
			     const struct latency_stamps *s,
			     struct latency *out)
{
	enum latency_why why = latency_of(s, out);

	side->why[why]++;
	if (why == LATENCY_MEASURED) {
		hist_add(&side->first, out->first);
		hist_add(&side->last, out->last);
	}
	return why;
}

bool latency_swapped(uint64_t earlier, uint64_t later)
{
	return earlier > later && earlier - later >= LATENCY_SKEW_MIN;
}

static void merge_pairs(struct latency_pairs *to,
			const struct latency_pairs *from)
{
	to->seen += from->seen;
	to->swapped += from->swapped;
}

static void merge_side(struct latency_side *to, const struct latency_side *from,
		       bool good)
{
	if (good) {
		hist_merge(&to->connect, &from->connect);
		hist_merge(&to->first, &from->first);
		hist_merge(&to->last, &from->last);
	}
	for (int i = 0; i < LATENCY_WHY_COUNT; i++)
		to->why[i == LATENCY_MEASURED && !good ? LATENCY_CLOCK_STEP
						       : i] += from->why[i];
}

void latency_void(struct latencies *to, const struct latencies *from, bool prod)
{
	merge_side(&to->side[LATENCY_PROD], &from->side[LATENCY_PROD], !prod);
	merge_side(&to->side[LATENCY_SUT], &from->side[LATENCY_SUT], false);
	if (prod)
		return;
	merge_pairs(&to->handshakes, &from->handshakes);
	merge_pairs(&to->answers, &from->answers);
}

void latency_merge(struct latencies *to, const struct latencies *from)
{
	for (int i = 0; i < LATENCY_SIDES; i++)
		merge_side(&to->side[i], &from->side[i], true);
	hist_merge(&to->own, &from->own);
	merge_pairs(&to->handshakes, &from->handshakes);
	merge_pairs(&to->answers, &from->answers);
}

static bool are_swapped(const struct latency_pairs *p)
{
	return p->swapped * 100 > p->seen * LATENCY_SKEW_SHARE;
}

bool latency_skewed(const struct latencies *l)
{
	return are_swapped(&l->handshakes) || are_swapped(&l->answers);
}

uint64_t latency_total(const struct latency_side *side)
{
	uint64_t n = 0;

	for (int i = 0; i < LATENCY_WHY_COUNT; i++)
		n += side->why[i];
	return n;
}

void latency_distrust(struct latency_side *side)
{
	side->why[LATENCY_SKEW] += side->why[LATENCY_MEASURED];
	side->why[LATENCY_MEASURED] = 0;
	memset(&side->connect, 0, sizeof(side->connect));
	memset(&side->first, 0, sizeof(side->first));
	memset(&side->last, 0, sizeof(side->last));
}
