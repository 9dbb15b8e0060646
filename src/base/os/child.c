/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * child.c - A process that is forked, and the channel to it
 *
 * The lock is one of pthread's that knows of its owner's death (robust): a
 * process that is killed while it has the lock would else hold up all others
 * for ever. What it leaves half done is for the caller to bear.
 */
#include "os/child.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/limits.h"
#include "os/clock.h"

#define LOOK_EVERY (5 * NS_PER_MS) /* whether a child has ended */

int child_channel(int fd[2])
{
	return socketpair(AF_UNIX,
			  SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
			  fd) == 0
		       ? 0
		       : -errno;
}

int child_say(int fd, const void *what, size_t n)
{
	return write(fd, what, n) == (ssize_t)n ? 0 : -errno;
}

int child_hear(int fd, void *what, size_t n)
{
	ssize_t got = read(fd, what, n);

	if (got == (ssize_t)n)
		return 1;
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	return got > 0 ? -EBADMSG : -EPIPE;
}

bool child_wait(int fd, uint64_t ns)
{
	struct timespec t = { .tv_sec = (time_t)(ns / NS_PER_SEC),
			      .tv_nsec = (long)(ns % NS_PER_SEC) };
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return ppoll(&p, 1, &t, NULL) > 0;
}

int child_bind(pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
		return -errno;
	/* It may have gone before that. */
	return getppid() == parent ? 0 : -ESRCH;
}

void child_how(pid_t pid, uint64_t ns, char how[CHILD_HOW])
{
	uint64_t until = clock_mono() + ns;
	int status = 0;
	pid_t got;

	while ((got = waitpid(pid, &status, WNOHANG)) == 0 &&
	       clock_mono() < until)
		clock_pause(LOOK_EVERY);
	if (got != pid)
		snprintf(how, CHILD_HOW, "does not end");
	else if (WIFSIGNALED(status))
		snprintf(how, CHILD_HOW, "was killed by signal %d",
			 WTERMSIG(status));
	else
		snprintf(how, CHILD_HOW, "ended with %d", WEXITSTATUS(status));
}

struct lock {
	pthread_mutex_t m;
};

size_t lock_size(void)
{
	return arena_need(sizeof(struct lock));
}

struct lock *lock_open(struct arena *a)
{
	struct lock *l = arena_take(a, sizeof(*l));
	pthread_mutexattr_t how;
	bool ok;

	if (!l || pthread_mutexattr_init(&how) != 0)
		return NULL;
	ok = pthread_mutexattr_setpshared(&how, PTHREAD_PROCESS_SHARED) == 0 &&
	     pthread_mutexattr_setrobust(&how, PTHREAD_MUTEX_ROBUST) == 0 &&
	     pthread_mutex_init(&l->m, &how) == 0;
	pthread_mutexattr_destroy(&how);
	return ok ? l : NULL;
}

void lock_take(struct lock *l)
{
	if (l && pthread_mutex_lock(&l->m) == EOWNERDEAD)
		pthread_mutex_consistent(&l->m);
}

void lock_give(struct lock *l)
{
	if (l)
		pthread_mutex_unlock(&l->m);
}
