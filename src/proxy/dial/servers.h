/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * servers - Which of several servers a client gets
 *
 * By the client's address, so that he comes back to the same one; a server that
 * is out moves its own clients only (core/rendezvous.h). No input or output:
 * who connects says what came of it.
 */
#ifndef DIAL_SERVERS_H
#define DIAL_SERVERS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/counters.h"
#include "core/hash.h"
#include "core/ipaddr.h"

#define SERVERS_MAX    16 /* of one listener */
#define SERVERS_PLACES 32 /* with those that are gone, and yet have users */

#define SERVER_COUNTERS(X, T)                                                  \
	X(T, taken, "", "connections that it took")                            \
	X(T, not_taken, "", "times that it did not take one")                  \
	X(T, passed, "", "connections that the kernel passed on to it")

struct server_counters {
	SERVER_COUNTERS(COUNTER_MEMBER, )
};

extern const struct counter_list server_counter_list;

/**
 * struct server - One of them
 * @ip, @port:	Where it listens
 * @failures:	In a row
 * @users:	Connections that are there, or are tried there: its user counts
 * @out:	It gets no client as long as another is in
 * @drained:	It gets none at all
 * @gone:	The same, and it is no server any more: its place is free when
 *		it has no users
 */
struct server {
	struct ipaddr ip;
	uint16_t port;
	uint32_t failures;
	uint32_t users;
	bool out;
	bool drained;
	bool gone;
	struct server_counters n;
};

/** struct servers - Those of one listener; @n places are in use */
struct servers {
	unsigned n;
	struct server s[SERVERS_PLACES];
};

/**
 * servers_choose() - Whom to try next
 * @key:	Of the hash
 * @client:	Whose connection it is
 * @tried:	Bits of those that were tried for it already
 *
 * One that is out is tried when no other is left: it may be back.
 *
 * Return: index, or -1: all were tried, or are drained
 */
int servers_choose(const struct servers *l, const struct hash_key *key,
		   const struct ipaddr *client, uint32_t tried);

/** servers_there() - How many are not gone */
unsigned servers_there(const struct servers *l);

/**
 * servers_now() - Those of whom servers_choose() would give a new client one
 *
 * Return: how many are in @now: those that are in, or, where none is, out
 */
unsigned servers_now(const struct servers *l,
		     const struct server *now[SERVERS_MAX]);

/**
 * servers_change() - Have these servers from now on
 * @to:		At most SERVERS_MAX, none of them gone
 *
 * Those that stay have their places and all that is known of them.
 *
 * Return: 0; -ENOSPC: no place for all, as too many that are gone have users;
 * then @l is to be thrown away
 */
int servers_change(struct servers *l, const struct servers *to);

/** servers_failed() - It did not take a connection. @most in a row: it is out,
 * unless that is 0. Return: it was in until now
 */
bool servers_failed(struct servers *l, unsigned i, uint32_t most);

/** servers_good() - It took one. Return: it was out until now */
bool servers_good(struct servers *l, unsigned i);

#endif /* DIAL_SERVERS_H */
