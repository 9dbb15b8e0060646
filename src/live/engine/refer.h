/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * refer - Exchanges that somebody else judges
 */
#ifndef ENGINE_REFER_H
#define ENGINE_REFER_H

#include "compare/keep.h"

#define KEEP_DEFAULT ((size_t)256 << 10) /* engine_config.keep */

/* Cases that are out at once; full: refused, and counted. */
#define REFER_MOST 4096u

/**
 * struct engine_desk - Who judges
 * @refer:	A case, or a note, which is not answered; the bytes of @k are
 *		borrowed. Return: 0; -EAGAIN: it has no room; any other: it is
 *		not there
 * @refused:	Exchange @index of @flow was not judged for lack of room
 */
struct engine_desk {
	int (*refer)(void *ctx, uint64_t flow, uint32_t index,
		     const struct keep *k, const struct case_view *c);
	void (*refused)(void *ctx, uint64_t flow, uint32_t index);
	void *ctx;
};

/* Answers that a desk may still take back; full: the oldest one stands. */
#define REFER_HELD 64u

/* Objects of which is known what the desk was told last. Two that fall on one
 * place are told again and again, which costs time and no truth.
 */
#define REFER_TOLD 4096u
/* A desk forgets; so what has not changed is told again after so long, ns. */
#define REFER_AGAIN (UINT64_C(60) * 1000000000)

/**
 * struct refer_stats - What came of rules
 * @handed, @judged, @lost: Cases: handed over, answered, and out when the desk
 *		went
 * @notes:	Answers of production's that were handed over to be remembered
 * @notes_refused: For which there was no room
 * @held:	Answers that could be taken back
 * @held_full:	Of these: stood because there were too many
 * @taken_back:	Of these
 * @made:	Equivalent answers, by all that made them so
 * @verdict:	By endpoint of the rules, and verdict
 * @overload:	By endpoint: refused
 */
struct refer_stats {
	uint64_t handed;
	uint64_t judged;
	uint64_t lost;
	uint64_t notes;
	uint64_t notes_refused;
	uint64_t held;
	uint64_t held_full;
	uint64_t taken_back;
	uint64_t made[CASE_MADE_COUNT];
	uint64_t verdict[RULES_ENDPOINTS][VERDICT_COUNT];
	uint64_t overload[RULES_ENDPOINTS];
};

#endif /* ENGINE_REFER_H */
