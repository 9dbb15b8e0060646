/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reply.c - Compare two replies of redis
 *
 * Theory of operation
 *
 * Bytes go into the lane, as those of any stream. Besides, each side's reply is
 * read as it comes, and its value becomes a number, without memory that grows:
 * that of a value in a container is chained to what stands before it, or, of a
 * set (RESP3) and of pairs of a map, added up, so that their order does not
 * matter. Of the reply's own values all three are made, since which one counts
 * is known at the end only: the command's rule says so, and it is looked up
 * only where bytes differ. As those of lane.c they are not keyed.
 *
 * What lies deeper than DEPTH, and a reply that breaks the protocol, has no
 * number: its bytes count.
 */
#include <string.h>

#include "app/resp.h"
#include "compare/compare_internal.h"
#include "rules/rules.h"

#define DEPTH  8u  /* containers in each other */
#define SCALAR 40u /* bytes of a reply that may be a number */
#define DIGITS 18u

#define MIX  UINT64_C(0x9e3779b97f4a7c15)
#define SEED UINT64_C(0x243f6a8885a308d3)

/* How a container's values become one. */
enum { BY_CHAIN, BY_SET, BY_PAIRS, WAYS };

/**
 * struct open - A container whose values come
 * @count:	How many there are, and how many of them are still to come
 * @number:	In each way, so far
 * @key:	Of a pair: the first value, if the second is next
 * @type:	Its own
 */
struct open {
	uint64_t count, left;
	uint64_t number[WAYS];
	uint64_t key;
	uint8_t type;
};

/**
 * struct side_reply - A server's
 * @text:	Number of the value under way
 * @number:	Of the reply, when it is whole, in each way
 * @depth:	Containers that are open
 * @open:	They
 * @type:	Of the reply; 0: nothing came
 * @null:	It is no value
 * @whole:	It has ended, and is known
 * @unknown:	It cannot be known
 * @len, @scalar: Its bytes, if it is one value and short enough
 */
struct side_reply {
	struct resp lex;
	uint64_t text;
	uint64_t number[WAYS];
	struct open open[DEPTH];
	uint32_t depth;
	uint8_t type;
	bool null;
	bool whole;
	bool unknown;
	uint8_t len;
	char scalar[SCALAR];
};

struct replies {
	struct side_reply side[2];
};

static uint64_t mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * MIX;
	return h ^ h >> 32;
}

static uint64_t begin(uint8_t type)
{
	return mix(SEED, type);
}

static int way_of(uint8_t type)
{
	if (type == '~')
		return BY_SET;
	return type == '%' ? BY_PAIRS : BY_CHAIN;
}

static void add(struct open *o, uint64_t v)
{
	o->number[BY_CHAIN] = mix(o->number[BY_CHAIN], v);
	o->number[BY_SET] += mix(SEED, v);
	if ((o->count - o->left) % 2 == 0)
		o->key = mix(SEED, v);
	else
		o->number[BY_PAIRS] += mix(o->key, v);
	o->left--;
	/* One without a partner. */
	if (o->left == 0 && o->count % 2 == 1)
		o->number[BY_PAIRS] += o->key;
}

/* A value is whole, and with it maybe those that it is the last one of. */
static void value(struct side_reply *s, uint64_t v)
{
	uint64_t own[WAYS] = { v, v, v };

	while (s->depth > 0) {
		struct open *o = &s->open[s->depth - 1];

		add(o, own[BY_CHAIN]);
		if (o->left > 0)
			return;
		memcpy(own, o->number, sizeof(own));
		own[BY_CHAIN] = o->number[way_of(o->type)];
		s->depth--;
	}
	memcpy(s->number, own, sizeof(own));
	s->whole = true;
}

static void open(struct side_reply *s, const struct resp_found *f)
{
	struct open *o = &s->open[s->depth];

	if (f->count == 0) {
		value(s, begin(f->type));
		return;
	}
	if (s->depth == DEPTH) {
		s->unknown = true;
		return;
	}
	*o = (struct open){ .count = f->count,
			    .left = f->count,
			    .type = f->type };
	for (int i = 0; i < WAYS; i++)
		o->number[i] = mix(begin(f->type), f->count);
	s->depth++;
}

static void text(struct side_reply *s, const uint8_t *p, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		s->text = mix(s->text, p[i]);
	if (s->depth > 0)
		return;
	if (n > SCALAR - s->len)
		n = SCALAR - s->len;
	memcpy(s->scalar + s->len, p, n);
	s->len = (uint8_t)(s->len + n);
}

static void feed(struct side_reply *s, const uint8_t *p, uint32_t n)
{
	struct resp_found f;

	while (n > 0 && !s->unknown && !s->whole) {
		bool begins = s->lex.where == RESP_AT_TYPE;

		resp_next(&s->lex, p, n, &f);
		if (begins && s->type == 0)
			s->type = f.type;
		if (begins)
			s->text = begin(f.type);
		switch (f.what) {
		case RESP_BAD:
			s->unknown = true;
			break;
		case RESP_OPEN:
			open(s, &f);
			break;
		case RESP_TEXT:
			text(s, p, f.used);
			break;
		case RESP_VALUE:
			s->null = f.null && s->depth == 0;
			value(s, f.null ? begin(0) : s->text);
			break;
		default:
			break;
		}
		p += f.used;
		n -= f.used;
	}
	s->unknown |= n > 0;
}

static void piece(struct compare *c, struct pool *pool, unsigned side,
		  const struct framer_piece *pc, const uint8_t *p)
{
	struct replies *r = c->state;

	compare_check_odd(c, &c->side[side], pc);
	if (c->spoiled != REASON_NONE)
		return;
	if (pc->part == FRAMER_INTERIM) {
		compare_wrap(c, side, p, pc->used);
		return;
	}
	if (pc->part == FRAMER_BODY)
		feed(&r->side[side], p, pc->used);
	else
		r->side[side].unknown = true;
	compare_lane(c, pool, side, p, pc->used);
}

/* A decimal number of at most DIGITS digits: @m * 10^-@e. */
struct decimal {
	int64_t m;
	uint8_t e;
};

static bool read_decimal(const struct side_reply *s, struct decimal *out)
{
	struct decimal d = { 0, 0 };
	unsigned digits = 0, i = 0;
	bool minus = s->len > 0 && s->scalar[0] == '-', point = false;

	if (s->null || s->len == SCALAR || !memchr(":$,+", s->type, 4))
		return false;
	for (i = minus; i < s->len; i++) {
		char c = s->scalar[i];

		if (c == '.' && !point) {
			point = true;
			continue;
		}
		if (c < '0' || c > '9')
			return false;
		/* What stands behind so many digits is not told apart. */
		if (digits == DIGITS && point)
			continue;
		if (digits == DIGITS)
			return false;
		d.m = d.m * 10 + (c - '0');
		digits += d.m != 0;
		d.e += point;
	}
	if (i == minus || d.e > DIGITS)
		return false;
	if (minus)
		d.m = -d.m;
	*out = d;
	return true;
}

/* Two numbers of 18 digits, 18 places apart, fit. */
__extension__ typedef __int128 wide;

static void scale(wide *v, unsigned by)
{
	while (by-- > 0)
		*v *= 10;
}

/* Are two numbers not further apart than @r says? */
static bool is_near(const struct side_reply *a, const struct side_reply *b,
		    const struct reply_rule *r)
{
	wide x, y, most = r->within_m;
	struct decimal da, db;
	unsigned e, tail = r->within_e < 0 ? (unsigned)-r->within_e : 0;

	if (!read_decimal(a, &da) || !read_decimal(b, &db))
		return false;
	e = da.e > db.e ? da.e : db.e;
	if (e < tail)
		e = tail;
	x = da.m;
	y = db.m;
	scale(&x, e - da.e);
	scale(&y, e - db.e);
	scale(&most, e - tail + (r->within_e > 0 ? (unsigned)r->within_e : 0));
	return (x > y ? x - y : y - x) <= most;
}

/* Do both say the same, by what @rule says of the command? */
static bool alike(const struct side_reply *a, const struct side_reply *b,
		  const struct reply_rule *rule)
{
	if (a->type != b->type || a->null != b->null)
		return false;
	if (a->number[BY_CHAIN] == b->number[BY_CHAIN])
		return true;
	if (!rule || a->type == '-' || a->type == '!')
		return false;
	switch ((enum reply_verb)rule->verb) {
	case REPLY_TYPE:
		return true;
	case REPLY_SET:
		return a->number[BY_SET] == b->number[BY_SET];
	case REPLY_MAP:
		return a->number[BY_PAIRS] == b->number[BY_PAIRS];
	case REPLY_NUMBER:
		return is_near(a, b, rule);
	}
	return false;
}

static bool is_error(uint8_t type)
{
	return type == '-' || type == '!';
}

static void finish(struct compare *c)
{
	const struct replies *r = c->state;
	const struct side_reply *a = &r->side[0], *b = &r->side[1];
	const struct reply_rule *rule = NULL;
	int line = -1;

	c->reply[0] = a->type;
	c->reply[1] = b->type;
	if (!(c->found & OF_LANE) || a->unknown || b->unknown || !a->whole ||
	    !b->whole)
		return;
	if (c->by)
		rule = rules_reply(c->by, c->request, c->request_len, &line);
	if (alike(a, b, rule)) {
		c->found &= ~OF_LANE;
		c->unlike = true;
		if (a->number[BY_CHAIN] != b->number[BY_CHAIN])
			c->rule = (uint32_t)(line + 1);
	} else if (is_error(a->type) != is_error(b->type)) {
		c->found |= reason_bit(REASON_STATUS);
	}
}

const struct compare_ops compare_reply = { .state = sizeof(struct replies),
					   .piece = piece,
					   .finish = finish };

const char *reply_type_name(uint8_t type)
{
	static const struct {
		uint8_t type;
		const char *name;
	} names[] = {
		{ '+', "a status" },	 { '-', "an error" },
		{ ':', "an integer" },	 { '$', "a string" },
		{ '*', "an array" },	 { '_', "null" },
		{ '#', "a boolean" },	 { ',', "a double" },
		{ '(', "a big number" }, { '!', "an error" },
		{ '=', "a string" },	 { '%', "a map" },
		{ '~', "a set" },	 { '|', "an attribute" },
	};

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].type == type)
			return names[i].name;
	return "no reply";
}
