/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * record.c - A record of the ring (engine/record.c) is read again
 */
#include "record/record.h"

#include <assert.h>
#include <string.h>

_Static_assert(sizeof(struct exchange_record) % 8 == 0,
	       "the text behind it is aligned");

static const enum event_kind *kind_of(const void *bytes)
{
	return bytes;
}

void item_read(struct engine_item *out, const void *bytes, uint32_t len)
{
	const struct exchange_record *x = bytes;

	*out = (struct engine_item){ .kind = *kind_of(bytes),
				     .bytes = bytes,
				     .len = len };
	if (out->kind != EVENT_VERDICT) {
		assert(len == sizeof(struct engine_event));
		out->event = bytes;
		return;
	}
	assert(len ==
	       sizeof(*x) + (x->has_text ? sizeof(struct exchange_text) : 0));
	out->exchange = x;
	if (x->has_text)
		out->text = (const void *)(x + 1);
}

void item_result(const struct engine_item *t, struct compare_result *out)
{
	const struct exchange_record *x = t->exchange;

	*out = (struct compare_result){
		.verdict = (enum verdict)x->verdict,
		.reason = (enum compare_reason)x->reason,
		.how = (enum unanswered)x->how,
		.reasons = x->reasons,
		.status = { x->status[0], x->status[1] },
		.bytes = { x->bytes[0], x->bytes[1] },
		.offset = x->offset,
		.block = x->block,
		.evidence = t->text->evidence,
	};
}

void record_result(struct exchange_record *x, const struct compare_result *r)
{
	x->verdict = (uint8_t)r->verdict;
	x->reason = (uint8_t)r->reason;
	x->how = (uint8_t)r->how;
	x->has_text = r->verdict == VERDICT_DIFFERENT;
	x->reasons = r->reasons;
	memcpy(x->status, r->status, sizeof(x->status));
	memcpy(x->bytes, r->bytes, sizeof(x->bytes));
	x->offset = r->offset;
	x->block = r->block;
}
