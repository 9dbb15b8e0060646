/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rules_gates.c - What is demanded of an endpoint
 *
 * A gate makes no two answers alike: it is no rule that could be needed or not,
 * and has no end. Of two for one thing the later one counts; in one text they
 * contradict each other.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "rules/rules_internal.h"

#define WHOLE UINT64_C(1000000)

static const struct {
	const char *name;
	uint16_t permille;
} quantiles[] = {
	{ "p50", 500 }, { "p90", 900 }, { "p99", 990 }, { "p99.9", 999 }
};

/* "12", or with a percent sign, "0.25%", in 1/1000000. Return: is it one? */
static bool read_amount(const char *p, size_t n, uint64_t *out, bool *share)
{
	uint64_t v = 0;
	unsigned digits = 0, part = 0;
	bool point = false;

	*share = n > 1 && p[n - 1] == '%';
	n -= *share;
	for (size_t i = 0; i < n; i++) {
		if (p[i] >= '0' && p[i] <= '9') {
			v = v * 10 + (uint64_t)(p[i] - '0');
			part += point;
			if (++digits > 15 || part > 4)
				return false;
		} else if (p[i] != '.' || point || digits == 0 || !*share) {
			return false;
		} else {
			point = true;
		}
	}
	if (digits == 0 || (point && part == 0))
		return false;
	for (unsigned i = part; *share && i < 4; i++)
		v *= 10;
	*out = v;
	return true;
}

/* "p99:10%" */
static bool read_slower(const struct word *w, struct rules_gate *g)
{
	const char *colon = memchr(w->p, ':', w->n);
	size_t n = colon ? (size_t)(colon - w->p) : 0;

	for (size_t i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++) {
		if (!colon || strlen(quantiles[i].name) != n ||
		    memcmp(quantiles[i].name, w->p, n) != 0)
			continue;
		g->permille = quantiles[i].permille;
		return read_amount(colon + 1, w->n - n - 1, &g->n, &g->share) &&
		       g->share && g->n <= WHOLE;
	}
	return false;
}

/* Are these about one thing? */
static bool is_same(const struct rules_gate *a, const struct rules_gate *b)
{
	return a->endpoint == b->endpoint && a->verb == b->verb &&
	       a->permille == b->permille;
}

static int add_gate(struct parser *p, const struct word *w,
		    const struct rules_gate *g)
{
	struct rules *r = p->r;

	for (uint32_t i = 0; i < r->n.gates; i++) {
		const struct rules_gate *o = &r->gate[i];

		if (!is_same(o, g) || o->source != g->source ||
		    (o->n == g->n && o->share == g->share))
			continue;
		p->s.e->other = o->line;
		return word_fail(&p->s, w->at, w->n, -EINVAL,
				 "two lines contradict each other",
				 "one of them must go");
	}
	if (r->n.gates == RULES_GATES)
		return word_fail(&p->s, w->at, w->n, -E2BIG,
				 "there are too many gates",
				 "64 of all files together are taken");
	r->gate[r->n.gates++] = *g;
	return 0;
}

int verb_gate(struct parser *p)
{
	static const char how[] =
		"write \"gate max-different 0.1%\", \"gate min-compared 100\" "
		"or \"gate max-slower p99:10%\"";
	struct rules_gate g = { .endpoint = p->line.endpoint,
				.source = p->line.source,
				.line = p->line.line };
	struct word w, v;
	bool good = false;
	int rc = word_need(&p->s, &w, how);

	if (rc == 0 && p->line.endpoint == RULES_ALL)
		rc = word_fail(&p->s, w.at, w.n, -EINVAL,
			       "a gate is an endpoint's",
			       "write it behind \"on NAME\"; of the whole run "
			       "it is an option, as --max-different");
	if (rc == 0)
		rc = word_need(&p->s, &v, how);
	if (rc != 0)
		return rc;
	if (word_is(&w, "max-slower")) {
		g.verb = GATE_MAX_SLOWER;
		good = read_slower(&v, &g);
	} else if (word_is(&w, "max-different") ||
		   word_is(&w, "min-compared")) {
		g.verb = w.p[1] == 'a' ? GATE_MAX_DIFFERENT : GATE_MIN_COMPARED;
		good = read_amount(v.p, v.n, &g.n, &g.share) &&
		       (!g.share || g.n <= WHOLE);
	} else {
		return word_fail(&p->s, w.at, w.n, -EINVAL, "no such gate",
				 how);
	}
	if (!good)
		return word_fail(&p->s, v.at, v.n, -EINVAL,
				 "what is allowed cannot be read", how);
	assert(!g.share || g.n <= WHOLE);
	return add_gate(p, &w, &g);
}

/* Does a later one count instead? */
static bool is_over(const struct rules *r, uint32_t i)
{
	for (uint32_t k = i + 1; k < r->n.gates; k++)
		if (is_same(&r->gate[k], &r->gate[i]))
			return true;
	return false;
}

uint32_t rules_gates(const struct rules *r, const struct rules_gate **out)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < r->n.gates; i++)
		if (!is_over(r, i))
			out[n++] = &r->gate[i];
	assert(n <= RULES_GATES);
	return n;
}
