/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ring_internal - What the files of a ring share
 */
#ifndef CAPTURE_RING_INTERNAL_H
#define CAPTURE_RING_INTERNAL_H

#include <linux/virtio_net.h>
#include <net/if.h>

#include "capture/ring.h"

#define VNET_LEN ((uint32_t)sizeof(struct virtio_net_hdr))

enum { LANE_SMALL, LANE_SUPER };

/* Where the slot (V3: block) that is read next begins. */
static inline uint8_t *slot_at(const struct ring_lane *l)
{
	return l->map + (size_t)l->cur * l->slot_size;
}

/* Ask @what of the interface by its number. Return: 0 or -Exxx */
int ring_ifreq(const struct ring *r, unsigned long what, struct ifreq *q);

/* Add what the kernel has counted for a socket since it was asked last. */
void ring_count(struct ring *r, int fd);

/* The former memory of lane @i is read empty: give it back. */
void ring_retire(struct ring *r, unsigned i);

/* Give a lane of @slot bytes a slot its memory. Return: 0 or -Exxx */
int ring_map(struct ring_lane *l, enum ring_version version, size_t bytes,
	     uint32_t slot);

/* Which frames a socket takes; none. Return: 0 or -Exxx */
int ring_attach(int fd, const struct sock_fprog *p);
int ring_shut(int fd);

void ring_lane_close(struct ring_lane *l);

/* Close @l, which was lane @i or was to be it, without waiting for the kernel.
 */
void ring_leave(struct ring *r, unsigned i, struct ring_lane *l);

/* End the thread of ring_watch(), if there is one. */
void ring_unwatch(struct ring *r);

#endif /* CAPTURE_RING_INTERNAL_H */
