/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check.c - What holds of the machine of datagrams between two calls
 */
#include <assert.h>

#include "dgram/udp_internal.h"

/* Is it in @who's map where its key says? */
static bool is_chained(struct udp_shadow *u, const struct exchange *ex,
		       enum who who)
{
	const struct map *m = &u->map[who];
	uint32_t at = (uint32_t)(ex - u->slot);
	uint32_t i =
		map_first(m, map_hash(m, &ex->key[who], sizeof(ex->key[who])));

	while (i != MAP_NONE && i != at)
		i = map_next(m, i);
	return i == at;
}

/* An exchange of the list of @state. */
static void check_exchange(struct udp_shadow *u, const struct exchange *ex,
			   enum ex_state state, uint64_t now)
{
	const struct udp_pair *p = &ex->pair;
	struct udp_key asked = ex->key[WHO_SUT];
	bool open = state == EX_OPEN;

	/* The SUT is asked in the client's name. */
	asked.server = ex->key[WHO_PROD].server;
	asked.sport = ex->key[WHO_PROD].sport;
	assert(memcmp(&asked, &ex->key[WHO_PROD], sizeof(asked)) == 0);

	assert(ex->state == state && ex->since <= now);
	assert(ex->serial != 0 && ex->serial <= u->serial);
	assert(is_chained(u, ex, WHO_PROD) && is_chained(u, ex, WHO_SUT));
	assert(timer_armed(&ex->timer) == open);
	assert(ex->pair.opened <= ex->since &&
	       (!open || p->opened == ex->since));
	assert((ex->unsent != NULL) == !list_empty(&ex->send));
	assert(open || !ex->unsent);
	assert(p->has[WHO_CLIENT] && p->opened <= p->sent && p->sent <= now);
	/* Both answers are its end; production's begins the wait. */
	assert(!open || !p->has[WHO_PROD] || !p->has[WHO_SUT]);
	assert((ex->wait != 0) == (ex->wait_from != 0));
	assert(ex->wait == 0 || (u->wait != 0 && p->has[WHO_PROD] &&
				 ex->wait >= u->wait && ex->wait_from <= now));
	assert(!open || !p->has[WHO_PROD] || u->wait == 0 || ex->wait != 0);
	assert(open || ex->wait_from <= ex->since);
	assert(!p->withheld || !ex->unsent);
	for (int w = 0; w < 2; w++)
		assert(ex->more[w].n <= UDP_AHEAD &&
		       (ex->more[w].n == 0 || p->has[WHO_PROD + w]));
	for (int w = 0; w < WHO_COUNT; w++)
		assert(!p->frame[w] || (open && u->keep && p->has[w]));
}

static uint32_t check_list(struct udp_shadow *u, struct list *head,
			   enum ex_state state, uint64_t now)
{
	uint64_t last = 0;
	uint32_t n = 0;

	for (struct list *l = head->next; l != head; l = l->next) {
		const struct exchange *ex = udp_by_age(l);

		check_exchange(u, ex, state, now);
		assert(last <= ex->since); /* oldest first */
		last = ex->since;
		n++;
	}
	return n;
}

void udp_check(struct udp_shadow *u, uint64_t now)
{
	uint32_t open = check_list(u, &u->open, EX_OPEN, now);
	uint32_t ended = check_list(u, &u->ended, EX_ENDED, now);
	uint32_t unused = 0;

	for (struct list *l = u->free.next; l != &u->free; l = l->next)
		unused += udp_by_age(l)->state == EX_FREE;
	assert(open == u->opened && open + ended == u->used);
	assert(u->used + unused == u->fresh && u->fresh <= u->slots);
	assert(u->wheel.count == open);
	assert(u->first < UDP_PAIRS && u->pairs <= UDP_PAIRS);
	assert(u->sut_read <= now && u->stalled <= now);
	assert(!u->waits_due || open > 0);
	for (uint32_t i = 0; i < u->pairs; i++)
		assert(u->ring[(u->first + i) % UDP_PAIRS].has[WHO_CLIENT]);
}
