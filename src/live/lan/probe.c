/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * probe.c - A SYN that shows where the SUT's packets to the world come out
 */
#include "lan/probe_port.h"
#include "lan/sutwire_internal.h"

#include <assert.h>

#include "wire/tcpopt.h"

#define PROBE_MSS    1460
#define PROBE_WINDOW 65535
#define PROBE_TTL    64

void lan_probe_begin(struct sutwire *w, struct wire_sut *s, uint64_t now)
{
	s->tries = 0;
	s->answered = false;
	s->sport = probe_port(&w->rng);
	s->iss = (uint32_t)rng_next(&w->rng);
	s->due = now;
}

static struct effect *probe_segment(struct sutwire *w, const struct wire_sut *s,
				    struct effects *out)
{
	struct effect *e = lan_effect(w, out, EFFECT_TCP, CAUSE_PROBE, s);

	if (!e)
		return NULL;
	e->src = ipaddr_is4(&s->cfg.ip) ? w->probe4 : w->probe6;
	e->sport = s->sport;
	e->dport = s->cfg.port;
	e->ttl = PROBE_TTL;
	return e;
}

void lan_probe_syn(struct sutwire *w, const struct wire_sut *s,
		   struct effects *out)
{
	struct effect *e = probe_segment(w, s, out);

	assert(e); /* as in sut_timeout() */
	e->flags = TCP_SYN;
	e->seq = s->iss;
	e->win = PROBE_WINDOW;
	e->optlen = tcp_put_options(
		e->opts,
		&(struct tcp_opts){ .has = OPT_HAS_MSS, .mss = PROBE_MSS });
	w->stats.probes++;
}

bool lan_for_probe(const struct sutwire *w, const struct segment *g)
{
	return ipaddr_eq(&g->dst, &w->probe4) || ipaddr_eq(&g->dst, &w->probe6);
}

struct wire_sut *lan_probe_answered(struct sutwire *w, const struct segment *g)
{
	for (uint32_t i = 0; i < w->suts; i++) {
		struct wire_sut *s = &w->sut[i];

		if (s->known && s->tries > 0 && g->sport == s->cfg.port &&
		    g->dport == s->sport && (g->flags & TCP_ACK) &&
		    (g->flags & (TCP_SYN | TCP_RST)) && g->ack == s->iss + 1 &&
		    ipaddr_eq(&g->src, &s->cfg.ip))
			return s;
	}
	return NULL;
}

/* RFC 9293 section 3.10.7.1: a RST takes its seq from the segment's ack. */
static void reset(struct sutwire *w, const struct wire_sut *s,
		  const struct segment *g, struct effects *out)
{
	struct effect *e = probe_segment(w, s, out);

	if (!e)
		return;
	e->src = g->dst;
	e->dst = g->src;
	e->sport = g->dport;
	e->dport = g->sport;
	e->flags = TCP_RST;
	e->seq = g->ack;
}

void lan_on_probe(struct sutwire *w, const struct decoded *d, uint64_t now,
		  struct effects *out)
{
	const struct segment *g = &d->seg;
	struct wire_sut *s = lan_probe_answered(w, g);
	bool rst = (g->flags & TCP_RST);

	/* Its hardware address is a SUT's, or it had not come here. */
	if (!s) {
		w->stats.probe_stray++;
		s = lan_by_mac(w, d->eth_src);
	} else if (!s->answered) {
		w->stats.probe_rst += rst;
		w->stats.probe_synack += !rst;
		s->state = SUTWIRE_READY;
		/* The numbers stay, so that a repeated SYNACK is known too. */
		s->answered = true;
		s->proved = true;
		s->astray = false;
		s->due = now +
			 (w->any ? SUTWIRE_MOVE_EVERY : SUTWIRE_PROBE_EVERY);
	}
	if (!rst && (g->flags & TCP_ACK) && w->stop.reason == SUTWIRE_GOING)
		reset(w, s, g, out);
}
