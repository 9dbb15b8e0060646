/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_report.c - Unit test of report/json, report/text and the two renderers
 *
 * What JSON is, python3's json module decides: every line written here is also
 * collected and read by it at the end, if it is installed.
 */
#include "report/report.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "core/rng.h"
#include "text/json.h"
#include "text/text.h"

static FILE *lines_out; /* all JSON lines of this program */

static void keep_line(const char *line, size_t len)
{
	CHECK(len > 0 && line[len - 1] == '\n');
	CHECK(memchr(line, '\n', len) == line + len - 1);
	CHECK(fwrite(line, 1, len, lines_out) == len);
}

static void test_json_line(void)
{
	char buf[256];
	struct json j;
	size_t n;

	json_begin(&j, buf, sizeof(buf));
	json_u64(&j, "big", UINT64_MAX);
	json_bool(&j, "yes", true);
	json_null(&j, "no");
	json_array(&j, "a");
	json_u64(&j, NULL, 1);
	json_object(&j, NULL);
	json_close_object(&j);
	json_str(&j, NULL, NULL);
	json_close_array(&j);
	json_ms(&j, "ms", UINT64_C(1234567890));
	json_us(&j, "us", 1999);
	n = json_line(&j);
	CHECK(strcmp(buf, "{\"big\":18446744073709551615,\"yes\":true,"
			  "\"no\":null,\"a\":[1,{},null],\"ms\":1234.567,"
			  "\"us\":1}\n") == 0);
	CHECK(n == strlen(buf));
	keep_line(buf, n);
}

static void test_json_escapes(void)
{
	static const struct {
		const char *in;
		size_t len;
		const char *out;
	} row[] = {
		{ "a\"b\\c/", 6, "a\\\"b\\\\c/" },
		{ "\0\n\x1f\x7f", 4, "\\u0000\\u000a\\u001f\\u007f" },
		{ "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 9,
		  "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80" },
		{ "\xff\x80", 2, "\\u00ff\\u0080" },
		{ "\xc3", 1, "\\u00c3" },
		{ "\xc3(", 2, "\\u00c3(" },
		{ "\xc0\xaf", 2, "\\u00c0\\u00af" },		/* overlong */
		{ "\xe0\x80\xaf", 3, "\\u00e0\\u0080\\u00af" }, /* too */
		{ "\xed\xa0\x80", 3, "\\u00ed\\u00a0\\u0080" }, /* surrogate */
		{ "\xf4\x90\x80\x80", 4, "\\u00f4\\u0090\\u0080\\u0080" },
		{ "\xc2\x9b", 2, "\\u009b" }, /* C1: steers a terminal */
		{ "\xc2\xa0", 2, "\xc2\xa0" },
	};
	char buf[256], want[256];
	struct json j;
	size_t n;

	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		json_begin(&j, buf, sizeof(buf));
		json_bytes(&j, "k", row[i].in, row[i].len);
		n = json_line(&j);
		snprintf(want, sizeof(want), "{\"k\":\"%s\"}\n", row[i].out);
		CHECK_ROW(strcmp(buf, want) == 0, want);
		keep_line(buf, n);
	}
}

/* Random bytes, two thirds of them from the edges of UTF-8. */
static void test_json_random_bytes(void)
{
	static const uint8_t edge[] = { 0xc2, 0xe0, 0xed, 0xf0, 0xf4, 0x80,
					0x8f, 0x90, 0x9f, 0xa0, 0xbf, '"' };
	struct rng rng = { 3 };
	char buf[1024];
	uint8_t in[64];
	struct json j;
	size_t len;

	for (int i = 0; i < 5000; i++) {
		len = rng_below(&rng, sizeof(in) + 1);
		for (size_t k = 0; k < len; k++)
			in[k] = rng_below(&rng, 3) == 0
					? (uint8_t)rng_next(&rng)
					: edge[rng_below(&rng, sizeof(edge))];
		json_begin(&j, buf, sizeof(buf));
		json_bytes(&j, "k", in, len);
		len = json_line(&j);
		keep_line(buf, len);
	}
}

static void test_json_does_not_fit(void)
{
	char buf[64];
	struct json j;
	size_t need;

	json_begin(&j, buf, sizeof(buf));
	json_str(&j, "k", "value");
	need = json_line(&j);
	CHECK(need > 0);
	for (size_t size = 0; size <= need + 1; size++) {
		memset(buf, 'x', sizeof(buf));
		json_begin(&j, buf, size);
		json_str(&j, "k", "value");
		CHECK(json_line(&j) == (size > need ? need : 0));
		CHECK(buf[size] == 'x');
	}
}

static void test_ip_text(void)
{
	/* The examples of RFC 5952 sections 1 to 4, as 8 groups. */
	static const struct {
		uint16_t g[8];
		const char *text;
	} row[] = {
		{ { 0x2001, 0xdb8, 0, 0, 1, 0, 0, 1 }, "2001:db8::1:0:0:1" },
		{ { 0x2001, 0xdb8, 0, 0, 0, 0, 2, 1 }, "2001:db8::2:1" },
		{ { 0x2001, 0xdb8, 0, 1, 1, 1, 1, 1 }, "2001:db8:0:1:1:1:1:1" },
		{ { 0x2001, 0, 0, 1, 0, 0, 0, 1 }, "2001:0:0:1::1" },
		{ { 0x2001, 0xdb8, 0, 0, 0, 0, 0xaaaa, 1 },
		  "2001:db8::aaaa:1" },
		{ { 0, 0, 0, 0, 0, 0, 0, 0 }, "::" },
		{ { 0, 0, 0, 0, 0, 0, 0, 1 }, "::1" },
		{ { 1, 0, 0, 0, 0, 0, 0, 0 }, "1::" },
		{ { 0, 1, 2, 3, 4, 5, 6, 0 }, "0:1:2:3:4:5:6:0" },
		{ { 0, 0, 0, 0, 0, 0xffff, 0xc000, 0x0201 }, "192.0.2.1" },
		{ { 0xffff, 0xffff, 0xffff, 0xffff, 0xffff, 0xffff, 0xffff,
		    0xffff },
		  "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
	};
	char out[TEXT_IP], end[TEXT_ENDPOINT];
	struct ipaddr a;

	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		for (unsigned k = 0; k < 8; k++) {
			a.b[2 * k] = (uint8_t)(row[i].g[k] >> 8);
			a.b[2 * k + 1] = (uint8_t)row[i].g[k];
		}
		CHECK_ROW(strcmp(text_ip(out, &a), row[i].text) == 0,
			  row[i].text);
	}
	CHECK(strcmp(text_endpoint(end, &a, 65535),
		     "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535") == 0);
	a = ipaddr_from4((const uint8_t *)"\xcb\x00\x71\x07");
	CHECK(strcmp(text_endpoint(end, &a, 80), "203.0.113.7:80") == 0);
}

static void test_numbers_text(void)
{
	char n[TEXT_NUMBER];

	CHECK(strcmp(text_number(n, 0), "0") == 0);
	CHECK(strcmp(text_number(n, 999), "999") == 0);
	CHECK(strcmp(text_number(n, 1000), "1,000") == 0);
	CHECK(strcmp(text_number(n, UINT64_MAX),
		     "18,446,744,073,709,551,615") == 0);
	CHECK(strcmp(text_amount(n, 999), "999 B") == 0);
	CHECK(strcmp(text_amount(n, 1000), "1.0 kB") == 0);
	CHECK(strcmp(text_amount(n, UINT64_C(1550000000)), "1.6 GB") == 0);
	CHECK(strcmp(text_amount(n, UINT64_MAX), "18447 PB") == 0);
	CHECK(strcmp(text_time(n, 0), "0 ns") == 0);
	CHECK(strcmp(text_time(n, 12345), "12.3 us") == 0);
	CHECK(strcmp(text_time(n, 8100000), "8.1 ms") == 0);
	CHECK(strcmp(text_time(n, 99960000), "100 ms") == 0);
	CHECK(strcmp(text_time(n, UINT64_C(723000000000)), "12 min 3 s") == 0);
	CHECK(strcmp(text_time(n, UINT64_C(7500000000000)), "2 h 5 min") == 0);
	CHECK(strcmp(text_share(n, 0, 0), "0 %") == 0);
	CHECK(strcmp(text_share(n, 7, 7), "100 %") == 0);
	CHECK(strcmp(text_share(n, 99999, 100000), "99.99 %") == 0);
	CHECK(strcmp(text_share(n, 1, 100000), "<0.01 %") == 0);
	CHECK(strcmp(text_share(n, 1, 3), "33.33 %") == 0);
	CHECK(strcmp(text_share(n, UINT64_MAX - 1, UINT64_MAX), "99.99 %") ==
	      0);
}

static void test_safe_text(void)
{
	char out[16];

	CHECK(strcmp(text_safe(out, sizeof(out), "GET /", 5), "GET /") == 0);
	CHECK(strcmp(text_safe(out, sizeof(out), "\x1b[2J\n\\", 6),
		     "\\x1b[2J\\x0a\\\\") == 0);
	CHECK(strcmp(text_safe(out, 8, "1234567", 7), "1234567") == 0);
	CHECK(strcmp(text_safe(out, 8, "12345678", 8), "1234...") == 0);
	CHECK(strcmp(text_safe(out, 8, "12\xff\xff", 4), "12...") == 0);
	CHECK(strcmp(text_safe(out, 4, "\xff", 1), "...") == 0);
	CHECK(strcmp(text_safe(out, 4, "", 0), "") == 0);
}

static const struct report_count ended[] = {
	{ "fin", 1190 },	 { "client_rst", 12 }, { "prod_rst", 0 },
	{ "sut_rst", 2 },	 { "behind", 4 },      { "idle", 20 },
	{ "client_gap", 1 },	 { "run_ended", 3 },   { "pool_full", 0 },
	{ "state_diverged", 2 },
};
static const struct report_count decode[] = { { "tcp", 5000000 },
					      { "arp", 12 },
					      { "bad_l4_csum", 0 } };
static const struct report_count spare[] = { { "options_removed", 7 } };
static const struct report_group groups[] = { { "shadow", { spare, 1 } } };
static const struct report_sum sums[] = { { "frames", 100, 100 },
					  { "requests", 5, 5 } };
static struct report_absorbed top[12];
static struct histogram hist[4];
static const struct report_count why[2][2] = {
	{ { "no_answer", 12 }, { "skew", 0 } },
	{ { "no_answer", 3 }, { "unsure", 4 } },
};

static struct report_data sample(void)
{
	struct report_data d = {
		.version = "1.0",
		.elapsed = UINT64_C(754000000000),
		.flows = { 1234, 1230, 2, { ended, ARRAY_SIZE(ended) } },
		.requests = { 100234, 100120, 100118 },
		.verdicts = { 90000, 9995, 3, 115 },
		.behind = &hist[0],
		.not_played = 4,
		.capture = { 5001222,
			     0,
			     0,
			     &hist[1],
			     { decode, 3 },
			     NULL,
			     0,
			     0 },
		.emit = { 2500000, UINT64_C(1234567890), 0, 0 },
		.absorbed = 2345678,
		.top = top,
		.tops = ARRAY_SIZE(top),
		.own = &hist[1],
		.side = { { &hist[1],
			    &hist[2],
			    &hist[3],
			    99988,
			    { why[0], 2 },
			    false },
			  { &hist[1],
			    &hist[3],
			    NULL,
			    99993,
			    { why[1], 2 },
			    false } },
		.memory = { 0, 73400320, 268435456, 0, 0 },
		.cpu = UINT64_C(61200000000),
		.sums = sums,
		.sum_count = 2,
		.groups = groups,
		.group_count = 1,
	};

	d.reasons[VERDICT_DIFFERENT][REASON_STATUS] = 2;
	d.reasons[VERDICT_DIFFERENT][REASON_BODY] = 1;
	d.each[REASON_STATUS] = 2;
	d.each[REASON_HEADER] = 1;
	d.each[REASON_BODY] = 1;
	d.reasons[VERDICT_NOT_COMPARED][REASON_PROD_GAP] = 100;
	d.reasons[VERDICT_NOT_COMPARED][REASON_MIDSTREAM] = 15;
	memset(hist, 0, sizeof(hist));
	for (uint64_t i = 1; i <= 1000; i++) {
		hist_add(&hist[0], i * 20000);
		hist_add(&hist[1], i * 90);
		hist_add(&hist[2], i * 30000);
		hist_add(&hist[3], i * 31000);
	}
	for (size_t i = 0; i < ARRAY_SIZE(top); i++)
		top[i] = (struct report_absorbed){
			{ ipaddr_from4((const uint8_t *)"\xc6\x33\x64\x07"),
			  (uint16_t)(51000 + i) },
			"tcp",
			12000 - i
		};
	return d;
}

static void check_columns(const char *text)
{
	for (const char *end; *text != '\0'; text = end + 1) {
		end = strchr(text, '\n');
		CHECK(end != NULL);
		if (!end)
			return;
		CHECK_ROW(end - text <= TEXT_COLUMNS, text);
	}
}

static void show(const char *text)
{
	for (; *text != '\0'; text += strcspn(text, "\n") + 1)
		printf("#   %.*s\n", (int)strcspn(text, "\n"), text);
}

static void test_text_report(void)
{
	char out[REPORT_TEXT_MAX];
	struct report_data d = sample();
	size_t n = report_text(out, sizeof(out), &d);

	show(out);
	CHECK(n == strlen(out) && n < sizeof(out) - 1);
	check_columns(out);
	CHECK(strncmp(out,
		      "DIFFERENT: 3 of 99,998 compared answers "
		      "(<0.01 %), in 12 min 34 s\n",
		      65) == 0);
	CHECK(strstr(out, "status 2, header 1, body 1\n") != NULL);
	CHECK(strstr(out, "production_gap 100, midstream 15\n") != NULL);
	CHECK(strstr(out, "prod_rst") == NULL);
	CHECK(strstr(out, "198.51.100.7:51009") != NULL);
	CHECK(strstr(out, "198.51.100.7:51010") == NULL);
	CHECK(strstr(out, "warning: 4 flows") != NULL);
	CHECK(strstr(out, "add up") == NULL);
	CHECK(strstr(out, "production 99,988 of 100,000 requests, no_answer "
			  "12,") != NULL);
	CHECK(strstr(out, "no_answer 3, unsure 4\n") != NULL);
	CHECK(strstr(out, "skew") == NULL);
}

static void test_tunnels(void)
{
	static const struct report_tunnel tunnel[] = {
		{ "vxlan", true, true, 42, 1000 },
		{ "gre", false, false, 0, 7 },
		{ NULL, false, true, 0, 3 },
	};
	char out[REPORT_TEXT_MAX];
	struct report_data d = sample();

	report_json(out, sizeof(out), &d);
	CHECK(strstr(out, "tunnels") == NULL);
	d.capture.tunnel = tunnel;
	d.capture.tunnels = ARRAY_SIZE(tunnel);
	report_text(out, sizeof(out), &d);
	check_columns(out);
	CHECK(strstr(out, "tunnels   vxlan 42 1,000, gre 7 (not looked into), "
			  "more 3\n") != NULL);
	report_json(out, sizeof(out), &d);
	CHECK(strstr(out, "\"tunnels\":[{\"kind\":\"vxlan\",\"key\":42,"
			  "\"taken\":true,\"frames\":1000},"
			  "{\"kind\":\"gre\",\"taken\":false,\"frames\":7},"
			  "{\"kind\":\"more\",\"taken\":true,\"frames\":3}]") !=
	      NULL);
}

/* Of production whose stamps are of two clocks no time is told. */
static void test_skewed(void)
{
	char out[REPORT_TEXT_MAX];
	struct report_data d = sample();
	const char *p = out;
	int n = 0;

	d.side[REPORT_PROD].skewed = true;
	report_text(out, sizeof(out), &d);
	check_columns(out);
	for (; (p = strstr(p, "skewed, not reported")) != NULL; p++)
		n++;
	CHECK(n == 3);
}

/* The first line must not call a run good in which nothing was compared. */
/* Verdicts of each --map, and the endpoints that differ, in 80 columns. */
static void test_places(void)
{
	static struct report_map_sums maps[2];
	static struct report_place places[12];
	struct report_data d = sample();
	char out[REPORT_TEXT_MAX];
	char line[REPORT_LINE_MAX];

	for (unsigned i = 0; i < 2; i++) {
		struct ipaddr *ip = &maps[i].map.production.ip;

		memset(ip, 0x20 + (int)i, sizeof(*ip));
		maps[i].map.production.port = 60001;
		maps[i].map.sut = maps[i].map.production;
		for (unsigned v = 0; v < VERDICT_COUNT; v++)
			maps[i].verdicts[v] = UINT64_MAX / 2 - v;
		for (unsigned r = 1; r < REASON_COUNT; r++)
			maps[i].each[r] = UINT64_MAX / 2;
	}
	for (unsigned i = 0; i < ARRAY_SIZE(places); i++)
		places[i] = (struct report_place){
			.name = "GET /\x1b[31m\xff\"\\a-path-that-is-longer-"
				"than-a-line-has-columns-for-it",
			.name_len = 65,
			.reason = REASON_HEAD_TOO_LONG,
			.n = UINT64_C(1000000000) - i,
			.since = UINT64_C(1700000000123456789),
			.client_port = 40001,
		};
	places[1].name_len = 0;
	d.map = maps;
	d.maps = 2;
	d.place = places;
	d.places = ARRAY_SIZE(places);
	d.frames = "run.pcapng";
	CHECK(report_text(out, sizeof(out), &d) < sizeof(out) - 1);
	check_columns(out);
	CHECK(strchr(out, '\x1b') == NULL);
	CHECK(strstr(out, "maps        [2020:") != NULL);
	CHECK(strstr(out, "22:13:20 GET /\\x1b[31m\\xff") != NULL);
	CHECK(strstr(out, "999,999,991") != NULL); /* the tenth is the last */
	CHECK(strstr(out, "999,999,990") == NULL);
	CHECK(strstr(out, "replay -r run.pcapng --sut-dev DEV --map ... 'tcp "
			  "port 40001'\n") != NULL);
	d.again = "--sut-dev eth1 \\\n    --map 10.0.0.10:80=10.1.0.20:80";
	report_text(out, sizeof(out), &d);
	check_columns(out);
	CHECK(strstr(out,
		     "replay -r run.pcapng --sut-dev eth1 \\\n    --map "
		     "10.0.0.10:80=10.1.0.20:80 'tcp port 40001'\n") != NULL);
	CHECK(report_json(line, sizeof(line), &d) > 0);
	CHECK(strstr(line, "\"maps\":[{\"production\":\"[2020:") != NULL);
	CHECK(strstr(line, "\"since\":\"2023-11-14T22:13:20.123456789Z\"") !=
	      NULL);
	/* No word of a shell, no line without a journal. */
	d.frames = "a b'; rm";
	report_text(out, sizeof(out), &d);
	CHECK(strstr(out, "replay -r FILE --sut-dev eth1") != NULL);
	d.frames = "-";
	report_text(out, sizeof(out), &d);
	CHECK(strstr(out, "replay -r") == NULL);
	d.maps = 1;
	d.places = 0;
	report_text(out, sizeof(out), &d);
	CHECK(strstr(out, "maps  ") == NULL);
	CHECK(strstr(out, "most different") == NULL);
}

static void test_when_text(void)
{
	static const struct {
		uint64_t secs;
		const char *text;
	} rows[] = {
		{ 0, "1970-01-01T00:00:00.000000007Z" },
		{ 951782399, "2000-02-28T23:59:59.000000007Z" },
		{ 951782400, "2000-02-29T00:00:00.000000007Z" },
		{ 951868800, "2000-03-01T00:00:00.000000007Z" },
		{ 1230768000, "2009-01-01T00:00:00.000000007Z" },
		{ 4107542399, "2100-02-28T23:59:59.000000007Z" },
		{ 4107542400, "2100-03-01T00:00:00.000000007Z" },
		{ 18446744073, "2554-07-21T23:34:33.000000007Z" },
	};
	char out[TEXT_NUMBER];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		CHECK_ROW(strcmp(text_when(out, rows[i].secs * 1000000000 + 7),
				 rows[i].text) == 0,
			  rows[i].text);
	CHECK(strcmp(text_date(out, 951782400u * UINT64_C(1000000000)),
		     "29/Feb/2000:00:00:00 +0000") == 0);
	CHECK(strcmp(text_date(out, 1764454201u * UINT64_C(1000000000)),
		     "29/Nov/2025:22:10:01 +0000") == 0);
}

static void test_headlines(void)
{
	static const struct report_sum open_sum = { "frames", 3, 2 };
	char out[REPORT_TEXT_MAX];
	struct report_data d = { .sums = &open_sum, .sum_count = 1 };

	report_text(out, sizeof(out), &d);
	CHECK(strncmp(out, "No answer was compared", 22) == 0);
	CHECK(strstr(out, "warning: frames do not add up: 3 and 2") != NULL);
	CHECK(strstr(out, "doctor") == NULL);
	check_columns(out);
	d.ask_doctor = true;
	report_text(out, sizeof(out), &d);
	CHECK(strstr(out, "'understudy doctor' with the same options") != NULL);
	CHECK(strstr(out, "mirror-ring") == NULL);
	d.verdicts[VERDICT_EQUIVALENT] = 5;
	d.capture.drops = 1;
	report_text(out, sizeof(out), &d);
	CHECK(strncmp(out, "Same: all 5 compared answers", 28) == 0);
	CHECK(strstr(out, "warning: 1 frame was missed") != NULL);
	CHECK(strstr(out, "--mirror-ring 256M") != NULL);
	CHECK(strstr(out, "doctor") == NULL);
	CHECK(strstr(out, "capture ring") == NULL);
	d.capture.not_grown = 1;
	report_text(out, sizeof(out), &d);
	CHECK(strstr(out, "warning: 1 capture ring is small") != NULL);
	check_columns(out);
	CHECK(report_text(out, 20, &d) == 19);
}

static void test_json_report(void)
{
	char out[REPORT_LINE_MAX];
	struct report_data d = sample();
	size_t n = report_json(out, sizeof(out), &d);

	keep_line(out, n);
	CHECK(strncmp(out, "{\"schema\":1,\"type\":\"report\",", 28) == 0);
	CHECK(strstr(out, "\"flows\":{\"seen\":1234,\"played\":1230,") != NULL);
	CHECK(strstr(out, "\"different\":{\"status\":2,\"header\":0,") != NULL);
	CHECK(strstr(out, "\"not_compared\":{\"level_none\":0,") != NULL);
	CHECK(strstr(out, "\"sums\":{\"closed\":true,\"frames\":[100,100],") !=
	      NULL);
	CHECK(strstr(out, "\"shadow\":{\"options_removed\":7}}") != NULL);
	d = (struct report_data){ .version = NULL };
	n = report_json(out, sizeof(out), &d);
	keep_line(out, n);
	CHECK(strstr(out, "\"p50_ms\":null") != NULL);
	CHECK(report_json(out, n, &d) == 0);
	CHECK(report_json(out, n + 1, &d) == n);
}

static void test_difference(void)
{
	static const char request[] = "GET /\x1b[31m HTTP/1.1";
	struct compare_result r = { .verdict = VERDICT_DIFFERENT,
				    .reason = REASON_STATUS,
				    .status = { 200, 500 },
				    .bytes = { 1000, 21 },
				    .offset = UINT64_MAX,
				    .block = 2 };
	struct report_difference d = {
		.flow = 12,
		.client = { ipaddr_from4((const uint8_t *)"\xc0\x00\x02\x01"),
			    40000 },
		.index = 3,
		.result = &r,
		.detail = "id",
		.request = request,
		.request_len = sizeof(request) - 1,
		.prod_ns = 1500000,
	};
	char out[4096];
	size_t n;

	n = report_json_difference(out, sizeof(out), &d);
	keep_line(out, n);
	CHECK(strstr(out, "\"client\":\"192.0.2.1:40000\"") != NULL);
	CHECK(strstr(out, "\"request\":\"GET /\\u001b[31m HTTP/1.1\"") != NULL);
	CHECK(strstr(out, "\"status\":[200,500]") != NULL);
	CHECK(strstr(out, "\"offset\":null,\"block\":2") != NULL);
	CHECK(strstr(out, "\"prod_us\":1500,\"sut_us\":null") != NULL);
	r.reason = REASON_BODY;
	r.status[1] = 200;
	r.offset = 0;
	n = report_json_difference(out, sizeof(out), &d);
	keep_line(out, n);
	CHECK(strstr(out, "\"offset\":0,\"detail\":\"id\"") != NULL);
}

static void test_start(void)
{
	static const struct report_map map[2] = { { .sut = { .port = 80 } } };
	struct report_start s = { "1.0", "shadow", "-i eth0", 1, map, 2 };
	char out[1024];
	size_t n = report_json_start(out, sizeof(out), &s);

	keep_line(out, n);
	CHECK(strstr(out, "\"type\":\"start\"") != NULL);
	CHECK(strstr(out, "},{\"production\":\"[::]:0\"") != NULL);
	n = report_json_clock_step(out, sizeof(out), -1500000);
	keep_line(out, n);
	CHECK(strstr(out, "\"by_us\":1500,\"back\":true") != NULL);
}

static void test_live(void)
{
	struct report_live l = { UINT64_C(754000000000),
				 123456,
				 99999,
				 UINT64_C(12345678),
				 12,
				 4567,
				 8100000,
				 34,
				 0 };
	char out[256];
	size_t full, n;

	full = report_text_live(out, sizeof(out), 200, &l);
	CHECK(strcmp(out, "12 min 34 s  123,456 flows  99,999/s  12,345,678"
			  " same  12 different  4,567 not compared  34 missed  "
			  "behind 8.1 ms") == 0);
	for (unsigned columns = 0; columns < 120; columns++) {
		n = report_text_live(out, sizeof(out), columns, &l);
		CHECK(n == strlen(out) && (n < columns || n == 0));
		CHECK(n == full || columns <= full);
	}
	report_text_live(out, sizeof(out), 80, &l);
	CHECK(strstr(out, "different") != NULL);
	l.journal_lost = 1234;
	report_text_live(out, sizeof(out), 200, &l);
	CHECK(strstr(out, "  34 missed  journal lost 1,234  behind ") != NULL);
}

/* An oracle that is not ours reads every line written above. */
static void test_python_reads_all(void)
{
	static const char program[] =
		"import json,sys\n"
		"n=0\n"
		"for l in open(sys.argv[1],'rb'):\n"
		"    json.loads(l.decode('utf-8'),strict=True); n+=1\n"
		"sys.exit(0 if n>5000 else 1)\n";
	char path[64], command[512];
	int status;

	if (system("command -v python3 >/dev/null 2>&1") != 0)
		CHECK_SKIP("python3 is not installed");
	fflush(lines_out);
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)getpid(),
		 fileno(lines_out));
	snprintf(command, sizeof(command), "python3 -c \"%s\" %s", program,
		 path);
	status = system(command);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* A request again, for a shell. */
static void test_curl(void)
{
	static const struct {
		const char *request;
		const char *want; /* NULL: none */
	} row[] = {
		{ "GET /a?x=[1-3]&y=%20 HTTP/1.1",
		  "curl -sgi --path-as-is "
		  "'http://10.1.0.20:81/a?x=[1-3]&y=%20'" },
		{ "HEAD / HTTP/1.0",
		  "curl -sgI --path-as-is 'http://10.1.0.20:81/'" },
		{ "GET /a?token=<secret:1a2b3c4d+>&b=<secret:00ff00ff> "
		  "HTTP/1.1",
		  "curl -sgi --path-as-is 'http://10.1.0.20:81/a?token='\""
		  "$SECRET_1a2b3c4d\"'&b='\"$SECRET_00ff00ff\"''" },
		{ "GET /a?b=<secret:$(reboot)> HTTP/1.1",
		  "curl -sgi --path-as-is "
		  "'http://10.1.0.20:81/a?b=<secret:$(reboot)>'" },
		{ "POST /a HTTP/1.1", NULL },
		{ "GET /it's HTTP/1.1", NULL },
		{ "GET /\x1b[31m HTTP/1.1", NULL },
		{ "GET http://other/ HTTP/1.1", NULL },
		{ "GET /cut", NULL },
		{ "GET  HTTP/1.1", NULL },
		{ "GET", NULL },
		{ "", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		static char line[REPORT_LINE_MAX];
		size_t n = strlen(row[i].request);
		char *exact = malloc(n + (n == 0)), want[300];
		struct report_place p = {
			.sut = { ipaddr_from4(
					 (const uint8_t[]){ 10, 1, 0, 20 }),
				 81 },
			.request = exact,
			.request_len = n,
		};
		struct report_data d = { .place = &p, .places = 1 };
		struct json j;

		memcpy(exact, row[i].request, n);
		json_begin(&j, want, sizeof(want));
		json_str(&j, "curl", row[i].want);
		n = json_line(&j);
		want[n - 2] = '\0'; /* the brace */
		CHECK(report_json(line, sizeof(line), &d) > 0);
		CHECK_ROW(row[i].want != NULL
				  ? strstr(line, want + 1) != NULL
				  : strstr(line, "\"curl\"") == NULL,
			  line);
		free(exact);
	}
}

/* What makes a pass mean little is said first, and nothing of it otherwise. */
static void test_doubts(void)
{
	static struct report_ruled endpoint[] = {
		{ .name = "*", .verdicts = { 5 } },
		{ .name = "pay" },
		{ .name = "idle" },
	};
	static const struct report_rule line[] = {
		{ .source = "r", .number = 3, .hits = 99, .alone = 90 },
		{ .source = "r", .number = 4, .hits = 99, .alone = 1 },
		{ .source = "@x", .preset = true, .hits = 99, .alone = 99 },
	};
	const struct report_rules rules = {
		.endpoint = endpoint, .endpoints = 3, .line = line, .lines = 3
	};
	static char text[REPORT_TEXT_MAX];
	static char json[REPORT_LINE_MAX];
	struct report_data d = sample();
	const char *first;
	size_t n;

	d.statuses = (struct report_statuses){ 1000, 500, 9 };
	report_text(text, sizeof(text), &d);
	CHECK(!strstr(text, "errors of both") && !strstr(text, "401"));
	n = report_json(json, sizeof(json), &d);
	keep_line(json, n);
	CHECK(!strstr(json, "doubts"));

	memset(d.verdicts, 0, sizeof(d.verdicts));
	d.verdicts[VERDICT_EQUIVALENT] = 100;
	endpoint[1].verdicts[VERDICT_NOT_COMPARED] = 7;
	d.rules = &rules;
	d.statuses = (struct report_statuses){ 1000, 501, 10 };
	d.capture.drops = 1;
	report_text(text, sizeof(text), &d);
	first = strstr(text, "warning: ");
	CHECK(first && strncmp(first,
			       "warning: 10 of 1,000 answers are 401 or 403 of "
			       "the SUT, and not of production\n",
			       77) == 0);
	CHECK(strstr(text, "warning: 501 of 1,000 answers are errors of both"));
	CHECK(strstr(text, "warning: pay: 0 of 7 answers are compared\n"));
	CHECK(strstr(text, "warning: r:3: 90 of 100 answers are alike by this "
			   "line alone\n"));
	CHECK(!strstr(text, "r:4:") && !strstr(text, "idle: 0"));
	n = report_json(json, sizeof(json), &d);
	keep_line(json, n);
	CHECK(strstr(json,
		     "\"doubts\":[{\"doubt\":\"denied\",\"answers\":10,"
		     "\"of\":1000},{\"doubt\":\"mostly_errors\","
		     "\"answers\":501,\"of\":1000},{\"doubt\":"
		     "\"never_compared\",\"answers\":0,\"of\":7,"
		     "\"endpoint\":\"pay\"},{\"doubt\":\"rule_hides_much\","
		     "\"answers\":90,\"of\":100,\"rules\":\"r\","
		     "\"line\":3}]"));
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "a line of JSON", test_json_line },
		{ "JSON escapes", test_json_escapes },
		{ "JSON of random bytes", test_json_random_bytes },
		{ "a line that does not fit is none", test_json_does_not_fit },
		{ "addresses", test_ip_text },
		{ "numbers", test_numbers_text },
		{ "captured bytes", test_safe_text },
		{ "summary", test_text_report },
		{ "tunnels", test_tunnels },
		{ "latencies of two clocks are not told", test_skewed },
		{ "maps and endpoints", test_places },
		{ "a request for a shell", test_curl },
		{ "time of day", test_when_text },
		{ "headlines and warnings", test_headlines },
		{ "report in JSON", test_json_report },
		{ "differences", test_difference },
		{ "what makes a pass mean little", test_doubts },
		{ "start", test_start },
		{ "live line", test_live },
		{ "python3 reads every line", test_python_reads_all },
	};

	lines_out = tmpfile();
	if (!lines_out) {
		printf("Bail out! no temporary file\n");
		return 1;
	}
	return check_main(tests, ARRAY_SIZE(tests));
}
