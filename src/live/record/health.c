/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * health.c - Names of what a SUT may be
 */
#include "record/health.h"

#include <assert.h>

const char *health_name(enum health_state s)
{
	static const char *const names[] = {
#define X(id, name) name,
		HEALTH_STATES(X)
#undef X
	};

	assert(s < HEALTH_COUNT);
	return names[s];
}

bool health_turn(struct health *h, enum health_state to, uint64_t since,
		 uint64_t now)
{
	bool was = health_is_down(h);

	if (h->state == to)
		return false;
	h->state = to;
	if (was && health_is_down(h))
		return true; /* otherwise than before; the time runs on */
	if (was) {
		h->down += now > h->since ? now - h->since : 0;
		h->back = now;
	} else if (health_is_down(h)) {
		h->since = since > h->back ? since : h->back;
		h->times++;
	}
	return true;
}
