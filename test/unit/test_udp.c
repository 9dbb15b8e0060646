/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_udp.c - Unit test of shadow/udp
 *
 * Every dialogue ends with check_closed(): the sums of udp.h hold, all frames
 * went back to the pool and the table is empty.
 */
#include "dgram/udp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "core/wheel.h"

#define POOL_BYTES BUF_TOP
#define T0	   (5 * NS_PER_SEC) /* engine's time at the start */
#define WALL	   (UINT64_C(1700000000) * NS_PER_SEC)

/* struct rig - A machine and what its callers do */
struct rig {
	struct arena arena;
	struct pool *pool;
	struct udp_shadow *u;
	struct effects out;
	uint64_t now;
	bool v6;
	uint32_t pairs;
};

static const struct hash_key hash_key = { { 1, 2 } };
static const uint8_t client4[4] = { 10, 0, 0, 1 };
static const uint8_t prod4[4] = { 10, 0, 0, 53 };
static const uint8_t sut4[4] = { 192, 168, 7, 53 };

static struct ipaddr addr_of(const struct rig *r, enum who who)
{
	static const uint8_t *const v4[] = { client4, prod4, sut4 };
	uint8_t b[16] = { 0x20, 0x01, 0x0d, 0xb8 };

	b[15] = (uint8_t)(who + 1);
	return r->v6 ? ipaddr_from6(b) : ipaddr_from4(v4[who]);
}

static void rig_init(struct rig *r, uint32_t n, bool keep, bool v6)
{
	size_t size = pool_size(POOL_BYTES) + udp_size(n);

	*r = (struct rig){ .now = T0, .v6 = v6 };
	r->arena.base = aligned_alloc(ARENA_ALIGN, arena_need(size));
	r->arena.size = arena_need(size);
	memset(r->arena.base, 0, r->arena.size);
	if (pool_init(&r->pool, &r->arena, POOL_BYTES) != 0 ||
	    udp_init(&r->u, &r->arena, r->pool, n, &hash_key, keep, 0, T0) != 0)
		abort();
}

/* A wheel asks to be looked at no later than a tick behind the time. */
static bool is_at(uint64_t told, uint64_t when)
{
	return told > T0 && told <= when + WHEEL_TICK;
}

static uint64_t ended(const struct udp_counters *c)
{
	return c->answered + c->no_production + c->no_sut + c->no_answer +
	       c->evicted + c->same_key + c->run_ended;
}

static void take_effects(struct rig *r)
{
	for (uint32_t i = 0; i < r->out.n; i++)
		buf_clear(r->pool, r->out.e[i].frame, BUF_EMIT);
	r->out.n = 0;
	udp_check(r->u, r->now);
}

static void check_closed(struct rig *r)
{
	const struct udp_counters *c = udp_counters(r->u);
	struct udp_pair p;
	bool more;

	take_effects(r);
	do {
		more = udp_flush(r->u);
		while (udp_pop(r->u, &p)) {
			r->pairs++;
			udp_pair_free(r->u, &p);
		}
	} while (more);
	CHECK(c->queries ==
	      c->exchanges + c->repeats + c->query_cut + c->query_pool_full);
	CHECK(c->exchanges == ended(c));
	CHECK(c->exchanges == r->pairs + c->pairs_lost);
	CHECK(c->prod_answers ==
	      c->prod_paired + c->prod_repeated + c->prod_late + c->prod_stray);
	CHECK(c->sut_answers ==
	      c->sut_paired + c->sut_repeated + c->sut_late + c->sut_stray);
	CHECK(udp_used(r->u) == 0);
	CHECK(udp_open(r->u) == 0);
	CHECK(pool_used(r->pool) == 0);
	CHECK(udp_next_timeout(r->u) == UINT64_MAX);
	free(r->arena.base);
}

static struct udp_tag tag(uint16_t id, uint32_t question)
{
	return (struct udp_tag){ .id = id, .question = question };
}

static const struct udp_tag in_order = { .ordered = true };

static void datagram(struct rig *r, enum who who, uint16_t port,
		     const char *text, struct segment *seg)
{
	bool c = who == WHO_CLIENT;

	*seg = (struct segment){
		.src = addr_of(r, c ? WHO_CLIENT : who),
		.dst = addr_of(r, c ? WHO_PROD : WHO_CLIENT),
		.sport = c ? port : 53,
		.dport = c ? 53 : port,
		.proto = PROTO_UDP,
		.ttl = 57,
		.data = (const uint8_t *)text,
		.len = (uint32_t)strlen(text),
		.cap = (uint32_t)strlen(text),
		.ts = WALL + r->now,
	};
}

static void query(struct rig *r, uint16_t port, struct udp_tag t,
		  const char *text)
{
	struct udp_to to = { .addr = addr_of(r, WHO_SUT),
			     .port = 53,
			     .sut = 2 };
	struct segment seg;

	datagram(r, WHO_CLIENT, port, text, &seg);
	udp_query(r->u, &seg, &t, &to, r->now, &r->out);
	udp_check(r->u, r->now);
}

static void answer(struct rig *r, enum who who, uint16_t port, struct udp_tag t,
		   const char *text)
{
	struct segment seg;

	datagram(r, who, port, text, &seg);
	udp_answer(r->u, who, 2, &seg, &t, r->now);
	udp_check(r->u, r->now);
}

static bool holds(const struct buf *f, const char *text)
{
	return f != NULL && f->len == strlen(text) &&
	       memcmp(f->data, text, f->len) == 0;
}

/* Pop one pair and check how it ended; the caller frees it. */
static struct udp_pair pop(struct rig *r, enum udp_end end)
{
	struct udp_pair p = { .end = UDP_RUN_ENDED };

	CHECK(udp_pop(r->u, &p));
	CHECK(p.end == end);
	r->pairs++;
	return p;
}

static void drop(struct rig *r, enum udp_end end)
{
	struct udp_pair p = pop(r, end);

	udp_pair_free(r->u, &p);
}

static void play_one(bool v6)
{
	struct rig r;
	struct udp_pair p;
	const struct effect *e;

	rig_init(&r, 8, true, v6);
	query(&r, 4000, tag(7, 99), "query");
	CHECK(r.out.n == 1);
	e = &r.out.e[0];
	CHECK(e->kind == EFFECT_UDP && e->cause == CAUSE_DATAGRAM);
	CHECK(e->sut == 2 && e->flow == 1 && e->ttl == 57);
	CHECK(memcmp(e->src.b, addr_of(&r, WHO_CLIENT).b, 16) == 0);
	CHECK(memcmp(e->dst.b, addr_of(&r, WHO_SUT).b, 16) == 0);
	CHECK(e->sport == 4000 && e->dport == 53);
	CHECK(e->len == 5 && memcmp(effects_data(e), "query", 5) == 0);
	CHECK(is_at(udp_next_timeout(r.u), T0 + UDP_TIMEOUT));

	r.now += 3 * NS_PER_MS;
	answer(&r, WHO_SUT, 4000, tag(7, 99), "theirs");
	CHECK(!udp_pop(r.u, &p));
	r.now += 2 * NS_PER_MS;
	answer(&r, WHO_PROD, 4000, tag(7, 99), "ours");
	p = pop(&r, UDP_ANSWERED);
	CHECK(p.ts[WHO_PROD] - p.ts[WHO_CLIENT] == 5 * NS_PER_MS);
	CHECK(p.ts[WHO_SUT] - p.ts[WHO_CLIENT] == 3 * NS_PER_MS);
	CHECK(holds(p.frame[WHO_CLIENT], "query"));
	CHECK(holds(p.frame[WHO_PROD], "ours"));
	CHECK(holds(p.frame[WHO_SUT], "theirs"));
	CHECK(p.cport == 4000 && p.pport == 53 && p.sut == 2);
	CHECK(p.tag.id == 7 && p.repeats == 0 && p.ts[WHO_CLIENT] == WALL + T0);
	udp_pair_free(r.u, &p);
	CHECK(udp_open(r.u) == 0 && udp_used(r.u) == 1);
	CHECK(udp_counters(r.u)->answered == 1);
	check_closed(&r);
}

static void test_plays_and_pairs_ipv4(void)
{
	play_one(false);
}

static void test_plays_and_pairs_ipv6(void)
{
	play_one(true);
}

static void test_repeat_is_played_in_the_same_exchange(void)
{
	struct rig r;
	struct udp_pair p;

	rig_init(&r, 8, true, false);
	query(&r, 4000, tag(7, 99), "query");
	answer(&r, WHO_SUT, 4000, tag(7, 99), "a");
	query(&r, 4000, tag(7, 99), "query");
	CHECK(r.out.n == 2 && r.out.e[1].flow == 1);
	answer(&r, WHO_SUT, 4000, tag(7, 99), "b");
	answer(&r, WHO_PROD, 4000, tag(7, 99), "c");
	p = pop(&r, UDP_ANSWERED);
	CHECK(p.repeats == 1 && holds(p.frame[WHO_SUT], "a"));
	udp_pair_free(r.u, &p);
	CHECK(udp_counters(r.u)->repeats == 1);
	CHECK(udp_counters(r.u)->sut_repeated == 1);
	CHECK(udp_counters(r.u)->datagram_stream == 1);
	check_closed(&r);
}

static void test_id_used_again_is_a_new_exchange(void)
{
	struct rig r;
	struct udp_pair p;

	rig_init(&r, 8, true, false);
	query(&r, 4000, tag(7, 99), "q1");
	answer(&r, WHO_PROD, 4000, tag(7, 99), "p1");
	query(&r, 4000, tag(7, 99), "q2");
	CHECK(r.out.n == 2 && r.out.e[1].flow == 2);
	answer(&r, WHO_SUT, 4000, tag(7, 99), "s1");
	p = pop(&r, UDP_ANSWERED);
	CHECK(holds(p.frame[WHO_CLIENT], "q1") &&
	      holds(p.frame[WHO_SUT], "s1"));
	udp_pair_free(r.u, &p);
	answer(&r, WHO_SUT, 4000, tag(7, 99), "s2");
	answer(&r, WHO_PROD, 4000, tag(7, 99), "p2");
	p = pop(&r, UDP_ANSWERED);
	CHECK(holds(p.frame[WHO_CLIENT], "q2") &&
	      holds(p.frame[WHO_SUT], "s2"));
	CHECK(holds(p.frame[WHO_PROD], "p2"));
	udp_pair_free(r.u, &p);
	CHECK(udp_counters(r.u)->repeats == 0);
	check_closed(&r);
}

static void test_question_tells_queries_with_one_id_apart(void)
{
	struct rig r;
	struct udp_pair p;

	rig_init(&r, 8, true, false);
	query(&r, 4000, tag(7, 1), "q1");
	query(&r, 4000, tag(7, 2), "q2");
	answer(&r, WHO_PROD, 4000, tag(7, 2), "p2");
	answer(&r, WHO_SUT, 4000, tag(7, 2), "s2");
	p = pop(&r, UDP_ANSWERED);
	CHECK(holds(p.frame[WHO_CLIENT], "q2"));
	udp_pair_free(r.u, &p);
	/* Repeated: it must not become the answer to the other question. */
	answer(&r, WHO_SUT, 4000, tag(7, 2), "s2");
	CHECK(udp_counters(r.u)->sut_repeated == 1);
	/* A question nobody asked goes to the query that lacks an answer. */
	answer(&r, WHO_SUT, 4000, tag(7, 3), "s3");
	answer(&r, WHO_PROD, 4000, tag(7, 1), "p1");
	p = pop(&r, UDP_ANSWERED);
	CHECK(holds(p.frame[WHO_SUT], "s3") && holds(p.frame[WHO_PROD], "p1"));
	udp_pair_free(r.u, &p);
	CHECK(udp_counters(r.u)->question_differs == 1);
	check_closed(&r);
}

static void test_without_ids_answers_pair_in_order(void)
{
	struct rig r;
	struct udp_pair p;

	rig_init(&r, 8, true, false);
	query(&r, 4000, in_order, "q1");
	query(&r, 4000, in_order, "q1");
	CHECK(udp_counters(r.u)->exchanges == 2);
	answer(&r, WHO_SUT, 4000, in_order, "s1");
	answer(&r, WHO_SUT, 4000, in_order, "s2");
	answer(&r, WHO_PROD, 4000, in_order, "p1");
	answer(&r, WHO_PROD, 4000, in_order, "p2");
	p = pop(&r, UDP_ANSWERED);
	CHECK(holds(p.frame[WHO_SUT], "s1") && holds(p.frame[WHO_PROD], "p1"));
	udp_pair_free(r.u, &p);
	p = pop(&r, UDP_ANSWERED);
	CHECK(holds(p.frame[WHO_SUT], "s2") && holds(p.frame[WHO_PROD], "p2"));
	udp_pair_free(r.u, &p);
	answer(&r, WHO_SUT, 4000, in_order, "s3");
	CHECK(udp_counters(r.u)->sut_repeated == 1);
	check_closed(&r);
}

static void test_other_port_or_sut_is_a_stray(void)
{
	struct rig r;
	struct segment seg;
	struct udp_tag t = tag(7, 99);

	rig_init(&r, 8, true, false);
	query(&r, 4000, t, "query");
	answer(&r, WHO_PROD, 4001, t, "x");
	answer(&r, WHO_SUT, 4001, t, "x");
	answer(&r, WHO_PROD, 4000, tag(8, 99), "x");
	datagram(&r, WHO_SUT, 4000, "x", &seg);
	udp_answer(r.u, WHO_SUT, 3, &seg, &t, r.now);
	/* Production's address on the SUT's wire is not the SUT's. */
	datagram(&r, WHO_PROD, 4000, "x", &seg);
	udp_answer(r.u, WHO_SUT, 2, &seg, &t, r.now);
	CHECK(udp_counters(r.u)->prod_stray == 2);
	CHECK(udp_counters(r.u)->sut_stray == 3);
	CHECK(udp_counters(r.u)->prod_paired == 0);
	CHECK(udp_open(r.u) == 1);
	check_closed(&r);
}

static void test_timeout_reports_who_was_silent(void)
{
	struct rig r;
	struct udp_pair p;
	const struct udp_counters *c;

	rig_init(&r, 8, true, false);
	c = udp_counters(r.u);
	query(&r, 4000, tag(1, 0), "q");
	query(&r, 4000, tag(2, 0), "q");
	query(&r, 4000, tag(3, 0), "q");
	take_effects(&r);
	answer(&r, WHO_PROD, 4000, tag(1, 0), "p");
	answer(&r, WHO_SUT, 4000, tag(2, 0), "s");
	r.now = T0 + UDP_TIMEOUT - 1;
	udp_timeout(r.u, r.now, &r.out);
	CHECK(udp_open(r.u) == 3);
	r.now += 1 + WHEEL_TICK;
	udp_timeout(r.u, r.now, &r.out);
	p = pop(&r, UDP_NO_SUT);
	CHECK(holds(p.frame[WHO_PROD], "p") && !p.has[WHO_SUT]);
	udp_pair_free(r.u, &p);
	drop(&r, UDP_NO_PRODUCTION);
	drop(&r, UDP_NO_ANSWER);
	CHECK(c->no_sut == 1 && c->no_production == 1 && c->no_answer == 1);
	CHECK(pool_used(r.pool) == 0);

	answer(&r, WHO_SUT, 4000, tag(1, 0), "s");
	answer(&r, WHO_SUT, 4000, tag(1, 0), "s");
	answer(&r, WHO_PROD, 4000, tag(3, 0), "p");
	CHECK(c->sut_late == 1 && c->sut_repeated == 1 && c->prod_late == 1);
	CHECK(udp_next_timeout(r.u) == r.now + UDP_TIMEOUT);
	r.now += UDP_TIMEOUT;
	udp_timeout(r.u, r.now, &r.out);
	CHECK(udp_used(r.u) == 0);
	answer(&r, WHO_PROD, 4000, tag(3, 0), "p");
	CHECK(c->prod_stray == 1);
	check_closed(&r);
}

static void test_full_table_forgets_ended_then_ends_oldest(void)
{
	struct rig r;
	struct udp_pair p;

	rig_init(&r, 2, true, false);
	query(&r, 4000, tag(1, 0), "q1");
	query(&r, 4000, tag(2, 0), "q2");
	answer(&r, WHO_PROD, 4000, tag(2, 0), "p");
	answer(&r, WHO_SUT, 4000, tag(2, 0), "s");
	drop(&r, UDP_ANSWERED);
	query(&r, 4000, tag(3, 0), "q3");
	CHECK(udp_counters(r.u)->forgotten == 1);
	CHECK(udp_counters(r.u)->evicted == 0);
	query(&r, 4000, tag(4, 0), "q4");
	CHECK(udp_counters(r.u)->evicted == 1);
	p = pop(&r, UDP_EVICTED);
	CHECK(holds(p.frame[WHO_CLIENT], "q1"));
	udp_pair_free(r.u, &p);
	CHECK(udp_used(r.u) == 2 && r.out.n == 4);
	check_closed(&r);
}

static void test_one_key_is_bounded(void)
{
	struct rig r;
	struct udp_pair p;

	rig_init(&r, 64, true, false);
	for (int i = 0; i < UDP_SAME_KEY; i++)
		query(&r, 4000, in_order, i == 0 ? "first" : "later");
	take_effects(&r);
	CHECK(udp_used(r.u) == UDP_SAME_KEY);
	query(&r, 4001, in_order, "other");
	CHECK(udp_counters(r.u)->same_key == 0);
	query(&r, 4000, in_order, "one more");
	CHECK(udp_used(r.u) == UDP_SAME_KEY + 1);
	CHECK(udp_counters(r.u)->same_key == 1);
	p = pop(&r, UDP_EVICTED);
	CHECK(holds(p.frame[WHO_CLIENT], "first"));
	udp_pair_free(r.u, &p);
	check_closed(&r);
}

static void test_no_room_for_effects_is_due_at_once(void)
{
	struct rig r;

	rig_init(&r, 64, true, false);
	for (uint16_t i = 0; i < EFFECTS_MAX; i++)
		query(&r, 4000, tag(i, 0), "q");
	CHECK(effects_left(&r.out) == 0);
	query(&r, 4000, tag(100, 0), "held");
	query(&r, 4000, tag(100, 0), "held");
	CHECK(udp_counters(r.u)->repeat_held == 1);
	CHECK(udp_next_timeout(r.u) == 0);
	take_effects(&r);
	udp_timeout(r.u, r.now, &r.out);
	CHECK(r.out.n == 1 && holds(r.out.e[0].frame, "held"));
	CHECK(is_at(udp_next_timeout(r.u), T0 + UDP_TIMEOUT));
	CHECK(udp_counters(r.u)->forwarded == EFFECTS_MAX + 1);
	/* One that ends while it waits gives its frame back. */
	r.out.n = EFFECTS_MAX;
	query(&r, 4000, tag(101, 0), "never");
	r.out.n = 1;
	udp_unsent(r.u, &r.out.e[0]);
	CHECK(udp_counters(r.u)->unsent == 1);
	check_closed(&r);
}

/* When a query left is kept of its first effect, and of no other exchange's. */
static void test_stamp_of_what_left(void)
{
	struct rig r;
	struct effect first;
	struct udp_pair p;

	rig_init(&r, 8, true, false);
	query(&r, 4000, tag(1, 0), "q");
	CHECK(r.out.n == 1 && r.out.e[0].timed);
	first = r.out.e[0];
	udp_left(r.u, &first, WALL + 7);
	udp_left(r.u, &first, WALL + 8);
	answer(&r, WHO_PROD, 4000, tag(1, 0), "p");
	answer(&r, WHO_SUT, 4000, tag(1, 0), "s");
	p = pop(&r, UDP_ANSWERED);
	CHECK(p.left == WALL + 7 && p.opened == T0);
	CHECK(p.frame[WHO_CLIENT]->ts == WALL + T0);
	CHECK(p.frame[WHO_CLIENT]->now == T0);
	udp_pair_free(r.u, &p);

	first.flow++;
	query(&r, 4000, tag(2, 0), "q");
	udp_left(r.u, &first, WALL + 9); /* the place is another's, or free */
	answer(&r, WHO_PROD, 4000, tag(2, 0), "p");
	answer(&r, WHO_SUT, 4000, tag(2, 0), "s");
	p = pop(&r, UDP_ANSWERED);
	CHECK(p.left == 0);
	udp_pair_free(r.u, &p);
	check_closed(&r);
}

static void test_open_query_is_answered_before_an_ended_one(void)
{
	struct rig r;

	rig_init(&r, 8, true, false);
	query(&r, 4000, tag(7, 99), "q1");
	r.now += UDP_TIMEOUT + WHEEL_TICK;
	udp_timeout(r.u, r.now, &r.out);
	drop(&r, UDP_NO_ANSWER);
	query(&r, 4000, tag(7, 99), "q2");
	answer(&r, WHO_SUT, 4000, tag(7, 99), "s");
	CHECK(udp_counters(r.u)->sut_paired == 1);
	CHECK(udp_counters(r.u)->sut_late == 0);
	check_closed(&r);
}

static void test_ordered_and_tagged_do_not_mix(void)
{
	struct rig r;

	rig_init(&r, 8, true, false);
	query(&r, 4000, in_order, "q");
	answer(&r, WHO_SUT, 4000, tag(0, 0), "s");
	CHECK(udp_counters(r.u)->sut_stray == 1);
	check_closed(&r);
}

static void test_cut_datagrams_are_not_played_or_compared(void)
{
	struct rig r;
	struct udp_to to = { .port = 53, .sut = 2 };
	struct udp_tag t = tag(7, 0);
	struct segment seg;
	struct udp_pair p;

	rig_init(&r, 8, true, false);
	to.addr = addr_of(&r, WHO_SUT);
	datagram(&r, WHO_CLIENT, 4000, "query", &seg);
	seg.cap--;
	udp_query(r.u, &seg, &t, &to, r.now, &r.out);
	CHECK(r.out.n == 0 && udp_used(r.u) == 0);
	CHECK(udp_counters(r.u)->query_cut == 1);

	query(&r, 4000, t, "query");
	datagram(&r, WHO_PROD, 4000, "answer", &seg);
	seg.cap = 2;
	udp_answer(r.u, WHO_PROD, 2, &seg, &t, r.now);
	answer(&r, WHO_SUT, 4000, t, "answer");
	p = pop(&r, UDP_ANSWERED);
	CHECK(p.has[WHO_PROD] && p.cut[WHO_PROD] && !p.frame[WHO_PROD]);
	CHECK(!p.cut[WHO_SUT] && holds(p.frame[WHO_SUT], "answer"));
	udp_pair_free(r.u, &p);
	check_closed(&r);
}

static void test_full_pool_is_counted(void)
{
	struct rig r;
	struct udp_pair p;
	struct buf *all;

	rig_init(&r, 8, true, false);
	query(&r, 4000, tag(1, 0), "q");
	take_effects(&r);
	/* The query's block lies in the only one of BUF_TOP: fill the rest. */
	for (all = NULL;;) {
		struct buf *f = buf_alloc(r.pool, 1, BUF_QUEUE);

		if (f == NULL)
			break;
		f->next = all;
		all = f;
	}
	query(&r, 4000, tag(2, 0), "q");
	CHECK(udp_counters(r.u)->query_pool_full == 1 && r.out.n == 0);
	answer(&r, WHO_PROD, 4000, tag(1, 0), "p");
	answer(&r, WHO_SUT, 4000, tag(1, 0), "s");
	CHECK(udp_counters(r.u)->answer_pool_full == 2);
	p = pop(&r, UDP_ANSWERED);
	CHECK(p.has[WHO_PROD] && p.frame[WHO_PROD] == NULL && !p.cut[WHO_PROD]);
	CHECK(p.has[WHO_SUT] && p.frame[WHO_SUT] == NULL && !p.cut[WHO_SUT]);
	udp_pair_free(r.u, &p);
	while (all != NULL) {
		struct buf *next = all->next;

		buf_clear(r.pool, all, BUF_QUEUE);
		all = next;
	}
	check_closed(&r);
}

static void test_nothing_is_kept_unless_asked(void)
{
	struct rig r;
	struct udp_pair p;

	rig_init(&r, 8, false, false);
	query(&r, 4000, tag(1, 0), "q");
	take_effects(&r);
	answer(&r, WHO_PROD, 4000, tag(1, 0), "p");
	CHECK(pool_used(r.pool) == 0);
	answer(&r, WHO_SUT, 4000, tag(1, 0), "s");
	p = pop(&r, UDP_ANSWERED);
	CHECK(p.has[WHO_PROD] && !p.cut[WHO_PROD] && !p.frame[WHO_PROD]);
	check_closed(&r);
}

static void test_reports_that_nobody_takes_are_counted(void)
{
	struct rig r;

	rig_init(&r, 256, true, false);
	for (uint16_t i = 0; i < UDP_PAIRS + 5; i++) {
		query(&r, 4000, tag(i, 0), "q");
		take_effects(&r);
		answer(&r, WHO_PROD, 4000, tag(i, 0), "p");
		answer(&r, WHO_SUT, 4000, tag(i, 0), "s");
	}
	CHECK(udp_counters(r.u)->pairs_lost == 5);
	/* A timeout waits for room instead. */
	query(&r, 4000, tag(1000, 0), "q");
	r.now += UDP_TIMEOUT + WHEEL_TICK;
	udp_timeout(r.u, r.now, &r.out);
	CHECK(udp_open(r.u) == 1 && udp_next_timeout(r.u) <= r.now);
	drop(&r, UDP_ANSWERED);
	udp_timeout(r.u, r.now, &r.out);
	CHECK(udp_open(r.u) == 0);
	CHECK(udp_counters(r.u)->pairs_lost == 5);
	check_closed(&r);
}

static void test_arena_too_small(void)
{
	static uint8_t block[256] __attribute__((aligned(ARENA_ALIGN)));
	struct arena a = { .base = block, .size = sizeof(block) };
	struct udp_shadow *u = NULL;

	CHECK(udp_init(&u, &a, NULL, 4, &hash_key, true, 0, T0) == -ENOMEM);
	CHECK(u == NULL && a.used == 0);
}

static void test_causes_have_names(void)
{
	CHECK(strcmp(cause_name(CAUSE_SYN), "syn") == 0);
	CHECK(strcmp(cause_name(CAUSE_DATAGRAM), "datagram") == 0);
	CHECK(strcmp(cause_name(CAUSE_PROBE), "probe") == 0);
}

static void test_one_key_forgets_ended_ones_first(void)
{
	struct rig r;

	rig_init(&r, 64, true, false);
	for (unsigned i = 0; i < UDP_SAME_KEY; i++) {
		query(&r, 4000, in_order, "q");
		answer(&r, WHO_PROD, 4000, in_order, "p");
		answer(&r, WHO_SUT, 4000, in_order, "s");
		drop(&r, UDP_ANSWERED);
		take_effects(&r);
	}
	CHECK(udp_used(r.u) == UDP_SAME_KEY && udp_open(r.u) == 0);
	query(&r, 4000, in_order, "q");
	CHECK(udp_used(r.u) == UDP_SAME_KEY && udp_open(r.u) == 1);
	CHECK(udp_counters(r.u)->forgotten == 1);
	CHECK(udp_counters(r.u)->same_key == 0);
	check_closed(&r);
}

/* Late: for the one that ended without an answer, not for one that has it. */
static void test_a_late_answer_is_of_who_has_none(void)
{
	struct rig r;

	rig_init(&r, 8, true, false);
	query(&r, 4000, in_order, "q1");
	query(&r, 4000, in_order, "q2");
	r.now += UDP_TIMEOUT - NS_PER_SEC;
	answer(&r, WHO_PROD, 4000, in_order, "p1");
	answer(&r, WHO_SUT, 4000, in_order, "s1");
	drop(&r, UDP_ANSWERED);
	r.now += 2 * NS_PER_SEC;
	take_effects(&r);
	udp_timeout(r.u, r.now, &r.out);
	drop(&r, UDP_NO_ANSWER);
	answer(&r, WHO_SUT, 4000, in_order, "s2");
	CHECK(udp_counters(r.u)->sut_late == 1);
	CHECK(udp_counters(r.u)->sut_repeated == 0);
	check_closed(&r);
}

static void test_an_empty_datagram_is_played(void)
{
	struct udp_to to = { .port = 53, .sut = 2 };
	struct udp_tag t = tag(7, 99);
	struct segment seg;
	struct udp_pair p;
	struct rig r;

	rig_init(&r, 8, true, false);
	to.addr = addr_of(&r, WHO_SUT);
	datagram(&r, WHO_CLIENT, 4000, "", &seg);
	seg.ttl = 0; /* nor is its TTL known */
	seg.data = NULL;
	udp_query(r.u, &seg, &t, &to, r.now, &r.out);
	CHECK(r.out.n == 1 && r.out.e[0].len == 0 && r.out.e[0].ttl == 64);
	answer(&r, WHO_PROD, 4000, t, "");
	answer(&r, WHO_SUT, 4000, t, "x");
	p = pop(&r, UDP_ANSWERED);
	CHECK(holds(p.frame[WHO_PROD], "") && holds(p.frame[WHO_SUT], "x"));
	udp_pair_free(r.u, &p);
	check_closed(&r);
}

static void test_a_stream_is_paired_by_what_it_is(void)
{
	const struct udp_counters *c;
	struct udp_pair p;
	char text[16];
	struct rig r;

	rig_init(&r, 8, true, false);
	c = udp_counters(r.u);
	query(&r, 4000, tag(7, 99), "q");
	answer(&r, WHO_PROD, 4000, tag(7, 99), "0");
	/* Production is ahead; the SUT swaps two, loses one and has its own. */
	answer(&r, WHO_PROD, 4000, tag(7, 99), "1");
	answer(&r, WHO_PROD, 4000, tag(7, 99), "2");
	answer(&r, WHO_SUT, 4000, tag(7, 99), "0");
	p = pop(&r, UDP_ANSWERED);
	udp_pair_free(r.u, &p);
	answer(&r, WHO_PROD, 4000, tag(7, 99), "3");
	answer(&r, WHO_SUT, 4000, tag(7, 99), "2");
	answer(&r, WHO_SUT, 4000, tag(7, 99), "1");
	answer(&r, WHO_SUT, 4000, tag(7, 99), "own");
	CHECK(c->datagram_stream == 6 && c->stream_same == 2);
	CHECK(c->stream_prod == 0 && c->stream_sut == 0);
	/* It goes on for longer than an answer is remembered. */
	for (int i = 0; i < 4; i++) {
		r.now += UDP_TIMEOUT / 2;
		take_effects(&r);
		udp_timeout(r.u, r.now, &r.out);
		answer(&r, WHO_PROD, 4000, tag(7, 99), "again");
		answer(&r, WHO_SUT, 4000, tag(7, 99), "again");
	}
	CHECK(c->stream_same == 6 && c->prod_stray + c->sut_stray == 0);
	/* So far ahead that the first ones must go. */
	for (int i = 0; i < UDP_AHEAD + 4; i++) {
		snprintf(text, sizeof(text), "n%d", i);
		answer(&r, WHO_PROD, 4000, tag(7, 99), text);
	}
	CHECK(c->stream_prod == 5); /* and "3" before them */
	r.now += UDP_TIMEOUT;
	udp_timeout(r.u, r.now, &r.out);
	CHECK(c->stream_prod == UDP_AHEAD + 5 && c->stream_sut == 1);
	CHECK(c->datagram_stream ==
	      2 * c->stream_same + c->stream_prod + c->stream_sut);
	check_closed(&r);
}

static void test_production_repeats_itself(void)
{
	struct udp_pair p;
	struct rig r;

	rig_init(&r, 8, true, false);
	query(&r, 4000, tag(7, 99), "q");
	answer(&r, WHO_PROD, 4000, tag(7, 99), "a");
	answer(&r, WHO_PROD, 4000, tag(7, 99), "b");
	CHECK(udp_counters(r.u)->prod_repeated == 1);
	CHECK(udp_counters(r.u)->datagram_stream == 1);
	CHECK(udp_counters(r.u)->sut_repeated == 0);
	answer(&r, WHO_SUT, 4000, tag(7, 99), "s");
	p = pop(&r, UDP_ANSWERED);
	CHECK(holds(p.frame[WHO_PROD], "a"));
	udp_pair_free(r.u, &p);
	check_closed(&r);
}

static void test_what_waits_goes_as_there_is_room(void)
{
	struct rig r;

	rig_init(&r, 8, true, false);
	for (uint16_t i = 0; i < 3; i++) {
		r.out.n = EFFECTS_MAX;
		query(&r, (uint16_t)(4000 + i), tag(i, 99), "q");
	}
	r.out.n = EFFECTS_MAX - 2;
	udp_timeout(r.u, r.now, &r.out);
	CHECK(r.out.n == EFFECTS_MAX && udp_next_timeout(r.u) == 0);
	for (uint16_t i = 0; i < 2; i++) {
		const struct effect *e = &r.out.e[EFFECTS_MAX - 2 + i];

		CHECK(e->sport == 4000 + i && e->flow == i + 1u);
		buf_clear(r.pool, e->frame, BUF_EMIT);
	}
	r.out.n = 0;
	udp_timeout(r.u, r.now, &r.out);
	CHECK(r.out.n == 1 && r.out.e[0].sport == 4002);
	CHECK(is_at(udp_next_timeout(r.u), T0 + UDP_TIMEOUT));
	check_closed(&r);
}

static void test_the_end_reports_all_that_is_open(void)
{
	struct rig r;

	rig_init(&r, 2 * UDP_PAIRS, true, false);
	for (uint16_t i = 0; i < UDP_PAIRS + 3; i++) {
		query(&r, (uint16_t)(4000 + i), tag(i, 99), "q");
		take_effects(&r);
	}
	CHECK(udp_flush(r.u));
	CHECK(udp_open(r.u) == 3 && udp_used(r.u) == 3);
	for (unsigned i = 0; i < UDP_PAIRS; i++)
		drop(&r, UDP_RUN_ENDED);
	CHECK(!udp_flush(r.u));
	CHECK(udp_open(r.u) == 0 && udp_used(r.u) == 0);
	CHECK(udp_counters(r.u)->run_ended == UDP_PAIRS + 3);
	CHECK(udp_counters(r.u)->pairs_lost == 0);
	check_closed(&r);
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "plays and pairs, IPv4", test_plays_and_pairs_ipv4 },
		{ "plays and pairs, IPv6", test_plays_and_pairs_ipv6 },
		{ "a repeat is played in the same exchange",
		  test_repeat_is_played_in_the_same_exchange },
		{ "an id used again is a new exchange",
		  test_id_used_again_is_a_new_exchange },
		{ "the question tells queries with one id apart",
		  test_question_tells_queries_with_one_id_apart },
		{ "without ids answers pair in order",
		  test_without_ids_answers_pair_in_order },
		{ "another port, id or SUT is a stray",
		  test_other_port_or_sut_is_a_stray },
		{ "timeout reports who was silent",
		  test_timeout_reports_who_was_silent },
		{ "a full table forgets ended ones, then ends the oldest",
		  test_full_table_forgets_ended_then_ends_oldest },
		{ "one key is bounded", test_one_key_is_bounded },
		{ "an effect without room is due at once",
		  test_no_room_for_effects_is_due_at_once },
		{ "the stamp of what left", test_stamp_of_what_left },
		{ "an open query is answered before an ended one",
		  test_open_query_is_answered_before_an_ended_one },
		{ "ordered and tagged do not mix",
		  test_ordered_and_tagged_do_not_mix },
		{ "cut datagrams are not played or compared",
		  test_cut_datagrams_are_not_played_or_compared },
		{ "a full pool is counted", test_full_pool_is_counted },
		{ "nothing is kept unless asked",
		  test_nothing_is_kept_unless_asked },
		{ "reports that nobody takes are counted",
		  test_reports_that_nobody_takes_are_counted },
		{ "one key forgets ended ones first",
		  test_one_key_forgets_ended_ones_first },
		{ "a late answer is of who has none",
		  test_a_late_answer_is_of_who_has_none },
		{ "an empty datagram is played",
		  test_an_empty_datagram_is_played },
		{ "production repeats itself", test_production_repeats_itself },
		{ "a stream is paired by what it is",
		  test_a_stream_is_paired_by_what_it_is },
		{ "what waits goes as there is room",
		  test_what_waits_goes_as_there_is_room },
		{ "the end reports all that is open",
		  test_the_end_reports_all_that_is_open },
		{ "arena too small", test_arena_too_small },
		{ "causes have names", test_causes_have_names },
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
