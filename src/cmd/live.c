/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * live.c - The packet thread
 *
 * Theory of operation
 *
 * One thread, one loop. Each turn takes what the SUT's wire has, then a batch of
 * the mirror, then what is due, and sends what came of it with few system calls.
 * The SUT goes first: its acks make room. Time is read once a batch; the engine
 * never sees it go back.
 *
 * Before the mirror is read every SUT's wire must be proved to be ours; one that
 * is not within PROVE_WAIT ends the run before it has begun: its files are
 * removed, and all that is said is why. One that answers the probe to another
 * hardware address has ASTRAY_WAIT: a neighbour that is gone is believed by Linux
 * for 8 seconds (5 of delay, 3 questions) before it asks anew. The mirror's ring
 * fills meanwhile; nothing of it is lost by that for some seconds.
 *
 * With files (-r) and nobody to send to, the file's own time is the engine's.
 * With a SUT, records are put on the clock by their distance from the first one.
 * Either is a clock of stamps (pace/stamps.h): it never goes back and has no leap
 * that is longer than --maxsleep. A capture that was cut off is taken up to there.
 *
 * replay.h has another way through a capture: what it needs of this file begins
 * with live_turn().
 *
 * With nothing to do the thread sleeps in poll() and is woken by the next frame.
 * Under load, with many flows, that costs more than it saves: every wake-up of
 * ours preempts somebody for two or three frames. Then it naps for NAP instead
 * and takes what has come in one go; not at level `timing`, whose promise is the
 * moment.
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
#include "cmd/replay.h"
#include "cmd/wire_stop.h"
#include "core/bytes.h"
#include "os/clock.h"
#include "os/log.h"
#include "os/mem.h"
#include "os/signals.h"
#include "report/text.h"

#define SUT_BATCH    256
#define MIRROR_BATCH 64
#define FILE_BATCH   64
#define LOOK_EVERY   (10 * NS_PER_MS)  /* at signals and the live line */
#define PROVE_WAIT   (5 * NS_PER_SEC)  /* for the SUT's wire, then we end */
#define ASTRAY_WAIT  (12 * NS_PER_SEC) /* the same, if it answers another */
#define NAP	     (250 * NS_PER_US)
#define NAP_FLOWS    8	 /* fewer are played without naps: each waits on us */
#define NAP_FRAMES   200 /* in LOOK_EVERY */
#define DELAY_SAMPLE 16	 /* every so many frames */
#define LINE_EVERY   NS_PER_SEC
#define LINK_EVERY   NS_PER_SEC /* at the interfaces; at once if poll() says so */
#define VLAN_LEN     4
#define VLAN_TPID    0x8100	      /* where the kernel does not say */
#define LONG_WAIT    (5 * NS_PER_SEC) /* for a record: it is said */
#define LOOK_TIMERS  4096	      /* of a file's time, between two looks */

/* --- effects out --- */

/* What has left since the last time, in the journal: behind the effects
 * themselves, before the next input.
 */
static void tell_left(struct live *l)
{
	if (l->left_stamp != 0 && l->journal != NULL)
		journal_left(l->journal, l->left_to, l->left_stamp, l->now);
	l->left_stamp = 0;
}

static void has_left(struct live *l, const struct effect *x)
{
	uint64_t stamp = l->sink->stamp;

	if (!x->timed || stamp == 0)
		return;
	if (l->left_stamp != stamp)
		tell_left(l);
	l->left_stamp = stamp;
	engine_left(l->engine, x, stamp);
}

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
	} else {
		has_left(l, x);
	}
	l->left_to = cookie + 1;
	engine_sent(l->engine, x);
}

static void flush(struct live *l)
{
	sink_flush(l->sink);
	tell_left(l);
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

void live_send(struct live *l, const struct effects *out)
{
	for (uint32_t i = 0; i < out->n; i++) {
		const struct effect *x = &out->e[i];
		const uint8_t *dst = mac_of(l, x->sut);
		int r;

		if (l->pend_n == LIVE_PENDING)
			flush(l);
		l->pend[(l->pend_head + l->pend_n) % LIVE_PENDING] = *x;
		l->pend_n++;
		if (l->journal != NULL)
			journal_effect(l, x, dst);
		if (l->opt->print)
			live_print_effect(x);
		r = sink_effect(l, x, dst);
		l->effects++;
		tell_left(l);
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

/* A frame's two addresses and, behind them, the VLAN tag that the kernel took out
 * of it; the journal gets it back. Engine and --map have no use for it.
 */
struct front {
	uint8_t b[2 * ETH_LEN + VLAN_LEN];
};

static void put_tag(struct journal_frame *jf, const struct ring_frame *f,
		    struct front *front)
{
	if (!f->has_vlan || jf->cap < 2 * ETH_LEN)
		return;
	memcpy(front->b, jf->data, 2 * ETH_LEN);
	put_be16(front->b + 2 * ETH_LEN,
		 f->vlan_tpid != 0 ? f->vlan_tpid : VLAN_TPID);
	put_be16(front->b + 2 * ETH_LEN + 2, f->vlan_tci);
	jf->more = jf->data + 2 * ETH_LEN;
	jf->more_len = jf->cap - 2 * ETH_LEN;
	jf->data = front->b;
	jf->cap = sizeof(front->b);
	jf->wire += VLAN_LEN;
}

static void journal_input(struct live *l, enum engine_source from,
			  enum engine_kind kind, const struct frame_info *in,
			  const struct ring_frame *ring)
{
	struct front front;
	struct journal_frame jf = { .csum_ok = in->csum_ok,
				    .trusted = in->trusted,
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
	if (ring != NULL)
		put_tag(&jf, ring, &front);
	journal_frame(l->journal, &jf);
}

/* @ring: what else a ring told of it, NULL: it is from a file */
static void feed(struct live *l, enum engine_source from,
		 const struct frame_info *in, const struct ring_frame *ring)
{
	struct effects out;
	enum engine_kind kind;

	if (l->journal != NULL)
		engine_record(l->engine, journal_next_frame(l->journal));
	kind = engine_frame(l->engine, from, in, l->now, &out);
	if (l->journal != NULL)
		journal_input(l, from, kind, in, ring);
	if (l->opt->print)
		live_print_input(l, from, kind, in);
	if (out.n > 0)
		live_send(l, &out);
}

static uint32_t turn_ring(struct live *l, struct ring *r,
			  enum engine_source from, uint32_t max)
{
	struct ring_frame f;
	uint32_t n = 0;

	if (ring_grow(r))
		log_line(LOG_INFO, "%s: a ring has got its larger memory",
			 from == ENGINE_MIRROR ? l->opt->iface
					       : l->opt->sut_dev);
	while (n < max && ring_next(r, &f)) {
		if (from == ENGINE_MIRROR) {
			if (l->mirror_frames++ % DELAY_SAMPLE == 0) {
				uint64_t real = clock_real();

				hist_add(&l->delay, real > f.info.ts
							    ? real - f.info.ts
							    : 0);
			}
		}
		feed(l, from, &f.info, &f);
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
		live_send(l, &out);
	}
}

static void turn_events(struct live *l)
{
	struct engine_event ev;

	/* They follow the line that says what the run is. */
	if (!l->proved)
		return;
	while (engine_event(l->engine, &ev)) {
		live_event_line(l, &ev);
		networks_tell(l, &ev);
	}
}

/* --- the loop --- */

/* Index of the SUT of --map number @m. */
static uint32_t sut_of_map(const struct live *l, uint32_t m)
{
	return (uint32_t)engine_sut(l->engine, &l->opt->engine.map[m].sut);
}

/* Say once of each SUT that its wire has stopped to answer the probe. */
static void warn_wires(struct live *l)
{
	const struct sutwire *w = engine_wire(l->engine);
	char ip[TEXT_IP];

	for (uint32_t m = 0; w != NULL && m < l->opt->engine.maps; m++) {
		uint32_t i = sut_of_map(l, m);

		if (l->warned[i] || sutwire_state(w, i) != SUTWIRE_NO_ANSWER)
			continue;
		l->warned[i] = true;
		if (l->live_line)
			fputs("\r\033[K", stderr);
		log_line(LOG_WARN,
			 "%s does not answer the probe any more: no new client "
			 "is played to it until it does; is it up, and its "
			 "default route by %s?",
			 text_ip(ip, &l->opt->engine.map[m].sut),
			 l->opt->sut_dev);
	}
}

static void look_at_signals(struct live *l)
{
	int sig;

	while ((sig = signals_next(l->signal_fd)) > 0) {
		if (sig == SIGUSR1)
			live_report(l);
		else if (sig != SIGUSR2)
			l->stop = true;
	}
}

/* Say that an interface went down or came back; without it the run is over. */
static void look_at_link(struct live *l, const struct ring *r, const char *name,
			 bool *down)
{
	enum ring_state state = ring_state(r);

	if (state == RING_GONE) {
		errbuf_set(&l->stopped, -ENODEV, "%s: the interface is gone",
			   name);
		l->stop = true;
		return;
	}
	if ((state == RING_DOWN) == *down)
		return;
	*down = state == RING_DOWN;
	if (l->live_line)
		fputs("\r\033[K", stderr);
	log_line(LOG_WARN, "%s is %s", name,
		 *down ? "down: nothing comes and goes by it until it is up"
		       : "up again");
}

static void look_at_links(struct live *l)
{
	if (l->has_mirror)
		look_at_link(l, &l->mirror, l->opt->iface, &l->mirror_down);
	if (l->has_sut)
		look_at_link(l, &l->sut, l->opt->sut_dev, &l->sut_down);
	l->next_link = l->now + LINK_EVERY;
}

void live_look(struct live *l)
{
	const struct engine_counters *c = &engine_stats(l->engine)->count;
	uint64_t frames = c->frames_mirror + c->frames_sut;

	l->busy = !l->opt->engine.shadow.timing &&
		  frames - l->look_frames >= NAP_FRAMES &&
		  shadow_flows(engine_shadow(l->engine)) >= NAP_FLOWS;
	l->look_frames = frames;
	look_at_signals(l);
	if (l->opt->duration != 0 && live_elapsed(l) >= l->opt->duration)
		l->stop = true;
	if (l->opt->count != 0 && l->mirror_frames >= l->opt->count)
		l->stop = true;
	if (l->proved)
		warn_wires(l);
	if (l->now >= l->next_link)
		look_at_links(l);
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
	char said[WIRE_STOP_TEXT], mend[WIRE_STOP_TEXT];

	if (s == NULL || s->reason == SUTWIRE_GOING)
		return false;
	errbuf_set(&l->stopped, -EPERM, "%s: %s: %s", l->opt->sut_dev,
		   wire_stop_said(said, s),
		   wire_stop_mend(mend, s, l->opt->sut_dev));
	return true;
}

static void poll_rings(struct live *l, bool mirror, uint64_t wait)
{
	struct pollfd pf[2 + 2 * RING_LANES] = { { l->signal_fd, POLLIN, 0 } };
	struct timespec ts = { .tv_nsec = (long)wait };
	bool bad = false;
	nfds_t n = 1;

	if (l->has_sut)
		n += ring_poll(&l->sut, pf + n);
	if (mirror && l->has_mirror)
		n += ring_poll(&l->mirror, pf + n);
	if (l->pipe >= 0)
		pf[n++] = (struct pollfd){ l->pipe, POLLIN, 0 };
	ppoll(pf, n, &ts, NULL);
	for (nfds_t i = 1; i < n; i++)
		bad |= (pf[i].revents & (POLLERR | POLLNVAL)) != 0;
	if (bad)
		look_at_links(l);
}

static void wait_for_frame(struct live *l, bool mirror)
{
	uint64_t next = engine_next_timeout(l->engine);
	uint64_t wait = NS_PER_SEC / 10;

	l->now = clock_mono();
	if (l->record_due != 0 && l->record_due < next)
		next = l->record_due;
	if (next <= l->now)
		return;
	if (next - l->now < wait)
		wait = next - l->now;
	l->slept += wait;
	poll_rings(l, mirror, wait);
}

static void wait_for_more(struct live *l, bool mirror)
{
	if (l->busy) {
		l->slept += NAP;
		clock_pause(NAP);
		return;
	}
	wait_for_frame(l, mirror);
}

/* One turn. Return: frames taken */
static uint32_t turn(struct live *l, bool mirror)
{
	uint32_t n = 0;

	l->now = clock_mono();
	live_turn_begins(l);
	if (l->has_sut) {
		n += turn_ring(l, &l->sut, ENGINE_SUT, SUT_BATCH);
		if (n < SUT_BATCH)
			live_sut_is_read(l);
		flush(l);
		l->now = clock_mono();
	}
	if (mirror && l->has_mirror)
		n += turn_ring(l, &l->mirror, ENGINE_MIRROR, MIRROR_BATCH);
	turn_timers(l);
	flush(l);
	if (l->now >= l->next_clock)
		live_clock(l);
	turn_events(l);
	if (wire_is_bad(l))
		l->stop = true;
	return n;
}

/* --- proof --- */

/* A SUT that is not proved; -1: all are. */
static int unproved(const struct live *l)
{
	const struct sutwire *w = engine_wire(l->engine);

	for (uint32_t m = 0; w != NULL && m < l->opt->engine.maps; m++)
		if (!sutwire_ready(w, sut_of_map(l, m)))
			return (int)m;
	return -1;
}

static int say_unproved(const struct live *l, uint32_t m, struct errbuf *e)
{
	const struct engine_map *map = &l->opt->engine.map[m];
	enum sutwire_state s =
		sutwire_state(engine_wire(l->engine), sut_of_map(l, m));
	const uint8_t *via =
		sutwire_via(engine_wire(l->engine), sut_of_map(l, m));
	bool four = ipaddr_is4(&map->sut);
	char ip[TEXT_IP];

	text_ip(ip, &map->sut);
	if (l->stopped.s[0] != '\0')
		return errbuf_set(e, -EPERM, "%s", l->stopped.s);
	if (l->stop)
		return errbuf_set(e, -EINTR,
				  "ended before a client was played: SUT %s: "
				  "%s",
				  ip, sutwire_state_text(s));
	if (via != NULL)
		return errbuf_set(
			e, -EHOSTUNREACH,
			"SUT %s: its route to the world leads to "
			"%02x:%02x:%02x:%02x:%02x:%02x on %s, not to us: take "
			"that host off the wire, and on the SUT: ip "
			"%sneighbour flush dev X",
			ip, via[0], via[1], via[2], via[3], via[4], via[5],
			l->opt->sut_dev, four ? "" : "-6 ");
	if (s == SUTWIRE_ASKING)
		return errbuf_set(
			e, -EHOSTUNREACH,
			"SUT %s: no answer to %s on %s; is the SUT "
			"up, on that wire, and the address right?",
			ip, four ? "ARP requests" : "neighbour solicitations",
			l->opt->sut_dev);
	return errbuf_set(e, -EHOSTUNREACH,
			  "SUT %s: its answers to the world do not come by %s; "
			  "give it its only default route that way: on the "
			  "SUT, 'ip %sroute replace default via GW dev X'; no "
			  "firewall may drop them",
			  ip, l->opt->sut_dev, four ? "" : "-6 ");
}

/* How long SUT number @m may take until its wire is proved. */
static uint64_t proof_wait(const struct live *l, int m)
{
	const struct sutwire *w = engine_wire(l->engine);

	return sutwire_via(w, sut_of_map(l, (uint32_t)m)) != NULL ? ASTRAY_WAIT
								  : PROVE_WAIT;
}

/* Nobody is played before every SUT's wire is proved to be ours. */
static int prove(struct live *l, struct errbuf *e)
{
	uint64_t asked = l->now;
	int m;

	while ((m = unproved(l)) >= 0 && !l->stop &&
	       l->now - asked < proof_wait(l, m)) {
		if (turn(l, false) == 0)
			wait_for_more(l, false);
		live_look(l);
	}
	if (m >= 0)
		return say_unproved(l, (uint32_t)m, e);
	l->proved = true;
	return 0;
}

static void run_live(struct live *l)
{
	uint64_t look = 0;

	while (!l->stop) {
		uint32_t n = turn(l, true);

		if (l->now >= look) {
			live_look(l);
			look = l->now + LOOK_EVERY;
		}
		if (n == 0 && !l->stop)
			wait_for_more(l, true);
	}
}

/* --- files --- */

uint32_t live_turn(struct live *l)
{
	return turn(l, false);
}

void live_rest(struct live *l, uint64_t due)
{
	l->record_due = due;
	wait_for_more(l, false);
	l->record_due = 0;
}

void live_say_wait(struct live *l, uint64_t due)
{
	uint64_t wait = due > l->now ? due - l->now : 0;
	char t[TEXT_NUMBER];

	if (wait < LONG_WAIT || wait / 2 < l->wait_told)
		return;
	l->wait_told = wait;
	if (l->live_line)
		fputs("\r\033[K", stderr);
	log_line(LOG_INFO,
		 "the capture's next record comes in %s; --maxsleep TIME cuts "
		 "such waits",
		 text_time(t, wait));
}

void live_wait(struct live *l, uint64_t due)
{
	live_say_wait(l, due);
	while (!l->stop && l->now < due) {
		if (turn(l, false) == 0)
			live_rest(l, due);
		live_look(l);
	}
}

void live_feed(struct live *l, const struct frame_info *in)
{
	l->trusted += in->trusted;
	feed(l, ENGINE_MIRROR, in, NULL);
	turn_events(l);
}

/* The file's time is the engine's; it never goes back. */
static void run_until(struct live *l, uint64_t ts)
{
	struct effects out;
	uint32_t n = 0;

	while (!l->stop && engine_next_timeout(l->engine) <= ts) {
		uint64_t next = engine_next_timeout(l->engine);

		if (++n % LOOK_TIMERS == 0)
			look_at_signals(l);
		if (next > l->now)
			l->now = next;
		engine_timeout(l->engine, l->now, &out);
		if (l->journal != NULL)
			journal_timeout(l->journal, l->now);
		live_send(l, &out);
		turn_events(l);
	}
	if (ts > l->now)
		l->now = ts;
}

/* The sentence of file_next(), and what can be done. */
static int file_mend(struct errbuf *e, int r)
{
	size_t n = strlen(e->s);
	const char *mend = "";

	if (r == -EBADMSG)
		mend = "; give what tcpdump -w wrote, pcap or pcapng";
	snprintf(e->s + n, sizeof(e->s) - n, "%s", mend);
	return r;
}

/* A pipe is waited for beside the SUT's wire, timers and signals. */
static int wait_for_bytes(void *ctx, int fd)
{
	struct live *l = ctx;
	struct pollfd pf[2] = { { .fd = fd, .events = POLLIN },
				{ .fd = l->signal_fd, .events = POLLIN } };
	const struct timespec none = { 0 };

	l->pipe = fd;
	while (!l->stop && ppoll(pf, 1, &none, NULL) == 0) {
		if (!l->has_sut || !l->proved) {
			ppoll(pf, 2, NULL, NULL);
			look_at_signals(l);
			continue;
		}
		if (turn(l, false) == 0)
			live_rest(l, 0);
		live_look(l);
	}
	l->pipe = -1;
	return l->stop ? -EINTR : 0;
}

int live_file_open(struct live *l, uint32_t i, struct errbuf *e)
{
	int r = file_adopt(&l->file, l->capture[i], l->opt->file[i], e);

	if (r == 0) {
		l->capture[i] = -1;
		l->file.wait = wait_for_bytes;
		l->file.ctx = l;
		live_choose_sums(l);
		r = file_next(&l->file, &l->record, e);
	}
	l->record_waits = r > 0;
	if ((r == -EINTR && l->stop) || r == -ENODATA)
		return 0; /* the end is told again when it is asked for again */
	return r < 0 ? file_mend(e, r) : 0;
}

void live_file_over(struct live *l)
{
	struct errbuf said;
	int r;

#define X(name) l->input.name += l->file.count.name;
	FILE_COUNTERS(X)
#undef X
	if (l->file.count.bytes_all == 0) /* a pipe */
		l->input.bytes_all += l->file.bytes;
	if (l->stop) /* it was not read to its end */
		return;
	r = file_verdict(&l->file, &said);
	if (r == 0)
		return;
	if (l->live_line)
		fputs("\r\033[K", stderr);
	if (r > 0)
		log_line(LOG_WARN, "%s", said.s);
	else if (l->stopped.s[0] == '\0')
		l->stopped = said;
}

static int next_record(struct live *l, struct frame_info *in, struct errbuf *e)
{
	int r = 1;

	if (!l->record_waits)
		r = file_next(&l->file, &l->record, e);
	l->record_waits = false;
	*in = l->record;
	in->trusted = l->trust;
	if ((r == -EINTR && l->stop) || r == -ENODATA)
		return 0; /* file_verdict() says it */
	return r < 0 ? file_mend(e, r) : r;
}

static int set_link(struct live *l, uint16_t link, struct errbuf *e)
{
	if (l->journal != NULL && link != l->link)
		return errbuf_set(e, -ENOTSUP,
				  "%s: link type %u after %u: one journal "
				  "cannot hold both; drop -w or run again for "
				  "this file",
				  l->file.path, link, l->link);
	for (uint32_t i = 0; i < FILE_LINKS; i++) {
		const struct link_filter *f = &l->by_link[i];

		if (file_links[i] != link)
			continue;
		l->of_link = &f->f;
		l->file_link = link;
		return f->rc != 0 ? errbuf_set(e, f->rc, "%s", f->e.s) : 0;
	}
	return errbuf_set(e, -ENOTSUP, "link type %u is not read", link);
}

int live_record(struct live *l, struct frame_info *in, struct errbuf *e)
{
	int r;

	do {
		r = next_record(l, in, e);
		if (r > 0 && (l->of_link == NULL || in->link != l->file_link)) {
			int bad = set_link(l, in->link, e);

			if (bad != 0)
				return bad;
		}
	} while (r > 0 &&
		 !filter_match(l->of_link, in->data, in->cap, in->wire));
	return r;
}

static int run_file(struct live *l, struct errbuf *e)
{
	struct frame_info in;
	int r = 0;

	while (!l->stop && (r = live_record(l, &in, e)) > 0) {
		uint64_t at = stamps_next(&l->stamps, in.ts);

		if (l->mirror_frames++ == 0 && !l->has_sut)
			l->file_begun = l->stamps.first;
		if (l->has_sut)
			live_wait(l, l->file_begun + at);
		else
			run_until(l, l->file_begun + at);
		if (l->stop)
			break;
		if (clients_take(l, &in))
			live_feed(l, &in);
		if (l->mirror_frames % FILE_BATCH == 0)
			live_look(l);
	}
	if (r == 0)
		live_file_over(l);
	file_close(&l->file);
	return r;
}

static int run_files(struct live *l, struct errbuf *e)
{
	int r = 0;

	l->file_begun = l->now;
	l->stamps.leap = l->opt->maxsleep;
	for (uint32_t i = 0; i < l->opt->files && !l->stop; i++) {
		if (i > 0)
			r = live_file_open(l, i, e);
		if (r == 0)
			r = run_file(l, e);
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
	uint64_t before = progress(l);
	bool wait = !l->opt->engine.shadow.shed;
	struct engine_occupancy occ;
	struct live_final final;
	struct effects out;
	bool more = true;

	l->mirror_drops = live_drops(l);
	l->mirror_over = true;
	l->stop = false;
	live_final_begin(l, &final);
	while (l->has_sut && !live_final_over(l, &final) && !l->stop &&
	       !wire_is_bad(l)) {
		if (turn(l, false) == 0)
			wait_for_more(l, false);
		engine_occupancy(l->engine, l->now, &occ);
		if (occ.flows == 0 && occ.datagrams_open == 0)
			break;
		look_at_signals(l);
		if (wait && progress(l) != before) {
			before = progress(l);
			live_final_more(l, &final);
		}
	}
	live_clock(l);
	live_note(l, ENGINE_ENDED, 0);
	while (more) {
		more = engine_stop(l->engine, l->now, &out);
		live_send(l, &out);
		flush(l);
		turn_events(l);
	}
}

int live_run(struct live *l, struct errbuf *e)
{
	int r;

	l->now = l->begun;
	l->live_line = !l->opt->quiet && isatty(STDERR_FILENO);
	r = l->replay != NULL ? replay_index(l, e) : 0;
	if (r == 0)
		r = prove(l, e);
	if (r != 0)
		return r;
	/* From here on its files stay, and it makes no other. */
	if (l->broker != NULL && l->opt->files == 0 && !live_rotates(l->opt))
		broker_dismiss(l->broker);
	live_start_line(l);
	if (l->replay != NULL)
		replay_play(l);
	else if (l->opt->files > 0)
		r = run_files(l, e);
	else
		run_live(l);
	wind_up(l);
	live_say_sums(l);
	if (l->live_line)
		fputs("\r\033[K", stderr);
	return r;
}
