/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report_learn.c - The rules that would have made a run quiet
 *
 * Theory of operation
 *
 * For each place in which the SUT differs, or which a baseline shows to be
 * noise, there is one rule that is narrowest: values of the one class that all
 * of them have, an array in any order, a cookie of a session. Where there is
 * none, the place would have to be left out: with a baseline that shows the
 * same, such a rule is written, else it is a comment, as it could hide what the
 * run was made to find. Places that a baseline says are no noise have no rule.
 *
 * What a rule cannot name (a line of a text, a place or a path that was cut) is
 * a comment. The text is held against the parser by its test.
 */
#include <string.h>

#include "report/again.h"
#include "report/report_internal.h"
#include "rules/place.h"

/* Room that a rule and its comment take. */
#define LINE_ROOM 512u

static bool is_plain(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] <= ' ' || p[i] > '~' || strchr("#{}*\"\\", p[i]))
			return false;
	return n > 0;
}

/* The one class that all values have; CLASS_COUNT: there is none. */
static unsigned class_of(const struct noise_place *p)
{
	unsigned mask = ~0u, c = 0;
	bool one_length = true;

	if (p->classes == 0 || p->classes == NOISE_CLASSES)
		return CLASS_COUNT;
	for (uint32_t i = 0; i < p->classes; i++) {
		mask &= p->class[i].is.mask;
		one_length &= p->class[i].is.len == p->class[0].is.len;
	}
	while (c < CLASS_COUNT &&
	       (!(mask >> c & 1) ||
		(class_sized((enum value_class)c) && !one_length)))
		c++;
	return c;
}

/* "header class etag etag", or nothing. Return: it leaves nothing out as a
 * whole
 */
static bool field_rule(struct text *t, const struct noise_place *p)
{
	const char *name = p->kind.place, *cookie;
	size_t n = strcspn(name, " ");
	unsigned c = class_of(p);

	if (!is_plain(name, n))
		return false;
	cookie = name + n + (name[n] == ' ');
	if (cookie[0] != '\0') {
		if (!is_plain(cookie, strlen(cookie)))
			return false;
		text_add(t, "cookie session %s", cookie);
		return p->kind.change == CASE_VALUE;
	}
	if (p->kind.change == CASE_VALUE && c < CLASS_COUNT) {
		text_add(t, "header class %s %s", name,
			 class_name((enum value_class)c));
		return true;
	}
	text_add(t, "header ignore %s", name);
	return false;
}

static bool json_rule(struct text *t, const struct noise_place *p)
{
	const char *at = p->kind.place;
	unsigned c = class_of(p);
	struct place place;
	size_t used;

	if (place_read(&place, at, strlen(at), &used) != 0 ||
	    used != strlen(at) || strchr(at, '#') ||
	    strlen(at) + 3 > KIND_PLACE)
		return false;
	if (p->kind.change == CASE_ORDER) {
		text_add(t, "json set %s", at);
		return true;
	}
	if (p->kind.change == CASE_VALUE && c < CLASS_COUNT) {
		text_add(t, "json class %s %s", at,
			 class_name((enum value_class)c));
		return true;
	}
	text_add(t, "json ignore %s", at);
	return false;
}

static void put_rule(struct text *t, const struct noise_place *p, bool baseline)
{
	char line[LINE_ROOM], a[TEXT_NUMBER], b[TEXT_NUMBER];
	bool narrow = false;
	struct text s;

	text_begin(&s, line, sizeof(line));
	if (p->kind.judge == CASE_JSON)
		narrow = json_rule(&s, p);
	else if (p->kind.judge == CASE_HEADERS)
		narrow = field_rule(&s, p);
	if (s.len == 0) {
		char name[2 * KIND_PLACE];

		text_add(t, "  # no rule: %s %s %s",
			 case_judge_name((enum case_judge)p->kind.judge),
			 text_safe(name, sizeof(name), p->kind.place,
				   strlen(p->kind.place)),
			 case_change_name((enum case_change)p->kind.change));
	} else {
		text_add(t, "  %s%s", narrow || baseline ? "" : "# ", line);
	}
	text_add(t, " # SUT %s", text_number(a, p->differs));
	if (baseline)
		text_add(t, ", baseline %s",
			 text_number(b, p->baseline + p->both));
	text_add(t, "\n");
}

/* Has place @i something to be learned? */
static bool teaches(const struct noise_place *p, bool baseline)
{
	return p->kind.judge != CASE_NOBODY &&
	       (!baseline || (p->state == NOISE_SAME && p->strange == 0));
}

static bool same_endpoint(const struct noise_place *a,
			  const struct noise_place *b)
{
	return a->name_len == b->name_len &&
	       memcmp(a->name, b->name, a->name_len) == 0;
}

/* Whose the rules are. Return: false: no line can name it */
static bool put_endpoint(struct text *t, const struct noise_place *p)
{
	const char *space = memchr(p->name, ' ', p->name_len);
	size_t m = space ? (size_t)(space - p->name) : p->name_len;

	if (p->name_len == NOISE_NAME || !is_plain(p->name, m) ||
	    (space &&
	     (!is_plain(space + 1, p->name_len - m - 1) || space[1] != '/'))) {
		text_add(t, "# an endpoint that no line can name\n");
		return false;
	}
	text_add(t, "on %.*s\n", (int)p->name_len, p->name);
	return true;
}

/* A difference that was told by a field, and by no judge. */
static bool by_field(struct diff_kind *k, const struct compare_result *r)
{
	const struct compare_field *f = &r->evidence.field;

	if (r->reason != REASON_HEADER || !f->known || f->name_len == 0 ||
	    f->name_len >= sizeof(k->place))
		return false;
	k->judge = CASE_HEADERS;
	k->change = CASE_SOMEWHERE;
	memcpy(k->place, f->name, f->name_len);
	return true;
}

size_t report_rule(char *out, size_t size, const struct compare_result *r,
		   const char *name, size_t n)
{
	struct noise_place p = { 0 };
	struct text t;
	size_t begun;

	text_begin(&t, out, size);
	if (n > sizeof(p.name) || memmem(name, n, "<secret:", 8))
		return 0;
	p.name_len = (uint8_t)n;
	memcpy(p.name, name, n);
	if (r->evidence.place.judge != CASE_NOBODY)
		diff_kind_of(&p.kind, &r->evidence.place, name, n,
			     (uint8_t)r->reason);
	else if (!by_field(&p.kind, r))
		return 0;
	if (put_endpoint(&t, &p)) {
		text_add(&t, "  ");
		begun = t.len;
		if (p.kind.judge == CASE_JSON)
			(void)json_rule(&t, &p);
		else if (p.kind.judge == CASE_HEADERS)
			(void)field_rule(&t, &p);
		text_add(&t, "\n");
		if (t.len > begun + 1 && !t.full)
			return t.len;
	}
	out[0] = '\0';
	return 0;
}

size_t report_learn(char *out, size_t size, struct noise *n, bool baseline)
{
	struct noise_sums sums;
	struct text t;

	noise_settle(n, &sums);
	text_begin(&t, out, size);
	text_add(&t, "understudy rules 1\n# learned; read it before it is "
		     "used\n");
	for (uint32_t i = 0; i < noise_places(n); i++) {
		const struct noise_place *p = noise_place(n, i);
		bool first = true;

		for (uint32_t k = 0; k < i && first; k++)
			first = !same_endpoint(noise_place(n, k), p) ||
				!teaches(noise_place(n, k), baseline);
		if (!first || !teaches(p, baseline) ||
		    size - t.len <= LINE_ROOM || !put_endpoint(&t, p))
			continue;
		for (uint32_t k = i; k < noise_places(n); k++) {
			const struct noise_place *q = noise_place(n, k);

			if (same_endpoint(p, q) && teaches(q, baseline) &&
			    size - t.len > LINE_ROOM)
				put_rule(&t, q, baseline);
		}
	}
	return t.len;
}
