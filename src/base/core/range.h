/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * range - From one number to another
 */
#ifndef CORE_RANGE_H
#define CORE_RANGE_H

#include <stdint.h>

/** struct number_range - Numbers from 1; 0: open at that end */
struct number_range {
	uint64_t min;
	uint64_t max;
};

#endif /* CORE_RANGE_H */
