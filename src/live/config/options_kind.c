/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * options_kind.c - Kinds of values that one option each has
 *
 * Those of the engine take its configuration as their field, the others all of
 * struct options.
 */
#include <errno.h>
#include <string.h>

#include "compare/compare.h"
#include "config/map.h"
#include "config/options_internal.h"
#include "opt/values.h"

/* --- of struct options --- */

static int set_file(void *field, const struct opt_row *r, const char *v,
		    struct errbuf *e)
{
	struct options *o = field;

	if (o->files == FILES_MAX)
		return errbuf_set(e, -EINVAL,
				  "more than %d files; join some (mergecap)",
				  FILES_MAX);
	if (*v == '\0')
		return opt_bad(e, r, "''", "is empty");
	o->file[o->files++] = v;
	o->engine.open_csum = true; /* captures are taken on hosts */
	return 0;
}

static bool put_file(struct text *t, const void *field, const struct opt_row *r,
		     unsigned i)
{
	const struct options *o = field;

	(void)r;
	if (i < o->files)
		value_put_word(t, o->file[i]);
	return i < o->files;
}

const struct opt_kind kind_file = { false, set_file, put_file };

static int set_rules(void *field, const struct opt_row *r, const char *v,
		     struct errbuf *e)
{
	struct options *o = field;

	if (o->sources == OPTIONS_SOURCES)
		return errbuf_set(e, -EINVAL, "more than %d --%s; join some",
				  OPTIONS_SOURCES, r->name);
	if (*v == '\0')
		return opt_bad(e, r, "''", "is empty");
	o->source[o->sources++] = (struct options_source){ .word = v };
	return 0;
}

static bool put_rules(struct text *t, const void *field,
		      const struct opt_row *r, unsigned i)
{
	const struct options *o = field;

	(void)r;
	if (i < o->sources)
		value_put_word(t, o->source[i].word);
	return i < o->sources;
}

const struct opt_kind kind_rules = { false, set_rules, put_rules };

static int set_keep(void *field, const struct opt_row *r, const char *v,
		    struct errbuf *e)
{
	struct options *o = field;

	return opt_kind_size.set(&o->engine.keep, r, v, e);
}

/* It is about rules, and the default is not said where there are none. */
static bool put_keep(struct text *t, const void *field, const struct opt_row *r,
		     unsigned i)
{
	const struct options *o = field;

	return (o->sources > 0 || o->engine.keep != KEEP_DEFAULT) &&
	       opt_kind_size.put(t, &o->engine.keep, r, i);
}

const struct opt_kind kind_keep = { false, set_keep, put_keep };

/* Not given is not 0. */
static int set_final_wait(void *field, const struct opt_row *r, const char *v,
			  struct errbuf *e)
{
	struct options *o = field;
	int rc = opt_kind_duration.set(&o->final_wait, r, v, e);

	if (rc == 0)
		o->final_given = true;
	return rc;
}

static bool put_final_wait(struct text *t, const void *field,
			   const struct opt_row *r, unsigned i)
{
	const struct options *o = field;

	return o->final_given && opt_kind_duration.put(t, &o->final_wait, r, i);
}

const struct opt_kind kind_final_wait = { false, set_final_wait,
					  put_final_wait };

static int set_sut_dev(void *field, const struct opt_row *r, const char *v,
		       struct errbuf *e)
{
	struct options *o = field;
	int rc = opt_kind_string.set(&o->sut_dev, r, v, e);

	if (rc == 0)
		o->engine.sut_none = strcmp(v, "none") == 0;
	return rc;
}

static bool put_sut_dev(struct text *t, const void *field,
			const struct opt_row *r, unsigned i)
{
	const struct options *o = field;

	return opt_kind_string.put(t, &o->sut_dev, r, i);
}

const struct opt_kind kind_sut_dev = { false, set_sut_dev, put_sut_dev };

static int set_sums(void *field, const struct opt_row *r, const char *v,
		    struct errbuf *e)
{
	struct options *o = field;

	return opt_kind_word.set(&o->sums, r, v, e);
}

/* They are about captures, and nothing is said where there is none. */
static bool put_sums(struct text *t, const void *field, const struct opt_row *r,
		     unsigned i)
{
	const struct options *o = field;

	return o->files > 0 && opt_kind_word.put(t, &o->sums, r, i);
}

const struct opt_kind kind_sums = { false, set_sums, put_sums };

static int set_amount(void *field, const struct opt_row *r, const char *v,
		      struct errbuf *e)
{
	struct option_amount *a = field;
	bool share = strchr(v, '%');
	uint32_t part = 0;
	int rc = share ? opt_kind_share.set(&part, r, v, e)
		       : opt_kind_u64.set(&a->n, r, v, e);

	if (rc)
		return rc;
	if (share)
		a->n = part;
	a->share = share;
	return 0;
}

static bool put_amount(struct text *t, const void *field,
		       const struct opt_row *r, unsigned i)
{
	const struct option_amount *a = field;

	if (!a->share)
		return opt_kind_u64.put(t, &a->n, r, i);
	if (i == 0)
		value_put_share(t, (uint32_t)a->n);
	return i == 0;
}

const struct opt_kind kind_amount = { false, set_amount, put_amount };

/* --- of the engine's configuration --- */

/*
 * One side of a --map that names a host: a word with a letter, and at most a
 * port or a prefix behind it. Return: its length, or 0
 */
static size_t host_name(const char *side, size_t len)
{
	size_t n = 0;
	bool letter = false;

	for (; n < len && side[n] != ':' && side[n] != '/'; n++) {
		bool alpha = (side[n] | 32) >= 'a' && (side[n] | 32) <= 'z';

		letter |= alpha;
		if (!alpha && !strchr("0123456789.-_", side[n]))
			return 0;
	}
	/* Two colons: IPv6. */
	if (n < len && memchr(side + n + 1, ':', len - n - 1))
		return 0;
	return letter ? n : 0;
}

static bool is_endpoint(const char *s, size_t len)
{
	struct ipaddr ip;
	uint16_t port;
	uint8_t bits;

	return value_get_endpoint(s, len, &ip, &bits, &port) == 0;
}

/* What is wrong with one side of a map; NULL: nothing */
static const char *endpoint_fault(const char *s, size_t len)
{
	const char *slash = memchr(s, '/', len);
	const char *colon = memrchr(s, ':', len);
	size_t n = slash ? (size_t)(slash - s) : len;
	bool no_port = colon && (!slash || slash < colon) &&
		       is_endpoint(s, (size_t)(colon - s));

	if (is_endpoint(s, len))
		return NULL;
	if (no_port)
		return "its port is no number from 1 to 65535";
	return is_endpoint(s, n)
		       ? "its /len is no number up to 32 (IPv6: 128), "
			 "or bits behind it are not 0"
		       : "is no address (IPv6 with a port: [ADDR]:PORT)";
}

/* Why @v is no map: @rc is what value_get_map() said. */
static int no_map(const struct opt_row *r, const char *v, int rc,
		  struct errbuf *e)
{
	size_t prod = strcspn(v, "=");
	const char *sut = v + prod + (v[prod] == '=');
	size_t n = host_name(v, prod);
	const char *name = n > 0 ? v : sut;

	if (n == 0)
		n = host_name(sut, strlen(sut));
	if (n > 0)
		return errbuf_set(e, -EINVAL,
				  "--%s %s: %.*s is a name, and an address is "
				  "wanted: names are not looked up; write --%s "
				  "%s",
				  r->name, v, (int)n, name, r->name, r->arg);
	if (rc == -EAFNOSUPPORT)
		return opt_bad(e, r, v, "one side is IPv4 and the other IPv6");
	if (v[prod] != '=')
		return opt_bad(e, r, v, "has no =");
	if (endpoint_fault(v, prod))
		return errbuf_set(e, -EINVAL,
				  "--%s %s: %.*s: %s; write --%s %s", r->name,
				  v, (int)prod, v, endpoint_fault(v, prod),
				  r->name, r->arg);
	return errbuf_set(e, -EINVAL, "--%s %s: %s: %s; write --%s %s", r->name,
			  v, sut,
			  endpoint_fault(sut, strlen(sut))
				  ? endpoint_fault(sut, strlen(sut))
				  : "a SUT has one address and no /len",
			  r->name, r->arg);
}

static int set_map(void *field, const struct opt_row *r, const char *v,
		   struct errbuf *e)
{
	struct engine_config *c = field;
	int rc;

	if (c->maps == MAP_MAX)
		return errbuf_set(e, -EINVAL, "more than %d --map", MAP_MAX);
	rc = value_get_map(v, &c->map[c->maps]);
	if (rc)
		return no_map(r, v, rc, e);
	c->maps++;
	return 0;
}

static bool put_map(struct text *t, const void *field, const struct opt_row *r,
		    unsigned i)
{
	const struct engine_config *c = field;

	(void)r;
	/* A baseline's follow from --baseline. */
	if (i == c->maps || c->map[i].baseline)
		return false;
	value_put_map(t, &c->map[i]);
	return true;
}

const struct opt_kind kind_map = { false, set_map, put_map };

static int set_baseline(void *field, const struct opt_row *r, const char *v,
			struct errbuf *e)
{
	struct options *o = field;
	uint8_t bits;

	if (value_get_endpoint(v, strlen(v), &o->baseline, &bits,
			       &o->baseline_port) != 0 ||
	    bits != IPADDR_BITS)
		return opt_bad(e, r, v,
			       "is no address with a port, as 10.1.0.21:80");
	o->has_baseline = true;
	return 0;
}

static bool put_baseline(struct text *t, const void *field,
			 const struct opt_row *r, unsigned i)
{
	const struct options *o = field;

	(void)r;
	if (!o->has_baseline || i > 0)
		return false;
	value_put_ip(t, &o->baseline, true);
	if (o->baseline_port != 0)
		text_add(t, ":%u", o->baseline_port);
	return true;
}

const struct opt_kind kind_baseline = { false, set_baseline, put_baseline };

static int set_skip(void *field, const struct opt_row *r, const char *v,
		    struct errbuf *e)
{
	struct engine_config *c = field;
	struct engine_net *n = &c->skip[c->skips];

	if (c->skips == SKIP_MAX)
		return errbuf_set(e, -EINVAL, "more than %d --skip", SKIP_MAX);
	if (value_get_net(v, strlen(v), &n->net, &n->bits))
		return opt_bad(e, r, v,
			       "has a bad address or prefix (bits behind /len "
			       "must be 0)");
	c->skips++;
	return 0;
}

static bool put_skip(struct text *t, const void *field, const struct opt_row *r,
		     unsigned i)
{
	const struct engine_config *c = field;

	(void)r;
	if (i < c->skips)
		value_put_net(t, &c->skip[i].net, c->skip[i].bits, false);
	return i < c->skips;
}

const struct opt_kind kind_skip = { false, set_skip, put_skip };

static int set_ignored(void *field, const struct opt_row *r, const char *v,
		       struct errbuf *e)
{
	struct engine_config *c = field;
	int rc = compare_ignore(&c->rules, v);

	if (rc == -ENOSPC)
		return errbuf_set(e, -EINVAL, "more than %u --%s",
				  COMPARE_IGNORED, r->name);
	if (rc == -ENAMETOOLONG)
		return errbuf_set(e, -EINVAL, "--%s: longer than %u characters",
				  r->name, COMPARE_NAME);
	return rc == 0 ? 0
		       : opt_bad(e, r, v,
				 "is no name of a header field (a word without "
				 "a colon)");
}

static bool put_ignored(struct text *t, const void *field,
			const struct opt_row *r, unsigned i)
{
	const struct engine_config *c = field;
	char name[COMPARE_NAME + 1] = "";

	(void)r;
	if (i >= c->rules.ignored)
		return false;
	memcpy(name, c->rules.ignore[i].name, c->rules.ignore[i].len);
	value_put_word(t, name);
	return true;
}

const struct opt_kind kind_ignored = { false, set_ignored, put_ignored };

static int set_level(void *field, const struct opt_row *r, const char *v,
		     struct errbuf *e)
{
	struct engine_config *c = field;
	int timing = 0;
	int rc;

	if (strcmp(v, "request") == 0 || strcmp(v, "fragment") == 0)
		return errbuf_set(e, -EINVAL,
				  "--level %s comes in a later version; use "
				  "--level packet or --level timing",
				  v);
	rc = opt_choose(r, v, &timing, e);
	if (rc == 0) {
		c->shadow.timing = timing != 0;
		c->shadow.delay = timing != 0 ? SHADOW_DELAY : 0;
	}
	return rc;
}

static bool put_level(struct text *t, const void *field,
		      const struct opt_row *r, unsigned i)
{
	const struct engine_config *c = field;

	return i == 0 && opt_put_chosen(t, r, c->shadow.timing);
}

const struct opt_kind kind_level = { false, set_level, put_level };

/* Both numbers are rounded to the nearest, so that text and number agree. */
static int set_sample(void *field, const struct opt_row *r, const char *v,
		      struct errbuf *e)
{
	struct engine_config *c = field;
	uint32_t share;
	uint64_t m;
	int rc = opt_kind_share.set(&share, r, v, e);

	if (rc)
		return rc;
	m = share;
	m = (m * SAMPLE_ALL + SHARE_ALL / 2) / SHARE_ALL;
	/* A small share is still somebody. */
	c->sample = m > 0 ? (uint32_t)m : 1;
	return 0;
}

static bool put_sample(struct text *t, const void *field,
		       const struct opt_row *r, unsigned i)
{
	const struct engine_config *c = field;
	uint64_t m = (uint64_t)c->sample * SHARE_ALL + SAMPLE_ALL / 2;

	(void)r;
	if (i == 0)
		value_put_share(t, (uint32_t)(m / SAMPLE_ALL));
	return i == 0;
}

const struct opt_kind kind_sample = { false, set_sample, put_sample };

static int set_sut_mac(void *field, const struct opt_row *r, const char *v,
		       struct errbuf *e)
{
	struct engine_config *c = field;
	uint8_t mac[ETH_LEN];

	if (strcmp(v, "any") == 0) {
		memset(c->sut_mac, 0, ETH_LEN);
		c->sut_any = true;
		c->sut_pinned = false;
		return 0;
	}
	if (value_get_mac(v, mac) || (mac[0] & 1))
		return opt_bad(e, r, v, "is no hardware address of one host");
	memcpy(c->sut_mac, mac, ETH_LEN);
	c->sut_pinned = true;
	c->sut_any = false;
	return 0;
}

static bool put_sut_mac(struct text *t, const void *field,
			const struct opt_row *r, unsigned i)
{
	const struct engine_config *c = field;

	(void)r;
	if (i > 0 || (!c->sut_pinned && !c->sut_any))
		return false;
	if (c->sut_any)
		text_add(t, "any");
	else
		value_put_mac(t, c->sut_mac);
	return true;
}

const struct opt_kind kind_sut_mac = { false, set_sut_mac, put_sut_mac };

static int set_wire_also(void *field, const struct opt_row *r, const char *v,
			 struct errbuf *e)
{
	struct engine_config *c = field;
	const char *comma = strchr(v, ',');
	struct sutwire_also a = { .mac = { 0 } };
	char mac[3 * ETH_LEN];

	if (c->alsos == SUTWIRE_ALSO_MAX)
		return errbuf_set(e, -EINVAL, "more than %d --wire-also",
				  SUTWIRE_ALSO_MAX);
	if (!comma || comma - v != sizeof(mac) - 1)
		return opt_bad(e, r, v, "is not both, with a comma");
	memcpy(mac, v, sizeof(mac) - 1);
	mac[sizeof(mac) - 1] = '\0';
	if (value_get_mac(mac, a.mac) || (a.mac[0] & 1))
		return opt_bad(e, r, v, "has no hardware address of a host");
	if (value_get_ip(comma + 1, strlen(comma + 1), &a.ip))
		return opt_bad(e, r, v, "has no address");
	c->also[c->alsos++] = a;
	return 0;
}

static bool put_wire_also(struct text *t, const void *field,
			  const struct opt_row *r, unsigned i)
{
	const struct engine_config *c = field;

	(void)r;
	if (i >= c->alsos)
		return false;
	value_put_mac(t, c->also[i].mac);
	text_add(t, ",");
	value_put_ip(t, &c->also[i].ip, false);
	return true;
}

const struct opt_kind kind_wire_also = { false, set_wire_also, put_wire_also };

static int set_outside(void *field, const struct opt_row *r, const char *v,
		       struct errbuf *e)
{
	struct engine_config *c = field;
	int rc = opt_kind_switch.set(&c->refuse, r, v, e);

	if (rc == 0)
		c->ask_others = true; /* as who knows the option does */
	return rc;
}

static bool put_outside(struct text *t, const void *field,
			const struct opt_row *r, unsigned i)
{
	const struct engine_config *c = field;

	return opt_kind_switch.put(t, &c->refuse, r, i);
}

const struct opt_kind kind_outside = { false, set_outside, put_outside };
