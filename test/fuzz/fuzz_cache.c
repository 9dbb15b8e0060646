/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_cache.c - Fuzz cache files, and frames through both ways of splitting
 *
 * Input: the bytes of a cache file; the same bytes are also taken for frames, a
 * byte for the link type, one for the mode, and a length before each. Checks what
 * the headers promise: all that a file claims lies in it, a written header reads
 * back, every frame gets exactly one fate.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "wire/cachefile.h"
#include "classify/split.h"
#include "classify/tcpprep.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FLOWS 8
#define SLOTS 4096
#define CONNS 8192
#define CUTS  100 /* bytes of the first frame that are cut one by one */

static bool ports[PREP_PORTS];

static bool match(void *arg, const uint8_t *addr, bool v6)
{
	(void)arg;
	return (addr[v6 ? 15 : 3] & 1) != 0;
}

/* A copy of exact size, so that the byte too far is seen. */
static uint8_t *copy_of(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size > 0 ? size : 1);

	if (copy == NULL)
		abort();
	memcpy(copy, data, size);
	return copy;
}

/* A file that is taken is as long as its header says, and no other length is. */
static void check_lengths(const uint8_t *data, size_t size)
{
	for (size_t n = size - 1; n <= size + 1; n += 2) {
		uint8_t *copy = malloc(n);
		struct cachefile f;
		int rc;

		if (copy == NULL)
			abort();
		memcpy(copy, data, size < n ? size : n);
		copy[n - 1] = 0;
		rc = cachefile_open(&f, copy, n);
		assert(rc == (n < size ? -ENODATA : -EFBIG));
		free(copy);
	}
}

static void check_file(const uint8_t *data, size_t size)
{
	uint8_t header[CACHEFILE_HEADER];
	uint64_t frames, digest;
	struct cachefile f;
	uint8_t *copy = copy_of(data, size);
	int rc;

	rc = cachefile_open(&f, copy, size);
	if (rc == 0) {
		check_lengths(data, size);
		for (uint64_t i = 0; i <= f.packets; i++) {
			rc = cachefile_get(&f, i);
			assert((rc >= 0 && rc != 1) == (i < f.packets));
		}
		cachefile_header(header, f.packets, (uint16_t)f.comment_len);
		assert(memcmp(header, copy, sizeof(header)) == 0);
		if (bitcache_pair_find(&f, &frames, &digest)) {
			struct bitcache_pair p = { .frames = frames,
						   .digest = digest };
			char text[BITCACHE_PAIR_TEXT];

			bitcache_pair_text(&p, text);
			assert(memcmp(text, f.comment, sizeof(text)) == 0);
		}
	}
	free(copy);
}

/* A frame that the capture cut anywhere: nothing behind the cut is read. */
static void peek_cuts(uint16_t link, const uint8_t *data, uint32_t len)
{
	for (uint32_t n = len < CUTS ? len : CUTS; n > 0; n--) {
		uint8_t *copy = copy_of(data, n);
		struct peek p;

		peek_frame(link, copy, n, &p);
		free(copy);
	}
}

static void split_frames(const struct prep_rules *r, uint16_t link,
			 const uint8_t *data, size_t size)
{
	static uint8_t states_mem[CONNS / 2];
	static uint32_t entry[CONNS];
	struct hash_key key = { { 1, 2 } };
	struct bitcache states;
	struct split *s;
	struct arena a = { .size = split_size(FLOWS) };
	uint32_t n = 0;

	a.base = aligned_alloc(ARENA_ALIGN, arena_need(a.size));
	memset(a.base, 0, a.size);
	bitcache_init(&states, 2, states_mem, sizeof(states_mem), 1);
	assert(split_init(&s, &a, FLOWS, r, &key, &states) == 0);
	while (size > 0 && n < CONNS) {
		uint32_t len =
			data[0] < size - 1 ? data[0] : (uint32_t)(size - 1);
		uint8_t *copy = copy_of(data + 1, len);
		struct peek p;

		if (n == 0)
			peek_cuts(link, data + 1, len);
		peek_frame(link, copy, len, &p);
		assert(split_frame(s, n + 1, &p, &entry[n]) == 0);
		free(copy);
		n++;
		data += len + 1;
		size -= len + 1;
	}
	split_finish(s);
	for (uint32_t i = 0; i < n; i++) {
		enum bitcache_fate fate = split_fate(s, entry[i]);

		assert(fate == BITCACHE_SKIP || fate == BITCACHE_C2S ||
		       fate == BITCACHE_S2C);
	}
	free(a.base);
}

static void tcpprep_frames(const struct prep_rules *r, uint16_t link,
			   const uint8_t *data, size_t size)
{
	static struct tcpprep_host host[SLOTS];
	struct tcpprep t;
	unsigned fate;

	memset(host, 0, sizeof(host));
	tcpprep_init(&t, r, host, SLOTS);
	for (int pass = tcpprep_learns(r) ? 0 : 1; pass < 2; pass++) {
		const uint8_t *p = data;
		size_t left = size;

		while (left > 0) {
			uint32_t len =
				p[0] < left - 1 ? p[0] : (uint32_t)(left - 1);
			uint8_t *copy = copy_of(p + 1, len);
			struct tcpprep_frame f = { copy, len, link };
			int rc;

			rc = tcpprep_frame(&t, (enum tcpprep_pass)pass, &f,
					   &fate);
			free(copy);
			if (rc < 0)
				return;
			assert(rc <= 1);
			p += len + 1;
			left -= len + 1;
		}
		if (pass == 0 && tcpprep_learnt(&t) != 0)
			return;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint16_t links[] = {
		1, 0, 12, 50, 101, 104, 113, 178, 276
	};
	static const struct prep_net net = { .b = { 10 }, .bits = 8 };
	static const struct number_range range = { 2, 5 };
	static const struct prep_mac mac = { { 2, 2, 2, 2, 2, 2 } };
	struct prep_rules r = { .ratio = 2.0,
				.min_bits = 30,
				.max_bits = 8,
				.split = { &net, 1 },
				.picked = { &net, 1 },
				.range = &range,
				.ranges = 1,
				.mac = &mac,
				.macs = 1,
				.tcp = ports,
				.udp = ports,
				.match = match };
	uint16_t link;

	check_file(data, size);
	if (size < 3)
		return 0;
	ports[53] = ports[80] = true;
	link = links[data[0] % (sizeof(links) / sizeof(links[0]))];
	r.mode = PREP_BRIDGE + data[1] % 9u;
	r.pick = (enum prep_pick)(data[2] % 6);
	r.reverse = (data[2] & 64) != 0;
	r.nonip = (data[2] & 128) != 0;
	split_frames(&r, link, data + 3, size - 3);
	if (tcpprep_link_ok(&r, link) == 0)
		tcpprep_frames(&r, link, data + 3, size - 3);
	return 0;
}
