/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_mp_limits.c - Unit test of multipath/multipath.h: what it may be told to be
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "multipath/multipath.h"

#define WINDOW_MOST 32768u /* what the numbers of a path can tell apart */

static const struct hash_key key = { { 7, 8 } };
static const struct mp_limits small = {
	.lanes = 4, .packets = 16, .window = 64, .pool = 1 << 20
};

static struct mp *make(struct arena *a, bool ethernet)
{
	struct mp_config c = mp_config_default();
	struct mp *m = NULL;

	c.ethernet = ethernet;
	a->size = mp_size(&small);
	a->used = 0;
	a->base = aligned_alloc(ARENA_ALIGN, a->size);
	CHECK(mp_init(&m, a, &small, &c, &key, 1) == 0);
	return m;
}

static void limits_have_bounds(void)
{
	static const struct {
		const char *name;
		struct mp_limits l;
		bool good;
	} row[] = {
		{ "small",
		  { .lanes = 2, .packets = 1, .window = 1, .pool = 1 },
		  true },
		{ "large",
		  { .lanes = UINT16_MAX,
		    .packets = 1u << 20,
		    .window = WINDOW_MOST,
		    .pool = 1 << 20 },
		  true },
		{ "one lane",
		  { .lanes = 1, .packets = 1, .window = 1, .pool = 1 },
		  false },
		{ "lanes beyond 16 bits",
		  { .lanes = UINT16_MAX + 1,
		    .packets = 1,
		    .window = 1,
		    .pool = 1 },
		  false },
		{ "no packet",
		  { .lanes = 2, .packets = 0, .window = 1, .pool = 1 },
		  false },
		{ "no power of two",
		  { .lanes = 2, .packets = 3, .window = 1, .pool = 1 },
		  false },
		{ "too many packets",
		  { .lanes = 2, .packets = 1u << 21, .window = 1, .pool = 1 },
		  false },
		{ "no window",
		  { .lanes = 2, .packets = 1, .window = 0, .pool = 1 },
		  false },
		{ "a window of 6",
		  { .lanes = 2, .packets = 1, .window = 6, .pool = 1 },
		  false },
		{ "a window that is too large",
		  { .lanes = 2,
		    .packets = 1,
		    .window = 2 * WINDOW_MOST,
		    .pool = 1 },
		  false },
		{ "no memory",
		  { .lanes = 2, .packets = 1, .window = 1 },
		  false },
		{ "more than all memory",
		  { .lanes = 2, .packets = 1, .window = 1, .pool = SIZE_MAX },
		  false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(row); i++)
		CHECK_ROW((mp_size(&row[i].l) != SIZE_MAX) == row[i].good,
			  row[i].name);
}

/* Nothing is made of less than it needs. */
static void it_takes_what_it_says(void)
{
	struct mp_config c = mp_config_default();
	size_t need = mp_size(&small);
	struct arena a = { .base = aligned_alloc(ARENA_ALIGN, need) };
	struct mp *m = NULL;

	for (size_t n = 0; n < need; n += 1024) {
		a.size = n;
		a.used = 0;
		CHECK(mp_init(&m, &a, &small, &c, &key, 1) == -ENOMEM &&
		      m == NULL);
	}
	a.size = need;
	a.used = 0;
	CHECK(mp_init(&m, &a, &small, &c, &key, 1) == 0 && m != NULL);
	CHECK(mp_check(m, true) == NULL);
	free(a.base);
}

static void configurations_have_bounds(void)
{
	static const struct {
		const char *name;
		unsigned weight;
		int scheduler, release;
		bool ethernet;
		int want;
	} row[] = {
		{ "the default", 1, MP_EARLIEST, MP_RELEASE_ORDER, false, 0 },
		{ "the last of each", 9, MP_PIN, MP_RELEASE_OFF, false, 0 },
		{ "no weight", 0, MP_EARLIEST, MP_RELEASE_ORDER, false,
		  -EINVAL },
		{ "no scheduler", 1, MP_PIN + 1, MP_RELEASE_ORDER, false,
		  -EINVAL },
		{ "no release", 1, MP_EARLIEST, MP_RELEASE_OFF + 1, false,
		  -EINVAL },
		{ "another kind of packets", 1, MP_EARLIEST, MP_RELEASE_ORDER,
		  true, -EINVAL },
	};
	struct arena a;
	struct mp *m = make(&a, false);

	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		struct mp_config c = mp_config_default();
		struct arena b = { .size = mp_size(&small) };
		struct mp *new = NULL;

		c.weight = row[i].weight;
		memcpy(&c.scheduler, &row[i].scheduler, sizeof(c.scheduler));
		memcpy(&c.release, &row[i].release, sizeof(c.release));
		c.ethernet = row[i].ethernet;
		CHECK_ROW(mp_configure(m, &c) == row[i].want, row[i].name);
		/* It may be of another kind from the beginning. */
		b.base = aligned_alloc(ARENA_ALIGN, b.size);
		CHECK_ROW(mp_init(&new, &b, &small, &c, &key, 1) ==
				  (row[i].ethernet ? 0 : row[i].want),
			  row[i].name);
		free(b.base);
	}
	CHECK(mp_check(m, true) == NULL);
	free(a.base);
}

static void paths_are_told_apart(void)
{
	static const struct {
		const char *name;
		struct mp_path_config c;
		int want;
	} row[] = {
		{ "nothing said", { .tier = MP_PRIMARY }, 0 },
		{ "a backup", { .tier = MP_BACKUP }, 0 },
		{ "no tier", { .tier = MP_BACKUP + 1 }, -EINVAL },
		{ "lengths", { .size_least = 1280, .size_most = 1280 }, 0 },
		{ "the other way round",
		  { .size_least = 1281, .size_most = 1280 },
		  -EINVAL },
		{ "shorter than a header",
		  { .size_least = MP_HEADER_TIMED, .size_most = 1280 },
		  -EINVAL },
	};
	struct arena a;
	struct mp *m = make(&a, false);
	struct mp_path_config good = { .tier = MP_PRIMARY };
	struct mp_path_info info;

	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		CHECK_ROW(mp_path_add(m, 3, &row[i].c, 1) == row[i].want,
			  row[i].name);
		CHECK_ROW(mp_path_configure(m, 3, &row[i].c) ==
				  (row[i].want != 0 ? row[i].want : 0),
			  row[i].name);
		mp_path_info(m, 3, &info);
		CHECK_ROW(info.used == (row[i].want == 0), row[i].name);
		CHECK(row[i].want != 0 || mp_path_remove(m, 3, 2) == 0);
		CHECK(mp_check(m, true) == NULL);
	}
	CHECK(mp_path_add(m, MP_PATHS, &good, 1) == -EINVAL);
	CHECK(mp_path_configure(m, MP_PATHS, &good) == -EINVAL);
	CHECK(mp_path_configure(m, 3, &good) == -ENOENT);
	CHECK(mp_path_remove(m, MP_PATHS, 1) == -ENOENT);
	CHECK(mp_path_remove(m, 3, 1) == -ENOENT);
	CHECK(mp_path_add(m, 3, &good, 1) == 0);
	CHECK(mp_path_add(m, 3, &good, 1) == -EEXIST);
	CHECK(!mp_path_alive(m, 3) && !mp_path_alive(m, 4));
	/* What is gone is not begun again with the others. */
	CHECK(mp_path_remove(m, 3, 2) == 0);
	mp_restart(m, 3);
	mp_path_info(m, 3, &info);
	CHECK(!info.used && mp_check(m, true) == NULL);
	free(a.base);
}

static void each_reason_has_a_name(void)
{
	for (int i = 0; i < MP_WHY_COUNT; i++)
		for (int k = 0; k < i; k++)
			CHECK(strcmp(mp_why_name((enum mp_why)i),
				     mp_why_name((enum mp_why)k)) != 0);
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "limits have bounds", limits_have_bounds },
		{ "it takes what it says", it_takes_what_it_says },
		{ "configurations have bounds", configurations_have_bounds },
		{ "paths are told apart", paths_are_told_apart },
		{ "each reason has a name", each_reason_has_a_name },
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
