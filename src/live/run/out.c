/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * out.c - Effects become frames
 */
#include "run/out.h"

#include <string.h>

_Static_assert(BUILD_RAW_MAX >= EFFECT_RAW_MAX, "a raw frame fits");
_Static_assert(BUILD_RAW_MAX >= BUILD_HDR_MAX, "so do headers");

void out_header(const struct effect *x, const uint8_t *src, const uint8_t *dst,
		uint64_t number, struct tcp_header *h)
{
	memcpy(h->eth_dst, dst, ETH_LEN);
	memcpy(h->eth_src, src, ETH_LEN);
	h->src = x->src;
	h->dst = x->dst;
	h->sport = x->sport;
	h->dport = x->dport;
	h->seq = x->seq;
	h->ack = x->ack;
	h->flags = x->flags;
	h->ttl = x->ttl;
	h->win = x->win;
	h->urg = x->urg;
	h->ip_id = (uint16_t)number;
	h->optlen = x->optlen;
	h->opts = x->opts;
}

void out_build(const struct effect *x, const uint8_t *src, const uint8_t *dst,
	       uint64_t number, struct out_frame *f)
{
	struct tcp_header h;

	f->data = NULL;
	f->len = 0;
	if (x->kind == EFFECT_RAW) {
		memcpy(f->hdr, x->raw, x->rawlen);
		f->hdr_len = x->rawlen;
		return;
	}
	out_header(x, src, dst, number, &h);
	f->data = effects_data(x);
	f->len = x->len;
	f->hdr_len = (uint32_t)(x->kind == EFFECT_TCP
					? build_tcp(f->hdr, &h, f->data, f->len,
						    CSUM_FULL)
					: build_udp(f->hdr, &h, f->data, f->len,
						    CSUM_FULL));
}
