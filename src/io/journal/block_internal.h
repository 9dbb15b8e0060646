/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * block_internal.h - Content of the journal's custom blocks, and of its frames'
 * comments
 *
 * All numbers are big-endian. The number of an enterprise is that of RFC 5612,
 * "for use in documentation"; therefore a magic number comes first.
 *
 *	 0  magic "USJ2"; the digit is the format's version
 *	 4  kind, 5 flags, 6 aux (16 bits)
 *	 8  number, 16 now, 24 a, 32 b (64 bits each)
 *	40  text and other things of variable length, for some kinds
 *
 * A frame's record is its packet block; what the journal adds is at the end of
 * its comment, so that packet tools list a frame once and show all of it:
 *
 *	data-again; #17 now=1234 sut=0 gso=1448 csum=1
 *
 * (the caller's comment, number, now, index of the SUT, gso, csum_ok).
 */
#ifndef JOURNAL_BLOCK_INTERNAL_H
#define JOURNAL_BLOCK_INTERNAL_H

#include "journal/journal.h"

#define BLOCK_PEN  JOURNAL_PEN
#define BLOCK_LEN  40u
#define BLOCK_NAME 255u /* longest file name */
/* Longest block of all, a header's. */
#define BLOCK_MAX (BLOCK_LEN + 80 + JOURNAL_VERSION_MAX + JOURNAL_OPTIONS_MAX)

enum block_kind {
	BLOCK_HEADER = 1, /* number: of the first record in this file; a: file
			   * number; b: started */
	BLOCK_FRAME,	  /* aux: gso, a: sut; in a comment, see above */
	BLOCK_TIMEOUT,
	BLOCK_UNSENT = 5, /* a: effect; 4 is no kind's */
	BLOCK_REFUSED,	  /* a: flow, b: index */
	BLOCK_NEXT,	  /* number: of the next record; the next file's name */
	BLOCK_END,	  /* number: records in all; a: lost */
	BLOCK_LEFT,	  /* a: effect behind the last; b: stamp */
	BLOCK_CLOCK,	  /* a: step, two's complement */
	BLOCK_NOTE,	  /* aux: which, a: its value */
};

enum {
	BLOCK_CSUM_OK = 1,     /* of a frame */
	BLOCK_TRUSTED = 2,     /* the same */
	BLOCK_ONLY_CLIENT = 1, /* of a header */
};

/** struct block - The fixed part */
struct block {
	uint8_t kind;
	uint8_t flags;
	uint16_t aux;
	uint64_t number;
	uint64_t now;
	uint64_t a;
	uint64_t b;
};

#define BLOCK_COMMENT (JOURNAL_COMMENT_MAX + 128) /* longest comment written */

/**
 * block_put_comment() - Write a frame's comment, BLOCK_COMMENT bytes, at @out
 * @p, @len:	The caller's comment, up to JOURNAL_COMMENT_MAX bytes
 *
 * Return: its length
 */
size_t block_put_comment(char *out, const struct block *b, const void *p,
			 size_t len);

/** block_get_comment() - Read it. Return: 0 or -EBADMSG */
int block_get_comment(const uint8_t *p, size_t len, struct block *b);

/** block_put() - Write the fixed part, BLOCK_LEN bytes, at @p */
void block_put(uint8_t *p, const struct block *b);

/**
 * block_get() - Read the fixed part
 *
 * Return: 0, -EBADMSG if it is no block of ours, -ENOTSUP if of another format
 */
int block_get(const uint8_t *p, size_t len, struct block *b);

/** block_put_header() - Write a whole header block at @p, BLOCK_MAX bytes */
uint32_t block_put_header(uint8_t *p, const struct block *b,
			  const struct journal_header *h);

/**
 * block_get_header() - Read what follows the fixed part of a header block
 * @text:	JOURNAL_VERSION_MAX + JOURNAL_OPTIONS_MAX + 2 bytes, in which
 *		the strings will lie
 *
 * The link types are not part of it. Return: 0 or -EBADMSG
 */
int block_get_header(const uint8_t *p, size_t len, const struct block *b,
		     struct journal_header *h, char *text);

/** block_put_next() - Write a whole BLOCK_NEXT; @name up to BLOCK_NAME bytes */
uint32_t block_put_next(uint8_t *p, const struct block *b, const char *name);

/**
 * block_get_next() - Read the file name of a BLOCK_NEXT
 * @name:	BLOCK_NAME + 1 bytes
 *
 * Return: 0, or -EBADMSG if there is none or it leaves its folder
 */
int block_get_next(const uint8_t *p, size_t len, char *name);

#endif /* JOURNAL_BLOCK_INTERNAL_H */
