/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcpopt.c - TCP options, read and written
 *
 * Theory of operation
 *
 * Most segments carry the timestamps and nothing else, as NOP NOP TS (RFC 7323
 * appendix A): one comparison finds them, the walk is for all others. What is
 * written begins each option that is longer than its header at a multiple of
 * four, as that appendix asks.
 */
#include "wire/tcpopt.h"

#include <assert.h>
#include <errno.h>

#include "core/bytes.h"

/* TCP option kinds (IANA, "TCP Option Kind Numbers"). */
enum {
	OPT_EOL = 0,
	OPT_NOP = 1,
	OPT_MSS = 2,
	OPT_WSCALE = 3,
	OPT_SACK_OK = 4,
	OPT_SACK = 5,
	OPT_TS = 8,
	OPT_MD5 = 19,
	OPT_AO = 29,
	OPT_MPTCP = 30,
	OPT_FASTOPEN = 34,
	OPT_EXP = 254,
};

#define OPT_TS_LEN     10
#define OPT_TS_ALONE   0x0101080au /* NOP NOP, kind and length of timestamps */
#define OPT_MD5_LEN    18
#define EXP_FASTOPEN   0xf989 /* RFC 7413 appendix A.1 */
#define SACK_BLOCK_LEN 8
static_assert((TCP_OPT_MAX - 2) / SACK_BLOCK_LEN <= TCP_SACK_MAX,
	      "what the options hold fits");

/* Read the SACK option of @len bytes at @p (RFC 2018 section 3). */
static void read_sack(const uint8_t *p, size_t len, struct tcp_opts *o)
{
	size_t n = (len - 2) / SACK_BLOCK_LEN;

	if (n == 0 || n * SACK_BLOCK_LEN != len - 2)
		return;
	o->sacks = (uint8_t)n;
	for (size_t i = 0; i < n; i++) {
		const uint8_t *block = p + 2 + i * SACK_BLOCK_LEN;

		o->sack[i].left = get_be32(block);
		o->sack[i].right = get_be32(block + 4);
	}
}

/* Take over the option of @len bytes, at least 2, at @p, if its length fits. */
static void read_option(const uint8_t *p, size_t len, struct tcp_opts *o)
{
	unsigned has = 0;

	switch (p[0]) {
	case OPT_MSS:
		if (len == 4) {
			o->mss = get_be16(p + 2);
			has = OPT_HAS_MSS;
		}
		break;
	case OPT_WSCALE:
		if (len == 3) {
			o->wscale = p[2];
			has = OPT_HAS_WSCALE;
		}
		break;
	case OPT_SACK_OK:
		if (len == 2)
			has = OPT_HAS_SACK_OK;
		break;
	case OPT_SACK:
		read_sack(p, len, o);
		break;
	case OPT_TS:
		if (len == OPT_TS_LEN) {
			o->tsval = get_be32(p + 2);
			o->tsecr = get_be32(p + 6);
			has = OPT_HAS_TS;
		}
		break;
	case OPT_MD5:
		if (len == OPT_MD5_LEN)
			has = OPT_HAS_MD5;
		break;
	case OPT_AO:
		if (len >= 4)
			has = OPT_HAS_AO;
		break;
	case OPT_MPTCP:
		if (len >= 3)
			has = OPT_HAS_MPTCP;
		break;
	case OPT_FASTOPEN:
		has = OPT_HAS_FASTOPEN;
		break;
	case OPT_EXP:
		if (len >= 4 && get_be16(p + 2) == EXP_FASTOPEN)
			has = OPT_HAS_FASTOPEN;
		break;
	default:
		break;
	}
	o->has = (uint16_t)(o->has | has);
}

/* The timestamps alone. */
static bool read_alone(const uint8_t *p, size_t len, struct tcp_opts *o)
{
	if (len != 2 + OPT_TS_LEN || get_be32(p) != OPT_TS_ALONE)
		return false;
	*o = (struct tcp_opts){ .has = OPT_HAS_TS,
				.tsval = get_be32(p + 4),
				.tsecr = get_be32(p + 8) };
	return true;
}

int tcp_parse_options(const uint8_t *p, size_t len, struct tcp_opts *o)
{
	struct tcp_opts got = { 0 };
	size_t n;

	assert(len <= TCP_OPT_MAX);

	if (read_alone(p, len, o))
		return 0;
	for (; len > 0 && p[0] != OPT_EOL; p += n, len -= n) {
		n = 1;
		if (p[0] == OPT_NOP)
			continue;
		if (len < 2 || p[1] < 2 || p[1] > len)
			return -EBADMSG;
		n = p[1];
		read_option(p, n, &got);
	}
	*o = got;
	return 0;
}

/* Two bytes of SACK-permitted, or nothing, and then the timestamps, or nothing.
 */
static uint8_t *put_pair(uint8_t *p, const struct tcp_opts *o)
{
	bool sack_ok = (o->has & OPT_HAS_SACK_OK);

	*p++ = sack_ok ? OPT_SACK_OK : OPT_NOP;
	*p++ = sack_ok ? 2 : OPT_NOP;
	if (!(o->has & OPT_HAS_TS)) {
		*p++ = OPT_NOP;
		*p++ = OPT_NOP;
		return p;
	}
	*p++ = OPT_TS;
	*p++ = OPT_TS_LEN;
	put_be32(p, o->tsval);
	put_be32(p + 4, o->tsecr);
	return p + 8;
}

/* The others take 20 bytes at most: there is @room for a block. */
static uint8_t *put_sack(uint8_t *p, const struct tcp_opts *o, size_t room)
{
	size_t n = (room - 4) / SACK_BLOCK_LEN;

	if (n > o->sacks)
		n = o->sacks;
	if (n == 0)
		return p;
	*p++ = OPT_NOP;
	*p++ = OPT_NOP;
	*p++ = OPT_SACK;
	*p++ = (uint8_t)(2 + SACK_BLOCK_LEN * n);
	for (size_t i = 0; i < n; i++, p += SACK_BLOCK_LEN) {
		put_be32(p, o->sack[i].left);
		put_be32(p + 4, o->sack[i].right);
	}
	return p;
}

uint8_t tcp_put_options(uint8_t *out, const struct tcp_opts *o)
{
	uint8_t *p = out;

	if (o->has & OPT_HAS_MSS) {
		*p++ = OPT_MSS;
		*p++ = 4;
		put_be16(p, o->mss);
		p += 2;
	}
	if (o->has & (OPT_HAS_SACK_OK | OPT_HAS_TS))
		p = put_pair(p, o);
	if (o->has & OPT_HAS_WSCALE) {
		*p++ = OPT_NOP;
		*p++ = OPT_WSCALE;
		*p++ = 3;
		*p++ = o->wscale;
	}
	p = put_sack(p, o, TCP_OPT_MAX - (size_t)(p - out));
	return (uint8_t)(p - out);
}
