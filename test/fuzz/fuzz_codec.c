/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_codec.c - Encoded bodies, broken ones among them
 *
 * Input: 1 byte: the codings, and where the body comes from; 1 byte: the size
 * of pieces and rooms; then the body, or what is encoded to one, of which one
 * byte may be changed afterwards. In pieces it must be whole if and only if it
 * is at once, with the same bytes; never more than the limit; what was encoded
 * and not changed must come out again, and what was cut must not be whole.
 */
#include "codec/codec.h"

#include <assert.h>
#include <brotli/encode.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#define MOST (UINT32_C(1) << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct decoder *d;
static uint8_t whole[MOST], pieces[MOST], room[4096];

static const enum coding known[] = { CODING_GZIP, CODING_DEFLATE, CODING_BR,
				     CODING_ZSTD };

/* Return: bytes of @out */
static size_t encode(enum coding c, const uint8_t *p, size_t n, uint8_t *out,
		     size_t most)
{
	z_stream z;

	if (c == CODING_BR) {
		assert(BrotliEncoderCompress(3, 18, BROTLI_MODE_GENERIC, n, p,
					     &most, out));
		return most;
	}
	if (c == CODING_ZSTD)
		return ZSTD_compress(out, most, p, n, 1);
	memset(&z, 0, sizeof(z));
	assert(deflateInit2(&z, 6, Z_DEFLATED, c == CODING_GZIP ? 31 : 15, 8,
			    Z_DEFAULT_STRATEGY) == Z_OK);
	z.next_in = (Bytef *)(uintptr_t)p;
	z.avail_in = (uInt)n;
	z.next_out = out;
	z.avail_out = (uInt)most;
	assert(deflate(&z, Z_FINISH) == Z_STREAM_END);
	deflateEnd(&z);
	return z.total_out;
}

static int in_pieces(const enum coding *c, unsigned n, const uint8_t *p,
		     size_t len, size_t piece, size_t *total)
{
	int rc = decoder_begin(d, c, n);
	size_t made;

	*total = 0;
	while (rc == 0 && len > 0) {
		size_t now = len < piece ? len : piece, left = now;
		const uint8_t *at = p;

		do {
			size_t before = left;

			rc = decoder_feed(d, &at, &left, room, 1 + piece % 97,
					  &made);
			if (rc != 0)
				break;
			assert(made <= 1 + piece % 97 && left <= before);
			if (made > MOST - *total)
				return -E2BIG;
			memcpy(pieces + *total, room, made);
			*total += made;
		} while (left > 0 || made > 0);
		p += now;
		len -= now;
	}
	return rc != 0 ? rc : decoder_end(d);
}

static void judge(const enum coding *c, unsigned n, const uint8_t *p,
		  size_t len, size_t piece, const uint8_t *want, size_t wanted)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);
	size_t total = 0, other = 0;
	int rc, again;

	memcpy(copy, p, len);
	rc = decode_whole(d, c, n, copy, len, whole, sizeof(whole), &total);
	again = in_pieces(c, n, copy, len, piece, &other);
	assert((rc == 0) == (again == 0));
	assert(rc == 0 || rc == -EBADMSG || rc == -E2BIG || rc == -ENOMEM);
	if (rc == 0)
		assert(total == other && memcmp(whole, pieces, total) == 0);
	if (want != NULL) {
		assert(rc == 0 && total == wanted);
		assert(memcmp(whole, want, wanted) == 0);
		if (len > 0)
			assert(decode_whole(d, c, n, copy, len - 1, whole,
					    sizeof(whole), &total) != 0);
	}
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct decode_limits limits = {
		.most = MOST, .ratio = 1, .free = MOST, .memory = 24 << 20
	};
	static uint8_t one[65536], two[65536];
	enum coding c[2];
	const uint8_t *p = data + 2;
	unsigned n;
	size_t len, piece;

	if (size < 3 || size > 8192)
		return 0;
	if (d == NULL)
		assert(decoder_new(&d, &limits) == 0);
	c[0] = known[data[0] & 3];
	c[1] = known[data[0] >> 2 & 3];
	n = 1 + (data[0] >> 4 & 1);
	piece = 1 + data[1];
	len = size - 2;
	if ((data[0] & 0x20) == 0) {
		judge(c, n, p, len, piece, NULL, 0);
		return 0;
	}
	len = encode(c[0], p, size - 2, one, sizeof(one));
	if (n == 2)
		len = encode(c[1], one, len, two, sizeof(two));
	else
		memcpy(two, one, len);
	if ((data[0] & 0x40) != 0) {
		two[data[2] * len / 256] ^= (uint8_t)(1 << (data[1] & 7));
		judge(c, n, two, len, piece, NULL, 0);
	} else {
		judge(c, n, two, len, piece, p, size - 2);
	}
	return 0;
}
