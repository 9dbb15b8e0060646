/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plan.c - The records of a capture, by connection and in their order
 *
 * Theory of operation
 *
 * Three arrays, filled from the front and never moved: records in the order of
 * the capture, connections in the order of their first records, addresses of
 * clients. A record names its connection and that one's next record, so that
 * the plan can be walked in time and by connection. Connections and clients are
 * found through maps; a newer incarnation of a tuple stands in front of the
 * older one.
 *
 * A client's SYN with another sequence number than the connection's begins a
 * new incarnation, also where the old one began before the capture did.
 *
 * Where the client's payload was cut (a capture with a short snaplen), nothing
 * of the client behind it can be played: the first such record is noted.
 */
#include "pace/plan.h"

#include <errno.h>
#include <string.h>

#include "core/bytes.h"
#include "core/map.h"

#define RECORDS_A_FLOW 4 /* room for connections: one in so many records */
#define RECORDS_LEAST  64
#define NET4_HOSTS     0x3fffffu /* of a /10 */

const struct ipaddr plan_net4 = { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff,
				    100, 64, 0, 0 } };
const struct ipaddr plan_net6 = { { 0xfd, 0x75, 0x6e, 0x64, 0x65, 0x72, 0,
				    0x01 } };

struct client {
	struct ipaddr ip;
	uint32_t in;
};

struct plan {
	uint32_t room;
	uint32_t flow_room;
	uint32_t flow_limit; /* that was asked for */
	uint32_t count;
	uint32_t flows;
	uint32_t clients;
	struct plan_record *record;
	struct plan_flow *flow;
	struct client *client;
	struct map flow_map;
	struct map client_map;
};

static uint32_t flows_of(uint32_t records)
{
	return records / RECORDS_A_FLOW + 1;
}

size_t plan_size(uint32_t records)
{
	size_t flows = flows_of(records);
	size_t heads = map_size((uint32_t)flows);

	return arena_need(sizeof(struct plan)) +
	       arena_need(records * sizeof(struct plan_record)) +
	       arena_need(flows * sizeof(struct plan_flow)) +
	       arena_need(flows * sizeof(struct client)) +
	       2 * arena_need(heads);
}

uint32_t plan_records(size_t bytes)
{
	uint32_t least = RECORDS_LEAST;
	uint32_t most = UINT32_MAX - 1;

	while (least < most) {
		uint32_t mid = least + (most - least) / 2 + 1;

		if (plan_size(mid) <= bytes)
			least = mid;
		else
			most = mid - 1;
	}
	return least;
}

int plan_init(struct plan **out, struct arena *a, uint32_t records,
	      uint32_t flows, const struct hash_key *key)
{
	size_t heads = map_size(flows_of(records));
	struct plan *p;

	if (a->size - a->used < plan_size(records))
		return -ENOMEM;
	p = arena_take(a, sizeof(*p));
	p->room = records;
	p->flow_room = flows_of(records);
	p->flow_limit = flows;
	p->record = arena_take(a, records * sizeof(struct plan_record));
	p->flow = arena_take(a, p->flow_room * sizeof(struct plan_flow));
	p->client = arena_take(a, p->flow_room * sizeof(struct client));
	map_init(&p->flow_map, p->flow_room, key, arena_take(a, heads),
		 &p->flow->in, sizeof(struct plan_flow));
	map_init(&p->client_map, p->flow_room, key, arena_take(a, heads),
		 &p->client->in, sizeof(struct client));
	*out = p;
	return 0;
}

/* --- finding --- */

static uint32_t client_of(struct plan *p, const struct ipaddr *ip)
{
	uint64_t hash = map_hash(&p->client_map, ip, sizeof(*ip));
	uint32_t i = map_first(&p->client_map, hash);

	while (i != MAP_NONE && !ipaddr_eq(&p->client[i].ip, ip))
		i = map_next(&p->client_map, i);
	if (i != MAP_NONE)
		return i;
	i = p->clients++; /* no more of them than connections */
	p->client[i].ip = *ip;
	map_put(&p->client_map, hash, i);
	return i;
}

/* Does this record begin another incarnation than @f? */
static bool begins(const struct plan_flow *f, const struct plan_seen *s)
{
	return (s->is & PLAN_SYN) && (!(f->has & PLAN_SYN) || f->iss != s->seq);
}

/* Return: the connection of a record, PLAN_NONE and the reason in @why. */
static uint32_t flow_of(struct plan *p, const struct plan_seen *s,
			enum plan_taken *why)
{
	uint64_t hash = map_hash(&p->flow_map, &s->tuple, sizeof(s->tuple));
	uint32_t i = map_first(&p->flow_map, hash);

	while (i != MAP_NONE &&
	       memcmp(&p->flow[i].tuple, &s->tuple, sizeof(s->tuple)) != 0)
		i = map_next(&p->flow_map, i);
	if (i != PLAN_NONE && !begins(&p->flow[i], s))
		return i;
	if (p->flow_limit != 0 && p->flows == p->flow_limit) {
		*why = PLAN_BEYOND;
		return PLAN_NONE;
	}
	if (p->flows == p->flow_room) {
		*why = PLAN_FULL;
		return PLAN_NONE;
	}
	p->flow[p->flows] = (struct plan_flow){
		.tuple = s->tuple,
		.at = s->at,
		.first = PLAN_NONE,
		.last = PLAN_NONE,
		.cut = PLAN_NONE,
		.older = i,
		.iss = s->seq,
		.client = client_of(p, &s->tuple.client),
	};
	map_put(&p->flow_map, hash, p->flows);
	return p->flows++;
}

/* --- adding --- */

/* Has the client read anything since it last spoke? */
static uint8_t read_since(struct plan_flow *f, const struct plan_seen *s)
{
	uint8_t is = 0;

	if ((s->is & (PLAN_CLIENT | PLAN_DATA)) != (PLAN_CLIENT | PLAN_DATA))
		return 0;
	if (f->sent && f->acked != s->ack)
		is = PLAN_READ;
	f->sent = true;
	f->acked = s->ack;
	return is;
}

enum plan_taken plan_add(struct plan *p, const struct plan_seen *s)
{
	const uint8_t cut = PLAN_CLIENT | PLAN_DATA | PLAN_CUT;
	enum plan_taken why = PLAN_TAKEN;
	uint32_t at = PLAN_NONE;
	struct plan_record *r;
	struct plan_flow *f;

	if (p->count == p->room)
		return PLAN_FULL;
	if (s->tuple.proto != 0)
		at = flow_of(p, s, &why);
	if (why != PLAN_TAKEN)
		return why;
	r = &p->record[p->count];
	*r = (struct plan_record){ .offset = s->offset,
				   .ts = s->ts,
				   .cap = s->cap,
				   .wire = s->wire,
				   .flow = at,
				   .next = PLAN_NONE,
				   .link = s->link,
				   .file = s->file,
				   .is = s->is };
	if (at != PLAN_NONE) {
		f = &p->flow[at];
		r->is |= read_since(f, s);
		f->has |= r->is;
		f->answered |= !(s->is & PLAN_CLIENT);
		if (f->cut == PLAN_NONE && (s->is & cut) == cut)
			f->cut = p->count;
		if (f->last == PLAN_NONE)
			f->first = p->count;
		else
			p->record[f->last].next = p->count;
		f->last = p->count;
	}
	p->count++;
	return PLAN_TAKEN;
}

/* --- reading --- */

uint32_t plan_count(const struct plan *p)
{
	return p->count;
}

uint32_t plan_flows(const struct plan *p)
{
	return p->flows;
}

uint32_t plan_clients(const struct plan *p)
{
	return p->clients;
}

const struct plan_record *plan_record(const struct plan *p, uint32_t i)
{
	return &p->record[i];
}

struct plan_flow *plan_flow(struct plan *p, uint32_t i)
{
	return &p->flow[i];
}

bool plan_is_behind_cut(const struct plan *p, uint32_t i)
{
	const struct plan_record *r = &p->record[i];

	return r->flow != PLAN_NONE && (r->is & PLAN_CLIENT) &&
	       !(r->is & PLAN_DATAGRAM) && p->flow[r->flow].cut != PLAN_NONE &&
	       i > p->flow[r->flow].cut;
}

struct ipaddr plan_client(const struct plan *p, uint32_t flow, uint32_t loop)
{
	const struct plan_flow *f = &p->flow[flow];
	struct ipaddr ip = f->tuple.client;
	uint64_t n;

	if (loop == 0)
		return ip;
	n = (uint64_t)(loop - 1) * p->clients + f->client;
	if (ipaddr_is4(&ip)) {
		ip = plan_net4;
		/* Neither the first address of the network nor its last. */
		put_be32(ip.b + 12, get_be32(ip.b + 12) + 1 +
					    (uint32_t)(n % (NET4_HOSTS - 1)));
		return ip;
	}
	ip = plan_net6;
	put_be32(ip.b + 8, (uint32_t)(n >> 32));
	put_be32(ip.b + 12, (uint32_t)n + 1);
	return ip;
}

uint64_t plan_time(uint64_t ns, uint32_t thousandths)
{
	uint64_t whole = ns / thousandths;
	uint64_t rest = ns % thousandths;

	if (whole > UINT64_MAX / 1000 - 1)
		return UINT64_MAX;
	return whole * 1000 + rest * 1000 / thousandths;
}
