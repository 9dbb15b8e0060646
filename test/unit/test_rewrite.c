/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_rewrite.c - Unit test of trace/rewrite, one field and one shape a row
 *
 * test_edit.c has what holds for all frames; here each option is alone, so that
 * what it must leave as it was is seen, too.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "core/bytes.h"
#include "core/csum.h"
#include "rewrite/cut.h"
#include "rewrite/edit.h"
#include "rewrite/shape.h"
#include "wire/build.h"
#include "wire/decode.h"

#define IP 14 /* where IP lies without a tag */

static const uint8_t a4[4] = { 10, 0, 0, 1 }, b4[4] = { 10, 0, 0, 2 };
static const uint8_t a6[16] = { 0xfd, 1 }, b6[16] = { 0xfd, 2 };
static uint8_t body[70000];

static struct tcp_header header(bool v4)
{
	struct tcp_header h = { .eth_dst = { 2, 1 },
				.eth_src = { 2, 2 },
				.sport = 4000,
				.dport = 80,
				.seq = 7,
				.flags = TCP_ACK,
				.ttl = 64 };

	h.src = v4 ? ipaddr_from4(a4) : ipaddr_from6(a6);
	h.dst = v4 ? ipaddr_from4(b4) : ipaddr_from6(b6);
	return h;
}

/* A frame of @len bytes of payload and room to be rewritten in. */
static uint8_t *make(bool v4, bool tcp, uint32_t len, uint32_t *out)
{
	struct tcp_header h = header(v4);
	uint8_t head[BUILD_HDR_MAX];
	uint8_t *p;
	size_t n;

	for (uint32_t i = 0; i < len; i++)
		body[i] = (uint8_t)(i * 7 + 1);
	n = tcp ? build_tcp(head, &h, body, len, CSUM_FULL)
		: build_udp(head, &h, body, len, CSUM_FULL);
	p = malloc(n + len + EDIT_ROOM);
	memcpy(p, head, n);
	memcpy(p + n, body, len);
	*out = (uint32_t)n + len;
	return p;
}

static enum decode_result decode(const uint8_t *p, uint32_t len,
				 struct decoded *d)
{
	struct frame_info f = {
		.data = p, .cap = len, .wire = len, .link = LINK_ETHERNET
	};

	return frame_decode(&f, NULL, 0, d);
}

static struct edit_config nothing(void)
{
	return (struct edit_config){
		.on = true, .tos = -1, .tclass = -1, .flowlabel = -1
	};
}

static struct edit_net net4(uint32_t from, uint8_t from_bits, uint32_t to,
			    uint8_t to_bits)
{
	uint8_t f[4], t[4];

	put_be32(f, from);
	put_be32(t, to);
	return (struct edit_net){ .from = ipaddr_from4(f),
				  .to = ipaddr_from4(t),
				  .from_bits = (uint8_t)(96 + from_bits),
				  .to_bits = (uint8_t)(96 + to_bits) };
}

/* --- shapes --- */

/* Where each part of a header is found, or that it is not. */
static const struct {
	const char *name;
	uint32_t len;
	uint8_t frame[80];
	struct shape want;
} shapes[] = {
	{ "no IP",
	  20,
	  { [12] = 0x12, 0x34 },
	  { .type = 0x1234, .l3 = 14, .total = 20, .end = 20 } },
	{ "four tags of five",
	  40,
	  { [12] = 0x81,
	    0,
	    [16] = 0x88,
	    0xa8,
	    [20] = 0x91,
	    0,
	    [24] = 0x81,
	    0,
	    [28] = 0x81,
	    0 },
	  { .type = 0x8100, .l3 = 30, .total = 40, .end = 40 } },
	{ "a tag cut off",
	  17,
	  { [12] = 0x81, 0 },
	  { .type = 0x8100, .l3 = 14, .total = 17, .end = 17 } },
	{ "IPv4 cut off",
	  33,
	  { [12] = 8, 0, 0x45 },
	  { .type = 0x800, .l3 = 14, .total = 33, .end = 33 } },
	{ "IPv4 of version 5",
	  34,
	  { [12] = 8, 0, 0x55 },
	  { .type = 0x800, .l3 = 14, .total = 34, .end = 34 } },
	{ "IPv4 with a short header",
	  34,
	  { [12] = 8, 0, 0x44 },
	  { .type = 0x800, .l3 = 14, .total = 34, .end = 34 } },
	{ "IPv4 options cut off",
	  37,
	  { [12] = 8, 0, 0x46 },
	  { .type = 0x800, .l3 = 14, .total = 37, .end = 37 } },
	{ "IPv4 shorter than its header",
	  34,
	  { [12] = 8, 0, 0x45, 0, 0, 19 },
	  { .type = 0x800, .l3 = 14, .total = 34, .end = 34 } },
	{ "IPv4 without a length",
	  40,
	  { [12] = 8, 0, 0x45, [23] = 6 },
	  { .type = 0x800,
	    .l3 = 14,
	    .version = 4,
	    .proto = 6,
	    .l4 = 34,
	    .total = 40,
	    .end = 40 } },
	{ "IPv4 without data",
	  40,
	  { [12] = 8, 0, 0x45, 0, 0, 20, [23] = 6 },
	  { .type = 0x800,
	    .l3 = 14,
	    .version = 4,
	    .proto = 6,
	    .total = 34,
	    .end = 34 } },
	{ "IPv4, not the first fragment",
	  40,
	  { [12] = 8, 0, 0x45, 0, 0, 26, [20] = 0, 1, [23] = 6 },
	  { .type = 0x800,
	    .l3 = 14,
	    .version = 4,
	    .proto = 6,
	    .fragment = true,
	    .total = 40,
	    .end = 40 } },
	{ "IPv6 cut off",
	  53,
	  { [12] = 0x86, 0xdd, 0x60 },
	  { .type = 0x86dd, .l3 = 14, .total = 53, .end = 53 } },
	{ "IPv6 of version 4",
	  54,
	  { [12] = 0x86, 0xdd, 0x40 },
	  { .type = 0x86dd, .l3 = 14, .total = 54, .end = 54 } },
	{ "IPv6 without data",
	  54,
	  { [12] = 0x86, 0xdd, 0x60, [20] = 6 },
	  { .type = 0x86dd,
	    .l3 = 14,
	    .version = 6,
	    .proto = 6,
	    .total = 54,
	    .end = 54 } },
	{ "IPv6, three headers",
	  80,
	  { [12] = 0x86,
	    0xdd,
	    0x60,
	    [19] = 26,
	    60,
	    [54] = 43,
	    [62] = 0,
	    [70] = 17 },
	  { .type = 0x86dd,
	    .l3 = 14,
	    .version = 6,
	    .proto = 17,
	    .l4 = 78,
	    .total = 80,
	    .end = 80 } },
	{ "IPv6, a header cut off",
	  60,
	  { [12] = 0x86, 0xdd, 0x60, [19] = 26, 0, [54] = 6 },
	  { .type = 0x86dd, .l3 = 14, .version = 6, .total = 80, .end = 60 } },
	{ "IPv6, a first fragment",
	  70,
	  { [12] = 0x86, 0xdd, 0x60, [19] = 16, 44, [54] = 17, 0, 0, 1 },
	  { .type = 0x86dd,
	    .l3 = 14,
	    .version = 6,
	    .proto = 17,
	    .fragment = true,
	    .l4 = 62,
	    .total = 70,
	    .end = 70 } },
	{ "IPv6, another fragment",
	  70,
	  { [12] = 0x86, 0xdd, 0x60, [19] = 16, 44, [54] = 17, 0, 0, 8 },
	  { .type = 0x86dd,
	    .l3 = 14,
	    .version = 6,
	    .fragment = true,
	    .total = 70,
	    .end = 70 } },
};

static void shapes_are_found(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
		uint8_t *p = malloc(shapes[i].len);
		const struct shape *w = &shapes[i].want;
		struct shape s;

		memcpy(p, shapes[i].frame, shapes[i].len);
		CHECK_ROW(shape_find(&s, p, shapes[i].len) == 0,
			  shapes[i].name);
		CHECK_ROW(s.type == w->type && s.l3 == w->l3, shapes[i].name);
		CHECK_ROW(s.version == w->version && s.proto == w->proto,
			  shapes[i].name);
		CHECK_ROW(s.l4 == w->l4 && s.fragment == w->fragment,
			  shapes[i].name);
		CHECK_ROW(s.total == w->total && s.end == w->end,
			  shapes[i].name);
		free(p);
	}
}

/* A chain of headers has an end, whatever a frame says. */
static void only_so_many_headers_are_followed(void)
{
	for (uint32_t n = 6; n < 12; n++) {
		uint32_t len = 54 + 8 * n + 8;
		uint8_t *p = calloc(1, len);
		struct shape s;

		put_be16(p + 12, 0x86dd);
		p[14] = 0x60;
		put_be16(p + 18, (uint16_t)(len - 54));
		for (uint32_t i = 0; i < n; i++)
			p[i == 0 ? 20 : 54 + 8 * (i - 1)] = 60;
		p[54 + 8 * (n - 1)] = 17;
		CHECK(shape_find(&s, p, len) == 0);
		CHECK(s.proto == (n <= SHAPE_EXT_MAX ? 17 : 60));
		CHECK(s.l4 == 54 + 8 * (n < SHAPE_EXT_MAX ? n : SHAPE_EXT_MAX));
		free(p);
	}
}

static void checksums_lie_where_their_protocol_says(void)
{
	static const struct {
		uint8_t version, proto;
		uint32_t want;
	} row[] = {
		{ 4, PROTO_TCP, 16 }, { 6, PROTO_TCP, 16 },
		{ 4, PROTO_UDP, 6 },  { 6, PROTO_UDP, 6 },
		{ 4, PROTO_ICMP, 2 }, { 6, PROTO_ICMP6, 2 },
		{ 6, PROTO_ICMP, 0 }, { 4, PROTO_ICMP6, 0 },
		{ 4, 47, 0 },
	};
	uint8_t p[60];

	memset(p, 1, sizeof(p));
	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		struct shape s = { .version = row[i].version,
				   .proto = row[i].proto,
				   .l4 = 20,
				   .end = sizeof(p) };
		uint32_t want = row[i].want > 0 ? 20 + row[i].want : 0;

		CHECK(shape_csum_at(&s, p) == want);
		/* Its second byte is missing, or there is no header at all. */
		s.end = want + 1;
		CHECK(shape_csum_at(&s, p) == 0);
		s.end = want + 2;
		CHECK(want == 0 || shape_csum_at(&s, p) == want);
		s.l4 = 0;
		CHECK(shape_csum_at(&s, p) == 0);
	}
	put_be16(p + 26, 0); /* of a datagram: it has none */
	CHECK(shape_csum_at(&(struct shape){ .version = 4,
					     .proto = PROTO_UDP,
					     .l4 = 20,
					     .end = 60 },
			    p) == 0);
}

/* RFC 768: a sum of 0 is sent as all ones. */
static void a_datagrams_sum_is_never_zero(void)
{
	for (int v4 = 0; v4 < 2; v4++) {
		uint32_t n;
		uint8_t *p = make(v4, false, 20, &n);
		uint32_t udp = v4 ? 34 : 54;
		struct decoded d;
		struct shape s;

		/* What is missing to all ones goes into the data. */
		put_be16(p + udp + 8, 0);
		CHECK(shape_find(&s, p, n) == 0);
		CHECK(shape_csum_full(&s, p) == 0);
		put_be16(p + udp + 8, get_be16(p + udp + 6));
		CHECK(shape_csum_full(&s, p) == 0);
		CHECK(get_be16(p + udp + 6) == 0xffff);
		CHECK(decode(p, n, &d) == DECODE_UDP);
		free(p);
	}
}

static void what_cannot_be_summed_is_left(void)
{
	uint32_t n;
	uint8_t *p = make(true, true, 40, &n);
	uint16_t sum = get_be16(p + 50), ip = get_be16(p + 24);
	struct shape s;

	put_be16(p + 24, 1);
	CHECK(shape_find(&s, p, n - 1) == 0); /* cut */
	CHECK(shape_csum_full(&s, p) == -ENODATA);
	CHECK(get_be16(p + 50) == sum && get_be16(p + 24) == ip);
	put_be16(p + 20, 0x2000); /* a first fragment */
	CHECK(shape_find(&s, p, n) == 0);
	CHECK(shape_csum_full(&s, p) == -ENODATA && get_be16(p + 50) == sum);
	put_be16(p + 20, 1); /* another */
	CHECK(shape_find(&s, p, n) == 0);
	CHECK(shape_csum_full(&s, p) == -ENODATA && get_be16(p + 50) == sum);
	put_be16(p + 20, 0);
	p[23] = 47; /* no protocol of ours */
	CHECK(shape_find(&s, p, n) == 0 && shape_csum_full(&s, p) == 0);
	CHECK(get_be16(p + 50) == sum);
	put_be16(p + 12, 0x1234); /* no IP: nothing to sum */
	CHECK(shape_find(&s, p, n) == 0 && shape_csum_full(&s, p) == 0);
	CHECK(!shape_ascending(&s, p));
	p[26] = 9;
	shape_shift(&s, p, true, 5);
	CHECK(p[26] == 9 && get_be16(p + 50) == sum);
	free(p);
}

/* --- super-frames --- */

static void what_is_kept_whole_is_as_a_device_wants_it(void)
{
	for (int v4 = 0; v4 < 2; v4++) {
		struct tcp_header h = header(v4);
		uint8_t want[BUILD_HDR_MAX];
		uint32_t n;
		uint8_t *p = make(v4, true, 9000, &n);
		size_t head = build_tcp(want, &h, body, 9000, CSUM_PARTIAL);
		struct cut c;

		CHECK(cut_plan(&c, p, n, 1500) == 1);
		put_be16(p + IP + (v4 ? 2 : 4), 77); /* a wrong length */
		if (v4)
			put_be16(p + 24, 5); /* and its sum */
		CHECK(cut_keep(&c, p, n - 1) == -EMSGSIZE);
		CHECK(cut_keep(&c, p, n) == (int64_t)n);
		CHECK(memcmp(p, want, head) == 0);
		CHECK(memcmp(p + head, body, 9000) == 0);
		free(p);
	}
}

/* No length of IP says more than 65535 bytes. */
static void what_no_header_can_say_is_not_kept(void)
{
	for (uint32_t over = 0; over < 2; over++) {
		uint32_t n;
		uint8_t *p = make(true, true, 65535 - 40 + over, &n);
		struct cut c;

		CHECK(cut_plan(&c, p, n, 1500) == 1);
		CHECK(cut_keep(&c, p, 1 << 20) ==
		      (over > 0 ? -EMSGSIZE : (int64_t)n));
		free(p);
	}
}

static void what_is_no_plain_segment_is_not_cut(void)
{
	uint8_t p[2000] = { [12] = 8, 6 };
	struct cut c = { .head = 77 };
	uint32_t n;
	uint8_t *q;

	CHECK(cut_plan(&c, p, sizeof(p), 1500) == -EMSGSIZE); /* ARP */
	q = make(true, true, 3000, &n);
	q[46] = 0xf0; /* options to the end of a packet of 56 bytes more */
	put_be16(q + 16, 60);
	CHECK(cut_plan(&c, q, n, 50) == -EMSGSIZE);
	free(q);
	/* IPv6 with something that is no jumbo option before TCP. */
	memset(p, 0, sizeof(p));
	put_be16(p + 12, 0x86dd);
	p[14] = 0x60;
	put_be16(p + 18, sizeof(p) - 54);
	p[20] = 60;
	p[54] = PROTO_TCP;
	p[56] = 0xc2;
	p[57] = 4;
	p[62 + 12] = 0x50;
	CHECK(cut_plan(&c, p, sizeof(p), 1500) == -EMSGSIZE);
	CHECK(c.head == 77);
	p[20] = 0; /* a jumbo option */
	CHECK(cut_plan(&c, p, sizeof(p), 1500) == 1 && c.drop == 8);
}

/* --- lengths --- */

static void lengths_are_told_again(void)
{
	for (int k = 0; k < 4; k++) {
		bool v4 = k & 1, tcp = k & 2;
		struct edit_config c = nothing();
		struct edit_stats st = { 0 };
		uint32_t full, n;
		uint8_t *p = make(v4, tcp, 500, &full);
		uint32_t head = full - 500;
		struct decoded d;

		n = full - 200;
		c.fixlen = EDIT_LEN_TRUNC;
		CHECK(edit_frame(&c, &st, p, &n, full, 0) == 1);
		CHECK(n == full - 200 && st.unsummed == 0);
		CHECK(decode(p, n, &d) == (tcp ? DECODE_TCP : DECODE_UDP));
		CHECK(d.seg.len == n - head);
		/* One that is whole stays. */
		CHECK(edit_frame(&c, &st, p, &n, n, 0) == 1);
		CHECK(decode(p, n, &d) == (tcp ? DECODE_TCP : DECODE_UDP));
		free(p);
	}
}

/* A frame that is no IP has no length, and what a fragment's sum was over is
 * not here.
 */
static void lengths_that_cannot_be_told(void)
{
	static const enum edit_fixlen how[] = { EDIT_LEN_TRUNC, EDIT_LEN_PAD };

	for (size_t i = 0; i < ARRAY_SIZE(how); i++) {
		struct edit_config c = nothing();
		struct edit_stats st = { 0 };
		uint32_t full, n;
		uint8_t *p = make(true, false, 500, &full);
		uint8_t *q = malloc(EDIT_FRAME_MAX + EDIT_ROOM);
		uint16_t sum;

		n = full - 100;
		memcpy(q, p, n);
		c.fixlen = how[i];
		put_be16(q + 12, 0x1234);
		CHECK(edit_frame(&c, &st, q, &n, full, 0) == 1);
		CHECK(n == full - 100 && st.unsummed == 0);
		put_be16(q + 14 + 2, (uint16_t)(full - 14));
		put_be16(q + 12, 0x800);
		put_be16(q + 20, 0x2000);
		sum = get_be16(q + 40);
		CHECK(edit_frame(&c, &st, q, &n, full, 0) == 1);
		CHECK(n == (how[i] == EDIT_LEN_PAD ? full : full - 100));
		CHECK(get_be16(q + 16) == n - 14);
		CHECK(st.unsummed == 1 && get_be16(q + 40) == sum);
		CHECK(get_be16(q + 38) == 508); /* the whole datagram's */
		free(q);
		free(p);
	}
}

/* A record that is no shorter than its packet, with padding behind. */
static void padding_has_no_length(void)
{
	struct edit_config c = nothing();
	struct edit_stats st = { 0 };
	uint32_t n;
	uint8_t *p = make(true, true, 5, &n);
	uint8_t *q = calloc(1, EDIT_FRAME_MAX + EDIT_ROOM);
	uint32_t len = 60;

	memcpy(q, p, n);
	c.fixlen = EDIT_LEN_PAD;
	CHECK(edit_frame(&c, &st, q, &len, 64, 0) == 1 && len == 60);
	c.fixlen = EDIT_LEN_TRUNC;
	CHECK(edit_frame(&c, &st, q, &len, 64, 0) == 1 && len == 60);
	CHECK(memcmp(q, p, n) == 0);
	c.fixlen = EDIT_LEN_KEEP;
	c.trunc = true;
	c.mtu = 46;
	CHECK(edit_frame(&c, &st, q, &len, 60, 0) == 1 && len == 60);
	c.mtu = 44;
	CHECK(edit_frame(&c, &st, q, &len, 60, 0) == 1 && len == 58);
	CHECK(get_be16(q + 16) == 44 && st.unsummed == 0);
	free(q);
	free(p);
}

static void the_frame_check_sequence_goes(void)
{
	struct edit_config c = nothing();
	struct edit_stats st = { 0 };
	uint8_t p[64 + EDIT_ROOM] = { [12] = 0x12, 0x34 };
	uint32_t n = 64;

	c.efcs = true;
	CHECK(edit_frame(&c, &st, p, &n, 64, 0) == 1 && n == 60);
	n = 50; /* cut: it was not captured */
	CHECK(edit_frame(&c, &st, p, &n, 64, 0) == 1 && n == 50);
	n = 17; /* nothing else would be left */
	CHECK(edit_frame(&c, &st, p, &n, 17, 0) == 1 && n == 17);
	n = 18;
	CHECK(edit_frame(&c, &st, p, &n, 18, 0) == 1 && n == 14);
}

static void sums_are_made_on_demand(void)
{
	struct edit_config c = nothing();
	struct edit_stats st = { 0 };
	uint32_t n;
	uint8_t *p = make(true, true, 50, &n);
	struct decoded d;

	c.fixcsum = true;
	put_be16(p + 50, 1);
	put_be16(p + 24, 1);
	CHECK(edit_frame(&c, &st, p, &n, n, 0) == 1);
	CHECK(decode(p, n, &d) == DECODE_TCP && st.unsummed == 0);
	n -= 10;
	CHECK(edit_frame(&c, &st, p, &n, n + 10, 0) == 1 && st.unsummed == 1);
	free(p);
}

/* --- addresses --- */

/* One way of mapping: what becomes of source and destination of a frame from 10.0.0.1
 * to 10.0.0.2.
 */
struct map {
	const char *name;
	struct edit_config c;
	unsigned port;
	uint32_t src, dst;
};

#define MAP_SRC 0x0a000001u
#define MAP_DST 0x0a000002u
#define MAPS	8

static void make_maps(struct map row[MAPS])
{
	static const char *const name[MAPS] = { "pnat of the first interface",
						"pnat of the second",
						"sources only",
						"destinations only",
						"the first that matches",
						"another family",
						"endpoints, client's frames",
						"endpoints, server's frames" };
	const uint8_t e0[4] = { 1, 2, 3, 4 }, e1[4] = { 5, 6, 7, 8 };

	for (unsigned i = 0; i < MAPS; i++)
		row[i] = (struct map){ .name = name[i],
				       .c = nothing(),
				       .src = MAP_SRC,
				       .dst = MAP_DST };
	row[0].c.pnat[0].n = row[1].c.pnat[1].n = row[1].port = 1;
	row[0].c.pnat[0].net[0] = row[1].c.pnat[1].net[0] =
		net4(0x0a000000, 8, 0xac100000, 12);
	row[0].src = row[1].src = 0xac100001;
	row[0].dst = row[1].dst = 0xac100002;
	row[2].c.src.n = row[3].c.dst.n = 1;
	row[2].c.src.net[0] = row[3].c.dst.net[0] =
		net4(0x0a000000, 30, 0xc0a80000, 32);
	row[2].src = row[3].dst = 0xc0a80000;
	row[4].c.src.n = 3;
	row[4].c.src.net[0] = net4(0x0a000002, 32, 0x01000000, 32);
	row[4].c.src.net[1] = net4(0x0a000001, 32, 0x02000000, 7);
	row[4].c.src.net[2] = net4(0x02000001, 32, 0x03000000, 32);
	row[4].src = 0x02000001;
	row[5].c.src.n = 1;
	row[5].c.src.net[0] = (struct edit_net){ .from_bits = 0 };
	for (unsigned i = 6; i < 8; i++) {
		row[i].c.ends = true;
		row[i].c.end[0] = ipaddr_from4(e0);
		row[i].c.end[1] = ipaddr_from4(e1);
		row[i].port = i - 6;
	}
	row[6].src = row[7].dst = 0x01020304;
	row[6].dst = row[7].src = 0x05060708;
}

/* An ARP request has them too, and no other ARP. */
static void arp_is_mapped(const struct map *m)
{
	struct edit_stats st = { 0 };
	uint8_t *p = malloc(60 + EDIT_ROOM);
	struct ipaddr any = { { 0 } };
	uint32_t n = (uint32_t)build_arp(p, 1, body, body, &any, NULL, &any);

	put_be32(p + 28, MAP_SRC);
	put_be32(p + 38, MAP_DST);
	CHECK(edit_frame(&m->c, &st, p, &n, n, m->port) == 1);
	CHECK_ROW(get_be32(p + 28) == m->src, m->name);
	CHECK_ROW(get_be32(p + 38) == m->dst, m->name);
	p[19] = 5; /* of another length */
	put_be32(p + 28, MAP_SRC);
	CHECK(edit_frame(&m->c, &st, p, &n, n, m->port) == 1);
	CHECK(get_be32(p + 28) == MAP_SRC);
	p[19] = 4;
	n = 41; /* cut */
	CHECK(edit_frame(&m->c, &st, p, &n, n, m->port) == 1);
	CHECK(get_be32(p + 28) == MAP_SRC);
	free(p);
}

static void addresses_are_mapped(void)
{
	static struct map row[MAPS];

	make_maps(row);
	for (unsigned i = 0; i < MAPS; i++) {
		struct edit_stats st = { 0 };
		uint32_t n;
		uint8_t *p = make(true, true, 9, &n);
		struct decoded d;

		CHECK(edit_frame(&row[i].c, &st, p, &n, n, row[i].port) == 1);
		CHECK_ROW(get_be32(p + 26) == row[i].src, row[i].name);
		CHECK_ROW(get_be32(p + 30) == row[i].dst, row[i].name);
		CHECK_ROW(decode(p, n, &d) == DECODE_TCP, row[i].name);
		free(p);
		arp_is_mapped(&row[i]);
	}
}

static void casts_are_kept_if_wanted(void)
{
	static const struct {
		bool cast;
		uint8_t ip[16];
		uint32_t n;
	} row[] = {
		{ true, { 224, 0, 0, 1 }, 4 },
		{ true, { 239, 255, 255, 255 }, 4 },
		{ true, { 255, 255, 255, 255 }, 4 },
		{ false, { 223, 1, 1, 1 }, 4 },
		{ false, { 240, 1, 1, 1 }, 4 },
		{ true, { 0xff, 2, [15] = 1 }, 16 },
		{ false, { 0xfe, 0x80, [15] = 1 }, 16 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(row) * 2; i++) {
		size_t k = i / 2;
		struct edit_config c = nothing();
		struct edit_stats st = { 0 };
		bool v4 = row[k].n == 4;
		uint32_t n, at = v4 ? 30 : 38;
		uint8_t *p = make(v4, true, 9, &n);
		bool same;

		memcpy(p + at, row[k].ip, row[k].n);
		c.seeded = true;
		c.seed = 5;
		c.keep_casts = i & 1;
		CHECK(edit_frame(&c, &st, p, &n, n, 0) == 1);
		same = memcmp(p + at, row[k].ip, row[k].n) == 0;
		CHECK(same == ((i & 1) && row[k].cast));
		free(p);
	}
}

/* Another address, the same for the same, and one that a host can have. */
static void random_addresses_are_addresses(void)
{
	struct edit_config c = nothing();
	struct edit_stats st = { 0 };
	uint32_t n, top[256] = { 0 };
	uint8_t *p = make(true, true, 9, &n);

	c.seeded = true;
	for (uint32_t i = 0; i < 4000; i++) {
		uint32_t got;

		c.seed = i;
		put_be32(p + 26, 0x0a000001);
		put_be32(p + 30, 0x0a000001);
		CHECK(edit_frame(&c, &st, p, &n, n, 0) == 1);
		got = get_be32(p + 26);
		CHECK(got != 0x0a000001 && got == get_be32(p + 30));
		top[got >> 24]++;
	}
	CHECK(top[0] == 0 && top[127] == 0 && top[126] > top[125]);
	for (int i = 224; i < 256; i++)
		CHECK(top[i] == 0);
	free(p);
}

/* Only an error repeats a packet. */
static void only_errors_have_a_packet_inside(void)
{
	static const struct {
		bool v4;
		uint8_t type;
		bool error;
	} row[] = {
		{ true, 0, false },    { true, 3, true },   { true, 4, true },
		{ true, 5, true },     { true, 8, false },  { true, 11, true },
		{ true, 12, true },    { true, 13, false }, { false, 0, false },
		{ false, 1, true },    { false, 4, true },  { false, 5, false },
		{ false, 128, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		bool v4 = row[i].v4;
		uint32_t head = v4 ? 20 : 40, in = 14 + head + 8;
		struct edit_config c = nothing();
		struct edit_stats st = { 0 };
		uint32_t len;
		uint8_t *p = make(v4, true, 9, &len);
		uint8_t *q = calloc(1, in + len + EDIT_ROOM);
		uint8_t old[40];
		uint32_t n = in + len - 14;

		memcpy(q, p, 14 + head);
		memcpy(q + in, p + 14, len - 14);
		memcpy(old, p + 14, head);
		q[14 + head] = row[i].type;
		q[14 + (v4 ? 9 : 6)] = v4 ? PROTO_ICMP : PROTO_ICMP6;
		put_be16(q + (v4 ? 16 : 18), (uint16_t)(n - (v4 ? 14 : 54)));
		c.seeded = true;
		CHECK(edit_frame(&c, &st, q, &n, n, 0) == 1);
		CHECK((memcmp(q + in, old, head) != 0) == row[i].error);
		/* Of another version inside, or cut off: left alone. */
		memcpy(q + in, old, head);
		q[in] ^= 0x20;
		CHECK(edit_frame(&c, &st, q, &n, n, 0) == 1);
		CHECK(memcmp(q + in + 1, old + 1, head - 1) == 0);
		q[in] ^= 0x20;
		n = in + head - 1;
		CHECK(edit_frame(&c, &st, q, &n, in + len - 14, 0) == 1);
		CHECK(memcmp(q + in, old, head) == 0);
		free(q);
		free(p);
	}
}

static void ports_are_of_ranges(void)
{
	static const struct {
		uint16_t port, want;
	} row[] = { { 79, 79 }, { 80, 1 },  { 89, 1 },	 { 90, 90 },
		    { 99, 99 }, { 100, 2 }, { 101, 101 } };

	for (size_t i = 0; i < ARRAY_SIZE(row) * 2; i++) {
		bool tcp = i & 1;
		struct edit_config c = nothing();
		struct edit_stats st = { 0 };
		uint32_t n;
		uint8_t *p = make(true, tcp, 9, &n);
		struct decoded d;
		struct shape s;

		c.ports = 3;
		c.port[0] = (struct edit_port){ 80, 89, 1 };
		c.port[1] = (struct edit_port){ 100, 100, 2 };
		c.port[2] = (struct edit_port){ 1, 1, 3 }; /* not of the new */
		put_be16(p + 34, row[i / 2].port);
		CHECK(shape_find(&s, p, n) == 0 && shape_csum_full(&s, p) == 0);
		CHECK(edit_frame(&c, &st, p, &n, n, 0) == 1);
		CHECK(get_be16(p + 34) == row[i / 2].want);
		CHECK(get_be16(p + 36) == 1);
		CHECK(decode(p, n, &d) == (tcp ? DECODE_TCP : DECODE_UDP));
		put_be16(p + 34, 80);
		p[23] = 47; /* bytes that are no ports */
		CHECK(edit_frame(&c, &st, p, &n, n, 0) == 1);
		CHECK(get_be16(p + 34) == 80);
		free(p);
	}
}

/* --- numbers and fields --- */

/* Options that are broken end the walk, and nothing behind them is touched. */
static void broken_options_are_not_walked(void)
{
	static const struct {
		const char *name;
		uint8_t opts[12];
		uint32_t want; /* what is at 2 then; 8 before */
	} row[] = {
		{ "a block", { 5, 10, 0, 0, 0, 8, 0, 0, 0, 9 }, 18 },
		{ "the end first", { 0, 10, 0, 0, 0, 8 }, 8 },
		{ "length 0", { 5, 0, 0, 0, 0, 8 }, 8 },
		{ "length 1", { 5, 1, 0, 0, 0, 8 }, 8 },
		{ "too long", { 5, 13, 0, 0, 0, 8 }, 8 },
		{ "half a block", { 5, 5, 0, 0, 0, 8 }, 8 },
		{ "another option", { 8, 10, 0, 0, 0, 8 }, 8 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		struct tcp_header h = header(true);
		uint8_t q[BUILD_HDR_MAX + EDIT_ROOM];
		struct edit_config c = nothing();
		struct edit_stats st = { 0 };
		uint32_t n;

		h.optlen = 12;
		h.opts = row[i].opts;
		n = (uint32_t)build_tcp(q, &h, NULL, 0, CSUM_FULL);
		c.seq_add = 10;
		CHECK(edit_frame(&c, &st, q, &n, n, 0) == 1);
		CHECK_ROW(get_be32(q + 38) == 17, row[i].name);
		CHECK_ROW(get_be32(q + 56) == row[i].want, row[i].name);
		/* Not TCP, or its header is not there whole. */
		n = 53;
		CHECK(edit_frame(&c, &st, q, &n, 66, 0) == 1);
		q[23] = 17;
		n = 66;
		CHECK(edit_frame(&c, &st, q, &n, n, 0) == 1);
		CHECK_ROW(get_be32(q + 38) == 17, row[i].name);
		q[23] = PROTO_TCP;
		q[46] = 0xf0; /* longer than the packet: no options */
		CHECK(edit_frame(&c, &st, q, &n, n, 0) == 1);
		CHECK_ROW(get_be32(q + 38) == 27, row[i].name);
		CHECK_ROW(get_be32(q + 56) == row[i].want, row[i].name);
	}
}

static void times_to_live_stay_in_bounds(void)
{
	static const struct {
		enum edit_ttl how;
		uint8_t by, had, want;
	} row[] = {
		{ EDIT_TTL_KEEP, 9, 64, 64 },	{ EDIT_TTL_SET, 9, 64, 9 },
		{ EDIT_TTL_SET, 0, 64, 1 },	{ EDIT_TTL_ADD, 9, 64, 73 },
		{ EDIT_TTL_ADD, 200, 64, 255 }, { EDIT_TTL_SUB, 9, 64, 55 },
		{ EDIT_TTL_SUB, 63, 64, 1 },	{ EDIT_TTL_SUB, 64, 64, 1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(row) * 2; i++) {
		bool v4 = i & 1;
		struct edit_config c = nothing();
		struct edit_stats st = { 0 };
		uint32_t n;
		uint8_t *p = make(v4, true, 9, &n);
		struct decoded d;

		c.ttl = row[i / 2].how;
		c.ttl_by = row[i / 2].by;
		CHECK(edit_frame(&c, &st, p, &n, n, 0) == 1);
		CHECK(decode(p, n, &d) == DECODE_TCP);
		CHECK(d.seg.ttl == row[i / 2].want);
		free(p);
	}
}

static void single_hardware_addresses_are_mapped(void)
{
	struct edit_config c = nothing();
	struct edit_stats st = { 0 };
	uint32_t n;
	uint8_t *p = make(true, true, 9, &n);

	c.macs = 3;
	c.mac[0] = (struct edit_mac){ { 9, 9 }, { 1 } };
	c.mac[1] = (struct edit_mac){ { 2, 1 }, { 2, 7 } };
	c.mac[2] = (struct edit_mac){ { 2, 7 }, { 2, 8 } };
	CHECK(edit_frame(&c, &st, p, &n, n, 0) == 1);
	CHECK(p[0] == 2 && p[1] == 7 && p[6] == 2 && p[7] == 2);
	free(p);
}

/* Frames of the second interface have its own, or else the first's. */
static void hardware_addresses_are_an_interfaces(void)
{
	for (unsigned k = 0; k < 8; k++) {
		unsigned port = k & 1;
		bool second = k & 2, cast = k & 4;
		struct edit_config c = nothing();
		struct edit_stats st = { 0 };
		uint32_t n;
		uint8_t *p = make(true, true, 9, &n);
		uint8_t want = second && port == 1 ? 5 : 3;

		c.has_dmac[0] = c.has_smac[0] = true;
		c.has_dmac[1] = c.has_smac[1] = second;
		c.dmac[0][5] = c.smac[0][5] = 3;
		c.dmac[1][5] = c.smac[1][5] = 5;
		if (cast)
			memset(p, 0xff, 6);
		CHECK(edit_frame(&c, &st, p, &n, n, port) == 1);
		CHECK(p[0] == 0 && p[5] == want && p[11] == want);
		if (cast)
			memset(p, 0xff, 6);
		c.keep_mac_casts = true;
		CHECK(edit_frame(&c, &st, p, &n, n, port) == 1);
		CHECK(p[5] == (cast ? 0xff : want) && p[11] == want);
		free(p);
	}
}

static void there_may_be_no_tag_to_take(void)
{
	struct edit_config c = nothing();
	struct edit_stats st = { 0 };
	uint8_t p[60 + EDIT_ROOM] = { [12] = 0x81, 0 };
	uint32_t n = 17;

	c.vlan = EDIT_VLAN_DEL;
	CHECK(edit_frame(&c, &st, p, &n, n, 0) == 1 && n == 17);
	n = 18;
	CHECK(edit_frame(&c, &st, p, &n, n, 0) == 1 && n == 14);
	n = 60;
	put_be16(p + 12, 0x800);
	CHECK(edit_frame(&c, &st, p, &n, n, 0) == 1 && n == 60);
}

/* --- other links --- */

static void links_are_known_or_refused(void)
{
	static const struct {
		uint16_t link;
		uint32_t at; /* where the packet begins */
		uint8_t first;
		int want;
		uint16_t type;
	} row[] = {
		{ LINK_RAW, 0, 0x45, 0, 0x800 },
		{ LINK_RAW_BSD, 0, 0x60, 0, 0x86dd },
		{ LINK_RAW_OPENBSD, 0, 0x45, 0, 0x800 },
		{ LINK_IPV4, 0, 0x45, 0, 0x800 },
		{ LINK_IPV6, 0, 0x60, 0, 0x86dd },
		{ LINK_NULL, 4, 0x60, 0, 0x86dd },
		{ LINK_LOOP, 4, 0x45, 0, 0x800 },
		{ LINK_LOOP, 4, 0x55, -EBADMSG, 0 },
		{ LINK_RAW, 0, 0, -EBADMSG, 0 },
		{ LINK_SLL, 16, 0, -EBADMSG, 0 }, /* type 0: 802.3 */
		{ LINK_ETHERNET, 0, 0x45, -ENOTSUP, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		struct edit_config c = nothing();
		uint8_t p[40 + EDIT_ROOM] = { 0 }, old[40];
		uint32_t n = 40;

		p[row[i].at] = row[i].first;
		memcpy(old, p, sizeof(old));
		/* Without addresses there is no header. */
		CHECK(edit_ether(&c, row[i].link, p, &n, 0) ==
		      (row[i].want != 0 ? row[i].want : -ENOTSUP));
		c.has_dmac[0] = true;
		CHECK(edit_ether(&c, row[i].link, p, &n, 0) ==
		      (row[i].want != 0 ? row[i].want : -ENOTSUP));
		CHECK(n == 40 && memcmp(p, old, sizeof(old)) == 0);
		c.has_smac[0] = true;
		CHECK(edit_ether(&c, row[i].link, p, &n, 0) == row[i].want);
		CHECK(n == (row[i].want != 0 ? 40 : 54 - row[i].at));
		if (row[i].want == 0)
			CHECK(get_be16(p + 12) == row[i].type &&
			      p[14] == row[i].first);
	}
}

/* --- damage --- */

/* What is damaged lies behind what the frame bears, whatever that is. */
static void damage_begins_behind_ip(void)
{
	static const struct {
		const char *name;
		uint8_t frame[64];
		uint32_t from;
	} row[] = {
		{ "no IP", { [12] = 0x12, 0x34 }, 14 },
		{ "a fragment with options",
		  { [12] = 8, 0, 0x46, 0, 0, 50, [21] = 1 },
		  38 },
		{ "an IPv6 fragment",
		  { [12] = 0x86, 0xdd, 0x60, [19] = 10, 44, [57] = 8 },
		  54 },
		{ "UDP", { [12] = 8, 0, 0x45, 0, 0, 50, [23] = 17 }, 34 },
	};
	uint32_t n = 13;
	uint8_t few[13] = { 0 };

	CHECK(edit_damage(1, 1, few, &n) == -ENODATA && n == 13);
	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		uint32_t first = 64;

		for (uint64_t k = 0; k < 400; k++) {
			uint8_t p[64];

			memcpy(p, row[i].frame, sizeof(p));
			n = sizeof(p);
			if (edit_damage(3, k, p, &n) == 0)
				continue;
			for (uint32_t b = 0; b < n; b++)
				if (p[b] != row[i].frame[b] && b < first)
					first = b;
		}
		CHECK_ROW(first == row[i].from, row[i].name);
	}
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "shapes are found", shapes_are_found },
		{ "only so many headers are followed",
		  only_so_many_headers_are_followed },
		{ "checksums lie where their protocol says",
		  checksums_lie_where_their_protocol_says },
		{ "a datagram's sum is never zero",
		  a_datagrams_sum_is_never_zero },
		{ "what cannot be summed is left",
		  what_cannot_be_summed_is_left },
		{ "what is kept whole is as a device wants it",
		  what_is_kept_whole_is_as_a_device_wants_it },
		{ "what no header can say is not kept",
		  what_no_header_can_say_is_not_kept },
		{ "what is no plain segment is not cut",
		  what_is_no_plain_segment_is_not_cut },
		{ "lengths are told again", lengths_are_told_again },
		{ "lengths that cannot be told", lengths_that_cannot_be_told },
		{ "padding has no length", padding_has_no_length },
		{ "the frame check sequence goes",
		  the_frame_check_sequence_goes },
		{ "sums are made on demand", sums_are_made_on_demand },
		{ "addresses are mapped", addresses_are_mapped },
		{ "casts are kept if wanted", casts_are_kept_if_wanted },
		{ "random addresses are addresses",
		  random_addresses_are_addresses },
		{ "only errors have a packet inside",
		  only_errors_have_a_packet_inside },
		{ "ports are of ranges", ports_are_of_ranges },
		{ "broken options are not walked",
		  broken_options_are_not_walked },
		{ "times to live stay in bounds",
		  times_to_live_stay_in_bounds },
		{ "single hardware addresses are mapped",
		  single_hardware_addresses_are_mapped },
		{ "hardware addresses are an interface's",
		  hardware_addresses_are_an_interfaces },
		{ "there may be no tag to take", there_may_be_no_tag_to_take },
		{ "links are known or refused", links_are_known_or_refused },
		{ "damage begins behind IP", damage_begins_behind_ip },
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
