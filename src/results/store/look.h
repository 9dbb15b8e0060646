/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * look - Parts of a store, for who looks at one that may still grow
 *
 * Each call reads what it gives and no more, so that its time does not depend
 * on how long a run was. As of archive_open(): what is given lives as long as
 * the archive, and errors have a sentence.
 */
#ifndef STORE_LOOK_H
#define STORE_LOOK_H

#include "store/sample.h"
#include "store/tick.h"

#define LOOK_TICKS 300u /* of a run; of a longer one they are further apart */
#define LOOK_MOST  200u /* rows of a list */

/**
 * archive_facts() - What archive_form() gives, without differences
 * @ended:	false: the run goes on, or its end did not come into the store;
 *		only @out->start is filled in then, and that not before it began
 *
 * Return: 0 or -EBADMSG
 */
int archive_facts(struct archive *s, struct form *out, bool *ended,
		  struct errbuf *e);

/** archive_ticks() - In the order of time, the last one among them */
int archive_ticks(struct archive *s, const struct store_tick **out, size_t *n,
		  struct errbuf *e);

/**
 * struct look_list - Which rows of a list
 * @find, @find_len: Only those whose endpoint or detail has these bytes
 * @from, @n:	Rows from number @from, at most LOOK_MOST
 */
struct look_list {
	const char *find;
	size_t find_len;
	uint32_t from;
	uint32_t n;
};

/**
 * archive_kinds_of() - As archive_kinds(), a part of it
 * @all:	So many are found
 */
int archive_kinds_of(struct archive *s, const struct look_list *l,
		     const struct archive_kind **out, size_t *n, uint64_t *all,
		     struct errbuf *e);

/** archive_kind_at() - The one with number @id. Return: also -ENOENT */
int archive_kind_at(struct archive *s, int64_t id,
		    const struct archive_kind **out, struct errbuf *e);

/**
 * struct look_difference - One difference
 * @sampled:	There are samples of it
 */
struct look_difference {
	int64_t id;
	int64_t kind;
	bool sampled;
	struct report_difference d;
	struct compare_result result;
};

/** archive_differences_of() - Of a kind, in their order; @l->find is not looked
 * at
 */
int archive_differences_of(struct archive *s, int64_t kind,
			   const struct look_list *l,
			   const struct look_difference **out, size_t *n,
			   struct errbuf *e);

/** archive_difference_at() - The one with number @id. Return: also -ENOENT */
int archive_difference_at(struct archive *s, int64_t id,
			  const struct look_difference **out, struct errbuf *e);

/** archive_samples_of() - Of a difference, at most SAMPLE_SIDES */
int archive_samples_of(struct archive *s, int64_t difference,
		       const struct sample **out, size_t *n, struct errbuf *e);

/** archive_first() - The first SAMPLE_KIND differences of each kind, at most
 * @most; the first ones of all kinds come before the second ones
 */
int archive_first(struct archive *s, uint32_t most,
		  const struct look_difference **out, size_t *n,
		  struct errbuf *e);

#endif /* STORE_LOOK_H */
