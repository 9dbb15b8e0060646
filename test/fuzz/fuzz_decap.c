/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_decap.c - Fuzz decap_frame() with frames that are wrapped and then damaged
 *
 * Input: byte 0 picks the way of wrapping (low 4 bits: test/lib/wrapping.h), the
 * outer family (16), a second tunnel around it (32), a key that is asked for
 * (64) and another one (128). Byte 1: bytes of the copy that are left, by 2; 0:
 * all. Byte 2: switches (1: checksums are not tested, 2: the capture is cut
 * where the input ends, 4: no reassembly). Then changes, each an offset and what
 * is XORed there. Checks what decap.h promises: payload inside the frame or
 * reassembled, cap and len in order, no more tunnels than allowed, none without
 * its key; and that a frame without a change is found.
 */
#include "decap/decap.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/wrapping.h"
#include "core/bytes.h"
#include "wire/build.h"

#define PAYLOAD 40u
#define KEY	9u
#define SLOTS	2
#define ROOM	(BUILD_HDR_MAX + PAYLOAD + 2 * WRAP_ROOM)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile uint8_t sink; /* makes reads happen */

static uint32_t make(uint8_t *out, uint8_t how, uint8_t cut)
{
	static const uint8_t payload[PAYLOAD] = "abc";
	struct wrap w = { .kind = (enum wrap_kind)((how & 15) % WRAP_COUNT),
			  .v6 = (how & 16) != 0,
			  .key = KEY,
			  .cut = cut * 2u };
	struct tcp_header h = { .sport = 1, .dport = 80, .ttl = 64 };
	uint8_t f[ROOM], one[ROOM];
	size_t n;

	h.src = h.dst = ipaddr_from4((const uint8_t[]){ 10, 0, 0, 1 });
	n = build_tcp(f, &h, payload, PAYLOAD, CSUM_FULL);
	memcpy(f + n, payload, PAYLOAD);
	n += PAYLOAD;
	if (w.cut != 0 && w.cut < 34) /* labels and GRE take Ethernet off */
		w.cut = 34;
	n = wrap_frame(&w, one, f, n);
	w = (struct wrap){ .kind = WRAP_ERSPAN2, .key = KEY };
	if ((how & 32) != 0)
		return (uint32_t)wrap_frame(&w, out, one, n);
	memcpy(out, one, n);
	return (uint32_t)n;
}

static void check(const struct frame_info *in, const struct decoded *d,
		  enum decode_result r)
{
	const struct segment *s = &d->seg;

	assert(r < DECODE_COUNT);
	if (r != DECODE_TCP && r != DECODE_UDP)
		return;
	assert(s->cap <= s->len);
	assert(d->reassembled ||
	       (s->data >= in->data && s->data + s->cap <= in->data + in->cap));
	for (uint32_t i = 0; i < s->cap; i++) /* all of it can be read */
		sink = s->data[i];
	assert(d->l3 <= in->cap);
}

static void check_found(const struct decap *how, const struct decap_found *f)
{
	assert(f->tunnels <= how->most);
	assert(!f->other_key || (how->keyed && f->tunnels == 0));
	if (f->tunnels > 0)
		assert(!how->keyed ||
		       (f->outer.keyed && f->outer.key == how->key));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct hash_key key = { { 3, 4 } };
	static uint8_t *memory;
	struct arena a = { .size = frag_size(SLOTS) };
	struct decap how = { .kinds = DECAP_ALL, .most = DECAP_DEEP };
	struct frame_info in = { .link = LINK_ETHERNET };
	struct decap_found found;
	struct frag_table *t;
	struct decoded d;
	uint8_t f[ROOM];
	enum decode_result r;
	uint8_t *copy;

	if (size < 3)
		return 0;
	if (memory == NULL)
		memory = aligned_alloc(ARENA_ALIGN, a.size);
	a.base = memory;
	if (frag_init(&t, &a, SLOTS, &key) != 0)
		abort();
	in.wire = in.cap = make(f, data[0], data[1]);
	how.keyed = (data[0] & 64) != 0;
	how.key = (data[0] & 128) != 0 ? KEY + 1 : KEY;
	in.csum_ok = (data[2] & 1) != 0;
	for (size_t i = 3; i + 1 < size; i += 2)
		f[data[i] % in.wire] ^= data[i + 1];
	if ((data[2] & 2) != 0 && size < in.cap)
		in.cap = (uint32_t)size;
	copy = malloc(in.cap);
	memcpy(copy, f, in.cap);
	in.data = copy;
	r = decap_frame(&in, &how, (data[2] & 4) != 0 ? NULL : t, 0, &d, NULL,
			&found);
	check(&in, &d, r);
	check_found(&how, &found);
	if (size == 3 && data[1] == 0 && !how.keyed && in.cap == in.wire)
		assert(r == DECODE_TCP && d.seg.len == PAYLOAD);
	free(copy);
	return 0;
}
