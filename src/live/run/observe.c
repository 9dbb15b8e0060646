/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * observe.c - Who is notified of what goes into the engine, and comes out
 */
#include "run/observe.h"

#include <assert.h>

#include "run/run_internal.h"

#define TELL(run, op, ...)                                                     \
	do {                                                                   \
		for (unsigned i = 0; i < (run)->observers; i++)                \
			if ((run)->observer[i]->op)                            \
				(run)->observer[i]->op(__VA_ARGS__);           \
	} while (0)

void observe_add(struct run *run, const struct observer_ops *ops)
{
	assert(run->observers < OBSERVERS_MAX);
	run->observer[run->observers++] = ops;
}

void observe_none(struct run *run)
{
	run->observers = 0;
}

void observe_ahead(struct run *run)
{
	TELL(run, ahead, run);
}

void observe_input(struct run *run, const struct run_input *in)
{
	TELL(run, input, run, in);
}

void observe_timeout(struct run *run)
{
	TELL(run, timeout, run);
}

void observe_note(struct run *run, enum engine_note what, uint64_t value)
{
	TELL(run, note, run, what, value);
}

void observe_clock(struct run *run, int64_t step)
{
	TELL(run, clock, run, step);
}

void observe_effect(struct run *run, const struct effect *x, const uint8_t *dst)
{
	TELL(run, effect, run, x, dst);
}

void observe_unsent(struct run *run, uint64_t number)
{
	TELL(run, unsent, run, number);
}

void observe_left(struct run *run, uint64_t to, uint64_t stamp)
{
	TELL(run, left, run, to, stamp);
}

void observe_item(struct run *run, const struct engine_item *t)
{
	TELL(run, told, run, t);
	runctl_item(run->control, t, run->now);
}
