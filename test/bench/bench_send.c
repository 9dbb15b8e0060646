/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench_send.c - Bare emitters: the least that each way of sending costs
 *
 * usage: bench_send sendmmsg|send DEV CAPTURE FRAMES
 *        bench_send xdp DEV CAPTURE FRAMES
 *        bench_send live DEV CAPTURE FRAMES
 *
 * No pacing, no statistics, no order across interfaces, no errors but fatal
 * ones: the frames of a capture (at most BARE_FRAMES, loaded first) again and
 * again. sendmmsg and send are loops of their own here; xdp and live share the
 * engine's kernel interface and leave out all that `understudy send` puts round
 * it. Prints one line: nanoseconds of this process's processor time a frame.
 */
#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "capture/file.h"
#include "emit/xmit.h"
#include "os/usage.h"

#define BARE_FRAMES 4096
#define BATCH	    64

static struct xmit_frame frame[BARE_FRAMES];
static size_t frames;
static volatile sig_atomic_t stop;

static int load(const char *path)
{
	static struct capture_file f;
	struct frame_info info;
	struct errbuf e = { "" };
	int rc = file_open(&f, path, &e);

	while (rc == 0 && frames < BARE_FRAMES) {
		uint8_t *copy;

		rc = file_next(&f, &info, &e);
		if (rc <= 0)
			break;
		copy = malloc(info.cap);
		if (!copy)
			return -ENOMEM;
		memcpy(copy, info.data, info.cap);
		frame[frames++] =
			(struct xmit_frame){ .data = copy, .len = info.cap };
		rc = 0;
	}
	file_close(&f);
	if (rc < 0)
		fprintf(stderr, "%s\n", e.s);
	return rc;
}

static int packet_socket(const char *dev)
{
	struct sockaddr_ll a = { .sll_family = AF_PACKET,
				 .sll_ifindex = (int)if_nametoindex(dev) };
	int fd = socket(AF_PACKET, SOCK_RAW, 0);
	int one = 1;

	if (fd < 0 ||
	    setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one,
		       sizeof(one)) ||
	    bind(fd, (const struct sockaddr *)&a, sizeof(a)))
		return -1;
	return fd;
}

static int bare_send(const char *dev, uint64_t n)
{
	int fd = packet_socket(dev);

	for (uint64_t i = 0; i < n; i++) {
		const struct xmit_frame *f = &frame[i % frames];

		if (send(fd, f->data, f->len, 0) < 0)
			return -errno;
	}
	return 0;
}

static int bare_sendmmsg(const char *dev, uint64_t n)
{
	static struct mmsghdr mm[BARE_FRAMES];
	static struct iovec iov[BARE_FRAMES];
	int fd = packet_socket(dev);

	for (size_t i = 0; i < frames; i++) {
		iov[i].iov_base = (void *)(uintptr_t)frame[i].data;
		iov[i].iov_len = frame[i].len;
		mm[i].msg_hdr.msg_iov = &iov[i];
		mm[i].msg_hdr.msg_iovlen = 1;
	}
	for (uint64_t done = 0, at = 0; done < n;) {
		unsigned k =
			frames - at < BATCH ? (unsigned)(frames - at) : BATCH;
		int r = sendmmsg(fd, mm + at, k, 0);

		if (r <= 0)
			return -errno;
		done += (uint64_t)r;
		at = (at + (uint64_t)r) % frames;
	}
	return 0;
}

static int bare_engine(const char *dev, uint64_t n, bool live)
{
	struct xmit_opts o = { .ports = 1, .stop = &stop };
	struct errbuf e = { "" };
	struct xmit *x = NULL;
	int rc = device_ask(&o.dev[0], dev, &e);

	if (rc == 0)
		rc = live ? xmit_live_open(&x, &o, &e)
			  : xmit_xdp_open(&x, &o, &e);
	for (uint64_t done = 0; rc == 0 && done < n; done += frames)
		rc = xmit_send(x, frame, frames);
	if (rc == 0)
		rc = xmit_flush(x);
	if (rc)
		fprintf(stderr, "%s\n", e.s);
	xmit_close(x);
	return rc;
}

int main(int argc, char **argv)
{
	uint64_t n = argc == 5 ? strtoull(argv[4], NULL, 10) : 0;
	uint64_t cpu;
	int rc = -EINVAL;

	if (n == 0 || load(argv[3]) < 0 || frames == 0) {
		fprintf(stderr,
			"usage: bench_send send|sendmmsg|xdp|live DEV CAPTURE "
			"FRAMES\n");
		return 2;
	}
	cpu = usage_cpu();
	if (strcmp(argv[1], "send") == 0)
		rc = bare_send(argv[2], n);
	else if (strcmp(argv[1], "sendmmsg") == 0)
		rc = bare_sendmmsg(argv[2], n);
	else if (strcmp(argv[1], "xdp") == 0)
		rc = bare_engine(argv[2], n, false);
	else if (strcmp(argv[1], "live") == 0)
		rc = bare_engine(argv[2], n, true);
	printf("%.1f\n", (double)(usage_cpu() - cpu) / (double)n);
	return rc ? 1 : 0;
}
