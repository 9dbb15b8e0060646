/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * keeper.c - The process that keeps what a run finds
 *
 * Theory of operation
 *
 * As the desk (desk/desk.c): a ring in memory that is mapped before the fork, a
 * pipe of which the keeper has the writing end, which says once that it is
 * ready and after that only by its end that somebody is gone; nobody is woken.
 * Two things differ. The run wants no answer but a few counters, which lie
 * behind the ring. And while the run's last rows are handed over, it waits for
 * room, as nothing else is left to do: for as long as the keeper's counter
 * moves, up to STALL without.
 *
 * What comes by the ring is a message: 8 bytes that say what it is, then a
 * difference in the run's own form, or a row. The keeper believes neither its
 * length nor what is in it. Words are made of a difference here, and secrets
 * become tags, so that the packet thread spends a copy on one.
 *
 * A stopped keeper sees nothing. The kernel ends it with the run
 * (PR_SET_PDEATHSIG), unless it is root's and the run is nobody's, who may not.
 * Therefore it has a process group of its own, too: that is orphaned when the
 * run ends, and the kernel lets a stopped process of such a group go on
 * (setpgid(2)), which then sees its pipe closed.
 *
 * Everything that is opened by name later (SQLite's log and index, the report's
 * files) lies in the folder, which is the only place that Landlock leaves it.
 */
#include "store/keeper.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/folder.h"
#include "os/privileges.h"
#include "os/sandbox.h"
#include "os/shring.h"
#include "store/files.h"

#define RING	  (8u << 20)
#define MESSAGE	  ((size_t)2 << 20)	      /* longest */
#define NAP	  2			      /* ms */
#define STALL	  (UINT64_C(10) * 1000000000) /* ns */
#define MORE_DATA ((rlim_t)512 << 20)
#define SHARED	  4096 /* bytes behind the ring */

enum message { MESSAGE_DIFFERENCE, MESSAGE_ROW, MESSAGE_END, MESSAGE_FORGET };

/* Written by the keeper, read by the run: counters, which decide nothing. */
struct shared {
	_Atomic uint64_t moved;
	_Atomic uint64_t stored;
	_Atomic uint64_t full;
	_Atomic uint64_t failed;
	_Atomic uint32_t whole;
};

struct keeper {
	struct shring ring;
	void *memory;
	size_t size;
	struct shared *shared;
	const char *dir;
	uint64_t refused;
	int pipe; /* the reading end */
	bool gone;
};

/* How the start went. */
struct ready {
	int32_t r;
	struct errbuf e;
};

/* --- in the keeper's process --- */

struct work {
	const struct keeper_config *c;
	struct keeper *k;
	struct store *store;
	alignas(8) uint8_t message[MESSAGE];
};

/* Return: false: the run is gone */
static bool nap(int pipe)
{
	struct pollfd p = { .fd = pipe };
	struct timespec t = { .tv_nsec = NAP * 1000000L };

	return ppoll(&p, 1, &t, NULL) <= 0;
}

static void count(struct work *w)
{
	struct store_counts c = store_counts(w->store);
	struct shared *s = w->k->shared;

	atomic_store(&s->stored, c.stored);
	atomic_store(&s->full, c.full);
	atomic_store(&s->failed, c.failed);
	atomic_fetch_add(&s->moved, 1);
}

static void moved(void *ctx)
{
	struct work *w = ctx;

	atomic_fetch_add(&w->k->shared->moved, 1);
}

static void finish(struct work *w)
{
	int r = store_end(w->store);

	count(w);
	(void)store_close(w->store);
	w->store = NULL;
	if (r == 0)
		r = files_make(w->c->dir, moved, w);
	if (r == 0 && w->c->last)
		r = w->c->last(w->c->ctx, w->c->dir, moved, w);
	atomic_store(&w->k->shared->whole, r == 0);
}

/* Return: false: that was the last one, or nobody would have sent it */
static bool take(struct work *w, size_t n, uint64_t now)
{
	const uint8_t *p = w->message + 8;
	struct report_difference d;
	uint32_t what;

	if (n < 8)
		return false;
	memcpy(&what, w->message, sizeof(what));
	switch (what) {
	case MESSAGE_DIFFERENCE:
		if (!w->c->difference(w->c->ctx, p, n - 8, &d))
			return false;
		store_difference(w->store, &d, now);
		count(w);
		return true;
	case MESSAGE_ROW:
		return store_row(w->store, p, n - 8, now) != -EBADMSG;
	case MESSAGE_END:
		finish(w);
		return false;
	case MESSAGE_FORGET:
		store_remove(w->store);
		files_remove(w->c->dir);
		w->store = NULL;
		return false;
	}
	return false;
}

static void serve(struct work *w, int pipe)
{
	size_t n;
	int r;

	for (;;) {
		uint64_t now = clock_mono();

		r = shring_take(&w->k->ring, w->message, sizeof(w->message),
				&n);
		if (r < 0 || (r > 0 && !take(w, n, now)))
			break;
		if (r > 0)
			continue;
		store_idle(w->store, now);
		if (!nap(pipe))
			break;
	}
	/* What it has is worth keeping, also of a run that was killed. */
	(void)store_close(w->store);
}

/* A folder that is there and empty is as good as none. */
static int make_folder(const char *dir, struct errbuf *e)
{
	int r = mkdir(dir, 0700);

	if (r != 0 && errno == EEXIST && rmdir(dir) == 0)
		r = mkdir(dir, 0700);
	if (r == 0)
		return 0;
	r = -errno;
	if (errno == EEXIST || errno == ENOTEMPTY || errno == ENOTDIR)
		return errbuf_set(e, r,
				  "--out %s is there already; remove it, or "
				  "give another name",
				  dir);
	return errbuf_set(e, r, "--out %s: %s", dir, strerror(-r));
}

/* Return: a descriptor of the folder of @path, or -Exxx */
static int folder_of(const char *path)
{
	const char *base;

	return folder_open(path, &base);
}

static int confine_keeper(const struct keeper_config *c, struct errbuf *e)
{
	const struct sandbox box = { .needs = SANDBOX_RUN | SANDBOX_STORE |
					      SANDBOX_MAKE,
				     .broker = -1,
				     .control = -1 };
	struct rlimit data = { .rlim_cur = MORE_DATA, .rlim_max = MORE_DATA };
	int fd = open(c->dir, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int beside = c->beside ? folder_of(c->beside) : -1;
	struct sandbox_place at[3] = { { fd, true },
				       { fd, false },
				       { beside, false } };
	int r = fd < 0 ? -errno : 0;

	if (r == 0 && sandbox_built() && setrlimit(RLIMIT_DATA, &data) != 0)
		r = -errno;
	if (r == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
		r = -errno;
	if (r != 0)
		return errbuf_set(e, r, "--out %s: %s", c->dir, strerror(-r));
	r = sandbox_files(at, beside >= 0 ? 3 : 2, 0, e);
	close(fd);
	if (beside >= 0)
		close(beside);
	return r < 0 ? r : sandbox_calls(&box, e);
}

static int begin(struct work *w, struct errbuf *e)
{
	const char *dir = w->c->dir;
	int r = privileges_drop(w->c->user, e);

	if (r == 0)
		r = make_folder(dir, e);
	if (r != 0)
		return r;
	r = store_make(&w->store, dir, w->c->most, e);
	if (r == 0)
		r = confine_keeper(w->c, e);
	if (r != 0) {
		store_remove(w->store);
		(void)rmdir(dir);
	}
	return r;
}

static void run(struct keeper *k, const struct keeper_config *c, int pipe)
{
	struct work *w = calloc(1, sizeof(*w));
	struct ready ready = { .r = -ENOMEM, .e = { "no memory" } };
	sigset_t all;

	umask(0077);
	(void)setpgid(0, 0);
	/* ^C is for the run: this one ends with it, when all is written. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	(void)prctl(PR_SET_NAME, "understudy-keep");
	/* Nothing but standard error and the pipe. */
	(void)close_range(0, STDERR_FILENO - 1, 0);
	if (pipe > STDERR_FILENO + 1)
		(void)close_range(STDERR_FILENO + 1, (unsigned)pipe - 1, 0);
	(void)close_range((unsigned)pipe + 1, ~0u, 0);
	if (w) {
		w->c = c;
		w->k = k;
		ready.r = begin(w, &ready.e);
	}
	if (write(pipe, &ready, sizeof(ready)) == sizeof(ready) && ready.r == 0)
		serve(w, pipe);
	_exit(0);
}

/* --- in the run's --- */

static int share(struct keeper *k)
{
	size_t ring = shring_size(RING);

	_Static_assert(sizeof(struct shared) <= SHARED, "it has a page");
	k->size = ring + SHARED;
	k->memory = mmap(NULL, k->size, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (k->memory == MAP_FAILED) {
		k->memory = NULL;
		return -errno;
	}
	shring_open(&k->ring, k->memory, RING);
	k->shared = (void *)((uint8_t *)k->memory + ring);
	return 0;
}

static int fork_keeper(struct keeper *k, const struct keeper_config *c,
		       struct errbuf *e)
{
	struct ready ready = { .r = -EPIPE,
			       .e = { "the process that keeps --out died" } };
	int ends[2];
	pid_t child;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return errbuf_set(e, -errno, "cannot make a pipe");
	signal(SIGCHLD, SIG_IGN); /* nobody waits for it */
	child = fork();
	if (child == 0)
		run(k, c, ends[1]);
	close(ends[1]);
	k->pipe = ends[0];
	if (child < 0)
		return errbuf_set(e, -errno, "cannot make a process");
	if (read(k->pipe, &ready, sizeof(ready)) != sizeof(ready))
		ready = (struct ready){
			.r = -EPIPE,
			.e = { "the process that keeps --out died" }
		};
	if (ready.r != 0)
		*e = ready.e;
	return ready.r;
}

int keeper_start(struct keeper **out, const struct keeper_config *c,
		 struct errbuf *e)
{
	struct keeper *k = calloc(1, sizeof(*k));
	int r;

	if (!k)
		return errbuf_set(e, -ENOMEM, "no memory");
	k->pipe = -1;
	k->dir = c->dir;
	r = share(k);
	r = r != 0 ? errbuf_set(e, r, "no memory") : fork_keeper(k, c, e);
	if (r != 0) {
		keeper_close(k);
		return r;
	}
	*out = k;
	return 0;
}

static bool put(struct keeper *k, enum message what, const void *a, size_t n,
		const void *b, size_t m)
{
	uint32_t head[2] = { what, 0 };
	int r;

	if (k->gone)
		return false;
	r = shring_begin(&k->ring, sizeof(head) + n + m);
	if (r == -EPROTO)
		k->gone = true;
	if (r != 0)
		return false;
	shring_add(&k->ring, head, sizeof(head));
	if (n > 0)
		shring_add(&k->ring, a, n);
	if (m > 0)
		shring_add(&k->ring, b, m);
	shring_commit(&k->ring);
	return true;
}

static bool lives(struct keeper *k)
{
	struct pollfd p = { .fd = k->pipe };
	struct timespec now = { 0 };

	return ppoll(&p, 1, &now, NULL) <= 0;
}

/* struct waiter - Does it go on? */
struct waiter {
	uint64_t at; /* when its counter moved last, ns */
	uint64_t was;
};

/* Return: false: it does not */
static bool wait_for(struct keeper *k, struct waiter *w)
{
	uint64_t now = clock_mono();
	uint64_t is = atomic_load(&k->shared->moved);

	if (w->at == 0 || is != w->was)
		*w = (struct waiter){ .at = now, .was = is };
	if (!lives(k) || now - w->at > STALL)
		k->gone = true;
	else
		clock_pause(UINT64_C(1000000));
	return !k->gone;
}

static int put_waiting(struct keeper *k, enum message what, const void *p,
		       size_t n, const void *q, size_t m)
{
	struct waiter w = { 0 };

	if (n + m + 8 > MESSAGE)
		return -EMSGSIZE;
	while (!put(k, what, p, n, q, m))
		if (k->gone || !wait_for(k, &w))
			return -EPIPE;
	return 0;
}

bool keeper_put(struct keeper *k, const void *a, size_t n, const void *b,
		size_t m)
{
	bool taken = put(k, MESSAGE_DIFFERENCE, a, n, b, m);

	k->refused += !taken;
	return taken;
}

bool keeper_give(struct keeper *k, const void *a, size_t n, const void *b,
		 size_t m)
{
	bool taken = put_waiting(k, MESSAGE_DIFFERENCE, a, n, b, m) == 0;

	k->refused += !taken;
	return taken;
}

int keeper_row(void *keeper, const void *p, size_t n)
{
	return put_waiting(keeper, MESSAGE_ROW, p, n, NULL, 0);
}

int keeper_offer(void *keeper, const void *p, size_t n)
{
	(void)put(keeper, MESSAGE_ROW, p, n, NULL, 0);
	return 0;
}

uint64_t keeper_refused(const struct keeper *k)
{
	return k->refused;
}

static void end_with(struct keeper *k, enum message what)
{
	struct waiter w = { 0 };

	if (put_waiting(k, what, NULL, 0, NULL, 0) != 0)
		return;
	while (wait_for(k, &w))
		;
}

void keeper_end(struct keeper *k, struct keeper_end *out)
{
	end_with(k, MESSAGE_END);
	*out = (struct keeper_end){
		.count = { .stored = atomic_load(&k->shared->stored),
			   .full = atomic_load(&k->shared->full),
			   .failed = atomic_load(&k->shared->failed) },
		.refused = k->refused,
		.whole = atomic_load(&k->shared->whole) == 1,
	};
}

void keeper_forget(struct keeper *k)
{
	end_with(k, MESSAGE_FORGET);
	/* Not any more once Landlock has shut the folder above it. */
	(void)rmdir(k->dir);
}

void keeper_close(struct keeper *k)
{
	if (!k)
		return;
	if (k->pipe >= 0)
		close(k->pipe);
	if (k->memory)
		munmap(k->memory, k->size);
	free(k);
}
