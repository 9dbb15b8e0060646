/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * open.c - Everything that is opened before the first frame
 *
 * Theory of operation
 *
 * First what can fail for a typing mistake, then what needs privileges, then the
 * privileges go, then the files are made, as the user who will own them. Nothing
 * is sent here; a failure leaves no file, and no interface changed but for the
 * guard, which makes a wire quieter and never louder.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpf/guard.h"
#include "cmd/live.h"
#include "cmd/version.h"
#include "os/clock.h"
#include "os/log.h"
#include "os/mem.h"
#include "os/privileges.h"
#include "os/random.h"
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
	enum guard_use use;
	int r = guard_in_use(l->opt->iface, &use);

	if (r != 0)
		return errbuf_set(e, r, "%s: no such interface", l->opt->iface);
	if (use == GUARD_FREE) {
		r = guard_attach(l->opt->iface, e);
		if (r == 0)
			r = guard_link_up(l->opt->iface, e);
		l->mirror_guarded = r == 0;
	} else {
		ro.outgoing = true; /* in-host: production's answers go out */
		log_line(LOG_WARN,
			 "%s is in use (%s): it is only listened to, and its "
			 "own traffic is read too",
			 l->opt->iface, guard_use_text(use));
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
				.bytes = l->opt->sut_ring != 0
						 ? l->opt->sut_ring
						 : RING_SUT_BYTES,
				.promisc = true };
	uint8_t dev[ETH_LEN];
	int r = guard_attach(l->opt->sut_dev, e);

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

/* Whom to become: who was asked for, who called sudo, or nobody. Root stays root
 * without capabilities where it must write files in its own folders.
 */
static const char *user_of(const struct options *o)
{
	const char *sudo = getenv("SUDO_USER");

	if (o->user != NULL || getuid() != 0)
		return o->user;
	if (sudo != NULL && strcmp(sudo, "root") != 0)
		return sudo;
	if (o->journal != NULL || (o->json != NULL && strcmp(o->json, "-")))
		return NULL;
	return NOBODY;
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
		r = lines_open(&l->lines, l->opt->json, LINES_RING, err);
		if (r != 0)
			return errbuf_set(e, r, "%s", err);
	}
	if (l->opt->journal != NULL)
		r = open_journal(l, e);
	return r;
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
	int r = random_bytes(&l->key, sizeof(l->key));

	l->opt = o;
	if (r == 0)
		r = random_bytes(&l->seed, sizeof(l->seed));
	if (r != 0)
		return errbuf_set(e, r, "the kernel gives no random numbers");
	l->signal_fd = signals_open();
	if (l->signal_fd < 0)
		return errbuf_set(e, l->signal_fd, "cannot take signals");
	r = open_wires(l, done, e);
	if (r == 0)
		r = open_engine(l, e);
	if (r == 0 && (l->has_mirror || l->has_sut))
		r = privileges_drop(user_of(o), e);
	if (r == 0 && o->files > 0)
		r = live_file_open(l, 0, e);
	if (r == 0)
		r = open_files(l, e);
	return r;
}

void live_forget(struct live *l)
{
	struct journal_stats st;
	char name[PATH_MAX];

	if (l->journal != NULL) {
		journal_close(l->journal, &st);
		l->journal = NULL;
		for (uint64_t i = 0;
		     i < st.files && strcmp(l->opt->journal, "-"); i++) {
			snprintf(name, sizeof(name), i == 0 ? "%s" : "%s%llu",
				 l->opt->journal, (unsigned long long)i);
			unlink(name);
		}
	}
	if (l->lines != NULL) {
		lines_close(l->lines, &l->lines_lost);
		l->lines = NULL;
		if (strcmp(l->opt->json, "-") != 0)
			unlink(l->opt->json);
	}
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
	file_close(&l->file);
	mem_give(&l->mem);
}
