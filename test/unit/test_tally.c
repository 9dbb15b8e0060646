/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_tally.c - Unit test of engine/tally: each verdict once, each of its reasons,
 * its --map and its endpoint
 */
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "compare/protocol.h"
#include "tally/tally.h"

static struct engine_stats sums;

static void differ(const char *request, uint32_t map, uint64_t reasons,
		   enum compare_reason first, bool udp)
{
	struct exchange_record x = { .map = map,
				     .udp = udp,
				     .protocol = udp ? PROTOCOL_DNS
						     : PROTOCOL_HTTP1,
				     .asked = 77,
				     .client_port = 4000,
				     .verdict = VERDICT_DIFFERENT,
				     .reason = (uint8_t)first,
				     .reasons = reasons };

	(void)tally(&sums, &x, NULL, request, (uint8_t)strlen(request), request,
		    (uint8_t)strlen(request));
}

static void test_sums(void)
{
	struct exchange_record same = { .map = 1 };
	const struct engine_stats *st = &sums;

	memset(&sums, 0, sizeof(sums));
	CHECK(tally(&sums, &same, NULL, "", 0, "", 0) == 0);
	differ("GET /a HTTP/1.1", 0,
	       reason_bit(REASON_HEADER) | reason_bit(REASON_BODY),
	       REASON_HEADER, false);
	differ("GET /a HTTP/1.1", 1, 0, REASON_MISSING, false);
	CHECK(st->verdict[VERDICT_IDENTICAL] == 1);
	CHECK(st->verdict[VERDICT_DIFFERENT] == 2);
	CHECK(st->reason[VERDICT_DIFFERENT][REASON_HEADER] == 1);
	CHECK(st->reason[VERDICT_DIFFERENT][REASON_BODY] == 0);
	CHECK(st->each[REASON_HEADER] == 1 && st->each[REASON_BODY] == 1);
	CHECK(st->each[REASON_MISSING] == 1);
	CHECK(st->map[0].verdict[VERDICT_DIFFERENT] == 1);
	CHECK(st->map[0].each[REASON_BODY] == 1);
	CHECK(st->map[1].verdict[VERDICT_IDENTICAL] == 1);
	CHECK(st->map[1].verdict[VERDICT_DIFFERENT] == 1);
	CHECK(st->endpoints == 2);
}

static void test_endpoint_names(void)
{
	static const struct {
		const char *request;
		bool udp;
		const char *name;
	} rows[] = {
		{ "GET /a?b=1 HTTP/1.1", false, "GET /a" },
		{ "GET /a?c=2 HTTP/1.1", false, "GET /a" },
		{ "GET /a HTTP/1.0", false, "GET /a" },
		{ "HEAD /a#x HTTP/1.1", false, "HEAD /a" },
		{ "GET  HTTP/1.1", false, "GET " },
		{ "", false, "" },
		{ "x", false, "x" },
		{ "what? A", true, "what? A" },
		{ "GET /0123456789012345678901234567890123456789012345678901234"
		  "56789012345678901234567890123456789",
		  false,
		  "GET /0123456789012345678901234567890123456789012345678901234"
		  "56789012345678901234567890123456789" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct engine_endpoint *p = &sums.endpoint[0];

		memset(&sums, 0, sizeof(sums));
		differ(rows[i].request, 0, 0, REASON_BODY, rows[i].udp);
		CHECK_ROW(sums.endpoints == 1, rows[i].request);
		CHECK_ROW(p->name_len == strlen(rows[i].name), rows[i].request);
		CHECK_ROW(memcmp(p->name, rows[i].name, p->name_len) == 0,
			  rows[i].request);
	}
}

/* Alike are method, path, --map and first reason; the first one's time stays. */
static void test_endpoints_are_told_apart(void)
{
	memset(&sums, 0, sizeof(sums));
	for (unsigned i = 0; i < 3; i++) {
		differ("GET /a?1 HTTP/1.1", 0, 0, REASON_BODY, false);
		differ("GET /a?2 HTTP/1.1", 0, 0, REASON_STATUS, false);
		differ("GET /a?3 HTTP/1.1", 1, 0, REASON_BODY, false);
		differ("GET /b HTTP/1.1", 0, 0, REASON_BODY, false);
	}
	CHECK(sums.endpoints == 4);
	for (unsigned i = 0; i < 4; i++) {
		CHECK(sums.endpoint[i].n == 3);
		CHECK(sums.endpoint[i].over == 0);
		CHECK(sums.endpoint[i].since == 77);
		CHECK(sums.endpoint[i].client_port == 4000);
	}
}

/* The smallest is taken over, with its count; a frequent one is not lost. */
static void test_full_table(void)
{
	char request[64];
	const struct engine_endpoint *p = &sums.endpoint[0];
	uint64_t sum = 0;

	memset(&sums, 0, sizeof(sums));
	for (unsigned i = 0; i < 10 * ENDPOINTS_MAX; i++) {
		snprintf(request, sizeof(request), "GET /%u HTTP/1.1", i);
		differ(request, 0, 0, REASON_BODY, false);
		differ("GET /hot HTTP/1.1", 0, 0, REASON_BODY, false);
	}
	CHECK(sums.endpoints == ENDPOINTS_MAX);
	for (unsigned i = 0; i < ENDPOINTS_MAX; i++) {
		sum += sums.endpoint[i].n;
		if (sums.endpoint[i].n > p->n)
			p = &sums.endpoint[i];
	}
	CHECK(sum == 20 * ENDPOINTS_MAX);
	CHECK(p->n - p->over == 10 * ENDPOINTS_MAX);
	CHECK(p->name_len == 8 && memcmp(p->name, "GET /hot", 8) == 0);
}

static void test_statuses(void)
{
	static const struct {
		uint16_t status[2];
		enum verdict verdict;
		enum protocol_id protocol;
		uint64_t pairs, errors, denied; /* after it */
	} rows[] = {
		{ { 200, 200 }, VERDICT_IDENTICAL, PROTOCOL_HTTP1, 1, 0, 0 },
		{ { 404, 404 }, VERDICT_IDENTICAL, PROTOCOL_HTTP1, 2, 1, 0 },
		{ { 200, 401 }, VERDICT_DIFFERENT, PROTOCOL_HTTP1, 3, 1, 1 },
		{ { 404, 403 }, VERDICT_DIFFERENT, PROTOCOL_HTTP1, 4, 2, 2 },
		{ { 403, 401 }, VERDICT_DIFFERENT, PROTOCOL_HTTP1, 5, 3, 2 },
		{ { 200, 401 }, VERDICT_NOT_COMPARED, PROTOCOL_HTTP1, 5, 3, 2 },
		{ { 500, 0 }, VERDICT_DIFFERENT, PROTOCOL_HTTP1, 5, 3, 2 },
		{ { 500, 500 }, VERDICT_IDENTICAL, PROTOCOL_DNS, 5, 3, 2 },
	};
	const struct status_stats *st = &sums.status;

	memset(&sums, 0, sizeof(sums));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct exchange_record x = {
			.protocol = (uint8_t)rows[i].protocol,
			.verdict = (uint8_t)rows[i].verdict,
			.status = { rows[i].status[0], rows[i].status[1] },
		};

		(void)tally(&sums, &x, NULL, "", 0, "", 0);
		CHECK(st->pairs == rows[i].pairs &&
		      st->errors == rows[i].errors &&
		      st->denied == rows[i].denied);
	}
}

/* ICMP of the mirror: what each type counts as, and who is too short to have one. */
static void test_icmp(void)
{
	static const uint8_t v4[][2] = { { 8, 0 }, { 0, 0 },  { 3, 1 },
					 { 3, 4 }, { 11, 0 }, { 5, 0 },
					 { 9, 0 } };
	static const uint8_t v6[][2] = { { 128, 0 }, { 129, 0 }, { 1, 4 },
					 { 2, 0 },   { 3, 0 },	 { 130, 0 } };
	const struct mirror_icmp *c = &sums.icmp;
	struct decoded d = { .seg.proto = PROTO_ICMP, .l4_len = 2 };

	memset(&sums, 0, sizeof(sums));
	for (size_t i = 0; i < ARRAY_SIZE(v4); i++) {
		d.l4 = v4[i];
		tally_icmp(&sums, &d);
	}
	CHECK(c->echo == 1 && c->echo_reply == 1 && c->unreachable == 1);
	CHECK(c->too_big == 1 && c->exceeded == 1 && c->redirect == 1);
	CHECK(c->other == 1);
	d.seg.proto = PROTO_ICMP6;
	for (size_t i = 0; i < ARRAY_SIZE(v6); i++) {
		d.l4 = v6[i];
		tally_icmp(&sums, &d);
	}
	CHECK(c->echo == 2 && c->echo_reply == 2 && c->unreachable == 2);
	CHECK(c->too_big == 2 && c->exceeded == 2 && c->redirect == 1);
	CHECK(c->other == 2);
	d.l4_len = 1;
	tally_icmp(&sums, &d);
	CHECK(c->other == 2);
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "sums", test_sums },
		{ "names of endpoints", test_endpoint_names },
		{ "endpoints are told apart", test_endpoints_are_told_apart },
		{ "a full table", test_full_table },
		{ "statuses that were compared", test_statuses },
		{ "ICMP by kind", test_icmp },
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
