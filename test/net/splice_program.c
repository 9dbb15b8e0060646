/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * splice_program.c - What the program in the kernel does beside dialogues
 *
 * Packets go in by BPF_PROG_TEST_RUN, in a network namespace of our own; what comes out
 * is held against the same headers in user space (splice_way.h, splice/quote.h). Needs
 * root.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"
#include "core/bytes.h"
#include "core/rng.h"
#include "route/router.h"
#include "os/clock.h"
#include "splice/quote.h"
#include "splice/syn.h"
#include "splice_way.h"

#define ETH	     14u
#define PKT_MAX	     1600
#define LOOPBACK     1u
#define SUMMED	     (1u << 2) /* BPF_F_TEST_SKB_CHECKSUM_COMPLETE */
#define ACT_SHOT     2u
#define ACT_REDIRECT 7u
#define ACT_UNSPEC   UINT32_MAX

static struct router *router;
static struct join_peer peer;
static uint32_t flags; /* of each run: SUMMED where the kernel knows it */

struct run {
	uint8_t b[PKT_MAX];
	uint32_t len;
	uint32_t act;
	int rc;
};

static struct run run_with(const uint8_t *p, uint32_t len, bool ip6,
			   struct __sk_buff *ctx)
{
	static uint8_t frame[ETH + PKT_MAX], out[ETH + PKT_MAX];
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = frame,
		    .data_size_in = ETH + len, .data_out = out,
		    .data_size_out = sizeof(out), .repeat = 1, .flags = flags);
	struct run r = { .len = 0 };

	put_be16(frame + 12, ip6 ? 0x86dd : 0x0800);
	memcpy(frame + ETH, p, len);
	if (ctx != NULL) {
		o.ctx_in = ctx;
		o.ctx_size_in = sizeof(*ctx);
	}
	r.rc = bpf_prog_test_run_opts(router_program(router), &o);
	r.act = o.retval;
	if (r.rc == 0) {
		r.len = o.data_size_out - ETH;
		memcpy(r.b, out + ETH, r.len);
	}
	return r;
}

static struct run run(const uint8_t *p, uint32_t len, bool ip6)
{
	return run_with(p, len, ip6, NULL);
}

/* The same of a packet that will be cut: the kernel then forgets the sum. */
static struct run run_cut(const uint8_t *p, uint32_t len, bool ip6,
			  struct __sk_buff *ctx)
{
	uint32_t was = flags;
	struct run r;

	flags = 0;
	r = run_with(p, len, ip6, ctx);
	flags = was;
	return r;
}

static void any_bytes(struct rng *r, uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)rng_next(r);
}

/* A joined pair of random numbers, here and in the kernel. */
static struct join_name any_pair(struct rng *r, struct splice_pair *p, bool ip6)
{
	const struct join_way way[DIR_COUNT] = { { .ifindex = LOOPBACK },
						 { .ifindex = LOOPBACK } };
	struct splice_tuple t[DIR_COUNT];
	struct join_name name = { 0 };

	for (int d = 0; d < DIR_COUNT; d++) {
		any_bytes(r, (uint8_t *)&t[d], sizeof(t[d]));
		if (ip6)
			continue;
		memset(t[d].src, 0, 10);
		memset(t[d].dst, 0, 10);
		t[d].src[10] = t[d].src[11] = 0xff;
		t[d].dst[10] = t[d].dst[11] = 0xff;
	}
	splice_intend(p, &t[0], &t[1], ip6, 0, 0);
	p->flags |=
		SPLICE_PAIR_JOINED |
		(uint32_t)(rng_next(r) & (SPLICE_PAIR_TS | SPLICE_PAIR_SACK |
					  SPLICE_PAIR_ECN));
	for (int d = 0; d < DIR_COUNT; d++) {
		p->side[d].state = SPLICE_SPLICED;
		p->side[d].scale = (uint8_t)rng_below(r, 15);
		p->side[d].told = (uint8_t)rng_below(r, 15);
		p->side[d].mss = (uint16_t)rng_below(r, 2000);
		p->map.seq_off[d] = (uint32_t)rng_next(r);
		p->map.ts_off[d] = (uint32_t)rng_next(r);
	}
	CHECK(router_intend(router, &t[0], &t[1], ip6, way, &name, &peer) == 0);
	CHECK(router_put(router, &name, p) == 0);
	return name;
}

/* A packet of side @d, with the @more bytes at @ext behind its IP header and the @n bytes
 * of TCP options at @opts, both multiples of 4; checksums are of no value.
 */
static uint32_t packet(const struct splice_pair *p, enum dir d, uint8_t *b,
		       const uint8_t *ext, uint32_t more, const uint8_t *opts,
		       uint32_t n, uint32_t payload)
{
	const struct splice_tuple *t = &p->side[d].tuple;
	bool ip6 = (p->flags & SPLICE_PAIR_IP6) != 0;
	uint32_t fixed = ip6 ? 40 : 20;
	uint32_t len = fixed + more + 20 + n + payload;
	uint8_t *tcp = b + fixed + more;

	memset(b, 0, len);
	b[0] = ip6 ? 0x60 : (uint8_t)(0x45 + more / 4);
	b[ip6 ? 6 : 9] = ip6 && more > 0 ? 60 : 6;
	b[ip6 ? 7 : 8] = 1;
	put_be16(b + (ip6 ? 4 : 2), (uint16_t)(ip6 ? len - 40 : len));
	memcpy(b + (ip6 ? 8 : 12), ip6 ? t->src : t->src + 12, ip6 ? 16 : 4);
	memcpy(b + (ip6 ? 24 : 16), ip6 ? t->dst : t->dst + 12, ip6 ? 16 : 4);
	if (more > 0)
		memcpy(b + fixed, ext, more);
	put_be16(tcp, t->sport);
	put_be16(tcp + 2, t->dport);
	put_be32(tcp + 4, 0xfffffff0u);
	put_be32(tcp + 8, 0x7ffffff0u);
	tcp[12] = (uint8_t)((20 + n) / 4 << 4);
	tcp[13] = 0x10;
	put_be16(tcp + 14, 5000);
	if (n > 0)
		memcpy(tcp + 20, opts, n);
	memset(tcp + 20 + n, 0x5a, payload);
	return len;
}

static void check_like_here(struct splice_pair *p, enum dir d, uint8_t *b,
			    uint32_t len, const char *name)
{
	bool ip6 = (p->flags & SPLICE_PAIR_IP6) != 0;
	struct run k = run(b, len, ip6);
	struct way_result w = way_packet(p, d, b, len, 0);
	uint32_t want = w.fate == WAY_STACK	? ACT_UNSPEC
			: w.fate == WAY_DROPPED ? ACT_SHOT
						: ACT_REDIRECT;

	CHECK_ROW(k.rc == 0, name);
	CHECK_ROW(k.act == want, name);
	if (w.fate != WAY_DROPPED)
		CHECK_ROW(k.len == len && memcmp(k.b, b, len) == 0, name);
}

static void lists_of_options_at_every_offset(void)
{
	static const uint8_t stamps[] = { 8, 10, 1, 2, 3, 4, 5, 6, 7, 8 };
	static const uint8_t block[] = { 5, 18, 1, 2, 3, 4, 5, 6, 7,
					 8, 1,	2, 3, 4, 5, 6, 7, 8 };
	struct rng rng = { 31 };

	for (int i = 0; i < 600; i++) {
		enum dir d = i / 2 % 2 ? DIR_S2C : DIR_C2S;
		uint8_t opts[80], b[PKT_MAX];
		struct splice_pair p;
		uint32_t n = rng_below(&rng, 5);
		struct join_name name;

		memset(opts, 1, sizeof(opts));
		if (i % 3 != 1) {
			memcpy(opts + n, stamps, sizeof(stamps));
			n += (uint32_t)sizeof(stamps);
		}
		if (i % 3 != 0) {
			memcpy(opts + n, block, sizeof(block));
			n += (uint32_t)sizeof(block);
		}
		/* Anything in one place of it. */
		if (i % 4 == 0)
			opts[rng_below(&rng, n)] = (uint8_t)rng_next(&rng);
		n = (n + 3) / 4 * 4;
		name = any_pair(&rng, &p, i % 2 != 0);
		n = packet(&p, d, b, NULL, 0, opts, n, rng_below(&rng, 100));
		check_like_here(&p, d, b, n, "options");
		CHECK(router_forget(router, &name) == 0);
	}
}

static void options_and_extensions_of_ip(void)
{
	static const struct {
		const char *name;
		bool ip6;
		uint32_t n;
		uint8_t b[72];
	} rows[] = {
		{ "4 bytes", false, 4, { 7, 3, 4, 0 } },
		{ "40 bytes", false, 40, { 7, 39, 4, 9, 9, 9 } },
		{ "destination options", true, 8, { 6, 0, 5, 2 } },
		{ "64 bytes of them", true, 64, { 6, 7, 5, 2, 1, 1 } },
		{ "two headers", true, 16, { 60, 0, 1, 4, 9, 9, 9, 9, 6, 0 } },
		{ "past the end", true, 8, { 6, 9, 5, 2 } },
	};
	struct rng rng = { 32 };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct splice_pair p;
		uint8_t b[PKT_MAX];
		struct join_name name = any_pair(&rng, &p, rows[i].ip6);
		uint32_t n = packet(&p, DIR_C2S, b, rows[i].b, rows[i].n, NULL,
				    0, 10);

		if (strcmp(rows[i].name, "past the end") == 0)
			CHECK(run(b, n, true).act == ACT_UNSPEC);
		else
			check_like_here(&p, DIR_C2S, b, n, rows[i].name);
		CHECK(router_forget(router, &name) == 0);
	}
}

static void parts_of_datagrams(void)
{
	static const uint8_t ext[] = { 6, 0, 0, 1, 0, 0, 0, 7 };
	struct rng rng = { 33 };
	struct splice_pair p;
	uint8_t b[PKT_MAX];
	struct join_name name = any_pair(&rng, &p, false);
	uint32_t n = packet(&p, DIR_C2S, b, NULL, 0, NULL, 0, 16);

	b[6] = 0x20;
	CHECK(run(b, n, false).act == ACT_SHOT);
	/* A later part says nothing of whose it is. */
	b[7] = 1;
	CHECK(run(b, n, false).act == ACT_UNSPEC);
	router_forget(router, &name);
	name = any_pair(&rng, &p, true);
	n = packet(&p, DIR_C2S, b, ext, sizeof(ext), NULL, 0, 16);
	b[6] = 44;
	CHECK(run(b, n, true).act == ACT_SHOT);
	put_be16(b + 42, 8);
	CHECK(run(b, n, true).act == ACT_UNSPEC);
	router_forget(router, &name);
}

/* A TCP header that is too short: our sockets judge, while there are any. */
static void what_cannot_be_read(void)
{
	struct rng rng = { 41 };
	struct splice_pair p;
	uint8_t b[PKT_MAX];
	struct join_name name = any_pair(&rng, &p, false);
	uint32_t n = packet(&p, DIR_C2S, b, NULL, 0, NULL, 0, 16);

	b[32] = 0x40;
	CHECK(run(b, n, false).act == ACT_SHOT);
	p.flags &= ~(uint32_t)SPLICE_PAIR_JOINED;
	p.side[0].state = p.side[1].state = SPLICE_PRE_SPLICED;
	CHECK(router_put(router, &name, &p) == 0);
	CHECK(run(b, n, false).act == ACT_UNSPEC);
	router_forget(router, &name);
}

static void what_is_not_ours_goes_on(void)
{
	struct rng rng = { 34 };
	struct splice_pair p;
	uint8_t b[PKT_MAX];
	struct join_name name = any_pair(&rng, &p, false);
	uint32_t n = packet(&p, DIR_C2S, b, NULL, 0, NULL, 0, 16);
	struct run r;

	b[20] ^= 1;
	r = run(b, n, false);
	CHECK(r.act == ACT_UNSPEC && memcmp(r.b, b, n) == 0);
	b[20] ^= 1;
	b[9] = 17;
	CHECK(run(b, n, false).act == ACT_UNSPEC);
	b[9] = 6;
	/* Another EtherType, or too little of a packet. */
	CHECK(run(b, n, true).act == ACT_UNSPEC);
	CHECK(run(b, 21, false).act == ACT_UNSPEC);
	CHECK(run(b, n, false).act == ACT_REDIRECT);
	CHECK(router_forget(router, &name) == 0);
	CHECK(run(b, n, false).act == ACT_UNSPEC);
}

/* A message of ICMP about the packet @quote of @n bytes, that we sent to side @d. */
static uint32_t error_about(const struct splice_pair *p, enum dir d,
			    const uint8_t *quote, uint32_t n, uint8_t *b)
{
	const struct splice_tuple *t = &p->side[d].tuple;
	bool ip6 = (p->flags & SPLICE_PAIR_IP6) != 0;
	uint32_t fixed = ip6 ? 40 : 20;

	memset(b, 0, fixed + 8);
	b[0] = ip6 ? 0x60 : 0x45;
	put_be16(b + (ip6 ? 4 : 2), (uint16_t)(ip6 ? 8 + n : 28 + n));
	b[ip6 ? 6 : 9] = ip6 ? 58 : 1;
	memset(b + (ip6 ? 8 : 12), 0x77, ip6 ? 16 : 4);
	memcpy(b + (ip6 ? 24 : 16), ip6 ? t->dst : t->dst + 12, ip6 ? 16 : 4);
	b[fixed] = ip6 ? 2 : 3;
	b[fixed + 1] = ip6 ? 0 : 4;
	memcpy(b + fixed + 8, quote, n);
	return fixed + 8 + n;
}

static void errors_go_to_whom_they_concern(void)
{
	struct rng rng = { 35 };

	for (int i = 0; i < 200; i++) {
		bool ip6 = i % 2 != 0;
		enum dir d = i / 2 % 2 ? DIR_C2S : DIR_S2C;
		uint32_t fixed = ip6 ? 40 : 20;
		uint8_t b[PKT_MAX], e[PKT_MAX];
		struct splice_quote q = { .ip6 = ip6 };
		struct splice_pair p;
		struct join_name name = any_pair(&rng, &p, ip6);
		uint32_t n = packet(&p, dir_reverse(d), b, NULL, 0, NULL, 0, 4);
		struct run r;

		CHECK(way_packet(&p, dir_reverse(d), b, n, 0).fate == WAY_PEER);
		n = error_about(&p, d, b, i / 4 % 2 ? fixed + 8 : fixed + 24,
				e);
		r = run(e, n, ip6);
		CHECK(r.rc == 0 && r.act == ACT_REDIRECT && r.len == n);
		memcpy(q.ip, e, fixed);
		q.len = (uint16_t)(i / 4 % 2 ? fixed + 16 : fixed + 28);
		memcpy(q.b, e + fixed, q.len);
		splice_map_quote(&p, d, &q);
		CHECK(memcmp(r.b, q.ip, fixed) == 0);
		CHECK(memcmp(r.b + fixed, q.b, q.len) == 0);
		CHECK(memcmp(r.b + fixed + q.len, e + fixed + q.len,
			     n - fixed - q.len) == 0);
		/* It quotes somebody else's, or a question. */
		e[fixed + 8 + fixed] ^= 1;
		CHECK(run(e, n, ip6).act == ACT_UNSPEC);
		e[fixed + 8 + fixed] ^= 1;
		e[fixed] = ip6 ? 128 : 8;
		CHECK(run(e, n, ip6).act == ACT_UNSPEC);
		router_forget(router, &name);
	}
}

static bool set_mtu(int mtu)
{
	struct ifreq r = { .ifr_mtu = mtu };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	int rc;

	strcpy(r.ifr_name, "lo");
	rc = ioctl(fd, SIOCSIFMTU, &r);
	close(fd);
	return rc == 0;
}

static void too_long_is_answered(void)
{
	struct rng rng = { 36 };

	CHECK(set_mtu(1280));
	for (int i = 0; i < 4; i++) {
		bool ip6 = i % 2 != 0;
		uint8_t b[PKT_MAX], want[SPLICE_TOO_LONG_MAX];
		struct splice_pair p;
		struct splice_segment s;
		struct splice_head h;
		struct join_name name = any_pair(&rng, &p, ip6);
		uint32_t most = 1280 - (ip6 ? 60 : 40);
		uint32_t n = packet(&p, DIR_S2C, b, NULL, 0, NULL, 0, most);
		struct run r;

		CHECK(run(b, n, ip6).act == ACT_REDIRECT);
		n = packet(&p, DIR_S2C, b, NULL, 0, NULL, 0, most + 1);
		CHECK(way_read(b, n, &h, &s) == SPLICE_FINE);
		n = splice_too_long(&p.side[DIR_S2C].tuple, &h, 1280, want);
		r = run_cut(b, 1281, ip6, NULL);
		CHECK(r.rc == 0 && r.act == ACT_REDIRECT);
		CHECK(r.len == n && memcmp(r.b, want, n) == 0);
		router_forget(router, &name);
	}
	CHECK(set_mtu(65536));
}

/* A super-packet counts by its segments. */
static void super_packets(void)
{
	struct rng rng = { 37 };
	struct __sk_buff ctx = { .gso_size = 560, .gso_segs = 3 };
	struct splice_pair p;
	uint8_t b[PKT_MAX];
	struct join_name name = any_pair(&rng, &p, false);
	uint32_t n = packet(&p, DIR_C2S, b, NULL, 0, NULL, 0, 1400);
	struct run r;

	CHECK(set_mtu(600));
	r = run_with(b, n, false, &ctx);
	CHECK(r.rc == 0 && r.act == ACT_REDIRECT && r.len == n);
	ctx.gso_size = 561;
	r = run_cut(b, n, false, &ctx);
	CHECK(r.rc == 0 && r.len == 68);
	CHECK(set_mtu(65536));
	router_forget(router, &name);
}

/* --- tables --- */

static void a_full_table_refuses(void)
{
	struct rng rng = { 38 };
	const struct join_way way[DIR_COUNT] = { { .ifindex = LOOPBACK },
						 { .ifindex = LOOPBACK } };
	struct splice_pair p;
	struct join_name n[4], more;

	for (int i = 0; i < 4; i++)
		n[i] = any_pair(&rng, &p, false);
	p.side[0].tuple.sport ^= 1;
	p.side[1].tuple.sport ^= 1;
	CHECK(router_intend(router, &p.side[0].tuple, &p.side[1].tuple, false,
			    way, &more, &peer) == -ENOSPC);
	CHECK(router_forget(router, &n[2]) == 0);
	CHECK(router_intend(router, &p.side[0].tuple, &p.side[1].tuple, false,
			    way, &more, &peer) == 0);
	CHECK(more.place == n[2].place && more.generation != n[2].generation);
	/* What is late misses the one that has its place now. */
	CHECK(router_forget(router, &n[2]) == -ESTALE);
	CHECK(router_look(router, &n[2], &p) == -ESTALE);
	CHECK(router_look(router, &more, &p) == 0);
	CHECK(router_forget(router, &more) == 0);
	/* A tuple is one pair's. */
	CHECK(router_look(router, &n[0], &p) == 0);
	CHECK(router_intend(router, &p.side[0].tuple, &p.side[1].tuple, false,
			    way, &more, &peer) == -EEXIST);
	p.side[0].tuple.sport ^= 1;
	CHECK(router_intend(router, &p.side[0].tuple, &p.side[1].tuple, false,
			    way, &more, &peer) == -EEXIST);
	p.side[1].tuple.sport ^= 1;
	CHECK(router_intend(router, &p.side[0].tuple, &p.side[1].tuple, false,
			    way, &more, &peer) == 0);
	CHECK(router_forget(router, &more) == 0);
	for (int i = 0; i < 4; i++)
		CHECK((router_forget(router, &n[i]) == 0) == (i != 2));
}

/* What the next event tells, of those that are @n; -1: there is none. */
static int told_over(const struct join_name *n)
{
	struct join_event e;

	if (router_next(router, &e) != 1)
		return -1;
	CHECK(e.events == JOIN_EV_OVER);
	CHECK(memcmp(&e.name, n, sizeof(*n)) == 0);
	CHECK(e.side[DIR_C2S].bytes == 7 && e.side[DIR_S2C].acked == 9);
	return (int)e.dir;
}

static void drain(void)
{
	struct join_event e;

	while (router_next(router, &e) == 1)
		;
}

/* A sweep: who is over goes, and is told of with what it came to; no other. */
static void a_sweep_finds_what_is_over(void)
{
	static const struct splice_limits l = { .idle = 100, .timewait = 1 };
	struct rng rng = { 40 };
	struct splice_pair p;
	struct join_name n[3];
	uint32_t at = 0;

	drain();
	for (uint64_t i = 0; i < 3; i++) {
		n[i] = any_pair(&rng, &p, false);
		p.seen = 1000 + i * 50;
		p.side[DIR_C2S].bytes = 7;
		p.side[DIR_S2C].acked = 9;
		CHECK(router_put(router, &n[i], &p) == 0);
	}
	router_sweep(router, &l, 1149, &at);
	CHECK(at == 4);
	CHECK(told_over(&n[0]) == SPLICE_IDLE);
	CHECK(told_over(&n[0]) == -1);
	CHECK(router_look(router, &n[0], &p) == -ESTALE);
	router_sweep(router, &l, 5000, &at);
	CHECK(at == 4);
	CHECK(told_over(&n[1]) == SPLICE_IDLE);
	CHECK(told_over(&n[2]) == SPLICE_IDLE);
	router_sweep(router, &l, 5000, &at);
	CHECK(told_over(&n[0]) == -1);
}

static uint64_t counted(enum join_count what)
{
	uint64_t n[JOIN_COUNTS] = { 0 };

	CHECK(router_counts(router, n) == 0);
	return n[what];
}

/* A pair that its client resets: TIMEWAIT, which is over at once here. */
static struct join_name come_and_go(struct rng *rng)
{
	uint8_t b[PKT_MAX];
	struct splice_pair p;
	struct join_name n = any_pair(rng, &p, false);
	uint32_t len;

	p.side[DIR_C2S].lo = p.side[DIR_C2S].hi = p.side[DIR_C2S].end =
		0xfffffff0u;
	CHECK(router_put(router, &n, &p) == 0);
	len = packet(&p, DIR_C2S, b, NULL, 0, NULL, 0, 0);
	b[33] = SPLICE_RST;
	CHECK(run(b, len, false).act == ACT_REDIRECT);
	CHECK(router_look(router, &n, &p) == -ESTALE);
	return n;
}

static void timewait_lets_go(void)
{
	struct rng rng = { 39 };
	struct join_name n, all[4];
	struct splice_pair p;
	struct join_event e;
	uint64_t reaped = counted(JOIN_REAPED);

	drain();
	for (int i = 0; i < 2; i++) {
		n = come_and_go(&rng);
		CHECK(router_next(router, &e) == 1);
		CHECK(e.events == SPLICE_EV_RESET && e.dir == DIR_C2S);
		CHECK(memcmp(&e.name, &n, sizeof(e.name)) == 0);
		CHECK(router_next(router, &e) == 1);
		CHECK(e.events == JOIN_EV_OVER && e.dir == SPLICE_DONE);
		CHECK(memcmp(&e.name, &n, sizeof(e.name)) == 0);
		CHECK(router_next(router, &e) == 0);
	}
	CHECK(counted(JOIN_REAPED) - reaped == 2);
	/* And their places are free again. */
	for (int i = 0; i < 4; i++)
		all[i] = any_pair(&rng, &p, false);
	for (int i = 0; i < 4; i++)
		CHECK(router_forget(router, &all[i]) == 0);
}

/* What does not fit is counted, moves its pair all the same, and spoils nothing. */
static void a_full_ring(void)
{
	const int most = (int)(JOIN_RING / sizeof(struct join_event)) * 3 / 4;
	struct rng rng = { 41 };
	struct join_event e;
	struct join_name n;
	uint64_t lost = counted(JOIN_NO_EVENT), told = 0;

	drain();
	for (int i = 0; i < most; i++)
		come_and_go(&rng);
	lost = counted(JOIN_NO_EVENT) - lost;
	while (router_next(router, &e) == 1)
		told++;
	CHECK(lost > 0 && told + lost == 2 * (uint64_t)most);
	n = come_and_go(&rng);
	CHECK(router_next(router, &e) == 1);
	CHECK(memcmp(&e.name, &n, sizeof(n)) == 0);
	drain();
}

/* --- SYNs that are passed on --- */

static void sweep_syn(void)
{
	static const struct splice_limits none = { .timewait = UINT64_MAX };
	uint32_t at = 0;

	router_sweep(router, &none, clock_mono(), &at);
}

/* A segment of a connection that passes through us. */
static uint32_t segment(const struct splice_pair *p, enum dir d, uint8_t *b,
			uint8_t kind, uint32_t seq, uint32_t ack)
{
	static const uint8_t opts[] = { 2, 4, 5, 180, 3, 3, 7, 1, 1, 1, 1, 0 };
	uint32_t n = (kind & SPLICE_SYN) != 0 ? sizeof(opts) : 0;
	uint32_t len = packet(p, d, b, NULL, 0, opts, n, 0);
	uint32_t fixed = (p->flags & SPLICE_PAIR_IP6) != 0 ? 40 : 20;

	b[fixed == 40 ? 7 : 8] = 64;
	put_be32(b + fixed + 4, seq);
	put_be32(b + fixed + 8, ack);
	b[fixed + 13] = kind;
	return len;
}

static struct join_state state(void)
{
	struct join_state s = { .used = 0 };

	CHECK(router_state(router, &s) == 0);
	return s;
}

/* The same pair as the kernel's, and a forward that makes it there. */
static void forward(struct rng *r, struct splice_pair *p, bool ip6)
{
	struct join_forward f = {
		.servers = 1, .port_low = 3000, .ports = 1, .ip6 = ip6
	};
	const struct splice_segment syn = { .seq = 100,
					    .flags = SPLICE_SYN,
					    .win = 5000,
					    .offer = { .has_scale = true,
						       .scale = 7 } };
	struct join_at at = { .port = 0 };
	struct splice_tuple t[DIR_COUNT];

	for (int d = 0; d < DIR_COUNT; d++) {
		any_bytes(r, (uint8_t *)&t[d], sizeof(t[d]));
		t[d].src[ip6 ? 0 : 12] = t[d].dst[ip6 ? 0 : 12] = 0x20;
		if (ip6)
			continue;
		memset(t[d].src, 0, 10);
		memset(t[d].dst, 0, 10);
		t[d].src[10] = t[d].src[11] = 0xff;
		t[d].dst[10] = t[d].dst[11] = 0xff;
	}
	t[DIR_S2C].dport = 3000;
	memcpy(at.ip, t[DIR_C2S].dst, 16);
	at.port = t[DIR_C2S].dport;
	f.server[0].tuple = t[DIR_S2C];
	f.server[0].tuple.dport = 0;
	f.server[0].way.ifindex = LOOPBACK;
	CHECK(router_forward(router, &at, &f) == 0);
	splice_begin_syn(p, &t[DIR_C2S], &t[DIR_S2C], ip6, 1, &syn, 0, 0, 0);
}

static void passed(bool ip6, bool refused)
{
	static const uint8_t end = SPLICE_FIN | SPLICE_ACK;
	struct rng rng = { 77 + ip6 * 2u + refused };
	struct join_state was = state();
	struct splice_pair p;
	uint8_t b[PKT_MAX];

	forward(&rng, &p, ip6);
	check_like_here(&p, DIR_C2S, b, segment(&p, 0, b, SPLICE_SYN, 100, 0),
			"SYN");
	CHECK(state().syn_live == was.syn_live + 1);
	CHECK(state().syn_opening == was.syn_opening + 1);
	if (refused) {
		check_like_here(
			&p, DIR_S2C, b,
			segment(&p, 1, b, SPLICE_RST | SPLICE_ACK, 0, 101),
			"RST");
		CHECK(splice_in_timewait(&p));
	} else {
		/* What acks another SYN opens nothing. */
		check_like_here(
			&p, DIR_S2C, b,
			segment(&p, 1, b, SPLICE_SYN | SPLICE_ACK, 900, 102),
			"SYN,ACK of another");
		check_like_here(
			&p, DIR_S2C, b,
			segment(&p, 1, b, SPLICE_SYN | SPLICE_ACK, 900, 101),
			"SYN,ACK");
		CHECK(state().syn_opening == was.syn_opening + 1);
		check_like_here(&p, DIR_C2S, b,
				segment(&p, 0, b, SPLICE_ACK, 101, 901), "ACK");
		CHECK((p.flags & SPLICE_PAIR_OPENING) == 0);
		check_like_here(&p, DIR_C2S, b,
				segment(&p, 0, b, end, 101, 901), "FIN");
		check_like_here(&p, DIR_S2C, b,
				segment(&p, 1, b, end, 901, 102), "other FIN");
		check_like_here(&p, DIR_C2S, b,
				segment(&p, 0, b, SPLICE_ACK, 102, 902),
				"last ACK");
		CHECK(splice_in_timewait(&p));
	}
	CHECK(state().syn_opening == was.syn_opening);
	sweep_syn();
	CHECK(state().syn_live == was.syn_live);
}

static void a_syn_is_passed_on(void)
{
	const struct router_config c = { .pairs = 16,
					 .limits = { .timewait = 1 } };
	struct router *first = router;
	uint64_t n[JOIN_COUNTS];
	struct errbuf e;

	CHECK(router_open(&router, &c, &e) == 0);
	for (int i = 0; i < 4; i++)
		passed(i % 2 != 0, i / 2 != 0);
	CHECK(router_counts(router, n) == 0);
	CHECK(n[JOIN_SYN_BEGUN] == 4 && n[JOIN_SYN_CLOSED] == 2 &&
	      n[JOIN_SYN_RESET] == 2);
	CHECK(n[JOIN_SYN_FULL] == 0 && n[JOIN_SYN_PORTS] == 0);
	router_close(router);
	router = first;
}

static void no_more_than_a_share_is_opening(void)
{
	const struct router_config c = {
		.pairs = 16, .limits = { .timewait = 1, .opening = 1 }
	};
	struct router *first = router;
	struct splice_pair p;
	uint64_t n[JOIN_COUNTS];
	uint8_t b[PKT_MAX];
	struct errbuf e;

	CHECK(router_open(&router, &c, &e) == 0);
	for (unsigned i = 0; i < 4; i++) {
		struct rng rng = { 200 + i };

		forward(&rng, &p, false);
		if (i < 2)
			check_like_here(&p, DIR_C2S, b,
					segment(&p, 0, b, SPLICE_SYN, 100, 0),
					"SYN");
		CHECK(state().syn_opening <= 2);
	}
	CHECK(state().syn_opening >= 1);
	sweep_syn();
	CHECK(state().syn_live == 0 && state().syn_opening == 0);
	CHECK(router_counts(router, n) == 0);
	CHECK(n[JOIN_SYN_UNOPENED] == n[JOIN_SYN_BEGUN]);
	router_close(router);
	router = first;
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "lists of options at every offset",
		  lists_of_options_at_every_offset },
		{ "options and extensions of IP",
		  options_and_extensions_of_ip },
		{ "parts of datagrams", parts_of_datagrams },
		{ "what cannot be read", what_cannot_be_read },
		{ "what is not ours goes on", what_is_not_ours_goes_on },
		{ "errors go to whom they concern",
		  errors_go_to_whom_they_concern },
		{ "too long is answered", too_long_is_answered },
		{ "super-packets", super_packets },
		{ "a full table refuses", a_full_table_refuses },
		{ "a sweep finds what is over", a_sweep_finds_what_is_over },
		{ "TIMEWAIT lets go", timewait_lets_go },
		{ "a full ring", a_full_ring },
		{ "a SYN is passed on", a_syn_is_passed_on },
		{ "no more than a share is opening",
		  no_more_than_a_share_is_opening },
	};
	const struct router_config c = { .pairs = 4,
					 .limits = { .timewait = 0 } };
	uint8_t zero[40] = { 0 };
	struct errbuf e;
	int rc;

	if (unshare(CLONE_NEWNET) != 0 || router_open(&router, &c, &e) != 0) {
		printf("1..1\nnot ok 1 - no program: %s\n", e.s);
		return 1;
	}
	flags = SUMMED;
	if (run(zero, sizeof(zero), false).rc != 0) {
		flags = 0;
		printf("# this kernel does not test the sum of all bytes\n");
	}
	rc = check_main(tests, ARRAY_SIZE(tests));
	router_close(router);
	return rc;
}
