/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_bitcache.c - Bit cache against a plain array, cache files against tcpprep
 */
#include "wire/cachefile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "core/rng.h"

#define PACKETS 3000u

/* Push random states through a small window, and keep what leaves it. */
static void run_model(unsigned per_byte, size_t chunk, size_t slots,
		      uint64_t seed)
{
	unsigned mask = (1u << 8 / per_byte) - 1;
	uint8_t *mem = malloc(chunk * slots);
	uint8_t model[PACKETS] = { 0 };
	uint8_t out[PACKETS + 64] = { 0 };
	size_t done = 0;
	uint64_t first = 0;
	struct bitcache c;
	struct rng r;
	size_t len;

	r = (struct rng){ seed };
	memset(mem, 0xaa, chunk * slots);
	CHECK(bitcache_init(&c, per_byte, mem, chunk, slots) == 0);
	for (unsigned i = 0; i < PACKETS; i++) {
		unsigned state = (unsigned)rng_next(&r) & mask;
		unsigned bits = (unsigned)rng_next(&r) & mask;
		uint64_t old = rng_next(&r) % (i + 1);
		int rc = bitcache_add(&c, state);

		if (rc == -ENOSPC) {
			const uint8_t *p = bitcache_oldest(&c, &len);

			CHECK(len == chunk);
			memcpy(out + done, p, len);
			done += len;
			first += chunk * per_byte;
			bitcache_drop(&c);
			rc = bitcache_add(&c, state);
		}
		CHECK(rc == 0);
		model[i] = (uint8_t)state;
		rc = bitcache_set(&c, old, bits);
		CHECK((rc == 0) == (old >= first));
		if (rc == 0)
			model[old] |= (uint8_t)bits;
		CHECK(bitcache_get(&c, old) ==
		      (old >= first ? model[old] : -ERANGE));
	}
	CHECK(bitcache_get(&c, PACKETS) == -ERANGE);
	CHECK(c.count == PACKETS);
	for (const uint8_t *p; (p = bitcache_oldest(&c, &len)) != NULL;) {
		memcpy(out + done, p, len);
		done += len;
		bitcache_drop(&c);
	}
	CHECK(done == bitcache_bytes(PACKETS, per_byte));
	for (unsigned i = 0; i < PACKETS; i++)
		CHECK(((unsigned)out[i / per_byte] >>
			       i % per_byte * (8 / per_byte) &
		       mask) == model[i]);
	free(mem);
}

static void states_are_those_of_an_array(void)
{
	for (unsigned k = 1; k <= 8; k *= 2)
		for (size_t chunk = 1; chunk <= 64; chunk += 21)
			for (size_t slots = 1; slots <= 5; slots += 2)
				run_model(k, chunk, slots, chunk * 31 + k);
}

static void layouts_and_states_are_checked(void)
{
	uint8_t mem[4];
	struct bitcache c;
	size_t len;

	CHECK(bitcache_init(&c, 0, mem, 4, 1) == -EINVAL);
	CHECK(bitcache_init(&c, 3, mem, 4, 1) == -EINVAL);
	CHECK(bitcache_init(&c, 16, mem, 4, 1) == -EINVAL);
	CHECK(bitcache_init(&c, 4, mem, 0, 1) == -EINVAL);
	CHECK(bitcache_init(&c, 4, mem, 4, 0) == -EINVAL);
	CHECK(bitcache_init(&c, 4, mem, 4, 1) == 0);
	CHECK(bitcache_oldest(&c, &len) == NULL);
	CHECK(bitcache_add(&c, 4) == -EINVAL);
	CHECK(bitcache_add(&c, 3) == 0);
	CHECK(bitcache_set(&c, 0, 4) == -EINVAL);
	CHECK(bitcache_set(&c, 1, 1) == -ERANGE);
	CHECK(bitcache_bytes(9, 8) == 2 && bitcache_bytes(9, 3) == 0);
	CHECK(bitcache_bytes(UINT64_MAX, 4) == UINT64_C(1) << 62);
}

/* A file of @packets with @data bytes behind a comment of 5. */
static int open_file(struct cachefile *f, uint64_t packets, size_t data, int at,
		     uint8_t value)
{
	size_t len = CACHEFILE_HEADER + 5 + data;
	uint8_t *p = calloc(1, len);
	int rc;

	cachefile_header(p, packets, 5);
	memcpy(p + CACHEFILE_HEADER, "hello", 5);
	for (size_t i = 0; i < data; i++)
		p[CACHEFILE_HEADER + 5 + i] = 0xe4; /* 0, 1, 2, 3 */
	if (at >= 0)
		p[at] = value;
	rc = cachefile_open(f, p, len);
	if (rc == 0) {
		CHECK(f->comment_len == 5 &&
		      memcmp(f->comment, "hello", 5) == 0);
		for (uint64_t i = 0; i < packets; i++)
			CHECK(cachefile_get(f, i) ==
			      (i % 4 < 2 ? BITCACHE_SKIP : (int)(i % 4)));
		CHECK(cachefile_get(f, packets) == -ERANGE);
	}
	free(p);
	return rc;
}

static void files_are_validated(void)
{
	struct cachefile f;

	for (uint64_t n = 0; n < 18; n++)
		CHECK(open_file(&f, n, (n + 3) / 4, -1, 0) == 0);
	CHECK(open_file(&f, 9, 2, -1, 0) == -ENODATA);
	CHECK(open_file(&f, 9, 4, -1, 0) == -EFBIG);
	CHECK(open_file(&f, 0, 1, -1, 0) == -EFBIG);
	CHECK(open_file(&f, UINT64_C(1) << 60, 3, -1, 0) == -ENODATA);
	CHECK(open_file(&f, UINT64_MAX, 3, -1, 0) == -ENODATA);
	CHECK(open_file(&f, 9, 3, 0, 'T') == -EBADMSG);
	CHECK(open_file(&f, 9, 3, 7, 1) == -EBADMSG);
	CHECK(open_file(&f, 9, 3, 9, '3') == -EPROTONOSUPPORT);
	CHECK(open_file(&f, 9, 3, 10, 'x') == -EPROTONOSUPPORT);
	for (int k = 0; k < 256; k++)
		CHECK(open_file(&f, 9, 3, 21, (uint8_t)k) ==
		      (k == 4 ? 0 : -ENOTSUP));
	CHECK(open_file(&f, 9, 3, 20, 1) == -ENOTSUP);
	CHECK(open_file(&f, 9, 3, 23, 200) == -ENODATA);
	CHECK(open_file(&f, 9, 3, 22, 255) == -ENODATA);
	CHECK(cachefile_open(&f, (const uint8_t *)"tcpprep", 7) == -EBADMSG);
	CHECK(cachefile_open(&f,
			     (const uint8_t *)"tcpprep\0"
					      "04\0",
			     12) == -ENODATA);
}

/* A comment of tcpprep's may have 65534 bytes. */
static void a_comment_has_a_limit(void)
{
	static uint8_t p[CACHEFILE_HEADER + CACHEFILE_COMMENT_MAX + 1];
	struct cachefile f;

	cachefile_header(p, 0, CACHEFILE_COMMENT_MAX);
	CHECK(cachefile_open(&f, p, sizeof(p) - 1) == 0);
	CHECK(f.comment_len == CACHEFILE_COMMENT_MAX && f.packets == 0);
	p[22] = 0xff;
	p[23] = 0xff;
	CHECK(cachefile_open(&f, p, sizeof(p)) == -EMSGSIZE);
}

static void every_cut_of_a_file_is_refused(void)
{
	static const uint8_t whole[] = "tcpprep\0"
				       "04\0\0"
				       "\0\0\0\0\0\0\0\5\0\4\0\2ab\xff\3";
	struct cachefile f;

	for (size_t n = 0; n < sizeof(whole) - 1; n++) {
		uint8_t *p = malloc(n + 1);

		memcpy(p, whole, n);
		CHECK(cachefile_open(&f, p, n) < 0);
		free(p);
	}
	CHECK(cachefile_open(&f, whole, sizeof(whole) - 1) == 0);
	CHECK(f.packets == 5 && cachefile_get(&f, 4) == BITCACHE_C2S);
}

static void a_pairing_is_found_again(void)
{
	char comment[BITCACHE_PAIR_TEXT + 1];
	struct bitcache_pair a, b;
	struct cachefile f = { .comment = comment,
			       .comment_len = sizeof(comment) };
	uint64_t frames, digest;

	bitcache_pair_init(&a);
	bitcache_pair_init(&b);
	for (uint32_t i = 0; i < 100; i++) {
		bitcache_pair_add(&a, 5000000 + i * UINT64_C(7000), 60 + i);
		/* later by a constant, and with nanoseconds */
		bitcache_pair_add(&b,
				  9000000 + i * UINT64_C(7000) + i * 37 % 1000,
				  60 + i);
	}
	CHECK(a.digest == b.digest && a.frames == 100);
	bitcache_pair_text(&a, comment);
	comment[BITCACHE_PAIR_TEXT] = 'x';
	CHECK(bitcache_pair_find(&f, &frames, &digest));
	CHECK(frames == 100 && digest == a.digest);
	for (size_t i = 0; i < BITCACHE_PAIR_TEXT; i++) {
		char was = comment[i];

		comment[i] = '~';
		CHECK(!bitcache_pair_find(&f, &frames, &digest));
		comment[i] = was;
	}
	f.comment_len = BITCACHE_PAIR_TEXT - 1;
	CHECK(!bitcache_pair_find(&f, &frames, &digest));
	bitcache_pair_add(&a, 6000000, 60);
	bitcache_pair_add(&b, 6000000, 61);
	CHECK(a.digest != b.digest);
}

static void every_refusal_has_its_own_words(void)
{
	static const int why[] = { -ENODATA, -EFBIG,
				   -EBADMSG, -EPROTONOSUPPORT,
				   -ENOTSUP, -EMSGSIZE,
				   -EIO };

	for (size_t i = 0; i < ARRAY_SIZE(why); i++)
		for (size_t k = 0; k < i; k++)
			CHECK(strcmp(cachefile_why(why[i]),
				     cachefile_why(why[k])) != 0);
	CHECK(strcmp(cachefile_why(-EIO), cachefile_why(-ENOMEM)) == 0);
}

/* A pairing is 16 digits of 0-9 and a-f, twice. */
static void a_pairing_has_lower_case_digits(void)
{
	struct bitcache_pair p = { .frames = 0x0123456789abcdef };
	char text[BITCACHE_PAIR_TEXT];
	struct cachefile f = { .comment = text, .comment_len = sizeof(text) };
	uint64_t frames, digest;
	char *digit;

	bitcache_pair_text(&p, text);
	CHECK(bitcache_pair_find(&f, &frames, &digest) && frames == p.frames);
	for (digit = text; memcmp(digit, "0123456789abcde", 15) != 0;)
		digit++;
	digit += 15;
	for (unsigned c = 0; c < 256; c++) {
		bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');

		*digit = (char)c;
		CHECK(bitcache_pair_find(&f, &frames, &digest) == hex);
	}
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "states are those of an array",
		  states_are_those_of_an_array },
		{ "layouts and states are checked",
		  layouts_and_states_are_checked },
		{ "files are validated", files_are_validated },
		{ "a comment has a limit", a_comment_has_a_limit },
		{ "every cut of a file is refused",
		  every_cut_of_a_file_is_refused },
		{ "a pairing is found again", a_pairing_is_found_again },
		{ "every refusal has its own words",
		  every_refusal_has_its_own_words },
		{ "a pairing has lower case digits",
		  a_pairing_has_lower_case_digits },
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
