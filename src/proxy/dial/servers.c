/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * servers.c - Which of several servers a client gets
 */
#include "dial/servers.h"

#include <assert.h>
#include <errno.h>

#include "core/rendezvous.h"

static const struct counter rows[] = { SERVER_COUNTERS(
	COUNTER_ROW, struct server_counters) };

const struct counter_list server_counter_list = COUNTER_LIST(rows);

int servers_choose(const struct servers *l, const struct hash_key *key,
		   const struct ipaddr *client, uint32_t tried)
{
	uint64_t hash = rendezvous_client(key, client->b);
	uint64_t most = 0;
	int best = -1;

	for (unsigned i = 0; i < l->n; i++) {
		const struct server *s = &l->s[i];
		uint64_t w = rendezvous_weight(
			hash, rendezvous_server(key, s->ip.b, s->port));
		bool better;

		if ((tried & 1u << i) || s->drained || s->gone)
			continue;
		better = best < 0 || l->s[best].out > s->out ||
			 (l->s[best].out == s->out && w > most);
		if (!better)
			continue;
		most = w;
		best = (int)i;
	}
	return best;
}

unsigned servers_there(const struct servers *l)
{
	unsigned n = 0;

	for (unsigned i = 0; i < l->n; i++)
		n += !l->s[i].gone;
	return n;
}

static bool gets_clients(const struct server *s, bool out)
{
	return !s->gone && !s->drained && s->out == out;
}

unsigned servers_now(const struct servers *l,
		     const struct server *now[SERVERS_MAX])
{
	unsigned n = 0;

	for (int out = 0; out <= 1 && n == 0; out++)
		for (unsigned i = 0; i < l->n && n < SERVERS_MAX; i++)
			if (gets_clients(&l->s[i], out != 0))
				now[n++] = &l->s[i];
	return n;
}

static bool is_at(const struct server *a, const struct server *b)
{
	return a->port == b->port && ipaddr_eq(&a->ip, &b->ip);
}

static struct server *find(struct servers *l, const struct server *s)
{
	for (unsigned i = 0; i < l->n; i++)
		if (is_at(&l->s[i], s))
			return &l->s[i];
	return NULL;
}

/* A place for one more, or NULL. */
static struct server *free_place(struct servers *l)
{
	for (unsigned i = 0; i < l->n; i++)
		if (l->s[i].gone && l->s[i].users == 0)
			return &l->s[i];
	return l->n < SERVERS_PLACES ? &l->s[l->n++] : NULL;
}

int servers_change(struct servers *l, const struct servers *to)
{
	assert(to->n <= SERVERS_MAX);
	for (unsigned i = 0; i < l->n; i++)
		l->s[i].gone = true;
	/* First who stays: his place is not to be given away. */
	for (unsigned i = 0; i < to->n; i++) {
		struct server *s = find(l, &to->s[i]);

		if (s)
			s->gone = false;
	}
	for (unsigned i = 0; i < to->n; i++) {
		struct server *s = find(l, &to->s[i]);

		if (s)
			continue;
		s = free_place(l);
		if (!s)
			return -ENOSPC;
		*s = (struct server){ .ip = to->s[i].ip,
				      .port = to->s[i].port };
	}
	return 0;
}

bool servers_failed(struct servers *l, unsigned i, uint32_t most)
{
	struct server *s = &l->s[i];
	bool was = s->out;

	assert(i < l->n);
	s->n.not_taken++;
	if (s->failures < UINT32_MAX)
		s->failures++;
	if (most > 0 && s->failures >= most)
		s->out = true;
	return s->out && !was;
}

bool servers_good(struct servers *l, unsigned i)
{
	bool was = l->s[i].out;

	assert(i < l->n);
	l->s[i].failures = 0;
	l->s[i].out = false;
	return was;
}
