/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * limits - Every named bound of the packet path
 *
 * Memory is taken once, at start, from struct limits; nothing grows. What
 * happens when one of these is reached is written at its name, and counted.
 */
#ifndef CORE_LIMITS_H
#define CORE_LIMITS_H

#include <stddef.h>
#include <stdint.h>

#define NS_PER_SEC UINT64_C(1000000000)
#define NS_PER_MS  UINT64_C(1000000)
#define NS_PER_US  UINT64_C(1000)

/* Effects of one call of a machine; what is left over is due at once. Tests
 * build the machine with fewer, so that something is left over often.
 */
#ifndef EFFECTS_MAX
#define EFFECTS_MAX 16
#endif
/* Longest frame taken from a wire (BIG TCP); a longer one is truncated. */
#define FRAME_MAX (512u * 1024)
/* Production servers and SUTs that can be named by --map. */
#define MAP_MAX 64
/* SUTs that one production server may have (one to many). */
#define LEGS_MAX 4

/**
 * struct limits - Bounds that the command line may set
 * @flows:	Flows in the table; full: a victim is ended (oldest half-open,
 *		then time-wait, then longest idle), else the new one is not
 *		played
 * @pool:	Bytes of captured payload held for all flows; full: the flow
 *		that asks is ended (pool_full)
 * @flow_share:	Bytes of it that one flow may hold; over: it is shed (behind)
 * @frags:	IP datagrams under reassembly; full: the oldest is dropped
 */
struct limits {
	uint32_t flows;
	size_t pool;
	size_t flow_share;
	uint32_t frags;
};

#endif /* CORE_LIMITS_H */
