/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_frame.c - Fuzz frame_decode() and the reassembly with arbitrary frames
 *
 * Input: byte 0 picks the link type, byte 1 holds switches (1: checksums are not
 * tested, 2: look into tunnels, 4: no reassembly, 8: the wire was longer). Then
 * frames, each a 16-bit length and its bytes, through one table of 3 datagrams;
 * switch 16 lets 11 s pass between them. Checks what decode.h and frag.h
 * promise: one result a frame, payload inside the frame or reassembled, cap and
 * len in order, the table within its bound and empty after its time.
 */
#include "decap/decap.h"
#include "wire/decode.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "wire/build.h"

#define SLOTS 3

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile uint8_t sink; /* makes reads happen */

static void check_inside(const struct frame_info *in, const uint8_t *p,
			 uint32_t n)
{
	assert(p >= in->data && p + n <= in->data + in->cap);
}

static void check_segment(const struct frame_info *in, const struct decoded *d,
			  enum decode_result r)
{
	const struct segment *s = &d->seg;

	assert(s->proto == (r == DECODE_TCP ? PROTO_TCP : PROTO_UDP));
	assert(s->cap <= s->len && s->ts == in->ts);
	assert(s->opts.sacks <= TCP_SACK_MAX);
	if (!d->reassembled)
		check_inside(in, s->data, s->cap);
	for (uint32_t i = 0; i < s->cap; i++) /* all of it can be read */
		sink = s->data[i];
	assert(d->l3 <= in->cap);
}

static void check_l4(const struct frame_info *in, const struct decoded *d)
{
	struct arp_packet arp;
	struct nd_packet nd;
	int e;

	if (!d->reassembled)
		check_inside(in, d->l4, d->l4_len);
	e = arp_parse(d->l4, d->l4_len, &arp);
	assert(e == 0 || e == -EBADMSG);
	e = nd_parse(d->l4, d->l4_len, &nd);
	assert(e == 0 || e == -EBADMSG || e == -ENOTSUP);
}

static void one_frame(const uint8_t *p, uint32_t len, uint16_t link,
		      uint8_t how, struct frag_table *t, uint64_t now)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);
	struct frame_info in = {
		.data = copy,
		.cap = len,
		.wire = (how & 8) != 0 ? len * 2 + 70000 : len,
		.ts = 42,
		.link = link,
		.csum_ok = (how & 1) != 0,
	};
	static const struct decap all = { .kinds = DECAP_ALL,
					  .most = DECAP_DEEP };
	struct decap_found found;
	struct decoded d;
	enum decode_result r;

	memcpy(copy, p, len);
	if ((how & 2) != 0)
		r = decap_frame(&in, &all, (how & 4) != 0 ? NULL : t, now, &d,
				NULL, &found);
	else
		r = frame_decode(&in, (how & 4) != 0 ? NULL : t, now, &d);
	assert(r < DECODE_COUNT);
	assert(frag_used(t, now) <= SLOTS);
	if (r == DECODE_TCP || r == DECODE_UDP)
		check_segment(&in, &d, r);
	else if (r == DECODE_ARP || r == DECODE_ND || r == DECODE_ICMP)
		check_l4(&in, &d);
	else if (r == DECODE_FRAGMENT)
		assert(frag_used(t, now) > 0);
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint16_t links[] = { LINK_ETHERNET, LINK_NULL, LINK_RAW,
					  LINK_LOOP,	 LINK_SLL,  LINK_IPV4,
					  LINK_IPV6,	 LINK_SLL2, 9999 };
	static const struct hash_key key = { { 3, 4 } };
	static uint8_t *memory;
	struct arena a = { .size = frag_size(SLOTS) };
	struct frag_table *t;
	uint64_t now = 0;
	uint16_t link;
	uint8_t how;
	int e;

	if (size < 2)
		return 0;
	if (memory == NULL)
		memory = aligned_alloc(ARENA_ALIGN, a.size);
	a.base = memory;
	e = frag_init(&t, &a, SLOTS, &key);
	assert(e == 0);
	link = links[data[0] % (sizeof(links) / sizeof(links[0]))];
	how = data[1];

	for (data += 2, size -= 2; size >= 2;) {
		uint32_t len = get_be16(data);

		if (len > size - 2)
			len = (uint32_t)size - 2;
		one_frame(data + 2, len, link, how, t, now);
		data += 2 + len;
		size -= 2 + len;
		now += (how & 16) != 0 ? UINT64_C(11) * 1000000000 : 1;
	}
	assert(frag_used(t, now + FRAG_TIMEOUT) == 0);
	return 0;
}
