/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * conditional.c - A client's condition, which only one server could meet
 *
 * Theory of operation
 *
 * Clients send the validators that production gave them. A SUT that makes its
 * own answers such a request as if there were no condition (RFC 9110 section
 * 13.2.2): with all of the object, where production says that it has not
 * changed, or sends a part of it. That is right if the SUT's object is what the
 * client has, which is what production served under that validator; it is
 * remembered, and takes the place of production's answer.
 *
 * A SUT that has the same validator as production should have met the
 * condition, and is different. What the validator stands for may not be known:
 * then nothing is compared, but where one part of an object differs from the
 * SUT's whole one, that is a difference whatever the rest is.
 *
 * To HEAD the same is said with heads alone: the head that production gave the
 * object under that validator takes the place of its answer. It came with
 * content, so that fields of framing may be missing in the SUT's (RFC 9110
 * section 9.3.2).
 *
 * A SUT that says "not modified" where production has sent an object has one
 * that production served before (version.c).
 */
#include "judge/judge_internal.h"

#include <string.h>

static void not_known(struct case_answer *out)
{
	out->verdict = VERDICT_NOT_COMPARED;
	out->reason = REASON_VALIDATOR;
}

static struct head_rest head_of(const struct case_view *c, unsigned side)
{
	const uint8_t *p = c->part[CASE_HEAD + side].p;

	return (struct head_rest){ p, p + c->part[CASE_HEAD + side].n };
}

/* Statuses that stand, as no condition explains them. */
static void other_status(const struct judge *j, const struct case_view *c,
			 struct case_answer *out)
{
	place_begin(out, CASE_HEADERS, CASE_VALUE, "status");
	for (unsigned i = 0; i < 2; i++)
		place_value(out, i, j->redact, c->part[CASE_HEAD + i].p, 9, 3);
	out->verdict = VERDICT_DIFFERENT;
	out->reason = REASON_STATUS;
	out->reasons = reason_bit(REASON_STATUS);
}

static bool same_field(const struct case_view *c, const char *name, bool *has)
{
	struct head_line a, b;

	*has = head_find(head_of(c, 0), name, &a) == 1;
	return *has && head_find(head_of(c, 1), name, &b) == 1 && a.n == b.n &&
	       a.n > 0 && memcmp(a.p, b.p, a.n) == 0;
}

/* Does the SUT have the validator that the condition names? */
static bool same_validator(const struct case_view *c)
{
	const unsigned tagged = (unsigned)asked_bit(ASKED_NONE_MATCH) |
				asked_bit(ASKED_RANGE) | asked_bit(ASKED_MATCH);
	bool has, same = same_field(c, "etag", &has);

	if ((c->flags >> CASE_ASKED & tagged) && has)
		return same;
	return same_field(c, "last-modified", &has);
}

/* A number of decimal digits. Return: bytes of it; 0: there is none */
static size_t number(const uint8_t *p, size_t n, uint64_t *out)
{
	size_t i = 0;

	*out = 0;
	while (i < n && i < 18 && p[i] >= '0' && p[i] <= '9')
		*out = *out * 10 + (uint64_t)(p[i++] - '0');
	return i;
}

/* "bytes FIRST-LAST/ALL" (RFC 9110 section 14.4) */
static bool read_range(const struct head_line *l, uint64_t at[3])
{
	static const char unit[] = "bytes ", between[] = "-/";
	size_t i = sizeof(unit) - 1;

	if (l->n < i || !head_same(l->p, (const uint8_t *)unit, i))
		return false;
	for (unsigned k = 0; k < 3; k++) {
		size_t n = number(l->p + i, l->n - i, &at[k]);

		i += n;
		if (n == 0 ||
		    (k < 2 && (i == l->n || l->p[i++] != (uint8_t)between[k])))
			return false;
	}
	return i == l->n && at[0] <= at[1] && at[1] < at[2];
}

/* Of what production sent a part of, nothing else is known: is that part of the
 * SUT's object another one?
 */
static void part_only(const struct judge *j, const struct case_view *c,
		      struct case_answer *out)
{
	const uint8_t *part = c->part[CASE_BODY].p;
	const uint8_t *all = c->part[CASE_BODY + 1].p;
	size_t n = c->part[CASE_BODY].n, whole = c->part[CASE_BODY + 1].n;
	struct head_line l;
	uint64_t at[3];
	size_t i = 0;

	not_known(out);
	if (head_find(head_of(c, 0), "content-encoding", &l) != 0 ||
	    head_find(head_of(c, 1), "content-encoding", &l) != 0 ||
	    head_find(head_of(c, 0), "content-range", &l) != 1 ||
	    !read_range(&l, at) || at[1] - at[0] + 1 != n)
		return;
	while (at[2] == whole && i < n && part[i] == all[at[0] + i])
		i++;
	if (at[2] == whole && i == n)
		return;
	out->verdict = VERDICT_DIFFERENT;
	out->reason = REASON_BODY;
	out->reasons = reason_bit(REASON_BODY);
	place_begin(out, CASE_BYTES, CASE_VALUE, "byte ");
	if (at[2] != whole) {
		place_number(out, at[2] < whole ? at[2] : whole);
		out->place.change = at[2] < whole ? CASE_EXTRA : CASE_MISSING;
		return;
	}
	place_number(out, at[0] + i);
	place_value(out, 0, j->redact, part, i, n - i);
	place_value(out, 1, j->redact, all, (size_t)at[0] + i, n - i);
}

/* Production has met the condition, and the SUT has sent all of its object.
 * What has no such part (416) names no validator: then production's object is
 * what it served last, as far as is known, and only that can be alike.
 */
static void met_by_production(struct judge *j, const struct case_view *c,
			      uint16_t status, struct case_answer *out)
{
	const struct version *of =
		status == 416 ? versions_now(j->versions, c->object)
			      : versions_of_validator(j->versions, c->object,
						      head_of(c, 0));
	unsigned flags = HEADERS_OF_THEN;
	struct case_view then = *c;
	struct head_rest head;
	struct bodies b;

	if (same_validator(c)) {
		other_status(j, c, out);
		return;
	}
	if (!of ||
	    !versions_text(j->versions, of, &head, &then.part[CASE_BODY].p)) {
		not_known(out);
		if (status == 206)
			part_only(j, c, out);
		return;
	}
	then.part[CASE_HEAD].p = head.p;
	then.part[CASE_HEAD].n = of->head;
	then.part[CASE_BODY].n = of->body;
	if (judge_is_head(c)) {
		then.flags |= CASE_SAME_BODY;
		flags |= HEADERS_OF_GET;
	}
	judge_whole(j, &then, flags, &b, out);
	if (out->verdict == VERDICT_EQUIVALENT) {
		judge_made(out, CASE_BY_VALIDATOR);
	} else if (status == 416) {
		*out = (struct case_answer){ .serial = c->serial };
		not_known(out);
	}
}

/* Is what production has now known, as its head says? */
static bool is_newest(const struct judge *j, const struct case_view *c)
{
	const struct version *of =
		versions_of_validator(j->versions, c->object, head_of(c, 0));

	return of && versions_newest(j->versions, of);
}

/* The SUT has met it: the client has what the SUT has. */
static void met_by_sut(struct judge *j, const struct case_view *c,
		       struct case_answer *out)
{
	const struct version *of =
		versions_of_validator(j->versions, c->object, head_of(c, 1));

	if (same_validator(c)) {
		other_status(j, c, out);
	} else if (!of || (judge_is_head(c) && !is_newest(j, c))) {
		not_known(out);
	} else {
		out->verdict = VERDICT_EQUIVALENT;
		if (versions_newest(j->versions, of))
			judge_made(out, CASE_BY_VALIDATOR);
		else
			judge_older(j, c, of, out);
	}
}

void judge_conditional(struct judge *j, const struct case_view *c,
		       const uint16_t status[2], struct case_answer *out)
{
	uint64_t content = 0;
	struct bodies b;

	memset(out, 0, sizeof(*out));
	out->serial = c->serial;
	/* What it has sent whole is remembered first. */
	if (status[0] == 200 && !judge_is_head(c)) {
		(void)judge_bodies(j, c, &b, out);
		if (b.whole[0])
			content = versions_content(j->versions, b.p[0], b.n[0]);
		if (content != 0)
			judge_saw(j, c, content);
		memset(out, 0, sizeof(*out));
		out->serial = c->serial;
	}
	switch (status[0] * 1000 + status[1]) {
	case 304200:
	case 206200:
	case 416200:
		met_by_production(j, c, status[0], out);
		break;
	case 200304:
		met_by_sut(j, c, out);
		break;
	case 200412:
	case 206412:
		if (same_validator(c))
			other_status(j, c, out);
		else
			not_known(out);
		break;
	default:
		other_status(j, c, out);
		break;
	}
}
