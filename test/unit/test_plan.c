/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_plan.c - Unit test of pace/plan.h
 *
 * Records of random connections are held against lists that are kept in the
 * plainest way.
 */
#include "pace/plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "core/bytes.h"
#include "core/rng.h"

#define TCP 6

static struct arena mem;
static struct plan *plan;

static void make(uint32_t records, uint32_t flows)
{
	struct hash_key key = { { 1, 2 } };

	free(mem.base);
	mem = (struct arena){ .size = plan_size(records) };
	mem.base = calloc(1, mem.size);
	CHECK(plan_init(&plan, &mem, records, flows, &key) == 0);
}

static struct plan_seen seen(uint8_t client, uint16_t port, uint8_t is,
			     uint32_t seq, uint32_t ack)
{
	struct plan_seen s = { .is = is, .seq = seq, .ack = ack };
	uint8_t ip[4] = { 10, 0, 0, client };

	s.tuple.client = ipaddr_from4(ip);
	ip[3] = 200;
	s.tuple.prod = ipaddr_from4(ip);
	s.tuple.cport = port;
	s.tuple.pport = 80;
	s.tuple.proto = TCP;
	return s;
}

static enum plan_taken put(uint8_t client, uint16_t port, uint8_t is,
			   uint32_t seq, uint32_t ack)
{
	struct plan_seen s = seen(client, port, is, seq, ack);

	return plan_add(plan, &s);
}

static void walks_are_the_records_of_a_connection(void)
{
	enum { N = 5000, PORTS = 37 };
	static uint32_t list[PORTS][N];
	static uint32_t n[PORTS];
	struct rng rng = { 7 };

	make(N, 0);
	for (uint32_t i = 0; i < N; i++) {
		uint32_t port = rng_below(&rng, PORTS);

		CHECK(put(1, (uint16_t)port, PLAN_CLIENT, 0, 0) == PLAN_TAKEN);
		list[port][n[port]++] = i;
	}
	CHECK(plan_count(plan) == N && plan_flows(plan) == PORTS);
	for (uint32_t f = 0; f < plan_flows(plan); f++) {
		const struct plan_flow *pf = plan_flow(plan, f);
		uint16_t port = pf->tuple.cport;
		uint32_t at = pf->first;
		uint32_t k = 0;

		for (; at != PLAN_NONE; at = plan_record(plan, at)->next) {
			CHECK(k < n[port] && at == list[port][k]);
			CHECK(plan_record(plan, at)->flow == f);
			k++;
		}
		CHECK(k == n[port]);
		CHECK(f == 0 || plan_flow(plan, f - 1)->first < pf->first);
	}
}

static void another_syn_is_another_incarnation(void)
{
	make(64, 0);
	put(1, 5, PLAN_CLIENT | PLAN_SYN, 100, 0);
	put(1, 5, 0, 0, 0);
	put(1, 5, PLAN_CLIENT | PLAN_SYN, 100, 0); /* again */
	put(1, 5, PLAN_CLIENT | PLAN_SYN, 900, 0);
	put(1, 5, PLAN_CLIENT, 901, 0);
	put(1, 6, PLAN_CLIENT, 1, 0); /* from its middle */
	put(1, 6, PLAN_CLIENT | PLAN_SYN, 50, 0);
	CHECK(plan_flows(plan) == 4);
	CHECK(plan_flow(plan, 0)->older == PLAN_NONE);
	CHECK(plan_flow(plan, 0)->last == 2 && plan_flow(plan, 0)->answered);
	CHECK(plan_flow(plan, 1)->older == 0 && plan_flow(plan, 1)->last == 4);
	CHECK(!plan_flow(plan, 1)->answered);
	CHECK(plan_flow(plan, 3)->older == 2);
}

static void nothing_of_a_client_is_behind_its_cut_payload(void)
{
	uint8_t data = PLAN_CLIENT | PLAN_DATA;

	make(64, 0);
	put(1, 5, data, 1, 0);
	put(1, 5, PLAN_DATA | PLAN_CUT, 1, 0); /* production's: no matter */
	put(1, 5, data | PLAN_CUT, 2, 0);
	put(1, 5, PLAN_DATA, 2, 0);
	put(1, 5, data, 3, 0);
	put(1, 6, data, 3, 0);
	put(1, 7, data | PLAN_CUT | PLAN_DATAGRAM, 3, 0);
	put(1, 7, data | PLAN_DATAGRAM, 3, 0);
	for (uint32_t i = 0; i < plan_count(plan); i++)
		CHECK(plan_is_behind_cut(plan, i) == (i == 4));
}

static void payload_behind_something_read_is_marked(void)
{
	uint8_t data = PLAN_CLIENT | PLAN_DATA;
	static const uint8_t read[] = { 0, 0, 0, 1, 0, 1 };

	make(64, 0);
	put(1, 5, data, 1, 10);
	put(1, 5, data, 2, 10);
	put(1, 5, PLAN_CLIENT, 3, 20); /* an ack alone */
	put(1, 5, data, 3, 20);
	put(1, 5, data, 4, 20);
	put(1, 5, data, 5, 30);
	for (uint32_t i = 0; i < ARRAY_SIZE(read); i++)
		CHECK(((plan_record(plan, i)->is & PLAN_READ) != 0) ==
		      (read[i] != 0));
}

static void full_is_told(void)
{
	uint32_t n = 0;

	make(64, 0);
	while (put(1, 5, PLAN_CLIENT, 0, 0) == PLAN_TAKEN)
		n++;
	CHECK(n == 64);
	make(64, 0);
	for (n = 0; put(1, (uint16_t)n, PLAN_CLIENT, 0, 0) == PLAN_TAKEN; n++)
		;
	CHECK(n == 64 / 4 + 1); /* connections have their own room */
	CHECK(put(1, 5, PLAN_CLIENT, 0, 0) == PLAN_TAKEN);
	make(64, 2);
	CHECK(put(1, 1, PLAN_CLIENT, 0, 0) == PLAN_TAKEN);
	CHECK(put(1, 2, PLAN_CLIENT, 0, 0) == PLAN_TAKEN);
	CHECK(put(1, 3, PLAN_CLIENT, 0, 0) == PLAN_BEYOND);
	CHECK(put(1, 1, PLAN_CLIENT, 0, 0) == PLAN_TAKEN);
	CHECK(put(1, 1, PLAN_CLIENT | PLAN_SYN, 9, 0) == PLAN_BEYOND);
}

static void a_plan_takes_what_it_may(void)
{
	for (size_t bytes = 1 << 16; bytes < (size_t)1 << 32; bytes *= 3) {
		uint32_t n = plan_records(bytes);

		CHECK(plan_size(n) <= bytes);
		CHECK(plan_size(n + 100) > bytes);
	}
}

static void clients_of_repetitions_are_all_different(void)
{
	enum { CLIENTS = 50, LOOPS = 40 };
	static struct ipaddr all[CLIENTS * LOOPS];
	uint32_t n = 0;

	make(256, 0);
	for (uint8_t c = 0; c < CLIENTS; c++)
		put(c, 1, PLAN_CLIENT, 0, 0);
	CHECK(plan_clients(plan) == CLIENTS);
	for (uint32_t loop = 0; loop < LOOPS; loop++)
		for (uint32_t c = 0; c < CLIENTS; c++)
			all[n++] = plan_client(plan, c, loop);
	for (uint32_t i = 0; i < n; i++) {
		bool own = i < CLIENTS;

		CHECK(ipaddr_in(&all[i], &plan_net4, PLAN_BITS4) == !own);
		for (uint32_t k = 0; k < i; k++)
			CHECK(!ipaddr_eq(&all[i], &all[k]));
	}
	/* The network's last address is not used, and then it begins again. */
	for (uint64_t loop = 1; loop < UINT32_MAX; loop += 9999991) {
		struct ipaddr ip = plan_client(plan, 3, (uint32_t)loop);
		uint32_t host = get_be32(ip.b + 12) & 0x3fffff;

		CHECK(ipaddr_in(&ip, &plan_net4, PLAN_BITS4));
		CHECK(host != 0 && host != 0x3fffff);
	}
}

/* A connection over IPv6, and what is of no connection at all. */
static void six_and_none(void)
{
	struct plan_seen s = seen(1, 1, PLAN_CLIENT, 0, 0);
	struct ipaddr ip;
	struct rng rng = { 3 };

	make(64, 0);
	memset(s.tuple.client.b, 0x20, sizeof(s.tuple.client.b));
	CHECK(plan_add(plan, &s) == PLAN_TAKEN);
	s.tuple.client.b[15]++;
	CHECK(plan_add(plan, &s) == PLAN_TAKEN);
	ip = plan_client(plan, 1, 0);
	CHECK(ipaddr_eq(&ip, &s.tuple.client));
	for (unsigned i = 0; i < 50; i++) {
		uint32_t loop = 1 + rng_below(&rng, UINT32_MAX - 1);
		uint64_t n = (uint64_t)(loop - 1) * 2 + 1;

		ip = plan_client(plan, 1, loop);
		CHECK(memcmp(&ip, &plan_net6, 8) == 0);
		CHECK(get_be32(ip.b + 8) == n >> 32);
		CHECK(get_be32(ip.b + 12) == (uint32_t)n + 1);
	}
	memset(&s, 0, sizeof(s));
	s.is = PLAN_CLIENT | PLAN_DATA | PLAN_CUT;
	CHECK(plan_add(plan, &s) == PLAN_TAKEN);
	CHECK(plan_flows(plan) == 2 && plan_count(plan) == 3);
	CHECK(plan_record(plan, 2)->flow == PLAN_NONE);
	CHECK(!plan_is_behind_cut(plan, 2));
}

static void too_little_memory(void)
{
	struct hash_key key = { { 1, 2 } };
	struct arena a = { .size = plan_size(64) - 1 };

	plan = NULL;
	CHECK(plan_init(&plan, &a, 64, 0, &key) == -ENOMEM);
	CHECK(plan == NULL && a.used == 0);
}

static void one_client_has_one_address(void)
{
	struct ipaddr a;
	struct ipaddr b;

	make(64, 0);
	put(1, 1, PLAN_CLIENT, 0, 0);
	put(2, 1, PLAN_CLIENT, 0, 0);
	put(1, 2, PLAN_CLIENT, 0, 0);
	a = plan_client(plan, 0, 5);
	b = plan_client(plan, 2, 5);
	CHECK(ipaddr_eq(&a, &b));
	b = plan_client(plan, 1, 5);
	CHECK(!ipaddr_eq(&a, &b));
}

static void time_is_scaled_without_overflow(void)
{
	CHECK(plan_time(1000000007, 1000) == 1000000007);
	CHECK(plan_time(1000000007, 10000) == 100000000);
	CHECK(plan_time(7, 2000) == 3);
	CHECK(plan_time(7, 500) == 14);
	CHECK(plan_time(UINT64_MAX / 2000, 1) == UINT64_MAX / 2000 * 1000);
	CHECK(plan_time(UINT64_MAX, 1) == UINT64_MAX);
	CHECK(plan_time(UINT64_MAX / 2, 1000) == UINT64_MAX / 2);
}

static const struct check_test tests[] = {
	{ "walks are the records of a connection",
	  walks_are_the_records_of_a_connection },
	{ "another SYN is another incarnation",
	  another_syn_is_another_incarnation },
	{ "nothing of a client is behind its cut payload",
	  nothing_of_a_client_is_behind_its_cut_payload },
	{ "payload behind something read is marked",
	  payload_behind_something_read_is_marked },
	{ "full is told", full_is_told },
	{ "a plan takes what it may", a_plan_takes_what_it_may },
	{ "clients of repetitions are all different",
	  clients_of_repetitions_are_all_different },
	{ "IPv6, and records of no connection", six_and_none },
	{ "too little memory", too_little_memory },
	{ "one client has one address", one_client_has_one_address },
	{ "time is scaled without overflow", time_is_scaled_without_overflow },
};

int main(void)
{
	int bad = check_main(tests, ARRAY_SIZE(tests));

	free(mem.base);
	return bad;
}
