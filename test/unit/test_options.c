/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_options.c - Unit test of run/options and opt/values
 */
#include "config/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "opt/opt.h"
#include "opt/values.h"
#include "config/map.h"

#define WORDS_MAX 128
#define TEXT_MAX  8192

/* A command line in one string, split at blanks, parsed. The strings stay. */
static int parse(struct options *o, const char *line, unsigned cmd,
		 struct errbuf *e)
{
	static char store[16][1024];
	static unsigned turn;
	char *text = store[turn++ % 16];
	char *argv[WORDS_MAX];
	int argc = 0;

	snprintf(text, sizeof(store[0]), "%s", line);
	for (char *w = strtok(text, " "); w != NULL; w = strtok(NULL, " "))
		argv[argc++] = w;
	e->s[0] = '\0';
	return options_parse(o, argc, argv, cmd, e);
}

static struct ipaddr ip(const char *s)
{
	struct ipaddr a = { { 0 } };

	CHECK(value_get_ip(s, strlen(s), &a) == 0);
	return a;
}

static void test_defaults(void)
{
	struct options o;
	struct errbuf e;

	CHECK(parse(&o, "", OPTIONS_SHADOW, &e) == 0);
	CHECK(o.engine.limits.flows == 65536);
	CHECK(o.engine.limits.pool == 256u << 20);
	CHECK(o.engine.limits.flow_share == 16u << 20);
	CHECK(o.engine.compare == COMPARE_EQUIVALENT);
	CHECK(o.engine.sample == 65536);
	CHECK(o.engine.decap.kinds == 0);
	CHECK(o.engine.shadow.midstream && o.engine.shadow.shed);
	CHECK(o.engine.shadow.gso && !o.engine.shadow.timing);
	CHECK(!o.engine.shadow.order_captured);
	CHECK(o.engine.shadow.delay == 0);
	CHECK(o.engine.shadow.max_lag == 30 * NS_PER_SEC);
	CHECK(o.engine.shadow.sut_silent == 10 * NS_PER_SEC);
	CHECK(o.capture == RING_V2);
	CHECK(o.min_compared.share && o.min_compared.n == 0);
	CHECK(o.iface == NULL && o.sut_dev == NULL && o.expr[0] == '\0');
}

/* A text of options that does not say was written when nothing was refused. */
static void test_an_older_journal(void)
{
	static const char old[] = "-i x --sut-dev y --map 10.0.0.1=10.1.0.1";
	struct options o;
	struct errbuf e;
	char text[4096];

	CHECK(parse(&o, old, OPTIONS_SHADOW, &e) == 0 && o.engine.refuse);
	CHECK(options_text(&o, text, sizeof(text)) >= 0);
	CHECK(strstr(text, "--outside refuse") != NULL);
	CHECK(options_read(&o, text, OPTIONS_SHADOW, &e) == 0);
	CHECK(o.engine.refuse && o.engine.ask_others);
	CHECK(options_read(&o, old, OPTIONS_SHADOW, &e) == 0);
	CHECK(!o.engine.refuse && !o.engine.ask_others);
	CHECK(parse(&o,
		    "-i x --sut-dev y --map 10.0.0.1=10.1.0.1 --outside "
		    "silent",
		    OPTIONS_SHADOW, &e) == 0);
	CHECK(!o.engine.refuse && o.engine.ask_others);
}

static void test_a_whole_command(void)
{
	struct options o;
	struct errbuf e;

	CHECK(parse(&o,
		    "-i mon0 --sut-dev eth1 --map 10.0.0.10:80=10.1.0.20:8080 "
		    "--compare identical --duration 60s --json out.jsonl "
		    "-w run.pcapng -C5 -G 7 -W 3 -qc 12 --level=timing "
		    "--sample 10% --behind wait --max-lag 500ms --vxlan 7 "
		    "--pool 64M --sut-mac 02:00:5e:10:0A:ff "
		    "--min-compared 12.5% --max-different 4 tcp port 80",
		    OPTIONS_SHADOW, &e) == 0);
	CHECK(strcmp(o.iface, "mon0") == 0);
	CHECK(strcmp(o.sut_dev, "eth1") == 0 && !o.engine.sut_none);
	CHECK(o.engine.maps == 1 && o.engine.map[0].bits == IPADDR_BITS);
	CHECK(o.engine.map[0].prod_port == 80);
	CHECK(o.engine.map[0].sut_port == 8080);
	CHECK(o.engine.compare == COMPARE_IDENTICAL);
	CHECK(o.duration == 60 * NS_PER_SEC);
	CHECK(strcmp(o.json, "out.jsonl") == 0);
	CHECK(o.rotate_bytes == 5 && o.rotate_secs == 7 && o.rotate_files == 3);
	CHECK(o.quiet && o.count == 12);
	CHECK(o.engine.shadow.timing);
	CHECK(o.engine.shadow.delay == SHADOW_DELAY);
	CHECK(o.engine.sample == 6554);
	CHECK(!o.engine.shadow.shed);
	CHECK(o.engine.shadow.max_lag == 500 * NS_PER_MS);
	CHECK(o.engine.decap.keyed && o.engine.decap.key == 7);
	CHECK(o.engine.limits.pool == 64u << 20);
	CHECK(o.engine.sut_pinned && o.engine.sut_mac[4] == 0x0a);
	CHECK(o.min_compared.share && o.min_compared.n == 125000);
	CHECK(!o.max_different.share && o.max_different.n == 4);
	CHECK(strcmp(o.expr, "tcp port 80") == 0);
}

static void test_dates_in_names(void)
{
	struct errbuf e = { "" };
	struct options o;

	/* 2001-09-09 01:46:40 UTC */
	setenv("TZ", "UTC0", 1);
	options_defaults(&o);
	o.json = "out-%Y%m%d-%H%M%S.jsonl";
	o.journal = "100%%.pcapng";
	CHECK(options_dates(&o, 1000000000 * NS_PER_SEC, &e) == 0);
	CHECK(strcmp(o.json, "out-20010909-014640.jsonl") == 0);
	CHECK(strcmp(o.journal, "100%.pcapng") == 0);
	o.json = "-";
	o.journal = NULL;
	CHECK(options_dates(&o, 0, &e) == 0 && strcmp(o.json, "-") == 0);
	opt_forget();
}

struct map_row {
	const char *text;
	const char *prod;
	unsigned bits;
	unsigned pport;
	const char *sut;
	unsigned sport;
};

static void test_maps(void)
{
	static const struct map_row rows[] = {
		{ "10.0.0.1=10.1.0.1", "10.0.0.1", 128, 0, "10.1.0.1", 0 },
		{ "10.0.0.1:80=10.1.0.1", "10.0.0.1", 128, 80, "10.1.0.1", 0 },
		{ "10.0.0.0/24:80=10.1.0.1:81", "10.0.0.0", 120, 80, "10.1.0.1",
		  81 },
		{ "0.0.0.0/0=10.1.0.1:81", "0.0.0.0", 96, 0, "10.1.0.1", 81 },
		{ "[2001:db8::1]:80=[2001:db8::2]:81", "2001:db8::1", 128, 80,
		  "2001:db8::2", 81 },
		{ "2001:db8::/32=2001:db9::2", "2001:db8::", 32, 0,
		  "2001:db9::2", 0 },
		{ "[2001:db8::]/32:443=2001:db9::2", "2001:db8::", 32, 443,
		  "2001:db9::2", 0 },
		{ "2001:db8::1=[2001:db8::2]:1", "2001:db8::1", 128, 0,
		  "2001:db8::2", 1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct map_row *r = &rows[i];
		struct engine_map m;
		struct engine_map again;
		struct ipaddr prod = ip(r->prod);
		struct ipaddr sut = ip(r->sut);
		char text[256];
		struct text t;

		CHECK_ROW(value_get_map(r->text, &m) == 0, r->text);
		CHECK_ROW(ipaddr_eq(&m.prod, &prod), r->text);
		CHECK_ROW(ipaddr_eq(&m.sut, &sut), r->text);
		CHECK_ROW(m.bits == r->bits, r->text);
		CHECK_ROW(m.prod_port == r->pport, r->text);
		CHECK_ROW(m.sut_port == r->sport, r->text);
		text_begin(&t, text, sizeof(text));
		value_put_map(&t, &m);
		CHECK_ROW(value_get_map(text, &again) == 0, text);
		CHECK_ROW(memcmp(&m, &again, sizeof(m)) == 0, text);
	}
}

static void test_bad_values(void)
{
	static const char *const rows[] = {
		"--map 10.0.0.1",
		"--map =10.0.0.1",
		"--map 10.0.0.1=",
		"--map 10.0.0.1:0=10.1.0.1",
		"--map 10.0.0.1:65536=10.1.0.1",
		"--map 10.0.0.1:80x=10.1.0.1",
		"--map 10.0.0.1/24=10.1.0.1", /* bits behind the prefix */
		"--map 10.0.0.0/33=10.1.0.1",
		"--map 10.0.0.0/=10.1.0.1",
		"--map 10.0.0.1=10.1.0.0/24",
		"--map 10.0.0.1=2001:db8::1",
		"--map [10.0.0.1]:80=10.1.0.1",
		"--map [2001:db8::1=2001:db8::2",
		"--map 2001:db8::1/129=2001:db8::2",
		"--duration 5x",
		"--duration x",
		"--duration -5s",
		"--duration 99999999999h",
		"--duration",
		"--pool 1",
		"--pool 10T",
		"--sample 10",
		"--sample 0%",
		"--sample 101%",
		"--sample 100.1%",
		"--max-flows 0",
		"--max-flows 99999999999999999999",
		"--compare same",
		"--level request",
		"--level fragment",
		"--vxlan 16777216",
		"--vxlan 4294967294",
		"--sut-mac 02:00:00:00:00",
		"--sut-mac 01:00:00:00:00:01", /* of a group */
		"--wire-also 02:00:00:00:00:01",
		"--wire-also 10.1.0.9",
		"--wire-also 10.1.0.9,02:00:00:00:00:01",
		"--wire-also 02:00:00:00:00:01,",
		"--wire-also 02:00:00:00:00:01,10.1.0",
		"--wire-also 01:00:00:00:00:01,10.1.0.9",
		"--skip 10.0.0.1/8",
		"--ignore-header X-Id:",
		"--ignore-header a@b",
		"--ignore-header "
		"a23456789b123456789c123456789d123456789e123456789f123456789g12"
		"34x",
		"--print=yes",
		"--no-such",
		"-Z",
		"-r",
		"@/nonexistent/file",
	};
	struct options o;
	struct options before;
	struct errbuf e;

	memset(&o, 0x5a, sizeof(o));
	before = o;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CHECK_ROW(parse(&o, rows[i], OPTIONS_SHADOW, &e) == -22,
			  rows[i]);
		CHECK_ROW(e.s[0] != '\0', rows[i]);
		CHECK_ROW(memcmp(&o, &before, sizeof(o)) == 0, rows[i]);
	}
	CHECK(parse(&o, "--level request", OPTIONS_SHADOW, &e) < 0);
	CHECK(strstr(e.s, "later version") != NULL);
}

/* What is written is the shortest that says the same. */
static const struct {
	const char *given;
	const char *written; /* NULL: refused */
} written[] = {
	{ "--decap none", "" },
	{ "--max-rate 20M", "--max-rate 20000000" },
	{ "--max-rate 8K", "--max-rate 8000" },
	{ "--max-rate 1000G", "--max-rate 1000000000000" },
	{ "--max-rate 7999", NULL },
	{ "--max-rate 1001G", NULL },
	{ "--max-rate K", NULL },
	{ "--max-rate 20m", NULL },
	{ "--max-rate 99999999999999999999", NULL },
	{ "--sut-mac any", "--sut-mac any" },
	{ "--sut-mac any --sut-mac 02:00:00:00:00:01",
	  "--sut-mac 02:00:00:00:00:01" },
	{ "--sut-mac all", NULL },
	{ "--methods all", "" },
	{ "--methods safe", "--methods safe" },
	{ "--methods GET,HEAD,OPTIONS,TRACE", "--methods safe" },
	{ "--methods PUT,X-1", "--methods PUT,X-1" },
	{ "--methods safe --methods all", "" },
	{ "--methods GET,", NULL },
	{ "--methods GET:POST", NULL },
	{ "--stop-after 3", "--stop-after 3" },
	{ "--max-slower p99.9:25% --max-slower p50:100%",
	  "--max-slower p99.9:25% --max-slower p50:100%" },
	{ "--undecided pass", "--undecided pass" },
	{ "--perf --hdr h", "--perf --hdr h" },
	{ "--decap auto", "--decap auto" },
	{ "--decap auto:7", "--decap auto:7" },
	{ "--decap vxlan", "--decap vxlan" },
	{ "--decap vxlan:16777215@8472", "--decap vxlan:16777215@8472" },
	{ "--decap vxlan:7@4789", "--vxlan 7" },
	{ "--vxlan 7 --decap geneve@1", "--decap geneve@1" },
	{ "--decap gre:4294967295", "--decap gre:4294967295" },
	{ "--decap erspan:0", "--decap erspan:0" },
	{ "--decap gre --vxlan any", "--vxlan any" },
	{ "--decap gre --vxlan none", "" },
	{ "--decap ipip", NULL },
	{ "--decap vxlan:16777216", NULL },
	{ "--decap gre:4294967296", NULL },
	{ "--decap vxlan:", NULL },
	{ "--decap vxlan:7@0", NULL },
	{ "--decap vxlan@65536", NULL },
	{ "--decap gre@47", NULL },
	{ "--decap erspan:1@4789", NULL },
	{ "--decap none:3", NULL },
};

static void test_written(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(written); i++) {
		struct options o;
		struct options again;
		struct errbuf e = { "" };
		char text[TEXT_MAX];
		const char *at;
		bool taken;

		taken = parse(&o, written[i].given, OPTIONS_SHADOW, &e) == 0;
		CHECK_ROW(taken == (written[i].written != NULL),
			  written[i].given);
		if (!taken) {
			CHECK_ROW(e.s[0] != '\0', written[i].given);
			continue;
		}
		CHECK(options_text(&o, text, sizeof(text)) > 0);
		at = strstr(text, written[i].written);
		CHECK_ROW(at != NULL, text);
		CHECK_ROW(written[i].written[0] != '\0' ||
				  (strstr(text, "decap") == NULL &&
				   strstr(text, "methods") == NULL &&
				   strstr(text, "vxlan") == NULL),
			  text);
		CHECK_ROW(options_read(&again, text, OPTIONS_SHADOW, &e) == 0,
			  e.s);
		CHECK_ROW(memcmp(&o.engine, &again.engine, sizeof(o.engine)) ==
				  0,
			  text);
	}
}

/* Every option is set, and reads back from its text as the same struct. */
static void test_text_reads_back(void)
{
	static const char *const rows[] = {
		"",
		"-i mon0 --sut-dev eth1 --map 10.0.0.10:80=10.1.0.20 tcp",
		"-r a -r @b -r - --sut-dev none --map ::1=::2 --map "
		"[::3]:80=[::4]:81",
		"-i x --sut-dev y --sut-mac 02:01:02:03:04:05 --compare none "
		"--wire-also 02:01:02:03:04:06,10.9.0.1 "
		"--wire-also 02:01:02:03:04:06,fe80::1 "
		"--level timing --sample 33.3333% --skip 10.0.0.0/8 --skip "
		"2001:db8::/32 --skip ::1 --midstream off --order captured "
		"--behind wait --max-lag 1500ms --sut-silent 61s --idle 2h "
		"--vxlan any --max-flows 1234 --pool 100M --flow-share 1025K "
		"--capture v3 --mirror-ring 65537 --sut-ring 1G --duration 7us "
		"-c 99 --json - -w f -C 1 -G 2 -W 3 --journal-only client "
		"--print --min-compared 0.0001% --max-different 5 --user me -q "
		"port 80 and not host 'x'",
		"--sample 0.0001% --min-compared 17 --vxlan 16777215",
		"--sample 99.99% --duration 3ns",
		"--keep 1M",
		"--rules @http --keep 2M",
		"--sut-mac 02:01:02:03:04:05 --sut-mac any",
		"--vxlan 7 --vxlan none --max-rate 9K --max-rate 10K",
		"--methods GET,POST,PUT --methods safe --methods PUT",
		"--ignore-header X-Request-Id --ignore-header '!#$%&*+-.^_`|~'",
	};
	char text[TEXT_MAX];
	char again[TEXT_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct options a;
		struct options b;
		struct errbuf e = { "" };
		int n;

		CHECK_ROW(parse(&a, rows[i], OPTIONS_SHADOW, &e) == 0, e.s);
		n = options_text(&a, text, sizeof(text));
		CHECK_ROW(n > 0 && strlen(text) == (size_t)n, rows[i]);
		CHECK_ROW(options_read(&b, text, OPTIONS_SHADOW, &e) == 0, e.s);
		CHECK_ROW(options_text(&b, again, sizeof(again)) == n, rows[i]);
		CHECK_ROW(strcmp(text, again) == 0, again);
		CHECK_ROW(memcmp(&a.engine, &b.engine, sizeof(a.engine)) == 0,
			  text);
		CHECK_ROW(strcmp(a.expr, b.expr) == 0, text);
		CHECK_ROW(a.files == b.files, text);
		for (uint32_t k = 0; k < a.files && k < b.files; k++)
			CHECK_ROW(strcmp(a.file[k], b.file[k]) == 0, text);
		CHECK_ROW(a.duration == b.duration && a.count == b.count, text);
		CHECK_ROW(a.print == b.print && a.quiet == b.quiet, text);
		CHECK_ROW(a.capture == b.capture, text);
		CHECK_ROW(a.min_compared.n == b.min_compared.n &&
				  a.min_compared.share == b.min_compared.share,
			  text);
		CHECK_ROW(a.journal_client == b.journal_client, text);
		CHECK_ROW(a.mirror_ring == b.mirror_ring, text);
		CHECK_ROW(a.journal_ring == b.journal_ring, text);
		CHECK_ROW(options_text(&a, text, (size_t)n) < 0, rows[i]);
	}
}

/* Journals of all versions hold these words in this order: none may move. */
static void test_the_text_of_journals(void)
{
	static const char *const shadow[] = {
		"-i mon0 --sut-dev eth1 --map 10.0.0.10:80=10.1.0.20"
		" --map [::3]:80=[::4]:81 --sut-mac 02:01:02:03:04:05"
		" --compare none --wire-also 02:01:02:03:04:06,10.9.0.1"
		" --level timing --sample 33.3333% --skip 10.0.0.0/8"
		" --skip ::1 --midstream off --order captured --behind"
		" wait --max-lag 1500ms --sut-silent 61s --idle 2h"
		" --vxlan any --max-flows 1234 --pool 100M --flow-share"
		" 1025K --capture v3 --mirror-ring 65537 --sut-ring 1G"
		" --duration 7us -c 99 --json - --redact off -w f -C 1 -G 2"
		" -W 3"
		" --journal-only client --print --min-compared 0.0001%"
		" --max-different 5 --user me -q --outside silent"
		" --prove default --final-wait 3s --answer-wait 4s"
		" --reorder-wait 5ms --max-no-route 2% --allow-down 1m"
		" port 80 and not host x",
		" --interface mon0 --sut-dev eth1 --map"
		" 10.0.0.10:80=10.1.0.20 --map [::3]:80=[::4]:81"
		" --sut-mac 02:01:02:03:04:05 --wire-also"
		" 02:01:02:03:04:06,10.9.0.1 --outside silent --prove"
		" default --compare none --level timing --sample"
		" 33.3328% --skip 10.0.0.0/8 --skip ::1 --midstream off"
		" --order captured --behind wait --reorder-wait 5ms"
		" --max-lag 1500ms --sut-silent 61s --answer-wait 4s"
		" --final-wait 3s --idle 2h --vxlan any --max-flows"
		" 1234 --pool 100M --flow-share 1025K --capture v3"
		" --mirror-ring 65537 --sut-ring 1G --duration 7us"
		" --count 99 --stop-after 0 --json - --redact off"
		" --evidence tags --store-max 1G --write f --rotate-size 1"
		" --rotate-seconds 2 --rotate-files 3 --journal-only"
		" client --journal-ring 64M --print --min-compared 0.0001%"
		" --max-different 5 --max-no-route 2% --allow-down 1m"
		" --undecided error --max-leak 0 --user me --quiet"
		" --maxsleep 0s -- 'port 80 and not host x'",
	};
	static const char *const replay[] = {
		"-r a -r b --sut-dev y --map 10.0.0.1=10.1.0.1"
		" --multiplier 2.5 --flows 7 --loop 3 --index 64K"
		" --checksums trust --client-net all,10.9.0.0/16"
		" --maxsleep 8s --concurrency 5 --ignore-header ETag"
		" --min-compared 17",
		" --read a --read b --sut-dev y --map 10.0.0.1=10.1.0.1"
		" --outside refuse --prove each --compare equivalent"
		" --ignore-header etag --level packet --sample 100%"
		" --midstream on --order causal --behind shed"
		" --reorder-wait 200ms --max-lag 30s --sut-silent 10s"
		" --answer-wait 5s --idle 5m --max-flows 65536 --pool"
		" 256M --flow-share 16M --capture v2 --mirror-ring 0"
		" --sut-ring 0 --duration 0s --count 0"
		" --stop-after 0 --redact on --evidence tags --store-max 1G"
		" --rotate-size 0 --rotate-seconds 0 --rotate-files 0"
		" --journal-only all --journal-ring 64M --min-compared 17"
		" --max-different 0 --max-no-route 1% --allow-down 0s"
		" --undecided error --max-leak 0 --multiplier 2.500"
		" --client-net all,10.9.0.0/16 --checksums trust --maxsleep 8s"
		" --flows 7 --concurrency 5 --loop 3 --index 64K",
	};
	struct options o;
	struct errbuf e;
	char text[TEXT_MAX];

	CHECK(parse(&o, shadow[0], OPTIONS_SHADOW, &e) == 0);
	CHECK(options_text(&o, text, sizeof(text)) > 0);
	CHECK_ROW(strcmp(text, shadow[1]) == 0, text);
	CHECK(parse(&o, replay[0], OPTIONS_REPLAY, &e) == 0);
	CHECK(options_text(&o, text, sizeof(text)) > 0);
	CHECK_ROW(strcmp(text, replay[1]) == 0, text);
}

static void test_quoted_text(void)
{
	char expr[] = "host a'b and # \\ \"c\"\n@x";
	char name[] = "a b'c#";
	char *argv[] = { "-w", name, "--", expr };
	char text[TEXT_MAX];
	struct options o;
	struct options b;
	struct errbuf e = { "" };

	CHECK(options_parse(&o, 4, argv, OPTIONS_SHADOW, &e) == 0);
	CHECK(options_text(&o, text, sizeof(text)) > 0);
	CHECK(options_read(&b, text, OPTIONS_SHADOW, &e) == 0);
	CHECK(strcmp(b.expr, expr) == 0);
	CHECK(strcmp(b.journal, name) == 0);
}

static void test_option_files(void)
{
	char path[] = "/tmp/test_options_XXXXXX";
	char line[64];
	struct options o;
	struct errbuf e;
	int fd = mkstemp(path);

	CHECK(fd >= 0);
	snprintf(line, sizeof(line), "@%s -q", path);
	CHECK(dprintf(fd,
		      "# how we run\n-i \\\n mo\\\nn0 # the mirror\n--user 'a "
		      "b' --json \"c\\\"d\""
		      "\n\n\ttcp\n port\\ 80 not#comment\n") > 0);
	CHECK(parse(&o, line, OPTIONS_SHADOW, &e) == 0);
	CHECK(strcmp(o.iface, "mon0") == 0);
	CHECK(strcmp(o.user, "a b") == 0 && strcmp(o.json, "c\"d") == 0);
	CHECK(strcmp(o.expr, "tcp port 80 not#comment") == 0);
	CHECK(o.quiet);

	CHECK(ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0);
	CHECK(dprintf(fd, "--user 'a b\n") > 0);
	CHECK(parse(&o, line, OPTIONS_SHADOW, &e) == -22);
	CHECK(strstr(e.s, "quotation") != NULL);

	CHECK(ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0);
	CHECK(dprintf(fd, "@%s\n", path) > 0);
	CHECK(parse(&o, line, OPTIONS_SHADOW, &e) == -22);
	close(fd);
	unlink(path);
}

/* The sentence must name what is wrong: a part of it stands in the row. */
struct check_row {
	const char *line;
	const char *says; /* NULL: it is good */
};

#define GOOD "-i a --sut-dev b --map 10.0.0.1:80=10.1.0.1 "

static void test_together(void)
{
	static const struct check_row rows[] = {
		{ GOOD, NULL },
		{ "-r f --sut-dev none --map 10.0.0.1=10.1.0.1", NULL },
		{ "--sut-dev b --map 10.0.0.1=10.1.0.1", "-i DEV or -r" },
		{ GOOD "-r f", "at once" },
		{ "-r - -r - --sut-dev none --map 10.0.0.1=10.1.0.1", "once" },
		{ "-i a --sut-dev b", "--map" },
		{ "-i a --map 10.0.0.1=10.1.0.1", "--sut-dev" },
		{ "-i a --sut-dev a --map 10.0.0.1=10.1.0.1", "wire of its" },
		/* The same place twice, in several guises. */
		{ GOOD "--map 10.0.0.1:80=10.1.0.1", "the same SUT" },
		{ GOOD "--map 10.0.0.1:80=10.1.0.1:80", "the same SUT" },
		{ GOOD "--map 10.0.0.1=10.1.0.1", "the same SUT" },
		{ GOOD "--map 10.0.0.0/8:80=10.1.0.1", "the same SUT" },
		/* Not the same. */
		{ GOOD "--map 10.0.0.1:81=10.1.0.1", NULL },
		{ GOOD "--map 10.0.0.2:80=10.1.0.1", NULL },
		{ GOOD "--map 10.0.0.1:80=10.1.0.1:81", NULL },
		{ GOOD "--map 10.0.0.1:80=10.1.0.2", NULL },
		/* Four legs are the most. */
		{ GOOD "--map 10.0.0.1:80=10.1.0.2 --map 10.0.0.1=10.1.0.3 "
		       "--map 10.0.0.0/8:80=10.1.0.4",
		  NULL },
		{ GOOD "--map 10.0.0.1:80=10.1.0.2 --map 10.0.0.1=10.1.0.3 "
		       "--map 10.0.0.0/8:80=10.1.0.4 --map 0.0.0.0/0=10.1.0.5",
		  "more than 4" },
		{ GOOD "--map 10.0.0.1:80=10.1.0.2 --map 10.0.0.1=10.1.0.3 "
		       "--map 10.0.0.0/8:80=10.1.0.4 --map "
		       "0.0.0.0/0:81=10.1.0.5",
		  NULL },
		{ GOOD "--sut-mac 02:00:00:00:00:01", NULL },
		{ GOOD "--sut-mac 02:00:00:00:00:01 --map 10.0.0.2=10.1.0.2",
		  "--sut-mac" },
		{ GOOD "--wire-also 02:00:00:00:00:01,10.1.0.9 --wire-also "
		       "02:00:00:00:00:01,fe80::1",
		  NULL },
		{ GOOD "--wire-also 02:00:00:00:00:01,10.1.0.1", "a SUT's" },
		{ GOOD "--wire-also 02:00:00:00:00:01,10.0.0.1",
		  "production's" },
		{ GOOD "--sut-mac 02:00:00:00:00:01 --wire-also "
		       "02:00:00:00:00:01,10.1.0.9",
		  "--sut-mac's" },
		{ GOOD "-C 5", "-w FILE" },
		{ GOOD "-w nonexistent -C 5 -W 2", NULL },
		{ GOOD "-w /nonexistent/x -W 2", "-C or -G" },
		{ GOOD "-w - -G 5", "another file" },
		{ GOOD "-w /dev/null", "there already" },
		{ GOOD "-w /nonexistent/x", "no folder /nonexistent/" },
		{ GOOD "--json /dev/null", "there already" },
		{ GOOD "--json /nonexistent/x", "no folder" },
		{ GOOD "-w - --json -", "standard output" },
		{ GOOD "--print --json -", "standard output" },
		{ GOOD "--pool 1M", "--flow-share" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct options o;
		struct errbuf e;
		int rc;

		CHECK_ROW(parse(&o, rows[i].line, OPTIONS_SHADOW, &e) == 0,
			  rows[i].line);
		rc = options_check(&o, OPTIONS_SHADOW, &e);
		CHECK_ROW(rc == (rows[i].says ? -22 : 0), rows[i].line);
		if (rows[i].says)
			CHECK_ROW(strstr(e.s, rows[i].says) != NULL, e.s);
	}
}

/* Of `replay`: each is read, bounded, and reads back from the text. */
static void test_replay_options(void)
{
	static const char *const bad[] = {
		"--multiplier 0",
		"--multiplier 0.0001",
		"--multiplier -1",
		"--multiplier x",
		"--multiplier 1000000.1",
		"--multiplier",
		"--flows 4294967296",
		"--flows -1",
		"--concurrency 65537",
		"--concurrency x",
		"--loop 0",
		"--loop 4294967296",
		"--index 65535",
		"--index 0",
		"--index 99999999999999T",
		"--fast=1",
	};
	struct options o, again;
	struct errbuf e = { "" };
	char text[TEXT_MAX];

	CHECK(parse(&o, "-r f", OPTIONS_REPLAY, &e) == 0);
	CHECK(o.multiplier == 1000 && !o.fast && o.flows == 0 &&
	      o.concurrency == 0 && o.loop == 1 && o.index == 1u << 30);
	CHECK(parse(&o,
		    "-r f --multiplier 2.5 --flows 7 --concurrency 65536 "
		    "--loop 3 --index 64K",
		    OPTIONS_REPLAY, &e) == 0);
	CHECK(o.multiplier == 2500 && o.flows == 7 && o.concurrency == 65536 &&
	      o.loop == 3 && o.index == 65536);
	o.replay = true;
	CHECK(options_text(&o, text, sizeof(text)) > 0);
	CHECK(options_read(&again, text, OPTIONS_SHADOW | OPTIONS_REPLAY, &e) ==
	      0);
	CHECK(again.multiplier == 2500 && again.flows == 7 &&
	      again.concurrency == 65536 && again.loop == 3 &&
	      again.index == 65536);
	CHECK(parse(&o, "-r f --multiplier 0.001 --fast", OPTIONS_REPLAY, &e) ==
	      0);
	CHECK(o.multiplier == 1 && o.fast);
	CHECK(parse(&o, "--multiplier 1000000", OPTIONS_REPLAY, &e) == 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		CHECK_ROW(parse(&o, bad[i], OPTIONS_REPLAY, &e) == -22, bad[i]);
		CHECK_ROW(e.s[0] != '\0', bad[i]);
	}
	CHECK(parse(&o, "--loop 2", OPTIONS_SHADOW, &e) == -22);
	CHECK(parse(&o, "--json x f", OPTIONS_RERUN, &e) == 0);
	CHECK(strcmp(o.json, "x") == 0 && o.files == 1);
}

static void test_subcommands(void)
{
	struct options o;
	struct errbuf e;

	CHECK(parse(&o, "--release eth1", OPTIONS_DOCTOR, &e) == 0);
	CHECK(strcmp(o.release, "eth1") == 0);
	CHECK(options_check(&o, OPTIONS_DOCTOR, &e) == 0);
	CHECK(parse(&o, "--release eth1", OPTIONS_SHADOW, &e) == -22);
	CHECK(parse(&o, "-r f", OPTIONS_DOCTOR, &e) == -22);
	CHECK(parse(&o, GOOD, OPTIONS_DOCTOR, &e) == 0);
	CHECK(options_check(&o, OPTIONS_DOCTOR, &e) == 0);
	CHECK(parse(&o, "a.pcapng b", OPTIONS_RERUN, &e) == 0);
	CHECK(o.files == 2 && strcmp(o.file[1], "b") == 0);
	CHECK(options_check(&o, OPTIONS_RERUN, &e) == 0);
	CHECK(parse(&o, "", OPTIONS_RERUN, &e) == 0);
	CHECK(options_check(&o, OPTIONS_RERUN, &e) == -22);
	CHECK(parse(&o, "-q", OPTIONS_RERUN, &e) == -22);
	CHECK(parse(&o, "-h", OPTIONS_RERUN, &e) == 1);
	CHECK(parse(&o, "--help --no-such", OPTIONS_SHADOW, &e) == 1);
}

static const struct check_test tests[] = {
	{ "defaults", test_defaults },
	{ "an older journal", test_an_older_journal },
	{ "a whole command", test_a_whole_command },
	{ "maps", test_maps },
	{ "dates in names", test_dates_in_names },
	{ "bad values leave the result alone", test_bad_values },
	{ "what is written says the same", test_written },
	{ "the text reads back", test_text_reads_back },
	{ "the text of journals", test_the_text_of_journals },
	{ "quoted text reads back", test_quoted_text },
	{ "files of options", test_option_files },
	{ "options together", test_together },
	{ "options of replay", test_replay_options },
	{ "subcommands", test_subcommands },
};

int main(void)
{
	return check_main(tests, ARRAY_SIZE(tests));
}
