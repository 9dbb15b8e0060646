/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * questions.c - Connections whose own frames do not show who opened them
 *
 * Theory of operation
 *
 * Connections that did show it teach two tables: endpoints (address and port)
 * that served, and how often each host acted as client and as server. A
 * question is answered by the first of these that tells its two ends apart:
 *
 *  endpoint	one end is known to serve, the other not
 *  network	router mode only: around one host, but not the other, there is a
 *		network with servers and without a client. Networks are tried
 *		from the shortest prefix (-M) to the longest (-m); IPv6 prefixes
 *		are four times as long
 *  port	one port is a server's (-s, else below 1024)
 *  host	one is a server by --ratio, the other is not
 *  guess	who was seen first
 *
 * Tables that are full learn no more; when there is no room for a question it
 * is answered at once, by what is known then. Both are counted.
 */
#include <string.h>

#include "classify/split_internal.h"

#define ROOM_LEAST 64u

/* Questions that there is room for; of endpoints and hosts it is 3/4 each. */
static uint32_t room_for(uint32_t flows)
{
	uint32_t n = ROOM_LEAST;

	while (n < flows)
		n *= 2;
	return n;
}

static uint32_t room_to_learn(uint32_t flows)
{
	return room_for(flows) / 4 * 3;
}

size_t questions_size(uint32_t flows)
{
	uint32_t room = room_to_learn(flows);

	return arena_need(room_for(flows) * sizeof(struct question)) +
	       2 * arena_need(room * sizeof(struct endpoint)) +
	       2 * arena_need(map_size(room));
}

static void endpoints_init(struct endpoints *t, struct arena *a, uint32_t room,
			   const struct hash_key *key)
{
	t->room = room;
	t->at = arena_take(a, room * sizeof(struct endpoint));
	map_init(&t->map, room, key, arena_take(a, map_size(room)), &t->at->in,
		 sizeof(struct endpoint));
}

void questions_init(struct questions *q, struct arena *a, uint32_t flows,
		    const struct hash_key *key)
{
	q->room = room_for(flows);
	q->question = arena_take(a, q->room * sizeof(struct question));
	endpoints_init(&q->endpoint, a, room_to_learn(flows), key);
	endpoints_init(&q->host, a, room_to_learn(flows), key);
}

static uint64_t hash_of(const struct endpoints *t, const struct ipaddr *ip,
			uint32_t port)
{
	uint8_t k[20];

	memcpy(k, ip->b, 16);
	memcpy(k + 16, &port, 4);
	return map_hash(&t->map, k, sizeof(k));
}

/* The record of @ip and @port, or NULL. */
static struct endpoint *known(const struct endpoints *t,
			      const struct ipaddr *ip, uint32_t port)
{
	uint32_t i = map_first(&t->map, hash_of(t, ip, port));

	while (i != MAP_NONE &&
	       !(t->at[i].port == port && ipaddr_eq(&t->at[i].ip, ip)))
		i = map_next(&t->map, i);
	return i != MAP_NONE ? &t->at[i] : NULL;
}

static void act(struct split *s, struct endpoints *t, const struct ipaddr *ip,
		uint32_t port, bool server)
{
	struct endpoint *e = known(t, ip, port);

	if (!e) {
		if (t->n == t->room) {
			s->n.unlearnt++;
			return;
		}
		e = &t->at[t->n];
		e->ip = *ip;
		e->port = port;
		map_put(&t->map, hash_of(t, ip, port), t->n++);
	}
	if (server)
		e->server++;
	else
		e->client++;
}

void questions_learn(struct split *s, const struct conn_key *k, int client)
{
	bool a_serves = client == CLIENT_B;
	const struct ipaddr *ip = a_serves ? &k->a : &k->b;
	uint32_t port = a_serves ? k->a_port : k->b_port;
	struct questions *q = &s->q;

	act(s, &q->endpoint, ip, k->proto << 16 | port, true);
	act(s, &q->host, &k->a, 0, a_serves);
	act(s, &q->host, &k->b, 0, !a_serves);
}

/* One end is a server and the other is not: CLIENT_ of the other, else 0. */
static int apart(bool a_serves, bool b_serves)
{
	return a_serves == b_serves ? 0 : a_serves ? CLIENT_B : CLIENT_A;
}

static int by_endpoint(const struct split *s, const struct conn_key *k)
{
	const struct endpoints *t = &s->q.endpoint;

	return apart(known(t, &k->a, k->proto << 16 | k->a_port) != NULL,
		     known(t, &k->b, k->proto << 16 | k->b_port) != NULL);
}

static bool host_serves(const struct split *s, const struct ipaddr *ip,
			bool *is_known)
{
	const struct endpoint *h = known(&s->q.host, ip, 0);

	*is_known = h != NULL;
	return h && (double)h->server >= (double)h->client * s->r->ratio;
}

static int by_host(const struct split *s, const struct conn_key *k)
{
	bool a_known, b_known;
	bool a = host_serves(s, &k->a, &a_known);
	bool b = host_serves(s, &k->b, &b_known);

	return a_known || b_known ? (a_known && b_known ? apart(a, b)
				     : a_known ? (a ? CLIENT_B : CLIENT_A)
				     : b       ? CLIENT_A
					       : CLIENT_B)
				  : 0;
}

static void sift(struct endpoint *h, uint32_t at, uint32_t n)
{
	for (;;) {
		uint32_t big = at;
		struct endpoint t;

		for (uint32_t c = 2 * at + 1; c <= 2 * at + 2 && c < n; c++)
			if (memcmp(&h[c].ip, &h[big].ip, 16) > 0)
				big = c;
		if (big == at)
			return;
		t = h[at];
		h[at] = h[big];
		h[big] = t;
		at = big;
	}
}

/* Each host's counts become how many servers and clients there are up to it. */
static void sum_hosts(const struct split *s)
{
	uint32_t servers = 0;
	uint32_t clients = 0;

	for (uint32_t i = 0; i < s->q.host.n; i++) {
		struct endpoint *h = &s->q.host.at[i];

		if ((double)h->server >= (double)h->client * s->r->ratio)
			servers++;
		else
			clients++;
		h->server = servers;
		h->client = clients;
	}
}

/* Hosts in the order of their addresses (heap sort). The map is of no use then:
 * router mode does not ask it for hosts any more.
 */
static void sort_hosts(struct split *s)
{
	struct endpoint *host = s->q.host.at;
	uint32_t n = s->q.host.n;

	for (uint32_t i = n / 2; i > 0; i--)
		sift(host, i - 1, n);
	for (uint32_t i = n; i > 1; i--) {
		struct endpoint t = host[0];

		host[0] = host[i - 1];
		host[i - 1] = t;
		sift(host, 0, i - 1);
	}
	s->q.sorted = true;
	sum_hosts(s);
}

/* Hosts whose address is below @edge. */
static uint32_t below(const struct questions *q, const struct ipaddr *edge)
{
	uint32_t a = 0;
	uint32_t b = q->host.n;

	while (a < b) {
		uint32_t mid = a + (b - a) / 2;

		if (memcmp(&q->host.at[mid].ip, edge, sizeof(*edge)) < 0)
			a = mid + 1;
		else
			b = mid;
	}
	return a;
}

/* Count servers and clients of the network of @bits around @ip. */
static void count_network(const struct questions *q, const struct ipaddr *ip,
			  unsigned bits, uint32_t *servers, uint32_t *clients)
{
	struct ipaddr low = *ip;
	struct ipaddr high = *ip;
	const struct endpoint *host = q->host.at;
	uint32_t from, to;

	for (unsigned i = bits; i < IPADDR_BITS; i++) {
		low.b[i / 8] &= (uint8_t) ~(0x80 >> i % 8);
		high.b[i / 8] |= (uint8_t)(0x80 >> i % 8);
	}
	from = below(q, &low);
	to = below(q, &high);
	if (to < q->host.n && ipaddr_eq(&host[to].ip, &high))
		to++;
	*servers = to > 0 ? host[to - 1].server : 0;
	*clients = to > 0 ? host[to - 1].client : 0;
	*servers -= from > 0 ? host[from - 1].server : 0;
	*clients -= from > 0 ? host[from - 1].client : 0;
}

/* Is there a network around @ip with servers and no client? */
static bool near_servers(const struct split *s, const struct ipaddr *ip)
{
	bool v4 = ipaddr_is4(ip);

	for (unsigned m = s->r->max_bits; m <= s->r->min_bits; m++) {
		uint32_t servers, clients;

		count_network(&s->q, ip, v4 ? IPADDR_4IN6 + m : 4 * m, &servers,
			      &clients);
		if (servers == 0)
			return false; /* nor in a longer one */
		if (clients == 0)
			return true;
	}
	return false;
}

static void answer(struct split *s, const struct conn_key *k, uint32_t serial,
		   int first, bool at_end)
{
	enum split_level l = SPLIT_ENDPOINT;
	int client = by_endpoint(s, k);

	if (!client && at_end && s->r->mode == PREP_ROUTER) {
		l = SPLIT_NETWORK;
		client = apart(near_servers(s, &k->a), near_servers(s, &k->b));
	}
	if (!client) {
		l = SPLIT_PORT;
		client = split_ports_say(s->r, k);
	}
	if (!client && !s->q.sorted) {
		l = SPLIT_HOST;
		client = by_host(s, k);
	}
	if (!client) {
		l = SPLIT_GUESS;
		client = first;
	}
	split_decide(s, serial, client == CLIENT_B, l);
}

void questions_ask(struct split *s, const struct conn_key *k, uint32_t serial,
		   int first)
{
	struct questions *q = &s->q;

	if (q->n == q->room) {
		s->n.early++;
		answer(s, k, serial, first, false);
		return;
	}
	q->question[q->n++] = (struct question){ .key = *k,
						 .serial = serial,
						 .first = (uint32_t)first };
}

void questions_answer(struct split *s)
{
	struct questions *q = &s->q;

	if (s->r->mode == PREP_ROUTER)
		sort_hosts(s);
	for (uint32_t i = 0; i < q->n; i++)
		answer(s, &q->question[i].key, q->question[i].serial,
		       (int)q->question[i].first, true);
	q->n = 0;
}
