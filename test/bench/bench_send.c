/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench_send.c - Bare emitters: the least that each way of sending costs
 *
 * usage: bench_send send|sendmmsg|xdp|live DEV CAPTURE FRAMES
 *
 * No pacing, no statistics, no order across interfaces, no errors but fatal
 * ones: the frames of a capture (at most BARE_FRAMES, loaded first) again and
 * again, until at least FRAMES have left. Every emitter is a loop of its own that
 * shares no code with the engines of `understudy send`. Prints one line:
 * nanoseconds of this process's processor time a frame.
 */
#include <assert.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_packet.h>
#include <linux/if_xdp.h>
#include <net/if.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "capture/file.h"
#include "os/usage.h"

#define BARE_FRAMES 4096
#define BATCH	    64

/* One frame of the capture. */
struct bare {
	uint8_t *data;
	uint32_t len;
};

static struct bare frame[BARE_FRAMES];
static size_t frames;

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
		frame[frames++] = (struct bare){ copy, info.cap };
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
		const struct bare *f = &frame[i % frames];

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

	assert(frames > 0);
	for (size_t i = 0; i < frames; i++) {
		iov[i].iov_base = frame[i].data;
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

/* --- AF_XDP --- */

#define CHUNKS	   2048u /* of memory shared with the kernel, and ring entries */
#define CHUNK_LEN  2048u
#define BIND_TRIES 20

/* The two rings: producer, consumer, entries. */
struct bare_ring {
	_Atomic uint32_t *producer;
	_Atomic uint32_t *consumer;
	void *entries;
};

static int xdp_ring(struct bare_ring *r, int fd, off_t where,
		    const struct xdp_ring_offset *o, size_t entry)
{
	uint8_t *m =
		mmap(NULL, o->desc + CHUNKS * entry, PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_POPULATE, fd, where);

	if (m == MAP_FAILED)
		return -errno;
	r->producer = (void *)(m + o->producer);
	r->consumer = (void *)(m + o->consumer);
	r->entries = m + o->desc;
	return 0;
}

static int xdp_socket(const char *dev, uint8_t **umem, struct bare_ring *tx,
		      struct bare_ring *done)
{
	struct sockaddr_xdp a = { .sxdp_family = AF_XDP,
				  .sxdp_ifindex = if_nametoindex(dev),
				  .sxdp_flags = XDP_COPY };
	struct xdp_umem_reg reg = { .len = CHUNKS * CHUNK_LEN,
				    .chunk_size = CHUNK_LEN };
	struct xdp_mmap_offsets off;
	socklen_t size = sizeof(off);
	uint32_t n = CHUNKS;
	uint32_t budget = 256;
	int fd = socket(AF_XDP, SOCK_RAW, 0);

	*umem = mmap(NULL, reg.len, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	reg.addr = (uint64_t)(uintptr_t)*umem;
	if (fd < 0 || *umem == MAP_FAILED ||
	    setsockopt(fd, SOL_XDP, XDP_UMEM_REG, &reg, sizeof(reg)) ||
	    setsockopt(fd, SOL_XDP, XDP_UMEM_FILL_RING, &n, sizeof(n)) ||
	    setsockopt(fd, SOL_XDP, XDP_UMEM_COMPLETION_RING, &n, sizeof(n)) ||
	    setsockopt(fd, SOL_XDP, XDP_TX_RING, &n, sizeof(n)) ||
	    getsockopt(fd, SOL_XDP, XDP_MMAP_OFFSETS, &off, &size) ||
	    xdp_ring(tx, fd, XDP_PGOFF_TX_RING, &off.tx,
		     sizeof(struct xdp_desc)) ||
	    xdp_ring(done, fd, (off_t)XDP_UMEM_PGOFF_COMPLETION_RING, &off.cr,
		     sizeof(uint64_t)))
		return -1;
	/* The kernel lets go of the last run's socket a while later. */
	for (int i = 0; bind(fd, (const struct sockaddr *)&a, sizeof(a)); i++) {
		if (errno != EBUSY || i == BIND_TRIES)
			return -1;
		usleep(10000);
	}
	/* As many frames a call as may be; before Linux 6.17 they are 32. */
	(void)setsockopt(fd, SOL_XDP, 9, &budget, sizeof(budget));
	return fd;
}

static int bare_xdp(const char *dev, uint64_t n)
{
	struct bare_ring tx = { 0 }, done = { 0 };
	uint8_t *umem;
	int fd = xdp_socket(dev, &umem, &tx, &done);
	struct xdp_desc *d = tx.entries;
	uint32_t put = 0;

	if (fd < 0)
		return -errno;
	for (uint64_t i = 0; i < n;) {
		uint32_t last = put + BATCH;

		for (; put != last; put++, i++) {
			const struct bare *f = &frame[i % frames];
			uint32_t at = put % CHUNKS;

			memcpy(umem + (size_t)at * CHUNK_LEN, f->data, f->len);
			d[at].addr = (uint64_t)at * CHUNK_LEN;
			d[at].len = f->len;
		}
		atomic_store(tx.producer, put);
		while (atomic_load(tx.consumer) != put ||
		       put - atomic_load(done.producer) > CHUNKS - BATCH)
			if (sendto(fd, NULL, 0, MSG_DONTWAIT, NULL, 0) < 0 &&
			    errno != EAGAIN && errno != EBUSY)
				return -errno;
		atomic_store(done.consumer, atomic_load(done.producer));
	}
	return 0;
}

/* --- live frames --- */

/* As in test/net/barelive.bpf.c */
struct bare_slot {
	uint32_t len;
	uint8_t data[2048];
};

static int bare_live(const char *self, const char *dev, uint64_t n)
{
	static struct bare_slot slot;
	uint32_t state[3] = { if_nametoindex(dev), (uint32_t)frames, 0 };
	struct xdp_md ctx = { .data_end = 64, .ingress_ifindex = state[0] };
	uint8_t first[64] = { 0 };
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = first,
		    .data_size_in = sizeof(first), .ctx_in = &ctx,
		    .ctx_size_in = sizeof(ctx), .repeat = (int)n,
		    .batch_size = BATCH, .flags = BPF_F_TEST_XDP_LIVE_FRAMES);
	const char *slash = strrchr(self, '/');
	struct bpf_object *obj;
	char path[4096];
	uint32_t key = 0;
	int map;

	snprintf(path, sizeof(path), "%.*s/barelive.bpf.o",
		 slash ? (int)(slash - self) : 1, slash ? self : ".");
	obj = bpf_object__open_file(path, NULL);
	if (!obj || bpf_object__load(obj))
		return -errno;
	map = bpf_object__find_map_fd_by_name(obj, "bare_state");
	if (bpf_map_update_elem(map, &key, state, BPF_ANY))
		return -errno;
	map = bpf_object__find_map_fd_by_name(obj, "bare_frames");
	for (; key < frames; key++) {
		if (frame[key].len >= sizeof(slot.data))
			return -EMSGSIZE;
		slot.len = frame[key].len;
		memcpy(slot.data, frame[key].data, slot.len);
		if (bpf_map_update_elem(map, &key, &slot, BPF_ANY))
			return -errno;
	}
	return bpf_prog_test_run_opts(
		bpf_program__fd(bpf_object__find_program_by_name(obj, "bare")),
		&o);
}

int main(int argc, char **argv)
{
	uint64_t n = argc == 5 ? strtoull(argv[4], NULL, 10) : 0;
	uint64_t cpu;
	int rc = -EINVAL;

	if (n == 0 || n > INT32_MAX || load(argv[3]) < 0 || frames == 0) {
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
		rc = bare_xdp(argv[2], n);
	else if (strcmp(argv[1], "live") == 0)
		rc = bare_live(argv[0], argv[2], n);
	if (rc)
		fprintf(stderr, "%s: %s\n", argv[1], strerror(-rc));
	printf("%.1f\n", (double)(usage_cpu() - cpu) / (double)n);
	return rc ? 1 : 0;
}
