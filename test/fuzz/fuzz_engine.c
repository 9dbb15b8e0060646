/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_engine.c - Whatever three endpoints do, the engine keeps its contract
 *
 * Theory of operation
 *
 * The input is {configuration, {operation, operand, operand}...}. The endpoints
 * are those of the scripts (test/script/world.c), so that every effect is held
 * against test/script/contract.c; here they have no script but what the input
 * says: open, data in any pieces, acks, FIN, RST; segments that the capture
 * loses, swaps or repeats; a SUT that answers in other pieces, late, or not at
 * all; a sink that is late or cannot send; segments with any numbers and flags.
 *
 * Each endpoint's bytes are a text that was made before, a function of the
 * sequence number, so that repeats never contradict. At the end the engine is
 * stopped: all memory must have come back and all sums must be closed.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/rng.h"
#include "engine_sums.h"
#include "script/world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TEXT	 24000 /* bytes of an endpoint's text */
#define MESSAGES 256   /* of it that are remembered */
#define LATE_MAX 32    /* effects that the sink has not sent yet */
#define PORTS	 4     /* client ports; connections beyond use them again */

/** struct text - What an endpoint says, and where its messages end */
struct text {
	uint8_t b[TEXT];
	uint32_t end[MESSAGES];
	uint32_t messages;
};

/** struct talk - One connection; numbers as in struct line, data from 1 */
struct talk {
	uint32_t nxt[WHO_COUNT]; /* of each endpoint */
	uint32_t s_skip;	 /* of the SUT's text, before this leg */
	bool fin[WHO_COUNT];
	bool held;
	struct line late; /* a segment that the capture will see later */
};

struct fuzz {
	struct world w;
	struct talk talk[CONNS];
	struct effect late[LATE_MAX];
	uint32_t lates;
	uint32_t newest[PORTS]; /* connection that opened a port last */
	uint8_t sink;		/* what the sink does with the next effects */
	bool serving;		/* the SUT acks and opens by itself */
	uint32_t effects;
};

/* All texts there are, made when first asked for; those of this input. */
static struct text made[WHO_COUNT][8][2];
static struct text *texts[WHO_COUNT];

static void put(struct text *t, uint32_t *n, const char *s)
{
	size_t len = strlen(s);

	if (len > TEXT - *n)
		len = TEXT - *n;
	memcpy(t->b + *n, s, len);
	*n += (uint32_t)len;
}

static void put_message(struct text *t, uint32_t *n, struct rng *r, bool client)
{
	static const char *const requests[] = {
		"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
		"HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n",
		"POST /p HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello",
		"POST /c HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
		"3\r\nabc\r\n0\r\n\r\n",
		"GET / HTTP/1.0\r\n\r\n",
		"POST /e HTTP/1.1\r\nExpect: 100-continue\r\n"
		"Content-Length: 3\r\n\r\nabc",
		"CONNECT h:1 HTTP/1.1\r\nHost: h\r\n\r\n",
	};
	static const char *const answers[] = {
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
		"HTTP/1.1 204 No Content\r\n\r\n",
		"HTTP/1.1 304 Not Modified\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
		"4\r\nabcd\r\n0\r\n\r\n",
		"HTTP/1.1 100 Continue\r\n\r\n"
		"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nother",
		"HTTP/1.1 200 OK\r\n\r\nuntil the end",
	};

	/* The last of each makes a tunnel, and is rare. */
	put(t, n,
	    client ? requests[rng_below(r, rng_below(r, 32) ? 6 : 7)]
		   : answers[rng_below(r, rng_below(r, 32) ? 6 : 7)]);
	if (!client && rng_below(r, 8) == 0) {
		put(t, n, "HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n");
		for (int i = 0; i < 125; i++)
			put(t, n, "0123456789abcde\n");
	}
}

static void make_text(enum who who, uint32_t seed, bool http)
{
	struct text *t = &made[who][seed][http];
	struct rng r = { seed };
	uint32_t n = 0;

	texts[who] = t;
	if (t->messages > 0)
		return;
	while (n < TEXT) {
		if (http)
			put_message(t, &n, &r, who == WHO_CLIENT);
		else
			put(t, &n, "MAIL FROM: nobody\r\n");
		if (t->messages < MESSAGES)
			t->end[t->messages++] = n;
	}
}

/* --- the sink --- */

static void flush(struct fuzz *z)
{
	for (uint32_t i = 0; i < z->lates; i++) {
		if (z->late[i].timed)
			engine_left(z->w.engine, &z->late[i], z->effects);
		engine_sent(z->w.engine, &z->late[i]);
	}
	z->lates = 0;
}

static void sink(struct world *w, const struct effect *e)
{
	struct fuzz *z = (struct fuzz *)(void *)w;

	world_drop(w, w->seen);
	z->effects++;
	if ((z->sink & 3) == 1 && e->cause != CAUSE_PROBE && z->effects % 8)
		engine_unsent(w->engine, e);
	if ((z->sink & 3) == 2) {
		if (z->lates == LATE_MAX)
			flush(z);
		z->late[z->lates++] = *e;
	} else {
		if (e->timed)
			engine_left(w->engine, e, z->effects);
		engine_sent(w->engine, e);
	}
}

/* --- segments --- */

static struct line segment(const struct fuzz *z, enum who who, uint32_t seq,
			   uint32_t len, uint16_t flags)
{
	const struct conn *c = z->w.cur;
	const struct talk *t = &z->talk[c - z->w.conn];
	uint32_t skip = who == WHO_SUT ? t->s_skip : 0;
	struct line l = { .kind = LINE_SEGMENT,
			  .who = who,
			  .flags = flags,
			  .seq = seq,
			  .len = len,
			  .win = 20000 };

	/* Behind the text there is nothing to say. */
	if (seq == 0 || skip + seq - 1 >= TEXT)
		l.len = 0;
	else if (len > TEXT - (skip + seq - 1))
		l.len = TEXT - (skip + seq - 1);
	l.end = l.seq + l.len;
	if (l.len > 0)
		l.data = texts[who]->b + skip + seq - 1;
	l.has_ack = (flags & TCP_ACK) != 0;
	l.ack = who == WHO_CLIENT ? t->nxt[WHO_PROD] + t->fin[WHO_PROD]
		: who == WHO_PROD ? t->nxt[WHO_CLIENT] + t->fin[WHO_CLIENT]
				  : c->snd_nxt;
	return l;
}

static void send_line(struct fuzz *z, const struct line *l)
{
	struct line copy = *l;

	if (copy.data == NULL)
		copy.data = texts[l->who]->b; /* no bytes of it */
	world_send(&z->w, &copy);
	world_drop(&z->w, z->w.seen);
}

/* Send it; or the capture loses it, sees it twice, late or in part. */
static void send_some(struct fuzz *z, struct talk *t, struct line *l,
		      uint8_t how)
{
	switch (how & 15) {
	case 1:
		return;
	case 2:
		send_line(z, l);
		break;
	case 3:
		if (!t->held) {
			t->late = *l;
			t->held = true;
			return;
		}
		break;
	case 4:
		l->cut = l->len / 2;
		break;
	case 5:
		l->bad = true;
		break;
	case 6:
		l->gso = 512;
		break;
	case 7:
		l->win = 0;
		break;
	case 8:
		l->win = 100;
		break;
	default:
		break;
	}
	send_line(z, l);
}

static uint32_t left_of_message(const struct talk *t, enum who who)
{
	uint32_t at = t->nxt[who] - 1 + (who == WHO_SUT ? t->s_skip : 0);

	for (uint32_t i = 0; i < texts[who]->messages; i++)
		if (texts[who]->end[i] > at)
			return texts[who]->end[i] - at;
	return 100;
}

static void say(struct fuzz *z, struct talk *t, enum who who, uint8_t how,
		uint8_t size)
{
	uint32_t rest = left_of_message(t, who);
	uint32_t len = size == 0 ? rest : size < 128 ? size : size * 16u;
	struct line l;

	if (t->nxt[who] == 0 || t->fin[who])
		return;
	l = segment(z, who, t->nxt[who], len, TCP_ACK | TCP_PSH);
	t->nxt[who] += l.len;
	send_some(z, t, &l, how);
}

static void say_fin(struct fuzz *z, struct talk *t, enum who who, uint8_t how)
{
	struct line l = segment(z, who, t->nxt[who], 0, TCP_FIN | TCP_ACK);

	if (t->nxt[who] == 0)
		return;
	t->fin[who] = true;
	send_some(z, t, &l, how);
}

/* A repetition of something that was said, in other pieces. */
static void say_again(struct fuzz *z, struct talk *t, enum who who,
		      uint8_t back, uint8_t size)
{
	uint32_t from = t->nxt[who] > back ? t->nxt[who] - back : 1;
	uint32_t len = t->nxt[who] - from;
	struct line l = segment(z, who, from, len < size ? len : size, TCP_ACK);

	if (t->nxt[who] != 0)
		send_line(z, &l);
}

static void say_ack(struct fuzz *z, struct talk *t, enum who who, uint8_t back,
		    uint8_t how)
{
	struct line l = segment(z, who, t->nxt[who] + t->fin[who], 0, TCP_ACK);

	l.ack = l.ack > back ? l.ack - back : 1;
	if (t->nxt[who] != 0)
		send_some(z, t, &l, how);
}

static void say_rst(struct fuzz *z, struct talk *t, enum who who, uint8_t off)
{
	struct line l =
		segment(z, who, t->nxt[who] + off, 0, TCP_RST | TCP_ACK);

	send_line(z, &l);
}

static void open_client(struct fuzz *z, struct talk *t, uint8_t how)
{
	struct line l = segment(z, WHO_CLIENT, 0, 0, TCP_SYN);

	if (t->nxt[WHO_CLIENT] > 1) /* what follows data is another one's */
		return;
	l.has_ack = false;
	l.opts.mss = 1460;
	l.opts.wscale = how & 7;
	l.opts.tsval = 1000;
	l.opts.has = (uint16_t)(OPT_HAS_MSS | (how & 8 ? OPT_HAS_WSCALE : 0) |
				(how & 16 ? OPT_HAS_SACK_OK : 0));
	if (t->nxt[WHO_CLIENT] == 0)
		t->nxt[WHO_CLIENT] = 1;
	send_line(z, &l);
}

static void open_prod(struct fuzz *z, struct talk *t, uint8_t how)
{
	struct line l = segment(z, WHO_PROD, 0, 0, TCP_SYN | TCP_ACK);

	l.ack = 1;
	l.opts.has = OPT_HAS_MSS | (how & 8 ? OPT_HAS_WSCALE : 0);
	l.opts.mss = 1460;
	l.opts.wscale = 7;
	if (t->nxt[WHO_PROD] == 0)
		t->nxt[WHO_PROD] = 1;
	send_some(z, t, &l, how >> 4);
}

/* The SUT answers a SYN that it has got. */
static void open_sut(struct fuzz *z, struct talk *t, uint8_t how)
{
	struct line l = segment(z, WHO_SUT, 0, 0, TCP_SYN | TCP_ACK);
	uint32_t k = 0;

	if (!z->w.cur->syn || z->w.cur->synack)
		return;
	l.ack = z->w.cur->snd_nxt;
	l.opts.has = (uint16_t)(OPT_HAS_MSS | (how & 8 ? OPT_HAS_WSCALE : 0) |
				(how & 16 ? OPT_HAS_SACK_OK : 0));
	l.opts.mss = how & 32 ? 1460 : 200;
	l.opts.wscale = how & 7;
	/* A new leg begins with a message. */
	if (t->nxt[WHO_SUT] > 1)
		t->s_skip += t->nxt[WHO_SUT] - 1;
	while (k < MESSAGES - 1 && texts[WHO_SUT]->end[k] < t->s_skip)
		k++;
	if (t->s_skip > 0)
		t->s_skip = texts[WHO_SUT]->end[k];
	t->nxt[WHO_SUT] = 1;
	t->fin[WHO_SUT] = false;
	send_line(z, &l);
}

static void serve(struct fuzz *z, struct talk *t)
{
	struct conn *c = z->w.cur;

	if (!z->serving)
		return;
	if (c->syn && !c->synack)
		open_sut(z, t, 0x38);
	if (c->synack)
		say_ack(z, t, WHO_SUT, 0, 0);
}

/* A segment with any numbers and flags; its bytes are the text's all the same. */
static void say_wild(struct fuzz *z, struct talk *t, uint8_t a, uint8_t b)
{
	enum who who = (enum who)(a % WHO_COUNT);
	uint32_t seq = t->nxt[who] + (uint32_t)(b & 15) * 37 - 200;
	struct line l = segment(z, who, seq, (uint32_t)(a & 0x38) * 10,
				(uint16_t)(b ^ TCP_ACK));

	if (seq > TEXT) {
		l.len = 0;
		l.end = seq;
	}
	/* A SYN would be another incarnation, and data before it too. */
	if (who == WHO_CLIENT)
		l.flags &= (uint16_t)~TCP_SYN;
	if (who == WHO_CLIENT && t->nxt[who] < 2)
		return;
	l.has_ack = true;
	if (a & 0x40)
		l.ack += (uint32_t)(b >> 4) * 1000;
	if (a & 0x80)
		l.ack -= 40;
	l.win = (uint16_t)(a * 257u);
	send_line(z, &l);
}

static void sut_operation(struct fuzz *z, struct talk *t, uint8_t op, uint8_t a,
			  uint8_t b)
{
	switch (op) {
	case 0:
		open_sut(z, t, a);
		break;
	case 1:
	case 2:
		if (z->w.cur->synack)
			say(z, t, WHO_SUT, a, b);
		break;
	case 3:
		if (z->w.cur->synack)
			say_ack(z, t, WHO_SUT, b, a);
		break;
	case 4:
		if (z->w.cur->synack)
			say_fin(z, t, WHO_SUT, a);
		break;
	case 5:
		if (a < 64)
			say_rst(z, t, WHO_SUT, b & 1);
		break;
	case 6:
		if (z->w.cur->synack)
			say_again(z, t, WHO_SUT, a, b);
		break;
	default:
		z->sink = a;
		break;
	}
}

static void mirror_operation(struct fuzz *z, struct talk *t, uint8_t op,
			     uint8_t a, uint8_t b)
{
	enum who who = op & 1 ? WHO_PROD : WHO_CLIENT;

	switch (op >> 1) {
	case 0:
		if (who == WHO_CLIENT)
			open_client(z, t, a);
		else
			open_prod(z, t, a);
		break;
	case 1:
		if (t->nxt[who] == 0) /* its SYN was not captured */
			t->nxt[who] = 1;
		say(z, t, who, a, b);
		break;
	case 2:
		say(z, t, who, a, b);
		break;
	case 3:
		say_ack(z, t, who, b, a);
		break;
	case 4:
		say_fin(z, t, who, a);
		break;
	case 5:
		if (a < 64)
			say_rst(z, t, who, b & 1);
		break;
	case 6:
		say_again(z, t, who, a, b);
		break;
	default:
		if (t->held) {
			t->held = false;
			send_line(z, &t->late);
		} else if (who == WHO_PROD) {
			say_wild(z, t, a, b);
		}
		break;
	}
}

static void operation(struct fuzz *z, const uint8_t *p)
{
	unsigned n = 1 + (p[0] >> 5);
	uint8_t op = p[0] & 31;
	struct talk *t = &z->talk[n];

	world_conn(&z->w, n, 1 + (n - 1) % PORTS);
	if (op < 16 && z->newest[n % PORTS] <= n) {
		/* No more comes of an older incarnation of the port. */
		z->newest[n % PORTS] = n;
		mirror_operation(z, t, op, p[1], p[2]);
	}
	if (op >= 16 && op < 24)
		sut_operation(z, t, op & 7, p[1], p[2]);
	else if (op >= 24 && op < 28)
		world_advance(&z->w, z->w.now + p[1] * NS_PER_MS);
	else if (op >= 28 && op < 30)
		world_advance(&z->w, z->w.now + p[1] * (NS_PER_SEC / 8));
	else if (op >= 30)
		flush(z);
	world_drop(&z->w, z->w.seen);
	serve(z, t);
}

/* --- sums --- */

static void check_sums(struct world *w)
{
	const char *wrong = frame_sums(engine_stats(w->engine));

	if (wrong == NULL)
		wrong = verdict_sums(w->engine);
	if (wrong != NULL)
		world_fail(w, "%s: not so", wrong);
}

static void configure(struct fuzz *z, const uint8_t *p)
{
	struct engine_config *c = &z->w.cfg;
	bool http = (p[1] & 0x60) != 0;

	world_defaults(&z->w);
	z->w.v6 = (p[0] & 1) != 0;
	c->compare = (enum compare_level)((p[0] >> 1) % 3);
	c->shadow.order_captured = (p[0] & 8) != 0;
	c->shadow.timing = (p[0] & 16) != 0;
	c->shadow.gso = (p[0] & 32) != 0;
	c->shadow.shed = (p[0] & 64) != 0;
	c->shadow.midstream = (p[0] & 128) == 0;
	c->limits.flows = p[1] & 1 ? 4 : 16;
	c->limits.pool = BUF_TOP;
	c->limits.flow_share = p[1] & 2 ? 8192 : BUF_TOP / 2;
	if (p[1] & 4)
		c->shadow.max_lag = NS_PER_SEC;
	if (p[1] & 8)
		c->shadow.sut_silent = NS_PER_SEC;
	if (p[1] & 16)
		c->shadow.idle = 5 * NS_PER_SEC;
	z->serving = (p[1] & 128) != 0;
	c->prove_each = (p[2] & 128) != 0;
	make_text(WHO_CLIENT, p[2] & 7u, http);
	make_text(WHO_PROD, p[2] >> 3 & 7u, http);
	make_text(WHO_SUT, (p[2] & 64 ? p[2] : p[2] >> 3) & 7u, http);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz fuzz; /* the queue in it is large */
	struct fuzz *z = &fuzz;
	size_t at = 3;

	if (size < 6 || size > 3000)
		return 0;
	memset(&z->w, 0, offsetof(struct world, queue));
	memset(&z->talk, 0, sizeof(*z) - offsetof(struct fuzz, talk));
	z->w.path = "input";
	z->w.sink = sink;
	z->w.verbose = getenv("FUZZ_VERBOSE") != NULL;
	configure(z, data);
	if (!world_begin(&z->w))
		abort();
	for (; !z->w.failed && at + 3 <= size; at += 3) {
		z->w.line = (unsigned)(at / 3);
		operation(z, data + at);
	}
	world_stop(&z->w);
	flush(z);
	if (!z->w.failed)
		check_sums(&z->w);
	world_end(&z->w);
	fflush(stdout);
	if (z->w.failed)
		abort();
	return 0;
}
