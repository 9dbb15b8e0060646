/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * null.c - A sink that only counts, for runs without a SUT
 */
#include "emit/null.h"

#include "wire/segment.h"

static void take(struct sink *s, uint64_t bytes, uint64_t cookie)
{
	s->stats.frames++;
	s->stats.bytes += bytes;
	s->done(s->ctx, cookie, 0);
}

static int null_ip(struct sink *s, uint8_t proto, const struct tcp_header *h,
		   const uint8_t *data, uint32_t len, uint16_t gso,
		   uint64_t cookie)
{
	uint8_t hdr[BUILD_HDR_MAX];
	size_t n;

	(void)gso;
	/* The headers are built, so that a run without a wire costs the same.
	 */
	n = proto == PROTO_TCP ? build_tcp(hdr, h, data, len, CSUM_PARTIAL)
			       : build_udp(hdr, h, data, len, CSUM_PARTIAL);
	take(s, n + len, cookie);
	return 0;
}

static int null_raw(struct sink *s, const uint8_t *p, uint32_t len,
		    uint64_t cookie)
{
	(void)p;
	take(s, len, cookie);
	return 0;
}

static void null_nothing(struct sink *s)
{
	(void)s;
}

int sink_null_open(struct sink_null *n, const uint8_t *mac,
		   const struct emit_dest *dest, uint32_t dests,
		   sink_done_fn *done, void *ctx)
{
	static const struct sink_ops ops = {
		.ip = null_ip,
		.raw = null_raw,
		.flush = null_nothing,
		.close = null_nothing,
	};

	return sink_init(&n->sink, &ops, mac, dest, dests, done, ctx);
}
