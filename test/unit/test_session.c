/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_session.c - Unit test of session/session.h: a table of values
 */
#include "session/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "app/asked.h"
#include "check.h"
#include "core/rng.h"

static struct session *make(struct arena *a)
{
	struct session *s = NULL;

	*a = (struct arena){ .size = session_size() };
	a->base = aligned_alloc(ARENA_ALIGN, a->size);
	CHECK(session_init(&s, a) == 0);
	return s;
}

static void what_was_learned_is_known(void)
{
	const uint64_t a = 1 << 4, b = 2 << 4;
	struct arena arena;
	struct session *s = make(&arena);

	CHECK(session_state(s, a) == SESSION_UNKNOWN);
	CHECK(session_state(s, 0) == SESSION_UNKNOWN);
	session_set(s, a, SESSION_OPEN);
	CHECK(session_state(s, a) == SESSION_OPEN);
	CHECK(session_stats(s)->learned == 0);
	session_set(s, a, SESSION_OTHER);
	session_set(s, a, SESSION_OTHER);
	session_set(s, a, SESSION_OPEN);
	CHECK(session_state(s, a) == SESSION_OTHER);
	session_set(s, b, SESSION_SAME);
	session_set(s, b, SESSION_OPEN);
	CHECK(session_state(s, b) == SESSION_SAME);
	CHECK(session_stats(s)->learned == 1 && session_stats(s)->pushed == 0);
	session_set(s, a, SESSION_SAME);
	CHECK(session_state(s, a) == SESSION_SAME);
	free(arena.base);
}

/* Against a list of each set, the youngest first. */
static void the_one_seen_longest_ago_goes(void)
{
	const uint64_t step = SESSION_VALUES / SESSION_SET * 4;
	uint64_t list[SESSION_SET] = { 0 }, pushed = 0;
	struct rng rng = { 3 };
	struct arena a;
	struct session *s = make(&a);

	for (unsigned i = 0; i < 20000; i++) {
		uint64_t v = 20 + step * (1 + rng_below(&rng, 12));
		unsigned at = 0;
		bool learn = rng_below(&rng, 2);

		while (at < SESSION_SET && list[at] != v)
			at++;
		if (learn)
			session_set(s, v, SESSION_OTHER);
		else
			CHECK(session_state(s, v) ==
			      (at < SESSION_SET ? SESSION_OTHER
						: SESSION_UNKNOWN));
		if (at == SESSION_SET && !learn)
			continue;
		if (at == SESSION_SET)
			pushed += list[--at] != 0;
		memmove(list + 1, list, at * sizeof(list[0]));
		list[0] = v;
	}
	CHECK(pushed > 1000 && session_stats(s)->pushed == pushed);
	CHECK(session_state(s, 24 + step) == SESSION_UNKNOWN);
	free(a.base);
}

static struct head_rest head_of(const char *s)
{
	return (struct head_rest){ (const uint8_t *)s,
				   (const uint8_t *)s + strlen(s) };
}

static uint64_t pair(const char *s)
{
	return asked_pair(7, (const uint8_t *)s, strlen(s));
}

static void cookies_of_a_head_are_learned(void)
{
	const struct head_rest prod =
		head_of("HTTP/1.1 200 OK\r\nSet-Cookie: a=1; Path=/\r\n"
			"set-COOKIE:b=2\r\nSet-Cookie: gone=; Max-Age=0\r\n"
			"Set-Cookie-X: c=3\r\nSet-Cookie:\r\n\r\n");
	const struct head_rest sut =
		head_of("HTTP/1.1 200 OK\r\nSet-Cookie: b=2\r\n"
			"Set-Cookie: a=9\r\n\r\n");
	const uint64_t first[2] = { pair("a=1") }, other[2] = { pair("b=2") };
	const uint64_t rest[3] = { pair("gone="), pair("c=3"), pair("a=9") };
	const uint64_t both[2] = { pair("b=2"), pair("a=1") };
	struct arena a;
	struct session *s = make(&a);

	session_given(s, 7, 0, prod, NULL);
	CHECK(session_hangs(s, 0, first, 2) && session_hangs(s, 0, other, 2));
	CHECK(!session_hangs(s, 0, rest, 3) && !session_hangs(s, 1, first, 2));
	CHECK(!session_hangs(s, 0, both, 0));
	session_given(s, 7, 0, prod, &sut);
	CHECK(session_hangs(s, 0, first, 2) && !session_hangs(s, 0, other, 2));
	CHECK(session_hangs(s, 0, both, 2));
	CHECK(session_stats(s)->learned == 1);
	session_given(s, 8, 0, prod, &sut);
	CHECK(session_stats(s)->learned == 2); /* another seed */
	free(a.base);
}

static void without_memory_there_is_none(void)
{
	struct arena a = { .size = session_size() - ARENA_ALIGN };
	struct session *s = NULL;

	a.base = aligned_alloc(ARENA_ALIGN, a.size);
	CHECK(session_init(&s, &a) == -ENOMEM && s == NULL);
	free(a.base);
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "what was learned is known", what_was_learned_is_known },
		{ "the one that was seen longest ago goes",
		  the_one_seen_longest_ago_goes },
		{ "cookies of a head are learned",
		  cookies_of_a_head_are_learned },
		{ "without memory there is none",
		  without_memory_there_is_none },
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
