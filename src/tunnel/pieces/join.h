/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * join - Packets of a connection become a long one
 *
 * An owner's turn with each packet: join_look(); as long as join_first() names
 * a place, join_take() it and hand on what it has; then join_add(), and if that
 * does not take the packet, hand it on as it is. When there are no more for
 * now, take all places.
 */
#ifndef PIECES_JOIN_H
#define PIECES_JOIN_H

#include <stdbool.h>
#include <stdint.h>

#include "core/arena.h"
#include "pieces/vnet.h"

#define JOIN_PLACES 8	   /* connections at a time; full: one goes on early */
#define JOIN_MOST   65535u /* bytes of a packet; full: it goes on */
#define JOIN_COUNT  64u	   /* packets in it; full: the same */
#define JOIN_KEY    37

/**
 * struct join_look - What a packet is
 * @has_key:	It is known whose it is; else it keeps its place among all
 * @whole:	It may be joined with others: of TCP or UDP, with payload and
 *		right checksums
 */
struct join_look {
	bool has_key;
	bool whole;
	bool tcp;
	uint32_t l4;
	uint32_t head;
	uint8_t key[JOIN_KEY];
};

struct join;

/** join_size() - Arena bytes */
size_t join_size(void);

/**
 * join_init() - Make one that holds nothing
 * @udp:	Datagrams are joined, too: the device knows such long ones
 *
 * Return: 0, or -ENOMEM (@out untouched)
 */
int join_init(struct join **out, struct arena *a, bool udp);

/** join_look() - Look at a packet of @n bytes */
void join_look(const struct join *j, const uint8_t *p, uint32_t n,
	       struct join_look *l);

/** join_first() - The place that must be taken before this packet, or -1 */
int join_first(const struct join *j, const uint8_t *p, uint32_t n,
	       const struct join_look *l);

/**
 * join_add() - Put a copy of a packet into a place; join_first() named none
 *
 * Return: false: it is none that is joined
 */
bool join_add(struct join *j, const uint8_t *p, uint32_t n,
	      const struct join_look *l);

/** join_any() - A place that holds something, the oldest one, or -1 */
int join_any(const struct join *j);

/**
 * join_take() - Empty a place
 * @out:	Set to its packet, in front of which VNET_HEADER bytes are the
 *		caller's; valid until the next join_add()
 * @v:		What a device is to be told of it
 * @packets:	Set to how many it was
 *
 * Return: its length
 */
uint32_t join_take(struct join *j, int place, uint8_t **out, struct vnet *v,
		   uint32_t *packets);

#endif /* PIECES_JOIN_H */
