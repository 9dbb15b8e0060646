/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * judge - May a client of SOCKS be taken to this address?
 *
 * The address is judged, never the name: a name may lead anywhere, and
 * elsewhere the next time. Without a word of the user's only addresses of the
 * world are let through.
 */
#ifndef DIAL_JUDGE_H
#define DIAL_JUDGE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/ipaddr.h"

#define JUDGE_NETS 64 /* of --allow, and of --deny */

/** struct judge_net - A network; @bits as ipaddr_in() takes it */
struct judge_net {
	struct ipaddr ip;
	uint8_t bits;
};

/** struct judge_nets - Networks that the command line names */
struct judge_nets {
	unsigned n;
	struct judge_net net[JUDGE_NETS];
};

/** judge_in() - Does an address lie in one of them? */
bool judge_in(const struct judge_nets *l, const struct ipaddr *a);

/**
 * judge_address() - May it be connected to?
 * @allow:	Networks that may, though they are not of the world
 * @deny:	Networks that may not, whatever @allow says
 *
 * Not of the world are: this host and this network, private networks (RFC 1918,
 * 6598, 4193), links (RFC 3927, 4291: a cloud's metadata), what is set aside
 * (RFC 6890), and addresses of IPv6 in which such an address of IPv4 is (RFC
 * 6052, 3056, 4380, 4291). Groups, broadcast and "no address" may never.
 */
bool judge_address(const struct judge_nets *allow,
		   const struct judge_nets *deny, const struct ipaddr *a);

#endif /* DIAL_JUDGE_H */
