/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/*
 * live_frames.bpf.c - Make every frame that BPF_PROG_RUN hands in the next one
 * of a ring
 *
 * Each time it runs it takes one frame from the ring, writes it over what it
 * was given and redirects it to its interface; with an empty ring it drops what
 * it was given, which costs nothing but time. It runs on one processor at a
 * time.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "bpf/live_ring.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, LIVE_SLOTS);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct live_slot);
} live_slots SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct live_control);
} live_control SEC(".maps");

static __always_inline void step(struct live_control *c)
{
	if (c->wrap) {
		c->at = c->at + 1 == c->wrap ? 0 : c->at + 1;
		c->head++;
	} else {
		/* Atomic, for only now may the slot be written again. */
		__sync_fetch_and_add(&c->head, 1);
	}
}

SEC("xdp")
int live(struct xdp_md *ctx)
{
	struct live_control *c;
	struct live_slot *s;
	__u32 key = 0;
	__u32 len;
	__u32 port;

	c = bpf_map_lookup_elem(&live_control, &key);
	if (!c)
		return XDP_ABORTED;
	if (c->head == c->seen) {
		/* An atomic access, for the order of what follows it. */
		c->seen = __sync_fetch_and_add(&c->tail, 0);
		if (c->head == c->seen)
			return XDP_DROP;
	}
	key = (c->wrap ? c->at : c->head) & (LIVE_SLOTS - 1);
	s = bpf_map_lookup_elem(&live_slots, &key);
	if (!s)
		return XDP_ABORTED;
	len = s->len;
	port = s->port & (LIVE_PORTS - 1);
	if (len < 14 || len > LIVE_DATA_MAX ||
	    bpf_xdp_adjust_tail(ctx,
				(int)len - (int)bpf_xdp_get_buff_len(ctx)) ||
	    bpf_xdp_store_bytes(ctx, 0, s->data, len)) {
		c->bad++;
		step(c);
		return XDP_DROP;
	}
	step(c);
	return bpf_redirect(c->ifindex[port], 0);
}

char _license[] SEC("license") = "Dual BSD/GPL";
