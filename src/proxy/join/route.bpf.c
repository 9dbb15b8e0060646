/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/*
 * route.bpf.c - Spliced connections are routed, on the ingress of every device
 * they use
 *
 * Theory of operation
 *
 * A packet's addresses and ports are looked up; what is no pair's goes on as if
 * we were not there (TC_ACT_UNSPEC: other programs and the stack have their
 * turn). Else its headers are copied out, splice/state.h moves the pair under
 * its lock and says where the packet goes, splice/head.h maps the copy, and the
 * copy is written over the original. All that decides is in these headers; here
 * is only what the kernel wants.
 *
 * Checksums. The one of IPv4 is in the copy. TCP's stays in the packet, for the
 * kernel knows what it is: complete, or the pseudo header alone, to be
 * completed by a device, or of a packet whose bytes a device has summed.
 * bpf_l4_csum_replace does right by all three, if told which part of the
 * difference is of the pseudo header. With IPv6 the sum of all bytes stays as
 * it was; kernels that know BPF_F_IPV6 know that, and for others what they get
 * wrong is taken back.
 *
 * The packet leaves by bpf_redirect_neigh: neighbours are the kernel's.
 *
 * TIMEWAIT has no timer: who enters it lets go of those that are due.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "core/dir.h"
#include "join/sockets.h"
#include "join/table.h"
#include "splice/begin.h"
#include "splice/head.h"
#include "splice/pair.h"
#include "splice/quote.h"
#include "splice/state.h"

#define L3	     ETH_HLEN
#define CSUM_IPV6    (1ull << 7) /* BPF_F_IPV6: newer than some headers */
#define ALL_FRAG     0x1fff	 /* of IPv4's field: the offset */
#define TCP_NUMBER   6
#define ICMP_NUMBER  1
#define ICMP6_NUMBER 58

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 2 * JOIN_PAIRS);
	__type(key, struct splice_tuple);
	__type(value, struct join_end);
} join_ends SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, JOIN_PAIRS);
	__type(key, uint32_t);
	__type(value, struct join_slot);
} join_slots SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, JOIN_PAIRS);
	__type(value, uint32_t);
} join_free SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, JOIN_PAIRS);
	__type(value, struct join_name);
} join_timewait SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, JOIN_RING);
} join_events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, JOIN_COUNTS);
	__type(key, uint32_t);
	__type(value, uint64_t);
} join_counts SEC(".maps");

/* A packet while it is looked at. */
struct scratch {
	struct splice_head h;
	struct splice_segment s;
	struct splice_tuple t;
	struct splice_quote q;
	uint8_t answer[SPLICE_TOO_LONG_MAX];
	uint32_t total;
	uint32_t fault;
	uint32_t events;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__type(value, struct scratch);
} join_scratch SEC(".maps");

const volatile struct join_config join_config;

static __always_inline void count(uint32_t what)
{
	uint64_t *n = bpf_map_lookup_elem(&join_counts, &what);

	if (n)
		*n += 1;
}

static __always_inline void tell(const struct join_end *e, uint32_t events)
{
	struct join_event v = { .name = e->name,
				.events = events,
				.dir = e->dir };

	if (bpf_ringbuf_output(&join_events, &v, sizeof(v), 0))
		count(JOIN_NO_EVENT);
}

/* --- a pair goes --- */

/* Take a tuple out, unless it is of a later pair by now. */
static __always_inline void forget_end(const struct splice_tuple *t,
				       const struct join_name *n)
{
	struct splice_tuple key = *t;
	struct join_end *e = bpf_map_lookup_elem(&join_ends, &key);

	if (e && e->name.place == n->place &&
	    e->name.generation == n->generation)
		bpf_map_delete_elem(&join_ends, &key);
}

static __always_inline void forget(struct join_slot *slot,
				   const struct join_name *n)
{
	forget_end(&slot->pair.side[DIR_C2S].tuple, n);
	forget_end(&slot->pair.side[DIR_S2C].tuple, n);
}

/* Return: 1 it is gone, 0 it is not due */
static __always_inline int reap_one(const struct join_name *n, uint64_t now)
{
	uint32_t place = n->place;
	struct join_slot *slot = bpf_map_lookup_elem(&join_slots, &place);

	/* Another pair's place by now, or a RST was not taken. */
	if (!slot || slot->pair.generation != n->generation ||
	    !splice_in_timewait(&slot->pair))
		return 1;
	if (!splice_due(&slot->pair, join_config.timewait, now))
		return 0;
	forget(slot, n);
	slot->pair.generation++;
	bpf_map_push_elem(&join_free, &place, 0);
	count(JOIN_REAPED);
	return 1;
}

static __always_inline void reap(uint64_t now)
{
	for (int i = 0; i < JOIN_REAP; i++) {
		struct join_name n;

		if (bpf_map_pop_elem(&join_timewait, &n))
			return;
		if (!reap_one(&n, now)) {
			bpf_map_push_elem(&join_timewait, &n, 0);
			return;
		}
	}
}

/* What a pair's new state asks for. */
static __always_inline void follow(struct join_slot *slot,
				   const struct join_name *name,
				   uint32_t events, uint64_t now)
{
	struct join_name n = *name;

	if (events & SPLICE_EV_REUSED)
		forget(slot, &n);
	if (events & (SPLICE_EV_TIMEWAIT | SPLICE_EV_RESET)) {
		if (bpf_map_push_elem(&join_timewait, &n, 0))
			count(JOIN_NO_QUEUE);
		reap(now);
	}
}

/* --- what a packet says --- */

/* Return: 0; 1: it is nobody's; 2: it is a message of ICMP */
static __always_inline int read_ip4(struct __sk_buff *skb, struct scratch *c)
{
	uint8_t *ip = c->h.ip;

	if (bpf_skb_load_bytes(skb, L3, ip, SPLICE_IP4_MIN))
		return 1;
	if (ip[0] >> 4 == 4 && ip[9] == ICMP_NUMBER)
		return 2;
	if (ip[0] >> 4 != 4 || ip[9] != TCP_NUMBER)
		return 1;
	c->fault = splice_ip4_read(ip, skb->len - L3, &c->h, &c->total);
	if (c->fault == SPLICE_CUT)
		return 1;
	/* Only its first part says whose it is. */
	if (c->fault == SPLICE_FRAGMENT && (get_be16(ip + 6) & ALL_FRAG) != 0)
		return 1;
	__builtin_memset(&c->t, 0, sizeof(c->t));
	c->t.src[10] = c->t.src[11] = 0xff;
	c->t.dst[10] = c->t.dst[11] = 0xff;
	__builtin_memcpy(c->t.src + 12, ip + 12, 4);
	__builtin_memcpy(c->t.dst + 12, ip + 16, 4);
	return 0;
}

static __always_inline int read_ip6(struct __sk_buff *skb, struct scratch *c)
{
	uint8_t *ip = c->h.ip;
	uint8_t next, b[8];

	if (bpf_skb_load_bytes(skb, L3, ip, SPLICE_IP6_MIN) || ip[0] >> 4 != 6)
		return 1;
	c->fault = splice_ip6_read(ip, skb->len - L3, &c->h, &c->total);
	next = ip[6];
	if (next == ICMP6_NUMBER)
		return 2;
	for (uint32_t i = 0; i < SPLICE_EXT_MAX; i++) {
		if (c->fault != SPLICE_FINE || !splice_is_ext(next))
			break;
		if (bpf_skb_load_bytes(skb, L3 + c->h.ip_len, b, sizeof(b)))
			return 1;
		c->fault = splice_ip6_ext(&c->h, c->total, b, &next);
	}
	/* The first part of a datagram has TCP behind its fragment header. */
	if (c->fault == SPLICE_FRAGMENT) {
		if (b[0] != TCP_NUMBER || (get_be16(b + 2) & 0xfff8) != 0)
			return 1;
		c->h.ip_len += 8;
	} else if (c->fault != SPLICE_FINE || next != TCP_NUMBER) {
		return 1;
	}
	__builtin_memcpy(c->t.src, ip + 8, 16);
	__builtin_memcpy(c->t.dst, ip + 24, 16);
	return 0;
}

/* The rest of the headers, once it is known that they are a pair's. */
static __always_inline void read_rest(struct __sk_buff *skb, struct scratch *c)
{
	uint32_t fixed = c->h.ip6 ? SPLICE_IP6_MIN : SPLICE_IP4_MIN;
	uint32_t more = c->h.ip_len - fixed;
	uint32_t at = L3 + c->h.ip_len;

	c->fault = SPLICE_CUT;
	if (c->total < c->h.ip_len + SPLICE_TCP_MIN)
		return;
	if (more > 0) {
		if (more > SPLICE_IP_MAX - SPLICE_IP6_MIN ||
		    bpf_skb_load_bytes(skb, L3 + fixed, c->h.ip + fixed, more))
			return;
	}
	if (bpf_skb_load_bytes(skb, at, c->h.tcp, SPLICE_TCP_MIN))
		return;
	if (splice_tcp_read(&c->h, c->total - c->h.ip_len, &c->s) !=
	    SPLICE_FINE)
		return;
	more = c->h.tcp_len - SPLICE_TCP_MIN;
	if (more > 0) {
		if (more > SPLICE_OPTS_MAX ||
		    bpf_skb_load_bytes(skb, at + SPLICE_TCP_MIN,
				       c->h.tcp + SPLICE_TCP_MIN, more))
			return;
	}
	c->fault = SPLICE_FINE;
}

/* --- a packet goes --- */

/* A difference in host order, as the kernel's helpers take one. */
static __always_inline uint64_t wire_sum(uint64_t sum)
{
	return bpf_htons(csum_fold(sum));
}

static __always_inline int move_csums(struct __sk_buff *skb, struct scratch *c)
{
	uint32_t at = L3 + c->h.ip_len + SPLICE_TH_CSUM;
	uint64_t addr = wire_sum(c->h.sum_addr);
	long r;

	if (bpf_l4_csum_replace(skb, at, 0, wire_sum(c->h.sum_tcp), 0))
		return 1;
	if (!c->h.ip6)
		return bpf_l4_csum_replace(skb, at, 0, addr,
					   BPF_F_PSEUDO_HDR) != 0;
	bpf_csum_update(skb, wire_sum(c->h.sum_bare));
	r = bpf_l4_csum_replace(skb, at, 0, addr, BPF_F_PSEUDO_HDR | CSUM_IPV6);
	if (r == 0)
		return 0;
	if (bpf_l4_csum_replace(skb, at, 0, addr, BPF_F_PSEUDO_HDR))
		return 1;
	bpf_csum_update(skb, addr);
	return 0;
}

static __always_inline int write_back(struct __sk_buff *skb, struct scratch *c)
{
	uint32_t ip_len = c->h.ip_len;
	uint32_t tcp_len = c->h.tcp_len;
	uint8_t *ip = c->h.ip;

	if (ip_len < SPLICE_IP4_MIN || ip_len > SPLICE_IP_MAX ||
	    tcp_len < SPLICE_TCP_MIN || tcp_len > SPLICE_TCP_MAX)
		return 1;
	if (!c->h.ip6)
		put_be16(ip + 10, csum_move(get_be16(ip + 10),
					    c->h.sum_ip4 + c->h.sum_addr));
	if (bpf_skb_store_bytes(skb, L3, ip, ip_len, 0) ||
	    bpf_skb_store_bytes(skb, L3 + ip_len, c->h.tcp, tcp_len, 0))
		return 1;
	return move_csums(skb, c);
}

/* The packet becomes the message that it does not fit, and goes back. A packet
 * that is cut has no sum of its bytes any more, so that none needs to be kept
 * up.
 */
static __always_inline int answer(struct __sk_buff *skb,
				  const struct join_slot *slot, enum dir d,
				  struct scratch *c, uint32_t mtu)
{
	uint32_t len = (c->h.ip6 ? SPLICE_TOO_LONG_MAX : 68);

	/* A router would not answer one with options any better. */
	if (c->h.ip_len != (c->h.ip6 ? SPLICE_IP6_MIN : SPLICE_IP4_MIN))
		return TC_ACT_SHOT;
	splice_too_long(&c->t, &c->h, mtu, c->answer);
	if (bpf_skb_change_tail(skb, L3 + len, 0) ||
	    bpf_skb_store_bytes(skb, L3, c->answer, len, 0))
		return TC_ACT_SHOT;
	return bpf_redirect_neigh(slot->way[d].ifindex, NULL, 0, 0);
}

/* The packet that will leave, or the longest of those that it is made of. */
static __always_inline uint32_t longest(const struct __sk_buff *skb,
					const struct scratch *c)
{
	return skb->gso_size ? skb->gso_size + c->h.ip_len + c->h.tcp_len
			     : c->total;
}

static __always_inline int relay(struct __sk_buff *skb, struct join_slot *slot,
				 enum dir d, struct scratch *c)
{
	struct join_way way = slot->way[dir_reverse(d)];
	struct splice_walk w;
	uint32_t mtu = 0;

	if (bpf_check_mtu(skb, way.ifindex, &mtu, 0, 0) < 0) {
		count(JOIN_FAILED);
		return TC_ACT_SHOT;
	}
	if (way.mtu != 0 && way.mtu < mtu)
		mtu = way.mtu;
	if (longest(skb, c) > mtu) {
		count(JOIN_TOO_LONG);
		return answer(skb, slot, d, c, mtu);
	}
	splice_map_start(&slot->pair, d, &c->h, &w);
	if (c->h.ip6 && c->h.ip_len > SPLICE_IP6_MIN)
		bpf_loop(SPLICE_EXT_MAX, splice_extension, &w, 0);
	if (c->h.opts_left > 0)
		bpf_loop(SPLICE_OPTS_MAX, splice_option, &w, 0);
	c->fault = c->h.fault;
	if (c->fault != SPLICE_FINE) {
		count(JOIN_DROPPED);
		count(JOIN_FAULT + (c->fault & 7));
		return TC_ACT_SHOT;
	}
	if (write_back(skb, c)) {
		count(JOIN_FAILED);
		return TC_ACT_SHOT;
	}
	splice_relayed(&slot->pair, d, &c->h);
	count(JOIN_RELAYED);
	return bpf_redirect_neigh(way.ifindex, NULL, 0, 0);
}

/* What cannot be read of a pair. */
static __always_inline int unread(const struct splice_pair *p,
				  struct scratch *c)
{
	if (!splice_drops(p, c->fault == SPLICE_FRAGMENT)) {
		count(JOIN_TO_STACK);
		return TC_ACT_UNSPEC;
	}
	count(JOIN_DROPPED);
	count(JOIN_FAULT + (c->fault & 7));
	return TC_ACT_SHOT;
}

static __always_inline int take(struct __sk_buff *skb, struct join_slot *slot,
				const struct join_end *e, struct scratch *c)
{
	uint64_t now = bpf_ktime_get_ns();
	enum dir d = e->dir == DIR_C2S ? DIR_C2S : DIR_S2C;
	struct splice_segment s = c->s;
	enum splice_act act;
	uint32_t events = 0;

	bpf_spin_lock(&slot->lock);
	act = splice_step(&slot->pair, d, &s, now, &events);
	bpf_spin_unlock(&slot->lock);
	if (events) {
		follow(slot, &e->name, events, now);
		tell(e, events);
	}
	if (act == SPLICE_TO_STACK) {
		count(JOIN_TO_STACK);
		return TC_ACT_UNSPEC;
	}
	return relay(skb, slot, d, c);
}

/* --- messages of ICMP --- */

/* Return: 0; 1: it quotes nothing of ours */
static __always_inline int read_quote(struct __sk_buff *skb, struct scratch *c,
				      bool ip6)
{
	uint32_t fixed = ip6 ? SPLICE_IP6_MIN : SPLICE_IP4_MIN;
	struct splice_quote *q = &c->q;
	uint32_t len;

	q->ip6 = ip6;
	__builtin_memcpy(q->ip, c->h.ip, SPLICE_IP6_MIN);
	if (ip6)
		len = get_be16(q->ip + 4);
	else if (q->ip[0] == 0x45 && (get_be16(q->ip + 6) & 0x3fff) == 0)
		len = get_be16(q->ip + 2) - fixed;
	else
		return 1;
	if (len > SPLICE_QUOTE_MAX)
		len = SPLICE_QUOTE_MAX;
	if (len < splice_quoted_tcp(q) + SPLICE_QUOTE_TCP ||
	    bpf_skb_load_bytes(skb, L3 + fixed, q->b, len))
		return 1;
	q->len = len;
	return !splice_quote_tuple(q, &c->t);
}

static __noinline int route_error(struct __sk_buff *skb, struct scratch *c,
				  uint32_t ip6)
{
	uint32_t fixed = ip6 ? SPLICE_IP6_MIN : SPLICE_IP4_MIN;
	struct join_slot *slot;
	struct join_end *e;
	uint32_t len;
	enum dir d;

	if (!c || read_quote(skb, c, ip6 != 0))
		return TC_ACT_UNSPEC;
	e = bpf_map_lookup_elem(&join_ends, &c->t);
	if (!e)
		return TC_ACT_UNSPEC;
	d = e->dir == DIR_C2S ? DIR_C2S : DIR_S2C;
	slot = bpf_map_lookup_elem(&join_slots, &e->name.place);
	if (!slot || slot->pair.generation != e->name.generation ||
	    !splice_is_live(&slot->pair))
		return TC_ACT_UNSPEC;
	splice_map_quote(&slot->pair, d, &c->q);
	len = c->q.len;
	if (len == 0 || len > SPLICE_QUOTE_MAX ||
	    bpf_skb_store_bytes(skb, L3, c->q.ip, fixed, 0) ||
	    bpf_skb_store_bytes(skb, L3 + fixed, c->q.b, len, 0))
		return TC_ACT_SHOT;
	bpf_csum_update(skb, wire_sum(c->q.sum_bare));
	count(JOIN_ERRORS);
	return bpf_redirect_neigh(slot->way[dir_reverse(d)].ifindex, NULL, 0,
				  0);
}

SEC("tc")
int join_route(struct __sk_buff *skb)
{
	struct join_slot *slot;
	struct join_end *found;
	struct join_end e;
	struct scratch *c;
	bool ip6 = skb->protocol == bpf_htons(ETH_P_IPV6);
	uint32_t key = 0;
	uint8_t ports[4];
	int r;

	c = bpf_map_lookup_elem(&join_scratch, &key);
	if (!c || skb->vlan_present)
		return TC_ACT_UNSPEC;
	if (!ip6 && skb->protocol != bpf_htons(ETH_P_IP))
		return TC_ACT_UNSPEC;
	r = ip6 ? read_ip6(skb, c) : read_ip4(skb, c);
	if (r == 2)
		return route_error(skb, c, ip6);
	if (r != 0)
		return TC_ACT_UNSPEC;
	if (bpf_skb_load_bytes(skb, L3 + c->h.ip_len, ports, sizeof(ports)))
		return TC_ACT_UNSPEC;
	c->t.sport = get_be16(ports);
	c->t.dport = get_be16(ports + 2);
	found = bpf_map_lookup_elem(&join_ends, &c->t);
	if (!found)
		return TC_ACT_UNSPEC;
	e = *found;
	slot = bpf_map_lookup_elem(&join_slots, &e.name.place);
	if (!slot || slot->pair.generation != e.name.generation)
		return TC_ACT_UNSPEC;
	if (c->fault == SPLICE_FINE)
		read_rest(skb, c);
	if (c->fault != SPLICE_FINE)
		return unread(&slot->pair, c);
	return take(skb, slot, &e, c);
}

/*
 * Splice the two sockets of a pair. Run by the library: its struct join_call is
 * the packet. Return: see there
 */
SEC("tc")
int join_splice(struct __sk_buff *skb)
{
	struct splice_socket k[DIR_COUNT] = {};
	enum splice_refusal why;
	struct join_slot *slot;
	struct join_call call;
	uint32_t events = 0;
	uint64_t now;
	bool ip6;

	if (bpf_skb_load_bytes(skb, 0, &call, sizeof(call)))
		return JOIN_NO_PAIR;
	slot = bpf_map_lookup_elem(&join_slots, &call.name.place);
	if (!slot || slot->pair.generation != call.name.generation)
		return JOIN_NO_PAIR;
	ip6 = (slot->pair.flags & SPLICE_PAIR_IP6) != 0;
	if (socket_read(skb, ip6, &slot->pair.side[DIR_C2S].tuple,
			&k[DIR_C2S]) ||
	    socket_read(skb, ip6, &slot->pair.side[DIR_S2C].tuple, &k[DIR_S2C]))
		return JOIN_NO_SOCKET;
	k[DIR_C2S].pending = call.pending[DIR_C2S];
	k[DIR_S2C].pending = call.pending[DIR_S2C];
	now = bpf_ktime_get_ns();
	bpf_spin_lock(&slot->lock);
	why = splice_begin(&slot->pair, k, now, &events);
	bpf_spin_unlock(&slot->lock);
	follow(slot, &call.name, events, now);
	return why == SPLICE_AGREED ? (int)(JOIN_SPLICED | events) : (int)why;
}

/*
 * Change the ways of a pair. Run by the library: its struct join_moved is the
 * packet.
 * Return: 0 or JOIN_NO_PAIR
 */
SEC("tc")
int join_move(struct __sk_buff *skb)
{
	struct join_slot *slot;
	struct join_moved m;
	int r = JOIN_NO_PAIR;

	if (bpf_skb_load_bytes(skb, 0, &m, sizeof(m)))
		return JOIN_NO_PAIR;
	slot = bpf_map_lookup_elem(&join_slots, &m.name.place);
	if (!slot)
		return JOIN_NO_PAIR;
	bpf_spin_lock(&slot->lock);
	if (slot->pair.generation == m.name.generation) {
		slot->way[DIR_C2S] = m.way[DIR_C2S];
		slot->way[DIR_S2C] = m.way[DIR_S2C];
		r = 0;
	}
	bpf_spin_unlock(&slot->lock);
	return r;
}

char _license[] SEC("license") = "Dual BSD/GPL";
