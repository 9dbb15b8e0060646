/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prove.c - Each network of clients is proved before its first client is played
 *
 * Theory of operation
 *
 * The probe of the SUT's wire (sutwire) shows that the SUT's default route
 * leads here. A route of the SUT that is more specific stays unseen by it: a
 * SUT with a second leg in the clients' network would answer real clients
 * there. So each network of clients (an IPv4 /24, an IPv6 /64) is proved by
 * itself before its first client is played: a SYN goes out from an address of
 * that network that is nobody's, and its SYN,ACK or RST must come back on this
 * wire, to our hardware address. What the SUT's other leg may carry of it is a
 * question for that address (ARP, neighbour solicitation), which nobody
 * answers.
 *
 *   new --asked for--> queued --SYN--> asked --answer--> proved
 *                                        | PROVE_TRIES SYNs, no answer
 *                                        '--> lost, moved, or as before
 *   lost, moved --PROVE_AGAIN, asked for--> queued
 *   proved --PROVE_DEAF SYNs of its clients unanswered--> queued
 *
 * Nobody's: drawn from the run's seed, not the first or last two of the network
 * (its own addresses and, as a rule, its routers), no SUT's, not production's,
 * and not shown by the mirror so far. What was shown is kept as one bit a hash:
 * it takes more for shown than was, never less; three quarters full it is
 * cleared.
 *
 * No answer has two reasons: the route, or a SUT that answers nobody (it
 * restarts, it is overloaded). Only the first is a lost network, so with the
 * second and the third SYN and after it a control is asked, a SYN from an
 * address of 198.18.0.0/15 (RFC 2544) or 2001:db8::/32 (RFC 3849) to the same
 * port. The network is lost if at least CONTROL_LEAST of these were answered,
 * none was not, and the last one was sent after the network's last SYN.
 * Otherwise nothing is decided, and it is tried again for the next client. One
 * of which any SYN was ever answered here is never lost but moved: that it is
 * silent now is the SUT's doing, and its clients are unanswered.
 *
 * Without @each a network is as if proved until PROVE_DEAF SYNs of its clients
 * went unanswered.
 *
 * All SYNs of this machine share one rate: @slot is when the next may go, a few
 * may go together. The RST that ends a probe does not count.
 */
#include "lan/probe_port.h"
#include "lan/prove_internal.h"

#include <assert.h>
#include <string.h>

#define STEPS	      (PROVE_TRIES + 1)
#define CONTROL_LEAST 2
#define BURST	      NS_PER_MS
#define BATCH	      4 /* effects a call, the others are the machine's */
#define PROBE_MSS     1460
#define PROBE_WINDOW  65535
#define PROBE_TTL     64

static bool may_send(const struct prove *p, uint64_t now)
{
	return p->slot <= now + BURST;
}

static struct effect *probe_segment(const struct prove *p, uint8_t sut,
				    const struct probe *b, struct effects *out)
{
	const struct prove_sut *s = &p->control[sut].sut;
	struct effect *e;

	if (effects_left(out) == 0)
		return NULL;
	e = &out->e[out->n++];
	memset(e, 0, sizeof(*e));
	e->kind = EFFECT_TCP;
	e->cause = CAUSE_PROBE;
	e->sut = sut;
	e->src = b->from;
	e->dst = s->ip;
	e->sport = b->port;
	e->dport = s->port;
	e->ttl = PROBE_TTL;
	return e;
}

static void send_syn(struct prove *p, uint8_t sut, const struct probe *b,
		     uint64_t now, struct effects *out)
{
	struct effect *e = probe_segment(p, sut, b, out);

	assert(e); /* prove_timeout() has seen that there is room */
	e->flags = TCP_SYN;
	e->seq = b->iss;
	e->win = PROBE_WINDOW;
	e->optlen = tcp_put_options(
		e->opts,
		&(struct tcp_opts){ .has = OPT_HAS_MSS, .mss = PROBE_MSS });
	p->slot = (p->slot > now ? p->slot : now) + SLOT;
	p->count.probes++;
}

void net_number(struct prove *p, struct probe *b)
{
	b->port = probe_port(&p->rng);
	b->iss = (uint32_t)rng_next(&p->rng);
}

static void control_ask(struct prove *p, uint8_t sut, uint64_t now,
			struct effects *out)
{
	struct control *c = &p->control[sut];

	if (c->open && now - c->sent < CONTROL_WAIT)
		return;
	c->bad += c->open;
	c->open = true;
	c->sent = now;
	net_number(p, &c->probe);
	send_syn(p, sut, &c->probe, now, out);
}

/* Leave a network out of, or take it into, those that can be named. */
static void name_lost(struct prove *p, const struct net *n)
{
	uint32_t i = 0;

	while (i < p->lost_n && (p->lost[i].sut != n->key.sut ||
				 !ipaddr_eq(&p->lost[i].net, &n->key.net)))
		i++;
	if (i == p->lost_n && !n->told)
		return;
	if (i == p->lost_n && i == PROVE_NAMED)
		i = 0;
	if (i < p->lost_n) {
		p->lost_n--;
		memmove(&p->lost[i], &p->lost[i + 1],
			(p->lost_n - i) * sizeof(p->lost[0]));
	}
	if (n->told)
		p->lost[p->lost_n++] = (struct prove_lost){
			.net = n->key.net,
			.bits = prove_bits(&n->key.net),
			.sut = (uint8_t)n->key.sut,
			.moved = n->state == NET_MOVED,
		};
}

static void settle(struct prove *p, struct net *n, enum net_state state,
		   enum flow_gate gate)
{
	bool lost = state == NET_LOST || state == NET_MOVED;

	wheel_disarm(&p->wheel, &n->timer);
	if (n->state == NET_QUEUED)
		p->queued--;
	list_del(&n->settled); /* of the queue */
	n->state = (uint8_t)state;
	n->gate = (uint8_t)gate;
	n->deaf = 0;
	n->tell = lost != n->told;
	n->told = lost;
	name_lost(p, n);
	if (list_empty(&n->news))
		list_add_tail(&p->news, &n->news);
}

static void proved(struct prove *p, struct net *n)
{
	p->count.proved++;
	p->count.regained += n->told;
	n->heard = true;
	settle(p, n, NET_PROVED, GATE_OPEN);
}

/* No SYN was answered. Is it the network's, or does the SUT answer nobody? */
static void unanswered(struct prove *p, struct net *n, uint64_t now)
{
	const struct control *c = &p->control[n->key.sut];
	bool route = c->good - n->good >= CONTROL_LEAST && c->bad == n->bad &&
		     c->last >= n->sent &&
		     !(c->open && now - c->sent >= CONTROL_WAIT);

	if (route) {
		n->since = now;
		p->count.lost += !n->heard;
		p->count.moved += n->heard;
		settle(p, n, n->heard ? NET_MOVED : NET_LOST,
		       n->heard ? GATE_DEAF : GATE_LOST);
		return;
	}
	p->count.undecided++;
	/* What is known of it stays; clients that waited find out themselves
	 * where that is safe.
	 */
	if (n->old == NET_PROVED || (n->old == NET_NEW && !p->each))
		settle(p, n, (enum net_state)n->old, GATE_OPEN);
	else
		settle(p, n, (enum net_state)n->old, GATE_DEAF);
}

/* Queue a network for its probe. Return: false, it is unchanged: no room */
static bool begin(struct prove *p, struct net *n)
{
	if (p->queued >= PROVE_QUEUE || !list_empty(&n->news)) {
		p->count.unasked++;
		return false;
	}
	n->old = n->state;
	n->state = NET_QUEUED;
	p->queued++;
	list_del(&n->settled);
	list_add_tail(&p->queue, &n->settled);
	return true;
}

static void first_syn(struct prove *p, struct net *n, uint64_t now,
		      struct effects *out)
{
	const struct control *c = &p->control[n->key.sut];

	if (!net_draw(p, n, &n->probe.from)) {
		p->count.crowded++;
		settle(p, n, (enum net_state)n->old,
		       n->old == NET_PROVED ? GATE_OPEN : GATE_LATER);
		return;
	}
	list_del(&n->settled);
	p->queued--;
	n->state = NET_ASKED;
	n->step = 1;
	n->good = c->good;
	n->bad = c->bad;
	n->sent = now;
	net_number(p, &n->probe);
	send_syn(p, (uint8_t)n->key.sut, &n->probe, now, out);
	wheel_arm(&p->wheel, &n->timer, now + PROVE_STEP);
}

static void next_step(struct prove *p, struct net *n, uint64_t now,
		      struct effects *out)
{
	if (n->step == STEPS) {
		unanswered(p, n, now);
		return;
	}
	if (n->step < PROVE_TRIES) {
		send_syn(p, (uint8_t)n->key.sut, &n->probe, now, out);
		n->sent = now;
	}
	n->step++;
	control_ask(p, (uint8_t)n->key.sut, now, out);
	wheel_arm(&p->wheel, &n->timer, now + PROVE_STEP);
}

struct prove_ask prove_ask(struct prove *p, uint8_t sut,
			   const struct ipaddr *client, uint64_t now)
{
	struct net *n = net_get(p, sut, client);
	struct prove_ask a = { .gate = GATE_LATER };

	assert(sut < p->suts);
	if (!n)
		return a;
	a.flows = &n->flows;
	a.queries = &n->queries;
	switch ((enum net_state)n->state) {
	case NET_PROVED:
		a.gate = GATE_OPEN;
		return a;
	case NET_NEW:
		if (!p->each) {
			a.gate = GATE_OPEN;
			return a;
		}
		break;
	case NET_LOST:
	case NET_MOVED:
		if (now - n->since < PROVE_AGAIN) {
			a.gate = n->heard ? GATE_DEAF : GATE_LOST;
			return a;
		}
		break;
	case NET_QUEUED:
	case NET_ASKED:
		a.gate = GATE_WAIT;
		return a;
	}
	if (begin(p, n))
		a.gate = GATE_WAIT;
	return a;
}

void prove_deaf(struct prove *p, uint8_t sut, const struct ipaddr *client)
{
	struct net *n = net_get(p, sut, client);

	if (!n || (n->state != NET_PROVED && (n->state != NET_NEW || p->each)))
		return;
	if (n->deaf < PROVE_DEAF)
		n->deaf++;
	if (n->deaf == PROVE_DEAF)
		begin(p, n);
}

void prove_heard(struct prove *p, uint8_t sut, const struct ipaddr *client)
{
	struct net *n = net_get(p, sut, client);

	if (!n)
		return;
	n->heard = true;
	n->deaf = 0;
	/* An answer to a client that came here is as good as one to a probe,
	 * also if it is late.
	 */
	if (n->state != NET_PROVED && n->state != NET_NEW)
		proved(p, n);
}

static bool answers(const struct probe *b, const struct segment *g)
{
	return g->dport == b->port && g->ack == b->iss + 1 &&
	       ipaddr_eq(&g->dst, &b->from);
}

/* RFC 9293 section 3.10.7.1: a RST takes its seq from the segment's ack. */
static void reset(struct prove *p, uint8_t sut, const struct probe *b,
		  const struct segment *g, struct effects *out)
{
	struct effect *e;

	if (g->flags & TCP_RST)
		return;
	e = probe_segment(p, sut, b, out);
	if (!e)
		return; /* the SUT repeats its SYN,ACK */
	e->flags = TCP_RST;
	e->seq = g->ack;
}

bool prove_segment(struct prove *p, uint8_t sut, const struct segment *seg,
		   bool ours, uint64_t now, struct effects *out)
{
	struct control *c = &p->control[sut];
	struct net_key k;
	struct net *n;

	assert(sut < p->suts);
	if (!(seg->flags & TCP_ACK) || !(seg->flags & (TCP_SYN | TCP_RST)) ||
	    seg->sport != c->sut.port)
		return false;
	if (answers(&c->probe, seg)) {
		if (c->open && ours && now - c->sent < CONTROL_WAIT) {
			c->open = false;
			c->last = c->sent;
			c->good++;
		}
		reset(p, sut, &c->probe, seg, out);
		return true;
	}
	k = net_key_of(sut, &seg->dst);
	n = net_find(p, &k);
	if (!n || !answers(&n->probe, seg))
		return false;
	p->count.elsewhere += !ours;
	if (ours && n->state == NET_ASKED)
		proved(p, n);
	reset(p, sut, &n->probe, seg, out);
	return true;
}

bool prove_next(struct prove *p, struct prove_news *news)
{
	struct net *n;

	if (list_empty(&p->news))
		return false;
	n = list_entry(p->news.next, struct net, news);
	list_del(&n->news);
	net_touch(p, n);
	*news = (struct prove_news){
		.sut = (uint8_t)n->key.sut,
		.bits = prove_bits(&n->key.net),
		.tell = n->tell,
		.gate = (enum flow_gate)n->gate,
		.net = n->key.net,
		.flows = &n->flows,
		.queries = &n->queries,
	};
	n->tell = false;
	return true;
}

/* A step sends two SYNs at most. */
static bool room(const struct prove *p, const struct effects *out, uint32_t end,
		 uint64_t now)
{
	return out->n + 2 <= end && may_send(p, now);
}

void prove_timeout(struct prove *p, uint64_t now, struct effects *out)
{
	uint32_t end = out->n + BATCH;
	struct timer *t;

	if (end > EFFECTS_MAX)
		end = EFFECTS_MAX;
	while (room(p, out, end, now) && (t = wheel_pop(&p->wheel, now)))
		next_step(p, list_entry(t, struct net, timer), now, out);
	while (room(p, out, end, now) && !list_empty(&p->queue))
		first_syn(p, list_entry(p->queue.next, struct net, settled),
			  now, out);
}

uint64_t prove_next_timeout(const struct prove *p)
{
	uint64_t next = list_empty(&p->queue) ? wheel_next(&p->wheel) : 0;
	uint64_t may = p->slot > BURST ? p->slot - BURST : 0;

	return next < may ? may : next;
}

const struct prove_lost *prove_lost(const struct prove *p, uint32_t i)
{
	return i < p->lost_n ? &p->lost[i] : NULL;
}

struct prove_counters *prove_counters(struct prove *p)
{
	return &p->count;
}
