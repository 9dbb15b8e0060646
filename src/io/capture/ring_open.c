/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ring_open.c - Sockets, filters and memory of a ring, and how it grows
 *
 * Theory of operation
 *
 * The kernel takes all of a ring's memory when the ring is set up, whether
 * frames come or not. So a ring of V2 starts small and grows when it is needed
 * (ring_grow.c): beside each lane's socket lies a spare one, bound to the same
 * interface, without memory and behind a filter that lets nothing in. It
 * becomes the lane; the former one is closed to new frames and read empty
 * first. Its memory is given back then.
 *
 * For a moment both take frames. The kernel hands a frame to the socket bound
 * last first, and each socket stamps by itself, so whatever stands in the
 * former lane with a stamp not before the first one of the new lane stands
 * there a second time: it is skipped. A frame that another processor was taking
 * in at that moment may be skipped for it: a frame that the mirror lost, as
 * others are.
 *
 * A lane grows once. If the memory is not to be had it stays as it is, which is
 * counted. All of this is done by a process without privileges: the sockets
 * were opened, bound and given their queues before.
 *
 * The sockets are opened for no protocol and bound last: nothing comes in
 * before the filter and the ring are there.
 */
#include "capture/ring_internal.h"

#include <assert.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/bytes.h"
#include "core/limits.h"

#define V2_SMALL   2048u
#define V2_SUPER   (32u << 10)
#define V2_BLOCK   (64u << 10)
#define SMALL_MAX  1900u /* fits into V2_SMALL behind its headers */
#define FILTER_MAX 4096u /* instructions, of the kernel (BPF_MAXINSNS) */
#define V3_BLOCK   (256u << 10)
#define V3_RETIRE  1 /* ms */

static int opt_int(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value)) ? -errno : 0;
}

int ring_map(struct ring_lane *l, enum ring_version version, size_t bytes,
	     uint32_t slot)
{
	struct tpacket_req3 q;
	socklen_t len = sizeof(struct tpacket_req);
	uint32_t block = version == RING_V3 ? V3_BLOCK : V2_BLOCK;
	size_t blocks = bytes / block;

	if (blocks == 0 || blocks > UINT32_MAX / (block / slot))
		return -EINVAL;
	memset(&q, 0, sizeof(q));
	q.tp_block_size = block;
	q.tp_block_nr = (uint32_t)blocks;
	q.tp_frame_size = slot;
	q.tp_frame_nr = q.tp_block_nr * (block / slot);
	l->slot_size = slot;
	l->slots = q.tp_frame_nr;
	if (version == RING_V3) {
		len = sizeof(q);
		q.tp_retire_blk_tov = V3_RETIRE;
		l->slot_size = block;
		l->slots = q.tp_block_nr;
	}
	if (setsockopt(l->fd, SOL_PACKET, PACKET_RX_RING, &q, len))
		return -errno;
	l->map_bytes = blocks * block;
	l->map = mmap(NULL, l->map_bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
		      l->fd, 0);
	if (l->map == MAP_FAILED) {
		l->map = NULL;
		return -errno;
	}
	return 0;
}

/* The receive queue behind PACKET_COPY_THRESH. */
static int queue_init(int fd, size_t bytes)
{
	int n = bytes > INT32_MAX ? INT32_MAX : (int)bytes;
	int rc = opt_int(fd, SOL_PACKET, PACKET_COPY_THRESH, 1);

	return rc ? rc : opt_int(fd, SOL_SOCKET, SO_RCVBUFFORCE, n);
}

/* The queues, and the place to read them to. */
static int whole_init(struct ring *r, size_t bytes)
{
	int rc = queue_init(r->lane[LANE_SUPER].fd, bytes);

	if (rc == 0 && r->spares > 0)
		rc = queue_init(r->spare[LANE_SUPER].fd,
				r->most * RING_SUPER_FACTOR);
	if (rc)
		return rc;
	r->whole = mmap(NULL, FRAME_MAX + VNET_LEN, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (r->whole == MAP_FAILED) {
		r->whole = NULL;
		return -ENOMEM;
	}
	return 0;
}

int ring_attach(int fd, const struct sock_fprog *p)
{
	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, p, sizeof(*p))
		       ? -errno
		       : 0;
}

int ring_shut(int fd)
{
	struct sock_filter none = { BPF_RET | BPF_K, 0, 0, 0 };
	const struct sock_fprog p = { .len = 1, .filter = &none };

	return ring_attach(fd, &p);
}

/* The lane's share of the frames, and of these what the user's filter takes. */
static int make_filter(struct sock_fprog *p, unsigned lane,
		       const struct sock_fprog *user)
{
	static const struct sock_filter all = { BPF_RET | BPF_K, 0, 0,
						UINT32_MAX };
	uint16_t n = user ? user->len : 1;
	uint8_t super = lane == LANE_SUPER;

	if (n > FILTER_MAX - 3)
		return -E2BIG;
	p->filter = calloc(n + 3u, sizeof(*p->filter));
	if (!p->filter)
		return -ENOMEM;
	p->len = (uint16_t)(n + 3);
	p->filter[0].code = BPF_LD | BPF_W | BPF_LEN;
	p->filter[1].code = BPF_JMP | BPF_JGT | BPF_K;
	p->filter[1].jt = super;
	p->filter[1].jf = !super;
	p->filter[1].k = SMALL_MAX;
	p->filter[2].code = BPF_RET | BPF_K; /* the other lane's */
	memcpy(p->filter + 3, user ? user->filter : &all, n * sizeof(all));
	return 0;
}

static int set_options(int fd, const struct ring_opts *o)
{
	int rc = opt_int(fd, SOL_PACKET, PACKET_VERSION,
			 o->version == RING_V3 ? TPACKET_V3 : TPACKET_V2);

	if (rc == 0)
		rc = opt_int(fd, SOL_PACKET, PACKET_VNET_HDR, 1);
	if (rc == 0 && !o->outgoing)
		rc = opt_int(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1);
	return rc;
}

/* All that a socket needs before it has memory and is bound. */
static int prepare(struct ring *r, const struct ring_opts *o)
{
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < r->lanes; i++) {
		rc = set_options(r->lane[i].fd, o);
		if (rc == 0 && o->version == RING_V2)
			rc = make_filter(&r->filter[i], i, o->filter);
		if (rc == 0 && o->version == RING_V2)
			rc = ring_attach(r->lane[i].fd, &r->filter[i]);
		else if (rc == 0 && o->filter)
			rc = ring_attach(r->lane[i].fd, o->filter);
	}
	for (unsigned i = 0; rc == 0 && i < r->spares; i++) {
		rc = set_options(r->spare[i].fd, o);
		if (rc == 0)
			rc = ring_shut(r->spare[i].fd);
	}
	return rc;
}

static int start(const struct ring *r, int fd, bool promisc)
{
	struct sockaddr_ll a = { .sll_family = AF_PACKET };
	struct packet_mreq m = { .mr_ifindex = r->ifindex,
				 .mr_type = PACKET_MR_PROMISC };
	uint8_t proto[2];

	put_be16(proto, ETH_P_ALL);
	memcpy(&a.sll_protocol, proto, sizeof(proto));
	a.sll_ifindex = r->ifindex;
	if (promisc &&
	    setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &m, sizeof(m)))
		return -errno;
	return bind(fd, (const struct sockaddr *)&a, sizeof(a)) ? -errno : 0;
}

int ring_ifreq(const struct ring *r, unsigned long what, struct ifreq *q)
{
	memset(q, 0, sizeof(*q));
	q->ifr_ifindex = r->ifindex;
	/* By number: a name may have been given to another since. */
	if (ioctl(r->lane[0].fd, SIOCGIFNAME, q))
		return -errno;
	return ioctl(r->lane[0].fd, what, q) ? -errno : 0;
}

static int open_all(struct ring *r, const struct ring_opts *o, struct errbuf *e)
{
	size_t bytes = o->bytes;
	struct ifreq q;
	int rc;

	if (bytes == 0)
		bytes = o->version == RING_V3 ? RING_V3_BYTES
					      : RING_MIRROR_BYTES;
	rc = ring_ifreq(r, SIOCGIFHWADDR, &q);
	if (rc == 0 && q.ifr_hwaddr.sa_family != ARPHRD_ETHER &&
	    q.ifr_hwaddr.sa_family != ARPHRD_LOOPBACK)
		return errbuf_set(e, -ENOTSUP, "%s: not Ethernet", o->ifname);
	if (rc == 0)
		rc = prepare(r, o);
	if (rc)
		return errbuf_set(e, rc, "%s: socket option: %s", o->ifname,
				  strerror(-rc));
	rc = ring_map(&r->lane[LANE_SMALL], o->version, bytes, V2_SMALL);
	bytes *= RING_SUPER_FACTOR;
	if (rc == 0 && o->version == RING_V2)
		rc = whole_init(r, bytes);
	if (rc == 0 && o->version == RING_V2)
		rc = ring_map(&r->lane[LANE_SUPER], RING_V2, bytes, V2_SUPER);
	if (rc)
		return errbuf_set(e, rc, "%s: ring of %zu bytes: %s", o->ifname,
				  bytes, strerror(-rc));
	for (unsigned i = r->lanes; rc == 0 && i-- > 0;)
		rc = start(r, r->lane[i].fd, o->promisc);
	for (unsigned i = r->spares; rc == 0 && i-- > 0;)
		rc = start(r, r->spare[i].fd, o->promisc);
	if (rc)
		return errbuf_set(e, rc, "%s: bind: %s", o->ifname,
				  strerror(-rc));
	return 0;
}

/* Bound to nothing: see the top. */
static int open_socket(void)
{
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	return fd < 0 ? -errno : fd;
}

static int open_sockets(struct ring *r)
{
	unsigned n = r->version == RING_V2 ? RING_LANES : 1;
	unsigned more = r->most > 0 ? n : 0;

	for (; r->lanes < n; r->lanes++) {
		r->lane[r->lanes].fd = open_socket();
		if (r->lane[r->lanes].fd < 0)
			return r->lane[r->lanes].fd;
	}
	for (; r->spares < more; r->spares++) {
		r->spare[r->spares].fd = open_socket();
		if (r->spare[r->spares].fd < 0)
			return r->spare[r->spares].fd;
	}
	return 0;
}

int ring_open(struct ring *r, const struct ring_opts *o, struct errbuf *e)
{
	struct ring n = { .version = o->version };
	int rc;

	if (o->version != RING_V2 && o->version != RING_V3)
		return errbuf_set(e, -EINVAL, "no such ring version");
	if (o->version == RING_V2 && o->most > o->bytes && o->bytes > 0)
		n.most = o->most;
	n.ifindex = (int)if_nametoindex(o->ifname);
	if (n.ifindex == 0)
		return errbuf_set(e, -ENODEV, "no interface named %s",
				  o->ifname);
	rc = open_sockets(&n);
	if (rc)
		errbuf_set(e, rc, "packet socket: %s", strerror(-rc));
	else
		rc = open_all(&n, o, e);
	if (rc) {
		ring_close(&n);
		return rc;
	}
	*r = n;
	return 0;
}

void ring_lane_close(struct ring_lane *l)
{
	if (l->map)
		munmap(l->map, l->map_bytes);
	close(l->fd);
	memset(l, 0, sizeof(*l));
}

void ring_close(struct ring *r)
{
	ring_unwatch(r);
	for (unsigned i = 0; i < r->lanes; i++) {
		if (r->former[i].map)
			ring_lane_close(&r->former[i]);
		ring_lane_close(&r->lane[i]);
		free(r->filter[i].filter);
	}
	for (unsigned i = 0; i < r->spares; i++)
		if (!r->grown[i])
			ring_lane_close(&r->spare[i]);
	if (r->whole)
		munmap(r->whole, FRAME_MAX + VNET_LEN);
	memset(r, 0, sizeof(*r));
}

unsigned ring_fds(const struct ring *r, int *fd)
{
	unsigned n = 0;

	for (unsigned i = 0; i < r->lanes; i++)
		fd[n++] = r->lane[i].fd;
	for (unsigned i = 0; i < r->spares; i++)
		if (!r->grown[i])
			fd[n++] = r->spare[i].fd;
	assert(n <= RING_FDS);
	return n;
}

void ring_retire(struct ring *r, unsigned i)
{
	ring_count(r, r->former[i].fd);
	ring_leave(r, i, &r->former[i]);
}
