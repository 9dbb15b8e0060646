/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * samples.c - The first differences of each kind
 *
 * The packet thread copies the record, some hundred bytes, and makes no words
 * of it: that is done when the run is over, if somebody wants to read them.
 */
#include "outcome/samples.h"

#include <assert.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "forms/few.h"

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
	struct few few;
	uint32_t n;
	struct kept kept[FEW_MAX];
	struct told told[FEW_MAX];
	struct report_difference out[FEW_MAX];
};

struct samples *samples_new(void)
{
	return calloc(1, sizeof(struct samples));
}

void samples_free(struct samples *s)
{
	free(s);
}

void samples_put(struct samples *s, const struct engine_item *t)
{
	if (t->kind != EVENT_VERDICT || !t->text ||
	    t->exchange->verdict != VERDICT_DIFFERENT)
		return;
	if (t->len > ITEM_MOST ||
	    !few_wants(&s->few, t->text->evidence.kind, t->exchange->reason)) {
		s->left++;
		return;
	}
	assert(s->n < FEW_MAX);
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
