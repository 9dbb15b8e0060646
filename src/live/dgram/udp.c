/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * udp.c - Play clients' datagrams to a SUT and pair the answers
 *
 * Theory of operation
 *
 * An exchange lies in one slot of a fixed array and in two maps, since its
 * answers come with different addresses: production's with production's
 * address, the SUT's with the SUT's. The client's address and port, the tag's
 * id and the SUT's number are in both keys. A map gives those of a key from the
 * newest to the oldest, of which UDP_SAME_KEY are the most; of several that
 * match equally well the oldest is meant, the last one: that is what pairs
 * datagrams which carry no id.
 *
 * The slot is free, open, or ended:
 *
 *	free --query--> open --both answers, timeout, no room--> ended --> free
 *
 * An ended exchange has been reported and holds no payload. It stays for
 * another UDP_TIMEOUT only so that a repeated or a late answer is told from a
 * stray one, as long as more answers come (more.c) and UDP_TIMEOUT beyond, and
 * is the first to go when a slot is wanted: a list in order of entry is timer
 * enough. Production is waited for as long; from its answer on
 * the SUT is, for answer_wait() (see wait.c for the clock, and for what may end
 * a wait), so the open ones have timers in a wheel. A query to a SUT that is
 * down is not sent, and waits for production's answer alone.
 *
 * The id of a query may be used again from the same port once production has
 * answered: that is a new exchange behind the old one, whose SUT answer may
 * still be missing. The same query while production is silent is the client's
 * retransmission: it is played too, and belongs to the same exchange.
 *
 * Reports wait in a ring that belongs to the machine and not to the table, so a
 * slot can be used again before its report was taken. udp_timeout() stops while
 * the ring is full and is then due at once.
 */
#include "dgram/udp_internal.h"

#include <assert.h>
#include <string.h>

/* At a wait that is over, if the SUT's wire has been read by then. */
#define LOOK_AGAIN NS_PER_MS
#define UDP_TTL	   64 /* of a client whose own is not known */

static struct buf *copy_of(struct udp_shadow *u, const struct segment *seg,
			   uint8_t interest, uint64_t now)
{
	struct buf *f = buf_alloc(u->pool, seg->cap, interest);

	if (!f)
		return NULL;
	if (seg->cap > 0)
		memcpy(f->data, seg->data, seg->cap);
	f->ts = seg->ts;
	f->now = now;
	return f;
}

/* Write the effect that sends @f to @ex's SUT. There is room. */
static void emit(struct udp_shadow *u, struct exchange *ex, struct buf *f,
		 uint64_t now, struct effects *out)
{
	const struct udp_key *k = &ex->key[WHO_SUT];
	struct effect *e = &out->e[out->n++];

	assert(f && out->n <= EFFECTS_MAX);
	*e = (struct effect){
		.kind = EFFECT_UDP,
		.cause = CAUSE_DATAGRAM,
		.sut = ex->pair.sut,
		.ttl = ex->ttl,
		.sport = k->cport,
		.dport = k->sport,
		.len = f->len,
		.timed = true,
		.flow = ex->serial,
		.slot = (uint32_t)(ex - u->slot),
		.frame = f,
		.src = k->client,
		.dst = k->server,
	};
	ex->pair.sent = now;
	u->count.forwarded++;
}

/* Send @f (BUF_EMIT), or keep it: in @held, or until there is room. */
static void forward(struct udp_shadow *u, struct exchange *ex, struct buf *f,
		    uint64_t now, struct effects *out, struct list *held)
{
	if (!held && !ex->unsent && effects_left(out) > 0) {
		emit(u, ex, f, now, out);
	} else if (!ex->unsent) {
		ex->unsent = f;
		list_add_tail(held ? held : &u->send, &ex->send);
	} else {
		u->count.repeat_held++;
		buf_clear(u->pool, f, BUF_EMIT);
	}
}

/* The open exchange of which this query is a repeat, or NULL. */
static struct exchange *find_repeat(struct udp_shadow *u,
				    const struct udp_key *key,
				    const struct udp_tag *tag)
{
	const struct map *m = &u->map[WHO_PROD];
	struct exchange *found = NULL;

	if (tag->ordered)
		return NULL;
	for (uint32_t i = map_first(m, map_hash(m, key, sizeof(*key)));
	     i != MAP_NONE; i = map_next(m, i)) {
		struct exchange *ex = &u->slot[i];

		if (ex->state == EX_OPEN && !ex->pair.has[WHO_PROD] &&
		    ex->pair.tag.question == tag->question &&
		    memcmp(&ex->key[WHO_PROD], key, sizeof(*key)) == 0)
			found = ex;
	}
	return found;
}

static struct exchange *ex_open(struct udp_shadow *u, const struct segment *seg,
				const struct udp_key *key,
				const struct udp_tag *tag,
				const struct udp_to *to, uint64_t now)
{
	struct exchange *ex;

	udp_bound_key(u, key, now);
	ex = udp_ex_take(u, now);
	*ex = (struct exchange){
		.age = ex->age,
		.since = now,
		.serial = ++u->serial,
		.state = EX_OPEN,
		.ttl = seg->ttl != 0 ? seg->ttl : UDP_TTL,
		.pair = {
			.sut = to->sut,
			.cport = seg->sport,
			.pport = seg->dport,
			.sport = to->port,
			.client = seg->src,
			.prod = seg->dst,
			.tag = *tag,
			.has = { [WHO_CLIENT] = true },
			.opened = now,
			.sent = now,
			.ts = { [WHO_CLIENT] = seg->ts },
			.record = tag->record,
			.withheld = to->withheld,
		},
	};
	ex->key[WHO_PROD] = *key;
	ex->key[WHO_SUT] = *key;
	ex->key[WHO_SUT].server = to->addr;
	ex->key[WHO_SUT].sport = to->port;
	list_init(&ex->send);
	timer_init(&ex->timer);
	wheel_arm(&u->wheel, &ex->timer, now + UDP_TIMEOUT);
	for (enum who w = WHO_PROD; w <= WHO_SUT; w++)
		udp_ex_enter(u, ex, w);
	udp_move_to(ex, &u->open);
	u->used++;
	u->opened++;
	u->count.exchanges++;
	return ex;
}

static void query(struct udp_shadow *u, const struct segment *seg,
		  const struct udp_tag *tag, const struct udp_to *to,
		  uint64_t now, struct effects *out, struct list *held)
{
	struct udp_key key = udp_key_of(seg, WHO_CLIENT, tag->id, to->sut);
	struct exchange *ex;
	struct buf *f;

	u->count.queries++;
	if (seg->cap < seg->len) {
		u->count.query_cut++;
		return;
	}
	f = copy_of(u, seg, BUF_EMIT, now);
	if (!f) {
		u->count.query_pool_full++;
		return;
	}
	ex = find_repeat(u, &key, tag);
	if (ex) {
		u->count.repeats++;
		ex->pair.repeats++;
	} else {
		ex = ex_open(u, seg, &key, tag, to, now);
		if (u->keep) {
			buf_set(f, BUF_CMP);
			ex->pair.frame[WHO_CLIENT] = f;
		}
	}
	if (ex->pair.withheld)
		buf_clear(u->pool, f, BUF_EMIT);
	else
		forward(u, ex, f, now, out, held);
}

void udp_query(struct udp_shadow *u, const struct segment *seg,
	       const struct udp_tag *tag, const struct udp_to *to, uint64_t now,
	       struct effects *out)
{
	query(u, seg, tag, to, now, out, NULL);
}

void udp_hold(struct udp_shadow *u, const struct segment *seg,
	      const struct udp_tag *tag, const struct udp_to *to, uint64_t now,
	      struct list *held)
{
	query(u, seg, tag, to, now, NULL, held);
}

bool udp_release(struct udp_shadow *u, struct list *held, bool send,
		 uint64_t now)
{
	while (!list_empty(held) && (send || u->pairs < UDP_PAIRS)) {
		struct exchange *ex =
			list_entry(held->next, struct exchange, send);

		if (send) {
			list_del(&ex->send);
			list_add_tail(&u->send, &ex->send);
		} else {
			u->count.evicted++;
			udp_ex_end(u, ex, UDP_EVICTED, now);
		}
	}
	return !list_empty(held);
}

/**
 * find_query() - The exchange that an answer belongs to
 * @by_id:	Set if its question is another one
 *
 * Best first: an open one that lacks this answer; one that ended without it;
 * any of the key. With a question that fits before one that does not: an answer
 * to an earlier use of the id must not take the place of a later one's.
 *
 * Return: it, or NULL
 */
static struct exchange *find_query(struct udp_shadow *u, enum who who,
				   const struct udp_key *key,
				   const struct udp_tag *tag, bool *by_id)
{
	const struct map *m = &u->map[who];
	struct exchange *best = NULL;
	int best_rank = 0;

	for (uint32_t i = map_first(m, map_hash(m, key, sizeof(*key)));
	     i != MAP_NONE; i = map_next(m, i)) {
		struct exchange *ex = &u->slot[i];
		int rank = 1;

		if (memcmp(&ex->key[who], key, sizeof(*key)) != 0 ||
		    ex->pair.tag.ordered != tag->ordered)
			continue;
		if (!ex->pair.has[who])
			rank += ex->state == EX_OPEN ? 2 : 1;
		if (ex->pair.tag.question == tag->question)
			rank += 3;
		if (rank >= best_rank) {
			best = ex;
			best_rank = rank;
		}
	}
	*by_id = best_rank > 0 && best_rank <= 3;
	return best;
}

static uint64_t since(uint64_t from, uint64_t to)
{
	return to > from ? to - from : 0;
}

/* Production has answered: from now on it is the SUT that is waited for. */
static void owe(struct udp_shadow *u, struct exchange *ex, uint64_t now)
{
	if (u->wait == 0)
		return;
	ex->wait = answer_wait(u->wait, since(ex->since, now));
	ex->wait_from = now - u->stalled;
	wheel_arm(&u->wheel, &ex->timer, now + ex->wait);
}

static void take_answer(struct udp_shadow *u, struct exchange *ex, enum who who,
			const struct segment *seg, uint64_t now)
{
	struct udp_pair *p = &ex->pair;

	p->has[who] = true;
	p->ts[who] = seg->ts;
	if (seg->cap < seg->len) {
		u->count.answer_cut++;
		p->cut[who] = true;
	} else if (u->keep) {
		p->frame[who] = copy_of(u, seg, BUF_CMP, now);
		u->count.answer_pool_full += !p->frame[who];
	}
	if (p->has[WHO_PROD] && p->has[WHO_SUT]) {
		u->count.answered++;
		udp_ex_end(u, ex, UDP_ANSWERED, now);
	} else if (who == WHO_PROD) {
		owe(u, ex, now);
	}
}

void udp_answer(struct udp_shadow *u, enum who who, uint8_t sut,
		const struct segment *seg, const struct udp_tag *tag,
		uint64_t now)
{
	struct udp_key key = udp_key_of(seg, who, tag->id, sut);
	struct udp_counters *c = &u->count;
	bool prod = who == WHO_PROD;
	bool by_id;
	struct exchange *ex;

	assert(who == WHO_PROD || who == WHO_SUT);

	ex = find_query(u, who, &key, tag, &by_id);
	*(prod ? &c->prod_answers : &c->sut_answers) += 1;
	if (!ex) {
		*(prod ? &c->prod_stray : &c->sut_stray) += 1;
	} else if (ex->pair.has[who]) {
		*(prod ? &c->prod_repeated : &c->sut_repeated) += 1;
		udp_more(u, ex, who, seg);
		if (ex->state == EX_ENDED) { /* and it goes on */
			ex->since = now;
			udp_move_to(ex, &u->ended);
		}
	} else if (ex->state == EX_ENDED) {
		*(prod ? &c->prod_late : &c->sut_late) += 1;
		ex->pair.has[who] = true;
	} else {
		*(prod ? &c->prod_paired : &c->sut_paired) += 1;
		c->question_differs += by_id;
		take_answer(u, ex, who, seg, now);
	}
}

static void ex_expire(struct udp_shadow *u, struct exchange *ex, uint64_t now)
{
	if (ex->pair.has[WHO_PROD]) {
		u->count.no_sut++;
		udp_ex_end(u, ex, UDP_NO_SUT, now);
	} else if (ex->pair.has[WHO_SUT]) {
		u->count.no_production++;
		udp_ex_end(u, ex, UDP_NO_PRODUCTION, now);
	} else {
		u->count.no_answer++;
		udp_ex_end(u, ex, UDP_NO_ANSWER, now);
	}
}

static uint64_t wait_end(const struct udp_shadow *u, const struct exchange *ex)
{
	return ex->wait_from + ex->wait + u->stalled;
}

/* Its timer has come: a wait for the SUT ends when its wire has been read. */
static void ex_timeout(struct udp_shadow *u, struct exchange *ex, uint64_t now)
{
	uint64_t end = wait_end(u, ex);

	if (ex->wait == 0 || (end <= now && end <= u->sut_read)) {
		ex_expire(u, ex, now);
		return;
	}
	u->waits_due |= end <= now;
	wheel_arm(&u->wheel, &ex->timer, end > now ? end : now + LOOK_AGAIN);
}

static bool is_due(const struct list *head, uint64_t now)
{
	return !list_empty(head) &&
	       now - udp_by_age(head->next)->since >= UDP_TIMEOUT;
}

void udp_timeout(struct udp_shadow *u, uint64_t now, struct effects *out)
{
	struct timer *t;

	while (!list_empty(&u->send) && effects_left(out) > 0) {
		struct exchange *ex =
			list_entry(u->send.next, struct exchange, send);

		emit(u, ex, ex->unsent, now, out);
		ex->unsent = NULL;
		list_del(&ex->send);
	}
	while (is_due(&u->ended, now))
		udp_ex_forget(u, udp_by_age(u->ended.next));
	while (u->pairs < UDP_PAIRS && (t = wheel_pop(&u->wheel, now)))
		ex_timeout(u, list_entry(t, struct exchange, timer), now);
}

bool udp_waits_due(const struct udp_shadow *u)
{
	return u->waits_due;
}

void udp_sut_read(struct udp_shadow *u, uint64_t now)
{
	u->sut_read = now;
	u->waits_due = false;
}

void udp_stalled(struct udp_shadow *u, uint64_t ns)
{
	u->stalled += ns;
}

uint64_t udp_waits_left(const struct udp_shadow *u, uint64_t now, uint32_t *n)
{
	uint64_t most = 0;

	for (struct list *l = u->open.next; l != &u->open; l = l->next) {
		const struct exchange *ex = udp_by_age(l);

		if (ex->wait == 0)
			continue;
		*n += 1;
		if (wait_end(u, ex) > now && wait_end(u, ex) - now > most)
			most = wait_end(u, ex) - now;
	}
	return most;
}

uint64_t udp_next_timeout(const struct udp_shadow *u)
{
	uint64_t next = wheel_next(&u->wheel);

	if (!list_empty(&u->send))
		return 0;
	if (!list_empty(&u->ended) &&
	    udp_by_age(u->ended.next)->since + UDP_TIMEOUT < next)
		next = udp_by_age(u->ended.next)->since + UDP_TIMEOUT;
	return next;
}

void udp_unsent(struct udp_shadow *u, const struct effect *e)
{
	assert(e->kind == EFFECT_UDP);

	u->count.unsent++;
}

void udp_left(struct udp_shadow *u, const struct effect *e, uint64_t stamp)
{
	struct exchange *ex = &u->slot[e->slot];

	assert(e->kind == EFFECT_UDP);
	if (ex->state == EX_OPEN && ex->serial == e->flow && ex->pair.left == 0)
		ex->pair.left = stamp;
}

bool udp_flush(struct udp_shadow *u)
{
	while (!list_empty(&u->open) && u->pairs < UDP_PAIRS) {
		struct exchange *ex = udp_by_age(u->open.next);

		u->count.run_ended++;
		udp_ex_end(u, ex, UDP_RUN_ENDED, ex->since);
	}
	while (!list_empty(&u->ended))
		udp_ex_forget(u, udp_by_age(u->ended.next));
	return !list_empty(&u->open);
}
