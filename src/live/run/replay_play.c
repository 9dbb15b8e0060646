/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * replay_play.c - A capture's records, handed to the engine
 *
 * Theory of operation
 *
 * The engine gets the clock's time, as live; only when a record is handed in is
 * decided here. There are two ways through the plan.
 *
 * In the capture's order: each record at its distance from the first one,
 * shortened by --multiplier. All that a capture holds is handed in, also what
 * is of no connection. A record that is late is handed in at once, and its
 * lateness is measured (the report's "read after"); the distances are always
 * those from the first record, so that lateness does not add up.
 *
 * By connection (--fast, --concurrency): as many connections as are allowed are
 * active, each with a cursor. They begin in the capture's order; one begins
 * when there is a place, when the older incarnation of its tuple has ended and,
 * without --fast, not before its time. It gives its place back when its records
 * are played and its legs have ended, or when nothing more is to be expected of
 * them. Only records of connections are handed in; the others are counted.
 *
 * Without --fast a record has its distance from the connection's first one.
 * With it, a record is handed in as soon as the SUT is so far:
 *
 *   the client's payload and end    when all of its bytes before have gone
 *                                   out. The machine holds what waits for an
 *                                   answer (I16b), so this is when the SUT has
 *                                   answered
 *   production's payload            while its answer is less than AHEAD in
 *                                   front of the SUT's, which bounds what is
 *                                   kept for the comparison
 *   all else (acks, handshake)      at once
 *
 * Where production was not captured, its acks and answers are not there to wait
 * for: payload that the client sent after it had read something waits until the
 * SUT has answered every request before it. A gate that stays closed for
 * GATE_WAIT lets one record pass, counted: the machine bounds all waits itself,
 * and a capture with holes must not stand still. Datagrams have no acks; there
 * are DATAGRAMS of them open at most.
 *
 * A repetition (--loop) gives each client another address (plan_client()), as
 * the SUT would take the same SYN for an old one's. What has no connection is
 * handed in once.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "run/replay_internal.h"
#include "wire/readdress.h"

#define BATCH	  32 /* records between two looks at the SUT's wire */
#define AHEAD	  (256u << 10)
#define DATAGRAMS 64
#define GATE_WAIT (200 * NS_PER_MS)
#define OPEN_WAIT                                                              \
	(20 * NS_PER_MS)	    /* for the SUT, after a connection's last
				     * record, if its end was not captured */
#define CLOSE_WAIT (2 * NS_PER_SEC) /* the same, if it was */

/* --- one record --- */

/* The bytes of record @rec, valid until the next call. Return: NULL, and the
 * run ends with a sentence, if they are not there any more
 */
static const uint8_t *bytes_of(struct run *run, const struct plan_record *rec)
{
	struct replay *r = run->replay;
	uint64_t behind = rec->offset - r->window_at;
	ssize_t n;

	if (rec->file != r->window_file || rec->offset < r->window_at ||
	    behind > r->window_len || r->window_len - behind < rec->cap) {
		do {
			n = pread(r->fd[rec->file], r->window, REPLAY_WINDOW,
				  (off_t)rec->offset);
		} while (n < 0 && errno == EINTR);
		r->window_len = n > 0 ? (size_t)n : 0;
		r->window_at = rec->offset;
		r->window_file = rec->file;
		behind = 0;
	}
	if (r->window_len - behind >= rec->cap)
		return r->window + behind;
	errbuf_set(&run->stopped, -EIO,
		   "%s: it was changed while it was played",
		   run->opt->file[rec->file]);
	run->stop = true;
	return NULL;
}

/* Give the client of a repetition its address. False: that cannot be done. */
static bool rename_client(struct run *run, const struct plan_record *rec,
			  uint32_t loop, struct frame_info *in)
{
	struct replay *r = run->replay;
	struct ipaddr ip = plan_client(r->plan, rec->flow, loop);
	struct decoded d;
	enum decode_result kind;
	bool open = false;

	in->csum_ok = true; /* it was right, or it had no connection */
	kind = frame_decode_open(in, NULL, 0, &d, &open);
	if (kind != DECODE_TCP && kind != DECODE_UDP)
		return false;
	memcpy(r->frame, in->data, in->cap);
	in->data = r->frame;
	return readdress(r->frame, in->cap, d.l3, (rec->is & PLAN_CLIENT) != 0,
			 &ip) == 0;
}

static void play_record(struct run *run, uint32_t i, uint32_t loop)
{
	struct replay *r = run->replay;
	const struct plan_record *rec = plan_record(r->plan, i);
	struct frame_info in = { .data = bytes_of(run, rec),
				 .cap = rec->cap,
				 .wire = rec->wire,
				 .ts = rec->ts,
				 .link = rec->link,
				 .trusted = r->trust[rec->file] };

	if (!in.data)
		return;
	if (plan_is_behind_cut(r->plan, i)) {
		r->count.records_behind_cut++;
		return;
	}
	if (loop > 0 ? !rename_client(run, rec, loop, &in)
		     : !clients_take(run, &in)) {
		r->count.records_left++;
		return;
	}
	r->count.records_played++;
	run->mirror_frames++;
	run_feed(run, &in);
}

/* --- in the capture's order --- */

/* When what is @at behind the beginning of a part that began at @base is due.
 */
static uint64_t due_of(const struct run *run, uint64_t base, uint64_t at)
{
	return base + plan_time(at, run->opt->multiplier);
}

/* Find the record that is next and when it is due. Return: false: all were
 * played
 */
static bool order_next(struct run *run)
{
	struct replay *r = run->replay;
	struct replay_order *o = &r->order;

	for (; o->loop < run->opt->loop; o->loop++) {
		if (o->at == 0) {
			r->count.loops++;
			o->stamps = (struct stamps){ .leap = replay_leap(
							     run->opt) };
		}
		for (; o->at < plan_count(r->plan); o->at++) {
			const struct plan_record *rec =
				plan_record(r->plan, o->at);

			o->due = due_of(run, o->base,
					stamps_next(&o->stamps, rec->ts));
			if (rec->flow != PLAN_NONE || o->loop == 0)
				return true;
			r->count.records_left++;
		}
		o->at = 0;
		o->base = due_of(run, o->base, r->length);
	}
	return false;
}

static int order_turn(struct run *run, void *ctx, uint64_t *next,
		      struct errbuf *e)
{
	struct replay_order *o = ctx;

	(void)e;
	for (int n = 0; n < BATCH && !run->stop; n++) {
		if (!o->found && !order_next(run))
			return SOURCE_OVER;
		o->found = o->due > run->now;
		if (o->found) {
			run_say_wait(run, o->due);
			*next = o->due;
			return SOURCE_RESTS;
		}
		hist_add(&run->delay, run->now - o->due);
		play_record(run, o->at++, o->loop);
	}
	return SOURCE_MORE;
}

/* --- by connection --- */

static enum engine_owed owed(struct run *run, const struct replay_active *a,
			     bool answers)
{
	struct replay *r = run->replay;
	const struct plan_tuple *t = &plan_flow(r->plan, a->flow)->tuple;
	struct flow_key key = { .client =
					plan_client(r->plan, a->flow, a->loop),
				.prod = t->prod,
				.cport = t->cport,
				.pport = t->pport };

	return engine_owed(run->engine, &key, AHEAD, answers);
}

/* With --fast: is the SUT so far? */
static bool is_open(struct run *run, const struct replay_active *a,
		    const struct plan_record *rec)
{
	const struct plan_flow *f = plan_flow(run->replay->plan, a->flow);
	struct engine_occupancy occ;

	if (!(rec->is & (PLAN_DATA | PLAN_END)))
		return true;
	if (rec->is & PLAN_DATAGRAM) {
		engine_occupancy(run->engine, run->now, &occ);
		return !(rec->is & PLAN_CLIENT) ||
		       occ.datagrams_open < DATAGRAMS;
	}
	if (rec->is & PLAN_CLIENT)
		return owed(run, a,
			    !f->answered &&
				    (rec->is & (PLAN_READ | PLAN_END))) !=
		       ENGINE_BUSY;
	return owed(run, a, false) <= ENGINE_EVEN;
}

/* When the next record of @a may be played: now, at a time to come, or when the
 * SUT is so far (WHEEL_NEVER is not among them: each gate opens in the end).
 */
static uint64_t ready_at(struct run *run, const struct replay_active *a)
{
	struct replay *r = run->replay;
	const struct plan_record *rec = plan_record(r->plan, a->next);

	if (!run->opt->fast)
		return a->due;
	if (is_open(run, a, rec))
		return run->now;
	if (run->now - a->since < GATE_WAIT)
		return a->since + GATE_WAIT;
	r->count.gates_forced++;
	return run->now;
}

/* Is nothing more to be expected of a connection whose records were played?
 * Else *@wake is when to ask again at the latest.
 */
static bool is_done(struct run *run, const struct replay_active *a,
		    uint64_t *wake)
{
	const struct plan_flow *f = plan_flow(run->replay->plan, a->flow);
	uint64_t most = run->opt->engine.shadow.max_lag;
	uint64_t wait = (f->has & PLAN_END) ? CLOSE_WAIT : OPEN_WAIT;

	switch ((f->has & PLAN_DATAGRAM) ? ENGINE_OVER : owed(run, a, true)) {
	case ENGINE_OVER:
		return true;
	case ENGINE_EVEN:
	case ENGINE_AHEAD:
		most = wait;
		break;
	case ENGINE_BUSY:
		break;
	}
	*wake = a->since + most;
	return run->now >= *wake;
}

/* When the next record of @a is due. */
static void set_due(struct run *run, struct replay_active *a)
{
	uint64_t ts;

	if (a->next == PLAN_NONE || run->opt->fast)
		return;
	ts = plan_record(run->replay->plan, a->next)->ts;
	a->due = due_of(run, a->base, stamps_next(&a->stamps, ts));
}

/* Play what may be of @a. Return: false if it has given its place back; else
 * *@wake is when it is to be looked at again at the latest
 */
static bool step(struct run *run, struct replay_active *a, uint64_t *wake)
{
	struct replay *r = run->replay;

	for (int n = 0; n < BATCH && a->next != PLAN_NONE; n++) {
		uint64_t at = ready_at(run, a);

		if (run->stop || at > run->now) {
			*wake = at;
			return true;
		}
		if (!run->opt->fast)
			hist_add(&run->delay, run->now - at);
		play_record(run, a->next, a->loop);
		a->next = plan_record(r->plan, a->next)->next;
		a->since = run->now;
		set_due(run, a);
	}
	*wake = run->now;
	if (a->next != PLAN_NONE || !is_done(run, a, wake)) {
		r->lingers = true;
		return true;
	}
	plan_flow(r->plan, a->flow)->played = a->loop + 1;
	return false;
}

/* May the next connection begin? Else *@wake is when, if that is known. */
static bool may_begin(struct run *run, const struct replay_starts *s,
		      uint64_t *wake)
{
	struct replay *r = run->replay;
	const struct plan_flow *f;
	uint64_t due;

	if (s->loop == run->opt->loop || r->actives == r->most)
		return false;
	f = plan_flow(r->plan, s->flow);
	if (f->older != PLAN_NONE &&
	    plan_flow(r->plan, f->older)->played <= s->loop)
		return false;
	if (run->opt->fast)
		return true;
	due = due_of(run, s->base, f->at);
	if (due > run->now && due < *wake)
		*wake = due;
	return due <= run->now;
}

static void begin_some(struct run *run, struct replay_starts *s, uint64_t *wake)
{
	struct replay *r = run->replay;

	while (may_begin(run, s, wake)) {
		r->count.loops += s->flow == 0;
		r->active[r->actives] = (struct replay_active){
			.flow = s->flow,
			.loop = s->loop,
			.next = plan_flow(r->plan, s->flow)->first,
			.base = run->now,
			.since = run->now,
			.stamps.leap = replay_leap(run->opt),
		};
		set_due(run, &r->active[r->actives++]);
		if (++s->flow < plan_flows(r->plan))
			continue;
		s->flow = 0;
		s->loop++;
		s->base = due_of(run, s->base, r->length);
	}
}

static bool flows_over(struct run *run, void *ctx)
{
	const struct replay *r = ctx;

	return plan_flows(r->plan) == 0 ||
	       (r->starts.loop == run->opt->loop && r->actives == 0);
}

/* One look at BATCH active connections; when all were looked at, it may rest.
 */
static int flows_turn(struct run *run, void *ctx, uint64_t *next,
		      struct errbuf *e)
{
	struct replay *r = ctx;

	(void)e;
	if (r->cursor == 0) {
		r->lingers = run->opt->fast;
		r->wake = UINT64_MAX;
		begin_some(run, &r->starts, &r->wake);
	}
	while (r->cursor < r->actives && !run->stop) {
		uint64_t at = UINT64_MAX;

		if (!step(run, &r->active[r->cursor], &at)) {
			r->active[r->cursor] = r->active[--r->actives];
			begin_some(run, &r->starts, &r->wake);
			continue;
		}
		if (at < r->wake)
			r->wake = at;
		if (++r->cursor % BATCH == 0)
			return SOURCE_MORE;
	}
	r->cursor = 0;
	if (r->wake <= run->now)
		return SOURCE_MORE;
	if (!r->lingers)
		run_say_wait(run, r->wake);
	*next = r->wake;
	return SOURCE_RESTS;
}

int replay_play(struct run *run, struct errbuf *e)
{
	static const struct source_ops by_flow = { .over = flows_over,
						   .turn = flows_turn };
	static const struct source_ops in_order = { .turn = order_turn };
	struct replay *r = run->replay;
	struct replay_counters *c = &r->count;

	r->starts.base = run->now;
	r->order.base = run->now;
	if (r->most > 0) {
		c->records_left = c->records_no_flow * run->opt->loop;
		run_loop(run, &(struct source){ &by_flow, r }, e);
	} else {
		run_loop(run, &(struct source){ &in_order, &r->order }, e);
	}
	c->records_not_reached = c->records * run->opt->loop -
				 c->records_played - c->records_behind_cut -
				 c->records_left;
	if (run->stopped.s[0] == '\0')
		run->stopped = r->short_of;
	return 0;
}
