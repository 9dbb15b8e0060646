/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check.c - The invariants, as seen from outside
 *
 * Theory of operation
 *
 * What the engine has been shown is noted just before it is (check_shown(),
 * check_answer()); every segment that it wants sent is then held against that and
 * against the endpoints' own streams (check_effect()). The SUT's application has
 * its bytes compared as they come (check_bytes()). Sums are added up after every
 * turn. At the end each connection that the mirror showed whole, between healthy
 * endpoints, must have reached the SUT whole, closed there, and been judged as
 * the plan says; nothing may be left anywhere.
 *
 * A failure names the invariant of doc/INVARIANTS.md. What is not checked for
 * which connection is said at the condition.
 */
#include <stdlib.h>
#include <string.h>

#include "compare/protocol.h"
#include "sim.h"

#define SYNS_MAX  6 /* the first and SYN_TRIES more (I27) */
#define LATE_WAIT (5 * NS_PER_SEC)
#define FIN_WAIT  (10 * NS_PER_SEC)
#define SCALE_MAX 14u /* RFC 7323 section 2.3 */

const struct shadow_counters *machine(const struct sim *s)
{
	return shadow_counters(
		(struct shadow *)(uintptr_t)engine_shadow(s->engine));
}

static bool is_plain(const struct sim *s, const struct conn *c)
{
	return c->healed || (c->whole && c->leg_n < 2 && !s->profile->scarce &&
			     !s->profile->mirror);
}

/* Where the mirror showed all and the flow was never resumed it is a failure. */
#define tell(s, c, k, ...)                                                     \
	do {                                                                   \
		if (is_plain(s, c))                                            \
			sim_fail(s, c, __VA_ARGS__);                           \
		else                                                           \
			sim_known(s, c, k, __VA_ARGS__);                       \
	} while (0)

static struct played **leg_at(struct sim *s, const struct pkt *p)
{
	return &s->at_sut[p->client][p->cport];
}

/* --- what the engine is shown --- */

static void note_data(struct conn *c, const struct pkt *p, uint64_t now)
{
	struct cseg *g;

	if (c->cseg_n == CSEG_MAX)
		return;
	if (c->cseg == NULL)
		c->cseg = sim_alloc(CSEG_MAX * sizeof(*c->cseg));
	g = &c->cseg[c->cseg_n++];
	g->from = p->seq - c->c.iss - 1;
	g->to = g->from + p->len;
	g->ack = p->ack - c->p.iss - 1;
	g->at = now;
}

void check_shown(struct sim *s, const struct pkt *p)
{
	struct conn *c = p->conn;

	s->last_frame = s->now;
	if ((p->flags & FL_RST) != 0)
		c->rst_seen = true;
	if (!p->up) {
		/* What production acks was sent by a client that has opened. */
		if ((p->flags & (FL_ACK | FL_SYN | FL_RST)) == FL_ACK &&
		    seq_lt(c->c.iss + 1, p->ack))
			c->c_ack_seen = true;
		return;
	}
	if ((p->flags & (FL_ACK | FL_SYN | FL_RST)) == FL_ACK) {
		c->c_ack_seen = true;
		if (*leg_at(s, p) != NULL)
			(*leg_at(s, p))->conn->tuple_acked = true;
		if (p->len > 0)
			note_data(c, p, s->now);
	}
	if ((p->flags & FL_FIN) != 0 && !c->c_fin_seen) {
		c->c_fin_seen = true;
		c->c_fin_ack = p->ack - c->p.iss - 1;
	}
}

static void note_synack(struct played *l, const struct pkt *p)
{
	if (p->ack != l->conn->c.iss + l->start + 1)
		return;
	l->synack = true;
	l->s_iss = p->seq;
	l->s_max = p->seq + 1;
	l->s_mss = p->has & HAS_MSS ? p->mss : 536;
	l->s_edge = p->ack + p->win;
	l->agreed = l->offer & p->has;
	l->s_tsval = p->tsval;
	if (l->agreed & HAS_WSCALE) {
		l->scale_c = l->offer_scale;
		l->scale_s = p->wscale < SCALE_MAX ? p->wscale : SCALE_MAX;
	}
}

void check_answer(struct sim *s, const struct pkt *p)
{
	struct played *l = *leg_at(s, p);
	uint32_t end = p->seq + p->len + ((p->flags & FL_FIN) != 0);
	uint32_t edge;

	s->last_frame = s->now;
	/* A SYN of the same number again: the SUT takes it for a repetition. */
	if (l == NULL || l->conn != p->conn || l->start != p->leg->start)
		l = p->leg;
	else
		l->server = p->leg;
	if ((p->flags & FL_RST) != 0) {
		if (!l->sut_rst)
			sim_mark(s, MARK_RST);
		l->sut_rst = true;
		return;
	}
	if (!l->synack) {
		if ((p->flags & (FL_SYN | FL_ACK)) == (FL_SYN | FL_ACK))
			note_synack(l, p);
		return;
	}
	if (seq_lt(l->s_tsval, p->tsval))
		l->s_tsval = p->tsval;
	if (p->flags & FL_SYN)
		return;
	if (seq_lt(l->s_max, end))
		l->s_max = end;
	if (p->win == 0)
		sim_mark(s, MARK_ZERO);
	edge = p->ack + ((uint32_t)p->win << l->scale_s);
	if (seq_lt(l->s_edge, edge))
		l->s_edge = edge;
	/* What is beyond the window it was told does not count. */
	if (p->len > 0 &&
	    !(l->acked && seq_lt(l->last_edge, p->seq + p->len))) {
		uint32_t was = ivs_front(&l->got);

		ivs_add(&l->got, p->seq - l->s_iss - 1,
			p->seq - l->s_iss - 1 + p->len);
		if (ivs_front(&l->got) != was)
			l->progress = s->now;
	}
	if ((p->flags & FL_FIN) != 0)
		l->s_fin = true;
}

/* --- what the engine sends --- */

/* Does a message begin there? An empty line in front of it is no harm: servers
 * skip it (RFC 9112 section 2.2), and it may be the end of the one before. Nor can
 * the rest of a method that was cut be told from a method.
 */
static bool is_boundary(const struct conn *c, uint32_t at, uint32_t *k)
{
	*k = 0;
	if (at < 4)
		return true;
	for (uint32_t i = 0; i < c->n; i++)
		if (c->r[i].c_end == at ||
		    (c->r[i].c_end == at + 2 &&
		     memcmp(c->c.tx.p + at, "\r\n", 2) == 0)) {
			*k = i + 1;
			return true;
		}
	return false;
}

/* The connection whose stream this SYN begins in. */
static struct conn *conn_of_syn(struct sim *s, const struct pkt *p)
{
	for (unsigned i = 0; i < PORTS; i++)
		for (struct conn *c = s->slot[p->client][i]; c != NULL;
		     c = c->slot_next)
			if (c->begun && p->seq - c->c.iss <= c->c.tx.len)
				return c;
	return NULL;
}

static void new_leg(struct sim *s, const struct effect *e, struct pkt *p)
{
	struct conn *c = conn_of_syn(s, p);
	struct rng own;
	struct played *l;
	uint32_t k;

	if (c == NULL) {
		sim_fail(s, NULL, "I23: a SYN that is of no connection");
		return;
	}
	if (!is_boundary(c, p->seq - c->c.iss, &k)) {
		sim_fail(s, c,
			 "I17: begins at byte %u, inside of a message: %.20s",
			 p->seq - c->c.iss,
			 (const char *)c->c.tx.p + (p->seq - c->c.iss));
	}
	if (c->legs != NULL && !c->legs->ended && !c->legs->rst &&
	    !c->legs->sut_rst)
		tell(s, c, KNOWN_ORDER,
		     "I23: played again, and the older leg lives");
	l = sim_alloc(sizeof(*l));
	l->all = s->legs;
	s->legs = l;
	l->next = c->legs;
	c->legs = l;
	c->leg_n++;
	l->conn = c;
	l->port = p->cport;
	l->flow = e->flow;
	l->start = p->seq - c->c.iss;
	l->first = k;
	l->app.base = l->start;
	l->app.next = k;
	l->app.got = k;
	l->offer = p->has;
	l->offer_scale = p->wscale < SCALE_MAX ? p->wscale : SCALE_MAX;
	if (l->start != 0)
		sim_mark(s, MARK_RESUMED);
	l->snd_nxt = p->seq + 1;
	l->syns = 1;
	l->snd_born = s->now;
	l->progress = s->now;
	l->server = l;
	l->sut.sim = s;
	l->sut.conn = c;
	l->sut.leg = l;
	l->sut.side = SIDE_SUT;
	/* Its own numbers: when the wires draw theirs depends on the batch. */
	own.s = s->opt->seed * 1000003 + c->id * 64 + c->leg_n;
	l->sut.cfg = plan_cfg(&own);
	if (c->fault == FAULT_STALL)
		l->sut.cfg.rcvbuf = 3000;
	p->leg = l;
	p->conn = c;
	*leg_at(s, p) = l;
	sim_at(s, s->now + 250 * NS_PER_SEC, EV_LEG, l);
}

static void check_syn(struct sim *s, const struct effect *e, struct pkt *p)
{
	struct played *l = *leg_at(s, p);

	if (p->len != 0 || (p->flags & ~FL_SYN) != 0)
		sim_fail(s, NULL, "I21: a SYN with flags %x and %u bytes",
			 p->flags, p->len);
	if (e->cause == CAUSE_SYN) {
		new_leg(s, e, p);
		return;
	}
	if (l == NULL || p->seq + 1 != l->conn->c.iss + 1 + l->start) {
		sim_fail(s, NULL, "I15: a SYN again, of another leg");
		return;
	}
	p->leg = l;
	p->conn = l->conn;
	if (++l->syns > SYNS_MAX)
		sim_fail(s, l->conn, "I27: SYN number %u", l->syns);
	if (l->synack)
		sim_fail(s, l->conn, "I15: a SYN after its SYN,ACK");
}

static void check_ack(struct sim *s, const struct effect *e,
		      const struct pkt *p, struct played *l)
{
	const struct conn *c = l->conn;
	uint32_t edge = p->ack + ((uint32_t)p->win << l->scale_c);

	if (seq_lt(l->s_max, p->ack))
		sim_fail(s, c, "I6: ack %u, the SUT has sent up to %u",
			 p->ack - l->s_iss, l->s_max - l->s_iss);
	if (l->acked && seq_lt(p->ack, l->last_ack))
		sim_fail(s, c, "I7: ack goes back from %u to %u",
			 l->last_ack - l->s_iss, p->ack - l->s_iss);
	if ((p->flags & FL_RST) != 0)
		return;
	if (seq_le(p->ack, l->s_iss))
		sim_fail(s, c, "I21: the SUT's SYN is not acked");
	if (e->cause == CAUSE_ACK_DRAIN) {
		if (p->win == 0)
			sim_fail(s, c, "I11: drained with a closed window");
	}
	if (e->cause == CAUSE_ACK_DRAIN &&
	    seq_lt(p->ack, l->s_iss + 1 + ivs_front(&l->got)))
		sim_fail(s, c, "I11: drains up to %u only, %u are here",
			 p->ack - l->s_iss, 1 + ivs_front(&l->got));
	if (l->acked && seq_lt(edge, l->last_edge))
		sim_fail(s, c, "I38: right edge goes back from %u to %u",
			 l->last_edge - l->s_iss, edge - l->s_iss);
	l->acked = true;
	l->last_ack = p->ack;
	l->last_edge = edge;
}

static void check_options(struct sim *s, const struct pkt *p, struct played *l)
{
	bool ts = (p->has & HAS_TS) != 0;

	if (ts != ((l->agreed & HAS_TS) != 0))
		sim_fail(s, l->conn, "timestamps %s, the SUT agreed otherwise",
			 ts ? "sent" : "not sent");
	/* The SUT may answer a SYN that is not the newest. */
	if (ts && l->conn->leg_n == 1 && seq_lt(l->s_tsval, p->tsecr)) {
		if (l->conn->healed)
			sim_fail(s, l->conn, "TSecr %u is of no segment",
				 p->tsecr);
		else
			sim_known(s, l->conn, KNOWN_ORDER,
				  "TSecr %u is of no segment of the SUT",
				  p->tsecr);
	}
	if (p->sacks > 0 && (l->agreed & HAS_SACK_OK) == 0)
		sim_fail(s, l->conn, "SACK that was not agreed");
	for (unsigned i = 0; i < p->sacks; i++)
		if (!seq_lt(p->sack[i].from, p->sack[i].to) ||
		    seq_lt(l->s_max, p->sack[i].to) ||
		    seq_lt(p->sack[i].from, p->ack))
			sim_fail(s, l->conn,
				 "SACK %u:%u, the SUT sent up to %u",
				 p->sack[i].from - l->s_iss,
				 p->sack[i].to - l->s_iss, l->s_max - l->s_iss);
}

static const struct cseg *shown_at(const struct conn *c, uint32_t at)
{
	for (uint32_t i = 0; i < c->cseg_n; i++)
		if (c->cseg[i].from <= at && at < c->cseg[i].to)
			return &c->cseg[i];
	return NULL;
}

/* Bytes that go out for the first time: may they (I16, I16b)? Not judged where
 * the mirror lost something, for then production's place is guessed.
 */
static void check_order(struct sim *s, const struct played *l, uint32_t at)
{
	const struct conn *c = l->conn;
	const struct cseg *g = shown_at(c, at);
	uint32_t front = ivs_front(&l->got);

	if (g == NULL) {
		if (c->cseg_n < CSEG_MAX)
			sim_fail(s, c, "I12: byte %u was never shown", at);
		return;
	}
	if (!c->whole || l->s_fin)
		return;
	sim_mark(s, MARK_ORDER);
	if (c->p_used && c->p.fin_queued && g->ack > c->p.tx.len &&
	    g->ack < 1u << 30 && s->now < g->at + LATE_WAIT)
		sim_fail(s, c, "I16: byte %u after production's FIN", at);
	for (uint32_t k = l->first; k < c->n && !s->cfg.shadow.order_captured;
	     k++) {
		if (c->r[k].p_end == 0 || c->r[k].p_end > g->ack ||
		    g->ack > 1u << 30)
			break;
		if (l->server->s_end[k] == 0 || l->server->s_end[k] > front)
			tell(s, c, KNOWN_ORDER,
			     "I16b: byte %u, the SUT owes answer %u", at, k);
	}
}

/* Is any of these bytes of a request that is left out? */
static bool is_left(const struct sim *s, const struct conn *c, uint32_t at,
		    uint32_t n)
{
	uint32_t from = 0;

	for (uint32_t k = 0; k < c->n && c->r[k].c_end != 0; k++) {
		if (SIM_LEFT(s, &c->r[k]) && at < c->r[k].c_end &&
		    from < at + n)
			return true;
		from = c->r[k].c_end;
	}
	return false;
}

static void check_data(struct sim *s, const struct pkt *p, struct played *l)
{
	const struct conn *c = l->conn;
	uint32_t at = p->seq - c->c.iss - 1;
	uint32_t mss = l->s_mss - (p->has & HAS_TS ? 12u : 0u);

	if (is_left(s, c, at, p->len))
		sim_fail(s, c, "I44: bytes %u to %u are left out", at,
			 at + p->len);
	if (p->len > mss)
		sim_fail(s, c, "I13: %u bytes, the SUT takes %u", p->len, mss);
	if (seq_lt(l->snd_nxt, p->seq))
		sim_fail(s, c, "I13: a hole before byte %u", at);
	if (p->len > 0 && seq_lt(l->s_edge, p->seq + p->len))
		sim_fail(s, c, "I13: up to %u, the SUT's window ends at %u",
			 at + p->len, l->s_edge - c->c.iss - 1);
	if (p->len > 0 && (at > c->c.tx.len || p->len > c->c.tx.len - at ||
			   memcmp(p->data, c->c.tx.p + at, p->len) != 0))
		sim_fail(s, c, "I12: bytes from %u on are not the client's",
			 at);
	else if (p->len > 0 && seq_lt(l->snd_nxt, p->seq + p->len))
		check_order(s, l, l->snd_nxt - c->c.iss - 1);
	if (seq_lt(l->snd_nxt, p->seq + p->len))
		l->snd_nxt = p->seq + p->len;
}

/* Has the SUT answered all that the client had acked with its FIN? */
static bool fin_may(const struct sim *s, const struct played *l)
{
	const struct conn *c = l->conn;

	if (!c->whole || l->s_fin || c->c_fin_ack > 1u << 30 ||
	    s->now >= l->progress + FIN_WAIT)
		return true;
	for (uint32_t k = l->first; k < c->n; k++) {
		if (c->r[k].p_end == 0 || c->r[k].p_end > c->c_fin_ack)
			break;
		if (l->server->s_end[k] == 0 ||
		    l->server->s_end[k] > ivs_front(&l->got))
			return false;
	}
	return true;
}

static void check_fin(struct sim *s, const struct pkt *p, struct played *l)
{
	const struct conn *c = l->conn;
	uint32_t end = p->seq + p->len - c->c.iss - 1;

	if ((p->flags & FL_FIN) == 0)
		return;
	if (!c->c.fin_queued || end != c->c.tx.len)
		sim_fail(s, c, "I16a: a FIN at %u, the client wrote %u%s", end,
			 c->c.tx.len, c->c.fin_queued ? "" : " and no FIN");
	if (!l->fin_sent && !fin_may(s, l))
		tell(s, c, KNOWN_ORDER, "I16a: a FIN before the SUT's answer");
	l->fin_sent = true;
	if (l->snd_nxt == p->seq + p->len)
		l->snd_nxt++;
}

void check_effect(struct sim *s, const struct effect *e, struct pkt *p)
{
	struct played *l;

	if (p->client >= CLIENTS) {
		sim_fail(s, NULL, "I1: not from a client's address");
		return;
	}
	if ((p->flags & FL_SYN) != 0) {
		check_syn(s, e, p);
		sim_pkt(s, cause_name(e->cause), p);
		return;
	}
	l = *leg_at(s, p);
	if (l == NULL) {
		sim_fail(s, NULL, "I21: a segment without a SYN");
		return;
	}
	p->leg = l;
	p->conn = l->conn;
	sim_pkt(s, cause_name(e->cause), p);
	if (e->cause == CAUSE_STRAY_RST)
		return;
	if (!l->synack && (p->flags & FL_RST) == 0)
		sim_fail(s, l->conn, "I21: before the SUT's SYN,ACK");
	/* A connection whose SYN and goodbye were missed is not told from the next
	 * one of the tuple.
	 */
	if (!l->conn->c_ack_seen && (p->flags & FL_RST) == 0) {
		if (s->profile->mirror && l->conn->tuple_acked &&
		    !l->conn->healed)
			sim_known(s, l->conn, KNOWN_ORDER,
				  "I21: acked by the next incarnation");
		else
			sim_fail(s, l->conn, "I21: before the client's ACK");
	}
	if ((p->flags & FL_ACK) != 0)
		check_ack(s, e, p, l);
	if ((p->flags & FL_RST) != 0) {
		if (p->seq != l->snd_nxt)
			sim_fail(s, l->conn, "I39: RST at %u, not at %u",
				 p->seq - l->conn->c.iss,
				 l->snd_nxt - l->conn->c.iss);
		if (!l->rst)
			sim_mark(s, MARK_RST);
		l->rst = true;
		return;
	}
	if (l->rst)
		sim_fail(s, l->conn, "I22: more after a RST");
	check_options(s, p, l);
	check_data(s, p, l);
	check_fin(s, p, l);
}

void check_bytes(struct played *l, uint32_t at, const uint8_t *p, uint32_t n)
{
	const struct conn *c = l->conn;

	at += l->start;
	if (at > c->c.tx.len || n > c->c.tx.len - at ||
	    memcmp(p, c->c.tx.p + at, n) != 0)
		sim_fail(c->sim, c, "I12: the SUT has read other bytes at %u",
			 at);
}

/* --- what it tells --- */

static bool differs(const struct sim *s, const struct request *r)
{
	bool bytes = s->cfg.compare == COMPARE_IDENTICAL;

	if (r->differ == DIFFER_NOT)
		return false;
	return bytes || (r->differ != DIFFER_DATE && r->differ != DIFFER_CHUNK);
}

static bool is_quiet_end(const struct conn *c)
{
	return c->ending == END_CLIENT_FIN || c->ending == END_HALF_CLOSE ||
	       c->ending == END_PROD_FIN;
}

/* The mirror showed all of it, and nobody did anything but talk. */
static bool is_healthy(const struct sim *s, const struct conn *c)
{
	if (!c->healed && (s->mute_sut || s->profile->scarce || s->stop_early))
		return false;
	return c->whole && c->fault == FAULT_NONE && is_quiet_end(c) &&
	       !c->c.was_reset && !c->p.was_reset && !c->c.timed_out &&
	       !c->p.timed_out && !c->overtaken;
}

static struct conn *conn_of_request(struct sim *s, const char *line, uint32_t n,
				    unsigned *k)
{
	char text[RECORD_REQUEST + 1];
	const char *at;
	unsigned id;

	memcpy(text, line, n);
	text[n] = '\0';
	at = strstr(text, "/c");
	if (at == NULL || sscanf(at, "/c%u/r%u", &id, k) != 2 ||
	    id >= s->conns || *k >= s->conn[id]->n)
		return NULL;
	return s->conn[id];
}

/* Did an answer that only the FIN ends stop early, and is nothing else different?
 * At COMPARE_IDENTICAL that is a difference of bytes.
 */
static bool is_cut(const struct request *q, const struct compare_result *r)
{
	uint64_t least = r->bytes[0] < r->bytes[1] ? r->bytes[0] : r->bytes[1];

	return q->answer == ANSWER_UNTIL_FIN && r->reason == REASON_BYTES &&
	       r->offset == least;
}

/* Had the SUT given its whole answer @k on a leg that goes on, and had the engine
 * got all of it?
 */
static bool sut_gave(const struct conn *c, unsigned k)
{
	const struct played *l = c->legs;

	for (; l != NULL; l = l->next)
		if (!l->ended && !l->rst && l->server->s_end[k] != 0 &&
		    l->server->s_end[k] <= ivs_front(&l->got))
			return true;
	return false;
}

static void told_different(struct sim *s, const struct engine_item *t)
{
	char detail[COMPARE_DETAIL];
	unsigned k = 0;
	struct conn *c =
		conn_of_request(s, t->text->request, t->text->request_len, &k);
	struct compare_result res;
	enum compare_reason why;
	struct request *r;

	s->different++;
	item_result(t, &res);
	why = res.reason;
	protocols[t->exchange->protocol].describe->difference(&res, NULL,
							      detail);
	if (c == NULL)
		return; /* an answer to no request that is known */
	r = &c->r[k];
	r->told++;
	if (SIM_LEFT(s, r))
		sim_fail(s, c, "I44: request %u is left out, and told", k);
	sim_trace(s, c, "request %u is different: %s %s", k, reason_name(why),
		  detail);
	if (c->whole && r->told > 1)
		sim_fail(s, c, "I24: request %u was judged twice", k);
	if (why == REASON_UNANSWERED && sut_gave(c, k))
		sim_fail(s, c,
			 "I41: request %u: unanswered (%s), and it was "
			 "answered",
			 k, unanswered_name(res.how));
	if (differs(s, r)) {
		sim_mark(s, MARK_DIFFERS);
		return;
	}
	if (s->keep_said && s->cfg.compare == COMPARE_IDENTICAL)
		return; /* one of the two says that it closes */
	if (why == REASON_UNANSWERED || why == REASON_EXTRA ||
	    why == REASON_LENGTH || is_cut(r, &res)) {
		if (is_healthy(s, c))
			sim_fail(s, c, "I36: request %u: %s, of a whole answer",
				 k, reason_name(why));
		return;
	}
	sim_fail(s, c, "I36: request %u: %s, of equal answers: %s", k,
		 reason_name(why), detail);
}

static void leg_ends(struct sim *s, const struct engine_event *ev)
{
	for (struct played *l = s->legs; l != NULL; l = l->all) {
		if (l->flow != ev->flow || l->ended)
			continue;
		l->ended = true;
		l->end = ev->end;
		sim_trace(s, l->conn, "flow %llu ends: %s",
			  (unsigned long long)l->flow, flow_end_name(l->end));
		return;
	}
}

void check_told(struct sim *s, const struct engine_item *t)
{
	if (t->kind == EVENT_VERDICT)
		s->records[t->exchange->verdict]++;
	if (t->text != NULL)
		told_different(s, t);
	else if (t->kind == EVENT_FLOW_END)
		leg_ends(s, t->event);
}

/* --- sums --- */

static void must(struct sim *s, bool cond, const char *what)
{
	if (!cond)
		sim_fail(s, NULL, "I33: %s", what);
}

void check_turn(struct sim *s)
{
	const struct engine_stats *st = engine_stats(s->engine);
	struct engine_occupancy o;
	uint64_t fates = counter_sum(&engine_fate_list, &st->count);
	uint64_t in[2] = { 0 };

	for (int i = 0; i < DECODE_COUNT; i++) {
		in[0] += st->decode[0][i];
		in[1] += st->decode[1][i];
	}
	must(s,
	     fates == st->count.frames_mirror + st->count.frames_sut +
			      st->count.other_legs,
	     "every frame has one fate");
	must(s,
	     in[0] == st->count.frames_mirror && in[1] == st->count.frames_sut,
	     "every frame is decoded once");
	must(s, s->effects == s->sunk + s->pend_n,
	     "every effect is sent or given up");
	engine_occupancy(s->engine, s->now, &o);
	if (o.pool_used > o.pool_total || o.flows > s->cfg.limits.flows)
		sim_fail(s, NULL, "I29: %zu of %zu bytes, %u of %u flows",
			 o.pool_used, o.pool_total, o.flows,
			 s->cfg.limits.flows);
	if (sutwire_stop(engine_wire(s->engine))->reason != SUTWIRE_GOING)
		sim_fail(s, NULL, "I1: the wire was stopped");
}

static void check_sums(struct sim *s)
{
	const struct engine_stats *st = engine_stats(s->engine);
	const struct shadow_counters *c = machine(s);
	uint64_t verdicts = 0;
	uint64_t written = 0;
	uint64_t ended = 0;
	uint64_t lost = 0;

	for (int v = 0; v < VERDICT_COUNT; v++) {
		uint64_t n = 0;

		for (int r = 0; r < REASON_COUNT; r++)
			n += st->reason[v][r];
		must(s, n == st->verdict[v], "verdicts by reason");
		verdicts += n;
	}
	for (int i = 0; i < FLOW_END_COUNT; i++) {
		ended += c->ended[i];
		lost += c->not_delivered[i];
	}
	must(s, ended == c->flows_seen, "every leg ends once");
	must(s, c->ended[FLOW_END_NONE] == 0, "every end has a reason");
	for (uint32_t i = 0; i < s->conns; i++)
		written += s->conn[i]->sent;
	/* A client may repeat to nobody a request of a connection that is
	 * forgotten; that has a verdict of its own. Where a SUT breaks off, or
	 * live connections are forgotten, a request may be met twice.
	 */
	written += c->flows_untaken;
	if (verdicts > written && !s->profile->sut && !s->profile->scarce)
		sim_fail(s, NULL, "I24: %llu verdicts, the clients sent %llu",
			 (unsigned long long)verdicts,
			 (unsigned long long)written);
	if (verdicts != c->requests_seen + st->count.requests_missed)
		sim_fail(s, NULL,
			 "I24: %llu verdicts, %llu requests, %llu missed",
			 (unsigned long long)verdicts,
			 (unsigned long long)c->requests_seen,
			 (unsigned long long)st->count.requests_missed);
	must(s, c->requests_seen == c->requests_delivered + lost,
	     "requests are delivered or not");
	must(s,
	     st->verdict[VERDICT_DIFFERENT] ==
			     s->different + st->count.events_lost ||
		     st->count.events_lost > 0,
	     "every difference is told");
	for (int v = 0; v < VERDICT_COUNT; v++)
		must(s,
		     s->records[v] + st->records.refused[v] == st->verdict[v],
		     "every verdict leaves as one record, or is refused");
	must(s, s->sink.sink.stats.refused == 0, "I1: the sink refused");
}

/* --- the end --- */

#define healthy(s, c, ...)                                                     \
	do {                                                                   \
		if (((s)->profile->mirror || (s)->profile->sut) &&             \
		    !(c)->healed)                                              \
			sim_known(s, c, KNOWN_WHOLE, __VA_ARGS__);             \
		else                                                           \
			sim_fail(s, c, __VA_ARGS__);                           \
	} while (0)

/* One leg from the first byte to the last. A SUT that keeps connections for less, and
 * requests that are left out, have several, of which only the newest may be asked
 * how it ended.
 */
static void check_legs(struct sim *s, const struct conn *c)
{
	bool anew = s->profile->keep || s->profile->writes;
	const struct played *l = c->legs;

	sim_mark(s, MARK_HEALTHY);
	if (c->healed)
		sim_mark(s, MARK_HEALED);
	if (!anew && (c->leg_n != 1 || l->start != 0))
		healthy(s, c, "I12: played %u times, from byte %u on", c->leg_n,
			l == NULL ? 0 : l->start);
	else if (l == NULL && s->profile->writes)
		return; /* nobody asked */
	else if (l == NULL)
		healthy(s, c, "I12: not played");
	else if (l->ended)
		healthy(s, c, "I12: ended by %s", flow_end_name(l->end));
	else if (!anew && (l->sut.rx.len != c->c.tx.len || !l->sut.fin_rcvd))
		healthy(s, c, "I12: the SUT has read %u of %u bytes%s",
			l->sut.rx.len, c->c.tx.len,
			l->sut.fin_rcvd ? "" : " and no FIN");
}

static void check_healthy(struct sim *s, const struct conn *c)
{
	check_legs(s, c);
	for (uint32_t k = 0; k < c->n; k++) {
		if (c->r[k].c_end != 0 &&
		    c->r[k].sut_once == SIM_LEFT(s, &c->r[k]))
			healthy(s, c, "I12: request %u %s", k,
				c->r[k].sut_once ? "came" : "did not come");
		if (s->cfg.compare != COMPARE_NONE && c->r[k].p_end != 0 &&
		    !SIM_LEFT(s, &c->r[k]) && differs(s, &c->r[k]) &&
		    c->r[k].told != 1)
			healthy(s, c,
				"I36: request %u (method %u, answer %u, "
				"differs %u) is told %u times",
				k, c->r[k].method, c->r[k].answer,
				c->r[k].differ, c->r[k].told);
	}
}

/* A connection that the SUT still thinks open although we have forgotten it, and
 * never said so. What stays with a mute SUT is meant to.
 */
static void check_left(struct sim *s, const struct played *l)
{
	if (!l->sut_used || l->rst || l->sut.was_reset || l->sut.timed_out ||
	    s->mute_sut || s->profile->scarce || s->stop_early)
		return;
	if (l->sut.left_open)
		sim_fail(s, l->conn, "I22: left open at the SUT");
}

void check_end(struct sim *s)
{
	struct engine_occupancy o;

	for (uint32_t i = 0; i < s->conns; i++)
		if (s->conn[i]->begun && is_healthy(s, s->conn[i]))
			check_healthy(s, s->conn[i]);
	for (const struct played *l = s->legs; l != NULL; l = l->all)
		check_left(s, l);
	check_sums(s);
	engine_occupancy(s->engine, s->now, &o);
	if (o.pool_used != 0 || o.flows != 0 || o.timers != 0 || o.frags != 0 ||
	    o.datagrams != 0 || s->pend_n != 0)
		sim_fail(s, NULL,
			 "I25: left over: %zu bytes, %u flows, %u timers, %u "
			 "effects",
			 o.pool_used, o.flows, o.timers, s->pend_n);
}
