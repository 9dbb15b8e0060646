/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_sandbox.c - Unit test of os/sandbox and os/broker
 *
 * Each thing that must be refused is tried twice by a child: without the sandbox
 * it must not end as a refusal does, or the row would prove nothing; within it,
 * it must. The sandbox is that of a live run with files of its own. Built with
 * AddressSanitizer there is none, and what needs it says SKIP; the plain build of
 * this program is run too (test/PARTS).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/bpf.h>
#include <linux/landlock.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "core/spsc.h"
#include "os/broker.h"
#include "os/drain.h"
#include "os/folder.h"
#include "os/sandbox.h"

static char dir[] = "/tmp/test_sandbox.XXXXXX";
static int sink = -1; /* stand in for the packet sockets */
static int ring = -1;
static int peer = -1;
static char buf[64];

/* How a child ended: its exit code, or 128 and the signal. */
static int end_of(pid_t child)
{
	int status = 0;

	if (child < 0 || waitpid(child, &status, 0) != child)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int enter(unsigned needs)
{
	struct sandbox s = { .needs = needs,
			     .sink = sink,
			     .rings = 1,
			     .ring = { ring },
			     .broker = -1 };
	struct errbuf e = { "" };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	return sandbox_calls(&s, &e);
}

#define LIVE (SANDBOX_RUN | SANDBOX_WIRES | SANDBOX_WRITE | SANDBOX_MAKE)

/* --- what is refused --- */

static long try_read(void)
{
	return open("/etc/passwd", O_RDONLY);
}

static long try_overwrite(void)
{
	return open(dir, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
}

static long try_mode(void)
{
	return openat(AT_FDCWD, "/tmp/test_sandbox.mode", FOLDER_MAKE_FLAGS,
		      04777);
}

static long try_stat(void)
{
	struct stat st;

	return stat("/etc/passwd", &st);
}

static long try_rename(void)
{
	return rename("/tmp/test_sandbox.none", "/tmp/test_sandbox.two");
}

static long try_chmod(void)
{
	return chmod(dir, 0700);
}

static long try_rmdir(void)
{
	return unlinkat(AT_FDCWD, "/tmp/test_sandbox.none", AT_REMOVEDIR);
}

static long try_dup(void)
{
	return dup(ring);
}

static long try_dupfd(void)
{
	return fcntl(ring, F_DUPFD, 3);
}

static long try_ring_write(void)
{
	return write(ring, buf, 1);
}

static long try_ring_send(void)
{
	struct iovec v = { buf, 1 };
	struct mmsghdr m = { .msg_hdr = { .msg_iov = &v, .msg_iovlen = 1 } };

	return sendmmsg(ring, &m, 1, 0);
}

static long try_sink_write(void)
{
	return write(sink, buf, 1);
}

static long try_sendto(void)
{
	return send(sink, buf, 1, 0);
}

static long try_setsockopt(void)
{
	int one = 1;

	return setsockopt(sink, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
}

/* A filter that lets all through. */
static int attach_filter(int fd)
{
	struct sock_filter all = { BPF_RET | BPF_K, 0, 0, UINT32_MAX };
	struct sock_fprog p = { .len = 1, .filter = &all };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &p, sizeof(p));
}

static long try_sink_filter(void)
{
	return attach_filter(sink);
}

static long try_ring_option(void)
{
	int one = 1;

	return setsockopt(ring, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
}

static long try_sink_map(void)
{
	return mmap(NULL, 4096, PROT_READ, MAP_SHARED, sink, 0) == MAP_FAILED
		       ? -1
		       : 0;
}

static long try_peer(void)
{
	int v = 0;
	socklen_t len = sizeof(v);

	return getsockopt(sink, SOL_SOCKET, SO_TYPE, &v, &len);
}

static long try_ioctl(void)
{
	int n = 0;

	return ioctl(sink, FIONREAD, &n);
}

static long try_exec_map(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED
		       ? -1
		       : 0;
}

static long try_exec_protect(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return mprotect(p, 4096, PROT_READ | PROT_EXEC);
}

static long try_file_map(void)
{
	return mmap(NULL, 4096, PROT_READ, MAP_SHARED, STDIN_FILENO, 0) ==
				       MAP_FAILED &&
			       errno == EPERM
		       ? -1
		       : 0;
}

static long try_memfd(void)
{
	return memfd_create("x", 0);
}

static long try_fork(void)
{
	long r = syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);

	if (r == 0)
		_exit(0);
	return r;
}

static long try_signal(void)
{
	return syscall(SYS_tgkill, getppid(), getppid(), 0);
}

static long try_own_signal(void)
{
	return syscall(SYS_tgkill, getpid(), gettid(), SIGWINCH);
}

static long try_prctl(void)
{
	return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

static long try_seccomp(void)
{
	return prctl(PR_GET_SECCOMP, 0, 0, 0, 0);
}

static long try_setuid(void)
{
	return setuid(getuid());
}

static long try_socketpair(void)
{
	int p[2];

	return socketpair(AF_UNIX, SOCK_STREAM, 0, p);
}

static long try_recvmsg(void)
{
	struct msghdr m = { 0 };

	return recvmsg(sink, &m, MSG_DONTWAIT) < 0 && errno == EPERM ? -1 : 0;
}

static long try_socket(void)
{
	return socket(AF_INET, SOCK_STREAM, 0);
}

static long try_packet_socket(void)
{
	return socket(AF_PACKET, SOCK_RAW, 0);
}

static long try_connect(void)
{
	return connect(-1, NULL, 0);
}

static long try_bind(void)
{
	return bind(-1, NULL, 0);
}

static long try_execve(void)
{
	char *argv[] = { (char[]){ "true" }, NULL };

	return execve("/bin/true", argv, NULL);
}

static long try_ptrace(void)
{
	return ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static long try_memory(void)
{
	return process_vm_readv(getppid(), NULL, 0, NULL, 0, 0);
}

static long try_kill(void)
{
	return kill(getppid(), 0);
}

static long try_bpf(void)
{
	union bpf_attr a;

	memset(&a, 0, sizeof(a));
	return syscall(SYS_bpf, BPF_PROG_LOAD, &a, sizeof(a));
}

static long try_uring(void)
{
	return syscall(SYS_io_uring_setup, 1, NULL);
}

static long try_unshare(void)
{
	return unshare(0);
}

static long try_mount(void)
{
	return syscall(SYS_mount, NULL, NULL, NULL, 0, NULL);
}

struct attempt {
	const char *name;
	long (*run)(void);
	bool ends; /* the process; else it gives EPERM */
};

static const struct attempt attempts[] = {
	{ "read a file", try_read, false },
	{ "open without O_EXCL", try_overwrite, false },
	{ "make a set-uid file", try_mode, false },
	{ "stat a path", try_stat, false },
	{ "rename", try_rename, false },
	{ "chmod", try_chmod, false },
	{ "rmdir", try_rmdir, false },
	{ "dup", try_dup, false },
	{ "F_DUPFD", try_dupfd, false },
	{ "write to a ring's socket", try_ring_write, false },
	{ "sendmmsg by a ring's socket", try_ring_send, false },
	{ "write to the sink's socket", try_sink_write, false },
	{ "sendto", try_sendto, false },
	{ "setsockopt", try_setsockopt, false },
	{ "a filter for the sink's socket", try_sink_filter, false },
	{ "another option of a ring's socket", try_ring_option, false },
	{ "map the sink's socket", try_sink_map, false },
	{ "another getsockopt", try_peer, false },
	{ "another ioctl", try_ioctl, false },
	{ "map code", try_exec_map, false },
	{ "make memory code", try_exec_protect, false },
	{ "map a file", try_file_map, false },
	{ "memfd_create", try_memfd, false },
	{ "fork", try_fork, false },
	{ "tgkill another process", try_signal, false },
	{ "tgkill with another signal", try_own_signal, false },
	{ "prctl", try_prctl, false },
	{ "prctl seccomp", try_seccomp, false },
	{ "setuid", try_setuid, false },
	{ "socketpair", try_socketpair, false },
	{ "recvmsg", try_recvmsg, false },
	{ "socket", try_socket, true },
	{ "a packet socket", try_packet_socket, true },
	{ "connect", try_connect, true },
	{ "bind", try_bind, true },
	{ "execve", try_execve, true },
	{ "ptrace", try_ptrace, true },
	{ "another process's memory", try_memory, true },
	{ "kill another process", try_kill, true },
	{ "bpf", try_bpf, true },
	{ "io_uring_setup", try_uring, true },
	{ "unshare", try_unshare, true },
	{ "mount", try_mount, true },
};

#define REFUSED 77

/* A child tries it. Return: as end_of(); REFUSED is EPERM. */
static int outcome(const struct attempt *a, bool inside)
{
	pid_t child = fork();
	long r;

	if (child != 0)
		return end_of(child);
	if (inside && enter(LIVE) != 0)
		_exit(99);
	r = a->run();
	_exit(r == -1 && errno == EPERM ? REFUSED : 0);
}

static void test_refused(void)
{
	if (!sandbox_built())
		CHECK_SKIP("no sandbox in a build with ASan");
	for (size_t i = 0; i < ARRAY_SIZE(attempts); i++) {
		const struct attempt *a = &attempts[i];
		int refusal = a->ends ? 128 + SIGSYS : REFUSED;

		CHECK_ROW(outcome(a, false) != refusal, a->name);
		CHECK_ROW(outcome(a, true) == refusal, a->name);
	}
	unlink("/tmp/test_sandbox.mode");
}

/* --- what a run needs --- */

static int live_work(void)
{
	struct iovec v = { buf, 1 };
	struct mmsghdr m = { .msg_hdr = { .msg_iov = &v, .msg_iovlen = 1 } };
	struct timespec nap = { .tv_nsec = 1000 };
	struct pollfd pf = { .fd = ring, .events = POLLIN };
	int err = 0;
	socklen_t len = sizeof(err);
	const char *base;
	char name[sizeof(dir) + 8];
	int folder, fd;
	char *p;

	snprintf(name, sizeof(name), "%s/made", dir);
	folder = folder_open(name, &base);
	if (folder < 0 || enter(LIVE) != 0)
		return 2;
	fd = folder_make(folder, base);
	if (fd < 0 || write(fd, buf, 5) != 5 || ftruncate(fd, 2) != 0 ||
	    lseek(fd, 2, SEEK_SET) != 2 || unlinkat(folder, base, 0) != 0)
		return 3;
	if (sendmmsg(sink, &m, 1, 0) != 1 || recv(peer, buf, 1, 0) != 1 ||
	    getsockopt(ring, SOL_SOCKET, SO_ERROR, &err, &len) != 0 ||
	    attach_filter(ring) != 0 || ppoll(&pf, 1, &nap, NULL) < 0 ||
	    nanosleep(&nap, NULL) != 0)
		return 4;
	p = malloc(64u << 20);
	if (p == NULL)
		return 5;
	memset(p, 1, 64u << 20);
	free(p);
	return printf("# within\n") > 0 && fflush(stdout) == 0 ? 0 : 6;
}

static void test_needed(void)
{
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child == 0)
		_exit(live_work());
	CHECK(end_of(child) == 0);
	/* abort() ends it as abort() does. */
	child = fork();
	if (child == 0) {
		enter(LIVE);
		abort();
	}
	CHECK(end_of(child) == 128 + SIGABRT);
}

/* --- all threads, and narrower --- */

static void on_record(void *ctx, const uint8_t *p, uint32_t len)
{
	(void)len;
	if (p[0] == 'x')
		/* The first filter lets it through, the second does not. */
		*(int *)ctx = prctl(PR_SET_TIMERSLACK, 1UL) == 0 ? -1 : errno;
}

static int thread_work(void)
{
	static const struct drain_ops ops = { .record = on_record };
	int seen = 0;
	struct drain *d;
	void *p;

	if (enter(LIVE | SANDBOX_START) != 0)
		return 2;
	if (drain_start(&d, 4096, &ops, &seen) != 0)
		return 3;
	if (enter(LIVE) == 0)
		return 4; /* prctl() is refused already: see enter() */
	if (sandbox_calls(&(struct sandbox){ .needs = LIVE,
					     .sink = sink,
					     .rings = 1,
					     .ring = { ring },
					     .broker = -1 },
			  NULL) != 0)
		return 5;
	p = spsc_reserve(drain_ring(d), 1);
	if (p == NULL)
		return 6;
	memcpy(p, "x", 1);
	spsc_commit(drain_ring(d));
	drain_stop(d);
	if (drain_start(&d, 4096, &ops, &seen) != -EPERM)
		return 7;
	return seen == EPERM ? 0 : 8;
}

static void test_threads(void)
{
	pid_t child;

	if (!sandbox_built())
		CHECK_SKIP("no sandbox in a build with ASan");
	fflush(stdout);
	child = fork();
	if (child == 0)
		_exit(thread_work());
	CHECK(end_of(child) == 0);
}

/* --- Landlock --- */

static int landlock_work(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(9),
				  .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int tcp = socket(AF_INET, SOCK_STREAM, 0);
	struct sandbox_place at = { .make = true };
	struct errbuf e = { "" };
	int fd;

	at.fd = open(dir, FOLDER_OPEN_FLAGS);
	if (at.fd < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    sandbox_files(&at, 1, &e) != 1)
		return 2;
	fd = folder_make(at.fd, "landlock");
	if (fd < 0 || ftruncate(fd, 0) != 0 ||
	    unlinkat(at.fd, "landlock", 0) != 0)
		return 3;
	if (folder_make(AT_FDCWD, "/tmp/test_sandbox.out") != -EACCES)
		return 4;
	if (try_read() >= 0 || errno != EACCES)
		return 5;
	if (mkdirat(at.fd, "sub", 0700) == 0 || errno != EACCES)
		return 6;
	if (sandbox_landlock() >= 4 &&
	    (connect(tcp, (struct sockaddr *)&to, sizeof(to)) == 0 ||
	     errno != EACCES))
		return 7;
	return 0;
}

static void test_landlock(void)
{
	pid_t child;

	if (!sandbox_built())
		CHECK_SKIP("no sandbox in a build with ASan");
	if (sandbox_landlock() == 0)
		CHECK_SKIP("this kernel has no Landlock");
	child = fork();
	if (child == 0)
		_exit(landlock_work());
	CHECK(end_of(child) == 0);
}

/* --- the broker --- */

static void exists(const char *name, bool want)
{
	char path[sizeof(dir) + 16];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	CHECK_ROW((access(path, F_OK) == 0) == want, name);
}

static void broker_files(struct broker *b)
{
	int fd = broker_make(b, BROKER_JOURNAL, 0);
	struct stat st;

	CHECK(fd >= 0 && write(fd, "x", 1) == 1 && ftruncate(fd, 0) == 0);
	CHECK(fstat(fd, &st) == 0 && (st.st_mode & 07777) == 0600);
	close(fd);
	exists("run", true);
	CHECK(broker_make(b, BROKER_JOURNAL, 0) == -EPERM); /* goes up only */
	CHECK(broker_make(b, BROKER_JOURNAL, 2) == -EEXIST);
	CHECK(broker_remove(b, BROKER_JOURNAL, 2) == -EPERM);
	exists("run2", true);
	fd = broker_make(b, BROKER_JOURNAL, 3);
	CHECK(fd >= 0);
	close(fd);
	exists("run3", true);
	CHECK(broker_remove(b, BROKER_JOURNAL, 3) == 0);
	exists("run3", false);
	CHECK(broker_remove(b, BROKER_JOURNAL, 3) == -EPERM);
	CHECK(broker_remove(b, BROKER_JOURNAL, UINT64_MAX - 1) == -EPERM);
	CHECK(broker_remove(b, BROKER_JOURNAL, 0) == 0);
	exists("run", false);
}

static void broker_work(void)
{
	char path[sizeof(dir) + 8];
	const char *const paths[BROKER_PATHS] = { [BROKER_JOURNAL] = path };
	const char *const nowhere[BROKER_PATHS] = { "/nonexistent/x" };
	struct broker *b = NULL;
	struct errbuf e = { "" };
	char got;
	int fd;

	snprintf(path, sizeof(path), "%s/run2", dir);
	fd = folder_make(AT_FDCWD, path);
	CHECK(fd >= 0);
	close(fd);
	path[strlen(path) - 1] = '\0';
	CHECK(broker_start(&b, nowhere, &e) == -ENOENT && b == NULL);
	CHECK(strstr(e.s, "/nonexistent/x"));
	CHECK(broker_fd(NULL) == -1);
	CHECK_ROW(broker_start(&b, paths, &e) == 0, e.s);
	if (b == NULL)
		return;
	broker_files(b);
	/* A kind of file that it was not started for ends it. */
	CHECK(broker_make(b, BROKER_LINES, 0) == -EPIPE);
	CHECK(broker_remove(b, BROKER_JOURNAL, 0) == -EPIPE);
	broker_stop(b);
	/* So does what is no request, */
	CHECK(broker_start(&b, paths, &e) == 0);
	CHECK(send(broker_fd(b), "\1", 1, 0) == 1);
	CHECK(recv(broker_fd(b), &got, 1, 0) == 0);
	broker_stop(b);
	/* and the end of the other. */
	CHECK(broker_start(&b, paths, &e) == 0);
	broker_dismiss(b);
	CHECK(broker_make(b, BROKER_JOURNAL, 9) == -EPIPE);
	broker_stop(b);
	unlinkat(AT_FDCWD, strcat(path, "2"), 0);
}

static void test_broker(void)
{
	broker_work();
	signal(SIGCHLD, SIG_DFL);
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "all else is refused", test_refused },
		{ "what a run needs is let through", test_needed },
		{ "for all threads, and only ever narrower", test_threads },
		{ "files only where they belong", test_landlock },
		{ "the broker makes and removes its own files", test_broker },
	};
	int pair[2] = { -1, -1 };
	int r;

	if (mkdtemp(dir) == NULL ||
	    socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) != 0)
		return 1;
	sink = pair[0];
	peer = pair[1];
	ring = dup(pair[1]);
	r = check_main(tests, ARRAY_SIZE(tests));
	rmdir(dir);
	return r;
}
