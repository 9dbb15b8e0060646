/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * socks.c - The client's side of SOCKS, read
 *
 * A message is taken when all of it is there, or not at all: so there is no
 * state within one, and it does not matter in which pieces it came. Lengths are
 * in the message (version 5) or end with a 0 (version 4), and are bounded.
 */
#include "dial/socks.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "core/bytes.h"

enum { METHOD_NONE = 0, METHOD_NAMES = 2, NAMES_VERSION = 1 };
enum { CONNECT = 1, TYPE_IP4 = 1, TYPE_NAME = 3, TYPE_IP6 = 4 };

static bool is_of_name(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

static bool take_name(struct socks *s, const uint8_t *b, size_t n)
{
	if (n == 0 || n > SOCKS_NAME)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!is_of_name(b[i]))
			return false;
	memcpy(s->name, b, n);
	s->name[n] = '\0';
	s->name_len = (uint8_t)n;
	return true;
}

static enum socks_step refuse(struct socks *s, enum socks_code code)
{
	socks_reply(s, code, NULL, 0);
	return SOCKS_REFUSE;
}

/* --- version 4 --- */

/* Bytes up to a 0, with it; 0: it is not there yet. */
static size_t with_end(const uint8_t *b, size_t n)
{
	const uint8_t *end = n == 0 ? NULL : memchr(b, 0, n);

	return !end ? 0 : (size_t)(end - b) + 1;
}

/* A string of @n bytes that has not ended: may it still? */
static enum socks_step not_ended(struct socks *s, size_t n, size_t *used)
{
	if (n <= SOCKS_NAME)
		return SOCKS_MORE;
	*used = 1;
	s->version = 4;
	return refuse(s, SOCKS_FAILURE);
}

static enum socks_step read4(struct socks *s, const uint8_t *b, size_t n,
			     size_t *used)
{
	size_t user = n > 8 ? with_end(b + 8, n - 8) : 0;
	size_t at = 8 + user;
	size_t name = 0;
	bool named;

	if (user == 0)
		return not_ended(s, n > 8 ? n - 8 : 0, used);
	if (user > SOCKS_NAME + 1)
		return not_ended(s, user, used);
	/* 0.0.0.x with x not 0 says that a name follows. */
	named = b[4] == 0 && b[5] == 0 && b[6] == 0 && b[7] != 0;
	if (named) {
		name = with_end(b + at, n - at);
		if (name == 0 || name > SOCKS_NAME + 1)
			return not_ended(s, name == 0 ? n - at : name, used);
	}
	*used = at + name;
	s->version = 4;
	/* It has a name only, which is nobody's word. */
	if (s->lock != SOCKS_OPEN)
		return refuse(s, SOCKS_NOT_ALLOWED);
	s->port = get_be16(b + 2);
	s->command = b[1];
	if (!named)
		s->ip = ipaddr_from4(b + 4);
	else if (!take_name(s, b + at, name - 1))
		return refuse(s, SOCKS_FAILURE);
	return b[1] == CONNECT ? SOCKS_CONNECT : refuse(s, SOCKS_NO_COMMAND);
}

/* --- version 5 --- */

static enum socks_step read_greeting(struct socks *s, const uint8_t *b,
				     size_t n, size_t *used)
{
	const uint8_t method =
		s->lock == SOCKS_LOCKED ? METHOD_NAMES : METHOD_NONE;

	if (n < 2 || n < 2u + b[1])
		return SOCKS_MORE;
	*used = 2u + b[1];
	s->version = 5;
	s->greeted = b[1] > 0 && memchr(b + 2, method, b[1]);
	if (s->greeted && s->lock == SOCKS_LOCKED)
		s->lock = SOCKS_ASKED;
	s->reply[0] = 5;
	s->reply[1] = s->greeted ? method : 0xff;
	s->reply_len = 2;
	return s->greeted ? SOCKS_ANSWER : SOCKS_REFUSE;
}

/* RFC 1929 section 2. */
static enum socks_step read_names(struct socks *s, const uint8_t *b, size_t n,
				  size_t *used)
{
	size_t name = n < 2 ? 0 : b[1];

	if (n >= 1 && b[0] != NAMES_VERSION) {
		*used = 1;
		return refuse(s, SOCKS_FAILURE);
	}
	if (n < 2 || n < 2 + name + 1 || n < 2 + name + 1 + b[2 + name])
		return SOCKS_MORE;
	*used = 2 + name + 1 + b[2 + name];
	return SOCKS_LOGIN;
}

struct socks_names socks_names(const uint8_t *b)
{
	return (struct socks_names){ .name = b + 2,
				     .name_len = b[1],
				     .password = b + 3 + b[1],
				     .password_len = b[2 + b[1]] };
}

static void reply_names(struct socks *s, bool good)
{
	s->reply[0] = NAMES_VERSION;
	s->reply[1] = good ? 0 : 1;
	s->reply_len = 2;
}

void socks_login(struct socks *s, bool good)
{
	assert(s->lock == SOCKS_ASKED);
	if (good)
		s->lock = SOCKS_KNOWN;
	reply_names(s, good);
}

/* Bytes of the address of this type; 0: it has not come yet; -1: there is no
 * such type.
 */
static int length_of(const uint8_t *b, size_t n)
{
	switch (b[3]) {
	case TYPE_IP4:
		return 4;
	case TYPE_IP6:
		return 16;
	case TYPE_NAME:
		return n < 5 ? 0 : 1 + b[4];
	default:
		return -1;
	}
}

static enum socks_step read5(struct socks *s, const uint8_t *b, size_t n,
			     size_t *used)
{
	int length;

	if (n >= 1 && b[0] != 5) {
		*used = 1;
		return refuse(s, SOCKS_FAILURE);
	}
	if (n < 4)
		return SOCKS_MORE;
	length = length_of(b, n);
	if (length < 0) {
		*used = 4;
		return refuse(s, SOCKS_NO_ADDRESS);
	}
	if (length == 0 || n < 4u + (unsigned)length + 2)
		return SOCKS_MORE;
	*used = 4u + (unsigned)length + 2;
	s->command = b[1];
	s->port = get_be16(b + 4 + length);
	if (b[3] == TYPE_NAME && !take_name(s, b + 5, b[4]))
		return refuse(s, SOCKS_NO_ADDRESS);
	if (b[3] == TYPE_IP4)
		s->ip = ipaddr_from4(b + 4);
	else if (b[3] == TYPE_IP6)
		s->ip = ipaddr_from6(b + 4);
	return b[1] == CONNECT ? SOCKS_CONNECT : refuse(s, SOCKS_NO_COMMAND);
}

enum socks_step socks_read(struct socks *s, const uint8_t *b, size_t n,
			   size_t *used)
{
	*used = 0;
	if (s->lock == SOCKS_ASKED)
		return read_names(s, b, n, used);
	if (s->greeted)
		return read5(s, b, n, used);
	if (n == 0)
		return SOCKS_MORE;
	if (b[0] == 5)
		return read_greeting(s, b, n, used);
	if (b[0] == 4)
		return read4(s, b, n, used);
	*used = 1;
	s->reply_len = 0;
	return SOCKS_REFUSE;
}

static void reply4(struct socks *s, enum socks_code code,
		   const struct ipaddr *ip, uint16_t port)
{
	memset(s->reply, 0, 8);
	s->reply[1] = code == SOCKS_GRANTED ? 0x5a : 0x5b;
	put_be16(s->reply + 2, port);
	if (ip && ipaddr_is4(ip))
		memcpy(s->reply + 4, ip->b + 12, 4);
	s->reply_len = 8;
}

void socks_reply(struct socks *s, enum socks_code code, const struct ipaddr *ip,
		 uint16_t port)
{
	bool six = ip && !ipaddr_is4(ip);
	size_t n = six ? 16 : 4;

	if (s->version == 4) {
		reply4(s, code, ip, port);
		return;
	}
	if (s->lock == SOCKS_ASKED) {
		reply_names(s, false);
		return;
	}
	memset(s->reply, 0, sizeof(s->reply));
	s->reply[0] = 5;
	s->reply[1] = (uint8_t)code;
	s->reply[3] = six ? TYPE_IP6 : TYPE_IP4;
	if (ip)
		memcpy(s->reply + 4, ip->b + 16 - n, n);
	put_be16(s->reply + 4 + n, port);
	s->reply_len = (uint8_t)(6 + n);
}
