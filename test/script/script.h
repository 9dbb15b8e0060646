/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * script - A dialogue of client, production and SUT, line by line
 *
 * The notation is described in runner.c.
 */
#ifndef SCRIPT_SCRIPT_H
#define SCRIPT_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/who.h"
#include "wire/segment.h"

#define CONNS	  9 /* connections of a script are 1 to CONNS - 1 */
#define WORDS	  6 /* of a directive */
#define WORD_SIZE 32
#define TEXT_MAX  40000 /* bytes of one segment's payload */

enum line_kind {
	LINE_SEGMENT, /* C, P or S sends */
	LINE_EXPECT,  /* U must send exactly this */
	LINE_COVER,   /* U must send these bytes, in any pieces */
	LINE_NONE,    /* U must send nothing */
	LINE_QUIET,   /* U must send nothing but acks */
	LINE_ANY,     /* what U sent does not matter */
	LINE_CONN,    /* the connection that the next lines are about */
	LINE_SET,     /* an option; only before the first timed line */
	LINE_ASSERT,
};

/**
 * struct line - One line that is not empty
 * @number:	In the file, from 1
 * @kind:	What it is
 * @from, @until: Its time after the line before, ns; @until for U
 * @who:	Sender of LINE_SEGMENT
 * @flags:	TCP flags
 * @seq, @end:	Relative sequence numbers
 * @has_seq ... @has_opts: What an expectation names
 * @opts:	SACK blocks are relative
 * @data:	Payload, @len bytes; owned; NULL: the pattern
 * @cut:	Bytes that the capture missed at the end
 * @bad:	The TCP checksum is wrong
 * @words, @word: Of a directive
 */
struct line {
	unsigned number;
	enum line_kind kind;
	uint64_t from;
	uint64_t until;
	enum who who;
	uint16_t flags;
	uint32_t seq;
	uint32_t end;
	uint32_t ack;
	uint16_t win;
	uint16_t urg;
	uint16_t gso;
	bool has_seq;
	bool has_ack;
	bool has_win;
	bool has_opts;
	bool bad;
	struct tcp_opts opts;
	uint8_t *data;
	uint32_t len;
	uint32_t cut;
	unsigned words;
	char word[WORDS][WORD_SIZE];
};

/**
 * line_parse() - Read one line
 * @text:	The line, terminated; is written to
 * @l:		Result; @data is the caller's to free
 *
 * Return: NULL if it was read (1 line) and @empty tells whether it says
 * anything, else what is wrong with it
 */
const char *line_parse(char *text, struct line *l, bool *empty);

/**
 * script_run() - Play one file
 * @path:	Its name
 * @verbose:	Print every effect
 *
 * Return: true if all it expects came true; what did not is printed as TAP
 * comments
 */
bool script_run(const char *path, bool verbose);

#endif /* SCRIPT_SCRIPT_H */
