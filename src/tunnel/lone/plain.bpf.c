/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/*
 * plain.bpf.c - Plain packets of the far end are led into our device
 *
 * At the ingress of the device that gateways deliver by. What is from a
 * network of --allow and to an address of --addr goes to the device of the
 * tunnel, whose process puts it in order; all else goes on as if we were not
 * there (TC_ACT_UNSPEC). The process looks at the source once more: it does
 * not depend on this program.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "lone/plain.h"

#define IP4_HEAD 20

/* Set before it is loaded. */
const volatile uint32_t device;
const volatile uint32_t addrs;
const volatile uint32_t addr[PLAIN_ADDRS];
const volatile uint32_t nets;
const volatile struct plain_net net[PLAIN_NETS];

static __always_inline int is_ours(uint32_t to)
{
	for (uint32_t i = 0; i < PLAIN_ADDRS; i++)
		if (i < addrs && addr[i] == to)
			return 1;
	return 0;
}

static __always_inline int is_theirs(uint32_t from)
{
	for (uint32_t i = 0; i < PLAIN_NETS; i++)
		if (i < nets && (from & net[i].mask) == net[i].addr)
			return 1;
	return 0;
}

SEC("tc")
int lone_catch(struct __sk_buff *skb)
{
	uint32_t head[IP4_HEAD / 4];

	if (skb->protocol != bpf_htons(ETH_P_IP) ||
	    bpf_skb_load_bytes_relative(skb, 0, head, sizeof(head),
					BPF_HDR_START_NET))
		return TC_ACT_UNSPEC;
	if (!is_ours(head[4]) || !is_theirs(head[3]))
		return TC_ACT_UNSPEC;
	return (int)bpf_redirect(device, 0);
}

char _license[] SEC("license") = "Dual BSD/GPL";
