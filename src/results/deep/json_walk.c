/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * json_walk.c - The first difference of two texts
 *
 * Theory of operation
 *
 * Both texts are right, which the hash has seen, and nothing is checked again.
 * They are walked side by side. As long as members stand in the same order,
 * which is nearly always, nothing is remembered. Where they do not,
 * json_lists.c makes lists of the rest of both objects and pairs them, and so
 * it does with arrays in any order.
 *
 * What is made a list of is read once more by who walks its pairs, so a text
 * that is in another order at every depth would be read as often as it is deep.
 * There is a budget of WORK times both texts for that; beyond it the walk is
 * lost, and says how far it came.
 *
 * An array that differs is looked at once more: are its elements the same, in
 * another order? Only the innermost one is asked.
 */
#include "deep/json_internal.h"

#include <string.h>

#define WORK 24u

void json_path_add(struct walker *w, const void *p, size_t n)
{
	if (w->path < JSON_PATH) {
		size_t room = JSON_PATH - w->path;

		memcpy(w->out->path + w->path, p, n < room ? n : room);
	}
	w->path += n;
}

static bool is_plain(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '_' || c == '-' || c >= 0x80;
}

void json_path_name(struct walker *w, const uint8_t *name_at, unsigned side)
{
	const uint8_t *p = name_at + 1;
	const uint8_t *end = json_skip_string(p, w->end[side]);
	const uint8_t *at = p;

	while (is_plain(*at))
		at++;
	if (at > p && at + 1 == end) {
		json_path_add(w, ".", 1);
		json_path_add(w, p, (size_t)(at - p));
	} else {
		json_path_add(w, "[", 1);
		json_path_add(w, name_at, (size_t)(end - name_at));
		json_path_add(w, "]", 1);
	}
}

void json_path_index(struct walker *w, uint32_t index)
{
	char text[12];
	size_t at = sizeof(text);

	text[--at] = ']';
	do {
		text[--at] = (char)('0' + index % 10);
		index /= 10;
	} while (index != 0);
	text[--at] = '[';
	json_path_add(w, text + at, sizeof(text) - at);
}

/* Set the path's end; a character that is cut goes as a whole. */
static void end_path(struct walker *w)
{
	size_t n = w->path;

	w->out->cut = n >= JSON_PATH;
	if (w->out->cut) {
		n = JSON_PATH - 1;
		while ((w->out->path[n] & 0xc0) == 0x80)
			n--;
	}
	w->out->path[n] = '\0';
}

enum walk json_differ(struct walker *w, enum json_change change,
		      const uint8_t *a, const uint8_t *b)
{
	const uint8_t *const value[2] = { a, b };

	assert(a || b);
	w->out->change = change;
	for (unsigned i = 0; i < 2; i++) {
		w->out->at[i] = w->out->len[i] = 0;
		if (!value[i])
			continue;
		w->out->at[i] = (size_t)(value[i] - w->from[i]);
		w->out->len[i] =
			(size_t)(json_skip(value[i], w->end[i]) - value[i]);
	}
	return WALK_DIFFERENT;
}

static void used(struct walker *w, uint8_t rule)
{
	assert(rule < w->j->r.rules);
	w->out->rules |= UINT64_C(1) << rule;
}

bool json_next(struct walker *w, struct cursor *c, const struct states *at)
{
	const struct json *j = w->j;

	for (;;) {
		const uint8_t *p = skip_blank(c->p, c->end);

		assert(p < c->end);
		if (*p == '}' || *p == ']') {
			c->p = p + 1;
			return false;
		}
		if (c->begun)
			p = skip_blank(p + 1, c->end); /* a comma */
		c->begun = true;
		if (c->object) {
			c->name_at = p;
			p = json_string(&j->k, p + 1, c->end, &c->name);
			p = skip_blank(p, c->end);
			p = skip_blank(p + 1, c->end); /* a colon */
		}
		c->p = p;
		if (j->r.rules == 0)
			return true;
		if (c->object)
			rule_member(&j->r, at, c->name, &c->spot);
		else
			rule_element(&j->r, at, c->loose ? NO_INDEX : c->index,
				     &c->spot);
		if (!is_ignored(&j->r, &c->spot))
			return true;
		used(w, c->spot.rule);
		c->index++;
		c->p = json_skip(p, c->end);
	}
}

/* Walk a child that both texts have, and go behind it. */
static enum walk walk_child(struct walker *w, struct cursor c[2])
{
	const uint8_t *p[2] = { c[0].p, c[1].p };
	size_t path = w->path;
	enum walk found;

	assert(c[0].object || c[0].index == c[1].index);
	if (c[0].object)
		json_path_name(w, c[0].name_at, 0);
	else
		json_path_index(w, c[0].index);
	found = json_walk_value(w, p, &c[0].spot);
	if (found != WALK_SAME)
		return found;
	w->path = path;
	for (unsigned i = 0; i < 2; i++) {
		c[i].p = p[i];
		c[i].index++;
	}
	return WALK_SAME;
}

static enum walk walk_object(struct walker *w, struct cursor c[2],
			     const struct states *at)
{
	for (;;) {
		bool more[2] = { json_next(w, &c[0], at),
				 json_next(w, &c[1], at) };
		enum walk found;

		if (!more[0] && !more[1])
			return WALK_SAME;
		if (!more[0] || !more[1] || c[0].name != c[1].name)
			return json_walk_rest(w, c, more, at);
		found = walk_child(w, c);
		if (found != WALK_SAME)
			return found;
	}
}

/* Do two arrays that differ have the same elements? */
static bool is_order(struct walker *w, const uint8_t *const p[2],
		     const struct spot *as)
{
	struct spot loose = *as;
	uint64_t hash[2] = { 0, 1 };

	if (w->asked || w->j->soft)
		return false;
	w->asked = true;
	loose.loose = true;
	for (unsigned i = 0; i < 2; i++) {
		const uint8_t *at = p[i];

		if (json_hash_value(w->j, &at, w->end[i], &loose, &hash[i]) !=
		    JSON_FINE)
			return false;
	}
	return hash[0] == hash[1];
}

static enum walk walk_array(struct walker *w, struct cursor c[2],
			    const struct spot *as, const uint8_t *const p[2])
{
	size_t path = w->path;
	enum walk found;

	for (;;) {
		bool more[2] = { json_next(w, &c[0], &as->states),
				 json_next(w, &c[1], &as->states) };

		if (!more[0] && !more[1])
			return WALK_SAME;
		if (more[0] && more[1]) {
			found = walk_child(w, c);
			if (found == WALK_SAME)
				continue;
		} else {
			json_path_index(w, c[!more[0]].index);
			found = json_differ(w,
					    more[0] ? JSON_MISSING : JSON_EXTRA,
					    more[0] ? c[0].p : NULL,
					    more[1] ? c[1].p : NULL);
		}
		if (found == WALK_DIFFERENT && is_order(w, p, as)) {
			w->path = path;
			return json_differ(w, JSON_ORDER, p[0], p[1]);
		}
		return found;
	}
}

static enum walk walk_container(struct walker *w, const uint8_t *p[2],
				const struct spot *as)
{
	const uint8_t *const begin[2] = { p[0], p[1] };
	struct cursor c[2];
	enum walk found;

	for (unsigned i = 0; i < 2; i++)
		c[i] = (struct cursor){ .p = p[i] + 1,
					.end = w->end[i],
					.object = *p[i] == '{',
					.loose = is_unordered(&w->j->r,
							      as->rule),
					.spot.rule = NO_RULE };
	if (c[0].object)
		found = walk_object(w, c, &as->states);
	else if (is_unordered(&w->j->r, as->rule))
		found = json_walk_set(w, c, as);
	else
		found = walk_array(w, c, as, begin);
	p[0] = c[0].p;
	p[1] = c[1].p;
	return found;
}

/* Do two scalars of one type that a rule covers pass it? They are not the same.
 */
static bool passes(const struct json_rule *r, const uint8_t *const p[2],
		   const size_t n[2])
{
	size_t quote = *p[0] == '"';
	int64_t t[2] = { 0, 0 };

	switch (r->verb) {
	case JSON_NUMBER:
		return json_near(p[0], n[0], p[1], n[1], r);
	case JSON_CLASS:
		return !class_sized((enum value_class)r->class) || n[0] == n[1];
	case JSON_TIME:
		for (unsigned i = 0; i < 2; i++)
			(void)when_any(p[i] + quote, n[i] - 2 * quote, &t[i]);
		if (t[0] > t[1])
			return (uint64_t)t[0] - (uint64_t)t[1] <=
			       (uint64_t)r->within_ns;
		return (uint64_t)t[1] - (uint64_t)t[0] <=
		       (uint64_t)r->within_ns;
	default:
		return false;
	}
}

static bool same_scalar(struct walker *w, const uint8_t *const p[2],
			const size_t n[2], const struct spot *as)
{
	static const struct spot nowhere = { .rule = NO_RULE };
	uint64_t hash[2] = { 0, 0 };

	if (n[0] == n[1] && memcmp(p[0], p[1], n[0]) == 0)
		return true;
	if (as->rule != NO_RULE) {
		const struct json_rule *r = w->j->r.rule[as->rule];
		bool covers = rule_covers(r, p[0], n[0]);

		if (covers != rule_covers(r, p[1], n[1]))
			return false;
		if (covers && !passes(r, p, n))
			return false;
		if (covers) {
			used(w, as->rule);
			return true;
		}
	}
	for (unsigned i = 0; i < 2; i++) {
		const uint8_t *at = p[i];

		(void)json_hash_value(w->j, &at, p[i] + n[i], &nowhere,
				      &hash[i]);
	}
	return hash[0] == hash[1];
}

static uint8_t type_of(uint8_t c)
{
	if (c == '-' || (c >= '0' && c <= '9'))
		return '0';
	return c == 'f' ? 't' : c;
}

enum walk json_walk_value(struct walker *w, const uint8_t *p[2],
			  const struct spot *as)
{
	size_t n[2];

	for (unsigned i = 0; i < 2; i++) {
		p[i] = skip_blank(p[i], w->end[i]);
		assert(p[i] < w->end[i]);
	}
	if (type_of(*p[0]) != type_of(*p[1]))
		return json_differ(w, JSON_TYPE, p[0], p[1]);
	if (*p[0] == '{' || *p[0] == '[')
		return walk_container(w, p, as);
	for (unsigned i = 0; i < 2; i++)
		n[i] = (size_t)(json_skip(p[i], w->end[i]) - p[i]);
	if (!same_scalar(w, p, n, as))
		return json_differ(w, JSON_VALUE, p[0], p[1]);
	for (unsigned i = 0; i < 2; i++)
		p[i] += n[i];
	return WALK_SAME;
}

enum walk json_walk(struct json *j, const uint8_t *const from[2],
		    const uint8_t *const end[2], struct json_verdict *out)
{
	struct walker w = { .j = j,
			    .from = { from[0], from[1] },
			    .end = { end[0], end[1] },
			    .out = out };
	const uint8_t *p[2] = { from[0], from[1] };
	struct spot root;
	enum walk found;

	w.work = WORK * (uint64_t)(end[0] - from[0] + end[1] - from[1]);
	rule_root(&j->r, &root);
	json_path_add(&w, "$", 1);
	if (is_ignored(&j->r, &root)) {
		used(&w, root.rule);
		found = WALK_SAME;
	} else {
		found = json_walk_value(&w, p, &root);
	}
	assert(j->top == 0);
	end_path(&w);
	return found;
}
