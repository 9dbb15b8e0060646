/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * open.c - Everything that is opened before the first frame
 *
 * Theory of operation
 *
 * First what needs privileges; captures are opened too, and the expression is
 * compiled for each link type that they may have, as libpcap looks names up in
 * files. Then the privileges go, Landlock shuts the file system, the files are
 * made, their threads started, and the seccomp filter falls for all threads. A
 * capture's first record decides about the journal, so where there is one, a
 * wider filter is there before it is read. Nothing is sent here; a failure
 * leaves no file, and no interface changed but for the guard, which makes a
 * wire quieter and never louder.
 *
 * Whose the files are: a user's that was named with --user or called sudo, made
 * when the process is that user. Root's else, made by a broker that stays
 * behind (os/maker.c) while the process becomes nobody.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpf/guard.h"
#include "os/clock.h"
#include "os/log.h"
#include "os/mem.h"
#include "os/privileges.h"
#include "os/random.h"
#include "os/signals.h"
#include "run/run_internal.h"

#define LINES_RING   (4u << 20)
#define OPTIONS_TEXT JOURNAL_OPTIONS_MAX

/* Files that a run makes. */
enum {
	MADE_LINES,
	MADE_JOURNAL,
	MADE_METRICS,
	MADE_HDR,
	MADE_FORM, /* the first of FORM_KINDS */
	MADE_FILES = MADE_FORM + FORM_KINDS
};

static int open_engine(struct run *run, struct errbuf *e)
{
	struct engine_config cfg = run->opt->engine;
	int r;

	cfg.key = run->key;
	cfg.seed = run->seed;
	memcpy(cfg.mac, run->mac, ETH_LEN);
	run_desk_of(run, &cfg);
	r = mem_take(&run->mem, engine_size(&cfg), 0);
	if (r != 0)
		return errbuf_set(e, r,
				  "no memory for %zu MB of flows and payload; "
				  "give less with --max-flows or --pool",
				  engine_size(&cfg) >> 20);
	run->epoch.started = clock_real();
	/* Of a capture that is played to nobody, the time is the file's own. */
	run->epoch.begun = run->has_mirror || run->has_sut ? clock_mono() : 0;
	r = engine_init(&run->engine, &run->mem, &cfg, run->epoch.begun);
	if (r != 0)
		return errbuf_set(e, r, "the limits contradict each other");
	return 0;
}

/* A mirror that nobody uses is made deaf and dumb; one in use is only watched.
 */
static int open_mirror(struct run *run, struct errbuf *e)
{
	struct ring_opts ro = { .ifname = run->opt->iface,
				.version = run->opt->capture,
				.bytes = run->opt->mirror_ring,
				.promisc = true };
	char text[GUARD_WHY_TEXT];
	struct guard_why why;
	int r = guard_in_use(run->opt->iface, &why);

	if (ro.bytes == 0 && ro.version == RING_V2) {
		ro.bytes = RING_MIRROR_LEAST;
		ro.most = RING_MIRROR_BYTES;
	}
	if (r != 0)
		return errbuf_set(e, r, "%s: no such interface",
				  run->opt->iface);
	if (why.use == GUARD_FREE) {
		r = guard_attach(run->opt->iface, e);
		if (r == 0)
			r = guard_link_up(run->opt->iface, e);
		run->mirror_guarded = r == 0;
	} else {
		ro.outgoing = true; /* in-host: production's answers go out */
		log_line(LOG_WARN,
			 "%s is in use (%s): it is only listened to, and its "
			 "own traffic is read too",
			 run->opt->iface, guard_why_text(&why, text));
		r = ends_open(&run->ends, run->opt->iface,
			      &run->opt->engine.decap, e);
	}
	if (why.use == GUARD_LOOPBACK && why.where == GUARD_SELF)
		log_line(LOG_WARN,
			 "%s: its clients have loopback addresses, which are "
			 "dropped on a wire: no SUT will answer them. Record "
			 "it, and play the file with --client-net NET",
			 run->opt->iface);
	if (r != 0)
		return r;
	r = filter_compile(&run->filter, run->opt->expr, LINK_ETHERNET, e);
	if (r != 0)
		return r;
	if (run->opt->expr[0] != '\0')
		ro.filter = &run->filter.prog;
	r = ring_open(&run->mirror, &ro, e);
	run->has_mirror = r == 0;
	return r;
}

static int open_sut(struct run *run, struct errbuf *e)
{
	struct ring_opts ro = { .ifname = run->opt->sut_dev,
				.version = RING_V2,
				.bytes = run->opt->sut_ring,
				.promisc = true };
	uint8_t dev[ETH_LEN];
	int r = guard_attach(run->opt->sut_dev, e);

	if (ro.bytes == 0) {
		ro.bytes = RING_SUT_LEAST;
		ro.most = RING_SUT_BYTES;
	}
	if (r == 0)
		r = guard_link_up(run->opt->sut_dev, e);
	if (r == 0)
		r = ring_open(&run->sut, &ro, e);
	if (r != 0)
		return r;
	run->has_sut = true;
	r = ring_mac(&run->sut, dev);
	if (r != 0)
		return errbuf_set(e, r, "%s: no hardware address",
				  run->opt->sut_dev);
	packet_private_mac(run->mac, dev);
	return 0;
}

static uint32_t destinations(const struct options *o, struct emit_dest *dest)
{
	uint32_t n = 0;

	for (uint32_t m = 0; m < o->engine.maps; m++) {
		uint32_t i = 0;

		while (i < n && !ipaddr_eq(&dest[i].ip, &o->engine.map[m].sut))
			i++;
		if (i == n)
			dest[n++].ip = o->engine.map[m].sut;
	}
	return n;
}

static int open_sink(struct run *run, struct errbuf *e)
{
	struct emit_dest dest[MAP_MAX];
	uint32_t n;
	int r;

	memset(dest, 0, sizeof(dest));
	n = destinations(run->opt, dest);
	if (run->has_sut) {
		r = packet_open(&run->packet, run->opt->sut_dev, run->mac, dest,
				n, run_done, run, e);
		run->sink = &run->packet.sink;
	} else {
		r = sink_null_open(&run->null, run->mac, dest, n, run_done,
				   run);
		run->sink = &run->null.sink;
	}
	if (r != 0)
		run->sink = NULL;
	return r;
}

/* --- what privileges and files are for --- */

static const char *made(const char *path)
{
	return path && strcmp(path, "-") != 0 ? path : NULL;
}

static bool makes_files(const struct options *o)
{
	for (unsigned i = 0; i < FORM_KINDS; i++)
		if (made(o->form[i]))
			return true;
	return made(o->json) || made(o->journal) || o->metrics || made(o->hdr);
}

bool run_rotates(const struct options *o)
{
	return o->metrics || (made(o->journal) &&
			      (o->rotate_bytes != 0 || o->rotate_secs != 0));
}

static int open_makers(struct run *run, struct errbuf *e)
{
	const char *path[MADE_FILES] = {
		[MADE_LINES] = made(run->opt->json),
		[MADE_JOURNAL] = made(run->opt->journal),
		[MADE_METRICS] = run->opt->metrics,
		[MADE_HDR] = made(run->opt->hdr),
	};

	for (unsigned i = 0; i < FORM_KINDS; i++)
		path[MADE_FORM + i] = made(run->opt->form[i]);

	if (getuid() != 0 || run->opt->user || privileges_sudo() ||
	    !makes_files(run->opt))
		return 0;
	return makers_start(&run->makers, path, MADE_FILES, 1u << MADE_METRICS,
			    e);
}

/* Captures, the filters of all their possible link types, and --vitals. */
static int open_captures(struct run *run, struct errbuf *e)
{
	int r = 0;

	if (run->opt->files > 0 || run->opt->ctl)
		r = loop_open(&run->loop);
	if (r != 0)
		return errbuf_set(e, r, "epoll: %s", strerror(-r));
	for (uint32_t i = 0; i < run->opt->files; i++) {
		run->capture[i] = file_descriptor(run->opt->file[i], e);
		if (run->capture[i] < 0)
			return run->capture[i];
	}
	for (uint32_t i = 0; run->opt->files > 0 && i < FILE_LINKS; i++) {
		struct link_filter *f = &run->by_link[i];

		f->rc = filter_compile(&f->f, run->opt->expr, file_links[i],
				       &f->e);
	}
	return growth_open(&run->growth, run->opt->vitals, e);
}

/* Who may not write in a folder that root named? */
static int say_who(const struct run *run, int r, struct errbuf *e)
{
	size_t n = strlen(e->s);

	if (r != -EACCES)
		return r;
	if (run->makers)
		snprintf(e->s + n, sizeof(e->s) - n,
			 "; root without capabilities makes it; give a folder "
			 "of root's, or --user NAME who may write there");
	else if (run->user)
		snprintf(e->s + n, sizeof(e->s) - n,
			 "; user %s makes it and must be able to write there",
			 run->user);
	return r;
}

/* What a run needs: once all that needs privileges is open. */
static void say_needs(struct run *run)
{
	struct confine *c = &run->confine;
	struct sandbox *s = &c->box;

	_Static_assert(SANDBOX_RINGS == 2 * RING_FDS, "all have a place");
	*c = (struct confine){ .user = run->user };
	s->needs = SANDBOX_RUN;
	s->broker = makers_fd(run->makers);
	if (!run->makers) {
		confine_place(c, run->opt->json, true);
		confine_place(c, run->opt->journal, true);
		confine_place(c, run->opt->metrics, true);
		confine_place(c, run->opt->hdr, true);
		for (unsigned i = 0; i < FORM_KINDS; i++)
			confine_place(c, run->opt->form[i], true);
	}
	if (run->has_sut) {
		s->sink[s->sinks++] = run->packet.fd;
		s->rings += ring_fds(&run->sut, s->ring);
	}
	if (run->has_mirror)
		s->rings += ring_fds(&run->mirror, s->ring + s->rings);
	if (run->has_sut || run->has_mirror)
		s->needs |= SANDBOX_WIRES;
	if (run->desk || outcome_keeps(run->outcome))
		s->needs |= SANDBOX_CHILD;
	if (run->makers)
		s->needs |= SANDBOX_BROKER;
	else if (makes_files(run->opt))
		s->needs |= SANDBOX_MAKE;
	if (made(run->opt->journal))
		s->needs |= SANDBOX_WRITE;
	if (run->opt->metrics)
		s->needs |= SANDBOX_REPLACE;
	if (run->opt->replay)
		s->needs |= SANDBOX_REREAD;
	/* The first record of a capture is looked at before all is open. */
	if (run->opt->files > 0)
		c->early = SANDBOX_START;
	if (run->opt->files > 0 || run->control)
		s->needs |= SANDBOX_LOOP;
	s->control = runctl_fd(run->control);
	if (run->control)
		s->needs |= SANDBOX_CONTROL;
}

static int confine_early(struct run *run, struct errbuf *e)
{
	say_needs(run);
	return say_who(run, confine(&run->confine, CONFINE_EARLY, e), e);
}

static int open_journal(struct run *run, struct errbuf *e)
{
	static char text[OPTIONS_TEXT];
	struct journal_opts jo = { .path = run->opt->journal,
				   .rotate_bytes =
					   run->opt->rotate_bytes * 1000000,
				   .rotate_secs = run->opt->rotate_secs,
				   .files = run->opt->rotate_files,
				   .only_client = run->opt->journal_client,
				   .maker =
					   makers_of(run->makers, MADE_JOURNAL),
				   .ring_bytes = run->opt->journal_ring };
	struct journal_header h = { .version = VERSION,
				    .options = text,
				    .limits = run->opt->engine.limits,
				    .key = run->key,
				    .seed = run->seed,
				    .begun = run->epoch.begun };
	char err[JOURNAL_ERR];
	int r = options_text(run->opt, text, sizeof(text));

	if (r < 0)
		return errbuf_set(e, r,
				  "too many options, or rules, for a journal");
	memcpy(h.mac, run->mac, ETH_LEN);
	if (run->epoch.begun != 0)
		h.started = run->epoch.started - run->epoch.begun;
	for (int i = 0; i < JOURNAL_IFACES; i++)
		h.link[i] = i == JOURNAL_SUT || i == JOURNAL_EMITTED
				    ? LINK_ETHERNET
				    : run->link;
	r = journal_open(&run->journal, &jo, &h, err);
	return r != 0 ? errbuf_set(e, r, "%s", err) : 0;
}

static int open_files(struct run *run, struct errbuf *e)
{
	char err[LINES_ERR];
	int r = 0;

	run->link = run->record_waits ? run->record.link : LINK_ETHERNET;
	if (run->opt->json) {
		r = lines_open(&run->lines, run->opt->json,
			       makers_of(run->makers, MADE_LINES), LINES_RING,
			       err);
		if (r != 0)
			errbuf_set(e, r, "%s", err);
	}
	if (r == 0 && run->opt->journal)
		r = open_journal(run, e);
	if (r == 0 && run->opt->metrics) {
		r = prom_open(&run->metrics, run->opt->metrics,
			      makers_of(run->makers, MADE_METRICS));
		if (r != 0)
			errbuf_set(e, r, "%s: %s", run->opt->metrics,
				   strerror(-r));
	}
	if (r == 0)
		r = outcome_open(run->outcome, run->makers, MADE_FORM, e);
	outcome_epoch(run->outcome, &run->epoch);
	if (r == 0)
		r = gauge_open(&run->gauge, run->opt, run->seed,
			       makers_of(run->makers, MADE_HDR), e);
	return say_who(run, r, e);
}

/* What needs privileges, and says so when they are missing. */
static int open_wires(struct run *run, struct errbuf *e)
{
	const struct options *o = run->opt;
	size_t n;
	int r = 0;

	if (o->sut_dev && !o->engine.sut_none)
		r = open_sut(run, e);
	if (r == 0 && o->iface)
		r = open_mirror(run, e);
	if (r == 0)
		r = open_sink(run, e);
	if (r != -EPERM && r != -EACCES)
		return r;
	n = strlen(e->s);
	snprintf(e->s + n, sizeof(e->s) - n,
		 "; run it as root, or with CAP_NET_RAW, CAP_NET_ADMIN and "
		 "CAP_BPF");
	return r;
}

/* In this order they are told. */
static void add_observers(struct run *run)
{
	if (run->journal)
		observe_add(run, &observe_journal);
	if (run->opt->print || run->opt->trace.port != 0)
		observe_add(run, &observe_print);
	if (run->lines) {
		run_make_lines(run);
		observe_add(run, &observe_lines);
	}
	observe_add(run, &observe_gauge);
	if (run->outcome)
		observe_add(run, &observe_outcome);
	observe_add(run, &observe_networks);
}

static int watch_rings(struct run *run, struct errbuf *e)
{
	int r = run->has_mirror ? ring_watch(&run->mirror) : 0;

	if (r == 0 && run->has_sut)
		r = ring_watch(&run->sut);
	return r == 0 ? 0 : errbuf_set(e, r, "cannot make a thread");
}

int run_open(struct run *run, const struct options *o, struct errbuf *e)
{
	struct outcome_config kept = { .opt = &run->set,
				       .redact = &run->redact,
				       .journal = o->journal };
	int r;

	run->set = *o;
	run->opt = &run->set;
	run->pipe = -1;
	kept.user = run->user = privileges_user(o->user);
	for (uint32_t i = 0; i < FILES_MAX; i++)
		run->capture[i] = -1;
	r = open_makers(run, e);
	if (r != 0)
		return r;
	r = random_bytes(&run->key, sizeof(run->key));
	if (r == 0)
		r = random_bytes(&run->seed, sizeof(run->seed));
	if (r != 0)
		return errbuf_set(e, r, "the kernel gives no random numbers");
	redact_init(&run->redact, &run->key, o->engine.by, o->redact_off);
	r = run_desk_open(run, e);
	if (r == 0)
		r = outcome_begin(&run->outcome, &kept, e);
	if (r != 0)
		return r;
	run->hup_ends = signals_hup_ends();
	run->signal_fd = signals_open();
	if (run->signal_fd < 0)
		return errbuf_set(e, run->signal_fd, "cannot take signals");
	r = open_wires(run, e);
	if (r == 0)
		r = open_captures(run, e);
	if (r == 0)
		r = open_engine(run, e);
	if (r == 0)
		r = run_control(run, e);
	if (r == 0 && run->opt->files > 0 && clients_new(run) != 0)
		r = errbuf_set(e, -ENOMEM, "no memory");
	if (r == 0)
		r = confine_early(run, e);
	if (r == 0 && o->files > 0)
		r = run_file_open(run, 0, e);
	if (r == 0)
		r = open_files(run, e);
	if (r == 0)
		add_observers(run);
	if (r == 0)
		r = watch_rings(run, e);
	clock_precise(); /* the packet thread's alone: the others run by now */
	if (r == 0)
		r = confine(&run->confine, CONFINE_FINAL, e);
	return r;
}

static void forget_journal(struct run *run)
{
	struct journal_stats st;
	char name[PATH_MAX];

	journal_close(run->journal, &st);
	run->journal = NULL;
	if (!made(run->opt->journal))
		return;
	for (uint64_t i = 0; i < st.files; i++) {
		if (run->makers) {
			(void)maker_remove(makers_of(run->makers, MADE_JOURNAL),
					   i);
			continue;
		}
		snprintf(name, sizeof(name), i == 0 ? "%s" : "%s%llu",
			 run->opt->journal, (unsigned long long)i);
		unlinkat(AT_FDCWD, name, 0);
	}
}

static void forget_gauge(struct run *run)
{
	if (!run->gauge)
		return;
	gauge_close(run->gauge);
	run->gauge = NULL;
	if (run->makers && run->opt->hdr)
		(void)maker_remove(makers_of(run->makers, MADE_HDR), 0);
	else if (made(run->opt->hdr))
		unlinkat(AT_FDCWD, run->opt->hdr, 0);
}

void run_forget(struct run *run)
{
	observe_none(run);
	prom_close(run->metrics);
	run->metrics = NULL;
	forget_gauge(run);
	outcome_forget(run->outcome);
	if (run->journal)
		forget_journal(run);
	if (!run->lines)
		return;
	lines_close(run->lines, &run->lines_lost);
	run->lines = NULL;
	if (run->makers)
		(void)maker_remove(makers_of(run->makers, MADE_LINES), 0);
	else if (made(run->opt->json))
		unlinkat(AT_FDCWD, run->opt->json, 0);
}

void run_finish(struct run *run)
{
	if (run->sink)
		sink_flush(run->sink);
	observe_none(run);
	run_end_metrics(run);
	if (!run->journal)
		return;
	/* Lost records are in the report; lost sums are nowhere else. */
	if (journal_close(run->journal, &run->journal_end) != 0 &&
	    run->journal_end.lost_ring + run->journal_end.lost_disk == 0)
		log_line(LOG_WARN,
			 "%s: its last record could not be written: rerun will "
			 "not take it for whole",
			 run->opt->journal);
	run->journal = NULL;
}

void run_close(struct run *run)
{
	run_finish(run);
	runctl_close(run->control);
	gauge_close(run->gauge);
	growth_close(run->growth);
	if (run->sink)
		sink_close(run->sink);
	if (run->lines) {
		lines_close(run->lines, &run->lines_lost);
		if (run->lines_lost > run->lines_told)
			log_line(LOG_WARN,
				 "%s: the report, or other last lines of it, "
				 "could not be written",
				 run->opt->json);
	}
	outcome_close(run->outcome);
	if (run->has_mirror)
		ring_close(&run->mirror);
	ends_close(&run->ends);
	if (run->has_sut)
		ring_close(&run->sut);
	filter_free(&run->filter);
	for (uint32_t i = 0; i < FILE_LINKS; i++)
		filter_free(&run->by_link[i].f);
	file_close(&run->file);
	for (uint32_t i = 0; i < FILES_MAX; i++)
		if (run->capture[i] > STDIN_FILENO)
			close(run->capture[i]);
	loop_close(run->loop);
	clients_free(run);
	desk_stop(run->desk);
	makers_stop(run->makers);
	mem_give(&run->mem);
}
