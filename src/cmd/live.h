/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * live - The packet thread: wires, clock and engine put together
 */
#ifndef CMD_LIVE_H
#define CMD_LIVE_H

#include "capture/file.h"
#include "capture/ring.h"
#include "cmd/options.h"
#include "codec/filter.h"
#include "core/histogram.h"
#include "emit/null.h"
#include "emit/packet.h"
#include "engine/engine.h"
#include "journal/journal.h"
#include "os/broker.h"
#include "pace/stamps.h"
#include "report/lines.h"

#define LIVE_PENDING 1024 /* effects between two flushes of the sink */

/**
 * struct link_filter - The filter for one link type of captures, compiled ahead
 * @rc:		0, or why there is none, with the sentence in @e
 */
struct link_filter {
	struct filter f;
	int rc;
	struct errbuf e;
};

struct clients;
struct replay;

/**
 * struct live - A run
 * @opt:	What was asked for
 * @replay:	A capture is played by its plan; NULL: as it comes
 * @mem:	Memory of the packet path
 * @delay:	Capture delay: from the kernel's time stamp to us, ns
 * @now:	The engine's time
 * @stamps:	The clock of a file's records
 * @wait_told:	Longest wait for a record that was said, ns
 * @stopped:	Why the run ended early, as a sentence; empty: it did not
 */
struct live {
	const struct options *opt;
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
	int capture[FILES_MAX]; /* descriptors of captures yet to be read, -1 */
	struct link_filter by_link[FILE_LINKS];
	uint16_t link;	      /* of the mirror or the first capture */
	struct filter filter; /* of the mirror */
	const struct filter
		*of_link;      /* of the capture's frames, NULL: none yet */
	uint16_t file_link;    /* link type of these */
	const char *user;      /* whom we become; NULL: who we are */
	struct broker *broker; /* NULL: files are made by us */
	struct sink *sink;
	struct sink_packet packet;
	struct sink_null null;
	struct journal *journal;
	struct journal_stats journal_end;
	struct lines *lines;
	uint64_t lines_lost;
	uint64_t lines_told; /* losses that the last report names */
	struct histogram delay;
	uint8_t mac[ETH_LEN];
	struct hash_key key;
	uint64_t seed;
	uint64_t started; /* time of day */
	uint64_t begun;	  /* the engine's time then */
	uint64_t now;
	bool reads; /* captures; false in a rerun */
	struct clients *clients;
	uint64_t frames_renamed;    /* by --client-net */
	uint64_t frames_unplayable; /* of clients that no SUT would answer */
	bool trust;	  /* the open one: its checksums are not tested */
	uint64_t trusted; /* frames of such captures */
	struct file_counters input; /* sums of those that were read */
	struct stamps stamps;
	uint64_t wait_told;
	uint64_t file_begun; /* when its first frame was due */
	uint64_t record_due; /* of the record that is waited for, 0: none */
	uint64_t mirror_frames;
	uint64_t effects; /* number of the next one */
	uint64_t sunk;	  /* effects that a sink is done with, or refused */
	uint64_t left_to; /* number behind the last that a sink is done with */
	uint64_t left_stamp;	/* of those that the journal is owed; 0: none */
	bool pinned[MAP_MAX];	/* the sink knows this SUT's hardware address */
	bool warned[MAP_MAX];	/* it was said that its probe is lost */
	uint32_t networks_told; /* lines */
	bool proved;		/* every SUT's wire was, once */
	uint32_t pend_head;
	uint32_t pend_n;
	struct effect pend[LIVE_PENDING];
	int signal_fd;
	bool stop;
	bool live_line;
	bool mirror_down; /* it was said that the interface is */
	bool sut_down;
	bool busy; /* so many frames that napping pays */
	uint64_t look_frames;
	uint64_t next_line;
	uint64_t next_link;
	uint64_t next_clock; /* when the wall clock is looked at */
	int64_t clock_ahead; /* of the monotonic one, when it was last; 0: never */
	uint64_t last_requests;
	uint64_t turn_at;   /* when the last turn began; 0: none did */
	uint64_t slept;	    /* what was slept on purpose since, at most */
	uint64_t sut_drops; /* of the SUT's ring, as the engine knows */
	struct errbuf stopped;
};

/**
 * live_open() - Take memory, open wires and files, give privileges up, enter the
 * sandbox; no frame is sent yet, and no byte of a frame was looked at before
 * @l:		Zeroed
 * @o:		Options, checked; must outlive @l
 * @e:		Sentence on failure
 *
 * Return: 0 or -Exxx; live_close() in either case
 */
int live_open(struct live *l, const struct options *o, sink_done_fn *done,
	      struct errbuf *e);

/** live_done() - The sink's callback */
void live_done(void *ctx, uint64_t cookie, int err);

/** live_run() - Until the time is over, a signal, or the end of the files
 *
 * Return: 0, or -Exxx with a sentence: there is nothing to report. A run that
 * came to an early end but can be reported has its sentence in @l->stopped
 */
int live_run(struct live *l, struct errbuf *e);

/** live_forget() - Remove the files of a run of which there is nothing to report */
void live_forget(struct live *l);

/** live_file_open() - Open capture number @i and read its first record
 *
 * Return: 0 or -Exxx with a sentence
 */
int live_file_open(struct live *l, uint32_t i, struct errbuf *e);

/* clients.c */

/** clients_new(), clients_free() - Memory for who got which address. Return: 0, -1 */
int clients_new(struct live *l);
void clients_free(struct live *l);

/**
 * clients_take() - Give the client of a capture's frame another address, if it
 * needs one
 *
 * Return: false: the frame is not to be played
 */
bool clients_take(struct live *l, struct frame_info *in);

/** live_choose_sums() - Are the checksums of the open capture to be believed? Sets
 * @trust, and says so if nobody asked for it
 */
void live_choose_sums(struct live *l);

/** live_say_sums() - At the end: say if many frames had wrong checksums */
void live_say_sums(const struct live *l);

/** live_file_over() - The open capture was read to its end: sum up, and say what
 * of it could not be read; too much of it makes the run an error
 */
void live_file_over(struct live *l);

/** live_record() - The next record of the open capture that passes the filter
 *
 * Return: 1, 0 at its end, or -Exxx with a sentence
 */
int live_record(struct live *l, struct frame_info *in, struct errbuf *e);

/** live_feed() - Hand a frame of a capture to the engine, and send what comes of
 * it
 */
void live_feed(struct live *l, const struct frame_info *in);

/** live_turn() - Serve the SUT's wire and what is due. Return: frames taken */
uint32_t live_turn(struct live *l);

/** live_rest() - Sleep until the SUT speaks, something is due, or it is @due (0:
 * never); under load only for a moment
 */
void live_rest(struct live *l, uint64_t due);

/** live_say_wait() - Say that the next record is due at @due, if that is long */
void live_say_wait(struct live *l, uint64_t due);

/** live_wait() - Serve the SUT until it is @due, or the run is to stop */
void live_wait(struct live *l, uint64_t due);

/** live_look() - Look at signals, limits, interfaces and the live line */
void live_look(struct live *l);

/** live_user() - Whom a run becomes: who was asked for; for root who called sudo,
 * or nobody; NULL: it stays who it is
 */
const char *live_user(const struct options *o);

/** live_rotates() - Are more journal files made in the run? */
bool live_rotates(const struct options *o);

/** live_close() - Flush, close and give everything back; the report's last words
 * on files come before: see live_finish()
 */
void live_close(struct live *l);

/** live_finish() - Write what waits for the disk, so that it can be reported */
void live_finish(struct live *l);

/** live_report() - Print the report, and write it as a JSON line; the last such
 * line is the final one
 */
void live_report(struct live *l);

/* networks.c: clients' networks that the SUT does not answer on its wire */

#define NETWORK_NAME 56 /* bytes of ADDRESS/LENGTH */

/** networks_name() - Write a network; @out has NETWORK_NAME bytes. Return: @out */
char *networks_name(char *out, const struct ipaddr *net, uint8_t bits);

/** networks_tell() - Say an EVENT_NETWORK at once; other events are ignored */
void networks_tell(struct live *l, const struct engine_event *ev);

/** networks_first_line() - Say what may leak, if networks are not proved */
void networks_first_line(const struct options *o);

/** networks_too_many() - Are there more flows without a route than allowed? */
bool networks_too_many(const struct live *l);

/** networks_headline() - If so, the networks' names. Return: @out, or NULL */
const char *networks_headline(const struct live *l, char *out, size_t size);

/** networks_at_end() - Name those that are not played now */
void networks_at_end(const struct live *l);

/** live_exit_code() - 0, 1 or 2, by what the run found */
int live_exit_code(const struct live *l);

/* clock.c */

/** live_clock() - Has the wall clock been set? The engine and the user are told */
void live_clock(struct live *l);
/** live_send() - Hand effects to journal, --print and sink */
void live_send(struct live *l, const struct effects *out);

/* live_wait.c */

/** live_note() - Tell the engine what is no frame, and the journal */
void live_note(struct live *l, enum engine_note what, uint64_t value);

/** live_turn_begins() - The clock has been read: did we stand still? */
void live_turn_begins(struct live *l);

/** live_sut_is_read() - The SUT's ring is empty, as of l->now */
void live_sut_is_read(struct live *l);

/**
 * struct live_final - The wait for the SUT's last answers
 * @least, @most: It does not end before, nor later
 * @look:	When to look next at what is owed
 */
struct live_final {
	uint64_t least;
	uint64_t most;
	uint64_t look;
};

/** live_final_begin() - The run is over but for those, and says so */
void live_final_begin(struct live *l, struct live_final *f);

/** live_final_over() - Is nothing owed any more, or the time up? */
bool live_final_over(struct live *l, struct live_final *f);

/** live_final_more() - The SUT goes on, and is waited for: begin anew */
void live_final_more(struct live *l, struct live_final *f);

/** live_was_down() - Was a SUT down for longer than --allow-down? */
bool live_was_down(const struct live *l);

/* print.c */

/** live_print_effect(), live_print_input() - A line of --print */
void live_print_effect(const struct effect *x);
void live_print_input(const struct live *l, enum engine_source from,
		      enum engine_kind kind, const struct frame_info *in);

/* fill.c */

/** live_start_line(), live_event_line() - JSON lines of the run */
void live_start_line(struct live *l);
void live_event_line(struct live *l, const struct engine_event *ev);

/** live_event_json(), live_report_json() - The lines that these write, and the
 * report's, as text; 0: there is none, or no room. Of @l's wires only their
 * being absent is looked at
 */
size_t live_event_json(const struct live *l, const struct engine_event *ev,
		       char *out, size_t size);
size_t live_report_json(struct live *l, char *out, size_t size);

/** live_drops() - Frames that the mirror's ring lost while it was read */
uint64_t live_drops(struct live *l);

/** live_elapsed() - How long the run is, ns: by a capture's time if it is played
 * to nobody
 */
uint64_t live_elapsed(const struct live *l);

/** live_progress() - The line on a terminal */
void live_progress(struct live *l);

#endif /* CMD_LIVE_H */
