/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dgram.c - Datagrams: the same way, without streams
 *
 * Theory of operation
 *
 * QUIC is told apart first: it cannot be played.
 *
 * On port 53, and wherever both ends speak it, a datagram is read as DNS: its
 * id and question pair query and answer. Otherwise answers are paired in order.
 * The finished pairs are compared whole; one of DNS may wait (rrsets/rrsets.h).
 * What a report calls the request is what the protocol makes of the query.
 */
#include <string.h>

#include "app/quic.h"
#include "compare/protocol.h"
#include "engine/engine_internal.h"
#include "rrsets/rrsets.h"
#include "tally/tally.h"

#define PORT_DNS 53

static struct udp_tag tag_of(const struct segment *seg, uint16_t port)
{
	struct udp_tag tag = { .ordered = true };
	struct dns_id id;

	/* An answer that was not captured whole still belongs to its query. */
	if (port == PORT_DNS && dns_parse_id(seg->data, seg->cap, &id) == 0) {
		tag.ordered = false;
		tag.id = id.id;
		tag.question = id.question;
	}
	return tag;
}

/* Is a query played to @sut, or told to be withheld? */
static bool is_played(struct engine *e, uint8_t sut, struct udp_to *to)
{
	if (e->ready[sut] && !shadow_is_silent(e->shadow, sut))
		return true;
	e->stats.count.datagrams_not_played++;
	to->withheld = true;
	return e->cfg.shadow.answer_wait != 0 &&
	       health_was_ready(&e->stats.health[sut]);
}

enum engine_kind udp_mirror(struct engine *e, const struct route *r,
			    const struct segment *seg, uint64_t now,
			    struct effects *out)
{
	struct udp_tag tag = tag_of(seg, r->key.pport);

	if (quic_is(seg->data, seg->cap, r->key.pport)) {
		e->stats.count.quic++;
		return ENGINE_NONE;
	}
	tag.record = e->record;
	if (r->from_client)
		tag.conn = ++e->queries;
	for (uint32_t i = 0; i < r->n; i++) {
		const struct engine_map *m = &e->cfg.map[r->map[i]];
		uint8_t sut = e->map_sut[r->map[i]];
		struct udp_to to = { e->sut_ip[sut],
				     m->sut_port != 0 ? m->sut_port
						      : r->key.pport,
				     sut, false };

		if (!r->from_client)
			udp_answer(e->udp, WHO_PROD, sut, seg, &tag, now);
		else if (is_played(e, sut, &to) && to.withheld) {
			udp_query(e->udp, seg, &tag, &to, now, out);
		} else if (!to.withheld) {
			gate_query(e, seg, &tag, &to, now, out);
			outside_asked(e, m, sut, to.port, now);
		}
	}
	if (r->from_client) {
		e->stats.count.client_datagram++;
		return ENGINE_CLIENT;
	}
	e->stats.count.production_datagram++;
	return ENGINE_PROD;
}

enum engine_kind udp_sut(struct engine *e, uint8_t sut,
			 const struct segment *seg, uint64_t now)
{
	struct udp_tag tag = tag_of(seg, seg->sport);

	e->stats.count.sut_datagram++;
	udp_answer(e->udp, WHO_SUT, sut, seg, &tag, now);
	udp_attend(e);
	return ENGINE_ANSWER;
}

static enum compare_reason why_of(const struct engine *e,
				  const struct udp_pair *p)
{
	switch (p->end) {
	case UDP_ANSWERED: /* and an answer was not kept */
		return p->cut[WHO_PROD] ? REASON_PROD_GAP : REASON_NO_MEMORY;
	case UDP_NO_SUT:
		return e->sut_dropped >= p->sent && e->sut_dropped != 0
			       ? REASON_SUT_CAPTURE_DROP
			       : REASON_UNANSWERED;
	case UDP_NO_PRODUCTION:
	case UDP_NO_ANSWER:
		return REASON_PROD_CUT;
	case UDP_EVICTED:
		return REASON_NOT_PLAYED;
	case UDP_RUN_ENDED:
		break;
	}
	return REASON_RUN_ENDED;
}

static const struct protocol *protocol_of_pair(const struct udp_pair *p)
{
	return &protocols[p->tag.ordered ? PROTOCOL_DATAGRAM : PROTOCOL_DNS];
}

static void compare_pair(const struct engine *e, const struct udp_pair *p,
			 struct compare_result *r)
{
	const struct buf *a = p->frame[WHO_PROD];
	const struct buf *b = p->frame[WHO_SUT];

	memset(r, 0, sizeof(*r));
	if (e->cfg.compare == COMPARE_NONE && p->end != UDP_NO_SUT) {
		r->verdict = VERDICT_NOT_COMPARED;
		r->reason = REASON_LEVEL_NONE;
	} else if (p->end != UDP_ANSWERED || !a || !b) {
		r->reason = why_of(e, p);
		r->verdict = VERDICT_NOT_COMPARED;
		if (r->reason == REASON_UNANSWERED)
			r->verdict = VERDICT_DIFFERENT;
	} else {
		protocol_of_pair(p)->compare->whole(e->cfg.compare, e->cfg.by,
						    a->data, a->len, b->data,
						    b->len, r);
	}
}

/* The --map that a pair was played by. */
static uint32_t map_of(const struct engine *e, const struct udp_pair *p)
{
	for (uint32_t m = 0; m < e->cfg.maps; m++) {
		const struct engine_map *map = &e->cfg.map[m];
		uint16_t port = map->sut_port != 0 ? map->sut_port : p->pport;

		if (e->map_sut[m] == p->sut && port == p->sport &&
		    engine_is_prod(map, &p->prod, p->pport))
			return m;
	}
	return 0;
}

/* What a report calls the request. Return: bytes of @out */
static uint8_t request_of(const struct udp_pair *p, char out[RECORD_REQUEST])
{
	const struct describe_ops *describe = protocol_of_pair(p)->describe;
	const struct buf *f = p->frame[WHO_CLIENT];

	if (!describe->request || !f)
		return 0;
	return (uint8_t)describe->request(f->data, f->len, out, RECORD_REQUEST);
}

/* All of a record but verdict and latencies. */
static void record_of(const struct engine *e, const struct udp_pair *p,
		      struct exchange_record *rec)
{
	*rec = (struct exchange_record){
		.kind = EVENT_VERDICT,
		.protocol = (uint8_t)protocol_id(protocol_of_pair(p)),
		.udp = true,
		.client_port = p->cport,
		.prod_port = p->pport,
		.sut_port = p->sport,
		.map = map_of(e, p),
		.baseline = e->cfg.map[map_of(e, p)].baseline,
		.record = p->record,
		.conn = p->tag.conn,
		.asked = p->opened,
		.judged = e->now,
		.client = p->client,
		.prod = p->prod,
		.sut = e->sut_ip[p->sut],
	};
}

/* The SUT did not answer what production did: has it said anything since? */
static void udp_silent(struct engine *e, const struct udp_pair *p)
{
	const struct health *h = &e->stats.health[p->sut];

	if (h->state == HEALTH_UP && h->heard < p->sent)
		health_set(e, p->sut, HEALTH_SILENT, p->sent, NULL, NULL);
}

/* Count a verdict, and let its record go. */
static void give(struct engine *e, struct rrsets_verdict *v)
{
	uint8_t len = v->request_len;

	refer_by_rule(e, &protocols[v->rec.protocol], &v->r);
	record_result(&v->rec, &v->r);
	(void)tally(&e->stats, &v->rec, NULL, v->request, len, v->request, len);
	beside_note(e, &v->rec, &v->r, v->request,
		    tally_name(&v->rec, v->request, len), NULL);
	record_put(e, &v->rec, &v->r, v->request, len);
}

bool udp_unheld(struct engine *e)
{
	struct rrsets_verdict v;

	if (!e->rrsets || !rrsets_oldest(e->rrsets, &v))
		return false;
	give(e, &v);
	return rrsets_held(e->rrsets, NULL) > 0;
}

/* Has the SUT served another part of a set? Return: the verdict waits */
static bool look_at_parts(struct engine *e, const struct udp_pair *p,
			  struct rrsets_verdict *v)
{
	const struct buf *a = p->frame[WHO_PROD], *b = p->frame[WHO_SUT];
	struct rrsets_pair pair = {
		.leg = v->rec.map,
		.p = { a ? a->data : NULL, b ? b->data : NULL },
		.n = { a ? a->len : 0, b ? b->len : 0 },
		.now = e->now,
	};
	struct rrsets_verdict due;
	bool waits;

	if (!e->rrsets || !a || p->tag.ordered)
		return false;
	waits = rrsets_look(e->rrsets, &pair, v);
	while (rrsets_next(e->rrsets, e->now, &due))
		give(e, &due);
	e->stats.refer.parts = *rrsets_stats(e->rrsets);
	return waits;
}

static void judge_pair(struct engine *e, const struct udp_pair *p)
{
	struct rrsets_verdict v = { .request_len = 0 };

	compare_pair(e, p, &v.r);
	if (v.r.reason == REASON_UNANSWERED)
		v.r.how = p->withheld ? UNANSWERED_WITHHELD : UNANSWERED_SILENT;
	record_of(e, p, &v.rec);
	if (v.r.reason == REASON_UNANSWERED && !v.rec.baseline)
		e->stats.unanswered[v.r.how]++;
	stamp_pair(e, p, &v.rec);
	if (v.r.verdict == VERDICT_DIFFERENT)
		v.request_len = request_of(p, v.request);
	if (!look_at_parts(e, p, &v))
		give(e, &v);
	if (v.r.reason == REASON_UNANSWERED && !p->withheld)
		udp_silent(e, p);
}

void udp_attend(struct engine *e)
{
	struct udp_pair p;

	while (udp_pop(e->udp, &p)) {
		judge_pair(e, &p);
		udp_pair_free(e->udp, &p);
	}
}
