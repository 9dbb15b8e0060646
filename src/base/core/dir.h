/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dir - The two directions in which segments travel
 */
#ifndef CORE_DIR_H
#define CORE_DIR_H

/** enum dir - Direction of a segment; also indexes arrays */
enum dir {
	DIR_C2S = 0, /* client to server */
	DIR_S2C = 1,

	DIR_COUNT /* must be last */
};

/** dir_reverse() - The other one */
static inline enum dir dir_reverse(enum dir d)
{
	return d == DIR_C2S ? DIR_S2C : DIR_C2S;
}

#endif /* CORE_DIR_H */
