/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_pieces.c - Unit test of tunnel/pieces: long packets are cut and joined
 *
 * A piece's oracle is written from the RFCs, not from the code: its length, its
 * sequence number, its flags, its identification, and the sums over all of its bytes,
 * made anew. What is joined and cut again is what it was.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "core/bytes.h"
#include "core/csum.h"
#include "core/rng.h"
#include "pieces/cut.h"
#include "pieces/join.h"
#include "wire/segment.h"

#define MOST   65535u
#define PIECES 64

/** struct packet - One, of exact size, so that ASan sees the byte too far */
struct packet {
	uint8_t *b;
	uint32_t n;
};

static struct rng rng = { 1 };
static uint8_t long_one[MOST];

static uint64_t pseudo(const uint8_t *p, uint8_t proto, uint32_t len)
{
	uint64_t sum = p[0] >> 4 == 4 ? csum_add(0, p + 12, 8)
				      : csum_add(0, p + 8, 32);

	return sum + proto + len;
}

static void ip_head(uint8_t *p, bool four, uint32_t l4, uint32_t n,
		    uint8_t proto)
{
	memset(p, 0, l4);
	if (four) {
		p[0] = (uint8_t)(0x40 | l4 / 4);
		put_be16(p + 2, (uint16_t)n);
		put_be16(p + 4, 0xfffe); /* it wraps */
		put_be16(p + 6, 0x4000);
		p[8] = 64;
		p[9] = proto;
		memcpy(p + 12, "\x0a\x63\x00\x01\x0a\x63\x00\x02", 8);
		memset(p + 20, 1, l4 - 20); /* options that do nothing */
		put_be16(p + 10, (uint16_t)~csum_fold(csum_add(0, p, l4)));
		return;
	}
	p[0] = 0x60;
	put_be16(p + 4, (uint16_t)(n - 40));
	p[6] = proto;
	p[7] = 64;
	p[8] = p[24] = 0xfd;
	p[23] = 1;
	p[39] = 2;
}

/* A long packet and what a device says of it. @more: bytes of options. */
static uint32_t make_long(struct vnet *v, bool four, bool tcp, uint32_t ip_more,
			  uint32_t tcp_more, uint32_t payload, uint32_t size,
			  uint8_t flags)
{
	uint32_t l4 = (four ? 20 : 40) + ip_more;
	uint32_t head = l4 + (tcp ? 20 + tcp_more : 8);
	uint32_t n = head + payload;
	uint8_t *p = long_one, *q = p + l4;
	uint8_t proto = tcp ? PROTO_TCP : PROTO_UDP;

	ip_head(p, four, l4, n, proto);
	memset(q, 0, head - l4);
	put_be16(q, 4000);
	put_be16(q + 2, 443);
	if (tcp) {
		put_be32(q + 4, 0xfffffff0u); /* it wraps */
		put_be32(q + 8, 77);
		q[12] = (uint8_t)((20 + tcp_more) / 4 << 4);
		q[13] = flags;
		put_be16(q + 14, 501);
		for (uint32_t i = 0; i < tcp_more; i++)
			q[20 + i] = (uint8_t)rng_next(&rng);
	} else {
		put_be16(q + 4, (uint16_t)(n - l4));
	}
	for (uint32_t i = head; i < n; i++)
		p[i] = (uint8_t)rng_next(&rng);
	put_be16(q + (tcp ? 16 : 6), csum_fold(pseudo(p, proto, n - l4)));
	*v = (struct vnet){ .partial = true,
			    .kind = !tcp   ? VNET_UDP
				    : four ? VNET_TCP4
					   : VNET_TCP6,
			    .head = (uint16_t)head,
			    .size = (uint16_t)size,
			    .start = (uint16_t)l4,
			    .at = tcp ? 16 : 6 };
	return n;
}

static unsigned cut_all(struct cut *c, struct packet *out)
{
	unsigned n = 0;
	uint32_t len;

	while ((len = cut_length(c)) > 0 && n < PIECES) {
		out[n].b = malloc(len);
		out[n].n = len;
		cut_next(c, out[n++].b);
	}
	CHECK(cut_length(c) == 0);
	return n;
}

static void free_all(struct packet *p, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		free(p[i].b);
}

static bool sums_are_right(const struct packet *p, uint32_t l4, uint8_t proto)
{
	uint64_t sum =
		csum_add(pseudo(p->b, proto, p->n - l4), p->b + l4, p->n - l4);

	return csum_fold(sum) == 0xffff &&
	       (p->b[0] >> 4 == 6 ||
		csum_fold(csum_add(0, p->b, l4)) == 0xffff);
}

/* Is it piece @i of @n of the long one? */
static void check_piece(const struct packet *p, unsigned i, unsigned n,
			const struct vnet *v, uint32_t at, uint8_t flags)
{
	bool four = p->b[0] >> 4 == 4, tcp = v->kind != VNET_UDP;
	const uint8_t *a = long_one + v->start, *b = p->b + v->start;
	uint8_t want = flags;

	CHECK(sums_are_right(p, v->start, tcp ? PROTO_TCP : PROTO_UDP));
	CHECK(memcmp(p->b + v->head, long_one + v->head + at, p->n - v->head) ==
	      0);
	CHECK(get_be16(p->b + (four ? 2 : 4)) == p->n - (four ? 0 : 40));
	if (four) {
		CHECK(get_be16(p->b + 4) == (uint16_t)(0xfffe + i));
		CHECK(memcmp(p->b + 12, long_one + 12, v->start - 12) == 0);
	}
	CHECK(memcmp(a, b, 4) == 0);
	if (!tcp) {
		CHECK(get_be16(b + 4) == p->n - v->start);
		return;
	}
	CHECK(get_be32(b + 4) == 0xfffffff0u + at);
	CHECK(memcmp(a + 8, b + 8, 5) == 0 && memcmp(a + 14, b + 14, 2) == 0);
	CHECK(memcmp(a + 18, b + 18, v->head - v->start - 18u) == 0);
	if (i > 0)
		want &= (uint8_t)~TCP_CWR;
	if (i + 1 < n)
		want &= (uint8_t) ~(TCP_FIN | TCP_PSH);
	CHECK(b[13] == want);
}

static void one_layout(bool four, bool tcp, uint32_t ip_more, uint32_t tcp_more,
		       uint32_t payload, uint8_t flags, uint32_t most)
{
	uint32_t size = 1300, at = 0;
	struct packet piece[PIECES];
	struct vnet v;
	uint32_t n = make_long(&v, four, tcp, ip_more, tcp_more, payload, size,
			       flags);
	uint8_t *copy = malloc(n);
	struct cut c;
	unsigned got;

	memcpy(copy, long_one, n);
	CHECK(cut_begin(&c, &v, copy, n, most) == 0);
	got = cut_all(&c, piece);
	if (tcp && most - v.head < size)
		size = most - v.head;
	CHECK(got == (payload + size - 1) / size);
	for (unsigned i = 0; i < got; i++) {
		CHECK(piece[i].n - v.head ==
		      (i + 1 < got ? size : payload - i * size));
		check_piece(&piece[i], i, got, &v, at, flags);
		at += piece[i].n - v.head;
	}
	CHECK(at == payload && memcmp(copy, long_one, n) == 0);
	free_all(piece, got);
	free(copy);
}

static void each_piece_is_as_the_sender_would_send_it(void)
{
	static const uint32_t lengths[] = { 1,	  1299, 1300,  1301,
					    2600, 9999, 40001, 62000 };
	static const uint8_t flags[] = { TCP_ACK, TCP_ACK | TCP_PSH,
					 TCP_ACK | TCP_PSH | TCP_FIN,
					 TCP_ACK | TCP_CWR | TCP_ECE, 0xff };

	for (uint32_t more = 0; more <= 40; more += 4)
		for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]);
		     i++) {
			uint8_t f = flags[i % sizeof(flags)];

			one_layout(true, true, 0, more, lengths[i], f, MOST);
			one_layout(true, true, more, 12, lengths[i], f, MOST);
			one_layout(false, true, 0, more, lengths[i], f, MOST);
			one_layout(true, false, more, 0, lengths[i], 0, MOST);
			one_layout(false, false, 0, 0, lengths[i], 0, MOST);
			one_layout(true, true, 0, more, lengths[i], f, 1320);
			/* A datagram is nobody's to cut. */
			one_layout(true, false, 0, 0, lengths[i], 0, 900);
		}
	/* Behind extension headers, where IPv6's upper layer begins. */
	one_layout(false, true, 24, 12, 5000, TCP_ACK, MOST);
}

static void a_short_one_gets_its_sum(void)
{
	struct vnet v, none = { .kind = VNET_ONE };
	uint32_t n = make_long(&v, true, true, 0, 12, 900, 1300, TCP_ACK);
	struct packet piece[PIECES];
	struct cut c;

	v.kind = VNET_ONE;
	v.size = 0;
	CHECK(cut_begin(&c, &v, long_one, n, MOST) == 0);
	CHECK(cut_all(&c, piece) == 1 && piece[0].n == n);
	CHECK(sums_are_right(&piece[0], 20, PROTO_TCP));
	CHECK(get_be16(piece[0].b + 4) == 0xfffe);
	free_all(piece, 1);
	CHECK(cut_begin(&c, &none, long_one, n, MOST) == 0);
	CHECK(cut_all(&c, piece) == 1 && piece[0].n == n);
	CHECK(memcmp(piece[0].b, long_one, n) == 0);
	free_all(piece, 1);
	/* A sum of 0 would say that there is none. */
	n = make_long(&v, true, false, 0, 0, 2, 1300, 0);
	put_be16(long_one + 28, (uint16_t)~csum_fold(csum_add(
					csum_add(0, long_one + 20, 8), "", 0)));
	v.kind = VNET_ONE;
	CHECK(cut_begin(&c, &v, long_one, n, MOST) == 0);
	CHECK(cut_all(&c, piece) == 1);
	CHECK(get_be16(piece[0].b + 26) == 0xffff);
	free_all(piece, 1);
}

static void what_is_not_as_said_is_refused(void)
{
	struct vnet good, v;
	uint32_t n = make_long(&good, true, true, 0, 12, 5000, 1300, TCP_ACK);
	struct cut c;

#define REFUSED(change)                                                        \
	do {                                                                   \
		v = good;                                                      \
		change;                                                        \
		CHECK(cut_begin(&c, &v, long_one, n, MOST) == -EBADMSG);       \
	} while (0)
	REFUSED(v.size = 0);
	REFUSED(v.partial = false);
	REFUSED(v.start = 24);
	REFUSED(v.start = 0);
	REFUSED(v.at = 6);
	REFUSED(v.kind = VNET_TCP6);
	REFUSED(v.kind = VNET_UDP);
	REFUSED(v.start = (uint16_t)n);
	REFUSED({
		v.kind = VNET_ONE;
		v.start = (uint16_t)(n - 17);
	});
	n = v.head = good.head; /* no payload */
	REFUSED(v.head = 0);
	n = 0;
	REFUSED(v.head = 0);
#undef REFUSED
}

static void the_header_is_virtios(void)
{
	static const uint8_t bytes[] = { 1,    0x81, 0x34, 0,  0x14,
					 0x05, 20,   0,	   16, 0 };
	uint8_t out[VNET_HEADER];
	struct vnet v = { .size = 7 };

	CHECK(vnet_parse(bytes, 9, &v) == -EBADMSG && v.size == 7);
	CHECK(vnet_parse(bytes, 10, &v) == 0);
	CHECK(v.partial && v.ecn && v.kind == VNET_TCP4 && v.head == 0x34 &&
	      v.size == 1300 && v.start == 20 && v.at == 16);
	vnet_emit(&v, out);
	CHECK(memcmp(out, bytes, sizeof(out)) == 0);
	memcpy(out, bytes, sizeof(out));
	out[1] = 3; /* UFO */
	CHECK(vnet_parse(out, 10, &v) == -EBADMSG);
}

/* --- joining --- */

static struct join *join;

static void begin_join(struct arena *a, bool udp)
{
	size_t n = join_size();

	*a = (struct arena){ .base = aligned_alloc(ARENA_ALIGN, n), .size = n };
	CHECK(join_init(&join, a, udp) == 0);
}

/* What was handed on: bytes of all packets and of their number. */
static struct packet came[4 * PIECES];
static struct vnet came_v[4 * PIECES];
static uint32_t came_n;

static void hand_on(const uint8_t *p, uint32_t n, const struct vnet *v)
{
	came[came_n].b = malloc(n);
	came[came_n].n = n;
	memcpy(came[came_n].b, p, n);
	came_v[came_n++] = *v;
}

static void take(int place)
{
	struct vnet v;
	uint32_t packets, n;
	uint8_t *p;

	n = join_take(join, place, &p, &v, &packets);
	CHECK(packets > 0 && (packets == 1) == (v.kind == VNET_ONE));
	hand_on(p, n, &v);
}

static void put(const struct packet *p)
{
	struct vnet one = { .kind = VNET_ONE };
	struct join_look l;
	int place;

	join_look(join, p->b, p->n, &l);
	while ((place = join_first(join, p->b, p->n, &l)) >= 0)
		take(place);
	if (!join_add(join, p->b, p->n, &l))
		hand_on(p->b, p->n, &one);
}

static void finish(void)
{
	int place;

	while ((place = join_any(join)) >= 0)
		take(place);
}

static void forget(void)
{
	free_all(came, came_n);
	came_n = 0;
}

/* Cut, joined, and the same again. */
static void round_trip(bool four, bool tcp, uint32_t more, uint32_t payload,
		       uint8_t flags)
{
	struct packet piece[PIECES], again[PIECES];
	struct vnet v;
	struct cut c;
	uint32_t n = make_long(&v, four, tcp, 0, more, payload, 1300, flags);
	unsigned pieces, k;

	CHECK(cut_begin(&c, &v, long_one, n, MOST) == 0);
	pieces = cut_all(&c, piece);
	for (unsigned i = 0; i < pieces; i++)
		put(&piece[i]);
	finish();
	CHECK(came_n == 1 && came[0].n == n);
	CHECK(came_v[0].kind == v.kind && came_v[0].size == v.size &&
	      came_v[0].start == v.start && came_v[0].at == v.at &&
	      came_v[0].head == v.head && came_v[0].partial);
	CHECK(memcmp(came[0].b, long_one, n) == 0);
	CHECK(cut_begin(&c, &came_v[0], came[0].b, came[0].n, MOST) == 0);
	k = cut_all(&c, again);
	CHECK(k == pieces);
	for (unsigned i = 0; i < k && i < pieces; i++)
		CHECK(again[i].n == piece[i].n &&
		      memcmp(again[i].b, piece[i].b, piece[i].n) == 0);
	free_all(piece, pieces);
	free_all(again, k);
	forget();
}

static void what_was_cut_is_joined_to_the_same(void)
{
	struct arena a;

	begin_join(&a, true);
	for (uint32_t more = 0; more <= 40; more += 4)
		for (uint32_t payload = 1301; payload < 64000; payload += 9001)
			for (int tcp = 0; tcp < 2; tcp++) {
				round_trip(true, tcp != 0, more, payload,
					   TCP_ACK | TCP_PSH);
				round_trip(false, tcp != 0, more, payload,
					   TCP_ACK | TCP_ECE);
			}
	free(a.base);
}

/* Two packets that go together, the second changed at @at (and its sums made right
 * again if @mend). Return: how many were handed on.
 */
static uint32_t joined(bool tcp, uint32_t at, uint8_t by, bool mend)
{
	struct packet piece[PIECES];
	struct vnet v;
	struct cut c;
	uint32_t n = make_long(&v, true, tcp, 0, 12, 2600, 1300, TCP_ACK);
	uint32_t sum = v.start + v.at, got;
	uint8_t *p;

	CHECK(cut_begin(&c, &v, long_one, n, MOST) == 0);
	CHECK(cut_all(&c, piece) == 2);
	p = piece[1].b;
	p[at] ^= by;
	if (mend) {
		put_be16(p + 10, 0);
		put_be16(p + 10, (uint16_t)~csum_fold(csum_add(0, p, 20)));
		put_be16(p + sum, 0);
		put_be16(p + sum, (uint16_t)~csum_fold(csum_add(
					  pseudo(p, p[9], piece[1].n - 20),
					  p + 20, piece[1].n - 20)));
	}
	put(&piece[0]);
	put(&piece[1]);
	finish();
	got = came_n;
	for (uint32_t i = 0; got == 2 && i < 2; i++)
		CHECK(came[i].n == piece[i].n &&
		      memcmp(came[i].b, piece[i].b, piece[i].n) == 0);
	free_all(piece, 2);
	forget();
	return got;
}

static void what_would_lose_something_is_not_joined(void)
{
	struct arena a;

	begin_join(&a, true);
	CHECK(joined(true, 0, 0, false) == 1);
	CHECK(joined(true, 0, 0, true) == 1);
	CHECK(joined(true, 700, 1, false) == 2); /* a byte that has changed */
	CHECK(joined(true, 700, 1, true) == 1);
	CHECK(joined(true, 1, 1, true) == 2); /* ECN */
	CHECK(joined(true, 5, 1, true) == 1); /* identification, under DF */
	CHECK(joined(true, 6, 0x40, true) == 2);
	CHECK(joined(true, 8, 1, true) == 2);  /* TTL */
	CHECK(joined(true, 15, 1, true) == 2); /* source */
	CHECK(joined(true, 21, 1, true) == 2); /* port */
	CHECK(joined(true, 27, 1, true) == 2); /* seq */
	CHECK(joined(true, 31, 1, true) == 2); /* ack */
	CHECK(joined(true, 33, TCP_PSH, true) == 1);
	CHECK(joined(true, 33, TCP_FIN, true) == 2);
	CHECK(joined(true, 33, TCP_ECE, true) == 2);
	CHECK(joined(true, 33, TCP_CWR, true) == 2);
	CHECK(joined(true, 33, TCP_URG, true) == 2);
	CHECK(joined(true, 35, 1, true) == 2); /* window */
	CHECK(joined(true, 39, 1, true) == 2); /* urgent pointer */
	CHECK(joined(true, 45, 1, true) == 2); /* option */
	CHECK(joined(false, 0, 0, false) == 1);
	CHECK(joined(false, 700, 1, false) == 2);
	CHECK(joined(false, 25, 1, true) == 2); /* length */
	free(a.base);
	begin_join(&a, false);
	CHECK(joined(false, 0, 0, false) == 2);
	CHECK(joined(true, 0, 0, false) == 1);
	free(a.base);
}

/* Many connections, mixed, with packets that are not joined: of each the bytes come
 * in their order, whatever was joined.
 */
static void a_connection_keeps_its_order(void)
{
	static uint8_t sent[16][1 << 16], got[16][1 << 16];
	uint32_t sent_n[16] = { 0 }, got_n[16] = { 0 };
	struct arena a;

	begin_join(&a, true);
	for (unsigned i = 0; i < 600; i++) {
		unsigned of = (unsigned)(rng_next(&rng) % 16);
		uint32_t len = 1 + (uint32_t)(rng_next(&rng) % 3) * 50;
		struct packet piece[PIECES];
		struct vnet v;
		struct cut c;
		uint32_t n = make_long(
			&v, of % 2, true, 0, 12, len, 1300,
			rng_next(&rng) % 8 == 0 ? TCP_ACK | TCP_FIN : TCP_ACK);
		uint8_t *q = long_one + v.start;

		/* Numbers begin anew for each: only its own may continue it. */
		put_be32(q + 4, sent_n[of]);
		put_be16(q, (uint16_t)of);
		put_be16(q + 16,
			 csum_fold(pseudo(long_one, PROTO_TCP, n - v.start)));
		CHECK(cut_begin(&c, &v, long_one, n, MOST) == 0);
		CHECK(cut_all(&c, piece) == 1);
		memcpy(sent[of] + sent_n[of], piece[0].b + v.head, len);
		sent_n[of] += len;
		put(&piece[0]);
		free_all(piece, 1);
		if (i % 32 == 31 || i == 599)
			finish();
		for (uint32_t k = 0; k < came_n; k++) {
			uint32_t l4 = came[k].b[0] >> 4 == 4 ? 20 : 40;
			unsigned o = get_be16(came[k].b + l4);

			CHECK(get_be32(came[k].b + l4 + 4) == got_n[o]);
			memcpy(got[o] + got_n[o], came[k].b + l4 + 32,
			       came[k].n - l4 - 32);
			got_n[o] += came[k].n - l4 - 32;
		}
		forget();
	}
	for (unsigned i = 0; i < 16; i++)
		CHECK(got_n[i] == sent_n[i] &&
		      memcmp(got[i], sent[i], sent_n[i]) == 0);
	free(a.base);
}

static void bounds_are_kept(void)
{
	struct packet piece[PIECES];
	struct arena a;
	struct vnet v;
	struct cut c;
	unsigned n = 0, pieces;

	begin_join(&a, true);
	/* 64,000 and 64,000 more that continue them. */
	for (uint32_t k = 0; k < 2; k++) {
		uint32_t len =
			make_long(&v, true, true, 0, 12, 64000, 1600, TCP_ACK);

		put_be32(long_one + 24, k * 64000);
		CHECK(cut_begin(&c, &v, long_one, len, MOST) == 0);
		pieces = cut_all(&c, piece);
		for (unsigned i = 0; i < pieces; i++)
			put(&piece[i]);
		free_all(piece, pieces);
		n += pieces;
	}
	finish();
	CHECK(n == 80 && came_n == 2 && came[0].n == 52 + 40 * 1600);
	forget();
	/* A later fragment: nobody knows whose, so all goes before it. */
	pieces = make_long(&v, true, true, 0, 12, 1300, 1300, TCP_ACK);
	CHECK(cut_begin(&c, &v, long_one, pieces, MOST) == 0);
	CHECK(cut_all(&c, piece) == 1);
	put(&piece[0]);
	CHECK(came_n == 0);
	put_be16(piece[0].b + 6, 100);
	put(&piece[0]);
	CHECK(came_n == 2 && get_be16(came[0].b + 6) == 0x4000);
	free_all(piece, 1);
	forget();
	free(a.base);
}

static const struct check_test tests[] = {
	{ "the header is virtio's", the_header_is_virtios },
	{ "each piece is as the sender would send it",
	  each_piece_is_as_the_sender_would_send_it },
	{ "a short one gets its sum", a_short_one_gets_its_sum },
	{ "what is not as said is refused", what_is_not_as_said_is_refused },
	{ "what was cut is joined to the same",
	  what_was_cut_is_joined_to_the_same },
	{ "what would lose something is not joined",
	  what_would_lose_something_is_not_joined },
	{ "a connection keeps its order", a_connection_keeps_its_order },
	{ "bounds are kept", bounds_are_kept },
};

int main(void)
{
	return check_main(tests, sizeof(tests) / sizeof(tests[0]));
}
