/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * few - Which differences a form shows: the first of each kind
 *
 * A difference that a judge has found is of a kind (compare/kind.h); of others
 * the reason is all that is known, and more of them are shown. A run and who
 * reads its store choose by the same rule, so that both make the same forms.
 */
#ifndef FORMS_FEW_H
#define FORMS_FEW_H

#include <stdbool.h>
#include <stdint.h>

#define FEW_MAX	    200u /* full: what comes is counted only */
#define FEW_OF_KIND 3u	 /* of one that a judge has found */
#define FEW_OF_ANY  20u	 /* of those that differ by one reason, else */

/** struct few - What was chosen; zeroes at first */
struct few {
	uint32_t n;
	uint32_t kinds;
	struct {
		uint32_t kind;
		uint32_t reason;
		uint32_t n;
	} kind[FEW_MAX];
};

/**
 * few_wants() - Is one more of its kind wanted? It is counted then
 * @kind:	Number of the kind; 0: none
 * @reason:	enum compare_reason
 */
bool few_wants(struct few *f, uint32_t kind, uint32_t reason);

#endif /* FORMS_FEW_H */
