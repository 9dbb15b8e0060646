/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_hash.c - Unit test of the keyed hash
 *
 * The oracle is the paper's pseudocode with its two parameters left open. With
 * 2 and 4 it must give the paper's own test value (appendix A); with 1 and 3 it
 * is what hash_bytes() must agree with.
 */
#include "core/hash.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "core/rng.h"

static uint64_t rotate(uint64_t x, unsigned n)
{
	return x << n | x >> (64 - n);
}

static void rounds(uint64_t v[4], int n)
{
	while (n-- > 0) {
		v[0] += v[1];
		v[1] = rotate(v[1], 13);
		v[1] ^= v[0];
		v[0] = rotate(v[0], 32);
		v[2] += v[3];
		v[3] = rotate(v[3], 16);
		v[3] ^= v[2];
		v[0] += v[3];
		v[3] = rotate(v[3], 21);
		v[3] ^= v[0];
		v[2] += v[1];
		v[1] = rotate(v[1], 17);
		v[1] ^= v[2];
		v[2] = rotate(v[2], 32);
	}
}

static uint64_t siphash(int c, int d, const struct hash_key *key,
			const uint8_t *p, size_t len)
{
	static const char text[] = "somepseudorandomlygeneratedbytes";
	uint64_t v[4] = { 0 };
	size_t words = len / 8 + 1;

	for (size_t i = 0; i < 32; i++)
		v[i / 8] = v[i / 8] << 8 | (uint8_t)text[i];
	for (size_t i = 0; i < 4; i++)
		v[i] ^= key->k[i % 2];
	for (size_t w = 0; w < words; w++) {
		uint64_t m = 0;

		for (size_t i = 8; i-- > 0;) {
			size_t at = w * 8 + i;

			m = m << 8 | (at < len ? p[at] : 0);
		}
		if (w == words - 1)
			m |= (uint64_t)(len % 256) << 56;
		v[3] ^= m;
		rounds(v, c);
		v[0] ^= m;
	}
	v[2] ^= 0xff;
	rounds(v, d);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static const struct hash_key paper = { { UINT64_C(0x0706050403020100),
					 UINT64_C(0x0f0e0d0c0b0a0908) } };

static void test_oracle_gives_the_papers_value(void)
{
	uint8_t in[15];

	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)i;
	CHECK(siphash(2, 4, &paper, in, sizeof(in)) ==
	      UINT64_C(0xa129ca6149be45e5));
}

static void test_agrees_with_the_oracle(void)
{
	struct rng r = { 13 };

	for (size_t len = 0; len < 600; len++) {
		struct hash_key key = { { rng_next(&r), rng_next(&r) } };
		uint8_t *p = malloc(len + 1);

		/* An odd address, and the end where ASan watches. */
		for (size_t i = 0; i < len; i++)
			p[i + 1] = (uint8_t)rng_next(&r);
		CHECK(hash_bytes(&key, p + 1, len) ==
		      siphash(1, 3, &key, p + 1, len));
		free(p);
	}
}

static void test_every_bit_counts(void)
{
	struct hash_key key = paper;
	uint8_t in[36] = { 0 };
	uint64_t was = hash_bytes(&key, in, sizeof(in));

	for (size_t i = 0; i < sizeof(in) * 8; i++) {
		in[i / 8] ^= (uint8_t)(1u << i % 8);
		CHECK(hash_bytes(&key, in, sizeof(in)) != was);
		in[i / 8] ^= (uint8_t)(1u << i % 8);
	}
	for (size_t i = 0; i < 128; i++) {
		key.k[i / 64] ^= UINT64_C(1) << i % 64;
		CHECK(hash_bytes(&key, in, sizeof(in)) != was);
		key.k[i / 64] ^= UINT64_C(1) << i % 64;
	}
	CHECK(hash_bytes(&key, in, sizeof(in) - 1) != was);
}

/* Addresses and ports of a flow, as a table's key has them. */
struct tuple {
	uint8_t client[16];
	uint8_t server[16];
	uint16_t cport;
	uint16_t sport;
};

#define CHOSEN	 1024
#define LONGEST	 12 /* of n keys in n buckets: longer once in 10^7 tables */
#define IN_A_ROW 65536
#define LONGER	 14

static struct tuple tuple_of(uint32_t n)
{
	struct tuple t = { .sport = 80, .cport = (uint16_t)n };

	t.client[10] = t.client[11] = 0xff;
	t.client[12] = 10;
	t.client[15] = (uint8_t)(n >> 16);
	return t;
}

static unsigned longest_chain(const struct hash_key *key, const uint32_t *which,
			      uint32_t n)
{
	uint16_t *chain = calloc(n, sizeof(*chain));
	unsigned most = 0;

	for (uint32_t i = 0; i < n; i++) {
		struct tuple t = tuple_of(which ? which[i] : i);
		uint64_t h = hash_bytes(key, &t, sizeof(t)) & (n - 1);

		if (++chain[h] > most)
			most = chain[h];
	}
	free(chain);
	return most;
}

/* Who knows a key finds tuples that share a bucket; with another key they do
 * not, and neither do those that lie in a row.
 */
static void test_chosen_tuples_do_not_share_a_bucket(void)
{
	struct rng r = { 21 };
	struct hash_key known = paper;
	uint32_t *which = calloc(CHOSEN, sizeof(*which));
	uint32_t found = 0;
	unsigned worst = 0;
	unsigned row = 0;

	for (uint32_t n = 0; found < CHOSEN; n++) {
		struct tuple t = tuple_of(n);

		if ((hash_bytes(&known, &t, sizeof(t)) & (CHOSEN - 1)) == 0)
			which[found++] = n;
	}
	CHECK(longest_chain(&known, which, CHOSEN) == CHOSEN);
	for (int i = 0; i < 64; i++) {
		struct hash_key key = { { rng_next(&r), rng_next(&r) } };
		unsigned n = longest_chain(&key, which, CHOSEN);

		worst = n > worst ? n : worst;
		n = i < 4 ? longest_chain(&key, NULL, IN_A_ROW) : 0;
		row = n > row ? n : row;
	}
	printf("# %d chosen tuples: longest chain %u; %d in a row: %u\n",
	       CHOSEN, worst, IN_A_ROW, row);
	CHECK(worst <= LONGEST);
	CHECK(row <= LONGER);
	free(which);
}

static const struct check_test tests[] = {
	{ "chosen tuples do not share a bucket",
	  test_chosen_tuples_do_not_share_a_bucket },
	{ "oracle gives the paper's value",
	  test_oracle_gives_the_papers_value },
	{ "agrees with the oracle", test_agrees_with_the_oracle },
	{ "every bit counts", test_every_bit_counts },
};

int main(void)
{
	return check_main(tests, ARRAY_SIZE(tests));
}
