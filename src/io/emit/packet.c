/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * packet.c - Frames leave by a packet socket
 *
 * Theory of operation
 *
 * Frames wait in a batch of PACKET_BATCH messages and leave with one
 * sendmmsg(). Each message gathers a virtio header, the headers built here and
 * the payload where it lies: payload is never copied by us.
 *
 * PACKET_QDISC_BYPASS sends round the qdisc and with it round the guard's
 * egress hook, which stops everything else. It has no queue: when the device is
 * full the frame is dropped with -ENOBUFS. Then the batch waits RETRY_PAUSE and
 * tries again, RETRIES times in all for one flush; what is still there is
 * reported as not sent, and the machine treats it as lost. So a dead wire costs
 * a flush at most RETRIES * RETRY_PAUSE.
 *
 * Segments longer than @gso go to the kernel as one super-frame of at most 64
 * KB (an IP datagram's limit), which it or the device cuts: for large requests
 * this costs a small part of sending each frame. A longer payload is cut into
 * several super-frames here; only the last one bears FIN and PSH, and carries
 * the cookie.
 *
 * A segment that goes on where the one before it in the batch ends, and differs
 * from it in nothing else, joins it: they leave as one super-frame, and on the
 * wire they are the segments that they were (the rule of GRO: all but the last
 * are as long as the first, only the last may bear PSH). A client that uploads
 * through a card which does not merge frames, or a flow that catches up, costs
 * one send for up to JOIN_MAX segments.
 *
 * On the way round the qdisc the kernel cuts nothing: a super-frame that the
 * device itself cannot cut (TSO off, or longer than its limit) is dropped with
 * the same -ENOBUFS. So the device is asked at the start, and whenever one
 * fails all the same, payloads are cut into single frames here for the next
 * SUPER_REST frames.
 *
 * A datagram longer than the wire's MTU leaves in IP fragments, as a host's
 * would.
 *
 * Checksums: with a payload of SUM_MIN bytes or more only the pseudo header is
 * summed and the kernel or the device does the rest (it must, for a
 * super-frame); below, the full sum is cheaper than asking for it.
 */
#include "emit/packet.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "bpf/netlink.h"
#include "core/limits.h"
#include "os/clock.h"
#include "wire/segment.h"

#define SEND_BUFFER (32 << 20)
#define RETRIES	    4
#define RETRY_PAUSE (50 * NS_PER_US)
#define SUM_MIN	    256
#define IP_MAX	    65535u
#define MTU_LEAST   1280u
#define SUPER_REST  4096
#define HDR_ROOM    BUILD_RAW_MAX
#define JOIN_MAX    48	/* segments of one super-frame */
#define JOIN_MIN    256 /* bytes of a segment that is worth it */

_Static_assert(BUILD_HDR_MAX <= HDR_ROOM, "headers fit where raw frames do");

/*
 * One message of the batch. Its headers are built when it leaves: until then
 * segments may join it.
 */
struct packet_msg {
	struct virtio_net_hdr vnet;
	uint8_t hdr[HDR_ROOM];
	struct iovec iov[2 + JOIN_MAX]; /* vnet, hdr, payloads */
	struct tcp_header h;
	uint8_t opts[TCP_OPT_MAX];
	uint8_t proto;	   /* 0: raw, @hdr is all of it */
	bool more;	   /* another part of the same segment follows */
	bool cut;	   /* part of a segment that did not fit into one */
	uint16_t gso;	   /* 0: one frame */
	uint16_t segments; /* handed over; each has a payload and a cookie */
	uint32_t len;	   /* of all payloads */
	uint32_t bytes;
	uint64_t cookie[JOIN_MAX];
};

struct packet_batch {
	struct mmsghdr mm[PACKET_BATCH];
	struct packet_msg msg[PACKET_BATCH];
};

void packet_private_mac(uint8_t mac[ETH_LEN], const uint8_t dev[ETH_LEN])
{
	memcpy(mac, dev, ETH_LEN);
	mac[0] = (uint8_t)((dev[0] | 0x02) & ~0x01);
	mac[5] ^= 0x55;
}

static struct sink_packet *of(struct sink *s)
{
	/* The sink is the first member. */
	return (struct sink_packet *)(void *)s;
}

static void finish(struct sink_packet *p, const struct packet_msg *m, int err)
{
	struct sink *s = &p->sink;

	if (err) {
		if (m->vnet.gso_type != VIRTIO_NET_HDR_GSO_NONE &&
		    err == -ENOBUFS) {
			p->super_failed++;
			p->super_rest = SUPER_REST;
		}
		s->stats.errors++;
		p->piece_err = err;
	} else {
		s->stats.frames += m->segments;
		s->stats.bytes += m->bytes;
	}
	if (m->more)
		return;
	for (unsigned i = 0; i < m->segments; i++)
		s->done(s->ctx, m->cookie[i], p->piece_err);
	p->piece_err = 0;
}

static uint32_t ip_overhead(const struct tcp_header *h)
{
	return ipaddr_is4(&h->src) ? 20 : 40;
}

/* Write the headers of what this message has become. */
static void msg_build(struct packet_msg *m)
{
	const uint8_t *data = m->iov[2].iov_base;
	bool super = m->gso > 0 && m->len > m->gso;
	enum build_csum sum = super || m->segments > 1 || m->len >= SUM_MIN
				      ? CSUM_PARTIAL
				      : CSUM_FULL;
	size_t n;

	memset(&m->vnet, 0, sizeof(m->vnet));
	if (m->proto == PROTO_TCP)
		n = build_tcp(m->hdr, &m->h, data, m->len, sum);
	else
		n = build_udp(m->hdr, &m->h, data, m->len, sum);
	if (sum == CSUM_PARTIAL) {
		m->vnet.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		m->vnet.csum_start = (uint16_t)(14 + ip_overhead(&m->h));
		m->vnet.csum_offset = m->proto == PROTO_TCP ? 16 : 6;
	}
	if (super) {
		m->vnet.gso_type = ipaddr_is4(&m->h.src)
					   ? VIRTIO_NET_HDR_GSO_TCPV4
					   : VIRTIO_NET_HDR_GSO_TCPV6;
		m->vnet.gso_size = m->gso;
		m->vnet.hdr_len = (uint16_t)n;
	}
	m->iov[1].iov_len = n;
	m->bytes = (uint32_t)n + m->len;
}

static void packet_flush(struct sink *s)
{
	struct sink_packet *p = of(s);
	uint32_t i = 0;
	int tries = RETRIES;

	for (uint32_t k = 0; k < p->waiting; k++) {
		struct packet_msg *m = &p->batch->msg[k];

		if (m->proto != 0)
			msg_build(m);
		p->batch->mm[k].msg_hdr.msg_iovlen = 2u + m->segments;
	}
	if (p->waiting > 0)
		s->stamp = clock_real();
	while (i < p->waiting) {
		int n = sendmmsg(p->fd, p->batch->mm + i, p->waiting - i,
				 MSG_DONTWAIT);
		int err = n < 0 ? -errno : 0;

		s->stats.calls++;
		for (; n > 0; n--)
			finish(p, &p->batch->msg[i++], 0);
		if (err == 0 || err == -EINTR)
			continue;
		if ((err == -ENOBUFS || err == -EAGAIN) && tries > 0) {
			tries--;
			s->stats.retries++;
			clock_pause(RETRY_PAUSE);
			s->stamp = clock_real();
			continue;
		}
		finish(p, &p->batch->msg[i++], err);
	}
	p->waiting = 0;
}

/* The next free message; flushes a full batch. */
static struct packet_msg *msg_new(struct sink_packet *p, uint8_t proto)
{
	struct packet_msg *m;

	if (p->waiting == PACKET_BATCH)
		packet_flush(&p->sink);
	m = &p->batch->msg[p->waiting++];
	m->proto = proto;
	m->more = false;
	m->cut = false;
	m->gso = 0;
	m->len = 0;
	m->segments = 0;
	return m;
}

static void msg_add(struct packet_msg *m, const uint8_t *data, uint32_t len,
		    uint64_t cookie)
{
	struct iovec *v = &m->iov[2 + m->segments];

	/* sendmmsg() only reads; struct iovec serves reading and writing. */
	v->iov_base = (void *)(uintptr_t)data;
	v->iov_len = len;
	m->cookie[m->segments++] = cookie;
	m->len += len;
}

static struct packet_msg *msg_ip(struct sink_packet *p, uint8_t proto,
				 const struct tcp_header *h, uint16_t gso)
{
	struct packet_msg *m = msg_new(p, proto);

	m->h = *h;
	if (proto == PROTO_TCP)
		memcpy(m->opts, h->opts, h->optlen);
	m->h.opts = m->opts;
	m->gso = gso;
	return m;
}

/* Send one frame or super-frame. */
static void send_piece(struct sink_packet *p, uint8_t proto,
		       const struct tcp_header *h, const uint8_t *data,
		       uint32_t len, uint16_t gso, bool more, uint64_t cookie)
{
	struct packet_msg *m = msg_ip(p, proto, h, gso);

	if (p->super_rest > 0)
		p->super_rest--;
	m->more = more;
	msg_add(m, data, len, cookie);
}

static bool same_but_seq(const struct tcp_header *a, const struct tcp_header *b)
{
	return a->sport == b->sport && a->dport == b->dport &&
	       a->ack == b->ack && a->win == b->win && a->ttl == b->ttl &&
	       a->optlen == b->optlen &&
	       memcmp(a->opts, b->opts, a->optlen) == 0 &&
	       ipaddr_eq(&a->src, &b->src) && ipaddr_eq(&a->dst, &b->dst) &&
	       memcmp(a->eth_dst, b->eth_dst, ETH_LEN) == 0 &&
	       memcmp(a->eth_src, b->eth_src, ETH_LEN) == 0;
}

/* Let a segment go on in the message before it, if the wire will not tell. */
static bool join(struct sink_packet *p, const struct tcp_header *h,
		 const uint8_t *data, uint32_t len, uint16_t gso,
		 uint64_t cookie)
{
	struct packet_msg *m;
	uint32_t size;

	if (p->waiting == 0 || p->super_rest > 0)
		return false;
	m = &p->batch->msg[p->waiting - 1];
	size = m->gso > 0 ? m->gso : m->len;
	if (m->proto != PROTO_TCP || m->cut || m->segments == JOIN_MAX ||
	    size < JOIN_MIN || size > UINT16_MAX || m->len % size != 0)
		return false;
	if (len == 0 || (gso > 0 ? gso != size : len > size) ||
	    14 + ip_overhead(h) + 20 + h->optlen + m->len + len > p->super_max)
		return false;
	if (m->h.flags != TCP_ACK ||
	    (h->flags & (uint8_t)~TCP_PSH) != TCP_ACK ||
	    h->seq != m->h.seq + m->len || !same_but_seq(&m->h, h))
		return false;
	m->gso = (uint16_t)size;
	m->h.flags = h->flags;
	msg_add(m, data, len, cookie);
	return true;
}

/* Payload bytes of one piece, a multiple of @gso, behind @hdrs bytes. */
static uint32_t piece_room(const struct sink_packet *p, uint32_t hdrs,
			   uint16_t gso)
{
	if (p->super_rest > 0 || p->super_max < hdrs + 2u * gso)
		return gso;
	return (p->super_max - hdrs) / gso * gso;
}

/* Send a datagram that the wire cannot carry whole. */
static void send_fragments(struct sink_packet *p, const struct tcp_header *h,
			   const uint8_t *data, uint32_t len, uint64_t cookie)
{
	/* Behind IP, and in IPv6 the fragment header; a multiple of 8. */
	uint32_t room = (p->mtu - ip_overhead(h) - 8) / 8 * 8;
	uint32_t from = 0;

	while (from < len) {
		uint32_t n = from == 0 ? room - 8 : room;
		struct packet_msg *m = msg_new(p, 0);

		if (n > len - from)
			n = len - from;
		memset(&m->vnet, 0, sizeof(m->vnet));
		m->more = from + n < len;
		m->iov[1].iov_len =
			build_udp_fragment(m->hdr, h, data, len, from, n);
		m->bytes = (uint32_t)m->iov[1].iov_len + n;
		msg_add(m, data + from, n, cookie);
		from += n;
	}
}

static int packet_ip(struct sink *s, uint8_t proto, const struct tcp_header *h,
		     const uint8_t *data, uint32_t len, uint16_t gso,
		     uint64_t cookie)
{
	struct sink_packet *p = of(s);
	struct tcp_header part = *h;
	uint32_t hdrs =
		ip_overhead(h) + (proto == PROTO_TCP ? 20u + h->optlen : 8u);
	uint32_t room = IP_MAX - hdrs;
	bool cut;

	if ((gso == 0 || proto != PROTO_TCP ? len : gso) > room)
		return -EMSGSIZE;
	if (proto == PROTO_UDP && len > p->mtu - hdrs) {
		send_fragments(p, h, data, len, cookie);
		return 0;
	}
	if (proto == PROTO_TCP && join(p, h, data, len, gso, cookie))
		return 0;
	if (gso == 0 || proto != PROTO_TCP) {
		send_piece(p, proto, h, data, len, 0, false, cookie);
		return 0;
	}
	room = piece_room(p, 14 + hdrs, gso);
	cut = len > room;
	while (len > room) {
		part.flags = h->flags & (uint8_t) ~(TCP_FIN | TCP_PSH);
		send_piece(p, proto, &part, data, room, gso, true, cookie);
		part.seq += room;
		data += room;
		len -= room;
	}
	part.flags = h->flags;
	send_piece(p, proto, &part, data, len, gso, false, cookie);
	p->batch->msg[p->waiting - 1].cut = cut;
	return 0;
}

static int packet_raw(struct sink *s, const uint8_t *p, uint32_t len,
		      uint64_t cookie)
{
	struct packet_msg *m = msg_new(of(s), 0);

	memset(&m->vnet, 0, sizeof(m->vnet));
	memcpy(m->hdr, p, len);
	m->iov[1].iov_len = len;
	m->bytes = len;
	msg_add(m, NULL, 0, cookie);
	return 0;
}

static void packet_close(struct sink *s)
{
	struct sink_packet *p = of(s);

	close(p->fd);
	free(p->batch);
	p->batch = NULL;
	p->fd = -1;
}

/* Find the device's limit for super-frames among all links. */
static int on_link(void *ctx, const struct nlmsghdr *h)
{
	struct sink_packet *p = ctx;
	const struct ifinfomsg *m = NLMSG_DATA(h);
	const void *a;
	size_t len = 0;
	uint32_t max;

	if (h->nlmsg_type != RTM_NEWLINK ||
	    h->nlmsg_len < NLMSG_LENGTH(sizeof(*m)) ||
	    m->ifi_index != p->ifindex)
		return 0;
	a = netlink_attr(h, sizeof(*m), IFLA_GSO_MAX_SIZE, &len);
	if (!a || len != sizeof(max))
		return 0;
	memcpy(&max, a, sizeof(max));
	/* The kernel wants less than the limit, an IP header 65535 at most. */
	p->super_max = max > IP_MAX ? IP_MAX : max > 0 ? max - 1 : 0;
	return 0;
}

/* What the device takes; a device that does not say so takes nothing. */
static void ask_device(struct sink_packet *p, const char *ifname)
{
	const struct ifinfomsg all = { .ifi_family = AF_UNSPEC };
	struct ethtool_value tso = { .cmd = ETHTOOL_GTSO };
	struct ifreq q;

	memset(&q, 0, sizeof(q));
	memcpy(q.ifr_name, ifname, strnlen(ifname, sizeof(q.ifr_name) - 1));
	q.ifr_data = (void *)&tso;
	if (ioctl(p->fd, SIOCETHTOOL, &q) || tso.data == 0)
		return;
	(void)netlink_dump(RTM_GETLINK, &all, sizeof(all), on_link, p);
}

/* The wire's MTU; one that IPv6 could not use is taken for its least (RFC 8200
 * section 5).
 */
static void ask_mtu(struct sink_packet *p, const char *ifname)
{
	struct ifreq q;

	memset(&q, 0, sizeof(q));
	memcpy(q.ifr_name, ifname, strnlen(ifname, sizeof(q.ifr_name) - 1));
	p->mtu = MTU_LEAST;
	if (ioctl(p->fd, SIOCGIFMTU, &q) == 0 && q.ifr_mtu > (int)MTU_LEAST)
		p->mtu = (uint32_t)q.ifr_mtu;
}

static int set_up(int fd, int index)
{
	struct sockaddr_ll a = { .sll_family = AF_PACKET,
				 .sll_ifindex = index };
	int one = 1;
	int size = SEND_BUFFER;

	if (setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one,
		       sizeof(one)) ||
	    setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof(one)) ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) ||
	    bind(fd, (const struct sockaddr *)&a, sizeof(a)))
		return -errno;
	return 0;
}

static struct packet_batch *batch_new(void)
{
	struct packet_batch *b = calloc(1, sizeof(*b));

	for (int i = 0; b && i < PACKET_BATCH; i++) {
		struct packet_msg *m = &b->msg[i];

		m->iov[0].iov_base = &m->vnet;
		m->iov[0].iov_len = sizeof(m->vnet);
		m->iov[1].iov_base = m->hdr;
		b->mm[i].msg_hdr.msg_iov = m->iov;
	}
	return b;
}

int packet_open(struct sink_packet *p, const char *ifname, const uint8_t *mac,
		const struct emit_dest *dest, uint32_t dests,
		sink_done_fn *done, void *ctx, struct errbuf *e)
{
	static const struct sink_ops ops = {
		.ip = packet_ip,
		.raw = packet_raw,
		.flush = packet_flush,
		.close = packet_close,
	};
	unsigned index = if_nametoindex(ifname);
	struct sink_packet n = { .fd = -1 };
	int rc;

	if (index == 0)
		return errbuf_set(e, -ENODEV, "no interface named %s", ifname);
	rc = sink_init(&n.sink, &ops, mac, dest, dests, done, ctx);
	if (rc)
		return errbuf_set(e, rc, "more than %d destinations", MAP_MAX);
	/* Protocol 0: this socket only sends. */
	n.fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (n.fd < 0)
		return errbuf_set(e, -errno, "packet socket: %s",
				  strerror(errno));
	rc = set_up(n.fd, (int)index);
	n.ifindex = (int)index;
	ask_device(&n, ifname);
	ask_mtu(&n, ifname);
	n.batch = rc ? NULL : batch_new();
	if (rc == 0 && !n.batch)
		rc = -ENOMEM;
	if (rc) {
		close(n.fd);
		return errbuf_set(e, rc, "%s: cannot open for sending: %s",
				  ifname, strerror(-rc));
	}
	*p = n;
	return 0;
}
