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
 * wider filter is there before it is read. Nothing is sent here; a failure leaves
 * no file, and no interface changed but for the guard, which makes a wire quieter
 * and never louder.
 *
 * Whose the files are: a user's that was named with --user or called sudo, made
 * when the process is that user. Root's else, made by a broker that stays behind
 * (os/broker.c) while the process becomes nobody.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpf/guard.h"
#include "cmd/live.h"
#include "cmd/version.h"
#include "os/clock.h"
#include "os/folder.h"
#include "os/log.h"
#include "os/mem.h"
#include "os/privileges.h"
#include "os/random.h"
#include "os/sandbox.h"
#include "os/signals.h"

#define JOURNAL_RING (64u << 20)
#define LINES_RING   (4u << 20)
#define OPTIONS_TEXT 8192
#define NOBODY	     "nobody"

static int open_engine(struct live *l, struct errbuf *e)
{
	struct engine_config cfg = l->opt->engine;
	int r;

	cfg.key = l->key;
	cfg.seed = l->seed;
	memcpy(cfg.mac, l->mac, ETH_LEN);
	r = mem_take(&l->mem, engine_size(&cfg), 0);
	if (r != 0)
		return errbuf_set(e, r,
				  "no memory for %zu MB of flows and payload; "
				  "give less with --max-flows or --pool",
				  engine_size(&cfg) >> 20);
	l->started = clock_real();
	/* Of a capture that is played to nobody, the time is the file's own. */
	l->begun = l->has_mirror || l->has_sut ? clock_mono() : 0;
	r = engine_init(&l->engine, &l->mem, &cfg, l->begun);
	if (r != 0)
		return errbuf_set(e, r, "the limits contradict each other");
	return 0;
}

/* A mirror that nobody uses is made deaf and dumb; one in use is only watched. */
static int open_mirror(struct live *l, struct errbuf *e)
{
	struct ring_opts ro = { .ifname = l->opt->iface,
				.version = l->opt->capture,
				.bytes = l->opt->mirror_ring,
				.promisc = true };
	char text[GUARD_WHY_TEXT];
	struct guard_why why;
	int r = guard_in_use(l->opt->iface, &why);

	if (ro.bytes == 0 && ro.version == RING_V2) {
		ro.bytes = RING_MIRROR_LEAST;
		ro.most = RING_MIRROR_BYTES;
	}
	if (r != 0)
		return errbuf_set(e, r, "%s: no such interface", l->opt->iface);
	if (why.use == GUARD_FREE) {
		r = guard_attach(l->opt->iface, e);
		if (r == 0)
			r = guard_link_up(l->opt->iface, e);
		l->mirror_guarded = r == 0;
	} else {
		ro.outgoing = true; /* in-host: production's answers go out */
		log_line(LOG_WARN,
			 "%s is in use (%s): it is only listened to, and its "
			 "own traffic is read too",
			 l->opt->iface, guard_why_text(&why, text));
	}
	if (r != 0)
		return r;
	r = filter_compile(&l->filter, l->opt->expr, LINK_ETHERNET, e);
	if (r != 0)
		return r;
	if (l->opt->expr[0] != '\0')
		ro.filter = &l->filter.prog;
	r = ring_open(&l->mirror, &ro, e);
	l->has_mirror = r == 0;
	return r;
}

static int open_sut(struct live *l, struct errbuf *e)
{
	struct ring_opts ro = { .ifname = l->opt->sut_dev,
				.version = RING_V2,
				.bytes = l->opt->sut_ring,
				.promisc = true };
	uint8_t dev[ETH_LEN];
	int r = guard_attach(l->opt->sut_dev, e);

	if (ro.bytes == 0) {
		ro.bytes = RING_SUT_LEAST;
		ro.most = RING_SUT_BYTES;
	}
	if (r == 0)
		r = guard_link_up(l->opt->sut_dev, e);
	if (r == 0)
		r = ring_open(&l->sut, &ro, e);
	if (r != 0)
		return r;
	l->has_sut = true;
	r = ring_mac(&l->sut, dev);
	if (r != 0)
		return errbuf_set(e, r, "%s: no hardware address",
				  l->opt->sut_dev);
	packet_private_mac(l->mac, dev);
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

static int open_sink(struct live *l, sink_done_fn *done, struct errbuf *e)
{
	struct emit_dest dest[MAP_MAX];
	uint32_t n;
	int r;

	memset(dest, 0, sizeof(dest));
	n = destinations(l->opt, dest);
	if (l->has_sut) {
		r = packet_open(&l->packet, l->opt->sut_dev, l->mac, dest, n,
				done, l, e);
		l->sink = &l->packet.sink;
	} else {
		r = sink_null_open(&l->null, l->mac, dest, n, done, l);
		l->sink = &l->null.sink;
	}
	if (r != 0)
		l->sink = NULL;
	return r;
}

/* --- what privileges and files are for --- */

static const char *sudo_user(void)
{
	const char *sudo = getenv("SUDO_USER");

	return sudo != NULL && strcmp(sudo, "root") != 0 ? sudo : NULL;
}

const char *live_user(const struct options *o)
{
	if (o->user != NULL || getuid() != 0)
		return o->user;
	return sudo_user() != NULL ? sudo_user() : NOBODY;
}

static const char *made(const char *path)
{
	return path != NULL && strcmp(path, "-") != 0 ? path : NULL;
}

static bool makes_files(const struct options *o)
{
	return made(o->json) != NULL || made(o->journal) != NULL;
}

bool live_rotates(const struct options *o)
{
	return made(o->journal) != NULL &&
	       (o->rotate_bytes != 0 || o->rotate_secs != 0);
}

static int open_broker(struct live *l, struct errbuf *e)
{
	const char *const path[BROKER_PATHS] = {
		[BROKER_LINES] = made(l->opt->json),
		[BROKER_JOURNAL] = made(l->opt->journal),
	};

	if (getuid() != 0 || l->opt->user != NULL || sudo_user() != NULL ||
	    !makes_files(l->opt))
		return 0;
	return broker_start(&l->broker, path, e);
}

/* Captures, and the filters of all their possible link types. */
static int open_captures(struct live *l, struct errbuf *e)
{
	for (uint32_t i = 0; i < l->opt->files; i++) {
		l->capture[i] = file_descriptor(l->opt->file[i], e);
		if (l->capture[i] < 0)
			return l->capture[i];
	}
	for (uint32_t i = 0; l->opt->files > 0 && i < FILE_LINKS; i++) {
		struct link_filter *f = &l->by_link[i];

		f->rc = filter_compile(&f->f, l->opt->expr, file_links[i],
				       &f->e);
	}
	return 0;
}

/* Who may not write in a folder that root named? */
static int say_who(const struct live *l, int r, struct errbuf *e)
{
	size_t n = strlen(e->s);

	if (r != -EACCES)
		return r;
	if (l->broker != NULL)
		snprintf(e->s + n, sizeof(e->s) - n,
			 "; root without capabilities makes it; give a folder "
			 "of root's, or --user NAME who may write there");
	else if (l->user != NULL)
		snprintf(e->s + n, sizeof(e->s) - n,
			 "; user %s makes it and must be able to write there",
			 l->user);
	return r;
}

static int confine_files(const struct live *l, struct errbuf *e)
{
	const char *path[] = { made(l->opt->json), made(l->opt->journal) };
	struct sandbox_place place[2];
	const char *base;
	unsigned n = 0;
	int r = 0;

	for (unsigned i = 0; i < 2 && l->broker == NULL && r >= 0; i++) {
		if (path[i] == NULL)
			continue;
		r = folder_open(path[i], &base);
		if (r >= 0)
			place[n++] = (struct sandbox_place){ r, true };
		else
			say_who(l,
				errbuf_set(e, r, "%s: %s", path[i],
					   strerror(-r)),
				e);
	}
	if (r >= 0)
		r = sandbox_files(place, n, e);
	while (n > 0)
		close(place[--n].fd);
	if (r == 0)
		log_line(LOG_INFO, "this kernel has no Landlock: what files "
				   "may be opened is left to seccomp alone");
	return r < 0 ? r : 0;
}

static int confine_calls(const struct live *l, unsigned more, struct errbuf *e)
{
	struct sandbox s = { .needs = SANDBOX_RUN | more,
			     .sink = l->has_sut ? l->packet.fd : -1,
			     .broker = broker_fd(l->broker) };

	_Static_assert(SANDBOX_RINGS == 2 * RING_FDS, "all have a place");
	if (l->has_sut)
		s.rings += ring_fds(&l->sut, s.ring);
	if (l->has_mirror)
		s.rings += ring_fds(&l->mirror, s.ring + s.rings);
	if (l->has_sut || l->has_mirror)
		s.needs |= SANDBOX_WIRES;
	if (l->broker != NULL)
		s.needs |= SANDBOX_BROKER;
	else if (makes_files(l->opt))
		s.needs |= SANDBOX_MAKE;
	if (made(l->opt->journal) != NULL)
		s.needs |= SANDBOX_WRITE;
	if (l->opt->replay)
		s.needs |= SANDBOX_REREAD;
	return sandbox_calls(&s, e);
}

static int open_journal(struct live *l, struct errbuf *e)
{
	static char text[OPTIONS_TEXT];
	struct journal_opts jo = { .path = l->opt->journal,
				   .rotate_bytes =
					   l->opt->rotate_bytes * 1000000,
				   .rotate_secs = l->opt->rotate_secs,
				   .files = l->opt->rotate_files,
				   .only_client = l->opt->journal_client,
				   .broker = l->broker,
				   .ring_bytes = JOURNAL_RING };
	struct journal_header h = { .version = VERSION,
				    .options = text,
				    .limits = l->opt->engine.limits,
				    .key = l->key,
				    .seed = l->seed,
				    .begun = l->begun };
	char err[JOURNAL_ERR];
	int r = options_text(l->opt, text, sizeof(text));

	if (r < 0)
		return errbuf_set(e, r, "too many options for a journal");
	memcpy(h.mac, l->mac, ETH_LEN);
	if (l->begun != 0)
		h.started = l->started - l->begun;
	for (int i = 0; i < JOURNAL_IFACES; i++)
		h.link[i] = i == JOURNAL_SUT || i == JOURNAL_EMITTED
				    ? LINK_ETHERNET
				    : l->link;
	r = journal_open(&l->journal, &jo, &h, err);
	return r != 0 ? errbuf_set(e, r, "%s", err) : 0;
}

static int open_files(struct live *l, struct errbuf *e)
{
	char err[LINES_ERR];
	int r = 0;

	l->link = l->record_waits ? l->record.link : LINK_ETHERNET;
	if (l->opt->json != NULL) {
		r = lines_open(&l->lines, l->opt->json, l->broker, LINES_RING,
			       err);
		if (r != 0)
			errbuf_set(e, r, "%s", err);
	}
	if (r == 0 && l->opt->journal != NULL)
		r = open_journal(l, e);
	return say_who(l, r, e);
}

/* What needs privileges, and says so when they are missing. */
static int open_wires(struct live *l, sink_done_fn *done, struct errbuf *e)
{
	const struct options *o = l->opt;
	size_t n;
	int r = 0;

	if (o->sut_dev != NULL && !o->engine.sut_none)
		r = open_sut(l, e);
	if (r == 0 && o->iface != NULL)
		r = open_mirror(l, e);
	if (r == 0)
		r = open_sink(l, done, e);
	if (r != -EPERM && r != -EACCES)
		return r;
	n = strlen(e->s);
	snprintf(e->s + n, sizeof(e->s) - n,
		 "; run it as root, or with CAP_NET_RAW, CAP_NET_ADMIN and "
		 "CAP_BPF");
	return r;
}

int live_open(struct live *l, const struct options *o, sink_done_fn *done,
	      struct errbuf *e)
{
	int r;

	l->opt = o;
	l->reads = o->files > 0;
	l->pipe = -1;
	l->user = live_user(o);
	for (uint32_t i = 0; i < FILES_MAX; i++)
		l->capture[i] = -1;
	r = open_broker(l, e);
	if (r != 0)
		return r;
	r = random_bytes(&l->key, sizeof(l->key));
	if (r == 0)
		r = random_bytes(&l->seed, sizeof(l->seed));
	if (r != 0)
		return errbuf_set(e, r, "the kernel gives no random numbers");
	l->signal_fd = signals_open();
	if (l->signal_fd < 0)
		return errbuf_set(e, l->signal_fd, "cannot take signals");
	r = open_wires(l, done, e);
	if (r == 0)
		r = open_captures(l, e);
	if (r == 0)
		r = open_engine(l, e);
	if (r == 0 && l->reads && clients_new(l) != 0)
		r = errbuf_set(e, -ENOMEM, "no memory");
	if (r == 0)
		r = privileges_drop(l->user, e);
	if (r == 0)
		r = confine_files(l, e);
	if (r == 0 && o->files > 0)
		r = confine_calls(l, SANDBOX_START, e);
	if (r == 0 && o->files > 0)
		r = live_file_open(l, 0, e);
	if (r == 0)
		r = open_files(l, e);
	clock_precise(); /* the packet thread's alone: the others run by now */
	if (r == 0)
		r = confine_calls(l, 0, e);
	return r;
}

static void forget_journal(struct live *l)
{
	struct journal_stats st;
	char name[PATH_MAX];

	journal_close(l->journal, &st);
	l->journal = NULL;
	if (made(l->opt->journal) == NULL)
		return;
	for (uint64_t i = 0; i < st.files; i++) {
		if (l->broker != NULL) {
			(void)broker_remove(l->broker, BROKER_JOURNAL, i);
			continue;
		}
		snprintf(name, sizeof(name), i == 0 ? "%s" : "%s%llu",
			 l->opt->journal, (unsigned long long)i);
		unlinkat(AT_FDCWD, name, 0);
	}
}

void live_forget(struct live *l)
{
	if (l->journal != NULL)
		forget_journal(l);
	if (l->lines == NULL)
		return;
	lines_close(l->lines, &l->lines_lost);
	l->lines = NULL;
	if (l->broker != NULL)
		(void)broker_remove(l->broker, BROKER_LINES, 0);
	else if (made(l->opt->json) != NULL)
		unlinkat(AT_FDCWD, l->opt->json, 0);
}

void live_finish(struct live *l)
{
	if (l->sink != NULL)
		sink_flush(l->sink);
	if (l->journal == NULL)
		return;
	/* Lost records are in the report; lost sums are nowhere else. */
	if (journal_close(l->journal, &l->journal_end) != 0 &&
	    l->journal_end.lost_ring + l->journal_end.lost_disk == 0)
		log_line(LOG_WARN,
			 "%s: its last record could not be written: rerun will "
			 "not take it for whole",
			 l->opt->journal);
	l->journal = NULL;
}

void live_close(struct live *l)
{
	live_finish(l);
	if (l->sink != NULL)
		sink_close(l->sink);
	if (l->lines != NULL) {
		lines_close(l->lines, &l->lines_lost);
		if (l->lines_lost > l->lines_told)
			log_line(LOG_WARN,
				 "%s: the report, or other last lines of it, "
				 "could not be written",
				 l->opt->json);
	}
	if (l->has_mirror)
		ring_close(&l->mirror);
	if (l->has_sut)
		ring_close(&l->sut);
	filter_free(&l->filter);
	for (uint32_t i = 0; i < FILE_LINKS; i++)
		filter_free(&l->by_link[i].f);
	file_close(&l->file);
	for (uint32_t i = 0; i < FILES_MAX; i++)
		if (l->capture[i] > STDIN_FILENO)
			close(l->capture[i]);
	clients_free(l);
	broker_stop(l->broker);
	mem_give(&l->mem);
}
