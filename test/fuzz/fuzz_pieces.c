/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_pieces.c - Long packets are cut and joined
 *
 * Input: a byte that says which. 0: a header of a device and a packet, any bytes. What
 * is cut has all of the payload in order, and each piece's sum differs from what was
 * said of the whole by the length alone. Else: packets of a few connections, by six
 * bytes each (whose, how long, flags, a byte that is changed and how, whether its sums
 * are made right again). What is handed on, cut again, is each connection's packets as
 * they came, but for identifications under DF.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "core/csum.h"
#include "pieces/cut.h"
#include "pieces/join.h"
#include "wire/segment.h"

#define FLOWS	 12
#define PACKET	 400u
#define PACKETS	 512u
#define HEAD	 52u /* IPv4, TCP, 12 bytes of options */
#define STEP	 6
#define MOST_LEN 40u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void cut_any(const uint8_t *data, size_t size)
{
	uint32_t n, len, at = 0, pieces = 0;
	struct vnet v;
	struct cut c;
	uint8_t *p;

	if (size < 2 || vnet_parse(data + 2, (uint32_t)size - 2, &v) != 0)
		return;
	n = (uint32_t)size - 2 - VNET_HEADER;
	p = malloc(n + 1);
	if (p == NULL)
		abort();
	memcpy(p, data + 2 + VNET_HEADER, n);
	if (cut_begin(&c, &v, p, n, get_be16(data)) != 0) {
		free(p);
		return;
	}
	while ((len = cut_length(&c)) > 0) {
		uint8_t *out = malloc(len);
		uint32_t head = c.head, l4 = c.l4;
		uint64_t sum;

		if (out == NULL)
			abort();
		cut_next(&c, out);
		pieces++;
		if (v.kind == VNET_ONE) {
			assert(len == n && pieces == 1);
			free(out);
			break;
		}
		assert(len > head && len <= n && len - head <= v.size);
		assert(memcmp(out + head, p + head + at, len - head) == 0);
		sum = csum_add(0, out + l4, len - l4);
		sum += get_be16(p + l4 + v.at);
		sum = csum_swap16(sum, (uint16_t)(n - l4),
				  (uint16_t)(len - l4));
		assert(csum_fold(sum) % 0xffff == 0);
		at += len - head;
		free(out);
	}
	assert(v.kind == VNET_ONE || c.head + at == n);
	free(p);
}

static struct join *join;
/* What came, by connection, until it is handed on again. */
static uint8_t came[PACKETS][PACKET];
static uint32_t came_n[PACKETS];
static uint8_t came_of[PACKETS];
static uint32_t first[FLOWS], all;

static void expect(const uint8_t *p, uint32_t n)
{
	uint8_t of = p[15] % FLOWS;
	uint8_t a[PACKET], b[PACKET];
	uint32_t i = first[of];

	while (i < all && came_of[i] != of)
		i++;
	assert(i < all && came_n[i] == n && n <= PACKET);
	memcpy(a, p, n);
	memcpy(b, came[i], n);
	if ((a[6] & 0x40) != 0) {
		memset(a + 4, 0, 2);
		memset(b + 4, 0, 2);
		memset(a + 10, 0, 2);
		memset(b + 10, 0, 2);
	}
	assert(memcmp(a, b, n) == 0);
	first[of] = i + 1;
}

static void handed_on(const uint8_t *p, uint32_t n, const struct vnet *v)
{
	uint8_t out[PACKET];
	struct cut c;

	assert(cut_begin(&c, v, p, n, 65535) == 0);
	while (cut_length(&c) > 0) {
		uint32_t len = cut_length(&c);

		assert(len <= sizeof(out));
		cut_next(&c, out);
		expect(out, len);
	}
}

static void take(int place)
{
	struct vnet v;
	uint32_t packets, n;
	uint8_t *p;

	n = join_take(join, place, &p, &v, &packets);
	assert(packets > 0 && packets <= JOIN_COUNT && n <= JOIN_MOST);
	handed_on(p, n, &v);
}

static void put(const uint8_t *p, uint32_t n)
{
	static const struct vnet one = { .kind = VNET_ONE };
	uint8_t *copy = malloc(n);
	struct join_look l;
	int place;

	if (copy == NULL)
		abort();
	memcpy(copy, p, n);
	join_look(join, copy, n, &l);
	while ((place = join_first(join, copy, n, &l)) >= 0)
		take(place);
	if (!join_add(join, copy, n, &l))
		handed_on(copy, n, &one);
	free(copy);
}

static void set_sums(uint8_t *p, uint32_t n)
{
	uint64_t sum = csum_add(0, p + 12, 8) + PROTO_TCP + (n - 20);

	put_be16(p + 10, 0);
	put_be16(p + 10, (uint16_t)~csum_fold(csum_add(0, p, 20)));
	put_be16(p + 36, 0);
	put_be16(p + 36, (uint16_t)~csum_fold(csum_add(sum, p + 20, n - 20)));
}

/* A packet that continues its connection, but for what @d changes. */
static void make(const uint8_t *d, uint32_t seq[FLOWS], uint16_t id[FLOWS])
{
	uint8_t of = d[0] % FLOWS, *p = came[all];
	uint32_t n = HEAD + d[1] % MOST_LEN * 8;

	memset(p, 0, HEAD);
	memset(p + HEAD, d[1], n - HEAD);
	p[0] = 0x45;
	put_be16(p + 2, (uint16_t)n);
	put_be16(p + 4, id[of]++);
	put_be16(p + 6, of % 2 ? 0x4000 : 0);
	p[8] = 64;
	p[9] = PROTO_TCP;
	p[12] = 10;
	p[15] = of;
	p[16] = 10;
	put_be16(p + 20, 443);
	put_be32(p + 24, seq[of]);
	p[32] = 0x80;
	p[33] = (d[2] & 7) == 0 ? d[2] : TCP_ACK;
	seq[of] += n - HEAD;
	set_sums(p, n);
	/* What tells whose it is stays as it is. */
	if (d[3] > 0 && d[3] < HEAD && d[3] != 9 && (d[3] < 12 || d[3] >= 24)) {
		p[d[3]] ^= d[4];
		if (d[5] & 1)
			set_sums(p, n);
	}
	came_n[all] = n;
	came_of[all++] = of;
	put(p, n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint32_t seq[FLOWS] = { 0 };
	uint16_t id[FLOWS] = { 0 };
	struct arena a = { .size = join_size() };
	int place;

	if (size < 1)
		return 0;
	if (data[0] == 0) {
		cut_any(data + 1, size - 1);
		return 0;
	}
	a.base = aligned_alloc(ARENA_ALIGN, a.size);
	if (a.base == NULL || join_init(&join, &a, true) != 0)
		abort();
	all = 0;
	memset(first, 0, sizeof(first));
	for (size_t i = 1; i + STEP <= size && all < PACKETS; i += STEP) {
		make(data + i, seq, id);
		while (i % 4 == 0 && (place = join_any(join)) >= 0)
			take(place);
	}
	while ((place = join_any(join)) >= 0)
		take(place);
	for (uint32_t i = 0; i < all; i++)
		assert(i < first[came_of[i]]);
	free(a.base);
	return 0;
}
