/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * send - The parts of `understudy send`
 *
 * options.c reads the command line, load.c makes frames of records,
 * feed.c has them ready in time, run.c sends them when they are due,
 * report.c says what became of them.
 */
#ifndef SEND_SEND_H
#define SEND_SEND_H

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/file.h"
#include "classify/rules.h"
#include "core/histogram.h"
#include "core/limits.h"
#include "opt/list.h"
#include "opt/opt.h"
#include "os/confine.h"
#include "os/errbuf.h"
#include "pace/pace.h"
#include "rewrite/edit.h"
#include "wire/cachefile.h"
#include "xmit/trace.h"
#include "xmit/xmit.h"

#define SEND_FILES 64

/* -T: the sleep ends so long before a frame is due, ns. */
#define SEND_SPIN_WHOLE ((int)(20 * NS_PER_MS)) /* gtod: as good as never */
#define SEND_SPIN_SHORT ((int)(60 * NS_PER_US)) /* nano */

enum send_engine {
	SEND_AUTO,
	SEND_PACKET,
	SEND_GSO,
	SEND_XDP,
	SEND_LIVE,
};

/**
 * struct send_options - The command line
 * @ifname:	-i, -I; the second NULL: one interface
 * @file, @files: Captures
 * @cache:	-c
 * @dual:	-2: two files, one for each interface
 * @pace:	-x, -p, -M, -t, --maxsleep, --pps-multi
 * @step:	-o: frames wait for the user
 * @loops:	-l; 0: without end
 * @loop_delay:	--loopdelay-ms, --loopdelay-ns, in ns
 * @limit:	-L; 0: none
 * @duration:	--duration, ns; 0: none
 * @preload:	-K
 * @unique:	--unique-ip; 0: no; else --unique-ip-loops
 * @spin:	-T: how long before a frame is due the sleep ends, ns; 0: as
 *		the machine has a processor to spare
 * @engine, @any_order, @qdisc: How
 * @in_use:	--onto-live-network
 * @flows:	Count flows
 * @flow_expiry: --flow-expiry, ns; 0: never
 * @stats:	--stats: every so many ns; 0 with @stats_loop: every loop
 * @edit:	Rewriting
 * @mac_seeded, @mac_seed, @mac_keep: --enet-mac-seed and -keep-bytes
 * @fuzz:	--fuzz-seed
 * @range, @ranges, @exclude: --include or --exclude: packets of each capture
 * @whole:	--pktlen: cut records get zeroes for what is not there
 * @verbose:	-v: a line for each frame
 * @json:	Last line on standard output is a JSON object
 * @user:	--user
 */
struct send_options {
	const char *ifname[XMIT_PORTS];
	const char *file[SEND_FILES];
	uint32_t files;
	const char *cache;
	bool dual;
	struct pace_config pace;
	bool step;
	uint64_t loops;
	uint64_t loop_delay;
	uint64_t limit;
	uint64_t duration;
	bool preload;
	uint64_t unique;
	uint64_t spin;
	enum send_engine engine;
	bool any_order;
	bool qdisc;
	bool in_use;
	bool flows;
	uint64_t flow_expiry;
	uint64_t stats;
	bool stats_loop;
	struct edit_config edit;
	bool mac_seeded;
	uint32_t mac_seed;
	uint32_t mac_keep;
	bool fuzz;
	struct number_range range[LIST_MAX];
	uint32_t ranges;
	bool exclude;
	bool whole;
	bool verbose;
	bool json;
	bool pid;
	const char *user;
};

/** send_command - What send takes, over struct send_options */
extern const struct opt_command send_command;

/**
 * send_options_parse() - Read it. Return: 0, 1 (help was asked for), -EINVAL
 */
int send_options_parse(struct send_options *o, int argc, char **argv,
		       struct errbuf *e);

/**
 * send_files_open() - Put the captures of folders in the folders' places
 *
 * A folder's captures, and those of the folders in it, in the order of their
 * names. What in it is no capture is left out and named on standard error.
 *
 * Return: 0, -ENOSPC (more than SEND_FILES), -EINVAL (-2 wants two) or another
 * -Exxx
 */
int send_files_open(struct send_options *o, struct errbuf *e);

/* --- records to frames --- */

struct flow_set;

/**
 * struct load_stats - What became of the records of one pass
 * @records:	Read
 * @skipped:	Of these not sent: the cache says so
 * @unwanted:	Not sent: --include or --exclude
 * @padded:	Sent with zeroes for what the capture had cut
 * @shorter:	Sent as captured, though the capture had cut them (snaplen)
 * @cut:	Super-frames that were cut, @segments: into so many
 * @too_long:	Not sent: longer than the interface takes
 * @runt:	Not sent: no Ethernet header
 * @link:	Not sent: of another link type than the frames before
 * @flows, @flows_more: Different flows; more than FLOWS_MAX of them exist
 */
struct load_stats {
	uint64_t records;
	uint64_t skipped;
	uint64_t unwanted;
	uint64_t padded;
	uint64_t shorter;
	uint64_t cut;
	uint64_t segments;
	uint64_t too_long;
	uint64_t runt;
	uint64_t link;
	uint64_t flows;
	uint64_t flow_frames;
	bool flows_more;
	struct edit_stats edit;
};

/**
 * struct loader - Reads captures, again for each loop
 * @mtu:	The smaller of the interfaces'
 * @super_max:	Super-frames up to this length are kept whole; 0: none
 * @st:		Of all passes so far
 * @passes:	How many began
 */
struct loader {
	const struct send_options *o;
	struct capture_file in[SEND_FILES];
	uint32_t now;		    /* file that is read */
	struct frame_info ahead[2]; /* -2: the next record of each file */
	int has[2];
	uint8_t *work; /* one frame while it is edited */
	uint8_t *cache_bytes;
	struct cachefile cache;
	struct bitcache_pair pair;
	uint64_t record; /* of this file */
	uint64_t added;	 /* frames of all passes */
	struct pace pace;
	uint32_t mtu;
	uint32_t super_max;
	struct flow_set *flows;
	struct load_stats st;
	uint64_t passes;
	struct errbuf not_read; /* what of the last such file was not */
	bool ether;		/* a frame with an Ethernet header was there */
};

/** load_open() - Open the captures and the cache. Return: 0 or -Exxx */
int load_open(struct loader *l, const struct send_options *o, struct errbuf *e);

/** load_close() - Close them */
void load_close(struct loader *l);

/**
 * load_check() - Read all once: can they be read, and is the cache theirs?
 *
 * Return: 0, -ESPIPE (a pipe cannot be read twice) or -Exxx
 */
int load_check(struct loader *l, struct errbuf *e);

/**
 * load_fill() - Add frames to a trace
 *
 * @bytes:	So many are enough
 *
 * What of a capture cannot be read is left out, and @not_read says so.
 *
 * Return: 1 there is more, 0 the end of the captures or of -L, or -Exxx
 */
int load_fill(struct loader *l, struct trace *t, uint64_t bytes,
	      struct errbuf *e);

/** load_again() - Begin another pass. Return: 0, or -ESPIPE (a pipe) */
int load_again(struct loader *l, struct errbuf *e);

/* --- flows --- */

/** flows_new() - An empty set of flows. Return: NULL without memory */
struct flow_set *flows_new(uint64_t expiry);

/** flows_free() - NULL is left alone */
void flows_free(struct flow_set *s);

/** flows_add() - Count a frame's flow at time @ts */
void flows_add(struct flow_set *s, const uint8_t *p, uint32_t len, uint64_t ts,
	       struct load_stats *st);

/* --- ready in time --- */

/**
 * struct feed - Traces, one after another
 * @preload:	All in one trace, which is sent again for each loop; else two
 *		small ones in turn, filled by a thread
 * @stuck:	The thread sits in a read() that brings nothing and was left
 *		there: what it uses must not be freed
 */
struct feed {
	struct loader *l;
	bool preload;
	struct trace t[2];
	uint64_t loop;
	pthread_t thread;
	bool running;
	pthread_mutex_t lock;
	pthread_cond_t turn;
	int filled[2]; /* 0 empty, 1 ready, 2 ready and the last */
	unsigned give;
	bool given;
	bool stop;
	bool stuck;
	int result;
	struct errbuf why;
};

/** feed_open() - Load all, or begin to. Return: 0 or -Exxx */
int feed_open(struct feed *f, struct loader *l, struct errbuf *e);

/**
 * feed_next() - The next trace; the one before is no longer used
 *
 * Return: NULL at the end of all loops, or after an error, which is in @result
 * and @why then
 */
struct trace *feed_next(struct feed *f);

/** feed_close() - End the thread, free the traces */
void feed_close(struct feed *f);

/* --- sending --- */

/**
 * struct send_run - One run
 * @late:	How much later than due frames were handed over, ns
 * @begun, @ended: Monotonic time of the first frame and of the end
 * @late_last:	Lateness of the last frame: what has drifted
 * @why:	Why this engine
 * @no_more:	-o: the user's answers have ended
 * @frames:	Handed to the engine
 */
struct send_run {
	const struct send_options *o;
	struct loader load;
	struct feed feed;
	struct xmit *xmit;
	struct device dev[XMIT_PORTS];
	unsigned ports;
	struct device_counter before[XMIT_PORTS];
	struct device_counter after[XMIT_PORTS];
	bool counted[XMIT_PORTS];
	char why[480];
	struct histogram late;
	uint64_t late_last;
	uint64_t begun;
	uint64_t ended;
	uint64_t frames;
	uint64_t next_stats;
	uint64_t spin;	    /* as -T says, or the machine */
	uint64_t wait_told; /* longest wait for a frame that was said, ns */
	uint64_t step_left;
	bool no_more;
	int asker; /* what the kernel is asked for counters by */
	struct confine confine;
	uint64_t cpu;
};

/** Set by SIGINT, SIGTERM and SIGHUP: the run ends with its report. */
extern volatile sig_atomic_t send_stopped;

/** send_run() - Send it all. Return: 0 or -Exxx and a sentence */
int send_run(struct send_run *r, struct errbuf *e);

/** send_report() - Print what became of it. Return: the exit code */
int send_report(struct send_run *r, int rc, const struct errbuf *e);

/**
 * send_print() - Print the line of one frame: when it was due, and what it is
 */
void send_print(const struct send_run *r, const struct xmit_frame *f,
		uint64_t due);

/** send_progress() - One line of how far it is, on standard error */
void send_progress(const struct send_run *r, uint64_t now);

#endif /* SEND_SEND_H */
