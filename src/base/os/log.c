/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * log.c - Lines on stderr
 */
#include "os/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#define LINE_LEN 1024

static const char *log_name = "understudy";
static enum log_level log_max = LOG_INFO;

void log_init(const char *name, enum log_level max)
{
	log_name = name;
	log_max = max;
}

void log_line(enum log_level level, const char *fmt, ...)
{
	static const char *const word[] = { "error: ", "warning: ", "", "" };
	char s[LINE_LEN];
	size_t n;
	int k;
	va_list ap;

	if (level > log_max)
		return;
	k = snprintf(s, sizeof(s), "%s: %s", log_name, word[level]);
	n = k < 0 ? 0 : (size_t)k < sizeof(s) ? (size_t)k : sizeof(s) - 1;
	va_start(ap, fmt);
	k = vsnprintf(s + n, sizeof(s) - n, fmt, ap);
	va_end(ap);
	n += k < 0 ? 0 : (size_t)k;
	if (n > sizeof(s) - 2)
		n = sizeof(s) - 2;
	s[n++] = '\n';
	/* Nobody is left to tell when stderr itself fails. */
	if (write(STDERR_FILENO, s, n) < 0)
		return;
}
