/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * options_internal.h - What the files of the options share
 */
#ifndef CONFIG_OPTIONS_INTERNAL_H
#define CONFIG_OPTIONS_INTERNAL_H

#include "config/config.h"
#include "opt/opt.h"

/* Kinds over struct options (offset 0). */
extern const struct opt_kind kind_file;
extern const struct opt_kind kind_sut_dev;
extern const struct opt_kind kind_sums;
extern const struct opt_kind kind_client_net;
extern const struct opt_kind kind_amount;
extern const struct opt_kind kind_slower;
extern const struct opt_kind kind_final_wait;
extern const struct opt_kind kind_trace;
extern const struct opt_kind kind_rules;
extern const struct opt_kind kind_keep;

/* Kinds over struct engine_config (offset 0). */
extern const struct opt_kind kind_baseline;
extern const struct opt_kind kind_map;
extern const struct opt_kind kind_skip;
extern const struct opt_kind kind_ignored;
extern const struct opt_kind kind_level;
extern const struct opt_kind kind_sample;
extern const struct opt_kind kind_vxlan;
extern const struct opt_kind kind_decap;
extern const struct opt_kind kind_methods;
extern const struct opt_kind kind_rate;
extern const struct opt_kind kind_sut_mac;
extern const struct opt_kind kind_wire_also;
extern const struct opt_kind kind_outside;

/**
 * options_journal - What a journal's text may hold: options of shadow and of
 * replay, in the order in which they are written
 */
extern const struct opt_command options_journal;

/* Words that are no options: of the filter expression, and rerun's files. */
int options_filter(void *base, const char *word, struct errbuf *e);
int options_file(void *base, const char *word, struct errbuf *e);

#endif /* CONFIG_OPTIONS_INTERNAL_H */
