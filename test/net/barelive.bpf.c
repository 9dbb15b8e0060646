/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/*
 * barelive - The least that sends a trace as live frames, for test/bench/send
 *
 * Each run writes the next frame of a table over the one that it was given, and
 * redirects it.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct bare_frame {
	__u32 len;
	__u8 data[2048];
};

struct bare_state {
	__u32 ifindex;
	__u32 frames;
	__u32 at;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, struct bare_frame);
} bare_frames SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct bare_state);
} bare_state SEC(".maps");

SEC("xdp")
int bare(struct xdp_md *ctx)
{
	struct bare_state *s;
	struct bare_frame *f;
	__u32 key = 0;
	__u32 len;

	s = bpf_map_lookup_elem(&bare_state, &key);
	if (!s)
		return XDP_ABORTED;
	key = s->at;
	s->at = key + 1 >= s->frames ? 0 : key + 1;
	f = bpf_map_lookup_elem(&bare_frames, &key);
	if (!f)
		return XDP_ABORTED;
	/* So the verifier knows the bound. */
	len = f->len & (sizeof(f->data) - 1);
	if (len < 14 ||
	    bpf_xdp_adjust_tail(ctx,
				(int)len - (int)bpf_xdp_get_buff_len(ctx)) ||
	    bpf_xdp_store_bytes(ctx, 0, f->data, len))
		return XDP_DROP;
	return bpf_redirect(s->ifindex, 0);
}

char _license[] SEC("license") = "Dual BSD/GPL";
