/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_gate.c - Unit test of engine: clients wait until their network is proved
 */
#include "engine_rig.h"

#define PROD ip(2, 0, 1)
#define SUT  ip(9, 0, 1)

static void begin(struct rig *r, uint16_t port)
{
	defaults(r);
	r->cfg.prove_each = true;
	add_map(r, PROD, 32, port, SUT, 0);
	start(r);
}

static const struct prove_counters *nets(const struct rig *r)
{
	return prove_counters(engine_prove(r->e));
}

static void query(struct rig *r, uint16_t port)
{
	udp(r, ENGINE_MIRROR, ip(1, 0, 1), port, PROD, 9000, "query", 5);
}

/* Take events until one is of a network. */
static bool told(struct rig *r, struct engine_event *ev)
{
	struct engine_item t;

	while (engine_take(r->e, &t)) {
		if (t.kind != EVENT_NETWORK)
			continue;
		*ev = *t.event;
		return true;
	}
	return false;
}

static void datagrams_wait_and_go(void)
{
	struct rig r;

	begin(&r, 9000);
	for (uint16_t i = 0; i < 30; i++)
		query(&r, (uint16_t)(1000 + i));
	CHECK(r.n == 0 && nets(&r)->datagrams_held == 30);
	pass(&r, 0);
	CHECK(r.n == 30);
	for (uint32_t i = 0; i < r.n; i++)
		CHECK(r.seen[i].kind == EFFECT_UDP &&
		      r.seen[i].sport == 1000 + i);
	query(&r, 2000);
	CHECK(r.n == 31 && nets(&r)->datagrams_held == 30);
	CHECK(nets(&r)->probes == 1);
	check_closed(&r);
}

/* More than fit among the finished exchanges at one time. */
static void datagrams_of_a_lost_network_end(void)
{
	struct rig r;

	begin(&r, 9000);
	r.other_way = true;
	for (uint16_t i = 0; i < 200; i++)
		query(&r, (uint16_t)(1000 + i));
	pass(&r, 2 * NS_PER_SEC);
	CHECK(r.n == 0 && engine_udp(r.e)->evicted == 200);
	CHECK(engine_udp(r.e)->pairs_lost == 0);
	CHECK(engine_stats(r.e)
		      ->reason[VERDICT_NOT_COMPARED][REASON_NOT_PLAYED] == 200);
	query(&r, 2000);
	CHECK(r.n == 0 && nets(&r)->datagrams_dropped == 1);
	CHECK(count(&r)->datagrams_not_played == 1);
	check_closed(&r);
}

static void waiting_datagrams_end_with_the_run(void)
{
	struct rig r;

	begin(&r, 9000);
	r.other_way = true;
	query(&r, 1000);
	pass(&r, NS_PER_SEC / 2);
	CHECK(engine_udp(r.e)->exchanges == 1);
	check_closed(&r);
	CHECK(r.n == 0);
}

static void a_lost_network_is_an_event(void)
{
	struct engine_event ev;
	struct rig r;

	begin(&r, 80);
	r.other_way = true;
	tcp(&r, ip(1, 0, 1), 1000, PROD, 80, 0, 0, TCP_SYN, "");
	pass(&r, NS_PER_SEC / 2);
	CHECK(!told(&r, &ev));
	pass(&r, NS_PER_SEC);
	CHECK(told(&r, &ev) && !ev.up && ev.end == FLOW_END_NO_ROUTE);
	CHECK(ev.bits == IPADDR_4IN6 + 24 && ev.client.b[15] == 0);
	CHECK(ipaddr_eq(&ev.sut, &r.cfg.map[0].sut) && ev.sut_port == 80);
	CHECK(machine(&r)->ended[FLOW_END_NO_ROUTE] == 1);
	CHECK(machine(&r)->routes_lost == 1 && r.n == 0);
	r.other_way = false;
	pass(&r, PROVE_AGAIN);
	tcp(&r, ip(1, 0, 1), 1001, PROD, 80, 0, 0, TCP_SYN, "");
	pass(&r, 0);
	CHECK(told(&r, &ev) && ev.up);
	CHECK(r.n == 1 && r.seen[0].cause == CAUSE_SYN);
	check_closed(&r);
}

/* Of the mirror's addresses none is drawn, whatever was in their frames. */
static void who_is_seen_is_not_asked_from(void)
{
	struct rig r;

	begin(&r, 80);
	for (unsigned i = 1; i < 255; i++)
		if (i != 100)
			tcp(&r, ip(1, 0, i), 5000, ip(3, 0, 3), 99, 0, 0,
			    TCP_ACK, "");
	CHECK(count(&r)->not_mapped == 253);
	r.other_way = true;
	tcp(&r, ip(1, 0, 1), 1000, PROD, 80, 0, 0, TCP_SYN, "");
	pass(&r, NS_PER_SEC / 2);
	CHECK(nets(&r)->probes > 0 && nets(&r)->crowded == 0);
	tcp(&r, ip(1, 0, 100), 5000, PROD, 80, 9, 9, TCP_ACK, "");
	pass(&r, 2 * PROVE_AGAIN);
	tcp(&r, ip(1, 0, 1), 1001, PROD, 80, 0, 0, TCP_SYN, "");
	pass(&r, 0);
	CHECK(nets(&r)->crowded == 1);
	CHECK(machine(&r)->ended[FLOW_END_UNPROVED] == 1);
	check_closed(&r);
}

static void flows_that_wait_end_with_the_run(void)
{
	struct rig r;

	begin(&r, 80);
	r.other_way = true;
	for (uint16_t i = 0; i < 5; i++)
		tcp(&r, ip(1, 0, 1), (uint16_t)(1000 + i), PROD, 80, 0, 0,
		    TCP_SYN, "");
	pass(&r, NS_PER_SEC / 2);
	check_closed(&r);
	CHECK(r.n == 0);
}

static const struct check_test tests[] = {
	{ "datagrams wait, and go in their order", datagrams_wait_and_go },
	{ "datagrams of a lost network end", datagrams_of_a_lost_network_end },
	{ "waiting datagrams end with the run",
	  waiting_datagrams_end_with_the_run },
	{ "a lost network is an event", a_lost_network_is_an_event },
	{ "who is seen is not asked from", who_is_seen_is_not_asked_from },
	{ "flows that wait end with the run",
	  flows_that_wait_end_with_the_run },
};

int main(void)
{
	return check_main(tests, ARRAY_SIZE(tests));
}
