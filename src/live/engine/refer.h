/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * refer - Exchanges that somebody else judges
 */
#ifndef ENGINE_REFER_H
#define ENGINE_REFER_H

#include "compare/keep.h"

#define KEEP_DEFAULT ((size_t)256 << 10) /* engine_config.keep */

/* Cases that are out at once, and of them a share of each sort of requests
 * (core/portions.h); full: refused, and counted.
 */
#define REFER_MOST 4096u

/**
 * struct engine_desk - Who judges
 * @refer:	A case, or a note, which is not answered; the bytes of @k are
 *		borrowed. Return: 0; -EAGAIN: it has no room; any other: it is
 *		not there
 * @refused:	Exchange @index of @flow was not judged for lack of room
 * @seed:	Of the numbers of tokens: tokens_seed() of the judge's key
 * @room:	Bytes of cases that it has room for; 0: that is not known
 */
struct engine_desk {
	int (*refer)(void *ctx, uint64_t flow, uint32_t index,
		     const struct keep *k, const struct case_view *c);
	void (*refused)(void *ctx, uint64_t flow, uint32_t index);
	uint64_t seed;
	size_t room;
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

#endif /* ENGINE_REFER_H */
