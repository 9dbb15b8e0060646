/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * json_lists.c - Pair what stands in another order
 *
 * Theory of operation
 *
 * The children of both containers become lists, each child with a hash: of its
 * name in an object, of its value in an array. Both lie on the stack of
 * members, above what containers further out have there. A table of the SUT's
 * list gives for each of production's the first one with its hash that is not
 * taken yet. So members of one name are paired in the order in which they
 * stand, as the hash of an object demands.
 *
 * Elements of an array in any order that have one hash are the same but for
 * what a tolerance leaves to the walk. Where one has no counterpart, and the
 * rule names a key, the SUT's element with that key is looked for, so that the
 * difference is found inside of it. That is done for the first one only, so it
 * costs one more reading.
 */
#include "deep/json_internal.h"

#include <string.h>

#define NONE  UINT32_MAX
#define TAKEN (UINT32_MAX - 1)

#define KEY_SHOWN 64u /* bytes of a key in a path */

/* A child, on the stack of members. */
struct item {
	uint64_t hash;
	uint32_t at; /* of its name or value, bytes from the text's beginning */
	uint32_t next; /* the SUT's: the next with its hash, NONE, or TAKEN */
};

struct slot {
	uint64_t hash;
	uint32_t used;
	uint32_t first; /* NONE: all are taken */
};

_Static_assert(sizeof(struct item) == sizeof(struct member) &&
		       sizeof(struct slot) == sizeof(struct member),
	       "they lie on one stack");

/* Lists of two containers, and the table of the SUT's. */
struct lists {
	struct item *item[2];
	uint32_t n[2];
	struct slot *slot;
	uint64_t mask;
};

/* Room on the stack, or NULL. */
static void *take(struct json *j, uint64_t n)
{
	void *at = &j->member[j->top];

	assert(j->top <= j->members);
	if (n > j->members - j->top)
		return NULL;
	j->top += (uint32_t)n;
	return at;
}

/* Charge what was read for a list. Return: false: that was too much */
static bool charge(struct walker *w, const uint8_t *from, const uint8_t *p)
{
	uint64_t n = (uint64_t)(p - from);

	if (n > w->work)
		return false;
	w->work -= n;
	return true;
}

/* Make a list of what is left, beginning with the child at which @c stands if
 * there is @more.
 */
static bool list(struct walker *w, struct cursor *c, unsigned side, bool more,
		 const struct states *at, struct lists *l)
{
	l->item[side] = take(w->j, 0);
	for (; more; more = json_next(w, c, at)) {
		const uint8_t *from = c->object ? c->name_at : c->p;
		uint64_t hash = c->name;
		struct item *item;

		if (c->object)
			c->p = json_skip(c->p, c->end);
		else if (json_hash_value(w->j, &c->p, c->end, &c->spot,
					 &hash) != JSON_FINE)
			return false;
		item = take(w->j, 1);
		if (!item || !charge(w, from, c->p))
			return false;
		*item = (struct item){ hash, (uint32_t)(from - w->from[side]),
				       NONE };
		l->n[side]++;
		c->index++;
	}
	return true;
}

static struct slot *find_slot(const struct lists *l, uint64_t hash)
{
	uint64_t i = hash & l->mask;

	while (l->slot[i].used != 0 && l->slot[i].hash != hash)
		i = (i + 1) & l->mask;
	return &l->slot[i];
}

/* Make both lists and the table. */
static bool make_lists(struct walker *w, struct cursor c[2], const bool more[2],
		       const struct states *at, struct lists *l)
{
	uint64_t size = 1;

	*l = (struct lists){ .mask = 0 };
	for (unsigned i = 0; i < 2; i++)
		if (!list(w, &c[i], i, more[i], at, l))
			return false;
	while (size < (uint64_t)l->n[1] + l->n[1] / 2 + 1)
		size *= 2;
	l->slot = take(w->j, size);
	if (!l->slot)
		return false;
	memset(l->slot, 0, size * sizeof(*l->slot));
	l->mask = size - 1;
	for (uint32_t i = l->n[1]; i-- > 0;) {
		struct item *item = &l->item[1][i];
		struct slot *s = find_slot(l, item->hash);

		item->next = s->used != 0 ? s->first : NONE;
		*s = (struct slot){ item->hash, 1, i };
	}
	return true;
}

/* The first of the SUT's with this hash that is free; it is taken. Or NONE. */
static uint32_t take_item(const struct lists *l, uint64_t hash)
{
	struct slot *s = find_slot(l, hash);
	uint32_t i;

	if (s->used == 0 || s->first == NONE)
		return NONE;
	i = s->first;
	assert(i < l->n[1] && l->item[1][i].next != TAKEN);
	s->first = l->item[1][i].next;
	l->item[1][i].next = TAKEN;
	return i;
}

static const uint8_t *place_of(const struct walker *w, const struct lists *l,
			       unsigned side, uint32_t i)
{
	assert(i < l->n[side]);
	return w->from[side] + l->item[side][i].at;
}

/* The first of the SUT's that is not taken, or NONE. */
static uint32_t first_free(const struct lists *l, uint32_t from)
{
	while (from < l->n[1] && l->item[1][from].next == TAKEN)
		from++;
	return from < l->n[1] ? from : NONE;
}

/* Behind a name and its colon. */
static const uint8_t *value_of(const struct walker *w, unsigned side,
			       const uint8_t *name_at)
{
	const uint8_t *p = json_skip_string(name_at + 1, w->end[side]);

	p = skip_blank(p, w->end[side]);
	return skip_blank(p + 1, w->end[side]);
}

/* Walk one member that both have. */
static enum walk walk_pair(struct walker *w, const struct lists *l, uint32_t a,
			   uint32_t b, const struct states *at)
{
	const uint8_t *name = place_of(w, l, 0, a);
	const uint8_t *p[2] = { value_of(w, 0, name),
				value_of(w, 1, place_of(w, l, 1, b)) };
	struct spot spot = { .rule = NO_RULE };
	size_t path = w->path;
	enum walk found;

	assert(l->item[0][a].hash == l->item[1][b].hash);
	if (w->j->r.rules != 0)
		rule_member(&w->j->r, at, l->item[0][a].hash, &spot);
	json_path_name(w, name, 0);
	found = json_walk_value(w, p, &spot);
	if (found == WALK_SAME)
		w->path = path;
	return found;
}

static enum walk walk_members(struct walker *w, const struct lists *l,
			      const struct states *at)
{
	const uint8_t *name;
	uint32_t free;

	for (uint32_t i = 0; i < l->n[0]; i++) {
		uint32_t b = take_item(l, l->item[0][i].hash);
		enum walk found;

		if (b == NONE) {
			name = place_of(w, l, 0, i);
			json_path_name(w, name, 0);
			return json_differ(w, JSON_MISSING,
					   value_of(w, 0, name), NULL);
		}
		found = walk_pair(w, l, i, b, at);
		if (found != WALK_SAME)
			return found;
	}
	free = first_free(l, 0);
	if (free == NONE)
		return WALK_SAME;
	name = place_of(w, l, 1, free);
	json_path_name(w, name, 1);
	return json_differ(w, JSON_EXTRA, NULL, value_of(w, 1, name));
}

enum walk json_walk_rest(struct walker *w, struct cursor c[2],
			 const bool more[2], const struct states *at)
{
	uint32_t top = w->j->top;
	struct lists l;
	enum walk found = WALK_LOST;

	if (make_lists(w, c, more, at, &l))
		found = walk_members(w, &l, at);
	w->j->top = top;
	return found;
}

/* The value that the steps of a key lead to, or NULL. */
static const uint8_t *find_key(struct walker *w, unsigned side,
			       const uint8_t *p, const struct place *by)
{
	static const struct states nowhere;

	for (uint32_t i = 0; i < by->steps; i++) {
		const struct place_step *s = &by->step[i];
		uint64_t name =
			json_name_hash(&w->j->k, by->names + s->name, s->len);
		struct cursor c = { .p = p + 1,
				    .end = w->end[side],
				    .object = true };
		bool more = *p == '{' && json_next(w, &c, &nowhere);

		while (more && c.name != name) {
			c.p = json_skip(c.p, c.end);
			more = json_next(w, &c, &nowhere);
		}
		if (!more)
			return NULL;
		p = c.p;
	}
	return p;
}

/* The hash of an element's key. Return: false: it has none */
static bool key_hash(struct walker *w, unsigned side, const uint8_t *p,
		     const struct place *by, uint64_t *hash)
{
	static const struct spot nowhere = { .rule = NO_RULE };
	const uint8_t *at = find_key(w, side, p, by);

	return at && json_hash_value(w->j, &at, w->end[side], &nowhere, hash) ==
			     JSON_FINE;
}

/* Add [sku="4711"] for production's element @i; without a key its number. */
static void path_element(struct walker *w, const struct lists *l, uint32_t i,
			 const struct json_rule *r)
{
	const uint8_t *key = NULL;
	size_t n;

	assert(r->verb == JSON_KEY || r->verb == JSON_SET);
	if (r->verb == JSON_KEY)
		key = find_key(w, 0, place_of(w, l, 0, i), &r->by);
	if (!key || *key == '{' || *key == '[') {
		json_path_index(w, i);
		return;
	}
	n = (size_t)(json_skip(key, w->end[0]) - key);
	json_path_add(w, "[", 1);
	for (uint32_t s = 0; s < r->by.steps; s++) {
		if (s > 0)
			json_path_add(w, ".", 1);
		json_path_add(w, r->by.names + r->by.step[s].name,
			      r->by.step[s].len);
	}
	json_path_add(w, "=", 1);
	json_path_add(w, key, n < KEY_SHOWN ? n : KEY_SHOWN);
	json_path_add(w, "]", 1);
}

/* The SUT's element that is free and has the key of production's @i, or NONE.
 */
static uint32_t same_key(struct walker *w, const struct lists *l, uint32_t i,
			 const struct place *by)
{
	uint64_t want, hash;
	uint32_t b;

	if (!key_hash(w, 0, place_of(w, l, 0, i), by, &want))
		return NONE;
	for (b = first_free(l, 0); b != NONE; b = first_free(l, b + 1))
		if (key_hash(w, 1, place_of(w, l, 1, b), by, &hash) &&
		    hash == want)
			return b;
	return NONE;
}

/* Walk two elements. */
static enum walk walk_elements(struct walker *w, const struct lists *l,
			       uint32_t a, uint32_t b, const struct spot *as)
{
	const uint8_t *p[2] = { place_of(w, l, 0, a), place_of(w, l, 1, b) };
	struct spot spot;
	size_t path = w->path;
	enum walk found;

	rule_element(&w->j->r, &as->states, NO_INDEX, &spot);
	path_element(w, l, a, w->j->r.rule[as->rule]);
	found = json_walk_value(w, p, &spot);
	if (found == WALK_SAME)
		w->path = path;
	return found;
}

static enum walk walk_set(struct walker *w, const struct lists *l,
			  const struct spot *as)
{
	const struct json_rule *r = w->j->r.rule[as->rule];
	uint32_t alone = NONE, b;
	enum walk found = WALK_SAME;

	for (uint32_t i = 0; i < l->n[0] && found == WALK_SAME; i++) {
		b = take_item(l, l->item[0][i].hash);
		if (b != i)
			w->out->rules |= UINT64_C(1) << as->rule;
		if (b != NONE)
			found = walk_elements(w, l, i, b, as);
		else if (alone == NONE)
			alone = i;
	}
	if (found != WALK_SAME)
		return found;
	if (alone != NONE) {
		b = r->verb == JSON_KEY ? same_key(w, l, alone, &r->by) : NONE;
		if (b != NONE)
			found = walk_elements(w, l, alone, b, as);
		if (found != WALK_SAME)
			return found;
		path_element(w, l, alone, r);
		return json_differ(w, JSON_MISSING, place_of(w, l, 0, alone),
				   NULL);
	}
	b = first_free(l, 0);
	if (b == NONE)
		return WALK_SAME;
	json_path_index(w, b);
	return json_differ(w, JSON_EXTRA, NULL, place_of(w, l, 1, b));
}

enum walk json_walk_set(struct walker *w, struct cursor c[2],
			const struct spot *as)
{
	bool more[2] = { json_next(w, &c[0], &as->states),
			 json_next(w, &c[1], &as->states) };
	uint32_t top = w->j->top;
	struct lists l;
	enum walk found = WALK_LOST;

	if (make_lists(w, c, more, &as->states, &l))
		found = walk_set(w, &l, as);
	w->j->top = top;
	return found;
}
