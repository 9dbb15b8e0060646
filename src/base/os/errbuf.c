/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * errbuf.c - A sentence that says what went wrong
 */
#include "os/errbuf.h"

#include <stdarg.h>
#include <stdio.h>

int errbuf_set(struct errbuf *e, int rc, const char *fmt, ...)
{
	va_list ap;

	if (!e)
		return rc;
	va_start(ap, fmt);
	vsnprintf(e->s, sizeof(e->s), fmt, ap);
	va_end(ap);
	return rc;
}
