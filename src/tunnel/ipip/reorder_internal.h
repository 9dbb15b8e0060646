/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reorder_internal - The state of the reorder buffer
 */
#ifndef IPIP_REORDER_INTERNAL_H
#define IPIP_REORDER_INTERNAL_H

#include "core/list.h"
#include "core/map.h"
#include "core/wheel.h"
#include "ipip/reorder.h"

#define REORDER_KEY 12 /* both addresses, both ports */

/**
 * struct reorder_flow - A connection, in one direction
 * @link:	Of the map; 0: it is free
 * @used:	Those that were used least lately stand in front
 * @hole:	Armed while something is held and there is a time to hold it
 * @syn, @isn:	It began with a SYN, which had this number
 * @turn:	Sequence number that is due
 * @first, @last: What is held, by its numbers; all begin beyond @turn. Of a
 *		frame, seq is its first number and ack the one behind its last
 */
struct reorder_flow {
	uint32_t link;
	uint8_t key[REORDER_KEY];
	uint64_t hash;
	struct list used;
	struct timer hole;
	bool syn;
	uint32_t isn;
	uint32_t turn;
	uint32_t held;
	struct buf *first;
	struct buf *last;
};

/** struct reorder - @ready: what goes on, in its order */
struct reorder {
	struct reorder_limits limits;
	struct reorder_config config;
	struct pool *pool;
	struct map map;
	struct wheel wheel;
	struct list used;
	struct reorder_flow *flow;
	uint32_t held;
	struct buf *ready;
	struct buf **ready_last;
	struct reorder_counters n;
};

#endif /* IPIP_REORDER_INTERNAL_H */
