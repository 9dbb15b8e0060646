/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * desk.c - The judging process, and the way to it and back
 *
 * Theory of operation
 *
 * Both rings lie in memory that is mapped before the fork and shared. A pipe,
 * of which the desk has the writing end, says that it is ready, and after that
 * only by its end that somebody is gone: the run sees it closed when the desk
 * has died, and the desk sees an error on it when the run has. A stopped desk
 * sees nothing, so the kernel ends it with the run (PR_SET_PDEATHSIG, set when
 * the desk has become who it stays, as the kernel forgets it then; Landlock of
 * the run must let that signal through, SANDBOX_CHILD).
 *
 * Nobody is woken: the desk naps while it has nothing to do, longer when it was
 * idle for some time. A system call by the packet thread for each case would
 * cost it more than the desk's naps cost anybody.
 *
 * The desk takes its memory before it is confined, and its libraries have a
 * bound in the decoders (codec/codec.h); RLIMIT_DATA stands behind both. A desk
 * to which the system refuses memory within these ends: what it owes is not
 * judged, and the run says so, which it could not of answers that are worse.
 */
#include "desk/desk.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "desk/bench.h"
#include "os/shring.h"
#include "os/confine.h"
#include "os/sandbox.h"

#define ANSWERS	  (1u << 20) /* room of the ring back */
#define NAP_SHORT 1	     /* ms */
#define NAP_LONG  10
#define NAPS	  100	      /* short ones before a long one */
#define MORE_DATA (64u << 20) /* beyond what a bench has */

struct desk {
	struct shring cases;
	struct shring answers;
	void *memory;
	size_t size;
	int pipe;  /* the reading end */
	bool gone; /* nothing is handed to it any more */
};

/* --- in the desk's process --- */

/* Return: false: the run is gone */
static bool nap(int pipe, unsigned *idle)
{
	struct pollfd p = { .fd = pipe };
	struct timespec t = { .tv_nsec = (*idle < NAPS ? NAP_SHORT : NAP_LONG) *
					 1000000L };

	if (*idle < NAPS)
		(*idle)++;
	return ppoll(&p, 1, &t, NULL) <= 0;
}

static int answer(struct shring *to, const struct case_answer *a, int pipe)
{
	unsigned idle = 0;
	int r;

	while ((r = shring_begin(to, sizeof(*a))) == -EAGAIN)
		if (!nap(pipe, &idle))
			return -EPIPE;
	if (r != 0)
		return r;
	shring_add(to, a, sizeof(*a));
	shring_commit(to);
	return 0;
}

/* Until the run is gone, or says what it never would. */
static void serve(struct desk *d, struct bench *b, uint8_t *message,
		  size_t longest, int pipe)
{
	struct case_answer a;
	unsigned idle = 0;
	size_t n;
	int r;

	for (;;) {
		r = shring_take(&d->cases, message, longest, &n);
		if (r < 0)
			return;
		if (r == 0) {
			if (!nap(pipe, &idle))
				return;
			continue;
		}
		idle = 0;
		r = bench_judge(b, message, n, &a);
		if (r < 0 || (r == 0 && answer(&d->answers, &a, pipe) != 0))
			return;
		while (bench_next(b, &a))
			if (answer(&d->answers, &a, pipe) != 0)
				return;
	}
}

/* Its profile: memory and time, no file, no socket. */
static int confine_desk(const struct desk_config *c, struct errbuf *e)
{
	const struct confine profile = { .user = c->user,
					 .quiet = true,
					 .box = { .needs = SANDBOX_RUN,
						  .broker = -1 } };
	struct rlimit data = { .rlim_cur = bench_memory() + c->longest +
					   MORE_DATA };
	int r = confine(&profile, CONFINE_EARLY, e);

	data.rlim_max = data.rlim_cur;
	if (r == 0 && sandbox_built() && setrlimit(RLIMIT_DATA, &data) != 0)
		r = -errno;
	if (r == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
		r = -errno;
	return r != 0 ? r : confine(&profile, CONFINE_FINAL, e);
}

static void run(struct desk *d, const struct desk_config *c, int pipe)
{
	uint8_t *message = malloc(c->longest);
	struct bench *b = NULL;
	struct errbuf e = { "" };
	int32_t ready = message ? 0 : -ENOMEM;
	sigset_t all;

	/* ^C is for the run: this one ends with it. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	(void)prctl(PR_SET_NAME, "understudy-desk");
	/* Nothing but standard error and the pipe. */
	(void)close_range(0, STDERR_FILENO - 1, 0);
	if (pipe > STDERR_FILENO + 1)
		(void)close_range(STDERR_FILENO + 1, (unsigned)pipe - 1, 0);
	(void)close_range((unsigned)pipe + 1, ~0u, 0);
	if (ready == 0)
		ready = bench_new(&b, c->rules, &c->key);
	if (ready == 0) {
		bench_redact(b, c->redact);
		if (c->all)
			bench_all(b);
		ready = confine_desk(c, &e);
	}
	if (write(pipe, &ready, sizeof(ready)) == sizeof(ready) && ready == 0)
		serve(d, b, message, c->longest, pipe);
	_exit(0);
}

/* --- in the run's --- */

static int share(struct desk *d, const struct desk_config *c)
{
	size_t cases = shring_size(c->ring);

	d->size = cases + shring_size(ANSWERS);
	d->memory = mmap(NULL, d->size, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (d->memory == MAP_FAILED) {
		d->memory = NULL;
		return -errno;
	}
	shring_open(&d->cases, d->memory, c->ring);
	shring_open(&d->answers, (uint8_t *)d->memory + cases, ANSWERS);
	return 0;
}

static int fork_desk(struct desk *d, const struct desk_config *c)
{
	int32_t ready = -EPIPE;
	int ends[2];
	pid_t child;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return -errno;
	signal(SIGCHLD, SIG_IGN); /* nobody waits for it */
	child = fork();
	if (child == 0)
		run(d, c, ends[1]);
	close(ends[1]);
	d->pipe = ends[0];
	if (child < 0)
		return -errno;
	if (read(d->pipe, &ready, sizeof(ready)) != sizeof(ready))
		return -EPIPE;
	return ready;
}

int desk_start(struct desk **out, const struct desk_config *c, struct errbuf *e)
{
	struct desk *d = calloc(1, sizeof(*d));
	int r;

	if (!d)
		return errbuf_set(e, -ENOMEM, "no memory");
	d->pipe = -1;
	r = share(d, c);
	if (r == 0)
		r = fork_desk(d, c);
	if (r != 0) {
		desk_stop(d);
		return errbuf_set(e, r,
				  "cannot start the process that judges by "
				  "--rules: %s",
				  strerror(-r));
	}
	*out = d;
	return 0;
}

int desk_put(struct desk *d, const struct keep *k, const struct case_view *c)
{
	uint8_t fixed[CASE_FIXED];
	size_t n = CASE_FIXED;
	int r;

	if (d->gone)
		return -EPIPE;
	for (unsigned i = 0; i < CASE_PARTS; i++)
		n += c->part[i].n;
	r = shring_begin(&d->cases, n);
	if (r == -EPROTO)
		d->gone = true;
	if (r != 0)
		return d->gone ? -EPIPE : -EAGAIN;
	case_put_fixed(c, fixed);
	shring_add(&d->cases, fixed, CASE_FIXED);
	for (unsigned i = 0; i < CASE_PARTS; i++) {
		const struct buf *at = NULL;
		const uint8_t *p;
		uint32_t m;

		if (c->part[i].n == 0)
			continue;
		while ((p = strand_next(keep_part(k, (enum case_part)i), &at,
					&m)) != NULL)
			shring_add(&d->cases, p, m);
	}
	shring_commit(&d->cases);
	return 0;
}

int desk_take(struct desk *d, struct case_answer *out)
{
	size_t n;
	int r;

	if (d->gone)
		return -EPIPE;
	r = shring_take(&d->answers, out, sizeof(*out), &n);
	if (r == 0 || (r == 1 && n == sizeof(*out)))
		return r;
	d->gone = true;
	return -EPIPE;
}

bool desk_lives(struct desk *d)
{
	struct pollfd p = { .fd = d->pipe };
	struct timespec now = { 0 };

	return ppoll(&p, 1, &now, NULL) <= 0;
}

void desk_leave(struct desk *d)
{
	d->gone = true;
}

void desk_stop(struct desk *d)
{
	if (!d)
		return;
	if (d->pipe >= 0)
		close(d->pipe);
	if (d->memory)
		munmap(d->memory, d->size);
	free(d);
}
