/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * options.c - The command line of proxy
 */
#include <errno.h>
#include <string.h>

#include "core/limits.h"
#include "opt/list.h"
#include "opt/values.h"
#include "setup/setup.h"
#include "text/text.h"

#define DNS_PORT 53

/* Titles of the help's groups. */
#define WAYS   "What is proxied"
#define SPLICE "How connections are joined"
#define BOUNDS "Bounds"
#define WHO    "Who and where to"
#define REST   "The run"

/* --- kinds of one option each --- */

static int get_place(const char *s, size_t n, struct ipaddr *ip, uint16_t *port)
{
	uint8_t bits;
	int r = value_get_endpoint(s, n, ip, &bits, port);

	return r == 0 && bits == IPADDR_BITS && *port != 0 ? 0 : -EINVAL;
}

/* Is somebody else to listen there? */
static bool is_taken(const struct setup *o, const struct setup_place *p)
{
	for (unsigned i = 0; i < o->places; i++)
		if (o->place[i].port == p->port &&
		    ipaddr_eq(&o->place[i].ip, &p->ip))
			return true;
	return false;
}

static int add_place(struct setup *o, const struct opt_row *r, const char *v,
		     const struct setup_place *p, struct errbuf *e)
{
	if (o->places == SETUP_LISTENERS)
		return opt_bad(e, r, v, "is one too many");
	if (is_taken(o, p))
		return opt_bad(e, r, v, "listens where another one does");
	o->place[o->places++] = *p;
	return 0;
}

static int set_forward(void *field, const struct opt_row *r, const char *v,
		       struct errbuf *e)
{
	const char *at = strchr(v, '=');
	struct setup_place p = { .port = 0 };
	char item[LIST_ITEM];
	int rc = 0;

	if (!at || get_place(v, (size_t)(at - v), &p.ip, &p.port) != 0)
		return opt_bad(e, r, v,
			       "begins with no address and port to listen at");
	at++;
	while ((rc = list_next(&at, item)) == 1) {
		struct server *s = &p.servers.s[p.servers.n];

		if (p.servers.n == SERVERS_MAX)
			return opt_bad(e, r, v, "has too many servers");
		if (get_place(item, strlen(item), &s->ip, &s->port) != 0)
			return opt_bad(e, r, v,
				       "has a server that is no address with "
				       "a port");
		if (s->port == p.port && ipaddr_eq(&s->ip, &p.ip))
			return opt_bad(e, r, v, "leads to itself");
		p.servers.n++;
	}
	if (rc != 0 || p.servers.n == 0)
		return opt_bad(e, r, v, "has no server");
	return add_place(field, r, v, &p, e);
}

enum kind { FORWARD, SOCKS, HTTP };

static enum kind kind_of(const struct setup_place *p)
{
	return p->http ? HTTP : p->servers.n > 0 ? FORWARD : SOCKS;
}

/* Place number @i of those of a kind. */
static const struct setup_place *nth(const struct setup *o, enum kind kind,
				     unsigned i)
{
	for (unsigned k = 0; k < o->places; k++)
		if (kind_of(&o->place[k]) == kind && i-- == 0)
			return &o->place[k];
	return NULL;
}

static bool put_forward(struct text *t, const void *field,
			const struct opt_row *r, unsigned i)
{
	const struct setup_place *p = nth(field, FORWARD, i);
	char s[TEXT_ENDPOINT];

	(void)r;
	if (!p)
		return false;
	text_add(t, "%s", text_endpoint(s, &p->ip, p->port));
	for (unsigned k = 0; k < p->servers.n; k++)
		text_add(t, "%c%s", k == 0 ? '=' : ',',
			 text_endpoint(s, &p->servers.s[k].ip,
				       p->servers.s[k].port));
	return true;
}

static int set_place(void *field, const struct opt_row *r, const char *v,
		     bool http, struct errbuf *e)
{
	struct setup_place p = { .http = http };

	if (get_place(v, strlen(v), &p.ip, &p.port) != 0)
		return opt_bad(e, r, v, "is no address with a port");
	return add_place(field, r, v, &p, e);
}

static bool put_place(struct text *t, const struct setup_place *p)
{
	char s[TEXT_ENDPOINT];

	if (p)
		text_add(t, "%s", text_endpoint(s, &p->ip, p->port));
	return p;
}

static int set_socks(void *field, const struct opt_row *r, const char *v,
		     struct errbuf *e)
{
	return set_place(field, r, v, false, e);
}

static bool put_socks(struct text *t, const void *field,
		      const struct opt_row *r, unsigned i)
{
	(void)r;
	return put_place(t, nth(field, SOCKS, i));
}

static int set_http(void *field, const struct opt_row *r, const char *v,
		    struct errbuf *e)
{
	return set_place(field, r, v, true, e);
}

static bool put_http(struct text *t, const void *field, const struct opt_row *r,
		     unsigned i)
{
	(void)r;
	return put_place(t, nth(field, HTTP, i));
}

static int set_dns(void *field, const struct opt_row *r, const char *v,
		   struct errbuf *e)
{
	struct setup *o = field;
	struct ipaddr ip;
	uint16_t port;
	uint8_t bits;

	if (value_get_ip(v, strlen(v), &ip) == 0)
		port = DNS_PORT;
	else if (value_get_endpoint(v, strlen(v), &ip, &bits, &port) != 0 ||
		 bits != IPADDR_BITS || port == 0)
		return opt_bad(e, r, v, "is no address");
	o->has_dns = true;
	o->dns = ip;
	o->dns_port = port;
	return 0;
}

static bool put_dns(struct text *t, const void *field, const struct opt_row *r,
		    unsigned i)
{
	const struct setup *o = field;
	char s[TEXT_ENDPOINT];

	(void)r;
	if (i > 0 || !o->has_dns)
		return false;
	text_add(t, "%s", text_endpoint(s, &o->dns, o->dns_port));
	return true;
}

static int set_metrics(void *field, const struct opt_row *r, const char *v,
		       struct errbuf *e)
{
	struct setup *o = field;
	static const uint8_t here[4] = { 127, 0, 0, 1 };
	uint64_t n = 0;
	struct ipaddr ip = ipaddr_from4(here);
	uint16_t port = 0;

	if (value_get_number(v, &n) == 0 && n > 0 && n <= UINT16_MAX)
		port = (uint16_t)n;
	else if (get_place(v, strlen(v), &ip, &port) != 0)
		return opt_bad(e, r, v, "is no port, and no ADDR:PORT");
	o->metrics = ip;
	o->metrics_port = port;
	return 0;
}

static bool put_metrics(struct text *t, const void *field,
			const struct opt_row *r, unsigned i)
{
	const struct setup *o = field;
	char s[TEXT_ENDPOINT];

	(void)r;
	if (i > 0 || o->metrics_port == 0)
		return false;
	text_add(t, "%s", text_endpoint(s, &o->metrics, o->metrics_port));
	return true;
}

static int get_nets(struct judge_nets *l, const struct opt_row *r,
		    const char *v, struct errbuf *e)
{
	struct judge_net n;

	if (l->n == JUDGE_NETS)
		return opt_bad(e, r, v, "is one too many");
	if (value_get_net(v, strlen(v), &n.ip, &n.bits) != 0)
		return opt_bad(e, r, v, "is no network");
	l->net[l->n++] = n;
	return 0;
}

/* The row says where the list lies. */
static int set_nets(void *field, const struct opt_row *r, const char *v,
		    struct errbuf *e)
{
	return get_nets(field, r, v, e);
}

static bool put_nets(struct text *t, const void *field, const struct opt_row *r,
		     unsigned i)
{
	const struct judge_nets *l = field;

	(void)r;
	if (i >= l->n)
		return false;
	value_put_net(t, &l->net[i].ip, l->net[i].bits, false);
	return true;
}

static int set_ports(void *field, const struct opt_row *r, const char *v,
		     struct errbuf *e)
{
	struct setup *o = field;
	const char *dash = strchr(v, '-');
	char low[8];
	uint64_t a, b;

	if (!dash || (size_t)(dash - v) >= sizeof(low))
		return opt_bad(e, r, v, "is no range of ports");
	memcpy(low, v, (size_t)(dash - v));
	low[dash - v] = '\0';
	if (value_get_number(low, &a) != 0 ||
	    value_get_number(dash + 1, &b) != 0 || a < 1024 || a > b ||
	    b > UINT16_MAX)
		return opt_bad(e, r, v,
			       "is no range of ports from 1024 to 65535");
	o->port_low = (uint32_t)a;
	o->port_high = (uint32_t)b;
	return 0;
}

static bool put_ports(struct text *t, const void *field,
		      const struct opt_row *r, unsigned i)
{
	const struct setup *o = field;

	(void)r;
	if (i > 0)
		return false;
	text_add(t, "%u-%u", o->port_low, o->port_high);
	return true;
}

static const struct opt_kind kind_forward = { false, set_forward, put_forward };
static const struct opt_kind kind_socks = { false, set_socks, put_socks };
static const struct opt_kind kind_http = { false, set_http, put_http };
static const struct opt_kind kind_dns = { false, set_dns, put_dns };
static const struct opt_kind kind_metrics = { false, set_metrics, put_metrics };
static const struct opt_kind kind_nets = { false, set_nets, put_nets };
static const struct opt_kind kind_ports = { false, set_ports, put_ports };

/* --- rows --- */

static const struct opt_word splice_words[] = {
	{ "auto", SETUP_AUTO }, { "tc", SETUP_TC },	{ "copy", SETUP_COPY },
	{ "syn", SETUP_SYN },	{ "pipe", SETUP_PIPE }, { NULL, 0 },
};

static const struct opt_word header_words[] = {
	{ "v1", 1 },
	{ "v2", 2 },
	{ NULL, 0 },
};

#define AT(member) offsetof(struct setup, member)
#define TIME_MOST  (365 * 24 * 3600 * NS_PER_SEC)
#define WAIT_MOST  (3600 * NS_PER_SEC)

static const struct opt_row rows[] = {
	{ "forward", 0, &kind_forward, 0, "ADDR:PORT=ADDR:PORT[,...]",
	  "listen at the first, and connect to one of the others, by the "
	  "client's address",
	  .group = WAYS, .flags = OPT_REPEAT },
	{ "socks", 0, &kind_socks, 0, "ADDR:PORT",
	  "listen here for clients of SOCKS 4, 4a and 5, and connect where "
	  "they "
	  "say",
	  .group = WAYS, .flags = OPT_REPEAT },
	{ "http", 0, &kind_http, 0, "ADDR:PORT",
	  "listen here for clients of an HTTP proxy, and connect where their "
	  "requests say",
	  .group = WAYS, .flags = OPT_REPEAT },
	{ "splice", 0, &opt_kind_word, AT(splice), "auto|tc|copy|pipe|syn",
	  "join connections in the kernel where that can be and copy the rest "
	  "(auto), refuse the rest (tc), copy all, move all through pipes, or "
	  "join from the SYN on",
	  .group = SPLICE, .words = splice_words },
	{ "transparent", 0, &opt_kind_flag, AT(transparent), NULL,
	  "servers see the client's address; they must send their answers by "
	  "this host",
	  .group = SPLICE },
	{ "pin", 0, &opt_kind_string, AT(pin), "DIR",
	  "folder in a bpffs, which is made: what is spliced goes on when we "
	  "end, however that is",
	  .group = SPLICE },
	{ "ports", 0, &kind_ports, 0, "LOW-HIGH",
	  "ports of ours towards servers, which the kernel must not give out "
	  "(2048-32767)",
	  .group = SPLICE },
	{ "timewait", 0, &opt_kind_duration, AT(timewait), "TIME",
	  "how long a spliced connection is kept when both ends are done (4s)",
	  .group = SPLICE, .least = NS_PER_MS, .most = 240 * NS_PER_SEC },
	{ "workers", 0, &opt_kind_u32, AT(workers), "N",
	  "processes that share the clients, and --connections, --copies and "
	  "--ports (1)",
	  .group = BOUNDS, .least = 1, .most = SETUP_WORKERS },
	{ "connections", 0, &opt_kind_u32, AT(connections), "N",
	  "connections at once; more are refused (16384)", .group = BOUNDS,
	  .least = 1, .most = SETUP_CONNECTIONS },
	{ "per-client", 0, &opt_kind_u32, AT(per_client), "N",
	  "the same of one client: an address of IPv4, a /64 of IPv6 (0: all)",
	  .group = BOUNDS, .most = SETUP_CONNECTIONS, .flags = OPT_RUNTIME },
	{ "copies", 0, &opt_kind_u32, AT(copies), "N",
	  "connections that are copied at once; more are refused (1024)",
	  .group = BOUNDS, .least = 1, .most = SETUP_CONNECTIONS },
	{ "handshake-timeout", 0, &opt_kind_duration, AT(handshake_timeout),
	  "TIME", "for a client to say what he wants, and for its name (10s)",
	  .group = BOUNDS, .least = NS_PER_MS, .most = WAIT_MOST,
	  .flags = OPT_RUNTIME },
	{ "connect-timeout", 0, &opt_kind_duration, AT(connect_timeout), "TIME",
	  "for one server, or one address, to answer (5s)", .group = BOUNDS,
	  .least = NS_PER_MS, .most = WAIT_MOST, .flags = OPT_RUNTIME },
	{ "idle-timeout", 0, &opt_kind_duration, AT(idle_timeout), "TIME",
	  "for a connection that says nothing (124m)", .group = BOUNDS,
	  .least = NS_PER_MS, .most = TIME_MOST },
	{ "half-closed-timeout", 0, &opt_kind_duration, AT(half_closed_timeout),
	  "TIME", "the same when one side is done (4m)", .group = BOUNDS,
	  .least = NS_PER_MS, .most = TIME_MOST },
	{ "failures", 0, &opt_kind_u32, AT(failures), "N",
	  "a server that failed so often in a row gets no clients (3; 0: it "
	  "does)",
	  .group = WHO, .most = 1000000, .flags = OPT_RUNTIME },
	{ "check-every", 0, &opt_kind_duration, AT(check_every), "TIME",
	  "connect so often to one that gets none, and take it back (2s)",
	  .group = WHO, .least = 10 * NS_PER_MS, .most = WAIT_MOST,
	  .flags = OPT_RUNTIME },
	{ "allow", 0, &kind_nets, AT(allow), "NET",
	  "clients of SOCKS and HTTP may connect there, though it is private "
	  "or this host's",
	  .group = WHO, .flags = OPT_REPEAT | OPT_RELOAD },
	{ "deny", 0, &kind_nets, AT(deny), "NET",
	  "they may not, whatever --allow says", .group = WHO,
	  .flags = OPT_REPEAT | OPT_RELOAD },
	{ "socks-users", 0, &opt_kind_string, AT(socks_users), "FILE",
	  "clients of SOCKS must be one of its users: NAME:HASH a line, with a "
	  "hash of crypt(5)",
	  .group = WHO },
	{ "dns", 0, &kind_dns, 0, "ADDR[:PORT]",
	  "who says the addresses of names; without it: as the host does",
	  .group = WHO },
	{ "proxy-in", 0, &kind_nets, AT(proxy_in), "NET",
	  "clients there begin with a header of the PROXY protocol, version 1 "
	  "or 2, and are believed",
	  .group = WHO, .flags = OPT_REPEAT | OPT_RELOAD },
	{ "proxy-out", 0, &opt_kind_word, AT(proxy_out), "v1|v2",
	  "send servers such a header", .group = WHO, .words = header_words,
	  .flags = OPT_RELOAD },
	{ "log", 0, &opt_kind_string, AT(log), "FILE",
	  "add a line to it for each connection that has ended",
	  .group = REST },
	{ "log-json", 0, &opt_kind_string, AT(log_json), "FILE",
	  "the same as JSON", .group = REST },
	{ "ctl", 0, &opt_kind_string, AT(ctl), "PATH",
	  "make a control socket here, for 'understudy ctl'", .group = REST },
	{ "metrics", 0, &kind_metrics, 0, "[ADDR:]PORT",
	  "give counters to Prometheus here, at /metrics (without ADDR: to "
	  "this host only)",
	  .group = REST },
	{ "drain", 0, &opt_kind_duration, AT(drain), "TIME",
	  "at the end, for connections to come to theirs (30s)", .group = REST,
	  .most = TIME_MOST, .flags = OPT_RUNTIME },
	{ "check", 0, &opt_kind_flag, AT(check), NULL,
	  "say what stands in the way of a splice here, and what fixes it",
	  .group = REST },
	{ "user", 0, &opt_kind_string, AT(user), "NAME",
	  "become this user when all is open", .group = REST },
	{ "quiet", 'q', &opt_kind_flag, AT(quiet), NULL,
	  "say nothing but errors", .group = REST, .flags = OPT_RUNTIME },
	{ "json", 0, &opt_kind_flag, AT(json), NULL,
	  "the report as a line of JSON", .group = REST },
	{ "help", 'h', &opt_kind_help, 0, NULL, "this text", .group = REST },
};

static int operand(void *base, const char *word, struct errbuf *e)
{
	(void)base;
	return errbuf_set(e, -EINVAL,
			  "%s: what is it? all that proxy takes begins with --",
			  word);
}

static const struct opt_table tables[] = {
	{ rows, sizeof(rows) / sizeof(rows[0]), 0 },
	{ setup_tap_rows, SETUP_TAP_ROWS, 0 },
};

const struct opt_command proxy_command = {
	.name = "proxy",
	.usage = "proxy [OPTION...] [@FILE] --forward "
		 "ADDR:PORT=ADDR:PORT[,...]\n"
		 "proxy [OPTION...] [@FILE] --socks|--http ADDR:PORT\n"
		 "proxy [OPTION...] --check",
	.tables = tables,
	.count = sizeof(tables) / sizeof(tables[0]),
	.operand = operand,
};

/* --- together --- */

static bool has_socks(const struct setup *o)
{
	return nth(o, SOCKS, 0);
}

/* What --splice syn goes without: what needs a process for each connection. */
static int check_syn(const struct setup *o, struct errbuf *e)
{
	static const struct ipaddr any6,
		any4 = { { [10] = 0xff, [11] = 0xff } };
	const char *no = o->proxy_out != 0    ? "--proxy-out"
			 : o->proxy_in.n != 0 ? "--proxy-in"
			 : o->per_client != 0 ? "--per-client"
			 : o->log	      ? "--log"
			 : o->log_json	      ? "--log-json"
					      : NULL;

	if (no)
		return errbuf_set(e, -EINVAL,
				  "--splice syn goes without %s: no process "
				  "sees its connections",
				  no);
	for (unsigned i = 0; i < o->places; i++) {
		const struct setup_place *p = &o->place[i];

		if (p->servers.n > 0 &&
		    (ipaddr_eq(&p->ip, &any4) || ipaddr_eq(&p->ip, &any6)))
			return errbuf_set(e, -EINVAL,
					  "--splice syn wants the address of "
					  "this host that is listened at, not "
					  "any");
	}
	return 0;
}

/* Is there enough for each worker? */
static int check_workers(const struct setup *o, struct errbuf *e)
{
	const char *no = o->connections < o->workers ? "--connections"
			 : o->copies < o->workers    ? "--copies"
			 : o->port_high - o->port_low + 1 < o->workers
				 ? "--ports"
				 : NULL;

	if (no)
		return errbuf_set(e, -EINVAL, "%s: less than --workers", no);
	if (o->workers > 1 && o->splice == SETUP_SYN)
		return errbuf_set(e, -EINVAL,
				  "--workers goes without --splice syn: no "
				  "process sees its connections; give --socks "
				  "a proxy of its own");
	return 0;
}

static int check(const struct setup *o, struct errbuf *e)
{
	int r = check_workers(o, e);

	if (r != 0)
		return r;
	if (o->transparent && o->splice != SETUP_TC)
		return errbuf_set(e, -EINVAL,
				  "--transparent goes with --splice tc: what "
				  "is copied cannot have the client's address");
	if (o->places == 0 && !o->check)
		return errbuf_set(e, -EINVAL,
				  "nothing to proxy; give --forward "
				  "ADDR:PORT=ADDR:PORT, --socks ADDR:PORT or "
				  "--http ADDR:PORT");
	if (o->socks_users && !has_socks(o) && !o->check)
		return errbuf_set(e, -EINVAL,
				  "--socks-users goes with --socks");
	if (!o->tap && (o->tap_match.n > 0 || o->tap_share != SHARE_ALL))
		return errbuf_set(e, -EINVAL,
				  "--tap-match and --tap-share go with --tap");
	if (o->pin && (o->splice == SETUP_COPY || o->splice == SETUP_PIPE))
		return errbuf_set(e, -EINVAL,
				  "--pin goes without --splice copy and pipe, "
				  "which keep nothing in the kernel");
	return o->splice == SETUP_SYN ? check_syn(o, e) : 0;
}

int setup_parse(struct setup *o, int argc, char **argv, struct errbuf *e)
{
	struct opt_seen seen;
	int rc;

	*o = (struct setup){
		.timewait = 4 * NS_PER_SEC,
		.port_low = 2048,
		.port_high = 32767,
		.workers = 1,
		.connections = 16384,
		.copies = 1024,
		.tap_share = SHARE_ALL,
		.failures = 3,
		.check_every = 2 * NS_PER_SEC,
		.handshake_timeout = 10 * NS_PER_SEC,
		.connect_timeout = 5 * NS_PER_SEC,
		.idle_timeout = 7440 * NS_PER_SEC,
		.half_closed_timeout = 240 * NS_PER_SEC,
		.drain = 30 * NS_PER_SEC,
	};
	rc = opt_parse(&proxy_command, o, argc, argv, &seen, e);
	if (rc == 0 && seen.files > OPT_FILES)
		rc = errbuf_set(e, -EINVAL, "more than %d files of options",
				OPT_FILES);
	if (rc != 0)
		return rc;
	o->argc = argc;
	o->argv = argv;
	o->files = seen.files;
	memcpy(o->file, seen.file, sizeof(o->file));
	return check(o, e);
}
