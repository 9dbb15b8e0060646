/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ring.c - Frames out of a ring, in the order in which they came
 *
 * Theory of operation
 *
 * The kernel writes frames into memory that both sides map, and hands each slot
 * (TPACKET_V2) or block of slots (TPACKET_V3) over by a status word. V2 gives
 * every frame at once; V3 waits until a block is full or 1 ms has passed.
 *
 * A frame takes a V2 slot whole. Most frames are small, and a ring of large
 * slots would hold few of them; a super-frame (GRO, a local sender's GSO) needs
 * a large one, for what does not fit costs a clone in the kernel, a system call
 * and a second copy: 3 us a request with answers of 10 KB. So V2 is two lanes,
 * a socket each with a ring of its own: frames of at most SMALL_MAX bytes, and
 * longer ones; a test of the length in front of the filter parts them. The
 * lanes are put together again by the kernel's time stamps. That keeps the
 * order in which a processor took the frames in: when a frame is visible, those
 * which the same processor took before it are, in both lanes; so the second
 * lane is looked at after the first, and the first again if it was empty. Of a
 * lane that has grown (ring_open.c) the former memory is read empty before the
 * new one.
 *
 * A frame longer than a super-frame's slot still goes the long way (slots of 64
 * KB would save 8 % with bodies of 1 MB, and hold half as many frames):
 * PACKET_COPY_THRESH has the kernel keep the frame itself in the socket's
 * receive queue and mark the slot TP_STATUS_COPY; one recv() for each such
 * slot, in the order of the slots, brings it whole. When that queue is full the
 * slot's cut copy is all there is; the frame is handed out short and counted.
 *
 * With PACKET_VNET_HDR a virtio header stands right in front of the frame (in
 * the slot: at tp_mac - 10; in what recv() brings, first). It tells the segment
 * size of a super-frame, and whether the checksum is still to be filled in.
 */
#include "capture/ring_internal.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "core/limits.h"

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

unsigned ring_poll(const struct ring *r, struct pollfd *pf)
{
	for (unsigned i = 0; i < r->lanes; i++)
		pf[i] = (struct pollfd){ r->lane[i].fd, POLLIN, 0 };
	return r->lanes;
}

void ring_wait(const struct ring *r, int ms)
{
	struct pollfd pf[RING_LANES];

	poll(pf, ring_poll(r, pf), ms);
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
	ssize_t n = recv(r->out->fd, r->whole, FRAME_MAX + VNET_LEN,
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

/* Give the oldest slot of a lane of V2 back to the kernel. */
static void release_v2(struct ring_lane *l)
{
	struct tpacket2_hdr *h = (void *)slot_at(l);

	__atomic_store_n(&h->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
	slot_advance(l);
}

/* The oldest frame of lane @i: of its former memory as long as that has any. */
static const struct tpacket2_hdr *peek_lane(struct ring *r, unsigned i,
					    struct ring_lane **from)
{
	const struct tpacket2_hdr *h;
	const struct tpacket2_hdr *first;

	*from = &r->lane[i];
	if (!r->former[i].map)
		return peek_v2(*from);
	first = peek_v2(*from);
	while ((h = peek_v2(&r->former[i]))) {
		if (!first || is_older(h, first)) {
			*from = &r->former[i];
			return h;
		}
		/* It stands in the new memory too. */
		if (h->tp_status & TP_STATUS_COPY)
			(void)recv(r->former[i].fd, r->whole, 0,
				   MSG_DONTWAIT | MSG_TRUNC);
		release_v2(&r->former[i]);
	}
	ring_retire(r, i);
	return peek_v2(*from);
}

static const struct tpacket2_hdr *oldest_v2(struct ring *r)
{
	struct ring_lane *small;
	struct ring_lane *super;
	const struct tpacket2_hdr *a = peek_lane(r, LANE_SMALL, &small);
	const struct tpacket2_hdr *b = peek_lane(r, LANE_SUPER, &super);

	if (!a && b)
		a = peek_lane(r, LANE_SMALL, &small);
	if (b && (!a || is_older(b, a))) {
		r->out = super;
		return b;
	}
	r->out = small;
	return a;
}

static bool next_v2(struct ring *r, struct ring_frame *f)
{
	const struct tpacket2_hdr *h = oldest_v2(r);
	const uint8_t *p = (const void *)h;
	uint32_t status;

	if (!h)
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
	struct tpacket_block_desc *b;

	if (r->version == RING_V2) {
		release_v2(r->out);
		return;
	}
	if (r->left > 0)
		return;
	b = (void *)slot_at(&r->lane[0]);
	__atomic_store_n(&b->hdr.bh1.block_status, TP_STATUS_KERNEL,
			 __ATOMIC_RELEASE);
	slot_advance(&r->lane[0]);
}

void ring_count(struct ring *r, int fd)
{
	struct tpacket_stats_v3 s;
	socklen_t len = r->version == RING_V3 ? sizeof(s)
					      : sizeof(struct tpacket_stats);

	memset(&s, 0, sizeof(s));
	/* Reading sets the kernel's counters back to 0. */
	if (getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &s, &len))
		return;
	r->stats.offered += s.tp_packets;
	r->stats.drops += s.tp_drops;
	r->stats.freezes += s.tp_freeze_q_cnt;
}

static const struct counter rows[] = { RING_COUNTERS(COUNTER_ROW,
						     struct ring_stats) };
const struct counter_list ring_counter_list = COUNTER_LIST(rows);

const struct ring_stats *ring_stats(struct ring *r)
{
	for (unsigned i = 0; i < r->lanes; i++) {
		ring_count(r, r->lane[i].fd);
		if (r->former[i].map)
			ring_count(r, r->former[i].fd);
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
