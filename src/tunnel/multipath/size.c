/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * size.c - How long a message may be on a path
 *
 * Theory of operation
 *
 * As RFC 8899 has it: lengths are tried, and believed when the other end says
 * that they came; what a router says is tried next. A message of MP_SIZE has
 * a length of its own, the owner sends it so that it cannot be cut, and it has
 * no number: its loss is no loss of the path's.
 *
 * A search begins with the longest there may be, which most paths take: one
 * message and it is over. Otherwise it goes on between what passes and what
 * does not, until both are STEP apart; each length is tried TRIES times. Until
 * it is over the old limit holds, since who is told of one inside keeps it for
 * minutes, and since packets that are too long are cut meanwhile and not lost.
 *
 * Later the limit is tried again every CONFIRM, and a longer one every RAISE.
 * If it does not come though the path is alive, there is a black hole: the
 * least holds at once, and a search begins.
 *
 * All this is for packets: on a path that has not carried any since the last
 * time, nothing is tried.
 */
#include "multipath/multipath_internal.h"

#define TRIES	     3
#define STEP	     8u
#define CONFIRM	     (60 * NS_PER_SEC)
#define RAISE	     (600 * NS_PER_SEC)
#define ANSWER_LEAST (100 * NS_PER_MS)
#define ANSWER_MOST  (1 * NS_PER_SEC)

void mp_size_begin(struct mp *m, struct mp_path *p)
{
	wheel_disarm(&m->wheel, &p->size_timer.t);
	p->size = (struct mp_size){ .limit = p->config.size_most };
}

void mp_size_used(struct mp *m, struct mp_path *p, uint64_t now)
{
	const struct mp_size *s = &p->size;

	if (s->limit > 0 && p->alive && !timer_armed(&p->size_timer.t))
		wheel_arm(&m->wheel, &p->size_timer.t,
			  s->next > now ? s->next : now);
}

/* After which an answer does not come any more. */
static uint64_t answer_wait(const struct mp_model *d)
{
	uint64_t t = 2 * d->srtt + 4 * d->var;

	if (d->srtt == 0 || t > ANSWER_MOST)
		return ANSWER_MOST;
	return t > ANSWER_LEAST ? t : ANSWER_LEAST;
}

static void try(struct mp *m, struct mp_path *p, uint64_t now,
		struct mp_effects *out)
{
	struct mp_size *s = &p->size;
	struct mp_effect *e = mp_effect(m, out);
	struct mp_header h = { .type = MP_SIZE,
			       .path = (uint8_t)(p - m->path),
			       .lane = s->id,
			       .path_seq = s->probe };

	wheel_arm(&m->wheel, &p->size_timer.t, now + answer_wait(&p->model));
	if (!e)
		return; /* as if it were lost */
	s->tries++;
	*e = (struct mp_effect){ .send = true,
				 .path = h.path,
				 .why = MP_WHY_SIZE };
	e->n = mp_header_emit(&h, e->bytes);
	e->pad = s->probe - e->n;
	m->n.size_probes++;
}

static void try_size(struct mp *m, struct mp_path *p, uint32_t size,
		     uint64_t now, struct mp_effects *out)
{
	p->size.probe = size;
	p->size.tries = 0;
	p->size.id++;
	try(m, p, now, out);
}

static void search(struct mp_path *p)
{
	p->size.low = p->config.size_least;
	p->size.high = p->config.size_most + 1;
}

static bool searches(const struct mp_size *s)
{
	return s->high > 0;
}

/* The next length of a search, or 0: it is over. */
static uint32_t next_size(const struct mp_path *p)
{
	const struct mp_size *s = &p->size;

	if (s->high > p->config.size_most && s->low < p->config.size_most)
		return p->config.size_most;
	if (s->told > s->low && s->told < s->high)
		return s->told;
	return s->high - s->low > STEP ? s->low + (s->high - s->low) / 2 : 0;
}

static void end_search(struct mp *m, struct mp_path *p, uint64_t now)
{
	struct mp_size *s = &p->size;

	s->limit = s->low;
	s->found = s->low;
	s->high = 0;
	s->told = 0;
	s->next = now + CONFIRM;
	s->raise = now + RAISE;
	m->n.size_found++;
}

static void begin_next(struct mp *m, struct mp_path *p, uint64_t now,
		       struct mp_effects *out)
{
	struct mp_size *s = &p->size;
	uint32_t size;

	if (!searches(s) && s->found > 0 &&
	    (s->found == p->config.size_most || now < s->raise)) {
		try_size(m, p, s->found, now, out);
		return;
	}
	if (!searches(s))
		search(p);
	size = next_size(p);
	if (size > 0)
		try_size(m, p, size, now, out);
	else
		end_search(m, p, now);
}

/* No try of it came. */
static void did_not_pass(struct mp *m, struct mp_path *p)
{
	struct mp_size *s = &p->size;

	if (searches(s)) {
		s->high = s->probe;
	} else {
		m->n.size_black++;
		s->limit = p->config.size_least;
		search(p);
		s->high = s->probe;
	}
	s->probe = 0;
}

void mp_size_timeout(struct mp *m, struct mp_path *p, uint64_t now,
		     struct mp_effects *out)
{
	struct mp_size *s = &p->size;

	/* A silent path tells nothing; what it carries next begins it again. */
	if (!p->alive) {
		s->probe = 0;
		return;
	}
	if (s->probe > 0 && s->tries < TRIES) {
		try(m, p, now, out);
		return;
	}
	if (s->probe > 0)
		did_not_pass(m, p);
	begin_next(m, p, now, out);
}

void mp_size_told(struct mp *m, unsigned path, uint32_t size, uint64_t now)
{
	struct mp_path *p = &m->path[path];
	struct mp_size *s = &p->size;

	/* It is news of the try that is under way, or of nothing. */
	if (!p->used || s->probe == 0 || size >= s->probe ||
	    size < p->config.size_least)
		return;
	m->now = now > m->now ? now : m->now;
	s->told = size;
	s->tries = TRIES;
	wheel_arm(&m->wheel, &p->size_timer.t, m->now);
}

void mp_size_came(struct mp *m, const struct mp_header *h,
		  struct mp_effects *out)
{
	struct mp_effect *e = mp_effect(m, out);
	struct mp_header answer = *h;

	if (!e)
		return; /* it will be tried again */
	answer.type = MP_SIZED;
	*e = (struct mp_effect){ .send = true,
				 .path = h->path,
				 .why = MP_WHY_SIZE };
	e->n = mp_header_emit(&answer, e->bytes);
	m->n.size_answers++;
}

void mp_sized(struct mp *m, const struct mp_header *h, uint64_t now)
{
	struct mp_path *p = &m->path[h->path];
	struct mp_size *s = &p->size;

	if (s->probe == 0 || h->path_seq != s->probe || h->lane != s->id)
		return; /* an old one, or nobody's */
	s->probe = 0;
	wheel_disarm(&m->wheel, &p->size_timer.t);
	if (!searches(s)) {
		s->next = now + CONFIRM;
		return;
	}
	s->low = h->path_seq;
	if (next_size(p) == 0)
		end_search(m, p, now);
	else
		wheel_arm(&m->wheel, &p->size_timer.t, now);
}

uint32_t mp_size_limit(const struct mp *m)
{
	uint32_t head = m->config.timed ? MP_HEADER_TIMED : MP_HEADER;
	uint32_t least = 0;

	for (unsigned i = 0; i < m->path_n; i++) {
		const struct mp_path *p = &m->path[i];

		if (mp_usable(p) && p->size.limit > 0 &&
		    (least == 0 || p->size.limit < least))
			least = p->size.limit;
	}
	return least > 0 ? least - head : 0;
}
