/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp.c - The way of one TCP segment through its flow
 *
 * Theory of operation
 *
 * Always in the same order: the machine takes the header (what was acked, which
 * bits are set), the reader takes the in-order bytes and makes marks, the
 * machine decides. A segment of the mirror goes through each leg of its
 * connection.
 *
 * A flow that is lost (a gap, a SUT that reset) or not known at all (it began
 * before we did) begins at the client's next message: the newest early segment
 * that looks like the beginning of one, else the first such one to come.
 */
#include <assert.h>

#include "engine/engine_internal.h"

static struct shadow_leg leg_of(const struct engine *e, uint32_t map,
				uint16_t pport)
{
	const struct engine_map *m = &e->cfg.map[map];

	return (struct shadow_leg){
		.sut = e->map_sut[map],
		.sport = m->sut_port != 0 ? m->sut_port : pport,
		.play = !e->cfg.sut_none,
	};
}

/* TLS cannot be played: the SUT picks its own keys. The opening is. */
static void tls_check(struct engine *e, struct flow *f, uint64_t now,
		      struct effects *out)
{
	if ((reader_of(f)->flags & R_IS_TLS) && f->leg.state == LEG_OPEN)
		shadow_end(e->shadow, f, FLOW_END_TLS, now, out);
}

static void push(struct engine *e, struct flow *f, uint64_t now,
		 struct effects *out)
{
	tls_check(e, f, now, out);
	shadow_push(e->shadow, f, now, out);
	shadow_retire(e->shadow, f);
}

/* The first early segment of the client that begins a message. */
static const struct buf *early_begin(const struct flow *f)
{
	const struct buf *fr = f->w.c.early;

	while (fr && !read_begins(f, fr->seq, fr->data, fr->len))
		fr = fr->next;
	return fr;
}

/* Try to go on with the client's next message. */
static void sync(struct engine *e, struct flow *f, const struct segment *seg,
		 uint64_t now)
{
	const struct buf *fr = early_begin(f);
	uint32_t seq;
	uint32_t ack;
	bool sure;
	bool keep;
	uint8_t why = f->leg.end == FLOW_END_GAP || shadow_is_shed(f)
			      ? REASON_CLIENT_GAP
			      : REASON_SUT_DOWN;

	if (!shadow_resumes(e->shadow, f))
		return;
	if (fr) {
		seq = fr->seq;
		ack = fr->ack;
	} else if (seg && seg->len > 0 && seg->cap == seg->len &&
		   (seg->flags & TCP_ACK) && !seq_lt(seg->seq, f->w.c.nxt) &&
		   read_begins(f, seg->seq, seg->data, seg->len)) {
		seq = seg->seq;
		ack = seg->ack;
	} else {
		shadow_lost(e->shadow, f);
		return;
	}
	sure = f->leg.end != FLOW_END_GAP && read_follows(f, seq);
	keep = read_restart(e, f, ack);
	shadow_restart(e->shadow, f, seq, ack, keep, now);
	if (!sure || !keep)
		read_unsure(f, why, f->x.marks[WHO_CLIENT]);
	read_spans(e, f, WHO_CLIENT, seg, now);
}

/* @f is of a leg of @r. If it is new: whose connection is it? The legs of one
 * have the client's first number in common.
 */
static void name_leg(struct engine *e, const struct route *r, struct flow *f)
{
	struct reader *rd = reader_of(f);
	struct flow_key key = r->key;

	if (rd->named)
		return;
	rd->named = true;
	for (uint32_t i = 0; i < r->n; i++) {
		const struct flow *other;

		key.map = r->map[i];
		other = key.map != f->key.map ? shadow_find(e->shadow, &key)
					      : NULL;
		if (!other || !reader_of(other)->named ||
		    other->w.c_iss != f->w.c_iss)
			continue;
		assert(other->id < f->id);
		rd->behind_first = (uint32_t)(f->id - other->id) +
				   reader_of(other)->behind_first;
		return;
	}
}

static void from_client(struct engine *e, struct flow *f,
			const struct segment *seg, uint64_t now,
			struct effects *out)
{
	if (!shadow_client(e->shadow, f, seg, now)) {
		push(e, f, now, out);
		return;
	}
	stamp_client(e, f, seg);
	if (f->w.flags & W_LOST)
		sync(e, f, seg, now);
	else
		read_spans(e, f, WHO_CLIENT, seg, now);
	read_waiting(e, f, now);
	push(e, f, now, out);
}

/* A segment of a connection that we have no flow of, or none yet: its SYN may
 * come behind it.
 */
static struct flow *join(struct engine *e, const struct flow_key *key,
			 const struct segment *seg, uint64_t now,
			 struct effects *out)
{
	struct shadow_leg leg = leg_of(e, key->map, key->pport);
	const struct framer_ops *ops;
	struct flow *f;

	if (!e->cfg.shadow.midstream || seg->len == 0 || seg->cap != seg->len ||
	    (seg->flags & (TCP_SYN | TCP_RST | TCP_ACK)) != TCP_ACK)
		return NULL;
	ops = framer_guess(key->pport, seg->data, seg->len);
	if (ops == &framer_quiet || !ops->restarts(seg->data, seg->len))
		return NULL;
	f = shadow_pickup(e->shadow, key, &leg, seg, now, out);
	if (!f)
		return NULL;
	reader_of(f)->taken_up = true;
	read_unsure(f, REASON_MIDSTREAM, 0);
	return f;
}

/* Data in a SYN (fast open) that production took is the stream's first; it
 * follows the handshake. Up to where it took it, the first ack of production
 * tells, or the number that the client goes on with: @at.
 */
static void settle_syn(struct engine *e, struct flow *f, uint32_t at,
		       uint64_t now)
{
	if (shadow_syn_take(e->shadow, f, at) && f->w.c.early)
		read_spans(e, f, WHO_CLIENT, NULL, now);
}

static enum engine_kind client_leg(struct engine *e, const struct route *r,
				   const struct flow_key *key,
				   const struct segment *seg, uint64_t now,
				   struct effects *out)
{
	struct shadow_leg leg = leg_of(e, key->map, key->pport);
	struct flow *f;

	if ((seg->flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN) {
		f = shadow_syn(e->shadow, key, &leg, seg, now, out);
		if (!f) {
			e->stats.count.no_room++;
			return ENGINE_NONE;
		}
		e->stats.count.client++;
		name_leg(e, r, f);
		stamp_client(e, f, seg);
		shadow_syn_hold(e->shadow, f, seg, now);
		push(e, f, now, out);
		return ENGINE_CLIENT;
	}
	f = shadow_find(e->shadow, key);
	if (!f || (seg->len > 0 && shadow_is_newer(f, seg)))
		f = join(e, key, seg, now, out);
	if (!f) {
		e->stats.count.no_flow++;
		return ENGINE_NONE;
	}
	e->stats.count.client++;
	name_leg(e, r, f);
	if (!(seg->flags & (TCP_SYN | TCP_RST)))
		settle_syn(e, f, seg->seq, now);
	from_client(e, f, seg, now, out);
	return ENGINE_CLIENT;
}

static void from_production(struct engine *e, struct flow *f,
			    const struct segment *seg, uint64_t now,
			    struct effects *out)
{
	shadow_production(e->shadow, f, seg, now);
	stamp_production(e, f, seg);
	if ((seg->flags & (TCP_ACK | TCP_RST)) == TCP_ACK)
		settle_syn(e, f, seg->ack, now);
	read_spans(e, f, WHO_PROD, seg, now);
	read_waiting(e, f, now);
	push(e, f, now, out);
}

/* @kept: the segment, of which no flow was known, is kept */
static enum engine_kind prod_leg(struct engine *e, const struct flow_key *key,
				 const struct segment *seg, uint64_t now,
				 bool *kept, struct effects *out)
{
	struct flow *f = shadow_find_acked(e->shadow, key, seg);
	struct flow_key any = *key;

	shadow_two_sided(e->shadow);
	any.map = 0;
	if (f && !early_is_newer(&e->early, &any, seg, shadow_syn_end(f))) {
		e->stats.count.production++;
		from_production(e, f, seg, now, out);
		return ENGINE_PROD;
	}
	if (!*kept)
		*kept = early_keep(&e->early, e->pool, &any, seg, now);
	if (*kept)
		e->stats.count.production_early++;
	else
		e->stats.count.no_flow++;
	return *kept ? ENGINE_PROD : ENGINE_NONE;
}

/* A client's @seg has come that a connection may begin with: what production
 * said before it follows.
 */
static void take_early(struct engine *e, const struct route *r,
		       const struct segment *from, uint64_t now,
		       struct effects *out)
{
	struct early_flow *early = early_find(&e->early, &r->key, from);
	struct flow_key key = r->key;
	struct segment seg;
	struct buf *fr;

	while (early && early_pop(&e->early, early, &seg, &fr)) {
		for (uint32_t i = 0; i < r->n; i++) {
			struct flow *f;

			key.map = r->map[i];
			f = shadow_find(e->shadow, &key);
			if (f)
				from_production(e, f, &seg, now, out);
		}
		buf_clear(e->pool, fr, BUF_QUEUE);
	}
}

enum engine_kind tcp_mirror(struct engine *e, const struct route *r,
			    const struct segment *seg, uint64_t now,
			    struct effects *out)
{
	struct engine_counters *c = &e->stats.count;
	enum engine_kind kind = ENGINE_NONE;
	struct flow_key key = r->key;
	bool kept = false;

	for (uint32_t i = 0; i < r->n; i++) {
		key.map = r->map[i];
		kind = r->from_client ? client_leg(e, r, &key, seg, now, out)
				      : prod_leg(e, &key, seg, now, &kept, out);
		c->other_legs += i > 0;
	}
	if (r->from_client && kind != ENGINE_NONE)
		take_early(e, r, seg, now, out);
	if (kind == ENGINE_NONE)
		gate_show(e, seg);
	return kind;
}

enum engine_kind tcp_sut(struct engine *e, uint8_t sut,
			 const struct segment *seg, bool ours, uint64_t now,
			 struct effects *out)
{
	struct flow *f = shadow_sut(e->shadow, sut, seg, now, out);
	bool opens = (seg->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;

	if (!f) {
		e->stats.count.sut_stray++;
		return ENGINE_NONE;
	}
	e->stats.count.sut++;
	stamp_sut(e, f, seg);
	if (ours && (seg->flags & (TCP_SYN | TCP_RST)))
		prove_heard(e->prove, sut, &f->key.client);
	if (f->leg.state == LEG_OPEN &&
	    !opens) /* whose data would follow its SYN */
		read_spans(e, f, WHO_SUT, seg, now);
	push(e, f, now, out);
	return ENGINE_ANSWER;
}

void attend(struct engine *e, uint64_t now, struct effects *out)
{
	struct flow *f;
	uint16_t want;

	while ((f = shadow_attention(e->shadow, &want))) {
		if (want & WANT_ANEW)
			read_anew(f);
		if (want & WANT_CUT)
			read_closed(e, f);
		if (want & WANT_JUDGE) {
			event_flow_end(e, f);
			health_leg_over(e, f);
			read_leg_over(e, f);
		}
		if ((want & (WANT_SYNC | WANT_FREE)) == WANT_SYNC)
			sync(e, f, NULL, now);
		if (want & WANT_PHOLE)
			read_hole(e, f, now);
		if (want & WANT_QUIET)
			read_quiet(e, f, now);
		if (want & WANT_DEAF)
			prove_deaf(e->prove, f->sut, &f->key.client);
		if (want & WANT_PROOF)
			gate_flow(e, f, now);
		if ((want & (WANT_WAIT | WANT_FREE)) == WANT_WAIT)
			wait_end(e, f, now, out);
		if (want & WANT_FREE) {
			read_close(e, f);
			shadow_free(e->shadow, f);
		} else {
			push(e, f, now, out);
		}
	}
}
