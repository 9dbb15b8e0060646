/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * record.c - The ring by which exchanges leave the engine
 *
 * Theory of operation
 *
 * Each verdict becomes one struct exchange_record, and what happens beside
 * exchanges a struct engine_event. Both go into one ring in the order in which
 * they happened, and one consumer takes them out between two calls of the
 * engine. What is only counted takes its record and no more; behind that of a
 * difference stands a struct exchange_text: captured bytes, of which the
 * consumer makes words.
 *
 * A full ring refuses, and nobody waits. It hurts what is not reported first:
 * of the last eighth (RECORDS_KEPT) only differences and events take. So
 * records that were put and records that were refused are all the verdicts
 * there are.
 */
#include <string.h>

#include "engine/engine_internal.h"

void record_put(struct engine *e, const struct exchange_record *x,
		const struct compare_result *r, const void *request,
		uint8_t request_len)
{
	struct record_counts *c = &e->stats.records;
	uint32_t len = sizeof(*x);
	struct exchange_text *text;
	uint8_t *to;

	if (x->has_text)
		len += sizeof(*text);
	to = spsc_reserve_above(e->records, len,
				x->has_text ? 0 : RECORDS_KEPT);
	if (!to) {
		c->refused[x->verdict]++;
		e->stats.count.events_lost += x->has_text;
		return;
	}
	memcpy(to, x, sizeof(*x));
	if (x->has_text) {
		text = (void *)(to + sizeof(*x));
		text->request_len = request_len;
		memcpy(text->request, request, request_len);
		text->evidence = r->evidence;
	}
	spsc_commit(e->records);
	c->put++;
}

struct engine_event event_of(const struct engine *e, enum event_kind kind)
{
	return (struct engine_event){ .kind = kind, .now = e->now };
}

void event_put(struct engine *e, const struct engine_event *ev)
{
	uint8_t *to = spsc_reserve(e->records, sizeof(*ev));

	if (!to) {
		e->stats.count.events_lost++;
		return;
	}
	memcpy(to, ev, sizeof(*ev));
	spsc_commit(e->records);
}

bool engine_take(struct engine *e, struct engine_item *out)
{
	const uint8_t *p;
	uint32_t len;

	if (e->record_lent)
		spsc_release(e->records);
	p = spsc_peek(e->records, &len);
	e->record_lent = p != NULL;
	if (p)
		item_read(out, p, len);
	return p != NULL;
}
