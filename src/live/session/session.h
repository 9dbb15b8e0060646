/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * session - Values that production and a SUT have set differently
 *
 * A client sends back what production gave it: the number of a session, a token
 * against forged requests. A SUT that has chosen another one does not know it,
 * and its answer says so; that is no difference of the two versions. Here
 * stands which values these are, as keyed numbers: over all connections, as a
 * client gets a value on one and sends it on another.
 */
#ifndef SESSION_SESSION_H
#define SESSION_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/head.h"
#include "core/arena.h"

/* Values that are known at once, in sets of SESSION_SET; full: of its set the
 * one that was seen longest ago goes, counted.
 */
#define SESSION_VALUES 65536u
#define SESSION_SET    8u

/* Cookies of an answer that are known; of more the first ones. */
#define SESSION_GIVEN 8u

/**
 * struct session_stats - What became of values
 * @learned:	The SUT has set them otherwise, or not
 * @pushed:	That made room for others
 */
struct session_stats {
	uint64_t learned;
	uint64_t pushed;
};

/* What is known of a value that production has set. */
enum session_state {
	SESSION_UNKNOWN,
	SESSION_OPEN,  /* the SUT's answer is not here yet */
	SESSION_OTHER, /* the SUT has another one for it, or none */
	SESSION_SAME,  /* the SUT has set the same */
};

struct session;

/** session_size() - Bytes that session_init() takes of an arena */
size_t session_size(void);

/** session_init() - Begin with none. Return: 0 or -ENOMEM */
int session_init(struct session **out, struct arena *a);

/** session_set() - So much is known of a value now. SESSION_OPEN only says what
 * was not known. @value: a keyed number of it, not 0
 */
void session_set(struct session *s, uint64_t value, enum session_state state);

/** session_state() - What is known of it? It is seen again. @value: 0 never is
 * known
 */
enum session_state session_state(struct session *s, uint64_t value);

/**
 * session_given() - Production has answered: learn the cookies that it sets
 * @seed:	Of the numbers, asked_begin()'s
 * @leg:	Whose answers are compared; each has values of its own
 * @prod:	Production's head
 * @sut:	The SUT's; NULL: it is not here yet
 */
void session_given(struct session *s, uint64_t seed, uint32_t leg,
		   struct head_rest prod, const struct head_rest *sut);

/** session_tokens() - A judge has found that the SUT has others for these
 * tokens, @n numbers
 */
void session_tokens(struct session *s, uint32_t leg, const uint64_t *given,
		    unsigned n);

/**
 * session_hangs() - Does a request send what the SUT has not, or another one
 * for?
 * @sent:	Numbers of what it sends, @n; 0 behind the last
 */
bool session_hangs(struct session *s, uint32_t leg, const uint64_t *sent,
		   unsigned n);

const struct session_stats *session_stats(const struct session *s);

#endif /* SESSION_SESSION_H */
