/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report_doubts.c - What makes a pass mean little
 *
 * A SUT that answers 401 to who is known to production only, or an error to
 * all, does not do its work, and answers that are alike say nothing of it. An
 * endpoint that was never compared has not passed, and a line of the rules that
 * alone makes much alike may hide what it was not written for. Each is a
 * warning in front of all others, from a share on that is no accident.
 */
#include <string.h>

#include "report/report_internal.h"

#define DENIED_SHARE 100 /* one in so many */
#define MUCH_SHARE   2

#define DOUBTS(X)                                                              \
	X(DOUBT_DENIED, "denied",                                              \
	  "401 or 403 of the SUT, and not of production",                      \
	  "does it know the sessions? Such clients see nothing of it")         \
	X(DOUBT_ERRORS, "mostly_errors", "errors of both",                     \
	  "was this meant to be compared? What works was hardly asked")        \
	X(DOUBT_NEVER, "never_compared", "compared",                           \
	  "it has not passed; 'not compared' below has the reasons")           \
	X(DOUBT_RULE, "rule_hides_much", "alike by this line alone",           \
	  "is it as narrow as can be?")

enum doubt_kind {
#define X(id, name, words, next) id,
	DOUBTS(X)
#undef X
};

static const char *const doubt_name[] = {
#define X(id, name, words, next) [id] = name,
	DOUBTS(X)
#undef X
};

static const char *const doubt_words[] = {
#define X(id, name, words, next) [id] = words,
	DOUBTS(X)
#undef X
};

static const char *const doubt_next[] = {
#define X(id, name, words, next) [id] = next,
	DOUBTS(X)
#undef X
};

/**
 * struct doubt - One of them
 * @n, @of:	So many answers of these
 * @name:	Of an endpoint, or of a file of rules; NULL: of neither
 * @line:	In that file; 0: it is an endpoint
 */
struct doubt {
	enum doubt_kind kind;
	uint64_t n;
	uint64_t of;
	const char *name;
	uint32_t line;
};

typedef void (*tell_fn)(void *to, const struct doubt *d);

static uint64_t compared(const uint64_t *verdict)
{
	return verdict[VERDICT_IDENTICAL] + verdict[VERDICT_EQUIVALENT] +
	       verdict[VERDICT_DIFFERENT];
}

static void of_statuses(const struct report_statuses *s, tell_fn tell, void *to)
{
	struct doubt d = { .kind = DOUBT_DENIED,
			   .n = s->denied,
			   .of = s->pairs };

	if (s->pairs == 0)
		return;
	if (s->denied > 0 && s->denied >= s->pairs / DENIED_SHARE)
		tell(to, &d);
	d.kind = DOUBT_ERRORS;
	d.n = s->errors;
	if (s->errors > s->pairs / MUCH_SHARE)
		tell(to, &d);
}

static void of_rules(const struct report_data *r, tell_fn tell, void *to)
{
	uint64_t all = compared(r->verdicts);

	for (size_t i = 0; i < r->rules->endpoints; i++) {
		const struct report_ruled *e = &r->rules->endpoint[i];
		struct doubt d = { .kind = DOUBT_NEVER,
				   .of = e->verdicts[VERDICT_NOT_COMPARED],
				   .name = e->name };

		if (compared(e->verdicts) == 0 && d.of > 0)
			tell(to, &d);
	}
	for (size_t i = 0; i < r->rules->lines; i++) {
		const struct report_rule *l = &r->rules->line[i];
		struct doubt d = { .kind = DOUBT_RULE,
				   .n = l->alone,
				   .of = all,
				   .name = l->source,
				   .line = l->number };

		if (all > 0 && !l->preset && l->alone > all / MUCH_SHARE)
			tell(to, &d);
	}
}

static void each(const struct report_data *r, tell_fn tell, void *to)
{
	of_statuses(&r->statuses, tell, to);
	if (r->rules)
		of_rules(r, tell, to);
}

/* --- text --- */

static void say(void *to, const struct doubt *d)
{
	char a[TEXT_NUMBER], b[TEXT_NUMBER], name[64];

	text_add(to, "warning: ");
	if (d->name)
		text_add(to, "%s",
			 text_safe(name, sizeof(name), d->name,
				   strlen(d->name)));
	if (d->line > 0)
		text_add(to, ":%u", (unsigned)d->line);
	text_add(to, "%s%s of %s answers are %s\n  %s\n", d->name ? ": " : "",
		 text_number(a, d->n), text_number(b, d->of),
		 doubt_words[d->kind], doubt_next[d->kind]);
}

void report_text_doubts(struct text *t, const struct report_data *d)
{
	each(d, say, t);
}

/* --- JSON --- */

static void count(void *to, const struct doubt *d)
{
	size_t *n = to;

	(void)d;
	++*n;
}

static void put(void *to, const struct doubt *d)
{
	struct json *j = to;

	json_object(j, NULL);
	json_str(j, "doubt", doubt_name[d->kind]);
	json_u64(j, "answers", d->n);
	json_u64(j, "of", d->of);
	if (d->name)
		json_bytes(j, d->line > 0 ? "rules" : "endpoint", d->name,
			   strlen(d->name));
	if (d->line > 0)
		json_u64(j, "line", d->line);
	json_close_object(j);
}

void report_json_doubts(struct json *j, const struct report_data *d)
{
	size_t n = 0;

	each(d, count, &n);
	if (n == 0)
		return;
	json_array(j, "doubts");
	each(d, put, j);
	json_close_array(j);
}
