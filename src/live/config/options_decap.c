/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * options_decap.c - What the mirror's frames are wrapped in
 *
 * Two options for one member: --vxlan is VXLAN at its own port and nothing
 * else, and is written wherever that is what was asked for; --decap is all
 * else.
 */
#include <string.h>

#include "config/options_internal.h"
#include "decap/decap.h"
#include "opt/values.h"

#define KEY_MOST UINT32_MAX /* of GRE; the others have fewer bits */
#define VNI_MOST 0xffffffu

static bool is_vxlan(const struct decap *d)
{
	return d->kinds == 1u << DECAP_VXLAN && d->port == VXLAN_PORT;
}

static int set_vxlan(void *field, const struct opt_row *r, const char *v,
		     struct errbuf *e)
{
	struct engine_config *c = field;
	struct decap d = { .kinds = 1u << DECAP_VXLAN,
			   .most = 1,
			   .port = VXLAN_PORT };

	if (strcmp(v, "none") == 0) {
		d = (struct decap){ .kinds = 0 };
	} else if (strcmp(v, "any") != 0) {
		int rc = opt_kind_u32.set(&d.key, r, v, e);

		if (rc)
			return rc;
		d.keyed = true;
	}
	c->decap = d;
	return 0;
}

static bool put_vxlan(struct text *t, const void *field,
		      const struct opt_row *r, unsigned i)
{
	const struct engine_config *c = field;

	if (i > 0 || !is_vxlan(&c->decap))
		return false;
	if (c->decap.keyed)
		return opt_kind_u32.put(t, &c->decap.key, r, i);
	text_add(t, "any");
	return true;
}

const struct opt_kind kind_vxlan = { false, set_vxlan, put_vxlan };

/* A kind by its name: bits of struct decap. Return: false: there is none */
static bool kinds_of(const char *v, size_t len, struct decap *d)
{
	d->most = 1;
	if (len == 4 && memcmp(v, "auto", 4) == 0) {
		d->kinds = DECAP_ALL;
		d->most = DECAP_DEEP;
		return true;
	}
	for (int k = 0; k < DECAP_KINDS; k++) {
		const char *name = decap_name((enum decap_kind)k);

		if (strlen(name) == len && memcmp(v, name, len) == 0) {
			d->kinds = (uint8_t)(1u << k);
			return true;
		}
	}
	return false;
}

/* The number between @v and @end, 0 to @most. Return: false: it is none */
static bool number(const char *v, const char *end, uint64_t most, uint64_t *out)
{
	char text[16] = "";
	size_t len = (size_t)(end - v);

	if (len == 0 || len >= sizeof(text))
		return false;
	memcpy(text, v, len);
	return value_get_number(text, out) == 0 && *out <= most;
}

static bool has_ports(uint8_t kinds)
{
	return (kinds & (1u << DECAP_VXLAN | 1u << DECAP_GENEVE)) != 0;
}

static int set_decap(void *field, const struct opt_row *r, const char *v,
		     struct errbuf *e)
{
	struct engine_config *c = field;
	size_t len = strcspn(v, ":@");
	const char *at = strchrnul(v, '@');
	struct decap d = { .kinds = 0 };
	uint64_t n;

	if (strcmp(v, "none") == 0) {
		c->decap = d;
		return 0;
	}
	if (!kinds_of(v, len, &d))
		return opt_bad(e, r, v, "names no tunnel that is read");
	if (v[len] == ':') {
		uint64_t most =
			d.kinds & (1u << DECAP_GRE) ? KEY_MOST : VNI_MOST;

		if (!number(v + len + 1, at, most, &n))
			return opt_bad(e, r, v,
				       "its key is no number, or too large");
		d.keyed = true;
		d.key = (uint32_t)n;
	}
	if (*at == '@') {
		if (!has_ports(d.kinds))
			return opt_bad(e, r, v, "GRE and ERSPAN have no ports");
		if (!number(at + 1, strchr(at, '\0'), UINT16_MAX, &n) || n == 0)
			return opt_bad(e, r, v,
				       "its port is no number from 1 to 65535");
		d.port = (uint16_t)n;
	}
	c->decap = d;
	return 0;
}

static bool put_decap(struct text *t, const void *field,
		      const struct opt_row *r, unsigned i)
{
	const struct engine_config *c = field;
	const struct decap *d = &c->decap;
	int k = 0;

	(void)r;
	if (i > 0 || d->kinds == 0 || is_vxlan(d))
		return false;
	while (d->kinds != 1u << k && k < DECAP_KINDS)
		k++;
	text_add(t, "%s",
		 k < DECAP_KINDS ? decap_name((enum decap_kind)k) : "auto");
	if (d->keyed)
		text_add(t, ":%u", d->key);
	if (d->port != 0)
		text_add(t, "@%u", d->port);
	return true;
}

const struct opt_kind kind_decap = { false, set_decap, put_decap };
