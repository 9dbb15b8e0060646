/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * path.c - What a sender believes of a path: rate, delay, window
 *
 * Theory of operation
 *
 * All is learnt from feedback; a scheduler is as good as these figures.
 *
 * Delay. The round trip is the time since the highest number was sent, less
 * what the receiver held it back. One way, receiver's clock less ours is wrong
 * by an offset that all paths share: only differences between paths are used,
 * so it may stay. Of both, the least of the last ten seconds is the path's own;
 * what the packet itself takes at the path's rate is taken off the way. By what
 * the way is longer than its least a packet queued; one that was late alone may
 * have waited for a program's turn, so of three the least counts. The round
 * trip would count the other direction's queue, too: a path that carries
 * acknowledgments alone, beside a busy way back, would look full at the little
 * that it carries. When eight seconds saw no round trip near the least,
 * something of ours stands in the path's queue all the time, and would soon be
 * taken for its length: for one round half a window is sent.
 *
 * Rate. Bytes between two feedbacks by the receiver's clock, over at least half
 * a round trip (20 to 150 ms). The rate is the greatest of the last ten rounds.
 * A lower sample says something only if the path was the limit: its window was
 * full, or packets queued on it (their way was longer than the least); a first
 * one that is only of a few pings would keep packets away for good. A
 * round ages only then, so that an idle hour forgets nothing. The first SKIP
 * packets after an idle time count for nothing: a shaper lets a burst through
 * at once, and a path of 20 kB/s would look like one of 150. Idle is a path
 * since the feedback that left nothing out: where whole windows come at once
 * nothing is out after each, and no packet would ever count.
 *
 * A rate that only use can correct never leaves a wrong value: too low, and
 * nothing is sent there that would show it; so a path is measured with copies
 * when it is new, and again when nobody used it though something waited
 * (schedule.c). Until the new figures are there the old ones hold.
 *
 * Window. rate x (least round trip + the time a feedback waits) + 5 ms (of 24
 * packets at most, or of a millisecond, which is a turn of the programs at both
 * ends: above 300 Mbit/s they would wait for each other), and a little more so
 * that a path which got faster shows it: a twentieth, each eighth round a
 * quarter, never beyond 20 ms of rate or 48 packets; queues of a hundred
 * packets are common, and an overflow costs more than a slow climb. When the
 * rate did grow, the step up is doubled for the next round. While the
 * path is measured the window is four times rate x round trip: a slow start
 * inside, which doubles too, would run ahead of a smaller one, and take the
 * queue for the end of the path. Loss caps the window only where packets
 * queued, too, or above a tenth; a cap is never below rate x round trip, stays
 * ten rounds, and grows away. Random loss is not the path's limit.
 *
 * Pace. A window says how much may be out, not how fast: a round trip's worth
 * that is released at once overflows any queue though the window has room for
 * it. So a path is paced at 1.1 x rate (1.25 while the step up is doubled, 2
 * while it is measured), with bursts of 8 packets or 2 ms. More would fill the
 * queue within the first round trip after a pause, before any feedback could
 * tell.
 *
 * Estimate. A packet given to a path now arrives after what is queued there has
 * been sent: of what is out, rate x round trip is on its way and not in the
 * queue. To it comes the mean error of past estimates, which rises at once and
 * falls slowly: a packet that is late holds up a lane, one that is early only
 * lies there.
 */
#include "multipath/multipath_internal.h"

#include <assert.h>

#define SKIP	      5	    /* packets of a burst */
#define SAMPLE_BYTES  4500u /* least, for a sample of the rate */
#define SAMPLE_LEAST  (20 * NS_PER_MS)
#define SAMPLE_MOST   (150 * NS_PER_MS)
#define LOSS_BITS     16  /* fraction of the share that is lost */
#define LOSS_ROUNDS   16u /* over which it is averaged */
#define LOSSY	      ((1u << LOSS_BITS) / 500)
#define LOSS_COUNT    10 /* least in a round, to speak of a share */
#define CAP_ROUNDS    10 /* for which a cap stays */
#define SAME_ROUNDS   3	 /* without growth: the rate is known */
#define BURST_PACKETS 8u
#define BURST_LEAST   (2 * NS_PER_MS)
#define FIRST_RATE    (MP_UNKNOWN / 2) /* less, without a limit, says nothing */
#define FIRST_WINDOW  40u	       /* packets */
#define QUEUE_MOST    (20 * NS_PER_MS)
#define MORE_PACKETS  48u
#define QUEUE_PACKETS 24u
#define BOOST_MOST    64u
#define QUEUE_LEAST   (5 * NS_PER_MS)
#define QUEUE_TURN    (1 * NS_PER_MS) /* of a program at the far end */
#define SPEND_FIRST   4000000u	      /* a sample of what has no limit */
#define SPEND_PACKETS 64u
#define SPEND_TIME    (200 * NS_PER_MS)
#define SPEND_WAYS    16u
#define CAP_SHARE     16u
#define TOGETHER      (1 * NS_PER_MS)
#define DRAIN_AFTER   (8 * NS_PER_SEC)
#define SKEW_MOST     (400 * NS_PER_MS)
#define SKEW_SHARE    50u /* slower than 1/50 of all: not worth waiting for */

static void least_add(struct mp_least *l, int64_t v, uint64_t now)
{
	uint64_t second = now / NS_PER_SEC;
	uint64_t gap = second - l->second;

	for (uint64_t i = 0; i < (gap < MP_SECONDS ? gap : MP_SECONDS); i++)
		l->used[(second - i) % MP_SECONDS] = false;
	l->second = second;
	if (!l->used[second % MP_SECONDS] ||
	    v < l->value[second % MP_SECONDS]) {
		l->used[second % MP_SECONDS] = true;
		l->value[second % MP_SECONDS] = v;
	}
}

static int64_t least_get(const struct mp_least *l)
{
	int64_t v = INT64_MAX;

	for (unsigned i = 0; i < MP_SECONDS; i++)
		if (l->used[i] && l->value[i] < v)
			v = l->value[i];
	return v;
}

int64_t mp_least_of(struct mp_least *l, int64_t v, uint64_t now)
{
	least_add(l, v, now);
	return least_get(l);
}

static void most_add(struct mp_most *q, uint64_t v, uint32_t round)
{
	while (q->n > 0 && q->e[q->n - 1].value <= v)
		q->n--;
	if (q->n > 0 && q->e[q->n - 1].round == round)
		return; /* a greater one is as young */
	if (q->n == sizeof(q->e) / sizeof(q->e[0]))
		q->n--; /* the least of all goes */
	q->e[q->n].value = v;
	q->e[q->n].round = round;
	q->n++;
}

static void most_age(struct mp_most *q, uint32_t round)
{
	uint32_t old = 0;

	while (old + 1 < q->n && round - q->e[old].round > MP_ROUNDS)
		old++;
	q->n -= old;
	for (uint32_t i = 0; i < q->n; i++)
		q->e[i] = q->e[i + old];
}

static void set_rate(struct mp_model *d, uint64_t rate)
{
	d->rate = rate;
	d->span =
		(NS_PER_SEC << MP_SPAN_BITS) / (rate == 0 ? MP_UNKNOWN : rate);
	if (d->span == 0)
		d->span = 1;
}

/* How long a feedback waits for the fourth packet. */
static uint64_t feedback_wait(const struct mp_model *d)
{
	uint64_t t = mp_time(d, MP_REPORT_BULK - MP_PACKET);

	return t < MP_REPORT_WAIT ? t : MP_REPORT_WAIT;
}

static uint64_t bytes_in(const struct mp_model *d, uint64_t ns)
{
	return d->rate * (ns / NS_PER_US) / (NS_PER_SEC / NS_PER_US);
}

static void set_window(struct mp_model *d)
{
	uint64_t way, more, queue, most;

	d->flight = 0;
	if (d->rate == 0 || d->min_rtt == UINT64_MAX) {
		d->window = FIRST_WINDOW * MP_PACKET;
		return;
	}
	d->flight = bytes_in(d, d->min_rtt + feedback_wait(d) / 2);
	way = bytes_in(d, d->min_rtt);
	more = way / (d->round % 8 == 0 || d->boost > 1 ? 4 : 20);
	if (more > d->boost * MORE_PACKETS * MP_PACKET)
		more = d->boost * MORE_PACKETS * MP_PACKET;
	if (more > bytes_in(d, QUEUE_MOST))
		more = bytes_in(d, QUEUE_MOST);
	if (d->state == MP_MEASURING)
		more = 3 * way;
	queue = bytes_in(d, QUEUE_LEAST);
	if (queue < MP_PACKET)
		queue = MP_PACKET;
	most = bytes_in(d, QUEUE_TURN);
	if (most < QUEUE_PACKETS * MP_PACKET)
		most = QUEUE_PACKETS * MP_PACKET;
	if (queue > most)
		queue = most;
	d->window = way + bytes_in(d, feedback_wait(d)) + more + queue;
	if (d->cap > 0 && d->window > d->cap)
		d->window = d->cap;
	if (d->window < 2 * MP_PACKET)
		d->window = 2 * MP_PACKET;
	if (d->draining)
		d->window = way / 2 > MP_PACKET ? way / 2 : MP_PACKET;
}

void mp_model_init(struct mp_model *d)
{
	*d = (struct mp_model){ .state = MP_MEASURING,
				.min_rtt = UINT64_MAX,
				.round_ahead = UINT64_MAX,
				.boost = 1 };
	set_rate(d, 0);
	set_window(d);
}

void mp_measure(struct mp_path *p)
{
	struct mp_model *d = &p->model;

	d->state = MP_MEASURING;
	d->rates.n = 0;
	d->rels = (struct mp_least){ 0 };
	d->counting = false;
	d->bias = 0;
	d->grown = 0;
	d->same = 0;
	d->cap = 0;
	d->window = FIRST_WINDOW * MP_PACKET;
	p->spent = 0;
}

bool mp_may_measure(const struct mp_path *p)
{
	const struct mp_model *d = &p->model;
	uint64_t most = SPEND_FIRST;

	if (p->config.cap > 0 && p->copied > p->config.cap / CAP_SHARE)
		return false;
	if (d->rate > 0 && d->min_rtt != UINT64_MAX) {
		most = bytes_in(d, SPEND_TIME);
		if (most < SPEND_PACKETS * MP_PACKET)
			most = SPEND_PACKETS * MP_PACKET;
		if (most > SPEND_FIRST)
			most = SPEND_FIRST;
		most += SPEND_WAYS * bytes_in(d, d->min_rtt);
	}
	return p->spent < most;
}

/* What may be sent at once beyond the pace. */
static uint64_t burst_of(const struct mp_model *d)
{
	uint64_t t = mp_time(d, BURST_PACKETS * MP_PACKET);

	return t > BURST_LEAST ? t : BURST_LEAST;
}

int64_t mp_eta(const struct mp_path *p, uint32_t size)
{
	const struct mp_model *d = &p->model;
	uint64_t out = mp_out(p);
	uint64_t queued = out > d->flight ? out - d->flight : 0;
	int64_t eta = (int64_t)mp_time(d, queued + size) + d->bias;

	if (d->has_rel)
		eta += d->rel;
	return eta;
}

bool mp_allowed(const struct mp_path *p)
{
	return !p->config.off &&
	       (p->config.cap == 0 || p->n.sent_bytes < p->config.cap);
}

bool mp_usable(const struct mp_path *p)
{
	return p->used && p->alive && mp_allowed(p);
}

bool mp_room(const struct mp *m, const struct mp_path *p)
{
	return mp_out(p) < p->model.window &&
	       p->next - p->done <= m->limits.window &&
	       p->paced_at <= m->now + burst_of(&p->model);
}

uint64_t mp_paced_until(const struct mp *m, const struct mp_path *p)
{
	uint64_t burst = burst_of(&p->model);

	if (mp_out(p) >= p->model.window || p->paced_at <= m->now + burst)
		return UINT64_MAX;
	return p->paced_at - burst / 2;
}

/* Who pays for a path may say how much it gets, whatever it could bear. */
static void keep_rate(struct mp_path *p, uint32_t size, uint64_t now)
{
	uint64_t at = p->rated_at > now ? p->rated_at : now;

	if (p->config.rate == 0)
		return;
	p->rated_at = at + size * NS_PER_SEC / p->config.rate;
	if (p->paced_at < p->rated_at)
		p->paced_at = p->rated_at;
}

uint32_t mp_number(struct mp *m, struct mp_path *p, struct buf *f,
		   uint32_t size, bool predict, bool answered, uint64_t now)
{
	struct mp_model *d = &p->model;
	uint64_t rest =
		d->min_rtt == UINT64_MAX ? 0 : d->min_rtt + d->min_rtt / 2;
	uint32_t seq = p->next;
	uint64_t last = p->sent_at > p->heard_at ? p->sent_at : p->heard_at;
	struct mp_sent *s = &p->sent[seq & (m->limits.window - 1)];

	if (mp_out(p) == 0 &&
	    now - last > (rest > MP_REPORT_WAIT ? rest : MP_REPORT_WAIT)) {
		d->skip_to = seq + SKIP;
		d->counting = false;
	}
	*s = (struct mp_sent){ .frame = f,
			       .size = size,
			       .at = now,
			       .answered = answered,
			       .due = MP_NOT_DUE };
	if (predict && d->state == MP_KNOWN)
		s->due = mp_eta(p, size) - d->bias;
	if (d->rate > 0) {
		if (p->paced_at < now)
			p->paced_at = now;
		p->paced_at += d->state == MP_MEASURING ? mp_time(d, size) / 2
			       : d->boost > 1 ? mp_time(d, size) * 4 / 5
					      : mp_time(d, size) * 10 / 11;
	}
	keep_rate(p, size, now);
	p->next++;
	p->tx += size;
	s->total = p->tx;
	p->sent_at = now;
	p->bulk_out += answered;
	p->n.sent++;
	p->n.sent_bytes += size;
	return seq;
}

static void learn_delay(struct mp *m, struct mp_path *p,
			const struct mp_report *r, const struct mp_sent *s,
			uint64_t now)
{
	struct mp_model *d = &p->model;
	uint64_t held = r->held * NS_PER_US;
	uint64_t rtt = now - s->at > held ? now - s->at - held : NS_PER_US;
	uint64_t off, beyond;
	int64_t way;

	d->rtt = rtt;
	d->min_rtt = (uint64_t)mp_least_of(&d->rtts, (int64_t)rtt, now);
	if (rtt <= d->min_rtt + d->min_rtt / 16)
		d->min_at = now;
	if (d->srtt == 0) {
		d->srtt = rtt;
		d->var = rtt / 2;
	} else {
		off = d->srtt > rtt ? d->srtt - rtt : rtt - d->srtt;
		d->var = (3 * d->var + off) / 4;
		d->srtt = (7 * d->srtt + rtt) / 8;
	}
	if (!m->has_offset) {
		m->has_offset = true;
		m->offset = r->at - mp_us(s->at);
	}
	way = (int32_t)(r->at - mp_us(s->at) - m->offset);
	way *= (int64_t)NS_PER_US;
	if (s->due != MP_NOT_DUE) {
		int64_t late = way - s->due;

		d->bias =
			late > d->bias ? late : d->bias + (late - d->bias) / 8;
		if (d->bias < 0)
			d->bias = 0;
	}
	/* What the packet itself takes is added anew for each. */
	if (d->rate > 0)
		way -= (int64_t)mp_time(d, s->size);
	d->rel = mp_least_of(&d->rels, way, now);
	d->has_rel = true;
	assert(way >= d->rel);
	beyond = (uint64_t)(way - d->rel);
	d->ahead = beyond < d->late[0] ? beyond : d->late[0];
	d->ahead = d->ahead < d->late[1] ? d->ahead : d->late[1];
	d->late[1] = d->late[0];
	d->late[0] = beyond;
	if (d->ahead < d->round_ahead)
		d->round_ahead = d->ahead;
}

static void learn_rate(struct mp_path *p, const struct mp_report *r)
{
	struct mp_model *d = &p->model;
	uint64_t need = d->min_rtt / 2;
	uint64_t bytes = r->bytes - d->from_bytes;
	uint64_t us = r->at - d->from_at;
	bool queued = d->ahead > d->min_rtt / 4 + 2 * NS_PER_MS;
	uint64_t rate;

	if (!d->counting) {
		if (seq_le(d->skip_to, r->highest)) {
			d->counting = true;
			d->from_bytes = r->bytes;
			d->from_at = r->at;
		}
		return;
	}
	if (need < SAMPLE_LEAST)
		need = SAMPLE_LEAST;
	if (need > SAMPLE_MOST)
		need = SAMPLE_MOST;
	if (us * NS_PER_US < need || bytes < SAMPLE_BYTES)
		return;
	rate = bytes * (NS_PER_SEC / NS_PER_US) / us;
	if (rate > MP_RATE_MOST)
		rate = MP_RATE_MOST;
	d->queued |= queued;
	if (d->limited || queued ||
	    rate > (d->rate > 0 ? d->rate : FIRST_RATE)) {
		most_add(&d->rates, rate, d->round);
		d->sampled = true;
	}
	d->from_bytes = r->bytes;
	d->from_at = r->at;
}

void mp_learn(struct mp *m, struct mp_path *p, const struct mp_report *r,
	      uint64_t now)
{
	const struct mp_sent *s = &p->sent[r->highest & (m->limits.window - 1)];

	learn_delay(m, p, r, s, now);
	learn_rate(p, r);
	if (p->model.rate == 0 && p->model.rates.n > 0) {
		set_rate(&p->model, p->model.rates.e[0].value);
		set_window(&p->model);
	}
}

/* Loss where packets queued is the path's own limit, and so is much of it. */
static void cap_window(struct mp_path *p)
{
	struct mp_model *d = &p->model;
	uint64_t all = d->round_lost + d->round_came;
	bool queued = d->round_ahead != UINT64_MAX &&
		      d->round_ahead > d->min_rtt / 4 + 5 * NS_PER_MS;
	uint64_t way = bytes_in(d, d->min_rtt) + 2 * MP_PACKET;
	uint64_t out = mp_out(p) * 17 / 20;

	if (all >= LOSS_COUNT && (d->round_lost * 10 > all ||
				  (queued && d->round_lost * 50 > all))) {
		d->cap = way > out ? way : out;
		d->cap_round = d->round;
		d->state = MP_KNOWN;
	} else if (d->cap > 0 && d->round - d->cap_round > CAP_ROUNDS) {
		d->cap += d->cap / 20 > MP_PACKET ? d->cap / 20 : MP_PACKET;
	}
}

static void end_round(struct mp_path *p, uint64_t now)
{
	struct mp_model *d = &p->model;
	bool limited = d->limited || d->queued;

	d->draining = !d->draining && d->state == MP_KNOWN &&
		      now - d->min_at > DRAIN_AFTER;
	if (d->draining)
		d->min_at = now;

	d->round++;
	d->round_end = p->next;
	if (limited)
		most_age(&d->rates, d->round);
	if (d->rates.n > 0) {
		bool grew = d->rates.e[0].value > d->rate + d->rate / 50;

		d->boost = !grew		   ? 1
			   : d->boost < BOOST_MOST ? 2 * d->boost
						   : BOOST_MOST;
		set_rate(d, d->rates.e[0].value);
	}
	cap_window(p);
	if (d->state == MP_MEASURING && d->sampled) {
		if (d->rate > d->grown + d->grown / 4) {
			d->grown = d->rate;
			d->same = 0;
		} else if (limited && ++d->same >= SAME_ROUNDS) {
			d->state = MP_KNOWN;
		}
	}
	d->loss += ((d->round_lost << LOSS_BITS) /
		    (d->round_lost + d->round_came + 1)) /
		   LOSS_ROUNDS;
	d->loss -= d->loss / LOSS_ROUNDS;
	d->round_lost = 0;
	d->round_came = 0;
	d->round_ahead = UINT64_MAX;
	d->limited = false;
	d->queued = false;
	d->sampled = false;
}

void mp_round(struct mp_path *p, uint64_t now)
{
	if (seq_le(p->model.round_end, p->done))
		end_round(p, now);
	set_window(&p->model);
}

bool mp_lossy(const struct mp_path *p)
{
	return p->model.loss > LOSSY;
}

uint32_t mp_together(const struct mp *m, unsigned path)
{
	return (uint32_t)bytes_in(&m->path[path].model, TOGETHER);
}

uint64_t mp_total_rate(const struct mp *m)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < m->path_n; i++)
		if (mp_usable(&m->path[i]))
			sum += m->path[i].model.rate;
	return sum == 0 ? MP_UNKNOWN : sum;
}

uint64_t mp_losses(const struct mp *m, uint64_t ns)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < m->path_n; i++) {
		const struct mp_model *d = &m->path[i].model;

		if (mp_usable(&m->path[i]))
			sum += bytes_in(d, ns) / MP_PACKET * 1000 * d->loss >>
			       LOSS_BITS;
	}
	return sum;
}

uint64_t mp_skew(const struct mp *m)
{
	uint64_t all = mp_total_rate(m);
	int64_t least = INT64_MAX, most = INT64_MIN;

	for (unsigned i = 0; i < m->path_n; i++) {
		const struct mp_model *d = &m->path[i].model;
		int64_t way;

		if (!mp_usable(&m->path[i]) || d->rate * SKEW_SHARE < all)
			continue;
		way = (int64_t)mp_time(d, 2 * MP_PACKET) + d->rel;
		least = way < least ? way : least;
		most = way > most ? way : most;
	}
	if (most <= least)
		return 0;
	return (uint64_t)(most - least) < SKEW_MOST ? (uint64_t)(most - least)
						    : SKEW_MOST;
}
