/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wait.c - How long an answer is waited for
 */
#include "effect/wait.h"

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

uint64_t answer_wait(uint64_t least, uint64_t took)
{
	uint64_t ten =
		took < ANSWER_WAIT_MORE / 10 ? 10 * took : ANSWER_WAIT_MORE;

	return larger(least, larger(ten, 2 * took));
}

uint64_t answer_limit(uint64_t least, uint64_t took)
{
	return larger(ANSWER_WAIT_MORE + 10 * took, answer_wait(least, took));
}
