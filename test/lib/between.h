/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * between.h - Two interfaces, and a program between them
 *
 * Every frame that comes in by one is handed to a function, with its virtio
 * header, until SIGTERM or SIGINT. Of each program there is one, so what stands
 * here is static.
 */
#ifndef TEST_LIB_BETWEEN_H
#define TEST_LIB_BETWEEN_H

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
#include <unistd.h>

#define FRAME_ROOM     (80u * 1024)
#define BETWEEN_BUFFER (64 << 20)

static volatile sig_atomic_t between_stop;

/* struct between - What a program makes of frames; @ctx is handed back
 * @in, @out:	Sockets; @lost: Frames that the kernel could not give
 * @frame:	One has come, @len bytes
 * @idle:	Called after each frame, and each ms without one; or NULL
 */
struct between {
	int in;
	int out;
	unsigned long lost;
	void *ctx;
	void (*frame)(void *ctx, uint8_t *p, size_t len);
	void (*idle)(void *ctx);
};

static void between_on_signal(int sig)
{
	(void)sig;
	between_stop = 1;
}

/* A packet socket on @name; @vnet: frames have a virtio header. Ends the
 * program if there cannot be one.
 */
static int between_wire(const char *name, bool vnet)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET,
				  .sll_protocol = htons(ETH_P_ALL),
				  .sll_ifindex = (int)if_nametoindex(name) };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	int one = 1;
	int size = BETWEEN_BUFFER;

	if (fd < 0 || at.sll_ifindex == 0 ||
	    (vnet &&
	     setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof(one))) ||
	    setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one,
		       sizeof(one)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) ||
	    bind(fd, (struct sockaddr *)&at, sizeof(at))) {
		fprintf(stderr, "%s: %s\n", name, strerror(errno));
		exit(2);
	}
	return fd;
}

static void between_loop(struct between *b)
{
	static uint8_t buf[FRAME_ROOM];
	struct pollfd p = { .fd = b->in, .events = POLLIN };

	while (!between_stop) {
		ssize_t n =
			recv(b->in, buf, sizeof(buf), MSG_DONTWAIT | MSG_TRUNC);

		if (n > (ssize_t)sizeof(buf))
			b->lost++;
		else if (n > (ssize_t)sizeof(struct virtio_net_hdr))
			b->frame(b->ctx, buf, (size_t)n);
		else
			poll(&p, 1, 1);
		if (b->idle != NULL)
			b->idle(b->ctx);
	}
}

/* Prints "ready", and returns at a signal, with all @b->lost counted. */
static void between_run(struct between *b)
{
	struct sigaction act = { .sa_handler = between_on_signal };
	struct tpacket_stats st = { 0 };
	socklen_t len = sizeof(st);

	sigaction(SIGTERM, &act, NULL);
	sigaction(SIGINT, &act, NULL);
	printf("ready\n");
	fflush(stdout);
	between_loop(b);
	if (getsockopt(b->in, SOL_PACKET, PACKET_STATISTICS, &st, &len) == 0)
		b->lost += st.tp_drops;
}

#endif
