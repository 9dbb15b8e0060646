/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xdplive - Frames that the kernel makes itself, from a ring in shared memory
 *
 * BPF_PROG_RUN with BPF_F_TEST_XDP_LIVE_FRAMES (Linux 5.18) runs an XDP program
 * over pages of its own and sends what the program redirects. Opening needs
 * CAP_BPF and CAP_NET_ADMIN; running needs them too before Linux 6.4.
 */
#ifndef BPF_XDPLIVE_H
#define BPF_XDPLIVE_H

#include <stdint.h>

#include "bpf/live_ring.h"
#include "os/errbuf.h"

/** struct xdplive - The loaded program; private but for the shared memory */
struct xdplive {
	struct live_frames *skel;
	int prog;
	int ifindex;
	struct live_slot *slot; /* LIVE_SLOTS of them */
	struct live_control *control;
};

/**
 * xdplive_open() - Load the program and map its memory
 * @ifindex, @n: Interfaces, 1 to LIVE_PORTS
 *
 * Return: 0, or -EPERM, -EOPNOTSUPP or another -Exxx
 */
int xdplive_open(struct xdplive *l, const int *ifindex, unsigned n,
		 struct errbuf *e);

/** xdplive_close() - Unload it; a zeroed one is left alone */
void xdplive_close(struct xdplive *l);

/** xdplive_test() - May we run it (still)? Sends nothing. Return: 0 or -Exxx */
int xdplive_test(const struct xdplive *l);

/**
 * xdplive_run() - Run it @times over; does not come back sooner unless a signal
 * is caught
 *
 * Return: 0, -EINTR, or another -Exxx
 */
int xdplive_run(const struct xdplive *l, uint32_t times);

#endif /* BPF_XDPLIVE_H */
