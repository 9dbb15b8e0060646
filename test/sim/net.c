/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net.c - Wires, the mirror port, and which endpoint a segment is for
 *
 * Theory of operation
 *
 *	client --C_TAP--> tap --TAP_P--> production
 *	client <--TAP_C-- tap <--P_TAP-- production
 *	                   '--MIRROR--> engine --U_S--> SUT
 *	                                engine <--S_U-- SUT
 *
 * A wire keeps the order of what it carries but for those segments that it swaps.
 * What is lost before the tap nobody sees; what is lost behind it the mirror
 * shows, and then again. The mirror itself loses, swaps, repeats and breaks
 * copies, in a run whose profile says so.
 */
#include <stdlib.h>
#include <string.h>

#include "sim.h"

struct pkt *pkt_new(uint32_t len)
{
	struct pkt *p = malloc(sizeof(*p) + len);

	if (p == NULL)
		abort();
	memset(p, 0, sizeof(*p));
	p->refs = 1;
	p->len = len;
	return p;
}

void pkt_drop(struct pkt *p)
{
	if (--p->refs == 0)
		free(p);
}

bool chance(struct sim *s, uint32_t of)
{
	return of != 0 && (rng_next(&s->wire_rng) & 0xffff) < of;
}

static uint64_t below(struct sim *s, uint64_t n)
{
	return n == 0 ? 0 : rng_next(&s->wire_rng) % n;
}

/* One copy; the caller's hold on @p goes with it. */
static void put(struct sim *s, struct link *l, struct pkt *p,
		enum event_name name)
{
	int64_t later = p->up ? -(int64_t)s->opt->skew : s->opt->skew;
	uint64_t at = s->now + l->delay + below(s, l->jitter + 1);

	if (!sim_is_healed(s) && chance(s, l->swap)) {
		at += below(s, l->swap_by + 1);
	} else {
		at = at > l->last ? at : l->last + 1;
		l->last = at;
	}
	/* Two cards or clocks: one direction is shown constantly later. */
	if (l == &s->link[LINK_MIRROR] && later > 0)
		at += (uint64_t)later * NS_PER_MS;
	sim_at(s, at, name, p);
}

/* Does the mirror show nothing at all now? */
static bool is_blind(const struct sim *s)
{
	return s->blind_every != 0 && !sim_is_healed(s) &&
	       s->now % (s->blind_every + s->blind_for) >= s->blind_every;
}

/* Put @p on a wire; it takes the caller's hold. */
static void carry(struct sim *s, enum link_name n, struct pkt *p,
		  enum event_name name)
{
	struct link *l = &s->link[n];

	if ((!sim_is_healed(s) && chance(s, l->lose)) ||
	    (n == LINK_MIRROR && is_blind(s))) {
		if (n == LINK_MIRROR && p->conn != NULL)
			p->conn->whole = false;
		sim_pkt(s, "lost", p);
		pkt_drop(p);
		return;
	}
	if (!sim_is_healed(s) && chance(s, l->twice)) {
		p->refs++;
		put(s, l, p, name);
	}
	put(s, l, p, name);
}

/* A copy with a broken byte goes in front of the good one (I30). */
static void mirror(struct sim *s, struct pkt *p)
{
	struct pkt *bad;

	if (s->profile->mirror && !sim_is_healed(s) && chance(s, 300)) {
		bad = pkt_new(p->len);
		memcpy(bad, p, sizeof(*p) + p->len);
		bad->refs = 1;
		bad->bad = true;
		put(s, &s->link[LINK_MIRROR], bad, EV_SHOWN);
	}
	p->refs++;
	carry(s, LINK_MIRROR, p, EV_SHOWN);
}

void net_send(struct tcp *t, struct pkt *p)
{
	struct sim *s = t->sim;

	p->conn = t->conn;
	p->leg = t->leg;
	p->client = t->conn->client;
	p->cport = t->leg != NULL ? t->leg->port : t->conn->port;
	p->up = t->side == SIDE_CLIENT;
	sim_pkt(s,
		t->side == SIDE_CLIENT ? "C"
		: t->side == SIDE_PROD ? "P"
				       : "S",
		p);
	carry(s,
	      t->side == SIDE_CLIENT ? LINK_C_TAP
	      : t->side == SIDE_PROD ? LINK_P_TAP
				     : LINK_S_U,
	      p, t->side == SIDE_SUT ? EV_ANSWER : EV_TAP);
}

void net_to_sut(struct sim *s, struct pkt *p)
{
	carry(s, LINK_U_S, p, EV_SUT);
}

static void at_client(struct sim *s, struct pkt *p)
{
	struct conn *c = s->slot[p->client][p->cport - CLIENT_PORT];

	if (c != NULL && c->begun)
		tcp_input(&c->c, p);
}

static bool newer(const struct tcp *t, const struct pkt *p)
{
	return t->state == TCP_CLOSED ||
	       (t->state == TCP_TIME_WAIT && seq_lt(t->rcv_nxt, p->seq));
}

static void at_prod(struct sim *s, struct pkt *p)
{
	struct conn **at = &s->listener[p->client][p->cport - CLIENT_PORT];
	struct conn *c = *at;
	struct conn *n = p->conn;

	/* A connection is accepted once: a late copy of its SYN is not a new
	 * one, as a host with SYN cookies would have it.
	 */
	if ((p->flags & (FL_SYN | FL_ACK)) == FL_SYN && n != c && !n->p_used &&
	    (c == NULL || newer(&c->p, p))) {
		n->p_used = true;
		*at = n;
		tcp_accept(&n->p, (uint32_t)rng_next(&s->wire_rng), p);
		return;
	}
	if (c != NULL)
		tcp_input(&c->p, p);
}

static bool is_mute(const struct sim *s, const struct played *l)
{
	if (sim_is_healed(s))
		return false;
	if (s->mute_sut && s->now >= s->mute_from && s->now < s->mute_to)
		return true;
	return l->conn->fault == FAULT_MUTE && s->now < l->app.read_at;
}

static void at_sut(struct sim *s, struct pkt *p)
{
	struct played **at = &s->server_of[p->client][p->cport];
	struct played *l = *at;
	struct played *n = p->leg;

	if (n != NULL && n->conn->fault == FAULT_MUTE && n->app.read_at == 0)
		n->app.read_at = s->now + NS_PER_SEC + below(s, 4 * NS_PER_SEC);
	if (n != NULL && is_mute(s, n))
		return;
	if ((p->flags & (FL_SYN | FL_ACK)) == FL_SYN && n != NULL && n != l &&
	    (l == NULL || newer(&l->sut, p))) {
		if (n->sut_used)
			return;
		n->sut_used = true;
		*at = n;
		if (n->conn->fault == FAULT_REFUSE) {
			tcp_input(&n->sut, p);
			return;
		}
		tcp_accept(&n->sut, (uint32_t)rng_next(&s->wire_rng), p);
		return;
	}
	if (l != NULL)
		tcp_input(&l->sut, p);
}

static void at_tap(struct sim *s, struct pkt *p)
{
	mirror(s, p);
	carry(s, p->up ? LINK_TAP_P : LINK_TAP_C, p,
	      p->up ? EV_PROD : EV_CLIENT);
}

void net_event(struct sim *s, const struct event *e)
{
	struct pkt *p = e->what;

	switch (e->name) {
	case EV_TAP:
		at_tap(s, p);
		return; /* the hold went on */
	case EV_SHOWN:
		house_hold(s, true, p);
		return;
	case EV_ANSWER:
		house_hold(s, false, p);
		return;
	case EV_CLIENT:
		at_client(s, p);
		break;
	case EV_PROD:
		at_prod(s, p);
		break;
	default:
		at_sut(s, p);
		break;
	}
	pkt_drop(p);
}
