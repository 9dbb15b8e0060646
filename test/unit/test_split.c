/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_split.c - Unit test of prep/split: rules that decide alone, what the first
 * bytes say, and what is done where nothing does
 *
 * Packets are what peek_frame() would have found, so that each row is one thing.
 */
#include "prep/split.h"

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
	static const struct prep_range ranges[] = { { 2, 3 }, { 5, 0 } };
	static const struct prep_range open[] = { { 0, 2 } };
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
	};
	int status = check_main(tests, ARRAY_SIZE(tests));

	free(memory);
	return status;
}
