/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target.c - Is a SUT silent?
 *
 * A SUT is silent when nothing at all has come for so long although we sent, or
 * when it owes an answer that production gave and no payload of it has come:
 * its kernel may ack for a server that hangs (it is then called app_stalled).
 * Any frame proves that a SUT is back, of a app_stalled one only payload does.
 * What becomes of its flows is said in time.c.
 */
#include "shadow/shadow_internal.h"

/* Since when a SUT owes us anything; 0: it does not. */
uint64_t target_owes(const struct target *t)
{
	if (t->waiting == 0 || (t->owed != 0 && t->owed < t->waiting))
		return t->owed;
	return t->waiting;
}

void target_back(struct target *t)
{
	if (t->silent)
		t->owed = 0;
	t->silent = false;
	t->app_stalled = false;
}

static void fall_silent(const struct turn *t, struct target *sut)
{
	sut->silent = true;
	sut->owing = target_owes(sut);
	sut->app_stalled = sut->waiting == 0 ||
			   t->now - sut->waiting < t->s->opt.sut_silent;
	sut->canary = 0;
	sut->since = t->now;
	sut->trial = t->now;
	t->s->count.sut_silences++;
}

/* Has a SUT that owes us something been silent for too long? While it is, its
 * trials are looked at.
 */
void targets_watch(const struct turn *t)
{
	for (unsigned i = 0; i < MAP_MAX; i++) {
		struct target *sut = &t->s->target[i];
		uint64_t since = sut->silent ? sut->swept : target_owes(sut);

		if (since == 0 || t->now - since < t->s->opt.sut_silent)
			continue;
		if (!sut->silent)
			fall_silent(t, sut);
		sut->swept = t->now;
		t->s->sweep = true;
		t->s->sweep_at = 0;
	}
	t->s->watched = t->now;
}

bool shadow_is_silent(const struct shadow *s, uint8_t sut)
{
	return s->target[sut].silent;
}

uint64_t shadow_silent_since(const struct shadow *s, uint8_t sut)
{
	return s->target[sut].owing;
}

void shadow_heard(struct shadow *s, uint8_t sut)
{
	struct target *t = &s->target[sut];

	t->waiting = 0;
	if (t->silent && !t->app_stalled)
		target_back(t);
}
