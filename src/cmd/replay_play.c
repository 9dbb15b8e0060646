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
 * shortened by --multiplier. All that a capture holds is handed in, also what is
 * of no connection. A record that is late is handed in at once, and its lateness
 * is measured (the report's "read after"); the distances are always those from the
 * first record, so that lateness does not add up.
 *
 * By connection (--fast, --concurrency): as many connections as are allowed are
 * active, each with a cursor. They begin in the capture's order; one begins when
 * there is a place, when the older incarnation of its tuple has ended and, without
 * --fast, not before its time. It gives its place back when its records are
 * played and its legs have ended, or when nothing more is to be expected of them.
 * Only records of connections are handed in; the others are counted.
 *
 * Without --fast a record has its distance from the connection's first one. With
 * it, a record is handed in as soon as the SUT is so far:
 *
 *   the client's payload and end    when all of its bytes before have gone out. The
 *                                   machine holds what waits for an answer (I16b),
 *                                   so this is when the SUT has answered
 *   production's payload            while its answer is less than AHEAD in front
 *                                   of the SUT's, which bounds what is kept for the
 *                                   comparison
 *   all else (acks, handshake)      at once
 *
 * Where production was not captured, its acks and answers are not there to wait
 * for: payload that the client sent after it had read something waits until the
 * SUT has answered every request before it. A gate that stays closed for
 * GATE_WAIT lets one record pass, counted: the machine bounds all waits itself,
 * and a capture with holes must not stand still. Datagrams have no acks; there are
 * DATAGRAMS of them open at most.
 *
 * A repetition (--loop) gives each client another address (plan_client()), as the
 * SUT would take the same SYN for an old one's. What has no connection is handed
 * in once.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "cmd/replay_internal.h"
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

/* The bytes of record @rec, valid until the next call. Return: NULL, and the run
 * ends with a sentence, if they are not there any more
 */
static const uint8_t *bytes_of(struct live *l, const struct plan_record *rec)
{
	struct replay *r = l->replay;
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
	errbuf_set(&l->stopped, -EIO, "%s: it was changed while it was played",
		   l->opt->file[rec->file]);
	l->stop = true;
	return NULL;
}

/* Give the client of a repetition its address. False: that cannot be done. */
static bool rename_client(struct live *l, const struct plan_record *rec,
			  uint32_t loop, struct frame_info *in)
{
	struct replay *r = l->replay;
	struct ipaddr ip = plan_client(r->plan, rec->flow, loop);
	struct decoded d;
	enum decode_result kind;
	bool open = false;

	in->csum_ok = true; /* it was right, or it had no connection */
	kind = frame_decode_open(in, VXLAN_NONE, NULL, 0, &d, &open);
	if (kind != DECODE_TCP && kind != DECODE_UDP)
		return false;
	memcpy(r->frame, in->data, in->cap);
	in->data = r->frame;
	return readdress(r->frame, in->cap, d.l3, (rec->is & PLAN_CLIENT) != 0,
			 &ip) == 0;
}

static void play_record(struct live *l, uint32_t i, uint32_t loop)
{
	struct replay *r = l->replay;
	const struct plan_record *rec = plan_record(r->plan, i);
	struct frame_info in = { .data = bytes_of(l, rec),
				 .cap = rec->cap,
				 .wire = rec->wire,
				 .ts = rec->ts,
				 .link = rec->link,
				 .trusted = r->trust[rec->file] };

	if (in.data == NULL)
		return;
	if (plan_is_behind_cut(r->plan, i)) {
		r->count.records_behind_cut++;
		return;
	}
	if (loop > 0 ? !rename_client(l, rec, loop, &in)
		     : !clients_take(l, &in)) {
		r->count.records_left++;
		return;
	}
	r->count.records_played++;
	l->mirror_frames++;
	live_feed(l, &in);
}

/* --- in the capture's order --- */

/* When what is @at behind the beginning of a part that began at @base is due. */
static uint64_t due_of(const struct live *l, uint64_t base, uint64_t at)
{
	return base + plan_time(at, l->opt->multiplier);
}

static void play_loop(struct live *l, uint32_t loop, uint64_t base)
{
	struct replay *r = l->replay;
	uint32_t n = plan_count(r->plan);
	struct stamps stamps = { .leap = replay_leap(l->opt) };

	for (uint32_t i = 0; i < n && !l->stop; i++) {
		const struct plan_record *rec = plan_record(r->plan, i);
		uint64_t due = due_of(l, base, stamps_next(&stamps, rec->ts));

		if (rec->flow == PLAN_NONE && loop > 0) {
			r->count.records_left++;
			continue;
		}
		live_wait(l, due);
		if (l->stop)
			break;
		hist_add(&l->delay, l->now - due);
		play_record(l, i, loop);
		if (i % BATCH == 0) { /* also when it is always late */
			live_turn(l);
			live_look(l);
		}
	}
}

static void play_in_order(struct live *l)
{
	struct replay *r = l->replay;
	uint64_t base = l->now;

	for (uint32_t loop = 0; loop < l->opt->loop && !l->stop; loop++) {
		r->count.loops++;
		play_loop(l, loop, base);
		base = due_of(l, base, r->length);
	}
}

/* --- by connection --- */

static enum engine_owed owed(struct live *l, const struct replay_active *a,
			     bool answers)
{
	struct replay *r = l->replay;
	const struct plan_tuple *t = &plan_flow(r->plan, a->flow)->tuple;
	struct flow_key key = { .client =
					plan_client(r->plan, a->flow, a->loop),
				.prod = t->prod,
				.cport = t->cport,
				.pport = t->pport };

	return engine_owed(l->engine, &key, AHEAD, answers);
}

/* With --fast: is the SUT so far? */
static bool is_open(struct live *l, const struct replay_active *a,
		    const struct plan_record *rec)
{
	const struct plan_flow *f = plan_flow(l->replay->plan, a->flow);
	struct engine_occupancy occ;

	if ((rec->is & (PLAN_DATA | PLAN_END)) == 0)
		return true;
	if ((rec->is & PLAN_DATAGRAM) != 0) {
		engine_occupancy(l->engine, l->now, &occ);
		return (rec->is & PLAN_CLIENT) == 0 ||
		       occ.datagrams_open < DATAGRAMS;
	}
	if ((rec->is & PLAN_CLIENT) != 0)
		return owed(l, a,
			    !f->answered &&
				    (rec->is & (PLAN_READ | PLAN_END)) != 0) !=
		       ENGINE_BUSY;
	return owed(l, a, false) <= ENGINE_EVEN;
}

/* When the next record of @a may be played: now, at a time to come, or when the
 * SUT is so far (WHEEL_NEVER is not among them: each gate opens in the end).
 */
static uint64_t ready_at(struct live *l, const struct replay_active *a)
{
	struct replay *r = l->replay;
	const struct plan_record *rec = plan_record(r->plan, a->next);

	if (!l->opt->fast)
		return a->due;
	if (is_open(l, a, rec))
		return l->now;
	if (l->now - a->since < GATE_WAIT)
		return a->since + GATE_WAIT;
	r->count.gates_forced++;
	return l->now;
}

/* Is nothing more to be expected of a connection whose records were played?
 * Else *@wake is when to ask again at the latest.
 */
static bool is_done(struct live *l, const struct replay_active *a,
		    uint64_t *wake)
{
	const struct plan_flow *f = plan_flow(l->replay->plan, a->flow);
	uint64_t most = l->opt->engine.shadow.max_lag;
	uint64_t wait = (f->has & PLAN_END) != 0 ? CLOSE_WAIT : OPEN_WAIT;

	switch ((f->has & PLAN_DATAGRAM) != 0 ? ENGINE_OVER
					      : owed(l, a, true)) {
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
	return l->now >= *wake;
}

/* When the next record of @a is due. */
static void set_due(struct live *l, struct replay_active *a)
{
	uint64_t ts;

	if (a->next == PLAN_NONE || l->opt->fast)
		return;
	ts = plan_record(l->replay->plan, a->next)->ts;
	a->due = due_of(l, a->base, stamps_next(&a->stamps, ts));
}

/* Play what may be of @a. Return: false if it has given its place back; else
 * *@wake is when it is to be looked at again at the latest
 */
static bool step(struct live *l, struct replay_active *a, uint64_t *wake)
{
	struct replay *r = l->replay;

	for (int n = 0; n < BATCH && a->next != PLAN_NONE; n++) {
		uint64_t at = ready_at(l, a);

		if (l->stop || at > l->now) {
			*wake = at;
			return true;
		}
		if (!l->opt->fast)
			hist_add(&l->delay, l->now - at);
		play_record(l, a->next, a->loop);
		a->next = plan_record(r->plan, a->next)->next;
		a->since = l->now;
		set_due(l, a);
	}
	*wake = l->now;
	if (a->next != PLAN_NONE || !is_done(l, a, wake)) {
		r->lingers = true;
		return true;
	}
	plan_flow(r->plan, a->flow)->played = a->loop + 1;
	return false;
}

/* Where the next connection stands, over all repetitions. */
struct starts {
	uint32_t flow;
	uint32_t loop;
	uint64_t base; /* of the repetition */
};

/* May the next connection begin? Else *@wake is when, if that is known. */
static bool may_begin(struct live *l, const struct starts *s, uint64_t *wake)
{
	struct replay *r = l->replay;
	const struct plan_flow *f;
	uint64_t due;

	if (s->loop == l->opt->loop || r->actives == r->most)
		return false;
	f = plan_flow(r->plan, s->flow);
	if (f->older != PLAN_NONE &&
	    plan_flow(r->plan, f->older)->played <= s->loop)
		return false;
	if (l->opt->fast)
		return true;
	due = due_of(l, s->base, f->at);
	if (due > l->now && due < *wake)
		*wake = due;
	return due <= l->now;
}

static void begin_some(struct live *l, struct starts *s, uint64_t *wake)
{
	struct replay *r = l->replay;

	while (may_begin(l, s, wake)) {
		r->count.loops += s->flow == 0;
		r->active[r->actives] = (struct replay_active){
			.flow = s->flow,
			.loop = s->loop,
			.next = plan_flow(r->plan, s->flow)->first,
			.base = l->now,
			.since = l->now,
			.stamps.leap = replay_leap(l->opt),
		};
		set_due(l, &r->active[r->actives++]);
		if (++s->flow < plan_flows(r->plan))
			continue;
		s->flow = 0;
		s->loop++;
		s->base = due_of(l, s->base, r->length);
	}
}

/* One look at every active connection. Return: when the next one is due */
static uint64_t step_all(struct live *l, struct starts *s)
{
	struct replay *r = l->replay;
	uint64_t wake = UINT64_MAX;
	uint32_t i = 0;

	r->lingers = l->opt->fast;
	begin_some(l, s, &wake);
	while (i < r->actives && !l->stop) {
		uint64_t at = UINT64_MAX;

		if (!step(l, &r->active[i], &at)) {
			r->active[i] = r->active[--r->actives];
			begin_some(l, s, &wake);
			continue;
		}
		if (at < wake)
			wake = at;
		if (++i % BATCH == 0)
			live_turn(l);
	}
	return wake;
}

static void play_by_flow(struct live *l)
{
	struct replay *r = l->replay;
	struct starts s = { .base = l->now };

	r->count.records_left = r->count.records_no_flow * l->opt->loop;
	if (plan_flows(r->plan) == 0)
		return;
	while (!l->stop && (s.loop < l->opt->loop || r->actives > 0)) {
		uint64_t wake = step_all(l, &s);

		if (live_turn(l) == 0 && !l->stop && wake > l->now) {
			if (!l->replay->lingers)
				live_say_wait(l, wake);
			live_rest(l, wake);
		}
		live_look(l);
	}
}

void replay_play(struct live *l)
{
	struct replay *r = l->replay;
	struct replay_counters *c = &r->count;

	if (r->most > 0)
		play_by_flow(l);
	else
		play_in_order(l);
	c->records_not_reached = c->records * l->opt->loop - c->records_played -
				 c->records_behind_cut - c->records_left;
	if (l->stopped.s[0] == '\0')
		l->stopped = r->short_of;
}
