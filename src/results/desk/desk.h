/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * desk - The process that judges what bytes cannot
 *
 * It is forked before a byte from outside is read, has no socket, no file and
 * no privilege, and sees of the run the cases that it is handed and nothing
 * else. The packet thread hands them over by a ring and takes the answers out
 * of another; it never waits for the desk. A full ring refuses. A desk that is
 * dead, stopped or out of its mind costs the answers that it owes, and nothing
 * else.
 */
#ifndef DESK_DESK_H
#define DESK_DESK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compare/keep.h"
#include "core/hash.h"
#include "os/errbuf.h"
#include "redact/redact.h"
#include "rules/rules.h"

/**
 * struct desk_config - What a desk is started with
 * @rules:	After rules_end()
 * @redact:	What of values is shown
 * @all:	All places of a difference are looked for
 * @key:	Secret, of the judge's hashes
 * @ring:	Bytes of the ring of cases, a power of two
 * @longest:	Longest message of a case
 * @user:	Whom it becomes; NULL: it stays who it is
 */
struct desk_config {
	const struct rules *rules;
	const struct redact *redact;
	bool all;
	struct hash_key key;
	size_t ring;
	size_t longest;
	const char *user;
};

struct desk;

/**
 * desk_start() - Fork it, and wait until it is confined
 *
 * Before the first thread is made. Return: 0 or -Exxx with a sentence
 */
int desk_start(struct desk **out, const struct desk_config *c,
	       struct errbuf *e);

/**
 * desk_put() - Hand a case over
 * @k:		Whose bytes they are
 * @c:		As keep_case() made it, with its serial and endpoint
 *
 * Return: 0; -EAGAIN: the ring is full; -EPIPE: the desk is gone
 */
int desk_put(struct desk *d, const struct keep *k, const struct case_view *c);

/**
 * desk_take() - Take the next answer; its bytes may be anything
 *
 * Return: 1, 0: there is none now, -EPIPE: the desk is gone or lies
 */
int desk_take(struct desk *d, struct case_answer *out);

/** desk_lives() - Is its process there? A system call */
bool desk_lives(struct desk *d);

/** desk_leave() - It is believed no more: nothing is handed to it */
void desk_leave(struct desk *d);

/** desk_stop() - Let it end, and give everything back; NULL is left alone */
void desk_stop(struct desk *d);

#endif /* DESK_DESK_H */
