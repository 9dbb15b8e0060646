/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tally.c - Verdicts, counted
 *
 * A verdict is counted once, by the reason that tells most, and once for its --map. A
 * difference is counted besides under each of its reasons, so that these may be more
 * than there are differences, and under its endpoint: method, path without the query,
 * and first reason. Of endpoints the ENDPOINTS_MAX most frequent are known, by the
 * same rule as of absorbed destinations.
 */
#include "engine/tally.h"

#include <string.h>

/* Method and path of a request's first line, without query and version. A question
 * of DNS has neither.
 */
static uint8_t endpoint_name(const struct engine_event *ev)
{
	const char *p = ev->request;
	size_t n = ev->request_len;
	const char *space = memchr(p, ' ', n);
	size_t i;

	if (n > ENDPOINT_NAME)
		n = ENDPOINT_NAME;
	if (ev->udp || space == NULL)
		return (uint8_t)n;
	for (i = (size_t)(space - p) + 1; i < n; i++)
		if (p[i] == '?' || p[i] == '#' || p[i] == ' ')
			break;
	return (uint8_t)(i < n ? i : n);
}

static bool is_endpoint(const struct engine_endpoint *p,
			const struct engine_event *ev, uint8_t len)
{
	return p->name_len == len && p->map == ev->map &&
	       p->reason == ev->result.reason &&
	       memcmp(p->name, ev->request, len) == 0;
}

static void note_endpoint(struct engine_stats *st,
			  const struct engine_event *ev)
{
	struct engine_endpoint *least = &st->endpoint[0];
	uint8_t len = endpoint_name(ev);
	uint64_t over;

	for (uint32_t i = 0; i < st->endpoints; i++) {
		struct engine_endpoint *p = &st->endpoint[i];

		if (is_endpoint(p, ev, len)) {
			p->n++;
			return;
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
		.reason = (uint8_t)ev->result.reason,
		.udp = ev->udp,
		.client_port = ev->client_port,
		.map = ev->map,
		.n = over + 1,
		.over = over,
		.since = ev->asked != 0 ? ev->asked : ev->now,
	};
	memcpy(least->name, ev->request, len);
}

void tally(struct engine_stats *st, struct engine_event *ev)
{
	struct engine_map_stats *map = &st->map[ev->map];
	struct compare_result *r = &ev->result;

	if (r->verdict == VERDICT_DIFFERENT && r->reasons == 0)
		r->reasons = reason_bit(r->reason);
	if (r->verdict != VERDICT_DIFFERENT)
		r->reasons = 0;
	st->verdict[r->verdict]++;
	map->verdict[r->verdict]++;
	st->reason[r->verdict][r->reason]++;
	for (unsigned i = 0; i < REASON_COUNT; i++) {
		st->each[i] += r->reasons >> i & 1;
		map->each[i] += r->reasons >> i & 1;
	}
	if (r->verdict == VERDICT_DIFFERENT)
		note_endpoint(st, ev);
}
