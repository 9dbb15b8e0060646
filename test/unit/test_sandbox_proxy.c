/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_sandbox_proxy.c - Unit test of os/sandbox and os/privileges: what a proxy may
 *
 * Each call is made by a child under the filter of a proxy, with and without a program
 * in the kernel; what is refused gives EPERM or ends the child. Built with
 * AddressSanitizer there is no filter, and what needs it says SKIP; the plain build of
 * this program is run too (test/PARTS).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/netlink.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "os/confine.h"
#include "os/folder.h"
#include "os/privileges.h"
#include "os/sandbox.h"

#define COPIES	(SANDBOX_RUN | SANDBOX_LOOP | SANDBOX_SOCKETS)
#define SPLICES (COPIES | SANDBOX_SPLICE)
#define REFUSED 77

static int fd = -1; /* a TCP socket that was there before */

static int end_of(pid_t child)
{
	int status = 0;

	if (child < 0 || waitpid(child, &status, 0) != child)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int enter(unsigned needs)
{
	struct sandbox s = { .needs = needs, .broker = -1 };
	struct errbuf e = { "" };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	return sandbox_calls(&s, &e);
}

/* --- calls --- */

static long tcp4(void)
{
	return socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static long tcp6(void)
{
	return socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static long udp4(void)
{
	return socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static long raw(void)
{
	return socket(AF_INET, SOCK_RAW, IPPROTO_TCP);
}

static long packets(void)
{
	return socket(AF_PACKET, SOCK_RAW, 0);
}

static long local(void)
{
	return socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

static long routes(void)
{
	return socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
}

static long audit(void)
{
	return socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_AUDIT);
}

static long connects(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET };

	return connect(fd, (struct sockaddr *)&a, sizeof(a));
}

static long binds(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET };

	return bind(fd, (struct sockaddr *)&a, sizeof(a));
}

static long set(int level, int name)
{
	int one = 1;

	return setsockopt(fd, level, name, &one, sizeof(one));
}

static long set_nodelay(void)
{
	return set(IPPROTO_TCP, TCP_NODELAY);
}

static long set_peek(void)
{
	return set(SOL_SOCKET, SO_PEEK_OFF);
}

static long set_mark(void)
{
	return set(SOL_SOCKET, SO_MARK);
}

static long set_filter(void)
{
	return set(SOL_SOCKET, SO_ATTACH_FILTER);
}

static long set_ip(void)
{
	return set(IPPROTO_IP, IP_TOS);
}

static long copies_fd(void)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

static long unsent(void)
{
	int n;

	return ioctl(fd, SIOCOUTQ, &n);
}

static long hardware(void)
{
	struct ifreq r = { .ifr_name = "lo" };

	return ioctl(fd, SIOCGIFHWADDR, &r);
}

static long set_hardware(void)
{
	struct ifreq r = { .ifr_name = "lo" };

	return ioctl(fd, SIOCSIFHWADDR, &r);
}

static long bpf(enum bpf_cmd cmd)
{
	union bpf_attr a;

	/* No descriptor: what is let through gives EBADF or EINVAL. */
	memset(&a, 0xff, sizeof(a));
	return syscall(SYS_bpf, cmd, &a, sizeof(a));
}

static long bpf_look(void)
{
	return bpf(BPF_MAP_LOOKUP_ELEM);
}

static long bpf_run(void)
{
	return bpf(BPF_PROG_TEST_RUN);
}

static long bpf_pin(void)
{
	return bpf(BPF_OBJ_PIN);
}

static long bpf_load(void)
{
	return bpf(BPF_PROG_LOAD);
}

static long bpf_make(void)
{
	return bpf(BPF_MAP_CREATE);
}

static long opens(void)
{
	return open("/etc/passwd", O_RDONLY);
}

static long appends(void)
{
	return folder_append("/tmp/test_sandbox_proxy.none/log");
}

static long runs(void)
{
	char *argv[] = { (char[]){ "true" }, NULL };

	return execve("/nonexistent", argv, argv);
}

#define LET 0
#define END (128 + SIGSYS)

static const struct row {
	const char *name;
	long (*call)(void);
	int copies;
	int splices;
} calls[] = {
	{ "TCP over IPv4", tcp4, LET, LET },
	{ "TCP over IPv6", tcp6, LET, LET },
	{ "UDP", udp4, LET, LET },
	{ "raw IP", raw, END, END },
	{ "packets", packets, END, END },
	{ "a local socket", local, END, END },
	{ "routes", routes, END, LET },
	{ "audit", audit, END, END },
	{ "connect", connects, LET, LET },
	{ "bind", binds, LET, LET },
	{ "TCP_NODELAY", set_nodelay, LET, LET },
	{ "SO_PEEK_OFF", set_peek, REFUSED, LET },
	{ "SO_MARK", set_mark, REFUSED, REFUSED },
	{ "SO_ATTACH_FILTER", set_filter, REFUSED, REFUSED },
	{ "an option of IP", set_ip, REFUSED, REFUSED },
	{ "a copy of a descriptor", copies_fd, REFUSED, LET },
	{ "SIOCOUTQ", unsent, LET, LET },
	{ "SIOCGIFHWADDR", hardware, REFUSED, LET },
	{ "SIOCSIFHWADDR", set_hardware, REFUSED, REFUSED },
	{ "look into a map", bpf_look, END, LET },
	{ "run a program", bpf_run, END, LET },
	{ "pin", bpf_pin, END, REFUSED },
	{ "load a program", bpf_load, END, END },
	{ "make a map", bpf_make, END, END },
	{ "open a file", opens, REFUSED, REFUSED },
	{ "add to a file", appends, REFUSED, REFUSED },
	{ "execve", runs, END, END },
};

static int outcome(const struct row *r, unsigned needs)
{
	pid_t child = fork();

	if (child != 0)
		return end_of(child);
	if (enter(needs) != 0)
		_exit(99);
	errno = 0;
	_exit(r->call() == -1 && errno == EPERM ? REFUSED : LET);
}

static void test_calls(void)
{
	if (!sandbox_built())
		CHECK_SKIP("no sandbox in a build with ASan");
	fflush(stdout);
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		CHECK_ROW(outcome(&calls[i], COPIES) == calls[i].copies,
			  calls[i].name);
		CHECK_ROW(outcome(&calls[i], SPLICES) == calls[i].splices,
			  calls[i].name);
	}
}

/* --- files --- */

static int log_work(const char *path)
{
	struct confine c = { .stay = true,
			     .box = { .needs = COPIES | SANDBOX_APPEND,
				      .broker = -1 },
			     .quiet = true };
	struct errbuf e = { "" };
	int log;

	confine_place(&c, path, true);
	if (confine(&c, CONFINE_EARLY, &e) != 0 ||
	    confine(&c, CONFINE_FINAL, &e) != 0)
		return 2;
	for (int i = 0; i < 2; i++) {
		log = folder_append(path);
		if (log < 0 || write(log, "a\n", 2) != 2)
			return 3;
		close(log);
	}
	if (open(path, O_WRONLY | O_TRUNC) >= 0 || opens() >= 0)
		return 4;
	if (sandbox_landlock() > 0 &&
	    folder_append("/tmp/test_sandbox_proxy.out") >= 0)
		return 5;
	/* Landlock, which can close TCP too, has not. */
	connects();
	return errno == EACCES ? 6 : 0;
}

static void test_log(void)
{
	char dir[] = "/tmp/test_sandbox_proxy.XXXXXX";
	char path[sizeof(dir) + 8], other[sizeof(dir) + 8];
	char got[8] = "";
	int in;
	pid_t child;

	CHECK(mkdtemp(dir) != NULL);
	snprintf(path, sizeof(path), "%s/log", dir);
	snprintf(other, sizeof(other), "%s/link", dir);
	if (sandbox_built()) {
		fflush(stdout);
		child = fork();
		if (child == 0)
			_exit(log_work(path));
		CHECK(end_of(child) == 0);
	} else {
		close(folder_append(path));
	}
	in = open(path, O_RDONLY);
	CHECK(read(in, got, sizeof(got)) == (sandbox_built() ? 4 : 0));
	close(in);
	CHECK(symlink(path, other) == 0 && folder_append(other) == -ELOOP);
	unlink(path);
	unlink(other);
	rmdir(dir);
}

/* --- one capability --- */

static int has(const char *set, const char *mask)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[256];
	int found = 0;

	while (f && fgets(line, sizeof(line), f))
		if (strncmp(line, set, strlen(set)) == 0)
			found = strstr(line, mask) != NULL;
	if (f)
		fclose(f);
	return found;
}

static int capability_work(void)
{
	static const char only[] = "0000000000001000"; /* bit 12 */
	static const char none[] = "0000000000000000";
	struct errbuf e = { "" };

	if (privileges_drop_but_net_admin("nobody", &e) != 0)
		return 2;
	if (getuid() == 0 || setuid(0) == 0)
		return 3;
	return has("CapPrm:", only) && has("CapEff:", only) &&
			       has("CapInh:", none) && has("CapBnd:", none) &&
			       has("CapAmb:", none)
		       ? 0
		       : 4;
}

static void test_capability(void)
{
	pid_t child;

	if (getuid() != 0)
		CHECK_SKIP("not root");
	fflush(stdout);
	child = fork();
	if (child == 0)
		_exit(capability_work());
	CHECK(end_of(child) == 0);
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "sockets, and by descriptor what splices", test_calls },
		{ "logs are added to, and no other file", test_log },
		{ "one capability stays", test_capability },
	};

	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return check_main(tests, ARRAY_SIZE(tests));
}
