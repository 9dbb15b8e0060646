/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * effect.c - Names of the causes of effects
 */
#include "effect/effect.h"

#include <assert.h>

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
