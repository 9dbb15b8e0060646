/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dns_stream.c - Compare two DNS messages that came over TCP
 *
 * Theory of operation
 *
 * Bytes go into the lane, with the lengths in front of them, as those of any
 * stream. At COMPARE_EQUIVALENT each message is kept besides, and where bytes
 * differ both are compared as datagrams are (dns.c). A message is kept up to
 * KEPT bytes, more than those that are read at all mostly have; of a longer
 * one, or without room in the pool, bytes count.
 */
#include <string.h>

#include "app/message.h"
#include "compare/compare_internal.h"
#include "compare/dns.h"

#define KEPT (16384u - (uint32_t)sizeof(struct buf))

/**
 * struct messages - Both
 * @lost:	A side's is not kept whole
 * @judged:	They were compared by what they mean: @said
 */
struct messages {
	bool lost[2];
	bool judged;
	struct {
		uint8_t dns;
		uint32_t has[2];
		uint32_t at;
		uint64_t offset;
		uint16_t status[2];
	} said;
};

static void keep(struct compare *c, struct pool *pool, unsigned side,
		 const struct framer_piece *pc, const uint8_t *p)
{
	struct messages *m = c->state;
	struct fields *f = &c->side[side].fields;

	if (pc->part == FRAMER_FRAMING || m->lost[side])
		return;
	if (f->max == 0) {
		f->max = KEPT;
		f->p = c->room;
	}
	if (pc->part != FRAMER_BODY || pc->used > f->max - f->len ||
	    fields_add(f, pool, p, pc->used) != 0) {
		m->lost[side] = true;
		fields_release(f, pool);
	}
}

static void piece(struct compare *c, struct pool *pool, unsigned side,
		  const struct framer_piece *pc, const uint8_t *p)
{
	compare_check_odd(c, &c->side[side], pc);
	if (c->spoiled != REASON_NONE)
		return;
	if (c->equivalent)
		keep(c, pool, side, pc, p);
	compare_lane(c, pool, side, p, pc->used);
}

static void finish(struct compare *c)
{
	const struct fields *a = &c->side[0].fields, *b = &c->side[1].fields;
	struct messages *m = c->state;
	struct compare_result r;

	if (!(c->found & OF_LANE) || m->lost[0] || m->lost[1] || !a->p || !b->p)
		return;
	dns_compare_stream(c->by, a->p, a->len, b->p, b->len, &r);
	if (r.verdict == VERDICT_IDENTICAL)
		return;
	c->found &= ~OF_LANE;
	if (r.verdict == VERDICT_EQUIVALENT) {
		c->unlike = true;
		c->rule = r.rule;
	} else {
		c->found |= reason_bit(r.reason);
	}
	m->judged = true;
	m->said.dns = r.evidence.dns;
	m->said.at = r.evidence.dns_at;
	m->said.offset = r.offset;
	memcpy(m->said.has, r.evidence.dns_has, sizeof(m->said.has));
	memcpy(m->said.status, r.status, sizeof(m->said.status));
}

static void tell(const struct compare *c, struct compare_result *out)
{
	const struct messages *m = c->state;

	for (unsigned i = 0; i < 2 && c->spoiled == REASON_NONE; i++) {
		const struct fields *f = &c->side[i].fields;

		if (!m->lost[i] && f->len >= DNS_HEADER)
			out->status[i] = f->p[DNS_FLAGS + 1] & DNS_RCODE;
	}
	if (!m->judged)
		return;
	memcpy(out->status, m->said.status, sizeof(out->status));
	if (out->verdict != VERDICT_DIFFERENT)
		return;
	out->offset = m->said.offset;
	out->evidence.dns = m->said.dns;
	out->evidence.dns_at = m->said.at;
	memcpy(out->evidence.dns_has, m->said.has, sizeof(m->said.has));
}

const struct compare_ops compare_dns_stream = {
	.state = sizeof(struct messages),
	.piece = piece,
	.finish = finish,
	.tell = tell,
};
