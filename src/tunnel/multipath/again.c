/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * again.c - The fate of what was sent, and what is sent again
 *
 * Theory of operation
 *
 * A feedback says the highest number that came on a path and which below it did
 * not. All between the last known number and it have their fate then: come, or
 * lost, for a later one on that path came. A lost packet is sent again in front
 * of everything else, on the path that delivers it earliest; there it has a new
 * number, and is lost and found like any other. It is given up when it is two
 * seconds old: who sent it has sent it again by himself, or does not want it
 * any more.
 *
 * When nothing comes after the last packets, nothing shows that they are lost.
 * So a path with something out has a timer (as RFC 8985 section 7): smoothed
 * round trip, four times its variance, three packet times, and the time that a
 * feedback may wait. When it runs out, the oldest packet is sent again,
 * wherever that is earliest, and a probe on this path: it is answered at once,
 * and the answer says of all the others. A path that is silent for two such
 * timers, and longer than three round trips (200 to 500 ms), is left: all that
 * is out goes again elsewhere. It is probed then, less and less often, to once
 * a second; its first answer takes it back, measured anew. When our own side is
 * silent as well, nobody is probed: the next packet begins with it.
 *
 * A feedback that names losses is answered by a settle, so that it need not
 * name them again; a settle also tells how long a hole may hold up a lane at
 * the far end, which knows neither round trips nor rates.
 */
#include "multipath/multipath_internal.h"

#define PATIENCE_MOST (10 * NS_PER_SEC)
#define SILENT_LEAST  (200 * NS_PER_MS)
#define SILENT_MOST   (500 * NS_PER_MS)
#define IDLE	      (10 * NS_PER_SEC) /* then silent paths are not probed */
#define TELL_AGAIN    (1 * NS_PER_SEC)

/* Put a lost packet into the list, unless it came or is there already. */
static void again(struct mp *m, struct buf *f)
{
	if (!m->config.again ||
	    f->flags & (MP_F_ONCE | MP_F_AGAIN | MP_F_ACKED)) {
		mp_drop(m, f);
		return;
	}
	f->flags |= MP_F_AGAIN;
	f->next = NULL;
	*m->again_last = f;
	m->again_last = &f->next;
}

struct buf *mp_again_next(struct mp *m, uint64_t now)
{
	while (m->again_first) {
		struct buf *f = m->again_first;

		m->again_first = f->next;
		if (!m->again_first)
			m->again_last = &m->again_first;
		f->next = NULL;
		f->flags &= (uint16_t)~MP_F_AGAIN;
		if (!(f->flags & MP_F_ACKED) && now - f->now <= MP_AGAIN_MOST)
			return f;
		if (!(f->flags & MP_F_ACKED))
			m->n.again_old++;
		mp_drop(m, f);
	}
	return NULL;
}

/* One number of a path has met its fate. */
static void fate(struct mp *m, struct mp_path *p, struct mp_sent *s, bool lost)
{
	struct buf *f = s->frame;

	p->bulk_out -= s->answered;
	s->frame = NULL;
	if (!f)
		return;
	if (lost) {
		again(m, f);
	} else {
		f->flags |= MP_F_ACKED;
		mp_drop(m, f);
	}
}

/* All up to the highest of @r: those in its ranges are lost. */
static void all_fates(struct mp *m, struct mp_path *p,
		      const struct mp_report *r)
{
	uint32_t i = 0;

	for (uint32_t k = p->done + 1; k != r->highest + 1; k++) {
		struct mp_sent *s = &p->sent[k & (m->limits.window - 1)];
		bool lost;

		while (i < r->ranges &&
		       seq_le(r->range[i].first + r->range[i].count, k))
			i++;
		lost = i < r->ranges && seq_le(r->range[i].first, k);
		p->n.lost += lost;
		p->n.acked += !lost;
		p->model.round_lost += lost;
		p->model.round_came += !lost;
		p->acked = s->total;
		fate(m, p, s, lost);
	}
	p->done = r->highest;
}

/* Without feedback for so long its packets are lost, or the path is. */
static uint64_t patience(const struct mp_path *p)
{
	const struct mp_model *d = &p->model;
	uint64_t var = 4 * d->var;
	uint64_t wait;

	if (d->srtt == 0)
		return MP_TIMEOUT_NEW;
	if (var < MP_REPORT_WAIT)
		var = MP_REPORT_WAIT;
	wait = d->srtt + var + mp_time(d, 3 * MP_PACKET) +
	       (p->bulk_out == 0 ? MP_REPORT_THIN : 0);
	return wait < PATIENCE_MOST ? wait : PATIENCE_MOST;
}

void mp_arm_lost(struct mp *m, struct mp_path *p, uint64_t now)
{
	uint64_t at = now + patience(p);

	if (!timer_armed(&p->lost.t) || at < p->deadline)
		p->deadline = at;
	mp_arm(m, &p->lost, p->deadline);
}

void mp_feedback(struct mp *m, const struct mp_report *r, uint64_t now)
{
	struct mp_path *p = &m->path[r->path];

	if (!seq_lt(r->highest, p->next)) {
		m->n.feedback_bad++;
		return;
	}
	if (!seq_lt(p->done, r->highest)) {
		/* Too late for news, but it may still wait for a settle. */
		m->n.feedback_old++;
		p->owes_settle |= r->ranges > 0;
		return;
	}
	m->n.feedback_in++;
	if (!p->alive) {
		p->alive = true;
		m->n.path_back += p->heard;
		mp_measure(p);
	}
	p->heard = true;
	p->heard_at = now;
	p->silent = 0;
	mp_learn(m, p, r, now);
	all_fates(m, p, r);
	mp_round(p, now);
	p->owes_settle |= r->ranges > 0;
	p->deadline = now + patience(p);
	if (p->next - p->done > 1)
		mp_arm(m, &p->lost, p->deadline);
}

void mp_leave(struct mp *m, struct mp_path *p)
{
	for (uint32_t k = p->done + 1; k != p->next; k++) {
		p->n.left++;
		fate(m, p, &p->sent[k & (m->limits.window - 1)], true);
	}
	p->done = p->next - 1;
	p->acked = p->tx;
}

void mp_probe(struct mp *m, struct mp_path *p, uint64_t now,
	      struct mp_effects *out)
{
	struct mp_effect *e;
	struct mp_header h = { .type = MP_PROBE,
			       .path = (uint8_t)(p - m->path) };

	if (p->next - p->done > m->limits.window)
		return;
	e = mp_effect(m, out);
	if (!e)
		return;
	h.path_seq = mp_number(m, p, NULL, mp_size_of(0), false, true, now);
	*e = (struct mp_effect){ .send = true,
				 .path = h.path,
				 .why = MP_WHY_PROBE };
	e->n = mp_header_emit(&h, e->bytes);
	m->n.probes++;
	mp_arm_lost(m, p, now);
}

/* The oldest packet that is out; it may be the only one that is lost. */
static void repeat_oldest(struct mp *m, struct mp_path *p)
{
	for (uint32_t k = p->done + 1; k != p->next; k++) {
		struct mp_sent *s = &p->sent[k & (m->limits.window - 1)];

		if (s->frame) {
			again(m, s->frame);
			s->frame = NULL;
			return;
		}
	}
}

void mp_lost_timeout(struct mp *m, struct mp_path *p, uint64_t now,
		     struct mp_effects *out)
{
	uint64_t limit = 3 * p->model.srtt;
	uint64_t wait;

	if (p->fresh) {
		p->fresh = false;
		mp_probe(m, p, now, out);
		return;
	}
	if (p->next - p->done == 1 && p->alive)
		return; /* nothing is out */
	if (now < p->deadline) {
		mp_arm(m, &p->lost, p->deadline);
		return;
	}
	p->n.timeouts++;
	p->silent++;
	if (limit < SILENT_LEAST)
		limit = SILENT_LEAST;
	if (limit > SILENT_MOST)
		limit = SILENT_MOST;
	if (p->alive && p->silent >= 2 && now - p->heard_at > limit) {
		p->alive = false;
		m->n.path_lost++;
		mp_leave(m, p);
	}
	/* Probes stay out: the answer to any of them takes the path back. */
	if (p->next - p->done > m->limits.window / 2 && !p->alive)
		mp_leave(m, p);
	if (p->alive)
		repeat_oldest(m, p);
	else if (now - m->inner_at > IDLE)
		return;
	mp_probe(m, p, now, out);
	wait = patience(p) << (p->silent < 8 ? p->silent : 8);
	if (p->alive)
		wait = patience(p);
	p->deadline = now + (wait < MP_TIMEOUT_MOST ? wait : MP_TIMEOUT_MOST);
	mp_arm(m, &p->lost, p->deadline);
}

/* How long a hole may hold up a lane at the other end. */
static uint64_t hold_of(const struct mp *m)
{
	uint64_t skew = mp_skew(m);
	uint64_t rtt = 0, packets = 0, hold;

	for (unsigned i = 0; i < m->path_n; i++) {
		const struct mp_model *d = &m->path[i].model;

		if (!mp_usable(&m->path[i]))
			continue;
		if (d->srtt > rtt)
			rtt = d->srtt;
		if (mp_time(d, 2 * MP_PACKET) > packets)
			packets = mp_time(d, 2 * MP_PACKET);
	}
	hold = skew + rtt * 5 / 4 + packets;
	if (hold < 2 * skew)
		hold = 2 * skew;
	if (hold < MP_HOLD_LEAST)
		hold = MP_HOLD_LEAST;
	return hold < MP_HOLD_MOST ? hold : MP_HOLD_MOST;
}

void mp_settle(struct mp *m, struct mp_path *p, uint64_t now,
	       struct mp_effects *out)
{
	uint64_t hold = hold_of(m);
	uint64_t off =
		hold > m->told_hold ? hold - m->told_hold : m->told_hold - hold;
	bool news = off > m->told_hold / 4 && now - m->bulk_at < TELL_AGAIN;
	struct mp_header h = { .type = MP_SETTLE,
			       .path = (uint8_t)(p - m->path),
			       .path_seq = p->done,
			       .lane_seq = mp_us(hold) };
	struct mp_effect *e;

	if (now - m->told_at > TELL_AGAIN && now - m->bulk_at < TELL_AGAIN)
		news = true;
	if (!p->owes_settle && !news)
		return;
	if (now - p->settled_at < MP_SETTLE_WAIT)
		return; /* the next feedback brings us here again */
	e = mp_effect(m, out);
	if (!e)
		return;
	if (p->n.lost > 0)
		h.lane = (uint16_t)(p->model.srtt / NS_PER_MS);
	*e = (struct mp_effect){ .send = true,
				 .path = h.path,
				 .why = MP_WHY_SETTLE };
	e->n = mp_header_emit(&h, e->bytes);
	m->n.settles++;
	p->owes_settle = false;
	p->settled_at = now;
	m->told_hold = hold;
	m->told_at = now;
}

void mp_wake(struct mp *m, uint64_t now, struct mp_effects *out)
{
	bool idle = now - m->inner_at > IDLE;

	m->inner_at = now;
	for (unsigned i = 0; idle && i < m->path_n; i++) {
		struct mp_path *p = &m->path[i];

		if (p->used && !p->alive && !timer_armed(&p->lost.t))
			mp_probe(m, p, now, out);
	}
}
