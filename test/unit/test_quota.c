/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_quota.c - Unit test of quota/quota.h
 */
#include "quota/quota.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"

#define RATE	1000000 /* bits */
#define CLIENTS 400
#define MS	NS_PER_MS

struct rig {
	struct arena arena;
	struct quota *q;
	uint64_t now;
	uint64_t played[CLIENTS]; /* bytes */
	uint64_t said[CLIENTS];
};

static struct ipaddr client(unsigned n)
{
	uint8_t v4[4] = { 10, 1, (uint8_t)(n >> 8), (uint8_t)n };

	return ipaddr_from4(v4);
}

static void begin(struct rig *r, uint64_t rate)
{
	struct hash_key key = { { 1, 2 } };

	memset(r, 0, sizeof(*r));
	r->now = 5 * NS_PER_SEC;
	r->arena.size = quota_size();
	r->arena.base = aligned_alloc(ARENA_ALIGN, r->arena.size);
	memset(r->arena.base, 0, r->arena.size);
	CHECK(quota_init(&r->q, &r->arena, rate, &key, r->now) == 0);
}

static void end(struct rig *r)
{
	free(r->arena.base);
}

static bool say(struct rig *r, unsigned n, uint32_t bytes)
{
	struct ipaddr ip = client(n);
	bool plays = quota_plays(r->q, &ip, bytes, r->now);

	r->said[n] += bytes;
	r->played[n] += plays ? bytes : 0;
	return plays;
}

static uint64_t sum(const uint64_t *n)
{
	uint64_t all = 0;

	for (unsigned i = 0; i < CLIENTS; i++)
		all += n[i];
	return all;
}

/* Each of @n clients says @bytes each 10 ms, for @ms. Return: bytes played */
static uint64_t load(struct rig *r, unsigned n, uint32_t bytes, unsigned ms)
{
	uint64_t before = sum(r->played);

	for (unsigned t = 0; t < ms; t += 10, r->now += 10 * MS)
		for (unsigned i = 0; i < n; i++)
			say(r, i, bytes);
	return sum(r->played) - before;
}

/* Clients that are played. */
static unsigned playing(struct rig *r)
{
	unsigned n = 0;

	for (unsigned i = 0; i < CLIENTS; i++)
		n += say(r, i, 0);
	return n;
}

static void all_are_played_within_the_rate(void)
{
	struct rig r;

	begin(&r, RATE);
	load(&r, 100, 12, 20000); /* 96 % */
	CHECK(sum(r.played) == sum(r.said));
	CHECK(playing(&r) == CLIENTS);
	end(&r);
}

static void a_load_beyond_it_is_cut(void)
{
	static const uint32_t bytes[] = { 4, 7, 20, 200, 1514 };
	struct rig r;

	for (unsigned i = 0; i < ARRAY_SIZE(bytes); i++) {
		uint64_t got;

		begin(&r, RATE);
		load(&r, 400, bytes[i], 3000);
		got = load(&r, 400, bytes[i], 10000);
		/* In ten seconds: no more than the rate, and most of it where
		 * clients are small enough.
		 */
		CHECK(got <= 10 * RATE / 8);
		if (bytes[i] <= 20)
			CHECK(got > 8 * RATE / 8);
		end(&r);
	}
}

/* Clients speak in bursts, one after the other, and rest between them. */
static void a_load_in_bursts_is_cut(void)
{
	static const unsigned rest[] = { 100, 500, 900, 2500 }; /* ms */
	struct rig r;

	for (unsigned k = 0; k < ARRAY_SIZE(rest); k++) {
		uint64_t before = 0;
		uint64_t begun = 0;

		begin(&r, RATE);
		for (unsigned turn = 0; turn < 40; turn++) {
			if (turn == 10) {
				before = sum(r.played);
				begun = r.now;
			}
			for (unsigned i = 0; i < 400; i++) {
				say(&r, i, 1000);
				r.now += NS_PER_MS / 2;
			}
			r.now += rest[k] * MS;
		}
		before = sum(r.played) - before;
		begun = (r.now - begun) / MS; /* for so long */
		CHECK(before <= begun * RATE / 8000 + 16 * RATE / 80);
		CHECK(before >= begun * RATE / 8000 / 3);
		end(&r);
	}
}

static void whole_clients_stay_played(void)
{
	struct rig r;
	bool was[CLIENTS];
	unsigned changed = 0;
	unsigned n = 0;

	begin(&r, RATE);
	load(&r, 400, 20, 5000);
	for (unsigned i = 0; i < CLIENTS; i++)
		n += was[i] = say(&r, i, 0);
	CHECK(n > 20 && n < 200);
	for (unsigned s = 0; s < 50; s++) {
		load(&r, 400, 20, 100);
		for (unsigned i = 0; i < CLIENTS; i++)
			changed += was[i] != say(&r, i, 0);
	}
	CHECK(changed == 0);
	end(&r);
}

static void a_leap_is_cut_within_a_step(void)
{
	struct rig r;
	uint64_t first;

	begin(&r, RATE);
	load(&r, 400, 1, 5000); /* a third */
	CHECK(playing(&r) == CLIENTS);
	first = load(&r, 400, 40, 100); /* thirteen times */
	CHECK(first == 400 * 40 * 10);
	for (unsigned s = 0; s < 20; s++)
		CHECK(load(&r, 400, 40, 100) <= 2 * RATE / 8 / 10 + 400 * 40);
	end(&r);
}

static void they_come_back(void)
{
	struct rig r;

	begin(&r, RATE);
	load(&r, 400, 400, 5000);
	CHECK(playing(&r) > 0 && playing(&r) < 10);
	load(&r, 400, 1, 500);
	CHECK(playing(&r) < CLIENTS); /* not all at once */
	load(&r, 400, 1, 5000);
	CHECK(playing(&r) == CLIENTS);
	/* Also when nobody has spoken for long. */
	load(&r, 400, 400, 5000);
	r.now += 3600 * NS_PER_SEC;
	say(&r, 0, 1);
	CHECK(playing(&r) == CLIENTS);
	end(&r);
}

static void who_is_too_heavy_is_passed_over(void)
{
	struct rig r;
	bool heavy = true;
	bool light = false;

	begin(&r, RATE);
	for (unsigned t = 0; t < 300; t++, r.now += 10 * MS) {
		heavy = say(&r, 7, 10000);
		light = say(&r, 8, 60);
	}
	CHECK(!heavy && light);
	end(&r);
}

static void it_needs_its_memory(void)
{
	struct hash_key key = { { 1, 2 } };
	struct quota *q = NULL;
	uint8_t room[64] = { 0 };
	struct arena a = { .base = room, .size = sizeof(room) };

	CHECK(quota_init(&q, &a, RATE, &key, 0) == -12 && !q && a.used == 0);
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "all are played within the rate",
		  all_are_played_within_the_rate },
		{ "a load beyond it is cut", a_load_beyond_it_is_cut },
		{ "a load in bursts is cut", a_load_in_bursts_is_cut },
		{ "whole clients stay played", whole_clients_stay_played },
		{ "a leap is cut within a step", a_leap_is_cut_within_a_step },
		{ "they come back", they_come_back },
		{ "who is too heavy is passed over",
		  who_is_too_heavy_is_passed_over },
		{ "it needs its memory", it_needs_its_memory },
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
