/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_os.c - Unit test of os: memory, clock, signals, log, privileges
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "os/clock.h"
#include "os/log.h"
#include "os/mem.h"
#include "os/privileges.h"
#include "os/signals.h"

static void test_memory(void)
{
	struct arena a = { .used = 77 };

	CHECK(mem_take(&a, 0, 0) == -EINVAL);
	CHECK(mem_take(&a, SIZE_MAX, 0) == -EINVAL);
	CHECK(mem_take(&a, (size_t)1 << 46, 0) == -ENOMEM);
	CHECK(a.used == 77);
	CHECK(mem_take(&a, 5000, MEM_HUGE | MEM_TOUCH) == 0);
	CHECK(a.used == 0 && a.size == 8192 && a.base);
	CHECK((uintptr_t)a.base % ARENA_ALIGN == 0);
	for (size_t i = 0; i < a.size; i++)
		CHECK(a.base[i] == 0);
	mem_give(&a);
	CHECK(a.base == NULL && a.size == 0);
	mem_give(&a);
}

static void test_clocks(void)
{
	uint64_t m = clock_mono();
	uint64_t r = clock_real();

	clock_pause(20 * 1000000);
	CHECK(clock_mono() - m >= 20 * 1000000);
	CHECK(clock_real() != r);
	CHECK(r > UINT64_C(1600000000) * 1000000000);
}

static void test_signals(void)
{
	int fd = signals_open();

	CHECK(fd >= 0);
	CHECK(signals_next(fd) == 0);
	CHECK(kill(getpid(), SIGTERM) == 0);
	CHECK(kill(getpid(), SIGPIPE) == 0);
	CHECK(signals_next(fd) == SIGTERM);
	CHECK(signals_next(fd) == 0);
	close(fd);
}

/* What a call wrote to stderr. */
static void log_text(char *out, size_t size, enum log_level level,
		     const char *text)
{
	int p[2] = { -1, -1 };
	int saved = dup(STDERR_FILENO);
	ssize_t n;

	memset(out, 0, size);
	CHECK(pipe(p) == 0);
	dup2(p[1], STDERR_FILENO);
	log_line(level, "%s", text);
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(p[1]);
	n = read(p[0], out, size - 1);
	CHECK(n >= 0);
	close(p[0]);
}

static void test_log(void)
{
	static char longer[3000];
	char out[4096];

	log_init("prog", LOG_INFO);
	log_text(out, sizeof(out), LOG_WARN, "careful");
	CHECK(strcmp(out, "prog: warning: careful\n") == 0);
	log_text(out, sizeof(out), LOG_DEBUG, "details");
	CHECK(out[0] == '\0');
	memset(longer, 'x', sizeof(longer) - 1);
	log_text(out, sizeof(out), LOG_INFO, longer);
	CHECK(strlen(out) == 1023 && out[1022] == '\n');
}

/* In a child: what it may do after it has become nobody. */
static int after_drop(void)
{
	struct errbuf e;
	char line[256];
	unsigned zero = 0;
	FILE *f;

	if (privileges_drop("nobody", &e))
		return 2;
	if (getuid() == 0 || geteuid() == 0 || getgid() == 0 ||
	    getgroups(0, NULL) != 1)
		return 3;
	if (setuid(0) == 0 || socket(AF_PACKET, SOCK_RAW, 0) >= 0)
		return 4;
	f = fopen("/proc/self/status", "r");
	while (f && fgets(line, sizeof(line), f)) {
		if (strncmp(line, "NoNewPrivs:\t1", 13) == 0)
			zero++;
		if (strncmp(line, "Cap", 3) == 0 &&
		    strstr(line, "0000000000000000"))
			zero++;
	}
	if (f)
		fclose(f);
	/* Inh, Prm, Eff, Bnd, Amb and the line of no_new_privs. */
	return zero == 6 ? 0 : 5;
}

static void test_privileges(void)
{
	struct errbuf e;
	int status = -1;
	pid_t child;

	CHECK(privileges_drop("no-such-user-here", &e) == -ENOENT);
	CHECK(strstr(e.s, "no-such-user-here"));
	CHECK(privileges_drop("root", &e) == -EINVAL);
	if (getuid() != 0) {
		printf("# not root: becoming another user is not tested\n");
		return;
	}
	fflush(stdout);
	child = fork();
	if (child == 0)
		_exit(after_drop());
	CHECK(waitpid(child, &status, 0) == child);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "memory at start", test_memory },
		{ "clocks", test_clocks },
		{ "signals are read", test_signals },
		{ "log lines", test_log },
		{ "privileges are gone for good", test_privileges },
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
