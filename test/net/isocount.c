/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * isocount - Counts the frames that must not be there
 *
 *   isocount IF:in | IF:out | IF:in!=MAC | IF:in=MAC | IF:in!dst=MAC | IF:in:reset ...
 *
 * One packet socket a watch, bound to its interface, with a filter that lets
 * only offending frames pass: any that comes in, any that goes out, any that comes
 * in from another hardware address than MAC, or from that one, any that comes in to
 * another one host than MAC, or any that comes in and is TCP with RST or ICMP, but
 * no neighbour discovery. The kernel's own counter of
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
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define WATCHES_MAX  32
#define EVIDENCE     4
#define SNAP	     96
#define INSNS_MAX    32
#define FIRST_OFFSET 64 /* a jump over so many and FIRST_OFFSET more */

struct watch {
	const char *spec;
	int fd;
};

/* Where a jump of a rule goes: on, or to one of its two ends. */
enum { ON, HIT, MISS };

/* A filter being written; jumps hold ON, HIT or MISS until close_filter(). */
struct program {
	struct sock_filter f[INSNS_MAX];
	unsigned n;
};

static void add(struct program *p, unsigned code, unsigned k, int jt, int jf)
{
	p->f[p->n++] = (struct sock_filter){ (uint16_t)code, (uint8_t)jt,
					     (uint8_t)jf, k };
}

static void load(struct program *p, unsigned size, unsigned at)
{
	add(p, BPF_LD | size | BPF_ABS, at, ON, ON);
}

/* Is the MAC at byte @at @m? */
static void is_mac(struct program *p, unsigned at, const unsigned *m, int yes,
		   int no)
{
	load(p, BPF_W, at);
	add(p, BPF_JMP | BPF_JEQ, m[0] << 24 | m[1] << 16 | m[2] << 8 | m[3],
	    ON, no);
	load(p, BPF_H, at + 4);
	add(p, BPF_JMP | BPF_JEQ, m[4] << 8 | m[5], yes, no);
}

/* TCP with RST, or ICMP but for neighbour discovery. */
static void is_reset(struct program *p)
{
	unsigned v4;

	load(p, BPF_H, 12);
	v4 = p->n;
	add(p, BPF_JMP | BPF_JEQ, ETH_P_IP, 0, ON); /* over IPv6's, see below */
	add(p, BPF_JMP | BPF_JEQ, ETH_P_IPV6, ON, MISS);
	load(p, BPF_B, 20);
	add(p, BPF_JMP | BPF_JEQ, 58, ON, FIRST_OFFSET + 3);
	load(p, BPF_B, 54);
	add(p, BPF_JMP | BPF_JGE, 133, ON, HIT);
	add(p, BPF_JMP | BPF_JGT, 137, HIT, MISS);
	add(p, BPF_JMP | BPF_JEQ, 6, ON, MISS);
	load(p, BPF_B, 54 + 13);
	add(p, BPF_JMP | BPF_JSET, 4, HIT, MISS);
	p->f[v4].jt = (uint8_t)(FIRST_OFFSET + p->n - v4 - 1);
	load(p, BPF_B, 23);
	add(p, BPF_JMP | BPF_JEQ, 1, HIT, ON);
	add(p, BPF_JMP | BPF_JEQ, 6, ON, MISS);
	add(p, BPF_LDX | BPF_B | BPF_MSH, 14, ON, ON);
	add(p, BPF_LD | BPF_B | BPF_IND, 14 + 13, ON, ON);
	add(p, BPF_JMP | BPF_JSET, 4, HIT, MISS);
}

/* Put the two ends behind it, and point the jumps there. */
static void close_filter(struct program *p)
{
	unsigned miss = p->n;

	add(p, BPF_RET, 0, ON, ON);
	add(p, BPF_RET, SNAP, ON, ON);
	for (unsigned i = 0; i < miss; i++) {
		uint8_t *to[2] = { &p->f[i].jt, &p->f[i].jf };

		for (int k = 0; k < 2; k++)
			if (*to[k] == HIT)
				*to[k] = (uint8_t)(miss - i);
			else if (*to[k] == MISS)
				*to[k] = (uint8_t)(miss - i - 1);
			else if (*to[k] >= FIRST_OFFSET)
				*to[k] -= FIRST_OFFSET;
	}
}

static bool mac_of(const char *rule, const char *head, unsigned *m)
{
	size_t n = strlen(head);

	return strncmp(rule, head, n) == 0 &&
	       sscanf(rule + n, "%2x:%2x:%2x:%2x:%2x:%2x", &m[0], &m[1], &m[2],
		      &m[3], &m[4], &m[5]) == 6;
}

/* Writes the filter of @rule. Returns 0 or -EINVAL. */
static int make_filter(const char *rule, struct program *p)
{
	const unsigned ld_type = (unsigned)(SKF_AD_OFF + SKF_AD_PKTTYPE);
	unsigned m[6];

	p->n = 0;
	load(p, BPF_B, ld_type);
	if (!strcmp(rule, "out")) {
		add(p, BPF_JMP | BPF_JEQ, PACKET_OUTGOING, HIT, MISS);
	} else if (!strcmp(rule, "in")) {
		add(p, BPF_JMP | BPF_JEQ, PACKET_OUTGOING, MISS, HIT);
	} else {
		add(p, BPF_JMP | BPF_JEQ, PACKET_OUTGOING, MISS, ON);
		if (!strcmp(rule, "in:reset")) {
			is_reset(p);
		} else if (mac_of(rule, "in!=", m)) {
			is_mac(p, ETH_ALEN, m, MISS, HIT);
		} else if (mac_of(rule, "in=", m)) {
			is_mac(p, ETH_ALEN, m, HIT, MISS);
		} else if (mac_of(rule, "in!dst=", m)) {
			load(p, BPF_B, 0);
			add(p, BPF_JMP | BPF_JSET, 1, MISS, ON); /* a group */
			is_mac(p, 0, m, MISS, HIT);
		} else {
			return -EINVAL;
		}
	}
	close_filter(p);
	return 0;
}

/* Opens the watch @w of "IF:RULE". Returns 0 or -Exxx. */
static int watch_open(struct watch *w, const char *spec)
{
	struct program code;
	struct sock_fprog prog = { 0, code.f };
	struct sockaddr_ll at = { .sll_family = AF_PACKET,
				  .sll_protocol = htons(ETH_P_ALL) };
	char name[IF_NAMESIZE];
	const char *colon = strchr(spec, ':');
	int err;

	if (!colon || (size_t)(colon - spec) >= sizeof(name))
		return -EINVAL;
	memcpy(name, spec, (size_t)(colon - spec));
	name[colon - spec] = 0;
	err = make_filter(colon + 1, &code);
	if (err)
		return err;
	prog.len = (uint16_t)code.n;
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
		fprintf(stderr, "usage: isocount IF:RULE ..., see its head\n");
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
