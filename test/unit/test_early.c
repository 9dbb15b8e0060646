/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_early.c - Unit test of flow/early: what production said before its client
 */
#include "flow/early.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "core/arena.h"

#define ISS  1000u
#define IRS  5000u
#define POOL (1u << 20)

struct rig {
	struct arena a;
	struct pool *pool;
	struct early e;
};

static void begin(struct rig *r)
{
	size_t size = early_size() + pool_size(POOL);

	r->a = (struct arena){ .base = aligned_alloc(ARENA_ALIGN, size),
			       .size = size };
	CHECK(early_init(&r->e, &r->a) == 0);
	CHECK(pool_init(&r->pool, &r->a, POOL) == 0);
}

/* All memory is back. */
static void end(struct rig *r)
{
	early_timeout(&r->e, r->pool, 0, UINT64_MAX);
	CHECK(r->e.n == 0 && pool_used(r->pool) == 0);
	free(r->a.base);
}

static struct flow_key key(uint16_t port)
{
	struct flow_key k;

	memset(&k, 0, sizeof(k));
	k.cport = port;
	return k;
}

static struct segment seg(uint16_t flags, uint32_t seq, uint32_t ack,
			  const char *data)
{
	return (struct segment){ .flags = flags,
				 .seq = seq,
				 .ack = ack,
				 .data = (const uint8_t *)data,
				 .len = (uint32_t)strlen(data),
				 .cap = (uint32_t)strlen(data) };
}

#define SYNACK (TCP_SYN | TCP_ACK)

static bool keep(struct rig *r, uint16_t port, struct segment s, uint64_t now)
{
	struct flow_key k = key(port);

	return early_keep(&r->e, r->pool, &k, &s, now);
}

static void only_a_synack_begins(void)
{
	struct rig r;

	begin(&r);
	CHECK(!keep(&r, 1, seg(TCP_ACK, IRS + 1, ISS + 1, "x"), 1));
	CHECK(!keep(&r, 1, seg(TCP_SYN, IRS, 0, ""), 1));
	CHECK(!keep(&r, 1, seg(SYNACK | TCP_RST, IRS, ISS + 1, ""), 1));
	CHECK(r.e.n == 0);
	CHECK(keep(&r, 1, seg(SYNACK, IRS, ISS + 1, ""), 1));
	CHECK(keep(&r, 1, seg(TCP_ACK, IRS + 1, ISS + 1, "x"), 2));
	CHECK(!keep(&r, 2, seg(TCP_ACK, IRS + 1, ISS + 1, "x"), 2));
	CHECK(r.e.n == 1 && early_next_timeout(&r.e, 10) == 11);
	end(&r);
	CHECK(early_next_timeout(&r.e, 10) == UINT64_MAX);
}

/* In its order, with its bytes; then it is gone. */
static void what_was_kept_is_given_back(void)
{
	static const char *const say[] = { "", "one", "three" };
	struct flow_key k = key(1);
	struct segment s, syn = seg(TCP_SYN, ISS, 0, "");
	struct early_flow *f;
	struct buf *fr;
	struct rig r;

	begin(&r);
	for (uint32_t i = 0; i < 3; i++)
		CHECK(keep(&r, 1,
			   seg(i == 0 ? SYNACK : TCP_ACK, IRS + i, ISS + 1,
			       say[i]),
			   1));
	f = early_find(&r.e, &k, &syn);
	CHECK(f != NULL && f->n == 3);
	for (uint32_t i = 0; i < 3; i++) {
		CHECK(early_pop(&r.e, f, &s, &fr));
		CHECK(s.seq == IRS + i && s.len == strlen(say[i]));
		CHECK(memcmp(s.data, say[i], s.len) == 0);
		buf_clear(r.pool, fr, BUF_QUEUE);
	}
	CHECK(!early_pop(&r.e, f, &s, &fr) && r.e.n == 0);
	CHECK(early_find(&r.e, &k, &syn) == NULL);
	end(&r);
}

static void the_clients_segment_must_fit(void)
{
	static const struct {
		uint16_t flags;
		uint32_t seq;
		const char *data;
		bool is;
	} row[] = {
		{ TCP_SYN, ISS, "", true },
		{ TCP_SYN, ISS + 1, "", false },
		{ TCP_ACK, ISS + 1, "x", true },
		{ TCP_ACK, ISS, "x", false },
		{ TCP_ACK, ISS + 1, "", false },
		{ TCP_ACK, ISS + (1u << 30), "x", false },
	};
	struct flow_key k = key(1), other = key(2);
	struct rig r;

	begin(&r);
	CHECK(keep(&r, 1, seg(SYNACK, IRS, ISS + 1, ""), 1));
	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		struct segment s =
			seg(row[i].flags, row[i].seq, IRS + 1, row[i].data);

		CHECK((early_find(&r.e, &k, &s) != NULL) == row[i].is);
		CHECK(early_find(&r.e, &other, &s) == NULL);
	}
	end(&r);
}

/* A SYN,ACK of another incarnation takes the place of what is kept. */
static void another_incarnation_begins_anew(void)
{
	struct rig r;

	begin(&r);
	CHECK(keep(&r, 1, seg(SYNACK, IRS, ISS + 1, ""), 1));
	CHECK(keep(&r, 1, seg(TCP_ACK, IRS + 1, ISS + 1, "x"), 2));
	CHECK(keep(&r, 1, seg(SYNACK, IRS, ISS + 1, ""), 3)); /* repeated */
	CHECK(r.e.n == 1 && r.e.flow[0].n == 3 && r.e.flow[0].since == 1);
	CHECK(keep(&r, 1, seg(SYNACK, IRS + 9, ISS + 10, ""), 4));
	CHECK(r.e.n == 1 && r.e.flow[0].n == 1 && r.e.flow[0].since == 4);
	CHECK(r.e.flow[0].iss == ISS + 9 && r.e.flow[0].irs == IRS + 9);
	end(&r);
}

static void a_newer_connection_is_told_from_an_older(void)
{
	const uint32_t last = ISS - 500; /* of the older client */
	static const struct {
		uint16_t flags;
		uint32_t seq, ack;
		bool newer;
	} row[] = {
		{ SYNACK, IRS, ISS + 1, true },
		{ SYNACK, IRS, ISS - 500, false },
		{ TCP_ACK, IRS + 1, ISS + 1, true },
		{ 0, IRS + 1, ISS + 1, false },
		{ TCP_ACK, IRS + 1, ISS, false },
		{ TCP_ACK, IRS, ISS + 1, false },
		{ TCP_ACK, IRS + 1 + (1u << 30), ISS + 1, false },
	};
	struct flow_key k = key(1), other = key(2);
	struct rig r;

	begin(&r);
	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		struct segment s =
			seg(row[i].flags, row[i].seq, row[i].ack, "x");
		bool syn = (row[i].flags & TCP_SYN) != 0;

		/* Without one that is kept, only its SYN,ACK can tell. */
		CHECK(early_is_newer(&r.e, &k, &s, last) ==
		      (syn && row[i].newer));
	}
	CHECK(keep(&r, 1, seg(SYNACK, IRS, ISS + 1, ""), 1));
	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		struct segment s =
			seg(row[i].flags, row[i].seq, row[i].ack, "x");

		CHECK(early_is_newer(&r.e, &k, &s, last) == row[i].newer);
		CHECK(early_is_newer(&r.e, &other, &s, last) ==
		      (row[i].newer && (row[i].flags & TCP_SYN) != 0));
	}
	end(&r);
}

/* So many connections, so many segments of one, and so many bytes of all. */
static void what_is_full_keeps_no_more(void)
{
	static char big[60000];
	struct rig r;
	int n = 0;

	begin(&r);
	for (uint16_t i = 0; i < EARLY_FLOWS; i++)
		CHECK(keep(&r, i, seg(SYNACK, IRS, ISS + 1, ""), 1));
	CHECK(!keep(&r, EARLY_FLOWS, seg(SYNACK, IRS, ISS + 1, ""), 1));
	CHECK(keep(&r, 0, seg(TCP_ACK, IRS + 1, ISS + 1, ""), 1));
	CHECK(early_timeout(&r.e, r.pool, 5, 5) == 0);
	CHECK(early_timeout(&r.e, r.pool, 5, 6) == EARLY_FLOWS + 1);
	for (int i = 0; i < EARLY_SEGMENTS; i++)
		CHECK(keep(&r, 1,
			   seg(i == 0 ? SYNACK : TCP_ACK, IRS, ISS + 1, ""),
			   1));
	CHECK(!keep(&r, 1, seg(TCP_ACK, IRS, ISS + 1, ""), 1));
	CHECK(early_timeout(&r.e, r.pool, 0, 1) == EARLY_SEGMENTS);
	memset(big, 'x', sizeof(big) - 1);
	CHECK(keep(&r, 1, seg(SYNACK, IRS, ISS + 1, ""), 1));
	while (n < 100 && keep(&r, 1, seg(TCP_ACK, IRS, ISS + 1, big), 1))
		n++;
	CHECK(n > 3 && n < 100 && r.e.flow[0].n == (uint32_t)n + 1);
	/* Nor does one begin without memory. */
	CHECK(!keep(&r, 2, seg(SYNACK, IRS, ISS + 1, big), 1) && r.e.n == 1);
	end(&r);
}

static void without_memory_there_is_none(void)
{
	size_t size = early_size();
	struct arena a = { .base = aligned_alloc(ARENA_ALIGN, size),
			   .size = size - 1 };
	struct early e;

	CHECK(early_init(&e, &a) == -ENOMEM);
	a.size = size;
	CHECK(early_init(&e, &a) == 0 && e.n == 0 && a.used == size);
	free(a.base);
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "only a SYN,ACK begins", only_a_synack_begins },
		{ "what was kept is given back", what_was_kept_is_given_back },
		{ "the client's segment must fit",
		  the_clients_segment_must_fit },
		{ "another incarnation begins anew",
		  another_incarnation_begins_anew },
		{ "a newer connection is told from an older",
		  a_newer_connection_is_told_from_an_older },
		{ "what is full keeps no more", what_is_full_keeps_no_more },
		{ "without memory there is none",
		  without_memory_there_is_none },
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
