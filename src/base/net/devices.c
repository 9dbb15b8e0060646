/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * devices.c - Which devices have an address
 */
#include "net/devices.h"

#include <ifaddrs.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

static bool is_ethernet(const struct ifaddrs *a)
{
	struct sockaddr_ll ll;

	if (!a->ifa_addr || a->ifa_addr->sa_family != AF_PACKET)
		return false;
	memcpy(&ll, a->ifa_addr, sizeof(ll));
	return ll.sll_hatype == ARPHRD_ETHER;
}

static bool has_address(const struct ifaddrs *all, const char *name)
{
	for (const struct ifaddrs *a = all; a != NULL; a = a->ifa_next)
		if (a->ifa_addr && strcmp(a->ifa_name, name) == 0 &&
		    (a->ifa_addr->sa_family == AF_INET ||
		     a->ifa_addr->sa_family == AF_INET6))
			return true;
	return false;
}

void devices_list(const char *out[DEVICES_LISTED + 1])
{
	static char names[DEVICES_LISTED][IF_NAMESIZE];
	struct ifaddrs *all = NULL;
	unsigned n = 0;

	if (getifaddrs(&all) != 0)
		all = NULL;
	for (const struct ifaddrs *a = all; a && n < DEVICES_LISTED;
	     a = a->ifa_next) {
		if (!is_ethernet(a) || !(a->ifa_flags & IFF_UP) ||
		    !has_address(all, a->ifa_name))
			continue;
		strncpy(names[n], a->ifa_name, IF_NAMESIZE - 1);
		out[n] = names[n];
		n++;
	}
	out[n] = NULL;
	if (all)
		freeifaddrs(all);
}
