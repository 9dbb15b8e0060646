/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * judge_internal - What the files of judge share
 */
#ifndef JUDGE_JUDGE_INTERNAL_H
#define JUDGE_JUDGE_INTERNAL_H

#include <stdbool.h>

#include "app/head.h"
#include "deep/headers.h"
#include "deep/json.h"
#include "judge/judge.h"

#define MORE_RULES 16u /* of a sort, that leave out what was found */

/**
 * struct judge - One
 * @all:	All places of a difference are looked for (more.c)
 * @seed:	Of the numbers of tokens
 * @behind:	Where the values that were told last end
 * @view, @json_more, @header_more, @cookie_more: Rules of an endpoint, and
 *		behind them those that leave out what was found
 */
struct judge {
	bool all;
	uint64_t seed;
	const uint8_t *behind[2];
	struct rules_view view;
	struct json_rule json_more[MORE_RULES];
	struct header_rule header_more[MORE_RULES];
	struct cookie_rule cookie_more[MORE_RULES];
	struct judge_limits limits;
	struct judge_ops ops;
	const struct rules *rules;
	const struct redact *redact;
	struct json *json;
	uint8_t *room[2]; /* for decoded content */
	struct versions *versions;
	struct held *held;
	uint32_t due; /* of @held */
};

/**
 * struct held - A difference that may be taken back
 * @object:	Which; 0: the place is free
 * @content:	Number of what the SUT served
 * @due:	Production serves it
 * @c:		The case, of which the SUT's parts lie in @bytes
 */
struct held {
	uint64_t object;
	uint64_t content;
	bool due;
	struct case_view c;
	uint8_t *bytes;
};

/* Content of both, decoded; [0] production's. */
struct bodies {
	struct head_line type[2];   /* Content-Type */
	struct head_line coding[2]; /* Content-Encoding */
	const uint8_t *p[2];
	size_t n[2];
	const struct redact *redact;
	const uint8_t **behind; /* judge.behind */
	bool whole[2];		/* it is decoded, or was not encoded */
};

/* What was found of two contents. */
enum body_says {
	BODY_SAME,   /* the same bytes as they came */
	BODY_ALIKE,  /* @out->made says by what */
	BODY_OTHER,  /* @out->place says where */
	BODY_UNKNOWN /* @out->reason says why */
};

/* body.c: set of @out what belongs to contents. @b is filled in. */
enum body_says judge_bodies(struct judge *j, const struct case_view *c,
			    struct bodies *b, struct case_answer *out);

/* The same by rules @v, of contents that are decoded. */
enum body_says judge_content(struct judge *j, const struct rules_view *v,
			     const struct bodies *b, struct case_answer *out);

/* judge.c: compare one pair of heads or trailers by rules @v. Return: what came
 * of it
 */
enum headers_outcome judge_fields(struct judge *j, const struct rules_view *v,
				  const struct case_view *c,
				  enum case_part part, unsigned flags,
				  struct case_answer *out);

/* more.c: all places in which a case differs, into @out->found. @flags: for
 * judge_fields() of the heads
 */
void judge_places(struct judge *j, const struct case_view *c,
		  const struct bodies *b, enum body_says body, unsigned flags,
		  struct case_answer *out);

/* The class of a value of @judge's; with @shape the number of its shape. */
struct case_class judge_class(enum case_judge judge, const uint8_t *p,
			      size_t n);

/* judge.c: content and heads. @flags: HEADERS_ bits beside those of @b */
void judge_whole(struct judge *j, const struct case_view *c, unsigned flags,
		 struct bodies *b, struct case_answer *out);

/* conditional.c: two statuses of which only one answers a client's condition */
void judge_conditional(struct judge *j, const struct case_view *c,
		       const uint16_t status[2], struct case_answer *out);

/* version.c */

/* What the SUT served instead of what production does: @out may become another
 * answer. @content: number of the SUT's, decoded
 */
void judge_version(struct judge *j, const struct case_view *c, uint64_t content,
		   struct case_answer *out);
/* Has production left this version for too long? Sets @out */
void judge_older(struct judge *j, const struct case_view *c,
		 const struct version *of, struct case_answer *out);
/* Remember what production served. @content: number of it, decoded */
void judge_saw(struct judge *j, const struct case_view *c, uint64_t content);

/* Is it about the head of an object, whose content was not asked for? */
static inline bool judge_is_head(const struct case_view *c)
{
	return (c->flags >> CASE_ASKED & ASKED_HEAD) != 0;
}

static inline void judge_made(struct case_answer *a, enum case_made m)
{
	a->made |= UINT32_C(1) << m;
}

/* The lines of those rules of a view whose bits are set. */
static inline void judge_lines(struct case_answer *a, const uint16_t *line,
			       uint64_t bits)
{
	for (; bits != 0; bits &= bits - 1)
		case_needs(a, line[__builtin_ctzll(bits)]);
}

/* given.c: tokens that production has set and the SUT otherwise, as numbers.
 * Return: how many
 */
unsigned judge_given(uint64_t seed, const struct bodies *b,
		     uint64_t given[CASE_GIVEN]);

/* place.c */

/* A place begins; @has and values by place_value(). */
void place_begin(struct case_answer *a, enum case_judge judge,
		 enum case_change change, const char *name);
/* More of its name; what does not fit is cut. */
void place_add(struct case_answer *a, const char *text);
void place_number(struct case_answer *a, uint64_t n);
/* The value of @side is @len bytes at @at of a text @p; its beginning is shown,
 * secrets as tags.
 */
void place_value(struct case_answer *a, unsigned side,
		 const struct redact *redact, const uint8_t *p, size_t at,
		 size_t len);

#endif /* JUDGE_JUDGE_INTERNAL_H */
