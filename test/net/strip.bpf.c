/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/*
 * strip.bpf.c - A gateway of IP in IP, for kernels without its device: at the ingress of
 * a host's wire the outer header of what is for it goes, and the host routes what was in
 * it like any packet
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define PROTO_IPIP    4
#define DECAP_L3_IPV4 (1ULL << 7) /* since Linux 6.2 */

SEC("tc")
int strip(struct __sk_buff *skb)
{
	struct iphdr h;

	if (skb->protocol != bpf_htons(ETH_P_IP) ||
	    bpf_skb_load_bytes(skb, ETH_HLEN, &h, sizeof(h)))
		return TC_ACT_OK;
	/* What is on its way to another gateway, which a bridge floods, is not ours. */
	if (h.protocol != PROTO_IPIP || h.ihl != 5 || skb->pkt_type != 0)
		return TC_ACT_OK;
	if (bpf_skb_adjust_room(skb, -(int)sizeof(h), BPF_ADJ_ROOM_MAC,
				BPF_F_ADJ_ROOM_FIXED_GSO | DECAP_L3_IPV4))
		return TC_ACT_SHOT;
	return TC_ACT_OK;
}

char _license[] SEC("license") = "Dual BSD/GPL";
