/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/*
 * loss - A mirror port that drops, with the truth counted
 *
 * Sits on the egress of the mirror's wire. Drops come in runs, as an
 * over-subscribed port makes them: a run of `burst` frames starts so often that
 * `share` millionths of all frames are lost. Segments that carry sequence numbers
 * (data, SYN or FIN) are counted apart: a gap can only be noticed in those.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

/* The map's entries; user space writes SHARE and BURST. */
enum {
	PASSED,
	DROPPED,
	SEQ_PASSED,
	SEQ_DROPPED,
	SHARE,
	BURST,
	RUN_LEFT,
	ENTRIES
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, ENTRIES);
	__type(key, __u32);
	__type(value, __u64);
} loss_count SEC(".maps");

static __always_inline __u64 *entry(__u32 which)
{
	return bpf_map_lookup_elem(&loss_count, &which);
}

static __always_inline void add(__u32 which)
{
	__u64 *v = entry(which);

	if (v)
		__sync_fetch_and_add(v, 1);
}

/* True if the TCP segment in @skb has data, SYN or FIN. */
static __always_inline int has_seq(struct __sk_buff *skb)
{
	__u8 h[40], t[14];
	__u32 at = ETH_HLEN, end;

	if (bpf_skb_load_bytes(skb, at, h, sizeof(h)))
		return 0;
	if ((h[0] >> 4) == 4 && h[9] == IPPROTO_TCP) {
		end = at + ((__u32)h[2] << 8 | h[3]);
		at += (__u32)(h[0] & 15) * 4;
	} else if ((h[0] >> 4) == 6 && h[6] == IPPROTO_TCP) {
		end = at + 40 + ((__u32)h[4] << 8 | h[5]);
		at += 40;
	} else {
		return 0;
	}
	if (bpf_skb_load_bytes(skb, at, t, sizeof(t)))
		return 0;
	return (t[13] & 3) || at + (__u32)(t[12] >> 4) * 4 < end;
}

SEC("tc")
int loss(struct __sk_buff *skb)
{
	__u64 *left = entry(RUN_LEFT), *share = entry(SHARE);
	__u64 *burst = entry(BURST);
	int seq = has_seq(skb);
	__u64 odds;

	if (!left || !share || !burst || *share >= 1000000 || !*burst)
		return TC_ACT_OK;
	/* Runs start among the frames outside of one: p / (burst * (1 - p)). */
	odds = (*share << 32) / ((1000000 - *share) * *burst);
	if (!*left && bpf_get_prandom_u32() < odds)
		*left = *burst;
	if (*left) {
		--*left;
		add(DROPPED);
		if (seq)
			add(SEQ_DROPPED);
		return TC_ACT_SHOT;
	}
	add(PASSED);
	if (seq)
		add(SEQ_PASSED);
	return TC_ACT_OK;
}

char _license[] SEC("license") = "Dual BSD/GPL";
