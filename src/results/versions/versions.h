/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * versions - What production has served of each object, and when
 *
 * Two servers of one site need not have the same object at the same moment: a
 * cache has an older one, a new deployment a newer one. And a client brings
 * validators with it that only production gave. Both are told from a wrong
 * object by what production has served: its last answers to each target, as
 * they came, with the number of their decoded content.
 *
 * It is bounded in answers and in bytes; the oldest go, counted. Of an object
 * the last VERSIONS_OF are known.
 */
#ifndef VERSIONS_VERSIONS_H
#define VERSIONS_VERSIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/head.h"
#include "core/arena.h"
#include "core/hash.h"

#define VERSIONS_OF 8u

/**
 * struct versions_limits - What it may use
 * @answers:	That are remembered
 * @bytes:	Of all of them; one that has more than an eighth of it is
 *		remembered without its bytes
 */
struct versions_limits {
	uint32_t answers;
	size_t bytes;
};

/**
 * struct version - One answer of production's
 * @object:	Of what; 0: the place is free
 * @content:	Number of its decoded content
 * @etag, @modified: Numbers of its validators; 0: it has none
 * @first, @last: When it was served, ns
 * @fresh:	Lifetime that production gave it, ns; -1: none, or not to a
 *		cache that others share
 * @at:		Where its bytes lie, counted from the beginning of the run
 * @head, @body: So many they are
 * @has:	They are there, or were
 */
struct version {
	uint64_t object;
	uint64_t content;
	uint64_t etag;
	uint64_t modified;
	uint64_t first;
	uint64_t last;
	int64_t fresh;
	uint64_t at;
	uint32_t head;
	uint32_t body;
	bool has;
	uint32_t next; /* in the list of its hash */
};

/**
 * struct versions_stats - What became of answers
 * @seen:	New versions
 * @again:	Such as were known
 * @pushed:	That made room for others
 * @long_ones:	Remembered without their bytes
 */
struct versions_stats {
	uint64_t seen;
	uint64_t again;
	uint64_t pushed;
	uint64_t long_ones;
};

struct versions;

/** versions_size() - Bytes that versions_init() takes of an arena */
size_t versions_size(const struct versions_limits *l);

/** versions_init() - Begin with none. @key: secret. Return: 0 or -ENOMEM */
int versions_init(struct versions **out, struct arena *a,
		  const struct versions_limits *l, const struct hash_key *key);

/** versions_content() - The number of decoded content; never 0 */
uint64_t versions_content(const struct versions *v, const uint8_t *p, size_t n);

/**
 * versions_saw() - Production answered with 200
 * @object:	Of what, not 0
 * @content:	versions_content()
 * @at:		When, ns; it may be earlier than that of another answer
 * @head:	Its head, with its status line
 * @body, @n:	Its content, codings and all
 */
void versions_saw(struct versions *v, uint64_t object, uint64_t content,
		  uint64_t at, struct head_rest head, const uint8_t *body,
		  size_t n);

/**
 * versions_of_content() - What production served with this content
 *
 * Return: the version, or NULL. It is valid until the next versions_saw().
 */
const struct version *versions_of_content(const struct versions *v,
					  uint64_t object, uint64_t content);

/**
 * versions_of_validator() - What production served under a validator
 * @head:	Which has an ETag or a Last-Modified; the former counts if there
 *		is one
 *
 * Return: the version that was served last under it, or NULL
 */
const struct version *versions_of_validator(const struct versions *v,
					    uint64_t object,
					    struct head_rest head);

/** versions_now() - What production was seen to serve last, or NULL */
const struct version *versions_now(const struct versions *v, uint64_t object);

/**
 * versions_left() - How long ago at least production has left a version
 * @at:		Now, ns
 *
 * Return: ns since another one was first seen behind it; 0: it is the newest
 */
uint64_t versions_left(const struct versions *v, const struct version *of,
		       uint64_t at);

/** versions_newest() - Was no other version of its object seen behind it? */
bool versions_newest(const struct versions *v, const struct version *of);

/**
 * versions_text() - The answer as it came
 *
 * Return: false: its bytes were not kept, or are gone
 */
bool versions_text(const struct versions *v, const struct version *of,
		   struct head_rest *head, const uint8_t **body);

/** versions_lifetime() - What version.fresh is by a head (RFC 9111 section 4.2)
 */
int64_t versions_lifetime(struct head_rest head);

const struct versions_stats *versions_stats(const struct versions *v);

/** versions_check() - Assert what holds between two calls */
void versions_check(const struct versions *v);

#endif /* VERSIONS_VERSIONS_H */
