/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * keep - Both answers of an exchange as they came, for a judge
 *
 * With rules the head, the trailers and the content of either answer are kept
 * until the exchange is judged, content codings and all. It is bounded; what
 * did not fit is known, and such an answer is never handed to a judge as if it
 * were whole.
 */
#ifndef COMPARE_KEEP_H
#define COMPARE_KEEP_H

#include <stdbool.h>
#include <stdint.h>

#include "app/asked.h"
#include "app/framer.h"
#include "compare/case.h"
#include "compare/compare.h"
#include "core/buf.h"
#include "core/hash.h"
#include "core/who.h"

/* Kept bytes: frames of the pool, in order; len is their room. */
struct strand {
	struct buf *first;
	struct buf *last;
	uint32_t len;  /* bytes of all */
	uint32_t tail; /* of the last frame */
};

struct keep; /* lies in a frame of the pool */

/**
 * keep_begin() - Begin on an exchange
 * @pool:	Of the frames it takes (interest BUF_CMP)
 * @most:	Bytes of each answer's content
 *
 * Return: it, or NULL: the pool is full
 */
struct keep *keep_begin(struct pool *pool, uint32_t most);

/** keep_asked() - What was asked for; its head is whole */
void keep_asked(struct keep *k, const struct asked *a);

/** keep_late() - By how much later than production the SUT answered, ns, by the
 * stamps of both; 0: not known. A SUT that is played to late has a later clock
 */
void keep_late(struct keep *k, int64_t ns);

/** keep_object() - The object of a GET or a HEAD; 0: it is not known */
uint64_t keep_object(const struct keep *k);

/** keep_shows() - The same of a GET alone, whose answers have its content */
uint64_t keep_shows(const struct keep *k);

/** keep_tokens() - Tokens that the client sent, ASKED_WORDS numbers */
const uint64_t *keep_tokens(const struct keep *k);

/**
 * keep_version() - Which version of its object did production answer with?
 * @any:	Also one without a validator or a lifetime
 *
 * Its validators stand for the content if there is a strong one, else all of it
 * does.
 *
 * Return: a number of it, or 0: it is none that is worth to be remembered, or
 * it is not kept whole
 */
uint64_t keep_version(const struct keep *k, const struct hash_key *key,
		      bool any);

/** keep_answer() - The next piece of an answer, as for compare_feed() */
void keep_answer(struct keep *k, struct pool *pool, enum who who,
		 const struct framer_piece *piece, const uint8_t *p);

/** keep_end() - Give everything back */
void keep_end(struct keep *k, struct pool *pool);

/** keep_part() - What is kept of a part; the bytes of a strand are walked with
 * strand_next()
 */
const struct strand *keep_part(const struct keep *k, enum case_part part);

/** What may be said of an exchange without a judge. */
enum keep_says {
	KEEP_NOTHING, /* the comparison's verdict stands */
	KEEP_SETTLED, /* the answer is known */
	KEEP_ASK,     /* a judge is to be asked */
};

/**
 * keep_settle() - What does the comparison's verdict come to, by the rules?
 * @r:		Verdict
 * @rules:	After rules_end()
 * @endpoint:	Whose exchange it is
 * @out:	KEEP_SETTLED: the answer, but for its serial; it is none that a
 *		judge gives if the reason is REASON_BY_RULE or _STATUS
 *
 * Bounded by the bytes of two heads.
 */
enum keep_says keep_settle(const struct keep *k, const struct compare_result *r,
			   const struct rules *rules, uint32_t endpoint,
			   struct case_answer *out);

/** keep_case() - The case: lengths of all parts, without bytes
 * @same:	Both bodies are the same: the SUT's is left out, and
 *		production's, too, but if @body
 *
 * Return: bytes of its message
 */
size_t keep_case(const struct keep *k, bool same, bool body,
		 struct case_view *out);

/** keep_note() - The same of production's answer alone: CASE_NOTE */
size_t keep_note(const struct keep *k, struct case_view *out);

/** keep_message() - The message of a case that keep_case() made, to @out.
 * Return: its bytes
 */
size_t keep_message(const struct keep *k, const struct case_view *c,
		    uint8_t *out);

/**
 * strand_next() - Kept bytes, a stretch a call
 * @at:		NULL to begin; where the last call was
 * @n:		Bytes of the stretch
 *
 * Return: the stretch, or NULL: that was all
 */
const uint8_t *strand_next(const struct strand *s, const struct buf **at,
			   uint32_t *n);

#endif /* COMPARE_KEEP_H */
