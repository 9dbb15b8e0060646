/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_rrsets.c - Parts of sets of DNS, against a model; and any two messages
 *
 * Input: steps of 4 bytes: which of eight addresses production and the SUT answer
 * with; whose answers they are, of which name, and the seconds that pass; times to
 * live. A model of its own remembers until when each address is good. An answer is
 * a part if and only if the model knows each of its addresses; what was taken back
 * was served meanwhile, all of it, and not too late; what stands waited until its
 * time was over. A step of 0xff, 0xff: the rest is a length and two messages.
 */
#include "rrsets/rrsets.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "case_rig.h"
#include "compare/dns.h"
#include "dns_rig.h"

#define NAMES 2u
#define LEGS  2u
#define S     UINT64_C(1000000000)
#define STEPS 512u /* of an input; so many verdicts wait at most */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the model knows of a verdict that waits. */
struct wait {
	bool open;
	uint8_t leg;
	uint8_t name;
	uint8_t missing;
	uint8_t served;
	uint64_t until;
};

static struct {
	uint64_t now;
	uint64_t until[LEGS][NAMES][8];
	struct wait wait[STEPS];
	struct rrsets *sets;
	struct rules *by;
	struct arena mem;
} w;

static void reset(void)
{
	static const struct hash_key key = { { 5, 6 } };

	if (w.by == NULL) {
		w.by = case_rules("dns subset");
		w.mem.size = rrsets_size();
		w.mem.base = aligned_alloc(ARENA_ALIGN, w.mem.size);
	}
	w.mem.used = 0;
	assert(rrsets_init(&w.sets, &w.mem, w.by, &key) == 0);
	memset(w.until, 0, sizeof(w.until));
	memset(w.wait, 0, sizeof(w.wait));
	w.now = S;
}

static struct msg answer(unsigned name, unsigned ttl, uint8_t mask)
{
	struct msg m = begin(0x8180, name == 0 ? "a.b" : "c");

	for (unsigned i = 0; i < 8; i++)
		if (mask >> i & 1)
			a_record(&m, "*", ttl, (uint8_t)i);
	return m;
}

static void settled(void)
{
	struct rrsets_verdict v;

	while (rrsets_next(w.sets, w.now, &v)) {
		struct wait *x = &w.wait[v.rec.index];

		assert(v.rec.index < STEPS && x->open);
		x->open = false;
		if (v.r.verdict == VERDICT_EQUIVALENT)
			assert((x->missing & ~x->served) == 0);
		else
			assert(v.r.verdict == VERDICT_DIFFERENT &&
			       (x->until < w.now ||
				rrsets_stats(w.sets)->held_full > 0));
	}
}

static void serve(unsigned leg, unsigned name, uint8_t mask, unsigned ttl)
{
	for (unsigned i = 0; i < 8; i++) {
		uint64_t *to = &w.until[leg][name][i];

		if ((mask >> i & 1) && *to < w.now + ttl * S)
			*to = w.now + ttl * S;
	}
	for (unsigned i = 0; i < STEPS; i++) {
		struct wait *x = &w.wait[i];

		if (x->open && x->leg == leg && x->name == name &&
		    w.now <= x->until)
			x->served |= mask;
	}
}

static uint8_t missing(unsigned leg, unsigned name, uint8_t mask)
{
	uint8_t m = 0;

	for (unsigned i = 0; i < 8; i++)
		if ((mask >> i & 1) && w.until[leg][name][i] < w.now)
			m |= (uint8_t)(1u << i);
	return m;
}

static void step(uint32_t index, const uint8_t in[4])
{
	unsigned name = in[2] >> 4 & 1, leg = in[2] >> 5 & 1;
	unsigned ttl[2] = { in[3] & 15, in[3] >> 4 };
	struct msg p = answer(name, ttl[0], in[0]);
	struct msg s = answer(name, ttl[1], in[1]);
	struct rrsets_verdict v = { .rec = { .index = index } };
	struct rrsets_pair pair = { leg, { p.b, s.b }, { p.n, s.n }, 0 };
	uint8_t m;
	bool waits;

	w.now += (in[2] & 15) * S;
	pair.now = w.now;
	serve(leg, name, in[0], ttl[0]);
	m = missing(leg, name, in[1]);
	dns_compare(COMPARE_EQUIVALENT, NULL, p.b, p.n, s.b, s.n, &v.r);
	waits = rrsets_look(w.sets, &pair, &v);
	if (in[0] == in[1] || in[0] == 0 || in[1] == 0) {
		assert(!waits &&
		       (v.r.verdict == VERDICT_DIFFERENT) == (in[0] != in[1]));
	} else {
		assert(waits == (m != 0));
		assert((v.r.verdict == VERDICT_EQUIVALENT) == !waits);
	}
	if (waits)
		w.wait[index] = (struct wait){
			true, (uint8_t)leg,	 (uint8_t)name, m,
			0,    w.now + ttl[1] * S
		};
	settled();
}

/* Any two messages: what is not different stays so. */
static void any(const uint8_t *data, size_t size)
{
	struct rrsets_verdict v = { .rec = { .index = 0 } };
	uint32_t n, a;
	uint8_t *p, *s; /* of exact size */
	enum verdict was;

	if (size < 2)
		return;
	n = (uint32_t)size - 2;
	a = get_be16(data);
	a = a < n ? a : n;
	p = malloc(a + 1u);
	s = malloc(n - a + 1u);
	memcpy(p + 1, data + 2, a);
	memcpy(s + 1, data + 2 + a, n - a);
	dns_compare(COMPARE_EQUIVALENT, w.by, p + 1, a, s + 1, n - a, &v.r);
	was = v.r.verdict;
	(void)rrsets_look(w.sets,
			  &(struct rrsets_pair){
				  0, { p + 1, s + 1 }, { a, n - a }, w.now },
			  &v);
	assert(was == VERDICT_DIFFERENT || v.r.verdict == was);
	free(p);
	free(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rrsets_verdict v;
	uint32_t k = 0;

	if (size > 4096)
		return 0;
	reset();
	for (; size >= 4 && k < STEPS; k++, data += 4, size -= 4) {
		if (data[0] == 0xff && data[1] == 0xff)
			break;
		step(k, data);
	}
	if (size >= 4)
		any(data + 2, size - 2);
	while (rrsets_oldest(w.sets, &v))
		;
	assert(rrsets_held(w.sets, NULL) == 0);
	return 0;
}
