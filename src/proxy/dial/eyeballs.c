/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * eyeballs.c - In which order, and when, addresses of a name are tried
 *
 * Theory of operation
 *
 * Section 3: both families are asked for at once. The preferred one's answer is
 * used when it comes; the other one's only EYEBALLS_RESOLUTION later, if the
 * preferred one has said nothing until then. Section 4: they take turns.
 * Section 5: an attempt has EYEBALLS_ATTEMPT for itself; then, or when one
 * fails, the next begins beside those that go on. Addresses that come late
 * (section 6) take their turns from then on.
 *
 * The RFC has no limit of attempts at once. Here there is one:
 * with it the next waits until one of them has ended.
 */
#include "dial/eyeballs.h"

#include <assert.h>
#include <string.h>

void eyeballs_begin(struct eyeballs *e, unsigned most)
{
	assert(most > 0 && most <= UINT8_MAX);
	memset(e, 0, sizeof(*e));
	e->most = (uint8_t)most;
	e->turn = EYEBALLS_PREFERRED;
}

void eyeballs_answer(struct eyeballs *e, enum eyeballs_family family,
		     const struct ipaddr *a, unsigned n, uint64_t now)
{
	unsigned k = n < EYEBALLS_ADDRESSES ? n : EYEBALLS_ADDRESSES;

	assert(!e->answered[family]);
	e->answered[family] = true;
	if (k > 0)
		memcpy(e->a[family], a, k * sizeof(*a));
	e->n[family] = (uint8_t)k;
	if (family == EYEBALLS_OTHER)
		e->wait_until = now + EYEBALLS_RESOLUTION;
}

static bool has_more(const struct eyeballs *e, unsigned family)
{
	return e->at[family] < e->n[family];
}

static bool all_tried(const struct eyeballs *e)
{
	return !has_more(e, EYEBALLS_PREFERRED) && !has_more(e, EYEBALLS_OTHER);
}

/* Has the other family an address, and the preferred one not yet? */
static bool is_early(const struct eyeballs *e)
{
	return !e->began && !e->answered[EYEBALLS_PREFERRED];
}

/* When the next attempt may begin, if there is one. */
static uint64_t next_time(const struct eyeballs *e)
{
	if (all_tried(e) || e->out >= e->most)
		return UINT64_MAX;
	if (is_early(e))
		return e->wait_until;
	return e->out > 0 ? e->next_at : 0;
}

enum eyeballs_step eyeballs_next(struct eyeballs *e, uint64_t now,
				 struct ipaddr *out)
{
	unsigned family = e->turn;

	if (all_tried(e))
		return e->out == 0 && e->answered[EYEBALLS_PREFERRED] &&
				       e->answered[EYEBALLS_OTHER]
			       ? EYEBALLS_OVER
			       : EYEBALLS_WAIT;
	if (now < next_time(e))
		return EYEBALLS_WAIT;
	if (!has_more(e, family))
		family = 1 - family;
	*out = e->a[family][e->at[family]++];
	e->turn = (uint8_t)(1 - family);
	e->began = true;
	e->out++;
	e->next_at = now + EYEBALLS_ATTEMPT;
	return EYEBALLS_TRY;
}

void eyeballs_failed(struct eyeballs *e)
{
	assert(e->out > 0);
	e->out--;
	e->next_at = 0;
}

bool eyeballs_alone(const struct eyeballs *e)
{
	return e->most == 1 ||
	       (e->out == 1 && all_tried(e) &&
		e->answered[EYEBALLS_PREFERRED] && e->answered[EYEBALLS_OTHER]);
}

uint64_t eyeballs_due(const struct eyeballs *e)
{
	return next_time(e);
}
