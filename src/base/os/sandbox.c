/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sandbox.c - seccomp filter and Landlock
 *
 * Theory of operation
 *
 * The filter is a list of what may be called; doc/THREATS.md gives the reason
 * of each. A rule is a system call, the needs that bring it in, and up to three
 * checks of its arguments. Rules of one call are alternatives. Each becomes a
 * block of BPF that returns when all its checks hold and else falls through to
 * the next; behind the last one the answer is EPERM. Descriptors, flags and
 * commands are 32 bits wide in the kernel, and so in the filter.
 *
 * EPERM and not a signal for what is not listed: another version of libc may
 * ask for something more in a corner nobody has seen, gets an answer that it
 * must expect of any kernel, and a run of days does not lose its report. What
 * no version of libc asks for by itself (a socket, another program, another
 * process's memory) is the trace of an intruder, who is to get no second try:
 * then the process ends. Its wires stay as silent as the guard made them.
 *
 * write() is let through for every descriptor but the packet sockets: write()
 * on one of those would send a frame. Nothing here duplicates a descriptor, so
 * the numbers that the filter knows are the only ones.
 *
 * Landlock's rules name places, not calls. All rights that this kernel knows
 * are taken, then those of the places given back. Its numbers of newer kernels
 * stand here because the headers of Debian 12 end with Linux 6.1.
 *
 * More than 600 lines: who wants to know what may be called reads one table.
 */
#include "os/sandbox.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <linux/landlock.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "os/folder.h"

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#else
#error "the system calls of this architecture are not numbered here"
#endif
#define X32_BIT 0x40000000u /* x86-64: a second set of numbers */

#define CLONE_OF_THREAD (CLONE_VM | CLONE_SIGHAND | CLONE_THREAD)

#define CHECKS	    3
#define PROGRAM_MAX 1024

enum action { LET, END, NOT_THERE, REFUSE };

enum op {
	ANY,	    /* no check */
	IS,	    /* equal */
	WITHOUT,    /* none of these bits */
	WITH,	    /* all of these bits */
	IS_SELF,    /* our process */
	IS_SINK,    /* the descriptor of a socket to send by */
	IS_BROKER,  /* the descriptor of the broker's socket */
	NOT_WIRE,   /* no packet socket's descriptor */
	IS_RING,    /* the descriptor of a socket that only brings frames */
	IS_CONTROL, /* the descriptor of the control socket */
};

struct check {
	uint8_t op;
	uint8_t arg;
	uint32_t value;
};

struct rule {
	int nr;
	unsigned needs;
	enum action action;
	struct check check[CHECKS];
};

/* As they are made, and no others. */
#define TCP_SOCKET (SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC)
#define UDP_SOCKET (SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC)

#define ALWAYS	(SANDBOX_RUN | SANDBOX_BROKER)
#define THREADS (SANDBOX_START | SANDBOX_PROGRAM)
#define BEGINS	(THREADS | SANDBOX_SEND | SANDBOX_REPLACE)

static const struct rule rules[] = {
	{ SYS_sendmmsg,
	  SANDBOX_WIRES | SANDBOX_SEND | SANDBOX_DATAGRAMS,
	  LET,
	  { { IS_SINK, 0, 0 } } },
	{ SYS_wait4, SANDBOX_CHILD, LET, { { ANY, 0, 0 } } },
	{ SYS_fdatasync, SANDBOX_SYNC, LET, { { ANY, 0, 0 } } },
	{ SYS_recvmmsg, SANDBOX_DATAGRAMS, LET, { { IS_SINK, 0, 0 } } },
	/* A datagram that nobody may cut. */
	{ SYS_setsockopt,
	  SANDBOX_DATAGRAMS,
	  LET,
	  { { IS_SINK, 0, 0 },
	    { IS, 1, IPPROTO_IP },
	    { IS, 2, IP_MTU_DISCOVER } } },
	{ SYS_setsockopt,
	  SANDBOX_DATAGRAMS,
	  LET,
	  { { IS_SINK, 0, 0 },
	    { IS, 1, IPPROTO_IPV6 },
	    { IS, 2, IPV6_MTU_DISCOVER } } },
	{ SYS_sendto, SANDBOX_SEND, LET, { { IS_SINK, 0, 0 } } },
	{ SYS_recvfrom, SANDBOX_WIRES | SANDBOX_SEND, LET, { { ANY, 0, 0 } } },
	{ SYS_ppoll, SANDBOX_RUN, LET, { { ANY, 0, 0 } } },
	{ SYS_clock_nanosleep, SANDBOX_RUN, LET, { { ANY, 0, 0 } } },
	{ SYS_read, SANDBOX_RUN, LET, { { ANY, 0, 0 } } },
	{ SYS_pread64, SANDBOX_REREAD, LET, { { ANY, 0, 0 } } },
	{ SYS_write, SANDBOX_RUN, LET, { { NOT_WIRE, 0, 0 } } },
	{ SYS_writev, SANDBOX_RUN, LET, { { IS, 0, STDERR_FILENO } } },
	{ SYS_futex, SANDBOX_RUN, LET, { { ANY, 0, 0 } } },
	{ SYS_clock_gettime, SANDBOX_RUN, LET, { { ANY, 0, 0 } } },
	{ SYS_getsockopt,
	  SANDBOX_WIRES,
	  LET,
	  { { IS, 1, SOL_PACKET }, { IS, 2, PACKET_STATISTICS } } },
	{ SYS_getsockopt,
	  SANDBOX_WIRES,
	  LET,
	  { { IS, 1, SOL_SOCKET }, { IS, 2, SO_ERROR } } },
	/* A ring grows. */
	{ SYS_setsockopt,
	  SANDBOX_WIRES,
	  LET,
	  { { IS_RING, 0, 0 },
	    { IS, 1, SOL_PACKET },
	    { IS, 2, PACKET_RX_RING } } },
	{ SYS_setsockopt,
	  SANDBOX_WIRES,
	  LET,
	  { { IS_RING, 0, 0 },
	    { IS, 1, SOL_SOCKET },
	    { IS, 2, SO_ATTACH_FILTER } } },
	{ SYS_sched_setaffinity, SANDBOX_WIRES, LET, { { IS, 0, 0 } } },
	{ SYS_mmap,
	  SANDBOX_WIRES,
	  LET,
	  { { IS_RING, 4, 0 }, { WITHOUT, 2, PROT_EXEC } } },
	{ SYS_ioctl, SANDBOX_WIRES, LET, { { IS, 1, SIOCGIFNAME } } },
	{ SYS_ioctl, SANDBOX_WIRES, LET, { { IS, 1, SIOCGIFFLAGS } } },
	{ SYS_ioctl, SANDBOX_RUN, LET, { { IS, 1, TCGETS } } },
	{ SYS_ioctl, SANDBOX_RUN, LET, { { IS, 1, TIOCGWINSZ } } },
	{ SYS_mmap,
	  SANDBOX_RUN,
	  LET,
	  { { WITHOUT, 2, PROT_EXEC }, { WITH, 3, MAP_ANONYMOUS } } },
	{ SYS_mprotect, SANDBOX_RUN, LET, { { WITHOUT, 2, PROT_EXEC } } },
	{ SYS_munmap, SANDBOX_RUN, LET, { { ANY, 0, 0 } } },
	{ SYS_brk, SANDBOX_RUN, LET, { { ANY, 0, 0 } } },
	{ SYS_madvise, SANDBOX_RUN, LET, { { IS, 2, MADV_DONTNEED } } },
	{ SYS_newfstatat, SANDBOX_RUN, LET, { { IS, 3, AT_EMPTY_PATH } } },
	{ SYS_getrusage, SANDBOX_RUN, LET, { { ANY, 0, 0 } } },
	{ SYS_restart_syscall, SANDBOX_RUN, LET, { { ANY, 0, 0 } } },
	{ SYS_exit, SANDBOX_RUN, LET, { { ANY, 0, 0 } } },
	{ SYS_lseek, SANDBOX_RUN, LET, { { ANY, 0, 0 } } },
	{ SYS_ftruncate, SANDBOX_WRITE, LET, { { ANY, 0, 0 } } },
	{ SYS_openat,
	  SANDBOX_MAKE,
	  LET,
	  { { IS, 2, FOLDER_MAKE_FLAGS }, { IS, 3, FOLDER_MAKE_MODE } } },
	{ SYS_unlinkat, SANDBOX_MAKE, LET, { { IS, 2, 0 } } },
	{ SYS_openat,
	  SANDBOX_READ,
	  LET,
	  { { WITHOUT, 2, O_ACCMODE | O_CREAT | O_TRUNC } } },
	{ SYS_openat, SANDBOX_START, LET, { { IS, 2, FOLDER_OPEN_FLAGS } } },
	{ SYS_sendmsg, SANDBOX_BROKER, LET, { { IS_BROKER, 0, 0 } } },
	{ SYS_recvmsg, SANDBOX_BROKER, LET, { { IS_BROKER, 0, 0 } } },
	{ SYS_bpf, SANDBOX_PROGRAM, LET, { { IS, 0, BPF_PROG_TEST_RUN } } },
	{ SYS_tgkill, SANDBOX_PROGRAM, LET, { { IS_SELF, 0, 0 } } },
	{ SYS_epoll_ctl, SANDBOX_LOOP, LET, { { ANY, 0, 0 } } },
	{ SYS_epoll_pwait, SANDBOX_LOOP, LET, { { ANY, 0, 0 } } },
#ifdef SYS_epoll_wait
	{ SYS_epoll_wait, SANDBOX_LOOP, LET, { { ANY, 0, 0 } } },
#endif
	/* Who is it that connects? */
	{ SYS_accept4, SANDBOX_CONTROL, LET, { { IS_CONTROL, 0, 0 } } },
	{ SYS_getsockopt,
	  SANDBOX_CONTROL,
	  LET,
	  { { IS, 1, SOL_SOCKET }, { IS, 2, SO_PEERCRED } } },
	{ SYS_timerfd_settime, SANDBOX_LOOP, LET, { { ANY, 0, 0 } } },
	/* A file is written in any order and takes another's name; or a
	 * signal's handler removes it, and the signal is given again.
	 */
	{ SYS_pwrite64, SANDBOX_REPLACE, LET, { { ANY, 0, 0 } } },
#ifdef SYS_rename
	{ SYS_rename, SANDBOX_REPLACE, LET, { { ANY, 0, 0 } } },
	{ SYS_unlink, SANDBOX_REPLACE, LET, { { ANY, 0, 0 } } },
#endif
	{ SYS_renameat, SANDBOX_REPLACE, LET, { { ANY, 0, 0 } } },
	{ SYS_fchmod, SANDBOX_REPLACE, LET, { { IS, 1, FOLDER_READ_MODE } } },
	{ SYS_unlinkat, SANDBOX_REPLACE, LET, { { IS, 2, 0 } } },
	{ SYS_tgkill, SANDBOX_REPLACE, LET, { { IS_SELF, 0, 0 } } },
	/* A signal's handler returns; waits are for a pipe; memory is asked
	 * for. A thread that was started before the last filter may begin under
	 * it.
	 */
	{ SYS_rt_sigreturn,
	  SANDBOX_SEND | SANDBOX_REPLACE,
	  LET,
	  { { ANY, 0, 0 } } },
#ifdef SYS_poll
	{ SYS_poll, SANDBOX_SEND, LET, { { ANY, 0, 0 } } },
#endif
	{ SYS_sysinfo, SANDBOX_SEND, LET, { { ANY, 0, 0 } } },
	{ SYS_getrandom,
	  SANDBOX_SEND | SANDBOX_DATAGRAMS,
	  LET,
	  { { ANY, 0, 0 } } },
	{ SYS_mremap, SANDBOX_SEND, LET, { { ANY, 0, 0 } } },
	/* A proxy's sockets. */
	{ SYS_socket,
	  SANDBOX_SOCKETS,
	  LET,
	  { { IS, 0, AF_INET }, { IS, 1, TCP_SOCKET } } },
	{ SYS_socket,
	  SANDBOX_SOCKETS,
	  LET,
	  { { IS, 0, AF_INET6 }, { IS, 1, TCP_SOCKET } } },
	{ SYS_socket,
	  SANDBOX_SOCKETS,
	  LET,
	  { { IS, 0, AF_INET }, { IS, 1, UDP_SOCKET } } },
	{ SYS_socket,
	  SANDBOX_SOCKETS,
	  LET,
	  { { IS, 0, AF_INET6 }, { IS, 1, UDP_SOCKET } } },
	{ SYS_accept4, SANDBOX_SOCKETS, LET, { { ANY, 0, 0 } } },
	{ SYS_connect, SANDBOX_SOCKETS, LET, { { ANY, 0, 0 } } },
	{ SYS_bind, SANDBOX_SOCKETS, LET, { { ANY, 0, 0 } } },
	{ SYS_shutdown, SANDBOX_SOCKETS, LET, { { ANY, 0, 0 } } },
	{ SYS_sendto, SANDBOX_SOCKETS, LET, { { ANY, 0, 0 } } },
	{ SYS_recvfrom, SANDBOX_SOCKETS, LET, { { ANY, 0, 0 } } },
	{ SYS_getsockname, SANDBOX_SOCKETS, LET, { { ANY, 0, 0 } } },
	{ SYS_getpeername, SANDBOX_SOCKETS, LET, { { ANY, 0, 0 } } },
	{ SYS_getsockopt, SANDBOX_SOCKETS, LET, { { ANY, 0, 0 } } },
	{ SYS_setsockopt, SANDBOX_SOCKETS, LET, { { IS, 1, IPPROTO_TCP } } },
	{ SYS_setsockopt,
	  SANDBOX_SOCKETS,
	  LET,
	  { { IS, 1, SOL_SOCKET }, { IS, 2, SO_REUSEADDR } } },
	{ SYS_setsockopt,
	  SANDBOX_SOCKETS,
	  LET,
	  { { IS, 1, SOL_SOCKET }, { IS, 2, SO_LINGER } } },
	{ SYS_ioctl, SANDBOX_SOCKETS, LET, { { IS, 1, SIOCOUTQ } } },
	/* A database, with its log and its index, whose locks are those of
	 * fcntl(2); where they may lie Landlock says.
	 */
	{ SYS_openat, SANDBOX_STORE, LET, { { WITHOUT, 2, O_TRUNC } } },
	{ SYS_newfstatat, SANDBOX_STORE, LET, { { ANY, 0, 0 } } },
	{ SYS_pread64, SANDBOX_STORE, LET, { { ANY, 0, 0 } } },
	{ SYS_pwrite64, SANDBOX_STORE, LET, { { ANY, 0, 0 } } },
	{ SYS_ftruncate, SANDBOX_STORE, LET, { { ANY, 0, 0 } } },
	{ SYS_fsync, SANDBOX_STORE, LET, { { ANY, 0, 0 } } },
	{ SYS_fdatasync, SANDBOX_STORE, LET, { { ANY, 0, 0 } } },
	{ SYS_fcntl, SANDBOX_STORE, LET, { { IS, 1, F_SETLK } } },
	{ SYS_fcntl, SANDBOX_STORE, LET, { { IS, 1, F_GETLK } } },
	{ SYS_fcntl, SANDBOX_STORE, LET, { { IS, 1, F_GETFD } } },
	{ SYS_fcntl, SANDBOX_STORE, LET, { { IS, 1, F_GETFL } } },
	{ SYS_fcntl, SANDBOX_STORE, LET, { { IS, 1, F_SETFD } } },
	{ SYS_mmap, SANDBOX_STORE, LET, { { WITHOUT, 2, PROT_EXEC } } },
	{ SYS_mremap, SANDBOX_STORE, LET, { { ANY, 0, 0 } } },
	{ SYS_fchmod, SANDBOX_STORE, LET, { { ANY, 0, 0 } } },
	{ SYS_fchown, SANDBOX_STORE, LET, { { ANY, 0, 0 } } },
	{ SYS_unlinkat, SANDBOX_STORE, LET, { { IS, 2, 0 } } },
#ifdef SYS_unlink
	{ SYS_unlink, SANDBOX_STORE, LET, { { ANY, 0, 0 } } },
	{ SYS_access, SANDBOX_STORE, LET, { { ANY, 0, 0 } } },
	{ SYS_readlink, SANDBOX_STORE, LET, { { ANY, 0, 0 } } },
#endif
	{ SYS_faccessat, SANDBOX_STORE, LET, { { ANY, 0, 0 } } },
	{ SYS_readlinkat, SANDBOX_STORE, LET, { { ANY, 0, 0 } } },
	{ SYS_getcwd, SANDBOX_STORE, LET, { { ANY, 0, 0 } } },
	{ SYS_getpid, SANDBOX_STORE, LET, { { ANY, 0, 0 } } },
	{ SYS_geteuid, SANDBOX_STORE, LET, { { ANY, 0, 0 } } },
	{ SYS_getrandom, SANDBOX_STORE, LET, { { ANY, 0, 0 } } },
	/* Connections of TCP that were taken; none is made. */
	{ SYS_recvfrom, SANDBOX_SERVE, LET, { { ANY, 0, 0 } } },
	{ SYS_sendto, SANDBOX_SERVE, LET, { { ANY, 0, 0 } } },
	{ SYS_sendmsg, SANDBOX_SERVE, LET, { { ANY, 0, 0 } } },
	{ SYS_shutdown, SANDBOX_SERVE, LET, { { ANY, 0, 0 } } },
	{ SYS_setsockopt, SANDBOX_SERVE, LET, { { IS, 1, IPPROTO_TCP } } },
	{ SYS_splice, SANDBOX_PIPES, LET, { { ANY, 0, 0 } } },
	{ SYS_pipe2, SANDBOX_PIPES, LET, { { ANY, 0, 0 } } },
	/* Sockets are looked into, pairs made and looked at, the program put on
	 * a device and back on one from which somebody took it.
	 */
	{ SYS_setsockopt,
	  SANDBOX_SPLICE,
	  LET,
	  { { IS, 1, SOL_SOCKET }, { IS, 2, SO_OOBINLINE } } },
	{ SYS_setsockopt,
	  SANDBOX_SPLICE,
	  LET,
	  { { IS, 1, SOL_SOCKET }, { IS, 2, SO_PEEK_OFF } } },
	{ SYS_fcntl, SANDBOX_SPLICE, LET, { { IS, 1, F_DUPFD_CLOEXEC } } },
	{ SYS_bpf, SANDBOX_SPLICE, LET, { { IS, 0, BPF_PROG_TEST_RUN } } },
	{ SYS_bpf,
	  SANDBOX_SPLICE | SANDBOX_TABLES,
	  LET,
	  { { IS, 0, BPF_MAP_LOOKUP_ELEM } } },
	{ SYS_bpf,
	  SANDBOX_SPLICE | SANDBOX_TABLES,
	  LET,
	  { { IS, 0, BPF_MAP_UPDATE_ELEM } } },
	{ SYS_bpf,
	  SANDBOX_SPLICE | SANDBOX_TABLES,
	  LET,
	  { { IS, 0, BPF_MAP_DELETE_ELEM } } },
	{ SYS_bpf,
	  SANDBOX_SPLICE,
	  LET,
	  { { IS, 0, BPF_MAP_LOOKUP_AND_DELETE_ELEM } } },
	{ SYS_bpf, SANDBOX_SPLICE, LET, { { IS, 0, BPF_LINK_CREATE } } },
	{ SYS_bpf, SANDBOX_SPLICE, LET, { { IS, 0, BPF_OBJ_GET_INFO_BY_FD } } },
	{ SYS_bpf, SANDBOX_SPLICE, REFUSE, { { IS, 0, BPF_OBJ_GET } } },
	{ SYS_bpf, SANDBOX_SPLICE, REFUSE, { { IS, 0, BPF_OBJ_PIN } } },
	{ SYS_socket,
	  SANDBOX_SPLICE,
	  LET,
	  { { IS, 0, AF_NETLINK },
	    { IS, 1, SOCK_RAW | SOCK_CLOEXEC },
	    { IS, 2, NETLINK_ROUTE } } },
	{ SYS_socket,
	  SANDBOX_SPLICE,
	  LET,
	  { { IS, 0, AF_INET }, { IS, 1, SOCK_DGRAM | SOCK_CLOEXEC } } },
	{ SYS_recvmsg, SANDBOX_SPLICE, LET, { { ANY, 0, 0 } } },
	/* A socket with the client's address. */
	{ SYS_setsockopt,
	  SANDBOX_SPLICE,
	  LET,
	  { { IS, 1, IPPROTO_IP }, { IS, 2, IP_TRANSPARENT } } },
	{ SYS_setsockopt,
	  SANDBOX_SPLICE,
	  LET,
	  { { IS, 1, IPPROTO_IPV6 }, { IS, 2, IPV6_TRANSPARENT } } },
	{ SYS_setsockopt, SANDBOX_SPLICE, LET, { { IS, 1, SOL_NETLINK } } },
	{ SYS_ioctl, SANDBOX_SPLICE, LET, { { IS, 1, SIOCGIFNAME } } },
	{ SYS_ioctl, SANDBOX_SPLICE, LET, { { IS, 1, SIOCGIFHWADDR } } },
	{ SYS_openat,
	  SANDBOX_APPEND,
	  LET,
	  { { IS, 2, FOLDER_APPEND_FLAGS }, { IS, 3, FOLDER_MAKE_MODE } } },
	{ SYS_clone3, THREADS, NOT_THERE, { { ANY, 0, 0 } } },
	{ SYS_clone, THREADS, LET, { { WITH, 0, CLONE_OF_THREAD } } },
	{ SYS_set_robust_list, BEGINS, LET, { { ANY, 0, 0 } } },
	{ SYS_rseq, BEGINS, LET, { { ANY, 0, 0 } } },
	{ SYS_rt_sigaction, THREADS, LET, { { ANY, 0, 0 } } },
	{ SYS_fcntl,
	  SANDBOX_START | SANDBOX_READ,
	  LET,
	  { { IS, 1, F_DUPFD_CLOEXEC } } },
	{ SYS_sched_getaffinity, SANDBOX_START, LET, { { IS, 0, 0 } } },
	{ SYS_prctl, SANDBOX_START, LET, { { IS, 0, PR_SET_TIMERSLACK } } },
	{ SYS_seccomp, SANDBOX_START, LET, { { ANY, 0, 0 } } },
	{ SYS_close, ALWAYS, LET, { { ANY, 0, 0 } } },
	{ SYS_exit_group, ALWAYS, LET, { { ANY, 0, 0 } } },
	{ SYS_rt_sigprocmask, ALWAYS, LET, { { ANY, 0, 0 } } },
	{ SYS_getpid, ALWAYS, LET, { { ANY, 0, 0 } } },
	{ SYS_gettid, ALWAYS, LET, { { ANY, 0, 0 } } },
	{ SYS_tgkill, ALWAYS, LET, { { IS_SELF, 0, 0 }, { IS, 2, SIGABRT } } },

	{ SYS_socket, ALWAYS, END, { { ANY, 0, 0 } } },
	{ SYS_connect, ALWAYS, END, { { ANY, 0, 0 } } },
	{ SYS_bind, ALWAYS, END, { { ANY, 0, 0 } } },
	{ SYS_execve, ALWAYS, END, { { ANY, 0, 0 } } },
	{ SYS_execveat, ALWAYS, END, { { ANY, 0, 0 } } },
	{ SYS_ptrace, ALWAYS, END, { { ANY, 0, 0 } } },
	{ SYS_process_vm_readv, ALWAYS, END, { { ANY, 0, 0 } } },
	{ SYS_process_vm_writev, ALWAYS, END, { { ANY, 0, 0 } } },
	{ SYS_kill, ALWAYS, END, { { ANY, 0, 0 } } },
	{ SYS_bpf, ALWAYS, END, { { ANY, 0, 0 } } },
	{ SYS_io_uring_setup, ALWAYS, END, { { ANY, 0, 0 } } },
	{ SYS_unshare, ALWAYS, END, { { ANY, 0, 0 } } },
	{ SYS_setns, ALWAYS, END, { { ANY, 0, 0 } } },
	{ SYS_mount, ALWAYS, END, { { ANY, 0, 0 } } },
};

#define RULES (sizeof(rules) / sizeof(rules[0]))

struct program {
	struct sock_filter insn[PROGRAM_MAX];
	unsigned n;
};

static void put(struct program *p, uint16_t code, uint32_t k, uint8_t jt,
		uint8_t jf)
{
	/* The table has a fixed length; PROGRAM_MAX holds all of it. */
	if (p->n < PROGRAM_MAX)
		p->insn[p->n] = (struct sock_filter)BPF_JUMP(code, k, jt, jf);
	p->n++;
}

static void put_return(struct program *p, uint32_t answer)
{
	put(p, BPF_RET | BPF_K, answer, 0, 0);
}

/* A test of @value that goes on when it holds as wanted, and else leaps to
 * the next rule: UINT8_MAX is mended when the rule's end is known.
 */
static void put_test(struct program *p, uint16_t code, uint32_t value,
		     bool wanted)
{
	put(p, BPF_JMP | code | BPF_K, value, wanted ? 0 : UINT8_MAX,
	    wanted ? UINT8_MAX : 0);
}

/* Is it one of these descriptors? Without any it is nobody's. */
static void put_one_of(struct program *p, const int *fd, unsigned n)
{
	for (unsigned i = 0; i + 1 < n; i++)
		put(p, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)fd[i],
		    (uint8_t)(n - i - 1), 0);
	put_test(p, BPF_JEQ, n > 0 ? (uint32_t)fd[n - 1] : UINT32_MAX, true);
}

static void put_check(struct program *p, const struct check *c,
		      const struct sandbox *s)
{
	/* The lower half of a register lies first: both machines are so. */
	put(p, BPF_LD | BPF_W | BPF_ABS,
	    (uint32_t)offsetof(struct seccomp_data, args[c->arg]), 0, 0);
	switch ((enum op)c->op) {
	case ANY:
		break;
	case IS:
		put_test(p, BPF_JEQ, c->value, true);
		break;
	case WITHOUT:
		put_test(p, BPF_JSET, c->value, false);
		break;
	case WITH:
		put(p, BPF_ALU | BPF_AND | BPF_K, c->value, 0, 0);
		put_test(p, BPF_JEQ, c->value, true);
		break;
	case IS_SELF:
		put_test(p, BPF_JEQ, (uint32_t)getpid(), true);
		break;
	case IS_SINK:
		put_one_of(p, s->sink, s->sinks);
		break;
	case IS_BROKER:
		put_test(p, BPF_JEQ, (uint32_t)s->broker, true);
		break;
	case IS_CONTROL:
		put_test(p, BPF_JEQ, (uint32_t)s->control, true);
		break;
	case IS_RING:
		put_one_of(p, s->ring, s->rings);
		break;
	case NOT_WIRE:
		for (unsigned i = 0; i < s->sinks; i++)
			put_test(p, BPF_JEQ, (uint32_t)s->sink[i], false);
		for (unsigned i = 0; i < s->rings; i++)
			put_test(p, BPF_JEQ, (uint32_t)s->ring[i], false);
		break;
	}
}

static void put_rule(struct program *p, const struct rule *r,
		     const struct sandbox *s)
{
	static const uint32_t answer[] = {
		[LET] = SECCOMP_RET_ALLOW,
		[END] = SECCOMP_RET_KILL_PROCESS,
		[NOT_THERE] = SECCOMP_RET_ERRNO | ENOSYS,
		[REFUSE] = SECCOMP_RET_ERRNO | EPERM,
	};
	unsigned first = p->n;

	put(p, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr), 0,
	    0);
	put_test(p, BPF_JEQ, (uint32_t)r->nr, true);
	for (unsigned i = 0; i < CHECKS && r->check[i].op != ANY; i++)
		put_check(p, &r->check[i], s);
	put_return(p, answer[r->action]);
	for (unsigned i = first; i < p->n && i < PROGRAM_MAX; i++) {
		struct sock_filter *f = &p->insn[i];
		uint8_t away = (uint8_t)(p->n - i - 1);

		if (BPF_CLASS(f->code) != BPF_JMP)
			continue;
		if (f->jt == UINT8_MAX)
			f->jt = away;
		if (f->jf == UINT8_MAX)
			f->jf = away;
	}
}

static void put_program(struct program *p, const struct sandbox *s)
{
	put(p, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch), 0,
	    0);
	put(p, BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0);
	put_return(p, SECCOMP_RET_KILL_PROCESS);
	put(p, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr), 0,
	    0);
	put(p, BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1);
	put_return(p, SECCOMP_RET_KILL_PROCESS);
	for (size_t i = 0; i < RULES; i++)
		if (rules[i].needs & s->needs)
			put_rule(p, &rules[i], s);
	put_return(p, SECCOMP_RET_ERRNO | EPERM);
}

/* Threads of the sanitizer's run time, its shadow memory and its look at /proc
 * at exit are not to be had under a list this short.
 */
bool sandbox_built(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(COUNTED)
	return false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
	return false;
#else
	return true;
#endif
#else
	return true;
#endif
}

bool sandbox_seccomp(void)
{
	uint32_t answer = SECCOMP_RET_KILL_PROCESS;

	return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &answer) == 0;
}

int sandbox_calls(const struct sandbox *s, struct errbuf *e)
{
	struct program p = { .n = 0 };
	struct sock_fprog prog = { .filter = p.insn };
	long r;

	if (!sandbox_built())
		return 0;
	put_program(&p, s);
	if (p.n > PROGRAM_MAX)
		return errbuf_set(e, -E2BIG, "the seccomp filter is too long");
	prog.len = (unsigned short)p.n;
	r = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
		    SECCOMP_FILTER_FLAG_TSYNC, &prog);
	/* More than 0 is the number of a thread that is not under it. */
	if (r != 0)
		return errbuf_set(e, r < 0 ? -errno : -EBUSY,
				  "this kernel takes no seccomp filter "
				  "(CONFIG_SECCOMP_FILTER): %s",
				  strerror(r < 0 ? errno : EBUSY));
	return 0;
}

/* --- Landlock --- */

/* linux/landlock.h of Linux 6.12. A kernel takes a longer structure whose rest
 * is 0.
 */
struct ruleset {
	uint64_t fs;
	uint64_t net;	 /* from version 4 */
	uint64_t scoped; /* from version 6 */
};

#define FS_V1	      ((UINT64_C(1) << 13) - 1)
#define FS_REFER      (UINT64_C(1) << 13) /* 2 */
#define FS_TRUNCATE   (UINT64_C(1) << 14) /* 3 */
#define FS_IOCTL      (UINT64_C(1) << 15) /* 5 */
#define NET_TCP	      UINT64_C(3)	  /* 4: bind, connect */
#define SCOPE_SOCKETS UINT64_C(1)	  /* 6: abstract ones */
#define SCOPE_SIGNALS UINT64_C(2)	  /* 6 */

int sandbox_landlock(void)
{
	long v = syscall(SYS_landlock_create_ruleset, NULL, 0,
			 LANDLOCK_CREATE_RULESET_VERSION);

	return v > 0 ? (int)v : 0;
}

static uint64_t rights_of(int version)
{
	uint64_t fs = FS_V1;

	if (version >= 2)
		fs |= FS_REFER;
	if (version >= 3)
		fs |= FS_TRUNCATE;
	if (version >= 5)
		fs |= FS_IOCTL;
	return fs;
}

static int place_add(int set, const struct sandbox_place *place, uint64_t known)
{
	uint64_t make = LANDLOCK_ACCESS_FS_MAKE_REG |
			LANDLOCK_ACCESS_FS_WRITE_FILE |
			LANDLOCK_ACCESS_FS_REMOVE_FILE | FS_TRUNCATE;
	struct landlock_path_beneath_attr a = {
		.allowed_access = place->make ? make & known
					      : LANDLOCK_ACCESS_FS_READ_FILE,
		.parent_fd = place->fd,
	};

	if (syscall(SYS_landlock_add_rule, set, LANDLOCK_RULE_PATH_BENEATH, &a,
		    0) == 0 ||
	    errno == EBADFD)
		return 0;
	return -errno;
}

int sandbox_files(const struct sandbox_place *place, unsigned n, unsigned needs,
		  struct errbuf *e)
{
	int version = sandbox_built() ? sandbox_landlock() : 1;
	struct ruleset set = { .fs = rights_of(version) };
	int r = 0;
	int fd;

	if (!sandbox_built() || version == 0)
		return version;
	set.net = version >= 4 && !(needs & SANDBOX_SOCKETS) ? NET_TCP : 0;
	set.scoped = version >= 6 ? SCOPE_SOCKETS : 0;
	/* Calls that send one are not let through by seccomp either. */
	if (version >= 6 && !(needs & SANDBOX_CHILD))
		set.scoped |= SCOPE_SIGNALS;
	fd = (int)syscall(SYS_landlock_create_ruleset, &set, sizeof(set), 0);
	if (fd < 0)
		return errbuf_set(e, -errno, "Landlock: %s", strerror(errno));
	for (unsigned i = 0; r == 0 && i < n; i++)
		r = place_add(fd, &place[i], set.fs);
	if (r == 0 && syscall(SYS_landlock_restrict_self, fd, 0) != 0)
		r = -errno;
	close(fd);
	return r != 0 ? errbuf_set(e, r, "Landlock: %s", strerror(-r)) : 1;
}
