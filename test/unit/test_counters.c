/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_counters.c - Each counter that anybody keeps can be told to a person
 */
#include <string.h>

#include "capture/file.h"
#include "check.h"
#include "core/counters.h"
#include "tally/counters.h"
#include "lan/prove.h"
#include "lan/sutwire.h"
#include "pace/stamps.h"
#include "account/replay_counters.h"
#include "shadow/counters.h"
#include "dgram/udp.h"

static const struct {
	const char *name;
	const struct counter_list *list;
	size_t size;
} lists[] = {
	{ "shadow", &shadow_counter_list, sizeof(struct shadow_counters) },
	{ "udp", &udp_counter_list, sizeof(struct udp_counters) },
	{ "engine", &engine_counter_list, sizeof(struct engine_counters) },
	{ "prove", &prove_counter_list, sizeof(struct prove_counters) },
	{ "wire", &sutwire_counter_list, sizeof(struct sutwire_stats) },
	{ "stamps", &stamps_counter_list, sizeof(struct stamps_counters) },
	{ "file", &file_counter_list, sizeof(struct file_counters) },
	{ "replay", &replay_counter_list, sizeof(struct replay_counters) },
};

static void test_rows(void)
{
	for (size_t l = 0; l < ARRAY_SIZE(lists); l++) {
		const struct counter_list *list = lists[l].list;

		CHECK_ROW(list->n > 0, lists[l].name);
		for (size_t i = 0; i < list->n; i++) {
			const struct counter *c = &list->row[i];

			CHECK_ROW(strspn(c->name,
					 "abcdefghijklmnopqrstuvwxyz_") ==
					  strlen(c->name),
				  c->name);
			CHECK_ROW(c->help[0] != '\0', c->name);
			CHECK_ROW(c->offset + sizeof(uint64_t) <= lists[l].size,
				  c->name);
			/* The first of its name, and no other at its place. */
			CHECK_ROW(counter_find(list, c->name) == c, c->name);
			CHECK_ROW(i == 0 || c->offset > c[-1].offset, c->name);
		}
	}
}

static void test_values(void)
{
	struct stamps_counters a = { .stamps_back = 2, .stamps_leaps = 5 };
	struct stamps_counters b = { .stamps_missing = 1, .stamps_back = 3 };
	const struct counter_list *l = &stamps_counter_list;

	CHECK(counter_sum(l, &a) == 7);
	CHECK(counter_get(counter_find(l, "stamps_back"), &a) == 2);
	CHECK(counter_find(l, "stamps") == NULL);
	CHECK(counter_find(l, "stamps_backs") == NULL);
	counter_add(l, &a, &b);
	CHECK(a.stamps_missing == 1 && a.stamps_back == 5 &&
	      a.stamps_leaps == 5);
	CHECK(b.stamps_back == 3);
}

/* What a frame's fate is counts once, whatever else is counted. */
static void test_fates(void)
{
	struct engine_counters c = { .client = 1, .absorbed = 2, .tls = 4 };

	CHECK(counter_sum(&engine_fate_list, &c) == 3);
	CHECK(counter_sum(&engine_counter_list, &c) == 7);
}

static const struct check_test tests[] = {
	{ "each row has a name, a place and a sentence", test_rows },
	{ "values", test_values },
	{ "fates", test_fates },
};

int main(void)
{
	return check_main(tests, ARRAY_SIZE(tests));
}
