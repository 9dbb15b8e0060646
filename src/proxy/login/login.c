/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * login.c - Passwords are hashed in a thread of their own
 *
 * Theory of operation
 *
 * A hash takes milliseconds, by design, and the loop has other connections. So
 * a password goes through a ring to a thread (os/drain), and what came of it
 * through another one back, with a byte in a pipe that wakes the loop. Both
 * rings have room for what may be on its way; more is refused, so whoever tries
 * passwords keeps nobody waiting but those who log in, and those for no longer
 * than LOGIN_QUEUE hashes.
 *
 * A name that nobody has is held against the first user's hash, so that the
 * time does not tell who there is, if all have one method.
 */
#include "login/login.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "codec/password.h"
#include "core/spsc.h"
#include "os/drain.h"

/** struct question - A password; @known: the hash is the user's */
struct question {
	uint32_t who;
	uint64_t id;
	bool known;
	char hash[USERS_HASH + 1];
	char password[PASSWORD_MOST + 1];
};

/** struct answer - What came of it */
struct answer {
	uint32_t who;
	uint64_t id;
	bool good;
};

/**
 * struct login - The thread, and who may use SOCKS: one of two tables, @now; a
 * new one is read into the other
 * @waiting:	Questions without an answer
 * @over:	The rest is not hashed any more
 * @pipe:	Wakes the loop
 */
struct login {
	const char *path;
	struct loop *loop;
	login_fn *fn;
	void *ctx;
	struct users users[2];
	unsigned now;
	unsigned waiting;
	struct drain *thread;
	struct spsc *answers;
	atomic_bool over;
	int pipe[2];
	struct loop_watch on;
	char text[USERS_BYTES + 1];
};

#define ANSWERS_ROOM (LOGIN_QUEUE * 64) /* bytes; a record has 8 beside it */
#define QUESTIONS_ROOM                                                         \
	(2 * LOGIN_QUEUE * (sizeof(struct question) + 2 * RING_ALIGN))

size_t login_size(void)
{
	return arena_need(sizeof(struct login)) + spsc_size(ANSWERS_ROOM);
}

/* --- the file --- */

static int read_text(const char *path, char *text)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t n = 0;
	ssize_t k = 1;

	if (fd < 0)
		return -errno;
	while (k > 0 && n < USERS_BYTES) {
		k = read(fd, text + n, USERS_BYTES - n);
		n += k > 0 ? (size_t)k : 0;
	}
	if (k < 0)
		k = -errno;
	close(fd);
	if (k < 0)
		return (int)k;
	if (n == USERS_BYTES || memchr(text, '\0', n))
		return -EFBIG;
	text[n] = '\0';
	return 0;
}

int login_read(struct login *l, struct errbuf *e)
{
	struct errbuf why = { "" };
	int r = read_text(l->path, l->text);

	if (r != 0)
		return errbuf_set(e, r, "--socks-users %s: %s", l->path,
				  strerror(-r));
	r = users_parse(&l->users[1 - l->now], l->text, &why);
	explicit_bzero(l->text, sizeof(l->text));
	return r == 0 ? 0
		      : errbuf_set(e, r, "--socks-users %s: %s", l->path,
				   why.s);
}

void login_take(struct login *l)
{
	l->now = 1 - l->now;
}

/* --- the thread --- */

static void hash_one(void *ctx, const uint8_t *p, uint32_t len)
{
	static struct question q;
	struct login *l = ctx;
	struct answer a;
	uint8_t *out;

	(void)len;
	memcpy(&q, p, sizeof(q));
	a = (struct answer){ .who = q.who, .id = q.id };
	if (!atomic_load(&l->over))
		a.good = password_is(q.hash, q.password) && q.known;
	explicit_bzero(&q, sizeof(q));
	out = spsc_reserve(l->answers, sizeof(a));
	if (out) {
		memcpy(out, &a, sizeof(a));
		spsc_commit(l->answers);
	}
	/* If it is full, the loop will be woken by what is in it. */
	if (write(l->pipe[1], "", 1) != 1)
		return;
}

/* --- the loop --- */

static void answers_are_there(void *ctx, uint64_t now)
{
	struct login *l = ctx;
	const uint8_t *p;
	char b[LOGIN_QUEUE];
	uint32_t len;

	(void)now;
	if (read(l->pipe[0], b, sizeof(b)) < 0)
		return;
	while ((p = spsc_peek(l->answers, &len))) {
		struct answer a;

		memcpy(&a, p, sizeof(a));
		spsc_release(l->answers);
		l->waiting--;
		l->fn(l->ctx, a.who, a.id, a.good);
	}
}

bool login_ask(struct login *l, uint32_t who, uint64_t id, const uint8_t *name,
	       unsigned n, const uint8_t *password, unsigned len,
	       char user[USERS_NAME + 1])
{
	const struct users *u = &l->users[l->now];
	const struct user *found = users_find(u, name, n);
	struct question q = { .who = who, .id = id, .known = found != NULL };
	uint8_t *out;

	assert(len <= PASSWORD_MOST);
	if (l->waiting == LOGIN_QUEUE)
		return false;
	out = spsc_reserve(drain_ring(l->thread), sizeof(q));
	if (!out)
		return false;
	memcpy(q.hash, found ? found->hash : u->user[0].hash, sizeof(q.hash));
	memcpy(q.password, password, len);
	memcpy(out, &q, sizeof(q));
	spsc_commit(drain_ring(l->thread));
	explicit_bzero(&q, sizeof(q));
	l->waiting++;
	memset(user, 0, USERS_NAME + 1);
	if (found)
		memcpy(user, found->name, n);
	return true;
}

/* --- begin and end --- */

int login_open(struct login **out, struct arena *a, const char *path,
	       struct loop *loop, login_fn *fn, void *ctx, struct errbuf *e)
{
	struct login *l = arena_take(a, sizeof(*l));
	int r;

	*l = (struct login){ .path = path,
			     .loop = loop,
			     .fn = fn,
			     .ctx = ctx,
			     .pipe = { -1, -1 } };
	*out = l;
	r = spsc_init(&l->answers, a, ANSWERS_ROOM);
	if (r != 0)
		return errbuf_set(e, r, "no memory for logins");
	if (pipe2(l->pipe, O_CLOEXEC | O_NONBLOCK) != 0)
		return errbuf_set(e, -errno, "no pipe: %s", strerror(errno));
	l->on = (struct loop_watch){ .ready = answers_are_there, .ctx = l };
	r = loop_add(loop, &l->on, l->pipe[0]);
	if (r != 0)
		return errbuf_set(e, r, "no loop for logins");
	r = login_read(l, e);
	if (r == 0)
		login_take(l);
	return r;
}

int login_start(struct login *l, struct errbuf *e)
{
	static const struct drain_ops ops = { .record = hash_one };
	int r = drain_start(&l->thread, QUESTIONS_ROOM, &ops, l);

	return r == 0 ? 0 : errbuf_set(e, r, "no thread for logins");
}

void login_close(struct login *l)
{
	if (!l)
		return;
	atomic_store(&l->over, true);
	if (l->thread)
		drain_stop(l->thread);
	if (l->pipe[0] >= 0) {
		loop_drop(l->loop, &l->on);
		close(l->pipe[0]);
		close(l->pipe[1]);
	}
	explicit_bzero(l->users, sizeof(l->users));
}
