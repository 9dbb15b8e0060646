/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * session.c - A table of keyed numbers, in sets
 *
 * Theory of operation
 *
 * A number's low bits say which set it is in, and the two lowest ones make room
 * for what is known of it. Within a set they stand in the order in which they
 * were seen, the youngest first, so that the last one is the one to go; a set
 * lies in one line of the cache.
 *
 * A client may send what it was given as soon as production's head is out,
 * while the SUT's answer is still on its way. So a value is open from that head
 * on, and what hangs on it is told apart as if the SUT had another one. The
 * SUT's head settles it. A value that the SUT has set as well is remembered,
 * too: production gives it to every client, and each time it would be open
 * again, which would excuse what is a difference.
 */
#include "session/session.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "app/asked.h"

#define SETS  (SESSION_VALUES / SESSION_SET)
#define STATE UINT64_C(3) /* bits of enum session_state */

_Static_assert(!(SETS & (SETS - 1)), "a mask finds the set");

struct session {
	struct session_stats stats;
	_Alignas(64) uint64_t set[SETS][SESSION_SET]; /* number and state */
};

size_t session_size(void)
{
	return arena_need(sizeof(struct session));
}

int session_init(struct session **out, struct arena *a)
{
	struct session *s = arena_take(a, sizeof(*s));

	if (!s)
		return -ENOMEM;
	memset(s, 0, sizeof(*s));
	*out = s;
	return 0;
}

/* Where it stands in its set; SESSION_SET: nowhere */
static unsigned find(const uint64_t *set, uint64_t value)
{
	unsigned i = 0;

	while (i < SESSION_SET &&
	       (!(set[i] & STATE) || ((set[i] ^ value) & ~STATE)))
		i++;
	return i;
}

static uint64_t *set_of(struct session *s, uint64_t value)
{
	return s->set[value / (STATE + 1) % SETS];
}

/* It is the youngest one, and those in front of @at are a place older. */
static void to_front(uint64_t *set, unsigned at, uint64_t entry)
{
	assert(at < SESSION_SET);
	memmove(set + 1, set, at * sizeof(*set));
	set[0] = entry;
}

void session_set(struct session *s, uint64_t value, enum session_state state)
{
	uint64_t *set = set_of(s, value);
	unsigned at = find(set, value);
	enum session_state was = SESSION_UNKNOWN;

	assert(value != 0 && state != SESSION_UNKNOWN);
	if (at < SESSION_SET) {
		was = (enum session_state)(set[at] & STATE);
	} else {
		at = SESSION_SET - 1;
		s->stats.pushed += set[at] != 0;
	}
	if (state == SESSION_OPEN && was != SESSION_UNKNOWN)
		state = was;
	s->stats.learned += state == SESSION_OTHER && was != SESSION_OTHER;
	to_front(set, at, (value & ~STATE) | state);
}

enum session_state session_state(struct session *s, uint64_t value)
{
	uint64_t *set = set_of(s, value);
	unsigned at = value != 0 ? find(set, value) : SESSION_SET;

	if (at == SESSION_SET)
		return SESSION_UNKNOWN;
	to_front(set, at, set[at]);
	return (enum session_state)(set[0] & STATE);
}

/* The number of a value of one leg. */
static uint64_t of_leg(uint64_t value, uint32_t leg)
{
	value ^= (leg + 1) * UINT64_C(0x9e3779b97f4a7c15);
	return value != 0 ? value : 1;
}

/* The next cookie of a head: "name=value" */
static bool next_cookie(struct head_rest *r, struct head_line *out)
{
	static const char field[] = "set-cookie";
	const size_t n = sizeof(field) - 1;
	struct head_line l;

	while (head_next(r, &l)) {
		const uint8_t *end;

		if (l.n <= n || (l.p[0] | 0x20) != 's' || l.p[n] != ':' ||
		    !head_same(l.p, (const uint8_t *)field, n))
			continue;
		*out = head_value(l, n);
		end = out->n > 0 ? memchr(out->p, ';', out->n) : NULL;
		if (end)
			out->n = (size_t)(end - out->p);
		return true;
	}
	return false;
}

static bool has_cookie(struct head_rest head, const struct head_line *c)
{
	struct head_line other;

	while (next_cookie(&head, &other))
		if (other.n == c->n && memcmp(other.p, c->p, c->n) == 0)
			return true;
	return false;
}

void session_given(struct session *s, uint64_t seed, uint32_t leg,
		   struct head_rest prod, const struct head_rest *sut)
{
	struct head_line c;
	unsigned n = 0;

	while (n < SESSION_GIVEN && next_cookie(&prod, &c)) {
		enum session_state is = SESSION_OPEN;

		/* One that is taken away is sent no more. */
		if (c.n == 0 || c.p[c.n - 1] == '=')
			continue;
		if (sut)
			is = has_cookie(*sut, &c) ? SESSION_SAME
						  : SESSION_OTHER;
		session_set(s, of_leg(asked_pair(seed, c.p, c.n), leg), is);
		n++;
	}
}

void session_tokens(struct session *s, uint32_t leg, const uint64_t *given,
		    unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		session_set(s, of_leg(given[i], leg), SESSION_OTHER);
}

bool session_hangs(struct session *s, uint32_t leg, const uint64_t *sent,
		   unsigned n)
{
	bool hangs = false;

	for (unsigned i = 0; i < n && sent[i] != 0; i++) {
		enum session_state is = session_state(s, of_leg(sent[i], leg));

		hangs |= is == SESSION_OPEN || is == SESSION_OTHER;
	}
	return hangs;
}

const struct session_stats *session_stats(const struct session *s)
{
	return &s->stats;
}
