/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * state - What a run is
 *
 * The files of this room work on it through run_internal.h. Beside them only
 * the unit test of the loop makes one; nobody else looks inside.
 */
#ifndef RUN_STATE_H
#define RUN_STATE_H

#include "account/runctl.h"
#include "account/prometheus.h"
#include "account/snapshot.h"
#include "capture/ends.h"
#include "capture/file.h"
#include "capture/ring.h"
#include "config/config.h"
#include "core/histogram.h"
#include "desk/desk.h"
#include "emit/null.h"
#include "emit/packet.h"
#include "engine/engine.h"
#include "gauge/gauge.h"
#include "growth/growth.h"
#include "outcome/outcome.h"
#include "journal/journal.h"
#include "match/filter.h"
#include "os/confine.h"
#include "os/loop.h"
#include "os/maker.h"
#include "pace/stamps.h"
#include "report/lines.h"
#include "run/observe.h"
#include "redact/redact.h"
#include "top/top.h"
#include "run/source.h"

#define RUN_PENDING 1024 /* effects between two flushes of the sink */

struct clients;

/**
 * struct run - A run
 * @opt:	What was asked for; @set, once the run is open
 * @set:	What of it --ctl has changed since is so here
 * @replay:	A capture is played by its plan; NULL: as it comes
 * @mem:	Memory of the packet path
 * @delay:	Capture delay: from the kernel's time stamp to us, ns
 * @now:	The engine's time
 * @redact:	What of captured bytes is shown
 * @stamps:	The clock of a file's records
 * @wait_told:	Longest wait for a record that was said, ns
 * @stopped:	Why the run ended early, as a sentence; empty: it did not
 */
struct run {
	const struct options *opt;
	struct options set;
	struct replay *replay;
	struct arena mem;
	struct engine *engine;
	struct ring mirror;
	struct ring sut;
	bool has_mirror;
	bool has_sut;
	bool mirror_guarded;
	bool mirror_over;      /* it is not read any more */
	uint64_t mirror_drops; /* then: what it had lost until there */
	struct capture_file file;
	struct frame_info record; /* last one that was read of it */
	bool record_waits;	  /* it was not taken yet */
	int pipe;		  /* that is waited for, -1 */
	struct loop *loop;	  /* in which, and who asks by --ctl */
	int capture[FILES_MAX]; /* descriptors of captures yet to be read, -1 */
	struct link_filter by_link[FILE_LINKS];
	uint16_t link;	      /* of the mirror or the first capture */
	struct filter filter; /* of the mirror */
	const struct filter
		*of_link;      /* of the capture's frames, NULL: none yet */
	uint16_t file_link;    /* link type of these */
	const char *user;      /* whom we become; NULL: who we are */
	struct makers *makers; /* NULL: files are made by us */
	struct confine confine;
	struct sink *sink;
	struct sink_packet packet;
	struct sink_null null;
	struct journal *journal;
	struct journal_stats journal_end;
	struct lines *lines;
	const struct observer_ops *observer[OBSERVERS_MAX];
	unsigned observers;
	uint64_t lines_lost;
	uint64_t lines_told; /* losses that the last report names */
	struct desk *desk;   /* NULL: there are no rules */
	uint64_t desk_seed;  /* of the numbers of tokens */
	bool desk_gone;	     /* it is asked no more */
	uint64_t next_desk;  /* when it is looked at */
	struct histogram delay;
	uint8_t mac[ETH_LEN];
	struct hash_key key;
	uint64_t seed;
	struct redact redact;
	struct run_epoch epoch;
	uint64_t now;
	bool by_file; /* it is a capture's own */
	struct clients *clients;
	uint64_t frames_renamed;    /* by --client-net */
	uint64_t frames_unplayable; /* of clients that no SUT would answer */
	bool trust;	  /* the open one: its checksums are not tested */
	uint64_t trusted; /* frames of such captures */
	struct file_counters input; /* sums of those that were read */
	struct stamps stamps;
	uint64_t wait_told;
	uint64_t file_begun; /* when its first frame was due */
	uint64_t mirror_frames;
	uint64_t effects; /* number of the next one */
	uint64_t sunk;	  /* effects that a sink is done with, or refused */
	uint64_t left_to; /* number behind the last that a sink is done with */
	uint64_t left_stamp;  /* of those that the journal is owed; 0: none */
	bool pinned[MAP_MAX]; /* the sink knows this SUT's hardware address */
	uint8_t pin[MAP_MAX][ETH_LEN]; /* which is this one */
	bool warned[MAP_MAX];	       /* it was said that its probe is lost */
	uint32_t networks_told;	       /* lines */
	bool proved;		       /* every SUT's wire was, once */
	uint32_t pend_head;
	uint32_t pend_n;
	struct effect pend[RUN_PENDING];
	int signal_fd;
	bool hup_ends; /* SIGHUP does; else its files are made anew */
	bool stop;
	bool live_line;
	bool plain;	       /* --top without a terminal: lines */
	struct top *top;       /* NULL: there is no screen */
	struct ends ends;      /* of tunnels, on a mirror with an address */
	bool mirror_seen;      /* see look_mirror.c: it was looked at */
	uint64_t mirror_since; /* from when on */
	bool mirror_down;      /* it was said that the interface is */
	bool sut_down;
	uint64_t journal_lost; /* records, see look_journal.c */
	uint64_t journal_said; /* so many of them, and it is said again */
	bool journal_read;     /* it was said that a capture is one */
	bool busy;	       /* so many frames that napping pays */
	uint64_t look_frames;
	uint64_t next_line;
	uint64_t next_metrics;
	struct prom *metrics;	/* NULL: nobody wants them */
	struct runctl *control; /* NULL: there is no --ctl */
	uint64_t next_early;	/* --stop-early */
	struct growth *growth;	/* NULL: there is no --vitals */
	uint64_t next_growth;
	struct gauge *gauge;	 /* NULL: nobody wants times */
	struct outcome *outcome; /* NULL: no form is wanted */
	uint64_t next_link;
	uint64_t next_clock; /* when the wall clock is looked at */
	int64_t clock_ahead; /* of the monotonic one, when it was last; 0: never */
	uint64_t last_requests;
	uint64_t turn_at;   /* when the last turn began; 0: none did */
	uint64_t slept;	    /* what was slept on purpose since, at most */
	uint64_t sut_drops; /* of the SUT's ring, as the engine knows */
	struct errbuf stopped;
};

/** run_done() - The sink's callback */
void run_done(void *ctx, uint64_t cookie, int err);

#endif /* RUN_STATE_H */
