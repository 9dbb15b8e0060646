/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * counters.c - Walk a table of counters
 */
#include "core/counters.h"

#include <string.h>

uint64_t counter_sum(const struct counter_list *l, const void *base)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < l->n; i++)
		sum += counter_get(&l->row[i], base);
	return sum;
}

const struct counter *counter_find(const struct counter_list *l,
				   const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < l->n; i++)
		if (strlen(l->row[i].name) == len &&
		    memcmp(l->row[i].name, name, len) == 0)
			return &l->row[i];
	return NULL;
}
