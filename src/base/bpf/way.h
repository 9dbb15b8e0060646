/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * way - Where the kernel would send a packet, and when that changes
 */
#ifndef BPF_WAY_H
#define BPF_WAY_H

#include <stdbool.h>
#include <stdint.h>

#include "core/ipaddr.h"

/**
 * struct way - How a packet would go
 * @src:	From where, if the sender has chosen nothing; IPv6 of no
 *		address: the kernel does not say
 * @ifindex:	Device
 * @mtu:	Of the route, where one is set or was learned from a router;
 *		else 0
 * @local:	It would stay on this host
 */
struct way {
	struct ipaddr src;
	uint32_t ifindex;
	uint32_t mtu;
	bool local;
};

/**
 * way_find() - Ask for the way to an address
 * @fd:		What netlink_open() gave
 * @dst:	Where to
 * @src:	Where from, of the same family; NULL: not chosen
 * @out:	Result
 *
 * Return: 0; -ENETUNREACH and its kind: there is none; another -Exxx
 */
int way_find(int fd, const struct ipaddr *dst, const struct ipaddr *src,
	     struct way *out);

/** way_is_ethernet() - Are a device's frames Ethernet's? */
bool way_is_ethernet(uint32_t ifindex);

/* What way_changes() tells. */
enum {
	WAY_ROUTES = 1 << 0, /* routes, rules, addresses or links */
	WAY_HOOKS = 1 << 1,  /* qdiscs, filters or links: a hook may be gone */
};

/**
 * way_watch() - Let the kernel tell of changes
 *
 * Return: a descriptor that is readable then, to be closed by the caller; or
 * -Exxx
 */
int way_watch(void);

/** way_changes() - What has changed since the last call. Return: WAY_ bits; all
 * of them where the kernel had more to tell than fits
 */
unsigned way_changes(int fd);

#endif /* BPF_WAY_H */
