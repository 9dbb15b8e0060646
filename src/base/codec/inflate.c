/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inflate.c - gzip and deflate by zlib
 *
 * What HTTP calls deflate is zlib's format (RFC 9110 section 8.4.1.2), but some
 * servers leave its two bytes of header away. They are recognised by their
 * check, so the library is not begun before both are here.
 */
#include "codec/codec_internal.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
/* it does not write to its input */
#define ZLIB_CONST
#include <zlib.h>

#define WINDOW	 15 /* bits: the largest that RFC 1951 has */
#define GZIP_TOO 16 /* added: the format is gzip's */

struct inflate {
	z_stream z;
	struct budget *budget;
	enum coding coding;
	bool begun;	 /* the library is */
	bool open;	 /* a stream has begun and not ended */
	uint8_t head[2]; /* of deflate */
	size_t heads;
};

static voidpf take(voidpf budget, uInt items, uInt size)
{
	return budget_take(budget, (size_t)items * size);
}

static void give(voidpf budget, voidpf p)
{
	budget_give(budget, p);
}

static int begin_library(struct inflate *f, int bits)
{
	f->z.zalloc = take;
	f->z.zfree = give;
	f->z.opaque = f->budget;
	if (inflateInit2(&f->z, bits) != Z_OK)
		return -ENOMEM;
	f->begun = true;
	return 0;
}

static void end(void *state)
{
	struct inflate *f = state;

	if (f->begun)
		inflateEnd(&f->z);
	budget_give(f->budget, f);
}

static void *begin(struct budget *b, enum coding c)
{
	struct inflate *f = budget_take(b, sizeof(*f));

	if (!f)
		return NULL;
	memset(f, 0, sizeof(*f));
	f->budget = b;
	f->coding = c;
	if (c == CODING_GZIP && begin_library(f, WINDOW + GZIP_TOO) != 0) {
		end(f);
		return NULL;
	}
	return f;
}

/* Run the library once. Return: 1: it came to an end */
static int run(struct inflate *f, const uint8_t **in, size_t *n, struct step *s)
{
	uInt taken = *n < UINT32_MAX / 2 ? (uInt)*n : UINT32_MAX / 2;
	uInt room = s->room < UINT32_MAX / 2 ? (uInt)s->room : UINT32_MAX / 2;
	int rc;

	assert(f->begun);
	f->z.next_in = *in;
	f->z.avail_in = taken;
	f->z.next_out = s->out;
	f->z.avail_out = room;
	rc = inflate(&f->z, Z_NO_FLUSH);
	*in += taken - f->z.avail_in;
	*n -= taken - f->z.avail_in;
	s->out += room - f->z.avail_out;
	s->room -= room - f->z.avail_out;
	if (rc == Z_STREAM_END)
		return 1;
	if (rc == Z_MEM_ERROR)
		return -ENOMEM;
	return rc == Z_OK || rc == Z_BUF_ERROR ? 0 : -EBADMSG;
}

/* Find out which deflate it is, and give the library both bytes. */
static int begin_deflate(struct inflate *f, struct step *s)
{
	const uint8_t *head = f->head;
	bool wrapped;
	int rc;

	while (f->heads < 2 && s->n > 0) {
		f->head[f->heads++] = *s->in++;
		s->n--;
	}
	if (f->heads < 2)
		return 0;
	wrapped = (f->head[0] & 15) == Z_DEFLATED &&
		  (f->head[0] << 8 | f->head[1]) % 31 == 0;
	rc = begin_library(f, wrapped ? WINDOW : -WINDOW);
	if (rc != 0)
		return rc;
	rc = run(f, &head, &f->heads, s);
	/* what is behind the end of a stream is no other */
	return rc >= 0 && f->heads > 0 ? -EBADMSG : rc;
}

static int step(void *state, struct step *s)
{
	struct inflate *f = state;
	int rc;

	if (!f->begun)
		return begin_deflate(f, s);
	if (!f->open && f->coding == CODING_GZIP && s->n > 0) {
		if (inflateReset(&f->z) != Z_OK)
			return -EBADMSG;
		f->open = true;
	}
	rc = run(f, &s->in, &s->n, s);
	if (rc == 1)
		f->open = false;
	return rc;
}

const struct codec codec_inflate = {
	.begin = begin,
	.step = step,
	.end = end,
	.again = true,
};
