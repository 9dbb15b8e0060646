/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/*
 * show.bpf.c - Copies of what goes between us and servers
 *
 * Theory of operation
 *
 * One program stands at the egress of each device by which servers are reached,
 * one at its ingress, in front of the one that routes spliced connections. So
 * both see a connection as the server does, and as a mirror in front of him
 * would: what our own sockets send and what was passed on in the kernel, with
 * the server's numbers, from the first SYN on.
 *
 * The SYN says whose a connection is. It bears its socket, and of that the
 * proxy has said whom it is for; from then on its addresses and ports are in a
 * table. A SYN of a socket that is nobody's takes them out, so that who has
 * them next is not shown. A connection that was made of a client's own SYN has
 * no socket: it is looked up where the router has it, each time.
 *
 * A copy shows the client in our place. What is copied is the packet itself:
 * its addresses are changed, it is cloned to the device, and they are changed
 * back. A packet for which the kernel has no memory to do the last is dropped,
 * as by a full queue, and sent again by its sender.
 *
 * Where copies come in at the device (netif_rx), packet sockets see them, and
 * the guard behind these drops them: so nothing can leave. Where they leave by
 * it, since it leads to another host, tap_gate lets out nothing else: copies
 * bear a mark until then.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/bytes.h"
#include "core/dir.h"
#include "core/rendezvous.h"
#include "core/sip.h"
#include "route/table.h"
#include "splice/pair.h"
#include "tap/table.h"

#define L3	    ETH_HLEN
#define IP4_MIN	    20
#define IP6_HEAD    40
#define TCP_MIN	    20
#define TCP_NUMBER  6
#define CSUM_AT	    16 /* in a TCP header */
#define FLAGS_AT    13
#define FIN	    1
#define SYN	    2
#define RST	    4
#define ACK	    16
#define FRAGMENT    0x3fff /* of IPv4's field: more, and the offset */
#define COPY_MARK   0x75735450u
#define TAP_ENTRIES 2048 /* unless the loader says more */

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, TAP_ENTRIES);
	__type(key, uint64_t);
	__type(value, struct tap_client);
} tap_sockets SEC(".maps");

/* By what their servers send. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, TAP_ENTRIES);
	__type(key, struct splice_tuple);
	__type(value, struct tap_client);
} tap_tuples SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, TAP_COUNTS);
	__type(key, uint32_t);
	__type(value, uint64_t);
} tap_counts SEC(".maps");

/* The router's, if there are pairs that are made of a SYN. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct splice_tuple);
	__type(value, struct join_end);
} join_ends SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__type(value, struct join_slot);
} join_slots SEC(".maps");

const volatile struct tap_device tap_device;

/* A packet: @t as its server sends; where TCP's header and its bytes begin. */
struct look {
	struct splice_tuple t;
	uint32_t l4;
	uint32_t data;
	uint8_t flags;
	bool ip6;
	bool odd;
};

static __always_inline void count(uint32_t what)
{
	uint64_t *n = bpf_map_lookup_elem(&tap_counts, &what);

	if (n)
		*n += 1;
}

/* --- whose is it? --- */

static __always_inline int look_ip4(struct __sk_buff *skb, struct look *k)
{
	uint8_t ip[IP4_MIN];

	if (bpf_skb_load_bytes(skb, L3, ip, sizeof(ip)) || ip[0] >> 4 != 4 ||
	    ip[9] != TCP_NUMBER)
		return 1;
	/* Only its first part says whose it is. */
	if (get_be16(ip + 6) & 0x1fff)
		return 1;
	k->odd = (get_be16(ip + 6) & FRAGMENT) != 0;
	k->l4 = L3 + (ip[0] & 15u) * 4;
	k->t.src[10] = k->t.src[11] = 0xff;
	k->t.dst[10] = k->t.dst[11] = 0xff;
	__builtin_memcpy(k->t.src + 12, ip + 12, 4);
	__builtin_memcpy(k->t.dst + 12, ip + 16, 4);
	return 0;
}

/* With another header between the two it is nobody's. */
static __always_inline int look_ip6(struct __sk_buff *skb, struct look *k)
{
	uint8_t ip[IP6_HEAD];

	if (bpf_skb_load_bytes(skb, L3, ip, sizeof(ip)) || ip[0] >> 4 != 6 ||
	    ip[6] != TCP_NUMBER)
		return 1;
	k->ip6 = true;
	k->l4 = L3 + IP6_HEAD;
	__builtin_memcpy(k->t.src, ip + 8, 16);
	__builtin_memcpy(k->t.dst, ip + 24, 16);
	return 0;
}

static __always_inline void turn(struct splice_tuple *t)
{
	uint16_t port = t->sport;
	uint8_t ip[16];

	__builtin_memcpy(ip, t->src, 16);
	__builtin_memcpy(t->src, t->dst, 16);
	__builtin_memcpy(t->dst, ip, 16);
	t->sport = t->dport;
	t->dport = port;
}

/* Return: 0; 1: it is no segment */
static __always_inline int look_at(struct __sk_buff *skb, enum dir d,
				   struct look *k)
{
	uint8_t tcp[TCP_MIN];

	if (skb->vlan_present)
		return 1;
	if (skb->protocol == bpf_htons(ETH_P_IPV6)) {
		if (look_ip6(skb, k))
			return 1;
	} else if (skb->protocol != bpf_htons(ETH_P_IP) || look_ip4(skb, k)) {
		return 1;
	}
	if (bpf_skb_load_bytes(skb, k->l4, tcp, sizeof(tcp)))
		return 1;
	k->t.sport = get_be16(tcp);
	k->t.dport = get_be16(tcp + 2);
	k->flags = tcp[FLAGS_AT];
	k->data = k->l4 + (tcp[12] >> 4) * 4u;
	if (d == DIR_C2S)
		turn(&k->t);
	return 0;
}

/* As of core/ipaddr.h. */
static __always_inline bool is_ip4(const uint8_t ip[16])
{
	for (int i = 0; i < 10; i++)
		if (ip[i] != 0)
			return false;
	return ip[10] == 0xff && ip[11] == 0xff;
}

static __always_inline bool is_of_net(const volatile struct tap_net *n,
				      const struct splice_tuple *t, bool ip6)
{
	if (n->only6 != 0 && !ip6)
		return false;
	if (n->port != 0 && n->port != t->sport)
		return false;
	for (int i = 0; i < 16; i++)
		if ((t->src[i] & n->mask[i]) != n->ip[i])
			return false;
	return true;
}

/* Is a connection chosen? What the proxy makes itself it has chosen. */
static __always_inline bool is_chosen(const struct splice_tuple *server,
				      const struct splice_tuple *client)
{
	const struct hash_key key = { { tap_device.rule.key[0],
					tap_device.rule.key[1] } };
	uint32_t hash = (uint32_t)(rendezvous_client(&key, client->src) >> 32);
	bool yes = tap_device.rule.nets == 0;

	if (hash > tap_device.rule.most)
		return false;
	for (int i = 0; i < TAP_NETS && !yes; i++)
		if (i < (int)tap_device.rule.nets)
			yes = is_of_net(&tap_device.rule.net[i], server,
					!is_ip4(server->src));
	return yes;
}

/* Of a pair that was made of a SYN. Return: 0, and @c */
__noinline int tap_paired(const struct splice_tuple *server,
			  struct tap_client *c)
{
	struct splice_tuple key;
	struct join_slot *slot;
	struct join_end *e;
	uint32_t place;

	if (!server || !c)
		return 1;
	key = *server;
	e = bpf_map_lookup_elem(&join_ends, &key);
	if (!e || e->dir != DIR_S2C)
		return 1;
	place = e->name.place;
	slot = bpf_map_lookup_elem(&join_slots, &place);
	if (!slot || slot->pair.generation != e->name.generation ||
	    !(slot->pair.flags & SPLICE_PAIR_SYN))
		return 1;
	key = slot->pair.side[DIR_C2S].tuple;
	if (!is_chosen(server, &key))
		return 1;
	__builtin_memcpy(c->ip, key.src, 16);
	c->port = key.sport;
	c->differs = 0;
	return 0;
}

/* A SYN leaves: whose is it from now on? */
static __always_inline void begin(struct __sk_buff *skb, const struct look *k)
{
	uint64_t cookie = bpf_get_socket_cookie(skb);
	struct splice_tuple key = k->t;
	struct tap_client *c = bpf_map_lookup_elem(&tap_sockets, &cookie);
	struct tap_client v;

	if (!c) {
		bpf_map_delete_elem(&tap_tuples, &key);
		return;
	}
	v = *c;
	v.cookie = cookie;
	v.fins = 0;
	bpf_map_update_elem(&tap_tuples, &key, &v, BPF_ANY);
}

/* Return: 0, and @c; 1: it is not shown */
static __always_inline int find(struct __sk_buff *skb, const struct look *k,
				enum dir d, struct tap_client *c)
{
	struct splice_tuple key = k->t;
	struct tap_client *v;

	if (d == DIR_C2S && (k->flags & (SYN | ACK)) == SYN)
		begin(skb, k);
	v = bpf_map_lookup_elem(&tap_tuples, &key);
	if (!v)
		return tap_device.syn ? tap_paired(&key, c) : 1;
	/* From the answer on the socket is not looked for any more. */
	if ((k->flags & SYN) && d == DIR_S2C && v->cookie != 0) {
		uint64_t cookie = v->cookie;

		bpf_map_delete_elem(&tap_sockets, &cookie);
		v->cookie = 0;
	}
	*c = *v;
	return 0;
}

/* Was it the last one? Then its place is free. */
static __always_inline void end(const struct __sk_buff *skb,
				const struct look *k, enum dir d,
				const struct tap_client *c)
{
	struct splice_tuple key = k->t;
	struct tap_client *v;
	uint8_t fin = (uint8_t)(1u << d);

	if (!(k->flags & (FIN | RST)) && c->fins != 3)
		return;
	v = bpf_map_lookup_elem(&tap_tuples, &key);
	if (!v)
		return;
	if (k->flags & FIN)
		v->fins |= fin;
	else if ((k->flags & RST) || (v->fins == 3 && skb->len <= k->data))
		bpf_map_delete_elem(&tap_tuples, &key);
}

/* --- it is shown --- */

/* Write an address and a port of ours, or the client's. Return: 0 */
static __always_inline int put_end(struct __sk_buff *skb, const struct look *k,
				   enum dir d, const uint8_t was[16],
				   uint16_t was_port, const uint8_t now[16],
				   uint16_t now_port)
{
	uint32_t port_at = k->l4 + (d == DIR_C2S ? 0 : 2);
	uint16_t was_be = bpf_htons(was_port), now_be = bpf_htons(now_port);
	uint32_t a[4], b[4];
	int64_t sum;

	__builtin_memcpy(a, was, 16);
	__builtin_memcpy(b, now, 16);
	if (k->ip6) {
		sum = bpf_csum_diff(a, 16, b, 16, 0);
		if (sum < 0 ||
		    bpf_skb_store_bytes(skb, L3 + (d == DIR_C2S ? 8 : 24), b,
					16, 0))
			return 1;
	} else {
		sum = bpf_csum_diff(a + 3, 4, b + 3, 4, 0);
		if (sum < 0 ||
		    bpf_l3_csum_replace(skb, L3 + 10, 0, (uint64_t)sum, 0) ||
		    bpf_skb_store_bytes(skb, L3 + (d == DIR_C2S ? 12 : 16),
					b + 3, 4, 0))
			return 1;
	}
	if (bpf_l4_csum_replace(skb, k->l4 + CSUM_AT, 0, (uint64_t)sum,
				BPF_F_PSEUDO_HDR) ||
	    bpf_l4_csum_replace(skb, k->l4 + CSUM_AT, was_be, now_be, 2))
		return 1;
	return bpf_skb_store_bytes(skb, port_at, &now_be, 2, 0) != 0;
}

static __always_inline void clone(struct __sk_buff *skb)
{
	uint32_t mark = skb->mark;
	long r;

	if (tap_device.out)
		skb->mark = COPY_MARK;
	r = bpf_clone_redirect(skb, tap_device.ifindex,
			       tap_device.out ? 0 : BPF_F_INGRESS);
	skb->mark = mark;
	count(r == 0 ? TAP_SHOWN : TAP_LOST);
}

/* Does the device take it, or the longest of those that it is made of? */
static __always_inline bool fits(struct __sk_buff *skb, const struct look *k)
{
	uint32_t len = skb->gso_size ? k->data + skb->gso_size : skb->len;
	uint32_t mtu = 0;

	/* A device that is gone takes nothing: clone() counts that. */
	if (bpf_check_mtu(skb, tap_device.ifindex, &mtu, 0, 0) < 0)
		return true;
	return len <= mtu + L3;
}

/* Return: what becomes of the packet itself */
static __always_inline int show(struct __sk_buff *skb, const struct look *k,
				enum dir d, const struct tap_client *c)
{
	if (k->odd) {
		count(TAP_ODD);
		return TC_ACT_UNSPEC;
	}
	if (!fits(skb, k)) {
		count(TAP_TOO_LONG);
		return TC_ACT_UNSPEC;
	}
	if (c->differs) {
		clone(skb);
		return TC_ACT_UNSPEC;
	}
	if (put_end(skb, k, d, k->t.dst, k->t.dport, c->ip, c->port))
		goto harmed;
	clone(skb);
	if (put_end(skb, k, d, c->ip, c->port, k->t.dst, k->t.dport))
		goto harmed;
	return TC_ACT_UNSPEC;
harmed:
	count(TAP_HARMED);
	return TC_ACT_SHOT;
}

static __always_inline int tap(struct __sk_buff *skb, enum dir d)
{
	struct tap_client c = {};
	struct look k = {};
	int r;

	if (look_at(skb, d, &k) || find(skb, &k, d, &c))
		return TC_ACT_UNSPEC;
	r = show(skb, &k, d, &c);
	end(skb, &k, d, &c);
	return r;
}

SEC("tc")
int tap_out(struct __sk_buff *skb)
{
	return tap(skb, DIR_C2S);
}

SEC("tc")
int tap_in(struct __sk_buff *skb)
{
	return tap(skb, DIR_S2C);
}

/* At the egress of a device by which copies leave. */
SEC("tc")
int tap_gate(struct __sk_buff *skb)
{
	if (skb->mark != COPY_MARK) {
		count(TAP_STRAY);
		return TC_ACT_SHOT;
	}
	skb->mark = 0;
	return TC_ACT_UNSPEC;
}

/* At its ingress. */
SEC("tc")
int tap_shut(struct __sk_buff *skb)
{
	return skb ? TC_ACT_SHOT : TC_ACT_UNSPEC;
}

char _license[] SEC("license") = "Dual BSD/GPL";
