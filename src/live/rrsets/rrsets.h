/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rrsets - Answers of DNS that are parts of a larger set
 *
 * A server that has many records of a name may answer with some of them, others
 * each time. Two such servers never agree answer by answer. So an answer of the
 * SUT's counts as a part of the same set if each of its records is one that
 * production has served under this name and type, lately or soon: no longer ago
 * than the record may be kept (its time to live), and no later than that. A
 * record that production does not serve makes the answer different.
 */
#ifndef RRSETS_RRSETS_H
#define RRSETS_RRSETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compare/compare.h"
#include "core/arena.h"
#include "core/hash.h"
#include "record/record.h"
#include "rules/rules.h"

/* Records that are known at once, in sets; full: of its set the one that is
 * good for the shortest time goes.
 */
#define RRSETS_RECORDS 65536u
#define RRSETS_SET     8u
/* Verdicts that wait; full: the oldest one stands. */
#define RRSETS_HELD 256u
/* Records that one of them waits for; an answer with more is different. */
#define RRSETS_AWAITED 16u
/* Nothing waits longer, ns. */
#define RRSETS_LONGEST (UINT64_C(300) * 1000000000)

struct rrsets;

/**
 * struct rrsets_pair - Both answers of an exchange
 * @leg:	Whose answers are compared; each has records of its own
 * @p, @n:	The messages, [0] production's
 * @now:	ns
 */
struct rrsets_pair {
	uint32_t leg;
	const uint8_t *p[2];
	uint32_t n[2];
	uint64_t now;
};

/**
 * struct rrsets_verdict - A verdict that waits
 * @rec, @r:	Its record, and what stands if it is not taken back
 * @request, @request_len: What a report calls the request
 */
struct rrsets_verdict {
	struct exchange_record rec;
	struct compare_result r;
	uint8_t request_len;
	char request[RECORD_REQUEST];
};

/**
 * struct rrsets_stats - Verdicts that waited
 * @held:	All
 * @held_full:	That stood because there were too many
 * @taken_back:	Production came to serve what the SUT had
 */
struct rrsets_stats {
	uint64_t held;
	uint64_t held_full;
	uint64_t taken_back;
};

/** rrsets_size() - Bytes that rrsets_init() takes of an arena */
size_t rrsets_size(void);

/**
 * rrsets_init() - Begin with none
 * @by:		After rules_end(); they must outlive it. Without a rule for
 *		subsets nothing is remembered, and no verdict touched
 * @key:	Secret
 *
 * Return: 0 or -ENOMEM
 */
int rrsets_init(struct rrsets **out, struct arena *a, struct rules *by,
		const struct hash_key *key);

/**
 * rrsets_look() - Remember what production has served; look at a verdict
 * @pair:	Its answers; the SUT's may be missing
 * @v:		With what dns_compare() says. It becomes equivalent, by its
 *		rule, if what differs is that the SUT has served another part of
 *		a set that production has served all of
 *
 * It is a part only if all else is the same, RRset by RRset, and none is
 * signed: a signature is of a whole set.
 *
 * Return: it waits, and is given by rrsets_next() or rrsets_oldest()
 */
bool rrsets_look(struct rrsets *s, const struct rrsets_pair *pair,
		 struct rrsets_verdict *v);

/** rrsets_next() - The next verdict that waits no more. Return: false: there is
 * none
 */
bool rrsets_next(struct rrsets *s, uint64_t now, struct rrsets_verdict *out);

/** rrsets_oldest() - The oldest verdict stands. Return: false: none waits */
bool rrsets_oldest(struct rrsets *s, struct rrsets_verdict *out);

/** rrsets_held() - Verdicts that wait; @sut: those of them that are no
 * baseline's, or NULL
 */
uint32_t rrsets_held(const struct rrsets *s, uint32_t *sut);

const struct rrsets_stats *rrsets_stats(const struct rrsets *s);

#endif /* RRSETS_RRSETS_H */
