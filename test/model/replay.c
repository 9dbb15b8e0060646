/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * replay.c - Traces of the model, played to the engine
 *
 * Reads what shadow.pml prints under simulation, on standard input, and holds the
 * engine against it after every step: what was sent to the SUT, and the state of
 * the flow. Lines:
 *
 *	R N P P P S S S	a run begins: requests, units of production's answers
 *			and of the SUT's
 *	F WHO N		client or production sends a FIN as its unit N, whether the
 *			mirror shows it or not
 *	I WHO KIND SEQ ACK WIN	a segment comes, or (WHO 3) a deadline has
 *	T MS		time passes
 *	U KIND SEQ ACK WIN	sent to the SUT
 *	X EV LEG END C P S UNA NXT ACK	state after the step; "X -": no flow
 *	E		the run is over
 *
 * and, from reuse.pml, where a tuple has several connections:
 *
 *	C N		the next I, U or F is of connection N; of U, the third
 *			number is the port: 0 the client's own
 *	S		all that was sent in the step, but bare acks, has been told
 *	Y N LEG END EV SUPERSEDED OTHER_PORT	state of N; "Y N -": no flow
 *	Z		two deadlines came at once: the rest of the run says nothing
 *
 * Numbers are the model's units. A unit of the client is a request of REQUEST
 * bytes, one of a server ANSWER bytes, a FIN is one number; so every number of the
 * model is one number of the engine, relative to the initial one.
 *
 * The wheel fires up to a tick after a deadline. So that the engine's clock has
 * passed it when the model's has, time passes by a little more than a tick more
 * in the engine, each time; deadlines of the model that follow each other at once
 * are further apart than what adds up.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "script/world.h"

#define REQUEST	     28u
#define ANSWER	     43u
#define SLACK	     ((uint64_t)270000) /* ns, above WHEEL_TICK */
#define LENGTHS	     3
#define SENT_MAX     64
#define WINDOW	     65535
#define WINDOW_SHIFT 7

enum kind { NO_KIND, SYN, SYNACK, ACK, DATA, FIN, RST, PROBE };

static const char *const kind_names[] = { "-",	  "SYN", "SYNACK", "ACK",
					  "DATA", "FIN", "RST",	   "PROBE" };

/* The model's numbers for the ends of a leg. */
static const enum flow_end ends[] = {
	FLOW_END_NONE,	      FLOW_END_CLOSED,	    FLOW_END_CLIENT_RST,
	FLOW_END_PROD_RST,    FLOW_END_SUT_RST,	    FLOW_END_SUT_REFUSED,
	FLOW_END_SYN_TIMEOUT, FLOW_END_NO_PROGRESS, FLOW_END_GAP,
	FLOW_END_LATE_DATA,   FLOW_END_IDLE,	    FLOW_END_REUSED,
};

#define ENDS (sizeof(ends) / sizeof(ends[0]))

struct sent {
	unsigned conn;
	unsigned kind;
	unsigned seq;
	unsigned ack;
	unsigned win;
};

struct replay {
	struct world *w;
	unsigned run;
	unsigned plen[LENGTHS];
	unsigned slen[LENGTHS];
	unsigned conn;	/* which one lines are of */
	bool ambiguous; /* nothing of this run is compared any more */
	unsigned fin[CONNS][WHO_COUNT]; /* unit of the FIN, 0: not sent yet */
	struct flow *flow[CONNS];
	uint64_t id[CONNS]; /* of that flow */
	unsigned first;	    /* request that the SUT's leg begins with */
	unsigned sent_n;
	struct sent sent[SENT_MAX];
	unsigned bad;
	unsigned runs;
	unsigned steps;
	bool failed; /* this run has */
};

static void differs(struct replay *r, const char *what, unsigned model,
		    unsigned engine)
{
	if (!r->failed)
		printf("# run %u, step %u: %s: %u in the model, %u in the "
		       "engine\n",
		       r->run, r->w->line, what, model, engine);
	r->failed = true;
}

/* A number of @who in the model, as the engine counts it. */
static uint32_t number(const struct replay *r, enum who who, unsigned n)
{
	uint32_t size = who == WHO_CLIENT ? REQUEST : ANSWER;
	unsigned fin = r->fin[r->conn][who];

	if (n == 0)
		return 0;
	if (fin != 0 && n > fin)
		return 1 + (fin - 1) * size + 1;
	return 1 + (n - 1) * size;
}

/* The bytes of a server's unit: of which answer is it, and which piece? */
static void answer_text(const struct replay *r, enum who who, unsigned unit,
			char *out)
{
	const unsigned *len = who == WHO_PROD ? r->plen : r->slen;
	unsigned k = who == WHO_PROD ? 0 : r->first - 1;
	unsigned left = unit - 1;
	int n = 0;

	while (k < LENGTHS - 1 && left >= len[k])
		left -= len[k++];
	memset(out, 'x', ANSWER + 1);
	if (left == 0)
		n = snprintf(out, ANSWER + 1,
			     "HTTP/1.1 200 OK\r\nContent-Length: %u\r\n\r\n",
			     len[k] == 1 ? 5 : 47);
	if (n > 0)
		out[n] = 'x';
}

static struct flow *flow_of(const struct replay *r)
{
	struct world *w = r->w;
	struct flow_key key = {
		.client = world_addr(w, WHO_CLIENT),
		.prod = world_addr(w, WHO_PROD),
		.cport = w->cur->port,
		.pport = 80,
	};

	return shadow_find((struct shadow *)(uintptr_t)engine_shadow(w->engine),
			   &key);
}

/* The window field of a client whose scale is not known: the machine then takes
 * it for WINDOW_SHIFT, as with Linux.
 */
static uint16_t window_of(const struct replay *r, unsigned from, unsigned win)
{
	const struct flow *f = flow_of(r);
	bool guessed = f == NULL || (f->w.c_has & OPT_HAS_WSCALE) != 0;

	if (win == 0)
		return 0;
	return from == 0 && guessed ? WINDOW >> WINDOW_SHIFT : WINDOW;
}

static void input(struct replay *r, unsigned from, const struct sent *in)
{
	static const uint16_t flags[] = {
		0,	 TCP_SYN,	    TCP_SYN | TCP_ACK, TCP_ACK,
		TCP_ACK, TCP_FIN | TCP_ACK, TCP_RST | TCP_ACK, TCP_ACK
	};
	enum who who = from == 0 ? WHO_CLIENT : from == 1 ? WHO_PROD : WHO_SUT;
	enum who peer = who == WHO_CLIENT ? WHO_PROD : WHO_CLIENT;
	char text[128] = "";
	struct line l = { .kind = LINE_SEGMENT, .who = who };

	if (in->kind == FIN && who == WHO_SUT)
		r->fin[r->conn][who] = in->seq;
	l.flags = flags[in->kind];
	l.seq = number(r, who, in->seq);
	l.has_ack = (l.flags & TCP_ACK) != 0;
	l.ack = number(r, peer, in->ack);
	l.win = in->kind == SYN ? WINDOW : window_of(r, from, in->win);
	if (in->kind == SYN || in->kind == SYNACK) {
		l.opts.has = OPT_HAS_MSS;
		l.opts.mss = 1460;
	}
	if (in->kind == RST && who == WHO_CLIENT)
		l.flags = TCP_RST;
	if (in->kind == DATA && who == WHO_CLIENT) {
		l.len = REQUEST;
		snprintf(text, sizeof(text),
			 "GET /%u HTTP/1.1\r\nHost: x\r\n\r\n", in->seq);
	} else if (in->kind == DATA) {
		l.len = ANSWER;
		answer_text(r, who, in->seq, text);
	}
	l.data = (uint8_t *)text;
	l.end = l.seq + l.len;
	world_send(r->w, &l);
}

static unsigned kind_of(const struct effect *e)
{
	if ((e->flags & TCP_SYN) != 0)
		return SYN;
	if ((e->flags & TCP_RST) != 0)
		return RST;
	if ((e->flags & TCP_FIN) != 0)
		return FIN;
	if (e->cause == CAUSE_ZERO_PROBE)
		return PROBE;
	return e->len > 0 ? DATA : ACK;
}

static void begin_leg(struct replay *r, unsigned first)
{
	r->first = first;
	r->fin[r->conn][WHO_SUT] = 0;
}

/* What the engine sent since, against what the model did. */
static void compare_sent(struct replay *r)
{
	struct world *w = r->w;

	if (w->seen != r->sent_n)
		differs(r, "segments sent", r->sent_n, w->seen);
	for (unsigned i = 0; i < r->sent_n && !r->failed; i++) {
		const struct sent *m = &r->sent[i];
		const struct seen *s = &w->queue[i];
		const struct effect *e = &s->e;
		uint32_t seq = e->seq - w->cur->iss[WHO_CLIENT];
		uint32_t ack = e->ack - w->cur->iss[WHO_SUT];
		uint32_t want = number(r, WHO_CLIENT, m->seq);

		/* One number before the next unit, not one unit. */
		if (m->kind == PROBE || m->kind == SYN)
			want = number(r, WHO_CLIENT, m->seq + 1) - 1;
		if (kind_of(e) != m->kind)
			differs(r, kind_names[m->kind], m->kind, kind_of(e));
		if (seq != want)
			differs(r, "its seq", want, seq);
		if ((e->flags & TCP_ACK) != 0 &&
		    ack != number(r, WHO_SUT, m->ack))
			differs(r, "its ack", number(r, WHO_SUT, m->ack), ack);
		if (m->kind != RST && (e->win != 0) != (m->win != 0))
			differs(r, "its window", m->win, e->win);
		if (m->kind == SYN)
			begin_leg(r, m->seq + 1);
	}
	if (r->failed) {
		for (unsigned i = 0; i < w->seen; i++)
			printf("#   engine: %s\n", seen_text(w, &w->queue[i]));
		for (unsigned i = 0; i < r->sent_n; i++)
			printf("#   model: %s %u ack %u win %u\n",
			       kind_names[r->sent[i].kind], r->sent[i].seq,
			       r->sent[i].ack, r->sent[i].win);
	}
	world_drop(w, w->seen);
	r->sent_n = 0;
}

static void compare_number(struct replay *r, const char *what, enum who who,
			   unsigned model, uint32_t engine)
{
	uint32_t rel = engine - r->w->cur->iss[who];

	if (rel != number(r, who, model))
		differs(r, what, number(r, who, model), rel);
}

static void compare_state(struct replay *r, const unsigned *x)
{
	const struct flow *f = flow_of(r);

	if (f == NULL) {
		differs(r, "flows", 1, 0);
		return;
	}
	if (flow_events(f) != x[0])
		differs(r, "event bits", x[0], flow_events(f));
	if (f->leg.state != x[1])
		differs(r, "leg", x[1], f->leg.state);
	if (x[2] >= ENDS || f->leg.end != (unsigned)ends[x[2]])
		differs(r, "end", x[2], f->leg.end);
	compare_number(r, "c.nxt", WHO_CLIENT, x[3], f->w.c.nxt);
	if (stream_has(&f->w.p, STREAM_ON))
		compare_number(r, "p.nxt", WHO_PROD, x[4], f->w.p.nxt);
	else if (x[4] != 0)
		differs(r, "production has begun", 1, 0);
	if (f->leg.state == LEG_OPEN)
		compare_number(r, "s.nxt", WHO_SUT, x[5], f->leg.s.nxt);
	if (f->leg.state != LEG_NONE) {
		compare_number(r, "snd_una", WHO_CLIENT, x[6], f->leg.snd_una);
		compare_number(r, "snd_nxt", WHO_CLIENT, x[7], f->leg.snd_nxt);
	}
	if (f->leg.state >= LEG_OPEN)
		compare_number(r, "last_ack_sent", WHO_SUT, x[8],
			       f->leg.last_ack_sent);
}

/* --- several connections of one tuple --- */

/* What the engine sent but bare acks, against what the model did. */
static void compare_reuse(struct replay *r)
{
	struct world *w = r->w;
	unsigned n = 0;

	for (unsigned i = 0; i < w->seen && !r->failed; i++) {
		const struct seen *s = &w->queue[i];
		const struct sent *m = &r->sent[n];
		uint32_t seq;

		if (seen_is_ack(s))
			continue;
		if (n++ == r->sent_n) {
			printf("# %s\n", seen_text(w, s));
			differs(r, "segments sent", r->sent_n, n);
			break;
		}
		r->conn = m->conn;
		if (s->conn != &w->conn[m->conn]) {
			differs(r, "its connection", m->conn,
				(unsigned)(s->conn - w->conn));
			break;
		}
		seq = s->e.seq - s->conn->iss[WHO_CLIENT];
		if (kind_of(&s->e) != m->kind)
			differs(r, kind_names[m->kind], m->kind,
				kind_of(&s->e));
		if (seq != number(r, WHO_CLIENT, m->seq))
			differs(r, "its seq", number(r, WHO_CLIENT, m->seq),
				seq);
		if ((s->e.sport != s->conn->port) != (m->ack != 0))
			differs(r, "its port", m->ack, s->e.sport);
	}
	if (n < r->sent_n)
		differs(r, "segments sent", r->sent_n, n);
	world_drop(w, w->seen);
	r->sent_n = 0;
}

/* The flow of a connection, whatever newer one has its tuple by now. */
static const struct flow *flow_of_conn(struct replay *r, unsigned n)
{
	struct flow *f = flow_of(r);

	if (f != NULL && f->w.c_iss == r->w->conn[n].iss[WHO_CLIENT]) {
		r->flow[n] = f;
		r->id[n] = f->id;
	}
	f = r->flow[n];
	return f != NULL && f->id == r->id[n] ? f : NULL;
}

static void compare_conn(struct replay *r, const char *line)
{
	const struct flow *f;
	unsigned n, x[5];
	int got = sscanf(line, "Y %u %u %u %u %u %u", &n, &x[0], &x[1], &x[2],
			 &x[3], &x[4]);

	if ((got != 1 && got != 6) || n == 0 || n >= CONNS) {
		differs(r, "not a line of a trace", 0, 0);
		return;
	}
	f = r->w->conn[n].used ? flow_of_conn(r, n) : NULL;
	if ((f != NULL) != (got == 6)) {
		differs(r, "there is a flow", got == 6, f != NULL);
		return;
	}
	if (f == NULL)
		return;
	if (f->leg.state != x[0])
		differs(r, "leg", x[0], f->leg.state);
	if (x[1] >= ENDS || f->leg.end != (unsigned)ends[x[1]])
		differs(r, "end", x[1], f->leg.end);
	if (flow_events(f) != x[2])
		differs(r, "event bits", x[2], flow_events(f));
	if (((f->w.flags & W_SUPERSEDED) != 0) != (x[3] != 0))
		differs(r, "superseded", x[3], f->w.flags);
	if (f->leg.state >= LEG_SYN_SENT &&
	    (f->eport != f->key.cport) != (x[4] != 0))
		differs(r, "another port", x[4], f->eport);
}

/* A line that only reuse.pml prints. */
static void play_reuse(struct replay *r, const char *line)
{
	unsigned n;

	if (sscanf(line, "C %u", &n) == 1 && n > 0 && n < CONNS) {
		r->conn = n;
		world_conn(r->w, n, 1);
	} else if (line[0] == 'S' && !r->ambiguous) {
		compare_reuse(r);
	} else if (line[0] == 'Y' && !r->ambiguous) {
		compare_conn(r, line);
	} else if (line[0] == 'Z') {
		r->ambiguous = true;
	}
}

static void begin(struct replay *r)
{
	r->w = calloc(1, sizeof(*r->w));
	if (r->w == NULL)
		abort();
	r->w->path = "trace";
	world_defaults(r->w);
	r->w->cfg.limits.pool = 1u << 18;
	r->w->cfg.limits.flows = 64; /* 8 half-open */
	/* Not modelled: how long an answer is waited for, and what a SUT that closes
	 * a kept connection is played.
	 */
	r->w->cfg.shadow.answer_wait = 0;
	r->w->cfg.shadow.reopen = false;
	r->w->cfg.shadow.reorder_wait = 20 * NS_PER_MS;
	r->w->cfg.shadow.shed = false;
	r->w->cfg.shadow.sut_silent = 3600 * NS_PER_SEC;
	r->w->cfg.shadow.idle = 30 * NS_PER_SEC;
	world_conn(r->w, 1, 0);
	memset(r->fin, 0, sizeof(r->fin));
	memset(r->flow, 0, sizeof(r->flow));
	r->conn = 1;
	r->ambiguous = false;
	r->first = 1;
	r->sent_n = 0;
	r->failed = false;
	r->run++;
	world_begin(r->w);
}

static void finish(struct replay *r)
{
	if (r->w == NULL)
		return;
	r->failed |= r->w->failed;
	world_end(r->w);
	r->failed |= r->w->failed;
	free(r->w);
	r->w = NULL;
	r->runs++;
	r->bad += r->failed;
}

static void state(struct replay *r, const char *line)
{
	unsigned x[9];

	compare_sent(r);
	if (strncmp(line, "X -", 3) == 0) {
		if (flow_of(r) != NULL)
			differs(r, "flows", 0, 1);
		return;
	}
	if (sscanf(line, "X %u %u %u %u %u %u %u %u %u", &x[0], &x[1], &x[2],
		   &x[3], &x[4], &x[5], &x[6], &x[7], &x[8]) != 9)
		differs(r, "not a line of a trace", 0, 0);
	else
		compare_state(r, x);
}

static void play(struct replay *r, const char *line)
{
	struct sent s = { 0 };
	unsigned who;

	if (line[0] == 'R') {
		if (sscanf(line, "R %*u %u %u %u %u %u %u", &r->plen[0],
			   &r->plen[1], &r->plen[2], &r->slen[0], &r->slen[1],
			   &r->slen[2]) == 6)
			begin(r);
		return;
	}
	if (r->w == NULL || ((r->failed || r->ambiguous) && line[0] != 'E'))
		return;
	s.conn = r->conn;
	if (sscanf(line, "I %u %u %u %u %u", &who, &s.kind, &s.seq, &s.ack,
		   &s.win) == 5) {
		r->w->line++;
		r->steps++;
		if (who <= 2 && s.kind != NO_KIND && s.kind <= RST)
			input(r, who, &s);
	} else if (sscanf(line, "F %u %u", &who, &s.seq) == 2) {
		if (who <= 1)
			r->fin[r->conn][who == 0 ? WHO_CLIENT : WHO_PROD] =
				s.seq;
	} else if (sscanf(line, "T %u", &who) == 1) {
		world_advance(r->w, r->w->now + who * NS_PER_MS + SLACK);
	} else if (sscanf(line, "U %u %u %u %u", &s.kind, &s.seq, &s.ack,
			  &s.win) == 4) {
		if (r->sent_n < SENT_MAX && s.kind <= PROBE)
			r->sent[r->sent_n++] = s;
	} else if (line[0] == 'X') {
		state(r, line);
	} else if (line[0] == 'E') {
		finish(r);
	} else {
		play_reuse(r, line);
	}
}

int main(void)
{
	struct replay r = { 0 };
	char line[256];

	while (fgets(line, sizeof(line), stdin) != NULL)
		play(&r, line);
	finish(&r); /* the last may be cut off */
	printf("runs %u steps %u differ %u\n", r.runs, r.steps, r.bad);
	return r.bad > 0 || r.runs == 0;
}
