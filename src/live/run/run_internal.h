/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * run_internal - A run: wires, clock and engine put together
 */
#ifndef RUN_RUN_INTERNAL_H
#define RUN_RUN_INTERNAL_H

#include "run/state.h"

/* open.c */

/**
 * run_open() - Take memory, open wires and files, give privileges up, enter the
 * sandbox; no frame is sent yet, and no byte of a frame was looked at before
 * @run:	Zeroed
 * @o:		Options, checked; must outlive @run
 * @e:		Sentence on failure
 *
 * Return: 0 or -Exxx; run_close() in either case
 */
int run_open(struct run *run, const struct options *o, struct errbuf *e);

/** run_rotates() - Are more files made in the run? */
bool run_rotates(const struct options *o);

/**
 * run_forget() - Remove the files of a run of which there is nothing to report
 */
void run_forget(struct run *run);

/** run_finish() - Write what waits for the disk, so that it can be reported */
void run_finish(struct run *run);

/** run_close() - Flush, close and give everything back; the report's last words
 * on files come before: see run_finish()
 */
void run_close(struct run *run);

/* loop.c */

/** run_play() - Until the time is over, a signal, or the end of the files
 *
 * Return: 0, or -Exxx with a sentence: there is nothing to report. A run that
 * came to an early end but can be reported has its sentence in @run->stopped
 */
int run_play(struct run *run, struct errbuf *e);

/** run_events() - Tell what came out of the engine that is no frame */
void run_events(struct run *run);

/** run_records() - Tell of the records that are in the engine's ring */
void run_records(struct run *run);

/* judged.c; without --rules each does nothing */

/**
 * run_desk_open() - Start the desk, before a byte is read. Return: 0 or -Exxx
 */
int run_desk_open(struct run *run, struct errbuf *e);

/** run_desk_of() - Let an engine of @cfg ask it */
void run_desk_of(struct run *run, struct engine_config *cfg);

/** run_judged() - Take its answers */
void run_judged(struct run *run);

/** run_look_at_desk() - Is it there? Once a second */
void run_look_at_desk(struct run *run);

/** run_desk_end() - Wait for its last answers */
void run_desk_end(struct run *run);

/* proof.c */

/** run_prove() - Until every SUT's wire is proved to be ours
 *
 * Return: 0, or -Exxx with a sentence: it is not
 */
int run_prove(struct run *run, struct errbuf *e);

/** run_sut_of_map() - Index of the SUT of --map number @m */
uint32_t run_sut_of_map(const struct run *run, uint32_t m);

/** run_wire_is_bad() - Has a stranger been seen on the SUT's wire? Then it is
 * said in @run->stopped
 */
bool run_wire_is_bad(struct run *run);

/* last.c */

/** run_last() - Let the SUT end its last answers, then end every flow */
void run_last(struct run *run);

/* input.c */

/** run_feed() - Hand a frame of a capture to the engine, and send what comes of
 * it
 */
void run_feed(struct run *run, const struct frame_info *in);

/**
 * run_ring() - The same with up to @max frames of a ring. Return: their number
 */
uint32_t run_ring(struct run *run, struct ring *r, enum engine_source from,
		  uint32_t max);

/* send.c */

/** run_send() - Hand effects to the observers and the sink */
void run_send(struct run *run, const struct effects *out);

/** run_flush() - The sink sends what it has */
void run_flush(struct run *run);

/* look.c */

/** run_put_metrics() - Hand the counters over; run_end_metrics(): for the last
 * time
 */
void run_put_metrics(struct run *run);
void run_end_metrics(struct run *run);

/** run_control() - Make the control socket, if one is wanted. Return: 0, -Exxx
 */
int run_control(struct run *run, struct errbuf *e);

/** run_look() - Look at signals, limits, interfaces and the live line */
void run_look(struct run *run);

/** run_look_at_signals(), run_look_at_links() - At these alone */
void run_look_at_signals(struct run *run);
void run_look_at_links(struct run *run);

/** run_say_wait() - Say that the next record is due at @due, if that is long */
void run_say_wait(struct run *run, uint64_t due);

/** run_clear_line() - Before a message: take the live line from the terminal */
void run_clear_line(const struct run *run);

/* look_mirror.c */

/** run_look_at_journal() - Say what it loses, while it does */
void run_look_at_journal(struct run *run);

/** run_look_at_mirror() - Say once what the mirror does not show */
void run_look_at_mirror(struct run *run);

/* wait.c */

/** run_note() - Tell the engine what is no frame, and the observers */
void run_note(struct run *run, enum engine_note what, uint64_t value);

/** run_turn_begins() - The clock has been read: did we stand still? */
void run_turn_begins(struct run *run);

/** run_sut_is_read() - The SUT's ring is empty, as of run->now */
void run_sut_is_read(struct run *run);

/* clock.c */

/**
 * run_clock() - Has the wall clock been set? The engine and the user are told
 */
void run_clock(struct run *run);

/* source_file.c */

/** run_files() - The captures, one after the other. Return: 0, or -Exxx */
int run_files(struct run *run, struct errbuf *e);

/** run_file_open() - Open capture number @i and read its first record
 *
 * Return: 0 or -Exxx with a sentence
 */
int run_file_open(struct run *run, uint32_t i, struct errbuf *e);

/** run_file_over() - The open capture was read to its end: sum up, and say what
 * of it could not be read; too much of it makes the run an error
 */
void run_file_over(struct run *run);

/** run_record() - The next record of the open capture that passes the filter
 *
 * Return: 1, 0 at its end, or -Exxx with a sentence
 */
int run_record(struct run *run, struct frame_info *in, struct errbuf *e);

/* clients.c */

/**
 * clients_new(), clients_free() - Memory for who got which address. Return: 0,
 * -1
 */
int clients_new(struct run *run);
void clients_free(struct run *run);

/**
 * clients_take() - Give the client of a capture's frame another address, if it
 * needs one
 *
 * Return: false: the frame is not to be played
 */
bool clients_take(struct run *run, struct frame_info *in);

/* sums.c */

/** run_choose_sums() - Are the checksums of the open capture to be believed?
 * Sets @trust, and says so if nobody asked for it
 */
void run_choose_sums(struct run *run);

/** run_say_sums() - At the end: say if many frames had wrong checksums */
void run_say_sums(const struct run *run);

/* result.c */

/** run_start_line() - The JSON line of what the run is */
void run_start_line(struct run *run);
/* Let the thread of run->lines make lines of records. */
void run_make_lines(struct run *run);

/** run_report() - Print the report, and write it as a JSON line; the last such
 * line is the final one
 */
void run_report(struct run *run);

/** run_answered() - Requests that SUTs have answered so far */
uint64_t run_answered(const struct run *run);

/** run_gauge() - Judge what was measured, and tell; once, at the end */
void run_gauge(struct run *run);

/** run_forms() - Write the forms, once all is settled. Return: the exit code */
int run_forms(struct run *run);

/** run_progress_begin() - What is shown while it goes on, and where */
void run_progress_begin(struct run *run);

/** run_progress() - The line on a terminal, or the screen of --top */
void run_progress(struct run *run);

/** run_drops() - Frames that the mirror's ring lost while it was read */
uint64_t run_drops(struct run *run);

/** run_elapsed() - How long the run is, ns: by a capture's time if it is played
 * to nobody
 */
uint64_t run_elapsed(const struct run *run);

#endif /* RUN_RUN_INTERNAL_H */
