/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * opt_internal.h - What the files of opt share
 */
#ifndef OPT_OPT_INTERNAL_H
#define OPT_OPT_INTERNAL_H

#include "opt/opt.h"

/** opt_same_name() - Do the @len characters of @word begin @name? _ is as - */
bool opt_same_name(const char *name, const char *word, size_t len);

/** opt_find() - The number of the row with this whole name, or -ENOENT */
long opt_find(const struct opt_command *c, const char *word, size_t len);

/** opt_unknown() - "no option WORD", and what was meant. Return: -EINVAL */
int opt_unknown(const struct opt_command *c, const char *word,
		struct errbuf *e);

#endif /* OPT_OPT_INTERNAL_H */
