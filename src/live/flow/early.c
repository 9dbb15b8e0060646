/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * early.c - Connections of which production was seen first
 *
 * Theory of operation
 *
 * Where the two directions come by two cards or two clocks, a SYN,ACK may be
 * here before its SYN. It acks what has not come, so it and what production
 * says behind it are kept, until the SYN comes or --reorder-wait has passed.
 * The SYN makes the flow, and what was kept follows it, in its order; where the
 * capture has no SYN, the client's first data do so. Only a SYN,ACK begins
 * this: segments in the middle of connections that nobody knows are not kept.
 *
 * Addresses may be used again: then the older connection is known still, and
 * what its numbers do not fit is the newer one's.
 *
 * The table is searched from its front; it is empty unless a mirror is skewed.
 */
#include "flow/early.h"

#include <errno.h>
#include <string.h>

#include "core/arena.h"
#include "core/seq.h"

#define NEAR (1u << 30) /* numbers of one connection, not of another */

size_t early_size(void)
{
	return arena_need(EARLY_FLOWS * sizeof(struct early_flow));
}

int early_init(struct early *e, struct arena *a)
{
	e->n = 0;
	if (a->size - a->used < early_size())
		return -ENOMEM;
	e->flow = arena_take(a, EARLY_FLOWS * sizeof(struct early_flow));
	return 0;
}

static bool is_synack(const struct segment *seg)
{
	const uint16_t both = TCP_SYN | TCP_ACK;

	return (seg->flags & (both | TCP_RST)) == both;
}

static struct early_flow *find(struct early *e, const struct flow_key *key)
{
	for (uint32_t i = 0; i < e->n; i++)
		if (memcmp(&e->flow[i].key, key, sizeof(*key)) == 0)
			return &e->flow[i];
	return NULL;
}

static void forget(struct early *e, struct early_flow *f)
{
	size_t after = (size_t)(&e->flow[e->n] - (f + 1));

	memmove(f, f + 1, after * sizeof(*f));
	e->n--;
}

static uint64_t drop(struct early *e, struct pool *pool, struct early_flow *f)
{
	uint64_t n = f->n;

	for (struct buf *fr = f->head; fr != NULL; fr = f->head) {
		f->head = fr->next;
		buf_clear(pool, fr, BUF_QUEUE);
	}
	forget(e, f);
	return n;
}

static bool add(struct early_flow *f, struct pool *pool,
		const struct segment *seg)
{
	struct buf *fr;

	if (f->n == EARLY_SEGMENTS)
		return false;
	fr = buf_alloc(pool, (uint32_t)sizeof(*seg) + seg->cap, BUF_QUEUE);
	if (!fr)
		return false;
	memcpy(fr->data, seg, sizeof(*seg));
	if (seg->cap > 0)
		memcpy(fr->data + sizeof(*seg), seg->data, seg->cap);
	fr->next = NULL;
	if (f->tail)
		f->tail->next = fr;
	else
		f->head = fr;
	f->tail = fr;
	f->n++;
	return true;
}

bool early_keep(struct early *e, struct pool *pool, const struct flow_key *key,
		const struct segment *seg, uint64_t now)
{
	bool begins = is_synack(seg);
	struct early_flow *f = e->n > 0 ? find(e, key) : NULL;

	if (f && begins && seg->ack != f->iss + 1) {
		drop(e, pool, f); /* of another incarnation */
		f = NULL;
	}
	if (f)
		return add(f, pool, seg);
	if (!begins || e->n == EARLY_FLOWS)
		return false;
	f = &e->flow[e->n];
	*f = (struct early_flow){
		.key = *key, .since = now, .iss = seg->ack - 1, .irs = seg->seq
	};
	if (!add(f, pool, seg))
		return false;
	e->n++;
	return true;
}

bool early_is_newer(struct early *e, const struct flow_key *key,
		    const struct segment *seg, uint32_t end)
{
	const struct early_flow *f;

	if (is_synack(seg))
		return seq_lt(end, seg->ack);
	f = e->n > 0 && (seg->flags & TCP_ACK) ? find(e, key) : NULL;
	return f && seq_in(seg->ack, f->iss + 1, f->iss + NEAR) &&
	       seq_in(seg->seq, f->irs + 1, f->irs + NEAR);
}

struct early_flow *early_find(struct early *e, const struct flow_key *key,
			      const struct segment *seg)
{
	struct early_flow *f = e->n > 0 ? find(e, key) : NULL;
	bool is;

	if (!f)
		return NULL;
	if (seg->flags & TCP_SYN)
		is = f->iss == seg->seq;
	else
		is = seg->len > 0 &&
		     seq_in(seg->seq, f->iss + 1, f->iss + NEAR);
	return is ? f : NULL;
}

bool early_pop(struct early *e, struct early_flow *f, struct segment *seg,
	       struct buf **frame)
{
	struct buf *fr = f->head;

	if (!fr) {
		forget(e, f);
		return false;
	}
	f->head = fr->next;
	f->n--;
	memcpy(seg, fr->data, sizeof(*seg));
	seg->data = fr->data + sizeof(*seg);
	*frame = fr;
	return true;
}

uint64_t early_timeout(struct early *e, struct pool *pool, uint64_t wait,
		       uint64_t now)
{
	uint64_t n = 0;

	while (e->n > 0 && now - e->flow[0].since >= wait)
		n += drop(e, pool, &e->flow[0]);
	return n;
}

uint64_t early_next_timeout(const struct early *e, uint64_t wait)
{
	return e->n > 0 ? e->flow[0].since + wait : UINT64_MAX;
}
