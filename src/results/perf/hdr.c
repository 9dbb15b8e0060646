/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hdr.c - A histogram as HdrHistogram's logs have it
 *
 * The counts of all buckets up to the last one that is not empty, as signed
 * numbers of variable length (ZigZag, LEB128), a run of empty ones as its
 * negative length; before them a header of 40 bytes. The whole is a zlib stream
 * (RFC 1950, RFC 1951), of stored blocks: nothing is compressed, as a log has
 * few lines, and a room that allocates nothing has no deflate. In base64 (RFC
 * 4648) behind the line's tag, start, length and largest value.
 *
 * The index is that of a histogram for three digits from 1 on: 2,048 buckets
 * for the values below 2,048, then 1,024 for each power of two. Ours
 * (perf_bucket()) is the same.
 */
#include <string.h>

#include "core/bytes.h"
#include "perf/perf_internal.h"

#define COOKIE	      0x1c849313u /* V2, counts of variable length */
#define COOKIE_PACKED 0x1c849314u
#define DIGITS	      3
#define HEAD	      40
#define PACKED_HEAD   8
#define ZLIB_HEAD     2
#define STORED_HEAD   5
#define STORED_MOST   65535u
#define ADLER	      65521u

/** struct bytes - What is written; @full: it did not fit */
struct bytes {
	uint8_t *p;
	size_t size;
	size_t len;
	bool full;
};

static void put(struct bytes *b, uint8_t v)
{
	if (b->len == b->size)
		b->full = true;
	else
		b->p[b->len++] = v;
}

static void put_number(struct bytes *b, int64_t v)
{
	uint64_t z = (uint64_t)v << 1 ^ (v < 0 ? UINT64_MAX : 0);

	for (unsigned i = 0; i < 8 && z >= 0x80; i++, z >>= 7)
		put(b, (uint8_t)(z | 0x80));
	put(b, (uint8_t)z);
}

static uint32_t count_at(const struct perf *p, const struct perf_series *s,
			 uint32_t bucket)
{
	uint16_t at = s->all[bucket >> CHUNK_BITS];

	return at == 0 ? 0 : p->chunk[at].n[bucket % CHUNK];
}

/* Return: the last bucket that is not empty. */
static uint32_t put_counts(struct bytes *b, const struct perf *p,
			   const struct perf_series *s)
{
	uint32_t last = FINE - 1;
	int64_t empty = 0;

	while (last > 0 && count_at(p, s, last) == 0)
		last--;
	for (uint32_t i = 0; i <= last; i++) {
		uint32_t n = count_at(p, s, i);

		if (n == 0) {
			empty++;
			continue;
		}
		if (empty > 0)
			put_number(b, -empty);
		empty = 0;
		put_number(b, n);
	}
	return last;
}

static uint32_t adler(const uint8_t *p, size_t n)
{
	uint32_t a = 1, b = 0;

	for (size_t i = 0; i < n; i++) {
		a = (a + p[i]) % ADLER;
		b = (b + a) % ADLER;
	}
	return b << 16 | a;
}

static void put_word(struct bytes *b, uint32_t v)
{
	uint8_t four[4];

	put_be32(four, v);
	for (unsigned i = 0; i < sizeof(four); i++)
		put(b, four[i]);
}

static void put_stored(struct bytes *b, const uint8_t *p, size_t n)
{
	size_t done = 0;

	put(b, 0x78); /* deflate, window of 32 KiB */
	put(b, 0x01);
	do {
		size_t now = n - done < STORED_MOST ? n - done : STORED_MOST;

		put(b, done + now == n);
		put(b, (uint8_t)now);
		put(b, (uint8_t)(now >> 8));
		put(b, (uint8_t)~now);
		put(b, (uint8_t)(~now >> 8));
		for (size_t i = 0; i < now; i++)
			put(b, p[done + i]);
		done += now;
	} while (done < n);
	put_word(b, adler(p, n));
}

static void put_base64(struct bytes *to, const uint8_t *p, size_t n)
{
	static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < n; i += 3) {
		uint32_t v = (uint32_t)p[i] << 16;

		v |= i + 1 < n ? (uint32_t)p[i + 1] << 8 : 0;
		v |= i + 2 < n ? p[i + 2] : 0;
		put(to, (uint8_t)digit[v >> 18]);
		put(to, (uint8_t)digit[v >> 12 & 63]);
		put(to, i + 1 < n ? (uint8_t)digit[v >> 6 & 63] : '=');
		put(to, i + 2 < n ? (uint8_t)digit[v & 63] : '=');
	}
}

static void put_text(struct bytes *to, const char *s)
{
	while (*s != '\0')
		put(to, (uint8_t)*s++);
}

/* In units of 1/1000 of @unit, with three decimals. */
static void put_decimal(struct bytes *to, uint64_t v, uint64_t unit)
{
	uint64_t milli = v / (unit / 1000);
	char d[24];
	unsigned n = 0;

	for (; n < 4 || milli > 0; milli /= 10) {
		if (n == 3)
			d[n++] = '.';
		d[n++] = (char)('0' + milli % 10);
	}
	while (n > 0)
		put(to, (uint8_t)d[--n]);
}

/* Header and counts. Return: bytes at @p */
static size_t payload(const struct perf *p, const struct perf_series *s,
		      struct bytes *b, uint32_t *last)
{
	memset(b->p, 0, HEAD);
	b->len = HEAD;
	*last = put_counts(b, p, s);
	put_be32(b->p, COOKIE);
	put_be32(b->p + 4, (uint32_t)(b->len - HEAD));
	put_be32(b->p + 12, DIGITS);
	put_be64(b->p + 16, 1);
	put_be64(b->p + 24, (UINT64_C(1) << PERF_SPAN) - 1);
	put_be64(b->p + 32, UINT64_C(0x3ff0000000000000)); /* 1.0 */
	return b->full ? 0 : b->len;
}

size_t perf_hdr(struct perf *p, uint32_t group, enum perf_side side,
		enum perf_metric m, const char *tag, uint64_t from, uint64_t ns,
		char *out, size_t size)
{
	const struct perf_series *s = perf_series(p, group, side, m);
	uint8_t *packed = p->scratch->packed;
	size_t half = sizeof(p->scratch->packed) / 2;
	struct bytes raw = { packed, half, 0, false };
	struct bytes zip = { packed + half, half, PACKED_HEAD, false };
	struct bytes line = { (uint8_t *)out, size, 0, false };
	uint32_t last;
	size_t n;

	if (s->n == 0)
		return 0;
	n = payload(p, s, &raw, &last);
	put_stored(&zip, packed, n);
	put_be32(zip.p, COOKIE_PACKED);
	put_be32(zip.p + 4, (uint32_t)(zip.len - PACKED_HEAD));
	put_text(&line, "Tag=");
	put_text(&line, tag);
	put(&line, ',');
	put_decimal(&line, from, UINT64_C(1000000000));
	put(&line, ',');
	put_decimal(&line, ns, UINT64_C(1000000000));
	put(&line, ',');
	put_decimal(&line, perf_bucket_low(last, FINE_BITS),
		    m == PERF_THROUGHPUT ? 1000 : 1000000);
	put(&line, ',');
	put_base64(&line, zip.p, zip.len);
	put(&line, '\n');
	return n == 0 || zip.full || line.full ? 0 : line.len;
}
