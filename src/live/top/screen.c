/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * screen.c - The lines of a screen
 *
 * The cursor rests below the last line. To draw anew it goes up by as many
 * lines as were drawn, each is written over and its rest taken away (ECMA-48:
 * CUU, EL, ED), so messages between two of them scroll up as on any terminal,
 * once top_clear() has made room. No line is as wide as the terminal: it would
 * go on in the next one, and the count would be wrong. Bytes of others are
 * printable when they come here (text_safe()).
 */
#include "top/top.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "text/text.h"

#define NS   UINT64_C(1000000000)
#define LINE 256u
#define BAR  60u
#define LEFT 10 /* columns of a line's name */

/* struct lines - Being drawn; @left: that may be yet, @width: of each */
struct lines {
	struct text t;
	unsigned width;
	unsigned left;
	unsigned n;
};

static void put(struct lines *l, const char *line)
{
	if (l->left == 0)
		return;
	text_add(&l->t, "%.*s\033[K\n", (int)l->width, line);
	l->left--;
	l->n++;
}

static void head(struct lines *l, const struct top *t, const struct top_view *v)
{
	uint64_t time = v->elapsed > t->at ? v->elapsed - t->at : 0;
	uint64_t more =
		v->requests > t->requests ? v->requests - t->requests : 0;
	char a[TEXT_NUMBER], b[TEXT_NUMBER], c[TEXT_NUMBER], d[TEXT_NUMBER];
	char line[LINE];

	/* A count that long does not come, so the product does not wrap. */
	more = time > 0 && more < UINT64_MAX / NS ? more * NS / time : 0;
	snprintf(line, sizeof(line), "%-*s%s, %s flows, %s requests/s (%s)",
		 LEFT, "understudy", text_time(a, v->elapsed),
		 text_number(b, v->flows), text_number(c, more),
		 text_number(d, v->requests));
	put(l, line);
}

/* As many of the bar's columns as their share, and one if there are any. */
static unsigned columns_of(uint64_t part, uint64_t all)
{
	double n = all > 0 ? (double)part / (double)all * BAR : 0;

	return part > 0 && n < 1 ? 1 : (unsigned)n;
}

static void shares(struct lines *l, const struct top_view *v)
{
	static const struct {
		enum verdict verdict;
		const char *name;
		char sign;
	} row[] = {
		{ VERDICT_DIFFERENT, "different", '!' },
		{ VERDICT_NOT_COMPARED, "not compared", '?' },
		{ VERDICT_EQUIVALENT, "equivalent", '=' },
		{ VERDICT_IDENTICAL, "identical", '#' },
	};
	char line[LINE], bar[BAR + 1], a[TEXT_NUMBER], b[TEXT_NUMBER];
	uint64_t all = 0;
	unsigned at = 0;
	struct text t;

	for (unsigned i = 0; i < VERDICT_COUNT; i++)
		all += v->verdict[i];
	text_begin(&t, line, sizeof(line));
	text_add(&t, "%-*s%s", LEFT, "answers", text_number(a, all));
	for (unsigned i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		uint64_t n = v->verdict[row[i].verdict];
		unsigned k = columns_of(n, all);

		/* All four are wider than a terminal. */
		if (i == 2) {
			put(l, line);
			text_begin(&t, line, sizeof(line));
			text_add(&t, "%*s", LEFT - 2, "");
		}
		text_add(&t, "%s%s %s", i == 2 ? "  " : ", ",
			 text_share(b, n, all), row[i].name);
		while (k-- > 0 && at < BAR)
			bar[at++] = row[i].sign;
	}
	put(l, line);
	assert(at <= BAR);
	bar[at] = '\0';
	snprintf(line, sizeof(line), "%*s[%-*s]", LEFT, "", (int)BAR, bar);
	put(l, line);
}

static void lag(struct lines *l, const struct top_view *v)
{
	char line[LINE], a[TEXT_NUMBER], b[TEXT_NUMBER], c[TEXT_NUMBER];
	struct text t;

	text_begin(&t, line, sizeof(line));
	text_add(&t, "%-*sbehind %s p50, %s p99; %s frames missed", LEFT, "lag",
		 text_time(a, v->behind[0]), text_time(b, v->behind[1]),
		 text_number(c, v->missed));
	if (v->journal_lost > 0)
		text_add(&t, ", journal lost %s",
			 text_number(a, v->journal_lost));
	put(l, line);
}

static void suts(struct lines *l, const struct top_view *v)
{
	char line[LINE], ip[TEXT_IP], a[TEXT_NUMBER];
	struct text t;

	for (unsigned i = 0; i < v->suts; i++) {
		text_begin(&t, line, sizeof(line));
		text_add(&t, "%-*s%s %s", LEFT, i == 0 ? "SUT" : "",
			 text_ip(ip, &v->sut[i].ip), v->sut[i].state);
		if (v->sut[i].times > 0)
			text_add(&t, ", was down %u times, %s in all",
				 (unsigned)v->sut[i].times,
				 text_time(a, v->sut[i].down));
		put(l, line);
	}
}

static void kinds(struct lines *l, const struct top_view *v)
{
	char line[LINE], name[LINE / 2], a[TEXT_NUMBER];

	if (v->kinds == 0) {
		snprintf(line, sizeof(line), "%-*snone so far", LEFT,
			 "different");
		put(l, line);
	}
	for (unsigned i = 0; i < v->kinds; i++) {
		snprintf(line, sizeof(line), "%-*s%8s %-10s %s", LEFT,
			 i == 0 ? "different" : "",
			 text_number(a, v->kind[i].n), v->kind[i].reason,
			 text_safe(name, sizeof(name), v->kind[i].name,
				   v->kind[i].len));
		put(l, line);
	}
}

size_t top_draw(struct top *t, const struct top_view *v, unsigned columns,
		unsigned rows, char *out)
{
	struct lines l = { .width = columns > 1 ? columns - 1 : 1,
			   .left = rows > 1 ? rows - 1 : 1 };

	if (l.width >= LINE)
		l.width = LINE - 1;
	text_begin(&l.t, out, TOP_TEXT);
	text_add(&l.t, "\r");
	if (t->drawn > 0)
		text_add(&l.t, "\033[%uA", t->drawn);
	head(&l, t, v);
	shares(&l, v);
	lag(&l, v);
	suts(&l, v);
	kinds(&l, v);
	text_add(&l.t, "\033[J");
	assert(!l.t.full);
	t->drawn = l.n;
	t->requests = v->requests;
	t->at = v->elapsed;
	return l.t.len;
}

size_t top_clear(struct top *t, char *out)
{
	struct text s;

	text_begin(&s, out, TOP_TEXT);
	text_add(&s, "\r");
	if (t->drawn > 0)
		text_add(&s, "\033[%uA", t->drawn);
	text_add(&s, "\033[J");
	t->drawn = 0;
	return s.len;
}
