/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_wire_frag.c - Unit test of wire/frag.h, and of fragments in decode.h
 */
#include "wire/frag.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "core/bytes.h"
#include "core/rng.h"
#include "wire/build.h"
#include "wire/decode.h"
#include "wire_oracle.h"

#define SEC UINT64_C(1000000000)

static struct arena arena;
static struct frag_table *table;

static void setup(uint32_t n)
{
	static const struct hash_key key = { { 1, 2 } };

	arena.size = frag_size(n);
	arena.used = 0;
	arena.base = aligned_alloc(ARENA_ALIGN, arena.size);
	CHECK(frag_init(&table, &arena, n, &key) == 0);
	CHECK(arena.used == arena.size);
}

static void teardown(void)
{
	free(arena.base);
}

static struct frag_key key_of(uint32_t id)
{
	return (struct frag_key){ .id = id, .proto = 17 };
}

/* Add bytes @off to @off + @len of the datagram @data, from an exact copy. */
static int add(uint32_t id, const uint8_t *data, uint32_t off, uint32_t len,
	       bool more, uint64_t now, const uint8_t **whole)
{
	struct frag_key key = key_of(id);
	uint8_t *copy = malloc(len > 0 ? len : 1);
	int r;

	memcpy(copy, data + off, len);
	r = frag_input(table, &key, off, more, copy, len, now, whole);
	free(copy);
	return r;
}

static void fill(uint8_t *p, size_t n, uint64_t seed)
{
	struct rng rng = { seed };

	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)rng_next(&rng);
}

/* Cut @total bytes at random. Return: pieces; @cut has one end more. */
static uint32_t cut_up(struct rng *rng, uint32_t total, uint32_t *cut,
		       uint32_t max)
{
	uint32_t n = 0, off = 0;

	while (off < total && n < max) {
		cut[n++] = off;
		off += 8 * (1 + rng_below(rng, total / 64 + 1));
	}
	cut[n] = total;
	return n;
}

static void test_any_order(void)
{
	static uint8_t data[65535];
	struct rng rng = { 5 };
	uint32_t cut[64], order[64];

	setup(2);
	fill(data, sizeof(data), 1);
	for (uint32_t id = 0; id < 400; id++) {
		uint32_t total =
			1 + rng_below(&rng, id % 4 == 0 ? 65535 : 3000);
		uint32_t n = cut_up(&rng, total, cut, 63);
		const uint8_t *whole = NULL;

		for (uint32_t i = 0; i < n; i++) { /* shuffle, inside out */
			uint32_t j = rng_below(&rng, i + 1);

			order[i] = order[j];
			order[j] = i;
		}
		for (uint32_t i = 0; i < n; i++) {
			uint32_t j = order[i],
				 k = order[rng_below(&rng, i + 1)];
			int r = add(id, data, cut[j], cut[j + 1] - cut[j],
				    j + 1 < n, 0, &whole);

			CHECK(r == (i + 1 < n ? 0 : (int)total));
			if (r == 0) /* repeat one that is there */
				CHECK(add(id, data, cut[k], cut[k + 1] - cut[k],
					  k + 1 < n, 0, &whole) == 0);
		}
		CHECK(whole != NULL && memcmp(whole, data, total) == 0);
		CHECK(frag_used(table, 0) == 0);
	}
	CHECK(frag_stats(table)->overlapped == 0);
	CHECK(frag_stats(table)->evicted == 0);
	teardown();
}

static void test_impossible_lengths(void)
{
	static uint8_t data[70000];
	const uint8_t *whole = NULL;

	setup(2);
	CHECK(add(1, data, 0, 0, true, 0, &whole) == -EBADMSG);
	CHECK(add(1, data, 8, 0, false, 0, &whole) == -EBADMSG);
	CHECK(add(1, data, 0, 12, true, 0, &whole) == -EBADMSG);
	CHECK(add(1, data, 4, 8, true, 0, &whole) == -EBADMSG);
	CHECK(add(1, data, 65528, 8, false, 0, &whole) == -EBADMSG);
	CHECK(add(1, data, 0, 65536, false, 0, &whole) == -EBADMSG);
	CHECK(frag_used(table, 0) == 0);
	CHECK(add(1, data, 65528, 7, false, 0, &whole) == 0);
	CHECK(add(1, data, 0, 65528, true, 0, &whole) == 65535);
	CHECK(whole != NULL);
	teardown();
}

static void test_contradictions_drop_the_datagram(void)
{
	static const struct {
		const char *name;
		uint32_t off, len;
		bool more, flip;
	} rows[] = {
		{ "half new", 8, 16, true, false },
		{ "over the front", 8, 32, true, false },
		{ "same place, other bytes", 16, 8, true, true },
		{ "another end", 48, 8, false, false },
		{ "end before the end", 32, 5, false, false },
		{ "beyond the end", 40, 16, true, false },
	};
	uint8_t data[64], bad[64];
	const uint8_t *whole = NULL;

	setup(4);
	fill(data, sizeof(data), 2);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint32_t id = (uint32_t)i;

		memcpy(bad, data, sizeof(bad));
		if (rows[i].flip)
			bad[rows[i].off] ^= 1;
		CHECK(add(id, data, 16, 16, true, 0, &whole) == 0);
		CHECK(add(id, data, 40, 5, false, 0, &whole) == 0);
		CHECK_ROW(add(id, bad, rows[i].off, rows[i].len, rows[i].more,
			      0, &whole) == -EBADMSG,
			  rows[i].name);
		CHECK_ROW(frag_used(table, 0) == 0, rows[i].name);
		CHECK_ROW(frag_stats(table)->overlapped == i + 1, rows[i].name);
	}
	/* The last one ends before what is here. */
	CHECK(add(8, data, 16, 16, true, 0, &whole) == 0);
	CHECK(add(8, data, 8, 5, false, 0, &whole) == -EBADMSG);
	CHECK(frag_used(table, 0) == 0);
	/* A repetition is none: inside, or of the end. */
	CHECK(add(9, data, 16, 16, true, 0, &whole) == 0);
	CHECK(add(9, data, 40, 5, false, 0, &whole) == 0);
	CHECK(add(9, data, 24, 8, true, 0, &whole) == 0);
	CHECK(add(9, data, 40, 5, false, 0, &whole) == 0);
	CHECK(add(9, data, 0, 16, true, 0, &whole) == 0);
	CHECK(add(9, data, 32, 8, true, 0, &whole) == 45);
	CHECK(whole != NULL && memcmp(whole, data, 45) == 0);
	teardown();
}

static void test_repetition_may_tell_the_end(void)
{
	uint8_t data[64];
	const uint8_t *whole = NULL;

	setup(1);
	fill(data, sizeof(data), 3);
	CHECK(add(1, data, 16, 16, true, 0, &whole) == 0);
	CHECK(add(1, data, 24, 8, false, 0, &whole) == 0);
	CHECK(add(1, data, 32, 8, true, 0, &whole) == -EBADMSG);
	CHECK(add(2, data, 16, 16, true, 0, &whole) == 0);
	CHECK(add(2, data, 24, 8, false, 0, &whole) == 0);
	CHECK(add(2, data, 0, 16, true, 0, &whole) == 32);
	CHECK(memcmp(whole, data, 32) == 0);
	/* Nothing new came: not whole, and never will be. */
	CHECK(add(3, data, 0, 16, true, 0, &whole) == 0);
	CHECK(add(3, data, 0, 16, false, 0, &whole) == 0);
	CHECK(add(3, data, 0, 16, false, 0, &whole) == 0);
	teardown();
}

static void test_keys_are_told_apart(void)
{
	struct frag_key k[5] = { { .id = 1, .proto = 6 },
				 { .id = 2, .proto = 6 },
				 { .id = 1, .proto = 17 },
				 { .id = 1, .proto = 6 },
				 { .id = 1, .proto = 6 } };
	const uint8_t *whole = NULL;
	uint8_t data[16] = { 0 };

	setup(8);
	k[3].src.b[15] = 1;
	k[4].dst.b[0] = 1;
	for (unsigned i = 0; i < 5; i++) {
		data[0] = (uint8_t)i;
		CHECK(frag_input(table, &k[i], 0, true, data, 8, 0, &whole) ==
		      0);
	}
	CHECK(frag_used(table, 0) == 5);
	for (unsigned i = 0; i < 5; i++) {
		CHECK(frag_input(table, &k[i], 8, false, data, 3, 0, &whole) ==
		      11);
		CHECK(whole[0] == i);
	}
	teardown();
}

/* So many that keys which differ in one field share a chain. */
static void test_many_keys_are_told_apart(void)
{
	enum { N = 64 };
	struct frag_key k[4 * N];
	const uint8_t *whole = NULL;
	uint8_t data[16] = { 0 };

	memset(k, 0, sizeof(k));
	setup(4 * N);
	for (unsigned i = 0; i < N; i++) {
		k[4 * i].id = i;
		k[4 * i + 1].src.b[15] = (uint8_t)(i + 1);
		k[4 * i + 2].dst.b[15] = (uint8_t)(i + 1);
		k[4 * i + 3].proto = (uint8_t)(i + 1);
	}
	for (unsigned i = 0; i < 4 * N; i++) {
		data[0] = (uint8_t)i;
		CHECK(frag_input(table, &k[i], 0, true, data, 8, 0, &whole) ==
		      0);
	}
	CHECK(frag_used(table, 0) == 4 * N);
	for (unsigned i = 0; i < 4 * N; i++) {
		CHECK(frag_input(table, &k[i], 8, false, data, 3, 0, &whole) ==
		      11);
		CHECK(whole[0] == (uint8_t)i);
	}
	teardown();
}

static void test_full_table_gives_up_the_oldest(void)
{
	const uint8_t *whole = NULL;
	uint8_t data[16] = { 0 };

	setup(3);
	for (uint32_t id = 0; id < 100; id++)
		CHECK(add(id, data, 0, 8, true, id, &whole) == 0);
	CHECK(frag_used(table, 100) == 3);
	CHECK(frag_stats(table)->evicted == 97);
	CHECK(add(97, data, 8, 8, false, 100, &whole) == 16);
	CHECK(add(96, data, 8, 8, false, 100, &whole) == 0);
	teardown();

	setup(0);
	CHECK(add(1, data, 0, 8, true, 0, &whole) == -ENOBUFS);
	CHECK(frag_used(table, 0) == 0);
	teardown();
}

static void test_old_ones_expire(void)
{
	const uint8_t *whole = NULL;
	uint8_t data[16] = { 0 };

	setup(3);
	CHECK(add(1, data, 0, 8, true, 5 * SEC, &whole) == 0);
	CHECK(add(2, data, 0, 8, true, 6 * SEC, &whole) == 0);
	CHECK(frag_used(table, 35 * SEC - 1) == 2);
	CHECK(frag_used(table, 35 * SEC) == 1);
	CHECK(frag_used(table, 36 * SEC) == 0);
	CHECK(frag_used(table, 0) == 2); /* time that goes back ages nothing */
	CHECK(add(1, data, 8, 8, false, 35 * SEC, &whole) == 0);
	CHECK(add(2, data, 8, 8, false, 36 * SEC - 1, &whole) == 16);
	CHECK(frag_stats(table)->expired == 1);
	teardown();
}

static void test_too_small_an_arena(void)
{
	static const struct hash_key key = { { 1, 2 } };
	struct arena a = { .base = NULL, .size = frag_size(4) - 1 };
	struct frag_table *t = NULL;

	CHECK(frag_init(&t, &a, 4, &key) == -ENOMEM);
	CHECK(t == NULL && a.used == 0);
	a.size += 64;
	a.used = 64;
	CHECK(frag_init(&t, &a, 4, &key) == -ENOMEM);
	CHECK(t == NULL && a.used == 64);
}

/* Cut the datagram of @n bytes at @f + 14 + 20 into an IPv4 fragment at @out. */
static uint32_t cut4(uint8_t *out, const uint8_t *f, uint32_t off, uint32_t len,
		     bool more)
{
	memcpy(out, f, 34);
	memcpy(out + 34, f + 34 + off, len);
	put_be16(out + 16, (uint16_t)(20 + len));
	put_be16(out + 20, (uint16_t)(off / 8 | (more ? 0x2000u : 0)));
	put_be16(out + 24, 0);
	put_be16(out + 24, (uint16_t)~oracle_sum(0, out + 14, 20));
	return 34 + len;
}

/* The same for IPv6, with a fragment header. */
static uint32_t cut6(uint8_t *out, const uint8_t *f, uint32_t off, uint32_t len,
		     bool more)
{
	memcpy(out, f, 54);
	put_be16(out + 18, (uint16_t)(8 + len));
	out[20] = 44;
	out[54] = f[20];
	out[55] = 0;
	put_be16(out + 56, (uint16_t)(off | (more ? 1u : 0)));
	put_be32(out + 58, 0x01020304);
	memcpy(out + 62, f + 54 + off, len);
	return 62 + len;
}

static void check_frames(bool v4)
{
	static const uint8_t a4[4] = { 192, 0, 2, 1 }, b4[4] = { 192, 0, 2, 2 };
	struct tcp_header h = { .sport = 5353, .dport = 53, .ttl = 60 };
	uint8_t f[BUILD_HDR_MAX + 3000], data[3000], frag[1600];
	struct frame_info in = { .data = frag, .link = LINK_ETHERNET };
	const uint32_t all = 8 + sizeof(data);
	struct decoded d;

	setup(2);
	h.src.b[0] = h.dst.b[0] = 0x20;
	h.src.b[15] = 1;
	if (v4) {
		h.src = ipaddr_from4(a4);
		h.dst = ipaddr_from4(b4);
	}
	fill(data, sizeof(data), 3);
	memcpy(f + build_udp(f, &h, data, sizeof(data), CSUM_FULL), data,
	       sizeof(data));
	for (uint32_t off = 0; off < all; off += 1200) {
		bool more = off + 1200 < all;
		uint32_t len = more ? 1200 : all - off;
		enum decode_result r;

		in.cap = in.wire = v4 ? cut4(frag, f, off, len, more)
				      : cut6(frag, f, off, len, more);
		in.cap--;
		CHECK(frame_decode(&in, table, 0, &d) == DECODE_TRUNCATED);
		in.cap++;
		CHECK(frame_decode(&in, NULL, 0, &d) == DECODE_FRAG_DROPPED);
		r = frame_decode(&in, table, 0, &d);
		CHECK(r == (more ? DECODE_FRAGMENT : DECODE_UDP));
	}
	CHECK(d.reassembled && d.seg.len == sizeof(data));
	CHECK(d.seg.cap == sizeof(data) && d.seg.dport == 53);
	CHECK(memcmp(d.seg.data, data, sizeof(data)) == 0);
	CHECK(ipaddr_eq(&d.seg.src, &h.src) && d.seg.ttl == 60);
	CHECK(frag_used(table, 0) == 0);
	teardown();
}

static void test_ip4_frames(void)
{
	check_frames(true);
}

/* Fragments of two datagrams, told apart by the identification only. */
static void check_ids(bool v4)
{
	uint8_t f[BUILD_HDR_MAX + 100] = { 0 }, frag[2][100];
	struct tcp_header h = { .sport = 1, .ttl = 9 };
	struct frame_info in = { .link = LINK_ETHERNET };
	struct decoded d;

	setup(4);
	h.src.b[0] = h.dst.b[0] = 0x20;
	if (v4) {
		h.src = ipaddr_from4(f);
		h.dst = h.src;
	}
	build_udp(f, &h, f, 8, CSUM_FULL);
	for (unsigned i = 0; i < 4; i++) {
		uint8_t *p = frag[i % 2];
		uint8_t *id = p + (v4 ? 18 : 58);

		in.data = p;
		in.cap = in.wire = v4 ? cut4(p, f, i / 2 * 8, 8, i < 2)
				      : cut6(p, f, i / 2 * 8, 8, i < 2);
		put_be16(id, (uint16_t)(100 + i % 2));
		if (v4) {
			put_be16(p + 24, 0);
			put_be16(p + 24, (uint16_t)~oracle_sum(0, p + 14, 20));
		}
		CHECK(frame_decode(&in, table, 0, &d) ==
		      (i < 2 ? DECODE_FRAGMENT : DECODE_UDP));
		CHECK(frag_used(table, 0) == (i < 2 ? i + 1 : 3 - i));
	}
	teardown();
}

static void test_ids_of_frames(void)
{
	check_ids(true);
	check_ids(false);
}

static void test_ip6_frames(void)
{
	check_frames(false);
}

/* Decode the fragments of a datagram that build_udp_fragment() wrote. */
static void check_fragments(bool v4, uint32_t len, uint32_t room)
{
	struct tcp_header h = { .ttl = 64,
				.sport = 1000,
				.dport = 53,
				.ip_id = 77,
				.eth_src = { 2 },
				.eth_dst = { 2, 1 } };
	static uint8_t data[65535], f[BUILD_HDR_MAX + 2000];
	uint32_t from = 0;

	if (v4)
		h.src.b[10] = h.src.b[11] = h.dst.b[10] = h.dst.b[11] = 0xff;
	else
		h.src.b[0] = h.dst.b[0] = 0xfd;
	h.src.b[15] = 1;
	h.dst.b[15] = 2;
	fill(data, len, len);
	setup(2);
	while (from < len) {
		uint32_t n = from == 0 ? room - 8 : room;
		struct frame_info in = { .data = f, .link = LINK_ETHERNET };
		struct decoded d;
		enum decode_result r;
		size_t hdr;

		if (n > len - from)
			n = len - from;
		hdr = build_udp_fragment(f, &h, data, len, from, n);
		CHECK(hdr <= BUILD_HDR_MAX);
		memcpy(f + hdr, data + from, n);
		in.cap = in.wire = (uint32_t)hdr + n;
		from += n;
		r = frame_decode(&in, table, SEC, &d);
		if (from < len) {
			CHECK(r == DECODE_FRAGMENT);
			continue;
		}
		CHECK(r == DECODE_UDP && d.seg.len == len && d.seg.cap == len);
		CHECK(r == DECODE_UDP && !memcmp(d.seg.data, data, len));
		CHECK(d.seg.sport == 1000 && d.seg.dport == 53);
	}
	teardown();
}

static void test_what_is_cut_comes_together(void)
{
	for (uint32_t len = 1473; len < 65000; len = len * 3 / 2 + 1)
		for (uint32_t room = 1232; room <= 1480; room += 248) {
			check_fragments(true, len, room);
			check_fragments(false, len, room);
		}
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "what is cut comes together",
		  test_what_is_cut_comes_together },
		{ "any order", test_any_order },
		{ "impossible lengths", test_impossible_lengths },
		{ "contradictions drop the datagram",
		  test_contradictions_drop_the_datagram },
		{ "a repetition may tell the end",
		  test_repetition_may_tell_the_end },
		{ "keys are told apart", test_keys_are_told_apart },
		{ "many keys are told apart", test_many_keys_are_told_apart },
		{ "a full table gives up the oldest",
		  test_full_table_gives_up_the_oldest },
		{ "old ones expire", test_old_ones_expire },
		{ "too small an arena", test_too_small_an_arena },
		{ "IPv4 frames", test_ip4_frames },
		{ "IPv6 frames", test_ip6_frames },
		{ "identifications of frames", test_ids_of_frames },
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
