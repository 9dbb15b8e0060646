/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/*
 * xdpdrop - Take every frame as early as can be, and count it
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} xdp_dropped SEC(".maps");

SEC("xdp")
int xdpdrop(struct xdp_md *ctx)
{
	__u32 key = 0;
	__u64 *n = bpf_map_lookup_elem(&xdp_dropped, &key);

	(void)ctx;
	if (n)
		++*n;
	return XDP_DROP;
}

char _license[] SEC("license") = "Dual BSD/GPL";
