/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * few.c - Which differences a form shows
 */
#include "forms/few.h"

#include <assert.h>

bool few_wants(struct few *f, uint32_t kind, uint32_t reason)
{
	uint32_t most = kind != 0 ? FEW_OF_KIND : FEW_OF_ANY;
	uint32_t i = 0;

	while (i < f->kinds &&
	       (f->kind[i].kind != kind || f->kind[i].reason != reason))
		i++;
	if (f->n == FEW_MAX || (i < f->kinds && f->kind[i].n == most))
		return false;
	if (i == f->kinds) {
		f->kinds++;
		f->kind[i].kind = kind;
		f->kind[i].reason = reason;
	}
	f->kind[i].n++;
	f->n++;
	assert(f->kinds <= f->n && f->n <= FEW_MAX);
	return true;
}
