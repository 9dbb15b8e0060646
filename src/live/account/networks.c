/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * networks.c - Clients' networks that the SUT does not answer, named
 */
#include "account/networks.h"

#include <inttypes.h>
#include <stdio.h>

#include "lan/prove.h"
#include "os/log.h"
#include "shadow/counters.h"
#include "text/text.h"

#define NAMED_END 8 /* at a run's end */

char *networks_name(char *out, const struct ipaddr *net, uint8_t bits)
{
	char ip[TEXT_IP];
	int len = ipaddr_is4(net) ? bits - IPADDR_4IN6 : bits;

	snprintf(out, NETWORK_NAME, "%s/%d", text_ip(ip, net), len);
	return out;
}

void networks_first_line(const struct options *o)
{
	if (o->engine.sut_none || o->engine.prove_each)
		return;
	log_line(LOG_WARN,
		 "--prove default: only the SUT's default route is proved; "
		 "where it has a route to clients by another interface, real "
		 "clients get its answers");
}

/* Of flows and queries that were to be played, how many had no route. */
static void shares(const struct engine *engine, uint64_t *lost, uint64_t *all)
{
	const struct shadow_counters *c =
		shadow_counters(engine_shadow(engine));
	struct prove *p = engine_prove(engine);
	uint64_t dropped = p ? prove_counters(p)->datagrams_dropped : 0;

	*lost = c->ended[FLOW_END_NO_ROUTE] + dropped;
	*all = c->flows_seen + dropped + engine_udp(engine)->queries;
}

bool networks_too_many(const struct engine *engine, const struct options *o)
{
	uint64_t lost;
	uint64_t all;

	shares(engine, &lost, &all);
	return lost > 0 && lost * 1000000 > all * o->max_no_route;
}

const char *networks_headline(const struct engine *engine,
			      const struct options *o, char *out, size_t size)
{
	struct prove *p = engine_prove(engine);
	char net[NETWORK_NAME];
	size_t at = 0;
	uint32_t i = 0;
	const struct prove_lost *n;

	if (!p || !networks_too_many(engine, o))
		return NULL;
	for (; (n = prove_lost(p, i)) != NULL; i++) {
		int k;

		if (i >= NAMED_END)
			continue;
		k = snprintf(out + at, size - at, "%s%s", i > 0 ? ", " : "",
			     networks_name(net, &n->net, n->bits));
		at += k > 0 && (size_t)k < size - at ? (size_t)k : 0;
	}
	if (i > NAMED_END)
		snprintf(out + at, size - at, " and %" PRIu32 " more",
			 i - NAMED_END);
	return i > 0 ? out : NULL;
}

void networks_at_end(const struct engine *engine)
{
	struct prove *p = engine_prove(engine);
	const struct prove_lost *n;
	char net[NETWORK_NAME];
	char ip[TEXT_IP];

	for (uint32_t i = 0; p && i < NAMED_END && (n = prove_lost(p, i)); i++)
		log_line(LOG_WARN,
			 "clients of the network %s were not played: the SUT "
			 "answers them by another wire or not at all; on the "
			 "SUT: ip route get %s",
			 networks_name(net, &n->net, n->bits),
			 text_ip(ip, &n->net));
}
