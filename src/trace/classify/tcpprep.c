/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcpprep.c - The modes of tcpprep 4.4.3, entry for entry
 *
 * Theory of operation
 *
 * A frame is looked at in the original's order: its number (-x P:), is it IP,
 * its addresses (-x S:), then the mode. What is wrong in the original and is
 * kept here, because files depend on it:
 *
 *  - Roles belong to hosts, not to connections. A host is a server if it acted
 *    as one at least --ratio times as often as it acted as a client.
 *  - Only a TCP segment with exactly SYN, or exactly SYN and ACK, counts: with
 *    ECN bits it does not. Source port 5120 is taken for FTP's data port 20.
 *  - All IPv6 hosts are one host.
 *  - A host without a role goes to the secondary interface in bridge mode; the
 *    manual says that the program aborts.
 *  - Router mode builds no networks: it fails if the lowest IPv4 address, read
 *    as a little-endian number (or the IPv6 host, if there is no other), is a
 *    client's, and else does as bridge mode does, with unknown hosts as clients
 *    or, with -N, as servers.
 *  - What is left out by -x or -X gets an entry in both passes of the auto
 *    modes: the file is shifted by as many entries. MAC mode gives no entry to
 *    a frame of less than 14 bytes.
 *  - "Primary" is the client in the auto and port modes, and what matches in
 *    the others, although the manual calls that the server. --reverse turns the
 *    matches of -c and -e over, and sends everything to the secondary interface
 *    with -r.
 */
#include "classify/tcpprep.h"

#include "classify/tcpprep_internal.h"
#include "core/bytes.h"
#include "wire/cachefile.h"
#include "wire/segment.h"

enum role {
	ROLE_NONE,
	ROLE_CLIENT,
	ROLE_SERVER,
};

const char *tcpprep_why(enum tcpprep_stop s)
{
	switch (s) {
	case TCPPREP_BAD_LINK:
		return "tcpprep does not read this link type";
	case TCPPREP_MAC_LINK:
		return "tcpprep splits by hardware address on Ethernet only";
	case TCPPREP_SHORT:
		return "tcpprep gives up at a frame whose transport header was "
		       "not captured whole";
	case TCPPREP_NO_ROUTER:
		return "tcpprep finds no networks of servers here; leave out "
		       "--compat, or use another mode";
	default:
		return "too many hosts";
	}
}

void tcpprep_init(struct tcpprep *t, const struct prep_rules *r,
		  struct tcpprep_host *host, size_t slots)
{
	*t = (struct tcpprep){ .r = r, .host = host, .slots = slots };
}

bool tcpprep_learns(const struct prep_rules *r)
{
	return r->mode >= PREP_BRIDGE && r->mode <= PREP_FIRST;
}

static struct tcpprep_host *slot_of(struct tcpprep_host *host, size_t slots,
				    uint32_t ip)
{
	/* The capture chooses addresses, but only its own run gets slow. */
	uint64_t mixed = ip * UINT64_C(0x9e3779b97f4a7c15);
	size_t i = mixed >> 32 & (slots - 1);

	while (host[i].used && host[i].ip != ip)
		i = (i + 1) & (slots - 1);
	return &host[i];
}

void tcpprep_grow(struct tcpprep *t, struct tcpprep_host *host, size_t slots)
{
	for (size_t i = 0; i < t->slots; i++)
		if (t->host[i].used)
			*slot_of(host, slots, t->host[i].ip) = t->host[i];
	t->host = host;
	t->slots = slots;
}

/* The host's record; NULL if it is new and @add is false or there is no room.
 */
static struct tcpprep_host *find(struct tcpprep *t, const uint8_t *ip, bool v6,
				 bool add)
{
	struct tcpprep_host *h = &t->six;

	if (!v6)
		h = slot_of(t->host, t->slots, get_le32(ip));
	if (h->used)
		return h;
	if (!add)
		return NULL;
	if (!v6) {
		h->ip = get_le32(ip);
		t->hosts++;
	}
	h->used = 1;
	return h;
}

int tcpprep_link_ok(const struct prep_rules *r, uint16_t link)
{
	switch (link) {
	case TP_LINK_ETHERNET:
		return 0;
	case TP_LINK_RAW_OLD:
	case TP_LINK_PPP:
	case TP_LINK_RAW:
	case TP_LINK_HDLC:
	case TP_LINK_SLL:
	case TP_LINK_JUNIPER:
		return r->mode == PREP_MAC ? -TCPPREP_MAC_LINK : 0;
	default:
		return -TCPPREP_BAD_LINK;
	}
}

/* Role that a packet gives its source. Return: 0 or -TCPPREP_SHORT. */
static int packet_role(const struct tp_ip *ip, enum role *role)
{
	const uint8_t *p = ip->l3 + ip->hlen;
	uint32_t len = ip->len < ip->hlen ? 0 : ip->len - ip->hlen;

	*role = ROLE_NONE;
	switch (ip->proto) {
	case PROTO_TCP:
		if (len < 20)
			return -TCPPREP_SHORT;
		if (get_be16(p) == 5120)
			return 0;
		if (p[13] == TCP_SYN)
			*role = ROLE_CLIENT;
		else if (p[13] == (TCP_SYN | TCP_ACK))
			*role = ROLE_SERVER;
		return 0;
	case PROTO_UDP:
		if (len < 8)
			return -TCPPREP_SHORT;
		if (get_be16(p + 2) != 53 && get_be16(p) != 53)
			return 0;
		if (len < 20)
			return -TCPPREP_SHORT;
		/* Whether it is a query or an answer is not looked at. */
		*role = get_be16(p + 2) == 53 ? ROLE_CLIENT : ROLE_SERVER;
		return 0;
	case PROTO_ICMP:
		if (len < 4)
			return -TCPPREP_SHORT;
		if (p[0] == 3 && p[1] == 3)
			*role = ROLE_SERVER;
		return 0;
	default:
		return 0;
	}
}

static int learn_first(struct tcpprep *t, const struct tp_ip *ip)
{
	struct tcpprep_host *h;

	if (!find(t, ip->src, ip->v6, false)) {
		h = find(t, ip->src, ip->v6, true);
		h->client = 1000;
	}
	if (!find(t, ip->dst, ip->v6, false)) {
		h = find(t, ip->dst, ip->v6, true);
		h->server = 1000;
	}
	return 0;
}

static int learn(struct tcpprep *t, const struct tp_ip *ip)
{
	struct tcpprep_host *h;
	enum role role;
	int rc;

	if (t->hosts + 2 > t->slots / 2)
		return -TCPPREP_ROOM;
	if (t->r->mode == PREP_FIRST)
		return learn_first(t, ip);
	rc = packet_role(ip, &role);
	if (rc)
		return rc;
	h = find(t, ip->src, ip->v6, true);
	if (role == ROLE_CLIENT)
		h->client++;
	else if (role == ROLE_SERVER)
		h->server++;
	return 0;
}

static enum role host_role(const struct tcpprep *t,
			   const struct tcpprep_host *h)
{
	if (h->server == 0 && h->client == 0)
		return ROLE_NONE;
	return (double)h->server >= (double)h->client * t->r->ratio
		       ? ROLE_SERVER
		       : ROLE_CLIENT;
}

int tcpprep_learnt(struct tcpprep *t)
{
	const struct tcpprep_host *low = NULL;

	t->packets = 0;
	if (t->r->mode != PREP_ROUTER)
		return 0;
	for (size_t i = 0; i < t->slots; i++)
		if (t->host[i].used && (!low || t->host[i].ip < low->ip))
			low = &t->host[i];
	if (!low && t->six.used)
		low = &t->six;
	return low && host_role(t, low) == ROLE_CLIENT ? -TCPPREP_NO_ROUTER : 0;
}

static bool auto_primary(struct tcpprep *t, const struct tp_ip *ip)
{
	const struct tcpprep_host *h = find(t, ip->src, ip->v6, false);
	enum role role = h ? host_role(t, h) : ROLE_NONE;

	if (role == ROLE_NONE && t->r->mode == PREP_CLIENT)
		role = ROLE_CLIENT;
	if (role == ROLE_NONE && t->r->mode == PREP_ROUTER)
		role = t->r->nonip ? ROLE_SERVER : ROLE_CLIENT;
	return role == ROLE_CLIENT;
}

static bool port_primary(const struct tcpprep *t, const struct tp_ip *ip)
{
	uint8_t proto;
	uint32_t l4;

	if (ip->len < ip->hlen + 4)
		return false;
	if (!tp_transport(ip, &proto, &l4))
		return false;
	if (proto != PROTO_TCP && proto != PROTO_UDP)
		return t->r->nonip;
	if (l4 > ip->len || ip->len - l4 < 4)
		return false;
	return (proto == PROTO_TCP ? t->r->tcp
				   : t->r->udp)[get_be16(ip->l3 + l4 + 2)];
}

static bool ip_primary(struct tcpprep *t, const struct tp_ip *ip)
{
	const struct prep_rules *r = t->r;

	switch (r->mode) {
	case PREP_REGEX:
		return r->match(r->arg, ip->src, ip->v6) && !r->reverse;
	case PREP_CIDR:
		return prep_nets_have(&r->split, ip->src, ip->v6) != r->reverse;
	case PREP_PORT:
		return port_primary(t, ip);
	default:
		return auto_primary(t, ip);
	}
}

static unsigned send_by(bool primary)
{
	return primary ? BITCACHE_C2S : BITCACHE_S2C;
}

int tcpprep_frame(struct tcpprep *t, enum tcpprep_pass pass,
		  const struct tcpprep_frame *f, unsigned *fate)
{
	const struct prep_rules *r = t->r;
	struct tp_ip ip;
	int rc;

	*fate = BITCACHE_SKIP;
	if (!prep_number_picked(r, t->packets + 1)) {
		t->packets++;
		return 1;
	}
	if (r->mode == PREP_MAC) {
		t->packets++;
		if (f->cap < 14)
			return 0;
		*fate = send_by(prep_mac_listed(r, f->data + 6) != r->reverse);
		return 1;
	}
	if (!tp_find_ip(f, &ip)) {
		t->packets++;
		*fate = send_by(r->nonip);
		return pass == TCPPREP_SPLIT;
	}
	if (!prep_addrs_picked(r, ip.src, ip.dst, ip.v6)) {
		t->packets++;
		return 1;
	}
	if (pass == TCPPREP_LEARN) {
		rc = learn(t, &ip);
		if (rc == 0)
			t->packets++;
		return rc;
	}
	t->packets++;
	*fate = send_by(ip_primary(t, &ip));
	return 1;
}
