/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * judged.c - A rerun judges in its own process, and in order
 *
 * Theory of operation
 *
 * What the run's desk had no room for stands in the journal in front of the
 * input that it came of, so it is known when the engine asks, and refused
 * again. All else is judged at once; its answer is given when the engine's call
 * is over. So the sums are the run's, whatever its desk was doing. Under other
 * rules (--rules) other answers are asked for, and nothing is refused: the
 * bytes are all here.
 */
#include <errno.h>
#include <stdlib.h>

#include "app/tokens.h"
#include "compare/keep.h"
#include "desk/bench.h"
#include "engine/refer.h"
#include "rerun/rerun_internal.h"

#define HEADS (64u << 10) /* more than heads and trailers of both have */

/* An exchange that the run did not judge. */
struct refused {
	uint64_t flow;
	uint32_t index;
};

/**
 * struct judged - Who judges
 * @message:	Room for a case
 * @answer, @answers: Of the call under way
 * @refused, @first, @n, @room: Those that the journal told of, from the first
 *		that was not met yet
 */
struct judged {
	struct bench *bench;
	uint8_t *message;
	struct case_answer *answer;
	uint32_t answers;
	bool other; /* rules */
	struct refused *refused;
	size_t first, n, room;
};

static bool is_refused(struct judged *j, uint64_t flow, uint32_t index)
{
	const struct refused *r = &j->refused[j->first];

	if (j->other || j->first == j->n || r->flow != flow ||
	    r->index != index)
		return false;
	j->first++;
	return true;
}

static int refer(void *ctx, uint64_t flow, uint32_t index, const struct keep *k,
		 const struct case_view *c)
{
	struct judged *j = ctx;
	int r;

	if (is_refused(j, flow, index) || j->answers == REFER_MOST)
		return -EAGAIN;
	r = bench_judge(j->bench, j->message, keep_message(k, c, j->message),
			&j->answer[j->answers]);
	if (r < 0)
		return r;
	j->answers += r == 0;
	while (bench_next(j->bench, &j->answer[j->answers]))
		j->answers++;
	return 0;
}

/* By the engine, which had no slot; the run's had none either. */
static void refused(void *ctx, uint64_t flow, uint32_t index)
{
	(void)is_refused(ctx, flow, index);
}

int rerun_judge_open(struct rerun *g)
{
	struct engine_config *c = &g->o.engine;
	struct judged *j;
	int r;

	if (!c->by)
		return 0;
	j = calloc(1, sizeof(*j));
	g->judged = j;
	if (!j)
		return -ENOMEM;
	j->other = g->other_rules;
	j->message = malloc(2 * c->keep + HEADS);
	/* A call may bring as many cases, and each held answer once. */
	j->answer = malloc((REFER_MOST + BENCH_HELD + 1) * sizeof(*j->answer));
	r = bench_new(&j->bench, c->by, &c->key);
	if (!j->message || !j->answer || r != 0)
		return -ENOMEM;
	bench_redact(j->bench, &g->redact);
	if (engine_by_place(c))
		bench_all(j->bench);
	c->desk = (struct engine_desk){ .refer = refer,
					.refused = refused,
					.seed = tokens_seed(&c->key),
					.ctx = j };
	return 0;
}

void rerun_judge_close(struct rerun *g)
{
	struct judged *j = g->judged;

	if (!j)
		return;
	bench_free(j->bench);
	free(j->message);
	free(j->answer);
	free(j->refused);
	free(j);
	g->judged = NULL;
}

int rerun_judge_refused(struct rerun *g, uint64_t flow, uint32_t index)
{
	struct judged *j = g->judged;

	if (!j)
		return -EINVAL;
	if (j->first == j->n)
		j->first = j->n = 0;
	if (j->n == j->room) {
		size_t room = j->room > 0 ? 2 * j->room : 1024;
		void *p = realloc(j->refused, room * sizeof(*j->refused));

		if (!p)
			return -ENOMEM;
		j->refused = p;
		j->room = room;
	}
	j->refused[j->n++] = (struct refused){ flow, index };
	return 0;
}

const struct case_answer *rerun_judge_answer(struct rerun *g, uint32_t i)
{
	struct judged *j = g->judged;

	if (!j || i >= j->answers) {
		if (j)
			j->answers = 0;
		return NULL;
	}
	return &j->answer[i];
}
