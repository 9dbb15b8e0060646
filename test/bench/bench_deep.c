/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench_deep.c - What it costs to judge a body, beside what others take for a
 * part
 *
 * usage: bench_deep [REPEATS]
 *
 * JSON: two texts of one value, the second with its members in another order,
 * against jansson: both loaded, json_equal(), both freed. gzip: two bodies
 * decoded and compared, against inflate() of both and memcmp(). bytes: a body
 * of 1 MB as it comes, 1,448 bytes of each side in turn, against one memcmp() of
 * both. Both take turns; printed are medians of REPEATS (9) runs in microseconds of processor
 * time, and the ratio.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zlib.h>

#include "codec/codec.h"
#include "compare/compare.h"
#include "compare/protocol.h"
#include "core/buf.h"
#include "deep/json.h"

#define MEMBERS	 (UINT32_C(1) << 16)
#define TEXT	 (UINT32_C(1) << 20)
#define RUNS_MAX 99
#define PIECE	 1448u /* bytes of a segment */
#define POOL	 ((size_t)1 << 20)

struct texts {
	char a[TEXT], b[TEXT];
	size_t an, bn;
};

static struct texts texts;
static struct json *judge;
static struct decoder *decoder;
static uint8_t packed[TEXT], out[2][TEXT];
static size_t packed_n;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* A shop's answer with @items, in one of two orders of members. */
static size_t make_text(char *p, unsigned items, bool other, bool indent)
{
	const char *nl = indent ? "\n      " : "", *sp = indent ? " " : "";
	size_t n = (size_t)sprintf(p, "{\"total\":%u,\"items\":[", items);

	for (unsigned i = 0; i < items; i++) {
		char price[64], rest[256];

		snprintf(price, sizeof(price), "%s\"price\":%s%u.%02u", nl, sp,
			 i * 7 % 100, i * 31 % 100);
		snprintf(rest, sizeof(rest),
			 "%s\"id\":%s%u,%s\"sku\":%s\"SKU-%06u\",%s\"name\":%s"
			 "\"Blue shirt with long sleeves\",%s\"tags\":%s[\"a\","
			 "\"sale\"],%s\"active\":%strue,%s\"note\":%snull",
			 nl, sp, i * 7919, nl, sp, i, nl, sp, nl, sp, nl, sp,
			 nl, sp);
		n += (size_t)sprintf(p + n, "%s{%s,%s}", i > 0 ? "," : "",
				     other ? rest : price,
				     other ? price : rest);
	}
	return n + (size_t)sprintf(p + n, "]}");
}

static void ours_json(void)
{
	struct json_verdict v;

	json_compare(judge, (uint8_t *)texts.a, texts.an, (uint8_t *)texts.b,
		     texts.bn, &v);
	if (v.outcome != JSON_EQUAL)
		abort();
}

static void their_json(void)
{
	json_t *a = json_loadb(texts.a, texts.an, 0, NULL);
	json_t *b = json_loadb(texts.b, texts.bn, 0, NULL);

	if (!json_equal(a, b))
		abort();
	json_decref(a);
	json_decref(b);
}

static void ours_gzip(void)
{
	enum coding c = CODING_GZIP;
	size_t n[2];

	for (unsigned i = 0; i < 2; i++)
		if (decode_whole(decoder, &c, 1, packed, packed_n, out[i], TEXT,
				 &n[i]) != 0)
			abort();
	if (n[0] != n[1] || memcmp(out[0], out[1], n[0]) != 0)
		abort();
}

static void their_gzip(void)
{
	for (unsigned i = 0; i < 2; i++) {
		z_stream z;

		memset(&z, 0, sizeof(z));
		if (inflateInit2(&z, 31) != Z_OK)
			abort();
		z.next_in = packed;
		z.avail_in = (uInt)packed_n;
		z.next_out = out[i];
		z.avail_out = TEXT;
		if (inflate(&z, Z_FINISH) != Z_STREAM_END)
			abort();
		inflateEnd(&z);
	}
	if (memcmp(out[0], out[1], texts.an) != 0)
		abort();
}

static struct pool *pool;

static void ours_bytes(void)
{
	struct compare *c = compare_begin(pool, COMPARE_EQUIVALENT,
					  &protocols[PROTOCOL_HTTP1]);
	struct compare_result r;

	for (size_t at = 0; at < texts.an; at += PIECE) {
		struct framer_piece p = { .part = FRAMER_BODY };

		p.used = (uint32_t)(texts.an - at < PIECE ? texts.an - at
							  : PIECE);
		compare_feed(c, pool, WHO_PROD, &p, (uint8_t *)texts.a + at);
		compare_feed(c, pool, WHO_SUT, &p, (uint8_t *)texts.b + at);
	}
	compare_done(c, WHO_PROD);
	compare_done(c, WHO_SUT);
	compare_end(c, pool, REASON_NONE, &r);
	if (r.verdict != VERDICT_IDENTICAL)
		abort();
}

static void their_bytes(void)
{
	if (memcmp(texts.a, texts.b, texts.an) != 0)
		abort();
}

static int ascending(const void *a, const void *b)
{
	const double *x = a;
	const double *y = b;

	return (*x > *y) - (*x < *y);
}

static void row(const char *name, void (*ours)(void), void (*theirs)(void),
		unsigned runs)
{
	static double t[2][RUNS_MAX];
	unsigned times = 1 + (unsigned)(4000000 / (texts.an + 1));

	for (unsigned r = 0; r < runs; r++) {
		for (unsigned who = 0; who < 2; who++) {
			double from = now();

			for (unsigned i = 0; i < times; i++)
				(who == 0 ? ours : theirs)();
			t[who][r] = (now() - from) / times;
		}
	}
	for (unsigned who = 0; who < 2; who++)
		qsort(t[who], runs, sizeof(t[who][0]), ascending);
	printf("%-16s %7zu bytes: ours %9.1f us, theirs %9.1f us, ratio %.3f\n",
	       name, texts.an, t[0][runs / 2], t[1][runs / 2],
	       t[0][runs / 2] / t[1][runs / 2]);
}

/* A body of a megabyte that is not to be compressed. */
static void bytes_row(unsigned runs)
{
	struct arena a = { .size = pool_size(POOL) };
	uint32_t x = 1;

	a.base = aligned_alloc(ARENA_ALIGN, a.size);
	memset(a.base, 0, a.size);
	if (pool_init(&pool, &a, POOL) != 0)
		abort();
	for (size_t i = 0; i < TEXT; i++)
		texts.a[i] = (char)((x = x * 1664525u + 1013904223u) >> 24);
	memcpy(texts.b, texts.a, TEXT);
	texts.an = texts.bn = TEXT;
	row("bytes", ours_bytes, their_bytes, runs);
	free(a.base);
}

static void pack(void)
{
	z_stream z;

	memset(&z, 0, sizeof(z));
	deflateInit2(&z, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY);
	z.next_in = (Bytef *)texts.a;
	z.avail_in = (uInt)texts.an;
	z.next_out = packed;
	z.avail_out = TEXT;
	deflate(&z, Z_FINISH);
	packed_n = z.total_out;
	deflateEnd(&z);
}

int main(int argc, char **argv)
{
	static const struct decode_limits limits = {
		.most = TEXT, .ratio = 1000, .free = TEXT, .memory = 1 << 20
	};
	static const struct hash_key key = { { 1, 2 } };
	struct arena a = { .size = json_size(MEMBERS) };
	unsigned runs = argc > 1 ? (unsigned)atoi(argv[1]) : 9;

	if (runs < 1 || runs > RUNS_MAX)
		runs = 9;
	a.base = aligned_alloc(ARENA_ALIGN, a.size);
	memset(a.base, 0, a.size);
	if (json_init(&judge, &a, MEMBERS, &key) != 0 ||
	    decoder_new(&decoder, &limits) != 0)
		return 1;
	for (unsigned i = 0; i < 4; i++) {
		static const unsigned items[] = { 1, 30, 30, 2000 };

		texts.an = make_text(texts.a, items[i], false, i == 2);
		texts.bn = make_text(texts.b, items[i], true, i == 2);
		row(i == 2 ? "json, indented" : "json", ours_json, their_json,
		    runs);
		pack();
		row("gzip", ours_gzip, their_gzip, runs);
	}
	bytes_row(runs);
	decoder_free(decoder);
	free(a.base);
	return 0;
}
