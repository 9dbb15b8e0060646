/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * delay_line.c - Two devices are one wire, on which each frame takes its time
 *
 *	delay_line DEV DEV MS LOST
 *
 * For kernels without netem. LOST of 1000 frames are lost, drawn by a fixed seed. The
 * others stay in order; a direction holds QUEUE of them, and what comes then is lost,
 * too. Offloads must be off. Runs until it is killed.
 */
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "core/rng.h"

#define QUEUE 8192u
#define FRAME 1600u
#define MS    1000000ll /* ns */

struct buf {
	int64_t due;
	size_t len;
	uint8_t b[FRAME];
};

struct line {
	int in, out;
	unsigned head, tail; /* frames taken, and sent */
	struct buf *q;
};

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 * MS + t.tv_nsec;
}

static int open_device(const char *name)
{
	struct sockaddr_ll a = { .sll_family = AF_PACKET,
				 .sll_protocol = htons(ETH_P_ALL),
				 .sll_ifindex = (int)if_nametoindex(name) };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, 0);
	int size = 8 << 20;
	int on = 1;

	setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) != 0) {
		perror(name);
		exit(1);
	}
	return fd;
}

static void take(struct line *l, int64_t delay, uint32_t lost)
{
	static struct rng rng = { 1 };
	uint8_t b[FRAME];
	ssize_t n;

	while ((n = recv(l->in, b, sizeof(b), 0)) > 0) {
		struct buf *f = &l->q[l->head % QUEUE];

		if (l->head - l->tail == QUEUE || rng_below(&rng, 1000) < lost)
			continue;
		f->due = now() + delay;
		f->len = (size_t)n;
		memcpy(f->b, b, f->len);
		l->head++;
	}
}

/* Send what is due. Return: when the next one is, INT64_MAX: there is none */
static int64_t give(struct line *l)
{
	for (; l->tail != l->head; l->tail++) {
		struct buf *f = &l->q[l->tail % QUEUE];

		if (f->due > now())
			return f->due;
		send(l->out, f->b, f->len, 0);
	}
	return INT64_MAX;
}

int main(int argc, char **argv)
{
	struct pollfd p[3];
	static struct buf queue[2][QUEUE];
	struct line l[2];
	uint32_t lost;
	int64_t delay;
	int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);

	if (argc != 5)
		return 2;
	delay = atoi(argv[3]) * MS;
	lost = (uint32_t)atoi(argv[4]);
	for (int i = 0; i < 2; i++)
		l[i] = (struct line){ .in = open_device(argv[1 + i]),
				      .q = queue[i] };
	if (timer < 0)
		return 1;
	l[0].out = l[1].in;
	l[1].out = l[0].in;
	for (int i = 0; i < 3; i++)
		p[i] = (struct pollfd){ .fd = i < 2 ? l[i].in : timer,
					.events = POLLIN };
	for (;;) {
		int64_t a = give(&l[0]);
		int64_t b = give(&l[1]);
		int64_t at = a < b ? a : b;
		struct itimerspec t = { .it_value = { .tv_nsec = 0 } };

		if (at != INT64_MAX)
			t.it_value =
				(struct timespec){ .tv_sec = at / (1000 * MS),
						   .tv_nsec =
							   at % (1000 * MS) };
		timerfd_settime(timer, TFD_TIMER_ABSTIME, &t, NULL);
		poll(p, 3, -1);
		take(&l[0], delay, lost);
		take(&l[1], delay, lost);
	}
}
