/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * json_internal - What the files of json share
 */
#ifndef DEEP_JSON_INTERNAL_H
#define DEEP_JSON_INTERNAL_H

#include <assert.h>

#include "core/bytes.h"
#include "deep/json.h"
#include "rules/when.h"

#define STATE_WORDS (JSON_STATES / 64)
#define NO_RULE	    UINT8_MAX
#define NO_INDEX    UINT32_MAX /* of an element of an array in any order */

/* A set of states: of each rule, how many steps of its place have been taken.
 */
struct states {
	uint64_t w[STATE_WORDS];
};

/**
 * struct rule_table - Places as states
 * @n:		States
 * @words:	Words of a set that are in use
 * @rules:	Rules; 0: nothing here is looked at
 * @first:	Those at the root
 * @deep:	Those that stay where they are, too
 * @root_rule:	Rule whose place is $, or NO_RULE
 * @rule:	The rules themselves
 * @kind, @name, @index: Of the step that leads out of a state: enum place_kind,
 * the
 *		hash of its name, its number
 * @leads:	Rule whose place that step ends, or NO_RULE: then to the next
 *		state
 */
struct rule_table {
	uint32_t n;
	uint32_t words;
	uint32_t rules;
	struct states first;
	struct states deep;
	uint8_t root_rule;
	const struct json_rule *const *rule;
	uint8_t kind[JSON_STATES];
	uint8_t leads[JSON_STATES];
	uint32_t index[JSON_STATES];
	uint64_t name[JSON_STATES];
};

/* Where a value stands: the states there, the rule that it meets, or NO_RULE.
 */
struct spot {
	struct states states;
	uint8_t rule;
	bool loose; /* of an array: in any order, whatever the rule */
};

/* Secret numbers of the hash. */
struct json_keys {
	uint64_t seed;	/* where a string begins */
	uint64_t word;	/* eight bytes of it */
	uint64_t end;	/* its last bytes, and its length */
	uint64_t name;	/* of a member */
	uint64_t value; /* of a member, or an element of a set */
	uint64_t chain; /* elements of an array */
	uint64_t close; /* a container */
	uint64_t text;	/* tells strings from all else */
};

/* A member of an open object, or an element of a set. */
struct member {
	uint64_t name;	/* hash */
	uint64_t value; /* hash; in lists of the walk: struct item */
};

/* A container that is open. */
struct level {
	uint64_t sum;
	uint32_t count;
	uint32_t seen; /* elements, if there are rules */
	uint32_t base; /* its first member */
	uint64_t name; /* hash, of the member that is being read */
	uint8_t open;  /* '{', '[', or 's': an array in any order */
	uint8_t rule;  /* that its own value met */
	struct states states;
};

struct json {
	struct json_keys k;
	struct rule_table r;
	uint32_t members; /* room in @member */
	uint32_t top;	  /* of @member, in use */
	uint64_t met;	  /* rules */
	bool soft; /* a rule was met that two values of one hash may break */
	struct member *member;
	struct level level[JSON_DEPTH + 1];
};

/* A number: m * 10^e, or its digits' hash * 10^e. */
struct number {
	uint64_t m;
	int64_t e;
	bool negative;
	bool hashed;
};

static inline uint64_t fold(uint64_t a, uint64_t b)
{
	unsigned __int128 p = (unsigned __int128)a * b;

	return (uint64_t)p ^ (uint64_t)(p >> 64);
}

static inline uint64_t le64(const uint8_t *p)
{
	return get_le64(p);
}

static inline bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* Behind white space (RFC 8259 section 2). */
static inline const uint8_t *skip_blank(const uint8_t *p, const uint8_t *end)
{
	while (p < end && is_blank(*p)) {
		p++;
		/* indentation */
		while (end - p >= 8) {
			uint64_t w = le64(p) ^ UINT64_C(0x2020202020202020);

			if (w != 0) {
				p += __builtin_ctzll(w) / 8;
				break;
			}
			p += 8;
		}
	}
	return p;
}

/* Bytes of a word that end a plain stretch of a string: ", \, below 0x20, not
 * ASCII; the lowest bit that is set is right.
 */
static inline uint64_t string_stops(uint64_t w)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	uint64_t quote = w ^ ones * '"';
	uint64_t escape = w ^ ones * '\\';

	return ((w - ones * 0x20) | (quote - ones) | (escape - ones) | w) &
	       ones * 0x80;
}

/* json_lex.c; each returns what is behind, or NULL: it is broken. @p is behind
 * the opening quote.
 */
const uint8_t *json_string_slow(const struct json_keys *k, const uint8_t *p,
				const uint8_t *end, uint64_t h, uint64_t len,
				uint64_t *hash);
/* @fault is set with NULL. */
const uint8_t *json_number(const struct json_keys *k, const uint8_t *p,
			   const uint8_t *end, struct number *out,
			   enum json_fault *fault);
/* Of a text that has a hash: behind a value, a string. */
const uint8_t *json_skip(const uint8_t *p, const uint8_t *end);
const uint8_t *json_skip_string(const uint8_t *p, const uint8_t *end);
/* Do two number texts differ by no more than the rule says? */
bool json_near(const uint8_t *a, size_t an, const uint8_t *b, size_t bn,
	       const struct json_rule *r);

static inline uint64_t string_end(const struct json_keys *k, uint64_t h,
				  uint64_t w, uint64_t len)
{
	return fold(fold(h ^ w, k->word) ^ len, k->end);
}

static inline const uint8_t *json_string(const struct json_keys *k,
					 const uint8_t *p, const uint8_t *end,
					 uint64_t *hash)
{
	const uint8_t *from = p;
	uint64_t h = k->seed;

	while (end - p >= 8) {
		uint64_t w = le64(p);
		uint64_t stops = string_stops(w);

		if (stops != 0) {
			unsigned at = (unsigned)__builtin_ctzll(stops) / 8;

			if (p[at] != '"')
				break;
			w &= (UINT64_C(1) << 8 * at) - 1;
			*hash = string_end(k, h, w, (uint64_t)(p - from) + at);
			return p + at + 1;
		}
		h = fold(h ^ w, k->word);
		p += 8;
	}
	return json_string_slow(k, p, end, h, (uint64_t)(p - from), hash);
}

static inline uint64_t number_hash(const struct json_keys *k,
				   const struct number *n)
{
	uint64_t how =
		(uint64_t)n->e << 2 | (uint64_t)n->hashed << 1 | n->negative;

	return fold(fold(n->m ^ k->chain, k->value) ^ how, k->name);
}

static inline uint64_t member_hash(const struct json_keys *k, uint64_t name,
				   uint64_t value)
{
	return fold(fold(name ^ k->name, value ^ k->value), k->end);
}

/* A walk over two texts; [0] is production's. */
struct walker {
	struct json *j;
	const uint8_t *from[2];
	const uint8_t *end[2];
	struct json_verdict *out;
	size_t path;   /* bytes that it has, or would have */
	uint64_t work; /* bytes that may be read again */
	bool asked;    /* was asked for the order of an array */
};

/* The children of a container in one text. */
struct cursor {
	const uint8_t *p; /* the value of the child, later behind it */
	const uint8_t *end;
	const uint8_t *name_at; /* its name's opening quote */
	uint64_t name;		/* hash */
	uint32_t index;		/* children that are behind us */
	bool object, begun, loose;
	struct spot spot; /* of the child */
};

/* json_walk.c */
enum walk json_walk_value(struct walker *w, const uint8_t *p[2],
			  const struct spot *as);
/* The next child that is not ignored. Return: false: there is none, p is behind
 * all
 */
bool json_next(struct walker *w, struct cursor *c, const struct states *at);
enum walk json_differ(struct walker *w, enum json_change change,
		      const uint8_t *a, const uint8_t *b);
void json_path_add(struct walker *w, const void *p, size_t n);
void json_path_name(struct walker *w, const uint8_t *name_at, unsigned side);
void json_path_index(struct walker *w, uint32_t index);

/* json_place.c */
uint64_t json_name_hash(const struct json_keys *k, const char *p, size_t n);
int rule_table_set(struct rule_table *t, const struct json_keys *k,
		   const struct json_rule *const *rule, uint32_t n);
void rule_root(const struct rule_table *t, struct spot *out);
/* The child of this name, or number (or NO_INDEX), of a value that stands at
 * @at.
 */
void rule_member(const struct rule_table *t, const struct states *at,
		 uint64_t name, struct spot *out);
void rule_element(const struct rule_table *t, const struct states *at,
		  uint32_t index, struct spot *out);

static inline bool is_ignored(const struct rule_table *t, const struct spot *s)
{
	return s->rule != NO_RULE && t->rule[s->rule]->verb == JSON_IGNORE;
}

static inline bool is_unordered(const struct rule_table *t, uint8_t rule)
{
	return rule != NO_RULE && (t->rule[rule]->verb == JSON_SET ||
				   t->rule[rule]->verb == JSON_KEY);
}

/* Is a scalar's text, quotes and all, of the sort that the rule speaks of? */
bool rule_covers(const struct json_rule *r, const uint8_t *p, size_t n);

/* json_hash.c: the value at @p; @as says where it stands. @p is moved behind
 * it, or to where it is broken. Members above @j->top are used and given back.
 */
enum json_fault json_hash_value(struct json *j, const uint8_t **p,
				const uint8_t *end, const struct spot *as,
				uint64_t *hash);

enum walk {
	WALK_SAME,
	WALK_DIFFERENT,
	WALK_LOST, /* no more memory, or it took too long */
};

/* json_walk.c: two texts that have hashes. @out: rules, and what was found;
 * with WALK_LOST the path as far as it was known.
 */
enum walk json_walk(struct json *j, const uint8_t *const from[2],
		    const uint8_t *const end[2], struct json_verdict *out);

/* json_lists.c: the rest of two objects, whose next members do not have one
 * name; and two arrays in any order.
 */
enum walk json_walk_rest(struct walker *w, struct cursor c[2],
			 const bool more[2], const struct states *at);
enum walk json_walk_set(struct walker *w, struct cursor c[2],
			const struct spot *as);

#endif /* DEEP_JSON_INTERNAL_H */
