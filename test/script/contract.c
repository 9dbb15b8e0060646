/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * contract.c - What must be true of everything that is sent to a SUT
 *
 * These hold in every script and need not be written in any: the invariants that
 * can be judged from the segments alone. Every effect is looked at as it comes,
 * with what the endpoints had sent by then.
 */
#include "world.h"

#include <string.h>

#include "core/seq.h"

#define MSS_BELIEVED 64		 /* a smaller one is none */
#define NEAR	     0x00800000u /* connections' numbers are further apart than this */

struct conn *conn_of(struct world *w, const struct effect *e)
{
	for (int i = 1; i < CONNS; i++) {
		struct conn *c = &w->conn[i];

		if (c->used && e->seq - c->iss[WHO_CLIENT] + 16 < NEAR)
			return c;
	}
	return NULL;
}

static uint32_t end_of(const struct effect *e)
{
	return e->seq + e->len + ((e->flags & TCP_SYN) != 0) +
	       ((e->flags & TCP_FIN) != 0);
}

void contract_segment(struct conn *c, const struct line *l, bool v6)
{
	const struct tcp_opts *o = &l->opts;
	bool syn = (l->flags & TCP_SYN) != 0;
	uint32_t end = l->end + (syn || (l->flags & TCP_FIN) != 0);
	uint32_t edge;

	if (l->bad || (l->flags & TCP_RST) != 0)
		return;
	if (syn && c->syn && !c->synack) {
		c->synack = true;
		c->s_max = end;
		c->agreed = c->offer.has & o->has;
		c->s_mss = v6 ? TCP_MSS_6 : TCP_MSS_4;
		if ((o->has & OPT_HAS_MSS) != 0 && o->mss >= MSS_BELIEVED)
			c->s_mss = o->mss;
		if (c->agreed & OPT_HAS_WSCALE) {
			c->scale_c = c->offer.wscale;
			c->scale_s = o->wscale;
		}
		c->s_edge = l->ack + l->win;
		return;
	}
	if (!c->synack)
		return;
	if (seq_lt(c->s_max, end))
		c->s_max = end;
	edge = l->ack + ((uint32_t)l->win << (syn ? 0 : c->scale_s));
	if ((l->flags & TCP_ACK) != 0 && seq_lt(c->s_edge, edge))
		c->s_edge = edge;
}

static void check_syn(struct world *w, struct conn *c, const struct seen *s)
{
	const uint16_t never =
		OPT_HAS_FASTOPEN | OPT_HAS_MPTCP | OPT_HAS_MD5 | OPT_HAS_AO;
	uint32_t rel = s->e.seq - c->iss[WHO_CLIENT];
	bool again = c->syn && !c->synack && c->snd_nxt == rel + 1 &&
		     c->leg_port == s->e.sport;

	if ((s->opts.has & never) != 0)
		world_fail(w, "SYN with an option that cannot be played");
	if ((s->e.flags & (TCP_ECE | TCP_CWR)) != 0)
		world_fail(w, "SYN that asks for ECN");
	if (s->e.len != 0)
		world_fail(w, "SYN with data");
	c->offer = s->opts;
	if (again)
		return;
	c->older_port = c->syn && c->leg_port != s->e.sport ? c->leg_port : 0;
	c->syn = true;
	c->leg_port = s->e.sport;
	c->synack = false;
	c->acked = false;
	c->scale_c = 0;
	c->scale_s = 0;
	c->agreed = 0;
	c->snd_nxt = rel + 1;
}

static void check_ack(struct world *w, struct conn *c, const struct seen *s)
{
	uint32_t ack = s->e.ack - c->iss[WHO_SUT];
	uint32_t edge = ack + ((uint32_t)s->e.win << c->scale_c);

	if (!c->synack) {
		world_fail(w, "I21: ack before the SUT's SYN/ACK");
		return;
	}
	if (seq_lt(c->s_max, ack))
		world_fail(w, "I6: ack %u is beyond the SUT's %u", ack,
			   c->s_max);
	if (c->acked && seq_lt(ack, c->last_ack))
		world_fail(w, "I7: ack goes back from %u to %u", c->last_ack,
			   ack);
	if (s->e.cause == CAUSE_ACK_DRAIN && s->e.win == 0)
		world_fail(w, "I11: drained with a closed window");
	if ((s->e.flags & TCP_RST) != 0)
		return; /* its window is nothing */
	if (ack == 0)
		world_fail(w, "I21: the SUT's SYN is not acked");
	if (c->acked && !w->shrink && seq_lt(edge, c->last_edge))
		world_fail(w, "I38: right edge goes back from %u to %u",
			   c->last_edge, edge);
	c->acked = true;
	c->last_ack = ack;
	c->last_edge = edge;
}

static void check_data(struct world *w, struct conn *c, const struct seen *s)
{
	uint32_t rel = s->e.seq - c->iss[WHO_CLIENT];
	uint32_t end = end_of(&s->e) - c->iss[WHO_CLIENT];
	uint32_t room = s->e.cause == CAUSE_ZERO_PROBE ? 1 : 0;
	uint32_t mss = c->s_mss;

	if (seq_lt(c->snd_nxt, rel))
		world_fail(w, "I13: a hole before %u, sent so far up to %u",
			   rel, c->snd_nxt);
	if (s->e.len > 0 && seq_lt(c->s_edge + room, rel + s->e.len))
		world_fail(w, "I13: %u is beyond the SUT's window to %u",
			   rel + s->e.len, c->s_edge);
	if ((s->opts.has & OPT_HAS_TS) != 0)
		mss = (uint16_t)(mss - 12);
	if (s->e.gso > mss || (s->e.gso == 0 && s->e.len > mss))
		world_fail(w, "segments of %u bytes, the SUT takes %u",
			   s->e.gso ? s->e.gso : s->e.len, mss);
	for (uint32_t i = 0; i < s->e.len; i++) {
		uint32_t at = rel + i;

		if (at >= STREAM_MAX || !c->known[at] ||
		    c->stream[at] != s->data[i]) {
			world_fail(w, "I12: byte %u is not the client's", at);
			break;
		}
	}
	if (seq_lt(c->snd_nxt, end))
		c->snd_nxt = end;
}

static void check_rst(struct world *w, struct conn *c, const struct seen *s)
{
	uint32_t rel = s->e.seq - c->iss[WHO_CLIENT];

	if (s->e.cause != CAUSE_STRAY_RST && rel != c->snd_nxt)
		world_fail(w, "I39: RST at %u, our snd_nxt is %u", rel,
			   c->snd_nxt);
	if (s->e.len != 0)
		world_fail(w, "RST with data");
}

static void check_options(struct world *w, struct conn *c, const struct seen *s)
{
	bool ts = (s->opts.has & OPT_HAS_TS) != 0;

	if (ts != ((c->agreed & OPT_HAS_TS) != 0))
		world_fail(w, "timestamps %s, the SUT agreed otherwise",
			   ts ? "sent" : "not sent");
	if (s->opts.sacks > 0 && (c->agreed & OPT_HAS_SACK_OK) == 0)
		world_fail(w, "SACK that was not agreed");
	for (int i = 0; i < s->opts.sacks; i++) {
		uint32_t left = s->opts.sack[i].left - c->iss[WHO_SUT];
		uint32_t right = s->opts.sack[i].right - c->iss[WHO_SUT];

		if (!seq_lt(left, right) || seq_lt(c->s_max, right) ||
		    seq_lt(left, s->e.ack - c->iss[WHO_SUT]))
			world_fail(w, "SACK %u:%u is not what the SUT sent",
				   left, right);
	}
}

void contract_effect(struct world *w, const struct seen *s)
{
	const struct effect *e = &s->e;
	struct ipaddr client = world_addr(w, WHO_CLIENT);
	struct ipaddr sut = world_addr(w, WHO_SUT);

	if (e->cause == CAUSE_OUTSIDE) {
		if (!ipaddr_eq(&e->dst, &sut))
			world_fail(w, "I1: refused somebody else");
		return;
	}
	if (!ipaddr_eq(&e->dst, &sut) || e->dport != w->cfg.map[0].sut_port)
		world_fail(w, "I1: not to the SUT");
	if (!ipaddr_eq(&e->src, &client))
		world_fail(w, "I1: not from the client's address");
	if (e->kind != EFFECT_TCP || e->cause == CAUSE_STRAY_RST)
		return;
	if (s->conn == NULL) {
		world_fail(w, "of no connection: %s", seen_text(w, s));
		return;
	}
	if (s->conn->older_port != 0 && e->sport == s->conn->older_port)
		return;
	if ((e->flags & TCP_SYN) != 0) {
		check_syn(w, s->conn, s);
		return;
	}
	if (!s->conn->syn || e->sport != s->conn->leg_port)
		world_fail(w, "without a SYN: %s", seen_text(w, s));
	if ((e->flags & TCP_ACK) != 0)
		check_ack(w, s->conn, s);
	if ((e->flags & TCP_RST) != 0) {
		check_rst(w, s->conn, s);
		return;
	}
	check_options(w, s->conn, s);
	check_data(w, s->conn, s);
}
