/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pad - Packets under a one-time pad
 *
 *	  0      1      2                8
 *	+------+------+----------------+------------------+-----+
 *	| type | path |     offset     |      hidden      | tag |
 *	+------+------+----------------+------------------+-----+
 *
 * Integers are big-endian. @offset is where in the file of the pad the packet's
 * bytes begin: 32 are the key of its tag (Poly1305, RFC 8439 section 2.5, over
 * all before it), then each byte of the packet is combined with one by
 * exclusive or. The file begins with a page that says how far it is used:
 *
 *	 0 "understudy pad" and zeros	32 bytes of the file
 *	16 version			40 mark of the half that we send by
 *	20 whose it is; 0: nobody's yet	48 mark of the other half
 *	24 bytes of a block		56 the file that it is
 *
 * Then come two halves, equally long: the end that begins sends by the first,
 * the other one by the second. Each end has a copy of the file.
 */
#ifndef KEYS_PAD_H
#define KEYS_PAD_H

#include <stdbool.h>
#include <stdint.h>

#include "core/crypto.h"

#define PAD_TYPE   24
#define PAD_HEADER 8
#define PAD_KEY	   32
#define PAD_PAGE   4096u /* in front of the halves */
#define PAD_PATHS  16

#define PAD_LEAST	(64u << 10) /* bytes of both halves */
#define PAD_MOST	(UINT64_C(1) << 47)
#define PAD_BLOCK_LEAST 512u /* that are taken at a time */
#define PAD_BLOCK_MOST	(1u << 20)

/** enum pad_state - Can packets be sent by it? */
enum pad_state {
	PAD_GOOD,
	PAD_USED_UP, /* our half is */
	PAD_ZERO,    /* what comes next is wiped, or never was random */
	PAD_TWICE,   /* the other end has seen what this copy has not sent */
	PAD_NOT_KEPT /* its page could not be written */
};

/**
 * struct pad_half - A half of it, as offsets in the file
 * @from, @to:	Its beginning and its end
 * @mark:	Before it bytes may have been used, so the page says
 */
struct pad_half {
	uint64_t from;
	uint64_t to;
	uint64_t mark;
};

/**
 * struct pad - A pad in use; it belongs to whoever has it mapped
 * @ops:	Of which poly() is used
 * @keep:	Make durable what was written at @bytes; 0 or -Exxx
 * @bytes:	The file
 * @place:	What tells it from its copies: the number of its inode
 * @block:	By how many bytes a mark moves
 * @at:		Where the next packet is sent from
 * @floor:	Nothing before it is taken
 * @wiped:	Of the other half, all before it is
 * @highest:	Of each path, the highest offset that came
 */
struct pad {
	const struct crypto_ops *ops;
	int (*keep)(void *ctx);
	void *ctx;
	uint8_t *bytes;
	uint64_t place;
	enum pad_state state;
	uint32_t block;
	struct pad_half send;
	struct pad_half recv;
	uint64_t at;
	uint64_t floor;
	uint64_t wiped;
	uint64_t highest[PAD_PATHS];
};

/** pad_page() - Write the page of a new file. @size: bytes of both halves, even
 */
void pad_page(uint8_t page[PAD_PAGE], uint64_t size);

/**
 * pad_random() - Could these bytes be random? Return: false: 32 of them, from a
 * multiple of 32 on, are zero
 */
bool pad_random(const uint8_t *p, uint64_t n);

/**
 * pad_load() - Use a file from now on
 * @p:		@ops, @keep, @ctx, @bytes and @place are set
 * @size:	Of the file, with its page
 * @begins:	We are the end that begins
 *
 * What may have been used by who was killed is skipped, and wiped.
 *
 * Return: 0; -EINVAL: it is no pad, or not whole; -EPERM: the other end's copy;
 * -EEXIST: a copy of one in use; -ENOSPC: used up; -ENODATA: not random; or
 * what @keep returns
 */
int pad_load(struct pad *p, uint64_t size, bool begins);

/**
 * pad_seal() - Hide a packet where it lies
 * @path:	0 to PAD_PATHS - 1
 * @d:		PAD_HEADER bytes to be written, @n bytes, CRYPTO_TAG bytes
 *
 * Return: 0; -ENOSPC: the pad is not PAD_GOOD (any more); -EIO
 */
int pad_seal(struct pad *p, unsigned path, uint8_t *d, uint32_t n);

/**
 * pad_open() - Open a datagram of @n bytes where it lies, and wipe its bytes
 * @newest:	No packet of its path that was sent later has come
 *
 * Return: 0; -EINVAL: too short, or of no place in the pad; -EALREADY: it came
 * before, or its bytes were used by who was here before us; -EBADMSG: forged;
 * -EIO
 */
int pad_open(struct pad *p, uint8_t *d, uint32_t n, bool *newest);

/** pad_offset() - Where the bytes of a datagram begin */
uint64_t pad_offset(const uint8_t *d);

/**
 * pad_skip() - Send by nothing before @floor, which the other end would not
 * take
 * @mark:	Of its half for what we send. One beyond ours is of another copy
 *		that was used: the state is PAD_TWICE then
 */
void pad_skip(struct pad *p, uint64_t floor, uint64_t mark);

/** pad_jump() - Send from our mark on: whoever was started anew takes that */
void pad_jump(struct pad *p);

/** pad_left() - Bytes of our half that are not used */
uint64_t pad_left(const struct pad *p);

#endif /* KEYS_PAD_H */
