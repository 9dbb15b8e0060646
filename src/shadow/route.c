/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * route.c - Clients whom the SUT answers elsewhere
 *
 * Theory of operation
 *
 * The probe of the SUT's wire shows that its default route leads here. A route of
 * the SUT that is more specific stays unseen by it: what the SUT answers to such
 * clients leaves by another wire. It shows as a SYN that is never answered while
 * the probe is. Then the client's /24 (IPv6: /64) is not played to that SUT any
 * more, counted as no_route, and named in the report.
 *
 * The table is small and full means that the oldest entry goes: its network is
 * tried again, and comes back if nothing has changed.
 */
#include "shadow/shadow_internal.h"

#define BITS_4 (IPADDR_4IN6 + 24)
#define BITS_6 64

static unsigned bits_of(const struct ipaddr *client)
{
	return ipaddr_is4(client) ? BITS_4 : BITS_6;
}

bool route_is_lost(const struct shadow *s, uint8_t sut,
		   const struct ipaddr *client)
{
	for (uint32_t i = 0; i < s->lost_n; i++)
		if (s->lost[i].sut == sut &&
		    ipaddr_in(client, &s->lost[i].net, s->lost[i].bits))
			return true;
	return false;
}

/* Of a SUT that is not silent. */
void route_lost(struct shadow *s, uint8_t sut, const struct ipaddr *client)
{
	struct shadow_route *r;

	if (!s->target[sut].ready || route_is_lost(s, sut, client))
		return;
	r = &s->lost[s->lost_next];
	s->lost_next = (s->lost_next + 1) % SHADOW_ROUTES;
	if (s->lost_n < SHADOW_ROUTES)
		s->lost_n++;
	r->net = *client;
	r->bits = (uint8_t)bits_of(client);
	r->sut = sut;
	s->count.routes_lost++;
}

const struct shadow_route *shadow_route(const struct shadow *s, uint32_t i)
{
	return i < s->lost_n ? &s->lost[i] : NULL;
}
