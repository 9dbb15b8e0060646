/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config - Options of shadow, replay, rerun and doctor
 *
 * The tables of their options are over struct options (opt/opt.h); the
 * journal's options text comes from the same tables.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/ring.h"
#include "engine/engine.h"
#include "forms/forms.h"
#include "opt/opt.h"
#include "os/errbuf.h"

#define FILES_MAX 64 /* -r */

/* --checksums: what is done about those of captures. */
enum options_sums {
	OPTIONS_SUMS_AUTO,
	OPTIONS_SUMS_VERIFY,
	OPTIONS_SUMS_TRUST,
};

/** struct option_amount - A number, or (@share) a share in 1/1000000 */
struct option_amount {
	uint64_t n;
	bool share;
};

#define SLOWER_MAX 4 /* --max-slower */

/**
 * struct option_slower - A quantile of the SUT's times may be so much larger
 * @permille:	Which quantile
 * @share:	By how much, in 1/1000000
 */
struct option_slower {
	uint32_t permille;
	uint32_t share;
};

/** struct option_client - A client's end of a connection */
struct option_client {
	struct ipaddr ip;
	uint16_t port;
};

#define OPTIONS_SOURCES 16 /* --rules */

/**
 * struct options_source - One --rules
 * @word:	@PRESET, the name of a file, or, with line ends, a name and what
 *		the file holds
 * @name:	Of the file, once rules were made of it; NULL: it is a preset
 * @number:	Of the text, as struct rule has it
 */
struct options_source {
	const char *word;
	const char *name;
	uint32_t number;
};

/**
 * struct options - What shadow, replay, doctor and rerun are told
 * @replay:	The subcommand is replay
 * @iface:	-i; NULL: none
 * @file, @files: -r, in their order
 * @sut_dev:	--sut-dev; NULL: not given. "none" sets engine.sut_none
 * @expr:	Trailing filter expression, "" without
 * @baseline, @baseline_port: --baseline; 0: the same port as production's
 * @has_baseline: It was given: each --map has another one behind all, to it
 * @engine:	Configuration but for mac, seed and key
 * @duration:	--duration, ns; 0: until a signal or the end of the files
 * @count:	-c: stop after so many frames of the mirror; 0: no limit
 * @stop_after:	The same of different answers
 * @stop_early:	--stop-early: a run that cannot end well any more ends
 * @json:	--json; NULL: none
 * @form:	--junit, --summary, --html, --har; NULL: not wanted
 * @out:	--out, a folder; NULL: none
 * @listen:	--listen: where the page of @out is; NULL: nowhere
 * @store_max:	--store-max, bytes
 * @evidence_raw: --evidence raw: packets in it have their secrets
 * @metrics:	--metrics; NULL: none
 * @ctl:	--ctl; NULL: none
 * @redact_off:	--redact off: secrets are shown
 * @learn:	--rules-learn; NULL: none
 * @journal:	-w; NULL: none
 * @rotate_bytes, @rotate_secs, @rotate_files: -C (in millions), -G, -W
 * @journal_client: --journal-only client
 * @journal_ring: --journal-ring, bytes
 * @print:	--print: a line for each frame
 * @trace:	--trace: of this client's connection alone; port 0: of all
 * @user:	--user; NULL: stay who we are, or nobody if we are root
 * @capture:	--capture v2|v3
 * @mirror_ring, @sut_ring: --mirror-ring, --sut-ring, bytes
 * @min_compared: --min-compared; a share of 0: no demand beyond "something"
 * @max_different: --max-different: so many different answers still are exit
 *		code 0, or a share whose interval is not beyond it
 * @max_no_route: --max-no-route, share in 1/1000000 of flows that may have none
 * @perf:	--perf: times are compared
 * @hdr:	--hdr; NULL: none
 * @slower, @slowers: --max-slower
 * @vitals:	--vitals; NULL: none
 * @max_leak:	--max-leak, bytes a request; 0: any
 * @undecided_pass: --undecided pass: what cannot be told is no failure
 * @allow_down:	--allow-down: a SUT may be down for so long, ns
 * @final_wait, @final_given: --final-wait, ns; not given: as long as answers
 *		are waited for
 * @release:	doctor --release DEV
 * @top:	--top: a screen instead of the live line
 * @quiet:	-q: no live line
 * @multiplier:	--multiplier, thousandths
 * @maxsleep:	--maxsleep: longest wait between two records, ns; 0: STAMPS_LEAP
 * @sums:	--checksums
 * @client_net, @client_nets: --client-net, one of each family at most
 * @client_all:	--client-net all,NET: for clients that could be played, too
 * @fast:	--fast: no times, but the SUT's answers
 * @flows:	--flows: so many connections of the capture; 0: all
 * @concurrency: --concurrency: so many at once; 0: as in the capture
 * @loop:	--loop: how many times
 * @index:	--index: most bytes that the plan of a capture may take
 * @source, @sources: --rules; engine.by is made of them
 * @seen:	What the command line named
 */
struct options {
	bool replay;
	const char *iface;
	const char *file[FILES_MAX];
	uint32_t files;
	const char *sut_dev;
	const char *expr;
	struct ipaddr baseline;
	uint16_t baseline_port;
	bool has_baseline;
	struct engine_config engine;
	uint64_t duration;
	uint64_t count;
	uint64_t stop_after;
	bool stop_early;
	const char *json;
	const char *form[FORM_KINDS];
	const char *out;
	const char *listen;
	size_t store_max;
	bool evidence_raw;
	const char *metrics;
	const char *ctl;
	bool redact_off;
	const char *learn;
	const char *journal;
	uint64_t rotate_bytes;
	uint64_t rotate_secs;
	uint32_t rotate_files;
	bool journal_client;
	size_t journal_ring;
	bool print;
	struct option_client trace;
	const char *user;
	enum ring_version capture;
	size_t mirror_ring;
	size_t sut_ring;
	struct option_amount min_compared;
	struct option_amount max_different;
	uint32_t max_no_route;
	bool perf;
	const char *hdr;
	struct option_slower slower[SLOWER_MAX];
	uint32_t slowers;
	const char *vitals;
	size_t max_leak;
	bool undecided_pass;
	uint64_t allow_down;
	uint64_t final_wait;
	bool final_given;
	const char *release;
	bool top;
	bool quiet;
	uint32_t multiplier;
	uint64_t maxsleep;
	enum options_sums sums;
	struct engine_net client_net[2];
	uint32_t client_nets;
	bool client_all;
	bool fast;
	uint32_t flows;
	uint32_t concurrency;
	uint32_t loop;
	size_t index;
	struct options_source source[OPTIONS_SOURCES];
	uint32_t sources;
	struct opt_seen seen;
};

/* Subcommands an option belongs to. */
enum {
	OPTIONS_SHADOW = 1 << 0,
	OPTIONS_DOCTOR = 1 << 1,
	OPTIONS_RERUN = 1 << 2,
	OPTIONS_REPLAY = 1 << 3,
};

/* What each of them takes, over struct options. */
extern const struct opt_command options_shadow;
extern const struct opt_command options_replay;
extern const struct opt_command options_rerun;
extern const struct opt_command options_doctor;

/** options_defaults() - What holds when nothing is said */
void options_defaults(struct options *o);

/**
 * options_parse() - Read a command line
 * @o:		Result: the defaults, and what was said; strings point into
 *		@argv, or into memory that opt_forget() gives back
 * @argc, @argv: Arguments behind the subcommand's name
 * @cmd:	One of OPTIONS_; for options_read() of several
 * @e:		Sentence on failure: what is wrong, and the remedy
 *
 * Return: 0, 1 (help was asked for), or -EINVAL
 */
int options_parse(struct options *o, int argc, char **argv, unsigned cmd,
		  struct errbuf *e);

/**
 * options_read() - The same from a text of words, as options_text() writes it
 */
int options_read(struct options *o, const char *text, unsigned cmd,
		 struct errbuf *e);

/**
 * options_dates() - Put the date into names of files, as tcpdump -G does
 * @at:		Time of day, ns since 1970
 *
 * In --json, -w and the forms' what strftime(3) knows, as %Y%m%d-%H%M%S, is
 * replaced by the local time @at, and %% by a %. Return: 0, -EINVAL (no name,
 * or a too long one, comes of it), -ENOMEM
 */
int options_dates(struct options *o, uint64_t at, struct errbuf *e);

/**
 * options_rules_read() - Read the files of --rules
 *
 * Return: 0 or -Exxx with a sentence
 */
int options_rules_read(struct options *o, struct errbuf *e);

/**
 * options_rules_make() - Make rules of what was read; without --rules there are
 * none
 * @now:	Time of day, ns since 1970: what ended before is left out
 *
 * Return: 0 or -Exxx with a sentence, FILE:LINE:COLUMN in front
 */
int options_rules_make(struct options *o, uint64_t now, struct errbuf *e);

/**
 * options_again() - The options of a replay to the SUT of --map number @map, in
 * two lines for a shell
 *
 * Return: @out, of OPTIONS_AGAIN bytes; NULL: nobody is played to
 */
#define OPTIONS_AGAIN 256
const char *options_again(const struct options *o, uint32_t map,
			  char out[OPTIONS_AGAIN]);

/**
 * options_new_files() - Could the files of --json and -w be made?
 *
 * Return: 0, or -EINVAL: one is there already, or its folder is not
 */
int options_new_files(const struct options *o, struct errbuf *e);

/**
 * options_over() - What a rerun was told, @t, over what its run was
 *
 * Gates that it does not name are the run's; files are its own.
 */
void options_over(struct options *o, const struct options *t);

/** options_judges() - Does what a rerun was told need a verdict on answers? */
bool options_judges(const struct options *t);

/** options_check() - Do they make sense together? Return: 0 or -EINVAL */
int options_check(const struct options *o, unsigned cmd, struct errbuf *e);

/**
 * options_text() - All that changes a run, as one line that options_parse() can
 * read again (for the journal's header)
 *
 * Return: its length, or -ENOSPC
 */
int options_text(const struct options *o, char *out, size_t size);

#endif /* CONFIG_CONFIG_H */
