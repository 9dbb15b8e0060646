/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/*
 * live_ring - What the program of live frames and its feeder share
 *
 * Included by both sides: only types of linux/types.h.
 */
#ifndef BPF_LIVE_RING_H
#define BPF_LIVE_RING_H

#include <linux/types.h>

#define LIVE_SLOTS    8192u /* a power of two */
#define LIVE_SLOT     2048u
#define LIVE_DATA_MAX (LIVE_SLOT - 8u)
#define LIVE_PORTS    2u

/** struct live_slot - A frame */
struct live_slot {
	__u32 len;
	__u32 port;
	__u8 data[LIVE_DATA_MAX];
};

/**
 * struct live_control - Who is where; each side writes a cache line of its own
 * @tail:	Frames put in so far; written by the feeder
 * @wrap:	0: the ring; else the first @wrap slots again and again, @tail
 *		in all; written by the feeder while nothing runs
 * @ifindex:	Interfaces
 * @head:	Frames taken so far; written by the program
 * @seen:	@tail when the program last looked
 * @at:		Slot of the next frame, with @wrap
 * @bad:	Frames that the program could not make
 */
struct live_control {
	__u64 tail;
	__u64 wrap;
	__u32 ifindex[LIVE_PORTS];
	__u64 pad0[5];
	__u64 head;
	__u64 seen;
	__u64 at;
	__u64 bad;
	__u64 pad1[4];
};

#endif /* BPF_LIVE_RING_H */
