/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * more.c - Datagrams behind the first answer to a query
 *
 * Theory of operation
 *
 * The first answer of each server is compared, and its verdict reported. What
 * either says beyond it, as in a stream, has neither a number nor an order that
 * a stranger knows, and the one server is ahead of the other. So a datagram is
 * paired with one of the other server that is the same: of those that have
 * none yet, UDP_AHEAD hashes are remembered of each side. One that has to make
 * room, or is there still when its exchange is forgotten, was sent by one
 * server alone. Such are counted and are no verdict: a stream's datagrams may
 * bear numbers of their server's own, and wires lose datagrams.
 */
#include "dgram/udp_internal.h"

#include <string.h>

static uint64_t *alone(struct udp_shadow *u, enum who who)
{
	return who == WHO_PROD ? &u->count.stream_prod : &u->count.stream_sut;
}

/* The first of @n places at @m goes. */
static void drop(struct udp_more *m, uint32_t at)
{
	m->n--;
	memmove(&m->hash[at], &m->hash[at + 1],
		(m->n - at) * sizeof(m->hash[0]));
}

void udp_more(struct udp_shadow *u, struct exchange *ex, enum who who,
	      const struct segment *seg)
{
	enum who to = who == WHO_PROD ? WHO_SUT : WHO_PROD;
	struct udp_more *mine = &ex->more[who - WHO_PROD];
	struct udp_more *other = &ex->more[to - WHO_PROD];
	uint32_t hash =
		(uint32_t)map_hash(&u->map[WHO_PROD], seg->data, seg->cap);

	u->count.datagram_stream++;
	for (uint32_t i = 0; i < other->n; i++) {
		if (other->hash[i] != hash)
			continue;
		drop(other, i);
		u->count.stream_same++;
		return;
	}
	if (mine->n == UDP_AHEAD) {
		drop(mine, 0);
		*alone(u, who) += 1;
	}
	mine->hash[mine->n++] = hash;
}

void udp_more_over(struct udp_shadow *u, struct exchange *ex)
{
	for (enum who w = WHO_PROD; w <= WHO_SUT; w++) {
		*alone(u, w) += ex->more[w - WHO_PROD].n;
		ex->more[w - WHO_PROD].n = 0;
	}
}
