/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_frag.c - Reassembly against a model that keeps single bytes
 *
 * Input: {switches, offset, length, time} of 5 bytes each, one fragment of one of
 * five datagrams for a table of three. What a fragment holds is a function of
 * datagram, place and version, so copies may agree or contradict. The model knows
 * for every byte whether it is there and what it is; it follows frag.h, not
 * frag.c: old ones go first, an exact repetition
 * makes nothing whole, anything else that
 * overlaps drops the datagram, the oldest goes for a new one.
 */
#include "wire/frag.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS	 3u
#define KEYS	 5u
#define LONGEST	 65535u
#define TOTAL_IS UINT32_MAX /* no fragment without "more" yet */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** struct model - One datagram; @have: 0, or 1 + version of the byte there */
struct model {
	bool used;
	uint64_t born;
	uint32_t total;
	uint32_t end;
	uint32_t there;
	uint8_t have[LONGEST + 1];
};

static struct model models[KEYS];
static uint64_t order; /* of the next datagram */
static uint64_t age[KEYS];

static uint8_t byte_of(unsigned key, uint32_t at, unsigned version)
{
	return (uint8_t)(at * 31 + at / 251 + key * 7 + version * 101);
}

static void forget(unsigned k)
{
	memset(models[k].have, 0, models[k].end);
	models[k].used = false;
}

static unsigned count_used(void)
{
	unsigned n = 0;

	for (unsigned k = 0; k < KEYS; k++)
		n += models[k].used;
	return n;
}

static void expire(uint64_t now)
{
	for (unsigned k = 0; k < KEYS; k++)
		if (models[k].used && now - models[k].born >= FRAG_TIMEOUT)
			forget(k);
}

static void begin(unsigned key, uint64_t now)
{
	unsigned first = KEYS;

	for (unsigned k = 0; k < KEYS; k++)
		if (models[k].used && (first == KEYS || age[k] < age[first]))
			first = k;
	if (count_used() == SLOTS)
		forget(first);
	models[key].used = true;
	models[key].born = now;
	models[key].total = TOTAL_IS;
	models[key].end = 0;
	models[key].there = 0;
	age[key] = order++;
}

/* Return: what frag_input() must return. */
static int expect(unsigned key, uint32_t off, bool more, uint32_t len,
		  unsigned version, uint64_t now)
{
	struct model *m = &models[key];
	uint32_t end = off + len;
	uint32_t known = 0, same = 0;

	expire(now);
	if (len == 0 || end > LONGEST || off % 8 || (more && len % 8))
		return -EBADMSG;
	if (!m->used)
		begin(key, now);
	for (uint32_t i = off; i < end; i++) {
		known += m->have[i] != 0;
		same += m->have[i] != 0 && byte_of(key, i, m->have[i] - 1u) ==
						   byte_of(key, i, version);
	}
	if ((known > 0 && same < len) || (!more && end < m->end) ||
	    (m->total != TOTAL_IS &&
	     (more ? end > m->total : end != m->total))) {
		forget(key);
		return -EBADMSG;
	}
	if (known == 0) {
		memset(m->have + off, (int)version + 1, len);
		m->there += len;
	}
	m->end = end > m->end ? end : m->end;
	if (!more)
		m->total = end;
	return known == 0 && m->there == m->total ? (int)m->total : 0;
}

static void one_fragment(struct frag_table *t, const uint8_t *p, uint64_t now)
{
	unsigned key = p[0] % KEYS, version = p[0] >> 5 & 1;
	uint32_t off = (uint32_t)(p[1] | (p[0] & 0x80 ? 0x1f00 : 0)) * 8;
	uint32_t len =
		p[2] * (p[3] & 1 ? 256u : 8u) + (p[3] & 2 ? p[3] / 32 : 0);
	bool more = (p[0] & 0x40) == 0;
	struct frag_key k = { .id = key / 2, .proto = key % 2 ? 17 : 6 };
	const uint8_t *whole = NULL;
	uint8_t *copy = malloc(len > 0 ? len : 1);
	int want, got;

	k.src.b[15] = (uint8_t)(key * 3);
	if (copy == NULL)
		abort();
	for (uint32_t i = 0; i < len; i++)
		copy[i] = byte_of(key, off + i, version);
	want = expect(key, off, more, len, version, now);
	got = frag_input(t, &k, off, more, copy, len, now, &whole);
	free(copy);
	assert(got == want);
	if (got > 0) {
		for (uint32_t i = 0; i < (uint32_t)got; i++)
			assert(whole[i] ==
			       byte_of(key, i, models[key].have[i] - 1u));
		forget(key);
	}
	assert(frag_used(t, now) == count_used());
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct hash_key key = { { 3, 4 } };
	static uint8_t *memory;
	struct arena a = { .size = frag_size(SLOTS) };
	struct frag_table *t;
	uint64_t now = 0;
	int e;

	if (size > 1000)
		return 0;
	if (memory == NULL)
		memory = aligned_alloc(ARENA_ALIGN, a.size);
	a.base = memory;
	e = frag_init(&t, &a, SLOTS, &key);
	assert(e == 0);
	(void)e;
	for (; size >= 5; data += 5, size -= 5) {
		now += (uint64_t)data[4] * data[4] * 1000000;
		one_fragment(t, data, now);
	}
	now += FRAG_TIMEOUT;
	expire(now);
	assert(frag_used(t, now) == 0 && count_used() == 0);
	return 0;
}
