/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wait - How long the SUT's answer is waited for
 */
#ifndef EFFECT_WAIT_H
#define EFFECT_WAIT_H

#include <stdint.h>

#include "core/limits.h"

#define ANSWER_WAIT_LEAST (5 * NS_PER_SEC)  /* the least, by default */
#define ANSWER_WAIT_MORE  (60 * NS_PER_SEC) /* bound of ten times production's */

/**
 * answer_wait() - Without a byte of the answer for so long, it is not coming
 * @least:	The shortest wait, ns
 * @took:	From the request's last byte to the end of production's answer, ns
 *
 * Return: the largest of @least, 2 @took, and 10 @took up to ANSWER_WAIT_MORE
 */
static inline uint64_t answer_wait(uint64_t least, uint64_t took)
{
	uint64_t ten =
		took < ANSWER_WAIT_MORE / 10 ? 10 * took : ANSWER_WAIT_MORE;
	uint64_t w = 2 * took > ten ? 2 * took : ten;

	return w > least ? w : least;
}

/** answer_limit() - An answer that still flows after so long is late, ns */
static inline uint64_t answer_limit(uint64_t least, uint64_t took)
{
	uint64_t most = ANSWER_WAIT_MORE + 10 * took;
	uint64_t w = answer_wait(least, took);

	return most > w ? most : w;
}

#endif /* EFFECT_WAIT_H */
