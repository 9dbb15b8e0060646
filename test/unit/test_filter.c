/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_filter.c - Unit test of codec/filter
 */
#include "match/filter.h"

#include <errno.h>
#include <string.h>

#include "check.h"
#include "wire/build.h"
#include "wire/decode.h"

static uint8_t frame[BUILD_HDR_MAX];
static uint32_t frame_len;

static void make_frame(void)
{
	static const uint8_t src[4] = { 10, 0, 0, 1 };
	static const uint8_t dst[4] = { 10, 0, 0, 2 };
	const struct tcp_header h = { .src = ipaddr_from4(src),
				      .dst = ipaddr_from4(dst),
				      .sport = 1234,
				      .dport = 80,
				      .ttl = 64 };

	frame_len = (uint32_t)build_tcp(frame, &h, NULL, 0, CSUM_FULL);
}

static const struct {
	const char *expr;
	bool ethernet;
	bool raw; /* the same frame without its Ethernet header */
} rows[] = {
	{ "", true, true },
	{ "tcp port 80", true, true },
	{ "tcp port 81", false, false },
	{ "host 10.0.0.2 and not udp", true, true },
	{ "ip6", false, false },
	{ "src net 10.0.0.0/24 and dst port 80", true, true },
};

static void test_matches(void)
{
	struct errbuf e;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct filter f = { .own = NULL };
		struct filter g = { .own = NULL };

		CHECK_ROW(filter_compile(&f, rows[i].expr, LINK_ETHERNET, &e) ==
				  0,
			  rows[i].expr);
		CHECK_ROW(filter_compile(&g, rows[i].expr, LINK_RAW, &e) == 0,
			  rows[i].expr);
		CHECK_ROW(f.prog.len > 0 && f.prog.filter, rows[i].expr);
		CHECK_ROW(filter_match(&f, frame, frame_len, frame_len) ==
				  rows[i].ethernet,
			  rows[i].expr);
		CHECK_ROW(filter_match(&g, frame + 14, frame_len - 14,
				       frame_len - 14) == rows[i].raw,
			  rows[i].expr);
		filter_free(&f);
		filter_free(&g);
		filter_free(&g);
	}
}

static void test_short_frames_do_not_match(void)
{
	struct filter f = { .own = NULL };
	struct errbuf e;

	CHECK(filter_compile(&f, "tcp port 80", LINK_ETHERNET, &e) == 0);
	for (uint32_t len = 0; len < 38; len++)
		CHECK(!filter_match(&f, frame, len, frame_len));
	CHECK(filter_match(&f, frame, 38, frame_len));
	filter_free(&f);
}

static void test_errors_are_named(void)
{
	struct filter f = { .own = NULL };
	struct errbuf e = { "" };

	CHECK(filter_compile(&f, "tcp prt 80", LINK_ETHERNET, &e) == -EINVAL);
	CHECK(strstr(e.s, "syntax error"));
	CHECK(filter_compile(&f, "ether host 1:2:3:4:5:6", LINK_RAW, &e) ==
	      -EINVAL);
	CHECK(f.own == NULL && f.prog.filter == NULL);
}

static const struct {
	const char *expr;
	bool names;
} named[] = {
	{ "", false },
	{ "tcp port 80 and (src net 10.0.0.0/8 or host ::1)", false },
	{ "ether host 00:11:22:aa:bb:cc or ether[0x0c:2]=0x800", false },
	{ "tcp[tcpflags] & (tcp-syn|tcp-fin) != 0 && len<=1500", false },
	{ "portrange 1-1024 and not ip6 protochain 6", false },
	{ "host localhost", true },
	{ "host cafe.be", true },
	{ "src host 10.0.0.1 and dst host www", true },
	{ "port http", true },
	{ "ip proto ospf", true },
	{ "host feed", true },
};

static void test_names_are_seen(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(named); i++)
		CHECK_ROW(filter_has_names(named[i].expr) == named[i].names,
			  named[i].expr);
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "matches what tcpdump would", test_matches },
		{ "short frames do not match", test_short_frames_do_not_match },
		{ "errors are named", test_errors_are_named },
		{ "names are seen", test_names_are_seen },
	};

	make_frame();
	return check_main(tests, ARRAY_SIZE(tests));
}
