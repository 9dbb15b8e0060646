/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pattern - POSIX extended regular expressions
 */
#ifndef MATCH_PATTERN_H
#define MATCH_PATTERN_H

#include <stdbool.h>

#include "os/errbuf.h"

struct pattern;

/**
 * pattern_compile() - Compile an expression
 * @out:	Set on success; pattern_free() it
 * @expr:	POSIX extended regular expression
 * @e:		Sentence on failure, the C library's
 *
 * Return: 0, or -EINVAL (the expression), or -ENOMEM
 */
int pattern_compile(struct pattern **out, const char *expr, struct errbuf *e);

/** pattern_match() - Does it match somewhere in @text? */
bool pattern_match(const struct pattern *p, const char *text);

/** pattern_free() - Free it; NULL is left alone */
void pattern_free(struct pattern *p);

#endif /* MATCH_PATTERN_H */
