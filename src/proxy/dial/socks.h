/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * socks - What a client of SOCKS says, and what is answered: bytes in, bytes
 * out
 *
 * Versions 4 (Lee, "SOCKS: A protocol for TCP proxy across firewalls"), 4A
 * (Lee, "SOCKS 4A") and 5 (RFC 1928), without authentication or with a name and
 * a password (RFC 1929). BIND and UDP ASSOCIATE are refused by their code. No
 * input or output: the caller has the bytes, and takes away those that were
 * used. So what a client sends behind his request stays where it is.
 */
#ifndef DIAL_SOCKS_H
#define DIAL_SOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/ipaddr.h"

#define SOCKS_NAME  255 /* bytes of a name; of the user's, which nobody reads */
#define SOCKS_MOST  (8 + 2 * (SOCKS_NAME + 1)) /* bytes of the longest message */
#define SOCKS_REPLY 22			       /* bytes of the longest reply */

/** enum socks_step - What is to be done */
enum socks_step {
	SOCKS_MORE,    /* come again with more bytes behind the same ones */
	SOCKS_ANSWER,  /* send the reply, and come again */
	SOCKS_LOGIN,   /* see who it is: socks_names(); then socks_login() */
	SOCKS_CONNECT, /* connect; then socks_reply() */
	SOCKS_REFUSE,  /* send the reply, if there is one, and close */
};

/** enum socks_code - How a request ends; RFC 1928 section 6 */
enum socks_code {
	SOCKS_GRANTED,
	SOCKS_FAILURE,
	SOCKS_NOT_ALLOWED,
	SOCKS_NET_UNREACHABLE,
	SOCKS_HOST_UNREACHABLE,
	SOCKS_REFUSED,
	SOCKS_TTL,
	SOCKS_NO_COMMAND,
	SOCKS_NO_ADDRESS,
};

/** enum socks_lock - Does a client have to say who he is? */
enum socks_lock {
	SOCKS_OPEN,   /* no */
	SOCKS_LOCKED, /* yes: set by the caller before anything is read */
	SOCKS_ASKED,  /* he was asked */
	SOCKS_KNOWN,  /* he has said it */
};

/**
 * struct socks - A client; zero at first, but for @lock
 * @version:	4 or 5, once it is known
 * @greeted:	Version 5: the method was agreed on
 * @name:	Where to: a name of @name_len bytes of letters, digits, '-', '_'
 *		and '.', and a 0; or empty: to @ip
 * @ip, @port:	Where to
 * @reply:	@reply_len bytes for the client
 * @command:	SOCKS_REFUSE: for this the request is not spoken here, though
 *		well formed
 */
struct socks {
	uint8_t version;
	uint8_t greeted;
	uint8_t lock; /* SOCKS_ */
	uint8_t command;
	uint8_t name_len;
	char name[SOCKS_NAME + 1];
	struct ipaddr ip;
	uint16_t port;
	uint8_t reply_len;
	uint8_t reply[SOCKS_REPLY];
};

/**
 * socks_read() - Go on with what is there
 * @b, @n:	Bytes that were not used yet
 * @used:	How many of them were now; with SOCKS_MORE 0, and @s is as it
 *		was
 */
enum socks_step socks_read(struct socks *s, const uint8_t *b, size_t n,
			   size_t *used);

/** struct socks_names - Of a client; bytes, in the caller's buffer */
struct socks_names {
	const uint8_t *name;
	const uint8_t *password;
	uint8_t name_len;
	uint8_t password_len;
};

/** socks_names() - What he has said, of the bytes that SOCKS_LOGIN has used */
struct socks_names socks_names(const uint8_t *b);

/** socks_login() - Is it him? Makes the reply; if not, that is the last one */
void socks_login(struct socks *s, bool good);

/**
 * socks_reply() - Make the reply to a request
 * @code:	How it has ended
 * @ip, @port:	GRANTED: our end of the connection to the server
 *
 * Fills @s->reply.
 */
void socks_reply(struct socks *s, enum socks_code code, const struct ipaddr *ip,
		 uint16_t port);

#endif /* DIAL_SOCKS_H */
