/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xmit_xdp.c - Send by AF_XDP
 *
 * Theory of operation
 *
 * An AF_XDP socket without a program: it only sends. Frames are copied into
 * slots of a piece of memory that is shared with the kernel (the umem), and
 * their descriptors are put on a ring; sendto() has the kernel work on it. In
 * copy mode, which every driver has, that happens inside the call, XDP_BUDGET
 * frames at a time, in order; with zero copy the device fetches the frames by
 * itself.
 *
 * A slot is free again when its address comes back on the completion ring.
 * Slots are used in a circle, and since completions come in order, counting
 * them is enough.
 *
 * In copy mode a full device shows in two ways: -EAGAIN, nothing was taken,
 * again later; and -EBUSY, one frame was taken off the ring and dropped. The
 * second is counted as failed: its completion comes all the same.
 *
 * With two interfaces each has its socket, and the ring of one is empty before
 * a frame for the other is put on its ring.
 */
#include <errno.h>
#include <linux/if_xdp.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "os/clock.h"
#include "xmit/xmit.h"

/* A power of two; of each ring too. In copy mode a slot is free again when the
 * call returns, and few slots stay in the processor's cache.
 */
#define SLOTS	 256u
#define SLOT_LEN XMIT_XDP_FRAME
#define KICK	 64 /* frames on the ring before the kernel is called */

#define BIND_TRIES 20
#define BIND_PAUSE (10 * UINT64_C(1000000))

/* Since Linux 6.17: how many frames one call may send; it was 32 before. */
#define XDP_BUDGET_OPTION 9
#define XDP_BUDGET	  256u

/* A ring that is shared with the kernel. */
struct ring {
	_Atomic uint32_t *producer;
	_Atomic uint32_t *consumer;
	void *entries;
	void *map;
	size_t map_len;
};

struct port {
	int fd;
	uint8_t *umem;
	struct ring tx;
	struct ring done;
	uint32_t put;	 /* descriptors put on @tx so far */
	uint32_t reaped; /* taken off @done so far */
	bool stuck;
};

struct xdp {
	struct xmit x;
	struct port port[XMIT_PORTS];
};

static struct xdp *of(struct xmit *x)
{
	/* It is the first member. */
	return (struct xdp *)(void *)x;
}

static void reap(struct xdp *s, unsigned i)
{
	struct port *p = &s->port[i];
	uint32_t n =
		atomic_load_explicit(p->done.producer, memory_order_acquire) -
		p->reaped;

	p->reaped += n;
	s->x.stats[i].completed += n;
	atomic_store_explicit(p->done.consumer, p->reaped,
			      memory_order_release);
}

/* What the kernel has not yet taken off the ring. */
static uint32_t waiting(const struct port *p)
{
	return p->put -
	       atomic_load_explicit(p->tx.consumer, memory_order_acquire);
}

/* Have the kernel take some. Return: 0 it was called, 1 it is full, -Exxx */
static int kick(struct xdp *s, unsigned i)
{
	struct xmit_stats *st = &s->x.stats[i];
	int rc = sendto(s->port[i].fd, NULL, 0, MSG_DONTWAIT, NULL, 0) < 0
			 ? errno
			 : 0;

	st->calls++;
	reap(s, i);
	if (rc == EBUSY) {
		/* Taken and dropped: it is among the completions. */
		st->failed++;
		st->sent--;
		st->completed--;
		st->error = -rc;
		return 0;
	}
	if (rc == EAGAIN || rc == ENOBUFS || rc == EINTR)
		return 1;
	if (rc)
		st->error = -rc;
	return -rc;
}

/* Wait until at most @rest frames are left on the ring. */
static int drain(struct xdp *s, unsigned i, uint32_t rest)
{
	struct port *p = &s->port[i];
	uint64_t since = 0;

	while (waiting(p) > rest) {
		uint32_t before = waiting(p);
		int rc = kick(s, i);
		uint64_t now;

		if (rc < 0)
			return rc;
		if (waiting(p) != before) {
			since = 0;
			continue;
		}
		if (*s->x.stop)
			return 0;
		now = clock_mono();
		since = since ? since : now;
		if (now - since >= XMIT_PATIENCE)
			return -ETIMEDOUT;
		s->x.stats[i].retries++;
		clock_pause(XMIT_PAUSE);
	}
	return 0;
}

/* Wait until fewer than @most frames are with the kernel. */
static int wait_done(struct xdp *s, unsigned i, uint32_t most)
{
	struct port *p = &s->port[i];
	uint64_t end = clock_mono() + XMIT_PATIENCE;
	int rc = 0;

	reap(s, i);
	while (p->put - p->reaped >= most && rc == 0) {
		rc = drain(s, i, 0);
		reap(s, i);
		if (p->put - p->reaped < most)
			break;
		if (*s->x.stop || clock_mono() >= end)
			return -ETIMEDOUT;
		clock_pause(XMIT_PAUSE);
		(void)kick(s, i);
	}
	return rc;
}

static int put(struct xdp *s, const struct xmit_frame *f)
{
	struct port *p = &s->port[f->port];
	struct xmit_stats *st = &s->x.stats[f->port];
	struct xdp_desc *d = p->tx.entries;
	uint32_t slot = p->put & (SLOTS - 1);
	int rc;

	if (f->len > SLOT_LEN || f->gso > 0) {
		st->failed++;
		st->error = -EMSGSIZE;
		return 0;
	}
	if (p->put - p->reaped == SLOTS) {
		rc = wait_done(s, f->port, SLOTS);
		if (rc)
			return rc;
	}
	memcpy(p->umem + (size_t)slot * SLOT_LEN, f->data, f->len);
	d[slot] = (struct xdp_desc){ .addr = (uint64_t)slot * SLOT_LEN,
				     .len = f->len };
	p->put++;
	atomic_store_explicit(p->tx.producer, p->put, memory_order_release);
	st->sent++;
	st->bytes += f->len;
	return 0;
}

static int xdp_send(struct xmit *x, const struct xmit_frame *f, size_t n)
{
	struct xdp *s = of(x);
	int rc = 0;

	for (size_t i = 0; i < n && rc == 0 && !*x->stop; i++) {
		unsigned at = f[i].port;
		bool turn = i + 1 == n || f[i + 1].port != at;

		rc = put(s, &f[i]);
		if (rc == 0 && (turn || waiting(&s->port[at]) >= KICK))
			rc = drain(s, at, 0);
	}
	return rc;
}

static int xdp_flush(struct xmit *x)
{
	struct xdp *s = of(x);
	int rc = 0;

	for (unsigned i = 0; i < x->ports; i++) {
		int r = wait_done(s, i, 1);

		rc = rc ? rc : r;
	}
	return rc;
}

static void ring_free(struct ring *r)
{
	if (r->map)
		munmap(r->map, r->map_len);
}

static void xdp_close(struct xmit *x)
{
	struct xdp *s = of(x);

	for (unsigned i = 0; i < x->ports; i++) {
		struct port *p = &s->port[i];

		if (p->fd >= 0)
			close(p->fd);
		ring_free(&p->tx);
		ring_free(&p->done);
		if (p->umem)
			munmap(p->umem, (size_t)SLOTS * SLOT_LEN);
	}
	free(s);
}

static int ring_map(struct ring *r, int fd, uint64_t offset,
		    const struct xdp_ring_offset *o, size_t entry)
{
	uint8_t *m;

	r->map_len = o->desc + SLOTS * entry;
	m = mmap(NULL, r->map_len, PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_POPULATE, fd, (off_t)offset);
	if (m == MAP_FAILED)
		return -errno;
	r->map = m;
	r->producer = (_Atomic uint32_t *)(void *)(m + o->producer);
	r->consumer = (_Atomic uint32_t *)(void *)(m + o->consumer);
	r->entries = m + o->desc;
	return 0;
}

static int umem_register(struct port *p)
{
	struct xdp_umem_reg reg = { .chunk_size = SLOT_LEN };
	size_t len = (size_t)SLOTS * SLOT_LEN;
	void *m = mmap(NULL, len, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (m == MAP_FAILED)
		return -errno;
	p->umem = m;
	reg.addr = (uint64_t)(uintptr_t)m;
	reg.len = len;
	return setsockopt(p->fd, SOL_XDP, XDP_UMEM_REG, &reg, sizeof(reg))
		       ? -errno
		       : 0;
}

static int rings_make(struct port *p)
{
	static const int kind[] = { XDP_UMEM_FILL_RING,
				    XDP_UMEM_COMPLETION_RING, XDP_TX_RING };
	struct xdp_mmap_offsets off;
	socklen_t len = sizeof(off);
	uint32_t slots = SLOTS;
	uint32_t budget = XDP_BUDGET;
	int rc;

	for (size_t i = 0; i < sizeof(kind) / sizeof(kind[0]); i++)
		if (setsockopt(p->fd, SOL_XDP, kind[i], &slots, sizeof(slots)))
			return -errno;
	if (getsockopt(p->fd, SOL_XDP, XDP_MMAP_OFFSETS, &off, &len))
		return -errno;
	/* An older kernel does not know it: then more calls are needed. */
	(void)setsockopt(p->fd, SOL_XDP, XDP_BUDGET_OPTION, &budget,
			 sizeof(budget));
	rc = ring_map(&p->tx, p->fd, XDP_PGOFF_TX_RING, &off.tx,
		      sizeof(struct xdp_desc));
	if (rc == 0)
		rc = ring_map(&p->done, p->fd, XDP_UMEM_PGOFF_COMPLETION_RING,
			      &off.cr, sizeof(uint64_t));
	return rc;
}

static int bind_to(struct port *p, int ifindex, bool zero_copy)
{
	struct sockaddr_xdp a = { .sxdp_family = AF_XDP,
				  .sxdp_ifindex = (uint32_t)ifindex,
				  .sxdp_flags = XDP_ZEROCOPY };

	if (zero_copy &&
	    bind(p->fd, (const struct sockaddr *)&a, sizeof(a)) == 0)
		return 0;
	a.sxdp_flags = XDP_COPY;
	/* The kernel lets go of a closed socket's queue a while later. */
	for (int i = 0; i < BIND_TRIES; i++) {
		if (bind(p->fd, (const struct sockaddr *)&a, sizeof(a)) == 0)
			return 0;
		if (errno != EBUSY)
			break;
		clock_pause(BIND_PAUSE);
	}
	return -errno;
}

static int open_port(struct port *p, const struct device *d, bool zero_copy,
		     struct errbuf *e)
{
	int rc;

	p->fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (p->fd < 0)
		return errbuf_set(e, -errno, "no AF_XDP socket: %s",
				  strerror(errno));
	rc = umem_register(p);
	if (rc == 0)
		rc = rings_make(p);
	if (rc == 0)
		rc = bind_to(p, d->index, zero_copy);
	if (rc)
		return errbuf_set(e, rc, "no AF_XDP on %s: %s", d->name,
				  strerror(-rc));
	return 0;
}

static unsigned xdp_fds(const struct xmit *x, int *fd)
{
	const struct xdp *s = (const struct xdp *)(const void *)x;

	for (unsigned i = 0; i < x->ports; i++)
		fd[i] = s->port[i].fd;
	return x->ports;
}

int xmit_xdp_open(struct xmit **out, const struct xmit_opts *o,
		  struct errbuf *e)
{
	static const struct xmit_ops ops = {
		.name = "xdp",
		.send = xdp_send,
		.flush = xdp_flush,
		.fds = xdp_fds,
		.close = xdp_close,
	};
	struct xdp *s = calloc(1, sizeof(*s));
	int rc = 0;

	if (!s)
		return errbuf_set(e, -ENOMEM, "no memory");
	s->x = (struct xmit){ .ops = &ops, .stop = o->stop, .ports = o->ports };
	memcpy(s->x.dev, o->dev, sizeof(s->x.dev));
	for (unsigned i = 0; i < XMIT_PORTS; i++)
		s->port[i].fd = -1;
	for (unsigned i = 0; i < o->ports && rc == 0; i++)
		rc = open_port(&s->port[i], &o->dev[i], o->zero_copy, e);
	if (rc) {
		xdp_close(&s->x);
		return rc;
	}
	*out = &s->x;
	return 0;
}
