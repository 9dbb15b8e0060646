/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flows.c - How many flows a capture has
 *
 * A flow is a pair of addresses, a pair of ports and a protocol, both
 * directions together. Only a keyed hash of them is kept, 64 bits: two of a
 * million flows fall together once in 40 million runs. The table never grows;
 * when it is full, flows are no longer told apart, and the report says "at
 * least".
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/map.h"
#include "os/random.h"
#include "rewrite/shape.h"
#include "send/send.h"
#include "wire/segment.h"

#define FLOWS_MAX (1u << 20)

struct flow_seen {
	uint64_t hash;
	uint64_t at;
	uint32_t in; /* link of the map */
};

struct flow_set {
	struct map map; /* over @flow */
	uint64_t expiry;
	uint32_t used;
	uint32_t head[FLOWS_MAX];
	struct flow_seen flow[FLOWS_MAX];
};

struct flow_set *flows_new(uint64_t expiry)
{
	struct flow_set *s = calloc(1, sizeof(*s));
	struct hash_key key;

	if (!s)
		return NULL;
	if (random_bytes(&key, sizeof(key)) != 0) {
		free(s);
		return NULL;
	}
	assert(map_size(FLOWS_MAX) == sizeof(s->head));
	map_init(&s->map, FLOWS_MAX, &key, s->head, &s->flow->in,
		 sizeof(s->flow[0]));
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
	return map_hash(&set->map, all, sizeof(all));
}

void flows_add(struct flow_set *set, const uint8_t *p, uint32_t len,
	       uint64_t ts, struct load_stats *st)
{
	struct flow_seen *f;
	struct shape s;
	uint64_t h;
	uint32_t i;

	if (shape_find(&s, p, len) || s.version == 0)
		return;
	st->flow_frames++;
	h = flow_hash(set, &s, p);
	i = map_first(&set->map, h);
	while (i != MAP_NONE && set->flow[i].hash != h)
		i = map_next(&set->map, i);
	if (i != MAP_NONE) {
		f = &set->flow[i];
		if (set->expiry > 0 && ts > f->at && ts - f->at > set->expiry)
			st->flows++;
		f->at = ts;
		return;
	}
	if (set->used == FLOWS_MAX) {
		st->flows_more = true;
		return;
	}
	set->flow[set->used] = (struct flow_seen){ .hash = h, .at = ts };
	map_put(&set->map, h, set->used++);
	st->flows++;
}
