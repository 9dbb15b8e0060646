/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * file - Frames of a capture file or of standard input
 *
 * Reads through a bounded window of 2 * PCAP_RECORD_MAX bytes (or AHEAD_RING,
 * see file_read_ahead()), so that a pipe works and a file of any length takes
 * no more memory.
 */
#ifndef CAPTURE_FILE_H
#define CAPTURE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/ahead.h"
#include "core/counters.h"
#include "os/errbuf.h"
#include "wire/decode.h"
#include "wire/pcap.h"

#define FILE_LINKS	10
#define FILE_SEARCH_MAX (UINT64_C(256) << 20) /* bytes, behind one damage */

/* Link types of which frames are handed out, LINK_ numbers. */
extern const uint16_t file_links[FILE_LINKS];

#define FILE_COUNTERS(X, T)                                                    \
	X(T, bytes_all, "bytes", "of the file; of a pipe, those that came")    \
	X(T, bytes_read, "bytes",                                              \
	  "of records that could be read, or hold no frame")                   \
	X(T, damaged, "", "places")                                            \
	X(T, damaged_unsure, "", "behind which only two records agree")        \
	X(T, cut_off, "", "it ends in the middle of a record")                 \
	X(T, frames_link, "", "of a link type that is not read")               \
	X(T, frames_unread, "",                                                \
	  "longer than PCAP_RECORD_MAX, an interface too many")                \
	X(T, blocks_unknown, "", "pcapng blocks of a kind that is not known")

/** struct file_counters - What became of a file's bytes */
struct file_counters {
	FILE_COUNTERS(COUNTER_MEMBER, )
};

/** file_counter_list - Their names and what they are */
extern const struct counter_list file_counter_list;

/** struct capture_file - An open capture file; private but for the counters
 * @frames:	Frames handed out
 * @skipped:	Records that hold no frame (statistics, name resolution, ...)
 * @count:	What became of its bytes
 * @link:	First link type that was not read, if any was
 * @pen:	Of the first custom block, if there was one
 * @place:	Where the first damage is
 * @iface:	Interface of the last frame, index into @reader.iface
 * @claimed:	Its length on the wire as the file has it; may be less than what
 *		was captured
 * @bytes:	Bytes read so far
 * @wait:	Set by the caller, or NULL: called before more of a pipe is
 *		read, so that nobody waits in read(2); returns 0 when bytes or
 *		the end are there, or -Exxx, which file_next() then returns
 * @ctx:	Its first argument
 * @any_link:	Set by the caller: hand out frames of link types too that
 *		frame_decode() does not read
 * @strict:	Set by the caller: the first damage is the end
 */
struct capture_file {
	int fd;
	bool eof;
	struct ahead *ahead; /* NULL: read when it is needed */
	uint8_t *buf;
	size_t start;
	size_t end;
	const char *path;
	struct pcap_reader reader;
	uint64_t frames;
	uint64_t skipped;
	uint32_t iface;
	uint32_t claimed;
	uint64_t bytes;
	int (*wait)(void *ctx, int fd);
	void *ctx;
	bool any_link;
	bool strict;
	bool lost;	   /* behind damage, no record found again yet */
	uint64_t searched; /* bytes since then */
	uint64_t drop;	   /* bytes of a long block that are yet to come */
	struct file_counters count;
	uint16_t link;
	uint32_t pen;
	uint64_t place;
};

/**
 * file_open() - Open a capture file
 * @f:		Set on success
 * @path:	File; "-": standard input. Kept: must outlive @f
 * @e:		Sentence on failure
 *
 * Return: 0, or -ENOENT, -EACCES, -ENOMEM or another -Exxx of open(2)
 */
int file_open(struct capture_file *f, const char *path, struct errbuf *e);

/**
 * file_descriptor() - The first half of file_open(): open it and no more
 *
 * Return: descriptor to read from, or -Exxx
 */
int file_descriptor(const char *path, struct errbuf *e);

/**
 * file_adopt() - The second half
 * @fd:		Of file_descriptor(); file_close()'s on success
 *
 * Return: 0 or -ENOMEM
 */
int file_adopt(struct capture_file *f, int fd, const char *path,
	       struct errbuf *e);

/**
 * file_read_ahead() - Have a second thread read a long file
 *
 * To be called right behind file_open() or file_adopt(), and file_rewind() not
 * after it. A pipe, and a file that is not worth it, is left alone.
 */
void file_read_ahead(struct capture_file *f);

/**
 * file_next() - Read the next frame
 * @f:		File
 * @info:	Frame; its data is valid until the next call
 * @e:		Sentence on failure
 *
 * What cannot be read is stepped over and counted: frames of other link types,
 * blocks of other kinds, and damage, behind which the next plausible record is
 * looked for (pcap_resync()), FILE_SEARCH_MAX bytes far.
 *
 * Return: 1 a frame, or 0 the end, or
 *	   -ENODATA the file ends in the middle of a record (a capture that was
 *		    cut off: what came before is good), or
 *	   -EBADMSG it is no capture file, or it is damaged and @strict, or
 *	   -ENOTSUP its format is not read, or
 *	   -Exxx of read(2) or @wait
 */
int file_next(struct capture_file *f, struct frame_info *info,
	      struct errbuf *e);

/**
 * file_verdict() - How much of a file was read, at its end
 * @e:		Sentence, if not all was: "NAME: read: N of M bytes, ..."
 *
 * Return: 0 all of it, 1 not all, -EBADMSG less than half, or not one frame
 *	   though there is something
 */
int file_verdict(const struct capture_file *f, struct errbuf *e);

/** file_is_pipe() - Can it be read once only? */
bool file_is_pipe(const struct capture_file *f);

/** file_place() - Where in the file the bytes lie that file_next() gave last */
uint64_t file_place(const struct capture_file *f, const uint8_t *data);

/** file_release() - Close all but the descriptor, which is now the caller's */
int file_release(struct capture_file *f);

/**
 * file_rewind() - Begin again with the first byte
 *
 * The counters begin again too.
 *
 * Return: 0, or -ESPIPE: it is a pipe
 */
int file_rewind(struct capture_file *f);

/** file_close() - Close it; a file of zeroes is left alone */
void file_close(struct capture_file *f);

#endif /* CAPTURE_FILE_H */
