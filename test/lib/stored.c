/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stored.c - Make the folder of a run that never was, for tests of what reads it
 *
 * usage: stored DIR [goes-on]
 *
 * Of captured bytes there is markup in each place where there can be some. With
 * "goes-on" the run has not ended, and its database is held open until standard input
 * is shut.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "compare/place.h"
#include "store/look.h"
#include "store_rig.h"

#define EVIL                                                                   \
	"<script>document.title='taken'</script><img src=x onerror=alert(1)>"
#define TICKS 120u

static const char *const head[] = {
	"GET /price?id=7&x=" EVIL " HTTP/1.1\r\nHost: shop.example\r\n"
	"X-Evil: " EVIL "\r\nCookie: sid=<secret:1a2b3c4d>; a=" EVIL "\r\n\r\n",
	"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nETag: "
	"\"a1\"\r\n\r\n",
	"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nETag: "
	"\"b7\"\r\n\r\n",
};

static const char *const body[] = {
	"",
	"{\n  \"id\": 7,\n  \"name\": \"Lamp\",\n  \"note\": \"" EVIL "\",\n"
	"  \"price\": 10.00,\n  \"currency\": \"EUR\",\n  \"stock\": 12\n}\n",
	"{\n  \"id\": 7,\n  \"name\": \"Lamp\",\n  \"note\": \"" EVIL "\",\n"
	"  \"price\": 10.0,\n  \"currency\": \"EUR\",\n  \"tags\": [\"new\"],\n"
	"  \"stock\": 12\n}\n",
};

static void must(bool holds)
{
	if (!holds)
		abort();
}

/* A kind: its endpoint, where it differs, and how often of 600. */
static const struct {
	const char *name;
	enum compare_reason reason;
	enum case_judge judge;
	enum case_change change;
	const char *place;
	const char *detail;
	unsigned times;
} kinds[] = {
	{ "GET /price", REASON_BODY, CASE_JSON, CASE_VALUE, "$.price",
	  "$.price: 10.00 / 10.0", 212 },
	{ "GET /user/17/orders", REASON_BODY, CASE_JSON, CASE_ORDER, "$.items",
	  "$.items: order", 140 },
	{ "GET /static/app.js", REASON_HEADER, CASE_HEADERS, CASE_VALUE, "ETag",
	  "ETag: \"a1\" / \"b7\"", 96 },
	{ "POST /login", REASON_STATUS, CASE_NOBODY, CASE_NO_CHANGE, "",
	  "status: 200 / 500", 61 },
	{ "GET /" EVIL, REASON_BODY, CASE_TEXT, CASE_VALUE, EVIL, EVIL, 40 },
	{ "GET /search", REASON_LENGTH, CASE_NOBODY, CASE_NO_CHANGE, "",
	  "length: 812 / 640", 31 },
	{ "GET /cart", REASON_HEADER, CASE_HEADERS, CASE_MISSING,
	  "Cache-Control", "Cache-Control: private / missing", 20 },
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static void put_one(struct store *s, unsigned k, unsigned i)
{
	struct case_place *place;
	struct report_difference d;
	struct compare_result r;
	char line[300];

	store_rig_difference(&d, &r, 8);
	snprintf(line, sizeof(line), "%s?id=%u%s HTTP/1.1", kinds[k].name, i,
		 i % 2 == 0 ? "" : "&x=" EVIL);
	d.request = line;
	d.request_len = strlen(line);
	d.detail = kinds[k].detail;
	d.asked += i * UINT64_C(200000000);
	r.reason = kinds[k].reason;
	r.status[1] = kinds[k].reason == REASON_STATUS ? 500 : 200;
	r.evidence.kind =
		kinds[k].judge == CASE_NOBODY ? 0 : 0x9f3a2c11u * (k + 1);
	place = &r.evidence.place;
	place->judge = (uint8_t)kinds[k].judge;
	place->change = (uint8_t)kinds[k].change;
	snprintf(place->name, sizeof(place->name), "%s", kinds[k].place);
	store_difference(s, &d, i);
}

static void put_differences(struct store *s)
{
	unsigned i = 0;

	for (unsigned round = 0; i < 600; round++)
		for (unsigned k = 0; k < KINDS; k++)
			if (round < kinds[k].times)
				put_one(s, k, i++);
}

/* Slower towards the end, as servers are. */
static void set_times(struct store_rig *g)
{
	static const uint64_t us[] = { 180, 420, 1900, 9800 };

	for (unsigned i = 0; i < 2; i++)
		for (unsigned q = 0; q < PERF_QUANTILES; q++) {
			struct perf_quantiles *v = &g->times[i].row.q[q];
			uint64_t ns = us[q % 4] * 1000;

			*v = (struct perf_quantiles){
				.says = PERF_SLOWER,
				.yard = ns,
				.sut = ns + ns / 10 * (q + 1),
				.low = (int64_t)(ns / 20 * q),
				.high = (int64_t)(ns / 5 * (q + 1))
			};
		}
}

static void put_ticks(struct store *s)
{
	for (unsigned i = 0; i < TICKS; i++) {
		struct store_tick t = {
			.at = UINT64_C(1767225600) * 1000000000 +
			      i * UINT64_C(1000000000),
			.n = { .seen = i * 2500u + (i * i * 31u) % 700,
			       .delivered = i * 2500u,
			       .answered = i * 2500u,
			       .identical = i * 1770u,
			       .equivalent = i * 675u,
			       .different = i * 5u,
			       .not_compared = i * 50u },
			.is = { .flows = 40,
				.behind = 300000 + (i * i * 977u) % 200000 }
		};

		must(store_tick(&t, store_rig_put, s) == 0);
	}
}

static void put_samples(const char *dir)
{
	struct sampler *p = NULL;
	struct errbuf e;

	must(sampler_open(&p, dir, 0, &e) == 0);
	for (int64_t i = 1; i <= 60; i++)
		for (unsigned k = 0; k < SAMPLE_SIDES; k++) {
			const struct sample one = {
				.side = (enum sample_side)k,
				.shown = SAMPLE_DECODED,
				.at = k == 0 ? SAMPLE_SAME : 130,
				.bytes = strlen(body[k]),
				.head = head[k],
				.head_len = strlen(head[k]),
				.body = body[k],
				.body_len = strlen(body[k])
			};

			must(sampler_put(p, i, &one) == 0);
		}
	must(sampler_close(p) == 0);
}

int main(int argc, char **argv)
{
	bool goes_on = argc > 2 && strcmp(argv[2], "goes-on") == 0;
	struct store_rig g;
	struct errbuf e;
	struct store *s;
	char path[1200];
	FILE *f;

	must(argc > 1 && mkdir(argv[1], 0700) == 0);
	must(store_make(&s, argv[1], 0, &e) == 0);
	put_ticks(s);
	put_differences(s);
	store_rig_make(&g);
	set_times(&g);
	g.data.verdicts[VERDICT_IDENTICAL] = 210630;
	g.data.verdicts[VERDICT_EQUIVALENT] = 80325;
	g.data.verdicts[VERDICT_DIFFERENT] = 600;
	g.data.verdicts[VERDICT_NOT_COMPARED] = 5950;
	g.data.elapsed = TICKS * UINT64_C(1000000000);
	g.form.text = "DIFFERENT: 600 of 291,555 compared answers (0.21 %)\n"
		      "warning: the SUT says 401 or 403 to 41 % of what "
		      "production does not: " EVIL "\n";
	if (goes_on) {
		must(store_start(&g.start, store_rig_put, s) == 0);
		store_idle(s, UINT64_MAX);
		puts("ready");
		fflush(stdout);
		while (getchar() != EOF)
			;
		return store_close(s) != 0;
	}
	must(store_rig_fill(&g, s, 0) == 0 && store_close(s) == 0);
	put_samples(argv[1]);
	snprintf(path, sizeof(path), "%s/d-000001.pcapng", argv[1]);
	f = fopen(path, "w");
	must(f && fputs("packets", f) >= 0 && fclose(f) == 0);
	return 0;
}
