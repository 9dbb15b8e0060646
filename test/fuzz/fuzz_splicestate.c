/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_splicestate.c - Two ends, two sockets of ours and the pair between them
 *
 * Input: 16 bytes of initial numbers, one of what our program reads and writes itself,
 * then operations, a byte each: somebody sends, repeats, acks or ends; a wire delivers
 * one of its segments, loses it or doubles it; our program reads, writes, relays; the
 * two sockets are spliced, and closed silently once they are out of it; the splice is
 * cut, and others are made for what follows, before the cut is reached or after.
 *
 * Held against: each end gets exactly the bytes that are meant for it, in order (a
 * segment bears, unseen by the pair, where its bytes stand in the stream that its
 * receiver should get); nobody is acked what it has not sent; before the join nothing
 * is relayed, after it nothing reaches a socket, and beyond a cut nothing is relayed. When the input is used up, wires
 * lose nothing any more, everybody writes and ends, and all of it must arrive: so no
 * interleaving leaves the pair in PRE_SPLICED, and the last ack brings TIMEWAIT.
 */
#include "splice/state.h"

#include <assert.h>
#include <string.h>

#include "core/bytes.h"
#include "splice/begin.h"

#define WIN   48u /* everybody's window */
#define MSS   16u
#define QUEUE 32

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A segment, and where its first byte stands in its receiver's stream. */
struct flying {
	struct splice_segment s;
	int64_t tag;
};

struct wire {
	struct flying f[QUEUE];
	unsigned n;
};

/* One end of one connection, its handshake done. */
struct end {
	uint32_t iss, irs;
	uint32_t una, nxt;   /* of what it sends */
	uint32_t edge;	     /* of what it may send */
	uint32_t written;    /* bytes that its program has written */
	uint32_t got;	     /* bytes received in order */
	uint32_t told;	     /* the same when it last acked */
	uint32_t read;	     /* of them, read by its program */
	bool ended, got_fin; /* its stream, the other's */
	bool gone;
};

struct house {
	struct end peer[DIR_COUNT], sock[DIR_COUNT];
	struct wire in[DIR_COUNT], out[DIR_COUNT]; /* from and to the peer */
	struct splice_pair pair;
	uint32_t eat;	/* bytes of the client that our program keeps */
	uint32_t extra; /* bytes that it writes to the client itself */
	bool spliced;
	bool made; /* sockets that nothing comes to yet */
};

static void put(struct wire *w, const struct flying *f)
{
	if (w->n < QUEUE)
		w->f[w->n++] = *f;
}

static struct flying take(struct wire *w, unsigned i)
{
	struct flying f = w->f[i];

	memmove(w->f + i, w->f + i + 1, (--w->n - i) * sizeof(f));
	return f;
}

static uint32_t rcv_nxt(const struct end *e)
{
	return e->irs + 1 + e->got + e->got_fin;
}

/* Bytes from @seq on, as many as there are, with the FIN if it is its turn. */
static void send_from(struct end *e, struct wire *w, uint32_t seq, int64_t tag)
{
	uint32_t end = e->iss + 1 + e->written;
	uint32_t len = seq_lt(seq, end) ? end - seq : 0;
	struct flying f = { .s = { .seq = seq,
				   .ack = rcv_nxt(e),
				   .win = WIN,
				   .flags = SPLICE_ACK } };

	if (e->gone)
		return;
	if (len > MSS)
		len = MSS;
	if (seq_le(seq, e->edge) && len > e->edge - seq)
		len = e->edge - seq;
	f.s.len = len;
	if (e->ended && seq + len == end)
		f.s.flags |= SPLICE_FIN;
	f.tag = tag + (int64_t)(seq - e->iss - 1);
	e->told = e->got;
	put(w, &f);
	if (seq_lt(e->nxt, splice_end(&f.s)))
		e->nxt = splice_end(&f.s);
}

static void ack(struct end *e, struct wire *w)
{
	struct flying f = { .s = { .seq = e->nxt,
				   .ack = rcv_nxt(e),
				   .win = WIN,
				   .flags = SPLICE_ACK } };

	if (e->gone)
		return;
	e->told = e->got;
	put(w, &f);
}

/* RFC 9293 section 3.10.7.4, without a queue for what is out of order. */
static void receive(struct end *e, const struct flying *f, bool is_peer)
{
	uint32_t want = rcv_nxt(e);
	uint32_t end = f->s.seq + f->s.len;

	if (e->gone)
		return;
	if (!seq_le(f->s.seq, want) || !seq_le(want, splice_end(&f->s)))
		return;
	assert(seq_le(f->s.ack, e->nxt));
	if (seq_lt(e->una, f->s.ack))
		e->una = f->s.ack;
	if (seq_lt(e->edge, f->s.ack + f->s.win))
		e->edge = f->s.ack + f->s.win;
	if (e->got_fin)
		return;
	if (seq_lt(want, end)) {
		if (is_peer)
			assert(f->tag + (int64_t)(want - f->s.seq) ==
			       (int64_t)e->got);
		e->got += end - want;
	}
	if ((f->s.flags & SPLICE_FIN) != 0 && rcv_nxt(e) == end)
		e->got_fin = true;
}

static int64_t peer_tag(const struct house *h, enum dir d)
{
	return d == DIR_C2S ? -(int64_t)h->eat : (int64_t)h->extra;
}

/* The cut is reached, and there are sockets: from now on they are any two. */
static void wake(struct house *h)
{
	if (!h->made || h->pair.side[0].state != SPLICE_ESTABLISHED)
		return;
	h->made = h->spliced = false;
	h->sock[0].gone = h->sock[1].gone = false;
}

/* Sockets for what is behind the cut. */
static void make(struct house *h)
{
	uint32_t cut[DIR_COUNT];

	if (!splice_has_cut(&h->pair) || splice_in_timewait(&h->pair))
		return;
	for (unsigned d = 0; d < DIR_COUNT; d++) {
		const struct splice_side *i = &h->pair.side[d];
		const struct splice_side *o = &h->pair.side[1 - d];
		struct end *e = &h->sock[d];

		cut[d] = i->cut;
		e->una = e->nxt =
			seqmap_seq(&h->pair.map, (enum dir)(1 - d), o->cut);
		e->edge = e->nxt + WIN;
		e->written = e->nxt - e->iss - 1;
		e->got = e->told = e->read = i->cut - e->irs - 1;
		e->ended = e->got_fin = false;
		e->gone = true;
	}
	assert(splice_ready(&h->pair, cut));
	h->made = true;
	wake(h);
}

static void cut_now(struct house *h)
{
	bool reached;

	if (!splice_cut_now(&h->pair, &reached))
		return;
	h->sock[0].gone = h->sock[1].gone = true;
	h->made = false;
}

/* A segment of a peer has come to us. */
static void arrive(struct house *h, enum dir d, const struct flying *f)
{
	bool was = splice_is_live(&h->pair);
	bool had_cut = splice_has_cut(&h->pair);
	uint32_t cut = h->pair.side[d].cut;
	struct flying g = *f;
	uint32_t events;
	enum splice_act act = splice_step(&h->pair, d, &f->s, 1, &events);
	bool is = splice_is_live(&h->pair);

	assert((events & SPLICE_EV_REUSED) == 0);
	assert(was || is || act != SPLICE_TO_PEER);
	assert(!is || act != SPLICE_TO_STACK);
	assert(((events & SPLICE_EV_JOINED) != 0) == (!was && is));
	if (had_cut && act == SPLICE_TO_PEER && splice_end(&f->s) != f->s.seq)
		assert(seq_le(splice_end(&f->s), cut));
	wake(h);
	if (act == SPLICE_TO_NOBODY)
		return;
	if (act == SPLICE_TO_STACK) {
		assert(!h->sock[d].gone);
		receive(&h->sock[d], f, false);
		return;
	}
	g.s.seq = seqmap_seq(&h->pair.map, d, f->s.seq);
	g.s.ack = seqmap_ack(&h->pair.map, d, f->s.ack);
	put(&h->out[dir_reverse(d)], &g);
}

/* Our program: its own bytes first, then what the sockets have. */
static void program(struct house *h)
{
	struct end *c = &h->sock[DIR_C2S], *s = &h->sock[DIR_S2C];

	if (c->gone)
		return;
	if (c->read < h->eat)
		c->read = c->got < h->eat ? c->got : h->eat;
	if (c->read < h->eat || !h->spliced)
		return;
	if (c->written < h->extra)
		c->written = h->extra;
	c->written += s->got - s->read;
	s->read = s->got;
	s->written += c->got - c->read;
	c->read = c->got;
	c->ended = s->got_fin;
	s->ended = c->got_fin;
}

static struct splice_socket look(const struct end *e, uint32_t pending)
{
	return (struct splice_socket){
		.snd_una = e->una,
		.write_seq = e->iss + 1 + e->written,
		.snd_wnd = e->edge - e->una,
		.rcv_nxt = rcv_nxt(e),
		.copied_seq = e->irs + 1 + e->read,
		.rcv_wup = e->irs + 1 + e->told,
		.rcv_wnd = e->got - e->told + WIN,
		.room = WIN,
		.pending = pending,
		.open = true,
		.fin = e->got_fin,
	};
}

static void splice(struct house *h)
{
	struct splice_socket k[DIR_COUNT];
	uint32_t events;

	if (h->spliced || h->sock[DIR_C2S].read < h->eat)
		return;
	k[DIR_C2S] =
		look(&h->sock[DIR_C2S], h->extra - h->sock[DIR_C2S].written);
	k[DIR_S2C] = look(&h->sock[DIR_S2C], 0);
	assert(splice_begin(&h->pair, k, 1, &events) == SPLICE_AGREED);
	h->spliced = true;
}

static void close_sockets(struct house *h)
{
	if (splice_is_live(&h->pair))
		h->sock[0].gone = h->sock[1].gone = true;
}

static void deliver(struct house *h, unsigned which, unsigned at, bool keep)
{
	enum dir d = which & 1 ? DIR_S2C : DIR_C2S;
	struct wire *w = which & 2 ? &h->out[d] : &h->in[d];
	struct flying f;

	if (w->n == 0)
		return;
	f = w->f[at % w->n];
	if (!keep)
		take(w, at % w->n);
	if (which & 2)
		receive(&h->peer[d], &f, true);
	else
		arrive(h, d, &f);
}

static void speak(struct house *h, unsigned who, unsigned what)
{
	enum dir d = who & 1 ? DIR_S2C : DIR_C2S;
	bool ours = (who & 2) != 0;
	struct end *e = ours ? &h->sock[d] : &h->peer[d];
	struct wire *w = ours ? &h->out[d] : &h->in[d];
	int64_t tag = ours ? 0 : peer_tag(h, d);

	switch (what) {
	case 0:
		if (!ours && !e->ended && e->written < 400)
			e->written += 5 + 7 * (uint32_t)d;
		send_from(e, w, e->nxt, tag);
		break;
	case 1:
		send_from(e, w, e->una, tag);
		break;
	case 2:
		ack(e, w);
		break;
	default:
		if (!ours && (d == DIR_S2C || e->written >= h->eat))
			e->ended = true;
		break;
	}
}

static void operate(struct house *h, uint8_t op)
{
	struct wire *w;

	switch (op >> 4) {
	case 0:
	case 1:
		speak(h, op & 3, op >> 2 & 3);
		break;
	case 2:
	case 3:
		speak(h, op & 3, op >> 2 & 1);
		break;
	case 4:
		program(h);
		break;
	case 5:
		if ((op & 15) < 10)
			splice(h);
		else if ((op & 15) < 13)
			cut_now(h);
		else
			make(h);
		break;
	case 6:
		close_sockets(h);
		break;
	case 7: /* lost */
		w = op & 2 ? &h->out[op & 1] : &h->in[op & 1];
		if (w->n > 0)
			take(w, (op >> 2 & 3) % w->n);
		break;
	case 8: /* doubled */
		deliver(h, op & 3, op >> 2 & 3, true);
		break;
	default:
		deliver(h, op & 3, op >> 2 & 3 & (op >> 5), false);
		break;
	}
}

/* All that is under way arrives. */
static void settle(struct house *h)
{
	for (unsigned i = 0; i < 4; i++)
		for (unsigned n = 0; n < 2 * QUEUE; n++)
			deliver(h, i, 0, false);
}

/* Nothing is lost any more: everybody sends what there is until it has arrived. */
static void heal(struct house *h)
{
	struct end *c = &h->peer[DIR_C2S], *s = &h->peer[DIR_S2C];

	if (c->written < h->eat)
		c->written = h->eat;
	for (unsigned i = 0; i < 200; i++) {
		settle(h);
		if (h->pair.side[0].state == SPLICE_AT_CUT)
			make(h);
		program(h);
		if (i > 2)
			splice(h);
		if (i > 100)
			c->ended = s->ended = true;
		if (i % 2 != 0)
			close_sockets(h);
		for (unsigned who = 0; who < 4; who++)
			speak(h, who, 1);
		settle(h);
		for (unsigned who = 0; who < 4; who++)
			speak(h, who, 2);
	}
	settle(h);
	assert(splice_is_live(&h->pair));
	assert(s->got == c->written - h->eat && s->got_fin);
	assert(c->got == s->written + h->extra && c->got_fin);
	assert(splice_in_timewait(&h->pair));
}

static void begin(struct house *h, const uint8_t *data)
{
	static const struct splice_tuple none;

	memset(h, 0, sizeof(*h));
	for (unsigned d = 0; d < DIR_COUNT; d++) {
		struct end *p = &h->peer[d], *k = &h->sock[d];

		p->iss = k->irs = get_be32(data + 8 * d);
		p->irs = k->iss = get_be32(data + 8 * d + 4);
		p->una = p->nxt = p->iss + 1;
		k->una = k->nxt = k->iss + 1;
		p->edge = p->nxt + WIN;
		k->edge = k->nxt + WIN;
	}
	h->eat = data[16] & 15;
	h->extra = data[16] >> 4;
	splice_intend(&h->pair, &none, &none, false, 1, 0);
	h->pair.side[DIR_S2C].state = SPLICE_ESTABLISHED;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct house h;

	if (size < 17 || size > 2000)
		return 0;
	begin(&h, data);
	for (size_t i = 17; i < size; i++)
		operate(&h, data[i]);
	heal(&h);
	return 0;
}
