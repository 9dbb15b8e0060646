/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * compare - Two answers in, one verdict out
 *
 * An exchange is one request and its two answers, production's and the SUT's.
 * Its bytes come in the framer's pieces, in order on each side but in any
 * interleaving of the two. What must be remembered of the side that leads lies
 * in frames of the pool, bounded by COMPARE_KEEP; beyond it a hash per block of
 * COMPARE_BLOCK bytes is kept. The result does not depend on the interleaving,
 * but for which of several reasons not to compare came first.
 *
 * REASON_LENGTH beyond COMPARE_KEEP means: no block that both have whole
 * differs.
 */
#ifndef COMPARE_COMPARE_H
#define COMPARE_COMPARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/framer.h"
#include "compare/place.h"
#include "compare/unanswered.h"
#include "core/buf.h"
#include "core/who.h"

/* Levels of validation. */
enum compare_level {
	COMPARE_NONE,
	COMPARE_IDENTICAL,  /* every byte of the answer's stream */
	COMPARE_EQUIVALENT, /* status, header fields, decoded body */
};

#define COMPARE_KEEP                                                           \
	16384u /* first bytes, kept of the side that leads, to name offsets */
#define COMPARE_BLOCK 4096u
/* Longest head, and most fields in one, of production's that are compared;
 * beyond them it is not compared. A SUT may have twice as much: beyond that it
 * is different.
 */
#define COMPARE_HEAD   8192u
#define COMPARE_FIELDS 300u
#define COMPARE_SUT    2u
/* Bytes of each body that are shown around the first one that differs, and how
 * many of them stand in front of it.
 */
#define COMPARE_EXCERPT 32u
#define COMPARE_BEFORE	8u
/* Bytes in front of these that are known, but not shown: they say whether a
 * secret is.
 */
#define COMPARE_FRONT 56u

/* Bytes of a field's name, and of each of its values, that are shown. */
#define COMPARE_SHOWN 28u

/* Header fields that may be left out besides a server's own moment, and the
 * longest name of one.
 */
#define COMPARE_IGNORED 32u
#define COMPARE_NAME	64u

/**
 * struct compare_rules - What is not compared
 * @ignored:	Names in @ignore
 * @ignore:	Names of header and trailer fields, in lower case
 */
struct compare_rules {
	uint32_t ignored;
	struct {
		uint8_t len;
		char name[COMPARE_NAME];
	} ignore[COMPARE_IGNORED];
};

/**
 * compare_ignore() - Leave out fields of this name
 *
 * A name that is there already stays once.
 *
 * Return: 0, -EINVAL if it is no token (RFC 9110 section 5.6.2), -ENAMETOOLONG,
 * -ENOSPC if there are COMPARE_IGNORED
 */
int compare_ignore(struct compare_rules *r, const char *name);

enum verdict {
	VERDICT_IDENTICAL,
	VERDICT_EQUIVALENT,
	VERDICT_DIFFERENT,
	VERDICT_NOT_COMPARED,
	VERDICT_COUNT
};

/* Why: for VERDICT_DIFFERENT where, for VERDICT_NOT_COMPARED why not. */
#define COMPARE_REASONS(X)                                                     \
	X(REASON_NONE, "none")                                                 \
	/* different */                                                        \
	X(REASON_STATUS, "status")                                             \
	X(REASON_HEADER, "header") /* value, missing or extra */               \
	X(REASON_BODY, "body")	   /* a byte of the body */                    \
	X(REASON_LENGTH, "length") /* one body is a prefix of the other */     \
	X(REASON_BYTES, "bytes")   /* level identical, or no HTTP */           \
	X(REASON_TRUNCATED, "truncated") /* SUT closed inside its answer */    \
	X(REASON_MISSING, "missing") /* SUT closed, reset or stayed silent   \
					* where production answered */ \
	X(REASON_UNANSWERED, "unanswered") /* enum unanswered says how */      \
	X(REASON_EXTRA, "extra") /* SUT sent what production did not */        \
	X(REASON_MALFORMED,                                                    \
	  "malformed") /* SUT's is not by the book, production's is */         \
	/* not compared */                                                     \
	X(REASON_LEVEL_NONE, "level_none")                                     \
	X(REASON_AMBIGUOUS,                                                    \
	  "ambiguous") /* two readers may split differently */                 \
	X(REASON_PROD_GAP, "production_gap") /* capture missed part of it */   \
	X(REASON_PROD_CUT,                                                     \
	  "production_cut") /* production did not finish it */                 \
	X(REASON_PROD_MALFORMED,                                               \
	  "production_malformed") /* production's is no HTTP */                \
	X(REASON_CLIENT_ABORT, "client_abort")                                 \
	X(REASON_CLIENT_GAP, "client_gap")                                     \
	X(REASON_NOT_PLAYED, "not_played")                                     \
	X(REASON_BEHIND, "behind") /* ended because the SUT was too slow */    \
	X(REASON_SHED, "shed")	   /* not played until there is room again */  \
	X(REASON_METHOD, "method") /* --methods leaves it out */               \
	X(REASON_SUT_DOWN, "sut_down")	 /* SUT silent, refusing or died */    \
	X(REASON_MIDSTREAM, "midstream") /* the rest of an older answer */     \
	/* of production's; of the SUT's: different */                         \
	X(REASON_HEAD_TOO_LONG, "head_too_long")                               \
	X(REASON_NO_MEMORY, "no_memory") /* pool full */                       \
	X(REASON_TUNNEL, "tunnel")	 /* behind an answer that left HTTP */ \
	X(REASON_TLS, "tls")                                                   \
	X(REASON_SUT_CAPTURE_DROP,                                             \
	  "sut_capture_drop") /* we lost frames of the SUT meanwhile */        \
	X(REASON_RUN_ENDED, "run_ended")                                       \
	/* not compared, where there are rules */                              \
	X(REASON_TOO_LONG, "too_long") /* it is not kept whole */              \
	X(REASON_BOMB, "bomb")	       /* it decodes to too much */            \
	X(REASON_CODING, "coding")     /* it cannot be decoded */              \
	X(REASON_UNJUDGED, "unjudged") /* its judge gave up */                 \
	X(REASON_OVERLOAD, "overload") /* the desk had no room */              \
	X(REASON_DESK, "desk")	       /* the desk died, or did not answer */  \
	X(REASON_BY_RULE, "by_rule")   /* of its endpoint nothing is */        \
	X(REASON_VALIDATOR,                                                    \
	  "validator") /* nobody knows what a client's validator stands for */ \
	X(REASON_DIVERGED,                                                     \
	  "diverged") /* it sends what production set, and the SUT otherwise   \
		       */

enum compare_reason {
#define X(id, name) id,
	COMPARE_REASONS(X)
#undef X
		REASON_COUNT
};

/** verdict_name(), reason_name() - As reports spell them */
const char *verdict_name(enum verdict v);
const char *reason_name(enum compare_reason r);

#define COMPARE_DETAIL 512 /* room for what protocol.describe says */

_Static_assert(REASON_COUNT <= 64, "a set of them is a word");

/** reason_bit() - The set that has only @r */
static inline uint64_t reason_bit(enum compare_reason r)
{
	return UINT64_C(1) << r;
}

/**
 * struct compare_field - A header field that differs, as captured: hostile
 * bytes
 * @known:	There is one
 * @has:	Which side has it; [0] production, [1] SUT
 * @name_len, @len: Bytes that are shown of its name, and of each value
 */
struct compare_field {
	bool known;
	bool has[2];
	uint8_t name_len;
	uint8_t len[2];
	uint8_t name[COMPARE_SHOWN];
	uint8_t value[2][COMPARE_SHOWN];
};

/**
 * struct compare_excerpt - Both streams around the first byte that differs
 * @from:	Where it begins; UINT64_MAX: the place is not known
 * @n:		Bytes of each, so far
 * @fronts, @front: What stands in front of them, on both sides
 */
struct compare_excerpt {
	uint64_t from;
	uint8_t n[2];
	uint8_t fronts;
	uint8_t front[COMPARE_FRONT];
	uint8_t p[2][COMPARE_EXCERPT];
};

/* What of two DNS messages is not the same. */
enum compare_dns {
	COMPARE_DNS_NOTHING,
	COMPARE_DNS_NO_PROD, /* production's message cannot be read */
	COMPARE_DNS_NO_SUT,
	COMPARE_DNS_ID,
	COMPARE_DNS_RCODE,
	COMPARE_DNS_FLAGS,
	COMPARE_DNS_QUESTION,
	COMPARE_DNS_OPT,
	COMPARE_DNS_ANSWER, /* a record of this section */
	COMPARE_DNS_AUTHORITY,
	COMPARE_DNS_ADDITIONAL,
	COMPARE_DNS_TTL, /* a record's, by more than a rule allows */
};

/**
 * struct compare_evidence - What a difference is told by, besides its reasons
 * @odd:	enum framer_odd: what of the SUT's answer is not by the book
 * @extra:	It is bytes behind an answer that must have no content
 * @dns:	enum compare_dns
 * @dns_has:	What each side has there: an id, a code, flags, a time to live,
 *		or so many records
 * @dns_at:	Number of the record in its section, from 0
 * @reply:	Of redis: the byte that each reply begins with
 * @field:	First header field that differs
 * @seen:	Both bodies, where they do
 * @place:	Where a judge has found them to differ, in place of all else
 * @kind:	Number of the kind of difference (compare/kind.h); 0: it is of
 *		none
 */
struct compare_evidence {
	uint8_t odd;
	bool extra;
	uint8_t dns;
	uint32_t dns_has[2];
	uint32_t dns_at;
	uint8_t reply[2];
	struct compare_field field;
	struct compare_excerpt seen;
	struct case_place place;
	uint32_t kind;
};

/**
 * struct compare_result - The verdict on one exchange
 * @verdict, @reason: What and why; of several differences the first that tells
 *		most
 * @reasons:	VERDICT_DIFFERENT: all of them, as reason_bit()
 * @alike:	Neither answer is by the book, and both are not in the same way
 * @status:	HTTP status of each side; [0] production, [1] SUT; 0: none
 * @bytes:	Bytes of answer of each side
 * @offset:	Where the first difference lies, in bytes from the beginning of
 *		the answer (REASON_BYTES) or of the body (REASON_BODY, REASON_
 *		LENGTH); UINT64_MAX: within the block whose number is @block
 *		only
 * @block:	Number of the first block that differs, if @offset is unknown
 * @rule:	VERDICT_EQUIVALENT: the rule that makes it so, if it was looked
 *		up here: its number of rules_line(), from 1; 0: none
 * @how:	With REASON_UNANSWERED; the caller's of compare_end() to fill in
 * @evidence:	VERDICT_DIFFERENT: what the protocol's describe() makes a text
 *		of
 */
struct compare_result {
	enum verdict verdict;
	enum compare_reason reason;
	enum unanswered how;
	uint64_t reasons;
	bool alike;
	uint16_t status[2];
	uint64_t bytes[2];
	uint64_t offset;
	uint64_t block;
	uint32_t rule;
	struct compare_evidence evidence;
};

struct asked;
struct head_rest;
struct rules;
struct keep;
struct compare; /* one exchange under comparison; lies in a frame of the pool */
struct protocol;

/**
 * compare_begin() - Start on an exchange
 * @pool:	Pool of the frames it takes (interest BUF_CMP)
 * @level:	COMPARE_IDENTICAL or COMPARE_EQUIVALENT
 * @protocol:	Whose pieces come; one of streams (compare/protocol.h)
 *
 * Return: the comparison, or NULL if the pool is full
 */
struct compare *compare_begin(struct pool *pool, enum compare_level level,
			      const struct protocol *protocol);

/** compare_by() - Leave out what @rules says; they must outlive @c */
void compare_by(struct compare *c, const struct compare_rules *rules);

/**
 * compare_keep() - Keep both answers, @most bytes of each one's content
 *
 * @asked:	What was asked for; NULL: that is not known
 *
 * Only of a protocol with fields at COMPARE_EQUIVALENT, and if there is room.
 */
void compare_keep(struct compare *c, struct pool *pool, uint32_t most,
		  const struct asked *asked);

/**
 * compare_asked() - What was asked, before the end
 * @by:		Rules; NULL: there are none
 * @request, @len: The line that is kept of the request; both are borrowed
 */
void compare_asked(struct compare *c, const struct rules *by,
		   const char *request, uint8_t len);

/**
 * compare_sends() - What values the client sends with its request
 * @hangs:	The SUT has others for one of them
 */
void compare_sends(struct compare *c, const struct asked *asked, bool hangs);

/** compare_what_sent() - The same: ASKED_SENT numbers, 0 behind the last */
const uint64_t *compare_what_sent(const struct compare *c, bool *hangs);

/** compare_head() - The head of an answer of HTTP, until the next call. Return:
 * it is here whole
 */
bool compare_head(const struct compare *c, enum who who, struct head_rest *out);

/** compare_take() - Take what is kept, once; NULL: nothing is. Give it back by
 * keep_end()
 */
struct keep *compare_take(struct compare *c);

/**
 * compare_feed() - Next bytes of one side's answer
 * @c:		Comparison
 * @pool:	Its pool
 * @who:	WHO_PROD or WHO_SUT
 * @piece:	What they are; piece->used bytes
 * @p:		Bytes, borrowed
 *
 * Never fails: what goes wrong becomes the verdict.
 */
void compare_feed(struct compare *c, struct pool *pool, enum who who,
		  const struct framer_piece *piece, const uint8_t *p);

/**
 * compare_odd() - The SUT's answer is none of the protocol's, and what makes it
 * so
 *
 * As a piece with FRAMER_MALFORMED does, where no framer saw its bytes.
 */
void compare_odd(struct compare *c, enum framer_odd why);

/** compare_done() - @who's answer is whole, until more of it is fed: a mark by
 * quiet moves
 */
void compare_done(struct compare *c, enum who who);

/**
 * compare_spoil() - This exchange will not be compared, and why
 *
 * The first reason stays. A difference already found is forgotten: what came
 * through a hole is no evidence.
 */
void compare_spoil(struct compare *c, enum compare_reason why);

/**
 * compare_end() - Give the verdict and free everything
 * @why:	What a side that is not done means: REASON_NONE if both are
 *		done, REASON_UNANSWERED if the SUT ended early (or another
 *		difference), any other reason: not compared, because of it. A
 *		difference found before stays. What only the SUT's answer has
 *		that is not by the book is a difference if production's is whole
 */
void compare_end(struct compare *c, struct pool *pool, enum compare_reason why,
		 struct compare_result *out);

#endif /* COMPARE_COMPARE_H */
