/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * send_flows.c - How many flows a capture has
 *
 * A flow is a pair of addresses, a pair of ports and a protocol, both directions
 * together. Only a keyed hash of them is kept, 64 bits: two of a million flows
 * fall together once in 40 million runs. The table never grows; when it is full,
 * flows are no longer told apart, and the report says "at least".
 */
#include <stdlib.h>
#include <string.h>

#include "cmd/send.h"
#include "core/hash.h"
#include "emit/shape.h"
#include "os/random.h"
#include "wire/segment.h"

#define FLOWS_MAX   (1u << 20)
#define FLOWS_SLOTS (FLOWS_MAX * 2)

/* A flow; hash 0: free. */
struct flow_slot {
	uint64_t hash;
	uint64_t seen;
};

struct flow_set {
	struct hash_key key;
	uint64_t expiry;
	uint32_t used;
	struct flow_slot slot[FLOWS_SLOTS];
};

struct flow_set *flows_new(uint64_t expiry)
{
	struct flow_set *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	if (random_bytes(&s->key, sizeof(s->key)) != 0) {
		free(s);
		return NULL;
	}
	s->expiry = expiry;
	return s;
}

void flows_free(struct flow_set *s)
{
	free(s);
}

/* Both directions give the same bytes: the lower end comes first. */
static uint64_t flow_hash(const struct flow_set *set, const struct shape *s,
			  const uint8_t *p)
{
	uint32_t n = s->version == 4 ? 4 : 16;
	uint8_t end[2][18] = { { 0 }, { 0 } };
	uint8_t all[37];
	int first;

	memcpy(end[0], p + shape_ip_src(s), n);
	memcpy(end[1], p + shape_ip_dst(s), n);
	if (s->l4 > 0 && s->l4 + 4 <= s->end &&
	    (s->proto == PROTO_TCP || s->proto == PROTO_UDP)) {
		memcpy(end[0] + 16, p + s->l4, 2);
		memcpy(end[1] + 16, p + s->l4 + 2, 2);
	}
	first = memcmp(end[0], end[1], sizeof(end[0])) <= 0 ? 0 : 1;
	memcpy(all, end[first], 18);
	memcpy(all + 18, end[1 - first], 18);
	all[36] = s->proto;
	return hash_bytes(&set->key, all, sizeof(all));
}

void flows_add(struct flow_set *set, const uint8_t *p, uint32_t len,
	       uint64_t ts, struct load_stats *st)
{
	struct shape s;
	uint64_t h;
	uint32_t i;

	if (shape_find(&s, p, len) || s.version == 0)
		return;
	st->flow_frames++;
	h = flow_hash(set, &s, p);
	h += h == 0;
	i = (uint32_t)h & (FLOWS_SLOTS - 1);
	while (set->slot[i].hash != 0 && set->slot[i].hash != h)
		i = (i + 1) & (FLOWS_SLOTS - 1);
	if (set->slot[i].hash == h) {
		if (set->expiry > 0 && ts > set->slot[i].seen &&
		    ts - set->slot[i].seen > set->expiry)
			st->flows++;
		set->slot[i].seen = ts;
		return;
	}
	if (set->used == FLOWS_MAX) {
		st->flows_more = true;
		return;
	}
	set->used++;
	set->slot[i] = (struct flow_slot){ .hash = h, .seen = ts };
	st->flows++;
}
