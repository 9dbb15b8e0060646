/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * options_kind.c - How each kind of value is read into its field and written
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "cmd/options_internal.h"

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

/* A number that @get reads, in the range of @r. */
static int get_ranged(struct errbuf *e, const struct row *r, const char *v,
		      int (*get)(const char *, uint64_t *), uint64_t *out)
{
	uint64_t n = 0;
	int rc = get(v, &n);

	if (rc == -EINVAL)
		return bad_value(e, r, v, "is not such a number");
	if (rc || n < r->least || n > r->most)
		return bad_value(e, r, v, "is out of range");
	*out = n;
	return 0;
}

static int set_u64(struct options *o, const struct row *r, const char *v,
		   struct errbuf *e)
{
	return get_ranged(e, r, v, value_get_number, field(o, r));
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
	uint64_t n;
	int rc = get_ranged(e, r, v, value_get_number, &n);

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
	return get_ranged(e, r, v, value_get_duration, field(o, r));
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
	uint64_t n;
	int rc = get_ranged(e, r, v, value_get_size, &n);

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

static int set_part(struct options *o, const struct row *r, const char *v,
		    struct errbuf *e)
{
	uint64_t n;
	int rc = get_ranged(e, r, v, value_get_share, &n);

	if (rc == 0)
		*(uint32_t *)field(o, r) = (uint32_t)n;
	return rc;
}

static void text_part(struct text *t, const struct options *o,
		      const struct row *r)
{
	text_add(t, " --%s ", r->name);
	value_put_share(t, *(const uint32_t *)field_const(o, r));
}

const struct kind kind_share = { true, set_part, text_part };
const struct kind kind_flag = { false, set_flag, text_flag };
const struct kind kind_string = { true, set_string, text_string };
const struct kind kind_u64 = { true, set_u64, text_u64 };
const struct kind kind_u32 = { true, set_u32, text_u32 };
const struct kind kind_duration = { true, set_duration, text_duration };
const struct kind kind_size = { true, set_size, text_size };
const struct kind kind_switch = { true, set_switch, text_switch };

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

const struct kind kind_help = { false, set_help, text_nothing };

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

const struct kind kind_file = { true, set_file, text_files };

/* Not given is not 0. */
static int set_final_wait(struct options *o, const struct row *r, const char *v,
			  struct errbuf *e)
{
	o->final_given = true;
	return set_duration(o, r, v, e);
}

static void text_final_wait(struct text *t, const struct options *o,
			    const struct row *r)
{
	if (o->final_given)
		text_duration(t, o, r);
}

const struct kind kind_final_wait = { true, set_final_wait, text_final_wait };

static int set_sut_dev(struct options *o, const struct row *r, const char *v,
		       struct errbuf *e)
{
	o->engine.sut_none = strcmp(v, "none") == 0;
	return set_string(o, r, v, e);
}

const struct kind kind_sut_dev = { true, set_sut_dev, text_string };

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

const struct kind kind_map = { true, set_map, text_maps };

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

const struct kind kind_skip = { true, set_skip, text_skips };

static int set_ignored(struct options *o, const struct row *r, const char *v,
		       struct errbuf *e)
{
	int rc = compare_ignore(&o->engine.rules, v);

	if (rc == -ENOSPC)
		return errbuf_set(e, -EINVAL, "more than %u --%s",
				  COMPARE_IGNORED, r->name);
	if (rc == -ENAMETOOLONG)
		return errbuf_set(e, -EINVAL, "--%s: longer than %u characters",
				  r->name, COMPARE_NAME);
	return rc == 0 ? 0
		       : bad_value(e, r, v,
				   "is no name of a header field (a word "
				   "without a colon)");
}

static void text_ignored(struct text *t, const struct options *o,
			 const struct row *r)
{
	const struct compare_rules *rules = &o->engine.rules;

	for (uint32_t i = 0; i < rules->ignored; i++) {
		char name[COMPARE_NAME + 1] = "";

		memcpy(name, rules->ignore[i].name, rules->ignore[i].len);
		text_add(t, " --%s ", r->name);
		value_put_word(t, name);
	}
}

const struct kind kind_ignored = { true, set_ignored, text_ignored };

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

const struct kind kind_compare = { true, set_compare, text_compare };

static int set_sums(struct options *o, const struct row *r, const char *v,
		    struct errbuf *e)
{
	int n = 0;
	int rc = choose(r, v, &n, e);

	if (rc == 0)
		o->sums = (enum options_sums)n;
	return rc;
}

static void text_sums(struct text *t, const struct options *o,
		      const struct row *r)
{
	if (o->files > 0)
		text_chosen(t, r, (int)o->sums);
}

const struct kind kind_sums = { true, set_sums, text_sums };

static int set_client_net(struct options *o, const struct row *r, const char *v,
			  struct errbuf *e)
{
	bool all = strncmp(v, "all,", 4) == 0;
	const char *net = all ? v + 4 : v;
	struct engine_net n;

	if (value_get_net(net, strlen(net), &n.net, &n.bits))
		return bad_value(e, r, v,
				 "has a bad network (bits behind /len "
				 "must be 0)");
	if (o->client_nets == 2 ||
	    (o->client_nets == 1 &&
	     ipaddr_is4(&o->client_net[0].net) == ipaddr_is4(&n.net)))
		return bad_value(e, r, v, "is a second one of its family");
	o->client_net[o->client_nets++] = n;
	o->client_all |= all;
	return 0;
}

static void text_client_nets(struct text *t, const struct options *o,
			     const struct row *r)
{
	for (uint32_t i = 0; i < o->client_nets; i++) {
		text_add(t, " --%s %s", r->name, o->client_all ? "all," : "");
		value_put_net(t, &o->client_net[i].net, o->client_net[i].bits,
			      false);
	}
}

const struct kind kind_client_net = { true, set_client_net, text_client_nets };

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

const struct kind kind_capture = { true, set_capture, text_capture };

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

const struct kind kind_level = { true, set_level, text_level };

/* Both numbers are rounded to the nearest, so that text and number agree. */
static int set_sample(struct options *o, const struct row *r, const char *v,
		      struct errbuf *e)
{
	uint64_t m;
	int rc = get_ranged(e, r, v, value_get_share, &m);

	if (rc)
		return rc;
	m = (m * SAMPLE_ALL + SHARE_ALL / 2) / SHARE_ALL;
	/* A small share is still somebody. */
	o->engine.sample = m > 0 ? (uint32_t)m : 1;
	return 0;
}

static void text_sample(struct text *t, const struct options *o,
			const struct row *r)
{
	uint64_t m = (uint64_t)o->engine.sample * SHARE_ALL + SAMPLE_ALL / 2;

	text_add(t, " --%s ", r->name);
	value_put_share(t, (uint32_t)(m / SAMPLE_ALL));
}

const struct kind kind_sample = { true, set_sample, text_sample };

static int set_vxlan(struct options *o, const struct row *r, const char *v,
		     struct errbuf *e)
{
	uint64_t n;
	int rc;

	if (strcmp(v, "none") == 0 || strcmp(v, "any") == 0) {
		o->engine.vxlan = v[0] == 'n' ? VXLAN_NONE : VXLAN_ANY;
		return 0;
	}
	rc = get_ranged(e, r, v, value_get_number, &n);
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

const struct kind kind_vxlan = { true, set_vxlan, text_vxlan };

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

const struct kind kind_sut_mac = { true, set_sut_mac, text_sut_mac };

static int set_wire_also(struct options *o, const struct row *r, const char *v,
			 struct errbuf *e)
{
	const char *comma = strchr(v, ',');
	struct sutwire_also a = { .mac = { 0 } };
	char mac[3 * ETH_LEN];

	if (o->engine.alsos == SUTWIRE_ALSO_MAX)
		return errbuf_set(e, -EINVAL, "more than %d --wire-also",
				  SUTWIRE_ALSO_MAX);
	if (comma == NULL || comma - v != sizeof(mac) - 1)
		return bad_value(e, r, v, "is not both, with a comma");
	memcpy(mac, v, sizeof(mac) - 1);
	mac[sizeof(mac) - 1] = '\0';
	if (value_get_mac(mac, a.mac) || (a.mac[0] & 1) != 0)
		return bad_value(e, r, v, "has no hardware address of a host");
	if (value_get_ip(comma + 1, strlen(comma + 1), &a.ip))
		return bad_value(e, r, v, "has no address");
	o->engine.also[o->engine.alsos++] = a;
	return 0;
}

static void text_wire_also(struct text *t, const struct options *o,
			   const struct row *r)
{
	for (uint32_t i = 0; i < o->engine.alsos; i++) {
		text_add(t, " --%s ", r->name);
		value_put_mac(t, o->engine.also[i].mac);
		text_add(t, ",");
		value_put_ip(t, &o->engine.also[i].ip, false);
	}
}

const struct kind kind_wire_also = { true, set_wire_also, text_wire_also };

static int set_outside(struct options *o, const struct row *r, const char *v,
		       struct errbuf *e)
{
	int rc = set_switch(o, r, v, e);

	if (rc == 0)
		o->engine.ask_others = true; /* as who knows the option does */
	return rc;
}

const struct kind kind_outside = { true, set_outside, text_switch };

static int set_min_compared(struct options *o, const struct row *r,
			    const char *v, struct errbuf *e)
{
	bool share = strchr(v, '%') != NULL;
	int rc = get_ranged(e, r, v, share ? value_get_share : value_get_number,
			    &o->min_compared);

	if (rc == 0)
		o->min_share = share;
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

const struct kind kind_min_compared = { true, set_min_compared,
					text_min_compared };

static int set_multiplier(struct options *o, const struct row *r, const char *v,
			  struct errbuf *e)
{
	uint64_t n;
	int rc = get_ranged(e, r, v, value_get_thousandths, &n);

	if (rc == 0)
		o->multiplier = (uint32_t)n;
	return rc;
}

static void text_multiplier(struct text *t, const struct options *o,
			    const struct row *r)
{
	text_add(t, " --%s %" PRIu32 ".%03" PRIu32, r->name,
		 o->multiplier / 1000, o->multiplier % 1000);
}

const struct kind kind_multiplier = { true, set_multiplier, text_multiplier };
