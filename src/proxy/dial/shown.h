/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shown - Servers whose connections a tap shows
 */
#ifndef DIAL_SHOWN_H
#define DIAL_SHOWN_H

#include <stdbool.h>
#include <stdint.h>

#include "core/ipaddr.h"

#define SHOWN_NETS 16

/** struct shown_net - Servers; @bits as ipaddr_in() takes it, @port 0: any */
struct shown_net {
	struct ipaddr ip;
	uint8_t bits;
	uint16_t port;
};

/** struct shown - Of --tap-match; none: all are */
struct shown {
	unsigned n;
	struct shown_net net[SHOWN_NETS];
};

/** shown_is() - Is a server one of them? */
static inline bool shown_is(const struct shown *l, const struct ipaddr *ip,
			    uint16_t port)
{
	bool yes = l->n == 0;

	for (unsigned i = 0; i < l->n && !yes; i++)
		yes = (l->net[i].port == 0 || l->net[i].port == port) &&
		      ipaddr_in(ip, &l->net[i].ip, l->net[i].bits);
	return yes;
}

#endif /* DIAL_SHOWN_H */
