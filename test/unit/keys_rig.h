/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * keys_rig - Two ends of a link, and a wire between them that loses
 *
 * What a call asks for is carried out at once, on paths 0 and 1; time passes when the
 * test says so. After each call link_check() looks at the end.
 */
#ifndef TEST_KEYS_RIG_H
#define TEST_KEYS_RIG_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "codec/crypto.h"
#include "keys/cookie.h"
#include "keys/link.h"

#define SEC  NS_PER_SEC
#define REAL (UINT64_C(1800000000) * NS_PER_SEC)

static const struct crypto_ops *ops;

static uint64_t keys_state = 1;

/* Not random, and the same in each run. */
static inline int numbers(void *p, size_t n)
{
	uint8_t *b = p;

	for (size_t i = 0; i < n; i++) {
		keys_state = keys_state * 6364136223846793005u +
			     1442695040888963407u;
		b[i] = (uint8_t)(keys_state >> 56);
	}
	return 0;
}

struct end {
	struct link *l;
	struct noise_self self;
	struct arena arena;
	unsigned opened;
	unsigned restarts;
};

struct pair {
	struct end a; /* begins */
	struct end b; /* answers */
	uint64_t now;
	bool plain;
	unsigned lose;	     /* datagrams from a to b that get lost */
	uint8_t lose_type;   /* only of this type; 0: of any */
	uint64_t clock_back; /* by how much a's time of day is behind */
	unsigned way; /* that a datagram goes now; its address is its own */
};

/* Where ends have their random numbers from. */
static int (*keys_random)(void *p, size_t n) = numbers;

static inline void end_make(struct end *e, enum link_role role, bool plain,
			    uint64_t now)
{
	struct link_config c = { .role = role,
				 .plain = plain,
				 .self = &e->self,
				 .random = keys_random };

	numbers(&c.tokens, sizeof(c.tokens));
	free(e->arena.base);
	e->arena.base = aligned_alloc(ARENA_ALIGN, link_size());
	e->arena.size = link_size();
	e->arena.used = 0;
	memset(e->arena.base, 0, link_size());
	CHECK(link_init(&e->l, &e->arena, &c, now) == 0);
	e->opened = e->restarts = 0;
}

static inline void self_make(struct noise_self *a, struct noise_self *b,
			     const uint8_t *psk_a, const uint8_t *psk_b)
{
	uint8_t pa[32], pb[32], qa[32], qb[32];

	numbers(pa, 32);
	numbers(pb, 32);
	CHECK(ops->dh_public(qa, pa) == 0 && ops->dh_public(qb, pb) == 0);
	CHECK(noise_self_init(a, ops, pa, qb, psk_a) == 0);
	CHECK(noise_self_init(b, ops, pb, qa, psk_b) == 0);
}

static inline void pair_make(struct pair *p, bool plain)
{
	uint8_t psk[32];

	memset(p, 0, sizeof(*p));
	p->now = 1000 * SEC;
	p->plain = plain;
	numbers(psk, sizeof(psk));
	self_make(&p->a.self, &p->b.self, psk, psk);
	end_make(&p->a, LINK_BEGINS, plain, p->now);
	end_make(&p->b, LINK_ANSWERS, plain, p->now);
}

static inline void pair_free(struct pair *p)
{
	CHECK(link_check(p->a.l) == NULL);
	CHECK(link_check(p->b.l) == NULL);
	free(p->a.arena.base);
	free(p->b.arena.base);
}

static inline enum link_got arrive(struct pair *p, struct end *to,
				   const uint8_t *d, uint32_t n,
				   struct link_in *seen);

/* What a call asked for, on path 0 and 1; answers go back at once. */
static inline void carry_out(struct pair *p, struct end *from,
			     const struct link_out *out, unsigned back)
{
	struct end *to = from == &p->a ? &p->b : &p->a;
	uint8_t d[LINK_MESSAGE];
	unsigned way = p->way;
	uint32_t n;

	from->opened += out->opened;
	from->restarts += out->restart;
	if (out->reply_len > 0)
		arrive(p, to, out->reply, out->reply_len, NULL);
	for (unsigned i = 0; i < 2; i++) {
		p->way = i;
		n = out->ask ? link_ask(from->l, i, d) : 0;
		if (n > 0)
			arrive(p, to, d, n, NULL);
		n = out->greet || (out->greet_back && back == i)
			    ? link_greet(from->l, i, out->greet, d, p->now)
			    : 0;
		if (n > 0)
			arrive(p, to, d, n, NULL);
	}
	p->way = way;
}

static inline enum link_got arrive(struct pair *p, struct end *to,
				   const uint8_t *d, uint32_t n,
				   struct link_in *seen)
{
	struct link_out out = { .ask = false };
	uint8_t *copy = malloc(n > 0 ? n : 1);
	char from[] = { 'a', 'd', 'd', (char)('r' + p->way) };
	struct link_in in = { .p = copy,
			      .n = n,
			      .from = from,
			      .from_len = sizeof(from),
			      .ways = 1u << p->way };
	enum link_got got;

	if (to == &p->b && p->lose > 0 &&
	    (p->lose_type == 0 || (n > 0 && d[0] == p->lose_type))) {
		p->lose--;
		free(copy);
		return LINK_NOTHING;
	}
	memcpy(copy, d, n);
	got = link_input(to->l, &in, p->now, &out);
	CHECK(link_check(to->l) == NULL);
	if (seen != NULL)
		*seen = in;
	carry_out(p, to, &out, in.path);
	free(copy);
	return got;
}

/* Let time pass, in which both ends do what is due. */
static inline void pass(struct pair *p, uint64_t ns)
{
	uint64_t end = p->now + ns;

	for (;;) {
		uint64_t ta = link_next_timeout(p->a.l);
		uint64_t tb = link_next_timeout(p->b.l);
		struct end *e = ta <= tb ? &p->a : &p->b;
		uint64_t t = ta <= tb ? ta : tb;
		struct link_out out = { .ask = false };

		if (t > end)
			break;
		p->now = t > p->now ? t : p->now;
		link_timeout(e->l, p->now, REAL + p->now - p->clock_back, &out);
		CHECK(link_check(e->l) == NULL);
		CHECK(link_next_timeout(e->l) > p->now);
		carry_out(p, e, &out, 0);
	}
	p->now = end;
}

/* A packet from one to the other. Return: how it was taken */
static inline enum link_got send_one(struct pair *p, struct end *from,
				     unsigned path, struct link_in *seen)
{
	struct end *to = from == &p->a ? &p->b : &p->a;
	uint8_t d[LINK_HEADER + 5 + CRYPTO_TAG];
	int n;

	memcpy(d + LINK_HEADER, "hello", 5);
	n = link_seal(from->l, path, d, 5, true, p->now);
	return n > 0 ? arrive(p, to, d, (uint32_t)n, seen) : LINK_NOTHING;
}

static inline void begin_both(struct pair *p, bool plain)
{
	pair_make(p, plain);
	pass(p, SEC / 10);
	CHECK(p->a.opened == 1 && p->b.opened == 1);
	CHECK(link_open(p->a.l, p->now) && link_open(p->b.l, p->now));
}

#endif /* TEST_KEYS_RIG_H */
