/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rrsets.c - What production has served, and who waits for more
 *
 * Theory of operation
 *
 * A record is a keyed number of its owner, type, class and data, without
 * compression and in lower case; what is remembered of it is until when it is
 * good. There is no list of a set's records: whether all records of an answer
 * are known is all that is asked, so each is looked up by itself, in sets of
 * eight.
 *
 * A verdict that waits does so for one record at a time, the first one that
 * production has not served. Only a record that was not known yet can end a
 * wait, and then the first ones of all are looked through: they lie side by
 * side. What comes next of its list may have been served meanwhile. Which waits
 * have gone on for too long is looked at when the first of them has.
 */
#include "rrsets/rrsets.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "app/message.h"
#include "compare/dns.h"

#define SETS	  (RRSETS_RECORDS / RRSETS_SET)
#define NS_SECOND UINT64_C(1000000000)

_Static_assert(!(SETS & (SETS - 1)), "a mask finds the set");

struct known {
	uint64_t key; /* 0: the place is free */
	uint64_t until;
};

/**
 * struct parts - What an answer of the SUT's is made of
 * @ttl:	The rule for times to live was needed
 * @until:	So long production may take to serve the others
 * @n, @key:	Numbers of records that it has not served yet
 */
struct parts {
	bool ttl;
	uint64_t until;
	uint8_t n;
	uint64_t key[RRSETS_AWAITED];
};

struct held {
	bool excused;
	struct parts a;
	struct rrsets_verdict v;
};

struct rrsets {
	struct rules *by;
	struct hash_key secret;
	struct rrsets_stats stats;
	uint32_t n;	  /* of @held, oldest first */
	uint32_t excused; /* of these */
	uint64_t next;	  /* no wait has gone on for too long before */
	uint64_t first[RRSETS_HELD]; /* what each waits for; 0: nothing */
	struct held held[RRSETS_HELD];
	struct known set[SETS][RRSETS_SET];
};

size_t rrsets_size(void)
{
	return arena_need(sizeof(struct rrsets));
}

int rrsets_init(struct rrsets **out, struct arena *a, struct rules *by,
		const struct hash_key *key)
{
	struct rrsets *s = arena_take(a, sizeof(*s));

	if (!s)
		return -ENOMEM;
	memset(s, 0, sizeof(*s));
	s->by = by;
	s->secret = *key;
	s->next = UINT64_MAX;
	*out = s;
	return 0;
}

/* The number of a record. Bytes that are no name are hashed where they lie. */
static uint64_t key_of(const struct rrsets *s, uint32_t leg,
		       const struct dns_message *m, const struct dns_record *r)
{
	uint8_t text[DNS_CANONICAL + 12];
	uint32_t rest;
	uint32_t n = dns_canonical(m, r, text, &rest);
	uint64_t tail =
		hash_bytes(&s->secret, m->m.p + rest, r->data + r->len - rest);

	memcpy(text + n, &tail, sizeof(tail));
	memcpy(text + n + sizeof(tail), &leg, sizeof(leg));
	tail = hash_bytes(&s->secret, text, n + sizeof(tail) + sizeof(leg));
	return tail != 0 ? tail : 1;
}

/* So long is a record good that is served now. */
static uint64_t good_until(const struct dns_record *r, uint32_t within,
			   uint64_t now)
{
	uint32_t secs = r->ttl > within ? r->ttl : within;

	return now + secs * NS_SECOND;
}

static bool is_known(const struct rrsets *s, uint64_t key, uint64_t now)
{
	const struct known *set = s->set[key % SETS];

	for (unsigned i = 0; i < RRSETS_SET; i++)
		if (set[i].key == key)
			return set[i].until >= now;
	return false;
}

/* Return: it was not known */
static bool learn(struct rrsets *s, uint64_t key, uint64_t until, uint64_t now)
{
	struct known *set = s->set[key % SETS], *to = set;
	bool fresh;

	for (unsigned i = 0; i < RRSETS_SET; i++) {
		if (set[i].key == key) {
			to = &set[i];
			break;
		}
		if (set[i].until < to->until)
			to = &set[i];
	}
	fresh = to->key != key || to->until < now;
	if (fresh || to->until < until)
		*to = (struct known){ key, until };
	return fresh;
}

/* Production has served what held[i] waits for first. */
static void served(struct rrsets *s, uint32_t i, uint64_t now)
{
	struct held *h = &s->held[i];

	assert(i < s->n && h->a.n > 0);
	while (h->a.n > 0 && is_known(s, h->a.key[h->a.n - 1], now))
		h->a.n--;
	s->first[i] = h->a.n > 0 ? h->a.key[h->a.n - 1] : 0;
	h->excused = h->a.n == 0;
	s->excused += h->excused;
}

static void end_waits(struct rrsets *s, uint64_t key, uint64_t now)
{
	for (uint32_t i = 0; i < s->n; i++)
		if (s->first[i] == key && s->held[i].a.until >= now)
			served(s, i, now);
}

/* Production has served these. */
static void saw(struct rrsets *s, const struct rrsets_pair *pair,
		uint32_t within)
{
	struct dns_message m;
	const struct dns_index *x = &m.sec[DNS_ANSWER];

	if (!dns_read(pair->p[0], pair->n[0], &m))
		return;
	for (uint32_t i = 0; i < x->n; i++) {
		uint64_t key = key_of(s, pair->leg, &m, &x->r[i]);

		if (learn(s, key, good_until(&x->r[i], within, pair->now),
			  pair->now))
			end_waits(s, key, pair->now);
	}
}

/* Where the records behind record @i end that are of its RRset. */
static uint32_t set_end(const struct dns_message *m, uint32_t i)
{
	const struct dns_index *x = &m->sec[DNS_ANSWER];
	uint32_t k = i + 1;

	while (k < x->n && dns_same_set(m, &x->r[i], m, &x->r[k]))
		k++;
	return k;
}

static void add_record(struct rrsets *s, const struct dns_record *r,
		       uint32_t within, uint64_t now, uint64_t key,
		       struct parts *out)
{
	uint64_t until = good_until(r, within, now);

	if (is_known(s, key, now))
		return;
	if (until < out->until)
		out->until = until;
	if (out->n < RRSETS_AWAITED)
		out->key[out->n] = key;
	out->n++;
}

/**
 * struct walk - Through the SUT's answers beside production's
 * @within:	Of the rule for subsets
 * @ttl, @line:	Seconds of the one for times to live; its line, or -1
 */
struct walk {
	struct rrsets *s;
	const struct rrsets_pair *pair;
	uint32_t within;
	uint32_t ttl;
	int line;
	uint64_t key[DNS_RECORDS];
	struct dns_message m[2];
};

/* Records @from to @to of the SUT's, an RRset that begins with @of at
 * production. Return: false: they are no part of it
 */
static bool walk_set(struct walk *w, const struct dns_record *of, uint32_t from,
		     uint32_t to, struct parts *out)
{
	const struct dns_record *r = w->m[1].sec[DNS_ANSWER].r;

	for (uint32_t i = from; i < to; i++) {
		uint32_t apart = r[i].ttl > of->ttl ? r[i].ttl - of->ttl
						    : of->ttl - r[i].ttl;

		if (w->line >= 0 && apart > w->ttl)
			return false;
		out->ttl |= w->line >= 0 && apart > 0;
		w->key[i] = key_of(w->s, w->pair->leg, &w->m[1], &r[i]);
		/* A record twice is no set (RFC 2181 section 5). */
		for (uint32_t k = from; k < i; k++)
			if (w->key[k] == w->key[i])
				return false;
		add_record(w->s, &r[i], w->within, w->pair->now, w->key[i],
			   out);
	}
	return out->n <= RRSETS_AWAITED;
}

/* Both have the same RRsets in the same order, none of them signed. */
static bool walk_sets(struct walk *w, struct parts *out)
{
	const struct dns_index *a = &w->m[0].sec[DNS_ANSWER];
	const struct dns_index *b = &w->m[1].sec[DNS_ANSWER];
	uint32_t i = 0, k = 0;

	while (i < a->n && k < b->n) {
		uint32_t end = set_end(&w->m[1], k);

		if (a->r[i].type == DNS_TYPE_RRSIG ||
		    !dns_same_set(&w->m[0], &a->r[i], &w->m[1], &b->r[k]) ||
		    !walk_set(w, &a->r[i], k, end, out))
			return false;
		i = set_end(&w->m[0], i);
		k = end;
	}
	return i == a->n && k == b->n;
}

/* Is what differs that the SUT has served another part? @out: of which */
static bool is_part(struct rrsets *s, uint32_t within,
		    const struct rrsets_pair *pair,
		    const struct compare_result *r, struct parts *out)
{
	struct walk w = { .s = s, .pair = pair, .within = within };

	*out = (struct parts){ .until = pair->now + RRSETS_LONGEST };
	if (r->verdict != VERDICT_DIFFERENT || r->reason != REASON_BODY ||
	    r->evidence.dns != COMPARE_DNS_ANSWER)
		return false;
	for (unsigned i = 0; i < 2; i++)
		if (!dns_read(pair->p[i], pair->n[i], &w.m[i]))
			return false;
	w.line = rules_dns_ttl(s->by, &w.ttl);
	return walk_sets(&w, out) && dns_same_besides(s->by, &w.m[0], &w.m[1]);
}

/* A verdict is taken back. */
static void excuse(struct rrsets *s, bool ttl, struct compare_result *r)
{
	uint32_t any;
	int line = rules_dns_ttl(s->by, &any);

	if (ttl && line >= 0)
		rules_hit(s->by, (uint32_t)line, false);
	line = rules_dns_subset(s->by, &any);
	assert(line >= 0);
	*r = (struct compare_result){ .verdict = VERDICT_EQUIVALENT,
				      .status = { r->status[0], r->status[1] },
				      .bytes = { r->bytes[0], r->bytes[1] },
				      .rule = (uint32_t)line + 1 };
}

/* With no room the oldest one has waited for too long. */
static void hold(struct rrsets *s, const struct parts *a,
		 const struct rrsets_verdict *v)
{
	assert(s->n < RRSETS_HELD && a->n > 0 && a->n <= RRSETS_AWAITED);
	s->held[s->n] = (struct held){ .a = *a, .v = *v };
	s->first[s->n++] = a->key[a->n - 1];
	if (a->until < s->next)
		s->next = a->until;
	s->stats.held++;
	if (s->n < RRSETS_HELD)
		return;
	s->stats.held_full++;
	s->held[0].a.until = 0;
	s->next = 0;
}

bool rrsets_look(struct rrsets *s, const struct rrsets_pair *pair,
		 struct rrsets_verdict *v)
{
	struct parts a;
	uint32_t within;

	if (rules_dns_subset(s->by, &within) < 0)
		return false;
	saw(s, pair, within);
	if (!is_part(s, within, pair, &v->r, &a))
		return false;
	if (a.n > 0)
		hold(s, &a, v);
	else
		excuse(s, a.ttl, &v->r);
	return a.n > 0;
}

const struct rrsets_stats *rrsets_stats(const struct rrsets *s)
{
	return &s->stats;
}

uint32_t rrsets_held(const struct rrsets *s, uint32_t *sut)
{
	if (sut)
		*sut = 0;
	for (uint32_t i = 0; sut && i < s->n; i++)
		*sut += !s->held[i].v.rec.baseline;
	return s->n;
}

static void take(struct rrsets *s, uint32_t i, struct rrsets_verdict *out)
{
	assert(i < s->n);
	*out = s->held[i].v;
	if (s->held[i].excused) {
		excuse(s, s->held[i].a.ttl, &out->r);
		s->excused--;
		s->stats.taken_back++;
	}
	s->n--;
	memmove(&s->held[i], &s->held[i + 1], (s->n - i) * sizeof(s->held[0]));
	memmove(&s->first[i], &s->first[i + 1],
		(s->n - i) * sizeof(s->first[0]));
}

bool rrsets_next(struct rrsets *s, uint64_t now, struct rrsets_verdict *out)
{
	uint64_t next = UINT64_MAX;

	assert(s->excused <= s->n);
	if (s->excused == 0 && s->next >= now)
		return false;
	for (uint32_t i = 0; i < s->n; i++) {
		if (s->held[i].excused || s->held[i].a.until < now) {
			take(s, i, out);
			return true;
		}
		if (s->held[i].a.until < next)
			next = s->held[i].a.until;
	}
	s->next = next;
	return false;
}

bool rrsets_oldest(struct rrsets *s, struct rrsets_verdict *out)
{
	if (s->n == 0)
		return false;
	take(s, 0, out);
	return true;
}
