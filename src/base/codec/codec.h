/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * codec - Undo the content codings of a body (RFC 9110 section 8.4)
 *
 * A body comes in pieces of any size, and so it goes out, decoded. What it
 * becomes is bounded by its size, by how many times its input it is, by how
 * many codings lie in one another, and by the memory that the libraries may
 * have: a body that is beyond one of them is a bomb, and says so, however far
 * it was decoded. A body is whole only when decoder_end() has said so: until
 * then what came out is the beginning of something, or of nothing.
 */
#ifndef CODEC_CODEC_H
#define CODEC_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CODEC_NESTED 2u /* most codings of one body */

enum coding {
	CODING_IDENTITY,
	CODING_GZIP,	/* RFC 1952, members one after the other */
	CODING_DEFLATE, /* RFC 1950, or 1951 as some servers send it */
	CODING_BR,	/* RFC 7932 */
	CODING_ZSTD,	/* RFC 8878, frames one after the other */
	CODING_UNKNOWN,
};

/** coding_find() - By its name in Content-Encoding, of any case */
enum coding coding_find(const uint8_t *name, size_t n);

/** coding_name() - The name; "unknown" of what has none */
const char *coding_name(enum coding c);

/**
 * coding_list() - Read a Content-Encoding
 * @p, @n:	The field's value: names and commas
 * @out:	The codings, in the order in which they were applied; those that
 *		do nothing are left out
 *
 * Return: how many, -E2BIG: more than CODEC_NESTED, -ENOTSUP: one is not known
 */
int coding_list(const uint8_t *p, size_t n, enum coding out[CODEC_NESTED]);

/**
 * struct decode_limits - What a body may become
 * @most:	Bytes, of each coding
 * @ratio:	How many times its input
 * @free:	Bytes that it may always become, whatever @ratio says
 * @memory:	Bytes that the libraries may have at once; zstd's window is at
 *		most 8 MB (RFC 9659), and not counted
 */
struct decode_limits {
	uint64_t most;
	uint32_t ratio;
	uint32_t free;
	size_t memory;
};

struct decoder;

/**
 * decoder_new() - Make a decoder, for one body after the other
 * @out:	Set on success; decoder_free() it
 * @limits:	Copied
 *
 * Return: 0 or -ENOMEM
 */
int decoder_new(struct decoder **out, const struct decode_limits *limits);

/** decoder_starved() - Has the system refused memory that a library may have?
 * Once it has, nothing that -ENOMEM says is about a body
 */
bool decoder_starved(const struct decoder *d);

/** decoder_free() - Free it; NULL is left alone */
void decoder_free(struct decoder *d);

/**
 * decoder_begin() - A body begins; one that was not ended is forgotten
 * @coding:	As coding_list() has them
 * @n:		How many; 0: the body comes out as it goes in
 *
 * Return: 0, -E2BIG (beyond CODEC_NESTED), -ENOTSUP, -ENOMEM
 */
int decoder_begin(struct decoder *d, const enum coding *coding, unsigned n);

/**
 * decoder_feed() - The next bytes
 * @in, @n:	Bytes, moved behind those that were taken
 * @out, @room:	Where decoded ones go; @room at least 1
 * @made:	How many there are
 *
 * To be called until it took all and made none. Return: 0, -EBADMSG (it is
 * broken, or there is more behind its end), -E2BIG (a bomb), -ENOMEM (more than
 * the libraries may have); then the body is lost
 */
int decoder_feed(struct decoder *d, const uint8_t **in, size_t *n, uint8_t *out,
		 size_t room, size_t *made);

/** decoder_end() - There are no more bytes. Return: 0, -EBADMSG: it is cut */
int decoder_end(struct decoder *d);

/**
 * decode_whole() - Decode a body at once
 * @coding, @codings: As for decoder_begin()
 * @in, @n:	Body
 * @out, @room:	Where it goes
 * @len:	Bytes of it, set on success
 *
 * Return: 0, or as the others; -E2BIG also if @room does not do
 */
int decode_whole(struct decoder *d, const enum coding *coding, unsigned codings,
		 const uint8_t *in, size_t n, uint8_t *out, size_t room,
		 size_t *len);

#endif /* CODEC_CODEC_H */
