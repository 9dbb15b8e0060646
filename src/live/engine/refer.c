/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * refer.c - Rules, and the exchanges that a desk judges
 *
 * Theory of operation
 *
 * With rules an exchange that is not the same bytes is settled by its heads, or
 * handed to a desk (keep_settle()). Such a one is counted, and its record put,
 * when the answer comes: until then it lies in a slot here, and the desk knows
 * it by its number only. Answers come in the order of cases; one that is out of
 * it, or out of range, is a lie, and the desk is believed no more.
 *
 * Judges remember what production has served, so that they know what a client's
 * validator stands for, and older objects from wrong ones. What is not handed
 * over for another reason is handed over for this one (CASE_NOTE), if it is not
 * what the desk was told of the object last.
 *
 * An answer that is held counts at the end, or when another of its number takes
 * it back.
 *
 * One loud sort of requests (an endpoint of the rules, else a method and a
 * path) does not push others out: each has its portion of what may be out.
 * Notes are not answered, and so are in none.
 *
 * A judge also tells which tokens production has set in its content, and the
 * SUT otherwise (session/session.h has them). Who sends one back hangs on it,
 * and that is looked up when a verdict is given: after the answers to all cases
 * that were handed over before, also if it needs no judge itself. Such a
 * difference waits in a slot behind those cases, so that a rerun, which judges
 * at once, finds the same. With all slots taken it does not wait.
 *
 * What the desk has no room for is told at once to who asked (the journal),
 * since a rerun must refuse the same ones. A desk that is gone owes all that is
 * out.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "core/portions.h"
#include "engine/engine_internal.h"
#include "tally/tally.h"
#include "rrsets/rrsets.h"
#include "rules/rules.h"
#include "session/session.h"

_Static_assert(RULES_ENDPOINTS <= UINT8_MAX, "an endpoint fits its record");

struct slot {
	struct exchange_record rec;
	struct compare_result r;
	uint32_t endpoint;
	uint32_t bytes; /* of its case */
	uint64_t sort;
	uint64_t token[ASKED_TOKENS]; /* that the client sent */
	bool waits; /* for the cases in front; it is no case */
	uint8_t request_len;
	char request[EXCHANGE_REQUEST];
};

/* What the desk was told of an object last, and when. */
struct told {
	uint64_t object;
	uint64_t version;
	uint64_t at;
};

/* An answer that may be taken back. */
struct held {
	uint64_t serial;
	struct case_answer said;
	struct slot slot;
};

struct refer {
	uint64_t first; /* number of the oldest case that is out */
	uint32_t n;
	uint32_t waits; /* of @n, those that are no cases */
	struct portions out;
	struct session *tokens;
	uint32_t holds; /* of @held, oldest first */
	bool gone;
	struct slot slot[REFER_MOST];
	struct held held[REFER_HELD];
	struct told told[REFER_TOLD];
};

size_t refer_size(const struct engine_config *cfg)
{
	return cfg->by ? arena_need(sizeof(struct refer)) + session_size() +
				 rrsets_size()
		       : 0;
}

int refer_init(struct engine *e, struct arena *a)
{
	if (!e->cfg.by)
		return 0;
	e->refer = arena_take(a, sizeof(*e->refer));
	if (!e->refer)
		return -ENOMEM;
	portions_init(&e->refer->out, REFER_MOST, e->cfg.desk.room);
	return session_init(&e->refer->tokens, a) ||
			       rrsets_init(&e->rrsets, a, e->cfg.by,
					   &e->cfg.key)
		       ? -ENOMEM
		       : 0;
}

/* What an answer says of a verdict. */
static void apply(struct engine *e, struct compare_result *r,
		  const struct case_answer *a)
{
	r->verdict = (enum verdict)a->verdict;
	r->reason = (enum compare_reason)a->reason;
	r->reasons = a->reasons;
	if (a->place.judge != CASE_NOBODY)
		r->evidence.place = a->place;
	if (r->verdict != VERDICT_EQUIVALENT)
		return;
	for (unsigned m = 0; m < CASE_MADE_COUNT; m++)
		e->stats.refer.made[m] += a->made >> m & 1;
	for (unsigned i = 0; i < a->rules; i++)
		rules_hit(e->cfg.by, a->rule[i], a->rules == 1);
}

static void not_judged(struct compare_result *r, enum compare_reason why)
{
	*r = (struct compare_result){ .verdict = VERDICT_NOT_COMPARED,
				      .reason = why,
				      .status = { r->status[0], r->status[1] },
				      .bytes = { r->bytes[0], r->bytes[1] } };
}

/* Is this what a server says that does not know a value? It answers, whole and
 * by the book, and does not fail.
 */
static bool may_diverge(const struct compare_result *r)
{
	const uint64_t told =
		reason_bit(REASON_STATUS) | reason_bit(REASON_HEADER) |
		reason_bit(REASON_BODY) | reason_bit(REASON_LENGTH);

	return r->verdict == VERDICT_DIFFERENT && !(r->reasons & ~told) &&
	       (r->status[1] < 500 || r->status[0] >= 500);
}

/* Count it, and let its record go. */
static void give(struct engine *e, uint32_t endpoint,
		 struct exchange_record *rec, struct compare_result *r,
		 const char *request, uint8_t request_len,
		 const struct case_answer *a)
{
	const char *name = request;
	uint8_t len = request_len;

	if (rec->diverged && may_diverge(r))
		not_judged(r, REASON_DIVERGED);
	/* An endpoint that the rules name is one, whatever its paths. */
	if (endpoint != RULES_ALL) {
		name = rules_name(e->cfg.by, endpoint);
		len = (uint8_t)strlen(name);
	}
	rec->endpoint = (uint8_t)endpoint;
	record_result(rec, r);
	r->evidence.kind = tally(&e->stats, rec, &r->evidence.place, name, len,
				 request, request_len);
	beside_note(e, rec, r, name, tally_name(rec, name, len), a);
	if (e->refer && !rec->baseline)
		e->stats.refer.verdict[endpoint][rec->verdict]++;
	record_put(e, rec, r, request, request_len);
}

/* Where it stands what was told of the object that production answered with;
 * NULL: there is nothing to tell. @version: of the object
 */
static struct told *to_tell(const struct engine *e, const struct keep *k,
			    uint32_t endpoint, const struct compare_result *r,
			    uint64_t *version)
{
	bool any = rules_view(e->cfg.by, endpoint)->versions != 0;
	uint64_t object = keep_shows(k);
	struct told *t;

	assert(e->refer);
	t = &e->refer->told[object % REFER_TOLD];
	if (object == 0 || r->status[0] != 200 || e->refer->gone)
		return NULL;
	*version = keep_version(k, &e->cfg.key, any);
	if (*version == 0 || (t->object == object && t->version == *version &&
			      e->now - t->at < REFER_AGAIN))
		return NULL;
	return t;
}

static uint64_t answered_at(const struct engine *e, const struct exchange *x)
{
	return x->p_first != 0 ? x->p_first : e->now;
}

/* Let the desk remember production's answer, if it is a new one. */
static void note(struct engine *e, const struct exchange *x,
		 const struct keep *k, uint32_t endpoint,
		 const struct exchange_record *rec,
		 const struct compare_result *r)
{
	const struct engine_desk *d = &e->cfg.desk;
	uint64_t version;
	struct told *t = to_tell(e, k, endpoint, r, &version);
	struct case_view c;
	int rc;

	if (!t)
		return;
	keep_note(k, &c);
	c.endpoint = endpoint;
	c.at = answered_at(e, x);
	rc = d->refer(d->ctx, rec->flow, rec->index, k, &c);
	if (rc == -EAGAIN)
		d->refused(d->ctx, rec->flow, rec->index);
	e->stats.refer.notes_refused += rc != 0;
	if (rc != 0)
		return;
	e->stats.refer.notes++;
	*t = (struct told){ c.object, version, e->now };
}

/* Which sort of requests is it? */
static uint64_t sort_of(const struct engine *e, const struct exchange *x,
			uint32_t endpoint)
{
	const struct describe_ops *d = protocols[PROTOCOL_HTTP1].describe;

	if (endpoint != RULES_ALL)
		return hash_bytes(&e->cfg.key, &endpoint, sizeof(endpoint));
	return hash_bytes(&e->cfg.key, x->request,
			  d->endpoint(x->request, x->request_len));
}

/* The next slot, for what is known of an exchange. */
static void put_slot(struct refer *q, const struct exchange *x,
		     const struct keep *k, uint32_t endpoint,
		     const struct exchange_record *rec,
		     const struct compare_result *r, uint64_t sort, size_t n)
{
	struct slot *s = &q->slot[(q->first + q->n) % REFER_MOST];

	*s = (struct slot){ .rec = *rec,
			    .r = *r,
			    .endpoint = endpoint,
			    .bytes = (uint32_t)n,
			    .sort = sort,
			    .request_len = x->request_len };
	memcpy(s->request, x->request, x->request_len);
	memcpy(s->token, keep_tokens(k), sizeof(s->token));
	q->n++;
	portions_take(&q->out, sort, n);
}

/* Hand the case over. Return: it is out */
static bool hand(struct engine *e, const struct exchange *x,
		 const struct keep *k, uint32_t endpoint,
		 const struct exchange_record *rec, struct compare_result *r)
{
	const uint64_t body =
		reason_bit(REASON_BODY) | reason_bit(REASON_LENGTH);
	const struct engine_desk *d = &e->cfg.desk;
	struct refer *q = e->refer;
	uint64_t version;
	struct told *t = to_tell(e, k, endpoint, r, &version);
	uint64_t sort = sort_of(e, x, endpoint);
	struct case_view c;
	int rc = -EAGAIN;
	size_t n = keep_case(k, !(r->reasons & body), t != NULL, &c);

	assert(q);
	c.serial = q->first + q->n;
	c.endpoint = endpoint;
	c.at = answered_at(e, x);
	if (q->gone)
		rc = -EPIPE;
	else if (!portions_full(&q->out, sort, n))
		rc = d->refer(d->ctx, rec->flow, rec->index, k, &c);
	if (rc != 0) {
		if (rc == -EAGAIN) {
			d->refused(d->ctx, rec->flow, rec->index);
			e->stats.refer.overload[endpoint]++;
		}
		not_judged(r, rc == -EAGAIN ? REASON_OVERLOAD : REASON_DESK);
		return false;
	}
	put_slot(q, x, k, endpoint, rec, r, sort, n);
	if (t)
		*t = (struct told){ c.object, version, e->now };
	e->stats.refer.handed++;
	return true;
}

/* Does it send a token that the SUT has otherwise, as far as is known now? */
static void look_at_tokens(const struct engine *e, struct exchange_record *rec,
			   const uint64_t token[ASKED_TOKENS])
{
	assert(e->refer);
	rec->diverged |=
		session_hangs(e->refer->tokens, rec->map, token, ASKED_TOKENS);
}

/* A judge has found that production sets these tokens, and the SUT others. */
static void learn_tokens(struct engine *e, uint32_t map,
			 const struct case_answer *a)
{
	struct session *s = e->refer->tokens;

	session_tokens(s, map, a->given, a->givens);
	e->stats.refer.tokens = session_stats(s)->learned;
	e->stats.refer.tokens_pushed = session_stats(s)->pushed;
}

/* May a case that is out tell that it hangs on a token? It waits then. */
static bool wait_for_tokens(struct engine *e, const struct exchange *x,
			    const struct keep *k, uint32_t endpoint,
			    struct exchange_record *rec,
			    const struct compare_result *r)
{
	struct refer *q = e->refer;
	uint64_t sort;

	look_at_tokens(e, rec, keep_tokens(k));
	if (q->n == 0 || q->gone || rec->diverged || !may_diverge(r) ||
	    keep_tokens(k)[0] == 0)
		return false;
	sort = sort_of(e, x, endpoint);
	if (portions_full(&q->out, sort, 0))
		return false;
	put_slot(q, x, k, endpoint, rec, r, sort, 0);
	q->slot[(q->first + q->n - 1) % REFER_MOST].waits = true;
	q->waits++;
	return true;
}

void refer_by_rule(struct engine *e, const struct protocol *protocol,
		   const struct compare_result *r)
{
	enum case_made by = CASE_BY_TTL;
	uint32_t any;

	if (r->verdict != VERDICT_EQUIVALENT || r->rule == 0)
		return;
	if (protocol == &protocols[PROTOCOL_REDIS])
		by = CASE_BY_REPLY;
	else if (rules_dns_subset(e->cfg.by, &any) == (int)r->rule - 1)
		by = CASE_BY_SUBSET;
	rules_hit(e->cfg.by, r->rule - 1, true);
	e->stats.refer.made[by]++;
}

void refer_verdict(struct engine *e, const struct flow *f,
		   const struct exchange *x, struct keep *k,
		   struct exchange_record *rec, struct compare_result *r)
{
	enum keep_says says = KEEP_NOTHING;
	uint32_t endpoint = RULES_ALL;
	struct case_answer a;

	refer_by_rule(e, reader_of(f)->protocol, r);
	if (e->refer && rec->protocol == PROTOCOL_HTTP1)
		endpoint = rules_endpoint_of(e->cfg.by, x->request,
					     x->request_len);
	if (k) {
		keep_late(k, stamp_late(x));
		says = keep_settle(k, r, e->cfg.by, endpoint, &a);
	}
	if (says == KEEP_SETTLED)
		apply(e, r, &a);
	/* Where the pairing is guessed a judge would compare what is none. */
	if (reader_guesses(reader_of(f), x->index))
		says = KEEP_NOTHING;
	else if (k && says != KEEP_ASK)
		note(e, x, k, endpoint, rec, r);
	if (says == KEEP_ASK
		    ? !hand(e, x, k, endpoint, rec, r)
		    : !k || !wait_for_tokens(e, x, k, endpoint, rec, r))
		give(e, endpoint, rec, r, x->request, x->request_len, NULL);
	if (k)
		keep_end(k, e->pool);
}

static void give_slot(struct engine *e, struct slot *s,
		      const struct case_answer *a)
{
	give(e, s->endpoint, &s->rec, &s->r, s->request, s->request_len, a);
}

/* The oldest case is out no more. */
static void came_back(struct refer *q)
{
	const struct slot *s = &q->slot[q->first++ % REFER_MOST];

	q->n--;
	portions_give(&q->out, s->sort, s->bytes);
}

static struct slot *oldest(struct refer *q)
{
	return &q->slot[q->first % REFER_MOST];
}

/* Those behind the oldest case that waited for it alone. */
static void go_on(struct engine *e)
{
	struct refer *q = e->refer;

	while (q->n > 0 && oldest(q)->waits) {
		struct slot *s = oldest(q);

		came_back(q);
		q->waits--;
		look_at_tokens(e, &s->rec, s->token);
		give_slot(e, s, NULL);
	}
}

/* The oldest case is answered, or will never be. */
static void answered(struct engine *e, const struct case_answer *a)
{
	struct slot *s = oldest(e->refer);

	came_back(e->refer);
	give_slot(e, s, a);
}

/* What was held stands, or was taken back by @a. */
static void unhold(struct engine *e, uint32_t i, const struct case_answer *a)
{
	struct refer *q = e->refer;
	struct held h = q->held[i];

	assert(i < q->holds);
	q->holds--;
	memmove(&q->held[i], &q->held[i + 1],
		(q->holds - i) * sizeof(q->held[0]));
	give_slot(e, &h.slot, a ? a : &h.said);
}

/* The oldest case has an answer that may be taken back. */
static void hold(struct engine *e, const struct case_answer *a)
{
	struct refer *q = e->refer;

	if (q->holds == REFER_HELD) {
		e->stats.refer.held_full++;
		unhold(e, 0, NULL);
	}
	q->held[q->holds++] =
		(struct held){ q->first, *a, q->slot[q->first % REFER_MOST] };
	came_back(q);
	e->stats.refer.held++;
}

/* Another answer to a case that was answered: only such a one that was held. Of
 * one that stands already it says nothing.
 */
static int take_back(struct engine *e, const struct case_answer *a)
{
	struct refer *q = e->refer;

	for (uint32_t i = 0; i < q->holds; i++) {
		if (q->held[i].serial != a->serial)
			continue;
		if (a->held != 0)
			return -EBADMSG;
		apply(e, &q->held[i].slot.r, a);
		e->stats.refer.taken_back++;
		unhold(e, i, a);
		break;
	}
	return 0;
}

int engine_judged(struct engine *e, const struct case_answer *a)
{
	struct refer *q = e->refer;

	if (!case_is_answer(a, rules_count(e->cfg.by)))
		return -EBADMSG;
	if (a->serial < q->first && e->stats.refer.held > 0)
		return take_back(e, a);
	if (q->n == 0 || a->serial != q->first)
		return -EBADMSG;
	apply(e, &oldest(q)->r, a);
	look_at_tokens(e, &oldest(q)->rec, oldest(q)->token);
	learn_tokens(e, oldest(q)->rec.map, a);
	e->stats.refer.judged++;
	if (a->held != 0)
		hold(e, a);
	else
		answered(e, a);
	go_on(e);
	return 0;
}

bool engine_unheld(struct engine *e)
{
	struct refer *q = e->refer;

	bool more = udp_unheld(e);

	if (q && q->holds > 0)
		unhold(e, 0, NULL);
	return more || (q && q->holds > 0);
}

uint32_t engine_held(const struct engine *e)
{
	return (e->refer ? e->refer->holds : 0) +
	       (e->rrsets ? rrsets_held(e->rrsets, NULL) : 0);
}

bool engine_desk_gone(struct engine *e)
{
	struct refer *q = e->refer;

	q->gone = true;
	if (q->n > 0) {
		not_judged(&q->slot[q->first % REFER_MOST].r, REASON_DESK);
		e->stats.refer.lost++;
		answered(e, NULL);
		go_on(e);
	}
	return q->n > 0;
}

uint32_t engine_out(const struct engine *e)
{
	return e->refer ? e->refer->n - e->refer->waits : 0;
}

uint32_t engine_open_sut(const struct engine *e)
{
	uint32_t n = 0;

	if (e->rrsets)
		(void)rrsets_held(e->rrsets, &n);
	for (uint32_t i = 0; e->refer && i < e->refer->n; i++)
		n += !e->refer->slot[(e->refer->first + i) % REFER_MOST]
			      .rec.baseline;
	for (uint32_t i = 0; e->refer && i < e->refer->holds; i++)
		n += !e->refer->held[i].slot.rec.baseline;
	return n;
}
