/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mangle - A mirror that repeats and swaps frames
 *
 *   mangle IN OUT [dup=PERMILLE] [swap=PERMILLE,DISTANCE] [seed=N]
 *
 * Every frame that comes in by IN goes out by OUT. Of each thousand, so many are
 * sent twice, and so many are held back until 1 to DISTANCE later frames (equally
 * often) have gone out; one at a time is held, and none longer than HOLD_NS. A
 * frame's virtio header goes with it, so super-frames stay whole.
 *
 * Prints "ready", and on SIGTERM or SIGINT what it did: "frames N dup N swap N
 * lost N"; lost are frames that the kernel could not give or take.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define FRAME_ROOM (80u * 1024)
#define HOLD_NS	   2000000
#define BUFFER	   (64 << 20)

static volatile sig_atomic_t stop;

struct mangle {
	int in;
	int out;
	unsigned dup;
	unsigned swap;
	unsigned distance;
	uint64_t rng;
	unsigned long frames, dups, swaps, lost;
	uint8_t held[FRAME_ROOM];
	size_t held_len;
	unsigned held_for; /* frames that still go first */
	uint64_t held_since;
};

static void on_signal(int sig)
{
	(void)sig;
	stop = 1;
}

static uint64_t clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* xorshift64 (Marsaglia 2003). Return: less than @n */
static unsigned draw(struct mangle *m, unsigned n)
{
	m->rng ^= m->rng << 13;
	m->rng ^= m->rng >> 7;
	m->rng ^= m->rng << 17;
	return (unsigned)((m->rng >> 32) % n);
}

static int wire(const char *name)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET,
				  .sll_protocol = htons(ETH_P_ALL),
				  .sll_ifindex = (int)if_nametoindex(name) };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	int one = 1;
	int size = BUFFER;

	if (fd < 0 || at.sll_ifindex == 0 ||
	    setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof(one)) ||
	    setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one,
		       sizeof(one)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) ||
	    bind(fd, (struct sockaddr *)&at, sizeof(at))) {
		fprintf(stderr, "mangle: %s: %s\n", name, strerror(errno));
		exit(2);
	}
	return fd;
}

static void put(struct mangle *m, const uint8_t *p, size_t len)
{
	if (send(m->out, p, len, 0) != (ssize_t)len)
		m->lost++;
}

static void let_go(struct mangle *m)
{
	if (m->held_len == 0)
		return;
	put(m, m->held, m->held_len);
	m->held_len = 0;
}

static void frame(struct mangle *m, const uint8_t *p, size_t len)
{
	m->frames++;
	if (m->held_len == 0 && draw(m, 1000) < m->swap) {
		memcpy(m->held, p, len);
		m->held_len = len;
		m->held_for = 1 + draw(m, m->distance);
		m->held_since = clock_ns();
		m->swaps++;
		return;
	}
	put(m, p, len);
	if (draw(m, 1000) < m->dup) {
		put(m, p, len);
		m->dups++;
	}
	if (m->held_len > 0 && --m->held_for == 0)
		let_go(m);
}

static void options(struct mangle *m, char **word)
{
	unsigned long seed = 1;

	m->distance = 1;
	for (; *word; word++)
		if (sscanf(*word, "dup=%u", &m->dup) != 1 &&
		    sscanf(*word, "swap=%u,%u", &m->swap, &m->distance) != 2 &&
		    sscanf(*word, "seed=%lu", &seed) != 1) {
			fprintf(stderr, "mangle: %s?\n", *word);
			exit(2);
		}
	m->rng = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
}

static void run(struct mangle *m)
{
	static uint8_t buf[FRAME_ROOM];
	struct pollfd p = { .fd = m->in, .events = POLLIN };

	while (!stop) {
		ssize_t n =
			recv(m->in, buf, sizeof(buf), MSG_DONTWAIT | MSG_TRUNC);

		if (n > (ssize_t)sizeof(buf))
			m->lost++;
		else if (n > 0)
			frame(m, buf, (size_t)n);
		else
			poll(&p, 1, 1);
		if (m->held_len > 0 && clock_ns() - m->held_since >= HOLD_NS)
			let_go(m);
	}
	let_go(m);
}

int main(int argc, char **argv)
{
	static struct mangle m;
	struct sigaction act = { .sa_handler = on_signal };
	struct tpacket_stats st = { 0 };
	socklen_t len = sizeof(st);

	if (argc < 3) {
		fprintf(stderr, "usage: mangle IN OUT [dup=N] [swap=N,D]\n");
		return 2;
	}
	options(&m, argv + 3);
	m.in = wire(argv[1]);
	m.out = wire(argv[2]);
	sigaction(SIGTERM, &act, NULL);
	sigaction(SIGINT, &act, NULL);
	printf("ready\n");
	fflush(stdout);
	run(&m);
	if (getsockopt(m.in, SOL_PACKET, PACKET_STATISTICS, &st, &len) == 0)
		m.lost += st.tp_drops;
	printf("frames %lu dup %lu swap %lu lost %lu\n", m.frames, m.dups,
	       m.swaps, m.lost);
	return 0;
}
