/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Theory of operation
 *
 * The kernel writes frames into memory that both sides map, and hands each slot
 * (TPACKET_V2) or block of slots (TPACKET_V3) over by a status word. V2 gives
 * every frame at once; V3 waits until a block is full or 1 ms has passed.
 *
 * A frame takes a V2 slot whole. Most frames are small, and a ring of large slots
 * would hold few of them; a super-frame (GRO, a local sender's GSO) needs a large
 * one, for what does not fit costs a clone in the kernel, a system call and a
 * second copy: 3 us a request with answers of 10 KB. So V2 is two lanes, a socket
 * each with a ring of its own: frames of at most SMALL_MAX bytes, and longer
 * ones; a test of the length in front of the filter parts them. The lanes are put
 * together again by the kernel's time stamps. That keeps the order in which a
 * processor took the frames in: when a frame is visible, those which the same
 * processor took before it are, in both lanes; so the second lane is looked at
 * after the first, and the first again if it was empty.
 *
 * A frame longer than a super-frame's slot still goes the long way (slots of 64 KB
 * would save 8 % with bodies of 1 MB, and hold half as many frames):
 * PACKET_COPY_THRESH has the kernel keep the frame itself in the socket's receive
 * queue and mark the slot TP_STATUS_COPY; one recv() for each such slot, in the
 * order of the slots, brings it whole. When that queue is full the slot's cut copy
 * is all there is; the frame is handed out short and counted.
 *
 * With PACKET_VNET_HDR a virtio header stands right in front of the frame (in
 * the slot: at tp_mac - 10; in what recv() brings, first). It tells the segment
 * size of a super-frame, and whether the checksum is still to be filled in.
 *
 * The sockets are opened for no protocol and bound last: nothing comes in before
 * the filter and the ring are there.
 */
#include "capture/ring.h"

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
#define VNET_LEN   ((uint32_t)sizeof(struct virtio_net_hdr))

enum { LANE_SMALL, LANE_SUPER };

/* A little-endian header is not asked for: fields are in host order. */
static void vnet_apply(struct frame_info *i, const uint8_t *p)
{
	struct virtio_net_hdr v;

	memcpy(&v, p, sizeof(v));
	if (v.gso_type != VIRTIO_NET_HDR_GSO_NONE)
		i->gso = v.gso_size;
	if (v.flags &
	    (VIRTIO_NET_HDR_F_NEEDS_CSUM | VIRTIO_NET_HDR_F_DATA_VALID))
		i->csum_ok = true;
}

static int opt_int(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value)) ? -errno : 0;
}

static int map_ring(struct ring_lane *l, enum ring_version version,
		    size_t bytes, uint32_t slot)
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

/* The receive queue behind PACKET_COPY_THRESH, and the place to read it to. */
static int whole_init(struct ring *r, size_t bytes)
{
	int fd = r->lane[LANE_SUPER].fd;
	int n = bytes > INT32_MAX ? INT32_MAX : (int)bytes;
	int rc = opt_int(fd, SOL_PACKET, PACKET_COPY_THRESH, 1);

	if (rc == 0)
		rc = opt_int(fd, SOL_SOCKET, SO_RCVBUFFORCE, n);
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

/* The lane's share of the frames, and of these what the user's filter takes. */
static int set_filter(int fd, unsigned lane, const struct sock_fprog *user)
{
	static const struct sock_filter all = { BPF_RET | BPF_K, 0, 0,
						UINT32_MAX };
	uint16_t n = user ? user->len : 1;
	uint8_t super = lane == LANE_SUPER;
	struct sock_fprog p = { .len = (uint16_t)(n + 3) };
	int rc = 0;

	if (n > FILTER_MAX - 3)
		return -E2BIG;
	p.filter = calloc(p.len, sizeof(*p.filter));
	if (!p.filter)
		return -ENOMEM;
	p.filter[0].code = BPF_LD | BPF_W | BPF_LEN;
	p.filter[1].code = BPF_JMP | BPF_JGT | BPF_K;
	p.filter[1].jt = super;
	p.filter[1].jf = !super;
	p.filter[1].k = SMALL_MAX;
	p.filter[2].code = BPF_RET | BPF_K; /* the other lane's */
	memcpy(p.filter + 3, user ? user->filter : &all, n * sizeof(all));
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &p, sizeof(p)))
		rc = -errno;
	free(p.filter);
	return rc;
}

static int set_options(int fd, unsigned lane, const struct ring_opts *o)
{
	int rc = opt_int(fd, SOL_PACKET, PACKET_VERSION,
			 o->version == RING_V3 ? TPACKET_V3 : TPACKET_V2);

	if (rc == 0)
		rc = opt_int(fd, SOL_PACKET, PACKET_VNET_HDR, 1);
	if (rc == 0 && !o->outgoing)
		rc = opt_int(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1);
	if (rc == 0 && o->version == RING_V2)
		return set_filter(fd, lane, o->filter);
	if (rc == 0 && o->filter &&
	    setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, o->filter,
		       sizeof(*o->filter)))
		rc = -errno;
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

static int ring_ifreq(const struct ring *r, unsigned long what, struct ifreq *q)
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
	for (unsigned i = 0; rc == 0 && i < r->lanes; i++)
		rc = set_options(r->lane[i].fd, i, o);
	if (rc)
		return errbuf_set(e, rc, "%s: socket option: %s", o->ifname,
				  strerror(-rc));
	rc = map_ring(&r->lane[LANE_SMALL], o->version, bytes, V2_SMALL);
	bytes *= RING_SUPER_FACTOR;
	if (rc == 0 && o->version == RING_V2)
		rc = whole_init(r, bytes);
	if (rc == 0 && o->version == RING_V2)
		rc = map_ring(&r->lane[LANE_SUPER], RING_V2, bytes, V2_SUPER);
	if (rc)
		return errbuf_set(e, rc, "%s: ring of %zu bytes: %s", o->ifname,
				  bytes, strerror(-rc));
	for (unsigned i = r->lanes; rc == 0 && i-- > 0;)
		rc = start(r, r->lane[i].fd, o->promisc);
	if (rc)
		return errbuf_set(e, rc, "%s: bind: %s", o->ifname,
				  strerror(-rc));
	return 0;
}

/* Bound to nothing: see the top. */
static int open_sockets(struct ring *r)
{
	unsigned n = r->version == RING_V2 ? RING_FDS : 1;

	for (; r->lanes < n; r->lanes++) {
		int fd = socket(AF_PACKET,
				SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

		if (fd < 0)
			return -errno;
		r->lane[r->lanes].fd = fd;
	}
	return 0;
}

int ring_open(struct ring *r, const struct ring_opts *o, struct errbuf *e)
{
	struct ring n = { .version = o->version };
	int rc;

	if (o->version != RING_V2 && o->version != RING_V3)
		return errbuf_set(e, -EINVAL, "no such ring version");
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

void ring_close(struct ring *r)
{
	for (unsigned i = 0; i < r->lanes; i++) {
		struct ring_lane *l = &r->lane[i];

		if (l->map)
			munmap(l->map, l->map_bytes);
		close(l->fd);
	}
	if (r->whole)
		munmap(r->whole, FRAME_MAX + VNET_LEN);
	memset(r, 0, sizeof(*r));
}

unsigned ring_poll(const struct ring *r, struct pollfd *pf)
{
	for (unsigned i = 0; i < r->lanes; i++)
		pf[i] = (struct pollfd){ r->lane[i].fd, POLLIN, 0 };
	return r->lanes;
}

void ring_wait(const struct ring *r, int ms)
{
	struct pollfd pf[RING_FDS];

	poll(pf, ring_poll(r, pf), ms);
}

static uint8_t *slot_at(const struct ring_lane *l)
{
	return l->map + (size_t)l->cur * l->slot_size;
}

static void slot_advance(struct ring_lane *l)
{
	l->cur = l->cur + 1 == l->slots ? 0 : l->cur + 1;
}

/* What V2 and V3 have in common about a frame that is in a slot. */
static void fill(struct ring_frame *f, const uint8_t *slot, size_t hdr,
		 uint32_t mac, uint32_t status)
{
	/* The kernel's own macro mixes signs. */
	size_t off = (hdr + TPACKET_ALIGNMENT - 1) / TPACKET_ALIGNMENT *
		     TPACKET_ALIGNMENT;
	const struct sockaddr_ll *ll = (const void *)(slot + off);

	f->info.data = slot + mac;
	f->info.link = LINK_ETHERNET;
	f->info.csum_ok =
		(status & (TP_STATUS_CSUMNOTREADY | TP_STATUS_CSUM_VALID)) != 0;
	f->outgoing = ll->sll_pkttype == PACKET_OUTGOING;
	f->has_vlan = (status & TP_STATUS_VLAN_VALID) != 0;
}

static void count(struct ring *r, const struct frame_info *i)
{
	r->stats.frames++;
	r->stats.bytes += i->wire;
	r->stats.cut += i->cap < i->wire;
}

/* Fetch the whole frame that this slot holds the beginning of. */
static void fetch_whole(struct ring *r, struct frame_info *i)
{
	ssize_t n = recv(r->lane[r->at].fd, r->whole, FRAME_MAX + VNET_LEN,
			 MSG_DONTWAIT | MSG_TRUNC);

	if (n < (ssize_t)VNET_LEN)
		return;
	i->data = r->whole + VNET_LEN;
	i->cap = (uint32_t)n - VNET_LEN;
	if (i->cap > FRAME_MAX)
		i->cap = FRAME_MAX;
	r->stats.whole++;
}

/* The oldest frame that waits in a lane of V2, if one does. */
static const struct tpacket2_hdr *peek_v2(const struct ring_lane *l)
{
	const struct tpacket2_hdr *h = (const void *)slot_at(l);

	if (!(__atomic_load_n(&h->tp_status, __ATOMIC_ACQUIRE) &
	      TP_STATUS_USER))
		return NULL;
	return h;
}

static bool is_older(const struct tpacket2_hdr *a, const struct tpacket2_hdr *b)
{
	if (a->tp_sec != b->tp_sec)
		return a->tp_sec < b->tp_sec;
	return a->tp_nsec < b->tp_nsec;
}

static const struct tpacket2_hdr *oldest_v2(struct ring *r)
{
	const struct tpacket2_hdr *a = peek_v2(&r->lane[LANE_SMALL]);
	const struct tpacket2_hdr *b = peek_v2(&r->lane[LANE_SUPER]);

	if (a == NULL && b != NULL)
		a = peek_v2(&r->lane[LANE_SMALL]);
	r->at = b != NULL && (a == NULL || is_older(b, a)) ? LANE_SUPER
							   : LANE_SMALL;
	return r->at == LANE_SUPER ? b : a;
}

static bool next_v2(struct ring *r, struct ring_frame *f)
{
	const struct tpacket2_hdr *h = oldest_v2(r);
	const uint8_t *p = (const void *)h;
	uint32_t status;

	if (h == NULL)
		return false;
	status = h->tp_status;
	memset(f, 0, sizeof(*f));
	fill(f, p, sizeof(*h), h->tp_mac, status);
	f->info.cap = h->tp_snaplen;
	f->info.wire = h->tp_len;
	f->info.ts = (uint64_t)h->tp_sec * NS_PER_SEC + h->tp_nsec;
	f->vlan_tci = h->tp_vlan_tci;
	f->vlan_tpid = h->tp_vlan_tpid;
	if (h->tp_mac >= VNET_LEN)
		vnet_apply(&f->info, p + h->tp_mac - VNET_LEN);
	if (status & TP_STATUS_COPY)
		fetch_whole(r, &f->info);
	count(r, &f->info);
	return true;
}

/* Open the next block, if the kernel has handed it over. */
static bool block_open(struct ring *r)
{
	const struct tpacket_block_desc *b;

	for (;;) {
		b = (const void *)slot_at(&r->lane[0]);
		if (!(__atomic_load_n(&b->hdr.bh1.block_status,
				      __ATOMIC_ACQUIRE) &
		      TP_STATUS_USER))
			return false;
		r->left = b->hdr.bh1.num_pkts;
		r->off = b->hdr.bh1.offset_to_first_pkt;
		if (r->left > 0)
			return true;
		ring_done(r);
	}
}

static bool next_v3(struct ring *r, struct ring_frame *f)
{
	const struct tpacket3_hdr *h;
	const uint8_t *p;

	if (r->left == 0 && !block_open(r))
		return false;
	p = slot_at(&r->lane[0]) + r->off;
	h = (const void *)p;
	memset(f, 0, sizeof(*f));
	fill(f, p, sizeof(*h), h->tp_mac, h->tp_status);
	f->info.cap = h->tp_snaplen;
	f->info.wire = h->tp_len;
	f->info.ts = (uint64_t)h->tp_sec * NS_PER_SEC + h->tp_nsec;
	f->vlan_tci = (uint16_t)h->hv1.tp_vlan_tci;
	f->vlan_tpid = h->hv1.tp_vlan_tpid;
	if (h->tp_mac >= VNET_LEN)
		vnet_apply(&f->info, p + h->tp_mac - VNET_LEN);
	r->off += h->tp_next_offset;
	r->left--;
	count(r, &f->info);
	return true;
}

bool ring_next(struct ring *r, struct ring_frame *f)
{
	return r->version == RING_V3 ? next_v3(r, f) : next_v2(r, f);
}

void ring_done(struct ring *r)
{
	struct ring_lane *l = &r->lane[r->at];

	if (r->version == RING_V3) {
		struct tpacket_block_desc *b = (void *)slot_at(l);

		if (r->left > 0)
			return;
		__atomic_store_n(&b->hdr.bh1.block_status, TP_STATUS_KERNEL,
				 __ATOMIC_RELEASE);
	} else {
		struct tpacket2_hdr *h = (void *)slot_at(l);

		__atomic_store_n(&h->tp_status, TP_STATUS_KERNEL,
				 __ATOMIC_RELEASE);
	}
	slot_advance(l);
}

const struct ring_stats *ring_stats(struct ring *r)
{
	for (unsigned i = 0; i < r->lanes; i++) {
		struct tpacket_stats_v3 s;
		socklen_t len = r->version == RING_V3
					? sizeof(s)
					: sizeof(struct tpacket_stats);

		memset(&s, 0, sizeof(s));
		/* Reading sets the kernel's counters back to 0. */
		if (getsockopt(r->lane[i].fd, SOL_PACKET, PACKET_STATISTICS, &s,
			       &len))
			continue;
		r->stats.offered += s.tp_packets;
		r->stats.drops += s.tp_drops;
		r->stats.freezes += s.tp_freeze_q_cnt;
	}
	return &r->stats;
}

enum ring_state ring_state(const struct ring *r)
{
	struct ifreq q;

	for (unsigned i = 0; i < r->lanes; i++) {
		int err = 0;
		socklen_t len = sizeof(err);

		(void)getsockopt(r->lane[i].fd, SOL_SOCKET, SO_ERROR, &err,
				 &len);
	}
	if (ring_ifreq(r, SIOCGIFFLAGS, &q))
		return RING_GONE;
	if (!(q.ifr_flags & IFF_UP) || !(q.ifr_flags & IFF_RUNNING))
		return RING_DOWN;
	return RING_UP;
}

int ring_mac(const struct ring *r, uint8_t mac[6])
{
	struct ifreq q;
	int rc = ring_ifreq(r, SIOCGIFHWADDR, &q);

	if (rc == 0)
		memcpy(mac, q.ifr_hwaddr.sa_data, 6);
	return rc;
}
