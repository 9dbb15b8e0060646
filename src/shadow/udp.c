/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * udp.c - Play clients' datagrams to a SUT and pair the answers
 *
 * Theory of operation
 *
 * An exchange lies in one slot of a fixed array and in two hash tables, since
 * its answers come with different addresses: production's with production's
 * address, the SUT's with the SUT's. The client's address and port, the tag's id
 * and the SUT's number are in both keys. A chain is walked from the oldest to
 * the newest, so the first match is the oldest: that is what pairs datagrams
 * which carry no id.
 *
 * The slot is free, open, or ended:
 *
 *	free --query--> open --both answers, timeout, no room--> ended --> free
 *
 * An ended exchange has been reported and holds no payload. It stays for another
 * UDP_TIMEOUT only so that a repeated or a late answer is told from a stray one,
 * and is the first to go when a slot is wanted: a list in order of entry is timer
 * enough. Production is waited for as long; from its answer on the SUT is, for
 * answer_wait() (see wait.c for the clock, and for what may end a wait), so the
 * open ones have timers in a wheel. A query to a SUT that is down is not sent, and
 * waits for production's answer alone.
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
#include "shadow/udp.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "core/list.h"
#include "core/wheel.h"
#include "shadow/wait.h"

/* At a wait that is over, if the SUT's wire has been read by then. */
#define LOOK_AGAIN NS_PER_MS
#define UDP_TTL	   64 /* of a client whose own is not known */

enum ex_state {
	EX_FREE,
	EX_OPEN,
	EX_ENDED,
};

/* Hashed and compared as bytes: no padding. */
struct udp_key {
	struct ipaddr client;
	struct ipaddr server; /* production or SUT */
	uint16_t cport;
	uint16_t sport;
	uint16_t id;
	uint16_t sut;
};

_Static_assert(sizeof(struct udp_key) == 40, "no padding");

/**
 * struct exchange - One query and its answers to one SUT
 * @age:	Link in the list of its state; open and ended: oldest first
 * @chain:	Links in the hash tables, by key of WHO_PROD and WHO_SUT
 *		([WHO_CLIENT] is not used)
 * @send:	Link in the list of those with @unsent
 * @key:	Keys of the two tables
 * @unsent:	Payload of an effect that found no room (FRAME_EMIT), or NULL
 * @timer:	When it ends, while it is open
 * @since:	When it was opened, then when it ended
 * @wait_from, @wait: The wait for the SUT, once production has answered
 * @serial:	Number of the exchange, from 1
 * @state:	Where it is
 * @ttl:	Of the query
 * @pair:	What will be reported
 */
struct exchange {
	struct list age;
	struct list chain[WHO_COUNT];
	struct list send;
	struct timer timer;
	uint64_t wait_from;
	uint64_t wait;
	struct udp_key key[WHO_COUNT];
	struct frame *unsent;
	uint64_t since;
	uint64_t serial;
	enum ex_state state;
	uint8_t ttl;
	struct udp_pair pair;
};

/**
 * struct udp_shadow - The machine
 * @bucket:	Hash tables, by WHO_PROD and WHO_SUT; @mask + 1 heads each
 * @slots, @fresh: Slots, and how many of them were ever used: the rest takes no
 *		memory of the machine
 * @free, @open, @ended: Slots by state
 * @send:	Exchanges with an effect that found no room
 * @waits_due:	A wait for a SUT is over, if its wire is empty
 * @sut_read:	When that was read empty last
 * @stalled:	ns that this process stood still, in all
 * @ring:	Finished exchanges, the oldest at @first
 */
struct udp_shadow {
	struct pool *pool;
	struct hash_key hash;
	bool keep;
	uint32_t mask;
	uint32_t used;
	uint32_t opened;
	uint64_t serial;
	struct list *bucket[WHO_COUNT];
	struct exchange *slot;
	uint32_t slots;
	uint32_t fresh;
	struct list free;
	struct list open;
	struct list ended;
	struct list send;
	bool waits_due;
	uint64_t sut_read;
	uint64_t wait;
	uint64_t stalled;
	struct wheel wheel;
	uint32_t first;
	uint32_t pairs;
	struct udp_counters count;
	struct udp_pair ring[UDP_PAIRS];
};

static uint32_t buckets_for(uint32_t n)
{
	uint32_t b = 1;

	while (b < n)
		b <<= 1;
	return b;
}

size_t udp_size(uint32_t n)
{
	size_t table = sizeof(struct list) * buckets_for(n);

	return arena_need(sizeof(struct udp_shadow)) + 2 * arena_need(table) +
	       arena_need(sizeof(struct exchange) * n);
}

int udp_init(struct udp_shadow **out, struct arena *a, struct pool *pool,
	     uint32_t n, const struct hash_key *key, bool keep, uint64_t wait,
	     uint64_t now)
{
	uint32_t buckets = buckets_for(n);
	struct udp_shadow *u;

	assert(n >= 1 && n <= 1u << 24);
	if (a->size - a->used < udp_size(n))
		return -ENOMEM;

	u = arena_take(a, sizeof(*u));
	u->bucket[WHO_PROD] = arena_take(a, sizeof(struct list) * buckets);
	u->bucket[WHO_SUT] = arena_take(a, sizeof(struct list) * buckets);
	u->slot = arena_take(a, sizeof(struct exchange) * n);
	u->pool = pool;
	u->hash = *key;
	u->keep = keep;
	u->mask = buckets - 1;
	for (uint32_t i = 0; i < buckets; i++) {
		list_init(&u->bucket[WHO_PROD][i]);
		list_init(&u->bucket[WHO_SUT][i]);
	}
	list_init(&u->free);
	list_init(&u->open);
	list_init(&u->ended);
	list_init(&u->send);
	u->wait = wait;
	wheel_init(&u->wheel, now);
	u->slots = n;
	*out = u;
	return 0;
}

static struct list *bucket_of(struct udp_shadow *u, enum who who,
			      const struct udp_key *key)
{
	uint64_t h = hash_bytes(&u->hash, key, sizeof(*key));

	return &u->bucket[who][h & u->mask];
}

static struct exchange *by_age(struct list *l)
{
	return list_entry(l, struct exchange, age);
}

/* The exchange of which @l is the link of @who's table. */
static struct exchange *by_chain(struct list *l, enum who who)
{
	return list_entry(l - who, struct exchange, chain);
}

static void move_to(struct exchange *ex, struct list *to)
{
	list_del(&ex->age);
	list_add_tail(to, &ex->age);
}

static void drop_unsent(struct udp_shadow *u, struct exchange *ex)
{
	if (ex->unsent == NULL)
		return;
	frame_clear(u->pool, ex->unsent, FRAME_EMIT);
	ex->unsent = NULL;
	list_del(&ex->send);
}

/* An open exchange is over: report it, and remember it for a while. */
static void ex_end(struct udp_shadow *u, struct exchange *ex, enum udp_end end,
		   uint64_t now)
{
	assert(ex->state == EX_OPEN);

	drop_unsent(u, ex);
	wheel_disarm(&u->wheel, &ex->timer);
	ex->pair.end = end;
	if (u->pairs < UDP_PAIRS) {
		u->ring[(u->first + u->pairs++) % UDP_PAIRS] = ex->pair;
	} else {
		u->count.pairs_lost++;
		udp_pair_free(u, &ex->pair);
	}
	memset(ex->pair.frame, 0, sizeof(ex->pair.frame));
	ex->state = EX_ENDED;
	ex->since = now;
	u->opened--;
	move_to(ex, &u->ended);
}

static void ex_forget(struct udp_shadow *u, struct exchange *ex)
{
	assert(ex->state == EX_ENDED);

	list_del(&ex->chain[WHO_PROD]);
	list_del(&ex->chain[WHO_SUT]);
	ex->state = EX_FREE;
	u->used--;
	move_to(ex, &u->free);
}

/* Take a slot, at the cost of the oldest exchange if there is none free. */
static struct exchange *ex_take(struct udp_shadow *u, uint64_t now)
{
	if (list_empty(&u->free) && u->fresh < u->slots) {
		list_add_tail(&u->free, &u->slot[u->fresh++].age);
	} else if (list_empty(&u->free)) {
		if (list_empty(&u->ended)) {
			u->count.evicted++;
			ex_end(u, by_age(u->open.next), UDP_EVICTED, now);
		} else {
			u->count.forgotten++;
		}
		ex_forget(u, by_age(u->ended.next));
	}
	return by_age(u->free.next);
}

/* Keep the number of exchanges with one key below UDP_SAME_KEY: this bounds
 * every walk, and what one client can take.
 */
static void bound_key(struct udp_shadow *u, const struct udp_key *key,
		      uint64_t now)
{
	struct list *head = bucket_of(u, WHO_PROD, key);
	struct exchange *oldest = NULL;
	unsigned n = 0;

	for (struct list *l = head->next; l != head; l = l->next) {
		struct exchange *ex = by_chain(l, WHO_PROD);

		if (memcmp(&ex->key[WHO_PROD], key, sizeof(*key)) != 0)
			continue;
		if (oldest == NULL)
			oldest = ex;
		n++;
	}
	if (n < UDP_SAME_KEY)
		return;
	if (oldest->state == EX_OPEN) {
		u->count.same_key++;
		ex_end(u, oldest, UDP_EVICTED, now);
	} else {
		u->count.forgotten++;
	}
	ex_forget(u, oldest);
}

static struct udp_key key_of(const struct segment *seg, enum who from,
			     uint16_t id, uint8_t sut)
{
	bool c = from == WHO_CLIENT;

	return (struct udp_key){
		.client = c ? seg->src : seg->dst,
		.server = c ? seg->dst : seg->src,
		.cport = c ? seg->sport : seg->dport,
		.sport = c ? seg->dport : seg->sport,
		.id = id,
		.sut = sut,
	};
}

static struct frame *copy_of(struct udp_shadow *u, const struct segment *seg,
			     uint8_t interest, uint64_t now)
{
	struct frame *f = frame_alloc(u->pool, seg->cap, interest);

	if (f == NULL)
		return NULL;
	if (seg->cap > 0)
		memcpy(f->data, seg->data, seg->cap);
	f->ts = seg->ts;
	f->now = now;
	return f;
}

/* Write the effect that sends @f to @ex's SUT. There is room. */
static void emit(struct udp_shadow *u, struct exchange *ex, struct frame *f,
		 uint64_t now, struct effects *out)
{
	const struct udp_key *k = &ex->key[WHO_SUT];
	struct effect *e = &out->e[out->n++];

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

/* Send @f (FRAME_EMIT), or keep it: in @held, or until there is room. */
static void forward(struct udp_shadow *u, struct exchange *ex, struct frame *f,
		    uint64_t now, struct effects *out, struct list *held)
{
	if (held == NULL && ex->unsent == NULL && effects_left(out) > 0) {
		emit(u, ex, f, now, out);
	} else if (ex->unsent == NULL) {
		ex->unsent = f;
		list_add_tail(held != NULL ? held : &u->send, &ex->send);
	} else {
		u->count.repeat_held++;
		frame_clear(u->pool, f, FRAME_EMIT);
	}
}

/* The open exchange of which this query is a repeat, or NULL. */
static struct exchange *find_repeat(struct udp_shadow *u,
				    const struct udp_key *key,
				    const struct udp_tag *tag)
{
	struct list *head = bucket_of(u, WHO_PROD, key);

	if (tag->ordered)
		return NULL;
	for (struct list *l = head->next; l != head; l = l->next) {
		struct exchange *ex = by_chain(l, WHO_PROD);

		if (ex->state == EX_OPEN && !ex->pair.has[WHO_PROD] &&
		    ex->pair.tag.question == tag->question &&
		    memcmp(&ex->key[WHO_PROD], key, sizeof(*key)) == 0)
			return ex;
	}
	return NULL;
}

static struct exchange *ex_open(struct udp_shadow *u, const struct segment *seg,
				const struct udp_key *key,
				const struct udp_tag *tag,
				const struct udp_to *to, uint64_t now)
{
	struct exchange *ex;

	bound_key(u, key, now);
	ex = ex_take(u, now);
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
		list_add_tail(bucket_of(u, w, &ex->key[w]), &ex->chain[w]);
	move_to(ex, &u->open);
	u->used++;
	u->opened++;
	u->count.exchanges++;
	return ex;
}

static void query(struct udp_shadow *u, const struct segment *seg,
		  const struct udp_tag *tag, const struct udp_to *to,
		  uint64_t now, struct effects *out, struct list *held)
{
	struct udp_key key = key_of(seg, WHO_CLIENT, tag->id, to->sut);
	struct exchange *ex;
	struct frame *f;

	u->count.queries++;
	if (seg->cap < seg->len) {
		u->count.query_cut++;
		return;
	}
	f = copy_of(u, seg, FRAME_EMIT, now);
	if (f == NULL) {
		u->count.query_pool_full++;
		return;
	}
	ex = find_repeat(u, &key, tag);
	if (ex != NULL) {
		u->count.repeats++;
		ex->pair.repeats++;
	} else {
		ex = ex_open(u, seg, &key, tag, to, now);
		if (u->keep) {
			frame_set(f, FRAME_CMP);
			ex->pair.frame[WHO_CLIENT] = f;
		}
	}
	if (ex->pair.withheld)
		frame_clear(u->pool, f, FRAME_EMIT);
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
			ex_end(u, ex, UDP_EVICTED, now);
		}
	}
	return !list_empty(held);
}

/**
 * find_query() - The exchange that an answer belongs to
 * @by_id:	Set if its question is another one
 *
 * Best first: an open one that lacks this answer; one that ended without it; any
 * of the key. With a question that fits before one that does not: an answer to
 * an earlier use of the id must not take the place of a later one's.
 *
 * Return: it, or NULL
 */
static struct exchange *find_query(struct udp_shadow *u, enum who who,
				   const struct udp_key *key,
				   const struct udp_tag *tag, bool *by_id)
{
	struct list *head = bucket_of(u, who, key);
	struct exchange *best = NULL;
	int best_rank = 0;

	for (struct list *l = head->next; l != head; l = l->next) {
		struct exchange *ex = by_chain(l, who);
		int rank = 1;

		if (memcmp(&ex->key[who], key, sizeof(*key)) != 0 ||
		    ex->pair.tag.ordered != tag->ordered)
			continue;
		if (!ex->pair.has[who])
			rank += ex->state == EX_OPEN ? 2 : 1;
		if (ex->pair.tag.question == tag->question)
			rank += 3;
		if (rank > best_rank) {
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
		p->frame[who] = copy_of(u, seg, FRAME_CMP, now);
		u->count.answer_pool_full += p->frame[who] == NULL;
	}
	if (p->has[WHO_PROD] && p->has[WHO_SUT]) {
		u->count.answered++;
		ex_end(u, ex, UDP_ANSWERED, now);
	} else if (who == WHO_PROD) {
		owe(u, ex, now);
	}
}

void udp_answer(struct udp_shadow *u, enum who who, uint8_t sut,
		const struct segment *seg, const struct udp_tag *tag,
		uint64_t now)
{
	struct udp_key key = key_of(seg, who, tag->id, sut);
	struct udp_counters *c = &u->count;
	bool prod = who == WHO_PROD;
	bool by_id;
	struct exchange *ex;

	assert(who == WHO_PROD || who == WHO_SUT);

	ex = find_query(u, who, &key, tag, &by_id);
	*(prod ? &c->prod_answers : &c->sut_answers) += 1;
	if (ex == NULL) {
		*(prod ? &c->prod_stray : &c->sut_stray) += 1;
	} else if (ex->pair.has[who]) {
		*(prod ? &c->prod_repeated : &c->sut_repeated) += 1;
		c->datagram_stream++;
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
		ex_end(u, ex, UDP_NO_SUT, now);
	} else if (ex->pair.has[WHO_SUT]) {
		u->count.no_production++;
		ex_end(u, ex, UDP_NO_PRODUCTION, now);
	} else {
		u->count.no_answer++;
		ex_end(u, ex, UDP_NO_ANSWER, now);
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
	       now - by_age(head->next)->since >= UDP_TIMEOUT;
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
		ex_forget(u, by_age(u->ended.next));
	while (u->pairs < UDP_PAIRS && (t = wheel_pop(&u->wheel, now)) != NULL)
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
		const struct exchange *ex = by_age(l);

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
	    by_age(u->ended.next)->since + UDP_TIMEOUT < next)
		next = by_age(u->ended.next)->since + UDP_TIMEOUT;
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

bool udp_pop(struct udp_shadow *u, struct udp_pair *pair)
{
	if (u->pairs == 0)
		return false;
	*pair = u->ring[u->first];
	u->first = (u->first + 1) % UDP_PAIRS;
	u->pairs--;
	return true;
}

void udp_pair_free(struct udp_shadow *u, struct udp_pair *pair)
{
	for (int w = 0; w < WHO_COUNT; w++) {
		if (pair->frame[w] != NULL)
			frame_clear(u->pool, pair->frame[w], FRAME_CMP);
		pair->frame[w] = NULL;
	}
}

bool udp_flush(struct udp_shadow *u)
{
	while (!list_empty(&u->open) && u->pairs < UDP_PAIRS) {
		struct exchange *ex = by_age(u->open.next);

		u->count.run_ended++;
		ex_end(u, ex, UDP_RUN_ENDED, ex->since);
	}
	while (!list_empty(&u->ended))
		ex_forget(u, by_age(u->ended.next));
	return !list_empty(&u->open);
}

uint32_t udp_used(const struct udp_shadow *u)
{
	return u->used;
}

uint32_t udp_open(const struct udp_shadow *u)
{
	return u->opened;
}

const struct udp_counters *udp_counters(const struct udp_shadow *u)
{
	return &u->count;
}
