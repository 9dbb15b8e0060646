/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/*
 * tag - A mirror port that puts VLAN tags around its copies
 *
 * Sits on the egress of the mirror's wire. Section "vlan": one 802.1Q tag;
 * "qinq": that in an 802.1ad tag.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define INNER 7
#define OUTER 9

SEC("vlan")
int push_one(struct __sk_buff *skb)
{
	if (bpf_skb_vlan_push(skb, bpf_htons(ETH_P_8021Q), INNER))
		return TC_ACT_SHOT;
	return TC_ACT_OK;
}

SEC("qinq")
int push_two(struct __sk_buff *skb)
{
	if (bpf_skb_vlan_push(skb, bpf_htons(ETH_P_8021Q), INNER) ||
	    bpf_skb_vlan_push(skb, bpf_htons(ETH_P_8021AD), OUTER))
		return TC_ACT_SHOT;
	return TC_ACT_OK;
}

char _license[] SEC("license") = "Dual BSD/GPL";
