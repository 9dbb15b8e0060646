/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_edit.c - Unit test of emit/shape, emit/cut, emit/edit and emit/trace
 *
 * The oracle of all that changes checksums is wire/decode, which verifies them.
 * Against tcprewrite: test/net/test_send.py.
 */
#include "rewrite/edit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "core/bytes.h"
#include "rewrite/cut.h"
#include "xmit/trace.h"
#include "wire/build.h"
#include "wire/decode.h"

#define ROOM (EDIT_FRAME_MAX + EDIT_ROOM)

static uint8_t body[60000];

/* A TCP frame of exact size. */
static uint8_t *make(bool v4, uint32_t len, uint8_t flags, uint32_t *out)
{
	static const uint8_t a4[4] = { 10, 0, 0, 1 }, b4[4] = { 10, 0, 0, 2 };
	static const uint8_t a6[16] = { 0xfd, 1 }, b6[16] = { 0xfd, 2 };
	struct tcp_header h = { .eth_dst = { 2, 1 },
				.eth_src = { 2, 2 },
				.sport = 4000,
				.dport = 80,
				.seq = 0xfffff000u,
				.flags = flags,
				.ttl = 64 };
	uint8_t head[BUILD_HDR_MAX];
	uint8_t *p;
	size_t n;

	h.src = v4 ? ipaddr_from4(a4) : ipaddr_from6(a6);
	h.dst = v4 ? ipaddr_from4(b4) : ipaddr_from6(b6);
	for (uint32_t i = 0; i < sizeof(body); i++)
		body[i] = (uint8_t)(i * 7 + (i >> 8));
	n = build_tcp(head, &h, body, len, CSUM_FULL);
	p = malloc(n + len);
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

/* The same with a jumbo option in front of TCP, as Linux captures BIG TCP; the
 * true length is not looked at.
 */
static uint8_t *make_jumbo(uint32_t *len)
{
	static const uint8_t hop[8] = { PROTO_TCP, 0, 0xc2, 4, 0, 1 };
	uint8_t *p = make(false, 50001, TCP_ACK | TCP_PSH | TCP_CWR, len);
	uint8_t *out = malloc(*len + sizeof(hop));

	memcpy(out, p, 54);
	memcpy(out + 54, hop, sizeof(hop));
	memcpy(out + 54 + sizeof(hop), p + 54, *len - 54);
	out[18] = out[19] = 0; /* payload length */
	out[20] = 0;	       /* hop-by-hop */
	*len += sizeof(hop);
	free(p);
	return out;
}

static void segments_are_what_a_peer_would_get(void)
{
	for (int k = 0; k < 3; k++) {
		uint32_t len;
		uint8_t *p = k == 2 ? make_jumbo(&len)
				    : make(k != 0, 50001,
					   TCP_ACK | TCP_PSH | TCP_CWR, &len);
		uint8_t *out = malloc(1514);
		struct cut c;
		uint32_t at = 0;

		CHECK(cut_plan(&c, p, len, 1500) == 1);
		for (uint32_t i = 0; i < c.segments; i++) {
			uint32_t n = cut_segment(&c, p, i, out);
			struct decoded d;

			CHECK(n <= 1514);
			CHECK(decode(out, n, &d) == DECODE_TCP);
			CHECK(d.seg.seq == 0xfffff000u + at);
			CHECK(!(d.seg.flags & TCP_PSH) == (i + 1 < c.segments));
			CHECK(!(d.seg.flags & TCP_CWR) == (i > 0));
			CHECK(memcmp(d.seg.data, body + at, d.seg.len) == 0);
			at += d.seg.len;
		}
		CHECK(at == 50001);
		free(out);
		free(p);
	}
}

static void what_cannot_be_cut_is_refused(void)
{
	uint32_t len;
	uint8_t *p = make(true, 3000, TCP_ACK, &len);
	struct cut c = { .head = 77 };

	CHECK(cut_plan(&c, p, len, len - 14) == 0);
	p[23] = PROTO_UDP;
	CHECK(cut_plan(&c, p, len, 1500) == -EMSGSIZE);
	p[23] = PROTO_TCP;
	p[20] = 0x20; /* more fragments */
	CHECK(cut_plan(&c, p, len, 1500) == -EMSGSIZE);
	p[20] = 0;
	CHECK(cut_plan(&c, p, len, 40) == -EMSGSIZE);
	p[46] = 0x10; /* data offset below 5 */
	CHECK(cut_plan(&c, p, len, 1500) == -EMSGSIZE);
	CHECK(cut_plan(&c, p, 13, 1500) == -EBADMSG);
	CHECK(c.head == 77);
	free(p);
	p = make_jumbo(&len);
	CHECK(cut_plan(&c, p, len, 1500) == 1);
	CHECK(cut_keep(&c, p, 65535) == -EMSGSIZE); /* no device takes it */
	p[56] = 1;				    /* another option */
	CHECK(cut_plan(&c, p, len, 1500) == -EMSGSIZE);
	p[56] = 0xc2;
	CHECK(cut_plan(&c, p, 54 + 8 + 19, 30) == -EMSGSIZE);
	free(p);
}

static void shifted_addresses_keep_checksums(void)
{
	struct trace t;
	uint32_t len;

	for (int v4 = 0; v4 < 2; v4++) {
		uint8_t *p = make(v4, 101, TCP_ACK, &len);
		struct decoded d;
		uint8_t *out;

		trace_init(&t, 64 << 20);
		out = trace_reserve(&t, len);
		CHECK(out != NULL);
		memcpy(out, p, len);
		trace_add(&t, &(struct xmit_frame){ .data = out, .len = len });
		/* Past the wrap of 32 bits, and of each half of them. */
		for (uint32_t i = 0; i < 70000; i++) {
			trace_shift(&t, 65521);
			if (i % 1000 == 0)
				CHECK(decode(out, len, &d) == DECODE_TCP);
		}
		CHECK(decode(out, len, &d) == DECODE_TCP);
		trace_free(&t);
		free(p);
	}
}

/* The lower address goes up, the higher down, in both directions of a flow,
 * also after they have passed each other.
 */
static void both_directions_stay_one_flow(void)
{
	struct trace t;
	uint32_t len;
	uint8_t *p = make(true, 10, TCP_ACK, &len);
	uint8_t *there, *back;

	trace_init(&t, 64 << 20);
	there = trace_reserve(&t, len);
	memcpy(there, p, len);
	trace_add(&t, &(struct xmit_frame){ .data = there, .len = len });
	back = trace_reserve(&t, len);
	memcpy(back, p, len);
	memcpy(back + 26, p + 30, 4);
	memcpy(back + 30, p + 26, 4);
	trace_add(&t, &(struct xmit_frame){ .data = back, .len = len });
	for (uint32_t i = 1; i < 10; i++) {
		trace_shift(&t, 3);
		CHECK(get_be32(there + 26) == 0x0a000001 + 3 * i);
		CHECK(get_be32(there + 30) == 0x0a000002 - 3 * i);
		CHECK(memcmp(there + 26, back + 30, 4) == 0);
		CHECK(memcmp(there + 30, back + 26, 4) == 0);
	}
	trace_free(&t);
	free(p);
}

static void a_trace_ends_at_its_limit(void)
{
	struct trace t;
	uint64_t n = 0;

	trace_init(&t, 9 << 20);
	for (;;) {
		uint8_t *p = trace_reserve(&t, 1000);

		if (!p)
			break;
		memset(p, 0, 1000);
		trace_add(&t, &(struct xmit_frame){ .data = p, .len = 1000 });
		n++;
	}
	CHECK(n > 8000 && n < 9000);
	CHECK(t.frames == n && t.bytes == n * 1000 && t.longest == 1000);
	trace_clear(&t);
	CHECK(t.frames == 0 && trace_reserve(&t, 1000) != NULL);
	CHECK(trace_reserve(&t, 5 << 20) == NULL);
	trace_free(&t);
}

static struct edit_config nothing(void)
{
	return (struct edit_config){ .on = true,
				     .tos = -1,
				     .tclass = -1,
				     .flowlabel = -1,
				     .vlan_type = 0x8100 };
}

/* Every cut length of a frame, with all that can be changed: right checksums
 * where the whole frame is there, and never a byte too far.
 */
static void every_length_is_survived(void)
{
	struct edit_config c = nothing();
	struct edit_stats st = { 0 };

	c.seeded = true;
	c.seed = 9;
	c.ports = 1;
	c.port[0] = (struct edit_port){ .least = 1, .most = 5000, .to = 7 };
	c.ttl = EDIT_TTL_ADD;
	c.ttl_by = 5;
	c.tos = 8;
	c.tclass = 8;
	c.flowlabel = 0x12345;
	c.vlan = EDIT_VLAN_ADD;
	for (int v4 = 0; v4 < 2; v4++) {
		uint32_t full;
		uint8_t *p = make(v4, 33, TCP_ACK, &full);

		for (uint32_t len = 0; len <= full; len++) {
			uint8_t *q = malloc(len + EDIT_ROOM);
			uint32_t n = len;
			struct decoded d;

			memcpy(q, p, len);
			CHECK(edit_frame(&c, &st, q, &n, full, 0) == 1);
			if (len == full) {
				CHECK(decode(q, n, &d) == DECODE_TCP);
				CHECK(d.seg.sport == 7 && d.seg.dport == 7);
				CHECK(d.seg.ttl == 69);
				CHECK(!ipaddr_eq(&d.seg.src, &d.seg.dst));
			}
			free(q);
		}
		free(p);
	}
}

static void lengths_are_mended(void)
{
	struct edit_config c = nothing();
	struct edit_stats st = { 0 };
	uint8_t *q = malloc(ROOM);
	uint32_t full;
	uint8_t *p = make(true, 500, TCP_ACK, &full);
	uint32_t n = 300;
	struct decoded d;

	memcpy(q, p, n);
	c.fixlen = EDIT_LEN_DEL;
	CHECK(edit_frame(&c, &st, q, &n, full, 0) == 0 && st.dropped == 1);
	c.fixlen = EDIT_LEN_TRUNC;
	CHECK(edit_frame(&c, &st, q, &n, full, 0) == 1 && n == 300);
	CHECK(decode(q, n, &d) == DECODE_TCP && d.seg.len == 300 - 54);
	memcpy(q, p, n);
	c.fixlen = EDIT_LEN_PAD;
	CHECK(edit_frame(&c, &st, q, &n, full, 0) == 1 && n == full);
	CHECK(decode(q, n, &d) == DECODE_TCP && d.seg.len == 500);
	c.fixlen = EDIT_LEN_KEEP;
	c.trunc = true;
	c.mtu = 100;
	CHECK(edit_frame(&c, &st, q, &n, n, 0) == 1 && n == 114);
	CHECK(decode(q, n, &d) == DECODE_TCP && d.seg.len == 60);
	free(p);
	free(q);
}

/* The packet that an error message repeats has the new addresses too, and the
 * message's own checksum stays right.
 */
static void errors_are_rewritten_inside(void)
{
	struct edit_config c = nothing();
	struct edit_stats st = { 0 };
	uint32_t len;

	for (int v4 = 0; v4 < 2; v4++) {
		uint32_t head = v4 ? 20 : 40;
		uint8_t *p = make(v4, 100, TCP_ACK, &len);
		uint8_t *q = calloc(1, len + head + 8 + EDIT_ROOM);
		uint32_t n = len + head + 8;
		struct shape s;
		struct decoded d;

		memcpy(q, p, 14 + head);
		memcpy(q + 14 + head + 8, p + 14, len - 14);
		q[14 + head] = v4 ? 3 : 1;
		q[14 + (v4 ? 9 : 6)] = v4 ? PROTO_ICMP : PROTO_ICMP6;
		if (v4)
			put_be16(q + 16, (uint16_t)(n - 14));
		else
			put_be16(q + 18, (uint16_t)(n - 54));
		CHECK(shape_find(&s, q, n) == 0);
		CHECK(shape_csum_full(&s, q) == 0);
		CHECK(decode(q, n, &d) == DECODE_ICMP);
		c.seeded = true;
		c.seed = 3;
		CHECK(edit_frame(&c, &st, q, &n, n, 0) == 1);
		CHECK(decode(q, n, &d) == DECODE_ICMP);
		CHECK(memcmp(q + shape_ip_src(&s),
			     q + shape_ip_src(&s) + head + 8,
			     v4 ? 4 : 16) == 0);
		CHECK(memcmp(q + shape_ip_src(&s), p + shape_ip_src(&s),
			     v4 ? 4 : 16) != 0);
		free(q);
		free(p);
	}
}

/* Both numbers, and the blocks of a SACK option wherever it lies; an
 * acknowledgement number that is none stays.
 */
static void sequence_numbers_move_together(void)
{
	/* Padding before: 0 to 3 bytes, so at odd offsets too. */
	static const uint8_t opts[4][20] = {
		{ 5,	18,   0,    0,	  1, 0, 0, 0, 2, 0,
		  0xff, 0xff, 0xff, 0xf0, 0, 0, 0, 1, 0, 0 },
		{ 1, 5,	   18,	 0,    0,    1, 0, 0, 0, 2,
		  0, 0xff, 0xff, 0xff, 0xf0, 0, 0, 0, 1, 0 },
		{ 1, 1, 5,    18,   0,	  0,	1, 0, 0, 0,
		  2, 0, 0xff, 0xff, 0xff, 0xf0, 0, 0, 0, 1 },
		{ 5,	18,   0,    0,	  1, 0, 0, 0, 2, 0,
		  0xff, 0xff, 0xff, 0xf0, 0, 0, 0, 1, 1, 1 },
	};
	static const uint8_t flags[] = { TCP_ACK, TCP_SYN, TCP_SYN | TCP_ACK,
					 TCP_RST };
	struct edit_config c = nothing();
	struct edit_stats st = { 0 };

	c.seq_add = 0x1234567;
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		static const uint8_t a4[4] = { 10, 0, 0, 1 };
		struct tcp_header h = { .seq = 0xfffffff0u,
					.ack = 5,
					.flags = flags[i],
					.ttl = 64,
					.optlen = 20,
					.opts = opts[i] };
		uint8_t *q = malloc(BUILD_HDR_MAX + EDIT_ROOM);
		struct decoded d;
		uint32_t n;

		h.src = h.dst = ipaddr_from4(a4);
		n = (uint32_t)build_tcp(q, &h, NULL, 0, CSUM_FULL);
		CHECK(edit_frame(&c, &st, q, &n, n, 0) == 1);
		CHECK(decode(q, n, &d) == DECODE_TCP);
		CHECK(d.seg.seq == 0xfffffff0u + c.seq_add);
		CHECK(d.seg.ack == (flags[i] == TCP_SYN ? 5 : 5 + c.seq_add));
		CHECK(d.seg.opts.sacks == 2);
		CHECK(d.seg.opts.sack[0].left == 256 + c.seq_add);
		CHECK(d.seg.opts.sack[1].left == 0xfffffff0u + c.seq_add);
		CHECK(d.seg.opts.sack[1].right == 1 + c.seq_add);
		free(q);
	}
}

/* Addresses are flipped, so different ones stay different; groups stay. */
static void hardware_addresses_are_masked(void)
{
	struct edit_config c = nothing();
	struct edit_stats st = { 0 };
	uint32_t n;
	uint8_t *p = make(true, 10, TCP_ACK, &n);
	uint8_t *q = malloc(n + EDIT_ROOM);

	memset(c.mac_mask, 0x5a, sizeof(c.mac_mask));
	memcpy(q, p, n);
	CHECK(edit_frame(&c, &st, q, &n, n, 0) == 1);
	for (int i = 0; i < 12; i++)
		CHECK((q[i] ^ p[i]) == 0x5a);
	CHECK(edit_frame(&c, &st, q, &n, n, 0) == 1);
	CHECK(memcmp(q, p, 12) == 0);
	memset(q, 0xff, 6);
	CHECK(edit_frame(&c, &st, q, &n, n, 0) == 1);
	CHECK(q[0] == 0xff && q[5] == 0xff && q[6] != p[6]);
	free(q);
	free(p);
}

/* What is damaged is behind the IP header and within the frame, and depends on
 * nothing but the two numbers; every kind occurs.
 */
static void damage_is_bounded_and_repeatable(void)
{
	uint32_t len, kinds[3] = { 0 };
	uint8_t *p = make(true, 60, TCP_ACK, &len);

	for (uint64_t i = 0; i < 2000; i++) {
		uint8_t *a = malloc(len), *b = malloc(len);
		uint32_t n = len, m = len, differ = 0;
		int rc;

		memcpy(a, p, len);
		memcpy(b, p, len);
		rc = edit_damage(7, i, a, &n);
		CHECK(edit_damage(7, i, b, &m) == rc && m == n);
		CHECK(memcmp(a, b, n) == 0);
		CHECK(rc == 0 || rc == 1);
		CHECK(n >= 34 && n <= len && memcmp(a, p, 34) == 0);
		for (uint32_t k = 0; k < n; k++)
			differ += a[k] != p[k];
		CHECK(differ <= EDIT_DAMAGE_MAX);
		CHECK(n == len || differ == 0);
		kinds[rc == 0 ? 0 : n < len ? 1 : 2]++;
		free(a);
		free(b);
	}
	CHECK(kinds[0] > 100 && kinds[1] > 100 && kinds[2] > 1000);
	len = 34;
	CHECK(edit_damage(7, 1, p, &len) == -ENODATA && len == 34);
	free(p);
}

/* One of so many, and the sums say so. */
static void fuzzing_hits_its_share(void)
{
	struct edit_config c = nothing();
	struct edit_stats st = { 0 };
	uint32_t len, sent = 0;
	uint8_t *p = make(true, 60, TCP_ACK, &len);
	uint8_t *q = malloc(len + EDIT_ROOM);

	c.fuzz_factor = 8;
	c.fuzz_seed = 3;
	for (int i = 0; i < 8000; i++) {
		uint32_t n = len;

		memcpy(q, p, len);
		sent += (uint32_t)edit_frame(&c, &st, q, &n, len, 0);
	}
	CHECK(sent + st.lost == 8000 && st.edited == 8000);
	CHECK(st.damaged + st.lost > 800 && st.damaged + st.lost < 1200);
	free(q);
	free(p);
}

/* A tag of any kind hides no address, and the outermost can be taken away. */
static void every_tag_is_looked_behind(void)
{
	static const uint16_t types[] = { 0x8100, 0x88a8, 0x9100 };

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		static const uint8_t to[4] = { 10, 7, 0, 0 };
		struct edit_config c = { .on = true,
					 .tos = -1,
					 .tclass = -1,
					 .flowlabel = -1,
					 .vlan = EDIT_VLAN_DEL };
		struct edit_stats st = { 0 };
		uint32_t len;
		uint8_t *p = make(true, 10, TCP_ACK, &len);
		uint8_t *tagged = malloc(len + 4 + EDIT_ROOM);
		struct decoded d;

		c.src.n = 1;
		c.src.net[0] = (struct edit_net){ .from = ipaddr_from4(to),
						  .to = ipaddr_from4(to),
						  .from_bits = 96 + 8,
						  .to_bits = 96 + 16 };
		memcpy(tagged, p, 12);
		put_be16(tagged + 12, types[i]);
		put_be16(tagged + 14, 5);
		memcpy(tagged + 16, p + 12, len - 12);
		len += 4;
		CHECK(edit_frame(&c, &st, tagged, &len, len, 0) == 1);
		CHECK(get_be16(tagged + 12) == 0x0800);
		CHECK(decode(tagged, len, &d) == DECODE_TCP);
		CHECK(get_be32(tagged + 26) == 0x0a070001);
		free(tagged);
		free(p);
	}
}

static void other_links_get_a_header(void)
{
	static const uint16_t link[] = { LINK_RAW, LINK_SLL, LINK_SLL2,
					 LINK_NULL };
	static const uint32_t head[] = { 0, 16, 20, 4 };
	struct edit_config c = nothing();
	uint32_t len;
	uint8_t *p = make(true, 10, TCP_ACK, &len);

	c.has_dmac[0] = c.has_smac[0] = true;
	for (size_t i = 0; i < ARRAY_SIZE(link); i++) {
		uint32_t n = len - 14 + head[i];
		uint8_t *q = calloc(1, n + EDIT_ROOM);
		struct decoded d;

		memcpy(q + head[i], p + 14, len - 14);
		if (link[i] == LINK_SLL)
			put_be16(q + 14, 0x0800);
		if (link[i] == LINK_SLL2)
			put_be16(q, 0x0800);
		CHECK(edit_ether(&c, link[i], q, &n, 1) == 0 && n == len);
		CHECK(decode(q, n, &d) == DECODE_TCP);
		n = head[i];
		CHECK(edit_ether(&c, link[i], q, &n, 1) == -EBADMSG);
		free(q);
	}
	CHECK(edit_ether(&c, 105, p, &len, 0) == -ENOTSUP);
	free(p);
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "segments are what a peer would get",
		  segments_are_what_a_peer_would_get },
		{ "what cannot be cut is refused",
		  what_cannot_be_cut_is_refused },
		{ "shifted addresses keep checksums",
		  shifted_addresses_keep_checksums },
		{ "both directions stay one flow",
		  both_directions_stay_one_flow },
		{ "a trace ends at its limit", a_trace_ends_at_its_limit },
		{ "every length is survived", every_length_is_survived },
		{ "lengths are mended", lengths_are_mended },
		{ "errors are rewritten inside", errors_are_rewritten_inside },
		{ "every tag is looked behind", every_tag_is_looked_behind },
		{ "other links get a header", other_links_get_a_header },
		{ "sequence numbers move together",
		  sequence_numbers_move_together },
		{ "hardware addresses are masked",
		  hardware_addresses_are_masked },
		{ "damage is bounded and repeatable",
		  damage_is_bounded_and_repeatable },
		{ "fuzzing hits its share", fuzzing_hits_its_share },
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
