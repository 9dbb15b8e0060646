/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check - Smallest test harness that prove(1) understands
 *
 * A test program is a table of functions. Each runs to its end and prints one
 * TAP line; a failed CHECK prints where and goes on, so that one run shows all
 * there is to see. The exit status is 0 if nothing failed.
 */
#ifndef TEST_CHECK_H
#define TEST_CHECK_H

#include <stddef.h>
#include <stdio.h>

static unsigned check_failed;	  /* failures in the running test */
static const char *check_skipped; /* why it could not be run, or NULL */

#define CHECK(cond)                                                            \
	do {                                                                   \
		if (!(cond)) {                                                 \
			check_failed++;                                        \
			printf("# %s:%d: %s\n", __FILE__, __LINE__, #cond);    \
		}                                                              \
	} while (0)

/* Like CHECK(), for a row of a table: the message names the row. */
#define CHECK_ROW(cond, name)                                                  \
	do {                                                                   \
		if (!(cond)) {                                                 \
			check_failed++;                                        \
			printf("# %s:%d: %s: %s\n", __FILE__, __LINE__,        \
			       (name), #cond);                                 \
		}                                                              \
	} while (0)

/*
 * Ends a test that cannot be run here: it is named as skipped, not as passed.
 * What failed before stays failed.
 */
#define CHECK_SKIP(why)                                                        \
	do {                                                                   \
		check_skipped = (why);                                         \
		return;                                                        \
	} while (0)

struct check_test {
	const char *name;
	void (*run)(void);
};

static inline int check_main(const struct check_test *tests, size_t count)
{
	unsigned bad = 0;

	printf("1..%zu\n", count);
	for (size_t i = 0; i < count; i++) {
		check_failed = 0;
		check_skipped = NULL;
		tests[i].run();
		printf("%sok %zu - %s%s%s\n", check_failed ? "not " : "", i + 1,
		       tests[i].name,
		       check_skipped && !check_failed ? " # SKIP " : "",
		       check_skipped && !check_failed ? check_skipped : "");
		bad += check_failed != 0;
	}
	return bad == 0 ? 0 : 1;
}

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif /* TEST_CHECK_H */
