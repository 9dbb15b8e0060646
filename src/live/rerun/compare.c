/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * compare.c - Is a frame that the rerun sends the one that the run sent?
 */
#include <inttypes.h>
#include <string.h>

#include "core/bytes.h"
#include "effect/effect.h"
#include "engine/engine.h"
#include "lan/sutwire.h"
#include "rerun/rerun_internal.h"
#include "run/out.h"

/* The bytes that effect number @number is sent as. Return: their number */
static uint32_t build(struct rerun *g, uint64_t number)
{
	static const uint8_t none[ETH_LEN];
	const struct effect *x = rerun_kept(g, number);
	const struct sutwire *w = engine_wire(g->engine);
	const uint8_t *mac = w ? sutwire_mac(w, x->sut) : NULL;
	struct out_frame f;

	out_build(x, g->o.engine.mac, mac ? mac : none, number, &f);
	memcpy(g->frame, f.hdr, f.hdr_len);
	if (f.len > 0)
		memcpy(g->frame + f.hdr_len, f.data, f.len);
	return f.hdr_len + f.len;
}

/* The name of the first field in which two segments differ. */
static const char *field_of(const struct segment *a, const struct segment *b)
{
	if (!ipaddr_eq(&a->src, &b->src) || !ipaddr_eq(&a->dst, &b->dst))
		return "address";
	if (a->sport != b->sport || a->dport != b->dport)
		return "port";
	if (a->seq != b->seq)
		return "seq";
	if (a->ack != b->ack)
		return "ack";
	if (a->flags != b->flags)
		return "flags";
	if (a->win != b->win)
		return "window";
	if (a->len != b->len)
		return "length";
	if (a->cap == b->cap && a->cap > 0 &&
	    memcmp(a->data, b->data, a->cap) != 0)
		return "payload";
	return "options or IP header";
}

static const char *field_name(const struct journal_frame *j, const uint8_t *p,
			      uint32_t len)
{
	struct frame_info a = { .data = j->data,
				.cap = j->cap,
				.wire = j->wire,
				.link = LINK_ETHERNET,
				.csum_ok = true };
	struct frame_info b = { .data = p,
				.cap = len,
				.wire = len,
				.link = LINK_ETHERNET,
				.csum_ok = true };
	struct decoded da;
	struct decoded db;
	enum decode_result ra = frame_decode(&a, NULL, 0, &da);
	enum decode_result rb = frame_decode(&b, NULL, 0, &db);

	if (ra != rb)
		return "kind of frame";
	if (ra != DECODE_TCP && ra != DECODE_UDP)
		return "bytes";
	return field_of(&da.seg, &db.seg);
}

int rerun_compare(struct rerun *g, const struct journal_frame *j)
{
	const struct effect *x;
	uint32_t len;
	uint32_t same = 0;
	uint64_t number = g->compared;

	if (number == g->seen)
		return rerun_differs(g,
				     "the run sent a frame of %u bytes, the "
				     "rerun none",
				     j->wire);
	x = rerun_kept(g, number);
	len = build(g, number);
	if (j->cap < j->wire)
		return rerun_cannot(g, "record %" PRIu64 " is cut", g->records);
	while (same < len && same < j->cap && g->frame[same] == j->data[same])
		same++;
	if (same < len || same < j->cap)
		return rerun_differs(
			g,
			"flow %" PRIu64 ", %s: %s, at byte %u of the "
			"frame (run: %u bytes, rerun: %u)",
			x->flow, cause_name(x->cause),
			field_name(j, g->frame, len), same, j->cap, len);
	if (x->gso != j->gso || x->sut != j->sut)
		return rerun_differs(g, "flow %" PRIu64 ", %s: %s", x->flow,
				     cause_name(x->cause),
				     x->gso != j->gso ? "segment size" : "SUT");
	g->compared++;
	g->emitted++;
	g->sent.frames++;
	g->sent.bytes += len;
	engine_sent(g->engine, x);
	return 0;
}
