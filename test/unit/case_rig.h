/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * case_rig - Rules and messages of cases for tests
 */
#ifndef TEST_CASE_RIG_H
#define TEST_CASE_RIG_H

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compare/case.h"
#include "core/arena.h"
#include "rules/rules.h"

/* Rules of lines with "|" between them, or of a preset alone; free() them. */
static inline struct rules *case_rules(const char *lines)
{
	struct arena a = { .size = rules_size() };
	struct rules_error e;
	struct rules *r;
	char text[1024];
	int rc;

	a.base = aligned_alloc(ARENA_ALIGN, a.size);
	rc = rules_init(&r, &a);
	assert(rc == 0);
	if (lines[0] == '@') {
		rc = rules_preset(r, lines, strlen(lines), &e);
	} else {
		snprintf(text, sizeof(text), "understudy rules 1|%s", lines);
		for (char *p = text; *p != '\0'; p++)
			if (*p == '|')
				*p = '\n';
		rc = rules_read(r, text, strlen(text), &e);
	}
	if (rc != 0)
		printf("# line %u: %s\n", e.line, e.what);
	assert(rc == 0);
	rc = rules_end(r, 0);
	assert(rc == 0);
	(void)rc;
	return r;
}

/* A part of a case from a string. */
static inline void case_part(struct case_view *c, unsigned part, const void *p,
			     size_t n)
{
	c->part[part].p = p;
	c->part[part].n = (uint32_t)n;
}

/* The message of a case in a block of its size. */
static inline uint8_t *case_message(const struct case_view *c, size_t *n)
{
	uint8_t *out;

	*n = CASE_FIXED;
	for (unsigned i = 0; i < CASE_PARTS; i++)
		*n += c->part[i].n;
	out = malloc(*n);
	case_put_fixed(c, out);
	*n = CASE_FIXED;
	for (unsigned i = 0; i < CASE_PARTS; i++) {
		if (c->part[i].n > 0)
			memcpy(out + *n, c->part[i].p, c->part[i].n);
		*n += c->part[i].n;
	}
	return out;
}

/* An answer in words: "= " and what made it so, "! " and where, "? " and why not.
 */
static inline const char *case_told(const struct case_answer *a)
{
	static char s[300];
	size_t n;

	if (a->verdict == VERDICT_NOT_COMPARED) {
		snprintf(s, sizeof(s), "? %s",
			 reason_name((enum compare_reason)a->reason));
		return s;
	}
	if (a->verdict == VERDICT_DIFFERENT) {
		snprintf(s, sizeof(s), "! %s %s %s",
			 case_judge_name((enum case_judge)a->place.judge),
			 a->place.name,
			 case_change_name((enum case_change)a->place.change));
		return s;
	}
	n = (size_t)snprintf(s, sizeof(s), "=");
	for (unsigned m = 0; m < CASE_MADE_COUNT; m++)
		if ((a->made >> m & 1) != 0)
			n += (size_t)snprintf(
				s + n, sizeof(s) - n, " %s",
				case_made_name((enum case_made)m));
	for (unsigned i = 0; i < a->rules; i++)
		n += (size_t)snprintf(s + n, sizeof(s) - n, " #%u",
				      (unsigned)a->rule[i]);
	return s;
}

#endif /* TEST_CASE_RIG_H */
