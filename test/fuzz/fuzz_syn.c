/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_syn.c - Connections that are passed on from their SYN
 *
 * Input: a byte that says which of two things is done.
 *
 * Even: packets, each a byte of direction, a byte of length and so many bytes from its IP
 * header on. The first one that is a SYN makes the pair. Held against: what its options
 * offer, read a second time here; what is relayed is what splice_oracle.h makes of it, and
 * what is not is refused by both and unchanged.
 *
 * Odd: 8 bytes of initial numbers, 2 of scales and windows, then operations. A client and
 * a server open, send and end through the pair, over wires that lose, repeat and swap; the
 * client may begin anew with another number; and somebody forges segments that lie outside
 * of what the two have sent and offered, by numbers that are counted here from 0. Held
 * against: such a segment moves nothing; the handshake is over once, not before the
 * client has answered the server's SYN; when nothing is lost any more all bytes arrive, and
 * the last ack brings TIMEWAIT.
 */
#include "splice/syn.h"

#include <assert.h>
#include <string.h>

#include "core/bytes.h"
#include "splice_oracle.h"
#include "splice_way.h"

#define PKT_LIMIT 255
#define QUEUE	  16
#define MSS	  16u
#define LAG	  (1 << 20) /* RFC 5961 section 5.2, as state.h has it */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* --- packets --- */

/* What the options of a header offer. */
static struct splice_offer offer_of(const uint8_t *tcp, uint32_t len)
{
	struct splice_offer o = { .has_ts = false };
	uint32_t at = 20;

	while (at < len && tcp[at] != 0) {
		uint32_t n = tcp[at] == 1 ? 1 : at + 1 < len ? tcp[at + 1] : 0;

		if (n == 0 || (tcp[at] != 1 && n < 2) || at + n > len)
			break;
		if (tcp[at] == 3 && n == 3) {
			o.has_scale = true;
			o.scale = tcp[at + 2] < 15 ? tcp[at + 2] : 14;
		}
		if (tcp[at] == 8 && n == 10) {
			o.has_ts = true;
			o.tsval = get_be32(tcp + at + 2);
		}
		at += n;
	}
	return o;
}

static void set_oracle(struct oracle *o, const struct splice_pair *p,
		       const struct splice_offer *offer, uint32_t clock)
{
	memset(o, 0, sizeof(*o));
	for (int d = 0; d < DIR_COUNT; d++) {
		struct oracle_side *a = &o->side[d];
		const struct splice_tuple *t = &p->side[d].tuple;

		memcpy(a->peer, t->src, 16);
		memcpy(a->us, t->dst, 16);
		a->peer_port = t->sport;
		a->our_port = t->dport;
		a->mss = p->side[d].mss;
	}
	o->router = o->sack = o->ecn = true;
	o->ts = offer->has_ts;
	o->side[0].ts_recv = offer->tsval;
	o->side[1].ts_sent = clock;
}

static bool first_packet(struct splice_pair *p, struct oracle *o,
			 const uint8_t *b, uint32_t len)
{
	struct splice_tuple t[DIR_COUNT];
	struct splice_offer want;
	struct splice_segment s;
	struct splice_head h;

	memset(&h, 0xa5, sizeof(h));
	if (way_read(b, len, &h, &s) != SPLICE_FINE || !splice_is_syn(&s))
		return false;
	splice_read_offer(&h, &s.offer);
	want = offer_of(b + h.ip_len, h.tcp_len);
	assert(s.offer.has_scale == want.has_scale);
	assert(s.offer.scale == want.scale);
	assert(s.offer.has_ts == want.has_ts && s.offer.tsval == want.tsval);
	for (int d = 0; d < DIR_COUNT; d++) {
		memset(&t[d], 0x11 * (d + 1), sizeof(t[d]));
		memset(t[d].dst, 0x33 + d, sizeof(t[d].dst));
	}
	splice_begin_syn(p, &t[0], &t[1], h.ip6, 1, &s, 0xfffffff0u, 1200, 1);
	set_oracle(o, p, &want, 0xfffffff0u);
	return true;
}

static bool same_sum(const uint8_t *a, const uint8_t *b)
{
	uint16_t v = get_be16(a), w = get_be16(b);

	return v == w || (uint16_t)(v + 1) + (uint16_t)(w + 1) == 1;
}

/* As fuzz_splice.c: but for the twins of zero. */
static void check_same(uint8_t *got, uint8_t *want, uint32_t len)
{
	struct splice_segment s;
	struct splice_head h;

	assert(way_read(got, len, &h, &s) == SPLICE_FINE);
	assert(same_sum(got + h.ip_len + 16, want + h.ip_len + 16));
	memcpy(got + h.ip_len + 16, want + h.ip_len + 16, 2);
	if (!h.ip6) {
		assert(same_sum(got + 10, want + 10));
		memcpy(got + 10, want + 10, 2);
	}
	assert(memcmp(got, want, len) == 0);
}

/* What its peer was offered last, in its scale. */
static uint16_t offered(const struct splice_side *i)
{
	uint64_t v = i->hi - i->lo;

	for (unsigned n = 0; n < i->told; n++)
		v /= 2;
	return v > 65535 ? 65535 : (uint16_t)v;
}

static void packets(const uint8_t *data, size_t size)
{
	uint8_t got[PKT_LIMIT], want[PKT_LIMIT];
	struct splice_pair p;
	struct oracle o;
	bool begun = false;

	while (size >= 2 && size - 2 >= data[1]) {
		enum dir d = (data[0] & 1) != 0 ? DIR_S2C : DIR_C2S;
		const uint8_t *b = data + 2;
		uint32_t len = data[1];
		struct way_result r;

		data += 2 + len;
		size -= 2 + len;
		if (!begun && d == DIR_C2S)
			begun = first_packet(&p, &o, b, len);
		if (!begun)
			continue;
		memcpy(got, b, len);
		r = way_packet(&p, d, got, len, 1);
		if ((r.events & SPLICE_EV_REUSED) != 0)
			return;
		assert(r.fate != WAY_STACK);
		if (r.fate == WAY_SENDER || r.fault == SPLICE_UNANSWERED) {
			assert((r.seg.flags & 0x16) == SPLICE_SYN);
			assert(oracle_answer(&o, (int)d, b, len, p.side[!d].end,
					     p.side[d].lo, offered(&p.side[d]),
					     want) == (r.fate == WAY_SENDER));
			if (r.fate == WAY_SENDER)
				check_same(got, want, len);
			continue;
		}
		assert(oracle_map(&o, (int)d, b, len, want) ==
		       (r.fate == WAY_PEER));
		if (r.fate == WAY_PEER)
			check_same(got, want, len);
		else
			assert(memcmp(got, b, len) == 0);
	}
}

/* --- two ends --- */

enum phase { CLOSED, OPENING, OPEN };

/* Counts from its own initial number; what it has received, from the other's. */
struct end {
	uint32_t iss, irs;
	enum phase phase;
	uint32_t written, got, una;
	uint32_t edge; /* of what it may send */
	uint16_t win;
	uint8_t scale;
	bool has_scale, ended, got_fin;
};

/* What the pair has seen of an end, from its initial number on. */
struct seen {
	int64_t end, acked, edge, ack;
};

struct wire {
	struct splice_segment f[QUEUE];
	unsigned n;
};

struct world {
	struct end e[DIR_COUNT];
	struct wire in[DIR_COUNT], out[DIR_COUNT]; /* from and to the end */
	struct seen seen[DIR_COUNT];
	struct splice_pair pair;
	bool begun, refused;
	unsigned settled;
};

static void put(struct wire *w, const struct splice_segment *s)
{
	if (w->n < QUEUE)
		w->f[w->n++] = *s;
}

static struct splice_segment take(struct wire *w, unsigned i)
{
	struct splice_segment s = w->f[i];

	memmove(w->f + i, w->f + i + 1, (--w->n - i) * sizeof(s));
	return s;
}

static unsigned shift(const struct world *w, enum dir d)
{
	return w->e[0].has_scale && w->e[1].has_scale ? w->e[d].scale : 0;
}

/* The client's SYN, or the server's. */
static void open_end(struct world *w, enum dir d)
{
	struct end *e = &w->e[d];
	struct splice_segment s = { .seq = e->iss,
				    .win = e->win,
				    .flags = SPLICE_SYN,
				    .offer = { .has_scale = e->has_scale,
					       .scale = e->scale } };

	if (d == DIR_S2C) {
		if (e->phase != OPENING)
			return;
		s.flags |= SPLICE_ACK;
		s.ack = e->irs + 1;
	} else {
		if (e->phase == OPEN)
			return;
		e->phase = OPENING;
	}
	put(&w->in[d], &s);
}

static void say(struct world *w, enum dir d, uint32_t from)
{
	struct end *e = &w->e[d];
	uint32_t len = e->written - from;
	struct splice_segment s = { .seq = e->iss + 1 + from,
				    .ack = e->irs + 1 + e->got + e->got_fin,
				    .win = e->win,
				    .flags = SPLICE_ACK };

	if (e->phase != OPEN)
		return;
	if (len > MSS)
		len = MSS;
	if (from + len > e->edge)
		len = e->edge > from ? e->edge - from : 0;
	s.len = len;
	if (e->ended && from + len == e->written)
		s.flags |= SPLICE_FIN;
	put(&w->in[d], &s);
}

/* RFC 9293 sections 3.10.7.2 and 3.10.7.3, for a server and a client. */
static void handshake(struct world *w, enum dir d,
		      const struct splice_segment *s)
{
	struct end *e = &w->e[d];

	if (d == DIR_S2C && (s->flags & SPLICE_ACK) == 0) {
		/* An attempt that was given up comes late. */
		if (e->phase != CLOSED && (int32_t)(s->seq - e->irs) < 0)
			return;
		e->irs = s->seq;
		e->phase = OPENING;
		e->edge = s->win;
		open_end(w, d);
	} else if (d == DIR_C2S && e->phase == OPENING &&
		   (s->flags & SPLICE_ACK) != 0 && s->ack == e->iss + 1) {
		e->irs = s->seq;
		e->phase = OPEN;
		e->edge = s->win;
		say(w, d, 0);
	}
}

static void receive(struct world *w, enum dir d, const struct splice_segment *s)
{
	struct end *e = &w->e[d];
	uint32_t at = s->seq - e->irs - 1, acked = s->ack - e->iss - 1;

	if ((s->flags & SPLICE_SYN) != 0) {
		if (e->phase != OPEN)
			handshake(w, d, s);
		return;
	}
	if (e->phase == OPENING && d == DIR_S2C && at <= e->got && acked == 0)
		e->phase = OPEN;
	if (e->phase != OPEN || at > e->got + e->got_fin ||
	    acked > e->written + e->ended)
		return;
	if (acked > e->una)
		e->una = acked;
	if (e->edge < acked + ((uint32_t)s->win << shift(w, !d)))
		e->edge = acked + ((uint32_t)s->win << shift(w, !d));
	if (!e->got_fin && at + s->len > e->got)
		e->got = at + s->len;
	if ((s->flags & SPLICE_FIN) != 0 && at + s->len == e->got)
		e->got_fin = true;
}

/* The pair sees a segment of one of the two. */
static void see(struct world *w, enum dir d, const struct splice_segment *s)
{
	struct seen *me = &w->seen[d], *you = &w->seen[!d];
	bool syn = (s->flags & SPLICE_SYN) != 0;
	int64_t win = (int64_t)s->win << (syn ? 0 : shift(w, d));
	int64_t end = (int32_t)(splice_end(s) - w->e[d].iss);
	int64_t ack = (int32_t)(s->ack - w->e[!d].iss);

	if (end > me->end)
		me->end = end;
	if ((s->flags & SPLICE_ACK) == 0)
		return;
	/* The client's SYN has offered his window behind this one. */
	if (syn && me->edge < 1 + w->e[!d].win)
		me->edge = 1 + w->e[!d].win;
	if (ack > me->ack)
		me->ack = ack;
	if (ack > you->acked)
		you->acked = ack;
	if (you->edge < ack + win)
		you->edge = ack + win;
}

/* Return: it is relayed; else it was answered */
static bool step(struct world *w, enum dir d, const struct splice_segment *s)
{
	bool was = (w->pair.flags & SPLICE_PAIR_OPENING) != 0;
	bool anew = !was && (s->flags & 0x16) == SPLICE_SYN;
	uint32_t events;

	assert(splice_step(&w->pair, d, s, 1, &events) ==
	       (anew ? SPLICE_TO_SENDER : SPLICE_TO_PEER));
	w->settled += (events & SPLICE_EV_SETTLED) != 0;
	assert(was == ((events & SPLICE_EV_SETTLED) != 0 ||
		       (w->pair.flags & SPLICE_PAIR_OPENING) != 0));
	/* Not before the client has seen the server's SYN, or a refusal. */
	if ((events & SPLICE_EV_SETTLED) != 0)
		assert(w->refused || w->e[DIR_C2S].phase == OPEN);
	return !anew;
}

/* A SYN that comes late, or again, is answered for the other end. */
static void answer(struct world *w, enum dir d)
{
	struct splice_segment s = { .seq = w->pair.side[!d].end,
				    .ack = w->pair.side[d].lo,
				    .win = offered(&w->pair.side[d]),
				    .flags = SPLICE_ACK };

	put(&w->out[d], &s);
}

/* A segment of an end has come to us. */
static void arrive(struct world *w, enum dir d, const struct splice_segment *s)
{
	static const struct splice_tuple none;

	if (!w->begun && (d != DIR_C2S || !splice_is_syn(s)))
		return;
	if (!w->begun)
		splice_begin_syn(&w->pair, &none, &none, false, 1, s, 0, 0, 1);
	w->begun = true;
	/* What is of an attempt that the client has given up is lost, and what would
	 * be a new connection's.
	 */
	if (s->seq - w->e[d].iss > 100000 ||
	    ((s->flags & SPLICE_ACK) != 0 && s->ack - w->e[!d].iss > 100000) ||
	    (splice_in_timewait(&w->pair) && (s->flags & SPLICE_SYN) != 0))
		return;
	if (step(w, d, s)) {
		see(w, d, s);
		put(&w->out[!d], s);
	} else {
		answer(w, d);
	}
}

static bool is_outside(const struct world *w, enum dir d,
		       const struct splice_segment *s)
{
	const struct seen *me = &w->seen[d], *you = &w->seen[!d];
	int64_t at = (int32_t)(s->seq - w->e[d].iss);
	int64_t ack = (int32_t)(s->ack - w->e[!d].iss);
	bool acks = (s->flags & SPLICE_ACK) != 0;

	if ((w->pair.flags & SPLICE_PAIR_OPENING) != 0)
		/* It answers no SYN that is there, nor is it one. */
		return d == DIR_S2C ? !(acks && ack > 0 && ack <= you->end) &&
					      at != me->end
				    : (s->flags & SPLICE_SYN) == 0 &&
					      (at < 0 || at > me->edge);
	if (splice_in_timewait(&w->pair))
		return false;
	return (s->flags & SPLICE_SYN) != 0 || at > me->edge ||
	       at + s->len + ((s->flags & SPLICE_FIN) != 0) < me->acked ||
	       (!acks && (s->flags & SPLICE_RST) == 0) ||
	       (acks && (ack > you->end || ack < me->ack - LAG));
}

static void forge(struct world *w, enum dir d, const uint8_t *b)
{
	struct splice_segment s = { .seq = w->e[d].iss + get_be32(b),
				    .ack = w->e[!d].iss + get_be32(b + 4),
				    .len = b[8] & 15,
				    .win = get_be16(b + 9),
				    .flags = b[11] & (SPLICE_FIN | SPLICE_SYN |
						      SPLICE_RST | SPLICE_ACK),
				    .offer = { .has_scale = b[8] >> 7,
					       .scale = b[8] >> 4 & 7 } };
	struct splice_pair was = w->pair;

	if (!w->begun || !is_outside(w, d, &s))
		return;
	if (step(w, d, &s)) {
		was.side[d].outside = w->pair.side[d].outside;
		was.side[d].segments++;
		was.side[d].bytes += s.len;
	}
	was.seen = w->pair.seen;
	assert(memcmp(&was, &w->pair, sizeof(was)) == 0);
}

static void deliver(struct world *w, unsigned which, unsigned at, bool keep)
{
	enum dir d = which & 1 ? DIR_S2C : DIR_C2S;
	struct wire *wire = which & 2 ? &w->out[d] : &w->in[d];
	struct splice_segment s;

	if (wire->n == 0)
		return;
	s = wire->f[at % wire->n];
	if (!keep)
		take(wire, at % wire->n);
	if (which & 2)
		receive(w, d, &s);
	else
		arrive(w, d, &s);
}

/* The client gives up a SYN, and begins anew from the same port. */
static void again(struct world *w)
{
	struct end *c = &w->e[DIR_C2S];

	if (c->phase != OPENING || w->e[DIR_S2C].phase != CLOSED)
		return;
	c->iss += 1000000;
	w->seen[DIR_C2S] = (struct seen){ .edge = 1 };
	open_end(w, DIR_C2S);
}

/* The server is down. */
static void refuse(struct world *w)
{
	struct splice_segment s = { .ack = w->e[DIR_C2S].iss + 1,
				    .flags = SPLICE_RST | SPLICE_ACK };

	if (!w->begun || w->settled > 0 || w->seen[DIR_C2S].end == 0 ||
	    w->seen[DIR_S2C].end > 0)
		return;
	w->refused = true;
	step(w, DIR_S2C, &s);
	assert(w->settled == 1 && splice_in_timewait(&w->pair));
}

static void operate(struct world *w, const uint8_t *b)
{
	enum dir d = b[0] & 1 ? DIR_S2C : DIR_C2S;
	struct end *e = &w->e[d];

	switch (b[0] >> 4) {
	case 0:
		open_end(w, d);
		break;
	case 1:
		again(w);
		break;
	case 2:
		if (!e->ended && e->written < 200)
			e->written += 9;
		say(w, d, e->una < e->written ? e->una : e->written);
		break;
	case 3:
		e->ended = e->ended || e->phase == OPEN;
		say(w, d, e->una < e->written ? e->una : e->written);
		break;
	case 4: /* lost */
		if (w->in[d].n > 0)
			take(&w->in[d], (b[0] >> 1 & 7) % w->in[d].n);
		break;
	case 5: /* doubled */
		deliver(w, b[0] & 3, b[0] >> 2 & 3, true);
		break;
	case 6:
		if (b[0] == 0x6f)
			refuse(w);
		break;
	case 7:
	case 8:
		forge(w, d, b + 1);
		break;
	default:
		deliver(w, b[0] & 3, b[0] >> 2 & 3, false);
		break;
	}
}

static void settle(struct world *w)
{
	for (unsigned n = 0; n < 3 * QUEUE; n++)
		for (unsigned i = 0; i < 4; i++)
			deliver(w, i, 0, false);
}

/* Nothing is lost any more. */
static void heal(struct world *w)
{
	settle(w);
	for (unsigned i = 0; i < 60; i++) {
		for (enum dir d = DIR_C2S; d < DIR_COUNT; d++) {
			struct end *e = &w->e[d];

			open_end(w, d);
			e->ended = e->ended || i > 40;
			say(w, d, e->una < e->written ? e->una : e->written);
			settle(w);
		}
	}
	for (enum dir d = DIR_C2S; d < DIR_COUNT; d++) {
		assert(w->e[d].phase == OPEN && w->e[d].got_fin);
		assert(w->e[d].got == w->e[!d].written);
	}
	assert(w->settled == 1 && splice_in_timewait(&w->pair));
}

static void ends(const uint8_t *data, size_t size)
{
	static struct world w;
	size_t at = 10;

	if (size < at)
		return;
	memset(&w, 0, sizeof(w));
	for (unsigned d = 0; d < DIR_COUNT; d++) {
		w.e[d].iss = get_be32(data + 4 * d);
		w.e[d].scale = data[8 + d] & 3;
		w.e[d].has_scale = (data[8 + d] & 4) != 0;
		w.e[d].win = 40;
	}
	w.seen[DIR_C2S].edge = 1;
	while (at < size && !w.refused) {
		bool forges = data[at] >> 4 == 7 || data[at] >> 4 == 8;

		if (forges && size - at < 13)
			break;
		operate(&w, data + at);
		at += forges ? 13 : 1;
	}
	if (!w.refused)
		heal(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1 || size > 3000)
		return 0;
	if ((data[0] & 1) == 0)
		packets(data + 1, size - 1);
	else
		ends(data + 1, size - 1);
	return 0;
}
