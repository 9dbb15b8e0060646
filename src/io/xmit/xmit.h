/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xmit - Whole frames out of one or two interfaces, whatever carries them
 *
 * One face for all engines of `understudy send`. Unlike a sink (sink.h), which
 * refuses what is not on its list, an engine sends any bytes to anybody: what
 * makes it safe is that its interfaces belong to nobody else, which the command
 * asks first.
 */
#ifndef XMIT_XMIT_H
#define XMIT_XMIT_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "os/errbuf.h"
#include "xmit/device.h"

#define XMIT_PORTS 2 /* primary and secondary interface */

/**
 * struct xmit_frame - One frame to send
 * @data:	Bytes from the Ethernet header on; must stay until xmit_flush()
 * @due:	When, ns since the start; not for the engine
 * @len:	How many
 * @gso:	0: one frame; else a super-frame, to be cut into segments of so
 *		many payload bytes, with its TCP checksum summed over the pseudo
 *		header (see cut_keep())
 * @port:	Interface, 0 or 1
 */
struct xmit_frame {
	const uint8_t *data;
	uint64_t due;
	uint32_t len;
	uint16_t gso;
	uint8_t port;
};

/**
 * struct xmit_stats - What became of the frames of one interface
 * @sent, @bytes: Taken by the kernel
 * @completed:	Of these, the kernel said that it is done with them
 * @failed:	Not taken, given up after XMIT_PATIENCE or refused at once
 * @error:	Last reason, -Exxx
 * @calls, @retries: System calls that sent; of these, again after a full queue
 */
struct xmit_stats {
	uint64_t sent;
	uint64_t bytes;
	uint64_t completed;
	uint64_t failed;
	int error;
	uint64_t calls;
	uint64_t retries;
};

/* A full queue is waited for so long without progress; then the frame failed,
 * and the next ones fail without waiting until one is taken again.
 */
#define XMIT_PATIENCE (500 * UINT64_C(1000000))
#define XMIT_PAUSE    (20 * UINT64_C(1000))

#define XMIT_XDP_FRAME 4096u /* longest that xmit_xdp_open()'s takes */

struct xmit;

/**
 * struct xmit_ops - An engine
 * @hold:	See xmit_hold(); NULL: it has no use for that
 * @send:	See xmit_send()
 * @flush:	See xmit_flush()
 * @fds:	See xmit_fds(); NULL: it has none
 * @close:	Give everything back
 */
struct xmit_ops {
	const char *name;
	int (*hold)(struct xmit *x, const struct xmit_frame *f, size_t n);
	int (*send)(struct xmit *x, const struct xmit_frame *f, size_t n);
	int (*flush)(struct xmit *x);
	unsigned (*fds)(const struct xmit *x, int *fd);
	void (*close)(struct xmit *x);
};

/**
 * struct xmit - What all have in common; embedded first in each
 * @stop:	Set by a signal: an engine that waits gives up
 */
struct xmit {
	const struct xmit_ops *ops;
	const volatile sig_atomic_t *stop;
	unsigned ports;
	struct device dev[XMIT_PORTS];
	struct xmit_stats stats[XMIT_PORTS];
};

/**
 * struct xmit_opts - How to open one
 * @dev, @ports: Interfaces, examined
 * @qdisc:	Go through the queueing discipline; else round it
 * @any_order:	Frames of the two interfaces may overtake each other
 * @zero_copy:	AF_XDP may ask the driver for its zero-copy mode, which sets up
 *		the device's queues anew and may take the link down for a while
 * @stop:	See struct xmit
 */
struct xmit_opts {
	struct device dev[XMIT_PORTS];
	unsigned ports;
	bool qdisc;
	bool any_order;
	bool zero_copy;
	const volatile sig_atomic_t *stop;
};

/*
 * Engines. Each needs CAP_NET_RAW to open, the last two CAP_NET_ADMIN and
 * CAP_BPF too; only xmit_live_open()'s needs them later.
 *
 * Return: 0 and an engine, or -Exxx and a sentence. -ENOTSUP: not with these
 * options or this interface.
 */

/** xmit_packet_open() - sendmmsg() on a packet socket: works everywhere */
int xmit_packet_open(struct xmit **out, const struct xmit_opts *o,
		     struct errbuf *e);

/** xmit_gso_open() - The same with a virtio header: takes super-frames */
int xmit_gso_open(struct xmit **out, const struct xmit_opts *o,
		  struct errbuf *e);

/** xmit_xdp_open() - AF_XDP, in copy mode unless the driver can do without */
int xmit_xdp_open(struct xmit **out, const struct xmit_opts *o,
		  struct errbuf *e);

/** xmit_live_open() - XDP frames made by a program in the kernel */
int xmit_live_open(struct xmit **out, const struct xmit_opts *o,
		   struct errbuf *e);

/**
 * xmit_hold() - From now on these frames are sent, and nothing else
 * @f, @n:	All of them; they do not change any more
 *
 * A promise, before the first xmit_send(): frames come in this order, and after
 * the last the first again. An engine that has room for them copies them now
 * and never again.
 */
static inline void xmit_hold(struct xmit *x, const struct xmit_frame *f,
			     size_t n)
{
	/* What cannot be held is sent in the usual way. */
	if (x->ops->hold)
		(void)x->ops->hold(x, f, n);
}

/**
 * xmit_send() - Send frames in order
 * @f, @n:	Frames, at least one
 *
 * With two interfaces a frame leaves after the one before it was handed to its
 * device, unless any_order was asked for. What cannot be sent is counted in
 * failed and the next is tried.
 *
 * Return: 0, or -Exxx when nothing more can be sent at all (interface gone or
 * down); frames that were not tried are counted nowhere
 */
static inline int xmit_send(struct xmit *x, const struct xmit_frame *f,
			    size_t n)
{
	return x->ops->send(x, f, n);
}

/** xmit_flush() - Wait until the kernel is done with all of it */
static inline int xmit_flush(struct xmit *x)
{
	return x->ops->flush(x);
}

/** xmit_fds() - The sockets that it sends by. Return: their number, up to
 * XMIT_PORTS; NULL @x: 0
 */
static inline unsigned xmit_fds(const struct xmit *x, int *fd)
{
	return x && x->ops->fds ? x->ops->fds(x, fd) : 0;
}

/** xmit_close() - Close it; NULL is left alone */
static inline void xmit_close(struct xmit *x)
{
	if (x)
		x->ops->close(x);
}

#endif /* XMIT_XMIT_H */
