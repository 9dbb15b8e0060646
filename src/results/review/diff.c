/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * diff.c - Two runs: what did the second one find that the first did not?
 *
 * Theory of operation
 *
 * Kinds of differences have the same number in each run (compare/kind.h, or
 * endpoint and reason), so they pair by it. Runs are not equally long; what is
 * compared is the share of a kind among the answers that were compared, with
 * its interval of 95 % (gates/share.c, answers taken as independent). A kind
 * that one run has and the other lacks is new, or gone, however rare: a
 * difference that was never seen before is worth a look. Of one that both have,
 * only intervals that lie apart say that it is more, or less.
 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "compare/compare.h"
#include "gates/gates.h"
#include "os/exitcode.h"
#include "report/report.h"
#include "review/review_internal.h"
#include "text/json.h"
#include "text/text.h"

#define SHOWN	       20 /* of each state */
#define NAME_MAX_SHOWN 160

enum state {
	STATE_NEW,
	STATE_MORE,
	STATE_LESS,
	STATE_GONE,
	STATE_SAME,
	STATES
};

static const char *const state_name[STATES] = {
	[STATE_NEW] = "new",   [STATE_MORE] = "more", [STATE_LESS] = "less",
	[STATE_GONE] = "gone", [STATE_SAME] = "same",
};

/* A kind in both runs; NULL: it is not in that one. */
struct pair {
	const struct archive_kind *of[2];
	struct gates_interval share[2];
	enum state state;
};

struct side {
	struct archive *archive;
	struct form form;
	const struct archive_kind *kind;
	size_t kinds;
	uint64_t compared;
};

struct diff {
	const struct review_options *o;
	struct side side[2];
	struct archive_kind *list[2]; /* kinds, by their numbers */
	struct pair *pair;
	size_t pairs;
	size_t count[STATES];
};

static int read_side(struct side *s, const char *dir, struct errbuf *e)
{
	int r = archive_open(&s->archive, dir, e);

	if (r == 0)
		r = archive_form(s->archive, &s->form, e);
	if (r == 0)
		r = archive_kinds(s->archive, &s->kind, &s->kinds, e);
	if (r == 0)
		s->compared = report_compared(s->form.data);
	return r;
}

static void judge(struct diff *d, struct pair *p)
{
	for (unsigned i = 0; i < 2; i++) {
		uint64_t n = d->side[i].compared;
		uint64_t hit = p->of[i] ? p->of[i]->n : 0;

		/* A baseline's differences are beside the compared answers. */
		gates_interval(hit < n ? hit : n, n, 1.0, &p->share[i]);
	}
	if (!p->of[0])
		p->state = STATE_NEW;
	else if (!p->of[1])
		p->state = STATE_GONE;
	else if (p->share[1].low > p->share[0].high)
		p->state = STATE_MORE;
	else if (p->share[1].high < p->share[0].low)
		p->state = STATE_LESS;
	else
		p->state = STATE_SAME;
	d->count[p->state]++;
}

static int by_number(const void *a, const void *b)
{
	const struct archive_kind *x = a, *y = b;

	if (x->baseline != y->baseline)
		return x->baseline ? 1 : -1;
	return x->number < y->number ? -1 : x->number > y->number;
}

static uint64_t count_of(const struct pair *p)
{
	uint64_t a = p->of[0] ? p->of[0]->n : 0;
	uint64_t b = p->of[1] ? p->of[1]->n : 0;

	return a > b ? a : b;
}

static int by_state(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;
	uint64_t m = count_of(x), n = count_of(y);

	if (x->state != y->state)
		return x->state < y->state ? -1 : 1;
	return m > n ? -1 : m < n;
}

/* Both lists, in the order of their numbers. Return: 0, -ENOMEM */
static int pair_all(struct diff *d)
{
	size_t at[2] = { 0, 0 };
	size_t most = d->side[0].kinds + d->side[1].kinds + 1;

	d->pair = calloc(most, sizeof(*d->pair));
	for (unsigned i = 0; i < 2; i++) {
		size_t size = d->side[i].kinds * sizeof(struct archive_kind);

		d->list[i] = malloc(size + 1);
		if (!d->list[i] || !d->pair)
			return -ENOMEM;
		memcpy(d->list[i], d->side[i].kind, size);
		qsort(d->list[i], d->side[i].kinds, sizeof(struct archive_kind),
		      by_number);
	}
	while (at[0] < d->side[0].kinds || at[1] < d->side[1].kinds) {
		struct pair *p = &d->pair[d->pairs++];
		int order = at[0] == d->side[0].kinds ? 1
			    : at[1] == d->side[1].kinds
				    ? -1
				    : by_number(&d->list[0][at[0]],
						&d->list[1][at[1]]);

		assert(d->pairs < most);
		if (order <= 0)
			p->of[0] = &d->list[0][at[0]++];
		if (order >= 0)
			p->of[1] = &d->list[1][at[1]++];
		judge(d, p);
	}
	qsort(d->pair, d->pairs, sizeof(*d->pair), by_state);
	return 0;
}

/* --- what is said --- */

static int put_json(const struct diff *d, FILE *f)
{
	static char line[8192];
	struct json j;

	for (size_t i = 0; i < d->pairs; i++) {
		const struct pair *p = &d->pair[i];
		const struct archive_kind *k = p->of[1] ? p->of[1] : p->of[0];

		json_begin(&j, line, sizeof(line));
		json_u64(&j, "schema", REPORT_SCHEMA);
		json_str(&j, "type", "kind");
		json_str(&j, "state", state_name[p->state]);
		json_bytes(&j, "endpoint", k->name,
			   k->name_len < NAME_MAX_SHOWN ? k->name_len
							: NAME_MAX_SHOWN);
		json_str(&j, "reason", reason_name(k->reason));
		json_bool(&j, "baseline", k->baseline);
		json_bytes(&j, "detail", k->detail,
			   strnlen(k->detail, COMPARE_DETAIL));
		for (unsigned s = 0; s < 2; s++) {
			json_object(&j, s == 0 ? "first" : "second");
			json_u64(&j, "answers", p->of[s] ? p->of[s]->n : 0);
			json_u64(&j, "compared", d->side[s].compared);
			json_u64(&j, "low_ppm", p->share[s].low);
			json_u64(&j, "share_ppm", p->share[s].at);
			json_u64(&j, "high_ppm", p->share[s].high);
			json_close_object(&j);
		}
		if (fwrite(line, 1, json_line(&j), f) == 0)
			return -EIO;
	}
	return 0;
}

static void put_pair(const struct diff *d, const struct pair *p, FILE *f)
{
	const struct archive_kind *k = p->of[1] ? p->of[1] : p->of[0];
	char a[TEXT_NUMBER], b[TEXT_NUMBER], name[NAME_MAX_SHOWN];
	char detail[NAME_MAX_SHOWN];
	uint64_t n[2];

	for (unsigned i = 0; i < 2; i++)
		n[i] = p->of[i] ? p->of[i]->n : 0;
	fprintf(f, "%-5s %9s -> %-9s %-10s %s%s\n", state_name[p->state],
		text_number(a, n[0]), text_number(b, n[1]),
		reason_name(k->reason), k->baseline ? "(baseline) " : "",
		text_safe(name, sizeof(name), k->name, k->name_len));
	fprintf(f, "      %s", text_share(a, n[0], d->side[0].compared));
	fprintf(f, " (%.4f to %.4f %%)", p->share[0].low / 1e4,
		p->share[0].high / 1e4);
	fprintf(f, " -> %s (%.4f to %.4f %%)\n",
		text_share(a, n[1], d->side[1].compared), p->share[1].low / 1e4,
		p->share[1].high / 1e4);
	if (k->detail[0] != '\0')
		fprintf(f, "      %s\n",
			text_safe(detail, sizeof(detail), k->detail,
				  strlen(k->detail)));
}

static void put_text(const struct diff *d, FILE *f)
{
	size_t shown = 0;
	enum state last = STATES;
	char n[2][TEXT_NUMBER], m[2][TEXT_NUMBER];

	fprintf(f,
		"%s: %zu new, %zu more, %zu less, %zu gone, %zu the same kinds "
		"of differences\n\n",
		d->count[STATE_NEW] + d->count[STATE_MORE] > 0 ? "WORSE"
							       : "NO WORSE",
		d->count[STATE_NEW], d->count[STATE_MORE], d->count[STATE_LESS],
		d->count[STATE_GONE], d->count[STATE_SAME]);
	for (unsigned i = 0; i < 2; i++)
		fprintf(f, "%s %s different of %s compared: %s\n",
			i == 0 ? "first " : "second",
			text_number(n[i],
				    d->side[i]
					    .form.data
					    ->verdicts[VERDICT_DIFFERENT]),
			text_number(m[i], d->side[i].compared), d->o->dir[i]);
	if (d->pairs > 0)
		fputs("\n", f);
	for (size_t i = 0; i < d->pairs; i++) {
		const struct pair *p = &d->pair[i];

		shown = p->state == last ? shown + 1 : 1;
		last = p->state;
		if (shown <= SHOWN)
			put_pair(d, p, f);
		else if (shown == SHOWN + 1)
			fprintf(f, "%-5s %zu more of these (--json has all)\n",
				state_name[last], d->count[last] - SHOWN);
	}
}

static int tell(struct diff *d, FILE *lines, struct errbuf *e)
{
	int r = 0;

	if (lines)
		r = put_json(d, lines);
	if (lines != stdout)
		put_text(d, stdout);
	if (r != 0 || ferror(stdout))
		return errbuf_set(e, -EIO, "not all of it was written");
	if (d->side[0].compared == 0 || d->side[1].compared == 0)
		return errbuf_set(e, -ENODATA,
				  "%s: nothing was compared in that run; "
				  "'understudy report' says why",
				  d->o->dir[d->side[0].compared != 0]);
	return d->count[STATE_NEW] + d->count[STATE_MORE] > 0 ? EXIT_DIFFERENT
							      : EXIT_SAME;
}

static int read_and_tell(struct diff *d, struct errbuf *e)
{
	const char *json = d->o->json;
	FILE *lines = NULL;
	int r = review_enter(d->o, e);

	for (unsigned i = 0; r == 0 && i < 2; i++)
		r = read_side(&d->side[i], d->o->dir[i], e);
	if (r == 0 && pair_all(d) != 0)
		r = errbuf_set(e, -ENOMEM, "no memory");
	if (r == 0 && json) {
		lines = review_new(json, e);
		r = lines ? 0 : -EIO;
	}
	if (r != 0)
		return r;
	r = tell(d, lines, e);
	if (lines && review_end(lines, json, e) != 0)
		r = -EIO;
	return r;
}

int review_diff(const struct review_options *o, struct errbuf *e)
{
	struct diff d = { .o = o };
	int r = read_and_tell(&d, e);

	free(d.pair);
	for (unsigned i = 0; i < 2; i++) {
		free(d.list[i]);
		archive_close(d.side[i].archive);
	}
	return r;
}
