/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_codec.c - Unit test of codec/codec.h
 *
 * Bodies are encoded by the libraries' other halves, and decoded in pieces of
 * all sizes; pieces lie in blocks of their exact size.
 */
#include "codec/codec.h"

#include <brotli/encode.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "check.h"
#include "core/rng.h"

#define RAW CODING_UNKNOWN /* deflate without its header, for encode() */

static const struct decode_limits limits = {
	.most = 8 << 20,
	.ratio = 200,
	.free = 65536,
	.memory = 40 << 20,
};

struct body {
	uint8_t *p;
	size_t n;
};

static struct body block(size_t n)
{
	return (struct body){ malloc(n > 0 ? n : 1), n };
}

/* Text-like bytes, or zeros. */
static struct body plain(size_t n, bool zeros)
{
	struct body b = block(n);
	struct rng rng = { n };

	for (size_t i = 0; i < n; i++)
		b.p[i] = zeros ? 0 : (uint8_t)('a' + rng_below(&rng, 9));
	return b;
}

static struct body encode_zlib(struct body in, int bits)
{
	struct body out = block(in.n + in.n / 8 + 100);
	z_stream z;

	memset(&z, 0, sizeof(z));
	CHECK(deflateInit2(&z, 9, Z_DEFLATED, bits, 8, Z_DEFAULT_STRATEGY) ==
	      Z_OK);
	z.next_in = in.p;
	z.avail_in = (uInt)in.n;
	z.next_out = out.p;
	z.avail_out = (uInt)out.n;
	CHECK(deflate(&z, Z_FINISH) == Z_STREAM_END);
	out.n = z.total_out;
	deflateEnd(&z);
	return out;
}

static struct body encode(enum coding c, struct body in)
{
	struct body out = block(in.n + in.n / 8 + 1000);

	switch (c) {
	case CODING_GZIP:
	case CODING_DEFLATE:
	case CODING_UNKNOWN:
		free(out.p);
		return encode_zlib(in, c == CODING_GZIP	     ? 31
				       : c == CODING_DEFLATE ? 15
							     : -15);
	case CODING_BR:
		CHECK(BrotliEncoderCompress(5, 22, BROTLI_MODE_GENERIC, in.n,
					    in.p, &out.n, out.p));
		return out;
	case CODING_ZSTD:
		out.n = ZSTD_compress(out.p, out.n, in.p, in.n, 3);
		CHECK(!ZSTD_isError(out.n));
		return out;
	default:
		memcpy(out.p, in.p, in.n);
		out.n = in.n;
		return out;
	}
}

static enum coding real(enum coding c)
{
	return c == RAW ? CODING_DEFLATE : c;
}

/* Decode in pieces of @piece bytes into rooms of @room. Return: as
 * decode_whole()
 */
static int decode(struct decoder *d, const enum coding *c, unsigned n,
		  struct body in, size_t piece, size_t room, struct body *out)
{
	uint8_t *to = malloc(room);
	size_t at = 0, total = 0;
	int rc = decoder_begin(d, c, n);

	while (rc == 0 && at < in.n) {
		size_t len = in.n - at < piece ? in.n - at : piece;
		uint8_t *copy = malloc(len);
		const uint8_t *p = copy;
		size_t made = 1;

		memcpy(copy, in.p + at, len);
		at += len;
		while (rc == 0 && (len > 0 || made > 0)) {
			rc = decoder_feed(d, &p, &len, to, room, &made);
			if (rc != 0)
				break;
			if (made > out->n - total) {
				rc = -ENOSPC;
				break;
			}
			memcpy(out->p + total, to, made);
			total += made;
		}
		free(copy);
	}
	if (rc == 0)
		rc = decoder_end(d);
	out->n = total;
	free(to);
	return rc;
}

static const enum coding codings[] = { CODING_IDENTITY, CODING_GZIP,
				       CODING_DEFLATE,	RAW,
				       CODING_BR,	CODING_ZSTD };

static struct decoder *new_decoder(void)
{
	struct decoder *d = NULL;

	CHECK(decoder_new(&d, &limits) == 0);
	return d;
}

static void whatever_the_pieces(void)
{
	static const size_t sizes[] = { 0, 1, 5, 1000, 100000 };
	static const size_t pieces[] = { 1, 7, 4096, 1000000 };
	static const size_t rooms[] = { 1, 100, 1000000 };
	struct decoder *d = new_decoder();

	for (size_t i = 0; i < ARRAY_SIZE(sizes) * ARRAY_SIZE(codings); i++) {
		enum coding c = codings[i % ARRAY_SIZE(codings)];
		enum coding known = real(c);
		struct body in = plain(sizes[i / ARRAY_SIZE(codings)], false);
		struct body coded = encode(c, in);

		for (size_t k = 0; k < 12; k++) {
			struct body out = block(in.n);
			int rc = decode(d, &known, c != CODING_IDENTITY, coded,
					pieces[k % 4], rooms[k / 4], &out);

			CHECK_ROW(rc == 0, coding_name(c));
			CHECK_ROW(out.n == in.n &&
					  memcmp(out.p, in.p, in.n) == 0,
				  coding_name(c));
			free(out.p);
		}
		free(in.p);
		free(coded.p);
	}
	decoder_free(d);
}

static void a_cut_body_is_not_whole(void)
{
	struct decoder *d = new_decoder();

	for (size_t i = 1; i < ARRAY_SIZE(codings); i++) {
		enum coding c = real(codings[i]);
		struct body in = plain(300, false);
		struct body coded = encode(codings[i], in);

		for (size_t n = 0; n < coded.n; n++) {
			struct body cut = block(n), out = block(in.n);
			size_t len = 77;

			memcpy(cut.p, coded.p, n);
			CHECK_ROW(decode_whole(d, &c, 1, cut.p, n, out.p, out.n,
					       &len) == -EBADMSG,
				  coding_name(c));
			CHECK(len == 77);
			free(cut.p);
			free(out.p);
		}
		free(in.p);
		free(coded.p);
	}
	decoder_free(d);
}

static void what_follows_is_a_stream_or_an_error(void)
{
	struct decoder *d = new_decoder();

	for (size_t i = 1; i < ARRAY_SIZE(codings); i++) {
		enum coding c = real(codings[i]);
		bool again = c == CODING_GZIP || c == CODING_ZSTD;
		struct body in = plain(300, false);
		struct body one = encode(codings[i], in);
		struct body two = block(2 * one.n), out = block(600);
		size_t len;
		int rc;

		memcpy(two.p, one.p, one.n);
		memcpy(two.p + one.n, one.p, one.n);
		rc = decode_whole(d, &c, 1, two.p, two.n, out.p, 600, &len);
		CHECK_ROW(rc == (again ? 0 : -EBADMSG), coding_name(c));
		if (again)
			CHECK_ROW(len == 600 && memcmp(out.p, in.p, 300) == 0 &&
					  memcmp(out.p + 300, in.p, 300) == 0,
				  coding_name(c));
		two.p[one.n] = '!';
		CHECK_ROW(decode_whole(d, &c, 1, two.p, one.n + 1, out.p, 600,
				       &len) == -EBADMSG,
			  coding_name(c));
		free(in.p);
		free(one.p);
		free(two.p);
		free(out.p);
	}
	decoder_free(d);
}

/* Any byte of gzip changed: its checksum or its form is wrong, or it is a name.
 */
static void a_changed_byte_is_found(void)
{
	enum coding c = CODING_GZIP;
	struct decoder *d = new_decoder();
	struct body in = plain(300, false), coded = encode(c, in);
	struct body out = block(in.n);

	for (size_t i = 10; i < coded.n; i++) {
		size_t len = 0;
		int rc;

		coded.p[i] ^= 0x10;
		rc = decode_whole(d, &c, 1, coded.p, coded.n, out.p, out.n,
				  &len);
		CHECK(rc == -EBADMSG || rc == -E2BIG);
		coded.p[i] ^= 0x10;
	}
	free(in.p);
	free(coded.p);
	free(out.p);
	decoder_free(d);
}

static void bombs_end(void)
{
	struct decoder *d = new_decoder();
	struct body zeros = plain(64 << 20, true);
	static uint8_t out[4096];

	for (size_t i = 1; i < ARRAY_SIZE(codings); i++) {
		enum coding c = real(codings[i]);
		struct body coded = encode(codings[i], zeros);
		const uint8_t *p = coded.p;
		size_t n = coded.n, made, total = 0;
		int rc = decoder_begin(d, &c, 1);

		while (rc == 0) {
			rc = decoder_feed(d, &p, &n, out, sizeof(out), &made);
			total += rc == 0 ? made : 0;
		}
		CHECK_ROW(rc == -E2BIG, coding_name(c));
		CHECK_ROW(total <= limits.most, coding_name(c));
		CHECK_ROW(total <= limits.free + limits.ratio * coded.n,
			  coding_name(c));
		CHECK(decoder_feed(d, &p, &n, out, sizeof(out), &made) ==
		      -EBADMSG);
		CHECK(decoder_end(d) == -EBADMSG);
		free(coded.p);
	}
	free(zeros.p);
	decoder_free(d);
}

static void codings_nest(void)
{
	struct decoder *d = new_decoder();

	for (size_t i = 0; i < 25; i++) {
		enum coding c[2] = { codings[1 + i / 5], codings[1 + i % 5] };
		struct body in = plain(50000, false);
		struct body one = encode(c[0], in), two = encode(c[1], one);
		struct body out = block(in.n);

		c[0] = real(c[0]);
		c[1] = real(c[1]);
		CHECK(decode(d, c, 2, two, i % 2 != 0 ? 100 : 1000000,
			     i % 3 != 0 ? 64 : 1000000, &out) == 0);
		CHECK(out.n == in.n && memcmp(out.p, in.p, in.n) == 0);
		two.n--;
		out.n = in.n;
		CHECK(decode(d, c, 2, two, 1000, 1000, &out) != 0);
		free(in.p);
		free(one.p);
		free(two.p);
		free(out.p);
	}
	decoder_free(d);
}

/* Inside of a small body is one that is a bomb. */
static void a_nested_bomb_ends(void)
{
	enum coding c[2] = { CODING_GZIP, CODING_GZIP };
	struct decoder *d = new_decoder();
	struct body zeros = plain(32 << 20, true);
	struct body one = encode(c[0], zeros), two = encode(c[1], one);
	uint8_t *out = malloc(1 << 20);
	size_t len;

	CHECK(two.n < 4096);
	CHECK(decode_whole(d, c, 2, two.p, two.n, out, 1 << 20, &len) ==
	      -E2BIG);
	CHECK(decoder_begin(d, c, 3) == -E2BIG);
	free(out);
	free(zeros.p);
	free(one.p);
	free(two.p);
	decoder_free(d);
}

static void libraries_have_a_budget(void)
{
	struct decode_limits small = limits;
	struct decoder *d = NULL;
	struct body in = plain(2000000, false);
	struct body coded = encode(CODING_BR, in);
	struct body out = block(in.n);
	enum coding c = CODING_BR;
	size_t len;

	small.memory = 100000;
	CHECK(decoder_new(&d, &small) == 0);
	CHECK(decode_whole(d, &c, 1, coded.p, coded.n, out.p, out.n, &len) ==
	      -ENOMEM);
	decoder_free(d);
	small.memory = 1000;
	c = CODING_GZIP;
	CHECK(decoder_new(&d, &small) == 0);
	CHECK(decoder_begin(d, &c, 1) == -ENOMEM);
	decoder_free(d);
	free(in.p);
	free(coded.p);
	free(out.p);
}

static void lists_of_codings_are_read(void)
{
	static const struct {
		const char *text;
		int rc;
		enum coding want[2];
	} rows[] = {
		{ "gzip", 1, { CODING_GZIP, 0 } },
		{ "GZip", 1, { CODING_GZIP, 0 } },
		{ " x-gzip\t", 1, { CODING_GZIP, 0 } },
		{ "", 0, { 0, 0 } },
		{ "identity", 0, { 0, 0 } },
		{ "br, zstd", 2, { CODING_BR, CODING_ZSTD } },
		{ "deflate,,identity , gzip",
		  2,
		  { CODING_DEFLATE, CODING_GZIP } },
		{ "gzip, gzip, gzip", -E2BIG, { 0, 0 } },
		{ "compress", -ENOTSUP, { 0, 0 } },
		{ "gzip;q=1", -ENOTSUP, { 0, 0 } },
		{ "unknown", -ENOTSUP, { 0, 0 } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t n = strlen(rows[i].text);
		uint8_t *text = malloc(n > 0 ? n : 1);
		enum coding got[CODEC_NESTED] = { 0, 0 };
		int rc;

		memcpy(text, rows[i].text, n);
		rc = coding_list(text, n, got);
		CHECK_ROW(rc == rows[i].rc, rows[i].text);
		CHECK_ROW(got[0] == rows[i].want[0] &&
				  got[1] == rows[i].want[1],
			  rows[i].text);
		free(text);
	}
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "whatever the pieces", whatever_the_pieces },
		{ "a cut body is not whole", a_cut_body_is_not_whole },
		{ "what follows is a stream or an error",
		  what_follows_is_a_stream_or_an_error },
		{ "a changed byte is found", a_changed_byte_is_found },
		{ "bombs end", bombs_end },
		{ "codings nest", codings_nest },
		{ "a nested bomb ends", a_nested_bomb_ends },
		{ "libraries have a budget", libraries_have_a_budget },
		{ "lists of codings are read", lists_of_codings_are_read },
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
