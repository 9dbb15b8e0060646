/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check.c - What holds of the SUT's wire and of the proofs between two calls
 */
#include <assert.h>
#include <string.h>

#include "lan/probe_port.h"
#include "lan/prove_internal.h"
#include "lan/sutwire_internal.h"

/* --- networks --- */

static uint32_t length(const struct list *head)
{
	uint32_t n = 0;

	for (const struct list *l = head->next; l != head; l = l->next)
		n++;
	return n;
}

static void check_net(struct prove *p, const struct net *n, uint64_t now)
{
	bool asked = n->state == NET_ASKED;
	bool queued = n->state == NET_QUEUED;
	bool lost = n->state == NET_LOST || n->state == NET_MOVED;
	bool again = asked || queued;
	struct net_key from;

	assert(net_find(p, &n->key) == n && n->key.sut < p->suts);
	assert(n->state <= NET_MOVED && n->deaf <= PROVE_DEAF);
	assert(timer_armed(&n->timer) == asked);
	assert(!asked || list_empty(&n->settled));
	assert(!asked || (n->step >= 1 && n->step <= PROVE_TRIES + 1));
	assert(!queued || !list_empty(&n->settled));
	/* Its next step comes a step behind its last SYN. */
	assert(!asked || n->step > PROVE_TRIES - 1 ||
	       n->timer.when == n->sent + PROVE_STEP);
	from = net_key_of((uint8_t)n->key.sut, &n->probe.from);
	assert(!asked || (memcmp(&from, &n->key, sizeof(from)) == 0 &&
			  is_probe_port(n->probe.port)));
	assert(!again ||
	       n->told == (n->old == NET_LOST || n->old == NET_MOVED));
	/* What is told is what it was, or is. */
	assert(!again || (n->old != NET_QUEUED && n->old != NET_ASKED &&
			  list_empty(&n->news)));
	assert(again ||
	       (n->told == lost && (n->gate != GATE_OPEN || !n->told)));
	assert(!lost || (n->told && (n->state == NET_MOVED) == n->heard));
	assert(!n->tell || !list_empty(&n->news));
	assert(n->sent <= now && n->since <= now);
	assert(!lost || n->since != 0);
	assert(n->good <= p->control[n->key.sut].good &&
	       n->bad <= p->control[n->key.sut].bad);
	/* Who waits for it waits until it is settled and that was taken. */
	assert(again || !list_empty(&n->news) ||
	       (list_empty(&n->flows) && list_empty(&n->queries)));
}

void prove_check(struct prove *p, uint64_t now)
{
	uint32_t queued = 0;
	uint32_t asked = 0;
	uint32_t told = 0;
	uint32_t shown = 0;

	for (uint32_t i = 0; i < p->fresh; i++) {
		check_net(p, &p->net[i], now);
		queued += p->net[i].state == NET_QUEUED;
		asked += p->net[i].state == NET_ASKED;
		told += p->net[i].told;
	}
	assert(p->fresh <= p->nets && p->queued <= PROVE_QUEUE);
	assert(p->slot <= now + NS_PER_SEC);
	assert(queued == p->queued && queued == length(&p->queue));
	assert(asked == p->wheel.count && p->lost_n <= PROVE_NAMED);
	assert(told >= p->lost_n || p->count.forgotten > 0);
	for (uint32_t i = 0; i <= p->shown_mask / 8; i++)
		for (unsigned b = p->shown[i]; b != 0; b &= b - 1)
			shown++;
	assert(shown == p->shown_n && p->shown_n <= p->shown_mask + 1);
	for (uint32_t i = 0; i < p->suts; i++) {
		const struct control *c = &p->control[i];

		assert(c->last <= c->sent && c->sent <= now);
		assert((c->last != 0) == (c->good != 0));
		assert(!c->open || c->sent > c->last);
		/* Just sent, it is waited for, if it was not answered at once.
		 */
		assert(c->open || c->sent != now || c->last == c->sent);
		assert(!c->open || is_probe_port(c->probe.port));
		assert(c->good <= p->count.probes && c->bad <= p->count.probes);
	}
}

/* --- the wire --- */

static void check_sut(const struct wire_sut *s, uint64_t now)
{
	assert(s->tries <= SUTWIRE_PROBE_TRIES && is_probe_port(s->sport));
	assert(s->known == (s->state != SUTWIRE_ASKING));
	assert(s->known || (s->tries == 0 && !s->answered && !s->proved));
	assert(!s->answered || (s->proved && s->tries > 0));
	assert(s->state != SUTWIRE_READY || s->proved);
	assert(!s->answered || s->state == SUTWIRE_READY);
	assert(!s->answered || !s->astray);
	assert(!s->cfg.pinned || s->known);
	assert(s->due <= now + SUTWIRE_PROBE_EVERY);
	assert(s->answered || s->due <= now + SUTWIRE_PROBE_WAIT);
	assert(s->cfg.index < MAP_MAX && !(s->cfg.mac[0] & 1));
}

void sutwire_check(const struct sutwire *w, uint64_t now)
{
	for (uint32_t i = 0; i < w->suts; i++)
		check_sut(&w->sut[i], now);
	assert(w->suts <= MAP_MAX && w->alsos <= SUTWIRE_ALSO_MAX);
	assert(w->owns <= OWN_MAX && w->unknowns <= SUTWIRE_UNKNOWN_MAX);
	assert(w->asked_n <= ASKED_MAX && w->asked_next < ASKED_MAX);
	assert(w->asked_next == w->asked_n % ASKED_MAX ||
	       w->asked_n == ASKED_MAX);
	assert(w->unknowns == 0 || !lan_all_known(w));
	for (uint32_t i = 0; i < w->alsos; i++)
		assert(!ipaddr_eq(&w->also[i].ip, &(struct ipaddr){ 0 }));
	/* Addresses that nobody has (RFC 2544, RFC 3849). */
	assert(ipaddr_is4(&w->probe4) && w->probe4.b[12] == 198 &&
	       (w->probe4.b[13] & 0xfe) == 18);
	assert(get_be32(w->probe6.b) == 0x20010db8u && (w->probe6.b[15] & 1));
	assert(w->stop.reason == SUTWIRE_GOING || w->stats.strangers > 0);
}
