/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_dead.c - Every way in which a SUT can die, in virtual time
 *
 * A row is a death, a shape of the clients and two options. GOOD clients are
 * answered by both servers, then the death comes, then BAD clients more, whom
 * production answers. Each request that the SUT did not answer must be told, with
 * a kind that the death allows, the SUT must be down where all of it is dead, and
 * nothing may be told of a SUT that lives.
 */
#include <stdio.h>

#include "engine_rig.h"

#define GOOD	  4
#define BAD	  12
#define REQUESTS  3 /* of a client that keeps its connection */
#define STEP	  (10 * NS_PER_MS)
#define WAIT	  (500 * NS_PER_MS)
#define PEERS_MAX 64

static const char request[] = "GET /x HTTP/1.1\r\nHost: x\r\n\r\n";
static const char answer[] =
	"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nxxxxx";

#define REQ ((uint32_t)sizeof(request) - 1)
#define ANS ((uint32_t)sizeof(answer) - 1)

enum death {
	ALIVE,
	REFUSES,    /* RST to each SYN, and on what is open */
	STOPPED,    /* its kernel opens and acks, nobody answers */
	MUTE,	    /* nothing comes: dropped, or the cable is out */
	QUEUE_FULL, /* opens nothing more, acks what is open */
	HEAD_HANGS, /* gives the head, then hangs */
	CLOSES,	    /* FIN instead of an answer */
	ONE_OF_3,   /* every third connection hangs */
	RST_OF_3,   /* every third is reset instead of answered */
	UNPROVED,   /* the probe is lost, too */
	DEATHS
};

static const char *const death_names[DEATHS] = {
	"alive",      "refuses",	   "stopped",
	"mute",	      "accept queue full", "head hangs",
	"closes",     "one of 3 hangs",	   "RST for every third",
	"probe lost",
};

enum shape { SHORT, KEEP, PIPED, RST_CLOSES, SHAPES };

static const char *const shape_names[SHAPES] = { "short", "keepalive",
						 "pipelined", "RST-closing" };

/* The SUT's end of a connection. */
struct peer {
	uint16_t port;
	unsigned number;
	bool open;
	bool hung;
	bool fin;     /* the client's has come */
	uint32_t rcv; /* next byte of the client's */
	uint32_t snd;
	uint32_t base; /* where the request that is awaited begins */
};

struct town {
	struct rig r;
	enum death death;
	unsigned peers;
	struct peer peer[PEERS_MAX];
	unsigned answered;
};

static void say(struct town *t, const struct peer *p, uint8_t flags,
		const char *text)
{
	tcp_sut(&t->r, ip(9, 0, 1), 80, ip(1, 0, 1), p->port, p->snd, p->rcv,
		flags, text);
}

static struct peer *peer_of(struct town *t, const struct effect *x)
{
	for (unsigned i = 0; i < t->peers; i++)
		if (t->peer[i].port == x->sport)
			return &t->peer[i];
	if (t->peers == PEERS_MAX)
		abort();
	t->peer[t->peers].port = x->sport;
	t->peer[t->peers].number = t->peers;
	return &t->peer[t->peers++];
}

static void on_syn(struct town *t, struct peer *p, const struct effect *x)
{
	p->rcv = x->seq + 1;
	p->base = p->rcv;
	p->snd = 500;
	p->open = false;
	p->fin = false;
	if (t->death == MUTE || t->death == QUEUE_FULL || t->death == UNPROVED)
		return;
	if (t->death == REFUSES) {
		p->snd = 0;
		say(t, p, TCP_RST | TCP_ACK, "");
		return;
	}
	p->open = true;
	say(t, p, TCP_SYN | TCP_ACK, "");
	p->snd++;
}

/* A whole request is here. */
static void on_request(struct town *t, struct peer *p)
{
	bool third = p->number % 3 == 0;

	if (p->hung)
		return;
	if (t->death == STOPPED || t->death == QUEUE_FULL ||
	    (t->death == ONE_OF_3 && third)) {
		p->hung = true;
	} else if (t->death == HEAD_HANGS) {
		say(t, p, TCP_ACK, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n");
		p->hung = true;
	} else if (t->death == CLOSES) {
		say(t, p, TCP_FIN | TCP_ACK, "");
		p->hung = true;
	} else if (t->death == REFUSES || (t->death == RST_OF_3 && third)) {
		say(t, p, TCP_RST | TCP_ACK, "");
		p->open = false;
	} else {
		t->answered++;
		say(t, p, TCP_ACK, answer);
		p->snd += ANS;
	}
}

static void on_effect(struct town *t, const struct effect *x)
{
	struct peer *p = peer_of(t, x);

	if ((x->flags & TCP_SYN) != 0) {
		on_syn(t, p, x);
		return;
	}
	if (!p->open || t->death == MUTE || t->death == UNPROVED)
		return;
	if ((x->flags & TCP_RST) != 0) {
		p->open = false;
		return;
	}
	if (x->len > 0 && x->seq == p->rcv) {
		p->rcv += x->len;
		say(t, p, TCP_ACK, "");
	}
	while (p->open && p->rcv - p->base >= REQ) {
		p->base += REQ;
		on_request(t, p);
	}
	if ((x->flags & TCP_FIN) != 0 && x->seq + x->len == p->rcv && !p->fin) {
		p->rcv++;
		p->fin = true;
		say(t, p, TCP_ACK, "");
		if (!p->hung)
			say(t, p, TCP_FIN | TCP_ACK, "");
	}
}

/* What the engine has sent goes to the SUT, until it is quiet. */
static void serve(struct town *t)
{
	for (uint32_t i = 0; i < t->r.n; i++) {
		struct effect x = t->r.seen[i];

		if (x.kind == EFFECT_TCP)
			on_effect(t, &x);
	}
	t->r.n = 0;
}

static void step(struct town *t, uint64_t ns)
{
	uint64_t until = t->r.now + ns;

	while (t->r.now < until) {
		serve(t);
		pass(&t->r, STEP);
	}
	serve(t);
}

static void c(struct town *t, uint16_t port, uint32_t seq, uint32_t ack,
	      uint8_t flags, const char *text)
{
	tcp(&t->r, ip(1, 0, 1), port, ip(2, 0, 1), 80, seq, ack, flags, text);
	serve(t);
}

static void p(struct town *t, uint16_t port, uint32_t seq, uint32_t ack,
	      uint8_t flags, const char *text)
{
	tcp(&t->r, ip(2, 0, 1), 80, ip(1, 0, 1), port, seq, ack, flags, text);
	serve(t);
}

/* One client, whom production answers. Return: its requests */
static unsigned one(struct town *t, enum shape shape, uint16_t port)
{
	unsigned n = shape == KEEP || shape == PIPED ? REQUESTS : 1;
	uint32_t cs = 1001;
	uint32_t ps = 501;

	c(t, port, 1000, 0, TCP_SYN, "");
	p(t, port, 500, 1001, TCP_SYN | TCP_ACK, "");
	c(t, port, cs, ps, TCP_ACK, "");
	for (unsigned i = 0; i < n; i++) {
		c(t, port, cs, ps, TCP_ACK, request);
		cs += REQ;
		if (shape == PIPED)
			continue;
		p(t, port, ps, cs, TCP_ACK, answer);
		ps += ANS;
		c(t, port, cs, ps, TCP_ACK, "");
		step(t, STEP);
	}
	for (unsigned i = 0; shape == PIPED && i < n; i++) {
		p(t, port, ps, cs, TCP_ACK, answer);
		ps += ANS;
	}
	if (shape == RST_CLOSES) {
		c(t, port, cs, ps, TCP_RST | TCP_ACK, "");
		return n;
	}
	c(t, port, cs, ps, TCP_FIN | TCP_ACK, "");
	p(t, port, ps, cs + 1, TCP_FIN | TCP_ACK, "");
	c(t, port, cs + 1, ps + 1, TCP_ACK, "");
	return n;
}

/* Which kinds a death may have. */
static bool kind_fits(enum death d, enum unanswered k)
{
	switch (d) {
	case REFUSES:
		return k == UNANSWERED_REFUSED || k == UNANSWERED_RESET;
	case RST_OF_3:
		return k == UNANSWERED_RESET;
	case CLOSES:
		return k == UNANSWERED_CUT || k == UNANSWERED_WITHHELD;
	default:
		return k == UNANSWERED_SILENT || k == UNANSWERED_WITHHELD;
	}
}

static void check_told(const struct town *t, enum shape shape, unsigned asked,
		       const char *row)
{
	const struct engine_stats *st = engine_stats(t->r.e);
	const uint64_t *left = st->reason[VERDICT_NOT_COMPARED];
	uint64_t told = st->reason[VERDICT_DIFFERENT][REASON_UNANSWERED];
	bool none = t->r.cfg.compare == COMPARE_NONE;
	/* Its client had sent more before production had answered. */
	uint64_t lost = none ? left[REASON_LEVEL_NONE] - t->answered
			     : left[REASON_SUT_DOWN];
	bool part = t->death == ONE_OF_3 || t->death == RST_OF_3 ||
		    t->death == CLOSES;

	CHECK_ROW(told + lost + t->answered == asked, row);
	CHECK_ROW(st->verdict[VERDICT_DIFFERENT] == told, row);
	CHECK_ROW(st->verdict[VERDICT_NOT_COMPARED] ==
			  lost + (none ? t->answered : 0),
		  row);
	CHECK_ROW(lost == 0 || (t->death == RST_OF_3 && shape == PIPED &&
				lost == BAD / 3),
		  row);
	CHECK_ROW((told == 0) == (t->death == ALIVE), row);
	for (int k = 1; k < UNANSWERED_COUNT; k++)
		CHECK_ROW(st->unanswered[k] == 0 ||
				  kind_fits(t->death, (enum unanswered)k),
			  row);
	/* A SUT that answers some, or closes instead, may be up. */
	if (!part)
		CHECK_ROW((health_down(&st->health[0], t->r.now) > 0) ==
				  (t->death != ALIVE),
			  row);
}

static void run(enum death d, enum shape shape, bool shed,
		enum compare_level level)
{
	static struct town t;
	char row[96];
	unsigned asked = 0;

	snprintf(row, sizeof(row), "%s, %s, %s, level %d", death_names[d],
		 shape_names[shape], shed ? "shed" : "wait", (int)level);
	memset(&t, 0, sizeof(t));
	defaults(&t.r);
	t.r.cfg.shadow.answer_wait = WAIT;
	t.r.cfg.shadow.shed = shed;
	t.r.cfg.compare = level;
	add_map(&t.r, ip(2, 0, 1), 32, 80, ip(9, 0, 1), 0);
	start(&t.r);
	for (uint16_t i = 0; i < GOOD; i++)
		asked += one(&t, shape, (uint16_t)(5000 + i));
	step(&t, NS_PER_SEC);
	CHECK_ROW(t.answered == asked, row);
	CHECK_ROW(engine_stats(t.r.e)->verdict[VERDICT_DIFFERENT] == 0, row);
	t.death = d;
	t.r.deaf = d == UNPROVED;
	if (d == UNPROVED) /* it is asked once a minute */
		step(&t, 70 * NS_PER_SEC);
	for (uint16_t i = 0; i < BAD; i++) {
		asked += one(&t, shape, (uint16_t)(6000 + i));
		step(&t, 50 * NS_PER_MS);
	}
	step(&t, 40 * NS_PER_SEC);
	stop(&t.r);
	check_told(&t, shape, asked, row);
	check_closed(&t.r);
}

static void every(enum shape shape)
{
	for (int d = 0; d < DEATHS; d++) {
		run((enum death)d, shape, true, COMPARE_EQUIVALENT);
		run((enum death)d, shape, false, COMPARE_EQUIVALENT);
		run((enum death)d, shape, true, COMPARE_NONE);
	}
}

static void test_short(void)
{
	every(SHORT);
}

static void test_keepalive(void)
{
	every(KEEP);
}

static void test_pipelined(void)
{
	every(PIPED);
}

static void test_rst(void)
{
	every(RST_CLOSES);
}

static void open_town(struct town *t, enum death d)
{
	memset(t, 0, sizeof(*t));
	defaults(&t->r);
	t->r.cfg.shadow.answer_wait = WAIT;
	add_map(&t->r, ip(2, 0, 1), 32, 0, ip(9, 0, 1), 0);
	start(&t->r);
	t->death = d;
}

static uint64_t told(const struct town *t)
{
	return engine_stats(t->r.e)
		->reason[VERDICT_DIFFERENT][REASON_UNANSWERED];
}

/* What stood still waits for nobody: neither a TCP answer nor a datagram's. */
static void test_stall(void)
{
	static const uint8_t query[] = "q";
	static struct town t;
	struct effects out;

	open_town(&t, STOPPED);
	one(&t, KEEP, 5000);
	udp(&t.r, ENGINE_MIRROR, ip(1, 0, 1), 77, ip(2, 0, 1), 99, query, 1);
	udp(&t.r, ENGINE_MIRROR, ip(2, 0, 1), 99, ip(1, 0, 1), 77, query, 1);
	t.r.n = 0;
	pass(&t.r, 400 * NS_PER_MS);
	CHECK(told(&t) == 0);
	t.r.now += 8 * NS_PER_SEC;
	engine_note(t.r.e, ENGINE_STALLED, 8 * NS_PER_SEC, t.r.now, &out);
	take(&t.r, &out);
	pass(&t.r, 50 * NS_PER_MS);
	CHECK(told(&t) == 0 && count(&t.r)->stalls == 1);
	pass(&t.r, 100 * NS_PER_MS);
	CHECK(told(&t) >= 2);
	check_closed(&t.r);
}

/* How long the answers that a SUT owes are waited for yet: to the nanosecond as time
 * passes, and not at all once they were told as missing.
 */
static void test_waits_left(void)
{
	static struct town t;
	struct effects out;
	uint64_t left, before;
	uint32_t n = 0;

	open_town(&t, STOPPED);
	CHECK(engine_waits_left(t.r.e, t.r.now, &n) == 0 && n == 0);
	one(&t, KEEP, 5000);
	pass(&t.r, 20 * NS_PER_MS);
	left = engine_waits_left(t.r.e, t.r.now, &n);
	CHECK(n == 1 && left > 0 && left <= WAIT);
	before = t.r.now;
	pass(&t.r, 100 * NS_PER_MS);
	n = 0;
	CHECK(engine_waits_left(t.r.e, t.r.now, &n) ==
	      left - (t.r.now - before));
	CHECK(n == 1 && told(&t) == 0);
	/* At the end of a run a SUT that owes is silent, if it was asked before. */
	engine_note(t.r.e, ENGINE_FINAL, 0, t.r.now, &out);
	take(&t.r, &out);
	pass(&t.r, 10 * NS_PER_SEC);
	n = 0;
	CHECK(engine_waits_left(t.r.e, t.r.now, &n) == 0 && n == 0);
	CHECK(told(&t) >= 1);
	CHECK(health_is_down(&engine_stats(t.r.e)->health[0]));
	stop(&t.r);
	check_closed(&t.r);
}

/* A datagram's answer may be among what our ring has lost. */
static void test_capture_drop(void)
{
	static const uint8_t query[] = "q";
	static struct town t;
	struct effects out;

	open_town(&t, STOPPED);
	for (uint16_t i = 0; i < 2; i++) {
		udp(&t.r, ENGINE_MIRROR, ip(1, 0, 1), 77, ip(2, 0, 1), 99,
		    query, 1);
		udp(&t.r, ENGINE_MIRROR, ip(2, 0, 1), 99, ip(1, 0, 1), 77,
		    query, 1);
		t.r.n = 0;
		pass(&t.r, STEP);
		if (i == 0) {
			engine_note(t.r.e, ENGINE_SUT_DROPPED, 3, t.r.now,
				    &out);
			take(&t.r, &out);
		}
		pass(&t.r, NS_PER_SEC);
	}
	CHECK(told(&t) == 1);
	CHECK(engine_stats(t.r.e)->reason[VERDICT_NOT_COMPARED]
					 [REASON_SUT_CAPTURE_DROP] == 1);
	check_closed(&t.r);
}

/* A stream that production has begun and goes on with: a SUT that has begun its
 * own owes nothing, one that has not does.
 */
static void test_stream(void)
{
	static const char head[] = "HTTP/1.1 200 OK\r\n"
				   "Content-Length: 99999\r\n\r\nx";
	const uint32_t n = sizeof(head) - 1;

	for (int dumb = 0; dumb < 2; dumb++) {
		static struct town t;

		open_town(&t, STOPPED);
		c(&t, 5000, 1000, 0, TCP_SYN, "");
		p(&t, 5000, 500, 1001, TCP_SYN | TCP_ACK, "");
		c(&t, 5000, 1001, 501, TCP_ACK, "");
		step(&t, 2 * NS_PER_SEC); /* its network is proved */
		c(&t, 5000, 1001, 501, TCP_ACK, request);
		step(&t, STEP);
		if (dumb == 0)
			say(&t, &t.peer[0], TCP_ACK, head);
		p(&t, 5000, 501, 1001 + REQ, TCP_ACK, head);
		c(&t, 5000, 1001 + REQ, 501 + n, TCP_ACK, "");
		step(&t, 5 * NS_PER_SEC);
		CHECK(told(&t) == (uint64_t)dumb);
		stop(&t.r);
		CHECK(engine_stats(t.r.e)->reason[VERDICT_NOT_COMPARED]
						 [REASON_RUN_ENDED] ==
		      (uint64_t)(1 - dumb));
		check_closed(&t.r);
	}
}

static const struct check_test tests[] = {
	{ "clients with a connection each", test_short },
	{ "clients that keep theirs", test_keepalive },
	{ "clients that pipeline", test_pipelined },
	{ "clients that close by RST", test_rst },
	{ "we stood still", test_stall },
	{ "how long is waited yet", test_waits_left },
	{ "frames of the SUT were lost by us", test_capture_drop },
	{ "a stream that does not end", test_stream },
};

int main(void)
{
	return check_main(tests, ARRAY_SIZE(tests));
}
