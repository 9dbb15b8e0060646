/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/send_edit.h"

#include <errno.h>
#include <string.h>

#include "cmd/values.h"

#define VALUE_MAX   4096 /* longest list */
#define VLAN_Q	    0x8100
#define VLAN_AD	    0x88a8
#define FUZZ_FACTOR 8 /* one frame of so many */

static int bad(struct errbuf *e, const char *v, const char *want)
{
	return errbuf_set(e, -EINVAL, "'%s' is not %s", v, want);
}

static int get(const char *v, uint64_t most, uint64_t *out, struct errbuf *e)
{
	uint64_t n = 0;

	if (value_get_number(v, &n) || n > most)
		return errbuf_set(e, -EINVAL, "'%s' is not a number up to %llu",
				  v, (unsigned long long)most);
	*out = n;
	return 0;
}

/* --- lists --- */

/* Calls @fn for each of the comma separated parts of @v. */
static int each(struct send_options *o, const char *v, struct errbuf *e,
		int (*fn)(void *ctx, const char *part, size_t len), void *ctx,
		const char *want)
{
	const char *at = v;

	o->edit.on = true;
	for (;;) {
		size_t len = strcspn(at, ",");
		int rc = fn(ctx, at, len);

		if (rc == -ENOSPC)
			return errbuf_set(e, -EINVAL,
					  "'%s' has more than %d entries", v,
					  EDIT_MAPS);
		if (rc)
			return bad(e, v, want);
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

static int nets(struct send_options *o, struct edit_nets *list, const char *v,
		struct errbuf *e)
{
	return each(o, v, e, net_pair, list,
		    "a list of NET:NET, as 10.0.0.0/8:192.168.0.0/16 or "
		    "[fd00::/8]:[2001:db8::/32]");
}

int send_edit_pnat(struct send_options *o, const char *v, struct errbuf *e)
{
	struct edit_nets *first = &o->edit.pnat[0];
	int rc;

	if (first->n > 0 && first->n == o->edit.pnat[1].n &&
	    !memcmp(first, &o->edit.pnat[1], sizeof(*first))) {
		/* The second time: for the second interface alone. */
		memset(&o->edit.pnat[1], 0, sizeof(o->edit.pnat[1]));
		return nets(o, &o->edit.pnat[1], v, e);
	}
	rc = nets(o, first, v, e);
	o->edit.pnat[1] = *first;
	return rc;
}

int send_edit_srcipmap(struct send_options *o, const char *v, struct errbuf *e)
{
	return nets(o, &o->edit.src, v, e);
}

int send_edit_dstipmap(struct send_options *o, const char *v, struct errbuf *e)
{
	return nets(o, &o->edit.dst, v, e);
}

int send_edit_endpoints(struct send_options *o, const char *v, struct errbuf *e)
{
	struct edit_nets one = { 0 };

	if (net_pair(&one, v, strlen(v)) ||
	    one.net[0].from_bits != IPADDR_BITS ||
	    one.net[0].to_bits != IPADDR_BITS)
		return bad(e, v, "a pair of addresses, CLIENT:SERVER");
	o->edit.on = true;
	o->edit.ends = true;
	o->edit.end[0] = one.net[0].from;
	o->edit.end[1] = one.net[0].to;
	return 0;
}

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

int send_edit_portmap(struct send_options *o, const char *v, struct errbuf *e)
{
	static const char want[] = "a list of PORT:PORT, as 80:8080 or "
				   "8000-8999:80";
	int rc = each(o, v, e, port_pair, &o->edit, want);

	if (rc == 0 && o->edit.port[o->edit.ports - 1].to == 0)
		return bad(e, v, want);
	return rc;
}

int send_edit_seed(struct send_options *o, const char *v, struct errbuf *e)
{
	o->edit.on = o->edit.seeded = true;
	return get(v, UINT32_MAX, &o->edit.seed, e);
}

int send_edit_skipbroadcast(struct send_options *o, const char *v,
			    struct errbuf *e)
{
	(void)v;
	(void)e;
	o->edit.keep_casts = true;
	return 0;
}

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
static int macs(struct send_options *o, uint8_t mac[2][6], bool has[2],
		const char *v, struct errbuf *e)
{
	int n = mac_list(v, mac[0], mac[1]);

	if (n < 0)
		return bad(e, v, "a hardware address, or two with a comma");
	o->edit.on = true;
	has[0] = true;
	has[1] = n == 2;
	return 0;
}

int send_edit_dmac(struct send_options *o, const char *v, struct errbuf *e)
{
	return macs(o, o->edit.dmac, o->edit.has_dmac, v, e);
}

int send_edit_smac(struct send_options *o, const char *v, struct errbuf *e)
{
	return macs(o, o->edit.smac, o->edit.has_smac, v, e);
}

int send_edit_subsmac(struct send_options *o, const char *v, struct errbuf *e)
{
	struct edit_mac *m = &o->edit.mac[o->edit.macs];

	if (o->edit.macs == EDIT_MAPS || mac_list(v, m->from, m->to) != 2)
		return bad(e, v, "two hardware addresses with a comma");
	o->edit.on = true;
	o->edit.macs++;
	return 0;
}

int send_edit_vlan(struct send_options *o, const char *v, struct errbuf *e)
{
	if (strcmp(v, "add") == 0)
		o->edit.vlan = EDIT_VLAN_ADD;
	else if (strcmp(v, "del") == 0)
		o->edit.vlan = EDIT_VLAN_DEL;
	else
		return bad(e, v, "add or del");
	o->edit.on = true;
	return 0;
}

/* Bits of the tag. */
static int tci(struct send_options *o, const char *v, uint64_t most,
	       unsigned shift, struct errbuf *e)
{
	uint64_t n = 0;
	int rc = get(v, most, &n, e);

	if (rc)
		return rc;
	o->edit.vlan_tci =
		(uint16_t)((o->edit.vlan_tci & ~(most << shift)) | n << shift);
	return 0;
}

int send_edit_vlan_tag(struct send_options *o, const char *v, struct errbuf *e)
{
	return tci(o, v, 4095, 0, e);
}

int send_edit_vlan_cfi(struct send_options *o, const char *v, struct errbuf *e)
{
	return tci(o, v, 1, 12, e);
}

int send_edit_vlan_pri(struct send_options *o, const char *v, struct errbuf *e)
{
	return tci(o, v, 7, 13, e);
}

int send_edit_vlan_proto(struct send_options *o, const char *v,
			 struct errbuf *e)
{
	if (strcmp(v, "802.1q") == 0)
		o->edit.vlan_type = VLAN_Q;
	else if (strcmp(v, "802.1ad") == 0)
		o->edit.vlan_type = VLAN_AD;
	else
		return bad(e, v, "802.1q or 802.1ad");
	return 0;
}

/* --- IP --- */

int send_edit_ttl(struct send_options *o, const char *v, struct errbuf *e)
{
	uint64_t n = 0;
	int rc = get(*v == '+' || *v == '-' ? v + 1 : v, 255, &n, e);

	if (rc == 0 && n == 0)
		rc = bad(e, v, "from 1 to 255");
	if (rc)
		return rc;
	o->edit.on = true;
	o->edit.ttl_by = (uint8_t)n;
	o->edit.ttl = *v == '+'	  ? EDIT_TTL_ADD
		      : *v == '-' ? EDIT_TTL_SUB
				  : EDIT_TTL_SET;
	return 0;
}

int send_edit_tos(struct send_options *o, const char *v, struct errbuf *e)
{
	uint64_t n = 0;
	int rc = get(v, 255, &n, e);

	o->edit.on = true;
	o->edit.tos = (int)n;
	return rc;
}

int send_edit_tclass(struct send_options *o, const char *v, struct errbuf *e)
{
	uint64_t n = 0;
	int rc = get(v, 255, &n, e);

	o->edit.on = true;
	o->edit.tclass = (int)n;
	return rc;
}

int send_edit_flowlabel(struct send_options *o, const char *v, struct errbuf *e)
{
	uint64_t n = 0;
	int rc = get(v, 0xfffff, &n, e);

	o->edit.on = true;
	o->edit.flowlabel = (int32_t)n;
	return rc;
}

int send_edit_mtu(struct send_options *o, const char *v, struct errbuf *e)
{
	uint64_t n = 0;
	int rc = get(v, EDIT_FRAME_MAX / 2, &n, e);

	if (rc == 0 && n < 68)
		rc = bad(e, v, "at least 68");
	if (rc == 0)
		o->edit.mtu = (uint32_t)n;
	return rc;
}

int send_edit_mtu_trunc(struct send_options *o, const char *v, struct errbuf *e)
{
	(void)v;
	(void)e;
	o->edit.on = o->edit.trunc = true;
	return 0;
}

int send_edit_fixlen(struct send_options *o, const char *v, struct errbuf *e)
{
	if (strcmp(v, "pad") == 0)
		o->edit.fixlen = EDIT_LEN_PAD;
	else if (strcmp(v, "trunc") == 0)
		o->edit.fixlen = EDIT_LEN_TRUNC;
	else if (strcmp(v, "del") == 0)
		o->edit.fixlen = EDIT_LEN_DEL;
	else
		return bad(e, v, "pad, trunc or del");
	o->edit.on = true;
	return 0;
}

int send_edit_fixcsum(struct send_options *o, const char *v, struct errbuf *e)
{
	(void)v;
	(void)e;
	o->edit.on = o->edit.fixcsum = true;
	return 0;
}

int send_edit_efcs(struct send_options *o, const char *v, struct errbuf *e)
{
	(void)v;
	(void)e;
	o->edit.on = o->edit.efcs = true;
	return 0;
}

/* --- at random --- */

/* The example of ISO C (C17 section 7.22.2.2), put together to 31 bits: so that a
 * seed gives tcprewrite's numbers.
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

int send_edit_tcp_sequence(struct send_options *o, const char *v,
			   struct errbuf *e)
{
	uint64_t n = 0;
	int rc = get(v, UINT32_MAX, &n, e);
	uint32_t state = (uint32_t)n;

	if (rc == 0 && n == 0)
		rc = bad(e, v, "from 1 to 4294967295");
	/* tcprewrite takes the fifth. */
	for (int i = 0; i < 5; i++)
		o->edit.seq_add = next_random(&state);
	o->edit.on = true;
	return rc;
}

int send_edit_mac_seed(struct send_options *o, const char *v, struct errbuf *e)
{
	uint64_t n = 0;
	int rc = get(v, UINT32_MAX, &n, e);

	o->edit.on = o->mac_seeded = true;
	o->mac_seed = (uint32_t)n;
	return rc;
}

int send_edit_mac_keep(struct send_options *o, const char *v, struct errbuf *e)
{
	uint64_t n = 0;
	int rc = get(v, 6, &n, e);

	o->mac_keep = (uint32_t)n;
	return rc;
}

/* Six different numbers, as tcprewrite draws them; but they are flipped, so that
 * two addresses never become one, and the bit of groups stays.
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

int send_edit_skip_mac_casts(struct send_options *o, const char *v,
			     struct errbuf *e)
{
	(void)v;
	(void)e;
	o->edit.keep_mac_casts = true;
	return 0;
}

int send_edit_dlt(struct send_options *o, const char *v, struct errbuf *e)
{
	(void)o;
	if (strcmp(v, "enet") == 0)
		return 0;
	return bad(e, v, "enet: an Ethernet interface takes nothing else");
}

int send_edit_fuzz_seed(struct send_options *o, const char *v, struct errbuf *e)
{
	o->edit.on = true;
	if (o->edit.fuzz_factor == 0)
		o->edit.fuzz_factor = FUZZ_FACTOR;
	o->fuzz = true;
	return get(v, UINT32_MAX, &o->edit.fuzz_seed, e);
}

int send_edit_fuzz_factor(struct send_options *o, const char *v,
			  struct errbuf *e)
{
	uint64_t n = 0;
	int rc = get(v, UINT32_MAX, &n, e);

	if (rc == 0 && n == 0)
		rc = bad(e, v, "at least 1");
	o->edit.fuzz_factor = (uint32_t)n;
	return rc;
}

void send_edit_defaults(struct send_options *o)
{
	o->edit.tos = -1;
	o->edit.tclass = -1;
	o->edit.flowlabel = -1;
	o->edit.vlan_type = VLAN_Q;
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
