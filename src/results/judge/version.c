/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * version.c - Objects of the SUT's that are not the one that production serves
 *
 * Theory of operation
 *
 * What the SUT serves is looked for among what production served of the object.
 * If it is there it is older: alike, if production left it no longer ago than
 * its lifetime is, or a rule says, and if the whole answer, head and all, is as
 * production's was. Otherwise it is older, too, and different, and the place
 * says by how much. When production left it is known as a time before which it
 * did not, so doubt is the SUT's.
 *
 * If it is not there it is wrong, or newer. Where a rule allows the latter the
 * difference is told as one that may be taken back, and kept; each answer of
 * production's that is new is held against those that are kept.
 */
#include "judge/judge_internal.h"

#include <assert.h>
#include <string.h>

#define NS 1000000000u

/* The case with an answer of production's in place of the one that it has.
 * Return: false: its bytes are gone
 */
static bool with_answer(const struct judge *j, const struct case_view *c,
			const struct version *of, struct case_view *out)
{
	struct head_rest head;
	const uint8_t *body;

	if (!versions_text(j->versions, of, &head, &body))
		return false;
	*out = *c;
	out->flags &= ~CASE_SAME_BODY;
	out->part[CASE_HEAD].p = head.p;
	out->part[CASE_HEAD].n = of->head;
	out->part[CASE_BODY].p = body;
	out->part[CASE_BODY].n = of->body;
	out->part[CASE_TRAILER].n = 0;
	out->part[CASE_TRAILER + 1].n = 0;
	return true;
}

/* So long may a version be served by others; -1: it may not */
static int64_t allowed(const struct judge *j, const struct case_view *c,
		       const struct version *of, bool *rule)
{
	const struct rules_view *v = rules_view(j->rules, c->endpoint);

	*rule = (v->versions >> VERSION_OLDER & 1) != 0;
	if (*rule)
		return v->older_ns;
	if (c->flags >> CASE_ASKED & asked_bit(ASKED_AUTHORIZED))
		return -1;
	return of->fresh;
}

void judge_older(struct judge *j, const struct case_view *c,
		 const struct version *of, struct case_answer *out)
{
	uint64_t left = versions_left(j->versions, of, c->at);
	bool rule;
	int64_t most = allowed(j, c, of, &rule);

	if (most >= 0 && left <= (uint64_t)most) {
		assert(out->verdict == VERDICT_EQUIVALENT);
		judge_made(out, CASE_BY_OLDER);
		if (rule)
			case_needs(out, rules_view(j->rules, c->endpoint)
						->version_rule[VERSION_OLDER]);
		return;
	}
	*out = (struct case_answer){
		.serial = c->serial,
		.verdict = VERDICT_DIFFERENT,
		.reason = REASON_BODY,
		.reasons = reason_bit(REASON_BODY),
	};
	place_begin(out, CASE_VERSION, CASE_VALUE, "older by ");
	place_number(out, left / NS);
	place_add(out, " s, ");
	if (most < 0) {
		place_add(out, "no lifetime");
		return;
	}
	place_add(out, "lifetime ");
	place_number(out, (uint64_t)most / NS);
	place_add(out, " s");
}

static void hold(struct judge *j, const struct case_view *c, uint64_t content,
		 struct case_answer *out)
{
	static const unsigned parts[] = { CASE_HEAD + 1, CASE_TRAILER + 1,
					  CASE_BODY + 1 };
	struct held *h = j->held;
	size_t at = 0;
	uint32_t i = 0;

	for (unsigned k = 0; k < 3; k++)
		at += c->part[parts[k]].n;
	while (i < j->limits.held && h[i].object != 0)
		i++;
	if (i == j->limits.held || at > j->limits.longest)
		return;
	h += i;
	h->object = c->object;
	h->content = content;
	h->due = false;
	h->c = *c;
	at = 0;
	for (unsigned k = 0; k < 3; k++) {
		size_t n = c->part[parts[k]].n;

		if (n > 0)
			memcpy(h->bytes + at, c->part[parts[k]].p, n);
		h->c.part[parts[k]].p = h->bytes + at;
		at += n;
	}
	out->held = 1;
}

void judge_version(struct judge *j, const struct case_view *c, uint64_t content,
		   struct case_answer *out)
{
	const struct version *of =
		versions_of_content(j->versions, c->object, content);
	const struct rules_view *v = rules_view(j->rules, c->endpoint);
	struct case_answer other;
	struct case_view then;
	struct bodies b;

	if (!of) {
		if ((v->versions >> VERSION_NEWER & 1) &&
		    (out->reasons & reason_bit(REASON_BODY)))
			hold(j, c, content, out);
		return;
	}
	/* It is what production serves now, but for its head. */
	if (versions_newest(j->versions, of) &&
	    !(out->reasons & reason_bit(REASON_BODY)))
		return;
	if (!with_answer(j, c, of, &then))
		return;
	judge_whole(j, &then, HEADERS_OF_THEN, &b, &other);
	if (other.verdict != VERDICT_EQUIVALENT)
		return;
	judge_older(j, c, of, &other);
	*out = other;
}

void judge_saw(struct judge *j, const struct case_view *c, uint64_t content)
{
	struct head_rest head = { c->part[CASE_HEAD].p,
				  c->part[CASE_HEAD].p + c->part[CASE_HEAD].n };

	versions_saw(j->versions, c->object, content, c->at, head,
		     c->part[CASE_BODY].p, c->part[CASE_BODY].n);
	for (uint32_t i = 0; i < j->limits.held; i++) {
		struct held *h = &j->held[i];

		if (h->object != c->object || h->content != content || h->due)
			continue;
		h->due = true;
		j->due++;
	}
}

bool judge_next(struct judge *j, struct case_answer *out)
{
	while (j->due > 0) {
		struct held *h = j->held;
		const struct version *of;
		struct case_view then;
		struct bodies b;

		while (!h->due)
			h++;
		j->due--;
		h->due = false;
		of = versions_of_content(j->versions, h->object, h->content);
		h->object = 0;
		if (!of || !with_answer(j, &h->c, of, &then))
			continue;
		judge_whole(j, &then, HEADERS_OF_THEN, &b, out);
		if (out->verdict != VERDICT_EQUIVALENT)
			continue;
		judge_made(out, CASE_BY_NEWER);
		case_needs(out, rules_view(j->rules, h->c.endpoint)
					->version_rule[VERSION_NEWER]);
		return true;
	}
	return false;
}
