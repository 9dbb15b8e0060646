/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/*
 * sockets - What the kernel knows of our sockets, read where it lies
 *
 * No call of the sockets' own tells all that a splice needs (TS.Recent, for
 * one). Of the kernel's structs only what is read is declared; where it lies in
 * the running kernel the loader finds out. For the program alone.
 */
#ifndef ROUTE_SOCKETS_H
#define ROUTE_SOCKETS_H

#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <stdbool.h>
#include <stdint.h>

#include "route/table.h"
#include "splice/begin.h"
#include "splice/pair.h"

/* States of a socket (RFC 9293 section 3.3.2, in Linux's numbers). */
#define SOCKET_ESTABLISHED 1
#define SOCKET_CLOSE_WAIT  8

#define KERNEL __attribute__((preserve_access_index))

struct sock_common {
	unsigned char skc_state;
} KERNEL;

struct sock {
	struct sock_common __sk_common;
} KERNEL;

struct inet_sock {
	struct sock sk;
} KERNEL;

struct inet_connection_sock {
	struct inet_sock icsk_inet;
} KERNEL;

struct tcp_options_received {
	uint32_t ts_recent;
	uint16_t tstamp_ok : 1, sack_ok : 3, snd_wscale : 4, rcv_wscale : 4;
} KERNEL;

struct tcp_sock {
	struct inet_connection_sock inet_conn;
	uint32_t snd_una;
	uint32_t write_seq;
	uint32_t snd_wnd;
	uint32_t rcv_nxt;
	uint32_t copied_seq;
	uint32_t rcv_wup;
	uint32_t rcv_wnd;
	uint32_t window_clamp;
	uint32_t tsoffset;
	uint32_t mss_cache;
	uint8_t ecn_flags;
	uint8_t tcp_usec_ts : 1;
	struct tcp_options_received rx_opt;
} KERNEL;

#undef KERNEL

/* Its clock of timestamps, in the unit that it uses. */
static __always_inline uint32_t socket_clock(struct tcp_sock *tp)
{
	uint64_t unit = 1000000;

	if (bpf_core_field_exists(tp->tcp_usec_ts) &&
	    BPF_CORE_READ_BITFIELD_PROBED(tp, tcp_usec_ts))
		unit = 1000;
	return (uint32_t)(bpf_ktime_get_ns() / unit) + tp->tsoffset;
}

static __always_inline void socket_copy(struct tcp_sock *tp,
					struct splice_socket *k)
{
	uint8_t state = tp->inet_conn.icsk_inet.sk.__sk_common.skc_state;

	k->snd_una = tp->snd_una;
	k->write_seq = tp->write_seq;
	k->snd_wnd = tp->snd_wnd;
	k->rcv_nxt = tp->rcv_nxt;
	k->copied_seq = tp->copied_seq;
	k->rcv_wup = tp->rcv_wup;
	k->rcv_wnd = tp->rcv_wnd;
	k->room = tp->window_clamp;
	k->ts_recent = tp->rx_opt.ts_recent;
	k->tsval = socket_clock(tp);
	k->scale = BPF_CORE_READ_BITFIELD_PROBED(tp, rx_opt.snd_wscale);
	k->told = BPF_CORE_READ_BITFIELD_PROBED(tp, rx_opt.rcv_wscale);
	k->ts = BPF_CORE_READ_BITFIELD_PROBED(tp, rx_opt.tstamp_ok);
	k->sack = BPF_CORE_READ_BITFIELD_PROBED(tp, rx_opt.sack_ok);
	/* The first bit is that of RFC 3168; AccECN has another. */
	k->ecn = tp->ecn_flags & 1;
	k->fin = state == SOCKET_CLOSE_WAIT;
	k->open = state == SOCKET_ESTABLISHED || k->fin;
}

/**
 * socket_find() - The socket at our end of a connection
 * @ip6:	Its family
 * @t:		Tuple of what its peer sends
 *
 * Return: it, for bpf_sk_release(), or NULL
 */
static __always_inline struct bpf_sock *
socket_find(struct __sk_buff *skb, bool ip6, const struct splice_tuple *t)
{
	struct bpf_sock_tuple key = {};

	if (ip6) {
		__builtin_memcpy(key.ipv6.saddr, t->src, 16);
		__builtin_memcpy(key.ipv6.daddr, t->dst, 16);
		key.ipv6.sport = bpf_htons(t->sport);
		key.ipv6.dport = bpf_htons(t->dport);
		return bpf_skc_lookup_tcp(skb, &key, sizeof(key.ipv6),
					  BPF_F_CURRENT_NETNS, 0);
	}
	__builtin_memcpy(&key.ipv4.saddr, t->src + 12, 4);
	__builtin_memcpy(&key.ipv4.daddr, t->dst + 12, 4);
	key.ipv4.sport = bpf_htons(t->sport);
	key.ipv4.dport = bpf_htons(t->dport);
	return bpf_skc_lookup_tcp(skb, &key, sizeof(key.ipv4),
				  BPF_F_CURRENT_NETNS, 0);
}

/* socket_read() - Read it, but for what is still to be written. Return: 0; 1:
 * there is none
 */
static __always_inline int socket_read(struct __sk_buff *skb, bool ip6,
				       const struct splice_tuple *t,
				       struct splice_socket *k)
{
	struct bpf_sock *sk = socket_find(skb, ip6, t);
	struct tcp_sock *tp;

	if (!sk)
		return 1;
	tp = bpf_skc_to_tcp_sock(sk);
	if (tp)
		socket_copy(tp, k);
	bpf_sk_release(sk);
	return tp ? 0 : 1;
}

/* What its peer takes. Return: as socket_read() */
static __always_inline int socket_ask(struct __sk_buff *skb, bool ip6,
				      const struct splice_tuple *t,
				      struct join_peer *p)
{
	struct bpf_sock *sk = socket_find(skb, ip6, t);
	struct tcp_sock *tp;

	if (!sk)
		return 1;
	tp = bpf_skc_to_tcp_sock(sk);
	if (tp) {
		p->window = tp->snd_wnd;
		/* The kernel counts without timestamps, the option with. */
		p->mss = tp->mss_cache;
		if (BPF_CORE_READ_BITFIELD_PROBED(tp, rx_opt.tstamp_ok))
			p->mss += 12;
	}
	bpf_sk_release(sk);
	return tp ? 0 : 1;
}

#endif /* ROUTE_SOCKETS_H */
