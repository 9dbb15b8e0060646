/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * options_check.c - What depends on more than one option
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "config/map.h"
#include "config/config.h"
#include "opt/values.h"
#include "pace/plan.h"

#define MAP_TEXT 160 /* room for a --map */

static const char *map_text(char *out, const struct engine_map *m)
{
	struct text t;

	text_begin(&t, out, MAP_TEXT);
	value_put_map(&t, m);
	return out;
}

static bool overlap(const struct engine_map *a, const struct engine_map *b)
{
	unsigned bits = a->bits < b->bits ? a->bits : b->bits;

	return ipaddr_in(&a->prod, &b->prod, bits) &&
	       (a->prod_port == 0 || b->prod_port == 0 ||
		a->prod_port == b->prod_port);
}

/* Would one client's connection be played twice to the same place? */
static bool same_place(const struct engine_map *a, const struct engine_map *b)
{
	uint16_t port = a->prod_port != 0 ? a->prod_port : b->prod_port;
	uint16_t pa = a->sut_port != 0 ? a->sut_port : port;
	uint16_t pb = b->sut_port != 0 ? b->sut_port : port;

	return overlap(a, b) && ipaddr_eq(&a->sut, &b->sut) &&
	       (pa == pb || pa == 0 || pb == 0);
}

static int check_pairs(const struct engine_config *c, struct errbuf *e)
{
	char a[MAP_TEXT];
	char b[MAP_TEXT];

	for (uint32_t i = 0; i < c->maps; i++)
		for (uint32_t k = 0; k < i; k++)
			if (same_place(&c->map[i], &c->map[k]))
				return errbuf_set(
					e, -EINVAL,
					"--map %s and --map %s play the same "
					"clients to the same SUT; drop one",
					map_text(a, &c->map[k]),
					map_text(b, &c->map[i]));
	return 0;
}

/* Legs of connections to port @port (0: one that no map names) of @in. */
static uint32_t legs_of(const struct engine_config *c,
			const struct engine_map *in, uint16_t port)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < c->maps; i++) {
		const struct engine_map *m = &c->map[i];

		n += m->bits <= in->bits &&
		     ipaddr_in(&in->prod, &m->prod, m->bits) &&
		     (m->prod_port == 0 || m->prod_port == port);
	}
	return n;
}

/* Prefixes either nest or are apart, so the most legs meet in one of them. */
static int check_legs(const struct engine_config *c, struct errbuf *e)
{
	char a[MAP_TEXT];

	for (uint32_t i = 0; i < c->maps; i++)
		for (uint32_t k = 0; k < c->maps; k++)
			if (legs_of(c, &c->map[i], c->map[k].prod_port) >
			    LEGS_MAX)
				return errbuf_set(
					e, -EINVAL,
					"--map %s is one of more than %d for "
					"the same production server; drop some",
					map_text(a, &c->map[i]), LEGS_MAX);
	return 0;
}

/* Who is on the SUT's wire beside it can be neither the SUT nor production. */
static int check_also(const struct engine_config *c, struct errbuf *e)
{
	for (uint32_t i = 0; i < c->alsos; i++) {
		const struct sutwire_also *a = &c->also[i];
		const char *whose = NULL;
		char ip[TEXT_IP];

		if (c->sut_pinned && memcmp(a->mac, c->sut_mac, ETH_LEN) == 0)
			whose = "the hardware address is --sut-mac's";
		for (uint32_t m = 0; m < c->maps; m++) {
			if (ipaddr_eq(&a->ip, &c->map[m].sut))
				whose = "it is a SUT's";
			else if (ipaddr_in(&a->ip, &c->map[m].prod,
					   c->map[m].bits))
				whose = "it is production's";
		}
		if (whose)
			return errbuf_set(e, -EINVAL,
					  "--wire-also ...,%s: %s; it names "
					  "another host on the SUT's wire",
					  text_ip(ip, &a->ip), whose);
	}
	return 0;
}

/* A baseline is neither the SUT nor production, and each SUT has one. */
static int check_baseline(const struct options *o, struct errbuf *e)
{
	const struct engine_config *c = &o->engine;
	uint32_t n = 0;
	char ip[TEXT_IP];
	const char *why = NULL;

	if (!o->has_baseline)
		return 0;
	while (n < c->maps && !c->map[n].baseline)
		n++;
	if (o->sources == 0)
		why = "what is noise is judged by place; add --rules @http";
	if (o->engine.sut_none)
		why = "nobody is played to; drop --sut-dev none";
	if (c->maps != 2 * n)
		why = "there are too many --map; drop some";
	for (uint32_t i = 0; !why && i < n; i++) {
		const struct engine_map *m = &c->map[i];

		if (ipaddr_eq(&m->sut, &o->baseline))
			why = "it is the SUT; name a second server of "
			      "production's version";
		else if (ipaddr_in(&o->baseline, &m->prod, m->bits))
			why = "it is production; name a second server of its "
			      "version, on the SUT's wire";
		else if (ipaddr_is4(&m->prod) != ipaddr_is4(&o->baseline))
			why = "one is IPv4, and a --map IPv6; run them apart";
		for (uint32_t k = 0; k < i; k++)
			if (overlap(m, &c->map[k]))
				why = "several SUTs have one production; run "
				      "them apart";
	}
	return !why ? 0
		    : errbuf_set(e, -EINVAL, "--baseline %s: %s",
				 text_ip(ip, &o->baseline), why);
}

static int check_maps(const struct options *o, struct errbuf *e)
{
	const struct engine_config *c = &o->engine;
	int rc;

	if (c->maps == 0)
		return errbuf_set(e, -EINVAL,
				  "who is played to whom? Add --map "
				  "PROD:PORT=SUT:PORT");
	for (uint32_t i = 1; c->sut_pinned && i < c->maps; i++)
		if (!ipaddr_eq(&c->map[i].sut, &c->map[0].sut))
			return errbuf_set(e, -EINVAL,
					  "--sut-mac is for one SUT, and --map "
					  "names several; drop it");
	rc = check_baseline(o, e);
	if (rc == 0)
		rc = check_pairs(c, e);
	if (rc == 0)
		rc = check_legs(c, e);
	return rc ? rc : check_also(c, e);
}

static int check_source(const struct options *o, unsigned cmd, struct errbuf *e)
{
	uint32_t stdins = 0;

	if (!o->iface && o->files == 0)
		return errbuf_set(e, -EINVAL,
				  cmd == OPTIONS_REPLAY
					  ? "which capture? Add -r FILE"
				  : cmd == OPTIONS_DOCTOR
					  ? "where is the mirror? Add -i DEV"
					  : "where do frames come from? Add -i "
					    "DEV or -r FILE");
	if (o->iface && o->files != 0)
		return errbuf_set(e, -EINVAL,
				  "-i and -r at once; drop one of them");
	if (o->iface && o->sums == OPTIONS_SUMS_TRUST)
		return errbuf_set(e, -EINVAL,
				  "--checksums trust is about captures (-r); "
				  "those of -i are always tested");
	for (uint32_t i = 0; i < o->files; i++)
		stdins += strcmp(o->file[i], "-") == 0;
	if (stdins > 1)
		return errbuf_set(e, -EINVAL,
				  "standard input can be read once; drop the "
				  "other -r -");
	return 0;
}

/* Repetitions have clients of their own networks: are these somebody else's? */
static int check_loop(const struct engine_config *c, struct errbuf *e)
{
	const struct engine_map nets[] = {
		{ .prod = plan_net4, .bits = PLAN_BITS4 },
		{ .prod = plan_net6, .bits = PLAN_BITS6 },
	};
	static const char text[] =
		"--loop takes clients from 100.64.0.0/10 and "
		"fd75:6e64:6572:1::/64, and --%s names an address there; "
		"play the capture several times by a script instead";

	for (int n = 0; n < 2; n++) {
		for (uint32_t i = 0; i < c->maps; i++)
			if (overlap(&c->map[i], &nets[n]) ||
			    ipaddr_in(&c->map[i].sut, &nets[n].prod,
				      nets[n].bits))
				return errbuf_set(e, -EINVAL, text, "map");
		for (uint32_t i = 0; i < c->skips; i++) {
			struct engine_map skip = { .prod = c->skip[i].net,
						   .bits = c->skip[i].bits };

			if (overlap(&skip, &nets[n]))
				return errbuf_set(e, -EINVAL, text, "skip");
		}
	}
	return 0;
}

/* Clients of captures get addresses that are nobody's. */
static int check_client_nets(const struct options *o, struct errbuf *e)
{
	const struct engine_config *c = &o->engine;

	if (o->client_nets > 0 && (o->iface || c->decap.kinds != 0))
		return errbuf_set(e, -EINVAL,
				  "--client-net is about clients of captures "
				  "(-r), and not inside tunnels; drop one");
	for (uint32_t n = 0; n < o->client_nets; n++) {
		const struct engine_map net = { .prod = o->client_net[n].net,
						.bits = o->client_net[n].bits };

		for (uint32_t i = 0; i < c->maps; i++)
			if (overlap(&c->map[i], &net) ||
			    ipaddr_in(&c->map[i].sut, &net.prod, net.bits))
				return errbuf_set(e, -EINVAL,
						  "--client-net holds an "
						  "address that --map names; "
						  "choose another network");
	}
	return 0;
}

static int check_replay(const struct options *o, struct errbuf *e)
{
	for (uint32_t i = 0; i < o->files; i++)
		if (strcmp(o->file[i], "-") == 0)
			return errbuf_set(e, -EINVAL,
					  "replay reads its capture twice; "
					  "write standard input into a file");
	if (o->engine.sut_none)
		return errbuf_set(e, -EINVAL,
				  "replay needs a SUT; 'understudy shadow -r "
				  "FILE --sut-dev none' counts what would be "
				  "played");
	if (o->fast && o->multiplier != 1000)
		return errbuf_set(e, -EINVAL,
				  "--fast has no times that --multiplier could "
				  "shorten; drop one");
	if (o->fast &&
	    (o->engine.shadow.timing || o->engine.shadow.order_captured))
		return errbuf_set(e, -EINVAL,
				  "--fast is the causal order without times; "
				  "drop --%s",
				  o->engine.shadow.timing ? "level timing"
							  : "order captured");
	if (o->loop > 1 && o->engine.decap.kinds != 0)
		return errbuf_set(e, -EINVAL,
				  "--loop cannot give clients inside tunnels "
				  "other addresses; drop one");
	return o->loop > 1 ? check_loop(&o->engine, e) : 0;
}

static int check_sut_dev(const struct options *o, struct errbuf *e)
{
	if (!o->sut_dev)
		return errbuf_set(e, -EINVAL,
				  "where is the SUT? Add --sut-dev DEV, or "
				  "--sut-dev none to play to nobody");
	if (o->iface && strcmp(o->iface, o->sut_dev) == 0)
		return errbuf_set(
			e, -EINVAL,
			"-i %s is also --sut-dev; the SUT must have a "
			"wire of its own",
			o->iface);
	return 0;
}

static int check_folder(const char *path, const char *name, struct errbuf *e)
{
	const char *slash = strrchr(path, '/');
	char folder[PATH_MAX];
	struct stat st;

	if (!slash)
		return 0;
	snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path + 1), path);
	if (stat(folder, &st) == 0 && S_ISDIR(st.st_mode))
		return 0;
	return errbuf_set(e, -EINVAL, "%s %s: there is no folder %s; make it",
			  name, path, folder);
}

/* A file that is to be made: is it there already, or its folder not? */
static int check_new(const char *path, const char *name, struct errbuf *e)
{
	struct stat st;

	if (!path || strcmp(path, "-") == 0)
		return 0;
	if (lstat(path, &st) == 0)
		return errbuf_set(e, -EINVAL,
				  "%s %s is there already; remove it or choose "
				  "another name, as one with a date: %%H%%M%%S",
				  name, path);
	return check_folder(path, name, e);
}

/* One that takes the place of an older one. */
static int check_metrics(const char *path, struct errbuf *e)
{
	struct stat st;

	if (!path)
		return 0;
	if (strcmp(path, "-") == 0)
		return errbuf_set(e, -EINVAL,
				  "--metrics - is no file; node_exporter reads "
				  "a FILE.prom in a folder of its own");
	if (lstat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return errbuf_set(
			e, -EINVAL,
			"--metrics %s is no file; choose another name", path);
	return check_folder(path, "--metrics", e);
}

int options_new_files(const struct options *o, struct errbuf *e)
{
	int rc = check_new(o->journal, "-w", e);

	if (rc == 0)
		rc = check_new(o->learn, "--rules-learn", e);
	if (rc == 0)
		rc = check_new(o->hdr, "--hdr", e);
	for (unsigned i = 0; rc == 0 && i < FORM_KINDS; i++)
		rc = check_new(o->form[i], form_option((enum form_kind)i), e);
	if (rc == 0)
		rc = check_metrics(o->metrics, e);
	return rc == 0 ? check_new(o->json, "--json", e) : rc;
}

static int check_journal(const struct options *o, struct errbuf *e)
{
	bool rotates = o->rotate_bytes != 0 || o->rotate_secs != 0;

	if (!o->journal) {
		if (rotates || o->rotate_files != 0 || o->journal_client)
			return errbuf_set(e, -EINVAL,
					  "-C, -G, -W and --journal-only are "
					  "about a journal; add -w FILE");
		return 0;
	}
	if (o->rotate_files != 0 && !rotates)
		return errbuf_set(e, -EINVAL,
				  "-W keeps the newest of several files; add "
				  "-C or -G");
	if (strcmp(o->journal, "-") == 0 && rotates)
		return errbuf_set(e, -EINVAL,
				  "-w - cannot begin another file; drop "
				  "-C and -G or name a file");
	return 0;
}

static int check_outputs(const struct options *o, struct errbuf *e)
{
	unsigned users = o->print || o->trace.port != 0;

	users += o->journal && strcmp(o->journal, "-") == 0;
	users += o->json && strcmp(o->json, "-") == 0;
	users += o->hdr && strcmp(o->hdr, "-") == 0;
	for (unsigned i = 0; i < FORM_KINDS; i++)
		users += o->form[i] && strcmp(o->form[i], "-") == 0;
	if (users > 1)
		return errbuf_set(
			e, -EINVAL,
			"--print, --trace, --json -, --junit -, --summary -, "
			"--html -, --har -, --hdr - and -w - all write to "
			"standard output; keep one");
	if (o->top && o->quiet)
		return errbuf_set(e, -EINVAL,
				  "--top and --quiet at once; drop one");
	if (o->max_leak > 0 && !o->vitals)
		return errbuf_set(e, -EINVAL,
				  "--max-leak is about the SUT's process; add "
				  "--vitals FILE with lines of understudy "
				  "vitals from its host");
	if (o->engine.limits.flow_share > o->engine.limits.pool)
		return errbuf_set(e, -EINVAL,
				  "--flow-share is more than --pool; raise "
				  "--pool or lower --flow-share");
	return 0;
}

static int check_rules(const struct options *o, struct errbuf *e)
{
	if (o->stop_early && o->has_baseline)
		return errbuf_set(e, -EINVAL,
				  "--stop-early: what is noise beside a "
				  "--baseline is known at the end; drop one");
	if (o->engine.rules.ignored > 0 &&
	    o->engine.compare != COMPARE_EQUIVALENT)
		return errbuf_set(e, -EINVAL,
				  "--ignore-header is about --compare "
				  "equivalent; drop one");
	if (o->sources > 0 && o->engine.compare != COMPARE_EQUIVALENT)
		return errbuf_set(e, -EINVAL,
				  "--rules is about --compare equivalent; drop "
				  "one");
	return 0;
}

/* What is made of one journal. */
static const char *of_one(const struct options *o)
{
	for (unsigned i = 0; i < FORM_KINDS; i++)
		if (o->form[i])
			return form_option((enum form_kind)i);
	return o->out ? "--out" : o->learn ? "--rules-learn" : NULL;
}

static int check_rerun(const struct options *o, struct errbuf *e)
{
	const char *one = of_one(o);
	int rc;

	if (o->files == 0)
		return errbuf_set(e, -EINVAL, "which journal? Name its FILE");
	if (one && o->files > 1)
		return errbuf_set(e, -EINVAL,
				  "%s is of one journal; rerun the others by "
				  "themselves",
				  one);
	if (o->out && strcmp(o->file[0], "-") == 0)
		return errbuf_set(e, -EINVAL,
				  "--out reads its journal twice; write "
				  "standard input into a file");
	rc = options_new_files(o, e);
	return rc == 0 ? check_outputs(o, e) : rc;
}

int options_check(const struct options *o, unsigned cmd, struct errbuf *e)
{
	int rc;

	if (cmd == OPTIONS_RERUN)
		return check_rerun(o, e);
	if (cmd == OPTIONS_DOCTOR && o->release)
		return 0;
	rc = check_source(o, cmd, e);
	if (rc == 0)
		rc = check_rules(o, e);
	if (rc == 0)
		rc = check_maps(o, e);
	if (rc == 0)
		rc = check_client_nets(o, e);
	if (rc == 0)
		rc = check_sut_dev(o, e);
	if (rc == 0 && cmd == OPTIONS_REPLAY)
		rc = check_replay(o, e);
	/* To doctor these are a hop. */
	if (rc == 0 && cmd != OPTIONS_DOCTOR)
		rc = check_journal(o, e);
	if (rc == 0 && cmd != OPTIONS_DOCTOR)
		rc = options_new_files(o, e);
	if (rc == 0)
		rc = check_outputs(o, e);
	return rc;
}
