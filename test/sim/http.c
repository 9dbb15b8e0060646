/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * http.c - What clients ask and servers answer
 *
 * Theory of operation
 *
 * Every request names its connection and its place in it, so that it is unique in
 * a run; both servers answer from the same plan (struct request), the SUT with the
 * differences that the plan wants. Servers answer one request after the other,
 * each after its service time, in pieces. Nobody parses: where a message ends is
 * known to who wrote it, and the bytes are compared where they arrive.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

#define NS_MS NS_PER_MS

static void text(struct grown *b, const char *s)
{
	uint32_t n = (uint32_t)strlen(s);

	buf_put(b, b->len, s, n);
	b->len += n;
}

/* @n bytes of a body that no other message has. */
static void body(struct grown *b, uint32_t id, uint32_t n)
{
	uint32_t x = id * 2654435761u + 1;

	buf_put(b, b->len, NULL, n);
	for (uint32_t i = 0; i < n; i++) {
		if ((i & 3) == 0)
			x = x * 1664525u + 1013904223u;
		b->p[b->len + i] = (uint8_t)('a' + (x >> (8 * (i & 3))) % 26);
	}
	b->len += n;
}

/* The same in chunks; @odd: other ones. */
static void chunks(struct grown *b, uint32_t id, uint32_t n, bool odd)
{
	struct grown all = { 0 };
	uint32_t at = 0;
	char line[32];

	body(&all, id, n);
	while (at < n) {
		uint32_t k = 1 + (id * 31 + at * 7 + (odd ? 13 : 0)) % 3000;

		k = k < n - at ? k : n - at;
		snprintf(line, sizeof(line), odd ? "0%X\r\n" : "%x\r\n", k);
		text(b, line);
		buf_put(b, b->len, all.p + at, k);
		b->len += k;
		text(b, "\r\n");
		at += k;
	}
	text(b, "0\r\n\r\n");
	free(all.p);
}

static void make_request(struct grown *b, const struct conn *c, uint32_t k)
{
	static const char *const names[] = { "GET", "HEAD", "POST", "POST" };
	const struct request *r = &c->r[k];
	uint32_t id = c->id * 64 + k;
	char head[160];

	snprintf(head, sizeof(head), "%s /c%u/r%u HTTP/1.1\r\nHost: sim\r\n",
		 names[r->method], c->id, k);
	text(b, head);
	if (r->method == 2) {
		snprintf(head, sizeof(head), "Content-Length: %u\r\n\r\n",
			 r->size);
		text(b, head);
		body(b, id, r->size);
	} else if (r->method == 3) {
		text(b, "Transfer-Encoding: chunked\r\n\r\n");
		chunks(b, id, r->size, false);
	} else {
		text(b, "\r\n");
	}
}

static void make_head(struct grown *b, const struct conn *c, uint32_t k,
		      uint32_t size, bool sut, bool closes)
{
	const struct request *r = &c->r[k];
	uint8_t differ = sut ? r->differ : DIFFER_NOT;
	char head[240];

	snprintf(head, sizeof(head),
		 "HTTP/1.1 %s\r\nDate: %s\r\nX-Id: %u-%u%s\r\n",
		 differ == DIFFER_STATUS       ? "500 Oops"
		 : r->answer == ANSWER_NO_BODY ? "204 None"
					       : "200 OK",
		 differ == DIFFER_DATE ? "later" : "now", c->id, k,
		 differ == DIFFER_HEADER ? "x" : "");
	text(b, head);
	if (r->answer == ANSWER_LENGTH) {
		snprintf(head, sizeof(head), "Content-Length: %u\r\n", size);
		text(b, head);
	} else if (r->answer == ANSWER_CHUNKED) {
		text(b, "Transfer-Encoding: chunked\r\n");
	}
	if (r->answer == ANSWER_UNTIL_FIN || closes)
		text(b, "Connection: close\r\n");
	text(b, "\r\n");
}

static void make_answer(struct grown *b, const struct conn *c, uint32_t k,
			bool sut, bool closes)
{
	const struct request *r = &c->r[k];
	uint8_t differ = sut ? r->differ : DIFFER_NOT;
	uint32_t id = 0x40000000u + c->id * 64 + k;
	uint32_t size = r->answer_size;
	uint32_t from;

	if (differ == DIFFER_LENGTH)
		size += 1 + c->id % 2000;
	b->len = 0;
	make_head(b, c, k, size, sut, closes);
	from = b->len;
	if (r->method == 1 || r->answer == ANSWER_NO_BODY)
		return;
	if (r->answer == ANSWER_CHUNKED)
		chunks(b, id, size, differ == DIFFER_CHUNK);
	else
		body(b, id, size);
	if (differ == DIFFER_BODY && r->answer == ANSWER_CHUNKED) {
		while (b->p[from] != '\n')
			from++;
		b->p[from + 1] ^= 0x20;
	} else if (differ == DIFFER_BODY) {
		b->p[from + (c->id * 7 + k) % size] ^= 0x20;
	}
}

/* --- servers --- */

/** struct either - A server, whichever it is */
struct either {
	struct conn *c;
	struct played *l;
	struct tcp *t;
	struct server *a;
};

static void later(struct either *p, uint64_t at)
{
	p->a->at = at;
	if (p->l != NULL)
		sim_at(p->c->sim, at, EV_LEG, p->l);
	else
		sim_at(p->c->sim, at, EV_APP, p->c);
}

static void got_request(struct either *p, uint32_t k)
{
	if (p->l == NULL)
		return;
	/* Whom a full table has made us forget is met again in the middle; what
	 * he repeats then cannot be known for a repetition.
	 */
	if (p->c->r[k].sut_once && !p->c->sim->profile->scarce)
		sim_fail(p->c->sim, p->c, "I12: request %u came twice", k);
	p->c->r[k].sut_once = true;
}

/* Has this connection of the SUT given all the answers that it gives? */
static bool is_used_up(const struct either *p, uint32_t next)
{
	const struct sim *s = p->c->sim;

	return p->l != NULL && s->keep_max > 0 &&
	       next - p->l->first >= s->keep_max;
}

/* Does the SUT close a connection that production keeps? Without a word only if no
 * byte of a request is here, nor will be when its FIN goes out: whose request that
 * acks does not ask again.
 */
static bool sut_keeps_less(const struct either *p)
{
	const struct sim *s = p->c->sim;
	const struct server *a = p->a;
	uint32_t at;

	if (p->l == NULL || !s->profile->keep)
		return false;
	if (s->keep_said && is_used_up(p, a->next))
		return true;
	at = a->got > p->l->first ? p->c->r[a->got - 1].c_end : p->l->start;
	if (a->got != a->next || a->base + p->t->read != at ||
	    tcp_unread(p->t) != 0 || p->t->una != p->t->iss + 1 + p->t->tx.len)
		return false;
	return is_used_up(p, a->next) ||
	       (s->keep_idle > 0 && a->next > p->l->first &&
		s->now >= a->at + s->keep_idle);
}

static void server_read(struct either *p)
{
	struct conn *c = p->c;
	struct server *a = p->a;
	struct sim *s = c->sim;

	if (p->l != NULL && c->fault == FAULT_STALL && a->read_at == 0) {
		a->read_at = s->now + rng_below(&s->wire_rng, 3000) * NS_MS;
		sim_at(s, a->read_at, EV_LEG, p->l);
	}
	if (p->l != NULL && c->fault == FAULT_STALL && s->now < a->read_at)
		return;
	tcp_read(p->t, tcp_unread(p->t));
	while (a->got < c->n && c->r[a->got].c_end != 0 &&
	       c->r[a->got].c_end <= a->base + p->t->read &&
	       !(s->keep_said && is_used_up(p, a->got)))
		got_request(p, a->got++);
}

static bool write_piece(struct either *p)
{
	const struct request *r = &p->c->r[p->a->next];
	struct server *a = p->a;
	uint32_t step = a->answer.len / r->pieces + 1;
	uint32_t at = a->piece * step;
	uint32_t n = at < a->answer.len ? a->answer.len - at : 0;

	n = n < step ? n : step;
	if (n > 0)
		tcp_write(p->t, a->answer.p + at, n);
	a->piece++;
	return at + n < a->answer.len;
}

/* The SUT's own faults in the middle of an answer. Return: that was the end */
static bool sut_breaks(struct either *p)
{
	const struct conn *c = p->c;

	if (p->l == NULL || p->a->next < c->end_after)
		return false;
	if (c->fault == FAULT_RST_ANSWER)
		tcp_abort(p->t);
	else if (c->fault == FAULT_FIN_EARLY)
		tcp_close(p->t);
	else
		return false;
	p->a->done = true;
	return true;
}

/* What follows an answer, or the opening. Return: that was the end */
static bool server_ends(struct either *p)
{
	const struct conn *c = p->c;
	uint32_t k = p->a->next;
	bool last = k > 0 && c->r[k - 1].answer == ANSWER_UNTIL_FIN;

	if (sut_keeps_less(p)) {
		tcp_shutdown(p->t);
	} else if ((c->ending == END_PROD_FIN && k == c->n) || last ||
		   (c->ending == END_PROD_CLOSE && k == c->end_after)) {
		tcp_close(p->t);
	} else if (c->ending == END_PROD_RST && k >= c->end_after &&
		   p->l == NULL) {
		tcp_abort(p->t);
	} else if (p->t->fin_rcvd && k == p->a->got && !p->a->busy) {
		tcp_close(p->t);
	} else {
		return false;
	}
	p->a->done = true;
	return true;
}

/* Closed by a SUT that keeps less: what still comes is read and thrown away, until
 * all that was said has been acked (RFC 9112 section 9.6).
 */
static void linger(struct either *p)
{
	tcp_read(p->t, tcp_unread(p->t));
	if (p->t->fin_acked && (p->c->id & 1) != 0)
		tcp_close(p->t);
}

static void serve(struct either *p)
{
	struct conn *c = p->c;
	struct server *a = p->a;
	uint64_t now = c->sim->now;

	if (a->done && p->l != NULL && c->sim->profile->keep)
		linger(p);
	if (a->done || p->t->state != TCP_OPEN)
		return;
	server_read(p);
	while (p->t->state == TCP_OPEN && !a->done) {
		const struct request *r = &c->r[a->next];

		if (!a->busy) {
			if (server_ends(p) || a->next >= a->got)
				return;
			a->busy = true;
			a->piece = 0;
			make_answer(&a->answer, c, a->next, p->l != NULL,
				    c->sim->keep_said &&
					    is_used_up(p, a->next + 1));
			later(p, now + r->service[p->l != NULL]);
			return;
		}
		if (now < a->at)
			return;
		if (write_piece(p)) {
			if (sut_breaks(p))
				return;
			later(p, now + r->pace + 1);
			return;
		}
		if (p->l != NULL)
			p->l->s_end[a->next] = p->t->tx.len;
		else
			c->r[a->next].p_end = p->t->tx.len;
		a->busy = false;
		a->next++;
		a->at = now;
		if (p->l != NULL && c->sim->keep_idle > 0)
			sim_at(c->sim, now + c->sim->keep_idle, EV_LEG, p->l);
	}
}

void app_prod(struct conn *c)
{
	struct either p = { c, NULL, &c->p, &c->app };

	if (c->p_used)
		serve(&p);
}

void app_sut(struct played *l)
{
	struct either p = { l->conn, l, &l->sut, &l->app };

	if (l->sut_used)
		serve(&p);
}

/* --- clients --- */

static void client_read(struct conn *c)
{
	struct sim *s = c->sim;

	if (!c->slow) {
		tcp_read(&c->c, tcp_unread(&c->c));
		return;
	}
	if (s->now < c->read_at || tcp_unread(&c->c) == 0)
		return;
	tcp_read(&c->c, 200 + rng_below(&s->wire_rng, 6000));
	c->read_at = s->now + (1 + rng_below(&s->wire_rng, 60)) * NS_MS;
	sim_at(s, c->read_at, EV_APP, c);
}

static uint32_t answered(const struct conn *c)
{
	uint32_t k = 0;

	while (k < c->n && c->r[k].p_end != 0 && c->r[k].p_end <= c->c.read)
		k++;
	return k;
}

static void ask(struct conn *c, uint32_t have)
{
	struct sim *s = c->sim;

	while (c->sent < c->n && c->sent - have < c->depth) {
		struct grown b = { 0 };
		uint32_t k = c->sent;

		if (s->now < c->think_at)
			return;
		make_request(&b, c, k);
		c->sent++;
		/* Known before it is written: it may be read at once. */
		c->r[k].c_end = c->c.tx.len + b.len;
		tcp_write(&c->c, b.p, b.len);
		free(b.p);
		if (c->sent < c->n && c->r[c->sent].think > 0) {
			c->think_at = s->now + c->r[c->sent].think;
			sim_at(s, c->think_at, EV_APP, c);
		}
	}
	if (c->sent == c->n && c->ending == END_HALF_CLOSE)
		tcp_shutdown(&c->c);
}

/* The end that the plan wants, when its time has come. */
static bool client_ends(struct conn *c, uint32_t have)
{
	struct sim *s = c->sim;
	bool rst = c->ending == END_CLIENT_RST;
	bool due = c->ending == END_CLIENT_FIN ? have == c->n
		   : rst || c->ending == END_CLIENT_CLOSE
			   ? c->sent >= c->end_after
			   : false;

	if (!due)
		return false;
	if (c->abort_at == 0) {
		c->abort_at = s->now + c->end_delay;
		sim_at(s, c->abort_at, EV_APP, c);
	}
	if (s->now < c->abort_at)
		return false;
	if (rst)
		tcp_abort(&c->c);
	else
		tcp_close(&c->c);
	return true;
}

void app_client(struct conn *c)
{
	struct tcp *t = &c->c;
	uint32_t have;

	if (t->state == TCP_CLOSED || t->state == TCP_SYN_SENT)
		return;
	if (t->closed)
		return;
	client_read(c);
	have = answered(c);
	if (t->fin_rcvd && tcp_unread(t) == 0) {
		tcp_close(t);
		return;
	}
	if (!client_ends(c, have))
		ask(c, have);
}
