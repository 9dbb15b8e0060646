/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * json_hash.c - One hash for all texts of a value
 *
 * Theory of operation
 *
 * A loop over the text with a stack of open containers. A scalar's hash comes
 * from json_lex.c. An array's is a chain of its elements' hashes. An object's
 * is the sum of its members', each made of the hashes of name and value
 * together, so that the order in which they stand does not matter; so is that
 * of an array in any order.
 *
 * Members of one name must stay a list. While an object is open its members lie
 * on a stack, two words each; when it closes, and a name is there twice, the
 * second one's name gets another hash, and the third one's yet another. With
 * few members each is held against all others, with more a table finds equal
 * names; both lie on the same stack. So memory is what is open at once, and
 * time grows with the text.
 *
 * A rule changes what stands for a value (json_rule.h): nothing, its class, or
 * "some number", and then the walk must look at what the hash left out.
 */
#include "deep/json_internal.h"

#include <string.h>

#define FEW 12u /* members that are held against each other */

/* A name of an object with many members; 16 bytes, as struct member. */
struct name_slot {
	uint64_t name;
	uint32_t used;
	uint32_t count;
};

_Static_assert(sizeof(struct name_slot) == sizeof(struct member),
	       "they lie on one stack");

static inline uint64_t again(const struct json_keys *k, uint64_t name,
			     uint64_t count)
{
	return count == 0 ? name : fold(name ^ k->chain, k->word ^ count);
}

static uint64_t sum_few(const struct json_keys *k, const struct member *m,
			uint32_t n)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < n; i++) {
		uint64_t before = 0;

		for (uint32_t l = 0; l < i; l++)
			before += m[l].name == m[i].name;
		sum += member_hash(k, again(k, m[i].name, before), m[i].value);
	}
	return sum;
}

/* Return: false: no room for the table */
static bool sum_many(struct json *j, const struct member *m, uint32_t n,
		     uint64_t *sum)
{
	struct name_slot *slot = (struct name_slot *)(void *)&j->member[j->top];
	uint64_t size = 1;

	assert(n > FEW && j->top <= j->members);
	while (size < (uint64_t)n + n / 2)
		size *= 2;
	if (size > j->members - j->top)
		return false;
	memset(slot, 0, size * sizeof(*slot));
	*sum = 0;
	for (uint32_t i = 0; i < n; i++) {
		uint64_t at = m[i].name & (size - 1);

		while (slot[at].used && slot[at].name != m[i].name)
			at = (at + 1) & (size - 1);
		slot[at].used = 1;
		slot[at].name = m[i].name;
		*sum += member_hash(&j->k,
				    again(&j->k, m[i].name, slot[at].count++),
				    m[i].value);
	}
	return true;
}

static inline uint64_t closed(const struct json *j, const struct level *l)
{
	return fold(l->sum ^ l->open, j->k.close ^ l->count);
}

/* Take the innermost container off. Return: false: no room */
static inline bool close_level(struct json *j, struct level *l, uint64_t *v)
{
	assert(l->base <= j->top && l > j->level);
	if (l->open == '{') {
		const struct member *m = &j->member[l->base];

		l->count = j->top - l->base;
		if (l->count <= FEW)
			l->sum = sum_few(&j->k, m, l->count);
		else if (!sum_many(j, m, l->count, &l->sum))
			return false;
		j->top = l->base;
	}
	*v = closed(j, l);
	return true;
}

static void open_level(struct json *j, struct level *l, uint8_t c,
		       const struct spot *as)
{
	assert(l <= &j->level[JSON_DEPTH] && (c == '{' || c == '['));
	l->sum = 0;
	l->count = 0;
	l->rule = NO_RULE;
	l->seen = 0;
	l->base = j->top;
	l->open = c;
	if (c == '[' && (as->loose || is_unordered(&j->r, as->rule)))
		l->open = 's';
	if (j->r.rules == 0)
		return;
	l->rule = as->rule;
	l->states = as->states;
}

bool rule_covers(const struct json_rule *r, const uint8_t *p, size_t n)
{
	bool string = n > 1 && *p == '"';
	int64_t t;

	if (r->verb == JSON_NUMBER || r->verb == JSON_TEXT)
		return *p == '-' || (*p >= '0' && *p <= '9');
	if (string) {
		p++;
		n -= 2;
	} else if (*p != '-' && (*p < '0' || *p > '9')) {
		return false;
	}
	if (r->verb == JSON_TIME)
		return when_any(p, n, &t) == 0;
	return r->verb == JSON_CLASS &&
	       class_has((enum value_class)r->class, p, n);
}

/* What stands for a scalar that met a rule. */
static uint64_t by_rule(struct json *j, uint8_t rule, const uint8_t *p,
			size_t n, uint64_t v)
{
	const struct json_rule *r = j->r.rule[rule];
	struct hash_key key = { { j->k.chain, j->k.close } };
	uint64_t kind;

	assert(rule < j->r.rules && n > 0);
	j->met |= UINT64_C(1) << rule;
	if (!rule_covers(r, p, n))
		return v;
	if (r->verb == JSON_TEXT)
		return hash_bytes(&key, p, n);
	if (r->verb != JSON_CLASS)
		j->soft = true;
	kind = (uint64_t)r->verb << 9 | (uint64_t)(*p == '"') << 8 | r->class;
	if (r->verb == JSON_CLASS && class_sized((enum value_class)r->class))
		kind |= (uint64_t)n << 16;
	return fold(kind ^ j->k.close, j->k.text);
}

/* true, false, null. Return: behind it, or NULL */
static const uint8_t *literal(const struct json_keys *k, const uint8_t *p,
			      const uint8_t *end, uint64_t *v)
{
	static const char *const word[] = { "true", "false", "null" };

	for (uint64_t i = 0; i < 3; i++) {
		size_t n = strlen(word[i]);

		if ((size_t)(end - p) >= n && memcmp(p, word[i], n) == 0) {
			*v = fold(i ^ k->word, k->text);
			return p + n;
		}
	}
	return NULL;
}

/* A scalar. Return: behind it, or NULL and the fault */
static inline const uint8_t *scalar(struct json *j, const uint8_t *p,
				    const uint8_t *end, uint64_t *v,
				    enum json_fault *fault)
{
	struct number number;

	*fault = JSON_BROKEN;
	if (*p == '"') {
		p = json_string(&j->k, p + 1, end, v);
		*v ^= j->k.text;
		return p;
	}
	if (*p != '-' && (*p < '0' || *p > '9'))
		return literal(&j->k, p, end, v);
	p = json_number(&j->k, p, end, &number, fault);
	if (p)
		*v = number_hash(&j->k, &number);
	return p;
}

/* Put a value into the container that it stands in. Return: false: no room */
static inline bool add_value(struct json *j, struct level *l, uint64_t v)
{
	assert(l->open != '{' || j->top >= l->base);
	if (l->open == '{') {
		if (j->top == j->members)
			return false;
		j->member[j->top++] = (struct member){ l->name, v };
	} else if (l->open == 's') {
		l->sum += member_hash(&j->k, 0, v);
		l->count++;
	} else {
		l->sum = fold(l->sum ^ v, j->k.chain);
		l->count++;
	}
	return true;
}

/* A name and its colon. Return: behind them, or NULL */
static inline const uint8_t *name(struct json *j, struct level *l,
				  const uint8_t *p, const uint8_t *end)
{
	p = skip_blank(p, end);
	if (p == end || *p != '"')
		return NULL;
	p = json_string(&j->k, p + 1, end, &l->name);
	if (!p)
		return NULL;
	p = skip_blank(p, end);
	return p < end && *p == ':' ? p + 1 : NULL;
}

/* Where a loop stands. */
struct hasher {
	struct json *j;
	struct level *l;    /* innermost */
	const uint8_t *p;   /* next byte */
	const uint8_t *end; /* of the text */
	struct spot spot;   /* of the value that comes next */
	uint64_t v;	    /* the value that was read */
	enum json_fault fault;
};

/* Find out where the next value stands, behind "{", "[" or a comma. */
static inline bool next_child(struct hasher *x)
{
	struct json *j = x->j;

	if (x->l->open == '{') {
		const uint8_t *p = name(j, x->l, x->p, x->end);

		if (!p)
			return false;
		x->p = p;
		if (j->r.rules != 0)
			rule_member(&j->r, &x->l->states, x->l->name, &x->spot);
	} else if (j->r.rules != 0) {
		uint32_t i = x->l->open == 's' ? NO_INDEX : x->l->seen++;

		rule_element(&j->r, &x->l->states, i, &x->spot);
	}
	return true;
}

/* The value that was read is whole; it met @rule. Close what ends behind it.
 * Return: is it all?
 */
static inline bool value_read(struct hasher *x, uint8_t rule)
{
	struct json *j = x->j;

	for (;;) {
		if (rule != NO_RULE)
			j->met |= UINT64_C(1) << rule;
		if (x->l == j->level) {
			x->fault = JSON_FINE;
			return true;
		}
		if ((rule == NO_RULE || j->r.rule[rule]->verb != JSON_IGNORE) &&
		    !add_value(j, x->l, x->v)) {
			x->fault = JSON_MANY;
			return true;
		}
		x->p = skip_blank(x->p, x->end);
		if (x->p == x->end)
			return true;
		if (*x->p == ',') {
			x->p++;
			return !next_child(x);
		}
		if (*x->p != (x->l->open == '{' ? '}' : ']'))
			return true;
		if (!close_level(j, x->l, &x->v)) {
			x->fault = JSON_MANY;
			return true;
		}
		rule = x->l->rule;
		x->l--;
		x->p++;
	}
}

/* A container begins. Return: is it all? */
static inline bool container(struct hasher *x)
{
	struct json *j = x->j;
	uint8_t c = *x->p;

	if (x->l == &j->level[JSON_DEPTH]) {
		x->fault = JSON_DEEP;
		return true;
	}
	open_level(j, ++x->l, c, &x->spot);
	x->spot.loose = false;
	x->p = skip_blank(x->p + 1, x->end);
	if (x->p == x->end)
		return true;
	if (*x->p != (c == '{' ? '}' : ']'))
		return !next_child(x);
	x->p++;
	(void)close_level(j, x->l, &x->v); /* an empty one needs no room */
	x->l--;
	return value_read(x, x->l[1].rule);
}

static void run(struct hasher *x)
{
	const uint8_t *p;
	bool ended = false;

	while (!ended) {
		enum json_fault fault;

		x->p = skip_blank(x->p, x->end);
		if (x->p == x->end)
			return;
		if (*x->p == '{' || *x->p == '[') {
			ended = container(x);
			continue;
		}
		p = scalar(x->j, x->p, x->end, &x->v, &fault);
		if (!p) {
			x->fault = fault;
			return;
		}
		if (x->spot.rule != NO_RULE)
			x->v = by_rule(x->j, x->spot.rule, x->p,
				       (size_t)(p - x->p), x->v);
		x->p = p;
		ended = value_read(x, x->spot.rule);
	}
}

enum json_fault json_hash_value(struct json *j, const uint8_t **p,
				const uint8_t *end, const struct spot *as,
				uint64_t *hash)
{
	uint32_t top = j->top;
	struct hasher x = { .j = j,
			    .l = j->level,
			    .p = *p,
			    .end = end,
			    .spot = *as,
			    .fault = JSON_BROKEN };

	run(&x);
	j->top = top;
	assert(x.p >= *p && x.p <= end);
	assert(x.fault != JSON_FINE || x.l == j->level);
	*p = x.p;
	if (x.fault == JSON_FINE)
		*hash = x.v;
	return x.fault;
}
