/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dgram.c - Datagrams: the same way, without streams
 *
 * Theory of operation
 *
 * On port 53, and wherever both ends speak it, a datagram is read as DNS: its id
 * and question pair query and answer. Otherwise answers are paired in order. The
 * finished pairs are compared whole. What a report calls the request is the name
 * and type of the client's question, as in a zone file (RFC 1035 section 5.1).
 */
#include <assert.h>
#include <string.h>

#include "compare/dns.h"
#include "core/bytes.h"
#include "engine/engine_internal.h"
#include "engine/tally.h"

#define PORT_DNS   53
#define DNS_HEADER 12

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

	tag.record = e->record;
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

static void compare_bytes(const struct frame *a, const struct frame *b,
			  struct compare_result *r)
{
	uint32_t n = a->len < b->len ? a->len : b->len;
	uint32_t i = 0;

	while (i < n && a->data[i] == b->data[i])
		i++;
	r->bytes[0] = a->len;
	r->bytes[1] = b->len;
	if (i == n && a->len == b->len) {
		r->verdict = VERDICT_IDENTICAL;
		return;
	}
	r->verdict = VERDICT_DIFFERENT;
	r->reason = REASON_BYTES;
	r->offset = i;
}

static void compare_pair(const struct engine *e, const struct udp_pair *p,
			 struct compare_result *r)
{
	const struct frame *a = p->frame[WHO_PROD];
	const struct frame *b = p->frame[WHO_SUT];

	memset(r, 0, sizeof(*r));
	if (e->cfg.compare == COMPARE_NONE && p->end != UDP_NO_SUT) {
		r->verdict = VERDICT_NOT_COMPARED;
		r->reason = REASON_LEVEL_NONE;
	} else if (p->end != UDP_ANSWERED || a == NULL || b == NULL) {
		r->reason = why_of(e, p);
		r->verdict = VERDICT_NOT_COMPARED;
		if (r->reason == REASON_UNANSWERED)
			r->verdict = VERDICT_DIFFERENT;
	} else if (!p->tag.ordered) {
		dns_compare(e->cfg.compare, a->data, a->len, b->data, b->len,
			    r);
	} else {
		compare_bytes(a, b, r);
	}
}

/* A text that is cut where it does not fit. */
struct words {
	char *p;
	size_t n;
	size_t max;
};

static void put(struct words *w, const void *p, size_t n)
{
	if (n > w->max - w->n)
		n = w->max - w->n;
	memcpy(w->p + w->n, p, n);
	w->n += n;
}

static void put_type(struct words *w, uint16_t type)
{
	static const struct {
		uint16_t type;
		const char *name;
	} known[] = { { 1, "A" },      { 2, "NS" },	 { 5, "CNAME" },
		      { 6, "SOA" },    { 12, "PTR" },	 { 15, "MX" },
		      { 16, "TXT" },   { 28, "AAAA" },	 { 33, "SRV" },
		      { 43, "DS" },    { 48, "DNSKEY" }, { 64, "SVCB" },
		      { 65, "HTTPS" }, { 255, "ANY" } };
	char digits[5];
	size_t i = sizeof(digits);

	put(w, " ", 1);
	for (size_t k = 0; k < sizeof(known) / sizeof(known[0]); k++)
		if (known[k].type == type) {
			put(w, known[k].name, strlen(known[k].name));
			return;
		}
	/* RFC 3597 section 5 */
	do {
		digits[--i] = (char)('0' + type % 10);
		type /= 10;
	} while (type > 0);
	put(w, "TYPE", 4);
	put(w, digits + i, sizeof(digits) - i);
}

static void put_label(struct words *w, const uint8_t *p, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++) {
		if (p[i] == '.' || p[i] == '\\')
			put(w, "\\", 1);
		put(w, p + i, 1);
	}
	put(w, ".", 1);
}

/* Name and type of the first question. dns_parse_id() has read @f: its questions
 * are whole, and the first one's name has nothing before it to point to.
 */
static uint8_t question(const struct frame *f, char *out)
{
	struct words w = { out, 0, EVENT_REQUEST };
	uint32_t at = DNS_HEADER;

	if (get_be16(f->data + 4) == 0)
		return 0;
	while (f->data[at] != 0) {
		assert(f->data[at] < f->len - at);
		put_label(&w, f->data + at + 1, f->data[at]);
		at += 1u + f->data[at];
	}
	assert(f->len - at >= 1 + 4);
	if (w.n == 0)
		put(&w, ".", 1);
	put_type(&w, get_be16(f->data + at + 1));
	return (uint8_t)w.n;
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

static void pair_event(struct engine *e, const struct udp_pair *p,
		       struct engine_event *ev)
{
	memset(ev, 0, sizeof(*ev));
	ev->kind = EVENT_VERDICT;
	ev->now = e->now;
	ev->asked = p->opened;
	ev->record = p->record;
	ev->udp = true;
	ev->map = map_of(e, p);
	ev->client = p->client;
	ev->prod = p->prod;
	ev->sut = e->sut_ip[p->sut];
	ev->client_port = p->cport;
	ev->prod_port = p->pport;
	ev->sut_port = p->sport;
	if (!p->tag.ordered && p->frame[WHO_CLIENT] != NULL)
		ev->request_len = question(p->frame[WHO_CLIENT], ev->request);
}

/* The SUT did not answer what production did: has it said anything since? */
static void udp_silent(struct engine *e, const struct udp_pair *p)
{
	const struct health *h = &e->stats.health[p->sut];

	if (h->state == HEALTH_UP && h->heard < p->sent)
		health_set(e, p->sut, HEALTH_SILENT, p->sent, NULL, NULL);
}

void udp_attend(struct engine *e)
{
	struct engine_event ev;
	struct compare_result *r = &ev.result;
	struct engine_event *q;
	struct udp_pair p;

	while (udp_pop(e->udp, &p)) {
		pair_event(e, &p, &ev);
		compare_pair(e, &p, r);
		if (r->reason == REASON_UNANSWERED) {
			r->how = p.withheld ? UNANSWERED_WITHHELD
					    : UNANSWERED_SILENT;
			e->stats.unanswered[r->how]++;
		}
		tally(&e->stats, &ev);
		stamp_pair(e, &p, &ev.prod_ns, &ev.sut_ns);
		q = r->verdict == VERDICT_DIFFERENT ? event_new(e) : NULL;
		if (q != NULL)
			*q = ev;
		if (r->reason == REASON_UNANSWERED && !p.withheld)
			udp_silent(e, &p);
		udp_pair_free(e->udp, &p);
	}
}
