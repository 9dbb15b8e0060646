/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ring - Frames of an interface through a ring shared with the kernel
 *
 * The theory is in ring.c. Opening needs CAP_NET_RAW (and CAP_NET_ADMIN for the
 * size of the queue of super-frames); using it needs nothing.
 */
#ifndef CAPTURE_RING_H
#define CAPTURE_RING_H

#include <linux/filter.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/counters.h"
#include "os/errbuf.h"
#include "wire/decode.h"

#define RING_MIRROR_LEAST (8u << 20)  /* V2: until more is needed */
#define RING_MIRROR_BYTES (32u << 20) /* V2: more costs more than it saves */
#define RING_SUT_LEAST	  (2u << 20)
#define RING_SUT_BYTES	  (8u << 20)  /* what is lost here TCP sends again */
#define RING_V3_BYTES	  (16u << 20) /* 1 MB lost frames */
#define RING_SUPER_FACTOR 4	      /* V2: room for super-frames, in sizes */
#define RING_LANES	  2	      /* sockets that frames come by, at most */
#define RING_FDS	  (2 * RING_LANES) /* descriptors, with the spare ones */

enum ring_version {
	RING_V2 = 2, /* a frame at a time: about 20 us from kernel to us */
	RING_V3 = 3, /* a block at a time: about 1 ms, far fewer wake-ups */
};

/**
 * struct ring_opts - How to open a ring
 * @ifname:	Interface
 * @version:	RING_V2 or RING_V3
 * @bytes:	Size; 0: RING_MIRROR_BYTES or RING_V3_BYTES. Rounded down to
 *		whole blocks of 64 KB (V2) or 256 KB (V3). V2 takes another
 *		RING_SUPER_FACTOR times as much for super-frames
 * @most:	V2: the size that ring_grow() may give it; 0: it stays at @bytes
 * @promisc:	Take frames for any hardware address while this ring is open
 * @outgoing:	Also frames that the host sends (in-host capture)
 * @filter:	Classic BPF program, NULL: everything. The kernel sees frames
 *		without their outermost VLAN tag
 */
struct ring_opts {
	const char *ifname;
	enum ring_version version;
	size_t bytes;
	size_t most;
	bool promisc;
	bool outgoing;
	const struct sock_fprog *filter;
};

/**
 * struct ring_frame - A frame, borrowed until ring_done()
 * @info:	For frame_decode(); gso and csum_ok as the kernel told them
 * @vlan_tci, @vlan_tpid: Outermost VLAN tag, which the kernel took out of the
 *		frame; valid if @has_vlan
 * @outgoing:	The host sent it
 */
struct ring_frame {
	struct frame_info info;
	uint16_t vlan_tci;
	uint16_t vlan_tpid;
	bool has_vlan;
	bool outgoing;
};

#define RING_COUNTERS(X, T)                                                    \
	X(T, offered, "", "frames that passed the filter, dropped or not")     \
	X(T, drops, "", "of these, lost because there was no room")            \
	X(T, freezes, "", "V3: times that the ring was full")                  \
	X(T, frames, "", "frames handed out")                                  \
	X(T, bytes, "bytes", "their length on the wire")                       \
	X(T, whole, "", "frames longer than any slot, fetched whole")          \
	X(T, cut, "", "frames handed out shorter than on the wire")            \
	X(T, grown, "", "lanes that got their larger memory")                  \
	X(T, not_grown, "", "lanes for which there was none")

/** struct ring_stats - Counters since the ring was opened */
struct ring_stats {
	RING_COUNTERS(COUNTER_MEMBER, )
};

/** ring_counter_list - Their names and what they are */
extern const struct counter_list ring_counter_list;

enum ring_state {
	RING_UP,
	RING_DOWN, /* set down or no carrier; frames come again once it is up */
	RING_GONE, /* the interface does not exist any more */
};

/** struct ring_lane - One socket and its memory; private */
struct ring_lane {
	int fd;
	uint32_t slots;	    /* V2: frame slots; V3: blocks */
	uint32_t slot_size; /* bytes of each */
	uint32_t cur;
	uint8_t *map;
	size_t map_bytes;
};

/** struct ring - An open ring; private */
struct ring {
	struct ring_lane lane[RING_LANES]; /* V2: small frames, super-frames */
	unsigned lanes;
	struct ring_lane *out;		    /* V2: whose frame is out */
	struct ring_lane spare[RING_LANES]; /* what a lane becomes */
	unsigned spares;
	bool grown[RING_LANES];		      /* it has, or could not */
	struct ring_lane former[RING_LANES];  /* what it was, if mapped */
	struct sock_fprog filter[RING_LANES]; /* V2: the lanes' */
	size_t most;
	int ifindex;
	enum ring_version version;
	uint32_t left;	/* V3: frames left in the open block */
	uint32_t off;	/* V3: next one, in the block */
	uint8_t *whole; /* where what no slot holds is fetched to */
	struct ring_stats stats;
	struct ring_grower *grower; /* ring_grow.c */
};

/**
 * ring_open() - Open a ring and start capturing
 * @r:		Set on success
 * @o:		Options
 * @e:		Sentence on failure
 *
 * Return: 0, or -ENODEV, -EPERM, -EINVAL, -ENOTSUP (not Ethernet) or another
 * -Exxx
 */
int ring_open(struct ring *r, const struct ring_opts *o, struct errbuf *e);

/** ring_close() - Close it; a ring of zeroes is left alone */
void ring_close(struct ring *r);

/**
 * ring_poll() - What to poll to hear of the next frame
 * @pf:		Filled in, for reading; POLLERR: ask ring_state()
 *
 * Return: how many, at most RING_LANES
 */
unsigned ring_poll(const struct ring *r, struct pollfd *pf);

/**
 * ring_fds() - All of its descriptors: what the sandbox must know of
 * @fd:		Filled in; room for RING_FDS
 *
 * Return: how many
 */
unsigned ring_fds(const struct ring *r, int *fd);

/**
 * ring_watch() - Have a thread find the memory of lanes that grow
 *
 * @r stays where it is from then on. To be called when privileges are dropped,
 * and before threads may no longer be made. Return: 0 or -Exxx
 */
int ring_watch(struct ring *r);

/**
 * ring_grow() - Give a lane that fills its larger memory, if it may have one
 *
 * To be called between two frames (none is out), often: it costs a look at one
 * slot a lane. Without ring_watch() finding the memory takes 50 to 250 ms,
 * once.
 *
 * Return: RING_GREW, a lane has grown, its poll descriptor is another one now;
 * RING_NOT_GROWN, there is no memory for one
 */
#define RING_GREW      1u
#define RING_NOT_GROWN 2u
unsigned ring_grow(struct ring *r);

/** ring_wait() - Wait for a frame, at most @ms milliseconds */
void ring_wait(const struct ring *r, int ms);

/**
 * ring_next() - Take the next frame
 *
 * The one before must have been given back. Return: false if none waits
 */
bool ring_next(struct ring *r, struct ring_frame *f);

/** ring_done() - Give the frame of the last ring_next() back to the kernel */
void ring_done(struct ring *r);

/** ring_stats() - Read the counters; asks the kernel, so not for each frame */
const struct ring_stats *ring_stats(struct ring *r);

/** ring_state() - Ask how the interface is; also clears a waiting POLLERR */
enum ring_state ring_state(const struct ring *r);

/** ring_mac() - Hardware address of the interface. Return: 0 or -Exxx */
int ring_mac(const struct ring *r, uint8_t mac[6]);

#endif /* CAPTURE_RING_H */
