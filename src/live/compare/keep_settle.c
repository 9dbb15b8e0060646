/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * keep_settle.c - What needs no judge
 *
 * Theory of operation
 *
 * The comparison has found what differs in bytes, and knows of header fields
 * only that a few say nothing. Here the rules come in, as far as they cost no
 * more than a walk over two heads: fields that stand in the same order, each
 * the same or alike by one rule. That is what two copies of one server differ
 * in at every answer (Date, an entity tag), so it must not cost a judge. What
 * is found alike here is what the judge would find (fuzz_case holds one against
 * the other); where it is not, the judge is asked.
 *
 * Content that was not kept whole cannot be judged. It is called different only
 * if no judge would excuse a byte of it: it is not encoded, and neither text
 * nor made of parts.
 */
#include <string.h>

#include "app/head.h"
#include "compare/keep_internal.h"

#define OF_BODY	 (reason_bit(REASON_BODY) | reason_bit(REASON_LENGTH))
#define OF_JUDGE (OF_BODY | reason_bit(REASON_HEADER))

/* Two lines that are not the same. */
static bool alike(const struct rules_view *v, int64_t late,
		  const struct head_line *a, const struct head_line *b,
		  struct case_answer *out)
{
	static const enum case_made by[] = {
		[HEADER_IGNORE] = CASE_BY_IGNORE, [HEADER_SET] = CASE_BY_SET,
		[HEADER_CASE] = CASE_BY_CASE,	  [HEADER_DATE] = CASE_BY_DATE,
		[HEADER_CLASS] = CASE_BY_CLASS,
	};
	size_t n = head_name(a);
	const struct header_rule *r;
	struct head_line va, vb;
	int rule;

	if (n == 0 || n == a->n || head_name(b) != n || n == b->n ||
	    !head_same(a->p, b->p, n))
		return false;
	va = head_value(*a, n);
	vb = head_value(*b, n);
	r = rules_header(v, a->p, n, &rule);
	if (!r || !rules_header_alike(r, va.p, va.n, vb.p, vb.n, late))
		return false;
	out->made |= UINT32_C(1) << by[r->verb];
	if (rule >= 0)
		case_needs(out, v->header_rule[rule]);
	return true;
}

static bool is_folded(const struct head_line *l)
{
	return l->n > 0 && (l->p[0] == ' ' || l->p[0] == '\t');
}

/* Are these field lines alike, line by line? @start: a start line comes first
 */
static bool fields_alike(const struct rules_view *v, int64_t late,
			 struct head_rest a, struct head_rest b, bool start,
			 struct case_answer *out)
{
	struct head_line la, lb;

	for (;; start = false) {
		bool one = head_next(&a, &la);
		bool other = head_next(&b, &lb);

		if (!one || !other)
			return one == other;
		if (start)
			continue;
		if (is_folded(&la) || is_folded(&lb))
			return false;
		if (la.n == lb.n && memcmp(la.p, lb.p, la.n) == 0)
			continue;
		if (!alike(v, late, &la, &lb, out))
			return false;
	}
}

static bool heads_alike(const struct keep *k, const struct rules_view *v,
			struct case_answer *out)
{
	static const unsigned parts[] = { CASE_HEAD, CASE_TRAILER };

	for (unsigned i = 0; i < 2; i++) {
		struct head_rest a, b;

		if (!keep_whole(k, parts[i], &a) ||
		    !keep_whole(k, parts[i] + 1, &b) ||
		    !fields_alike(v, k->late, a, b, i == 0, out))
			return false;
	}
	return true;
}

/* Would a judge excuse a byte of content with this head? */
static bool is_judged(struct head_rest head)
{
	static const char *const kinds[] = { "text/",	  "json",	"xml",
					     "html",	  "multipart/", "form",
					     "javascript" };
	struct head_line type;

	if (head_find(head, "content-encoding", &type) > 0)
		return true;
	if (head_find(head, "content-type", &type) == 0)
		return false;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (head_has(&type, kinds[i]))
			return true;
	return false;
}

/* Both contents differ, and are not kept. */
static enum keep_says unkept(const struct keep *k,
			     const struct compare_result *r, bool alike,
			     struct case_answer *out)
{
	struct head_rest a, b;

	if (!keep_whole(k, CASE_HEAD, &a) ||
	    !keep_whole(k, CASE_HEAD + 1, &b) || is_judged(a) || is_judged(b)) {
		out->verdict = VERDICT_NOT_COMPARED;
		out->reason = REASON_TOO_LONG;
		return KEEP_SETTLED;
	}
	if (!alike)
		return KEEP_NOTHING;
	out->verdict = VERDICT_DIFFERENT;
	out->reasons = r->reasons & OF_BODY;
	out->reason = (r->reasons & reason_bit(REASON_BODY)) ? REASON_BODY
							     : REASON_LENGTH;
	return KEEP_SETTLED;
}

/* Of the endpoint no more than the status is compared, or nothing. */
static enum keep_says by_level(enum rules_level level,
			       const struct compare_result *r,
			       struct case_answer *out)
{
	const uint64_t status = reason_bit(REASON_STATUS);

	if (r->verdict == VERDICT_NOT_COMPARED ||
	    (r->reasons & reason_bit(REASON_UNANSWERED)))
		return KEEP_NOTHING;
	if (level == LEVEL_NOTHING) {
		out->verdict = VERDICT_NOT_COMPARED;
		out->reason = REASON_BY_RULE;
		return KEEP_SETTLED;
	}
	if (r->verdict == VERDICT_IDENTICAL ||
	    (r->reasons & ~(status | OF_JUDGE)))
		return KEEP_NOTHING;
	if (r->reasons & status) {
		out->verdict = VERDICT_DIFFERENT;
		out->reason = REASON_STATUS;
		out->reasons = status;
		return KEEP_SETTLED;
	}
	out->verdict = VERDICT_EQUIVALENT;
	out->made = UINT32_C(1) << CASE_BY_STATUS;
	return KEEP_SETTLED;
}

/* Are these answers to a condition that only production can have met? Its
 * validators are in the client's hands, and the SUT has others.
 */
static bool is_conditional(const struct keep *k, const struct compare_result *r)
{
	const uint16_t f = k->asked.flags;
	const uint16_t cached =
		asked_bit(ASKED_NONE_MATCH) | asked_bit(ASKED_SINCE);
	const uint16_t guarded =
		asked_bit(ASKED_MATCH) | asked_bit(ASKED_UNMODIFIED);
	const uint32_t kept = 3u << CASE_HEAD | 3u << CASE_BODY;

	if (keep_object(k) == 0 || (k->lost & kept) ||
	    (r->reasons & ~(OF_JUDGE | reason_bit(REASON_STATUS))) != 0)
		return false;
	switch (r->status[0] * 1000 + r->status[1]) {
	case 304200:
	case 200304:
		return (f & cached) != 0;
	case 206200:
	case 416200:
		return (f & asked_bit(ASKED_RANGE)) != 0;
	case 200412:
	case 206412:
		return (f & guarded) != 0;
	default:
		return false;
	}
}

enum keep_says keep_settle(const struct keep *k, const struct compare_result *r,
			   const struct rules *rules, uint32_t endpoint,
			   struct case_answer *out)
{
	const struct rules_view *v = rules_view(rules, endpoint);
	bool differs = (r->reasons & OF_BODY);
	const uint32_t heads = 3u << CASE_HEAD | 3u << CASE_TRAILER;
	bool alike;

	memset(out, 0, sizeof(*out));
	if (v->level != LEVEL_WHOLE)
		return by_level(v->level, r, out);
	if (r->verdict == VERDICT_DIFFERENT && is_conditional(k, r))
		return KEEP_ASK;
	if (r->verdict == VERDICT_IDENTICAL ||
	    r->verdict == VERDICT_NOT_COMPARED || (r->reasons & ~OF_JUDGE))
		return KEEP_NOTHING;
	if (k->lost & heads) {
		out->verdict = VERDICT_NOT_COMPARED;
		out->reason = REASON_NO_MEMORY;
		return KEEP_SETTLED;
	}
	alike = heads_alike(k, v, out);
	if (!alike) {
		out->made = 0;
		out->rules = 0;
	}
	if (differs && (k->lost >> CASE_BODY & 3))
		return unkept(k, r, alike, out);
	if (differs || !alike)
		return KEEP_ASK;
	if (out->made == 0)
		return KEEP_NOTHING; /* only their framing is not the same */
	out->verdict = VERDICT_EQUIVALENT;
	return KEEP_SETTLED;
}
