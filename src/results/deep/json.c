/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * json.c - Judge two JSON texts
 *
 * Two hashes decide where no rule was met. Else the walk does: it sees what a
 * rule left out of the hash, and which rules were needed.
 */
#include "deep/json_internal.h"

#include <errno.h>

_Static_assert(sizeof(struct member) == 16, "json_size() has no padding");
_Static_assert(JSON_RULES <= 64, "a set of rules is a word");
_Static_assert(JSON_RULES < NO_RULE, "a rule's number is a byte");

static const char *const fault_texts[JSON_FAULT_COUNT] = {
#define X(id, text) [id] = text,
	JSON_FAULTS(X)
#undef X
};

static const char *const change_texts[JSON_CHANGE_COUNT] = {
#define X(id, text) [id] = text,
	JSON_CHANGES(X)
#undef X
};

const char *json_fault_text(enum json_fault f)
{
	assert(f < JSON_FAULT_COUNT);
	return fault_texts[f];
}

const char *json_change_text(enum json_change c)
{
	assert(c < JSON_CHANGE_COUNT);
	return change_texts[c];
}

size_t json_size(uint32_t members)
{
	return arena_need(sizeof(struct json)) +
	       arena_need(members * sizeof(struct member));
}

static void make_keys(struct json_keys *k, const struct hash_key *key)
{
	uint64_t *const word[] = { &k->seed,  &k->word,	 &k->end,   &k->name,
				   &k->value, &k->chain, &k->close, &k->text };

	for (uint64_t i = 0; i < sizeof(word) / sizeof(word[0]); i++)
		*word[i] = hash_bytes(key, &i, sizeof(i)) | 1;
}

int json_init(struct json **out, struct arena *a, uint32_t members,
	      const struct hash_key *key)
{
	struct json *j;

	assert(members >= 2 && members <= UINT32_C(1) << 28);
	if (json_size(members) > a->size - a->used)
		return -ENOMEM;
	j = arena_take(a, sizeof(*j));
	j->member = arena_take(a, members * sizeof(struct member));
	j->members = members;
	make_keys(&j->k, key);
	(void)rule_table_set(&j->r, &j->k, NULL, 0);
	*out = j;
	return 0;
}

int json_rules(struct json *j, const struct json_rule *const *rule, uint32_t n)
{
	return rule_table_set(&j->r, &j->k, rule, n);
}

enum json_fault json_hash(struct json *j, const uint8_t *p, size_t n,
			  uint64_t *hash, size_t *at)
{
	const uint8_t *from = p, *end = p + n;
	enum json_fault fault;
	struct spot root;
	uint64_t h = 0;

	assert(n < UINT32_MAX && j->top == 0);
	rule_root(&j->r, &root);
	fault = json_hash_value(j, &p, end, &root, &h);
	if (fault == JSON_FINE) {
		p = skip_blank(p, end);
		if (p != end)
			fault = JSON_BROKEN;
	}
	*at = (size_t)(p - from);
	if (fault == JSON_FINE)
		*hash = is_ignored(&j->r, &root) ? 0 : h;
	return fault;
}

/* At least one text has a fault. */
static void judge_fault(struct json_verdict *out)
{
	for (unsigned i = 0; i < 2; i++)
		if (out->fault[i] == JSON_FINE)
			out->at[i] = 0;
	if (out->fault[0] != JSON_FINE || out->fault[1] == JSON_MANY)
		return;
	out->outcome = JSON_DIFFERENT;
	out->change = JSON_FAULT;
}

static void judge_walk(const struct json *j, enum walk w, bool alike,
		       struct json_verdict *out)
{
	assert(w != WALK_SAME || alike);
	assert(w != WALK_DIFFERENT || !alike || j->soft);
	if (w == WALK_SAME || (w == WALK_LOST && alike && !j->soft))
		out->outcome = JSON_EQUAL;
	else if (w == WALK_DIFFERENT || !alike)
		out->outcome = JSON_DIFFERENT;
	if (w == WALK_LOST && out->outcome == JSON_DIFFERENT)
		out->change = JSON_SOMEWHERE;
	if (out->outcome != JSON_DIFFERENT) {
		out->path[0] = '\0';
		out->cut = false;
	}
}

void json_compare(struct json *j, const uint8_t *a, size_t an, const uint8_t *b,
		  size_t bn, struct json_verdict *out)
{
	const uint8_t *const from[2] = { a, b };
	const uint8_t *const end[2] = { a + an, b + bn };
	uint64_t hash[2];

	*out = (struct json_verdict){ .outcome = JSON_UNJUDGED };
	j->met = 0;
	j->soft = false;
	for (unsigned i = 0; i < 2; i++)
		out->fault[i] =
			json_hash(j, from[i], (size_t)(end[i] - from[i]),
				  &hash[i], &out->at[i]);
	out->met = j->met;
	if (out->fault[0] != JSON_FINE || out->fault[1] != JSON_FINE) {
		judge_fault(out);
		return;
	}
	out->at[0] = out->at[1] = 0;
	if (hash[0] == hash[1] && j->met == 0) {
		out->outcome = JSON_EQUAL;
		return;
	}
	judge_walk(j, json_walk(j, from, end, out), hash[0] == hash[1], out);
}
