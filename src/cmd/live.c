/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * live.c - The packet thread
 *
 * Theory of operation
 *
 * One thread, one loop. Each turn takes what the SUT's wire has, then a batch of
 * the mirror, then what is due, and sends what came of it with few system calls.
 * The SUT goes first: its acks make room. Time is read once a batch; the engine
 * never sees it go back. While nobody may be played to yet, the mirror's ring is
 * left to fill: nothing of it is lost by that for some seconds.
 *
 * With files (-r) and nobody to send to, the file's own time is the engine's,
 * clamped so that it never goes back. With a SUT, records are put on the clock
 * by their distance from the first one.
 *
 * With nothing to do the thread sleeps in poll() and is woken by the next frame.
 * Under load, with many flows, that costs more than it saves: every wake-up of
 * ours preempts somebody for two or three frames. Then it naps for NAP instead
 * and takes what has come in one go.
 *
 * Order of what the journal gets: an input, then what it made us send. Everything
 * that can wait (disk, report) lies behind rings and threads of its own.
 */
#include "cmd/live.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bpf/guard.h"
#include "cmd/out.h"
#include "os/clock.h"
#include "os/mem.h"
#include "os/signals.h"

#define SUT_BATCH    256
#define MIRROR_BATCH 64
#define FILE_BATCH   64
#define LOOK_EVERY   (10 * NS_PER_MS) /* at signals and the live line */
#define PROVE_WAIT   (5 * NS_PER_SEC) /* for the SUT's wire, then we go on */
#define LAST_WAIT    (2 * NS_PER_SEC) /* for the SUT's last answers */
#define NAP	     (100 * NS_PER_US)
#define NAP_FLOWS    8	 /* fewer are played without naps: each waits on us */
#define NAP_FRAMES   200 /* in LOOK_EVERY */
#define DELAY_SAMPLE 16	 /* every so many frames */
#define LINE_EVERY   NS_PER_SEC

/* --- effects out --- */

/* The sink is done with the oldest packet that it took. */
void live_done(void *ctx, uint64_t cookie, int err)
{
	struct live *l = ctx;
	struct effect *x = &l->pend[l->pend_head];

	l->pend_head = (l->pend_head + 1) % LIVE_PENDING;
	l->pend_n--;
	l->sunk++;
	if (err != 0) {
		engine_unsent(l->engine, x);
		if (l->journal != NULL)
			journal_unsent(l->journal, cookie, l->now);
	}
	engine_sent(l->engine, x);
}

static void journal_effect(struct live *l, const struct effect *x,
			   const uint8_t *dst)
{
	struct journal_frame jf = { .iface = JOURNAL_EMITTED,
				    .sut = x->sut,
				    .gso = x->gso,
				    .csum_ok = true,
				    .now = l->now };
	struct out_frame f;

	out_build(x, l->mac, dst, l->effects, &f);
	jf.ts = l->started + (l->now - l->begun);
	jf.data = f.hdr;
	jf.cap = f.hdr_len;
	jf.more = f.data;
	jf.more_len = f.len;
	jf.wire = f.hdr_len + f.len;
	jf.comment = cause_name(x->cause);
	journal_frame(l->journal, &jf);
}

static int sink_effect(struct live *l, const struct effect *x,
		       const uint8_t *dst)
{
	struct tcp_header h;

	if (x->kind == EFFECT_RAW)
		return sink_raw(l->sink, x->raw, x->rawlen, l->effects);
	out_header(x, l->mac, dst, l->effects, &h);
	if (x->kind == EFFECT_UDP)
		return sink_udp(l->sink, &h, effects_data(x), x->len,
				l->effects);
	return sink_tcp(l->sink, &h, effects_data(x), x->len, x->gso,
			l->effects);
}

static void print_effect(const struct effect *x)
{
	printf("%-10s %-11s sut%u flow %llu seq %u ack %u win %u len %u\n",
	       "emitted", cause_name(x->cause), x->sut,
	       (unsigned long long)x->flow, x->seq, x->ack, x->win, x->len);
}

/* A SUT's hardware address, as the guard of the wire has found it; from then on
 * the sink may send there.
 */
static const uint8_t *mac_of(struct live *l, uint8_t sut)
{
	static const uint8_t none[ETH_LEN];
	const struct sutwire *w = engine_wire(l->engine);
	const uint8_t *mac = w != NULL ? sutwire_mac(w, sut) : NULL;

	if (mac == NULL)
		return none;
	if (!l->pinned[sut]) {
		sink_pin(l->sink, &l->packet.sink.dest[sut].ip, mac);
		l->pinned[sut] = true;
	}
	return mac;
}

static void send_all(struct live *l, const struct effects *out)
{
	for (uint32_t i = 0; i < out->n; i++) {
		const struct effect *x = &out->e[i];
		const uint8_t *dst = mac_of(l, x->sut);
		int r;

		if (l->pend_n == LIVE_PENDING)
			sink_flush(l->sink);
		l->pend[(l->pend_head + l->pend_n) % LIVE_PENDING] = *x;
		l->pend_n++;
		if (l->journal != NULL)
			journal_effect(l, x, dst);
		if (l->opt->print)
			print_effect(x);
		r = sink_effect(l, x, dst);
		l->effects++;
		if (r != 0) { /* refused: it was not taken, and is last */
			l->pend_n--;
			l->sunk++;
			engine_unsent(l->engine, x);
			if (l->journal != NULL)
				journal_unsent(l->journal, l->effects - 1,
					       l->now);
			engine_sent(l->engine, x);
		}
	}
}

/* --- frames in --- */

static void journal_input(struct live *l, enum engine_source from,
			  enum engine_kind kind, const struct frame_info *in)
{
	struct journal_frame jf = { .csum_ok = in->csum_ok,
				    .gso = in->gso,
				    .now = l->now,
				    .ts = in->ts,
				    .data = in->data,
				    .cap = in->cap,
				    .wire = in->wire };

	if (from == ENGINE_SUT)
		jf.iface = JOURNAL_SUT;
	else if (kind == ENGINE_CLIENT)
		jf.iface = JOURNAL_CLIENT;
	else if (kind == ENGINE_PROD)
		jf.iface = JOURNAL_PROD;
	else
		jf.iface = JOURNAL_MIRROR;
	journal_frame(l->journal, &jf);
}

static void print_input(enum engine_source from, enum engine_kind kind,
			const struct frame_info *in)
{
	static const char *const who[] = { "-", "client", "production", "SUT" };

	printf("%-10s %s %u bytes\n", who[kind],
	       kind != ENGINE_NONE  ? "taken"
	       : from == ENGINE_SUT ? "absorbed"
				    : "ignored",
	       in->wire);
}

static void feed(struct live *l, enum engine_source from,
		 const struct frame_info *in)
{
	struct effects out;
	enum engine_kind kind = engine_frame(l->engine, from, in, l->now, &out);

	if (l->journal != NULL)
		journal_input(l, from, kind, in);
	if (l->opt->print)
		print_input(from, kind, in);
	if (out.n > 0)
		send_all(l, &out);
}

/* Put the VLAN tag back that the kernel took out; it is in no --map. */
static void feed_ring(struct live *l, enum engine_source from,
		      const struct ring_frame *f)
{
	feed(l, from, &f->info);
}

static uint32_t turn_ring(struct live *l, struct ring *r,
			  enum engine_source from, uint32_t max)
{
	struct ring_frame f;
	uint32_t n = 0;

	while (n < max && ring_next(r, &f)) {
		if (from == ENGINE_MIRROR) {
			if (l->mirror_frames++ % DELAY_SAMPLE == 0) {
				uint64_t real = clock_real();

				hist_add(&l->delay, real > f.info.ts
							    ? real - f.info.ts
							    : 0);
			}
		}
		feed_ring(l, from, &f);
		ring_done(r);
		n++;
	}
	return n;
}

static void turn_timers(struct live *l)
{
	struct effects out;
	unsigned guard = 0;

	while (engine_next_timeout(l->engine) <= l->now && guard++ < 4096) {
		engine_timeout(l->engine, l->now, &out);
		if (l->journal != NULL)
			journal_timeout(l->journal, l->now);
		send_all(l, &out);
	}
}

static void turn_events(struct live *l)
{
	struct engine_event ev;

	while (engine_event(l->engine, &ev))
		live_event_line(l, &ev);
}

/* --- the loop --- */

static void look_at_signals(struct live *l)
{
	const struct engine_counters *c = &engine_stats(l->engine)->count;
	uint64_t frames = c->frames_mirror + c->frames_sut;
	int sig;

	l->busy = frames - l->look_frames >= NAP_FRAMES &&
		  shadow_flows(engine_shadow(l->engine)) >= NAP_FLOWS;
	l->look_frames = frames;

	while ((sig = signals_next(l->signal_fd)) > 0) {
		if (sig == SIGUSR1)
			live_report(l);
		else if (sig != SIGUSR2)
			l->stop = true;
	}
}

static void look_around(struct live *l)
{
	look_at_signals(l);
	if (l->opt->duration != 0 && l->now - l->begun >= l->opt->duration)
		l->stop = true;
	if (l->opt->count != 0 && l->mirror_frames >= l->opt->count)
		l->stop = true;
	if (l->live_line && l->now >= l->next_line) {
		live_progress(l);
		l->next_line = l->now + LINE_EVERY;
	}
}

/* Has a stranger been seen on the SUT's wire, or a wire gone? */
static bool wire_is_bad(struct live *l)
{
	const struct sutwire *w = engine_wire(l->engine);
	const struct sutwire_stop *s = w != NULL ? sutwire_stop(w) : NULL;

	if (s == NULL || s->reason == SUTWIRE_GOING)
		return false;
	errbuf_set(&l->stopped, -EPERM,
		   "%s: %s (%02x:%02x:%02x:%02x:%02x:%02x): the wire to the "
		   "SUT must be its alone; take the other host off it",
		   l->opt->sut_dev, sutwire_stop_text(s->reason), s->mac[0],
		   s->mac[1], s->mac[2], s->mac[3], s->mac[4], s->mac[5]);
	return true;
}

/* May the mirror be read yet? Not before every SUT's wire is proved or not. */
static bool wire_is_settled(const struct live *l)
{
	const struct sutwire *w = engine_wire(l->engine);

	if (w == NULL || l->now - l->begun >= PROVE_WAIT)
		return true;
	for (uint32_t m = 0; m < l->opt->engine.maps; m++) {
		int i = engine_sut(l->engine, &l->opt->engine.map[m].sut);

		if (i >= 0 && !sutwire_ready(w, (uint32_t)i))
			return false;
	}
	return true;
}

static void wait_for_frame(struct live *l)
{
	struct pollfd pf[3] = { { .fd = l->signal_fd, .events = POLLIN } };
	uint64_t next = engine_next_timeout(l->engine);
	uint64_t wait = NS_PER_SEC / 10;
	struct timespec ts;
	nfds_t n = 1;

	if (l->has_sut)
		pf[n++] = (struct pollfd){ ring_fd(&l->sut), POLLIN, 0 };
	if (l->has_mirror && wire_is_settled(l))
		pf[n++] = (struct pollfd){ ring_fd(&l->mirror), POLLIN, 0 };
	l->now = clock_mono();
	if (next <= l->now)
		return;
	if (l->record_due != 0 && l->record_due < next)
		next = l->record_due;
	if (next <= l->now)
		return;
	if (next - l->now < wait)
		wait = next - l->now;
	ts.tv_sec = 0;
	ts.tv_nsec = (long)wait;
	ppoll(pf, n, &ts, NULL);
	for (nfds_t i = 1; i < n; i++) {
		if ((pf[i].revents & (POLLERR | POLLNVAL)) == 0)
			continue;
		struct ring *r =
			pf[i].fd == ring_fd(&l->mirror) ? &l->mirror : &l->sut;
		if (ring_state(r) == RING_GONE) {
			errbuf_set(&l->stopped, -ENODEV,
				   "%s: the interface is gone",
				   r == &l->mirror ? l->opt->iface
						   : l->opt->sut_dev);
			l->stop = true;
		}
	}
}

static void wait_for_more(struct live *l)
{
	if (l->busy) {
		clock_pause(NAP);
		return;
	}
	wait_for_frame(l);
}

/* One turn. Return: frames taken */
static uint32_t turn(struct live *l, bool mirror)
{
	uint32_t n = 0;

	l->now = clock_mono();
	if (l->has_sut) {
		n += turn_ring(l, &l->sut, ENGINE_SUT, SUT_BATCH);
		sink_flush(l->sink);
		l->now = clock_mono();
	}
	if (mirror && l->has_mirror && wire_is_settled(l))
		n += turn_ring(l, &l->mirror, ENGINE_MIRROR, MIRROR_BATCH);
	turn_timers(l);
	sink_flush(l->sink);
	turn_events(l);
	if (wire_is_bad(l))
		l->stop = true;
	return n;
}

static void run_live(struct live *l)
{
	uint64_t look = 0;

	while (!l->stop) {
		uint32_t n = turn(l, true);

		if (l->now >= look) {
			look_around(l);
			look = l->now + LOOK_EVERY;
		}
		if (n == 0 && !l->stop)
			wait_for_more(l);
	}
}

/* --- files --- */

/* Is it time for the record of time @ts? Serves the SUT until then. */
static void wait_for_record(struct live *l, uint64_t ts)
{
	uint64_t due;

	if (l->first_ts == 0)
		l->first_ts = ts;
	while (!l->stop && !wire_is_settled(l)) {
		if (turn(l, false) == 0)
			wait_for_more(l);
		look_around(l);
		l->file_begun = l->now;
	}
	due = l->file_begun + (ts > l->first_ts ? ts - l->first_ts : 0);
	while (!l->stop && l->now < due) {
		l->record_due = due;
		if (turn(l, false) == 0)
			wait_for_more(l);
		look_around(l);
	}
	l->record_due = 0;
}

/* The file's time is the engine's; it never goes back. */
static void run_until(struct live *l, uint64_t ts)
{
	struct effects out;

	while (engine_next_timeout(l->engine) <= ts) {
		uint64_t next = engine_next_timeout(l->engine);

		if (next > l->now)
			l->now = next;
		engine_timeout(l->engine, l->now, &out);
		if (l->journal != NULL)
			journal_timeout(l->journal, l->now);
		send_all(l, &out);
		turn_events(l);
	}
	if (ts > l->now)
		l->now = ts;
}

static int run_file(struct live *l, const char *path, struct errbuf *e)
{
	struct frame_info in;
	int r = file_open(&l->file, path, e);
	uint16_t link = UINT16_MAX;

	if (r != 0)
		return r;
	while (!l->stop && (r = file_next(&l->file, &in, e)) > 0) {
		if (in.link != link) {
			filter_free(&l->filter);
			r = filter_compile(&l->filter, l->opt->expr, in.link,
					   e);
			if (r != 0)
				break;
			link = in.link;
		}
		if (!filter_match(&l->filter, in.data, in.cap, in.wire))
			continue;
		l->mirror_frames++;
		if (l->has_sut)
			wait_for_record(l, in.ts);
		else
			run_until(l, in.ts);
		feed(l, ENGINE_MIRROR, &in);
		turn_events(l);
		if (l->mirror_frames % FILE_BATCH == 0)
			look_around(l);
	}
	file_close(&l->file);
	return r;
}

static int run_files(struct live *l, struct errbuf *e)
{
	for (uint32_t i = 0; i < l->opt->files && !l->stop; i++) {
		int r = run_file(l, l->opt->file[i], e);

		if (r < 0)
			return r;
	}
	return 0;
}

/* What the SUT has taken and given so far. */
static uint64_t progress(const struct live *l)
{
	const struct shadow_counters *c =
		shadow_counters(engine_shadow(l->engine));

	return c->requests_delivered + c->requests_answered;
}

/* Let the SUT end its last answers, then end every flow. Where a SUT that is
 * behind is waited for, it is for as long as it goes on; a signal ends that.
 */
static void wind_up(struct live *l)
{
	uint64_t until = l->now + LAST_WAIT;
	uint64_t before = progress(l);
	bool wait = !l->opt->engine.shadow.shed;
	struct engine_occupancy occ;
	struct effects out;
	bool more = true;

	l->stop = false;
	while (l->has_sut && l->now < until && !l->stop && !wire_is_bad(l)) {
		if (turn(l, false) == 0)
			wait_for_more(l);
		engine_occupancy(l->engine, l->now, &occ);
		if (occ.flows == 0)
			break;
		look_at_signals(l);
		if (wait && progress(l) != before) {
			before = progress(l);
			until = l->now + LAST_WAIT;
		}
	}
	while (more) {
		more = engine_stop(l->engine, l->now, &out);
		send_all(l, &out);
		sink_flush(l->sink);
		turn_events(l);
	}
}

int live_run(struct live *l, struct errbuf *e)
{
	int r = 0;

	clock_precise();
	l->now = clock_mono();
	l->begun = l->now;
	l->file_begun = l->now;
	l->started = clock_real();
	l->live_line = !l->opt->quiet && isatty(STDERR_FILENO);
	live_start_line(l);
	if (l->opt->files > 0) {
		if (!l->has_sut)
			l->now = 0;
		r = run_files(l, e);
	} else {
		run_live(l);
	}
	wind_up(l);
	if (l->live_line)
		fputs("\r\033[K", stderr);
	return r;
}
