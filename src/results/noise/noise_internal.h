/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * noise_internal - What the files of noise share
 */
#ifndef NOISE_NOISE_INTERNAL_H
#define NOISE_NOISE_INTERNAL_H

#include "noise/noise.h"

#define PAIR_SLOTS  32768u /* powers of two */
#define PLACE_SLOTS 4096u
#define SET_SLOTS   16384u
#define NO_PLACE    NOISE_PLACES

/* A place and the class of the value there, in an answer of the SUT's. */
struct noise_at {
	uint16_t place;
	uint16_t class;
};

/**
 * struct pair - An exchange
 * @used:	It is one, and waits
 * @has:	Which legs have come
 * @compared:	Which were
 * @founds, @place: Where each differs
 */
struct pair {
	uint64_t conn;
	uint64_t asked;
	uint32_t index;
	uint32_t next; /* in its chain */
	bool used;
	bool has[2];
	bool compared[2];
	uint8_t founds[2];
	uint16_t place[2][NOISE_FOUND];
};

/* Answers of the SUT's that differ in the same places and classes. */
struct set {
	uint64_t n;
	uint32_t founds;
	struct noise_at at[NOISE_FOUND];
};

/**
 * struct noise - All of it
 * @head, @pairs: Pairs lie in a ring: the oldest, and how many from it on
 * @pair_slot, @place_slot, @set_slot: Number + 1 of what hashes there; 0: none
 */
struct noise {
	struct hash_key key;
	struct noise_sums sums;
	uint32_t head;
	uint32_t pairs;
	uint32_t places;
	uint32_t sets;
	uint32_t pair_slot[PAIR_SLOTS];
	uint32_t place_slot[PLACE_SLOTS];
	uint32_t set_slot[SET_SLOTS];
	struct pair pair[NOISE_PAIRS];
	struct noise_place place[NOISE_PLACES];
	struct set set[NOISE_SETS];
	double p[NOISE_PLACES];
	uint16_t tested[NOISE_PLACES];
	bool more[NOISE_PLACES];
};

/* places.c */

/**
 * noise_find() - The place of a difference; it is made if there is none
 *
 * Return: its number, or NO_PLACE
 */
uint32_t noise_find(struct noise *n, const struct noise_answer *a,
		    const struct case_found *f);

/** noise_class() - The class of a value there. Return: its number, or
 * NOISE_CLASSES
 */
uint32_t noise_class(struct noise_place *p, const struct case_class *c);

/** noise_set() - An answer of the SUT's differs so */
void noise_set(struct noise *n, const struct noise_at *at, uint32_t founds);

#endif /* NOISE_NOISE_INTERNAL_H */
