/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/*
 * tc.bpf.c - What an end of IP in IP lets the kernel do
 *
 * lone_catch, at the ingress of the device that gateways deliver by: what is
 * from a network of --allow and to an address of --addr goes to the device of
 * the tunnel, whose process puts it in order. The process looks at the source
 * once more: it does not depend on this program.
 *
 * lone_out, at the egress of the tunnel's device, and lone_in, at the ingress
 * of those of its paths: all of the tunnel, where nothing is to be put in
 * order. They do what lone/run.c does, by the same rules: a header in front
 * and a path's turn; a header off, if it is from the end of a path, what is in
 * it is whole, and its source is allowed. A long packet (GSO) has one turn.
 * Whose turn it is each processor counts by itself, so that none waits for
 * another.
 *
 * What is none of ours goes on as if we were not there (TC_ACT_UNSPEC).
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "core/turn.h"
#include "lone/tc.h"

#define HEAD	 20u
#define IPIP	 4
#define TCP	 6
#define UDP	 17
#define DF	 0x4000
#define FRAGMENT 0x3fff
#define TTL	 64
#define HOST	 0 /* pkt_type: for us, not one that a bridge floods */

#define DECAP_L3_IPV4 (1ULL << 7) /* of bpf_skb_adjust_room(), Linux 6.2 */

/** struct head - A header of IPv4 without options, in the order of the wire */
struct head {
	uint8_t begin;
	uint8_t tos;
	uint16_t len;
	uint16_t id;
	uint16_t frag;
	uint8_t ttl;
	uint8_t proto;
	uint16_t check;
	uint32_t src;
	uint32_t dst;
};

/* Set before they are loaded. */
const volatile uint32_t device;
const volatile uint32_t addrs;
const volatile uint32_t addr[TC_ADDRS];
const volatile uint32_t nets;
const volatile struct tc_net net[TC_NETS];
const volatile uint32_t paths;
const volatile struct tc_path path[TC_PATHS];
const volatile uint32_t seed;

/* Written while they run: the weights, and whether connections are pinned. */
uint32_t weight[TC_PATHS];
uint32_t pin;

struct tc_count tc_counted;

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__type(value, struct turn);
} lone_turn SEC(".maps");

static __always_inline void count(uint64_t *n, uint64_t by)
{
	__sync_fetch_and_add(n, by);
}

static __always_inline int is_ours(uint32_t to)
{
	for (uint32_t i = 0; i < TC_ADDRS; i++)
		if (i < addrs && addr[i] == to)
			return 1;
	return 0;
}

static __always_inline int is_theirs(uint32_t from)
{
	for (uint32_t i = 0; i < TC_NETS; i++)
		if (i < nets && (from & net[i].mask) == net[i].addr)
			return 1;
	return 0;
}

/* The path whose end this is, or TC_PATHS */
static __always_inline uint32_t path_of(uint32_t end)
{
	for (uint32_t i = 0; i < TC_PATHS; i++)
		if (i < paths && path[i].remote == end)
			return i;
	return TC_PATHS;
}

/* Return: 0, or not: there is no header of IPv4 */
static __always_inline int read_head(struct __sk_buff *skb, uint32_t at,
				     struct head *h)
{
	if (bpf_skb_load_bytes_relative(skb, at, h, sizeof(*h),
					BPF_HDR_START_NET))
		return -1;
	return h->begin >> 4 == 4 && (h->begin & 15) >= HEAD / 4 ? 0 : -1;
}

SEC("tc")
int lone_catch(struct __sk_buff *skb)
{
	struct head h;

	if (skb->protocol != bpf_htons(ETH_P_IP) || read_head(skb, 0, &h) ||
	    !is_ours(h.dst) || !is_theirs(h.src))
		return TC_ACT_UNSPEC;
	return (int)bpf_redirect(device, 0);
}

/* --- all of the tunnel --- */

static __always_inline uint32_t mix(uint32_t h, uint32_t v)
{
	h = (h ^ v) * 2654435769u;
	return h ^ h >> 15;
}

static __always_inline uint32_t pinned(struct __sk_buff *skb,
				       const struct head *h)
{
	uint32_t ports = 0, k = mix(mix(seed, h->src), h->dst);

	if (!(h->frag & bpf_htons(FRAGMENT)) &&
	    (h->proto == TCP || h->proto == UDP))
		bpf_skb_load_bytes_relative(skb, (h->begin & 15u) * 4, &ports,
					    sizeof(ports), BPF_HDR_START_NET);
	return mix(mix(k, ports), h->proto) % paths;
}

static __always_inline uint32_t choose(struct __sk_buff *skb,
				       const struct head *h)
{
	uint32_t key = 0, share[TURN_MOST];
	struct turn *t = bpf_map_lookup_elem(&lone_turn, &key);

	if (!t || pin || h->proto != TCP || h->frag & bpf_htons(FRAGMENT))
		return pinned(skb, h);
	for (uint32_t i = 0; i < TURN_MOST; i++)
		share[i] = weight[i];
	return turn_next(t, share, (1u << paths) - 1);
}

/* One's complement sum of a header whose own field is 0 (RFC 1071) */
static __always_inline uint16_t sum_of(const struct head *h)
{
	const uint16_t *p = (const void *)h;
	uint32_t sum = 0;

	for (uint32_t i = 0; i < HEAD / 2; i++)
		sum += p[i];
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t) ~((sum & 0xffff) + (sum >> 16));
}

SEC("tc")
int lone_out(struct __sk_buff *skb)
{
	struct head h, outer;
	uint32_t i, len;

	count(&tc_counted.read, 1);
	if (skb->protocol != bpf_htons(ETH_P_IP) || read_head(skb, 0, &h)) {
		count(&tc_counted.not_ip4, 1);
		return TC_ACT_SHOT;
	}
	if (h.proto == IPIP && path_of(h.dst) < TC_PATHS) {
		count(&tc_counted.looped, 1);
		return TC_ACT_SHOT;
	}
	i = choose(skb, &h) & (TC_PATHS - 1);
	if (bpf_skb_adjust_room(skb, HEAD, BPF_ADJ_ROOM_MAC,
				BPF_F_ADJ_ROOM_ENCAP_L3_IPV4 |
					BPF_F_ADJ_ROOM_FIXED_GSO)) {
		count(&tc_counted.unsent, 1);
		return TC_ACT_SHOT;
	}
	outer = (struct head){
		.begin = 0x45,
		.tos = h.tos,
		/* As the kernel's own has it of a long one. */
		.len = skb->len > 0xffff ? 0 : bpf_htons((uint16_t)skb->len),
		.frag = h.frag & bpf_htons(DF),
		.ttl = TTL,
		.proto = IPIP,
		.src = path[i].local,
		.dst = path[i].remote,
	};
	/* Who may cut it needs to tell its parts from another one's. */
	if (!outer.frag)
		outer.id = (uint16_t)bpf_get_prandom_u32();
	outer.check = sum_of(&outer);
	len = skb->len;
	/* The kernel takes a header of Ethernet off before it finds the way. */
	if (bpf_skb_store_bytes(skb, 0, &outer, sizeof(outer), 0) ||
	    bpf_skb_change_head(skb, ETH_HLEN, 0)) {
		count(&tc_counted.unsent, 1);
		return TC_ACT_SHOT;
	}
	count(&tc_counted.path[i].sent, 1);
	count(&tc_counted.path[i].sent_bytes, len);
	return (int)bpf_redirect_neigh(path[i].ifindex, 0, 0, 0);
}

static __always_inline int drop(uint64_t *n)
{
	count(n, 1);
	return TC_ACT_SHOT;
}

SEC("tc")
int lone_in(struct __sk_buff *skb)
{
	struct head outer, h;
	uint32_t i, len;

	if (skb->protocol != bpf_htons(ETH_P_IP) || skb->pkt_type != HOST ||
	    read_head(skb, 0, &outer) || outer.proto != IPIP)
		return TC_ACT_UNSPEC;
	i = path_of(outer.src);
	if (i >= TC_PATHS)
		return TC_ACT_UNSPEC; /* another tunnel's */
	count(&tc_counted.came, 1);
	count(&tc_counted.path[i & (TC_PATHS - 1)].came, 1);
	if ((outer.begin & 15) != HEAD / 4 || outer.frag & bpf_htons(FRAGMENT))
		return drop(&tc_counted.bad);
	if (read_head(skb, HEAD, &h))
		return drop(&tc_counted.bad);
	len = bpf_ntohs(h.len) + HEAD;
	if (outer.len && len > bpf_ntohs(outer.len))
		return drop(&tc_counted.cut);
	if (outer.len && len < bpf_ntohs(outer.len))
		return drop(&tc_counted.bad);
	if (!is_theirs(h.src))
		return drop(&tc_counted.not_allowed);
	if (bpf_skb_adjust_room(skb, -(int)HEAD, BPF_ADJ_ROOM_MAC,
				BPF_F_ADJ_ROOM_FIXED_GSO | DECAP_L3_IPV4))
		return drop(&tc_counted.not_written);
	count(&tc_counted.written, 1);
	return (int)bpf_redirect(device, BPF_F_INGRESS);
}

char _license[] SEC("license") = "Dual BSD/GPL";
