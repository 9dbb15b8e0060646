/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inner.c - What an inner packet is: its lane, and whether it is thin
 *
 * Theory of operation
 *
 * Order is kept in a lane. A lane is a keyed hash of the flow's addresses,
 * protocol and ports, so that a hole of one flow holds up only those few that
 * share its lane, and nobody outside can choose which; fragments, whose ports
 * are not all there, go by addresses and protocol alone.
 *
 * Lane 0 is for thin packets. They are small, somebody waits for them, and
 * order is nothing to them: TCP segments without data (an ACK that overtakes is
 * no harm; but a FIN or RST stays behind the data), SYNs, DNS, ICMP, ARP, and
 * whatever has DSCP EF (RFC 3246). They pass the queue and are never held. A
 * bare ACK is not sent again: the next one says the same.
 */
#include "core/bytes.h"
#include "core/hash.h"
#include "multipath/multipath_internal.h"
#include "wire/decode.h"
#include "wire/peek.h"
#include "wire/segment.h"
#include "wire/tos.h"

#define PORT_DNS   53
#define DSCP_EF	   46
#define ETH_HEADER 14
#define TYPE_IP4   0x0800
#define TYPE_IP6   0x86dd
#define TYPE_ARP   0x0806

/* The IP header, or NULL: none at its place, or not whole. */
static const uint8_t *ip_of(const struct mp *m, const uint8_t *p, uint32_t n)
{
	uint32_t off = m->config.ethernet ? ETH_HEADER : 0;
	const uint8_t *ip = p + off;

	if (n < off + 20)
		return NULL;
	if (off != 0) {
		uint16_t type = get_be16(p + 12);

		if (type != TYPE_IP4 && type != TYPE_IP6)
			return NULL;
	}
	if (ip[0] >> 4 == 4 || (ip[0] >> 4 == 6 && n >= off + 40))
		return ip;
	return NULL;
}

static bool is_thin(const struct peek *k, bool *once)
{
	if (k->depth == PEEK_NOTHING || k->fragment)
		return false;
	if (k->icmp != 0)
		return true;
	if (k->depth != PEEK_PORTS)
		return false;
	if (k->proto == PROTO_UDP)
		return k->sport == PORT_DNS || k->dport == PORT_DNS;
	if (k->proto != PROTO_TCP || k->len > 0)
		return false;
	*once = !(k->flags & (TCP_SYN | TCP_FIN | TCP_RST));
	return !(k->flags & (TCP_FIN | TCP_RST)) && k->flags != 0;
}

static uint32_t lane_of(const struct mp *m, const uint8_t *p, uint32_t len,
			const struct peek *k, enum mp_class class)
{
	uint8_t key[40];
	uint32_t n = 0;

	if (k->depth == PEEK_NOTHING) {
		n = len < ETH_HEADER ? len : ETH_HEADER;
		memcpy(key, p, n);
	} else {
		memcpy(key, k->src.b, 16);
		memcpy(key + 16, k->dst.b, 16);
		key[32] = k->proto;
		n = 33;
		if (k->depth == PEEK_PORTS && !k->fragment) {
			put_be16(key + 33, k->sport);
			put_be16(key + 35, k->dport);
			n = 37;
		}
	}
	key[n++] = (uint8_t) class;
	return 1 +
	       (uint32_t)(hash_bytes(&m->key, key, n) % (m->limits.lanes - 1));
}

void mp_look(const struct mp *m, const uint8_t *p, uint32_t n,
	     enum mp_class class, struct mp_look *out)
{
	struct peek k;
	const uint8_t *ip = ip_of(m, p, n);
	uint8_t tos = !ip ? 0 : tos_of(ip, (uint32_t)(p + n - ip));
	bool once = false;
	bool thin;

	peek_frame(m->config.ethernet ? LINK_ETHERNET : LINK_RAW, p, n, &k);
	thin = is_thin(&k, &once) || tos >> 2 == DSCP_EF ||
	       (m->config.ethernet && n >= ETH_HEADER &&
		get_be16(p + 12) == TYPE_ARP);
	*out = (struct mp_look){
		.lane = thin ? 0 : lane_of(m, p, n, &k, class),
		.once = thin && once,
		.marks = (tos & ECN_BITS) == ECN_ECT0 ||
			 (tos & ECN_BITS) == ECN_ECT1,
		.ip_at = !ip ? 0 : (uint32_t)(ip - p),
	};
}
