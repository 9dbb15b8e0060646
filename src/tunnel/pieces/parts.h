/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * parts - A frame that is longer than a path takes goes in parts
 *
 * What goes through the tunnel is a frame, or a part of one, and a trailer:
 *
 *	frame	0			(1 byte)
 *	part	id offset total 1	(2, 2, 2 and 1 bytes, big-endian)
 *
 * It stands behind and not in front, so that a frame, and the first part of
 * one, begin as frames do.
 */
#ifndef PIECES_PARTS_H
#define PIECES_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"

#define PARTS_FRAME   9216u /* bytes of the longest frame */
#define PARTS_WHOLE   1u    /* bytes of a trailer */
#define PARTS_TRAILER 7u
#define PARTS_UNIT    8u /* parts begin at multiples of it */
#define PARTS_OPEN                                                             \
	64u /* frames of which some parts came; full: the oldest
			   * is given up (lost) */

/** struct parts_counters - What became of frames whose parts came */
struct parts_counters {
	uint64_t joined; /* all came */
	uint64_t lost;	 /* given up: some did not come */
	uint64_t bad;	 /* parts that nobody writes */
};

/** enum parts_got - What a packet of the tunnel is */
enum parts_got {
	PARTS_BAD,  /* nothing; counted */
	PARTS_DONE, /* a frame */
	PARTS_WAIT, /* a part of one that is not whole yet */
};

struct parts;

/** parts_size() - Arena bytes */
size_t parts_size(void);

/** parts_init() - Return: 0, or -ENOMEM (@out untouched) */
int parts_init(struct parts **out, struct arena *a);

/**
 * parts_each() - How long the parts of a frame are
 * @n:		Bytes of the frame, 1 to PARTS_FRAME
 * @most:	Longest packet, trailer included; more than PARTS_TRAILER +
 *		PARTS_UNIT
 *
 * They are as alike as can be: a path takes as many of a short one.
 *
 * Return: bytes of each but the last, without the trailer; @n: it goes whole
 */
uint32_t parts_each(uint32_t n, uint32_t most);

/**
 * parts_put() - Write a frame or a part of one, with its trailer
 * @frame, @n:	The frame
 * @id:		Of the frame, among those that are under way
 * @offset:	Of the part; 0 and @each @n: the frame
 * @out:	@each + PARTS_TRAILER bytes
 *
 * Return: bytes written
 */
uint32_t parts_put(const uint8_t *frame, uint32_t n, uint16_t id,
		   uint32_t offset, uint32_t each, uint8_t *out);

/** parts_begins() - Does a packet of @n bytes begin as its frame does? */
bool parts_begins(const uint8_t *p, uint32_t n);

/**
 * parts_take() - A packet came
 * @p, @n:	The packet
 * @frame, @len: Of PARTS_DONE: the frame, in @p or in memory of @s, valid
 *		until the next call
 */
enum parts_got parts_take(struct parts *s, const uint8_t *p, uint32_t n,
			  const uint8_t **frame, uint32_t *len);

/** parts_reset() - The other end is new: no old part goes with a new one */
void parts_reset(struct parts *s);

/** parts_counters() - What was counted */
const struct parts_counters *parts_counters(const struct parts *s);

#endif /* PIECES_PARTS_H */
