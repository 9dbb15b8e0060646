/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * help.c - What a person and a shell are told of the rows
 */
#include <string.h>

#include "opt/opt_internal.h"

#define INDENT 26 /* where the sentence about an option begins */

/* Add words, each line from column @left on; the first is at @at already. */
static void add_wrapped(struct text *t, const char *words, size_t left,
			size_t at)
{
	while (*words != '\0') {
		size_t n = strcspn(words, " ");

		if (at > left && at + 1 + n > TEXT_COLUMNS - 1) {
			text_add(t, "\n");
			at = 0;
		}
		if (at < left) {
			text_add(t, "%*s", (int)(left - at), "");
			at = left;
		} else if (at > left) {
			text_add(t, " ");
			at++;
		}
		text_add(t, "%.*s", (int)n, words);
		at += n;
		words += n;
		words += strspn(words, " ");
	}
	text_add(t, "\n");
}

static void add_row(struct text *t, const struct opt_row *r)
{
	size_t begin = t->len;
	size_t at;

	if (r->letter != 0)
		text_add(t, "  -%c, ", r->letter);
	else
		text_add(t, "      ");
	text_add(t, "--%s%s%s", r->name, r->arg ? " " : "",
		 r->arg ? r->arg : "");
	at = t->len - begin;
	if (at + 2 > INDENT) {
		text_add(t, "\n");
		at = 0;
	}
	add_wrapped(t, r->help, INDENT, at);
}

static bool same_group(const struct opt_row *a, const struct opt_row *b)
{
	return strcmp(a->group, b->group) == 0;
}

/* Is row @i the first of its group that is shown? */
static bool begins_group(const struct opt_command *c, size_t i)
{
	const struct opt_row *r = opt_row(c, i, NULL);

	if (r->flags & OPT_HIDDEN)
		return false;
	for (size_t k = 0; k < i; k++) {
		const struct opt_row *before = opt_row(c, k, NULL);

		if (!(before->flags & OPT_HIDDEN) && same_group(before, r))
			return false;
	}
	return true;
}

static void add_group(struct text *t, const struct opt_command *c, size_t first)
{
	const struct opt_row *head = opt_row(c, first, NULL);
	const struct opt_row *r;

	text_add(t, "\n%s\n", head->group);
	for (size_t i = first; (r = opt_row(c, i, NULL)) != NULL; i++)
		if (!(r->flags & OPT_HIDDEN) && same_group(r, head))
			add_row(t, r);
}

void opt_help(const struct opt_command *c, struct text *t)
{
	static const char *const before[] = { "usage: understudy ",
					      "\n       understudy " };
	const char *line = c->usage;

	for (int i = 0; *line != '\0'; i = 1) {
		size_t n = strcspn(line, "\n");

		text_add(t, "%s%.*s", before[i], (int)n, line);
		line += n + (line[n] == '\n');
	}
	text_add(t, "\n");
	if (c->about) {
		text_add(t, "\n");
		add_wrapped(t, c->about, 0, 0);
	}
	for (size_t i = 0; opt_row(c, i, NULL) != NULL; i++)
		if (begins_group(c, i))
			add_group(t, c, i);
}
