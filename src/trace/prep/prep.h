/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prep - understudy prep: what its files share
 */
#ifndef PREP_PREP_H
#define PREP_PREP_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/file.h"
#include "classify/rules.h"
#include "match/filter.h"
#include "match/pattern.h"
#include "opt/list.h"
#include "opt/opt.h"
#include "os/errbuf.h"
#include "wire/cachefile.h"

#define PREP_ARGS_MAX  1024   /* command line kept in the comment, as tcpprep */
#define PREP_USER_MAX  64511  /* longest -C, as tcpprep */
#define PREP_FLOWS     262144 /* connections that are followed at a time */
#define PREP_FLOWS_MAX (UINT32_C(1) << 24)

/**
 * struct prep_args - The command line
 * @tcpprep:	--compat tcpprep
 * @in, @out:	-i, -o
 * @show:	'P', 'I' or 'S' with its file in @in; 0: none
 * @rules:	Points into what follows
 * @pattern:	-r
 * @filter:	-x F:...; NULL: none
 * @comment:	-C; NULL: none
 * @args:	Command line for the comment; empty with --no-arg-comment
 */
struct prep_args {
	bool tcpprep;
	bool quiet;
	bool verbose;
	const char *in;
	const char *out;
	char show;
	uint32_t flows;
	struct prep_rules rules;
	struct pattern *pattern;
	const char *filter;
	const char *comment;
	char args[PREP_ARGS_MAX];
	struct prep_net split[LIST_MAX];
	struct prep_net picked[LIST_MAX];
	struct number_range range[LIST_MAX];
	struct prep_mac mac[LIST_MAX];
	bool tcp[PREP_PORTS];
	bool udp[PREP_PORTS];
};

/** prep_command - What prep takes, over struct prep_args */
extern const struct opt_command prep_command;

/**
 * prep_args_parse() - Read the command line
 * @a:		Zeroed; set. Strings are borrowed, as by opt_parse()
 *
 * Return: 0; 1 if help was asked for; -Exxx with a sentence
 */
int prep_args_parse(struct prep_args *a, int argc, char **argv,
		    struct errbuf *e);

/** prep_args_free() - Free what it holds */
void prep_args_free(struct prep_args *a);

/*
 * Lists, in tcpprep's own syntax. Each returns how many entries it wrote, at
 * most LIST_MAX, or -EINVAL or -E2BIG with a sentence.
 */
int prep_parse_nets(const char *s, bool tcpprep, struct prep_net *out,
		    struct errbuf *e);
int prep_parse_macs(const char *s, bool tcpprep, struct prep_mac *out,
		    struct errbuf *e);

/**
 * prep_parse_services() - Read a file like /etc/services. Return: 0 or -Exxx
 */
int prep_parse_services(const char *path, bool *tcp, bool *udp,
			struct errbuf *e);

/** struct prep_out - A cache file being written; private */
struct prep_out {
	int fd;
	const char *path;
	char temp[4096];
	uint8_t *mem;
	struct bitcache bits;
	uint64_t body;
	uint64_t chunks;
};

/**
 * prep_out_open() - Begin a cache file beside @path; it takes its place when it
 * is finished, and a signal that ends the program removes it. One at a time
 * @comment_len: Bytes of the comment that prep_out_finish() will be given
 */
int prep_out_open(struct prep_out *o, const char *path, size_t comment_len,
		  struct errbuf *e);

/** prep_hold_signals() - Let no signal end the program until @before is set
 * again; for this thread, and there must be no other
 */
void prep_hold_signals(sigset_t *before);

/** prep_out_add() - The next packet's fate. Return: 0 or -Exxx */
int prep_out_add(struct prep_out *o, unsigned fate, struct errbuf *e);

/**
 * prep_out_finish() - Write the rest, the header, the comment, and rename
 * @packets:	Number for the header
 * @claimed_len: Comment's length for the header
 */
int prep_out_finish(struct prep_out *o, uint64_t packets, const char *comment,
		    size_t comment_len, uint16_t claimed_len, struct errbuf *e);

/** prep_out_abort() - Throw it away, if it is not finished */
void prep_out_abort(struct prep_out *o);

/**
 * struct prep_source - A capture being read, with -x F: applied
 * @file:	File
 * @info:	The frame
 * @by_link:	Filters for the link types of file_links
 * @rare:	For another one, compiled when it is met
 * @filter:	The one for @link; ~0: none yet
 * @all:	Set by the caller: give frames too that do not match
 * @matched:	The frame matches
 * @said:	At its end: what of it was not read, as a sentence
 * @regular:	It is a regular file
 * @passes, @pass: How often it is read; private, for the progress line
 */
struct prep_source {
	struct capture_file file;
	struct frame_info info;
	struct link_filter by_link[FILE_LINKS];
	struct filter rare;
	const struct filter *filter;
	const char *expr;
	uint32_t link;
	bool all;
	bool matched;
	struct errbuf said;
	bool progress;
	unsigned passes;
	unsigned pass;
	bool regular;
	uint64_t size;
	uint64_t begun;
	uint64_t shown;
};

/** prep_source_open() - Open the capture of @a for pass @pass of @passes. No
 * byte of it is looked at yet
 */
int prep_source_open(struct prep_source *s, const struct prep_args *a,
		     unsigned pass, unsigned passes, struct errbuf *e);

/**
 * prep_confine() - Give up all that the work does not need
 * @s, @n:	Captures that are open
 * @again:	The capture is opened once more
 *
 * Between what is to be opened and the first byte of a capture. The threads
 * that read captures ahead are started by it: Landlock holds only for those
 * that are made after it, and the filter of system calls lets none be made.
 *
 * Return: 0 or -Exxx
 */
int prep_confine(const struct prep_args *a, struct prep_source *s, unsigned n,
		 bool again, struct errbuf *e);

/**
 * prep_source_next() - The next frame, in @info
 *
 * Return: 1, 0 at the end (also of a file that was cut off), -Exxx
 */
int prep_source_next(struct prep_source *s, struct errbuf *e);

/** prep_source_close() - Close it, and clear the progress line */
void prep_source_close(struct prep_source *s);

/** prep_run_tcpprep(), prep_run_split() - Make the cache. Return: EXIT_ */
int prep_run_tcpprep(struct prep_args *a);
int prep_run_split(struct prep_args *a);

/** prep_show() - -P, -I, -S. Return: EXIT_ */
int prep_show(const struct prep_args *a);

#endif /* PREP_PREP_H */
