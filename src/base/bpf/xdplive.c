/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xdplive.c - Frames that the kernel makes itself, from a shared ring
 */
#include "bpf/xdplive.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bpf/live_frames.skel.h"

#define LIVE_BATCH 64

/* libbpf writes what went wrong to stderr by itself; libraries are silent. */
static int print_nothing(enum libbpf_print_level level, const char *fmt,
			 va_list ap)
{
	(void)level;
	(void)fmt;
	(void)ap;
	return 0;
}

/* Map an array; the kernel rounds its length up to a page itself. */
static void *map_array(const struct bpf_map *m, size_t len)
{
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED,
		       bpf_map__fd(m), 0);

	return p == MAP_FAILED ? NULL : p;
}

int xdplive_open(struct xdplive *l, const int *ifindex, unsigned n,
		 struct errbuf *e)
{
	struct xdplive v = { .skel = NULL };
	int rc = 0;

	libbpf_set_print(print_nothing);
	v.skel = live_frames__open_and_load();
	if (!v.skel)
		return errbuf_set(e, -errno, "live frames: %s",
				  strerror(errno));
	v.prog = bpf_program__fd(v.skel->progs.live);
	v.ifindex = ifindex[0];
	v.slot = map_array(v.skel->maps.live_slots,
			   sizeof(*v.slot) * LIVE_SLOTS);
	v.control = map_array(v.skel->maps.live_control, sizeof(*v.control));
	if (!v.slot || !v.control)
		rc = -errno;
	for (unsigned i = 0; i < n && rc == 0; i++)
		v.control->ifindex[i] = (uint32_t)ifindex[i];
	if (rc == 0)
		rc = xdplive_test(&v);
	if (rc) {
		xdplive_close(&v);
		return errbuf_set(e, rc, "live frames: %s", strerror(-rc));
	}
	*l = v;
	return 0;
}

void xdplive_close(struct xdplive *l)
{
	if (l->slot)
		munmap(l->slot, sizeof(*l->slot) * LIVE_SLOTS);
	if (l->control)
		munmap(l->control, sizeof(*l->control));
	if (l->skel)
		live_frames__destroy(l->skel);
	memset(l, 0, sizeof(*l));
}

static int run(const struct xdplive *l, uint32_t times, uint32_t flags)
{
	uint8_t frame[64] = { 0 };
	struct xdp_md ctx = { .data_end = sizeof(frame),
			      .ingress_ifindex = (uint32_t)l->ifindex };
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = frame,
		    .data_size_in = sizeof(frame), .repeat = (int)times,
		    .flags = flags);

	if (flags) {
		o.ctx_in = &ctx;
		o.ctx_size_in = sizeof(ctx);
		o.batch_size = LIVE_BATCH;
	}
	return bpf_prog_test_run_opts(l->prog, &o);
}

int xdplive_test(const struct xdplive *l)
{
	/* The ring is empty: one live frame is made and dropped. */
	return run(l, 1, BPF_F_TEST_XDP_LIVE_FRAMES);
}

int xdplive_run(const struct xdplive *l, uint32_t times)
{
	return run(l, times, BPF_F_TEST_XDP_LIVE_FRAMES);
}
