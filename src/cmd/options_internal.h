/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * options_internal.h - What a row of the table of options is
 */
#ifndef CMD_OPTIONS_INTERNAL_H
#define CMD_OPTIONS_INTERNAL_H

#include "cmd/options.h"
#include "cmd/values.h"

#define EVERY (OPTIONS_SHADOW | OPTIONS_DOCTOR | OPTIONS_RERUN | OPTIONS_REPLAY)

struct row;

/* How values of a kind are read and written; @has_value: false for flags. */
struct kind {
	bool has_value;
	int (*set)(struct options *o, const struct row *r, const char *v,
		   struct errbuf *e);
	void (*text)(struct text *t, const struct options *o,
		     const struct row *r);
};

/* A word that a choice takes, and the number it stands for. */
struct choice {
	const char *word;
	int value;
};

/**
 * struct row - One option
 * @name, @letter: Without dashes; letter 0: none
 * @cmds:	Subcommands that take it
 * @arg:	Its value, as help shows it; NULL for flags
 * @offset:	Its field in struct options
 * @kind:	Type of the field
 * @choices:	For kinds that choose
 * @least, @most: For numbers
 */
struct row {
	const char *name;
	char letter;
	unsigned cmds;
	const char *arg;
	size_t offset;
	const struct kind *kind;
	const struct choice *choices;
	uint64_t least;
	uint64_t most;
	const char *help;
};

/* Kinds of many options. */
extern const struct kind kind_flag;
extern const struct kind kind_string;
extern const struct kind kind_u64;
extern const struct kind kind_u32;
extern const struct kind kind_duration;
extern const struct kind kind_size;
extern const struct kind kind_switch;
extern const struct kind kind_share;

/* Kinds of one option each. */
extern const struct kind kind_help;
extern const struct kind kind_file;
extern const struct kind kind_sut_dev;
extern const struct kind kind_map;
extern const struct kind kind_skip;
extern const struct kind kind_compare;
extern const struct kind kind_ignored;
extern const struct kind kind_capture;
extern const struct kind kind_sums;
extern const struct kind kind_client_net;
extern const struct kind kind_level;
extern const struct kind kind_sample;
extern const struct kind kind_vxlan;
extern const struct kind kind_sut_mac;
extern const struct kind kind_wire_also;
extern const struct kind kind_outside;
extern const struct kind kind_min_compared;
extern const struct kind kind_multiplier;
extern const struct kind kind_final_wait;

/* Every option (options_table.c). */
extern const struct row options_rows[];
extern const size_t options_row_count;

/** options_cmd_name() - What the user calls subcommand @cmd */
const char *options_cmd_name(unsigned cmd);

#endif /* CMD_OPTIONS_INTERNAL_H */
