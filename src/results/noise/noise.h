/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * noise - Which differences the baseline shows too
 *
 * A baseline is a second server of production's version. What it answers
 * otherwise than production differs by chance, not by version. Verdicts of both
 * legs are paired, request by request, and counted by place: an endpoint, where
 * in its answers, and what sort of change.
 *
 * - Where the baseline never differs, each difference of the SUT counts.
 * - Where it does, a difference is noise if its value is of a class that
 *   production or the baseline had there, and if the SUT does not differ there
 *   more often than the baseline (stats.h).
 * - Another type, a member that is missing, another order are other changes
 *   than another value, and so other places: noise in a value excuses none.
 *
 * A difference of an answer is noise if all of its places are.
 */
#ifndef NOISE_NOISE_H
#define NOISE_NOISE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compare/case.h"
#include "compare/kind.h"
#include "core/arena.h"
#include "core/hash.h"

/* Exchanges of which one leg's verdict is awaited. Full: the oldest is taken
 * for one without a partner, counted.
 */
#define NOISE_PAIRS 16384u
/* Places that are told apart. Full: what differs elsewhere counts. */
#define NOISE_PLACES 1024u
/* Sets of places in which one answer differs. Full: such an answer counts. */
#define NOISE_SETS 4096u
/* Classes of values at a place, of either leg. Full: another one is none that
 * was seen.
 */
#define NOISE_CLASSES 16u
#define NOISE_FOUND   (CASE_FOUND + 1) /* places of one answer */
#define NOISE_NAME    96u	       /* bytes of an endpoint's name */
#define NOISE_ALPHA   0.01

enum noise_leg { NOISE_SUT, NOISE_BASELINE };

/**
 * struct noise_answer - One leg's verdict on an exchange
 * @conn, @index, @asked: As exchange_record
 * @leg:	Whose
 * @compared:	It was
 * @reason:	First reason of a difference
 * @name, @name_len: Endpoint, captured bytes
 * @found, @founds: Where it differs; none: it does not
 */
struct noise_answer {
	uint64_t conn;
	uint64_t asked;
	uint32_t index;
	enum noise_leg leg;
	bool compared;
	uint8_t reason;
	const char *name;
	uint8_t name_len;
	uint32_t founds;
	struct case_found found[NOISE_FOUND];
};

enum noise_state {
	NOISE_QUIET,  /* the baseline never differs: each difference counts */
	NOISE_SAME,   /* the SUT differs no more than the baseline */
	NOISE_MORE,   /* it differs more: each counts */
	NOISE_OPAQUE, /* what differs has no class: each counts */
};

/** noise_state_name() - As reports spell it */
const char *noise_state_name(enum noise_state s);

/**
 * struct noise_class - Values of one class at a place
 * @is:		Their class
 * @n:		How often the SUT had one where it differs
 * @seen:	Production or the baseline had one
 */
struct noise_class {
	struct case_class is;
	uint32_t n;
	bool seen;
};

/**
 * struct noise_place - A place, and how often it differs
 * @name, @name_len: Endpoint
 * @kind:	Where, and how
 * @reason:	First reason
 * @differs:	Answers of the SUT's that differ there, with a partner or not
 * @sut, @baseline, @both: Answers of pairs in which it differs: the SUT's
 *		alone, the baseline's alone, both
 * @lone:	The SUT's, without a partner that was compared
 * @strange:	The SUT's with a value of a class that nobody had there
 * @state, @p:	By noise_settle()
 * @classes, @class: Values
 */
struct noise_place {
	uint8_t name_len;
	uint8_t reason;
	char name[NOISE_NAME];
	struct diff_kind kind;
	uint64_t differs;
	uint64_t sut;
	uint64_t baseline;
	uint64_t both;
	uint64_t lone;
	uint64_t strange;
	enum noise_state state;
	double p;
	uint32_t classes;
	struct noise_class class[NOISE_CLASSES];
};

/**
 * struct noise_sums - What came of a run so far
 * @paired:	Exchanges that were compared on both legs
 * @alone:	That were on the SUT's only
 * @different:	Of the SUT's
 * @excused:	Of these, noise
 * @beyond:	Places, or sets of them, without room
 * @lost:	Exchanges whose partner came too late
 */
struct noise_sums {
	uint64_t paired;
	uint64_t alone;
	uint64_t different;
	uint64_t excused;
	uint64_t beyond;
	uint64_t lost;
};

struct noise;

/** noise_size() - Bytes that noise_init() takes of an arena */
size_t noise_size(void);

/** noise_init() - Make one; @key: secret. Return: 0 or -ENOMEM */
int noise_init(struct noise **out, struct arena *a, const struct hash_key *key);

/** noise_add() - A verdict; one for each leg of an exchange, in any order */
void noise_add(struct noise *n, const struct noise_answer *a);

/**
 * noise_settle() - Judge all places by what is known, and sum up
 *
 * It changes nothing but what is judged: the run may go on. What waits for its
 * partner counts as without one.
 */
void noise_settle(struct noise *n, struct noise_sums *out);

/**
 * noise_excused() - Of an endpoint's different answers, noise; after
 * noise_settle()
 */
uint64_t noise_excused(const struct noise *n, const char *name, size_t len);

/** noise_places() - Places, in the order in which they were met */
uint32_t noise_places(const struct noise *n);
const struct noise_place *noise_place(const struct noise *n, uint32_t i);

/** noise_alike() - Could values of class @a be of the class of @b? */
bool noise_alike(const struct case_class *a, const struct case_class *b);

#endif /* NOISE_NOISE_H */
