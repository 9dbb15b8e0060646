/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tally.c - Verdicts, counted
 *
 * A verdict is counted once, by the reason that tells most, and once for its
 * --map. A difference is counted besides under each of its reasons, so that
 * these may be more than there are differences, and under its endpoint: method,
 * path without the query, and first reason. Of endpoints the ENDPOINTS_MAX most
 * frequent are known, by the same rule as of absorbed destinations.
 */
#include "tally/tally.h"

#include <string.h>

#include "compare/protocol.h"

uint8_t tally_name(const struct exchange_record *x, const char *p, size_t n)
{
	const struct describe_ops *d = protocols[x->protocol].describe;

	if (n > ENDPOINT_NAME)
		n = ENDPOINT_NAME;
	return (uint8_t)(d->endpoint ? d->endpoint(p, n) : n);
}

static bool is_endpoint(const struct engine_endpoint *p,
			const struct exchange_record *x,
			const struct diff_kind *kind, const char *request,
			uint8_t len)
{
	return p->name_len == len && p->map == x->map &&
	       p->reason == x->reason && p->kind.id == kind->id &&
	       memcmp(p->name, request, len) == 0;
}

static uint32_t note_endpoint(struct engine_stats *st,
			      const struct exchange_record *x,
			      const struct case_place *place, const char *name,
			      uint8_t name_len, const char *request,
			      uint8_t request_len)
{
	struct engine_endpoint *least = &st->endpoint[0];
	uint64_t when = x->asked != 0 ? x->asked : x->judged;
	uint8_t len = tally_name(x, name, name_len);
	struct diff_kind kind = { 0 };
	uint64_t over;

	if (place)
		diff_kind_of(&kind, place, name, len, x->reason);
	for (uint32_t i = 0; i < st->endpoints; i++) {
		struct engine_endpoint *p = &st->endpoint[i];

		if (is_endpoint(p, x, &kind, name, len)) {
			p->n++;
			if (when > p->last)
				p->last = when;
			return kind.id;
		}
		if (p->n < least->n)
			least = p;
	}
	if (st->endpoints < ENDPOINTS_MAX) {
		least = &st->endpoint[st->endpoints++];
		least->n = 0;
	}
	over = least->n;
	*least = (struct engine_endpoint){
		.name_len = len,
		.reason = x->reason,
		.request_len = request_len,
		.udp = x->udp,
		.http = x->protocol == PROTOCOL_HTTP1,
		.client_port = x->client_port,
		.sut_port = x->sut_port,
		.map = x->map,
		.kind = kind,
		.n = over + 1,
		.over = over,
		.since = when,
		.last = when,
	};
	memcpy(least->name, name, len);
	memcpy(least->request, request, request_len);
	return kind.id;
}

void tally_absorbed(struct engine_stats *st, const struct segment *seg)
{
	struct engine_absorbed *least = &st->absorbed[0];

	for (uint32_t i = 0; i < st->absorbed_n; i++) {
		struct engine_absorbed *a = &st->absorbed[i];

		if (a->port == seg->dport && a->proto == seg->proto &&
		    ipaddr_eq(&a->dst, &seg->dst)) {
			a->n++;
			return;
		}
		if (a->n < least->n)
			least = a;
	}
	if (st->absorbed_n < ABSORB_MAX) {
		least = &st->absorbed[st->absorbed_n++];
		least->n = 0;
	}
	least->dst = seg->dst;
	least->port = seg->dport;
	least->proto = seg->proto;
	least->n++;
}

static bool is_denial(uint16_t status)
{
	return status == 401 || status == 403;
}

static void count_status(struct status_stats *c,
			 const struct exchange_record *x)
{
	if (x->protocol != PROTOCOL_HTTP1 ||
	    x->verdict == VERDICT_NOT_COMPARED || x->status[0] == 0 ||
	    x->status[1] == 0)
		return;
	c->pairs++;
	c->errors += x->status[0] >= 400 && x->status[1] >= 400;
	c->denied += is_denial(x->status[1]) && !is_denial(x->status[0]);
}

uint32_t tally(struct engine_stats *st, struct exchange_record *x,
	       const struct case_place *place, const char *name, uint8_t len,
	       const char *request, uint8_t request_len)
{
	struct engine_map_stats *map = &st->map[x->map];

	if (x->verdict == VERDICT_DIFFERENT && x->reasons == 0)
		x->reasons = reason_bit((enum compare_reason)x->reason);
	if (x->verdict != VERDICT_DIFFERENT)
		x->reasons = 0;
	map->verdict[x->verdict]++;
	for (unsigned i = 0; i < REASON_COUNT; i++)
		map->each[i] += x->reasons >> i & 1;
	if (map->baseline)
		return 0;
	st->verdict[x->verdict]++;
	st->reason[x->verdict][x->reason]++;
	count_status(&st->status, x);
	if (x->verdict != VERDICT_DIFFERENT)
		return 0;
	for (unsigned i = 0; i < REASON_COUNT; i++)
		st->each[i] += x->reasons >> i & 1;
	return note_endpoint(st, x, place, name, len, request, request_len);
}
