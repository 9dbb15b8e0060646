/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Theory of operation
 *
 * A row of the table is an option; its kind knows how to read a value into the
 * row's field and how to write it again. Nothing else knows an option's name:
 * help, parsing and the journal's text walk the table. What depends on more than
 * one option is in options_check.c.
 *
 * A word "@FILE" where an option may stand is replaced by the words in that
 * file. A value is never looked at that way, so "-r @x" reads the file "@x".
 * Words of files, and the filter expression that is joined from several words,
 * lie in blocks that are never given back: options live as long as the program.
 */
#include "cmd/options.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/values.h"

#define SAMPLE_ALL    65536
#define FLOWS_DEFAULT 65536
#define FLOWS_LEAST   16
#define FLOWS_MOST    (16u << 20)
#define POOL_DEFAULT  ((size_t)256 << 20)
#define SHARE_DEFAULT ((size_t)16 << 20)
#define FRAGS_DEFAULT 256
#define VNI_MAX	      0xffffffu
#define ARGS_FILE_MAX (1u << 20) /* bytes of an @FILE */
#define SHADOW_DOCTOR (OPTIONS_SHADOW | OPTIONS_DOCTOR)
#define EVERY	      (SHADOW_DOCTOR | OPTIONS_RERUN)

struct row;

/* How values of a kind are read and written; @has_value: false for flags. */
struct kind {
	bool has_value;
	int (*set)(struct options *o, const struct row *r, const char *v,
		   struct errbuf *e);
	void (*text)(struct text *t, const struct options *o,
		     const struct row *r);
};

/* A word that a choice takes, and the number it stands for. */
struct choice {
	const char *word;
	int value;
};

/**
 * struct row - One option
 * @name, @letter: Without dashes; letter 0: none
 * @cmds:	Subcommands that take it
 * @arg:	Its value, as help shows it; NULL for flags
 * @offset:	Its field in struct options
 * @kind:	Type of the field
 * @choices:	For kinds that choose
 * @least, @most: For numbers
 */
struct row {
	const char *name;
	char letter;
	unsigned cmds;
	const char *arg;
	size_t offset;
	const struct kind *kind;
	const struct choice *choices;
	uint64_t least;
	uint64_t most;
	const char *help;
};

static void *field(struct options *o, const struct row *r)
{
	return (char *)o + r->offset;
}

static const void *field_const(const struct options *o, const struct row *r)
{
	return (const char *)o + r->offset;
}

static int bad_value(struct errbuf *e, const struct row *r, const char *v,
		     const char *why)
{
	return errbuf_set(e, -EINVAL, "--%s %s: %s; write --%s %s", r->name, v,
			  why, r->name, r->arg);
}

/* --- kinds --- */

static int set_flag(struct options *o, const struct row *r, const char *v,
		    struct errbuf *e)
{
	bool *b = field(o, r);

	(void)v;
	(void)e;
	*b = true;
	return 0;
}

static void text_flag(struct text *t, const struct options *o,
		      const struct row *r)
{
	const bool *b = field_const(o, r);

	if (*b)
		text_add(t, " --%s", r->name);
}

static int set_string(struct options *o, const struct row *r, const char *v,
		      struct errbuf *e)
{
	const char **s = field(o, r);

	if (*v == '\0')
		return bad_value(e, r, "''", "is empty");
	*s = v;
	return 0;
}

static void text_string(struct text *t, const struct options *o,
			const struct row *r)
{
	const char *const *s = field_const(o, r);

	if (*s == NULL)
		return;
	text_add(t, " --%s ", r->name);
	value_put_word(t, *s);
}

/* A number that was read with result @rc, into the range of @r. */
static int ranged(struct errbuf *e, const struct row *r, const char *v, int rc,
		  uint64_t n)
{
	if (rc == -EINVAL)
		return bad_value(e, r, v, "is not such a number");
	if (rc || n < r->least || n > r->most)
		return bad_value(e, r, v, "is out of range");
	return 0;
}

static int set_u64(struct options *o, const struct row *r, const char *v,
		   struct errbuf *e)
{
	uint64_t n = 0;
	int rc = value_get_number(v, &n);

	rc = ranged(e, r, v, rc, n);

	if (rc == 0)
		*(uint64_t *)field(o, r) = n;
	return rc;
}

static void text_u64(struct text *t, const struct options *o,
		     const struct row *r)
{
	text_add(t, " --%s %" PRIu64, r->name,
		 *(const uint64_t *)field_const(o, r));
}

static int set_u32(struct options *o, const struct row *r, const char *v,
		   struct errbuf *e)
{
	uint64_t n = 0;
	int rc = value_get_number(v, &n);

	rc = ranged(e, r, v, rc, n);

	if (rc == 0)
		*(uint32_t *)field(o, r) = (uint32_t)n;
	return rc;
}

static void text_u32(struct text *t, const struct options *o,
		     const struct row *r)
{
	text_add(t, " --%s %" PRIu32, r->name,
		 *(const uint32_t *)field_const(o, r));
}

static int set_duration(struct options *o, const struct row *r, const char *v,
			struct errbuf *e)
{
	uint64_t n = 0;
	int rc = value_get_duration(v, &n);

	rc = ranged(e, r, v, rc, n);

	if (rc == 0)
		*(uint64_t *)field(o, r) = n;
	return rc;
}

static void text_duration(struct text *t, const struct options *o,
			  const struct row *r)
{
	text_add(t, " --%s ", r->name);
	value_put_duration(t, *(const uint64_t *)field_const(o, r));
}

static int set_size(struct options *o, const struct row *r, const char *v,
		    struct errbuf *e)
{
	uint64_t n = 0;
	int rc = value_get_size(v, &n);

	rc = ranged(e, r, v, rc, n);

	if (rc == 0)
		*(size_t *)field(o, r) = (size_t)n;
	return rc;
}

static void text_size(struct text *t, const struct options *o,
		      const struct row *r)
{
	text_add(t, " --%s ", r->name);
	value_put_size(t, *(const size_t *)field_const(o, r));
}

static int choose(const struct row *r, const char *v, int *out,
		  struct errbuf *e)
{
	for (const struct choice *c = r->choices; c->word != NULL; c++) {
		if (strcmp(c->word, v) == 0) {
			*out = c->value;
			return 0;
		}
	}
	return bad_value(e, r, v, "is not one of its words");
}

static void text_chosen(struct text *t, const struct row *r, int value)
{
	for (const struct choice *c = r->choices; c->word != NULL; c++)
		if (c->value == value)
			text_add(t, " --%s %s", r->name, c->word);
}

static int set_switch(struct options *o, const struct row *r, const char *v,
		      struct errbuf *e)
{
	int n = 0;
	int rc = choose(r, v, &n, e);

	if (rc == 0)
		*(bool *)field(o, r) = n != 0;
	return rc;
}

static void text_switch(struct text *t, const struct options *o,
			const struct row *r)
{
	text_chosen(t, r, *(const bool *)field_const(o, r));
}

static const struct kind flag = { false, set_flag, text_flag };
static const struct kind string = { true, set_string, text_string };
static const struct kind number64 = { true, set_u64, text_u64 };
static const struct kind number32 = { true, set_u32, text_u32 };
static const struct kind duration = { true, set_duration, text_duration };
static const struct kind size_kind = { true, set_size, text_size };
static const struct kind switch_kind = { true, set_switch, text_switch };

/* --- kinds of one option each --- */

static int set_help(struct options *o, const struct row *r, const char *v,
		    struct errbuf *e)
{
	(void)o;
	(void)r;
	(void)v;
	(void)e;
	return 1;
}

static void text_nothing(struct text *t, const struct options *o,
			 const struct row *r)
{
	(void)t;
	(void)o;
	(void)r;
}

static const struct kind help_kind = { false, set_help, text_nothing };

static int set_file(struct options *o, const struct row *r, const char *v,
		    struct errbuf *e)
{
	if (o->files == FILES_MAX)
		return errbuf_set(e, -EINVAL,
				  "more than %d files; join some (mergecap)",
				  FILES_MAX);
	if (*v == '\0')
		return bad_value(e, r, "''", "is empty");
	o->file[o->files++] = v;
	o->engine.open_csum = true; /* captures are taken on hosts */
	return 0;
}

static void text_files(struct text *t, const struct options *o,
		       const struct row *r)
{
	for (uint32_t i = 0; i < o->files; i++) {
		text_add(t, " --%s ", r->name);
		value_put_word(t, o->file[i]);
	}
}

static const struct kind file_kind = { true, set_file, text_files };

static int set_sut_dev(struct options *o, const struct row *r, const char *v,
		       struct errbuf *e)
{
	o->engine.sut_none = strcmp(v, "none") == 0;
	return set_string(o, r, v, e);
}

static const struct kind sut_dev_kind = { true, set_sut_dev, text_string };

static int set_map(struct options *o, const struct row *r, const char *v,
		   struct errbuf *e)
{
	int rc;

	if (o->engine.maps == MAP_MAX)
		return errbuf_set(e, -EINVAL, "more than %d --map", MAP_MAX);
	rc = value_get_map(v, &o->engine.map[o->engine.maps]);
	if (rc == -EAFNOSUPPORT)
		return bad_value(e, r, v,
				 "one side is IPv4 and the other IPv6");
	if (rc)
		return bad_value(e, r, v,
				 "has a bad address, port or prefix (bits "
				 "behind /len must be 0)");
	o->engine.maps++;
	return 0;
}

static void text_maps(struct text *t, const struct options *o,
		      const struct row *r)
{
	for (uint32_t i = 0; i < o->engine.maps; i++) {
		text_add(t, " --%s ", r->name);
		value_put_map(t, &o->engine.map[i]);
	}
}

static const struct kind map_kind = { true, set_map, text_maps };

static int set_skip(struct options *o, const struct row *r, const char *v,
		    struct errbuf *e)
{
	struct engine_net *n = &o->engine.skip[o->engine.skips];

	if (o->engine.skips == SKIP_MAX)
		return errbuf_set(e, -EINVAL, "more than %d --skip", SKIP_MAX);
	if (value_get_net(v, strlen(v), &n->net, &n->bits))
		return bad_value(e, r, v,
				 "has a bad address or prefix (bits behind "
				 "/len must be 0)");
	o->engine.skips++;
	return 0;
}

static void text_skips(struct text *t, const struct options *o,
		       const struct row *r)
{
	for (uint32_t i = 0; i < o->engine.skips; i++) {
		text_add(t, " --%s ", r->name);
		value_put_net(t, &o->engine.skip[i].net, o->engine.skip[i].bits,
			      false);
	}
}

static const struct kind skip_kind = { true, set_skip, text_skips };

static int set_compare(struct options *o, const struct row *r, const char *v,
		       struct errbuf *e)
{
	int n = 0;
	int rc = choose(r, v, &n, e);

	if (rc == 0)
		o->engine.compare = (enum compare_level)n;
	return rc;
}

static void text_compare(struct text *t, const struct options *o,
			 const struct row *r)
{
	text_chosen(t, r, (int)o->engine.compare);
}

static const struct kind compare_kind = { true, set_compare, text_compare };

static int set_capture(struct options *o, const struct row *r, const char *v,
		       struct errbuf *e)
{
	int n = 0;
	int rc = choose(r, v, &n, e);

	if (rc == 0)
		o->capture = (enum ring_version)n;
	return rc;
}

static void text_capture(struct text *t, const struct options *o,
			 const struct row *r)
{
	text_chosen(t, r, (int)o->capture);
}

static const struct kind capture_kind = { true, set_capture, text_capture };

static int set_level(struct options *o, const struct row *r, const char *v,
		     struct errbuf *e)
{
	int timing = 0;
	int rc;

	if (strcmp(v, "request") == 0 || strcmp(v, "fragment") == 0)
		return errbuf_set(e, -EINVAL,
				  "--level %s comes in a later version; use "
				  "--level packet or --level timing",
				  v);
	rc = choose(r, v, &timing, e);
	if (rc == 0) {
		o->engine.shadow.timing = timing != 0;
		o->engine.shadow.delay = timing != 0 ? SHADOW_DELAY : 0;
	}
	return rc;
}

static void text_level(struct text *t, const struct options *o,
		       const struct row *r)
{
	text_chosen(t, r, o->engine.shadow.timing);
}

static const struct kind level_kind = { true, set_level, text_level };

/* Both numbers are rounded to the nearest, so that text and number agree. */
static int set_sample(struct options *o, const struct row *r, const char *v,
		      struct errbuf *e)
{
	uint32_t m = 0;
	int rc = value_get_share(v, &m);

	rc = ranged(e, r, v, rc, m);

	if (rc)
		return rc;
	m = (uint32_t)(((uint64_t)m * SAMPLE_ALL + SHARE_ALL / 2) / SHARE_ALL);
	/* A small share is still somebody. */
	o->engine.sample = m > 0 ? m : 1;
	return 0;
}

static void text_sample(struct text *t, const struct options *o,
			const struct row *r)
{
	uint64_t m = (uint64_t)o->engine.sample * SHARE_ALL + SAMPLE_ALL / 2;

	text_add(t, " --%s ", r->name);
	value_put_share(t, (uint32_t)(m / SAMPLE_ALL));
}

static const struct kind sample_kind = { true, set_sample, text_sample };

static int set_vxlan(struct options *o, const struct row *r, const char *v,
		     struct errbuf *e)
{
	uint64_t n = 0;
	int rc;

	if (strcmp(v, "none") == 0 || strcmp(v, "any") == 0) {
		o->engine.vxlan = v[0] == 'n' ? VXLAN_NONE : VXLAN_ANY;
		return 0;
	}
	rc = value_get_number(v, &n);
	rc = ranged(e, r, v, rc, n);
	if (rc == 0)
		o->engine.vxlan = (uint32_t)n;
	return rc;
}

static void text_vxlan(struct text *t, const struct options *o,
		       const struct row *r)
{
	if (o->engine.vxlan == VXLAN_ANY)
		text_add(t, " --%s any", r->name);
	else if (o->engine.vxlan != VXLAN_NONE)
		text_u32(t, o, r);
}

static const struct kind vxlan_kind = { true, set_vxlan, text_vxlan };

static int set_sut_mac(struct options *o, const struct row *r, const char *v,
		       struct errbuf *e)
{
	uint8_t mac[ETH_LEN];

	if (value_get_mac(v, mac) || (mac[0] & 1) != 0)
		return bad_value(e, r, v, "is no hardware address of one host");
	memcpy(o->engine.sut_mac, mac, ETH_LEN);
	o->engine.sut_pinned = true;
	return 0;
}

static void text_sut_mac(struct text *t, const struct options *o,
			 const struct row *r)
{
	if (!o->engine.sut_pinned)
		return;
	text_add(t, " --%s ", r->name);
	value_put_mac(t, o->engine.sut_mac);
}

static const struct kind sut_mac_kind = { true, set_sut_mac, text_sut_mac };

static int set_min_compared(struct options *o, const struct row *r,
			    const char *v, struct errbuf *e)
{
	uint64_t n = 0;
	uint32_t m = 0;
	bool share = strchr(v, '%') != NULL;
	int rc = share ? value_get_share(v, &m) : value_get_number(v, &n);

	rc = ranged(e, r, v, rc, n);
	if (rc == 0) {
		o->min_compared = share ? m : n;
		o->min_share = share;
	}
	return rc;
}

static void text_min_compared(struct text *t, const struct options *o,
			      const struct row *r)
{
	if (!o->min_share) {
		text_u64(t, o, r);
		return;
	}
	text_add(t, " --%s ", r->name);
	value_put_share(t, (uint32_t)o->min_compared);
}

static const struct kind min_compared_kind = { true, set_min_compared,
					       text_min_compared };

/* --- the table --- */

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
static const struct choice on_off[] = { { "off", 0 },
					{ "on", 1 },
					{ NULL, 0 } };
static const struct choice order_words[] = { { "causal", 0 },
					     { "captured", 1 },
					     { NULL, 0 } };
static const struct choice capture_words[] = { { "v2", RING_V2 },
					       { "v3", RING_V3 },
					       { NULL, 0 } };
static const struct choice journal_words[] = { { "all", 0 },
					       { "client", 1 },
					       { NULL, 0 } };

#define AT(member) offsetof(struct options, member)
#define ANY_TIME   0, UINT64_MAX

/* Columns: name, letter, subcommands, value, field, kind, choices, least, most,
 * help.
 */
static const struct row table[] = {
	{ "interface", 'i', SHADOW_DOCTOR, "DEV", AT(iface), &string, NULL, 0,
	  0, "the mirror: where clients and production are seen" },
	{ "read", 'r', OPTIONS_SHADOW, "FILE", AT(file), &file_kind, NULL, 0, 0,
	  "read a capture instead (pcap, pcapng, - for stdin); repeatable" },
	{ "sut-dev", 0, SHADOW_DOCTOR, "DEV", AT(sut_dev), &sut_dev_kind, NULL,
	  0, 0, "the wire to the SUT; none: nobody is played to" },
	{ "map", 0, SHADOW_DOCTOR, "PROD[/LEN][:PORT]=SUT[:PORT]",
	  AT(engine.map), &map_kind, NULL, 0, 0,
	  "what is played to whom; repeatable; IPv6 as [ADDR]:PORT" },
	{ "sut-mac", 0, SHADOW_DOCTOR, "MAC", AT(engine.sut_mac), &sut_mac_kind,
	  NULL, 0, 0, "the SUT's hardware address, if no other may be taken" },
	{ "compare", 0, SHADOW_DOCTOR, "none|identical|equivalent",
	  AT(engine.compare), &compare_kind, compare_words, 0, 0,
	  "how answers are compared (default equivalent)" },
	{ "level", 0, SHADOW_DOCTOR, "packet|timing", AT(engine.shadow.timing),
	  &level_kind, level_words, 0, 0,
	  "fidelity (default packet); timing: capture time plus 5 ms" },
	{ "sample", 0, SHADOW_DOCTOR, "N%", AT(engine.sample), &sample_kind,
	  NULL, 1, SHARE_ALL, "play this share of the clients, whole" },
	{ "skip", 0, SHADOW_DOCTOR, "ADDR[/LEN]", AT(engine.skip), &skip_kind,
	  NULL, 0, 0, "do not play these clients; repeatable" },
	{ "midstream", 0, SHADOW_DOCTOR, "on|off", AT(engine.shadow.midstream),
	  &switch_kind, on_off, 0, 0,
	  "join connections that began before us (default on)" },
	{ "order", 0, SHADOW_DOCTOR, "causal|captured",
	  AT(engine.shadow.order_captured), &switch_kind, order_words, 0, 0,
	  "when the SUT is slower, wait for what was waited for (causal, "
	  "default) or send when captured" },
	{ "behind", 0, SHADOW_DOCTOR, "wait|shed", AT(engine.shadow.shed),
	  &switch_kind, behind_words, 0, 0,
	  "end flows that are more than --max-lag behind (shed, default)" },
	{ "max-lag", 0, SHADOW_DOCTOR, "TIME", AT(engine.shadow.max_lag),
	  &duration, NULL, 1, UINT64_MAX, "see --behind (default 30s)" },
	{ "sut-silent", 0, SHADOW_DOCTOR, "TIME", AT(engine.shadow.sut_silent),
	  &duration, NULL, 1, UINT64_MAX,
	  "a SUT that says nothing for so long is silent (default 10s)" },
	{ "idle", 0, SHADOW_DOCTOR, "TIME", AT(engine.shadow.idle), &duration,
	  NULL, 1, UINT64_MAX, "forget flows idle for so long (default 5m)" },
	{ "vxlan", 0, SHADOW_DOCTOR, "VNI|any|none", AT(engine.vxlan),
	  &vxlan_kind, NULL, 0, VNI_MAX, "look into VXLAN (default none)" },
	{ "max-flows", 0, SHADOW_DOCTOR, "N", AT(engine.limits.flows),
	  &number32, NULL, FLOWS_LEAST, FLOWS_MOST,
	  "flows at one time (default 65536)" },
	{ "pool", 0, SHADOW_DOCTOR, "SIZE", AT(engine.limits.pool), &size_kind,
	  NULL, 1u << 20, SIZE_MAX / 4,
	  "memory for payload of all flows (default 256M)" },
	{ "flow-share", 0, SHADOW_DOCTOR, "SIZE", AT(engine.limits.flow_share),
	  &size_kind, NULL, 1u << 16, SIZE_MAX / 4,
	  "what of it one flow may hold (default 16M)" },
	{ "capture", 0, SHADOW_DOCTOR, "v2|v3", AT(capture), &capture_kind,
	  capture_words, 0, 0,
	  "ring of the mirror: v2 low delay (default), v3 throughput" },
	{ "mirror-ring", 0, SHADOW_DOCTOR, "SIZE", AT(mirror_ring), &size_kind,
	  NULL, 0, UINT32_MAX, "its size (default 0: 64M for v2, 16M for v3)" },
	{ "sut-ring", 0, SHADOW_DOCTOR, "SIZE", AT(sut_ring), &size_kind, NULL,
	  1u << 16, UINT32_MAX, "ring of the SUT's wire (default 32M)" },
	{ "duration", 0, SHADOW_DOCTOR, "TIME", AT(duration), &duration, NULL,
	  ANY_TIME, "end after so long (default 0: at a signal)" },
	{ "count", 'c', SHADOW_DOCTOR, "N", AT(count), &number64, NULL,
	  ANY_TIME, "end after so many frames of the mirror (default 0: no)" },
	{ "json", 0, SHADOW_DOCTOR, "FILE", AT(json), &string, NULL, 0, 0,
	  "write JSON lines (- for stdout)" },
	{ "write", 'w', SHADOW_DOCTOR, "FILE", AT(journal), &string, NULL, 0, 0,
	  "write a journal (pcapng) that rerun can read" },
	{ "rotate-size", 'C', SHADOW_DOCTOR, "N", AT(rotate_bytes), &number64,
	  NULL, 0, UINT64_MAX / 1000000,
	  "another journal file after N million bytes (default 0: never)" },
	{ "rotate-seconds", 'G', SHADOW_DOCTOR, "N", AT(rotate_secs), &number64,
	  NULL, 0, UINT64_MAX / NS_PER_SEC,
	  "another journal file after N seconds (default 0: never)" },
	{ "rotate-files", 'W', SHADOW_DOCTOR, "N", AT(rotate_files), &number32,
	  NULL, 0, UINT32_MAX, "keep the N newest files (default 0: all)" },
	{ "journal-only", 0, SHADOW_DOCTOR, "client|all", AT(journal_client),
	  &switch_kind, journal_words, 0, 0,
	  "what the journal holds (default all)" },
	{ "print", 0, SHADOW_DOCTOR, NULL, AT(print), &flag, NULL, 0, 0,
	  "a line for each frame: who sent it, what was done" },
	{ "min-compared", 0, SHADOW_DOCTOR, "N|N%", AT(min_compared),
	  &min_compared_kind, NULL, ANY_TIME,
	  "exit 2 if fewer answers were compared (default 0%: at least one)" },
	{ "max-different", 0, SHADOW_DOCTOR, "N", AT(max_different), &number64,
	  NULL, ANY_TIME, "exit 0 up to so many different answers" },
	{ "user", 0, SHADOW_DOCTOR, "NAME", AT(user), &string, NULL, 0, 0,
	  "become this user once all is open (root: nobody)" },
	{ "quiet", 'q', SHADOW_DOCTOR, NULL, AT(quiet), &flag, NULL, 0, 0,
	  "no live line" },
	{ "release", 0, OPTIONS_DOCTOR, "DEV", AT(release), &string, NULL, 0, 0,
	  "lift the guard from an interface, and do nothing else" },
	{ "help", 'h', EVERY, NULL, 0, &help_kind, NULL, 0, 0, "this text" },
};

#define ROWS (sizeof(table) / sizeof(table[0]))

static const char *cmd_name(unsigned cmd)
{
	if (cmd == OPTIONS_DOCTOR)
		return "doctor";
	return cmd == OPTIONS_RERUN ? "rerun" : "shadow";
}

void options_defaults(struct options *o)
{
	struct engine_config *c = &o->engine;

	memset(o, 0, sizeof(*o));
	o->expr = "";
	c->limits.flows = FLOWS_DEFAULT;
	c->limits.pool = POOL_DEFAULT;
	c->limits.flow_share = SHARE_DEFAULT;
	c->limits.frags = FRAGS_DEFAULT;
	c->shadow.midstream = true;
	c->shadow.shed = true;
	c->shadow.gso = true;
	c->shadow.max_lag = SHADOW_MAX_LAG;
	c->shadow.sut_silent = SHADOW_SUT_SILENT;
	c->shadow.idle = SHADOW_IDLE;
	c->compare = COMPARE_EQUIVALENT;
	c->sample = SAMPLE_ALL;
	c->vxlan = VXLAN_NONE;
	o->capture = RING_V2;
	o->sut_ring = RING_SUT_BYTES;
	o->min_share = true;
}

/* --- parsing --- */

/* A block that is never given back; the list keeps it in sight of leak tests. */
struct kept {
	struct kept *next;
	char text[];
};

static struct kept *all_kept;

static char *keep(size_t size)
{
	struct kept *k = malloc(sizeof(*k) + size);

	if (k == NULL)
		return NULL;
	k->next = all_kept;
	all_kept = k;
	return k->text;
}

/* Where words come from: argv, or a text. */
struct words {
	char **argv;
	int left;
	char *text;
};

/* Return: 1, 0 at the end, -EINVAL. */
static int take(struct words *w, char **word)
{
	if (w->text != NULL)
		return words_next(&w->text, word);
	if (w->left == 0)
		return 0;
	w->left--;
	*word = *w->argv++;
	return 1;
}

/* What is being read, for the functions below. */
struct parse {
	struct options *o;
	unsigned cmd;
	bool in_file;
	bool only_words; /* behind "--" */
	struct errbuf *e;
};

static const struct row *by_name(const char *name, size_t len, unsigned cmd)
{
	for (size_t i = 0; i < ROWS; i++)
		if ((table[i].cmds & cmd) && strlen(table[i].name) == len &&
		    memcmp(table[i].name, name, len) == 0)
			return &table[i];
	return NULL;
}

static const struct row *by_letter(char letter, unsigned cmd)
{
	for (size_t i = 0; i < ROWS; i++)
		if ((table[i].cmds & cmd) && table[i].letter == letter)
			return &table[i];
	return NULL;
}

static int no_option(struct parse *p, const char *word)
{
	return errbuf_set(p->e, -EINVAL,
			  "no option %s; 'understudy %s --help' lists all",
			  word, cmd_name(p->cmd));
}

static int not_closed(struct parse *p)
{
	return errbuf_set(p->e, -EINVAL, "a quotation is not closed");
}

/* Set @r to @value, or to the next word if that is NULL. */
static int apply(struct parse *p, struct words *w, const struct row *r,
		 char *value)
{
	int rc = 1;

	if (!r->kind->has_value && value != NULL)
		return errbuf_set(p->e, -EINVAL, "--%s takes no value",
				  r->name);
	if (r->kind->has_value && value == NULL)
		rc = take(w, &value);
	if (rc < 0)
		return not_closed(p);
	if (rc == 0)
		return errbuf_set(p->e, -EINVAL,
				  "--%s wants a value; write --%s %s", r->name,
				  r->name, r->arg);
	return r->kind->set(p->o, r, value, p->e);
}

static int long_option(struct parse *p, struct words *w, char *word)
{
	char *name = word + 2;
	size_t len = strcspn(name, "=");
	const struct row *r = by_name(name, len, p->cmd);

	if (r == NULL)
		return no_option(p, word);
	return apply(p, w, r, name[len] == '=' ? name + len + 1 : NULL);
}

/* -q, -qc 5, -c5: the first letter with a value ends the word. */
static int short_options(struct parse *p, struct words *w, char *word)
{
	for (char *c = word + 1; *c != '\0'; c++) {
		const struct row *r = by_letter(*c, p->cmd);
		int rc;

		if (r == NULL)
			return no_option(p, word);
		if (r->kind->has_value)
			return apply(p, w, r, c[1] != '\0' ? c + 1 : NULL);
		rc = apply(p, w, r, NULL);
		if (rc)
			return rc;
	}
	return 0;
}

/* A word that is no option: of the filter expression, or rerun's file. */
static int operand(struct parse *p, const char *word)
{
	struct options *o = p->o;
	size_t size = strlen(o->expr) + strlen(word) + 2;
	char *expr;

	if (p->cmd == OPTIONS_RERUN) {
		if (o->files == FILES_MAX)
			return errbuf_set(p->e, -EINVAL,
					  "more than %d files at once",
					  FILES_MAX);
		o->file[o->files++] = word;
		return 0;
	}
	if (o->expr[0] == '\0') {
		o->expr = word;
		return 0;
	}
	expr = keep(size);
	if (expr == NULL)
		return errbuf_set(p->e, -ENOMEM, "no memory");
	snprintf(expr, size, "%s %s", o->expr, word);
	o->expr = expr;
	return 0;
}

/* Content of an @FILE, with an end; NULL and a sentence if it fails. */
static char *read_file(const char *path, struct errbuf *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t n = 1;
	char *text;

	if (fd < 0) {
		errbuf_set(e, -errno, "@%s: %s", path, strerror(errno));
		return NULL;
	}
	text = keep(ARGS_FILE_MAX + 1);
	while (text != NULL && n > 0 && len < ARGS_FILE_MAX) {
		n = read(fd, text + len, ARGS_FILE_MAX - len);
		if (n > 0)
			len += (size_t)n;
	}
	if (text == NULL || n < 0)
		errbuf_set(e, -errno, "@%s: %s", path, strerror(errno));
	else if (len == ARGS_FILE_MAX || memchr(text, '\0', len) != NULL)
		errbuf_set(e, -EINVAL, "@%s is no file of options", path);
	else
		text[len] = '\0';
	close(fd);
	return e->s[0] != '\0' ? NULL : text;
}

static int parse_words(struct parse *p, struct words *w);

static int at_file(struct parse *p, const char *path)
{
	struct words w = { .text = NULL };
	int rc;

	if (p->in_file)
		return errbuf_set(p->e, -EINVAL,
				  "@%s: a file of options may not name another",
				  path);
	w.text = read_file(path, p->e);
	if (w.text == NULL)
		return -EINVAL;
	p->in_file = true;
	rc = parse_words(p, &w);
	p->in_file = false;
	return rc;
}

static int parse_words(struct parse *p, struct words *w)
{
	char *word;
	int rc = take(w, &word);

	for (; rc > 0; rc = take(w, &word)) {
		bool dash = !p->only_words && word[0] == '-' && word[1] != '\0';

		if (dash && strcmp(word, "--") == 0) {
			p->only_words = true;
			continue;
		}
		if (dash && word[1] == '-')
			rc = long_option(p, w, word);
		else if (dash)
			rc = short_options(p, w, word);
		else if (!p->only_words && word[0] == '@' && word[1] != '\0')
			rc = at_file(p, word + 1);
		else
			rc = operand(p, word);
		if (rc)
			return rc;
	}
	return rc < 0 ? not_closed(p) : 0;
}

static int parse_from(struct options *o, struct words *w, unsigned cmd,
		      struct errbuf *e)
{
	struct errbuf own = { "" };
	struct options n;
	struct parse p = { .o = &n, .cmd = cmd, .e = &own };
	int rc;

	options_defaults(&n);
	rc = parse_words(&p, w);
	if (rc < 0)
		return errbuf_set(e, -EINVAL, "%s", own.s);
	*o = n;
	return rc;
}

int options_parse(struct options *o, int argc, char **argv, unsigned cmd,
		  struct errbuf *e)
{
	struct words w = { .argv = argv, .left = argc };

	return parse_from(o, &w, cmd, e);
}

int options_read(struct options *o, const char *text, unsigned cmd,
		 struct errbuf *e)
{
	size_t size = strlen(text) + 1;
	struct words w = { .text = keep(size) };

	if (w.text == NULL)
		return errbuf_set(e, -EINVAL, "no memory");
	memcpy(w.text, text, size);
	return parse_from(o, &w, cmd, e);
}

/* --- writing --- */

void options_usage(unsigned cmd)
{
	static const char operand_of[] = "[FILTER-EXPRESSION]";

	printf("usage: understudy %s [OPTION...] [@FILE] %s\n\n", cmd_name(cmd),
	       cmd == OPTIONS_RERUN ? "FILE..." : operand_of);
	for (size_t i = 0; i < ROWS; i++) {
		const struct row *r = &table[i];

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
	for (size_t i = 0; i < ROWS; i++)
		table[i].kind->text(&t, o, &table[i]);
	if (o->expr[0] != '\0') {
		text_add(&t, " -- ");
		value_put_word(&t, o->expr);
	}
	return t.full ? -ENOSPC : (int)t.len;
}
