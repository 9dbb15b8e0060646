/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * send_options.c - The command line of send: tcpreplay's and tcprewrite's names
 *
 * Every option is one row. Letters are tcpreplay's; of tcprewrite's letters,
 * which tcpreplay-edit takes beside them, all that do not clash. A word "@FILE"
 * is replaced by the words in that file.
 */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/prep.h"
#include "cmd/send.h"
#include "cmd/send_edit.h"
#include "cmd/values.h"
#include "core/limits.h"

#define SPIN_GUARD    (20 * NS_PER_MS)
#define THRIFTY_GUARD (60 * NS_PER_US)
#define WORDS_MAX     4096
#define ARGS_FILE_MAX (1u << 16) /* bytes of an @FILE */

enum group { OUTPUT, SPEED, AMOUNT, ENGINE, REPORT, EDIT };

/** struct row - An option; @letter 0: none */
struct row {
	const char *name;
	int letter;
	enum group group;
	const char *arg;
	int (*set)(struct send_options *o, const char *v, struct errbuf *e);
	const char *help;
};

static int bad(struct errbuf *e, const char *v, const char *want)
{
	return errbuf_set(e, -EINVAL, "'%s' is not %s", v, want);
}

/* A decimal number with up to six decimals, in millionths. */
static int get_millionths(const char *v, uint64_t most, uint64_t *out)
{
	uint64_t n = 0;
	int decimals = -1;

	for (const char *c = v; *c; c++) {
		if (*c == '.' && decimals < 0) {
			decimals = 0;
			continue;
		}
		if (!isdigit((unsigned char)*c) || decimals == 6 ||
		    n > most * 10)
			return -EINVAL;
		n = n * 10 + (uint64_t)(*c - '0');
		if (decimals >= 0)
			decimals++;
	}
	for (int i = decimals < 0 ? 0 : decimals; i < 6; i++) {
		if (n > most)
			return -EINVAL;
		n *= 10;
	}
	if (n == 0 || n > most || v[0] == '\0')
		return -EINVAL;
	*out = n;
	return 0;
}

static int get_number(const char *v, uint64_t least, uint64_t most,
		      uint64_t *out, struct errbuf *e)
{
	uint64_t n;

	if (value_get_number(v, &n) || n < least || n > most)
		return errbuf_set(
			e, -EINVAL, "'%s' is not a number from %llu to %llu", v,
			(unsigned long long)least, (unsigned long long)most);
	*out = n;
	return 0;
}

/* --- output --- */

static int set_intf1(struct send_options *o, const char *v, struct errbuf *e)
{
	(void)e;
	o->ifname[0] = v;
	return 0;
}

static int set_intf2(struct send_options *o, const char *v, struct errbuf *e)
{
	(void)e;
	o->ifname[1] = v;
	return 0;
}

static int set_cache(struct send_options *o, const char *v, struct errbuf *e)
{
	(void)e;
	o->cache = v;
	return 0;
}

static int set_dual(struct send_options *o, const char *v, struct errbuf *e)
{
	(void)v;
	(void)e;
	o->dual = true;
	return 0;
}

static int set_in_use(struct send_options *o, const char *v, struct errbuf *e)
{
	(void)v;
	(void)e;
	o->in_use = true;
	return 0;
}

static int set_user(struct send_options *o, const char *v, struct errbuf *e)
{
	(void)e;
	o->user = v;
	return 0;
}

/* --- speed --- */

static int set_mode(struct send_options *o, enum pace_mode m, struct errbuf *e)
{
	if (o->speeds++ > 0)
		return errbuf_set(e, -EINVAL,
				  "only one of --multiplier, --pps, --mbps, "
				  "--topspeed and --oneatatime may be given");
	o->pace.mode = m;
	return 0;
}

static int set_multiplier(struct send_options *o, const char *v,
			  struct errbuf *e)
{
	int rc = set_mode(o, PACE_CAPTURED, e);

	if (rc == 0 && get_millionths(v, PACE_SCALE_MAX, &o->pace.scale))
		rc = bad(e, v, "a multiplier: write 2.0 or 0.5");
	return rc;
}

static int set_pps(struct send_options *o, const char *v, struct errbuf *e)
{
	int rc = set_mode(o, PACE_PACKETS, e);

	if (rc == 0 && get_millionths(v, PACE_PPS_MAX, &o->pace.pps))
		rc = bad(e, v, "a number of packets a second");
	return rc;
}

static int set_mbps(struct send_options *o, const char *v, struct errbuf *e)
{
	int rc = set_mode(o, PACE_BITS, e);

	/* A millionth of a Mbit/s is a bit a second. */
	if (rc == 0 && get_millionths(v, PACE_BPS_MAX, &o->pace.bps))
		rc = bad(e, v, "a number of Mbit/s");
	return rc;
}

static int set_top(struct send_options *o, const char *v, struct errbuf *e)
{
	(void)v;
	return set_mode(o, PACE_TOP, e);
}

static int set_step(struct send_options *o, const char *v, struct errbuf *e)
{
	int rc = set_mode(o, PACE_CAPTURED, e);

	(void)v;
	o->step = true;
	return rc;
}

static int set_burst(struct send_options *o, const char *v, struct errbuf *e)
{
	return get_number(v, 1, 1000000, &o->pace.burst, e);
}

static int set_maxsleep(struct send_options *o, const char *v, struct errbuf *e)
{
	uint64_t ms = 0;
	int rc = get_number(v, 0, 1000000000, &ms, e);

	o->pace.gap_max = ms * NS_PER_MS;
	return rc;
}

static int set_timer(struct send_options *o, const char *v, struct errbuf *e)
{
	if (strcmp(v, "gtod") == 0)
		o->guard = SPIN_GUARD;
	else if (strcmp(v, "nano") == 0 || strcmp(v, "select") == 0)
		o->guard = THRIFTY_GUARD;
	else
		return bad(e, v,
			   "a timer: gtod (exact, a whole processor) or "
			   "nano (a few percent of one)");
	return 0;
}

/* --- amount --- */

static int set_loop(struct send_options *o, const char *v, struct errbuf *e)
{
	return get_number(v, 0, UINT32_MAX, &o->loops, e);
}

static int set_delay_ms(struct send_options *o, const char *v, struct errbuf *e)
{
	uint64_t n = 0;
	int rc = get_number(v, 0, 1000000000, &n, e);

	o->loop_delay = n * NS_PER_MS;
	return rc;
}

static int set_delay_ns(struct send_options *o, const char *v, struct errbuf *e)
{
	return get_number(v, 0, UINT32_MAX * NS_PER_SEC, &o->loop_delay, e);
}

static int set_limit(struct send_options *o, const char *v, struct errbuf *e)
{
	return get_number(v, 1, UINT64_MAX, &o->limit, e);
}

static int set_duration(struct send_options *o, const char *v, struct errbuf *e)
{
	if (value_get_duration(v, &o->duration) || o->duration == 0)
		return bad(e, v, "a duration: write 10 (seconds) or 500ms");
	return 0;
}

static int set_unique(struct send_options *o, const char *v, struct errbuf *e)
{
	(void)v;
	(void)e;
	if (o->unique == 0)
		o->unique = 1;
	return 0;
}

static int set_unique_loops(struct send_options *o, const char *v,
			    struct errbuf *e)
{
	return get_number(v, 1, UINT32_MAX, &o->unique, e);
}

static int set_preload(struct send_options *o, const char *v, struct errbuf *e)
{
	(void)v;
	(void)e;
	o->preload = true;
	return 0;
}

static int set_ranges(struct send_options *o, const char *v, bool exclude,
		      struct errbuf *e)
{
	int n;

	if (o->ranges > 0)
		return errbuf_set(e, -EINVAL,
				  "one list of --include or --exclude may be "
				  "given");
	n = prep_parse_ranges(v, false, o->range, e);
	o->ranges = n > 0 ? (uint32_t)n : 0;
	o->exclude = exclude;
	return n > 0 ? 0 : n;
}

static int set_include(struct send_options *o, const char *v, struct errbuf *e)
{
	return set_ranges(o, v, false, e);
}

static int set_exclude(struct send_options *o, const char *v, struct errbuf *e)
{
	return set_ranges(o, v, true, e);
}

static int set_whole(struct send_options *o, const char *v, struct errbuf *e)
{
	(void)v;
	(void)e;
	o->whole = true;
	return 0;
}

/* --- engine --- */

static int set_engine(struct send_options *o, const char *v, struct errbuf *e)
{
	static const char *const name[] = { "auto", "sendmmsg", "gso", "xdp",
					    "live" };

	for (unsigned i = 0; i < sizeof(name) / sizeof(name[0]); i++) {
		if (strcmp(v, name[i]) != 0)
			continue;
		o->engine = (enum send_engine)i;
		return 0;
	}
	return bad(e, v, "an engine: auto, sendmmsg, gso, xdp or live");
}

static int set_xdp(struct send_options *o, const char *v, struct errbuf *e)
{
	(void)v;
	return set_engine(o, "xdp", e);
}

static int set_any_order(struct send_options *o, const char *v,
			 struct errbuf *e)
{
	(void)v;
	(void)e;
	o->any_order = true;
	return 0;
}

static int set_qdisc(struct send_options *o, const char *v, struct errbuf *e)
{
	(void)v;
	(void)e;
	o->qdisc = true;
	return 0;
}

/* --- report --- */

static int set_no_flows(struct send_options *o, const char *v, struct errbuf *e)
{
	(void)v;
	(void)e;
	o->flows = false;
	return 0;
}

static int set_expiry(struct send_options *o, const char *v, struct errbuf *e)
{
	uint64_t n = 0;
	int rc = get_number(v, 0, UINT32_MAX, &n, e);

	o->flow_expiry = n * NS_PER_SEC;
	return rc;
}

static int set_stats(struct send_options *o, const char *v, struct errbuf *e)
{
	uint64_t n = 0;
	int rc = get_number(v, 0, UINT32_MAX, &n, e);

	o->stats = n * NS_PER_SEC;
	o->stats_loop = n == 0;
	return rc;
}

static int set_json(struct send_options *o, const char *v, struct errbuf *e)
{
	(void)v;
	(void)e;
	o->json = true;
	return 0;
}

static int set_pid(struct send_options *o, const char *v, struct errbuf *e)
{
	(void)v;
	(void)e;
	o->pid = true;
	return 0;
}

static int set_verbose(struct send_options *o, const char *v, struct errbuf *e)
{
	(void)v;
	(void)e;
	o->verbose = true;
	return 0;
}

static int set_nothing(struct send_options *o, const char *v, struct errbuf *e)
{
	(void)o;
	(void)v;
	(void)e;
	return 0;
}

#define EDIT_ROW(name, letter, arg, fn, help)                                  \
	{                                                                      \
		name, letter, EDIT, arg, send_edit_##fn, help                  \
	}

static const struct row rows[] = {
	{ "intf1", 'i', OUTPUT, "DEV", set_intf1,
	  "send from here; with -I, the primary side: what clients sent" },
	{ "intf2", 'I', OUTPUT, "DEV", set_intf2,
	  "the secondary side: what servers sent" },
	{ "cachefile", 'c', OUTPUT, "FILE", set_cache,
	  "which packet leaves from which (tcpprep, understudy prep)" },
	{ "dualfile", '2', OUTPUT, NULL, set_dual,
	  "two captures: the first from -i, the second from -I" },
	{ "onto-live-network", 0, OUTPUT, NULL, set_in_use,
	  "send also on an interface that the host uses" },
	{ "user", 0, OUTPUT, "NAME", set_user,
	  "become this user before the captures are read" },
	{ "multiplier", 'x', SPEED, "N", set_multiplier,
	  "N times as fast as captured (1)" },
	{ "pps", 'p', SPEED, "N", set_pps, "N packets a second" },
	{ "pps-multi", 0, SPEED, "N", set_burst,
	  "with --pps, N packets at a time" },
	{ "mbps", 'M', SPEED, "N", set_mbps, "N Mbit of frames a second" },
	{ "topspeed", 't', SPEED, NULL, set_top, "as fast as possible" },
	{ "oneatatime", 'o', SPEED, NULL, set_step,
	  "ask on the terminal before each frame" },
	{ "maxsleep", 0, SPEED, "MS", set_maxsleep,
	  "no gap is longer than so many milliseconds" },
	{ "timer", 'T', SPEED, "gtod|nano", set_timer,
	  "watch the clock (gtod), or sleep until 60 us before" },
	{ "loop", 'l', AMOUNT, "N", set_loop,
	  "N times, 0: until a signal (1)" },
	{ "loopdelay-ms", 0, AMOUNT, "N", set_delay_ms,
	  "pause between the loops" },
	{ "loopdelay-ns", 0, AMOUNT, "N", set_delay_ns, "the same in ns" },
	{ "limit", 'L', AMOUNT, "N", set_limit, "N frames and no more" },
	{ "duration", 0, AMOUNT, "TIME", set_duration,
	  "so long and no longer; a plain number is seconds" },
	{ "unique-ip", 0, AMOUNT, NULL, set_unique,
	  "other addresses in each loop" },
	{ "unique-ip-loops", 0, AMOUNT, "N", set_unique_loops,
	  "other addresses after every N loops" },
	{ "preload-pcap", 'K', AMOUNT, NULL, set_preload,
	  "load long captures too before the first frame leaves" },
	{ "include", 0, AMOUNT, "N[-M],...", set_include,
	  "only these packets of each capture, counted from 1" },
	{ "exclude", 0, AMOUNT, "N[-M],...", set_exclude,
	  "all but these packets" },
	{ "pktlen", 0, AMOUNT, NULL, set_whole,
	  "records that the capture cut: zeroes for what is missing" },
	{ "engine", 0, ENGINE, "NAME", set_engine,
	  "auto, sendmmsg, gso, xdp or live (auto)" },
	{ "xdp", 0, ENGINE, NULL, set_xdp, "the same as --engine xdp" },
	{ "any-order", 0, ENGINE, NULL, set_any_order,
	  "frames of the two interfaces may overtake each other" },
	{ "qdisc", 0, ENGINE, NULL, set_qdisc,
	  "through the queueing discipline (netem, tbf), not round it" },
	{ "no-flow-stats", 0, REPORT, NULL, set_no_flows, "count no flows" },
	{ "flow-expiry", 0, REPORT, "S", set_expiry,
	  "a flow that was silent for so many seconds is a new one" },
	{ "stats", 0, REPORT, "S", set_stats,
	  "a line every so many seconds; 0: after every loop" },
	{ "json", 0, REPORT, NULL, set_json, "a JSON object as the last line" },
	{ "quiet", 'q', REPORT, NULL, set_nothing,
	  "accepted for tcpreplay's sake: no more is printed without it" },
	{ "verbose", 'v', REPORT, NULL, set_verbose,
	  "a line for each frame that is sent" },
	{ "pid", 'P', REPORT, NULL, set_pid, "print the process number" },
	EDIT_ROW("portmap", 'r', "A[-B]:C,...", portmap,
		 "ports of TCP and UDP"),
	EDIT_ROW("pnat", 'N', "NET:NET,...", pnat,
		 "addresses; a second one is for -I"),
	EDIT_ROW("srcipmap", 'S', "NET:NET,...", srcipmap, "sources only"),
	EDIT_ROW("dstipmap", 'D', "NET:NET,...", dstipmap, "destinations only"),
	EDIT_ROW("endpoints", 'e', "IP:IP", endpoints,
		 "all packets are between these; needs -c"),
	EDIT_ROW("seed", 's', "N", seed, "other addresses for all"),
	EDIT_ROW("skipbroadcast", 'b', NULL, skipbroadcast,
		 "leave IP's broadcast and multicast addresses alone"),
	EDIT_ROW("skipl2broadcast", 0, NULL, skip_mac_casts,
		 "leave the hardware addresses of groups alone"),
	EDIT_ROW("enet-dmac", 0, "MAC[,MAC]", dmac,
		 "destination hardware address; the second is for -I"),
	EDIT_ROW("enet-smac", 0, "MAC[,MAC]", smac, "source hardware address"),
	EDIT_ROW("enet-subsmac", 0, "MAC,MAC", subsmac,
		 "the second wherever the first is"),
	EDIT_ROW("enet-mac-seed", 0, "N", mac_seed,
		 "other hardware addresses for all but groups"),
	EDIT_ROW("enet-mac-seed-keep-bytes", 0, "N", mac_keep,
		 "their first N bytes stay"),
	EDIT_ROW("dlt", 0, "enet", dlt,
		 "what leaves is Ethernet, whatever the capture's link is"),
	EDIT_ROW("enet-vlan", 0, "add|del", vlan,
		 "add a VLAN tag, or take the outermost away"),
	EDIT_ROW("enet-vlan-tag", 0, "N", vlan_tag, "its number"),
	EDIT_ROW("enet-vlan-pri", 0, "N", vlan_pri, "its priority"),
	EDIT_ROW("enet-vlan-cfi", 0, "N", vlan_cfi, "its CFI bit"),
	EDIT_ROW("enet-vlan-proto", 0, "802.1q|802.1ad", vlan_proto,
		 "its protocol"),
	EDIT_ROW("ttl", 0, "N|+N|-N", ttl, "time to live and hop limit"),
	EDIT_ROW("tos", 0, "N", tos, "TOS byte of IPv4"),
	EDIT_ROW("tclass", 0, "N", tclass, "traffic class of IPv6"),
	EDIT_ROW("flowlabel", 0, "N", flowlabel, "flow label of IPv6"),
	EDIT_ROW("tcp-sequence", 0, "N", tcp_sequence,
		 "other sequence numbers, both directions alike"),
	EDIT_ROW("fuzz-seed", 0, "N", fuzz_seed,
		 "damage or drop one frame in 8"),
	EDIT_ROW("fuzz-factor", 0, "N", fuzz_factor, "one in N"),
	EDIT_ROW("mtu", 'm', "N", mtu,
		 "for --mtu-trunc and --fixlen pad (the interface's)"),
	EDIT_ROW("mtu-trunc", 0, NULL, mtu_trunc,
		 "cut the packets that are longer"),
	EDIT_ROW("fixlen", 'F', "pad|trunc|del", fixlen,
		 "records that the capture cut"),
	EDIT_ROW("fixcsum", 'C', NULL, fixcsum, "sum all checksums anew"),
	EDIT_ROW("efcs", 'E', NULL, efcs,
		 "take the Ethernet checksum off the end"),
	{ "help", 'h', REPORT, NULL, NULL, "this" },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

void send_options_usage(void)
{
	static const char *const title[] = { "where", "how fast", "how much",
					     "how",   "report",	  "rewriting" };
	int group = -1;

	printf("usage: understudy send [OPTION...] [@FILE] -i DEV [-I DEV] "
	       "CAPTURE...\n");
	for (size_t i = 0; i < ROWS; i++) {
		const struct row *r = &rows[i];

		if ((int)r->group != group && r->set) {
			group = (int)r->group;
			printf("\n%s\n", title[group]);
		}
		if (r->letter)
			printf("  -%c, ", r->letter);
		else
			printf("      ");
		printf("--%s%s%s\n", r->name, r->arg ? " " : "",
		       r->arg ? r->arg : "");
		printf("            %s\n", r->help);
	}
}

static const struct row *by_letter(int c)
{
	for (size_t i = 0; i < ROWS; i++)
		if (rows[i].letter == c && c != 0)
			return &rows[i];
	return NULL;
}

static int add_operand(struct send_options *o, const char *word,
		       struct errbuf *e)
{
	if (o->files == SEND_FILES)
		return errbuf_set(e, -ENOSPC, "more than %d captures",
				  SEND_FILES);
	o->file[o->files++] = word;
	return 0;
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

static int parse_all(struct send_options *o, int argc, char **argv,
		     struct errbuf *e)
{
	struct option longs[ROWS + 1];
	char letters[2 * ROWS + 2];
	size_t n = 0;
	int which = 0;
	int c;

	memset(longs, 0, sizeof(longs));
	letters[n++] = ':';
	for (size_t i = 0; i < ROWS; i++) {
		longs[i].name = rows[i].name;
		longs[i].has_arg =
			rows[i].arg ? required_argument : no_argument;
		if (rows[i].letter) {
			letters[n++] = (char)rows[i].letter;
			if (rows[i].arg)
				letters[n++] = ':';
		}
	}
	letters[n] = '\0';
	opterr = 0;
	optind = 0;
	while ((c = getopt_long(argc, argv, letters, longs, &which)) >= 0) {
		const struct row *r = c == 0 ? &rows[which] : by_letter(c);
		int rc;

		if (c == '?' || c == ':' || !r)
			return errbuf_set(e, -EINVAL,
					  "%s%s; 'understudy send --help' "
					  "lists all",
					  c == ':' ? "no value for "
						   : "no option ",
					  argv[optind - 1]);
		if (!r->set)
			return 1;
		rc = r->set(o, optarg, e);
		if (rc)
			return rc;
	}
	return 0;
}

/* --- files of options --- */

/* The content of an @FILE, with an end. It is never given back: options point
 * into it.
 */
static char *read_words(const char *path, struct errbuf *e)
{
	FILE *f = fopen(path, "re");
	char *text = malloc(ARGS_FILE_MAX + 1);
	size_t len = f && text ? fread(text, 1, ARGS_FILE_MAX, f) : 0;

	if (!f || !text || len == ARGS_FILE_MAX || ferror(f) ||
	    memchr(text, '\0', len)) {
		errbuf_set(e, -EINVAL, "@%s is no file of options", path);
		free(text);
		text = NULL;
	} else {
		text[len] = '\0';
	}
	if (f)
		fclose(f);
	return text;
}

/* The words of the command line, those of files in their place. */
static int expand(char **words, int *n, int argc, char **argv, struct errbuf *e)
{
	static char name[] = "send";

	/* getopt_long() wants the program's name first. */
	words[(*n)++] = name;
	for (int i = 0; i < argc; i++) {
		char *text, *word;
		int rc = 0;

		if (argv[i][0] != '@' || argv[i][1] == '\0') {
			if (*n == WORDS_MAX)
				return errbuf_set(e, -EINVAL, "too many words");
			words[(*n)++] = argv[i];
			continue;
		}
		text = read_words(argv[i] + 1, e);
		if (!text)
			return -EINVAL;
		while (*n < WORDS_MAX && (rc = words_next(&text, &word)) > 0)
			words[(*n)++] = word;
		if (rc != 0)
			return errbuf_set(e, -EINVAL,
					  "%s: too many words, or a quotation "
					  "that is not closed",
					  argv[i]);
	}
	return 0;
}

int send_options_parse(struct send_options *o, int argc, char **argv,
		       struct errbuf *e)
{
	static char *words[WORDS_MAX + 1];
	int n = 0;
	int rc = expand(words, &n, argc, argv, e);

	memset(o, 0, sizeof(*o));
	o->pace = (struct pace_config){ .mode = PACE_CAPTURED,
					.scale = PACE_MILLION,
					.burst = 1 };
	o->loops = 1;
	o->flows = true;
	o->guard = SPIN_GUARD;
	send_edit_defaults(o);
	words[n] = NULL;
	if (rc == 0)
		rc = parse_all(o, n, words, e);
	for (int i = optind; rc == 0 && i < n; i++)
		rc = add_operand(o, words[i], e);
	if (rc == 0)
		rc = check(o, e);
	return rc ? rc : send_edit_finish(o, e);
}
