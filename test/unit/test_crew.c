/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_crew.c - Unit test of crew and setup: one list of several, one worker's
 * part
 */
#include <errno.h>
#include <string.h>

#include "check.h"
#include "crew/merge.h"
#include "setup/setup.h"

static const char *merged(const char *const *part, unsigned n, size_t room)
{
	static char s[4096];
	struct text t;

	text_begin(&t, s, sizeof(s));
	merge_list(part, n, room, &t);
	return s;
}

#define L(n) "{\"id\":" n ",\"x\":1}\n"
#define M(n) "{\"more\":" n "}\n"

static void numbers_grow(void)
{
	const char *const three[] = { L("3") L("9"), "",
				      L("1") L("4") L("10") };

	CHECK(strcmp(merged(three, 3, 4096),
		     L("1") L("3") L("4") L("9") L("10")) == 0);
	CHECK(strcmp(merged(three, 1, 4096), L("3") L("9")) == 0);
	CHECK(merged(&three[1], 1, 4096)[0] == '\0');
}

static void a_list_that_goes_on_cuts_all_behind_it(void)
{
	const char *const two[] = { L("2") M("6"), L("1") L("5") L("7") };
	const char *const both[] = { M("8"), M("4") };

	CHECK(strcmp(merged(two, 2, 4096), L("1") L("2") L("5") M("6")) == 0);
	CHECK(strcmp(merged(both, 2, 4096), M("4")) == 0);
}

static void what_has_no_room_is_named(void)
{
	const char *const two[] = { L("1") L("3"), L("2") L("4") };

	CHECK(strcmp(merged(two, 2, strlen(L("1"))), L("1") L("2") M("3")) ==
	      0);
}

static void what_is_no_list_ends_it(void)
{
	const char *const odd[] = { L("1") "{\"i\":2}\n" L("3"),
				    "{\"id\":5", /* no end */
				    L("4") };

	CHECK(strcmp(merged(odd, 3, 4096), L("1") L("4")) == 0);
}

static void parts_are_all_and_none_twice(void)
{
	struct setup all = { .connections = 17,
			     .copies = 5,
			     .port_low = 2000,
			     .port_high = 2010,
			     .pin = "/a" };
	uint32_t connections = 0, copies = 0, next = 2000;
	struct errbuf e = { "" };

	for (uint32_t i = 0; i < 4; i++) {
		struct setup o = all;

		CHECK(setup_share(&o, i, 4, &e) == 0);
		CHECK(o.connections >= 4 && o.copies >= 1);
		connections += o.connections;
		copies += o.copies;
		CHECK(o.port_low == next && o.port_high >= o.port_low);
		next = o.port_high + 1;
		CHECK(strncmp(o.pin, "/a/", 3) == 0 &&
		      o.pin[3] == (char)('0' + i) && o.pin[4] == '\0');
	}
	CHECK(connections == 17 && copies == 5 && next == 2011);
}

static void a_folder_too_long_is_refused(void)
{
	char longest[SETUP_PIN];
	struct setup o = { .connections = 2,
			   .copies = 2,
			   .port_low = 1,
			   .port_high = 2,
			   .pin = longest };
	struct errbuf e = { "" };

	memset(longest, 'x', sizeof(longest) - 3);
	longest[sizeof(longest) - 3] = '\0';
	CHECK(setup_share(&o, 1, 2, &e) == 0);
	CHECK(strlen(o.pin) == SETUP_PIN - 1);
	memset(longest, 'x', sizeof(longest) - 2);
	longest[sizeof(longest) - 2] = '\0';
	o.pin = longest;
	CHECK(setup_share(&o, 1, 2, &e) == -ENAMETOOLONG && e.s[0] != '\0');
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "numbers grow", numbers_grow },
		{ "a list that goes on cuts all behind it",
		  a_list_that_goes_on_cuts_all_behind_it },
		{ "what has no room is named", what_has_no_room_is_named },
		{ "what is no list ends it", what_is_no_list_ends_it },
		{ "parts are all, and none twice",
		  parts_are_all_and_none_twice },
		{ "a folder too long is refused",
		  a_folder_too_long_is_refused },
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
