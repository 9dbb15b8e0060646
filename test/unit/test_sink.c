/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_sink.c - Unit test of emit/sink (the list of destinations), emit/null and
 * the private hardware address
 */
#include "emit/sink.h"

#include <errno.h>
#include <string.h>

#include "check.h"
#include "emit/null.h"
#include "emit/packet.h"
#include "wire/segment.h"

static const uint8_t our_mac[ETH_LEN] = { 2, 0xaa, 0, 0, 0, 1 };
static const uint8_t sut_mac[ETH_LEN] = { 2, 0xbb, 0, 0, 0, 2 };
static const uint8_t bad_mac[ETH_LEN] = { 2, 0xcc, 0, 0, 0, 9 };
static const uint8_t all_mac[ETH_LEN] = { 255, 255, 255, 255, 255, 255 };

static struct sink_null null;
static struct sink *const sink = &null.sink;
static struct ipaddr sut4, sut6, client4, client6;
static uint64_t done_cookie;
static uint32_t done_count;

static void on_done(void *ctx, uint64_t cookie, int err)
{
	CHECK(ctx == &done_count && err == 0);
	done_cookie = cookie;
	done_count++;
}

static void start(void)
{
	static const uint8_t a[4] = { 10, 72, 0, 20 };
	static const uint8_t b[4] = { 203, 0, 113, 7 };
	struct emit_dest dest[2];

	sut4 = ipaddr_from4(a);
	client4 = ipaddr_from4(b);
	memset(&sut6, 0, sizeof(sut6));
	sut6.b[0] = 0xfd;
	client6 = sut6;
	sut6.b[15] = 20;
	client6.b[14] = 7;
	memset(dest, 0, sizeof(dest));
	dest[0].ip = sut4;
	dest[1].ip = sut6;
	CHECK(sink_null_open(&null, our_mac, dest, 2, on_done, &done_count) ==
	      0);
	done_count = 0;
}

static int tcp(const struct ipaddr *dst, const uint8_t *eth_dst,
	       const uint8_t *eth_src)
{
	static const uint8_t data[100];
	struct tcp_header h = { .src = client4, .dst = *dst, .ttl = 64 };

	if (!ipaddr_is4(dst))
		h.src = client6;
	memcpy(h.eth_dst, eth_dst, ETH_LEN);
	memcpy(h.eth_src, eth_src, ETH_LEN);
	return sink_tcp(sink, &h, data, sizeof(data), 0, 42);
}

static void test_segments(void)
{
	static const uint8_t none[ETH_LEN];

	start();
	CHECK(tcp(&sut4, sut_mac, our_mac) == -EPERM); /* not known yet */
	CHECK(tcp(&sut4, none, our_mac) == -EPERM);
	CHECK(sink_pin(sink, &client4, sut_mac) == -ENOENT);
	CHECK(sink_pin(sink, &sut4, sut_mac) == 0);
	CHECK(tcp(&sut4, sut_mac, our_mac) == 0);
	CHECK(done_count == 1 && done_cookie == 42);
	CHECK(sink->stats.frames == 1 && sink->stats.bytes == 154);

	CHECK(tcp(&sut6, sut_mac, our_mac) == -EPERM);
	CHECK(tcp(&client4, sut_mac, our_mac) == -EPERM);
	CHECK(tcp(&sut4, bad_mac, our_mac) == -EPERM);
	CHECK(tcp(&sut4, all_mac, our_mac) == -EPERM);
	CHECK(tcp(&sut4, sut_mac, bad_mac) == -EPERM);
	CHECK(sink->stats.refused == 7);
	CHECK(done_count == 1 && sink->stats.frames == 1);
}

static int arp(uint16_t op, const uint8_t *dst, const uint8_t *src,
	       const struct ipaddr *tpa)
{
	uint8_t f[BUILD_RAW_MAX];
	size_t n = build_arp(f, op, dst, src, &client4, NULL, tpa);

	return sink_raw(sink, f, (uint32_t)n, 1);
}

static void test_arp(void)
{
	uint8_t f[BUILD_RAW_MAX];
	size_t n;

	start();
	CHECK(arp(1, all_mac, our_mac, &sut4) == 0);
	CHECK(arp(1, all_mac, our_mac, &client4) == -EPERM);
	CHECK(arp(2, all_mac, our_mac, &sut4) == -EPERM);
	CHECK(arp(1, all_mac, bad_mac, &sut4) == -EPERM);
	CHECK(arp(2, sut_mac, our_mac, &sut4) == -EPERM);
	CHECK(arp(1, bad_mac, our_mac, &sut4) == -EPERM);
	CHECK(sink_pin(sink, &sut4, sut_mac) == 0);
	CHECK(arp(2, sut_mac, our_mac, &sut4) == 0);
	CHECK(arp(2, bad_mac, our_mac, &sut4) == -EPERM);
	/* From nobody's address anybody is asked for; it claims nothing. */
	for (uint8_t second = 17; second <= 20; second++) {
		const uint8_t b[4] = { 198, second, 255, 1 };
		struct ipaddr nobody = ipaddr_from4(b);
		bool good = second == 18 || second == 19;

		n = build_arp(f, 1, all_mac, our_mac, &nobody, NULL, &client4);
		CHECK(sink_raw(sink, f, (uint32_t)n, 1) == (good ? 0 : -EPERM));
		n = build_arp(f, 2, all_mac, our_mac, &nobody, NULL, &client4);
		CHECK(sink_raw(sink, f, (uint32_t)n, 1) == -EPERM);
	}

	/* The frame is ours and the message in it is not. */
	n = build_arp(f, 2, sut_mac, our_mac, &client4, sut_mac, &sut4);
	f[14 + 8] ^= 1;
	CHECK(sink_raw(sink, f, (uint32_t)n, 1) == -EPERM);
	f[14 + 8] ^= 1;
	CHECK(sink_raw(sink, f, (uint32_t)n, 1) == 0);
	f[6] ^= 1; /* and the other way round */
	CHECK(sink_raw(sink, f, (uint32_t)n, 1) == -EPERM);
	f[6] ^= 1;
	for (uint32_t len = 0; len < 42; len++)
		CHECK(sink_raw(sink, f, len, 1) == -EPERM);
	f[12] = 0x88; /* some other protocol */
	CHECK(sink_raw(sink, f, (uint32_t)n, 1) == -EPERM);
	CHECK(sink->stats.refused == 57);
}

static void test_datagrams(void)
{
	static const uint8_t data[100];
	struct tcp_header h = { .ttl = 64 };

	start();
	h.src = client4;
	h.dst = sut4;
	memcpy(h.eth_dst, sut_mac, ETH_LEN);
	memcpy(h.eth_src, our_mac, ETH_LEN);
	CHECK(sink_udp(sink, &h, data, sizeof(data), 7) == -EPERM);
	CHECK(sink_pin(sink, &sut4, sut_mac) == 0);
	CHECK(sink_udp(sink, &h, data, sizeof(data), 7) == 0);
	CHECK(done_count == 1 && done_cookie == 7);
	CHECK(sink->stats.frames == 1 && sink->stats.bytes == 142);
	h.dst = client4;
	CHECK(sink_udp(sink, &h, data, sizeof(data), 7) == -EPERM);
	CHECK(sink->stats.refused == 2 && done_count == 1);
}

static unsigned flushed, closed;

static void count_flush(struct sink *s)
{
	CHECK(s == sink && closed == 0);
	flushed++;
}

static void count_close(struct sink *s)
{
	CHECK(s == sink);
	closed++;
}

/* What is waiting goes out before the sink is gone. */
static void test_close_flushes(void)
{
	static const struct sink_ops ops = { .flush = count_flush,
					     .close = count_close };
	struct emit_dest dest = { .ip = sut4 };

	memset(sink, 0xff, sizeof(*sink)); /* whatever was there */
	sink_init(sink, &ops, our_mac, &dest, 1, on_done, &done_count);
	CHECK(sink->stats.refused == 0 && sink->stats.frames == 0);
	sink_flush(sink);
	CHECK(flushed == 1 && closed == 0);
	sink_close(sink);
	CHECK(flushed == 2 && closed == 1);
}

static void test_nd(void)
{
	uint8_t group[BUILD_RAW_MAX];
	uint8_t f[BUILD_RAW_MAX];
	size_t n;

	start();
	n = build_ns(f, our_mac, &client6, &sut6);
	CHECK(sink_raw(sink, f, (uint32_t)n, 1) == 0);
	f[5] ^= 1; /* another group */
	CHECK(sink_raw(sink, f, (uint32_t)n, 1) == -EPERM);
	n = build_ns(f, our_mac, &sut6, &client6);
	CHECK(sink_raw(sink, f, (uint32_t)n, 1) == -EPERM);

	{
		struct ipaddr local = { { 0xfe, 0xbf, [15] = 9 } };

		n = build_ns(f, our_mac, &local, &client6);
		CHECK(sink_raw(sink, f, (uint32_t)n, 1) == 0);
		f[14 + 9] = 0xc0; /* no link-local address */
		CHECK(sink_raw(sink, f, (uint32_t)n, 1) == -EPERM);
	}
	n = build_na(f, sut_mac, our_mac, &client6, &sut6);
	CHECK(sink_raw(sink, f, (uint32_t)n, 1) == -EPERM);
	CHECK(sink_pin(sink, &sut6, sut_mac) == 0);
	CHECK(sink_raw(sink, f, (uint32_t)n, 1) == 0);
	for (uint32_t len = 0; len < 78; len++)
		CHECK(sink_raw(sink, f, len, 1) == -EPERM);
	f[14 + 40] = 134; /* a router's advertisement */
	CHECK(sink_raw(sink, f, (uint32_t)n, 1) == -EPERM);
	f[14 + 40] = 136;
	f[14 + 6] = PROTO_TCP;
	CHECK(sink_raw(sink, f, (uint32_t)n, 1) == -EPERM);
	f[14 + 6] = PROTO_ICMP6;
	CHECK(sink_raw(sink, f, (uint32_t)n, 1) == 0);
	f[12] = 0x08; /* not IPv6 */
	CHECK(sink_raw(sink, f, (uint32_t)n, 1) == -EPERM);
	n = build_ns(group, our_mac, &client6, &sut6);
	CHECK(sink_raw(sink, group, (uint32_t)n, 1) == 0);
	n = build_na(f, group, our_mac, &sut6, &sut6);
	CHECK(sink_raw(sink, f, (uint32_t)n, 1) == -EPERM);
	/* To all, an advertisement is not allowed whatever it says. */
	n = build_na(f, all_mac, our_mac, &client6, &sut6);
	CHECK(sink_raw(sink, f, (uint32_t)n, 1) == -EPERM);
}

/* "Port unreachable" goes where segments may go, and no other ICMP does. */
static void test_icmp(void)
{
	uint8_t quote[28] = { 0x45 };
	uint8_t f[BUILD_RAW_MAX];

	start(); /* which names the addresses */
	for (int v6 = 0; v6 < 2; v6++) {
		struct ipaddr ip = v6 ? sut6 : sut4;
		uint32_t type = 14 + (v6 ? 40 : 20);
		uint32_t n = (uint32_t)build_unreachable(
			f, sut_mac, our_mac, v6 ? &client6 : &client4, &ip,
			quote, sizeof(quote));

		start();
		CHECK(sink_raw(sink, f, n, 1) == -EPERM);
		sink_pin(sink, &ip, sut_mac);
		CHECK(sink_raw(sink, f, n, 1) == 0);
		for (uint32_t len = 0; len < type + 8; len++)
			CHECK(sink_raw(sink, f, len, 1) == -EPERM);
		f[type]++;
		CHECK(sink_raw(sink, f, n, 1) == -EPERM);
		f[type]--;
		f[type + 1]++;
		CHECK(sink_raw(sink, f, n, 1) == -EPERM);
		f[type + 1]--;
		f[14 + (v6 ? 39 : 19)]++; /* another address */
		CHECK(sink_raw(sink, f, n, 1) == -EPERM);
		f[14 + (v6 ? 39 : 19)]--;
		f[5]++; /* another hardware address */
		CHECK(sink_raw(sink, f, n, 1) == -EPERM);
		f[5]--;
		f[11]++; /* not from us */
		CHECK(sink_raw(sink, f, n, 1) == -EPERM);
	}
}

static void test_too_many(void)
{
	static struct emit_dest dest[MAP_MAX + 1];

	CHECK(sink_null_open(&null, our_mac, dest, MAP_MAX, on_done, NULL) ==
	      0);
	CHECK(sink_null_open(&null, our_mac, dest, MAP_MAX + 1, on_done,
			     NULL) == -EINVAL);
}

static void test_private_mac(void)
{
	static const uint8_t vendor[ETH_LEN] = { 0, 0x1b, 0x21, 1, 2, 3 };
	static const uint8_t local[ETH_LEN] = { 0xfe, 1, 2, 3, 4, 5 };
	uint8_t a[ETH_LEN];
	uint8_t b[ETH_LEN];

	packet_private_mac(a, vendor);
	CHECK((a[0] & 3) == 2 && memcmp(a, vendor, ETH_LEN) != 0);
	packet_private_mac(b, vendor);
	CHECK(memcmp(a, b, ETH_LEN) == 0);
	packet_private_mac(a, local);
	CHECK((a[0] & 3) == 2 && memcmp(a, local, ETH_LEN) != 0);
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "segments go to known destinations only", test_segments },
		{ "ARP", test_arp },
		{ "datagrams", test_datagrams },
		{ "close flushes", test_close_flushes },
		{ "neighbour discovery", test_nd },
		{ "port unreachable", test_icmp },
		{ "more destinations than there is room for", test_too_many },
		{ "a private hardware address", test_private_mac },
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
