/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_json.c - Two JSON texts: any bytes, and two spellings of one value
 *
 * Input: 1 byte, which rules. If it is odd, two texts with a byte 0xff between
 * them: the verdict must be the same the other way round, a text is equal to
 * itself or has a fault, and without rules two texts have one hash if and only
 * if they are equal. If it is even, the rest makes a value: written twice, with
 * members, escapes, numbers and white space as a generator draws them, it must
 * be equal; with one scalar changed it must not be, and no member or element is
 * missing then.
 */
#include "deep/json.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/rng.h"
#include "json_rules.h"

#define MEMBERS 512u
#define TEXT	16384u
#define NODES	200u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const rule_texts[] = {
	"",
	"ignore $.a; ignore $..b[*]; set $.c; set $.c[*]",
	"key $ $.a; number $[*].b 5 -1; time $..c 2",
	"class $..a token; class $..b integer; text $.*; set $..c",
	"number $..* 1 0; key $..a $.b.c; ignore $.a[2].b",
	"set $; set $[*]; set $..a; number $[*][*] 3 0; ignore $[0]",
};

static struct json *json;
static struct json_rule rule[8];
static const struct json_rule *list[8];

static void set_up(uint8_t which)
{
	static const struct hash_key key = { { 1, 2 } };
	struct arena a = { .size = json_size(MEMBERS) };
	const char *text = rule_texts[which % (sizeof(rule_texts) /
					       sizeof(rule_texts[0]))];

	if (json == NULL) {
		a.base = aligned_alloc(ARENA_ALIGN, a.size);
		memset(a.base, 0, a.size);
		assert(json_init(&json, &a, MEMBERS, &key) == 0);
	}
	assert(json_rules(json, list, json_rules_of(rule, list, text)) == 0);
}

static void compare(const uint8_t *a, size_t an, const uint8_t *b, size_t bn,
		    struct json_verdict *v)
{
	const size_t n[2] = { an, bn };

	json_compare(json, a, an, b, bn, v);
	assert(memchr(v->path, '\0', sizeof(v->path)) != NULL);
	assert((v->rules & ~v->met) == 0);
	assert((v->outcome == JSON_DIFFERENT) == (v->change != JSON_NO_CHANGE));
	for (unsigned i = 0; i < 2; i++)
		assert(v->at[i] <= n[i] && v->len[i] <= n[i] - v->at[i]);
	if (v->outcome == JSON_EQUAL)
		assert(v->fault[0] == JSON_FINE && v->fault[1] == JSON_FINE);
}

static void any_bytes(const uint8_t *p, size_t n, bool rules)
{
	const uint8_t *mark = memchr(p, 0xff, n);
	size_t an = mark != NULL ? (size_t)(mark - p) : n;
	const uint8_t *q = mark != NULL ? mark + 1 : p;
	size_t bn = mark != NULL ? n - an - 1 : n;
	struct json_verdict v, back, self;
	uint64_t hash[2] = { 0, 0 };
	size_t at;

	compare(p, an, q, bn, &v);
	compare(q, bn, p, an, &back);
	assert((v.outcome == JSON_EQUAL) == (back.outcome == JSON_EQUAL));
	compare(p, an, p, an, &self);
	assert(self.outcome ==
	       (v.fault[0] == JSON_FINE ? JSON_EQUAL : JSON_UNJUDGED));
	if (rules || v.fault[0] != JSON_FINE || v.fault[1] != JSON_FINE)
		return;
	assert(json_hash(json, p, an, &hash[0], &at) == JSON_FINE && at == an);
	assert(json_hash(json, q, bn, &hash[1], &at) == JSON_FINE && at == bn);
	assert((hash[0] == hash[1]) == (v.outcome == JSON_EQUAL));
}

/* A value in a row: a container's children follow it. */
struct node {
	uint8_t type; /* null, true, number, string, array, object */
	uint8_t name;
	uint16_t number;
	uint16_t children;
	uint16_t end; /* the node behind it and its children */
};

static struct node node[NODES];
static uint16_t nodes;

/* Make a value of the input's next bytes. */
static void make(const uint8_t **p, const uint8_t *end, unsigned depth)
{
	struct node *n = &node[nodes++];
	uint8_t c = *p < end ? *(*p)++ : 0;
	uint8_t most = c >> 4 & 7;

	*n = (struct node){ .type = c % 6, .number = c };
	if (*p < end)
		n->number = (uint16_t)(n->number << 8 | *(*p)++);
	if (n->type >= 4 && depth > 12)
		n->type = 2;
	for (uint8_t i = 0; n->type >= 4 && i < most; i++) {
		if (nodes == NODES)
			break;
		node[nodes].name = 0;
		make(p, end, depth + 1);
		n->children++;
	}
	n->end = nodes;
}

/* Names of an object's members: all different, so that they may be shuffled. */
static void name_all(uint16_t i)
{
	uint16_t at = (uint16_t)(i + 1);

	for (uint8_t k = 0; k < node[i].children; k++) {
		node[at].name = k;
		if (node[at].type >= 4)
			name_all(at);
		at = node[at].end;
	}
}

struct out {
	char text[TEXT];
	size_t n;
	struct rng *rng;
};

static void add(struct out *o, const char *s)
{
	size_t n = strlen(s);

	if (o->n + n < TEXT) {
		memcpy(o->text + o->n, s, n);
		o->n += n;
	}
}

static void blank(struct out *o)
{
	static const char *const blanks[] = { "",  "",	   "",
					      " ", "\n\t", "          " };

	add(o, blanks[rng_below(o->rng, 6)]);
}

static void put_string(struct out *o, uint32_t v)
{
	char s[16];

	add(o, "\"");
	for (uint32_t i = 0; i < 1 + v % 19; i++) {
		unsigned c = 'a' + (v * 7 + i * i) % 26;

		if (i == 5 && v % 3 == 0) {
			add(o, rng_below(o->rng, 2) ? "\xc3\xa9" : "\\u00E9");
			continue;
		}
		snprintf(s, sizeof(s),
			 rng_below(o->rng, 9) == 0 ? "\\u%04x" : "%c", c);
		add(o, s);
	}
	snprintf(s, sizeof(s), "%u\"", v);
	add(o, s);
}

static void put_number(struct out *o, uint32_t v)
{
	char s[64];

	switch (rng_below(o->rng, 4)) {
	case 0:
		snprintf(s, sizeof(s), "%u", v);
		break;
	case 1:
		snprintf(s, sizeof(s), "%u.0", v);
		break;
	case 2:
		snprintf(s, sizeof(s), "%u000e-3", v);
		break;
	default:
		snprintf(s, sizeof(s), "%u.%02uE+0002", v / 100, v % 100);
		break;
	}
	add(o, s);
}

static void write_value(struct out *o, uint16_t i);

/* Children, those of an object in an order that is drawn. */
static void write_children(struct out *o, uint16_t i)
{
	uint16_t order[NODES], at = (uint16_t)(i + 1);
	bool object = node[i].type == 5;
	uint16_t n = node[i].children;

	for (uint16_t k = 0; k < n; k++) {
		order[k] = at;
		at = node[at].end;
	}
	for (uint16_t k = n; object && k > 1; k--) {
		uint16_t l = (uint16_t)rng_below(o->rng, k);
		uint16_t t = order[k - 1];

		order[k - 1] = order[l];
		order[l] = t;
	}
	add(o, object ? "{" : "[");
	for (uint16_t k = 0; k < n; k++) {
		blank(o);
		if (k > 0)
			add(o, ",");
		blank(o);
		if (object) {
			put_string(o, node[order[k]].name);
			blank(o);
			add(o, ":");
		}
		write_value(o, order[k]);
	}
	blank(o);
	add(o, object ? "}" : "]");
}

static void write_value(struct out *o, uint16_t i)
{
	blank(o);
	if (node[i].type >= 4)
		write_children(o, i);
	else if (node[i].type == 3)
		put_string(o, node[i].number);
	else if (node[i].type == 2)
		put_number(o, node[i].number);
	else
		add(o, node[i].type == 0 ? "null" : "true");
}

static void two_spellings(const uint8_t *p, size_t n)
{
	static struct out a, b;
	const uint8_t *at = p;
	struct rng rng = { n > 0 ? p[n - 1] : 0 };
	struct json_verdict v;
	uint16_t changed;

	nodes = 0;
	make(&at, p + n, 0);
	name_all(0);
	a = (struct out){ .rng = &rng };
	b = (struct out){ .rng = &rng };
	write_value(&a, 0);
	write_value(&b, 0);
	if (a.n + 64 > TEXT || b.n + 64 > TEXT)
		return;
	compare((uint8_t *)a.text, a.n, (uint8_t *)b.text, b.n, &v);
	assert(v.outcome == JSON_EQUAL);
	changed = (uint16_t)rng_below(&rng, nodes);
	if (node[changed].type >= 4)
		return;
	node[changed].type = (uint8_t)(2 + rng_below(&rng, 2));
	node[changed].number = (uint16_t)(node[changed].number + 1);
	b.n = 0;
	write_value(&b, 0);
	compare((uint8_t *)a.text, a.n, (uint8_t *)b.text, b.n, &v);
	assert(v.outcome == JSON_DIFFERENT && v.change != JSON_SOMEWHERE);
	assert(v.change != JSON_MISSING && v.change != JSON_EXTRA);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t how;

	if (size < 2 || size > 8192)
		return 0;
	how = data[0];
	if (how % 2 != 0) {
		set_up(how / 2);
		any_bytes(data + 1, size - 1, how / 2 % 6 != 0);
	} else {
		set_up(0);
		two_spellings(data + 1, size - 1);
	}
	return 0;
}
