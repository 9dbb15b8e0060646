/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * edit.c - Rewrite frames of a capture before they are sent
 *
 * Theory of operation
 *
 * In the order in which the parts depend on each other: the frame's end (FCS,
 * MTU, what the capture cut), then IP fields, addresses and ports, then the
 * hardware addresses and tags. Addresses, ports and TTL move the checksums by
 * the difference, so a checksum that was wrong on the wire stays wrong, and the
 * first fragment of a datagram keeps a right one; only where lengths change, or
 * on demand, are they summed anew.
 *
 * An error message of ICMP repeats the packet that caused it: its addresses are
 * rewritten too, in the other sense (its source is the receiver of the
 * message). The same goes for the addresses inside ARP.
 *
 * A random address (--seed) is a keyed hash of the true one, so both directions
 * of a flow stay together; 0.0.0.0, multicast and broadcast only change when
 * they are not kept, as with the other ways.
 */
#include "rewrite/edit.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "core/bytes.h"
#include "core/csum.h"
#include "core/rng.h"
#include "rewrite/shape.h"
#include "wire/decode.h"
#include "wire/numbers.h"

static bool mac_is_cast(const uint8_t *mac)
{
	return mac[0] & 1;
}

/* --- another header --- */

static int link_header(uint16_t link, const uint8_t *p, uint32_t len,
		       uint32_t *head, uint16_t *type)
{
	uint8_t version;

	*head = link == LINK_SLL			 ? 16
		: link == LINK_SLL2			 ? 20
		: link == LINK_NULL || link == LINK_LOOP ? 4
							 : 0;
	if (len <= *head)
		return -EBADMSG;
	if (link == LINK_SLL || link == LINK_SLL2) {
		*type = get_be16(p + (link == LINK_SLL ? 14 : 0));
		return *type < 0x600 ? -EBADMSG : 0;
	}
	if (link != LINK_NULL && link != LINK_LOOP && link != LINK_RAW &&
	    link != LINK_RAW_BSD && link != LINK_RAW_OPENBSD &&
	    link != LINK_IPV4 && link != LINK_IPV6)
		return -ENOTSUP;
	version = p[*head] >> 4;
	*type = version == 6 ? ETHERTYPE_IP6 : ETHERTYPE_IP4;
	return version == 4 || version == 6 ? 0 : -EBADMSG;
}

/* The address for frames of @port: its own, or the first's. */
static const uint8_t *mac_for(const uint8_t mac[2][6], const bool has[2],
			      unsigned port)
{
	if (!has[0])
		return NULL;
	return mac[port == 1 && has[1] ? 1 : 0];
}

int edit_ether(const struct edit_config *c, uint16_t link, uint8_t *p,
	       uint32_t *len, unsigned port)
{
	const uint8_t *dmac = mac_for(c->dmac, c->has_dmac, port);
	const uint8_t *smac = mac_for(c->smac, c->has_smac, port);
	uint32_t head;
	uint16_t type = 0;
	int rc = link_header(link, p, *len, &head, &type);

	if (rc)
		return rc;
	if (!dmac || !smac)
		return -ENOTSUP;
	memmove(p + ETH_HEADER, p + head, *len - head);
	memcpy(p, dmac, 6);
	memcpy(p + 6, smac, 6);
	put_be16(p + 12, type);
	*len = *len - head + ETH_HEADER;
	return 0;
}

/* --- lengths --- */

/* Of frames that have an Ethernet header, as edit_frame() has seen: in them
 * shape_find() does not fail.
 */

static void put_total(const struct shape *s, uint8_t *p, uint32_t end)
{
	uint8_t v[2];

	if (s->version == 4) {
		put_be16(v, (uint16_t)(end - s->l3));
		shape_put(p, s->l3 + 10, s->l3 + 2, v, 2);
	} else {
		put_be16(p + s->l3 + 4, (uint16_t)(end - s->l3 - 40));
	}
}

/* The packet ends at @len now: so its headers shall say, UDP's too. */
static void shorten(struct edit_stats *st, uint8_t *p, uint32_t len)
{
	struct shape s;

	(void)shape_find(&s, p, len);
	if (s.version == 0 || s.total <= len)
		return;
	put_total(&s, p, len);
	if (s.proto == PROTO_UDP && s.l4 > 0 && s.l4 + 8 <= len && !s.fragment)
		put_be16(p + s.l4 + 4, (uint16_t)(len - s.l4));
	s.total = len;
	if (shape_csum_full(&s, p))
		st->unsummed++;
}

static int fix_length(const struct edit_config *c, struct edit_stats *st,
		      uint8_t *p, uint32_t *len, uint32_t wire)
{
	struct shape s;

	if (wire <= *len)
		return 1;
	if (c->fixlen == EDIT_LEN_DEL)
		return 0;
	if (c->fixlen == EDIT_LEN_TRUNC) {
		shorten(st, p, *len);
		return 1;
	}
	(void)shape_find(&s, p, *len);
	if (s.version != 0 && s.total > *len) {
		assert(s.total <= EDIT_FRAME_MAX);
		memset(p + *len, 0, s.total - *len);
		*len = s.total;
		s.end = s.total;
		if (shape_csum_full(&s, p))
			st->unsummed++;
	}
	return 1;
}

static void trunc_mtu(const struct edit_config *c, struct edit_stats *st,
		      uint8_t *p, uint32_t *len)
{
	struct shape s;

	(void)shape_find(&s, p, *len);
	if (*len - s.l3 <= c->mtu)
		return;
	*len = s.l3 + c->mtu;
	shorten(st, p, *len);
}

/* --- addresses --- */

static bool ip_is_cast(const uint8_t *ip, uint32_t n)
{
	if (n == 16)
		return ip[0] == 0xff;
	return (ip[0] & 0xf0) == 0xe0 || get_be32(ip) == UINT32_MAX;
}

static void map_net(const struct edit_net *m, uint8_t *ip, uint32_t n)
{
	const uint8_t *to = m->to.b + 16 - n;
	uint32_t bits = m->to_bits - (128 - n * 8);

	for (uint32_t i = 0; i < n; i++) {
		uint32_t have = bits > i * 8 ? bits - i * 8 : 0;
		uint8_t mask = 0xff;

		if (have < 8)
			mask = (uint8_t)((0xff00u >> have) & 0xff);

		ip[i] = (uint8_t)((ip[i] & ~mask) | (to[i] & mask));
	}
}

static bool map_list(const struct edit_nets *l, uint8_t *ip, uint32_t n)
{
	struct ipaddr a = n == 4 ? ipaddr_from4(ip) : ipaddr_from6(ip);

	for (uint32_t i = 0; i < l->n; i++) {
		const struct edit_net *m = &l->net[i];

		if (ipaddr_is4(&m->from) != (n == 4) ||
		    !ipaddr_in(&a, &m->from, m->from_bits))
			continue;
		map_net(m, ip, n);
		return true;
	}
	return false;
}

/* The same address always becomes the same one. */
static void map_seed(uint64_t seed, uint8_t *ip, uint32_t n)
{
	struct rng r = { .s = seed * UINT64_C(0x9e3779b97f4a7c15) + n };
	uint8_t top = ip[0];
	uint64_t v;

	for (uint32_t i = 0; i < n; i++) {
		r.s ^= (uint64_t)ip[i] << 56 | ip[i];
		(void)rng_next(&r);
	}
	for (uint32_t i = 0; i < n; i += 4) {
		v = rng_next(&r);
		put_be32(ip + i, (uint32_t)(v >> 32));
	}
	/* What it is stays what it is: global, or link-local, not multicast. */
	if (n == 16)
		ip[0] = top;
	else
		ip[0] = (uint8_t)(1 + ip[0] % 223);
	if (n == 4 && ip[0] == 127)
		ip[0] = 126;
}

/* @client: this end is the client's. Return: whether it changed */
static bool map_ip(const struct edit_config *c, uint8_t *ip, uint32_t n,
		   bool source, bool client, unsigned port)
{
	uint8_t old[16];

	memcpy(old, ip, n);
	if (c->keep_casts && ip_is_cast(ip, n))
		return false;
	if (c->seeded)
		map_seed(c->seed, ip, n);
	(void)map_list(&c->pnat[port], ip, n);
	(void)map_list(source ? &c->src : &c->dst, ip, n);
	if (c->ends && ipaddr_is4(&c->end[0]) == (n == 4))
		memcpy(ip, c->end[client ? 0 : 1].b + 16 - n, n);
	return memcmp(old, ip, n) != 0;
}

static void edit_ip(const struct edit_config *c, const struct shape *s,
		    uint8_t *p, unsigned port, bool inner)
{
	uint32_t n = s->version == 4 ? 4 : 16;

	for (int k = 0; k < 2; k++) {
		bool source = (k == 0) != inner;
		uint32_t where = k == 0 ? shape_ip_src(s) : shape_ip_dst(s);
		uint8_t ip[16];

		memcpy(ip, p + where, n);
		if (map_ip(c, ip, n, source, source == (port == 0), port))
			shape_put_ip(s, p, where, ip);
	}
}

static void edit_arp(const struct edit_config *c, uint8_t *p, uint32_t l3,
		     uint32_t len, unsigned port)
{
	static const uint8_t ether_ip4[6] = { 0, 1, 8, 0, 6, 4 };

	if (len < l3 + 28 || memcmp(p + l3, ether_ip4, sizeof(ether_ip4)) != 0)
		return;
	(void)map_ip(c, p + l3 + 14, 4, true, port == 0, port);
	(void)map_ip(c, p + l3 + 24, 4, false, port != 0, port);
}

static bool is_error(const struct shape *s, const uint8_t *p)
{
	uint8_t type = p[s->l4];

	if (s->version == 4 && s->proto == PROTO_ICMP)
		return type == 3 || type == 4 || type == 5 || type == 11 ||
		       type == 12;
	return s->version == 6 && s->proto == PROTO_ICMP6 && type >= 1 &&
	       type <= 4;
}

/* The packet inside an error message. Its header's checksum moves with it, so
 * that ICMP's over both stays right; IPv6 has none, there ICMPv6's moves.
 */
static void edit_inner(const struct edit_config *c, const struct shape *s,
		       uint8_t *p, unsigned port)
{
	uint32_t at = shape_csum_at(s, p);
	uint8_t before[40], after[40];
	struct shape in = { .version = s->version, .l3 = s->l4 + 8 };
	uint32_t head = s->version == 4 ? 20 : 40;

	if (s->l4 == 0 || !is_error(s, p) || in.l3 + head > s->end ||
	    p[in.l3] >> 4 != s->version)
		return;
	in.total = in.end = s->end;
	memcpy(before, p + in.l3, head);
	edit_ip(c, &in, p, port, true);
	assert(at > 0);
	memcpy(after, p + in.l3, head);
	memcpy(p + in.l3, before, head);
	shape_put(p, at, in.l3, after, head);
}

static bool maps_addresses(const struct edit_config *c)
{
	return c->seeded || c->ends || c->pnat[0].n > 0 || c->pnat[1].n > 0 ||
	       c->src.n > 0 || c->dst.n > 0;
}

static void edit_ports(const struct edit_config *c, const struct shape *s,
		       uint8_t *p)
{
	uint32_t at = shape_csum_at(s, p);

	if (s->l4 == 0 || s->l4 + 4 > s->end ||
	    (s->proto != PROTO_TCP && s->proto != PROTO_UDP))
		return;
	for (uint32_t k = 0; k < 4; k += 2) {
		uint16_t port = get_be16(p + s->l4 + k);
		uint8_t new[2];

		for (uint32_t i = 0; i < c->ports; i++) {
			if (port < c->port[i].least || port > c->port[i].most)
				continue;
			put_be16(new, c->port[i].to);
			shape_put(p, at, s->l4 + k, new, 2);
			break;
		}
	}
}

/* --- sequence numbers --- */

static void add_to(uint8_t *p, uint32_t at, uint32_t where, uint32_t n)
{
	uint8_t v[4];

	put_be32(v, get_be32(p + where) + n);
	shape_put(p, at, where, v, sizeof(v));
}

/* The blocks of a SACK option move with the acknowledgements (RFC 2018). A
 * number at an odd offset is summed with the byte before and behind it.
 */
static void edit_sack(const struct edit_config *c, uint8_t *p, uint32_t sum,
		      uint32_t from, uint32_t end)
{
	while (from + 1 < end && p[from] != 0) {
		uint32_t n = p[from] == 1 ? 1 : p[from + 1];

		if (n == 0 || (n == 1 && p[from] != 1) || n > end - from)
			return;
		for (uint32_t k = 2; p[from] == 5 && k + 4 <= n; k += 4) {
			uint32_t odd = (from + k) & 1;
			uint32_t at = from + k - odd;
			uint8_t v[6];

			memcpy(v, p + at, sizeof(v));
			put_be32(v + odd, get_be32(v + odd) + c->seq_add);
			shape_put(p, sum, at, v, odd ? 6 : 4);
		}
		from += n;
	}
}

static void edit_seq(const struct edit_config *c, const struct shape *s,
		     uint8_t *p)
{
	uint32_t at = shape_csum_at(s, p);
	uint32_t head;
	uint8_t flags;

	if (s->l4 == 0 || s->l4 + 20 > s->end || s->proto != PROTO_TCP)
		return;
	flags = p[s->l4 + 13];
	add_to(p, at, s->l4 + 4, c->seq_add);
	/* The field of a first SYN means nothing, and is 0 for good. */
	if ((flags & TCP_ACK) || !(flags & TCP_SYN))
		add_to(p, at, s->l4 + 8, c->seq_add);
	head = (p[s->l4 + 12] >> 4) * 4u;
	if (head > 20 && s->l4 + head <= s->end)
		edit_sack(c, p, at, s->l4 + 20, s->l4 + head);
}

/* --- single fields --- */

static uint8_t new_ttl(const struct edit_config *c, uint8_t ttl)
{
	int v = c->ttl_by;

	if (c->ttl == EDIT_TTL_ADD)
		v = ttl + c->ttl_by;
	else if (c->ttl == EDIT_TTL_SUB)
		v = ttl - c->ttl_by;
	return (uint8_t)(v < 1 ? 1 : v > 255 ? 255 : v);
}

static void edit_fields4(const struct edit_config *c, const struct shape *s,
			 uint8_t *p)
{
	uint8_t v[2];

	if (c->ttl != EDIT_TTL_KEEP) {
		v[0] = new_ttl(c, p[s->l3 + 8]);
		v[1] = p[s->l3 + 9];
		shape_put(p, s->l3 + 10, s->l3 + 8, v, 2);
	}
	if (c->tos >= 0) {
		v[0] = p[s->l3];
		v[1] = (uint8_t)c->tos;
		shape_put(p, s->l3 + 10, s->l3, v, 2);
	}
}

static void edit_fields6(const struct edit_config *c, const struct shape *s,
			 uint8_t *p)
{
	uint32_t word = get_be32(p + s->l3);

	if (c->ttl != EDIT_TTL_KEEP)
		p[s->l3 + 7] = new_ttl(c, p[s->l3 + 7]);
	if (c->tclass >= 0)
		word = (word & ~0x0ff00000u) | (uint32_t)c->tclass << 20;
	if (c->flowlabel >= 0)
		word = (word & ~0xfffffu) | (uint32_t)c->flowlabel;
	put_be32(p + s->l3, word);
}

/* --- Ethernet --- */

static void edit_macs(const struct edit_config *c, uint8_t *p, unsigned port)
{
	const uint8_t *dmac = mac_for(c->dmac, c->has_dmac, port);
	const uint8_t *smac = mac_for(c->smac, c->has_smac, port);

	for (int k = 0; k < 12; k += 6)
		for (uint32_t i = 0; i < c->macs; i++)
			if (memcmp(p + k, c->mac[i].from, 6) == 0) {
				memcpy(p + k, c->mac[i].to, 6);
				break;
			}
	for (int k = 0; k < 12; k += 6)
		for (int i = 0; i < 6 && !mac_is_cast(p + k); i++)
			p[k + i] ^= c->mac_mask[i];
	if (dmac && !(c->keep_mac_casts && mac_is_cast(p)))
		memcpy(p, dmac, 6);
	if (smac)
		memcpy(p + 6, smac, 6);
}

static void edit_vlan(const struct edit_config *c, uint8_t *p, uint32_t *len)
{
	uint16_t type = get_be16(p + 12);

	if (c->vlan == EDIT_VLAN_ADD) {
		memmove(p + 16, p + 12, *len - 12);
		put_be16(p + 12, c->vlan_type);
		put_be16(p + 14, c->vlan_tci);
		*len += 4;
	} else if (ethertype_is_tag(type) && *len >= 18) {
		memmove(p + 12, p + 16, *len - 16);
		*len -= 4;
	}
}

/* Return: 0 the frame is lost, else 1 */
static int fuzz(const struct edit_config *c, struct edit_stats *st, uint8_t *p,
		uint32_t *len, uint32_t *wire)
{
	struct rng r = { .s = c->fuzz_seed ^ st->edited << 32 };
	uint32_t before = *len;
	int rc;

	if (rng_below(&r, c->fuzz_factor) != 0)
		return 1;
	rc = edit_damage(c->fuzz_seed, st->edited, p, len);
	st->damaged += rc == 1;
	st->lost += rc == 0;
	*wire -= before - *len;
	return rc != 0;
}

int edit_frame(const struct edit_config *c, struct edit_stats *st, uint8_t *p,
	       uint32_t *len, uint32_t wire, unsigned port)
{
	struct shape s;

	st->edited++;
	if (c->efcs && *len >= ETH_HEADER + 4 && wire == *len) {
		*len -= 4;
		wire -= 4;
	}
	if (*len < ETH_HEADER)
		return 1;
	if (c->fuzz_factor > 0 && fuzz(c, st, p, len, &wire) == 0)
		return 0;
	if (c->fixlen != EDIT_LEN_KEEP && !fix_length(c, st, p, len, wire)) {
		st->dropped++;
		return 0;
	}
	if (c->trunc)
		trunc_mtu(c, st, p, len);
	(void)shape_find(&s, p, *len);
	if (maps_addresses(c)) {
		if (s.type == ETHERTYPE_ARP)
			edit_arp(c, p, s.l3, *len, port);
		if (s.version != 0) {
			edit_inner(c, &s, p, port);
			edit_ip(c, &s, p, port, false);
		}
	}
	if (s.version == 4)
		edit_fields4(c, &s, p);
	else if (s.version == 6)
		edit_fields6(c, &s, p);
	if (c->ports > 0)
		edit_ports(c, &s, p);
	if (c->seq_add > 0)
		edit_seq(c, &s, p);
	if (c->fixcsum && shape_csum_full(&s, p))
		st->unsummed++;
	edit_macs(c, p, port);
	if (c->vlan != EDIT_VLAN_NONE)
		edit_vlan(c, p, len);
	return 1;
}
