/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * junit.c - A run as test cases
 *
 * Elements and attributes are those that the schemas of JUnit's Ant task
 * (JUnit.xsd of Windy Road) and of Jenkins have in common, in the order of the
 * former. There are three suites: what is demanded (a case for each demand),
 * answers (one for each endpoint of the rules, or entry of --map), and the
 * instrument. Answers that differ are failures only if the run failed by
 * differences: what --max-different allows passes. What cannot be told is an
 * error.
 */
#include <string.h>

#include "compare/case.h"
#include "compare/compare.h"
#include "forms/out.h"
#include "os/exitcode.h"
#include "text/text.h"

enum fate { FATE_PASSED, FATE_FAILED, FATE_ERROR, FATES };

/* A case, and what is said of it. */
struct one {
	const char *suite;
	const char *name;
	enum fate fate;
	const char *type;
	char what[192];
};

typedef void (*each_fn)(struct out *o, const struct form *f,
			const struct one *c, unsigned count[FATES]);

static void of_gates(struct out *o, const struct form *f, each_fn each,
		     unsigned *count)
{
	static const enum fate fates[] = { [GATE_PASSED] = FATE_PASSED,
					   [GATE_FAILED] = FATE_FAILED,
					   [GATE_UNDECIDED] = FATE_ERROR };
	char name[160], limit[FORM_LIMIT], n[TEXT_NUMBER];

	for (unsigned i = 0; i < f->gates; i++) {
		const struct report_gate *g = f->gate[i];
		struct one c = { .suite = "gates",
				 .name = name,
				 .fate = fates[g->state],
				 .type = report_gate_name(g->state) };
		struct text t;

		text_begin(&t, name, sizeof(name));
		text_add(&t, "%s%s%s", g->endpoint ? g->endpoint : "",
			 g->endpoint ? ": " : "", g->name);
		text_begin(&t, c.what, sizeof(c.what));
		text_add(&t, "%s, %s", report_gate_name(g->state),
			 form_limit(limit, g));
		if (g->needs > 0)
			text_add(&t, "; %s answers needed",
				 text_number(n, g->needs));
		each(o, f, &c, count);
	}
}

/* Did a demand of differences fail, of the run or of this endpoint? */
static bool has_failed(const struct form *f, const char *endpoint)
{
	for (unsigned i = 0; i < f->gates; i++) {
		const struct report_gate *g = f->gate[i];

		if (g->state == GATE_FAILED && strstr(g->name, "max-diff") &&
		    (!g->endpoint ||
		     (endpoint && strcmp(g->endpoint, endpoint) == 0)))
			return true;
	}
	return false;
}

static void answers(struct out *o, const struct form *f, each_fn each,
		    unsigned *count, const char *name, const char *endpoint,
		    const uint64_t *v)
{
	uint64_t compared = v[VERDICT_IDENTICAL] + v[VERDICT_EQUIVALENT] +
			    v[VERDICT_DIFFERENT];
	char a[TEXT_NUMBER], b[TEXT_NUMBER];
	struct one c = { .suite = "answers",
			 .name = name,
			 .type = "different" };
	struct text t;

	if (v[VERDICT_DIFFERENT] > 0 && has_failed(f, endpoint))
		c.fate = FATE_FAILED;
	text_begin(&t, c.what, sizeof(c.what));
	text_add(&t, "%s of %s compared answers differ",
		 text_number(a, v[VERDICT_DIFFERENT]),
		 text_number(b, compared));
	if (compared == 0 && v[VERDICT_NOT_COMPARED] > 0) {
		c.fate = FATE_ERROR;
		c.type = "not_compared";
	}
	each(o, f, &c, count);
}

static void of_answers(struct out *o, const struct form *f, each_fn each,
		       unsigned *count)
{
	const struct report_data *d = f->data;
	char name[2 * TEXT_ENDPOINT + 8], a[TEXT_ENDPOINT], b[TEXT_ENDPOINT];
	struct text t;

	for (size_t i = 0; d->rules && i < d->rules->endpoints; i++)
		answers(o, f, each, count, d->rules->endpoint[i].name,
			d->rules->endpoint[i].name,
			d->rules->endpoint[i].verdicts);
	for (size_t i = 0; !d->rules && i < d->maps; i++) {
		const struct report_map *m = &d->map[i].map;

		text_begin(&t, name, sizeof(name));
		text_add(
			&t, "%s to %s",
			text_endpoint(a, &m->production.ip, m->production.port),
			text_endpoint(b, &m->sut.ip, m->sut.port));
		answers(o, f, each, count, name, NULL, d->map[i].verdicts);
	}
}

static void of_instrument(struct out *o, const struct form *f, each_fn each,
			  unsigned *count)
{
	const struct report_data *d = f->data;
	struct one sums = { .suite = "instrument",
			    .name = "accounts close",
			    .type = "sums" };
	struct one run = { .suite = "instrument",
			   .name = "run",
			   .type = "exit_code" };
	struct text t;

	text_begin(&t, sums.what, sizeof(sums.what));
	sums.fate = report_sums_closed(d) ? FATE_PASSED : FATE_ERROR;
	text_add(&t, "%s", "sums do not add up");
	each(o, f, &sums, count);
	run.fate = f->code == EXIT_ERROR ? FATE_ERROR : FATE_PASSED;
	text_begin(&t, run.what, sizeof(run.what));
	text_add(&t, "exit code %d: %.*s", f->code,
		 (int)strcspn(f->text, "\n") > 150
			 ? 150
			 : (int)strcspn(f->text, "\n"),
		 f->text);
	each(o, f, &run, count);
}

static void count_one(struct out *o, const struct form *f, const struct one *c,
		      unsigned count[FATES])
{
	(void)o;
	(void)f;
	count[c->fate]++;
}

/* What differs most, in an endpoint's case. */
static void put_places(struct out *o, const struct form *f, const char *name)
{
	const struct report_data *d = f->data;
	char n[TEXT_NUMBER];

	for (size_t i = 0; i < d->places && i < REPORT_TOP; i++) {
		const struct report_place *p = &d->place[i];

		if (d->rules && strcmp(name, "*") != 0 &&
		    (strlen(name) != p->name_len ||
		     memcmp(name, p->name, p->name_len) != 0))
			continue;
		out_add(o, "\n%s %s ", text_number(n, p->n),
			reason_name(p->reason));
		out_text(o, OUT_XML, p->name, p->name_len);
		if (p->kind.id != 0) {
			out_put(o, " ");
			out_str(o, OUT_XML, p->kind.place);
		}
	}
	out_put(o, "\n");
}

static void put_one(struct out *o, const struct form *f, const struct one *c,
		    unsigned count[FATES])
{
	const char *tag = c->fate == FATE_ERROR ? "error" : "failure";

	(void)count;
	out_add(o, "    <testcase classname=\"understudy.%s\" name=\"",
		c->suite);
	out_str(o, OUT_XML, c->name);
	out_put(o, "\" time=\"0\"");
	if (c->fate == FATE_PASSED) {
		out_put(o, "/>\n");
		return;
	}
	out_add(o, ">\n      <%s type=\"%s\" message=\"", tag, c->type);
	out_str(o, OUT_XML, c->what);
	out_put(o, "\">");
	if (strcmp(c->suite, "answers") == 0)
		put_places(o, f, c->name);
	out_add(o, "</%s>\n    </testcase>\n", tag);
}

static void suite(struct out *o, const struct form *f, unsigned id,
		  const char *name,
		  void (*all)(struct out *o, const struct form *f, each_fn each,
			      unsigned *count))
{
	unsigned count[FATES] = { 0 };
	char when[TEXT_NUMBER];

	all(o, f, count_one, count);
	text_when(when, f->start->started);
	out_add(o,
		"  <testsuite id=\"%u\" package=\"understudy\" name=\"%s\" "
		"timestamp=\"%.19s\" hostname=\"localhost\" tests=\"%u\" "
		"failures=\"%u\" errors=\"%u\" time=\"%.3f\">\n"
		"    <properties/>\n",
		id, name, when,
		count[FATE_PASSED] + count[FATE_FAILED] + count[FATE_ERROR],
		count[FATE_FAILED], count[FATE_ERROR],
		id == 0 ? (double)f->data->elapsed / 1e9 : 0.0);
	all(o, f, put_one, count);
	out_put(o, "    <system-out>");
	if (id == 0)
		out_text(o, OUT_XML, f->text, strcspn(f->text, "\n"));
	out_put(o, "</system-out>\n    <system-err/>\n  </testsuite>\n");
}

void form_junit(struct out *o, const struct form *f)
{
	out_put(o, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		   "<testsuites>\n");
	suite(o, f, 0, "gates", of_gates);
	suite(o, f, 1, "answers", of_answers);
	suite(o, f, 2, "instrument", of_instrument);
	out_put(o, "</testsuites>\n");
}
