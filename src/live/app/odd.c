/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * odd.c - What of a message is not by the book, in words
 */
#include <assert.h>

#include "app/framer.h"

const char *framer_odd_text(enum framer_odd o)
{
	static const char *const text[] = {
#define X(id, words) [id] = words,
		FRAMER_ODDS(X)
#undef X
	};

	assert(o < ODD_COUNT);
	return text[o];
}
