/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * counters - Counters as data
 *
 * A room lists what it counts once, as a macro; of the list are made the
 * members of its struct and a table that says of each its name, its unit and
 * what it counts. Who reports, sums or looks one up walks the table, and need
 * not know the room:
 *
 *	#define X_COUNTERS(X, T)			\
 *		X(T, frames, "", "frames that came")	\
 *		X(T, octets, "bytes", "of these")
 *	struct x_counters { X_COUNTERS(COUNTER_MEMBER, ) };
 *	static const struct counter rows[] = {
 *		X_COUNTERS(COUNTER_ROW, struct x_counters)
 *	};
 *	const struct counter_list x_counter_list = COUNTER_LIST(rows);
 */
#ifndef CORE_COUNTERS_H
#define CORE_COUNTERS_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct counter - A member of type uint64_t that counts
 * @name:	As reports spell it; [a-z0-9_]
 * @unit:	"" for things that are counted, "bytes", "ns"
 * @help:	What is counted, for a person
 * @offset:	Of the member in its struct
 */
struct counter {
	const char *name;
	const char *unit;
	const char *help;
	size_t offset;
};

/** struct counter_list - All counters of one struct */
struct counter_list {
	const struct counter *row;
	size_t n;
};

#define COUNTER_MEMBER(T, field, unit, help) uint64_t field;
#define COUNTER_ROW(T, field, unit, help)                                      \
	{ #field, unit, help, offsetof(T, field) },
/* The same where a report has another name for it than its struct. */
#define COUNTER_MEMBER_AS(T, field, name, unit, help) uint64_t field;
#define COUNTER_ROW_AS(T, field, name, unit, help)                             \
	{ name, unit, help, offsetof(T, field) },

#define COUNTER_LIST(rows)                                                     \
	{                                                                      \
		rows, sizeof(rows) / sizeof((rows)[0])                         \
	}

/** counter_get() - Its value in @base, the struct that its list is of */
static inline uint64_t counter_get(const struct counter *c, const void *base)
{
	return *(const uint64_t *)(const void *)((const char *)base +
						 c->offset);
}

/** counter_sum() - All of a list together */
uint64_t counter_sum(const struct counter_list *l, const void *base);

/** counter_find() - The counter of this name, or NULL */
const struct counter *counter_find(const struct counter_list *l,
				   const char *name);

/** counter_add() - Add each counter of @from to the same one of @to */
static inline void counter_add(const struct counter_list *l, void *to,
			       const void *from)
{
	for (size_t i = 0; i < l->n; i++) {
		void *at = (char *)to + l->row[i].offset;

		*(uint64_t *)at += counter_get(&l->row[i], from);
	}
}

#endif /* CORE_COUNTERS_H */
