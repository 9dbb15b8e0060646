/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hops.c - Print a way hop by hop, with the remedy of the one that fails
 */
#include "hops/hops.h"

#include <stdarg.h>
#include <stdio.h>

static void say(const char *head, const char *fmt, va_list ap)
{
	fputs(head, stdout);
	vprintf(fmt, ap);
	putchar('\n');
	fflush(stdout);
}

int hop_ok(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say("ok    ", fmt, ap);
	va_end(ap);
	return 0;
}

int hop_fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say("FAIL  ", fmt, ap);
	va_end(ap);
	return -1;
}

int hop_remedy(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say("      remedy: ", fmt, ap);
	va_end(ap);
	return -1;
}

int hops_walk(const struct hop *way, size_t n, unsigned parts, void *ctx)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < n; i++)
		if (!(way[i].part & ~parts))
			rc = way[i].check(ctx);
	return rc;
}
