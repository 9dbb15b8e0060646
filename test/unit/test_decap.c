/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_decap.c - Unit test of decap/decap.h and decap/tunnel.h
 *
 * A segment is built, wrapped by test/lib/wrapping.h in each way and decoded
 * from heap copies of their exact size, so that a read one byte too far is seen.
 */
#include "decap/decap.h"

#include <stdlib.h>
#include <string.h>

#include "../lib/wrapping.h"
#include "check.h"
#include "core/bytes.h"
#include "core/rng.h"
#include "wire/build.h"

#define PAYLOAD 60u
#define KEY	100u
#define FRAME	(BUILD_HDR_MAX + PAYLOAD + 8 + 2 * WRAP_ROOM)

static const struct decap all = { .kinds = DECAP_ALL, .most = DECAP_DEEP };
static const struct decap none = { .kinds = 0 };

static struct decoded got;
static struct decap_found found;

/* What each way of wrapping is found to be; labels are none. */
static const struct {
	int kind;
	bool keyed;
} want[WRAP_COUNT] = {
	[WRAP_VXLAN] = { DECAP_VXLAN, true },
	[WRAP_VXLAN_OLD] = { DECAP_VXLAN, true },
	[WRAP_GENEVE] = { DECAP_GENEVE, true },
	[WRAP_GRE] = { DECAP_GRE, false },
	[WRAP_GRE_KEY] = { DECAP_GRE, true },
	[WRAP_GRE_IP] = { DECAP_GRE, true },
	[WRAP_ERSPAN1] = { DECAP_ERSPAN, false },
	[WRAP_ERSPAN2] = { DECAP_ERSPAN, true },
	[WRAP_ERSPAN3] = { DECAP_ERSPAN, true },
	[WRAP_MPLS] = { -1, false },
	[WRAP_PPPOE] = { -1, false },
};

static enum decode_result try_as(const struct decap *how, const uint8_t *p,
				 uint32_t cap, uint32_t wire,
				 struct frag_table *frags)
{
	uint8_t *copy = malloc(cap > 0 ? cap : 1);
	struct frame_info in = {
		.data = copy, .cap = cap, .wire = wire, .link = LINK_ETHERNET
	};
	enum decode_result r;

	memcpy(copy, p, cap);
	r = decap_frame(&in, how, frags, 0, &got, NULL, &found);
	if (r == DECODE_TCP || r == DECODE_UDP) {
		CHECK(got.seg.cap <= got.seg.len);
		CHECK(got.reassembled ||
		      (got.seg.data >= copy &&
		       got.seg.data + got.seg.cap <= copy + cap));
	}
	free(copy);
	return r;
}

static enum decode_result try(const struct decap *how, const uint8_t *p,
			      uint32_t n)
{
	return try_as(how, p, n, n, NULL);
}

static uint32_t segment(uint8_t *f, bool v4)
{
	static const uint8_t data[PAYLOAD] = "GET / HTTP/1.1";
	struct tcp_header h = { .sport = 4000,
				.dport = 80,
				.seq = 7,
				.flags = TCP_ACK,
				.ttl = 64 };
	size_t n;

	h.src = h.dst = ipaddr_from6((const uint8_t[16]){ 0xfd, [15] = 1 });
	if (v4) {
		h.src = ipaddr_from4((const uint8_t[]){ 10, 0, 0, 2 });
		h.dst = ipaddr_from4((const uint8_t[]){ 10, 0, 0, 10 });
	}
	n = build_tcp(f, &h, data, PAYLOAD, CSUM_FULL);
	memcpy(f + n, data, PAYLOAD);
	return (uint32_t)n + PAYLOAD;
}

/* A segment that is wrapped once. */
static uint32_t wrapped(uint8_t *out, enum wrap_kind kind, bool v6, bool v4,
			uint32_t cut)
{
	struct wrap w = { .kind = kind, .v6 = v6, .key = KEY, .cut = cut };
	uint8_t f[FRAME];

	return (uint32_t)wrap_frame(&w, out, f, segment(f, v4));
}

static void each_kind_is_taken_off(void)
{
	uint8_t f[FRAME];

	for (unsigned i = 0; i < WRAP_COUNT * 4u; i++) {
		enum wrap_kind k = (enum wrap_kind)(i / 4);
		const char *name = wrap_row[k].name;
		uint32_t n = wrapped(f, k, (i & 1) != 0, (i & 2) != 0, 0);

		CHECK_ROW(try(&all, f, n) == DECODE_TCP, name);
		CHECK_ROW(got.seg.seq == 7 && got.seg.dport == 80, name);
		CHECK_ROW(got.seg.len == PAYLOAD && got.seg.cap == PAYLOAD,
			  name);
		CHECK_ROW(found.tunnels == (want[k].kind >= 0), name);
		if (want[k].kind < 0) {
			CHECK_ROW(try(&none, f, n) == DECODE_TCP, name);
			continue;
		}
		CHECK_ROW((int)found.outer.kind == want[k].kind, name);
		CHECK_ROW(found.outer.keyed == want[k].keyed, name);
		CHECK_ROW(!want[k].keyed || found.outer.key == KEY, name);
		CHECK_ROW(try(&none, f, n) != DECODE_TCP, name);
		CHECK_ROW(found.tunnels == 0 && !found.other_key, name);
		/* The second byte of the inner segment's seq. */
		f[n - PAYLOAD - 15] ^= 1;
		CHECK_ROW(try(&all, f, n) != DECODE_TCP, name);
	}
}

/* Who copies a frame cuts it, and the outer lengths are those of the copy. */
static void a_cut_copy_is_a_gap(void)
{
	uint8_t f[FRAME];

	for (unsigned k = 0; k < WRAP_MPLS; k++) {
		const char *name = wrap_row[k].name;
		uint32_t n = wrapped(f, (enum wrap_kind)k, false, true, 74);

		CHECK_ROW(try(&all, f, n) == DECODE_TCP, name);
		CHECK_ROW(got.seg.len == PAYLOAD && got.seg.cap == 20, name);
		n = wrapped(f, (enum wrap_kind)k, true, false, 54);
		CHECK_ROW(try(&all, f, n) == DECODE_TRUNCATED, name);
	}
}

/* Every byte too few, of the capture and of the wire. */
static void cut_anywhere_nothing_breaks(void)
{
	uint8_t f[FRAME];

	for (unsigned k = 0; k < WRAP_COUNT; k++) {
		uint32_t n = wrapped(f, (enum wrap_kind)k, false, true, 0);

		for (uint32_t cap = 0; cap < n; cap++) {
			enum decode_result r = try_as(&all, f, cap, n, NULL);

			CHECK_ROW(cap < n - PAYLOAD ? r != DECODE_TCP
						    : r == DECODE_TCP,
				  wrap_row[k].name);
			r = try(&all, f, cap);
			CHECK_ROW(r != DECODE_TCP, wrap_row[k].name);
		}
	}
}

static void only_the_key_that_was_asked_for(void)
{
	uint8_t f[FRAME];

	for (unsigned k = 0; k < WRAP_MPLS; k++) {
		const char *name = wrap_row[k].name;
		struct decap how = all;
		uint32_t n = wrapped(f, (enum wrap_kind)k, false, true, 0);

		how.keyed = true;
		how.key = KEY;
		CHECK_ROW((try(&how, f, n) == DECODE_TCP) == want[k].keyed,
			  name);
		CHECK_ROW(found.other_key == !want[k].keyed, name);
		how.key = KEY + 1;
		CHECK_ROW(try(&how, f, n) != DECODE_TCP, name);
		CHECK_ROW(found.tunnels == 0 && found.other_key, name);
		CHECK_ROW((int)found.outer.kind == want[k].kind, name);
		how.keyed = false;
		how.kinds &= (uint8_t) ~(1u << want[k].kind);
		CHECK_ROW(try(&how, f, n) != DECODE_TCP, name);
		CHECK_ROW(found.tunnels == 0 && !found.other_key, name);
	}
}

static void ports_are_those_that_were_asked_for(void)
{
	struct decap how = all;
	uint8_t f[FRAME];
	uint32_t n = wrapped(f, WRAP_VXLAN, false, true, 0);

	put_be16(f + 36, 4790);
	CHECK(try(&how, f, n) == DECODE_UDP);
	how.port = 4790;
	CHECK(try(&how, f, n) == DECODE_TCP);
	put_be16(f + 36, 4789);
	CHECK(try(&how, f, n) == DECODE_UDP);
	n = wrapped(f, WRAP_GENEVE, false, true, 0);
	how.kinds = 1u << DECAP_GENEVE;
	put_be16(f + 36, 4790);
	CHECK(try(&how, f, n) == DECODE_TCP);
}

/* A tunnel in a tunnel in a tunnel. */
static void depth_is_bounded(void)
{
	struct wrap w = { .kind = WRAP_ERSPAN2, .key = 1 };
	struct decap one = { .kinds = DECAP_ALL, .most = 1 };
	uint8_t f[FRAME], two[FRAME], three[FRAME + WRAP_ROOM];
	uint32_t n = wrapped(f, WRAP_VXLAN, false, true, 0);
	uint32_t deep;

	n = (uint32_t)wrap_frame(&w, two, f, n);
	CHECK(try(&all, two, n) == DECODE_TCP && found.tunnels == 2);
	CHECK(found.outer.kind == DECAP_ERSPAN && found.outer.key == 1);
	CHECK(try(&one, two, n) == DECODE_UDP && found.tunnels == 1);
	w.kind = WRAP_GRE;
	deep = (uint32_t)wrap_frame(&w, three, two, n);
	CHECK(try(&all, three, deep) == DECODE_UDP && found.tunnels == 2);
}

/* What a header says of itself decides; else it stays a datagram. */
static void what_is_no_tunnel_stays_what_it_is(void)
{
	static const struct {
		const char *name;
		enum wrap_kind kind;
		uint8_t at; /* behind IP or UDP */
		uint8_t value;
		enum decode_result want;
	} rows[] = {
		{ "VXLAN without I", WRAP_VXLAN, 0, 0, DECODE_UDP },
		{ "GENEVE 1", WRAP_GENEVE, 0, 0x42, DECODE_UDP },
		{ "GENEVE OAM", WRAP_GENEVE, 1, 0x80, DECODE_UDP },
		{ "GENEVE of ARP", WRAP_GENEVE, 3, 0x06, DECODE_UDP },
		{ "GENEVE, long", WRAP_GENEVE, 0, 0x3f, DECODE_UDP },
		{ "GRE 1", WRAP_GRE, 1, 1, DECODE_IP_OTHER },
		{ "GRE, routed", WRAP_GRE, 0, 0x40, DECODE_IP_OTHER },
		{ "GRE of ARP", WRAP_GRE_IP, 3, 0x06, DECODE_IP_OTHER },
		{ "GRE, bad sum", WRAP_GRE_KEY, 4, 0x55, DECODE_IP_OTHER },
		{ "ERSPAN 2 of 0", WRAP_ERSPAN2, 8, 0, DECODE_IP_OTHER },
		{ "ERSPAN 3 of 1", WRAP_ERSPAN3, 8, 0x10, DECODE_IP_OTHER },
		{ "ERSPAN 3 of FC", WRAP_ERSPAN3, 18, 0x04, DECODE_IP_OTHER },
	};
	uint8_t f[FRAME];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint32_t n = wrapped(f, rows[i].kind, false, true, 0);
		uint32_t at = wrap_row[rows[i].kind].port != 0 ? 42 : 34;

		f[at + rows[i].at] = rows[i].value;
		CHECK_ROW(try(&all, f, n) == rows[i].want, rows[i].name);
		CHECK_ROW(found.tunnels == 0, rows[i].name);
	}
}

static void ip_in_erspan_3(void)
{
	uint8_t f[FRAME];
	uint32_t n = wrapped(f, WRAP_ERSPAN3, false, true, 0);

	memmove(f + 62, f + 76, n - 76); /* Ethernet's header */
	n -= 14;
	put_be16(f + 16, (uint16_t)(n - 14));
	put_be16(f + 24, 0);
	put_be16(f + 24, wrap_sum(f + 14, 20));
	f[52] |= 0x08; /* FT 2 */
	CHECK(try(&all, f, n) == DECODE_TCP && got.seg.len == PAYLOAD);
}

static void labels(void)
{
	uint8_t f[FRAME], g[FRAME];
	uint32_t n = wrapped(f, WRAP_MPLS, false, true, 0);

	f[20] &= 0xfe; /* no bottom: the IP header is a label, too */
	CHECK(try(&all, f, n) != DECODE_TCP);
	memset(g, 0, sizeof(g));
	memcpy(g, f, 14);
	CHECK(try(&all, g, sizeof(g)) == DECODE_NOT_IP);
	n = wrapped(f, WRAP_PPPOE, false, true, 0);
	f[20] = 0xc0; /* LCP */
	CHECK(try(&all, f, n) == DECODE_NOT_IP);
	f[20] = 0;
	f[15] = 9; /* a code of discovery */
	CHECK(try(&all, f, n) == DECODE_NOT_IP);
}

/* The outer datagram comes in two fragments, cut at a multiple of 8. */
static void fragments_of_the_outer_datagram(void)
{
	static const struct hash_key key = { { 1, 2 } };
	struct arena a = { .size = frag_size(4) };
	uint8_t f[FRAME], part[FRAME];
	uint32_t n = wrapped(f, WRAP_ERSPAN2, false, true, 0);
	struct frag_table *t;

	a.base = aligned_alloc(ARENA_ALIGN, a.size);
	memset(a.base, 0, a.size);
	CHECK(frag_init(&t, &a, 4, &key) == 0);
	for (uint32_t off = 0; off < n - 34; off += 64) {
		bool more = off + 64 < n - 34;
		uint32_t len = more ? 64 : n - 34 - off;

		memcpy(part, f, 34);
		memcpy(part + 34, f + 34 + off, len);
		put_be16(part + 16, (uint16_t)(20 + len));
		put_be16(part + 20, (uint16_t)((more ? 0x2000 : 0) | off / 8));
		put_be16(part + 24, 0);
		put_be16(part + 24, wrap_sum(part + 14, 20));
		CHECK(try_as(&all, part, 34 + len, 34 + len, t) ==
		      (more ? DECODE_FRAGMENT : DECODE_TCP));
	}
	CHECK(got.reassembled && got.seg.len == PAYLOAD && got.l3 == 14);
	free(a.base);
}

/* A host leaves sums to its device; GRE's would be of what it makes. */
static void sums_that_are_not_ready(void)
{
	uint8_t f[FRAME];
	uint32_t n = wrapped(f, WRAP_GRE_KEY, false, true, 0);
	struct frame_info in = { .data = f,
				 .cap = n,
				 .wire = n,
				 .link = LINK_ETHERNET,
				 .csum_ok = true };

	f[n - PAYLOAD - 3] ^= 0x11; /* TCP's sum */
	CHECK(decap_frame(&in, &all, NULL, 0, &got, NULL, &found) ==
	      DECODE_TCP);
	in.csum_ok = false;
	CHECK(decap_frame(&in, &all, NULL, 0, &got, NULL, &found) ==
	      DECODE_IP_OTHER);
}

static void tunnels_are_told_apart(void)
{
	struct decap_tally t = { 0 };
	struct decap_found x = { .tunnels = 1, .outer = { .kind = DECAP_GRE } };

	decap_count(&t, &(struct decap_found){ 0 });
	CHECK(t.n == 0);
	for (unsigned i = 0; i < 3; i++)
		decap_count(&t, &x);
	x.outer.keyed = true;
	decap_count(&t, &x);
	x.tunnels = 0;
	x.other_key = true;
	decap_count(&t, &x);
	CHECK(t.n == 3 && t.seen[0].frames == 3 && t.seen[0].taken);
	CHECK(t.seen[1].frames == 1 && t.seen[1].keyed && t.seen[1].taken);
	CHECK(t.seen[2].frames == 1 && !t.seen[2].taken);
	for (x.outer.key = 1; x.outer.key < 20; x.outer.key++)
		decap_count(&t, &x);
	CHECK(t.n == DECAP_SEEN && t.more == 19 - (DECAP_SEEN - 3));
}

/* A frame of random length, with or without bytes behind its datagram, and
 * sometimes with a wrong byte, another protocol, or nothing but zeros in it.
 */
static uint32_t odd_frame(struct rng *rng, uint8_t *f)
{
	struct tcp_header h = { .sport = 4000,
				.dport = 80,
				.seq = (uint32_t)rng_next(rng),
				.flags = TCP_ACK,
				.ttl = 64 };
	bool v4 = rng_below(rng, 2) == 0;
	uint32_t len = (uint32_t)rng_below(rng, PAYLOAD);
	uint8_t data[PAYLOAD];
	uint32_t n, l4;

	h.src = h.dst = ipaddr_from6((const uint8_t[16]){ 0xfd, [15] = 1 });
	if (v4)
		h.src = h.dst = ipaddr_from4((const uint8_t[]){ 10, 0, 0, 2 });
	for (uint32_t i = 0; i < PAYLOAD; i++)
		data[i] = (uint8_t)rng_next(rng);
	n = (uint32_t)build_tcp(f, &h, data, len, CSUM_FULL);
	l4 = v4 ? 34 : 54;
	memcpy(f + n, data, len);
	n += len;
	if (rng_below(rng, 4) == 0) {
		f[v4 ? 23 : 20] = v4 ? 1 : 58; /* ICMP of its version */
		if (rng_below(rng, 2) == 0)
			memset(f + l4, 0, n - l4);
	}
	if (rng_below(rng, 3) == 0)
		f[l4 + rng_below(rng, n - l4)] ^=
			(uint8_t)(1u << rng_below(rng, 8));
	if (v4) {
		put_be16(f + 24, 0);
		put_be16(f + 24, wrap_sum(f + 14, 20));
	}
	if (rng_below(rng, 4) == 0) {
		memset(f + n, (int)rng_below(rng, 2), 4);
		n += 1 + (uint32_t)rng_below(rng, 4);
	}
	return n;
}

/* In GRE with a checksum, whose sum tells that of the inner frame, is found what
 * is found where nothing tells it.
 */
static void a_known_sum_finds_the_same(void)
{
	unsigned good = 0, bad = 0;
	struct rng rng = { 15 };

	for (unsigned i = 0; i < 20000; i++) {
		struct wrap sum = { .kind = WRAP_GRE_KEY, .v6 = i & 1 };
		struct wrap plain = { .kind = WRAP_VXLAN, .v6 = i & 1 };
		uint8_t f[FRAME], g[FRAME], k[FRAME];
		uint32_t n = odd_frame(&rng, f);
		uint32_t m = (uint32_t)wrap_frame(&plain, g, f, n);
		enum decode_result r = try(&all, g, m);
		struct decoded first = got;

		CHECK(found.tunnels == 1);
		m = (uint32_t)wrap_frame(&sum, g, f, n);
		CHECK(try(&all, g, m) == r && found.tunnels == 1);
		CHECK(got.offloaded == first.offloaded);
		CHECK(got.seg.len == first.seg.len &&
		      got.seg.seq == first.seg.seq);
		m = (uint32_t)wrap_frame(&sum, k, g, m);
		CHECK(try(&all, k, m) == r && found.tunnels == 2);
		m = (uint32_t)wrap_frame(&plain, g, f, n);
		m = (uint32_t)wrap_frame(&sum, k, g, m);
		CHECK(try(&all, k, m) == r && found.tunnels == 2);
		good += r == DECODE_TCP;
		bad += r == DECODE_BAD_L4_CSUM;
	}
	CHECK(good > 5000 && bad > 5000);
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "each kind is taken off", each_kind_is_taken_off },
		{ "a cut copy is a gap", a_cut_copy_is_a_gap },
		{ "cut anywhere, nothing breaks", cut_anywhere_nothing_breaks },
		{ "only the key that was asked for",
		  only_the_key_that_was_asked_for },
		{ "ports are those that were asked for",
		  ports_are_those_that_were_asked_for },
		{ "depth is bounded", depth_is_bounded },
		{ "what is no tunnel stays what it is",
		  what_is_no_tunnel_stays_what_it_is },
		{ "IP in ERSPAN III", ip_in_erspan_3 },
		{ "labels", labels },
		{ "fragments of the outer datagram",
		  fragments_of_the_outer_datagram },
		{ "sums that are not ready", sums_that_are_not_ready },
		{ "a known sum finds the same", a_known_sum_finds_the_same },
		{ "tunnels are told apart", tunnels_are_told_apart },
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
