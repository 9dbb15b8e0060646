/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_evidence.c - Fuzz what becomes of a journal's frames in evidence
 *
 * Input: a byte that says how, then 8 bytes a frame: which side speaks, from where,
 * how much, how it is cut, which byte of its headers is changed and to what. Payload is
 * never changed. Whatever is taken: lengths in their bounds; where no header was
 * changed (which may give a name's value to another name) no six bytes of a secret, and
 * right checksums.
 */
#include <assert.h>

#include "../unit/evidence_rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct want w;

static bool one_frame(const struct rig_talk *t, const uint8_t *p,
		      uint64_t number, size_t *room)
{
	enum want_side side = (enum want_side)(p[0] % WANT_SIDES);
	bool emitted = side == WANT_CLIENT && (p[0] & 0x80);
	uint32_t n = (uint32_t)strlen(t->said[side]);
	uint32_t from = p[1] % n;
	uint32_t len = p[2] % (n - from + 1);
	struct rig_frame f;
	uint32_t head;

	if (number == t->d.record)
		side = WANT_CLIENT, from = 0, emitted = false;
	rig_part_of(t, side, emitted, from, len, &f);
	head = f.f.cap - len;
	f.bytes[p[4] % head] ^= p[5];
	if (p[3] < 32)
		f.f.cap -= p[3] % (f.f.cap + 1);
	assert(rig_give(&w, number, &f, room) == 0);
	return p[5] != 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct redact redact;
	size_t room = WANT_ALL;
	bool changed = false;
	struct rig_talk t;

	if (size < 9)
		return 0;
	redact_init(&redact, &(struct hash_key){ { 3, 4 } }, NULL, false);
	rig_begin(&t, data[0] & 1, data[0] >> 2, data[0] & 2 ? 0xffffff80u : 7);
	t.d.record = 1 + data[1] % 3;
	w = (struct want){ .d = &t.d };
	for (size_t i = 0; 9 + i * 8 <= size && i < 64; i++)
		changed |= one_frame(&t, data + 1 + i * 8, i + 1, &room);
	assert(want_mask(&w, &redact) == 0);
	for (uint32_t i = 0; i < w.n; i++) {
		const struct piece *p = &w.piece[i];

		assert(p->at + p->len <= p->cap);
		assert(changed || !rig_is_left(p));
		assert(changed || p->cap < p->wire || rig_is_summed(p));
	}
	want_forget(&w);
	return 0;
}
