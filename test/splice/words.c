/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * words.c - Directives of a dialogue: what our sockets have, what has become of it
 */
#include "dialogue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/limits.h"

static const char *const states[] = { "close",	  "established", "pre",
				      "spliced",  "fin",	 "shutdown",
				      "timewait", "cut" };
static const char *const events[] = { "joined",	 "fin",	    "timewait",
				      "reset",	 "revived", "reused",
				      "settled", "cut",	    "held" };
static const char *const faults[] = { "fine",	"cut",	     "list",
				      "signed", "fragment",  "extension",
				      "hops",	"unanswered" };
static const char *const refusals[] = { "agreed", "not_open", "ts_differ" };

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static int find(const char *const *names, size_t n, const char *word)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(names[i], word) == 0)
			return (int)i;
	return -1;
}

/* set client.NAME N, set server.NAME N */
const char *dialogue_set(struct dialogue *g, const struct line *l)
{
	enum dir d = strncmp(l->word[0], "client.", 7) == 0 ? DIR_C2S : DIR_S2C;
	struct splice_socket *k = &g->socket[d];
	const struct base *b = &g->base[d];
	const char *name = l->word[0] + 7;
	uint32_t v = (uint32_t)strtoul(l->word[1], NULL, 0);
	const struct {
		const char *name;
		uint32_t *at;
		uint32_t base;
	} numbers[] = {
		{ "una", &k->snd_una, b->ours },
		{ "written", &k->write_seq, b->ours },
		{ "peerwin", &k->snd_wnd, 0 },
		{ "nxt", &k->rcv_nxt, b->peer },
		{ "read", &k->copied_seq, b->peer },
		{ "told_ack", &k->rcv_wup, b->peer },
		{ "told_win", &k->rcv_wnd, 0 },
		{ "room", &k->room, 0 },
		{ "recent", &k->ts_recent, b->peer_ts },
		{ "clock", &k->tsval, b->our_ts },
		{ "pending", &k->pending, 0 },
		{ "cut", &k->cut, 0 },
	};
	const struct {
		const char *name;
		bool *at;
	} facts[] = { { "ts", &k->ts },
		      { "sack", &k->sack },
		      { "ecn", &k->ecn },
		      { "open", &k->open },
		      { "fin", &k->fin } };

	if (l->words != 2 ||
	    (d == DIR_S2C && strncmp(l->word[0], "server.", 7) != 0))
		return "set client.NAME N or set server.NAME N";
	for (size_t i = 0; i < COUNT(numbers); i++)
		if (strcmp(numbers[i].name, name) == 0) {
			k->has_cut |= numbers[i].at == &k->cut;
			*numbers[i].at = v + numbers[i].base;
			return NULL;
		}
	for (size_t i = 0; i < COUNT(facts); i++)
		if (strcmp(facts[i].name, name) == 0) {
			*facts[i].at = v != 0;
			return NULL;
		}
	if (strcmp(name, "hops") == 0)
		g->hops = (uint8_t)v;
	else if (strcmp(name, "mss") == 0)
		k->mss = (uint16_t)v;
	else if (strcmp(name, "scale") == 0)
		k->scale = (uint8_t)v;
	else if (strcmp(name, "told") == 0)
		k->told = (uint8_t)v;
	else
		return "a socket has nothing of this name";
	return NULL;
}

/* The base points of the thesis, from what our sockets have. */
static void set_oracle(struct dialogue *g)
{
	for (enum dir d = DIR_C2S; d < DIR_COUNT; d++) {
		const struct splice_socket *k = &g->socket[d];
		struct oracle_side *o = &g->oracle.side[d];

		o->irs = k->copied_seq;
		o->iss = k->write_seq + k->pending;
		o->ts_recv = k->ts_recent;
		o->ts_sent = k->tsval + 1;
		o->peer_scale = k->scale;
		o->our_scale = k->told;
		o->mss = k->mss;
	}
	g->oracle.ts = g->socket[0].ts && g->socket[1].ts;
	g->oracle.sack = g->socket[0].sack && g->socket[1].sack;
	g->oracle.ecn = g->socket[0].ecn && g->socket[1].ecn;
	g->spliced = true;
}

static const char *splice(struct dialogue *g, const char *want)
{
	struct splice_pair was = g->pair;
	int r;

	g->r = (struct way_result){ 0 };
	r = (int)splice_begin(&g->pair, g->socket, g->now, &g->r.events);
	if (r != find(refusals, COUNT(refusals), want))
		return "another answer to the splice";
	if (r == SPLICE_AGREED) {
		set_oracle(g);
		return kernel_splice(g);
	}
	if (memcmp(&was, &g->pair, sizeof(was)) != 0)
		return "a refused splice has changed the pair";
	return NULL;
}

/* No more crosses: yes or no */
static const char *cut_now(struct dialogue *g, const char *want)
{
	bool reached = false;

	if (splice_cut_now(&g->pair, &reached) != (strcmp(want, "yes") == 0))
		return "the other answer";
	g->r = (struct way_result){ .events = reached ? SPLICE_EV_CUT : 0 };
	return kernel_splice(g);
}

/* There are sockets, made for cuts at CLIENT and SERVER, bytes of their peers */
static const char *ready(struct dialogue *g, const struct line *l)
{
	uint32_t cut[DIR_COUNT];

	for (enum dir d = DIR_C2S; d < DIR_COUNT; d++)
		cut[d] = (uint32_t)strtoul(l->word[d + 2], NULL, 0) +
			 g->base[d].peer;
	if (splice_ready(&g->pair, cut) != (strcmp(l->word[1], "yes") == 0))
		return "the other answer";
	return kernel_splice(g);
}

static const char *withdraw(struct dialogue *g, const char *want)
{
	if (splice_withdraw(&g->pair) != (strcmp(want, "yes") == 0))
		return "the other answer";
	return kernel_splice(g);
}

static const char *forward(struct dialogue *g, const struct line *l)
{
	g->forward = true;
	g->mtu = l->words > 1 ? (uint32_t)strtoul(l->word[1], NULL, 0) : 0;
	return kernel_forward(g);
}

static const char *counted(const struct dialogue *g, const struct line *l)
{
	const struct splice_side *i =
		&g->pair.side[strcmp(l->word[0], "client") == 0 ? DIR_C2S
								: DIR_S2C];
	uint64_t v = strtoull(l->word[2], NULL, 0);

	if (strcmp(l->word[1], "segments") == 0)
		return i->segments == v ? NULL : "another number of segments";
	if (strcmp(l->word[1], "bytes") == 0)
		return i->bytes == v ? NULL : "another number of bytes";
	if (strcmp(l->word[1], "acked") == 0)
		return i->acked == v ? NULL : "another number of acked bytes";
	if (strcmp(l->word[1], "outside") == 0)
		return i->outside == v ? NULL : "another number outside";
	return "segments, bytes, acked or outside";
}

static const char *happened(const struct dialogue *g, const struct line *l)
{
	uint32_t want = 0;

	for (unsigned i = 1; i < l->words; i++) {
		int n = find(events, COUNT(events), l->word[i]);

		if (n < 0 && strcmp(l->word[i], "none") != 0)
			return "there is no such event";
		if (n >= 0)
			want |= 1u << n;
	}
	return g->r.events == want ? NULL : "other events";
}

static const char *state(const struct dialogue *g, const struct line *l)
{
	if (l->words != 3)
		return "= state CLIENT SERVER";
	for (enum dir d = DIR_C2S; d < DIR_COUNT; d++)
		if (g->pair.side[d].state !=
		    find(states, COUNT(states), l->word[d + 1]))
			return states[g->pair.side[d].state];
	return NULL;
}

static const char *may_reuse(const struct dialogue *g, const struct line *l)
{
	const struct base *b = &g->base[DIR_S2C];
	uint32_t tsval = (uint32_t)strtoul(l->word[2], NULL, 0) + b->our_ts;
	uint32_t iss = (uint32_t)strtoul(l->word[3], NULL, 0) + b->ours;

	return splice_may_reuse(&g->pair, tsval, iss) ==
			       (strcmp(l->word[1], "yes") == 0)
		       ? NULL
		       : "the other answer";
}

const char *dialogue_assert(struct dialogue *g, const struct line *l)
{
	const char *w = l->word[0];

	if (strcmp(w, "stack") == 0 || strcmp(w, "dropped") == 0) {
		if (!g->open)
			return "there is no packet to speak of";
		g->open = false;
		if (g->r.fate == WAY_PEER || g->r.fate == WAY_SENDER)
			return "it was relayed, or answered";
		if ((g->r.fate == WAY_STACK) != (w[0] == 's'))
			return "the other fate";
		return w[0] == 's' || (int)g->r.fault == find(faults,
							      COUNT(faults),
							      l->word[1])
			       ? NULL
			       : "another fault";
	}
	if (strcmp(w, "held") == 0) {
		if (!g->open || g->r.fate != WAY_HELD)
			return "the other fate";
		g->open = false;
		return NULL;
	}
	if (strcmp(w, "answered") == 0) {
		g->answered = g->open && g->r.fate == WAY_SENDER;
		return g->answered ? NULL : "the other fate";
	}
	if (strcmp(w, "forward") == 0)
		return forward(g, l);
	if (strcmp(w, "splice") == 0)
		return splice(g, l->words > 1 ? l->word[1] : "agreed");
	if (strcmp(w, "cut") == 0 && l->words == 2)
		return cut_now(g, l->word[1]);
	if (strcmp(w, "ready") == 0 && l->words == 4)
		return ready(g, l);
	if (strcmp(w, "withdraw") == 0 && l->words == 2)
		return withdraw(g, l->word[1]);
	if (strcmp(w, "state") == 0)
		return state(g, l);
	if (strcmp(w, "event") == 0)
		return happened(g, l);
	if (strcmp(w, "reuse") == 0 && l->words == 4)
		return may_reuse(g, l);
	if (strcmp(w, "due") == 0 && l->words == 3)
		return splice_due(&g->pair,
				  strtoull(l->word[1], NULL, 0) * NS_PER_SEC,
				  g->now) == (strcmp(l->word[2], "yes") == 0)
			       ? NULL
			       : "the other answer";
	if ((strcmp(w, "client") == 0 || strcmp(w, "server") == 0) &&
	    l->words == 3)
		return counted(g, l);
	return "this is not a directive";
}
