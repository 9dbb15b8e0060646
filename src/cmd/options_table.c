/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * options_table.c - Every option, and what is written from the table alone
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd/options_internal.h"

#define FLOWS_LEAST	 16
#define FLOWS_MOST	 (16u << 20)
#define VNI_MAX		 0xffffffu
#define CONCURRENCY_MOST 65536
#define INDEX_DEFAULT	 ((size_t)1 << 30)
#define MULTIPLIER_1	 1000
#define NO_ROUTE_SHARE	 10000 /* 1 % */
#define SHADOW_DOCTOR	 (OPTIONS_SHADOW | OPTIONS_DOCTOR)
#define PLAYED		 (SHADOW_DOCTOR | OPTIONS_REPLAY)
#define FROM_FILES	 (OPTIONS_SHADOW | OPTIONS_REPLAY)

static const struct choice compare_words[] = {
	{ "none", COMPARE_NONE },
	{ "identical", COMPARE_IDENTICAL },
	{ "equivalent", COMPARE_EQUIVALENT },
	{ NULL, 0 },
};
static const struct choice level_words[] = { { "packet", 0 },
					     { "timing", 1 },
					     { NULL, 0 } };
static const struct choice behind_words[] = { { "wait", 0 },
					      { "shed", 1 },
					      { NULL, 0 } };
static const struct choice prove_words[] = { { "default", 0 },
					     { "each", 1 },
					     { NULL, 0 } };
static const struct choice on_off[] = { { "off", 0 },
					{ "on", 1 },
					{ NULL, 0 } };
static const struct choice order_words[] = { { "causal", 0 },
					     { "captured", 1 },
					     { NULL, 0 } };
static const struct choice capture_words[] = { { "v2", RING_V2 },
					       { "v3", RING_V3 },
					       { NULL, 0 } };
static const struct choice sums_words[] = {
	{ "verify", OPTIONS_SUMS_VERIFY },
	{ "trust", OPTIONS_SUMS_TRUST },
	{ "auto", OPTIONS_SUMS_AUTO },
	{ NULL, 0 },
};
static const struct choice journal_words[] = { { "all", 0 },
					       { "client", 1 },
					       { NULL, 0 } };

static const struct choice outside_words[] = { { "silent", 0 },
					       { "refuse", 1 },
					       { NULL, 0 } };

#define AT(member) offsetof(struct options, member)
#define ANY_TIME   0, UINT64_MAX

/* Columns: name, letter, subcommands, value, field, kind, choices, least, most,
 * help.
 */
const struct row options_rows[] = {
	{ "interface", 'i', SHADOW_DOCTOR, "DEV", AT(iface), &kind_string, NULL,
	  0, 0, "the mirror: where clients and production are seen" },
	{ "read", 'r', FROM_FILES, "FILE", AT(file), &kind_file, NULL, 0, 0,
	  "read a capture instead (pcap, pcapng, - for stdin); repeatable" },
	{ "sut-dev", 0, PLAYED, "DEV", AT(sut_dev), &kind_sut_dev, NULL, 0, 0,
	  "the wire to the SUT; none: nobody is played to" },
	{ "map", 0, PLAYED, "PROD[/LEN][:PORT]=SUT[:PORT]", AT(engine.map),
	  &kind_map, NULL, 0, 0,
	  "what is played to whom; repeatable; IPv6 as [ADDR]:PORT" },
	{ "sut-mac", 0, PLAYED, "MAC", AT(engine.sut_mac), &kind_sut_mac, NULL,
	  0, 0, "the SUT's hardware address, if no other may be taken" },
	{ "wire-also", 0, PLAYED, "MAC,ADDR", AT(engine.also), &kind_wire_also,
	  NULL, 0, 0,
	  "who else may be on the SUT's wire, as a bridge with an address; "
	  "repeatable" },
	{ "outside", 0, PLAYED, "refuse|silent", AT(engine.refuse),
	  &kind_outside, outside_words, 0, 0,
	  "what the SUT asks of others than its clients is refused (default) "
	  "or left without an answer" },
	{ "prove", 0, PLAYED, "each|default", AT(engine.prove_each),
	  &kind_switch, prove_words, 0, 0,
	  "what the SUT must answer on its wire before a client is played: his "
	  "network (each, default), or the probe alone" },
	{ "compare", 0, PLAYED, "none|identical|equivalent", AT(engine.compare),
	  &kind_compare, compare_words, 0, 0,
	  "how answers are compared (default equivalent)" },
	{ "ignore-header", 0, PLAYED | OPTIONS_RERUN, "NAME", AT(engine.rules),
	  &kind_ignored, NULL, 0, 0,
	  "do not compare header fields of this name; repeatable; rerun: in "
	  "place of those of the run" },
	{ "level", 0, PLAYED, "packet|timing", AT(engine.shadow.timing),
	  &kind_level, level_words, 0, 0,
	  "fidelity (default packet); timing: capture time plus 5 ms" },
	{ "sample", 0, PLAYED, "N%", AT(engine.sample), &kind_sample, NULL, 1,
	  SHARE_ALL, "play this share of the clients, whole" },
	{ "skip", 0, PLAYED, "ADDR[/LEN]", AT(engine.skip), &kind_skip, NULL, 0,
	  0, "do not play these clients; repeatable" },
	{ "midstream", 0, PLAYED, "on|off", AT(engine.shadow.midstream),
	  &kind_switch, on_off, 0, 0,
	  "join connections that began before us (default on)" },
	{ "order", 0, PLAYED, "causal|captured",
	  AT(engine.shadow.order_captured), &kind_switch, order_words, 0, 0,
	  "when the SUT is slower, wait for what was waited for (causal, "
	  "default) or send when captured" },
	{ "behind", 0, PLAYED, "wait|shed", AT(engine.shadow.shed),
	  &kind_switch, behind_words, 0, 0,
	  "end flows that are more than --max-lag behind (shed, default)" },
	{ "reorder-wait", 0, PLAYED, "TIME", AT(engine.shadow.reorder_wait),
	  &kind_duration, NULL, 1, UINT64_MAX,
	  "believe that the mirror missed bytes after so long (default 30ms; "
	  "captures 200ms)" },
	{ "max-lag", 0, PLAYED, "TIME", AT(engine.shadow.max_lag),
	  &kind_duration, NULL, 1, UINT64_MAX, "see --behind (default 30s)" },
	{ "sut-silent", 0, PLAYED, "TIME", AT(engine.shadow.sut_silent),
	  &kind_duration, NULL, 1, UINT64_MAX,
	  "a SUT that says nothing for so long is silent (default 10s)" },
	{ "answer-wait", 0, PLAYED, "TIME", AT(engine.shadow.answer_wait),
	  &kind_duration, NULL, 1, UINT64_MAX,
	  "an answer of the SUT that does not come for so long, after "
	  "production's, is different (default 5s; more where production "
	  "took long)" },
	{ "final-wait", 0, PLAYED, "TIME", AT(final_wait), &kind_final_wait,
	  NULL, ANY_TIME,
	  "at the end, wait so long for the SUT's last answers (default: as "
	  "long as --answer-wait asks, up to 15s)" },
	{ "idle", 0, PLAYED, "TIME", AT(engine.shadow.idle), &kind_duration,
	  NULL, 1, UINT64_MAX, "forget flows idle for so long (default 5m)" },
	{ "vxlan", 0, PLAYED, "VNI|any|none", AT(engine.vxlan), &kind_vxlan,
	  NULL, 0, VNI_MAX, "look into VXLAN (default none)" },
	{ "max-flows", 0, PLAYED, "N", AT(engine.limits.flows), &kind_u32, NULL,
	  FLOWS_LEAST, FLOWS_MOST, "flows at one time (default 65536)" },
	{ "pool", 0, PLAYED, "SIZE", AT(engine.limits.pool), &kind_size, NULL,
	  1u << 20, SIZE_MAX / 4,
	  "memory for payload of all flows (default 256M)" },
	{ "flow-share", 0, PLAYED, "SIZE", AT(engine.limits.flow_share),
	  &kind_size, NULL, 1u << 16, SIZE_MAX / 4,
	  "what of it one flow may hold (default 16M)" },
	{ "capture", 0, SHADOW_DOCTOR, "v2|v3", AT(capture), &kind_capture,
	  capture_words, 0, 0,
	  "ring of the mirror: v2 low delay (default), v3 throughput" },
	{ "mirror-ring", 0, SHADOW_DOCTOR, "SIZE", AT(mirror_ring), &kind_size,
	  NULL, 0, UINT32_MAX,
	  "its size (default 0: v2 8M, and 64M when needed; v3 16M)" },
	{ "sut-ring", 0, PLAYED, "SIZE", AT(sut_ring), &kind_size, NULL, 0,
	  UINT32_MAX,
	  "ring of the SUT's wire (default 0: 2M, and 16M when needed)" },
	{ "duration", 0, PLAYED, "TIME", AT(duration), &kind_duration, NULL,
	  ANY_TIME, "end after so long (default 0: at a signal)" },
	{ "count", 'c', PLAYED, "N", AT(count), &kind_u64, NULL, ANY_TIME,
	  "end after so many frames of the mirror (default 0: no)" },
	{ "json", 0, PLAYED | OPTIONS_RERUN, "FILE", AT(json), &kind_string,
	  NULL, 0, 0, "write JSON lines (- for stdout)" },
	{ "write", 'w', PLAYED, "FILE", AT(journal), &kind_string, NULL, 0, 0,
	  "write a journal (pcapng) that rerun can read" },
	{ "rotate-size", 'C', PLAYED, "N", AT(rotate_bytes), &kind_u64, NULL, 0,
	  UINT64_MAX / 1000000,
	  "another journal file after N million bytes (default 0: never)" },
	{ "rotate-seconds", 'G', PLAYED, "N", AT(rotate_secs), &kind_u64, NULL,
	  0, UINT64_MAX / NS_PER_SEC,
	  "another journal file after N seconds (default 0: never)" },
	{ "rotate-files", 'W', PLAYED, "N", AT(rotate_files), &kind_u32, NULL,
	  0, UINT32_MAX, "keep the N newest files (default 0: all)" },
	{ "journal-only", 0, PLAYED, "client|all", AT(journal_client),
	  &kind_switch, journal_words, 0, 0,
	  "what the journal holds (default all)" },
	{ "print", 0, PLAYED, NULL, AT(print), &kind_flag, NULL, 0, 0,
	  "a line for each frame: who sent it, what was done" },
	{ "min-compared", 0, PLAYED, "N|N%", AT(min_compared),
	  &kind_min_compared, NULL, ANY_TIME,
	  "exit 2 if fewer answers were compared (default 0%: at least one)" },
	{ "max-different", 0, PLAYED, "N", AT(max_different), &kind_u64, NULL,
	  ANY_TIME, "exit 0 up to so many different answers" },
	{ "max-no-route", 0, PLAYED, "N%", AT(max_no_route), &kind_share, NULL,
	  0, SHARE_ALL,
	  "exit 2 if the SUT does not answer the networks of more clients' "
	  "flows (default 1%)" },
	{ "allow-down", 0, PLAYED, "TIME", AT(allow_down), &kind_duration, NULL,
	  ANY_TIME,
	  "exit 0 although a SUT was down for so long in all (default 0)" },
	{ "user", 0, PLAYED, "NAME", AT(user), &kind_string, NULL, 0, 0,
	  "become this user once all is open (root: nobody)" },
	{ "quiet", 'q', PLAYED, NULL, AT(quiet), &kind_flag, NULL, 0, 0,
	  "no live line" },
	{ "release", 0, OPTIONS_DOCTOR, "DEV", AT(release), &kind_string, NULL,
	  0, 0, "lift the guard from an interface, and do nothing else" },
	{ "multiplier", 0, OPTIONS_REPLAY, "X", AT(multiplier),
	  &kind_multiplier, NULL, 1, 1000000000,
	  "play X times as fast as captured, 0.001 or more (default 1)" },
	{ "client-net", 0, FROM_FILES, "[all,]NET/LEN", AT(client_net),
	  &kind_client_net, NULL, 0, 0,
	  "of captures: clients that no SUT answers (loopback, link-local) get "
	  "addresses from here; all: every client" },
	{ "checksums", 0, FROM_FILES, "verify|trust|auto", AT(sums), &kind_sums,
	  sums_words, 0, 0,
	  "of captures: refuse frames with wrong ones, do not look, or see "
	  "first whether a tenth of them is wrong (auto, default)" },
	{ "maxsleep", 0, FROM_FILES, "TIME", AT(maxsleep), &kind_duration, NULL,
	  ANY_TIME, "wait no longer between two records (default 0: 7 days)" },
	{ "fast", 0, OPTIONS_REPLAY, NULL, AT(fast), &kind_flag, NULL, 0, 0,
	  "play each connection as fast as the SUT answers" },
	{ "flows", 0, OPTIONS_REPLAY, "N", AT(flows), &kind_u32, NULL, 0,
	  UINT32_MAX, "play the first N connections only (default 0: all)" },
	{ "concurrency", 0, OPTIONS_REPLAY, "N", AT(concurrency), &kind_u32,
	  NULL, 0, CONCURRENCY_MOST,
	  "at most N connections at once; the next starts when one ends "
	  "(default 0: as captured; with --fast 64)" },
	{ "loop", 0, OPTIONS_REPLAY, "N", AT(loop), &kind_u32, NULL, 1,
	  UINT32_MAX,
	  "play all of it N times (default 1); clients have other "
	  "addresses in each repetition" },
	{ "index", 0, OPTIONS_REPLAY, "SIZE", AT(index), &kind_size, NULL,
	  1u << 16, SIZE_MAX / 4,
	  "memory for where the capture's records lie (default 1G)" },
	{ "help", 'h', EVERY, NULL, 0, &kind_help, NULL, 0, 0, "this text" },
};

const size_t options_row_count = sizeof(options_rows) / sizeof(options_rows[0]);

const char *options_cmd_name(unsigned cmd)
{
	if (cmd == OPTIONS_DOCTOR)
		return "doctor";
	if (cmd == OPTIONS_REPLAY)
		return "replay";
	return cmd == OPTIONS_RERUN ? "rerun" : "shadow";
}

void options_defaults(struct options *o)
{
	memset(o, 0, sizeof(*o));
	o->expr = "";
	engine_defaults(&o->engine);
	o->engine.shadow.reorder_wait = 0; /* by what is read */
	o->capture = RING_V2;
	o->min_share = true;
	o->max_no_route = NO_ROUTE_SHARE;
	o->multiplier = MULTIPLIER_1;
	o->loop = 1;
	o->index = INDEX_DEFAULT;
}

void options_usage(unsigned cmd)
{
	static const char operand_of[] = "[FILTER-EXPRESSION]";

	printf("usage: understudy %s [OPTION...] [@FILE] %s\n\n",
	       options_cmd_name(cmd),
	       cmd == OPTIONS_RERUN ? "FILE..." : operand_of);
	for (size_t i = 0; i < options_row_count; i++) {
		const struct row *r = &options_rows[i];

		if (!(r->cmds & cmd))
			continue;
		if (r->letter != 0)
			printf("  -%c, ", r->letter);
		else
			printf("      ");
		printf("--%s%s%s\n", r->name, r->arg ? " " : "",
		       r->arg ? r->arg : "");
		printf("            %s\n", r->help);
	}
}

int options_text(const struct options *o, char *out, size_t size)
{
	struct text t;

	if (size == 0)
		return -ENOSPC;
	text_begin(&t, out, size);
	for (size_t i = 0; i < options_row_count; i++)
		if (options_rows[i].cmds != OPTIONS_REPLAY || o->replay)
			options_rows[i].kind->text(&t, o, &options_rows[i]);
	if (o->expr[0] != '\0') {
		text_add(&t, " -- ");
		value_put_word(&t, o->expr);
	}
	return t.full ? -ENOSPC : (int)t.len;
}
