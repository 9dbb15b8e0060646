/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * versions.c - A store of answers, in which the oldest go
 *
 * Theory of operation
 *
 * Answers lie in a ring of records and their bytes in a ring of bytes. A record
 * whose bytes were written over is there still: it tells an older object from a
 * wrong one by its number, and no more. Records of one hash are a list, newest
 * first. An answer that comes again only moves the time when it was seen last,
 * but is written anew if its bytes lie in the older half of the ring, so that
 * what is asked for stays.
 *
 * When production left a version is known from what came behind it. Whoever
 * tells of answers leaves out those that are what he told last of the object,
 * so the last time that a version was seen may lie before its last use, but
 * never behind the first time of the one that took its place.
 */
#include "versions/versions.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#define NONE UINT32_MAX

struct versions {
	struct versions_limits limits;
	struct hash_key key;
	struct versions_stats stats;
	uint64_t seen;	/* records so far; the newest is the one before it */
	uint64_t bytes; /* so far, with those that were skipped */
	struct version *record;
	uint32_t *list; /* first record of each hash */
	uint8_t *room;
};

size_t versions_size(const struct versions_limits *l)
{
	return arena_need(sizeof(struct versions)) +
	       arena_need(l->answers * sizeof(struct version)) +
	       arena_need(l->answers * sizeof(uint32_t)) + arena_need(l->bytes);
}

int versions_init(struct versions **out, struct arena *a,
		  const struct versions_limits *l, const struct hash_key *key)
{
	struct versions *v = arena_take(a, sizeof(*v));

	assert(l->answers > 0);
	if (!v)
		return -ENOMEM;
	*v = (struct versions){ .limits = *l, .key = *key };
	v->record = arena_take(a, l->answers * sizeof(*v->record));
	v->list = arena_take(a, l->answers * sizeof(*v->list));
	v->room = arena_take(a, l->bytes);
	if (!v->record || !v->list || !v->room)
		return -ENOMEM;
	memset(v->record, 0, l->answers * sizeof(*v->record));
	for (uint32_t i = 0; i < l->answers; i++)
		v->list[i] = NONE;
	*out = v;
	return 0;
}

uint64_t versions_content(const struct versions *v, const uint8_t *p, size_t n)
{
	uint64_t h = hash_bytes(&v->key, p, n);

	return h != 0 ? h : 1;
}

static uint64_t number_of(const struct versions *v, struct head_rest head,
			  const char *field)
{
	struct head_line l;

	if (head_find(head, field, &l) != 1 || l.n == 0)
		return 0;
	/* An entity tag is compared weakly (RFC 9110 section 8.8.3.2). */
	if (l.n > 2 && l.p[0] == 'W' && l.p[1] == '/')
		return versions_content(v, l.p + 2, l.n - 2);
	return versions_content(v, l.p, l.n);
}

static uint32_t *list_of(const struct versions *v, uint64_t object)
{
	return &v->list[object % v->limits.answers];
}

/* The next record of the object from @i on; NONE: there is none */
static uint32_t find(const struct versions *v, uint32_t i, uint64_t object)
{
	while (i != NONE && v->record[i].object != object)
		i = v->record[i].next;
	return i;
}

static uint32_t first_of(const struct versions *v, uint64_t object)
{
	return find(v, *list_of(v, object), object);
}

static void forget(struct versions *v, uint32_t i)
{
	uint32_t *at = list_of(v, v->record[i].object);

	while (*at != i) {
		assert(*at != NONE);
		at = &v->record[*at].next;
	}
	*at = v->record[i].next;
	v->record[i].object = 0;
	v->stats.pushed++;
}

/* Of an object that has as many as it may the oldest goes. */
static void make_room(struct versions *v, uint64_t object)
{
	uint32_t oldest = NONE, n = 0;

	for (uint32_t i = first_of(v, object); i != NONE;
	     i = find(v, v->record[i].next, object)) {
		if (oldest == NONE ||
		    v->record[i].last <= v->record[oldest].last)
			oldest = i;
		n++;
	}
	if (n == VERSIONS_OF)
		forget(v, oldest);
}

static bool is_there(const struct versions *v, const struct version *r)
{
	return r->has && v->bytes - r->at <= v->limits.bytes;
}

/* Write an answer's bytes; @r has its lengths. */
static void write_bytes(struct versions *v, struct version *r,
			const uint8_t *head, const uint8_t *body)
{
	size_t n = (size_t)r->head + r->body;
	size_t at = (size_t)(v->bytes % v->limits.bytes);

	r->has = n <= v->limits.bytes / 8;
	if (!r->has) {
		v->stats.long_ones++;
		return;
	}
	if (n > v->limits.bytes - at) {
		v->bytes += v->limits.bytes - at;
		at = 0;
	}
	r->at = v->bytes;
	v->bytes += n;
	if (r->head > 0)
		memcpy(v->room + at, head, r->head);
	if (r->body > 0)
		memcpy(v->room + at + r->head, body, r->body);
}

static void seen_again(struct versions *v, struct version *r, uint64_t at,
		       struct head_rest head, const uint8_t *body, size_t n)
{
	v->stats.again++;
	if (at < r->first)
		r->first = at;
	if (at > r->last)
		r->last = at;
	if (is_there(v, r) && v->bytes - r->at < v->limits.bytes / 2)
		return;
	r->head = (uint32_t)(head.end - head.p);
	r->body = (uint32_t)n;
	write_bytes(v, r, head.p, body);
}

void versions_saw(struct versions *v, uint64_t object, uint64_t content,
		  uint64_t at, struct head_rest head, const uint8_t *body,
		  size_t n)
{
	uint32_t i = (uint32_t)(v->seen % v->limits.answers);
	struct version r = {
		.object = object,
		.content = content,
		.etag = number_of(v, head, "etag"),
		.modified = number_of(v, head, "last-modified"),
		.first = at,
		.last = at,
		.fresh = versions_lifetime(head),
		.head = (uint32_t)(head.end - head.p),
		.body = (uint32_t)n,
	};

	assert(object != 0 && content != 0);
	for (uint32_t k = first_of(v, object); k != NONE;
	     k = find(v, v->record[k].next, object)) {
		struct version *old = &v->record[k];

		if (old->content == content && old->etag == r.etag &&
		    old->modified == r.modified) {
			seen_again(v, old, at, head, body, n);
			return;
		}
	}
	if (v->record[i].object != 0)
		forget(v, i);
	make_room(v, object);
	write_bytes(v, &r, head.p, body);
	r.next = *list_of(v, object);
	*list_of(v, object) = i;
	v->record[i] = r;
	v->seen++;
	v->stats.seen++;
}

const struct version *versions_of_content(const struct versions *v,
					  uint64_t object, uint64_t content)
{
	const struct version *best = NULL;

	for (uint32_t i = first_of(v, object); i != NONE;
	     i = find(v, v->record[i].next, object)) {
		const struct version *r = &v->record[i];

		if (r->content == content && (!best || r->last > best->last))
			best = r;
	}
	return best;
}

const struct version *versions_of_validator(const struct versions *v,
					    uint64_t object,
					    struct head_rest head)
{
	uint64_t etag = number_of(v, head, "etag");
	uint64_t modified = number_of(v, head, "last-modified");
	const struct version *best = NULL;

	for (uint32_t i = first_of(v, object); i != NONE;
	     i = find(v, v->record[i].next, object)) {
		const struct version *r = &v->record[i];
		bool is = etag != 0 ? r->etag == etag
				    : modified != 0 && r->modified == modified;

		if (is && (!best || r->last > best->last))
			best = r;
	}
	return best;
}

const struct version *versions_now(const struct versions *v, uint64_t object)
{
	const struct version *best = NULL;

	for (uint32_t i = first_of(v, object); i != NONE;
	     i = find(v, v->record[i].next, object)) {
		const struct version *r = &v->record[i];

		if (!best || r->last > best->last)
			best = r;
	}
	return best;
}

/* When @r was first known to be served behind @of; 0: it is not known to be */
static uint64_t behind(const struct version *r, const struct version *of)
{
	uint64_t since = r->first > of->last ? r->first : r->last;

	return r->content != of->content && since > of->last ? since : 0;
}

bool versions_newest(const struct versions *v, const struct version *of)
{
	uint32_t i = first_of(v, of->object);

	while (i != NONE && behind(&v->record[i], of) == 0)
		i = find(v, v->record[i].next, of->object);
	return i == NONE;
}

uint64_t versions_left(const struct versions *v, const struct version *of,
		       uint64_t at)
{
	uint64_t left = at;

	for (uint32_t i = first_of(v, of->object); i != NONE;
	     i = find(v, v->record[i].next, of->object)) {
		uint64_t since = behind(&v->record[i], of);

		if (since != 0 && since < left)
			left = since;
	}
	return at - left;
}

bool versions_text(const struct versions *v, const struct version *of,
		   struct head_rest *head, const uint8_t **body)
{
	const uint8_t *p;

	if (!is_there(v, of))
		return false;
	p = v->room + of->at % v->limits.bytes;
	*head = (struct head_rest){ p, p + of->head };
	*body = p + of->head;
	return true;
}

const struct versions_stats *versions_stats(const struct versions *v)
{
	return &v->stats;
}

void versions_check(const struct versions *v)
{
	uint32_t live = 0;

	for (uint32_t l = 0; l < v->limits.answers; l++)
		for (uint32_t i = v->list[l]; i != NONE;
		     i = v->record[i].next) {
			const struct version *r = &v->record[i];

			assert(r->object != 0 && r->first <= r->last);
			assert(r->object % v->limits.answers == l);
			assert(!r->has ||
			       r->at + r->head + r->body <= v->bytes);
			live++;
			assert(live <= v->limits.answers);
		}
	assert(v->stats.seen - v->stats.pushed == live);
}
