/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xmit_packet.c - Send by a packet socket, in batches or as super-frames
 *
 * Theory of operation
 *
 * A run of frames for the same interface leaves with one sendmmsg() of at most
 * BATCH. The kernel copies a frame and hands it to the device before it looks
 * at the next one, so that a call that has returned is also a barrier: the
 * order across two interfaces needs nothing but to begin another call where the
 * interface changes.
 *
 * PACKET_QDISC_BYPASS goes round the queueing discipline: a full device then
 * says -ENOBUFS instead of dropping in silence, and the frame is tried again
 * every XMIT_PAUSE until XMIT_PATIENCE has gone by without any progress.
 *
 * With super-frames each message begins with a virtio header, which says where
 * the kernel or the device finds the TCP checksum to complete and how long the
 * segments are. On the way round the queueing discipline the kernel cuts
 * nothing: only a device that cuts itself may get them.
 */
#include <errno.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "core/bytes.h"
#include "os/clock.h"
#include "rewrite/shape.h"
#include "wire/numbers.h"
#include "xmit/xmit.h"

#define BATCH	    64
#define SEND_BUFFER (32 << 20)

/* What waits for one call. */
struct batch {
	struct mmsghdr mm[BATCH];
	struct iovec iov[BATCH][2];
	struct virtio_net_hdr vnet[BATCH];
};

struct packet {
	struct xmit x;
	bool vnet;
	bool stuck[XMIT_PORTS]; /* the last frame was waited for in vain */
	int fd[XMIT_PORTS];
	struct batch b;
};

static struct packet *of(struct xmit *x)
{
	/* It is the first member. */
	return (struct packet *)(void *)x;
}

/* The offsets that the virtio header of a super-frame needs; cut_keep() has
 * found this frame to be TCP in IP.
 */
static void fill_vnet(struct virtio_net_hdr *v, const struct xmit_frame *f)
{
	uint32_t l3 = 12;
	uint32_t l4;

	memset(v, 0, sizeof(*v));
	if (f->gso == 0)
		return;
	while (ethertype_is_tag(get_be16(f->data + l3)))
		l3 += 4;
	l3 += 2;
	if (f->data[l3] >> 4 == 4) {
		l4 = l3 + (f->data[l3] & 15u) * 4;
		v->gso_type = VIRTIO_NET_HDR_GSO_TCPV4;
	} else {
		l4 = l3 + 40;
		v->gso_type = VIRTIO_NET_HDR_GSO_TCPV6;
	}
	v->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	v->csum_start = (uint16_t)l4;
	v->csum_offset = 16;
	v->gso_size = f->gso;
	v->hdr_len = (uint16_t)(l4 + (f->data[l4 + 12] >> 4) * 4u);
}

/* Gather up to BATCH frames of one interface. Return: how many */
static unsigned gather(struct packet *p, const struct xmit_frame *f, size_t n)
{
	unsigned i = 0;

	for (; i < BATCH && i < n && f[i].port == f[0].port; i++) {
		struct iovec *v = &p->b.iov[i][p->vnet ? 1 : 0];

		/* sendmmsg() only reads; struct iovec serves reading and
		 * writing.
		 */
		v->iov_base = (void *)(uintptr_t)f[i].data;
		v->iov_len = f[i].len;
		if (p->vnet)
			fill_vnet(&p->b.vnet[i], &f[i]);
	}
	return i;
}

static bool full(int err)
{
	return err == ENOBUFS || err == EAGAIN || err == EBUSY;
}

static bool hopeless(int err)
{
	return err == ENETDOWN || err == ENXIO || err == ENODEV || err == EBADF;
}

static void took(struct xmit_stats *st, const struct xmit_frame *f, int n)
{
	st->sent += (uint64_t)n;
	st->completed += (uint64_t)n;
	for (int i = 0; i < n; i++)
		st->bytes += f[i].len;
}

static int send_run(struct packet *p, const struct xmit_frame *f, unsigned n)
{
	struct xmit_stats *st = &p->x.stats[f->port];
	uint64_t since = 0;
	unsigned i = 0;

	while (i < n && !*p->x.stop) {
		int r = sendmmsg(p->fd[f->port], p->b.mm + i, n - i, 0);
		int err = r < 0 ? errno : 0;

		st->calls++;
		if (r > 0) {
			took(st, f + i, r);
			i += (unsigned)r;
			since = 0;
			p->stuck[f->port] = false;
			continue;
		}
		if (err == EINTR)
			continue;
		st->error = -err;
		if (hopeless(err))
			return -err;
		if (full(err) && !p->stuck[f->port]) {
			uint64_t now = clock_mono();

			since = since ? since : now;
			if (now - since < XMIT_PATIENCE) {
				st->retries++;
				clock_pause(XMIT_PAUSE);
				continue;
			}
			p->stuck[f->port] = true;
		}
		st->failed++;
		since = 0;
		i++;
	}
	return 0;
}

static int packet_send(struct xmit *x, const struct xmit_frame *f, size_t n)
{
	struct packet *p = of(x);
	size_t i = 0;

	while (i < n && !*x->stop) {
		unsigned k = gather(p, f + i, n - i);
		int rc = send_run(p, f + i, k);

		if (rc)
			return rc;
		i += k;
	}
	return 0;
}

static int packet_flush(struct xmit *x)
{
	(void)x; /* nothing waits: a call returns when the kernel has it */
	return 0;
}

static void packet_close(struct xmit *x)
{
	struct packet *p = of(x);

	for (unsigned i = 0; i < x->ports; i++)
		if (p->fd[i] >= 0)
			close(p->fd[i]);
	free(p);
}

static int open_port(int *out, const struct device *d,
		     const struct xmit_opts *o, bool vnet, struct errbuf *e)
{
	struct sockaddr_ll a = { .sll_family = AF_PACKET,
				 .sll_ifindex = d->index };
	int size = SEND_BUFFER;
	int one = 1;
	int rc = 0;
	/* Protocol 0: this socket only sends. */
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return errbuf_set(e, -errno, "packet socket: %s",
				  strerror(errno));
	if ((!o->qdisc && setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one,
				     sizeof(one))) ||
	    (vnet &&
	     setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof(one))) ||
	    bind(fd, (const struct sockaddr *)&a, sizeof(a)))
		rc = -errno;
	/* Without CAP_NET_ADMIN the default size must do. */
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	if (rc) {
		close(fd);
		return errbuf_set(e, rc, "%s: cannot open for sending: %s",
				  d->name, strerror(-rc));
	}
	*out = fd;
	return 0;
}

static int open_any(struct xmit **out, const struct xmit_opts *o, bool vnet,
		    const struct xmit_ops *ops, struct errbuf *e)
{
	struct packet *p = calloc(1, sizeof(*p));
	int rc = 0;

	if (!p)
		return errbuf_set(e, -ENOMEM, "no memory");
	p->x = (struct xmit){ .ops = ops, .stop = o->stop, .ports = o->ports };
	p->vnet = vnet;
	memcpy(p->x.dev, o->dev, sizeof(p->x.dev));
	for (unsigned i = 0; i < XMIT_PORTS; i++)
		p->fd[i] = -1;
	for (unsigned i = 0; i < BATCH; i++) {
		p->b.iov[i][0].iov_base = &p->b.vnet[i];
		p->b.iov[i][0].iov_len = sizeof(p->b.vnet[i]);
		p->b.mm[i].msg_hdr.msg_iov = p->b.iov[i];
		p->b.mm[i].msg_hdr.msg_iovlen = vnet ? 2 : 1;
	}
	for (unsigned i = 0; i < o->ports && rc == 0; i++)
		rc = open_port(&p->fd[i], &o->dev[i], o, vnet, e);
	if (rc) {
		packet_close(&p->x);
		return rc;
	}
	*out = &p->x;
	return 0;
}

static unsigned packet_fds(const struct xmit *x, int *fd)
{
	const struct packet *p = (const struct packet *)(const void *)x;

	memcpy(fd, p->fd, x->ports * sizeof(*fd));
	return x->ports;
}

int xmit_packet_open(struct xmit **out, const struct xmit_opts *o,
		     struct errbuf *e)
{
	static const struct xmit_ops ops = {
		.name = "sendmmsg",
		.send = packet_send,
		.flush = packet_flush,
		.fds = packet_fds,
		.close = packet_close,
	};

	return open_any(out, o, false, &ops, e);
}

int xmit_gso_open(struct xmit **out, const struct xmit_opts *o,
		  struct errbuf *e)
{
	static const struct xmit_ops ops = {
		.name = "gso",
		.send = packet_send,
		.flush = packet_flush,
		.fds = packet_fds,
		.close = packet_close,
	};

	for (unsigned i = 0; i < o->ports; i++)
		if (!o->dev[i].tso)
			return errbuf_set(e, -ENOTSUP,
					  "%s does not cut super-frames (TSO "
					  "is off)",
					  o->dev[i].name);
	return open_any(out, o, true, &ops, e);
}
