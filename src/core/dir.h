/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dir - Which way a segment travels
 */
#ifndef CORE_DIR_H
#define CORE_DIR_H

#include <assert.h>

/** enum dir - Direction of a segment; also indexes per-direction arrays */
enum dir {
	DIR_C2S = 0, /* from the client, toward the server */
	DIR_S2C = 1, /* from the server, toward the client */

	DIR_COUNT /* must be last */
};

/** dir_reverse() - The other direction */
static inline enum dir dir_reverse(enum dir dir)
{
	assert(dir == DIR_C2S || dir == DIR_S2C);

	return dir == DIR_C2S ? DIR_S2C : DIR_C2S;
}

#endif /* CORE_DIR_H */
