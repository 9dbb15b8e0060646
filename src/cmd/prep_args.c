/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prep_args.c - The command line of prep: tcpprep's letters and names
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/prep.h"

enum { OPT_REVERSE = 256, OPT_NO_ARGS, OPT_COMPAT, OPT_FLOWS, OPT_COUNT };

/** struct prep_option - A row: what getopt and the help text need */
struct prep_option {
	const char *name;
	int letter;
	const char *arg; /* NULL: none */
	const char *help;
};

static const struct prep_option table[] = {
	{ "pcap", 'i', "FILE", "capture, pcap or pcapng; - is standard input" },
	{ "cachefile", 'o', "FILE", "cache file to write" },
	{ "compat", OPT_COMPAT, "tcpprep",
	  "do what tcpprep 4.4.3 does, byte for byte" },
	{ "auto", 'a', "MODE",
	  "bridge (the default), router, client, server, first" },
	{ "cidr", 'c', "NET,...", "networks of the servers" },
	{ "regex", 'r', "EXPR", "addresses of the servers" },
	{ "port", 'p', NULL, "destination ports of the servers" },
	{ "mac", 'e', "MAC,...", "hardware addresses of the servers" },
	{ "reverse", OPT_REVERSE, NULL,
	  "-c, -r and -e are of clients; frames without IP go the other way" },
	{ "nonip", 'N', NULL, "frames without IP go the servers' way" },
	{ "include", 'x', "RULE",
	  "send only these: S:, D:, B:, E:NET,...; P:NUMBERS; F:FILTER" },
	{ "exclude", 'X', "RULE", "do not send these" },
	{ "services", 's', "FILE", "ports of -p, as in /etc/services" },
	{ "ratio", 'R', "N",
	  "a host is a server at N times as often a server as a client (2.0)" },
	{ "minmask", 'm', "BITS", "longest network of router mode (30)" },
	{ "maxmask", 'M', "BITS", "shortest network of router mode (8)" },
	{ "comment", 'C', "TEXT", "comment in the cache file" },
	{ "no-arg-comment", OPT_NO_ARGS, NULL,
	  "leave the command line out of the comment" },
	{ "print-comment", 'P', "CACHE", "print a cache file's comment" },
	{ "print-info", 'I', "CACHE", "print what happens to each packet" },
	{ "print-stats", 'S', "CACHE", "count them" },
	{ "max-flows", OPT_FLOWS, "N",
	  "connections followed at a time (262144)" },
	{ "verbose", 'v', NULL, "print the fate of each packet" },
	{ "quiet", 'q', NULL, "no progress and no summary" },
	{ "help", 'h', NULL, "this text" },
};

#define ROWS (sizeof(table) / sizeof(table[0]))

/** struct given - Which options were given; getopt's tables */
struct given {
	bool seen[OPT_COUNT];
	struct option longs[ROWS + 1];
	char shorts[3 * ROWS + 2];
};

static void make_getopt(struct given *g)
{
	char *s = g->shorts;

	*s++ = '+'; /* no words between options */
	for (size_t i = 0; i < ROWS; i++) {
		const struct prep_option *o = &table[i];

		g->longs[i] = (struct option){
			.name = o->name,
			.has_arg = o->arg ? required_argument : no_argument,
			.val = o->letter,
		};
		if (o->letter < 256) {
			*s++ = (char)o->letter;
			if (o->arg)
				*s++ = ':';
		}
	}
}

static void print_help(void)
{
	printf("usage: understudy prep -i FILE -o FILE [OPTION...]\n"
	       "       understudy prep -P CACHE | -I CACHE | -S CACHE\n\n"
	       "Decide for each packet of a capture whether it is sent, and "
	       "whether it goes\nfrom the client to the server (primary) or "
	       "back (secondary).\n\n");
	for (size_t i = 0; i < ROWS; i++) {
		const struct prep_option *o = &table[i];
		char left[48];

		snprintf(left, sizeof(left), "%c%c%c --%s%s%s",
			 o->letter < 256 ? '-' : ' ',
			 o->letter < 256 ? o->letter : ' ',
			 o->letter < 256 ? ',' : ' ', o->name,
			 o->arg ? "=" : "", o->arg ? o->arg : "");
		printf("  %-28s %s\n", left, o->help);
	}
}

static int get_mode(struct prep_args *a, const char *s, struct errbuf *e)
{
	static const struct {
		const char *name;
		enum prep_mode mode;
	} modes[] = {
		{ "bridge", PREP_BRIDGE }, { "router", PREP_ROUTER },
		{ "client", PREP_CLIENT }, { "server", PREP_SERVER },
		{ "first", PREP_FIRST },
	};

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (strcmp(s, modes[i].name) == 0) {
			a->rules.mode = modes[i].mode;
			return 0;
		}
	}
	return errbuf_set(e, -EINVAL, "-a: no mode '%s'", s);
}

static int get_pick(struct prep_args *a, const char *s, bool exclude,
		    struct errbuf *e)
{
	static const char letters[] = "SDBEPF";
	const char *p = s[0] ? strchr(letters, s[0]) : NULL;
	struct prep_rules *r = &a->rules;
	int n;

	if (!p || s[1] == '\0' || (s[1] != ':' && !a->tcpprep))
		return errbuf_set(e, -EINVAL,
				  "-%c: a rule is S:, D:, B:, E:, P: or F: and "
				  "what it means",
				  exclude ? 'X' : 'x');
	r->pick = PICK_SOURCE + (unsigned)(p - letters);
	r->exclude = exclude;
	s += 2;
	switch (r->pick) {
	case PICK_FILTER:
		if (exclude && a->tcpprep)
			return errbuf_set(e, -EINVAL,
					  "-X F: tcpprep cannot; -x F:'not "
					  "...' can");
		a->filter = s;
		return 0;
	case PICK_PACKETS:
		n = prep_parse_ranges(s, a->tcpprep, a->range, e);
		r->ranges = n > 0 ? (size_t)n : 0;
		break;
	default:
		n = prep_parse_nets(s, a->picked, e);
		r->picked.n = n > 0 ? (size_t)n : 0;
	}
	return n < 0 ? n : 0;
}

static int get_bits(const char *s, unsigned *out, struct errbuf *e)
{
	char *end;
	unsigned long v = strtoul(s, &end, 0);

	if (!isdigit((unsigned char)*s) || *end != '\0' || v > 32)
		return errbuf_set(e, -EINVAL, "mask of %s bits: 0 to 32", s);
	*out = (unsigned)v;
	return 0;
}

static int get_flows(struct prep_args *a, const char *s, struct errbuf *e)
{
	char *end;
	unsigned long v = strtoul(s, &end, 10);

	if (!isdigit((unsigned char)*s) || *end != '\0' || v == 0 ||
	    v > PREP_FLOWS_MAX)
		return errbuf_set(e, -EINVAL, "--max-flows: 1 to %u",
				  PREP_FLOWS_MAX);
	a->flows = (uint32_t)v;
	return 0;
}

/* Options that name a mode or a list. */
/* Does the expression of -r match this address, as text? */
static bool match_addr(void *arg, const uint8_t *addr, bool v6)
{
	char text[INET6_ADDRSTRLEN];

	inet_ntop(v6 ? AF_INET6 : AF_INET, addr, text, sizeof(text));
	return pattern_match(arg, text);
}

static int get_list(struct prep_args *a, int c, struct errbuf *e)
{
	int n;

	switch (c) {
	case 'c':
		a->rules.mode = PREP_CIDR;
		n = prep_parse_nets(optarg, a->split, e);
		a->rules.split.n = n > 0 ? (size_t)n : 0;
		return n < 0 ? n : 0;
	case 'r':
		a->rules.mode = PREP_REGEX;
		n = pattern_compile(&a->pattern, optarg, e);
		a->rules.match = match_addr;
		a->rules.arg = a->pattern;
		return n;
	case 'e':
		a->rules.mode = PREP_MAC;
		n = prep_parse_macs(optarg, a->tcpprep, a->mac, e);
		a->rules.macs = n > 0 ? (size_t)n : 0;
		return n < 0 ? n : 0;
	case 's':
		return prep_parse_services(optarg, a->tcp, a->udp, e);
	default:
		return get_pick(a, optarg, c == 'X', e);
	}
}

static int get_one(struct prep_args *a, int c, struct errbuf *e)
{
	switch (c) {
	case 'i':
		a->in = optarg;
		return 0;
	case 'o':
		a->out = optarg;
		return 0;
	case 'a':
		return get_mode(a, optarg, e);
	case 'p':
		a->rules.mode = PREP_PORT;
		return 0;
	case OPT_REVERSE:
		a->rules.reverse = true;
		return 0;
	case 'N':
		a->rules.nonip = true;
		return 0;
	case 'R':
		a->rules.ratio = atof(optarg);
		return 0;
	case 'm':
		return get_bits(optarg, &a->rules.min_bits, e);
	case 'M':
		return get_bits(optarg, &a->rules.max_bits, e);
	case 'C':
		a->comment = optarg;
		return 0;
	case 'P':
	case 'I':
	case 'S':
		a->show = (char)c;
		a->in = optarg;
		return 0;
	case OPT_FLOWS:
		return get_flows(a, optarg, e);
	case 'v':
		a->verbose = true;
		return 0;
	case 'q':
		a->quiet = true;
		return 0;
	case OPT_NO_ARGS:
	case OPT_COMPAT: /* read before all others */
		return 0;
	default:
		return get_list(a, c, e);
	}
}

/* Is @arg --compat? Return: words that it takes, 0: it is another one. */
static int is_compat(const char *arg)
{
	if (strcmp(arg, "--compat") == 0)
		return 2;
	return strncmp(arg, "--compat=", 9) == 0 ? 1 : 0;
}

/* It changes how the others are read, so it is looked for first. */
static int find_compat(struct prep_args *a, int argc, char **argv,
		       struct errbuf *e)
{
	for (int i = 0; i < argc; i++) {
		int n = is_compat(argv[i]);
		const char *v = n == 1 ? argv[i] + 9 : NULL;

		if (n == 0)
			continue;
		if (n == 2 && i + 1 < argc)
			v = argv[i + 1];
		if (!v || strcmp(v, "tcpprep") != 0)
			return errbuf_set(e, -EINVAL,
					  "--compat: there is 'tcpprep' only");
		a->tcpprep = true;
	}
	return 0;
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

/* What may not, or must, stand together. */
static int check(struct prep_args *a, const struct given *g, struct errbuf *e)
{
	int modes = g->seen['a'] + g->seen['c'] + g->seen['r'] + g->seen['p'] +
		    g->seen['e'];

	if (a->show)
		return 0;
	if (modes > 1 || (g->seen['x'] && g->seen['X']))
		return errbuf_set(e, -EINVAL,
				  modes > 1 ? "-a, -c, -r, -p and -e exclude "
					      "each other"
					    : "-x and -X exclude each other");
	if (modes == 0 && a->tcpprep)
		return errbuf_set(e, -EINVAL,
				  "tcpprep wants one of -a, -c, -r, -p, -e");
	if (g->seen['s'] && !g->seen['p'])
		return errbuf_set(e, -EINVAL, "-s goes with -p");
	if ((g->seen['R'] || g->seen['m'] || g->seen['M']) && !g->seen['a'])
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
	struct given g = { 0 };
	int rc = find_compat(a, argc, argv, e);
	int c;

	if (rc)
		return rc;
	defaults(a);
	make_getopt(&g);
	/* getopt begins behind the name of the program: the subcommand's. */
	argv--;
	argc++;
	optind = 0;
	opterr = 0;
	while ((c = getopt_long(argc, argv, g.shorts, g.longs, NULL)) != -1) {
		if (c == 'h') {
			print_help();
			return 1;
		}
		if (c == '?' || g.seen[c])
			return errbuf_set(e, -EINVAL,
					  c == '?' ? "%s: no such option, or "
						     "its argument is missing"
						   : "%s: given twice",
					  argv[optind - 1]);
		g.seen[c] = true;
		rc = get_one(a, c, e);
		if (rc)
			return rc;
	}
	if (optind < argc)
		return errbuf_set(e, -EINVAL, "%s: not an option",
				  argv[optind]);
	if (a->rules.mode == PREP_NONE && !a->tcpprep)
		a->rules.mode = PREP_BRIDGE;
	if (!g.seen[OPT_NO_ARGS])
		keep_args(a, argc - 1, argv + 1);
	return check(a, &g, e);
}

void prep_args_free(struct prep_args *a)
{
	pattern_free(a->pattern);
	a->pattern = NULL;
}
