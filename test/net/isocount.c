/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * isocount - Counts the frames that must not be there
 *
 *   isocount IF:in | IF:out | IF:in!=MAC ...
 *
 * One packet socket a watch, bound to its interface, with a filter that lets
 * only offending frames pass: any that comes in, any that goes out, or any that
 * comes in from another hardware address than MAC. The kernel's own counter of
 * frames that passed the filter is the result: exact at every rate, without a
 * wake-up for the traffic that is as it should be. The first offenders wait in
 * the socket's buffer and are printed as evidence.
 *
 * A frame sent with PACKET_QDISC_BYPASS passes no packet socket of its own
 * interface, so "out" alone proves nothing: watch "in" at the wire's other end.
 *
 * Prints "ready" when every watch stands, and on SIGTERM or SIGINT one line
 * "IF:RULE COUNT" a watch. Exit status 0, or 2 if it could not watch.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define WATCHES_MAX 32
#define EVIDENCE    4
#define SNAP	    96

struct watch {
	const char *spec;
	int fd;
};

static struct sock_filter insn(unsigned code, unsigned k, unsigned jt,
			       unsigned jf)
{
	return (struct sock_filter){ (uint16_t)code, (uint8_t)jt, (uint8_t)jf,
				     k };
}

/*
 * Writes the filter of @rule ("in", "out" or "in!=MAC") to @f, which has room
 * for 8 instructions. Returns their number, or -EINVAL.
 */
static int make_filter(const char *rule, struct sock_filter *f)
{
	const unsigned ld_type = (unsigned)(SKF_AD_OFF + SKF_AD_PKTTYPE);
	unsigned m[6];
	unsigned n = 0;

	f[n++] = insn(BPF_LD | BPF_B | BPF_ABS, ld_type, 0, 0);
	if (!strcmp(rule, "out")) {
		f[n++] = insn(BPF_JMP | BPF_JEQ, PACKET_OUTGOING, 1, 0);
	} else if (!strcmp(rule, "in")) {
		f[n++] = insn(BPF_JMP | BPF_JEQ, PACKET_OUTGOING, 0, 1);
	} else if (sscanf(rule, "in!=%2x:%2x:%2x:%2x:%2x:%2x", &m[0], &m[1],
			  &m[2], &m[3], &m[4], &m[5]) == 6) {
		f[n++] = insn(BPF_JMP | BPF_JEQ, PACKET_OUTGOING, 4, 0);
		f[n++] = insn(BPF_LD | BPF_W | BPF_ABS, ETH_ALEN, 0, 0);
		f[n++] = insn(BPF_JMP | BPF_JEQ,
			      m[0] << 24 | m[1] << 16 | m[2] << 8 | m[3], 0, 3);
		f[n++] = insn(BPF_LD | BPF_H | BPF_ABS, ETH_ALEN + 4, 0, 0);
		f[n++] = insn(BPF_JMP | BPF_JEQ, m[4] << 8 | m[5], 0, 1);
	} else {
		return -EINVAL;
	}
	f[n++] = insn(BPF_RET, 0, 0, 0);
	f[n++] = insn(BPF_RET, SNAP, 0, 0);
	return (int)n;
}

/* Opens the watch @w of "IF:RULE". Returns 0 or -Exxx. */
static int watch_open(struct watch *w, const char *spec)
{
	struct sock_filter code[8];
	struct sock_fprog prog = { 0, code };
	struct sockaddr_ll at = { .sll_family = AF_PACKET,
				  .sll_protocol = htons(ETH_P_ALL) };
	char name[IF_NAMESIZE];
	const char *colon = strchr(spec, ':');
	int n;

	if (!colon || (size_t)(colon - spec) >= sizeof(name))
		return -EINVAL;
	memcpy(name, spec, (size_t)(colon - spec));
	name[colon - spec] = 0;
	n = make_filter(colon + 1, code);
	if (n < 0)
		return n;
	prog.len = (uint16_t)n;
	at.sll_ifindex = (int)if_nametoindex(name);
	if (!at.sll_ifindex)
		return -ENODEV;
	w->spec = spec;
	/* Protocol 0: deaf until the filter stands and bind() names one. */
	w->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (w->fd < 0 ||
	    setsockopt(w->fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog,
		       sizeof(prog)) ||
	    bind(w->fd, (struct sockaddr *)&at, sizeof(at)))
		return -errno;
	return 0;
}

static void watch_print(const struct watch *w)
{
	struct tpacket_stats st = { 0 };
	socklen_t len = sizeof(st);
	unsigned char b[SNAP];

	if (getsockopt(w->fd, SOL_PACKET, PACKET_STATISTICS, &st, &len)) {
		printf("%s unreadable\n", w->spec);
		return;
	}
	printf("%s %u\n", w->spec, st.tp_packets);
	for (int i = 0; i < EVIDENCE; i++) {
		ssize_t n = recv(w->fd, b, sizeof(b), MSG_DONTWAIT);

		if (n <= 0)
			break;
		printf("# %s ", w->spec);
		for (ssize_t k = 0; k < n; k++)
			printf("%02x", b[k]);
		printf("\n");
	}
}

int main(int argc, char **argv)
{
	struct watch w[WATCHES_MAX];
	sigset_t stop;
	int got, err;

	if (argc < 2 || argc - 1 > WATCHES_MAX) {
		fprintf(stderr,
			"usage: isocount IF:in|IF:out|IF:in!=MAC ...\n");
		return 2;
	}
	sigemptyset(&stop);
	sigaddset(&stop, SIGINT);
	sigaddset(&stop, SIGTERM);
	sigprocmask(SIG_BLOCK, &stop, NULL);
	for (int i = 1; i < argc; i++) {
		err = watch_open(&w[i - 1], argv[i]);
		if (err) {
			fprintf(stderr, "isocount: %s: %s\n", argv[i],
				strerror(-err));
			return 2;
		}
	}
	printf("ready\n");
	fflush(stdout);
	sigwait(&stop, &got);
	for (int i = 1; i < argc; i++)
		watch_print(&w[i - 1]);
	return 0;
}
