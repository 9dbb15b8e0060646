/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/*
 * steal - Take every frame and tell its sender that all is well
 *
 * On the egress of an interface: what the kernel accepts never leaves.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

SEC("tc")
int steal(struct __sk_buff *skb)
{
	(void)skb;
	return TC_ACT_STOLEN;
}

char _license[] SEC("license") = "Dual BSD/GPL";
