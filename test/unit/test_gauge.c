/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gauge: what is demanded of times is decided as its interval lies, and an
 * exchange's times reach the report, the JSON lines and the file.
 */
#include "gauge/gauge.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "core/rng.h"
#include "os/exitcode.h"

#define MS UINT64_C(1000000)
#define S  (1000 * MS)

static struct perf_row row_of(int64_t low, int64_t at, int64_t high, int64_t by)
{
	struct perf_row r = { .n = { 1000, 1000 }, .blocks = 60 };

	r.q[2] = (struct perf_quantiles){ .says = PERF_SLOWER,
					  .by = by,
					  .share = at,
					  .share_low = low,
					  .share_high = high };
	return r;
}

static void a_gate_is_decided_as_its_interval_lies(void)
{
	static const struct {
		const char *what;
		int64_t low, at, high, by;
		enum report_gate_state state;
		uint64_t needs;
	} rows[] = {
		{ "beyond", 110000, 150000, 190000, 1000, GATE_FAILED, 0 },
		{ "within", -20000, 10000, 90000, 1000, GATE_PASSED, 0 },
		{ "at it", 50000, 80000, 100000, 1000, GATE_PASSED, 0 },
		{ "across", 60000, 120000, 180000, 1000, GATE_UNDECIDED, 9001 },
		{ "no larger than the error", 110000, 150000, 190000, 100,
		  GATE_PASSED, 0 },
		{ "faster", -200000, -150000, 120000, -5, GATE_UNDECIDED, 410 },
	};
	const struct option_slower limit = { 990, 100000 };
	struct report_gate g = { .name = "x" };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct perf_row r = row_of(rows[i].low, rows[i].at,
					   rows[i].high, rows[i].by);

		gate_slower(&g, &limit, &r, 100);
		CHECK_ROW(g.state == rows[i].state, rows[i].what);
		CHECK_ROW(g.needs == rows[i].needs, rows[i].what);
	}
}

static void too_few_is_undecided(void)
{
	const struct option_slower limit = { 990, 100000 };
	struct report_gate g = { .name = "x" };
	struct perf_row r = { .n = { 3, 3 } };

	gate_slower(&g, &limit, &r, 0);
	CHECK(g.state == GATE_UNDECIDED && g.needs == 0);
}

/* --- a run --- */

static const struct gauge_sums no_sums;

/* The SUT takes @slower / 100 of production's time, whose p50 is 10 ms. */
static void play(struct gauge *g, unsigned slower, unsigned seconds)
{
	struct rng r = { 12 };

	for (unsigned i = 0; i < seconds * 50; i++) {
		uint64_t prod = 8 * MS + rng_below(&r, 4 * MS);
		uint64_t sut = (8 * MS + rng_below(&r, 4 * MS)) * slower / 100;
		struct exchange_record x = {
			.kind = EVENT_VERDICT,
			.judged = S + i * (S / 50),
			.first_ns = { prod, sut },
			.last_ns = { prod + MS, sut + MS },
			.waited_us = 500,
			.bytes = { 1000, 1000 },
		};

		gauge_exchange(g, &x);
	}
}

static struct gauge *begin(struct options *o, const char *words)
{
	struct gauge *g = NULL;
	struct errbuf e = { "" };

	CHECK_ROW(options_read(o, words, OPTIONS_SHADOW, &e) == 0, e.s);
	CHECK_ROW(options_rules_make(o, 1, &e) == 0, e.s);
	CHECK_ROW(gauge_open(&g, o, 7, NULL, &e) == 0, e.s);
	return g;
}

#define MAP "-i x --sut-dev y --map 10.0.0.1:80=10.1.0.1 "

static void a_run_is_judged(void)
{
	static const struct {
		const char *words;
		unsigned slower;
		unsigned seconds;
		int code;
		const char *says;
	} rows[] = {
		{ MAP "--max-slower p99:10%", 130, 60, EXIT_DIFFERENT,
		  "gate        --max-slower p99:10%: failed, +" },
		{ MAP "--max-slower p99:10% --max-slower p50:40%", 130, 60,
		  EXIT_DIFFERENT, "--max-slower p50:40%: passed" },
		{ MAP "--max-slower p50:10%", 100, 60, EXIT_SAME, "alike" },
		{ MAP "--max-slower p99.9:10%", 100, 60, EXIT_ERROR,
		  "undecided; too few answers" },
		{ MAP "--max-slower p99.9:10% --undecided pass", 100, 60,
		  EXIT_SAME, "p99.9:10%: undecided" },
		{ MAP "--perf", 200, 60, EXIT_SAME, "slower" },
		{ MAP "--perf", 200, 20, EXIT_SAME, "too few" },
	};
	static char text[GAUGE_TEXT];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		static const struct latencies none;
		struct options o;
		struct gauge *g = begin(&o, rows[i].words);
		size_t n;

		play(g, rows[i].slower, rows[i].seconds);
		gauge_settle(g, &no_sums, &none, 60 * S);
		n = gauge_text(g, text, sizeof(text));
		CHECK_ROW(n > 0 && n < sizeof(text), rows[i].words);
		CHECK_ROW(strstr(text, rows[i].says), text);
		CHECK_ROW(gauge_exit(g, EXIT_SAME) == rows[i].code,
			  rows[i].words);
		CHECK(gauge_exit(g, EXIT_ERROR) == EXIT_ERROR);
		CHECK(gauge_exit(g, EXIT_DIFFERENT) == EXIT_DIFFERENT);
		gauge_close(g);
	}
}

/* All of @path, terminated; it is removed. */
static char *read_all(const char *path)
{
	FILE *f = fopen(path, "r");
	char *p = calloc(1, 1u << 20);

	CHECK(f && p && fread(p, 1, (1u << 20) - 1, f) > 0);
	if (f)
		fclose(f);
	unlink(path);
	return p;
}

static void put_line(void *lines, const char *p, size_t n)
{
	lines_write(lines, p, n);
}

static void files_have_what_was_measured(void)
{
	static const struct latencies none;
	char dir[] = "/tmp/test_gauge.XXXXXX", hdr[64], json[64], words[256];
	struct lines *lines = NULL;
	char err[LINES_ERR] = "";
	struct options o;
	struct gauge *g;
	char *p;

	CHECK(mkdtemp(dir) != NULL);
	snprintf(hdr, sizeof(hdr), "%s/h", dir);
	snprintf(json, sizeof(json), "%s/j", dir);
	snprintf(words, sizeof(words), MAP "--max-slower p50:10%% --hdr %s",
		 hdr);
	g = begin(&o, words);
	play(g, 150, 60);
	gauge_settle(g, &no_sums, &none, 60 * S);
	CHECK(lines_open(&lines, json, NULL, 1u << 20, err) == 0);
	gauge_lines(g, put_line, lines);
	CHECK(lines_close(lines, NULL) == 0);
	gauge_close(g);
	p = read_all(json);
	CHECK(strstr(p, "\"type\":\"times\",\"endpoint\":\"*\",\"production\":"
			"null,\"metric\":\"service_first\",\"unit\":\"ns\""));
	CHECK(strstr(p, "\"answers\":[3000,3000],\"blocks\":60,"));
	CHECK(strstr(p, "\"type\":\"gate\",\"gate\":\"--max-slower p50:10%\","
			"\"endpoint\":null,\"state\":\"failed\",\"limit_ppm\":"
			"100000,"));
	free(p);
	p = read_all(hdr);
	CHECK(strstr(p, "\nTag=all.sut.service_last,0.000,60.000,"));
	CHECK(strstr(p, "\nTag=all.production.response_first,"));
	CHECK(!strstr(p, "baseline"));
	free(p);
	rmdir(dir);
}

/* --- what differs --- */

#define RULES                                                                  \
	"--compare equivalent --rules 'r\nunderstudy rules 1\n"                \
	"endpoint GET /a as orders\non orders\n"

/* Endpoint 1 has half of all answers; @wrong of 1,000 are different, and @lost
 * are not compared.
 */
static void differ(struct gauge *g, struct gauge_sums *sums, unsigned n,
		   unsigned wrong, unsigned lost)
{
	struct rng r = { 13 };

	memset(sums, 0, sizeof(*sums));
	for (unsigned i = 0; i < n; i++) {
		uint64_t fate = rng_below(&r, 1000);
		struct gauge_sum *at[] = { &sums->run, &sums->endpoint[1] };
		struct exchange_record x = {
			.kind = EVENT_VERDICT,
			.judged = S + i * (S / 50),
			.endpoint = i % 2,
			.verdict = fate < wrong		 ? VERDICT_DIFFERENT
				   : fate < wrong + lost ? VERDICT_NOT_COMPARED
							 : VERDICT_IDENTICAL,
		};

		gauge_exchange(g, &x);
		for (unsigned k = 0; k <= i % 2; k++) {
			at[k]->all++;
			at[k]->compared += x.verdict != VERDICT_NOT_COMPARED;
			at[k]->different += x.verdict == VERDICT_DIFFERENT;
		}
	}
}

static void what_differs_is_judged(void)
{
	static const struct {
		const char *words;
		unsigned n, wrong, lost;
		int code;
		const char *says;
	} rows[] = {
		{ "", 1000, 0, 500, EXIT_SAME, "" },
		{ "", 1000, 5, 0, EXIT_DIFFERENT, "" },
		{ "--max-different 40", 1000, 20, 0, EXIT_SAME,
		  "gate        --max-different 40: passed, " },
		{ "--max-different 3", 1000, 20, 0, EXIT_DIFFERENT,
		  "3: failed, " },
		{ "--max-different 1%", 4000, 2, 0, EXIT_SAME,
		  "1%: passed, 0." },
		{ "--max-different 1%", 4000, 40, 0, EXIT_DIFFERENT,
		  "1%: failed, 3." },
		{ "--max-different 1%", 400, 5, 0, EXIT_ERROR,
		  "1%: undecided, 0." },
		{ "--max-different 1%", 400, 5, 0, EXIT_ERROR,
		  " answers would tell\n" },
		{ "--max-different 1% --undecided pass", 400, 5, 0, EXIT_SAME,
		  "1%: undecided" },
		{ "--max-different 0%", 4000, 1, 0, EXIT_DIFFERENT,
		  "0%: failed" },
		{ "--min-compared 900", 1000, 0, 200, EXIT_ERROR,
		  "gate        --min-compared 900: failed, 8" },
		{ "--min-compared 900", 1000, 0, 200, EXIT_ERROR,
		  " answers are missing\n" },
		{ "--min-compared 70%", 1000, 0, 200, EXIT_SAME,
		  "70%: passed, 8" },
		{ "--min-compared 90%", 1000, 300, 200, EXIT_ERROR, "failed" },
		{ RULES "gate max-different 5%' --max-different 900", 1000, 1,
		  0, EXIT_SAME,
		  "gate        orders: max-different 5%: passed, " },
		{ RULES "gate max-different 5%' --max-different 900", 1000, 100,
		  0, EXIT_DIFFERENT, "orders: max-different 5%: failed, " },
		{ RULES "gate min-compared 600' --max-different 900", 1000, 0,
		  0, EXIT_ERROR, "orders: min-compared 600: failed, 500; 100" },
		{ RULES "gate max-slower p50:10%'", 1000, 0, 0, EXIT_ERROR,
		  "orders: max-slower p50:10%: undecided; too few" },
	};
	static struct gauge_sums sums;
	static char text[GAUGE_TEXT + 1];
	static const struct latencies none;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char words[512];
		struct options o;
		struct gauge *g;
		size_t n;

		snprintf(words, sizeof(words), MAP "%s", rows[i].words);
		g = begin(&o, words);
		differ(g, &sums, rows[i].n, rows[i].wrong, rows[i].lost);
		gauge_settle(g, &sums, &none, 60 * S);
		n = gauge_text(g, text, sizeof(text) - 1);
		text[n] = '\0';
		CHECK_ROW(strstr(text, rows[i].says), text);
		CHECK_ROW((n == 0) == (rows[i].says[0] == '\0'), text);
		CHECK_ROW(gauge_exit(g, EXIT_SAME) == rows[i].code,
			  rows[i].words);
		gauge_close(g);
	}
}

/* An end is foreseen where it is sure, and told by the demand's name. */
static void an_end_is_foreseen(void)
{
	static const struct {
		const char *words;
		unsigned n, wrong;
		const char *what;
	} rows[] = {
		{ "", 1000, 0, NULL },
		{ "", 1000, 5, "--max-different 0" },
		{ "--max-different 40", 1000, 20, NULL },
		{ "--max-different 10", 1000, 30, "--max-different 10" },
		{ "--max-different 1%", 4000, 9, NULL },
		{ "--max-different 1%", 4000, 40, "--max-different 1%" },
		{ "--max-different 1%", 100, 20, NULL },
		{ "--max-different 0%", 4000, 1, "--max-different 0%" },
		{ "--min-compared 100000", 1000, 0, NULL },
		{ RULES "gate max-different 9' --max-different 900", 1000, 30,
		  "max-different 9" },
	};
	static struct gauge_sums sums;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char words[512];
		struct options o;
		struct gauge *g;
		const char *what;

		snprintf(words, sizeof(words), MAP "%s", rows[i].words);
		g = begin(&o, words);
		differ(g, &sums, rows[i].n, rows[i].wrong, 0);
		what = gauge_hopeless(g, &sums);
		CHECK_ROW(rows[i].what ? what && !strcmp(what, rows[i].what)
				       : !what,
			  rows[i].words);
		gauge_close(g);
	}
}

static void a_baseline_is_the_yard(void)
{
	static const struct latencies none;
	static char text[GAUGE_TEXT];
	struct options o;
	struct gauge *g = begin(&o, MAP "--baseline 10.1.0.2 --perf "
					"--compare equivalent");
	struct exchange_record x = { .kind = EVENT_VERDICT };

	for (unsigned i = 0; i < 60 * 50; i++) {
		x.judged = S + i * (S / 50);
		x.map = i % 2;
		x.baseline = i % 2 == 1;
		x.first_ns[0] = x.baseline ? 0 : MS;
		x.first_ns[1] = 2 * MS;
		x.last_ns[0] = x.first_ns[0];
		x.last_ns[1] = x.first_ns[1];
		gauge_exchange(g, &x);
	}
	gauge_settle(g, &no_sums, &none, 60 * S);
	gauge_text(g, text, sizeof(text));
	CHECK_ROW(strstr(text, "SUT against baseline"), text);
	CHECK_ROW(strstr(text, "alike"), text);
	gauge_close(g);
}

#define TEST(name)                                                             \
	{                                                                      \
#name, name                                                    \
	}

int main(void)
{
	static const struct check_test tests[] = {
		TEST(a_gate_is_decided_as_its_interval_lies),
		TEST(too_few_is_undecided),
		TEST(a_run_is_judged),
		TEST(files_have_what_was_measured),
		TEST(a_baseline_is_the_yard),
		TEST(what_differs_is_judged),
		TEST(an_end_is_foreseen),
	};

	return check_main(tests, sizeof(tests) / sizeof(tests[0]));
}
