/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * effect.c - What an effect bears, and the names of its causes
 */
#include "effect/effect.h"

#include <assert.h>

const uint8_t *effects_data(const struct effect *e)
{
	return e->frame ? e->frame->data + e->off : NULL;
}

const char *cause_name(enum effect_cause c)
{
	static const char *const names[] = {
#define X(id, name) [id] = name,
		EFFECT_CAUSES(X)
#undef X
	};

	assert((unsigned)c < CAUSE_COUNT);
	return names[c];
}
