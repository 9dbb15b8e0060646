/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * want.c - Which frames belong to a difference
 *
 * The request began with a frame whose number is known, and the client's
 * sequence numbers are the same on both wires (I3): so what we sent to the SUT
 * begins with the segment that holds that number. An answer is as long as the
 * comparison said; what the server sends behind that is of the next one. The
 * handshake is taken along, if the journal has it: packet tools need it to know
 * the window's scale, and who opened.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "evidence/want.h"

enum { ON_MIRROR, ON_SUT };

static bool is_end(const struct ipaddr *ip, uint16_t port,
		   const struct report_endpoint *e)
{
	return port == e->port && ipaddr_eq(ip, &e->ip);
}

/* Return: whether it is of this connection; @side is set */
static bool is_mine(const struct want *w, const struct segment *seg,
		    unsigned wire, enum want_side *side)
{
	const struct report_endpoint *server =
		wire == ON_SUT ? &w->d->sut : &w->d->production;

	if (is_end(&seg->src, seg->sport, &w->d->client) &&
	    is_end(&seg->dst, seg->dport, server))
		*side = WANT_CLIENT;
	else if (is_end(&seg->dst, seg->dport, &w->d->client) &&
		 is_end(&seg->src, seg->sport, server))
		*side = wire == ON_SUT ? WANT_SUT : WANT_PROD;
	else
		return false;
	return true;
}

/* Where the TCP header begins; 0: behind headers that are not looked into. */
static uint32_t header_at(const struct journal_frame *f,
			  const struct decoded *d)
{
	const uint8_t *ip = f->data + d->l3;
	uint32_t at = 0;

	if (d->l3 + 40 > f->cap)
		return 0;
	if (ip[0] >> 4 == 4)
		at = d->l3 + (ip[0] & 15u) * 4;
	else if (ip[6] == PROTO_TCP)
		at = d->l3 + 40;
	return at + 20 <= f->cap ? at : 0;
}

/* Where that header ends */
static uint32_t header_end(const struct journal_frame *f, uint32_t l4)
{
	uint32_t end = l4 > 0 ? l4 + (f->data[l4 + 12] >> 4) * 4u : f->cap;

	return end < f->cap ? end : f->cap;
}

static int copy(struct want *w, const struct journal_frame *f,
		const struct decoded *d, enum want_side side, size_t *room)
{
	const struct segment *seg = &d->seg;
	struct piece *p;

	if (w->n == WANT_FRAMES || f->cap > WANT_BYTES - w->bytes ||
	    f->cap > *room) {
		w->full = true;
		return 0;
	}
	p = &w->piece[w->n];
	*p = (struct piece){ .bytes = malloc(f->cap + 1u),
			     .cap = f->cap,
			     .wire = f->wire,
			     .l4 = header_at(f, d),
			     .at = (uint32_t)(seg->data - f->data),
			     .len = seg->cap,
			     .seq = seg->seq + ((seg->flags & TCP_SYN) != 0),
			     .ts = f->ts,
			     .src = seg->src,
			     .dst = seg->dst,
			     .sport = seg->sport,
			     .dport = seg->dport,
			     .iface = f->iface,
			     .side = side };
	if (!p->bytes)
		return -ENOMEM;
	assert(seg->cap == 0 || p->at + p->len <= f->cap);
	if (seg->cap == 0) /* the link may have padded it */
		p->at = header_end(f, p->l4);
	memcpy(p->bytes, f->data, f->cap);
	w->bytes += f->cap;
	*room -= f->cap;
	w->n++;
	return 0;
}

/* A connection begins anew: what was gathered of an older one goes. */
static void begin_anew(struct want *w, unsigned wire, size_t *room)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < w->n; i++) {
		struct piece *p = &w->piece[i];
		bool sut =
			p->iface == JOURNAL_SUT || p->iface == JOURNAL_EMITTED;

		if (sut == (wire == ON_SUT)) {
			w->bytes -= p->cap;
			*room += p->cap;
			free(p->bytes);
		} else {
			w->piece[kept++] = *p;
		}
	}
	w->n = kept;
	w->shaken[wire] = 0;
}

static int handshake(struct want *w, const struct journal_frame *f,
		     const struct decoded *d, enum want_side side,
		     unsigned wire, size_t *room)
{
	const struct segment *seg = &d->seg;

	if (side == WANT_CLIENT && (seg->flags & TCP_SYN))
		begin_anew(w, wire, room);
	else if (w->shaken[wire] == 0 || w->shaken[wire] > 2 || seg->len > 0)
		return 0;
	w->shaken[wire]++;
	return copy(w, f, d, side, room);
}

/* A side's bytes go on. */
static void count(struct want *w, const struct segment *seg,
		  enum want_side side)
{
	int32_t end;

	if (seg->len == 0)
		return;
	if (!w->begun[side]) {
		w->begun[side] = true;
		w->base[side] = seg->seq;
	}
	end = (int32_t)(seg->seq + seg->len - w->base[side]);
	if (end > 0 && (uint64_t)end > w->got[side])
		w->got[side] = (uint64_t)end;
}

/* A segment that was sent to the SUT: of this request, or of the next one? */
static void look_at_ours(struct want *w, const struct segment *seg)
{
	int32_t from = (int32_t)(seg->seq - w->base[WANT_CLIENT]);

	if (!w->seen || !w->begun[WANT_CLIENT] || seg->len == 0)
		return;
	w->asked |= from + (int64_t)seg->len > 0;
	if (w->over[ON_MIRROR] && from > 0 &&
	    (uint64_t)from >= w->got[WANT_CLIENT])
		w->over[ON_SUT] = true;
}

int want_take(struct want *w, uint64_t number, const struct journal_frame *f,
	      const struct decoded *d, size_t *room)
{
	const struct segment *seg = &d->seg;
	unsigned wire = f->iface == JOURNAL_SUT || f->iface == JOURNAL_EMITTED
				? ON_SUT
				: ON_MIRROR;
	enum want_side side;
	uint64_t whole;
	int r;

	if (!is_mine(w, seg, wire, &side) || w->over[wire])
		return 0;
	w->seen |= number == w->d->record;
	/* Ours begins with the request, wherever that stands in the journal. */
	if (wire == ON_SUT && side == WANT_CLIENT)
		look_at_ours(w, seg);
	if (w->over[wire])
		return 0;
	if (!w->seen || (wire == ON_SUT && !w->asked))
		return handshake(w, f, d, side, wire, room);
	if (side != WANT_CLIENT || wire == ON_MIRROR)
		count(w, seg, side);
	r = copy(w, f, d, side, room);
	whole = w->d->result->bytes[wire];
	if ((side == WANT_PROD || side == WANT_SUT) &&
	    ((whole > 0 && w->got[side] >= whole) ||
	     (seg->flags & (TCP_FIN | TCP_RST))))
		w->over[wire] = true;
	return r;
}

void want_forget(struct want *w)
{
	for (uint32_t i = 0; i < w->n; i++)
		free(w->piece[i].bytes);
	w->n = 0;
}
