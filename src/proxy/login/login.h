/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * login - Who may use SOCKS, by name and password (RFC 1929)
 *
 * A file has a user a line, NAME:HASH, with hashes of crypt(5). Passwords are
 * hashed by a thread of their own, since that is meant to be slow.
 */
#ifndef LOGIN_LOGIN_H
#define LOGIN_LOGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "os/errbuf.h"
#include "os/loop.h"

#define USERS_MAX   1024
#define USERS_NAME  32 /* bytes of a name */
#define USERS_HASH  191
#define USERS_BYTES (256u << 10) /* of their file */
#define LOGIN_QUEUE 64		 /* passwords that wait; more are refused */

struct login;

/** struct user - One of them; strings with their end */
struct user {
	char name[USERS_NAME + 1];
	char hash[USERS_HASH + 1];
};

/** struct users - All of them; at least one */
struct users {
	unsigned n;
	struct user user[USERS_MAX];
};

/**
 * users_parse() - Read lines of NAME:HASH; empty ones and those with # in front
 * are left out
 * @text:	Changed
 *
 * Return: 0 or -EINVAL with a sentence that has the line's number
 */
int users_parse(struct users *u, char *text, struct errbuf *e);

/** users_find() - A user by @n bytes of name, or NULL; looks at all of them */
const struct user *users_find(const struct users *u, const uint8_t *name,
			      unsigned n);

/**
 * typedef login_fn - What came of login_ask()
 * @who, @id:	As it was given
 */
typedef void login_fn(void *ctx, uint32_t who, uint64_t id, bool good);

/** login_size() - Arena bytes */
size_t login_size(void);

/**
 * login_open() - Read the file
 * @out:	In the arena; to be closed also on failure, if it is set
 * @path:	Borrowed
 * @fn, @ctx:	Who is told, by the loop
 *
 * Return: 0 or -Exxx with a sentence
 */
int login_open(struct login **out, struct arena *a, const char *path,
	       struct loop *loop, login_fn *fn, void *ctx, struct errbuf *e);

/** login_start() - Start the thread, before the last filter of system calls */
int login_start(struct login *l, struct errbuf *e);

/** login_close() - End it; NULL: nothing */
void login_close(struct login *l);

/** login_read() - Read the file again, into what login_take() makes valid.
 * Return: as login_open()
 */
int login_read(struct login *l, struct errbuf *e);
void login_take(struct login *l);

/**
 * login_ask() - Is that his password? The loop tells
 * @who, @id:	For login_fn
 * @name, @password: Bytes; @password has at most 255
 * @user:	Set to the user's name, or empty: nobody has it
 *
 * Return: false: LOGIN_QUEUE are asked for already
 */
bool login_ask(struct login *l, uint32_t who, uint64_t id, const uint8_t *name,
	       unsigned n, const uint8_t *password, unsigned len,
	       char user[USERS_NAME + 1]);

#endif /* LOGIN_LOGIN_H */
