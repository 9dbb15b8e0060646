/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kind - Kinds of values: how each is read into its field and written
 */
#ifndef OPT_KIND_H
#define OPT_KIND_H

#include <stdbool.h>

#include "os/errbuf.h"
#include "text/text.h"

struct opt_row;

/**
 * struct opt_kind - A kind of value
 * @flag:	It takes none
 * @set:	Read @v (NULL for flags) into @field. Return: 0 or -EINVAL with
 *		a sentence, and the field as it was
 * @put:	Write value number @i of @field, which set() reads as the same.
 *		Return: false, and nothing is written: there is none
 *
 * A kind of one command's own takes its table's struct as @field, by an offset
 * of 0.
 */
struct opt_kind {
	bool flag;
	int (*set)(void *field, const struct opt_row *r, const char *v,
		   struct errbuf *e);
	bool (*put)(struct text *t, const void *field, const struct opt_row *r,
		    unsigned i);
};

/* Type of the field in brackets. Durations are in ns. */
extern const struct opt_kind opt_kind_flag;	/* [bool] is set */
extern const struct opt_kind opt_kind_unset;	/* [bool] is cleared */
extern const struct opt_kind opt_kind_string;	/* [const char *] not empty */
extern const struct opt_kind opt_kind_u32;	/* [uint32_t] */
extern const struct opt_kind opt_kind_u64;	/* [uint64_t] */
extern const struct opt_kind opt_kind_size;	/* [size_t] 64K */
extern const struct opt_kind opt_kind_duration; /* [uint64_t] 500ms */
extern const struct opt_kind opt_kind_msecs;	/* [uint64_t] a number of ms */
extern const struct opt_kind opt_kind_secs;	/* [uint64_t] a number of s */
extern const struct opt_kind opt_kind_share;  /* [uint32_t] 1.5%, millionths */
extern const struct opt_kind opt_kind_milli;  /* [uint32_t] 1.5, thousandths */
extern const struct opt_kind opt_kind_micro;  /* [uint64_t] 1.5, millionths */
extern const struct opt_kind opt_kind_word;   /* [enum] of the row's words */
extern const struct opt_kind opt_kind_switch; /* [bool] of the row's words */
extern const struct opt_kind
	opt_kind_const; /* [enum] a flag: the row's least */
extern const struct opt_kind opt_kind_ignored; /* a flag that changes nothing */
extern const struct opt_kind opt_kind_help;    /* a flag: opt_parse() gives 1 */

/** opt_bad() - "--name VALUE: @why; write --name ARG". Return: -EINVAL */
int opt_bad(struct errbuf *e, const struct opt_row *r, const char *v,
	    const char *why);

/** opt_choose() - The number of one of the row's words. Return: 0 or -EINVAL */
int opt_choose(const struct opt_row *r, const char *v, int *out,
	       struct errbuf *e);

/**
 * opt_put_chosen() - Write the first word of a number. Return: is there one?
 */
bool opt_put_chosen(struct text *t, const struct opt_row *r, int value);

#endif /* OPT_KIND_H */
