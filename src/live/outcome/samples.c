/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * samples.c - The first differences of each kind
 *
 * The packet thread copies the record, some hundred bytes, and makes no words
 * of it: that is done when the run is over, if somebody wants to read them. A
 * difference that a judge has found is of a kind (compare/kind.h); of others
 * the reason is all that is known, and more of them are kept.
 */
#include "outcome/samples.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#define ITEM_MOST                                                              \
	(sizeof(struct exchange_record) + sizeof(struct exchange_text) + 16)

struct kept {
	uint32_t len;
	alignas(8) uint8_t bytes[ITEM_MOST];
};

/* What a kept one is told with. */
struct told {
	struct compare_result result;
	char detail[COMPARE_DETAIL];
	char request[ITEM_REQUEST];
};

struct samples {
	uint64_t left;
	uint32_t n;
	uint32_t kinds;
	struct {
		uint32_t kind;
		uint32_t reason;
		uint32_t n;
	} kind[SAMPLES_MAX];
	struct kept kept[SAMPLES_MAX];
	struct told told[SAMPLES_MAX];
	struct report_difference out[SAMPLES_MAX];
};

struct samples *samples_new(void)
{
	return calloc(1, sizeof(struct samples));
}

void samples_free(struct samples *s)
{
	free(s);
}

/* Is one more of its kind wanted? It is counted then. */
static bool is_wanted(struct samples *s, uint32_t kind, uint32_t reason)
{
	uint32_t most = kind != 0 ? SAMPLES_OF_KIND : SAMPLES_OF_ANY;
	uint32_t i = 0;

	while (i < s->kinds &&
	       (s->kind[i].kind != kind || s->kind[i].reason != reason))
		i++;
	if (s->n == SAMPLES_MAX || (i < s->kinds && s->kind[i].n == most))
		return false;
	if (i == s->kinds) {
		s->kinds++;
		s->kind[i].kind = kind;
		s->kind[i].reason = reason;
	}
	s->kind[i].n++;
	return true;
}

void samples_put(struct samples *s, const struct engine_item *t)
{
	if (t->kind != EVENT_VERDICT || !t->text ||
	    t->exchange->verdict != VERDICT_DIFFERENT)
		return;
	if (t->len > ITEM_MOST ||
	    !is_wanted(s, t->text->evidence.kind, t->exchange->reason)) {
		s->left++;
		return;
	}
	s->kept[s->n].len = t->len;
	memcpy(s->kept[s->n++].bytes, t->bytes, t->len);
}

size_t samples_tell(struct samples *s, const struct run_epoch *t,
		    const struct redact *by,
		    const struct report_difference **out)
{
	for (uint32_t i = 0; i < s->n; i++) {
		struct told *w = &s->told[i];
		struct engine_item item;

		item_read(&item, s->kept[i].bytes, s->kept[i].len);
		item_difference(&s->out[i], t, by, &item, &w->result, w->detail,
				w->request);
	}
	*out = s->out;
	return s->n;
}

uint64_t samples_left(const struct samples *s)
{
	return s->left;
}
