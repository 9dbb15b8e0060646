/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * json_place.c - Which rule is met where
 *
 * Theory of operation
 *
 * The places of all rules are one automaton. A state is "so many steps of this
 * place have been taken"; at a value there is a set of them, a bit each. A
 * child's set is made from its parent's alone: a state whose step leads to the
 * child goes on to the next one, and one whose step may be taken at any depth
 * stays as well. The step that ends a place meets its rule; of several the last
 * one counts. Names are compared by their hash, which is there anyway.
 */
#include "deep/json_internal.h"

#include <errno.h>
#include <string.h>

uint64_t json_name_hash(const struct json_keys *k, const char *p, size_t n)
{
	uint64_t h = k->seed, w = 0;

	for (size_t i = 0; i < n; i++) {
		w |= (uint64_t)(uint8_t)p[i] << 8 * (i % 8);
		if (i % 8 == 7) {
			h = fold(h ^ w, k->word);
			w = 0;
		}
	}
	return string_end(k, h, w, n);
}

static void set_bit(struct states *s, uint32_t i)
{
	assert(i < JSON_STATES);
	s->w[i / 64] |= UINT64_C(1) << i % 64;
}

static void add_rule(struct rule_table *t, const struct json_keys *k,
		     const struct place *at, uint8_t number)
{
	if (at->steps == 0)
		t->root_rule = number;
	else
		set_bit(&t->first, t->n);
	for (uint32_t i = 0; i < at->steps; i++) {
		const struct place_step *step = &at->step[i];

		t->kind[t->n] = step->kind;
		t->index[t->n] = step->index;
		t->name[t->n] =
			json_name_hash(k, at->names + step->name, step->len);
		t->leads[t->n] = i + 1u == at->steps ? number : NO_RULE;
		if (step->deep)
			set_bit(&t->deep, t->n);
		t->n++;
	}
}

int rule_table_set(struct rule_table *t, const struct json_keys *k,
		   const struct json_rule *const *rule, uint32_t n)
{
	uint32_t states = 0;

	if (n > JSON_RULES)
		return -E2BIG;
	for (uint32_t i = 0; i < n; i++)
		states += rule[i]->at.steps;
	if (states > JSON_STATES)
		return -E2BIG;
	memset(t, 0, sizeof(*t));
	t->root_rule = NO_RULE;
	t->rule = rule;
	t->rules = n;
	for (uint32_t i = 0; i < n; i++)
		add_rule(t, k, &rule[i]->at, (uint8_t)i);
	assert(t->n == states);
	t->words = (states + 63) / 64;
	return 0;
}

void rule_root(const struct rule_table *t, struct spot *out)
{
	out->states = t->first;
	out->loose = false;
	out->rule = t->root_rule;
}

static bool leads_to(const struct rule_table *t, uint32_t i, bool member,
		     uint64_t name, uint32_t index)
{
	switch (t->kind[i]) {
	case PLACE_NAME:
		return member && t->name[i] == name;
	case PLACE_MEMBERS:
		return member;
	case PLACE_ELEMENTS:
		return !member;
	default:
		return !member && t->index[i] == index;
	}
}

static void child(const struct rule_table *t, const struct states *at,
		  bool member, uint64_t name, uint32_t index, struct spot *out)
{
	memset(&out->states, 0, sizeof(out->states));
	out->rule = NO_RULE;
	out->loose = false;
	for (uint32_t w = 0; w < t->words; w++) {
		out->states.w[w] |= at->w[w] & t->deep.w[w];
		for (uint64_t bits = at->w[w]; bits != 0; bits &= bits - 1) {
			uint32_t i = w * 64 + (uint32_t)__builtin_ctzll(bits);

			assert(i < t->n);
			if (!leads_to(t, i, member, name, index))
				continue;
			if (t->leads[i] == NO_RULE)
				set_bit(&out->states, i + 1);
			else if (out->rule == NO_RULE ||
				 t->leads[i] > out->rule)
				out->rule = t->leads[i];
		}
	}
}

void rule_member(const struct rule_table *t, const struct states *at,
		 uint64_t name, struct spot *out)
{
	child(t, at, true, name, 0, out);
}

void rule_element(const struct rule_table *t, const struct states *at,
		  uint32_t index, struct spot *out)
{
	child(t, at, false, 0, index, out);
}
