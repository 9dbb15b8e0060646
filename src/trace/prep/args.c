/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * args.c - The command line of prep: tcpprep's letters and names
 *
 * tcpprep refuses what is given twice, and reads numbers as C does: so here,
 * too.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "opt/values.h"
#include "prep/prep.h"

/* --- kinds of few options each, over struct prep_args where not said --- */

/* What is not written back: lists and rules. */
static bool put_none(struct text *t, const void *field, const struct opt_row *r,
		     unsigned i)
{
	(void)t;
	(void)field;
	(void)r;
	(void)i;
	return false;
}

static int set_compat(void *field, const struct opt_row *r, const char *v,
		      struct errbuf *e)
{
	struct prep_args *a = field;
	int n;
	int rc = opt_choose(r, v, &n, e);

	if (rc == 0)
		a->tcpprep = true;
	return rc;
}

static bool put_compat(struct text *t, const void *field,
		       const struct opt_row *r, unsigned i)
{
	const struct prep_args *a = field;

	return i == 0 && a->tcpprep && opt_put_chosen(t, r, 1);
}

static const struct opt_kind kind_compat = { false, set_compat, put_compat };

static int set_cidr(void *field, const struct opt_row *r, const char *v,
		    struct errbuf *e)
{
	struct prep_args *a = field;
	int n = prep_parse_nets(v, a->tcpprep, a->split, e);

	(void)r;
	a->rules.mode = PREP_CIDR;
	a->rules.split.n = n > 0 ? (size_t)n : 0;
	return n < 0 ? n : 0;
}

static const struct opt_kind kind_cidr = { false, set_cidr, put_none };

/* Does the expression of -r match this address, as text? */
static bool match_addr(void *arg, const uint8_t *addr, bool v6)
{
	char text[INET6_ADDRSTRLEN];

	inet_ntop(v6 ? AF_INET6 : AF_INET, addr, text, sizeof(text));
	return pattern_match(arg, text);
}

static int set_regex(void *field, const struct opt_row *r, const char *v,
		     struct errbuf *e)
{
	struct prep_args *a = field;
	int rc = pattern_compile(&a->pattern, v, e);

	(void)r;
	a->rules.mode = PREP_REGEX;
	a->rules.match = match_addr;
	a->rules.arg = a->pattern;
	return rc;
}

static const struct opt_kind kind_regex = { false, set_regex, put_none };

static int set_port(void *field, const struct opt_row *r, const char *v,
		    struct errbuf *e)
{
	struct prep_args *a = field;

	(void)r;
	(void)v;
	(void)e;
	a->rules.mode = PREP_PORT;
	return 0;
}

static bool put_port(struct text *t, const void *field, const struct opt_row *r,
		     unsigned i)
{
	const struct prep_args *a = field;

	(void)t;
	(void)r;
	return i == 0 && a->rules.mode == PREP_PORT;
}

static const struct opt_kind kind_port = { true, set_port, put_port };

static int set_mac(void *field, const struct opt_row *r, const char *v,
		   struct errbuf *e)
{
	struct prep_args *a = field;
	int n = prep_parse_macs(v, a->tcpprep, a->mac, e);

	(void)r;
	a->rules.mode = PREP_MAC;
	a->rules.macs = n > 0 ? (size_t)n : 0;
	return n < 0 ? n : 0;
}

static const struct opt_kind kind_mac = { false, set_mac, put_none };

static int set_services(void *field, const struct opt_row *r, const char *v,
			struct errbuf *e)
{
	struct prep_args *a = field;

	(void)r;
	return prep_parse_services(v, a->tcp, a->udp, e);
}

static const struct opt_kind kind_services = { false, set_services, put_none };

/* -x and -X: a letter, a colon, and what it says of a packet. */
static int set_rule(void *field, const struct opt_row *row, const char *v,
		    struct errbuf *e)
{
	static const char letters[] = "SDBEPF";
	struct prep_args *a = field;
	struct prep_rules *r = &a->rules;
	bool exclude = row->letter == 'X';
	const char *p = v[0] ? strchr(letters, v[0]) : NULL;
	int n;

	if (!p || v[1] == '\0' || (v[1] != ':' && !a->tcpprep))
		return opt_bad(e, row, v,
			       "a rule is S:, D:, B:, E:, P: or F: and what it "
			       "means");
	r->pick = PICK_SOURCE + (unsigned)(p - letters);
	r->exclude = exclude;
	v += 2;
	switch (r->pick) {
	case PICK_FILTER:
		if (exclude && a->tcpprep)
			return errbuf_set(e, -EINVAL,
					  "-X F: tcpprep cannot; -x F:'not "
					  "...' can");
		a->filter = v;
		return 0;
	case PICK_PACKETS:
		n = list_ranges(v, a->tcpprep, a->range, e);
		r->ranges = n > 0 ? (size_t)n : 0;
		break;
	default:
		n = prep_parse_nets(v, a->tcpprep, a->picked, e);
		r->picked.n = n > 0 ? (size_t)n : 0;
	}
	return n < 0 ? n : 0;
}

static const struct opt_kind kind_rule = { false, set_rule, put_none };

/* [unsigned] 0 to 32, also as 0x1f or 037. */
static int set_bits(void *field, const struct opt_row *r, const char *v,
		    struct errbuf *e)
{
	char *end;
	unsigned long n = strtoul(v, &end, 0);

	if (!isdigit((unsigned char)*v) || *end != '\0' || n > 32)
		return opt_bad(e, r, v, "is no mask of 0 to 32 bits");
	*(unsigned *)field = (unsigned)n;
	return 0;
}

static bool put_bits(struct text *t, const void *field, const struct opt_row *r,
		     unsigned i)
{
	(void)r;
	if (i == 0)
		text_add(t, "%u", *(const unsigned *)field);
	return i == 0;
}

static const struct opt_kind kind_bits = { false, set_bits, put_bits };

/* [double] What is no number is 0, as in tcpprep. */
static int set_ratio(void *field, const struct opt_row *r, const char *v,
		     struct errbuf *e)
{
	(void)r;
	(void)e;
	*(double *)field = atof(v);
	return 0;
}

static bool put_ratio(struct text *t, const void *field,
		      const struct opt_row *r, unsigned i)
{
	(void)r;
	if (i == 0)
		text_add(t, "%.17g", *(const double *)field);
	return i == 0;
}

static const struct opt_kind kind_ratio = { false, set_ratio, put_ratio };

/* [const char *] A comment may be empty. */
static int set_comment(void *field, const struct opt_row *r, const char *v,
		       struct errbuf *e)
{
	(void)r;
	(void)e;
	*(const char **)field = v;
	return 0;
}

static bool put_comment(struct text *t, const void *field,
			const struct opt_row *r, unsigned i)
{
	return opt_kind_string.put(t, field, r, i);
}

static const struct opt_kind kind_comment = { false, set_comment, put_comment };

static int set_show(void *field, const struct opt_row *r, const char *v,
		    struct errbuf *e)
{
	struct prep_args *a = field;

	(void)e;
	a->show = r->letter;
	a->in = v;
	return 0;
}

static bool put_show(struct text *t, const void *field, const struct opt_row *r,
		     unsigned i)
{
	const struct prep_args *a = field;

	return a->show == r->letter && opt_kind_string.put(t, &a->in, r, i);
}

static const struct opt_kind kind_show = { false, set_show, put_show };

/* --- rows --- */

#define AT(member) offsetof(struct prep_args, member)
#define FILES	   "Files"
#define MODES	   "Who is the server"
#define RULES	   "Which packets"
#define SHOW	   "What is in a cache"
#define REPORT	   "Report"

static const struct opt_word compat_words[] = { { "tcpprep", 1 }, { NULL, 0 } };
static const struct opt_word mode_words[] = {
	{ "bridge", PREP_BRIDGE }, { "router", PREP_ROUTER },
	{ "client", PREP_CLIENT }, { "server", PREP_SERVER },
	{ "first", PREP_FIRST },   { NULL, 0 },
};

static const struct opt_row prep_rows[] = {
	{ "pcap", 'i', &opt_kind_string, AT(in), "FILE",
	  "capture, pcap or pcapng; - is standard input", .group = FILES,
	  .flags = OPT_ONCE },
	{ "cachefile", 'o', &opt_kind_string, AT(out), "FILE",
	  "cache file to write", .group = FILES, .flags = OPT_ONCE },
	{ "compat", 0, &kind_compat, 0, "tcpprep",
	  "do what tcpprep 4.4.3 does, byte for byte", .group = FILES,
	  .words = compat_words, .flags = OPT_ONCE | OPT_FIRST },
	{ "auto", 'a', &opt_kind_word, AT(rules.mode),
	  "bridge|router|client|server|first",
	  "found by what is seen (bridge is the default)", .group = MODES,
	  .words = mode_words, .flags = OPT_ONCE },
	{ "cidr", 'c', &kind_cidr, 0, "NET,...", "networks of the servers",
	  .group = MODES, .flags = OPT_ONCE },
	{ "regex", 'r', &kind_regex, 0, "EXPR", "addresses of the servers",
	  .group = MODES, .flags = OPT_ONCE },
	{ "port", 'p', &kind_port, 0, NULL, "destination ports of the servers",
	  .group = MODES, .flags = OPT_ONCE },
	{ "mac", 'e', &kind_mac, 0, "MAC,...",
	  "hardware addresses of the servers", .group = MODES,
	  .flags = OPT_ONCE },
	{ "reverse", 0, &opt_kind_flag, AT(rules.reverse), NULL,
	  "-c, -r and -e are of clients; frames without IP go the other way",
	  .group = MODES, .flags = OPT_ONCE },
	{ "nonip", 'N', &opt_kind_flag, AT(rules.nonip), NULL,
	  "frames without IP go the servers' way", .group = MODES,
	  .flags = OPT_ONCE },
	{ "services", 's', &kind_services, 0, "FILE",
	  "ports of -p, as in /etc/services", .group = MODES,
	  .flags = OPT_ONCE },
	{ "ratio", 'R', &kind_ratio, AT(rules.ratio), "N",
	  "a host is a server at N times as often a server as a client (2.0)",
	  .group = MODES, .flags = OPT_ONCE },
	{ "minmask", 'm', &kind_bits, AT(rules.min_bits), "BITS",
	  "longest network of router mode (30)", .group = MODES,
	  .flags = OPT_ONCE },
	{ "maxmask", 'M', &kind_bits, AT(rules.max_bits), "BITS",
	  "shortest network of router mode (8)", .group = MODES,
	  .flags = OPT_ONCE },
	{ "include", 'x', &kind_rule, 0, "RULE",
	  "send only these: S:, D:, B:, E:NET,...; P:NUMBERS; F:FILTER",
	  .group = RULES, .flags = OPT_ONCE },
	{ "exclude", 'X', &kind_rule, 0, "RULE", "do not send these",
	  .group = RULES, .flags = OPT_ONCE },
	{ "max-flows", 0, &opt_kind_u32, AT(flows), "N",
	  "connections followed at a time (262144)", .group = RULES, .least = 1,
	  .most = PREP_FLOWS_MAX, .flags = OPT_ONCE },
	{ "comment", 'C', &kind_comment, AT(comment), "TEXT",
	  "comment in the cache file", .group = REPORT, .flags = OPT_ONCE },
	{ "no-arg-comment", 0, &opt_kind_ignored, 0, NULL,
	  "leave the command line out of the comment", .group = REPORT,
	  .flags = OPT_ONCE },
	{ "verbose", 'v', &opt_kind_flag, AT(verbose), NULL,
	  "print the fate of each packet", .group = REPORT, .flags = OPT_ONCE },
	{ "quiet", 'q', &opt_kind_flag, AT(quiet), NULL,
	  "no progress and no summary", .group = REPORT, .flags = OPT_ONCE },
	{ "help", 'h', &opt_kind_help, 0, NULL, "this text", .group = REPORT },
	{ "print-comment", 'P', &kind_show, 0, "CACHE",
	  "print a cache file's comment", .group = SHOW, .flags = OPT_ONCE },
	{ "print-info", 'I', &kind_show, 0, "CACHE",
	  "print what happens to each packet", .group = SHOW,
	  .flags = OPT_ONCE },
	{ "print-stats", 'S', &kind_show, 0, "CACHE", "count them",
	  .group = SHOW, .flags = OPT_ONCE },
};

static int no_operand(void *base, const char *word, struct errbuf *e)
{
	(void)base;
	return errbuf_set(e, -EINVAL, "%s: not an option", word);
}

static const struct opt_table tables[] = {
	{ prep_rows, sizeof(prep_rows) / sizeof(prep_rows[0]), 0 },
};

const struct opt_command prep_command = {
	.name = "prep",
	.usage = "prep -i FILE -o FILE [OPTION...] [@FILE]\n"
		 "prep -P CACHE | -I CACHE | -S CACHE",
	.about = "Decide for each packet of a capture whether it is sent, and "
		 "whether it goes from the client to the server (primary) or "
		 "back (secondary).",
	.tables = tables,
	.count = 1,
	.shortened = true,
	.operand = no_operand,
};

/* --- the command line for the comment --- */

/*
 * Is @arg --compat, or as much of it as is no other option's? Return: words
 * that it takes, 0: it is another one.
 */
static int is_compat(const char *arg)
{
	size_t n = strcspn(arg, "=");

	if (n < strlen("--comp") || n > strlen("--compat") ||
	    strncmp(arg, "--compat", n) != 0)
		return 0;
	return arg[n] == '=' ? 1 : 2;
}

static void add_arg(char *out, size_t *len, const char *s)
{
	while (*s != '\0' && *len < PREP_ARGS_MAX - 1)
		out[(*len)++] = *s++;
}

/*
 * The command line for the comment, without -C. tcpprep also loses the word
 * behind the comment, and cuts at PREP_ARGS_MAX.
 */
static void keep_args(struct prep_args *a, int argc, char **argv)
{
	size_t len = 0;

	for (int i = 0; i < argc; i++) {
		int n = is_compat(argv[i]);

		if (n > 0) {
			i += n - 1;
			continue;
		}
		if (strcmp(argv[i], "-C") == 0) {
			i += a->tcpprep ? 2 : 1;
			while (a->tcpprep && i < argc && is_compat(argv[i]))
				i += is_compat(argv[i]);
			continue;
		}
		add_arg(a->args, &len, argv[i]);
		add_arg(a->args, &len, " ");
	}
	a->args[len > 0 ? len - 1 : 0] = '\0';
}

/* --- together --- */

static bool given(const struct opt_seen *seen, const char *name)
{
	return opt_was_seen(&prep_command, seen, name);
}

/* What may not, or must, stand together. */
static int check(struct prep_args *a, const struct opt_seen *seen,
		 struct errbuf *e)
{
	int modes = given(seen, "auto") + given(seen, "cidr") +
		    given(seen, "regex") + given(seen, "port") +
		    given(seen, "mac");

	if (a->show)
		return 0;
	if (modes > 1 || (given(seen, "include") && given(seen, "exclude")))
		return errbuf_set(e, -EINVAL,
				  modes > 1 ? "-a, -c, -r, -p and -e exclude "
					      "each other"
					    : "-x and -X exclude each other");
	if (modes == 0 && a->tcpprep)
		return errbuf_set(e, -EINVAL,
				  "tcpprep wants one of -a, -c, -r, -p, -e");
	if (given(seen, "services") && !given(seen, "port"))
		return errbuf_set(e, -EINVAL, "-s goes with -p");
	if ((given(seen, "ratio") || given(seen, "minmask") ||
	     given(seen, "maxmask")) &&
	    !given(seen, "auto"))
		return errbuf_set(e, -EINVAL, "-R, -m and -M go with -a");
	if (a->rules.min_bits <= a->rules.max_bits)
		return errbuf_set(e, -EINVAL,
				  "-m (%u) must be more than -M (%u)",
				  a->rules.min_bits, a->rules.max_bits);
	if (!(a->rules.ratio >= 0))
		return errbuf_set(e, -EINVAL, "-R: 0 or more");
	if (a->comment && strlen(a->comment) > PREP_USER_MAX)
		return errbuf_set(e, -EMSGSIZE, "-C: longer than %d bytes",
				  PREP_USER_MAX);
	if (!a->in || !a->out)
		return errbuf_set(e, -EINVAL, "-i FILE and -o FILE are needed");
	return 0;
}

static void defaults(struct prep_args *a)
{
	for (size_t i = 0; i < 1024; i++)
		a->tcp[i] = a->udp[i] = true;
	a->flows = PREP_FLOWS;
	a->rules.ratio = 2.0;
	a->rules.min_bits = 30;
	a->rules.max_bits = 8;
	a->rules.split.net = a->split;
	a->rules.picked.net = a->picked;
	a->rules.range = a->range;
	a->rules.mac = a->mac;
	a->rules.tcp = a->tcp;
	a->rules.udp = a->udp;
}

int prep_args_parse(struct prep_args *a, int argc, char **argv,
		    struct errbuf *e)
{
	struct opt_seen seen;
	int rc;

	defaults(a);
	rc = opt_parse(&prep_command, a, argc, argv, &seen, e);
	if (rc)
		return rc;
	if (a->rules.mode == PREP_NONE && !a->tcpprep)
		a->rules.mode = PREP_BRIDGE;
	if (!given(&seen, "no-arg-comment"))
		keep_args(a, argc, argv);
	return check(a, &seen, e);
}

void prep_args_free(struct prep_args *a)
{
	pattern_free(a->pattern);
	a->pattern = NULL;
}
