/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * engine_sums - The accounts of an engine that was stopped (I33, I24)
 */
#ifndef FUZZ_ENGINE_SUMS_H
#define FUZZ_ENGINE_SUMS_H

#include "engine/engine.h"
#include "shadow/shadow.h"

/* Return: what does not hold of frames, or NULL. */
static inline const char *frame_sums(const struct engine_stats *st)
{
	uint64_t fates = counter_sum(&engine_fate_list, &st->count);
	uint64_t decoded[2] = { 0 };

	if (fates != st->count.frames_mirror + st->count.frames_sut +
			     st->count.other_legs)
		return "every frame has one fate";
	for (int i = 0; i < DECODE_COUNT; i++) {
		decoded[0] += st->decode[0][i];
		decoded[1] += st->decode[1][i];
	}
	if (decoded[0] != st->count.frames_mirror ||
	    decoded[1] != st->count.frames_sut)
		return "every frame was decoded once";
	return NULL;
}

/* Return: what does not hold of flows and verdicts, or NULL. */
static inline const char *verdict_sums(const struct engine *e)
{
	const struct engine_stats *st = engine_stats(e);
	const struct shadow_counters *c =
		shadow_counters((struct shadow *)(uintptr_t)engine_shadow(e));
	uint64_t verdicts = 0;
	uint64_t ended = 0;
	uint64_t lost = 0;

	for (int v = 0; v < VERDICT_COUNT; v++) {
		uint64_t sum = 0;

		for (int r = 0; r < REASON_COUNT; r++)
			sum += st->reason[v][r];
		if (sum != st->verdict[v])
			return "verdicts by reason";
		verdicts += sum;
	}
	for (int i = 0; i < FLOW_END_COUNT; i++) {
		ended += c->ended[i];
		lost += c->not_delivered[i];
	}
	if (ended != c->flows_seen)
		return "every leg ends once";
	if (c->ended[FLOW_END_NONE] != 0)
		return "every end has a reason";
	if (verdicts < c->requests_seen)
		return "every request has a verdict";
	if (c->requests_seen != c->requests_delivered + lost)
		return "every request was delivered or not";
	return NULL;
}

#endif /* FUZZ_ENGINE_SUMS_H */
