/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_split.c - Unit test of prep/split: rules that decide alone, what the first
 * bytes say, and what is done where nothing does
 *
 * Packets are what peek_frame() would have found, so that each row is one thing.
 */
#include "classify/split.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

#define A 1 /* hosts 10.0.0.A and so on */
#define B 2

static struct prep_rules rules;
static struct split *split;
static struct bitcache states;
static uint8_t *memory;
static uint8_t state_memory[64];
static uint8_t many_states[20000];
static bool ports[PREP_PORTS];
static uint64_t number;

static struct ipaddr host(uint8_t last)
{
	const uint8_t v4[4] = { 10, 0, 0, last };

	return ipaddr_from4(v4);
}

static void begin(enum prep_mode mode)
{
	struct arena a = { .size = split_size(16) };

	rules = (struct prep_rules){ .mode = mode,
				     .ratio = 2,
				     .min_bits = 30,
				     .max_bits = 8,
				     .tcp = ports,
				     .udp = ports };
	free(memory);
	memory = aligned_alloc(ARENA_ALIGN, arena_need(a.size));
	if (memory == NULL)
		abort();
	memset(memory, 0, a.size);
	a.base = memory;
	number = 0;
	CHECK(bitcache_init(&states, 2, state_memory, 8, 2) == 0);
	CHECK(split_init(&split, &a, 16, &rules, &(struct hash_key){ { 1, 2 } },
			 &states) == 0);
}

static struct peek packet(uint8_t proto, uint8_t from, uint16_t sport,
			  uint8_t to, uint16_t dport)
{
	return (struct peek){ .depth = PEEK_PORTS,
			      .src = host(from),
			      .dst = host(to),
			      .proto = proto,
			      .sport = sport,
			      .dport = dport,
			      .first = true };
}

static uint32_t in(const struct peek *p)
{
	uint32_t entry = 0;

	CHECK(split_frame(split, ++number, p, &entry) == 0);
	return entry;
}

/* One packet alone: what becomes of it, and why. */
static void alone(const struct peek *p, enum bitcache_fate want,
		  enum split_level level, const char *name)
{
	uint32_t entry;

	begin(PREP_BRIDGE);
	entry = in(p);
	split_finish(split);
	CHECK_ROW(split_fate(split, entry) == want, name);
	CHECK_ROW(split_counters(split)->level[level] == 1, name);
	CHECK_ROW(split_counters(split)->frames[level] == 1, name);
	CHECK_ROW(split_counters(split)->fates[want] == 1, name);
}

static void what_the_first_bytes_say(void)
{
	static const struct {
		const char *name;
		const char *data;
		uint32_t len;
		uint8_t proto;
		uint16_t sport;
		uint16_t dport;
		enum bitcache_fate fate;
		bool says;
	} rows[] = {
#define ROW(name, proto, sport, dport, data, fate, says)                       \
	{ name, data, sizeof(data) - 1, proto, sport, dport, fate, says }
#define C2S BITCACHE_C2S
#define S2C BITCACHE_S2C
#define N48                                                                    \
	"........"                                                             \
	"........"                                                             \
	"........"                                                             \
	"........"                                                             \
	"........"                                                             \
	"......."
		ROW("GET", 6, 7000, 7001, "GET / ", C2S, true),
		ROW("PRI", 6, 7000, 7001, "PRI * HTTP", C2S, true),
		ROW("a method that is cut", 6, 7000, 7001, "DELETE", C2S,
		    false),
		ROW("HTTP", 6, 7000, 7001, "HTTP/1.1 200", S2C, true),
		ROW("too short", 6, 7000, 7001, "GET /", C2S, false),
		ROW("another word", 6, 7000, 7001, "HELO x", C2S, false),
		ROW("ClientHello", 6, 7000, 7001, "\26\3\1\0\5\1", C2S, true),
		ROW("ServerHello", 6, 7000, 7001, "\26\3\1\0\5\2", S2C, true),
		ROW("another handshake", 6, 7000, 7001, "\26\3\1\0\5\3", C2S,
		    false),
		ROW("another version", 6, 7000, 7001, "\26\2\1\0\5\2", C2S,
		    false),
		ROW("another record", 6, 7000, 7001, "\27\3\1\0\5\2", C2S,
		    false),
		ROW("a query", 17, 7000, 53, "\1\2\1\0........", C2S, true),
		ROW("an answer", 17, 53, 7000, "\1\2\201\0........", S2C, true),
		ROW("NTP client", 17, 123, 123, "\43" N48, C2S, true),
		ROW("NTP server", 17, 123, 7000, "\44" N48, S2C, true),
		ROW("NTP server, the other way", 17, 7000, 123, "\44" N48, S2C,
		    true),
		ROW("NTP, another mode", 17, 123, 7000, "\45" N48, C2S, false),
		ROW("NTP, too short", 17, 123, 7000, "\44......", C2S, false),
		ROW("another version of TLS", 6, 7000, 7001, "\26\4\1\0\5\1",
		    C2S, false),
		ROW("another protocol", 47, 7000, 7001, "GET / ", C2S, false),
#undef ROW
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct peek p = packet(rows[i].proto, A, rows[i].sport, B,
				       rows[i].dport);

		p.data = (const uint8_t *)rows[i].data;
		p.len = rows[i].len;
		alone(&p, rows[i].fate,
		      rows[i].says ? SPLIT_CONTENT : SPLIT_GUESS, rows[i].name);
		/* Whichever address is the smaller one. */
		p.src = host(B);
		p.dst = host(A);
		alone(&p, rows[i].fate,
		      rows[i].says ? SPLIT_CONTENT : SPLIT_GUESS, rows[i].name);
	}
}

static void an_echo_request_is_a_clients(void)
{
	static const struct {
		uint16_t icmp;
		enum bitcache_fate fate;
	} rows[] = { { 9, C2S }, { 1, S2C }, { 129, C2S }, { 130, S2C } };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct peek p = packet(1, A, 7, B, 7);

		p.icmp = rows[i].icmp;
		alone(&p, rows[i].fate, SPLIT_CONTENT, "echo");
	}
}

/* -p: the port alone decides, whatever -R says. */
static void ports_decide(void)
{
	for (int reverse = 0; reverse < 2; reverse++) {
		struct peek p = packet(6, A, 7000, B, 7777);

		ports[7777] = true;
		begin(PREP_PORT);
		rules.reverse = reverse != 0;
		CHECK(in(&p) == SPLIT_ENTRY_C2S);
		p = packet(17, A, 7777, B, 7000);
		CHECK(in(&p) == SPLIT_ENTRY_S2C);
		p.error = true; /* about a packet that went the other way */
		CHECK(in(&p) == SPLIT_ENTRY_C2S);
		p = packet(6, A, 7777, B, 7777);
		CHECK(in(&p) < SPLIT_ENTRY_S2C);
		p = packet(47, A, 7777, B, 7000);
		CHECK(in(&p) < SPLIT_ENTRY_S2C);
		p = packet(6, A, 7777, B, 7000);
		p.depth = PEEK_IP;
		CHECK(in(&p) < SPLIT_ENTRY_S2C);
		ports[7777] = false;
	}
}

static void networks_decide(void)
{
	static const struct prep_net net = { { 10, 0, 0, A }, 32, false };

	for (int reverse = 0; reverse < 2; reverse++) {
		uint32_t server = reverse ? SPLIT_ENTRY_C2S : SPLIT_ENTRY_S2C;
		uint32_t client = reverse ? SPLIT_ENTRY_S2C : SPLIT_ENTRY_C2S;
		struct peek p = packet(6, A, 7000, B, 7001);

		begin(PREP_CIDR);
		rules.split = (struct prep_nets){ &net, 1 };
		rules.reverse = reverse != 0;
		CHECK(in(&p) == server);
		p = packet(6, B, 7000, A, 7001);
		CHECK(in(&p) == client);
		p = packet(6, B, 7000, 3, 7001);
		CHECK(in(&p) < SPLIT_ENTRY_S2C);
	}
}

/* Nothing is known of a connection: the mode says who its sender is. */
static void a_guess_is_the_modes(void)
{
	static const struct {
		enum prep_mode mode;
		enum bitcache_fate first;
		enum bitcache_fate second;
	} rows[] = { { PREP_BRIDGE, C2S, S2C },
		     { PREP_CLIENT, C2S, C2S },
		     { PREP_SERVER, S2C, S2C } };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct peek p = packet(6, A, 7000, B, 7001);
		struct peek q = packet(6, B, 7001, A, 7000);
		uint32_t one, two;

		begin(rows[i].mode);
		one = in(&p);
		two = in(&q);
		split_finish(split);
		CHECK(split_fate(split, one) == rows[i].first);
		CHECK(split_fate(split, two) == rows[i].second);
		CHECK(split_counters(split)->level[SPLIT_GUESS] == 1);
		CHECK(split_counters(split)->frames[SPLIT_GUESS] == 2);
	}
}

/* A connection of a host with itself: the ports tell its sides apart. */
static void a_host_that_speaks_to_itself(void)
{
	struct peek p = packet(6, A, 7001, A, 7000);
	struct peek q = packet(6, A, 7000, A, 7001);
	uint32_t one, two;

	begin(PREP_BRIDGE);
	one = in(&p);
	two = in(&q);
	split_finish(split);
	CHECK(split_fate(split, one) == BITCACHE_C2S);
	CHECK(split_fate(split, two) == BITCACHE_S2C);
}

static void what_is_left_out(void)
{
	static const struct number_range ranges[] = { { 2, 3 }, { 5, 0 } };
	static const struct number_range open[] = { { 0, 2 } };
	struct peek p = packet(6, A, 7000, B, 7001);
	struct peek none = { .depth = PEEK_NOTHING };

	for (int exclude = 0; exclude < 2; exclude++) {
		begin(PREP_BRIDGE);
		rules.pick = PICK_PACKETS;
		rules.exclude = exclude != 0;
		rules.range = ranges;
		rules.ranges = 2;
		for (unsigned i = 1; i <= 6; i++)
			CHECK((in(&p) == SPLIT_ENTRY_SKIP) ==
			      ((i == 1 || i == 4) != (exclude != 0)));
		begin(PREP_BRIDGE);
		rules.pick = PICK_PACKETS;
		rules.exclude = exclude != 0;
		rules.range = open;
		rules.ranges = 1;
		for (unsigned i = 1; i <= 4; i++)
			CHECK((in(&none) == SPLIT_ENTRY_SKIP) ==
			      ((i > 2) != (exclude != 0)));
	}
	CHECK(split_fate(split, SPLIT_ENTRY_SKIP) == BITCACHE_SKIP);
}

static void what_is_not_ip(void)
{
	struct peek none = { .depth = PEEK_NOTHING };

	for (int i = 0; i < 4; i++) {
		begin(PREP_BRIDGE);
		rules.nonip = (i & 1) != 0;
		rules.reverse = (i & 2) != 0;
		CHECK(in(&none) == (rules.nonip != rules.reverse
					    ? SPLIT_ENTRY_S2C
					    : SPLIT_ENTRY_C2S));
		CHECK(split_counters(split)->nonip == 1);
	}
}

static void both_tables_may_be_too_small(void)
{
	struct arena a = { .size = split_size(16) - 1 };
	struct split *s = NULL;
	uint32_t entry;
	int rc = 0;

	CHECK(split_init(&s, &a, 16, &rules, &(struct hash_key){ { 1, 2 } },
			 &states) == -ENOMEM);
	CHECK(s == NULL);
	begin(PREP_BRIDGE);
	for (uint16_t i = 0; rc == 0 && i < 100; i++) {
		struct peek p = packet(6, A, (uint16_t)(7000 + i), B, 7001);

		rc = split_frame(split, ++number, &p, &entry);
	}
	CHECK(rc == -EFBIG && number == 33); /* 16 bytes, two states in each */
	CHECK(split_counters(split)->pushed_out > 0);
}

/* A connection that shows its client: @from opened it. */
static void opened(uint8_t from, uint16_t sport, uint8_t to, uint16_t dport)
{
	struct peek p = packet(6, from, sport, to, dport);

	p.flags = 2; /* SYN */
	in(&p);
}

/* Room for many more connections than begin() makes. */
static void begin_large(enum prep_mode mode)
{
	begin(mode);
	CHECK(bitcache_init(&states, 2, many_states, sizeof(many_states), 1) ==
	      0);
}

/* How hosts act elsewhere: one that is known says what the other is. */
static void known_hosts_tell(void)
{
	static const struct {
		const char *name;
		uint8_t from;
		uint8_t to;
		enum bitcache_fate fate;
		enum split_level level;
	} rows[] = {
		{ "to a server", 9, 2, C2S, SPLIT_HOST },
		{ "of a server", 2, 9, S2C, SPLIT_HOST },
		{ "of a client", 1, 9, C2S, SPLIT_HOST },
		{ "to a client", 9, 1, S2C, SPLIT_HOST },
		{ "to a server, from above", 3, 4, S2C, SPLIT_HOST },
		{ "both known", 1, 2, C2S, SPLIT_HOST },
		{ "both known, turned", 2, 1, S2C, SPLIT_HOST },
		{ "two servers", 3, 2, C2S, SPLIT_GUESS },
		{ "two clients", 4, 1, C2S, SPLIT_GUESS },
		{ "nobody known", 8, 9, C2S, SPLIT_GUESS },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct peek p = packet(6, rows[i].from, 7000, rows[i].to, 7001);
		uint32_t entry;

		begin(PREP_BRIDGE);
		opened(1, 6000, 2, 6001);
		opened(4, 6000, 3, 6001);
		entry = in(&p);
		split_finish(split);
		CHECK_ROW(split_fate(split, entry) == rows[i].fate,
			  rows[i].name);
		CHECK_ROW(split_counters(split)->level[rows[i].level] == 1,
			  rows[i].name);
	}
}

/* A host is a server if it was one --ratio times as often as a client. */
static void the_ratio_decides_what_a_host_is(void)
{
	for (uint16_t served = 1; served <= 3; served++) {
		struct peek p = packet(6, 1, 7000, 2, 7001);
		uint32_t entry;

		begin(PREP_BRIDGE); /* ratio 2 */
		opened(2, 6000, 8, 6001);
		for (uint16_t i = 0; i < served; i++)
			opened(9, 6000 + i, 2, 6002);
		entry = in(&p);
		split_finish(split);
		CHECK(split_fate(split, entry) == (served < 2 ? S2C : C2S));
	}
}

/* Networks of servers, router mode: prefixes of 8 to 30 bits. */
static void networks_of_servers_tell(void)
{
	static const struct {
		const char *name;
		uint8_t from;
		uint8_t to;
		enum split_level level;
	} rows[] = {
		{ "beside a server", 250, 66, SPLIT_NETWORK },
		{ "below all that are known", 1, 66, SPLIT_NETWORK },
		{ "beside a server and a client", 130, 131, SPLIT_GUESS },
		{ "beside nobody", 250, 1, SPLIT_GUESS },
		{ "between both", 131, 66, SPLIT_NETWORK },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct peek p = packet(6, rows[i].from, 7000, rows[i].to, 7001);
		uint32_t entry;

		begin(PREP_ROUTER);
		opened(128, 6000, 64, 6001);
		opened(100, 6000, 65, 6001);
		opened(128, 6000, 129, 6001);
		entry = in(&p);
		split_finish(split);
		CHECK_ROW(split_fate(split, entry) == C2S, rows[i].name);
		CHECK_ROW(split_counters(split)->level[rows[i].level] == 1,
			  rows[i].name);
	}
}

/* A server that has the last address of each network around it, and one that has
 * the first.
 */
static void the_ends_of_a_network_are_in_it(void)
{
	static const uint8_t server[] = { 127, 64 };

	for (size_t i = 0; i < ARRAY_SIZE(server); i++) {
		struct peek p = packet(6, 250, 7000, 96, 7001);
		uint32_t entry;

		begin(PREP_ROUTER);
		rules.min_bits = rules.max_bits = 26; /* 64 to 127 */
		opened(200, 6000, server[i], 6001);
		opened(63, 6000, 128, 6001);
		entry = in(&p);
		split_finish(split);
		CHECK(split_fate(split, entry) == C2S);
		CHECK(split_counters(split)->level[SPLIT_NETWORK] == 1);
	}
}

/* Tables that are full: no more is learnt, and questions are answered at once. */
static void full_tables_of_questions(void)
{
	for (int router = 0; router < 2; router++) {
		begin_large(router ? PREP_ROUTER : PREP_BRIDGE);
		for (uint8_t i = 0; i < 100; i++)
			opened(200, 6000, i, 6001);
		for (uint16_t i = 0; i < 100; i++) {
			struct peek p = packet(6, 201, 7000 + i, 1, 7001);

			in(&p);
		}
		/* 64 places of each, of which three quarters are used. */
		split_finish(split);
		CHECK(split_counters(split)->unlearnt == 52 + 53);
		CHECK(split_counters(split)->early == 100 - 64);
		CHECK(split_counters(split)->level[SPLIT_HANDSHAKE] == 100);
		CHECK(split_counters(split)->level[SPLIT_NETWORK] ==
		      (router ? 64 : 0));
		CHECK(split_counters(split)->level[SPLIT_HOST] ==
		      (router ? 36 : 100));
	}
}

/* SYNs of one tuple: which of them opens another connection? */
static void a_syn_of_the_other_side(void)
{
	static const struct {
		const char *name;
		uint8_t flags; /* of the answer to the first SYN; 0: none */
		bool back;     /* the second SYN is the other side's */
		bool error;    /* it stands in an ICMP error */
		bool opens;
	} rows[] = {
		{ "again", 0x12, false, false, false },
		{ "crossing", 0, true, false, false },
		{ "the other way", 0x12, true, false, true },
		{ "the second half of an answer", 0x10, true, false, false },
		{ "the other way, after data only", 0x18, true, false, true },
		{ "in an error", 0x12, true, true, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct peek p = packet(6, A, 7000, B, 7001);
		struct peek q = packet(6, B, 7001, A, 7000);
		uint32_t first;

		begin(PREP_BRIDGE);
		p.flags = 2;
		first = in(&p);
		q.flags = rows[i].flags;
		q.len = (q.flags & 8) != 0 ? 5 : 0;
		if (q.flags != 0)
			in(&q);
		q.len = 0;
		q.flags = p.flags = 2;
		q.error = p.error = rows[i].error;
		CHECK_ROW((in(rows[i].back ? &q : &p) >> 1 != first >> 1) ==
				  rows[i].opens,
			  rows[i].name);
		split_finish(split);
		CHECK_ROW(split_fate(split, first) == C2S, rows[i].name);
	}
}

/* What follows a datagram's first part goes with it, and with no other. */
static void parts_of_datagrams(void)
{
	static const struct {
		const char *name;
		uint8_t from;
		uint8_t to;
		uint8_t proto;
		uint32_t id;
		bool error;
		uint64_t lost;
	} rows[] = {
		{ "its part", A, B, 17, 7, false, 0 },
		{ "of another number", A, B, 17, 8, false, 1 },
		{ "of another protocol", A, B, 6, 7, false, 1 },
		{ "from another", 3, B, 17, 7, false, 1 },
		{ "to another", A, 3, 17, 7, false, 1 },
		{ "in an error", A, B, 17, 7, true, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct peek p = packet(17, A, 7000, B, 7001);
		uint32_t first, second;

		begin(PREP_BRIDGE);
		p.fragment = true;
		p.frag_id = 7;
		first = in(&p);
		p = packet(rows[i].proto, rows[i].from, 0, rows[i].to, 0);
		p.depth = PEEK_IP;
		p.fragment = true;
		p.first = false;
		p.frag_id = rows[i].id;
		p.error = rows[i].error;
		second = in(&p);
		CHECK_ROW((first == second) ==
				  (rows[i].lost == 0 && !rows[i].error),
			  rows[i].name);
		CHECK_ROW(split_counters(split)->lost_fragments == rows[i].lost,
			  rows[i].name);
	}
}

/* More datagrams in parts than are remembered: the newest of a place stays. */
static void many_datagrams_in_parts(void)
{
	struct peek p = packet(17, A, 7000, B, 7001);
	uint64_t lost;

	for (int what = 0; what < 3; what++) {
		begin(PREP_BRIDGE);
		p.fragment = true;
		for (uint32_t i = 0; i < 2 * 20000; i++) {
			struct ipaddr *end = what == 1 ? &p.src : &p.dst;

			p.first = i < 20000;
			p.depth = p.first ? PEEK_PORTS : PEEK_IP;
			p.frag_id = 7;
			if (what == 0)
				p.frag_id = i;
			else
				*end = (struct ipaddr){
					{ 0x20, 1, [13] = i >> 16 & 255,
					  [14] = i >> 8 & 255, [15] = i & 255 }
				};
			if (what > 0)
				p.icmp = 0;
			CHECK(bitcache_init(&states, 2, many_states,
					    sizeof(many_states), 1) == 0);
			in(&p);
		}
		lost = split_counters(split)->lost_fragments;
		CHECK(lost == 20000);
	}
}

static void an_error_says_nothing_of_its_sender(void)
{
	struct peek p = packet(1, A, 0, B, 0);

	p.depth = PEEK_IP;
	p.icmp = 4;
	alone(&p, C2S, SPLIT_GUESS, "no echo");
	p = packet(6, A, 7000, B, 7001);
	p.icmp = 4;
	p.error = true;
	p.flags = 2;
	alone(&p, S2C, SPLIT_GUESS, "an error");
}

static void addresses_that_are_picked(void)
{
	static const struct prep_net net = { { 10, 0, 0, 4 }, 30, false };
	static const struct prep_net six = { { 10, 0, 0, 4 }, 30, true };
	static const struct {
		enum prep_pick pick;
		uint8_t from;
		uint8_t to;
		bool in;
	} rows[] = {
		{ PICK_SOURCE, 4, 9, true },  { PICK_SOURCE, 9, 4, false },
		{ PICK_SOURCE, 7, 9, true },  { PICK_SOURCE, 8, 9, false },
		{ PICK_SOURCE, 3, 9, false }, { PICK_DEST, 9, 6, true },
		{ PICK_DEST, 6, 9, false },   { PICK_BOTH, 5, 6, true },
		{ PICK_BOTH, 5, 9, false },   { PICK_BOTH, 9, 5, false },
		{ PICK_EITHER, 5, 9, true },  { PICK_EITHER, 9, 5, true },
		{ PICK_EITHER, 9, 8, false }, { PICK_FILTER, 9, 8, true },
		{ PICK_ALL, 9, 8, true },
	};

	for (size_t i = 0; i < 4 * ARRAY_SIZE(rows); i++) {
		const size_t k = i / 4;
		struct peek p = packet(6, rows[k].from, 7000, rows[k].to, 7001);
		bool all =
			rows[k].pick == PICK_ALL || rows[k].pick == PICK_FILTER;
		bool want = rows[k].in;

		begin(PREP_BRIDGE);
		rules.pick = rows[k].pick;
		rules.exclude = (i & 1) != 0;
		rules.picked = (struct prep_nets){ (i & 2) ? &six : &net, 1 };
		if (!all)
			want = ((i & 2) == 0 && want) != rules.exclude;
		CHECK((in(&p) != SPLIT_ENTRY_SKIP) == want);
	}
}

int main(void)
{
	static const struct check_test tests[] = {
#define TEST(f) { #f, f }
		TEST(what_the_first_bytes_say),
		TEST(an_echo_request_is_a_clients),
		TEST(ports_decide),
		TEST(networks_decide),
		TEST(a_guess_is_the_modes),
		TEST(a_host_that_speaks_to_itself),
		TEST(what_is_left_out),
		TEST(what_is_not_ip),
		TEST(both_tables_may_be_too_small),
		TEST(known_hosts_tell),
		TEST(the_ratio_decides_what_a_host_is),
		TEST(networks_of_servers_tell),
		TEST(the_ends_of_a_network_are_in_it),
		TEST(full_tables_of_questions),
		TEST(a_syn_of_the_other_side),
		TEST(parts_of_datagrams),
		TEST(many_datagrams_in_parts),
		TEST(an_error_says_nothing_of_its_sender),
		TEST(addresses_that_are_picked),
	};
	int status = check_main(tests, ARRAY_SIZE(tests));

	free(memory);
	return status;
}
