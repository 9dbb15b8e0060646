/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * compare_internal - The two halves of a comparison: bytes and fields
 */
#ifndef COMPARE_COMPARE_INTERNAL_H
#define COMPARE_COMPARE_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compare/compare.h"
#include "core/frame.h"

/* What a step of a comparison found; negative: -ENOMEM or -E2BIG. */
enum found { FOUND_NOTHING, FOUND_BYTE, FOUND_LENGTH };

#define LANE_WORDS 4

/**
 * struct lane - Two streams of bytes that should be the same
 * @pos:	Bytes that came of each
 * @room:	Memory of the first @room_size bytes that are kept
 * @keep:	Frames with the following ones, in order; len is their capacity
 * @hash:	Of the block under way of each, its whole words: word i goes into
 *		hash i % LANE_WORDS
 * @word:	Its bytes behind them
 * @first:	Frames with the hashes of blocks that only one side has finished,
 *		oldest first
 * @last:	The last of them
 * @read:	Offset of the oldest hash in @first
 * @write:	Offset behind the youngest one in @last
 * @offset:	FOUND_BYTE, FOUND_LENGTH: where, UINT64_MAX: in @block
 * @block:	Number of that block
 */
struct lane {
	uint64_t pos[2];
	uint8_t *room;
	uint32_t room_size;
	struct frame *keep;
	uint64_t hash[2][LANE_WORDS];
	uint64_t word[2];
	struct frame *first;
	struct frame *last;
	uint32_t read;
	uint32_t write;
	uint64_t offset;
	uint64_t block;
};

/** lane_init() - Begin; @room is borrowed until lane_release() */
void lane_init(struct lane *l, uint8_t *room, uint32_t size);

/**
 * lane_feed() - Next @n bytes of side @side (0 or 1)
 *
 * Return: FOUND_NOTHING, FOUND_BYTE or -ENOMEM; after the last two feed no more
 */
int lane_feed(struct lane *l, struct pool *pool, unsigned side,
	      const uint8_t *p, uint32_t n);

/**
 * lane_finish() - Both streams are whole
 *
 * Return: FOUND_NOTHING, FOUND_BYTE, or FOUND_LENGTH: as far as blocks that both
 * have whole can tell, one is a prefix of the other
 */
int lane_finish(struct lane *l);

/** lane_release() - Give all frames back; may be called twice */
void lane_release(struct lane *l, struct pool *pool);

/**
 * struct fields - Kept bytes of a head and its trailers, in one piece
 * @p:		Bytes, @len of @cap
 * @frame:	Where they lie once the first memory is too small
 * @head:	Bytes of the head; the others are trailers
 * @ended:	The head is whole
 */
struct fields {
	uint8_t *p;
	uint32_t len;
	uint32_t cap;
	struct frame *frame;
	uint32_t head;
	bool ended;
};

/** fields_add() - Keep @n more bytes, at most COMPARE_HEAD in all
 *
 * Return: 0 or -ENOMEM
 */
int fields_add(struct fields *f, struct pool *pool, const uint8_t *p,
	       uint32_t n);

/** fields_release() - Give the frame back; may be called twice */
void fields_release(struct fields *f, struct pool *pool);

/**
 * fields_compare() - Are these field lines equivalent?
 * @a, @an:	Production's lines, up to and with the empty line if there is one
 * @b, @bn:	The SUT's
 * @start:	A start line comes first: it is skipped
 * @detail:	COMPARE_DETAIL bytes; written if they are not
 *
 * Return: FOUND_NOTHING, FOUND_BYTE, or -E2BIG: too many fields
 */
int fields_compare(const uint8_t *a, uint32_t an, const uint8_t *b, uint32_t bn,
		   bool start, char *detail);

#endif /* COMPARE_COMPARE_INTERNAL_H */
