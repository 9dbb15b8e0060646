/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * edit.c - How the values of send's rewriting options are read
 */
#include "send/edit.h"

#include <errno.h>
#include <string.h>

#include "opt/values.h"
#include "wire/numbers.h"

#define FUZZ_FACTOR 8 /* one frame of so many */

/* Values that are lists are not written back: none of send's are. */
static bool put_none(struct text *t, const void *field, const struct opt_row *r,
		     unsigned i)
{
	(void)t;
	(void)field;
	(void)r;
	(void)i;
	return false;
}

/* --- lists --- */

/* Calls @fn for each of the comma separated parts of @v. */
static int each(const struct opt_row *r, const char *v, struct errbuf *e,
		int (*fn)(void *ctx, const char *part, size_t len), void *ctx,
		const char *want)
{
	const char *at = v;

	for (;;) {
		size_t len = strcspn(at, ",");
		int rc = fn(ctx, at, len);

		if (rc == -ENOSPC)
			return errbuf_set(e, -EINVAL,
					  "--%s %s: has more than %d entries",
					  r->name, v, EDIT_MAPS);
		if (rc)
			return opt_bad(e, r, v, want);
		if (at[len] == '\0')
			return 0;
		at += len + 1;
	}
}

/* One net, with [brackets] round IPv6. Return: its characters, or -EINVAL */
static int net_part(const char *s, size_t len, struct ipaddr *ip, uint8_t *bits)
{
	const char *end;
	size_t n;

	if (len > 0 && s[0] == '[') {
		end = memchr(s, ']', len);
		if (!end ||
		    value_get_net(s + 1, (size_t)(end - s) - 1, ip, bits))
			return -EINVAL;
		return (int)(end - s) + 1;
	}
	end = memchr(s, ':', len);
	n = end ? (size_t)(end - s) : len;
	return value_get_net(s, n, ip, bits) ? -EINVAL : (int)n;
}

static int net_pair(void *ctx, const char *s, size_t len)
{
	struct edit_nets *list = ctx;
	struct edit_net n;
	int used;

	if (list->n == EDIT_MAPS)
		return -ENOSPC;
	used = net_part(s, len, &n.from, &n.from_bits);
	if (used < 0 || (size_t)used >= len || s[used] != ':')
		return -EINVAL;
	s += used + 1;
	len -= (size_t)used + 1;
	used = net_part(s, len, &n.to, &n.to_bits);
	if (used < 0 || (size_t)used != len ||
	    ipaddr_is4(&n.from) != ipaddr_is4(&n.to))
		return -EINVAL;
	list->net[list->n++] = n;
	return 0;
}

static int set_nets(void *field, const struct opt_row *r, const char *v,
		    struct errbuf *e)
{
	return each(r, v, e, net_pair, field,
		    "is not a list of NET:NET, as 10.0.0.0/8:192.168.0.0/16 or "
		    "[fd00::/8]:[2001:db8::/32]");
}

const struct opt_kind send_kind_nets = { false, set_nets, put_none };

/* The second time: for the second interface alone. */
static int set_pnat(void *field, const struct opt_row *r, const char *v,
		    struct errbuf *e)
{
	struct edit_nets *pnat = ((struct send_options *)field)->edit.pnat;
	int rc;

	if (pnat[0].n > 0 && pnat[0].n == pnat[1].n &&
	    !memcmp(&pnat[0], &pnat[1], sizeof(pnat[0]))) {
		memset(&pnat[1], 0, sizeof(pnat[1]));
		return set_nets(&pnat[1], r, v, e);
	}
	rc = set_nets(&pnat[0], r, v, e);
	pnat[1] = pnat[0];
	return rc;
}

const struct opt_kind send_kind_pnat = { false, set_pnat, put_none };

static int set_endpoints(void *field, const struct opt_row *r, const char *v,
			 struct errbuf *e)
{
	struct send_options *o = field;
	struct edit_nets one = { 0 };

	if (net_pair(&one, v, strlen(v)) ||
	    one.net[0].from_bits != IPADDR_BITS ||
	    one.net[0].to_bits != IPADDR_BITS)
		return opt_bad(e, r, v,
			       "is not a pair of addresses, CLIENT:SERVER");
	o->edit.ends = true;
	o->edit.end[0] = one.net[0].from;
	o->edit.end[1] = one.net[0].to;
	return 0;
}

const struct opt_kind send_kind_endpoints = { false, set_endpoints, put_none };

/* A number of at most 5 digits at @s. Return: characters, or -EINVAL */
static int port_part(const char *s, size_t len, uint16_t *out)
{
	uint32_t n = 0;
	size_t i;

	for (i = 0; i < len && i < 6 && s[i] >= '0' && s[i] <= '9'; i++)
		n = n * 10 + (uint32_t)(s[i] - '0');
	if (i == 0 || n > UINT16_MAX)
		return -EINVAL;
	*out = (uint16_t)n;
	return (int)i;
}

static int port_pair(void *ctx, const char *s, size_t len)
{
	struct edit_config *c = ctx;
	struct edit_port p = { 0 };
	const char *colon = memchr(s, ':', len);
	int n;

	if (c->ports == EDIT_MAPS)
		return -ENOSPC;
	n = port_part(s, len, &p.least);
	if (n < 0)
		return n;
	p.most = p.least;
	s += n;
	len -= (size_t)n;
	if (len > 0 && *s == '-') {
		n = port_part(s + 1, len - 1, &p.most);
		if (n < 0 || p.most < p.least)
			return -EINVAL;
		s += n + 1;
		len -= (size_t)n + 1;
	}
	/* 1,2,3:4 - the next part brings the new port. */
	if (!colon && len == 0) {
		p.to = 0;
		c->port[c->ports++] = p;
		return 0;
	}
	if (len == 0 || *s != ':' ||
	    port_part(s + 1, len - 1, &p.to) != (int)len - 1)
		return -EINVAL;
	c->port[c->ports++] = p;
	for (uint32_t i = c->ports - 1; i > 0 && c->port[i - 1].to == 0; i--)
		c->port[i - 1].to = p.to;
	return 0;
}

static int set_portmap(void *field, const struct opt_row *r, const char *v,
		       struct errbuf *e)
{
	static const char want[] = "is not a list of PORT:PORT, as 80:8080 or "
				   "8000-8999:80";
	struct edit_config *c = &((struct send_options *)field)->edit;
	int rc = each(r, v, e, port_pair, c, want);

	if (rc == 0 && c->port[c->ports - 1].to == 0)
		return opt_bad(e, r, v, want);
	return rc;
}

const struct opt_kind send_kind_portmap = { false, set_portmap, put_none };

/* --- Ethernet --- */

static int one_mac(const char *s, size_t len, uint8_t mac[6])
{
	char text[18];

	if (len != 17)
		return -EINVAL;
	memcpy(text, s, len);
	text[len] = '\0';
	return value_get_mac(text, mac);
}

/* MAC or MAC,MAC. Return: how many, or -EINVAL */
static int mac_list(const char *v, uint8_t a[6], uint8_t b[6])
{
	size_t len = strcspn(v, ",");

	if (one_mac(v, len, a))
		return -EINVAL;
	if (v[len] == '\0')
		return 1;
	return one_mac(v + len + 1, strlen(v + len + 1), b) ? -EINVAL : 2;
}

/* The first is for both interfaces, unless there is a second. */
static int macs(uint8_t mac[2][6], bool has[2], const struct opt_row *r,
		const char *v, struct errbuf *e)
{
	int n = mac_list(v, mac[0], mac[1]);

	if (n < 0)
		return opt_bad(e, r, v,
			       "is not a hardware address, or two with a "
			       "comma");
	has[0] = true;
	has[1] = n == 2;
	return 0;
}

static int set_dmac(void *field, const struct opt_row *r, const char *v,
		    struct errbuf *e)
{
	struct edit_config *c = &((struct send_options *)field)->edit;

	return macs(c->dmac, c->has_dmac, r, v, e);
}

static int set_smac(void *field, const struct opt_row *r, const char *v,
		    struct errbuf *e)
{
	struct edit_config *c = &((struct send_options *)field)->edit;

	return macs(c->smac, c->has_smac, r, v, e);
}

static int set_subsmac(void *field, const struct opt_row *r, const char *v,
		       struct errbuf *e)
{
	struct edit_config *c = &((struct send_options *)field)->edit;
	struct edit_mac *m = &c->mac[c->macs];

	if (c->macs == EDIT_MAPS || mac_list(v, m->from, m->to) != 2)
		return opt_bad(e, r, v,
			       "is not two hardware addresses with a comma");
	c->macs++;
	return 0;
}

const struct opt_kind send_kind_dmac = { false, set_dmac, put_none };
const struct opt_kind send_kind_smac = { false, set_smac, put_none };
const struct opt_kind send_kind_subsmac = { false, set_subsmac, put_none };

/* Bits of the tag from @shift on, as many as the row's @most has. */
static int tci(void *field, const struct opt_row *r, const char *v,
	       unsigned shift, struct errbuf *e)
{
	struct edit_config *c = &((struct send_options *)field)->edit;
	uint32_t n = 0;
	int rc = opt_kind_u32.set(&n, r, v, e);

	if (rc == 0)
		c->vlan_tci = (uint16_t)((c->vlan_tci & ~(r->most << shift)) |
					 (uint64_t)n << shift);
	return rc;
}

static int set_vlan_tag(void *field, const struct opt_row *r, const char *v,
			struct errbuf *e)
{
	return tci(field, r, v, 0, e);
}

static int set_vlan_cfi(void *field, const struct opt_row *r, const char *v,
			struct errbuf *e)
{
	return tci(field, r, v, 12, e);
}

static int set_vlan_pri(void *field, const struct opt_row *r, const char *v,
			struct errbuf *e)
{
	return tci(field, r, v, 13, e);
}

static int set_vlan_proto(void *field, const struct opt_row *r, const char *v,
			  struct errbuf *e)
{
	struct send_options *o = field;
	int n = 0;
	int rc = opt_choose(r, v, &n, e);

	if (rc == 0)
		o->edit.vlan_type = (uint16_t)n;
	return rc;
}

const struct opt_kind send_kind_vlan_tag = { false, set_vlan_tag, put_none };
const struct opt_kind send_kind_vlan_cfi = { false, set_vlan_cfi, put_none };
const struct opt_kind send_kind_vlan_pri = { false, set_vlan_pri, put_none };
const struct opt_kind send_kind_vlan_proto = { false, set_vlan_proto,
					       put_none };

/* What leaves is Ethernet always. */
static int set_dlt(void *field, const struct opt_row *r, const char *v,
		   struct errbuf *e)
{
	int n;

	(void)field;
	return opt_choose(r, v, &n, e);
}

const struct opt_kind send_kind_dlt = { false, set_dlt, put_none };

/* --- IP --- */

static int set_ttl(void *field, const struct opt_row *r, const char *v,
		   struct errbuf *e)
{
	struct send_options *o = field;
	uint32_t n = 0;
	int rc = opt_kind_u32.set(&n, r, *v == '+' || *v == '-' ? v + 1 : v, e);

	if (rc)
		return rc;
	o->edit.ttl_by = (uint8_t)n;
	o->edit.ttl = *v == '+'	  ? EDIT_TTL_ADD
		      : *v == '-' ? EDIT_TTL_SUB
				  : EDIT_TTL_SET;
	return 0;
}

const struct opt_kind send_kind_ttl = { false, set_ttl, put_none };

/* A number in an int, which is -1 where there is none. */
static int set_given(void *field, const struct opt_row *r, const char *v,
		     struct errbuf *e)
{
	uint32_t n = 0;
	int rc = opt_kind_u32.set(&n, r, v, e);

	if (rc == 0)
		*(int *)field = (int)n;
	return rc;
}

static bool put_given(struct text *t, const void *field,
		      const struct opt_row *r, unsigned i)
{
	return *(const int *)field >= 0 && opt_kind_u32.put(t, field, r, i);
}

const struct opt_kind send_kind_given = { false, set_given, put_given };

/* --- at random --- */

/* The example of ISO C (C17 section 7.22.2.2), put together to 31 bits: so that
 * a seed gives tcprewrite's numbers.
 */
static uint32_t next_random(uint32_t *state)
{
	static const uint32_t range[] = { 2048, 1024, 1024 };
	uint32_t v = 0;

	for (int i = 0; i < 3; i++) {
		*state = *state * 1103515245u + 12345u;
		v = v << 10 ^ *state / 65536 % range[i];
	}
	return v;
}

/* tcprewrite takes the fifth number of its seed. */
static int set_tcp_sequence(void *field, const struct opt_row *r, const char *v,
			    struct errbuf *e)
{
	struct send_options *o = field;
	uint32_t state = 0;
	int rc = opt_kind_u32.set(&state, r, v, e);

	for (int i = 0; rc == 0 && i < 5; i++)
		o->edit.seq_add = next_random(&state);
	return rc;
}

const struct opt_kind send_kind_tcp_sequence = { false, set_tcp_sequence,
						 put_none };

/* Six different numbers, as tcprewrite draws them; but they are flipped, so
 * that two addresses never become one, and the bit of groups stays.
 */
static void draw_mac_mask(struct send_options *o)
{
	uint32_t state = o->mac_seed;
	uint8_t *mask = o->edit.mac_mask;

	for (uint32_t i = 0; i < 6;) {
		mask[i] = (uint8_t)next_random(&state);
		if (i == 0 || !memchr(mask, mask[i], i))
			i++;
	}
	mask[0] &= 0xfe;
	memset(mask, 0, o->mac_keep);
}

void send_edit_defaults(struct send_options *o)
{
	o->edit.tos = -1;
	o->edit.tclass = -1;
	o->edit.flowlabel = -1;
	o->edit.vlan_type = ETHERTYPE_VLAN;
}

int send_edit_finish(struct send_options *o, struct errbuf *e)
{
	const struct edit_config *c = &o->edit;

	if (o->mac_keep > 0 && !o->mac_seeded)
		return errbuf_set(e, -EINVAL,
				  "--enet-mac-seed-keep-bytes wants "
				  "--enet-mac-seed");
	if (o->mac_seeded && (c->has_dmac[0] || c->has_smac[0] || c->macs > 0))
		return errbuf_set(e, -EINVAL,
				  "--enet-mac-seed goes without other hardware "
				  "addresses");
	if (c->fuzz_factor > 0 && !o->fuzz)
		return errbuf_set(e, -EINVAL,
				  "--fuzz-factor wants --fuzz-seed");
	if (o->fuzz && c->fuzz_factor == 0)
		o->edit.fuzz_factor = FUZZ_FACTOR;
	if (o->mac_seeded)
		draw_mac_mask(o);
	if (c->vlan_tci != 0 && c->vlan != EDIT_VLAN_ADD)
		return errbuf_set(e, -EINVAL,
				  "a VLAN tag's fields want --enet-vlan add");
	if (c->ends && !o->cache && !o->dual)
		return errbuf_set(e, -EINVAL,
				  "--endpoints wants -c: which is the client?");
	if (c->pnat[0].n > 0 && (c->src.n > 0 || c->dst.n > 0))
		return errbuf_set(e, -EINVAL,
				  "--pnat goes without --srcipmap and "
				  "--dstipmap");
	return 0;
}
