/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_child.c - Unit test of os: a child, its channel, a lock that both have
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "core/limits.h"
#include "os/child.h"
#include "os/clock.h"
#include "os/mem.h"

struct message {
	uint32_t what;
	char word[60];
};

static void messages_have_ends(void)
{
	struct message m = { 1, "one" }, got;
	int fd[2];

	CHECK(child_channel(fd) == 0);
	CHECK(child_hear(fd[0], &got, sizeof(got)) == 0);
	CHECK(!child_wait(fd[0], NS_PER_MS));
	CHECK(child_say(fd[1], &m, sizeof(m)) == 0);
	m.what = 2;
	CHECK(child_say(fd[1], &m, sizeof(m)) == 0);
	CHECK(child_say(fd[1], &m, 4) == 0);
	CHECK(child_wait(fd[0], NS_PER_MS));
	CHECK(child_hear(fd[0], &got, sizeof(got)) == 1 && got.what == 1);
	CHECK(strcmp(got.word, "one") == 0);
	CHECK(child_hear(fd[0], &got, sizeof(got)) == 1 && got.what == 2);
	CHECK(child_hear(fd[0], &got, sizeof(got)) == -EBADMSG);
	CHECK(child_hear(fd[0], &got, sizeof(got)) == 0);
	close(fd[1]);
	CHECK(child_wait(fd[0], NS_PER_MS));
	CHECK(child_hear(fd[0], &got, sizeof(got)) == -EPIPE);
	close(fd[0]);
}

static void who_does_not_read_holds_up_nobody(void)
{
	struct message m = { 1, "" };
	int fd[2], n = 0, rc;

	CHECK(child_channel(fd) == 0);
	while ((rc = child_say(fd[1], &m, sizeof(m))) == 0 && n < 1000000)
		n++;
	CHECK(rc == -EAGAIN && n > 0);
	close(fd[0]);
	close(fd[1]);
}

static pid_t forked(void (*body)(void))
{
	pid_t pid = fork();

	if (pid == 0) {
		body();
		_exit(3);
	}
	return pid;
}

static void nothing(void)
{
}

static void sleeps(void)
{
	clock_pause(20 * NS_PER_SEC);
}

static void it_is_told_how_one_has_ended(void)
{
	char how[CHILD_HOW];
	pid_t pid = forked(nothing);

	child_how(pid, 5 * NS_PER_SEC, how);
	CHECK(strcmp(how, "ended with 3") == 0);
	pid = forked(sleeps);
	child_how(pid, 20 * NS_PER_MS, how);
	CHECK(strcmp(how, "does not end") == 0);
	kill(pid, SIGKILL);
	child_how(pid, 5 * NS_PER_SEC, how);
	CHECK(strcmp(how, "was killed by signal 9") == 0);
}

/* A child with a child that is bound to it, and a channel from the latter. */
static void it_ends_with_its_parent(void)
{
	char how[CHILD_HOW];
	int fd[2];
	char c = 0;
	pid_t pid;

	CHECK(child_bind(getpid()) == -ESRCH);
	CHECK(child_channel(fd) == 0);
	pid = fork();
	if (pid == 0) {
		pid_t me = getpid();

		if (fork() == 0) {
			close(fd[0]);
			c = child_bind(me) == 0 ? 1 : 2;
			child_say(fd[1], &c, 1);
			sleeps();
			_exit(0);
		}
		close(fd[1]);
		child_wait(fd[0], 5 * NS_PER_SEC);
		_exit(child_hear(fd[0], &c, 1) == 1 && c == 1 ? 0 : 1);
	}
	close(fd[1]);
	child_how(pid, 10 * NS_PER_SEC, how);
	CHECK(strcmp(how, "ended with 0") == 0);
	CHECK(child_wait(fd[0], 5 * NS_PER_SEC));
	CHECK(child_hear(fd[0], &c, 1) == -EPIPE);
	close(fd[0]);
}

struct both {
	struct lock *lock;
	uint64_t n;
};

static struct both *both;

static void counts(void)
{
	for (int i = 0; i < 20000; i++) {
		lock_take(both->lock);
		both->n++;
		lock_give(both->lock);
	}
}

static void dies_with_it(void)
{
	lock_take(both->lock);
	kill(getpid(), SIGKILL);
}

static void a_lock_is_of_one_and_outlives_him(void)
{
	struct arena a;
	pid_t pid[3];
	char how[CHILD_HOW];

	lock_take(NULL);
	lock_give(NULL);
	CHECK(mem_take(&a, 4096, MEM_SHARED) == 0);
	both = arena_take(&a, sizeof(*both));
	both->lock = lock_open(&a);
	CHECK(both->lock != NULL);
	for (int i = 0; i < 3; i++)
		pid[i] = forked(counts);
	for (int i = 0; i < 3; i++)
		child_how(pid[i], 20 * NS_PER_SEC, how);
	CHECK(both->n == 60000);
	pid[0] = forked(dies_with_it);
	child_how(pid[0], 5 * NS_PER_SEC, how);
	CHECK(strcmp(how, "was killed by signal 9") == 0);
	pid[0] = forked(counts);
	child_how(pid[0], 20 * NS_PER_SEC, how);
	CHECK(strcmp(how, "ended with 3") == 0);
	CHECK(both->n == 80000);
	mem_give(&a);
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "messages have ends", messages_have_ends },
		{ "who does not read holds up nobody",
		  who_does_not_read_holds_up_nobody },
		{ "it is told how one has ended",
		  it_is_told_how_one_has_ended },
		{ "it ends with its parent", it_ends_with_its_parent },
		{ "a lock is of one, and outlives him",
		  a_lock_is_of_one_and_outlives_him },
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
