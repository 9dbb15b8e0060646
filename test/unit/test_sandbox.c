/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_sandbox.c - Unit test of os/sandbox, os/confine, os/broker and os/maker
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
#include <pthread.h>
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
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "core/spsc.h"
#include "os/broker.h"
#include "os/confine.h"
#include "os/drain.h"
#include "os/folder.h"
#include "os/maker.h"
#include "os/sandbox.h"

static char dir[] = "/tmp/test_sandbox.XXXXXX";
static int sink = -1; /* stand in for the packet sockets */
static int sink2 = -1;
static int ring = -1; /* of a wire, and others of it */
static int ring2 = -1;
static int ring3 = -1;
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
			     .sinks = 2,
			     .sink = { sink, sink2 },
			     .rings = 3,
			     .ring = { ring, ring2, ring3 },
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

static long try_last_ring_write(void)
{
	return write(ring3, buf, 1);
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
	{ "write to the last ring's socket", try_last_ring_write, false },
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

/* A child tries it under @needs, 0: outside. Return: as end_of(); REFUSED is
 * EPERM.
 */
static int outcome(const struct attempt *a, unsigned needs)
{
	pid_t child = fork();
	long r;

	if (child != 0)
		return end_of(child);
	if (needs != 0 && enter(needs) != 0)
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

		CHECK_ROW(outcome(a, 0) != refusal, a->name);
		CHECK_ROW(outcome(a, LIVE) == refusal, a->name);
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
	    sendmmsg(sink2, &m, 1, 0) != 1 || recv(peer, buf, 1, 0) != 1 ||
	    getsockopt(ring, SOL_SOCKET, SO_ERROR, &err, &len) != 0 ||
	    attach_filter(ring) != 0 || attach_filter(ring2) != 0 ||
	    attach_filter(ring3) != 0 || ppoll(&pf, 1, &nap, NULL) < 0 ||
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
					     .sinks = 2,
					     .sink = { sink, sink2 },
					     .rings = 2,
					     .ring = { ring, ring2 },
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
	    sandbox_files(&at, 1, 0, &e) != 1)
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

static void rename_file(const char *from, const char *to)
{
	char a[sizeof(dir) + 16], b[sizeof(dir) + 16];

	snprintf(a, sizeof(a), "%s/%s", dir, from);
	snprintf(b, sizeof(b), "%s/%s", dir, to);
	CHECK(rename(a, b) == 0);
}

static void maker_files(struct maker *m)
{
	int fd = maker_make(m, 0);
	struct stat st;

	CHECK(fd >= 0 && write(fd, "x", 1) == 1 && ftruncate(fd, 0) == 0);
	CHECK(fstat(fd, &st) == 0 && (st.st_mode & 07777) == FOLDER_READ_MODE);
	close(fd);
	exists("run", true);
	CHECK(maker_make(m, 0) == -EEXIST);
	rename_file("run", "moved");
	fd = maker_make(m, 0); /* the same again, not once more remembered */
	CHECK(fd >= 0);
	close(fd);
	exists("run", true);
	CHECK(maker_make(m, 2) == -EEXIST);
	CHECK(maker_make(m, 0) == -EPERM); /* never down */
	CHECK(maker_remove(m, 2) == -EPERM);
	exists("run2", true);
	fd = maker_make(m, 3);
	CHECK(fd >= 0);
	close(fd);
	exists("run3", true);
	CHECK(maker_remove(m, 3) == 0);
	exists("run3", false);
	CHECK(maker_remove(m, 3) == -EPERM);
	CHECK(maker_remove(m, UINT64_MAX - 1) == -EPERM);
	CHECK(maker_remove(m, 0) == 0);
	exists("run", false);
	rename_file("moved", "run");
	CHECK(maker_remove(m, 0) == -EPERM);
	exists("run", true);
	rename_file("run", "run2");
	/* What was made last takes the name of the path, once. */
	fd = maker_make(m, 4);
	CHECK(fd >= 0 && write(fd, "y", 1) == 1 && fstat(fd, &st) == 0 &&
	      (st.st_mode & 07777) == FOLDER_READ_MODE);
	close(fd);
	CHECK(maker_replace(m, 3) == -EPERM && maker_replace(m, 0) == -EPERM);
	CHECK(maker_replace(m, 4) == 0);
	exists("run", true);
	exists("run4", false);
	CHECK(maker_replace(m, 4) == -EPERM && maker_remove(m, 4) == -EPERM);
	fd = maker_make(m, 4);
	CHECK(fd >= 0);
	close(fd);
	CHECK(maker_replace(m, 4) == 0); /* what is there goes */
	exists("run", true);
}

/* A path that was not named to be replaced is not. */
static void maker_keeps(struct maker *m)
{
	int fd = maker_make(m, 5);
	struct stat st;

	CHECK(fd >= 0 && fstat(fd, &st) == 0 && (st.st_mode & 07777) == 0600);
	close(fd);
	CHECK(maker_replace(m, 5) == -EPERM);
	exists("run5", true);
	CHECK(maker_remove(m, 5) == 0);
}

static void maker_work(void)
{
	char path[sizeof(dir) + 8];
	const char *const paths[] = { NULL, path };
	const char *const nowhere[] = { "/nonexistent/x", NULL };
	struct makers *m = NULL;
	struct errbuf e = { "" };
	int fd;

	snprintf(path, sizeof(path), "%s/run2", dir);
	fd = folder_make(AT_FDCWD, path);
	CHECK(fd >= 0);
	close(fd);
	path[strlen(path) - 1] = '\0';
	CHECK(makers_start(&m, nowhere, 2, 0, &e) == -ENOENT && m == NULL);
	CHECK(strstr(e.s, "/nonexistent/x"));
	CHECK(makers_fd(NULL) == -1 && makers_of(NULL, 1) == NULL);
	CHECK_ROW(makers_start(&m, paths, 2, 2, &e) == 0, e.s);
	if (m == NULL)
		return;
	maker_files(makers_of(m, 1));
	/* A path that it was not started for ends it. */
	CHECK(maker_make(makers_of(m, 0), 0) == -EPIPE);
	CHECK(maker_remove(makers_of(m, 1), 0) == -EPIPE);
	makers_stop(m);
	/* So does the end of the other. */
	CHECK(makers_start(&m, paths, 2, 0, &e) == 0);
	maker_keeps(makers_of(m, 1));
	makers_dismiss(m);
	CHECK(maker_make(makers_of(m, 1), 9) == -EPIPE);
	makers_stop(m);
	unlinkat(AT_FDCWD, path, 0);
	unlinkat(AT_FDCWD, strcat(path, "2"), 0);
}

static void test_maker(void)
{
	maker_work();
	signal(SIGCHLD, SIG_DFL);
}

enum { ASK_DOUBLE = 7, ASK_OPEN };

static int serve_double(void *ctx, const void *arg, int *fd)
{
	uint32_t n;

	(void)fd;
	memcpy(&n, arg, sizeof(n));
	return n == 99 ? BROKER_END : *(int *)ctx * (int)n;
}

/* What no request of the table needs is refused to the broker, too. */
static int serve_open(void *ctx, const void *arg, int *fd)
{
	(void)ctx;
	(void)arg;
	*fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
	return *fd >= 0 ? 0 : -errno;
}

static struct broker *new_broker(void)
{
	static const struct broker_request table[] = {
		{ ASK_DOUBLE, sizeof(uint32_t), serve_double },
		{ ASK_OPEN, 0, serve_open },
	};
	static int two = 2;
	struct broker_config c = { .request = table,
				   .requests = ARRAY_SIZE(table),
				   .ctx = &two };
	struct broker *b = NULL;
	struct errbuf e = { "" };

	CHECK_ROW(broker_start(&b, &c, &e) == 0, e.s);
	return b;
}

/* It answers its table's requests, each of its length, and ends at anything else. */
static void test_broker(void)
{
	static const struct {
		uint32_t id;
		uint32_t value;
		size_t size;
	} bad[] = { { ASK_DOUBLE, 1, 3 },
		    { ASK_DOUBLE, 1, 0 },
		    { ASK_DOUBLE, 99, 4 },
		    { ASK_OPEN, 1, 4 },
		    { 1, 1, 4 } };
	struct broker *b;
	uint32_t n = 21;
	char got;
	int fd = -1;

	CHECK(broker_fd(NULL) == -1);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		b = new_broker();
		CHECK(broker_ask(b, ASK_DOUBLE, &n, sizeof(n), NULL) == 42);
		if (sandbox_built())
			CHECK(broker_ask(b, ASK_OPEN, "", 0, &fd) == -EPERM &&
			      fd == -1);
		CHECK(broker_ask(b, bad[i].id, &bad[i].value, bad[i].size,
				 NULL) == -EPIPE);
		CHECK(broker_ask(b, ASK_DOUBLE, &n, sizeof(n), NULL) == -EPIPE);
		broker_stop(b);
	}
	b = new_broker();
	fd = broker_fd(b);
	CHECK(send(fd, "\1", 1, 0) == 1 && recv(fd, &got, 1, 0) == 0);
	broker_stop(b);
	signal(SIGCHLD, SIG_DFL);
}

/* --- two stages --- */

static void *nothing(void *ctx)
{
	return ctx;
}

static long try_thread(void)
{
	pthread_t t;

	return pthread_create(&t, NULL, nothing, NULL) != 0 ||
			       pthread_join(t, NULL) != 0
		       ? -1
		       : 0;
}

/* Both stages, of a process that makes a file beside @name and reads another. */
static int confine_work(void)
{
	struct confine c = { .early = SANDBOX_START,
			     .box = { .needs = SANDBOX_RUN | SANDBOX_MAKE,
				      .broker = -1 },
			     .quiet = true };
	struct errbuf e = { "" };
	char name[sizeof(dir) + 16];

	snprintf(name, sizeof(name), "%s/confined", dir);
	confine_place(&c, NULL, true);
	confine_place(&c, "-", true);
	if (c.places != 0)
		return 2;
	confine_place(&c, "/nonexistent/x", false); /* who reads it says it */
	confine_place(&c, name, true);
	if (confine(&c, CONFINE_EARLY, &e) != 0)
		return 3;
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
		return 4; /* prctl() is refused by the first filter */
	if (try_thread() != 0 || try_read() >= 0)
		return 5;
	if (confine(&c, CONFINE_FINAL, &e) != 0)
		return 6;
	if (try_thread() == 0)
		return 7;
	if (folder_make(AT_FDCWD, name) < 0 || unlinkat(AT_FDCWD, name, 0) != 0)
		return 8;
	if (sandbox_landlock() > 0 &&
	    folder_make(AT_FDCWD, "/tmp/test_sandbox.out") != -EACCES)
		return 9;
	return try_socket() >= 0 ? 10 : 11; /* neither: it ends */
}

static void test_confine(void)
{
	struct confine c = { .quiet = true };
	struct errbuf e = { "" };
	pid_t child;

	if (!sandbox_built())
		CHECK_SKIP("no sandbox in a build with ASan");
	fflush(stdout);
	child = fork();
	if (child == 0)
		_exit(confine_work());
	CHECK(end_of(child) == 128 + SIGSYS);
	child = fork();
	if (child == 0) {
		confine_place(&c, "/nonexistent/x", true);
		_exit(confine(&c, CONFINE_EARLY, &e) == -ENOENT &&
				      strstr(e.s, "/nonexistent/x") != NULL
			      ? 0
			      : 1);
	}
	CHECK(end_of(child) == 0);
}

/* --- what sends a capture --- */

static long try_sink_send(void)
{
	return send(sink2, buf, 1, 0) == 1 && recv(peer, buf, 1, 0) == 1 ? 0
									 : -1;
}

static void on_signal(int sig)
{
	(void)sig;
}

static int send_work(unsigned more)
{
	union bpf_attr a;

	if (signal(SIGUSR2, on_signal) == SIG_ERR)
		return 2;
	if (enter(SANDBOX_RUN | SANDBOX_SEND | more) != 0)
		return 3;
	if (try_sink_send() != 0)
		return 4;
	if (send(ring, buf, 1, 0) >= 0 || errno != EPERM)
		return 5;
	/* A thread that was started before may begin only now. */
	if (syscall(SYS_set_robust_list, NULL, 1) == 0 || errno != EINVAL ||
	    syscall(SYS_rseq, NULL, 1, 0, 0) == 0 || errno != EINVAL)
		return 10;
	if ((try_thread() == 0) != (more != 0))
		return 6;
	if (more == 0)
		return 0;
	if (pthread_kill(pthread_self(), SIGUSR2) != 0)
		return 7;
	memset(&a, 0, sizeof(a));
	a.test.prog_fd = UINT32_MAX;
	/* There is no such program, or no right; but it was asked for. */
	if (syscall(SYS_bpf, BPF_PROG_TEST_RUN, &a, sizeof(a)) == 0)
		return 8;
	syscall(SYS_bpf, BPF_MAP_CREATE, &a, sizeof(a));
	return 9; /* never: it has ended */
}

static void test_send(void)
{
	pid_t child;

	if (!sandbox_built())
		CHECK_SKIP("no sandbox in a build with ASan");
	fflush(stdout);
	child = fork();
	if (child == 0)
		_exit(send_work(0));
	CHECK(end_of(child) == 0);
	child = fork();
	if (child == 0)
		_exit(send_work(SANDBOX_PROGRAM));
	CHECK(end_of(child) == 128 + SIGSYS);
}

/* --- what sends and receives datagrams --- */

static long one_datagram(int fd, bool in)
{
	struct iovec v = { buf, 1 };
	struct mmsghdr m = { .msg_hdr = { .msg_iov = &v, .msg_iovlen = 1 } };

	return in ? recvmmsg(fd, &m, 1, MSG_DONTWAIT, NULL)
		  : sendmmsg(fd, &m, 1, 0);
}

static int datagrams_work(void)
{
	if (enter(SANDBOX_RUN | SANDBOX_LOOP | SANDBOX_DATAGRAMS) != 0)
		return 3;
	if (one_datagram(sink, false) != 1 ||
	    syscall(SYS_getrandom, buf, 8, 0) != 8)
		return 4;
	/* There may be nothing to be had; but it may be asked for. */
	if (one_datagram(sink2, true) < 0 && errno != EAGAIN)
		return 5;
	if (one_datagram(ring, false) >= 0 || errno != EPERM)
		return 6;
	if (one_datagram(ring, true) >= 0 || errno != EPERM)
		return 7;
	if (write(sink, buf, 1) >= 0 || errno != EPERM)
		return 8;
	/* The sinks stand in for sockets that would know the option. */
	if ((setsockopt(sink, IPPROTO_IP, IP_MTU_DISCOVER, buf, 4) < 0 &&
	     errno == EPERM) ||
	    setsockopt(ring, IPPROTO_IP, IP_MTU_DISCOVER, buf, 4) >= 0 ||
	    errno != EPERM ||
	    setsockopt(sink, IPPROTO_IP, IP_TTL, buf, 4) >= 0 || errno != EPERM)
		return 11;
	if (fdatasync(0) >= 0 || errno != EPERM)
		return 12;
	if (try_thread() == 0 || try_read() == 0)
		return 9;
	try_socket();
	return 10; /* never: it has ended */
}

static void test_datagrams(void)
{
	pid_t child;

	if (!sandbox_built())
		CHECK_SKIP("no sandbox in a build with ASan");
	fflush(stdout);
	child = fork();
	if (child == 0)
		_exit(datagrams_work());
	CHECK(end_of(child) == 128 + SIGSYS);
}

/* --- a control socket --- */

static int control_work(int listening)
{
	struct sandbox s = { .needs = SANDBOX_RUN | SANDBOX_CONTROL,
			     .broker = -1,
			     .control = listening };
	struct errbuf e = { "" };
	struct ucred who;
	socklen_t n = sizeof(who);
	uid_t uid = getuid();
	int value, fd;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || sandbox_calls(&s, &e))
		return 3;
	fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
	if (fd < 0 || write(fd, "a", 1) != 1)
		return 4;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) != 0 ||
	    who.uid != uid)
		return 5;
	n = sizeof(value);
	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, &n) == 0 ||
	    errno != EPERM)
		return 6;
	if (accept4(fd, NULL, NULL, SOCK_CLOEXEC) >= 0 || errno != EPERM)
		return 7;
	if (try_read() >= 0 || try_thread() == 0)
		return 8;
	try_socket();
	return 9; /* never: it has ended */
}

static void test_control(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	socklen_t n = sizeof(a);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int other = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	pid_t child;

	if (!sandbox_built())
		CHECK_SKIP("no sandbox in a build with ASan");
	/* The kernel gives it a name, and nobody a file. */
	CHECK(bind(fd, (void *)&a, sizeof(sa_family_t)) == 0 &&
	      listen(fd, 1) == 0 && getsockname(fd, (void *)&a, &n) == 0 &&
	      connect(other, (void *)&a, n) == 0);
	fflush(stdout);
	child = fork();
	if (child == 0)
		_exit(control_work(fd));
	CHECK(end_of(child) == 128 + SIGSYS);
	close(fd);
	close(other);
}

/* --- what makes a cache --- */

static const struct attempt prep_attempts[] = {
	{ "prep: read a file", try_read, false },
	{ "prep: make a file", try_overwrite, false },
	{ "prep: stat a path", try_stat, false },
	{ "prep: chmod", try_chmod, false },
	{ "prep: rmdir", try_rmdir, false },
	{ "prep: dup", try_dup, false },
	{ "prep: sendto", try_sendto, false },
	{ "prep: map code", try_exec_map, false },
	{ "prep: map a file", try_file_map, false },
	{ "prep: memfd_create", try_memfd, false },
	{ "prep: fork", try_fork, false },
	{ "prep: a thread", try_thread, false },
	{ "prep: tgkill another process", try_signal, false },
	{ "prep: setuid", try_setuid, false },
	{ "prep: socket", try_socket, true },
	{ "prep: connect", try_connect, true },
	{ "prep: execve", try_execve, true },
	{ "prep: ptrace", try_ptrace, true },
	{ "prep: kill another process", try_kill, true },
	{ "prep: bpf", try_bpf, true },
	{ "prep: unshare", try_unshare, true },
};

#define CACHE (SANDBOX_RUN | SANDBOX_REREAD | SANDBOX_REPLACE)

static char doomed[sizeof(dir) + 8];

static void on_end(int sig)
{
	unlink(doomed);
	raise(sig);
}

/* A file is written from its end, read, named, and removed by a signal. */
static int cache_work(void)
{
	struct sigaction sa = { .sa_handler = on_end,
				.sa_flags = (int)SA_RESETHAND };
	struct confine c = { .stay = true,
			     .box = { .needs = CACHE, .broker = -1 },
			     .quiet = true };
	struct errbuf e = { "" };
	char first[sizeof(dir) + 8];
	char got[2];
	int fd;

	snprintf(first, sizeof(first), "%s/first", dir);
	snprintf(doomed, sizeof(doomed), "%s/second", dir);
	fd = open(first, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	confine_place(&c, doomed, true);
	if (fd < 0 || sigaction(SIGTERM, &sa, NULL) != 0 ||
	    confine(&c, CONFINE_EARLY, &e) != 0 ||
	    confine(&c, CONFINE_FINAL, &e) != 0)
		return 2;
	if (pwrite(fd, "b", 1, 1) != 1 || pwrite(fd, "a", 1, 0) != 1 ||
	    pread(fd, got, 2, 0) != 2 || memcmp(got, "ab", 2) != 0)
		return 3;
	if (rename(first, doomed) != 0)
		return 4;
	if (sandbox_landlock() > 0 &&
	    (rename(doomed, "/tmp/test_sandbox.out") == 0 ||
	     unlink("/tmp/test_sandbox.none") == 0))
		return 5;
	if (syscall(SYS_set_robust_list, NULL, 1) == 0 || errno != EINVAL)
		return 6;
	return raise(SIGTERM);
}

static void test_prep(void)
{
	pid_t child;

	if (!sandbox_built())
		CHECK_SKIP("no sandbox in a build with ASan");
	for (size_t i = 0; i < ARRAY_SIZE(prep_attempts); i++) {
		const struct attempt *a = &prep_attempts[i];

		CHECK_ROW(outcome(a, CACHE) ==
				  (a->ends ? 128 + SIGSYS : REFUSED),
			  a->name);
	}
	fflush(stdout);
	child = fork();
	if (child == 0)
		_exit(cache_work());
	CHECK(end_of(child) == 128 + SIGTERM);
	exists("first", false);
	exists("second", false);
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "all else is refused", test_refused },
		{ "what a run needs is let through", test_needed },
		{ "for all threads, and only ever narrower", test_threads },
		{ "files only where they belong", test_landlock },
		{ "the maker makes and removes its own files", test_maker },
		{ "the broker takes its table's requests", test_broker },
		{ "two stages", test_confine },
		{ "what sends a capture", test_send },
		{ "what sends and receives datagrams", test_datagrams },
		{ "a control socket takes who connects", test_control },
		{ "what makes a cache", test_prep },
	};
	int pair[2] = { -1, -1 };
	int r;

	if (mkdtemp(dir) == NULL ||
	    socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) != 0)
		return 1;
	sink = pair[0];
	peer = pair[1];
	ring = dup(pair[1]);
	ring2 = dup(pair[1]);
	ring3 = dup(pair[1]);
	sink2 = dup(pair[0]);
	r = check_main(tests, ARRAY_SIZE(tests));
	rmdir(dir);
	return r;
}
