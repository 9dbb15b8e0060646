/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reorder.c - Packets of TCP connections are put in the order of their numbers
 *
 * Theory of operation
 *
 * Where gateways take the outer header off, nothing that a sender of ours
 * could number arrives: the packets are as TCP sent them. So the order is
 * TCP's own. Each connection has, in each direction, a turn: the sequence
 * number that is due next. A segment that begins at or before its turn goes on
 * at once and moves it; then so do those that are held and begin at the new
 * turn. A segment that begins beyond it is held, in the order of the numbers.
 *
 * A hole is given up, and what stands behind it goes on, when
 *
 *	- it has held up the connection for `hold`: loss looks like this, and
 *	  TCP must see what came behind to ask for it;
 *	- the connection holds more than `size`: then all of it goes on, in
 *	  order, as though there were no buffer (the thesis's rule);
 *	- there is no room for more of all connections together.
 *
 * What begins and ends behind its turn goes on as well: it may be what a hole
 * was given up for, or a segment that its sender repeats since the
 * acknowledgment was lost, which TCP must answer. Twice is dropped only what
 * is held already; and what is held is dropped when its turn comes and another
 * segment has brought all of it.
 *
 * Without order of their own, and never held, are segments without data, RST
 * (which ends what we know of the connection), fragments, and all that is no
 * TCP. A SYN begins the connection anew, unless it is the one that began it.
 * One that is met in its middle begins with the first segment that is seen;
 * what was before that arrives as late.
 *
 * Numbers are the other end's word: a segment more than FAR ahead is believed,
 * and the connection goes on there (resync), so that no number, however
 * chosen, holds up more than `size` segments for longer than `hold`.
 */
#include "ipip/reorder_internal.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "core/bytes.h"
#include "core/seq.h"

#define IP4_HEAD     20u
#define TCP_HEAD     20u
#define PROTO_TCP    6
#define IP4_FRAGMENT 0x3fff
#define FAR	     (1u << 30) /* the largest window of RFC 7323 */

#define FIN 1
#define SYN 2
#define RST 4

/** struct look - What is to be known of a segment of TCP */
struct look {
	uint8_t key[REORDER_KEY];
	uint32_t seq;
	uint32_t end; /* behind its last byte, a SYN's and a FIN's included */
	uint8_t flags;
};

/* Return: false: it is no whole segment of TCP in IPv4 */
static bool look_at(const uint8_t *p, uint32_t n, struct look *l)
{
	uint32_t ip, tcp, len;

	if (n < IP4_HEAD + TCP_HEAD || p[0] >> 4 != 4 || p[9] != PROTO_TCP ||
	    get_be16(p + 6) & IP4_FRAGMENT)
		return false;
	ip = (p[0] & 15u) * 4;
	len = get_be16(p + 2);
	if (ip < IP4_HEAD || len > n || len < ip + TCP_HEAD)
		return false;
	tcp = (p[ip + 12] >> 4) * 4u;
	if (tcp < TCP_HEAD || ip + tcp > len)
		return false;
	memcpy(l->key, p + 12, 8);
	memcpy(l->key + 8, p + ip, 4);
	l->flags = p[ip + 13] & (FIN | SYN | RST);
	l->seq = get_be32(p + ip + 4);
	l->end = l->seq + (len - ip - tcp) + !!(l->flags & SYN) +
		 !!(l->flags & FIN);
	return true;
}

/* --- what goes on --- */

static void go_on(struct reorder *r, struct buf *f)
{
	f->next = NULL;
	*r->ready_last = f;
	r->ready_last = &f->next;
}

static struct buf *take_first(struct reorder *r, struct reorder_flow *w)
{
	struct buf *f = w->first;

	assert(f && w->held > 0 && r->held > 0);
	w->first = f->next;
	if (!w->first)
		w->last = NULL;
	w->held--;
	r->held--;
	return f;
}

/* All that is held from the turn on goes on, as far as there is no hole.
 * @moved: the turn has; a hole that is filled slowly has its time from now on.
 */
static void drain(struct reorder *r, struct reorder_flow *w, bool moved,
		  uint64_t now)
{
	while (w->first && seq_le(w->first->seq, w->turn)) {
		struct buf *f = take_first(r, w);

		moved = true;
		if (seq_le(f->ack, w->turn)) {
			r->n.overtaken++;
			buf_clear(r->pool, f, BUF_QUEUE);
			continue;
		}
		w->turn = f->ack;
		r->n.released++;
		go_on(r, f);
	}
	if (!w->first) {
		wheel_disarm(&r->wheel, &w->hole);
	} else if (r->config.hold > 0 && (moved || !timer_armed(&w->hole))) {
		wheel_arm(&r->wheel, &w->hole, now + r->config.hold);
	}
}

static void give_up(struct reorder *r, struct reorder_flow *w, uint64_t now)
{
	assert(w->first);
	w->turn = w->first->seq;
	drain(r, w, true, now);
}

static void flush(struct reorder *r, struct reorder_flow *w, uint64_t now)
{
	while (w->first)
		give_up(r, w, now);
}

/* --- connections --- */

static struct reorder_flow *find(struct reorder *r, const uint8_t *key,
				 uint64_t hash)
{
	uint32_t i = map_first(&r->map, hash);

	while (i != MAP_NONE && memcmp(r->flow[i].key, key, REORDER_KEY) != 0)
		i = map_next(&r->map, i);
	return i == MAP_NONE ? NULL : &r->flow[i];
}

static void forget(struct reorder *r, struct reorder_flow *w)
{
	assert(!w->first);
	map_cut(&r->map, w->hash, (uint32_t)(w - r->flow));
	/* The next one that is wanted. */
	list_del(&w->used);
	w->used.next = r->used.next;
	w->used.prev = &r->used;
	r->used.next->prev = &w->used;
	r->used.next = &w->used;
}

/* The connection of a segment, begun if it is not known; it was used last. */
static struct reorder_flow *enter(struct reorder *r, const struct look *l,
				  bool *known, uint64_t now)
{
	uint64_t hash = map_hash(&r->map, l->key, REORDER_KEY);
	struct reorder_flow *w = find(r, l->key, hash);

	*known = w;
	if (!w) {
		w = list_entry(r->used.next, struct reorder_flow, used);
		if (map_has(&r->map, (uint32_t)(w - r->flow))) {
			flush(r, w, now);
			forget(r, w);
			r->n.evicted++;
		}
		memcpy(w->key, l->key, REORDER_KEY);
		w->hash = hash;
		map_put(&r->map, hash, (uint32_t)(w - r->flow));
		r->n.flows++;
	}
	list_del(&w->used);
	list_add_tail(&r->used, &w->used);
	return w;
}

/* --- what is held --- */

/* Return: false: the same, or more from there on, is held already */
static bool insert(struct reorder_flow *w, struct buf *f)
{
	struct buf **at = &w->first;

	if (w->last && seq_lt(w->last->seq, f->seq))
		at = &w->last->next;
	for (; *at && seq_le((*at)->seq, f->seq); at = &(*at)->next)
		if ((*at)->seq == f->seq && seq_le(f->ack, (*at)->ack))
			return false;
	f->next = *at;
	*at = f;
	if (!f->next)
		w->last = f;
	return true;
}

static void pass_in_turn(struct reorder *r, struct reorder_flow *w,
			 struct buf *f, uint64_t *counter)
{
	++*counter;
	w->turn = f->ack;
	go_on(r, f);
}

static void hold(struct reorder *r, struct reorder_flow *w, struct buf *f,
		 uint64_t now)
{
	uint32_t most = r->config.size;

	if (r->held == r->limits.held) {
		r->n.flushed += w->held > 0;
		flush(r, w, now);
		if (seq_le(f->seq, w->turn) || r->held == r->limits.held) {
			pass_in_turn(r, w, f, &r->n.no_room);
			return;
		}
	}
	if (!insert(w, f)) {
		r->n.duplicate++;
		buf_clear(r->pool, f, BUF_QUEUE);
		return;
	}
	r->n.held++;
	r->held++;
	w->held++;
	if (most > 0 && w->held > most) {
		r->n.flushed++;
		flush(r, w, now);
	} else {
		drain(r, w, false, now);
	}
}

/* A segment with data, of a connection that is known. */
static void take(struct reorder *r, struct reorder_flow *w, struct buf *f,
		 uint64_t now)
{
	if (seq_le(f->ack, w->turn)) {
		r->n.late++;
		go_on(r, f);
	} else if (seq_le(f->seq, w->turn)) {
		pass_in_turn(r, w, f, &r->n.in_turn);
		drain(r, w, true, now);
	} else if (f->seq - w->turn > FAR) {
		r->n.resync++;
		flush(r, w, now);
		pass_in_turn(r, w, f, &r->n.in_turn);
	} else {
		hold(r, w, f, now);
	}
}

static void pass(struct reorder *r, struct buf *f)
{
	r->n.passed++;
	go_on(r, f);
}

/* What ends all that was known of a connection. */
static void reset(struct reorder *r, const struct look *l, uint64_t now)
{
	struct reorder_flow *w =
		find(r, l->key, map_hash(&r->map, l->key, REORDER_KEY));

	if (!w)
		return;
	flush(r, w, now);
	forget(r, w);
}

void reorder_put(struct reorder *r, struct buf *f, uint64_t now)
{
	struct reorder_flow *w;
	struct look l;
	bool known;

	r->n.came++;
	if (!r->config.on || !look_at(f->data, f->len, &l) ||
	    (l.seq == l.end && !(l.flags & RST))) {
		pass(r, f);
		return;
	}
	if (l.flags & RST) {
		reset(r, &l, now);
		pass(r, f);
		return;
	}
	w = enter(r, &l, &known, now);
	f->seq = l.seq;
	f->ack = l.end;
	if (!known || (l.flags & SYN && (!w->syn || w->isn != l.seq))) {
		flush(r, w, now);
		w->syn = l.flags & SYN;
		w->isn = l.seq;
		pass_in_turn(r, w, f, &r->n.in_turn);
	} else {
		take(r, w, f, now);
	}
}

struct buf *reorder_next(struct reorder *r)
{
	struct buf *f = r->ready;

	if (!f)
		return NULL;
	r->ready = f->next;
	if (!r->ready)
		r->ready_last = &r->ready;
	return f;
}

void reorder_done(struct reorder *r, struct buf *f)
{
	buf_clear(r->pool, f, BUF_QUEUE);
}

struct buf *reorder_frame(struct reorder *r, uint32_t len)
{
	return buf_alloc(r->pool, len, BUF_QUEUE);
}

/* --- time --- */

void reorder_timeout(struct reorder *r, uint64_t now)
{
	struct timer *t;

	while ((t = wheel_pop(&r->wheel, now))) {
		r->n.given_up++;
		give_up(r, list_entry(t, struct reorder_flow, hole), now);
	}
}

uint64_t reorder_next_timeout(const struct reorder *r)
{
	return wheel_next(&r->wheel);
}

/* --- the machine --- */

size_t reorder_size(const struct reorder_limits *l)
{
	size_t pool = pool_size(l->pool);
	size_t all = arena_need(sizeof(struct reorder)) +
		     arena_need(l->flows * sizeof(struct reorder_flow)) +
		     arena_need(map_size(l->flows));

	return pool > SIZE_MAX - all ? SIZE_MAX : pool + all;
}

int reorder_init(struct reorder **out, struct arena *a,
		 const struct reorder_limits *l, const struct reorder_config *c,
		 const struct hash_key *key, uint64_t now)
{
	struct reorder *r;
	uint32_t *heads;

	if (l->flows == 0 || l->flows == UINT32_MAX || l->held == 0 ||
	    l->pool == 0)
		return -EINVAL;
	if (reorder_size(l) > a->size - a->used)
		return -ENOMEM;
	r = arena_take(a, sizeof(*r));
	r->flow = arena_take(a, l->flows * sizeof(*r->flow));
	heads = arena_take(a, map_size(l->flows));
	if (pool_init(&r->pool, a, l->pool) != 0)
		return -ENOMEM;
	r->limits = *l;
	r->config = *c;
	r->ready_last = &r->ready;
	list_init(&r->used);
	wheel_init(&r->wheel, now);
	map_init(&r->map, l->flows, key, heads, &r->flow[0].link,
		 sizeof(*r->flow));
	for (uint32_t i = 0; i < l->flows; i++) {
		timer_init(&r->flow[i].hole);
		list_add_tail(&r->used, &r->flow[i].used);
	}
	*out = r;
	return 0;
}

/* A buffer that is switched off, or bounded otherwise, holds nothing that the
 * new rules would not.
 */
void reorder_configure(struct reorder *r, const struct reorder_config *c)
{
	for (uint32_t i = 0; i < r->limits.flows; i++)
		flush(r, &r->flow[i], 0);
	r->config = *c;
}

uint32_t reorder_held(const struct reorder *r)
{
	return r->held;
}

size_t reorder_used(const struct reorder *r)
{
	return pool_used(r->pool);
}

const struct reorder_counters *reorder_counters(const struct reorder *r)
{
	return &r->n;
}
