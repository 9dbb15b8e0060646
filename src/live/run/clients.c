/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * clients.c - Clients of a capture that cannot be played as they are
 *
 * Theory of operation
 *
 * A SUT takes nothing from a loopback or link-local address on a wire, and
 * nothing from its own: captures of a proxy and its server on one host are full
 * of them. Such a client is said when it is met first, and none of it goes to a
 * SUT; or --client-net gives it another address, one to one, in the order in
 * which clients are met. So a capture gets the same ones in each run, and the
 * journal has the frames as they were played.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/map.h"
#include "os/log.h"
#include "run/run_internal.h"
#include "text/text.h"
#include "wire/peek.h"
#include "wire/readdress.h"

#define CLIENTS_MAX 65536u /* that get an address; more are not played */

struct client {
	struct ipaddr ip;
	uint32_t in; /* link of the map */
};

/**
 * struct clients - Who got which address
 * @client:	Of number i
 * @map:	Over @client
 * @head:	Its heads
 * @frame:	The frame that was changed last
 */
struct clients {
	uint32_t n;
	bool said;
	struct client client[CLIENTS_MAX];
	struct map map;
	uint32_t head[CLIENTS_MAX];
	uint8_t frame[PCAP_RECORD_MAX];
};

int clients_new(struct run *run)
{
	struct clients *c = calloc(1, sizeof(*c));

	if (!c)
		return -1;
	assert(map_size(CLIENTS_MAX) == sizeof(c->head));
	map_init(&c->map, CLIENTS_MAX, &run->key, c->head, &c->client->in,
		 sizeof(c->client[0]));
	run->clients = c;
	return 0;
}

void clients_free(struct run *run)
{
	free(run->clients);
	run->clients = NULL;
}

/* Why no SUT would answer this client; NULL: it would. */
static const char *why_not(const struct engine_config *c,
			   const struct ipaddr *ip)
{
	const uint8_t *b = ip->b;

	for (uint32_t m = 0; m < c->maps; m++)
		if (ipaddr_eq(ip, &c->map[m].sut))
			return "it is the SUT's own address";
	if (ipaddr_is4(ip)) {
		if (b[12] == 127)
			return "a loopback address is dropped on a wire";
		if (b[12] == 169 && b[13] == 254)
			return "a link-local address is not routed";
		return b[12] == 0 || b[12] >= 224 ? "it is no host's address"
						  : NULL;
	}
	if (b[0] == 0xfe && (b[1] & 0xc0) == 0x80)
		return "a link-local address is not routed";
	if (b[0] == 0xff)
		return "it is no host's address";
	for (int i = 0; i < 15; i++)
		if (b[i] != 0)
			return NULL;
	return b[15] == 1 ? "a loopback address is dropped on a wire"
			  : "it is no host's address";
}

/* The number of a client, a new one if it has none; CLIENTS_MAX: they are gone.
 */
static uint32_t number_of(struct run *run, const struct ipaddr *ip)
{
	struct clients *c = run->clients;
	uint64_t hash = map_hash(&c->map, ip, sizeof(*ip));
	uint32_t i = map_first(&c->map, hash);

	while (i != MAP_NONE && !ipaddr_eq(&c->client[i].ip, ip))
		i = map_next(&c->map, i);
	if (i != MAP_NONE || c->n == CLIENTS_MAX)
		return i != MAP_NONE ? i : CLIENTS_MAX;
	c->client[c->n].ip = *ip;
	map_put(&c->map, hash, c->n);
	return c->n++;
}

/* Address number @n of a network, from its second one on. False: it has not. */
static bool address_of(const struct engine_net *net, uint32_t n,
		       struct ipaddr *ip)
{
	unsigned host = IPADDR_BITS - net->bits;
	uint32_t low;

	if (host < 32 && n + 2 >= UINT32_C(1) << host)
		return false;
	*ip = net->net;
	low = (uint32_t)ip->b[12] << 24 | (uint32_t)ip->b[13] << 16 |
	      (uint32_t)ip->b[14] << 8 | ip->b[15];
	low += n + 1;
	for (int i = 0; i < 4; i++)
		ip->b[12 + i] = (uint8_t)(low >> (24 - 8 * i));
	return true;
}

static const struct engine_net *net_for(const struct options *o, bool four)
{
	for (uint32_t i = 0; i < o->client_nets; i++)
		if (ipaddr_is4(&o->client_net[i].net) == four)
			return &o->client_net[i];
	return NULL;
}

/* Whose frame is it? Return: 1 a client's, 0 production's, -1 of no connection
 */
static int side_of(const struct engine_config *c, const struct peek *p)
{
	bool to = false;
	bool from = false;

	if (p->depth != PEEK_PORTS || p->error ||
	    (p->proto != PROTO_TCP && p->proto != PROTO_UDP))
		return -1;
	for (uint32_t m = 0; m < c->maps; m++) {
		to |= engine_is_prod(&c->map[m], &p->dst, p->dport);
		from |= engine_is_prod(&c->map[m], &p->src, p->sport);
	}
	return to == from ? -1 : to;
}

static void say(struct run *run, const struct ipaddr *ip, const char *why)
{
	char t[TEXT_IP];

	if (run->clients->said)
		return;
	run->clients->said = true;
	run_clear_line(run);
	log_line(LOG_WARN,
		 "client %s%s: %s; --client-net NET gives such clients other "
		 "addresses",
		 text_ip(t, ip),
		 run->has_sut ? " and others like it are not played" : "", why);
}

static bool rename_frame(struct run *run, struct frame_info *in, bool src,
			 const struct ipaddr *ip)
{
	struct decoded d;
	bool open = false;
	enum decode_result r = frame_decode_open(in, NULL, 0, &d, &open);

	/* What cannot be decoded is played to nobody. */
	if (r != DECODE_TCP && r != DECODE_UDP)
		return true;
	in->csum_ok = true; /* it was right */
	memcpy(run->clients->frame, in->data, in->cap);
	in->data = run->clients->frame;
	return readdress(run->clients->frame, in->cap, d.l3, src, ip) == 0;
}

bool clients_take(struct run *run, struct frame_info *in)
{
	const struct options *o = run->opt;
	const struct engine_net *net;
	const struct ipaddr *client;
	const char *why;
	struct ipaddr ip;
	struct peek p;
	int side;

	peek_frame(in->link, in->data, in->cap, &p);
	side = side_of(&o->engine, &p);
	if (side < 0)
		return true;
	client = side ? &p.src : &p.dst;
	why = why_not(&o->engine, client);
	net = net_for(o, ipaddr_is4(client));
	if (!why && (!net || !o->client_all))
		return true;
	if (!net) {
		say(run, client, why);
		run->frames_unplayable += run->has_sut;
		return !run->has_sut;
	}
	if (!address_of(net, number_of(run, client), &ip)) {
		say(run, client, "--client-net has no address left");
		run->frames_unplayable++;
		return false;
	}
	run->frames_renamed++;
	return rename_frame(run, in, side != 0, &ip);
}
