/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * journal - Our own record of a run, and its reader
 *
 * A pcapng file that any packet tool opens: five interfaces, every frame with
 * its capture time, and in its comment the engine's `now`. Between the frames
 * lie custom blocks with what else a rerun needs, in the order in which the
 * engine saw it: timeout calls, marks made by quiet, sends that failed,
 * comparisons that a full ring refused; in front the run's options, limits and
 * secrets, at the end its sums. A journal is as secret as the traffic in it.
 *
 * Every record has a number. A hole in the numbers is a loss, and a file that
 * does not end with the sums was cut: such a journal is partial and proves
 * nothing.
 */
#ifndef JOURNAL_JOURNAL_H
#define JOURNAL_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/hash.h"
#include "core/limits.h"
#include "os/maker.h"

/* Interfaces of the file: the wire and the endpoint that sent the frame. */
#define JOURNAL_IFACE_LIST(X)                                                  \
	X(JOURNAL_CLIENT, "client")                                            \
	X(JOURNAL_PROD, "production")                                          \
	X(JOURNAL_SUT, "SUT")                                                  \
	X(JOURNAL_EMITTED, "emitted") /* what we sent */                       \
	X(JOURNAL_MIRROR, "mirror")   /* on the mirror, but of neither */

enum journal_iface {
#define X(id, name) id,
	JOURNAL_IFACE_LIST(X)
#undef X
		JOURNAL_IFACES
};

#define JOURNAL_OPTIONS_MAX 65535  /* longest options text */
#define JOURNAL_PEN	    32473u /* of its custom blocks */
#define JOURNAL_VERSION_MAX 63	   /* longest program version */
#define JOURNAL_COMMENT_MAX 255	   /* longest comment of a frame; cut beyond */
#define JOURNAL_ERR	    256	   /* room for any message of journal_open() */

/**
 * struct journal_header - What a rerun must know before the first record
 * @version:	Program version
 * @options:	Options in a form that the caller can read again
 * @limits:	Limits of the packet path
 * @key:	Key of the maps (core/map)
 * @seed:	Seed of the random numbers
 * @mac:	Our hardware address on the SUT's wire
 * @started:	ns since 1970 at which `now` was 0
 * @begun:	`now` at which the engine was made
 * @link:	Link type of each interface (LINK_ numbers)
 * @only_client: Only the clients' frames were recorded; set by journal_open()
 */
struct journal_header {
	const char *version;
	const char *options;
	struct limits limits;
	struct hash_key key;
	uint64_t seed;
	uint8_t mac[6];
	uint64_t started;
	uint64_t begun;
	uint16_t link[JOURNAL_IFACES];
	bool only_client;
};

/**
 * struct journal_opts - How to write
 * @path:	File, made anew; or "-": standard output, without rotation
 * @rotate_bytes: Begin another file before a record would take one beyond so
 *		many bytes (a file has at least one record); 0: never
 * @rotate_secs: Begin another file when the first record of one is so many
 *		seconds old, by the records' `now`; 0: never
 * @files:	Keep only so many of the newest files, 0: all
 * @only_client: Record the clients' frames and nothing else: something to
 *		play, not to rerun
 * @maker:	Makes the files; NULL: the process does
 * @ring_bytes:	Room between the packet thread and the writer; a record longer
 *		than half of it is lost
 *
 * The second file's name is @path with 1 behind it, then 2, and so on.
 */
struct journal_opts {
	const char *path;
	uint64_t rotate_bytes;
	uint64_t rotate_secs;
	uint32_t files;
	bool only_client;
	struct maker *maker;
	size_t ring_bytes;
};

/**
 * struct journal_frame - A frame, seen or sent
 * @iface:	Where
 * @sut:	Index of the SUT for JOURNAL_SUT and JOURNAL_EMITTED, else 0
 * @csum_ok:	Its L4 checksum needed no test
 * @trusted:	None of its checksums was tested
 * @gso:	Segment size of a super-frame, else 0
 * @now:	The engine's time, ns since start
 * @ts:		Capture time, ns since 1970; of an emitted frame when it was
 *		made: when it left says journal_left()
 * @data, @cap:	Bytes captured, borrowed; @cap + @more_len up to FRAME_MAX
 * @more, @more_len: Bytes that follow those at @data; a reader gives none
 * @wire:	Bytes on the wire
 * @comment:	Shown by packet tools at this frame; NULL: none
 */
struct journal_frame {
	enum journal_iface iface;
	uint8_t sut;
	bool csum_ok;
	bool trusted;
	uint16_t gso;
	uint64_t now;
	uint64_t ts;
	const uint8_t *data;
	uint32_t cap;
	const uint8_t *more;
	uint32_t more_len;
	uint32_t wire;
	const char *comment;
};

/**
 * struct journal_stats - A snapshot of a writer
 * @records:	Handed in (only_client: those that are kept)
 * @written:	In files now or once
 * @lost_ring:	Did not fit the ring: the disk is too slow
 * @lost_disk:	Could not be written
 * @bytes:	In files now or once
 * @files:	Made
 * @rotate_failed: Times that another file could not be made: the old one grows
 * @error:	Last error of a write or of a rotation, -Exxx; 0: none
 */
struct journal_stats {
	uint64_t records;
	uint64_t written;
	uint64_t lost_ring;
	uint64_t lost_disk;
	uint64_t bytes;
	uint64_t files;
	uint64_t rotate_failed;
	int error;
};

struct journal;

/**
 * journal_open() - Make the file, write its header, start the writer's thread
 * @out:	Result
 * @o, @h:	What and how; copied
 * @err:	JOURNAL_ERR bytes: the message, if it fails
 *
 * The file is 0600 and must not be there, nor be a symbolic link.
 *
 * Return: 0 or -Exxx (@out untouched, no file left)
 */
int journal_open(struct journal **out, const struct journal_opts *o,
		 const struct journal_header *h, char *err);

/*
 * Records, one thread, in the order in which the engine saw them. None waits;
 * what cannot be taken is lost and counted.
 */

/** journal_frame() - A frame went in, or out (JOURNAL_EMITTED) */
void journal_frame(struct journal *j, const struct journal_frame *f);

/**
 * journal_next_frame() - Number that the next frame will have
 *
 * Counted from 1 over all frames of the journal, those that were sent too, as
 * packet tools number them; what was lost in the ring has none.
 */
uint64_t journal_next_frame(const struct journal *j);

/**
 * journal_rotate() - The next record begins another file, as rotation does
 *
 * Nothing happens to a file without records, nor to standard output. Any
 * thread.
 */
void journal_rotate(struct journal *j);

/** journal_timeout() - The machines were called for their timers */
void journal_timeout(struct journal *j, uint64_t now);

/** journal_unsent() - Effect number @effect of the run could not be sent */
void journal_unsent(struct journal *j, uint64_t effect, uint64_t now);

/** journal_left() - The effects below number @effect, that were not told of
 * before, were handed to the wire at @stamp, ns since 1970, but for those that
 * journal_unsent() named
 */
void journal_left(struct journal *j, uint64_t effect, uint64_t stamp,
		  uint64_t now);

/** journal_clock() - The wall clock was looked at: it was set by @step ns */
void journal_clock(struct journal *j, int64_t step, uint64_t now);

/** journal_refused() - Exchange @index of @flow found no room to be compared */
void journal_refused(struct journal *j, uint64_t flow, uint32_t index,
		     uint64_t now);

/** journal_note() - What no frame tells (enum engine_note), with its value */
void journal_note(struct journal *j, unsigned note, uint64_t value,
		  uint64_t now);

/** journal_stats() - How it goes; any thread */
void journal_stats(const struct journal *j, struct journal_stats *out);

/**
 * journal_close() - Write what is left, and the sums
 * @out:	Final sums; may be NULL
 *
 * Return: 0, or -EIO if records were lost or the sums could not be written
 */
int journal_close(struct journal *j, struct journal_stats *out);

enum journal_kind {
	JOURNAL_FRAME,
	JOURNAL_TIMEOUT,
	JOURNAL_UNSENT,
	JOURNAL_REFUSED,
	JOURNAL_LEFT,
	JOURNAL_CLOCK,
	JOURNAL_NOTE,
};

/**
 * struct journal_record - One record as it is read
 * @kind:	What it is
 * @now:	The engine's time
 * @frame:	JOURNAL_FRAME; borrowed until the next read; comment is NULL
 * @flow:	JOURNAL_REFUSED
 * @effect:	JOURNAL_UNSENT, JOURNAL_LEFT
 * @stamp:	JOURNAL_LEFT
 * @step:	JOURNAL_CLOCK
 * @index:	JOURNAL_REFUSED
 * @note, @value: JOURNAL_NOTE
 */
struct journal_record {
	enum journal_kind kind;
	uint64_t now;
	struct journal_frame frame;
	uint64_t flow;
	uint64_t effect;
	uint64_t stamp;
	int64_t step;
	uint32_t index;
	unsigned note;
	uint64_t value;
};

/**
 * struct journal_status - What a reader knows of the journal so far
 * @whole:	Read from its first record to its sums and nothing is missing;
 *		only then may a rerun be called equal
 * @records:	Read
 * @lost:	Missing, as far as known
 * @why:	Why it is not whole; NULL while it is or may be
 */
struct journal_status {
	bool whole;
	uint64_t records;
	uint64_t lost;
	const char *why;
};

struct pcap_reader;

/**
 * journal_leaves_out() - Is the file that @r reads a journal, and is a frame of
 * its interface @iface none of clients and production, but the SUT's or ours?
 *
 * Who plays the file as a capture leaves these out: they came of a run. It is
 * known by the names of its interfaces.
 */
bool journal_leaves_out(const struct pcap_reader *r, uint32_t iface);

struct journal_reader;

/**
 * journal_read_open() - Open a journal and read its header
 * @path:	First file; those that follow it are found by name in the same
 *		folder. "-": standard input
 * @err:	JOURNAL_ERR bytes: the message, if it fails
 *
 * Return: 0, -EBADMSG: not a journal or broken, -ENOTSUP: of another format, or
 * another -Exxx (@out untouched)
 */
int journal_read_open(struct journal_reader **out, const char *path, char *err);

/** journal_read_fd() - The same from @fd, which the reader closes; one file */
int journal_read_fd(struct journal_reader **out, int fd, char *err);

/** journal_read_header() - The first file's header; valid until the close */
const struct journal_header *
journal_read_header(const struct journal_reader *r);

/**
 * journal_read_next() - Read one record
 *
 * Return: 1, 0 at the end (also where the journal was cut: ask for the status),
 * -EBADMSG if it is broken, or another -Exxx; 0 and errors are final
 */
int journal_read_next(struct journal_reader *r, struct journal_record *rec);

/** journal_read_status() - How far it is whole; final once 0 was returned */
void journal_read_status(const struct journal_reader *r,
			 struct journal_status *out);

/** journal_read_close() - Close and free */
void journal_read_close(struct journal_reader *r);

#endif /* JOURNAL_JOURNAL_H */
