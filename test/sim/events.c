/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * events.c - What is to come, in order of time; pieces of streams; bytes
 *
 * Events of the same instant come in the order in which they were planned, so
 * that a run depends on its seed alone.
 */
#include <stdlib.h>
#include <string.h>

#include "sim.h"

static bool before(const struct event *a, const struct event *b)
{
	return a->at != b->at ? a->at < b->at : a->n < b->n;
}

void sim_at(struct sim *s, uint64_t at, enum event_name name, void *what)
{
	size_t i = s->heap_n++;

	s->others += name != EV_TURN;
	if (s->heap_n > s->heap_cap) {
		s->heap_cap = s->heap_cap == 0 ? 1024 : 2 * s->heap_cap;
		s->heap = realloc(s->heap, s->heap_cap * sizeof(*s->heap));
		if (s->heap == NULL)
			abort();
	}
	s->heap[i] = (struct event){ at < s->now ? s->now : at, s->events++,
				     name, what };
	while (i > 0 && before(&s->heap[i], &s->heap[(i - 1) / 2])) {
		struct event t = s->heap[i];

		s->heap[i] = s->heap[(i - 1) / 2];
		s->heap[(i - 1) / 2] = t;
		i = (i - 1) / 2;
	}
}

bool sim_next(struct sim *s, struct event *e)
{
	size_t i = 0;

	if (s->heap_n == 0)
		return false;
	*e = s->heap[0];
	s->others -= e->name != EV_TURN;
	s->heap[0] = s->heap[--s->heap_n];
	for (;;) {
		size_t k = 2 * i + 1;
		struct event t;

		if (k >= s->heap_n)
			break;
		if (k + 1 < s->heap_n && before(&s->heap[k + 1], &s->heap[k]))
			k++;
		if (!before(&s->heap[k], &s->heap[i]))
			break;
		t = s->heap[i];
		s->heap[i] = s->heap[k];
		s->heap[k] = t;
		i = k;
	}
	return true;
}

bool ivs_add(struct ivs *v, uint32_t from, uint32_t to)
{
	uint32_t i = 0;
	uint32_t k;

	while (i < v->n && v->v[i].to < from)
		i++;
	k = i;
	while (k < v->n && v->v[k].from <= to) {
		if (v->v[k].from < from)
			from = v->v[k].from;
		if (v->v[k].to > to)
			to = v->v[k].to;
		k++;
	}
	if (k == i) {
		if (v->n == IV_MAX)
			return false;
		memmove(&v->v[i + 1], &v->v[i], (v->n - i) * sizeof(v->v[0]));
		v->n++;
	} else {
		memmove(&v->v[i + 1], &v->v[k], (v->n - k) * sizeof(v->v[0]));
		v->n -= k - i - 1;
	}
	v->v[i] = (struct iv){ from, to };
	return true;
}

void ivs_cut(struct ivs *v, uint32_t to)
{
	uint32_t i = 0;

	while (i < v->n && v->v[i].to <= to)
		i++;
	memmove(&v->v[0], &v->v[i], (v->n - i) * sizeof(v->v[0]));
	v->n -= i;
	if (v->n > 0 && v->v[0].from < to)
		v->v[0].from = to;
}

uint32_t ivs_front(const struct ivs *v)
{
	return v->n > 0 && v->v[0].from == 0 ? v->v[0].to : 0;
}

void buf_put(struct grown *b, uint32_t at, const void *p, uint32_t n)
{
	if (at + n > b->cap) {
		b->cap = 2 * (at + n) + 256;
		b->p = realloc(b->p, b->cap);
		if (b->p == NULL)
			abort();
	}
	if (p != NULL && n > 0)
		memcpy(b->p + at, p, n);
}
