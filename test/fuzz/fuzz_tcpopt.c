/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_tcpopt.c - TCP options against a second reader
 *
 * Input: the bytes of a list of options. The second reader below is written from
 * the RFCs that decode.h and segment.h name; both must agree in all that has a
 * value. A list that is whole goes into a segment and comes out of it the same;
 * so does what is written of its fields, up to the blocks that have room.
 */
#include "wire/decode.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "wire/build.h"
#include "wire/tcpopt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t number(const uint8_t *p, unsigned n)
{
	uint32_t v = 0;

	for (unsigned i = 0; i < n; i++)
		v = v * 256 + p[i];
	return v;
}

/* Kinds whose presence alone is noticed; @any collects them. */
static void present(uint8_t kind, unsigned *any)
{
	if (kind == 34 || kind == 254)
		*any |= OPT_HAS_FASTOPEN;
	else if (kind == 30)
		*any |= OPT_HAS_MPTCP;
	else if (kind == 19)
		*any |= OPT_HAS_MD5;
	else if (kind == 29)
		*any |= OPT_HAS_AO;
}

static void one_option(const uint8_t *p, struct tcp_opts *o)
{
	if (p[0] == 2 && p[1] == 4) {
		o->has |= OPT_HAS_MSS;
		o->mss = (uint16_t)number(p + 2, 2);
	} else if (p[0] == 3 && p[1] == 3) {
		o->has |= OPT_HAS_WSCALE;
		o->wscale = p[2];
	} else if (p[0] == 4 && p[1] == 2) {
		o->has |= OPT_HAS_SACK_OK;
	} else if (p[0] == 8 && p[1] == 10) {
		o->has |= OPT_HAS_TS;
		o->tsval = number(p + 2, 4);
		o->tsecr = number(p + 6, 4);
	} else if (p[0] == 5 && p[1] % 8 == 2 && p[1] >= 10) {
		o->sacks = 0;
		for (unsigned i = 2; i < p[1]; i += 8) {
			o->sack[o->sacks].left = number(p + i, 4);
			o->sack[o->sacks++].right = number(p + i + 4, 4);
		}
	}
}

/* Return: 0 or -EBADMSG. */
static int read_options(const uint8_t *p, size_t n, struct tcp_opts *o,
			unsigned *any)
{
	for (size_t i = 0; i < n && p[i] != 0;) {
		if (p[i] == 1) {
			i++;
			continue;
		}
		if (i + 1 >= n || p[i + 1] < 2 || p[i + 1] > n - i)
			return -EBADMSG;
		one_option(p + i, o);
		present(p[i], any);
		i += p[i + 1];
	}
	return 0;
}

static void check_same(const struct tcp_opts *a, const struct tcp_opts *b,
		       unsigned any)
{
	const unsigned valued =
		OPT_HAS_MSS | OPT_HAS_WSCALE | OPT_HAS_SACK_OK | OPT_HAS_TS;

	assert((a->has & valued) == (b->has & valued));
	assert((a->has & ~valued & ~any) == 0);
	assert((a->has & OPT_HAS_MSS) == 0 || a->mss == b->mss);
	assert((a->has & OPT_HAS_WSCALE) == 0 || a->wscale == b->wscale);
	assert((a->has & OPT_HAS_TS) == 0 ||
	       (a->tsval == b->tsval && a->tsecr == b->tsecr));
	assert(a->sacks == b->sacks);
	for (int i = 0; i < a->sacks; i++)
		assert(a->sack[i].left == b->sack[i].left &&
		       a->sack[i].right == b->sack[i].right);
}

/* In a segment, padded with end-of-list. */
static void in_segment(const uint8_t *p, size_t n, const struct tcp_opts *want,
		       unsigned any)
{
	uint8_t opts[TCP_OPT_MAX] = { 0 }, buf[BUILD_HDR_MAX];
	struct tcp_header h = { .sport = 1, .dport = 2, .ttl = 64 };
	struct frame_info in = { .data = buf, .link = LINK_ETHERNET };
	struct decoded d;

	memcpy(opts, p, n);
	h.src = ipaddr_from4((const uint8_t[4]){ 10, 0, 0, 1 });
	h.dst = h.src;
	h.opts = opts;
	h.optlen = (uint8_t)((n + 3) / 4 * 4);
	in.cap = (uint32_t)build_tcp(buf, &h, NULL, 0, CSUM_FULL);
	in.wire = in.cap;
	assert(frame_decode(&in, NULL, 0, &d) == DECODE_TCP);
	check_same(&d.seg.opts, want, any);
}

static void written(const struct tcp_opts *o)
{
	uint8_t list[TCP_OPT_MAX];
	struct tcp_opts want = { 0 };
	struct tcp_opts back = *o;
	unsigned any = 0;
	uint8_t n = tcp_put_options(list, o);

	assert(n <= TCP_OPT_MAX && n % 4 == 0);
	assert(read_options(list, n, &want, &any) == 0 && any == 0);
	assert(want.sacks == o->sacks || n + 8 > TCP_OPT_MAX);
	assert(want.sacks <= o->sacks);
	back.sacks = want.sacks;
	check_same(&back, &want, o->has);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tcp_opts got, was, want = { 0 };
	unsigned any = 0;
	uint8_t *copy;
	int r;

	if (size > TCP_OPT_MAX)
		return 0;
	copy = malloc(size > 0 ? size : 1);
	if (copy == NULL)
		abort();
	memcpy(copy, data, size);
	memset(&got, 0x5a, sizeof(got));
	was = got;
	r = tcp_parse_options(copy, size, &got);
	assert(r == read_options(copy, size, &want, &any));
	if (r == 0) {
		check_same(&got, &want, any);
		in_segment(copy, size, &want, any);
		written(&got);
	} else {
		assert(memcmp(&got, &was, sizeof(got)) == 0);
	}
	free(copy);
	return 0;
}
