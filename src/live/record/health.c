/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * health.c - What a SUT may be, and for how long it was down
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

uint64_t health_down(const struct health *h, uint64_t now)
{
	return h->down +
	       (health_is_down(h) && now > h->since ? now - h->since : 0);
}
