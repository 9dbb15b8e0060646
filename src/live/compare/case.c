/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * case.c - Cases and answers as bytes
 */
#include "compare/case.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "core/bytes.h"

static const char *const judge_names[] = {
#define X(id, name) [id] = name,
	CASE_JUDGES(X)
#undef X
};
static const char *const change_names[] = {
#define X(id, name) [id] = name,
	CASE_CHANGES(X)
#undef X
};
static const char *const made_names[] = {
#define X(id, name) [id] = name,
	CASE_MADES(X)
#undef X
};

const char *case_judge_name(enum case_judge j)
{
	assert(j < CASE_JUDGE_COUNT);
	return judge_names[j];
}

const char *case_change_name(enum case_change c)
{
	assert(c < CASE_CHANGE_COUNT);
	return change_names[c];
}

const char *case_made_name(enum case_made m)
{
	assert(m < CASE_MADE_COUNT);
	return made_names[m];
}

void case_put_fixed(const struct case_view *c, uint8_t *out)
{
	put_le64(out, c->serial);
	put_le32(out + 8, c->endpoint);
	put_le32(out + 12, c->flags);
	put_le64(out + 16, c->at);
	put_le64(out + 24, c->object);
	put_le64(out + 32, (uint64_t)c->late);
	for (unsigned i = 0; i < CASE_PARTS; i++)
		put_le32(out + 40 + 4 * (size_t)i, c->part[i].n);
}

int case_read(struct case_view *out, uint32_t endpoints, const uint8_t *p,
	      size_t n)
{
	struct case_view c;
	size_t at = CASE_FIXED;

	if (n < CASE_FIXED)
		return -EBADMSG;
	c.serial = get_le64(p);
	c.endpoint = get_le32(p + 8);
	c.flags = get_le32(p + 12);
	c.at = get_le64(p + 16);
	c.object = get_le64(p + 24);
	c.late = (int64_t)get_le64(p + 32);
	if (c.endpoint >= endpoints || (c.flags & ~CASE_FLAGS))
		return -EBADMSG;
	for (unsigned i = 0; i < CASE_PARTS; i++) {
		c.part[i].n = get_le32(p + 40 + 4 * (size_t)i);
		if (c.part[i].n > n - at)
			return -EBADMSG;
		c.part[i].p = p + at;
		at += c.part[i].n;
	}
	if (at != n)
		return -EBADMSG;
	*out = c;
	return 0;
}

static bool is_place(const struct case_place *p)
{
	return p->judge < CASE_JUDGE_COUNT && p->change < CASE_CHANGE_COUNT &&
	       p->len[0] <= CASE_SHOWN && p->len[1] <= CASE_SHOWN &&
	       memchr(p->name, '\0', CASE_PLACE);
}

static bool is_reason(const struct case_answer *a)
{
	const uint64_t different = reason_bit(REASON_STATUS) |
				   reason_bit(REASON_HEADER) |
				   reason_bit(REASON_BODY);

	switch (a->verdict) {
	case VERDICT_EQUIVALENT:
		return a->reason == REASON_NONE && a->reasons == 0;
	case VERDICT_DIFFERENT:
		return a->reason < REASON_COUNT && !(a->reasons & ~different) &&
		       (a->reasons >> a->reason & 1);
	case VERDICT_NOT_COMPARED:
		return (a->reason == REASON_TOO_LONG ||
			a->reason == REASON_BOMB ||
			a->reason == REASON_CODING ||
			a->reason == REASON_UNJUDGED ||
			a->reason == REASON_VALIDATOR) &&
		       a->reasons == 0;
	default:
		return false;
	}
}

static bool are_found(const struct case_answer *a)
{
	uint8_t more;

	memcpy(&more, &a->more, sizeof(more));
	if (more > 1 || a->founds > CASE_FOUND || a->givens > CASE_GIVEN)
		return false;
	for (uint8_t i = 0; i < a->givens; i++)
		if (a->given[i] == 0)
			return false;
	for (uint8_t i = 0; i < a->founds; i++)
		if (a->found[i].judge >= CASE_JUDGE_COUNT ||
		    a->found[i].change >= CASE_CHANGE_COUNT ||
		    !memchr(a->found[i].place, '\0', KIND_PLACE))
			return false;
	return true;
}

bool case_is_answer(const struct case_answer *a, uint32_t lines)
{
	/* A bool that another process wrote may be neither. */
	uint8_t has[2];

	memcpy(has, a->place.has, sizeof(has));
	if (a->held > (a->verdict == VERDICT_DIFFERENT))
		return false;
	if (!is_reason(a) || !is_place(&a->place) || !are_found(a) ||
	    has[0] > 1 || has[1] > 1 || a->made >> CASE_MADE_COUNT != 0 ||
	    a->rules > CASE_RULES)
		return false;
	for (uint16_t i = 0; i < a->rules; i++)
		if (a->rule[i] >= lines)
			return false;
	return true;
}

void case_needs(struct case_answer *a, uint16_t rule)
{
	for (uint8_t i = 0; i < a->rules; i++)
		if (a->rule[i] == rule)
			return;
	if (a->rules < CASE_RULES)
		a->rule[a->rules++] = rule;
}
