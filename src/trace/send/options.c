/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * options.c - The command line of send: tcpreplay's and tcprewrite's names
 *
 * Every option is one row. Letters are tcpreplay's; of tcprewrite's letters,
 * which tcpreplay-edit takes beside them, all that do not clash.
 */
#include <errno.h>
#include <string.h>

#include "core/limits.h"
#include "opt/list.h"
#include "opt/opt.h"
#include "send/edit.h"
#include "send/send.h"
#include "wire/numbers.h"

#define MS_MOST	  (1000000000 * NS_PER_MS)
#define SECS_MOST (UINT32_MAX * NS_PER_SEC)

/* Titles of the help's groups. */
#define OUTPUT "Where"
#define SPEED  "How fast"
#define AMOUNT "How much"
#define ENGINE "Engines"
#define REPORT "Report"
#define EDIT   "Rewriting"

/* --- kinds of one option each --- */

static int set_timer(void *field, const struct opt_row *r, const char *v,
		     struct errbuf *e)
{
	int n = 0;
	int rc = opt_choose(r, v, &n, e);

	if (rc == 0)
		*(uint64_t *)field = (uint64_t)n;
	return rc;
}

static bool put_timer(struct text *t, const void *field,
		      const struct opt_row *r, unsigned i)
{
	const uint64_t *spin = field;

	return i == 0 && *spin != 0 && opt_put_chosen(t, r, (int)*spin);
}

static const struct opt_kind kind_timer = { false, set_timer, put_timer };

/* The number of loops may have been said before. */
static int set_unique(void *field, const struct opt_row *r, const char *v,
		      struct errbuf *e)
{
	uint64_t *n = field;

	(void)r;
	(void)v;
	(void)e;
	if (*n == 0)
		*n = 1;
	return 0;
}

static bool put_unique(struct text *t, const void *field,
		       const struct opt_row *r, unsigned i)
{
	(void)t;
	(void)r;
	return i == 0 && *(const uint64_t *)field != 0;
}

static const struct opt_kind kind_unique = { true, set_unique, put_unique };

static int set_ranges(struct send_options *o, const char *v, bool exclude,
		      struct errbuf *e)
{
	int n;

	if (o->ranges > 0)
		return errbuf_set(e, -EINVAL,
				  "one list of --include or --exclude may be "
				  "given");
	n = list_ranges(v, false, o->range, e);
	o->ranges = n > 0 ? (uint32_t)n : 0;
	o->exclude = exclude;
	return n > 0 ? 0 : n;
}

static int set_include(void *field, const struct opt_row *r, const char *v,
		       struct errbuf *e)
{
	(void)r;
	return set_ranges(field, v, false, e);
}

static int set_exclude(void *field, const struct opt_row *r, const char *v,
		       struct errbuf *e)
{
	(void)r;
	return set_ranges(field, v, true, e);
}

/* A list is not written back. */
static bool put_ranges(struct text *t, const void *field,
		       const struct opt_row *r, unsigned i)
{
	(void)t;
	(void)field;
	(void)r;
	(void)i;
	return false;
}

static const struct opt_kind kind_include = { false, set_include, put_ranges };
static const struct opt_kind kind_exclude = { false, set_exclude, put_ranges };

/* --- rows --- */

static const struct opt_word timer_words[] = { { "gtod", SEND_SPIN_WHOLE },
					       { "nano", SEND_SPIN_SHORT },
					       { "select", SEND_SPIN_SHORT },
					       { NULL, 0 } };
static const struct opt_word engine_words[] = {
	{ "auto", SEND_AUTO }, { "sendmmsg", SEND_PACKET }, { "gso", SEND_GSO },
	{ "xdp", SEND_XDP },   { "live", SEND_LIVE },	    { NULL, 0 },
};
static const struct opt_word vlan_words[] = { { "add", EDIT_VLAN_ADD },
					      { "del", EDIT_VLAN_DEL },
					      { NULL, 0 } };
static const struct opt_word proto_words[] = { { "802.1q", ETHERTYPE_VLAN },
					       { "802.1ad", ETHERTYPE_QINQ },
					       { NULL, 0 } };
static const struct opt_word fixlen_words[] = { { "pad", EDIT_LEN_PAD },
						{ "trunc", EDIT_LEN_TRUNC },
						{ "del", EDIT_LEN_DEL },
						{ NULL, 0 } };
static const struct opt_word dlt_words[] = { { "enet", 0 }, { NULL, 0 } };

#define AT(member) offsetof(struct send_options, member)

static const struct opt_row send_rows[] = {
	{ "intf1", 'i', &opt_kind_string, AT(ifname[0]), "DEV",
	  "send from here; with -I, the primary side: what clients sent",
	  .group = OUTPUT },
	{ "intf2", 'I', &opt_kind_string, AT(ifname[1]), "DEV",
	  "the secondary side: what servers sent", .group = OUTPUT },
	{ "cachefile", 'c', &opt_kind_string, AT(cache), "FILE",
	  "which packet leaves from which (tcpprep, understudy prep)",
	  .group = OUTPUT },
	{ "dualfile", '2', &opt_kind_flag, AT(dual), NULL,
	  "two captures: the first from -i, the second from -I",
	  .group = OUTPUT },
	{ "onto-live-network", 0, &opt_kind_flag, AT(in_use), NULL,
	  "send also on an interface that the host uses", .group = OUTPUT },
	{ "user", 0, &opt_kind_string, AT(user), "NAME",
	  "become this user before the captures are read", .group = OUTPUT },
	{ "multiplier", 'x', &opt_kind_micro, AT(pace.scale), "N",
	  "N times as fast as captured (1)", .group = SPEED, .least = 1,
	  .most = PACE_SCALE_MAX, .flags = OPT_ONCE },
	{ "pps", 'p', &opt_kind_micro, AT(pace.pps), "packets/s",
	  "so many packets a second", .group = SPEED, .least = 1,
	  .most = PACE_PPS_MAX, .flags = OPT_ONCE },
	{ "pps-multi", 0, &opt_kind_u64, AT(pace.burst), "N",
	  "with --pps, N packets at a time", .group = SPEED, .least = 1,
	  .most = 1000000 },
	{ "mbps", 'M', &opt_kind_micro, AT(pace.bps), "Mbit/s",
	  "so many Mbit of frames a second", .group = SPEED, .least = 1,
	  .most = PACE_BPS_MAX, .flags = OPT_ONCE },
	{ "topspeed", 't', &opt_kind_const, AT(pace.mode), NULL,
	  "as fast as possible", .group = SPEED, .least = PACE_TOP,
	  .flags = OPT_ONCE },
	{ "oneatatime", 'o', &opt_kind_flag, AT(step), NULL,
	  "ask on the terminal before each frame", .group = SPEED,
	  .flags = OPT_ONCE },
	{ "maxsleep", 0, &opt_kind_msecs, AT(pace.gap_max), "MS",
	  "no gap is longer than so many milliseconds", .group = SPEED,
	  .most = MS_MOST },
	{ "timer", 'T', &kind_timer, AT(spin), "gtod|nano",
	  "watch the clock (gtod: exact, a whole processor; default if one is "
	  "free), or sleep until 60 us before (nano: a few percent of one)",
	  .group = SPEED, .words = timer_words },
	{ "loop", 'l', &opt_kind_u64, AT(loops), "N",
	  "N times, 0: until a signal (1)", .group = AMOUNT,
	  .most = UINT32_MAX },
	{ "loopdelay-ms", 0, &opt_kind_msecs, AT(loop_delay), "N",
	  "pause between the loops", .group = AMOUNT, .most = MS_MOST },
	{ "loopdelay-ns", 0, &opt_kind_u64, AT(loop_delay), "N",
	  "the same in ns", .group = AMOUNT, .most = SECS_MOST },
	{ "limit", 'L', &opt_kind_u64, AT(limit), "N", "N frames and no more",
	  .group = AMOUNT, .least = 1, .most = UINT64_MAX },
	{ "duration", 0, &opt_kind_duration, AT(duration), "TIME",
	  "so long and no longer; a plain number is seconds", .group = AMOUNT,
	  .least = 1, .most = UINT64_MAX },
	{ "unique-ip", 0, &kind_unique, AT(unique), NULL,
	  "other addresses in each loop", .group = AMOUNT },
	{ "unique-ip-loops", 0, &opt_kind_u64, AT(unique), "N",
	  "other addresses after every N loops", .group = AMOUNT, .least = 1,
	  .most = UINT32_MAX },
	{ "preload-pcap", 'K', &opt_kind_flag, AT(preload), NULL,
	  "load long captures too before the first frame leaves",
	  .group = AMOUNT },
	{ "include", 0, &kind_include, 0, "N[-M],...",
	  "only these packets of each capture, counted from 1",
	  .group = AMOUNT },
	{ "exclude", 0, &kind_exclude, 0, "N[-M],...", "all but these packets",
	  .group = AMOUNT },
	{ "pktlen", 0, &opt_kind_flag, AT(whole), NULL,
	  "records that the capture cut: zeroes for what is missing",
	  .group = AMOUNT },
	{ "engine", 0, &opt_kind_word, AT(engine), "auto|sendmmsg|gso|xdp|live",
	  "how frames leave (auto)", .group = ENGINE, .words = engine_words },
	{ "xdp", 0, &opt_kind_const, AT(engine), NULL,
	  "the same as --engine xdp", .group = ENGINE, .least = SEND_XDP },
	{ "any-order", 0, &opt_kind_flag, AT(any_order), NULL,
	  "frames of the two interfaces may overtake each other",
	  .group = ENGINE },
	{ "qdisc", 0, &opt_kind_flag, AT(qdisc), NULL,
	  "through the queueing discipline (netem, tbf), not round it",
	  .group = ENGINE },
	{ "no-flow-stats", 0, &opt_kind_unset, AT(flows), NULL,
	  "count no flows", .group = REPORT },
	{ "flow-expiry", 0, &opt_kind_secs, AT(flow_expiry), "S",
	  "a flow that was silent for so many seconds is a new one",
	  .group = REPORT, .most = SECS_MOST },
	{ "stats", 0, &opt_kind_secs, AT(stats), "S",
	  "a line every so many seconds; 0: after every loop", .group = REPORT,
	  .most = SECS_MOST },
	{ "json", 0, &opt_kind_flag, AT(json), NULL,
	  "a JSON object as the last line", .group = REPORT },
	{ "quiet", 'q', &opt_kind_ignored, 0, NULL,
	  "accepted for tcpreplay's sake: no more is printed without it",
	  .group = REPORT, .flags = OPT_COMPAT },
	{ "verbose", 'v', &opt_kind_flag, AT(verbose), NULL,
	  "a line for each frame that is sent", .group = REPORT },
	{ "pid", 'P', &opt_kind_flag, AT(pid), NULL, "print the process number",
	  .group = REPORT },
	{ "help", 'h', &opt_kind_help, 0, NULL, "this text", .group = REPORT },
};

/* Each of these alone rewrites. */
static const struct opt_row edit_rows[] = {
	{ "portmap", 'r', &send_kind_portmap, 0, "A[-B]:C,...",
	  "ports of TCP and UDP", .group = EDIT },
	{ "pnat", 'N', &send_kind_pnat, 0, "NET:NET,...",
	  "addresses; a second one is for -I", .group = EDIT,
	  .flags = OPT_REPEAT },
	{ "srcipmap", 'S', &send_kind_nets, AT(edit.src), "NET:NET,...",
	  "sources only", .group = EDIT, .flags = OPT_REPEAT },
	{ "dstipmap", 'D', &send_kind_nets, AT(edit.dst), "NET:NET,...",
	  "destinations only", .group = EDIT, .flags = OPT_REPEAT },
	{ "endpoints", 'e', &send_kind_endpoints, 0, "IP:IP",
	  "all packets are between these; needs -c", .group = EDIT },
	{ "seed", 's', &opt_kind_u64, AT(edit.seed), "N",
	  "other addresses for all", .group = EDIT, .most = UINT32_MAX },
	{ "enet-dmac", 0, &send_kind_dmac, 0, "MAC[,MAC]",
	  "destination hardware address; the second is for -I", .group = EDIT },
	{ "enet-smac", 0, &send_kind_smac, 0, "MAC[,MAC]",
	  "source hardware address", .group = EDIT },
	{ "enet-subsmac", 0, &send_kind_subsmac, 0, "MAC,MAC",
	  "the second wherever the first is", .group = EDIT,
	  .flags = OPT_REPEAT },
	{ "enet-mac-seed", 0, &opt_kind_u32, AT(mac_seed), "N",
	  "other hardware addresses for all but groups", .group = EDIT,
	  .most = UINT32_MAX },
	{ "enet-vlan", 0, &opt_kind_word, AT(edit.vlan), "add|del",
	  "add a VLAN tag, or take the outermost away", .group = EDIT,
	  .words = vlan_words },
	{ "ttl", 0, &send_kind_ttl, 0, "N|+N|-N", "time to live and hop limit",
	  .group = EDIT, .least = 1, .most = 255 },
	{ "tos", 0, &send_kind_given, AT(edit.tos), "N", "TOS byte of IPv4",
	  .group = EDIT, .most = 255 },
	{ "tclass", 0, &send_kind_given, AT(edit.tclass), "N",
	  "traffic class of IPv6", .group = EDIT, .most = 255 },
	{ "flowlabel", 0, &send_kind_given, AT(edit.flowlabel), "N",
	  "flow label of IPv6", .group = EDIT, .most = 0xfffff },
	{ "tcp-sequence", 0, &send_kind_tcp_sequence, 0, "N",
	  "other sequence numbers, both directions alike; N from 1",
	  .group = EDIT, .least = 1, .most = UINT32_MAX },
	{ "fuzz-seed", 0, &opt_kind_u64, AT(edit.fuzz_seed), "N",
	  "damage or drop one frame in 8", .group = EDIT, .most = UINT32_MAX },
	{ "mtu-trunc", 0, &opt_kind_flag, AT(edit.trunc), NULL,
	  "cut the packets that are longer", .group = EDIT },
	{ "fixlen", 'F', &opt_kind_word, AT(edit.fixlen), "pad|trunc|del",
	  "records that the capture cut", .group = EDIT,
	  .words = fixlen_words },
	{ "fixcsum", 'C', &opt_kind_flag, AT(edit.fixcsum), NULL,
	  "sum all checksums anew", .group = EDIT },
	{ "efcs", 'E', &opt_kind_flag, AT(edit.efcs), NULL,
	  "take the Ethernet checksum off the end", .group = EDIT },
};

/* These say how. */
static const struct opt_row edit_more[] = {
	{ "skipbroadcast", 'b', &opt_kind_flag, AT(edit.keep_casts), NULL,
	  "leave IP's broadcast and multicast addresses alone", .group = EDIT },
	{ "skipl2broadcast", 0, &opt_kind_flag, AT(edit.keep_mac_casts), NULL,
	  "leave the hardware addresses of groups alone", .group = EDIT },
	{ "enet-mac-seed-keep-bytes", 0, &opt_kind_u32, AT(mac_keep), "N",
	  "of --enet-mac-seed: the first N bytes stay", .group = EDIT,
	  .most = 6 },
	{ "dlt", 0, &send_kind_dlt, 0, "enet",
	  "what leaves is Ethernet, whatever the capture's link is",
	  .group = EDIT, .words = dlt_words, .flags = OPT_COMPAT },
	{ "enet-vlan-tag", 0, &send_kind_vlan_tag, 0, "N", "the tag's number",
	  .group = EDIT, .most = 4095 },
	{ "enet-vlan-pri", 0, &send_kind_vlan_pri, 0, "N", "its priority",
	  .group = EDIT, .most = 7 },
	{ "enet-vlan-cfi", 0, &send_kind_vlan_cfi, 0, "N", "its CFI bit",
	  .group = EDIT, .most = 1 },
	{ "enet-vlan-proto", 0, &send_kind_vlan_proto, 0, "802.1q|802.1ad",
	  "its protocol", .group = EDIT, .words = proto_words },
	{ "fuzz-factor", 0, &opt_kind_u32, AT(edit.fuzz_factor), "N",
	  "of --fuzz-seed: one in N", .group = EDIT, .least = 1,
	  .most = UINT32_MAX },
	{ "mtu", 'm', &opt_kind_u32, AT(edit.mtu), "N",
	  "for --mtu-trunc and --fixlen pad (the interface's)", .group = EDIT,
	  .least = 68, .most = EDIT_FRAME_MAX / 2 },
};

static int add_operand(void *base, const char *word, struct errbuf *e)
{
	struct send_options *o = base;

	if (o->files == SEND_FILES)
		return errbuf_set(e, -ENOSPC, "more than %d captures",
				  SEND_FILES);
	o->file[o->files++] = word;
	return 0;
}

#define TABLE(rows)                                                            \
	{                                                                      \
		rows, sizeof(rows) / sizeof((rows)[0]), 0                      \
	}

static const struct opt_table tables[] = {
	TABLE(send_rows),
	TABLE(edit_rows),
	TABLE(edit_more),
};

const struct opt_command send_command = {
	.name = "send",
	.usage = "send [OPTION...] [@FILE] -i DEV [-I DEV] CAPTURE...",
	.tables = tables,
	.count = sizeof(tables) / sizeof(tables[0]),
	.shortened = true,
	.operand = add_operand,
};

/* --- together --- */

static bool given(const struct opt_seen *seen, const char *name)
{
	return opt_was_seen(&send_command, seen, name);
}

/* How fast: at most one of the options may say it. */
static int finish_speed(struct send_options *o, const struct opt_seen *seen,
			struct errbuf *e)
{
	int n = given(seen, "multiplier") + given(seen, "pps") +
		given(seen, "mbps") + given(seen, "topspeed") +
		given(seen, "oneatatime");

	if (n > 1)
		return errbuf_set(e, -EINVAL,
				  "only one of --multiplier, --pps, --mbps, "
				  "--topspeed and --oneatatime may be given");
	if (given(seen, "pps"))
		o->pace.mode = PACE_PACKETS;
	if (given(seen, "mbps"))
		o->pace.mode = PACE_BITS;
	return 0;
}

/* What else follows from which options were given. */
static void finish(struct send_options *o, const struct opt_seen *seen)
{
	o->stats_loop = given(seen, "stats") && o->stats == 0;
	for (size_t i = 0; i < sizeof(edit_rows) / sizeof(edit_rows[0]); i++)
		o->edit.on |= given(seen, edit_rows[i].name);
	o->edit.seeded = given(seen, "seed");
	o->mac_seeded = given(seen, "enet-mac-seed");
	o->fuzz = given(seen, "fuzz-seed");
}

static int check(const struct send_options *o, struct errbuf *e)
{
	if (!o->ifname[0])
		return errbuf_set(e, -EINVAL, "no interface; give -i DEV");
	if (o->files == 0)
		return errbuf_set(e, -EINVAL, "no capture; name a file, or -");
	if ((o->cache || o->dual) && !o->ifname[1])
		return errbuf_set(e, -EINVAL,
				  "a second interface is needed; give -I DEV");
	if (o->ifname[1] && !o->cache && !o->dual)
		return errbuf_set(e, -EINVAL,
				  "what leaves from %s? give -c FILE, or -2 "
				  "and two captures",
				  o->ifname[1]);
	if (o->ifname[1] && strcmp(o->ifname[0], o->ifname[1]) == 0)
		return errbuf_set(e, -EINVAL,
				  "-i and -I are the same interface");
	if (o->pace.burst > 1 && o->pace.mode != PACE_PACKETS)
		return errbuf_set(e, -EINVAL, "--pps-multi wants --pps");
	if (o->ranges > 0 && o->dual)
		return errbuf_set(e, -EINVAL,
				  "-2 goes without --include and --exclude");
	return 0;
}

int send_options_parse(struct send_options *o, int argc, char **argv,
		       struct errbuf *e)
{
	struct opt_seen seen;
	int rc;

	memset(o, 0, sizeof(*o));
	o->pace = (struct pace_config){ .mode = PACE_CAPTURED,
					.scale = PACE_MILLION,
					.burst = 1 };
	o->loops = 1;
	o->flows = true;
	send_edit_defaults(o);
	rc = opt_parse(&send_command, o, argc, argv, &seen, e);
	if (rc == 0)
		rc = finish_speed(o, &seen, e);
	if (rc == 0)
		rc = check(o, e);
	if (rc)
		return rc;
	finish(o, &seen);
	return send_edit_finish(o, e);
}
