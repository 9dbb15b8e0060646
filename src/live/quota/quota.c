/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * quota.c - Which clients are played, so that a SUT gets no more than a rate
 *
 * Theory of operation
 *
 * What clients say is counted by bucket, played or not: so what a bucket would
 * cost is known before it is played. At each step the load of a bucket is the
 * mean of the last QUOTA_STEPS steps, older ones fading, and buckets are taken
 * as long as their sum is no more than the rate: first those that are played,
 * in their order, so that who is played stays it; then others, at most
 * QUOTA_MORE at a step, so that a load that swings does not begin and end
 * clients all the time. A bucket that does not fit is passed over, since a
 * lighter one behind it may.
 *
 * A load that comes in bursts is light between them, and more is taken then
 * than fits into the next one. So what was played beyond the rate is owed, as
 * water in a bucket: from a credit of QUOTA_STEPS steps to a debt of as many.
 * A debt is taken from what may be played, and nobody is added before it is
 * paid. Over any time, what is played is the rate and 16 steps more at most,
 * but for loads that leap.
 *
 * A load that leaps would show in the mean only after some steps. So a bucket
 * also has to fit into twice the rate by what it said in the last step alone:
 * more than that is played for one step at most.
 */
#include "quota/quota.h"

#include <errno.h>

#define QUOTA_MORE (QUOTA_BUCKETS / 16)

/**
 * struct quota - What clients say, by bucket, and which are played
 * @step:	Bytes that the rate allows in a step
 * @from:	When the step under way began, ns
 * @spent:	Bytes played in the step under way
 * @debt:	Bytes played beyond the rate, in all; less than 0: a credit
 * @steps:	Steps that @sum has seen, up to QUOTA_STEPS
 * @said:	Bytes in the step under way
 * @sum:	Bytes in the last @steps steps, older ones fading
 * @plays:	Is it played?
 */
struct quota {
	struct hash_key key;
	uint64_t step;
	uint64_t from;
	uint64_t spent;
	int64_t debt;
	uint32_t steps;
	uint64_t said[QUOTA_BUCKETS];
	uint64_t sum[QUOTA_BUCKETS];
	bool plays[QUOTA_BUCKETS];
};

size_t quota_size(void)
{
	return arena_need(sizeof(struct quota));
}

int quota_init(struct quota **out, struct arena *a, uint64_t rate,
	       const struct hash_key *key, uint64_t now)
{
	struct quota *q;

	if (a->size - a->used < quota_size())
		return -ENOMEM;
	q = arena_take(a, sizeof(*q));
	q->key = *key;
	q->step = rate / 8 / (NS_PER_SEC / QUOTA_STEP);
	q->from = now;
	for (uint32_t b = 0; b < QUOTA_BUCKETS; b++)
		q->plays[b] = true;
	*out = q;
	return 0;
}

/* The step under way is over: what it brought goes into the loads. */
static void look_back(struct quota *q)
{
	bool full = q->steps == QUOTA_STEPS;
	int64_t most = (int64_t)(QUOTA_STEPS * q->step);

	for (uint32_t b = 0; b < QUOTA_BUCKETS; b++) {
		uint64_t fades = q->sum[b] / QUOTA_STEPS;

		q->sum[b] += q->said[b] - (full ? fades : 0);
	}
	q->steps += !full;
	q->debt += (int64_t)q->spent - (int64_t)q->step;
	if (q->debt > most)
		q->debt = most;
	if (q->debt < -most)
		q->debt = -most;
	q->spent = 0;
}

/* Take buckets that are played now (@played), or others, while they fit into
 * what is left of the mean (@mean) and of this step (@leap).
 */
static void choose(struct quota *q, bool played, bool was[QUOTA_BUCKETS],
		   uint64_t *mean, uint64_t *leap)
{
	uint32_t more = played ? QUOTA_BUCKETS : QUOTA_MORE;

	for (uint32_t b = 0; b < QUOTA_BUCKETS && more > 0; b++) {
		if (was[b] != played || q->sum[b] > *mean || q->said[b] > *leap)
			continue;
		*mean -= q->sum[b];
		*leap -= q->said[b];
		q->plays[b] = true;
		more--;
	}
}

static void decide(struct quota *q)
{
	uint64_t mean = q->step * q->steps;
	uint64_t leap = 2 * q->step;
	bool was[QUOTA_BUCKETS];

	if (q->debt > 0)
		mean -= (uint64_t)q->debt < mean ? (uint64_t)q->debt : mean;
	for (uint32_t b = 0; b < QUOTA_BUCKETS; b++) {
		was[b] = q->plays[b];
		q->plays[b] = false;
	}
	choose(q, true, was, &mean, &leap);
	if (q->debt <= 0)
		choose(q, false, was, &mean, &leap);
}

/* Steps without a call are steps in which nobody spoke. */
static void advance(struct quota *q, uint64_t now)
{
	for (uint32_t n = 0; now - q->from >= QUOTA_STEP; n++) {
		if (n > 16 * QUOTA_STEPS) {
			q->from = now;
			return;
		}
		look_back(q);
		decide(q);
		for (uint32_t b = 0; b < QUOTA_BUCKETS; b++)
			q->said[b] = 0;
		q->from += QUOTA_STEP;
	}
}

bool quota_plays(struct quota *q, const struct ipaddr *client, uint32_t bytes,
		 uint64_t now)
{
	uint32_t b = (uint32_t)(hash_bytes(&q->key, client, sizeof(*client)) %
				QUOTA_BUCKETS);

	advance(q, now);
	q->said[b] += bytes;
	q->spent += q->plays[b] ? bytes : 0;
	return q->plays[b];
}
