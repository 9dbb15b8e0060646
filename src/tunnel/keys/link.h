/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * link - The connection to the other end: who it is, under which keys
 *
 * Datagrams and time in, messages out. One end begins (it knows where the other
 * one is), the other answers. An owner's turn: link_input() with each datagram,
 * or link_timeout() when link_next_timeout() has come; then do what struct
 * link_out asks for. Packets of the machine are written by link_seal().
 */
#ifndef KEYS_LINK_H
#define KEYS_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/hash.h"
#include "core/limits.h"
#include "keys/counters.h"
#include "keys/noise.h"
#include "keys/pad.h"
#include "keys/session.h"

#define LINK_PATHS    SESSION_PATHS
#define LINK_HEADER   SESSION_HEADER /* in front of each packet */
#define LINK_FROM     18 /* bytes that tell addresses apart, at most */
#define LINK_MESSAGE  NOISE_INITIATION /* longest of link_ask() and a reply */
#define LINK_GREETING (LINK_HEADER + 12 + CRYPTO_TAG)
#define LINK_GREETS   (LINK_HEADER + 44 + CRYPTO_TAG) /* longest greeting */

#define LINK_TRY_AGAIN	(1 * NS_PER_SEC) /* a handshake without an answer */
#define LINK_TRY_SELDOM (5 * NS_PER_SEC) /* the same, after LINK_TRIES */
#define LINK_TRIES	20
#define LINK_SILENCE	(1 * NS_PER_SEC) /* then something was asked in vain */
#define LINK_REKEY	(120 * NS_PER_SEC) /* a session is replaced after it */
#define LINK_LIFE	(180 * NS_PER_SEC) /* and not used any more after it */
#define LINK_GREET	(NS_PER_SEC / 4)   /* a greeting without an answer */
#define LINK_ASKS	20 /* handshakes a second without a cookie */

enum link_role {
	LINK_BEGINS,
	LINK_ANSWERS,
};

/**
 * struct link_config - How an end works
 * @plain:	No keys: tokens keep out who cannot see the packets
 * @self:	Of an end with keys, copied
 * @pad:	In place of keys, with what it says; borrowed
 * @random:	Fills in @n (up to 32) bytes; 0 or -Exxx
 * @tokens:	Of a plain end that answers: secret of the tokens that it gives
 */
struct link_config {
	enum link_role role;
	bool plain;
	struct pad *pad;
	const struct noise_self *self;
	int (*random)(void *p, size_t n);
	struct hash_key tokens;
};

/**
 * struct link_out - What a call wants done
 * @ask:	Send link_ask() on every path
 * @greet:	Send link_greet() on every path, or
 * @greet_back:	on the path of the datagram
 * @opened:	Packets may be sent now
 * @restart:	The other end is another process: whatever the machine knows of
 *		it is void
 * @reply_len:	Bytes at @reply, for the address that the datagram came from
 */
struct link_out {
	bool ask;
	bool greet;
	bool greet_back;
	bool opened;
	bool restart;
	uint32_t reply_len;
	uint8_t reply[LINK_MESSAGE];
};

/** enum link_got - What a datagram was */
enum link_got {
	LINK_NOTHING, /* nothing that concerns the owner */
	LINK_PROOF,   /* it is from the other end, and has come by its path */
	LINK_PACKET,  /* the same, and brings a packet for the machine */
};

/**
 * struct link_in - A datagram, and what was found in it
 * @p, @n:	Its bytes; opened where they lie
 * @from, @from_len: Its source, as bytes that are equal where sources are
 * @ways:	Of one that link_is_cookie(): which paths lead where it came
 *		from, as bits
 * @path:	Path it was sent on
 * @newest:	Its source is where the path leads now; a datagram that was
 *		overtaken says nothing about it
 * @off, @len:	Of LINK_PACKET: where the packet lies in @p
 */
struct link_in {
	uint8_t *p;
	uint32_t n;
	const void *from;
	size_t from_len;
	uint32_t ways;
	unsigned path;
	bool newest;
	uint32_t off;
	uint32_t len;
};

struct link;

/** link_size() - Arena bytes of a link */
size_t link_size(void);

/**
 * link_init() - Make an end that knows nothing yet
 *
 * Return: 0; -ENOMEM: the arena is too small; what @random gives (@out
 * untouched)
 */
int link_init(struct link **out, struct arena *a, const struct link_config *c,
	      uint64_t now);

/** link_wipe() - Overwrite all secrets; the link is not to be used any more */
void link_wipe(struct link *l);

/** link_is_cookie() - Test whether its owner has to say @ways */
bool link_is_cookie(const struct link_in *in);

/** link_input() - A datagram has come */
enum link_got link_input(struct link *l, struct link_in *in, uint64_t now,
			 struct link_out *out);

/** link_timeout() - Do what is due. @real: time of day, ns since 1970 */
void link_timeout(struct link *l, uint64_t now, uint64_t real,
		  struct link_out *out);

/**
 * link_quotes() - Test whether @p begins as a datagram that we sent
 * @n:		As many bytes of it as there are
 *
 * Return: paths that it may have been sent on, as bits; 0: it was not
 */
uint32_t link_quotes(const struct link *l, const uint8_t *p, uint32_t n);

/**
 * link_next_timeout() - When link_timeout() should be called; UINT64_MAX: never
 */
uint64_t link_next_timeout(const struct link *l);

/** link_open() - May packets be sent? */
bool link_open(const struct link *l, uint64_t now);

/** link_overhead() - Bytes by which a datagram is longer than its packet */
uint32_t link_overhead(const struct link *l);

/**
 * link_seal() - Make a datagram of a packet of the machine
 * @p:		LINK_HEADER bytes to be written, the packet's @n bytes,
 *		CRYPTO_TAG bytes
 * @asks:	The other end will answer it at once
 *
 * Return: length of the datagram; -ENOTCONN: there is no session; -EIO
 */
int link_seal(struct link *l, unsigned path, uint8_t *p, uint32_t n, bool asks,
	      uint64_t now);

/**
 * link_ask() - Write the message that asks for a session. Return: length, or 0
 */
uint32_t link_ask(struct link *l, unsigned path, uint8_t out[LINK_MESSAGE]);

/**
 * link_greet() - Write a greeting, of LINK_GREETING bytes, or with a pad of
 * LINK_GREETS. @answer: one is wanted. Return: length, or 0
 */
uint32_t link_greet(struct link *l, unsigned path, bool answer, uint8_t *out,
		    uint64_t now);

/** link_counters() - What was counted */
const struct link_counters *link_counters(const struct link *l);

/**
 * link_check() - Test what must hold between two calls. Return: NULL, or what
 * not
 */
const char *link_check(const struct link *l);

#endif /* KEYS_LINK_H */
