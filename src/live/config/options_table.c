/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * options_table.c - Every option of shadow, replay, rerun and doctor
 *
 * A journal holds them in the order of options_journal, so a row stays where it
 * is; a new one may stand anywhere.
 */
#include "config/options_internal.h"
#include "opt/values.h"

#define FLOWS_LEAST	 16
#define FLOWS_MOST	 (16u << 20)
#define VNI_MAX		 0xffffffu
#define CONCURRENCY_MOST 65536

/* Titles of the help's groups. */
#define WHERE	"Where"
#define HOW	"How"
#define LIMITS	"Limits"
#define OUTPUT	"Output"
#define CAPTURE "Captures"
#define PLAY	"Replay"

static const struct opt_word compare_words[] = {
	{ "none", COMPARE_NONE },
	{ "identical", COMPARE_IDENTICAL },
	{ "equivalent", COMPARE_EQUIVALENT },
	{ NULL, 0 },
};
static const struct opt_word level_words[] = { { "packet", 0 },
					       { "timing", 1 },
					       { NULL, 0 } };
static const struct opt_word behind_words[] = { { "wait", 0 },
						{ "shed", 1 },
						{ NULL, 0 } };
static const struct opt_word prove_words[] = { { "default", 0 },
					       { "each", 1 },
					       { NULL, 0 } };
static const struct opt_word on_off[] = { { "off", 0 },
					  { "on", 1 },
					  { NULL, 0 } };
static const struct opt_word redact_words[] = { { "on", 0 },
						{ "off", 1 },
						{ NULL, 0 } };
static const struct opt_word evidence_words[] = { { "tags", 0 },
						  { "raw", 1 },
						  { NULL, 0 } };
static const struct opt_word undecided_words[] = { { "error", 0 },
						   { "pass", 1 },
						   { NULL, 0 } };
static const struct opt_word order_words[] = { { "causal", 0 },
					       { "captured", 1 },
					       { NULL, 0 } };
static const struct opt_word capture_words[] = { { "v2", RING_V2 },
						 { "v3", RING_V3 },
						 { NULL, 0 } };
static const struct opt_word sums_words[] = {
	{ "verify", OPTIONS_SUMS_VERIFY },
	{ "trust", OPTIONS_SUMS_TRUST },
	{ "auto", OPTIONS_SUMS_AUTO },
	{ NULL, 0 },
};
static const struct opt_word journal_words[] = { { "all", 0 },
						 { "client", 1 },
						 { NULL, 0 } };
static const struct opt_word outside_words[] = { { "silent", 0 },
						 { "refuse", 1 },
						 { NULL, 0 } };
/* Of these a number is as good. */
static const struct opt_word vxlan_words[] = { { "any", 0 },
					       { "none", 0 },
					       { NULL, 0 } };
static const struct opt_word methods_words[] = { { "all", 0 },
						 { "safe", 0 },
						 { NULL, 0 } };
/* And of these, with what may stand behind them. */
static const struct opt_word decap_words[] = {
	{ "auto", 0 },	 { "vxlan", 0 }, { "geneve", 0 }, { "gre", 0 },
	{ "erspan", 0 }, { "none", 0 },	 { NULL, 0 },
};

/* Places in struct options, and in the engine's configuration. */
#define AT(member) offsetof(struct options, member)
#define EN(member) offsetof(struct engine_config, member)

static const struct opt_row mirror_rows[] = {
	{ "interface", 'i', &opt_kind_string, AT(iface), "DEV",
	  "the mirror: where clients and production are seen", .group = WHERE },
};

static const struct opt_row file_rows[] = {
	{ "read", 'r', &kind_file, 0, "FILE",
	  "read a capture instead (pcap, pcapng, - for stdin); repeatable",
	  .group = WHERE, .flags = OPT_REPEAT },
};

static const struct opt_row baseline_rows[] = {
	{ "baseline", 0, &kind_baseline, 0, "ADDR[:PORT]",
	  "a second server of production's version, on the SUT's wire: what it "
	  "answers otherwise, too, is noise (with --rules)",
	  .group = WHERE },
};

static const struct opt_row dev_rows[] = {
	{ "sut-dev", 0, &kind_sut_dev, 0, "DEV",
	  "the wire to the SUT; none: nobody is played to", .group = WHERE },
};

static const struct opt_row sut_rows[] = {
	{ "map", 0, &kind_map, 0, "PROD[/LEN][:PORT]=SUT[:PORT]",
	  "what is played to whom; repeatable; IPv6 as [ADDR]:PORT",
	  .group = WHERE, .flags = OPT_REPEAT },
	{ "sut-mac", 0, &kind_sut_mac, 0, "MAC|any",
	  "the SUT's hardware address, if no other may be taken; any: it may "
	  "move to another one while it is played to",
	  .group = WHERE },
	{ "wire-also", 0, &kind_wire_also, 0, "MAC,ADDR",
	  "who else may be on the SUT's wire, as a bridge with an address; "
	  "repeatable",
	  .group = WHERE, .flags = OPT_REPEAT },
	{ "outside", 0, &kind_outside, 0, "refuse|silent",
	  "what the SUT asks of others than its clients is refused (default) "
	  "or left without an answer",
	  .group = WHERE, .words = outside_words },
	{ "prove", 0, &opt_kind_switch, EN(prove_each), "each|default",
	  "what the SUT must answer on its wire before a client is played: his "
	  "network (each, default), or the probe alone",
	  .group = HOW, .words = prove_words },
	{ "compare", 0, &opt_kind_word, EN(compare),
	  "none|identical|equivalent",
	  "how answers are compared (default equivalent)", .group = HOW,
	  .words = compare_words },
};

static const struct opt_row rule_rows[] = {
	{ "ignore-header", 0, &kind_ignored, 0, "NAME",
	  "do not compare header fields of this name; repeatable; rerun: in "
	  "place of those of the run",
	  .group = HOW, .flags = OPT_REPEAT },
};

static const struct opt_row judge_rows[] = {
	{ "rules", 0, &kind_rules, 0, "FILE|@PRESET",
	  "what makes answers alike, and how they are judged; repeatable; "
	  "rerun: "
	  "in place of those of the run",
	  .group = HOW, .flags = OPT_REPEAT },
};

static const struct opt_row learn_rows[] = {
	{ "rules-learn", 0, &opt_kind_string, AT(learn), "FILE",
	  "write the narrowest rules that would have made the run quiet",
	  .group = OUTPUT },
};

static const struct opt_row keep_rows[] = {
	{ "keep", 0, &kind_keep, 0, "SIZE",
	  "with --rules: content of an answer that can be judged (default "
	  "256K)",
	  .group = LIMITS, .least = 1024, .most = 8u << 20 },
};

static const struct opt_row engine_rows[] = {
	{ "level", 0, &kind_level, 0, "packet|timing",
	  "fidelity (default packet); timing: capture time plus 5 ms",
	  .group = HOW, .words = level_words },
	{ "sample", 0, &kind_sample, 0, "N%",
	  "play this share of the clients, whole", .group = HOW, .least = 1,
	  .most = SHARE_ALL },
	{ "max-rate", 0, &kind_rate, 0, "N",
	  "play no more than N bits a second of clients (K, M, G: thousands, "
	  "...): whole clients are left out beyond that",
	  .group = HOW },
	{ "methods", 0, &kind_methods, 0, "all|safe|LIST",
	  "play only requests of these methods of HTTP (default all); safe: "
	  "GET, HEAD, OPTIONS, TRACE",
	  .group = HOW, .words = methods_words },
	{ "skip", 0, &kind_skip, 0, "ADDR[/LEN]",
	  "do not play these clients; repeatable", .group = HOW,
	  .flags = OPT_REPEAT },
	{ "midstream", 0, &opt_kind_switch, EN(shadow.midstream), "on|off",
	  "join connections that began before us (default on)", .group = HOW,
	  .words = on_off },
	{ "order", 0, &opt_kind_switch, EN(shadow.order_captured),
	  "causal|captured",
	  "when the SUT is slower, wait for what was waited for (causal, "
	  "default) or send when captured",
	  .group = HOW, .words = order_words },
	{ "behind", 0, &opt_kind_switch, EN(shadow.shed), "wait|shed",
	  "end flows that are more than --max-lag behind (shed, default)",
	  .group = HOW, .words = behind_words },
	{ "reorder-wait", 0, &opt_kind_duration, EN(shadow.reorder_wait),
	  "TIME",
	  "believe that the mirror missed bytes after so long (default 30ms; "
	  "captures 200ms)",
	  .group = HOW, .least = 1, .most = UINT64_MAX },
	{ "max-lag", 0, &opt_kind_duration, EN(shadow.max_lag), "TIME",
	  "see --behind (default 30s)", .group = HOW, .least = 1,
	  .most = UINT64_MAX },
	{ "sut-silent", 0, &opt_kind_duration, EN(shadow.sut_silent), "TIME",
	  "a SUT that says nothing for so long is silent (default 10s)",
	  .group = HOW, .least = 1, .most = UINT64_MAX },
	{ "answer-wait", 0, &opt_kind_duration, EN(shadow.answer_wait), "TIME",
	  "an answer of the SUT that does not come for so long, after "
	  "production's, is different (default 5s; more where production "
	  "took long)",
	  .group = HOW, .least = 1, .most = UINT64_MAX },
};

static const struct opt_row final_rows[] = {
	{ "final-wait", 0, &kind_final_wait, 0, "TIME",
	  "at the end, wait so long for the SUT's last answers (default: as "
	  "long as --answer-wait asks, up to 15s)",
	  .group = LIMITS, .most = UINT64_MAX, .flags = OPT_RUNTIME },
};

static const struct opt_row limit_rows[] = {
	{ "idle", 0, &opt_kind_duration, EN(shadow.idle), "TIME",
	  "forget flows idle for so long (default 5m)", .group = HOW,
	  .least = 1, .most = UINT64_MAX },
	{ "vxlan", 0, &kind_vxlan, 0, "VNI|any|none",
	  "look into VXLAN, port 4789 (default none): --decap does more",
	  .group = WHERE, .most = VNI_MAX, .words = vxlan_words },
	{ "decap", 0, &kind_decap, 0, "KIND[:KEY][@PORT]",
	  "what the mirror's frames are wrapped in: vxlan, geneve, gre, "
	  "erspan, auto (any of these) or none (default); KEY: only of this "
	  "VNI, key or session",
	  .group = WHERE, .words = decap_words },
	{ "max-flows", 0, &opt_kind_u32, EN(limits.flows), "N",
	  "flows at one time (default 65536)", .group = LIMITS,
	  .least = FLOWS_LEAST, .most = FLOWS_MOST },
	{ "pool", 0, &opt_kind_size, EN(limits.pool), "SIZE",
	  "memory for payload of all flows (default 256M)", .group = LIMITS,
	  .least = 1u << 20, .most = SIZE_MAX / 4 },
	{ "flow-share", 0, &opt_kind_size, EN(limits.flow_share), "SIZE",
	  "what of it one flow may hold (default 16M)", .group = LIMITS,
	  .least = 1u << 16, .most = SIZE_MAX / 4 },
};

static const struct opt_row mirror_ring_rows[] = {
	{ "capture", 0, &opt_kind_word, AT(capture), "v2|v3",
	  "ring of the mirror: v2 low delay (default), v3 throughput",
	  .group = LIMITS, .words = capture_words },
	{ "mirror-ring", 0, &opt_kind_size, AT(mirror_ring), "SIZE",
	  "its size (default 0: v2 8M, and 32M when needed; v3 16M)",
	  .group = LIMITS, .most = UINT32_MAX },
};

static const struct opt_row end_rows[] = {
	{ "sut-ring", 0, &opt_kind_size, AT(sut_ring), "SIZE",
	  "ring of the SUT's wire (default 0: 2M, and 8M when needed)",
	  .group = LIMITS, .most = UINT32_MAX },
	{ "duration", 0, &opt_kind_duration, AT(duration), "TIME",
	  "end after so long (default 0: at a signal)", .group = LIMITS,
	  .most = UINT64_MAX, .flags = OPT_RUNTIME },
	{ "count", 'c', &opt_kind_u64, AT(count), "N",
	  "end after so many frames of the mirror (default 0: no)",
	  .group = LIMITS, .most = UINT64_MAX, .flags = OPT_RUNTIME },
	{ "stop-after", 0, &opt_kind_u64, AT(stop_after), "N",
	  "end after so many different answers (default 0: no)",
	  .group = LIMITS, .most = UINT64_MAX, .flags = OPT_RUNTIME },
	{ "stop-early", 0, &opt_kind_flag, AT(stop_early), NULL,
	  "end when --max-different, of the run or an endpoint, or "
	  "--allow-down cannot be met any more",
	  .group = LIMITS },
};

static const struct opt_row json_rows[] = {
	{ "json", 0, &opt_kind_string, AT(json), "FILE",
	  "write JSON lines (- for stdout)", .group = OUTPUT },
	{ "redact", 0, &opt_kind_switch, AT(redact_off), "on|off",
	  "in reports and JSON lines secrets are tags (on, default); -w is not "
	  "redacted",
	  .group = OUTPUT, .words = redact_words },
};

static const struct opt_row form_rows[] = {
	{ "junit", 0, &opt_kind_string, AT(form[FORM_JUNIT]), "FILE",
	  "write what came of it as test cases, for CI systems (- for stdout)",
	  .group = OUTPUT },
	{ "summary", 0, &opt_kind_string, AT(form[FORM_SUMMARY]), "FILE",
	  "the same as Markdown", .group = OUTPUT },
	{ "html", 0, &opt_kind_string, AT(form[FORM_HTML]), "FILE",
	  "the same as one page that needs no other file", .group = OUTPUT },
	{ "har", 0, &opt_kind_string, AT(form[FORM_HAR]), "FILE",
	  "write the first differences of each kind as an HTTP Archive",
	  .group = OUTPUT },
};

static const struct opt_row folder_rows[] = {
	{ "out", 0, &opt_kind_string, AT(out), "DIR",
	  "make a folder with all differences and the report, for understudy "
	  "report and diff",
	  .group = OUTPUT },
	{ "evidence", 0, &opt_kind_switch, AT(evidence_raw), "tags|raw",
	  "in packets of --out, made of -w, secrets are tags (tags, default)",
	  .group = OUTPUT, .words = evidence_words },
	{ "store-max", 0, &opt_kind_size, AT(store_max), "SIZE",
	  "of --out: beyond it differences are only counted (default 1G)",
	  .group = OUTPUT, .least = 1 << 20, .most = SIZE_MAX / 4 },
};

static const struct opt_row output_rows[] = {
	{ "listen", 0, &opt_kind_string, AT(listen), "ADDR:PORT",
	  "show --out in a browser while the run goes on, on this host only",
	  .group = OUTPUT },
	{ "metrics", 0, &opt_kind_string, AT(metrics), "FILE",
	  "write the counters every 10 s, for Prometheus's node_exporter to "
	  "read",
	  .group = OUTPUT },
	{ "ctl", 0, &opt_kind_string, AT(ctl), "PATH",
	  "make a control socket: understudy ctl asks and tells a run by it",
	  .group = OUTPUT },
	{ "write", 'w', &opt_kind_string, AT(journal), "FILE",
	  "write a journal (pcapng) that rerun can read", .group = OUTPUT },
	{ "rotate-size", 'C', &opt_kind_u64, AT(rotate_bytes), "N",
	  "another journal file after N million bytes (default 0: never)",
	  .group = OUTPUT, .most = UINT64_MAX / 1000000 },
	{ "rotate-seconds", 'G', &opt_kind_u64, AT(rotate_secs), "N",
	  "another journal file after N seconds (default 0: never)",
	  .group = OUTPUT, .most = UINT64_MAX / NS_PER_SEC },
	{ "rotate-files", 'W', &opt_kind_u32, AT(rotate_files), "N",
	  "keep the N newest files (default 0: all)", .group = OUTPUT,
	  .most = UINT32_MAX },
	{ "journal-only", 0, &opt_kind_switch, AT(journal_client), "client|all",
	  "what the journal holds (default all)", .group = OUTPUT,
	  .words = journal_words },
	{ "journal-ring", 0, &opt_kind_size, AT(journal_ring), "SIZE",
	  "memory for what waits for the journal's disk (default 64M)",
	  .group = LIMITS, .least = 1u << 16, .most = UINT32_MAX },
	{ "print", 0, &opt_kind_flag, AT(print), NULL,
	  "a line for each frame: who sent it, what was done",
	  .group = OUTPUT },
	{ "trace", 0, &kind_trace, 0, "ADDR:PORT",
	  "the same of one client's connection, with its verdicts",
	  .group = OUTPUT },
};

static const struct opt_row gate_rows[] = {
	{ "min-compared", 0, &kind_amount, AT(min_compared), "N|N%",
	  "exit 2 if fewer answers were compared (default 0%: at least one)",
	  .group = OUTPUT, .most = UINT64_MAX, .flags = OPT_RUNTIME },
	{ "max-different", 0, &kind_amount, AT(max_different), "N|N%",
	  "exit 0 up to so many different answers, or up to this share of "
	  "those compared, by its interval of 95%",
	  .group = OUTPUT, .most = UINT64_MAX, .flags = OPT_RUNTIME },
	{ "max-no-route", 0, &opt_kind_share, AT(max_no_route), "N%",
	  "exit 2 if the SUT does not answer the networks of more clients' "
	  "flows (default 1%)",
	  .group = OUTPUT, .most = SHARE_ALL, .flags = OPT_RUNTIME },
	{ "allow-down", 0, &opt_kind_duration, AT(allow_down), "TIME",
	  "exit 0 although a SUT was down for so long in all (default 0)",
	  .group = OUTPUT, .most = UINT64_MAX, .flags = OPT_RUNTIME },
	{ "perf", 0, &opt_kind_flag, AT(perf), NULL,
	  "compare how long both sides took, by endpoint, with intervals",
	  .group = OUTPUT },
};

static const struct opt_row hdr_rows[] = {
	{ "hdr", 0, &opt_kind_string, AT(hdr), "FILE",
	  "the same, and write histograms for HdrHistogram", .group = OUTPUT },
};

static const struct opt_row slower_rows[] = {
	{ "max-slower", 0, &kind_slower, 0, "QUANTILE:N%",
	  "exit 1 if this quantile of the SUT's times (p50, p90, p99, p99.9) "
	  "is larger by more; repeatable",
	  .group = OUTPUT, .most = SHARE_ALL, .flags = OPT_REPEAT },
	{ "undecided", 0, &opt_kind_switch, AT(undecided_pass), "error|pass",
	  "where --max-slower or a share of --max-different cannot be told: "
	  "exit 2 (error, default) or go on",
	  .group = OUTPUT, .words = undecided_words, .flags = OPT_RUNTIME },
};

static const struct opt_row vitals_rows[] = {
	{ "vitals", 0, &opt_kind_string, AT(vitals), "FILE",
	  "a FIFO, or a file that grows, of lines of understudy vitals: how "
	  "the SUT's process fares",
	  .group = OUTPUT },
	{ "max-leak", 0, &opt_kind_size, AT(max_leak), "SIZE",
	  "exit 1 if the SUT's memory grows by more with each request, by its "
	  "interval of 95% (default 0: that may be; with --vitals)",
	  .group = OUTPUT, .most = 1u << 20 },
};

static const struct opt_row user_rows[] = {
	{ "top", 0, &opt_kind_flag, AT(top), NULL,
	  "on a terminal a screen instead of the live line, elsewhere that "
	  "line each second",
	  .group = OUTPUT },
	{ "user", 0, &opt_kind_string, AT(user), "NAME",
	  "become this user once all is open (root: nobody)", .group = OUTPUT },
	{ "quiet", 'q', &opt_kind_flag, AT(quiet), NULL, "no live line",
	  .group = OUTPUT },
};

static const struct opt_row release_rows[] = {
	{ "release", 0, &opt_kind_string, AT(release), "DEV",
	  "lift the guard from an interface, and do nothing else",
	  .group = OUTPUT },
};

static const struct opt_row speed_rows[] = {
	{ "multiplier", 'x', &opt_kind_milli, AT(multiplier), "X",
	  "play X times as fast as captured, 0.001 or more (default 1)",
	  .group = PLAY, .least = 1, .most = 1000000000 },
};

static const struct opt_row capture_rows[] = {
	{ "client-net", 0, &kind_client_net, 0, "[all,]NET/LEN",
	  "of captures: clients that no SUT answers (loopback, link-local) get "
	  "addresses from here; all: every client",
	  .group = CAPTURE, .flags = OPT_REPEAT },
	{ "checksums", 0, &kind_sums, 0, "verify|trust|auto",
	  "of captures: refuse frames with wrong ones, do not look, or see "
	  "first whether a tenth of them is wrong (auto, default)",
	  .group = CAPTURE, .words = sums_words },
	{ "maxsleep", 0, &opt_kind_duration, AT(maxsleep), "TIME",
	  "wait no longer between two records (default 0: 7 days)",
	  .group = CAPTURE, .most = UINT64_MAX },
};

static const struct opt_row plan_rows[] = {
	{ "fast", 't', &opt_kind_flag, AT(fast), NULL,
	  "play each connection as fast as the SUT answers", .group = PLAY },
	{ "flows", 0, &opt_kind_u32, AT(flows), "N",
	  "play the first N connections only (default 0: all)", .group = PLAY,
	  .most = UINT32_MAX },
	{ "concurrency", 0, &opt_kind_u32, AT(concurrency), "N",
	  "at most N connections at once; the next starts when one ends "
	  "(default 0: as captured; with --fast 64)",
	  .group = PLAY, .most = CONCURRENCY_MOST },
	{ "loop", 'l', &opt_kind_u32, AT(loop), "N",
	  "play all of it N times (default 1); clients have other "
	  "addresses in each repetition",
	  .group = PLAY, .least = 1, .most = UINT32_MAX },
	{ "index", 0, &opt_kind_size, AT(index), "SIZE",
	  "memory for where the capture's records lie (default 1G)",
	  .group = PLAY, .least = 1u << 16, .most = SIZE_MAX / 4 },
};

static const struct opt_row help_rows[] = {
	{ "help", 'h', &opt_kind_help, 0, NULL, "this text", .group = OUTPUT },
};

#define TABLE(rows, base)                                                      \
	{                                                                      \
		rows, sizeof(rows) / sizeof((rows)[0]), base                   \
	}

/* What all that play have, in two parts. */
#define TO_SUT                                                                 \
	TABLE(dev_rows, 0), TABLE(sut_rows, AT(engine)),                       \
		TABLE(baseline_rows, 0), TABLE(rule_rows, AT(engine)),         \
		TABLE(judge_rows, 0), TABLE(keep_rows, 0),                     \
		TABLE(engine_rows, AT(engine)), TABLE(final_rows, 0),          \
		TABLE(limit_rows, AT(engine))
#define TO_USER                                                                \
	TABLE(end_rows, 0), TABLE(json_rows, 0), TABLE(form_rows, 0),          \
		TABLE(folder_rows, 0), TABLE(output_rows, 0),                  \
		TABLE(gate_rows, 0), TABLE(hdr_rows, 0),                       \
		TABLE(slower_rows, 0), TABLE(vitals_rows, 0),                  \
		TABLE(user_rows, 0)

static const struct opt_table shadow_tables[] = {
	TABLE(mirror_rows, 0),
	TABLE(file_rows, 0),
	TO_SUT,
	TABLE(mirror_ring_rows, 0),
	TO_USER,
	TABLE(capture_rows, 0),
	TABLE(help_rows, 0),
};

static const struct opt_table doctor_tables[] = {
	TABLE(mirror_rows, 0),	    TO_SUT,
	TABLE(mirror_ring_rows, 0), TO_USER,
	TABLE(release_rows, 0),	    TABLE(help_rows, 0),
};

static const struct opt_table replay_tables[] = {
	TABLE(file_rows, 0),
	TO_SUT,
	TO_USER,
	TABLE(speed_rows, 0),
	TABLE(capture_rows, 0),
	TABLE(plan_rows, 0),
	TABLE(help_rows, 0),
};

static const struct opt_table journal_tables[] = {
	TABLE(mirror_rows, 0),
	TABLE(file_rows, 0),
	TO_SUT,
	TABLE(mirror_ring_rows, 0),
	TO_USER,
	TABLE(speed_rows, 0),
	TABLE(capture_rows, 0),
	TABLE(plan_rows, 0),
	TABLE(help_rows, 0),
};

static const struct opt_table rerun_tables[] = {
	TABLE(rule_rows, AT(engine)), TABLE(judge_rows, 0),
	TABLE(learn_rows, 0),	      TABLE(json_rows, 0),
	TABLE(form_rows, 0),	      TABLE(folder_rows, 0),
	TABLE(gate_rows, 0),	      TABLE(slower_rows, 0),
	TABLE(help_rows, 0),
};

#define COMMAND(words, list, takes)                                            \
	.usage = words, .tables = list,                                        \
	.count = sizeof(list) / sizeof((list)[0]), .operand = takes

const struct opt_command options_shadow = {
	.name = "shadow",
	COMMAND("shadow [OPTION...] [@FILE] [FILTER-EXPRESSION]", shadow_tables,
		options_filter),
};
const struct opt_command options_doctor = {
	.name = "doctor",
	COMMAND("doctor [OPTION...] [@FILE] [FILTER-EXPRESSION]", doctor_tables,
		options_filter),
};
const struct opt_command options_replay = {
	.name = "replay",
	COMMAND("replay [OPTION...] [@FILE] [FILTER-EXPRESSION]", replay_tables,
		options_filter),
};
const struct opt_command options_rerun = {
	.name = "rerun",
	COMMAND("rerun [OPTION...] [@FILE] FILE...", rerun_tables,
		options_file),
};
const struct opt_command options_journal = {
	.name = "shadow",
	COMMAND("", journal_tables, options_filter),
};
