/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_hops.c - Unit test of hops/hops
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "hops/hops.h"

#define LEFT  1u
#define RIGHT 2u

/* What was asked, by its letter. */
static char asked[16];

static void ask(const char *which)
{
	strcat(asked, which);
}

static int good(void *ctx)
{
	ask("g");
	return hop_ok("gate: %d", *(int *)ctx);
}

static int left(void *ctx)
{
	(void)ctx;
	ask("l");
	return hop_ok("left");
}

static int both(void *ctx)
{
	(void)ctx;
	ask("b");
	return 0;
}

static int bad(void *ctx)
{
	(void)ctx;
	ask("x");
	hop_fail("wall: %s", "high");
	return hop_remedy("ladder");
}

static const struct hop way[] = {
	{ 0, good }, { LEFT, left }, { LEFT | RIGHT, both },
	{ 0, bad },  { 0, good },
};

/* Walk with standard output in @out. */
static int walk(size_t n, unsigned parts, char *out, size_t size)
{
	int seven = 7;
	int was = dup(STDOUT_FILENO);
	ssize_t len;
	int p[2];
	int rc;

	asked[0] = '\0';
	fflush(stdout);
	if (was < 0 || pipe(p) != 0 || dup2(p[1], STDOUT_FILENO) < 0)
		return -99;
	rc = hops_walk(way, n, parts, &seven);
	dup2(was, STDOUT_FILENO);
	close(was);
	close(p[1]);
	len = read(p[0], out, size - 1);
	close(p[0]);
	out[len > 0 ? len : 0] = '\0';
	return rc;
}

static void test_first_bad(void)
{
	char out[256];

	CHECK(walk(ARRAY_SIZE(way), LEFT | RIGHT, out, sizeof(out)) == -1);
	CHECK(strcmp(asked, "glbx") == 0);
	CHECK_ROW(strcmp(out, "ok    gate: 7\nok    left\n"
			      "FAIL  wall: high\n      remedy: ladder\n") == 0,
		  out);
}

/* A hop of a part that the way has not is left out; of two it wants both. */
static void test_parts(void)
{
	char out[256];

	CHECK(walk(3, LEFT, out, sizeof(out)) == 0);
	CHECK(strcmp(asked, "gl") == 0);
	CHECK(walk(3, 0, out, sizeof(out)) == 0);
	CHECK(strcmp(asked, "g") == 0);
	CHECK(walk(0, 0, out, sizeof(out)) == 0 && out[0] == '\0');
}

static const struct check_test tests[] = {
	{ "the first that fails is the last that is asked", test_first_bad },
	{ "other parts are left out", test_parts },
};

int main(void)
{
	return check_main(tests, ARRAY_SIZE(tests));
}
