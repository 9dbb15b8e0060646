/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * questions.c - Connections whose own frames do not show who opened them
 *
 * Theory of operation
 *
 * Connections that did show it teach two tables: endpoints (address and port)
 * that served, and how often each host acted as client and as server. A question
 * is answered by the first of these that tells its two ends apart:
 *
 *  endpoint	one end is known to serve, the other not
 *  network	router mode only: around one host, but not the other, there is a
 *		network with servers and without a client. Networks are tried from
 *		the shortest prefix (-M) to the longest (-m); IPv6 prefixes are
 *		four times as long
 *  port	one port is a server's (-s, else below 1024)
 *  host	one is a server by --ratio, the other is not
 *  guess	who was seen first
 *
 * Tables that are full learn no more; when there is no room for a question it is
 * answered at once, by what is known then. Both are counted.
 */
#include <string.h>

#include "prep/split_internal.h"

size_t questions_size(uint32_t slots)
{
	return arena_need(slots * sizeof(struct question)) +
	       2 * arena_need(slots * sizeof(struct endpoint));
}

void questions_init(struct questions *q, struct arena *a, uint32_t slots)
{
	q->slots = slots;
	q->question = arena_take(a, slots * sizeof(struct question));
	q->endpoint = arena_take(a, slots * sizeof(struct endpoint));
	q->host = arena_take(a, slots * sizeof(struct endpoint));
}

/* The record of @ip and @port, or the free slot for it. */
static struct endpoint *slot_of(const struct split *s, struct endpoint *table,
				const struct ipaddr *ip, uint32_t port)
{
	uint8_t k[20];
	uint64_t i;

	memcpy(k, ip->b, 16);
	memcpy(k + 16, &port, 4);
	i = hash_bytes(&s->key, k, sizeof(k)) & (s->q.slots - 1);
	while (table[i].used &&
	       !(table[i].port == port && ipaddr_eq(&table[i].ip, ip)))
		i = (i + 1) & (s->q.slots - 1);
	return &table[i];
}

static void act(struct split *s, struct endpoint *table, uint32_t *n,
		const struct ipaddr *ip, uint32_t port, bool server)
{
	struct endpoint *e = slot_of(s, table, ip, port);

	if (!e->used) {
		if (*n >= s->q.slots / 4 * 3) {
			s->n.unlearnt++;
			return;
		}
		(*n)++;
		e->used = 1;
		e->ip = *ip;
		e->port = port;
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

	act(s, q->endpoint, &q->endpoints, ip, k->proto << 16 | port, true);
	act(s, q->host, &q->hosts, &k->a, 0, a_serves);
	act(s, q->host, &q->hosts, &k->b, 0, !a_serves);
}

/* One end is a server and the other is not: CLIENT_ of the other, else 0. */
static int apart(bool a_serves, bool b_serves)
{
	return a_serves == b_serves ? 0 : a_serves ? CLIENT_B : CLIENT_A;
}

static int by_endpoint(const struct split *s, const struct conn_key *k)
{
	struct endpoint *t = s->q.endpoint;

	return apart(slot_of(s, t, &k->a, k->proto << 16 | k->a_port)->used,
		     slot_of(s, t, &k->b, k->proto << 16 | k->b_port)->used);
}

static bool host_serves(const struct split *s, const struct ipaddr *ip,
			bool *known)
{
	const struct endpoint *h = slot_of(s, s->q.host, ip, 0);

	*known = h->used != 0;
	return h->used && (double)h->server >= (double)h->client * s->r->ratio;
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

	for (uint32_t i = 0; i < s->q.hosts; i++) {
		struct endpoint *h = &s->q.host[i];

		if ((double)h->server >= (double)h->client * s->r->ratio)
			servers++;
		else
			clients++;
		h->server = servers;
		h->client = clients;
	}
}

/* Hosts in the order of their addresses, at the front (heap sort). The table is
 * of no use for look-ups then: router mode does not ask it for hosts any more.
 */
static void sort_hosts(struct split *s)
{
	struct questions *q = &s->q;
	uint32_t n = 0;

	for (uint32_t i = 0; i < q->slots; i++)
		if (q->host[i].used)
			q->host[n++] = q->host[i];
	for (uint32_t i = n / 2; i > 0; i--)
		sift(q->host, i - 1, n);
	for (uint32_t i = n; i > 1; i--) {
		struct endpoint t = q->host[0];

		q->host[0] = q->host[i - 1];
		q->host[i - 1] = t;
		sift(q->host, 0, i - 1);
	}
	q->sorted = true;
	sum_hosts(s);
}

/* Hosts whose address is below @edge. */
static uint32_t below(const struct questions *q, const struct ipaddr *edge)
{
	uint32_t a = 0;
	uint32_t b = q->hosts;

	while (a < b) {
		uint32_t mid = a + (b - a) / 2;

		if (memcmp(&q->host[mid].ip, edge, sizeof(*edge)) < 0)
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
	uint32_t from, to;

	for (unsigned i = bits; i < IPADDR_BITS; i++) {
		low.b[i / 8] &= (uint8_t) ~(0x80 >> i % 8);
		high.b[i / 8] |= (uint8_t)(0x80 >> i % 8);
	}
	from = below(q, &low);
	to = below(q, &high);
	if (to < q->hosts && ipaddr_eq(&q->host[to].ip, &high))
		to++;
	*servers = to > 0 ? q->host[to - 1].server : 0;
	*clients = to > 0 ? q->host[to - 1].client : 0;
	*servers -= from > 0 ? q->host[from - 1].server : 0;
	*clients -= from > 0 ? q->host[from - 1].client : 0;
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

	if (q->n == q->slots) {
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
