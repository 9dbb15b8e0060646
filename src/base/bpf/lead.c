/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lead.c - Packets with a mark are this host's, whatever their address
 *
 * As ip(8) would have it, for each family:
 *
 *	ip rule add fwmark MARK lookup MARK priority MARK
 *	ip route add local default dev lo table MARK
 *
 * Without it the host would forward what is sent to a socket that has the
 * address of another host (IP_TRANSPARENT).
 */
#include "bpf/lead.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "bpf/netlink.h"

#define ATTRS	 3
#define LOOPBACK 1 /* lo, in each network namespace */

/* A message: a head, 12 bytes of either kind, and attributes of a number. */
struct asked {
	uint8_t head[12];
	struct {
		struct rtattr h;
		uint32_t value;
	} attr[ATTRS];
	size_t len;
};

static void begin(struct asked *a, const void *head)
{
	memset(a, 0, sizeof(*a));
	memcpy(a->head, head, sizeof(a->head));
	a->len = sizeof(a->head);
}

static void add(struct asked *a, uint16_t type, uint32_t value)
{
	size_t i = (a->len - sizeof(a->head)) / sizeof(a->attr[0]);

	a->attr[i].h.rta_len = sizeof(a->attr[i]);
	a->attr[i].h.rta_type = type;
	a->attr[i].value = value;
	a->len += sizeof(a->attr[i]);
}

static void put_rule(struct asked *a, uint8_t family, uint32_t mark)
{
	const struct fib_rule_hdr h = { .family = family,
					.action = FR_ACT_TO_TBL };

	_Static_assert(sizeof(h) == sizeof(a->head), "a rule's head");
	begin(a, &h);
	add(a, FRA_FWMARK, mark);
	add(a, FRA_TABLE, mark);
	add(a, FRA_PRIORITY, mark);
}

static void put_route(struct asked *a, uint8_t family, uint32_t mark)
{
	const struct rtmsg h = { .rtm_family = family,
				 .rtm_protocol = RTPROT_STATIC,
				 .rtm_scope = RT_SCOPE_HOST,
				 .rtm_type = RTN_LOCAL };

	_Static_assert(sizeof(h) == sizeof(a->head), "a route's head");
	begin(a, &h);
	add(a, RTA_TABLE, mark);
	add(a, RTA_OIF, LOOPBACK);
}

static int make(int fd, uint16_t type, const struct asked *a)
{
	int rc = netlink_set(fd, type, NLM_F_CREATE | NLM_F_EXCL, a, a->len);

	return rc == -EEXIST ? 0 : rc;
}

static int lead(int fd, uint8_t family, uint32_t mark)
{
	struct asked a;
	int rc;

	put_route(&a, family, mark);
	rc = make(fd, RTM_NEWROUTE, &a);
	if (rc != 0)
		return rc;
	put_rule(&a, family, mark);
	return make(fd, RTM_NEWRULE, &a);
}

int lead_here(int fd, uint32_t mark)
{
	int rc = lead(fd, AF_INET, mark);

	if (rc == 0)
		rc = lead(fd, AF_INET6, mark);
	if (rc == 0)
		return 0;
	/* IPv6 may be switched off, which has several names. */
	if (rc == -EAFNOSUPPORT || rc == -EOPNOTSUPP || rc == -EACCES)
		return 0;
	lead_no_more(fd, mark);
	return rc;
}

void lead_no_more(int fd, uint32_t mark)
{
	static const uint8_t family[] = { AF_INET, AF_INET6 };

	for (int i = 0; i < 2; i++) {
		struct asked a;

		put_rule(&a, family[i], mark);
		(void)netlink_set(fd, RTM_DELRULE, 0, &a, a.len);
		put_route(&a, family[i], mark);
		(void)netlink_set(fd, RTM_DELROUTE, 0, &a, a.len);
	}
}
