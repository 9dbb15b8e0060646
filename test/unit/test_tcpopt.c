/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_tcpopt.c - Unit test of wire/tcpopt.h
 */
#include "wire/tcpopt.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

static int parse(const char *bytes, size_t len, struct tcp_opts *o)
{
	uint8_t *copy = malloc(len + 1);
	int r;

	memcpy(copy, bytes, len);
	copy = realloc(copy, len > 0 ? len : 1);
	r = tcp_parse_options(copy, len, o);
	free(copy);
	return r;
}

static void one_by_one(void)
{
#define ROW(s, want)                                                           \
	{                                                                      \
		s, sizeof(s) - 1, want                                         \
	}
	static const struct {
		const char *bytes;
		size_t len;
		uint16_t has;
	} rows[] = {
		ROW("", 0),
		ROW("\0", 0),
		ROW("\1\1\1", 0),
		ROW("\0\2\4\5\xb4", 0), /* nothing counts after the end */
		ROW("\2\4\5\xb4", OPT_HAS_MSS),
		ROW("\2\3\5", 0),
		ROW("\3\3\7", OPT_HAS_WSCALE),
		ROW("\3\4\7\7", 0),
		ROW("\4\2", OPT_HAS_SACK_OK),
		ROW("\4\3\1", 0),
		ROW("\x8\xa\1\2\3\4\5\6\7\x8", OPT_HAS_TS),
		ROW("\x8\x9\1\2\3\4\5\6\7", 0),
		ROW("\x13\x12"
		    "0123456789abcdef",
		    OPT_HAS_MD5),
		ROW("\x13\x4zz", 0),
		ROW("\x1d\x4zz", OPT_HAS_AO),
		ROW("\x1d\x3z", 0),
		ROW("\x1e\x3z", OPT_HAS_MPTCP),
		ROW("\x1e\x2", 0),
		ROW("\x22\x2", OPT_HAS_FASTOPEN),
		ROW("\x22\xa"
		    "12345678",
		    OPT_HAS_FASTOPEN),
		ROW("\xfe\x4\xf9\x89", OPT_HAS_FASTOPEN),
		ROW("\xfe\x4\xf9\x88", 0),
		ROW("\xfe\x3\xf9", 0),
		ROW("\x77\x5zzz\4\2", OPT_HAS_SACK_OK), /* unknown kind */
	};
#undef ROW
	struct tcp_opts o;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		memset(&o, 0xff, sizeof(o));
		CHECK(parse(rows[i].bytes, rows[i].len, &o) == 0);
		if (o.has != rows[i].has || o.sacks != 0)
			printf("# row %zu: has %#x\n", i, (unsigned)o.has);
		CHECK(o.has == rows[i].has && o.sacks == 0);
	}
	CHECK(parse("\5\x12\0\0\0\1\0\0\0\2\xff\xff\xff\xff\0\0\0\1", 18, &o) ==
	      0);
	CHECK(o.sacks == 2 && o.sack[0].left == 1 && o.sack[0].right == 2);
	CHECK(o.sack[1].left == UINT32_MAX && o.sack[1].right == 1);
	CHECK(parse("\5\x22\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\5\0\0\0"
		    "\6\0\0\0\7\0\0\0\x8",
		    34, &o) == 0);
	CHECK(o.sacks == 4 && o.sack[3].left == 7 && o.sack[3].right == 8);
	CHECK(parse("\5\xb\0\0\0\1\0\0\0\2\0", 11, &o) == 0 && o.sacks == 0);
	CHECK(parse("\5\xa\0\0\0\1\0\0\0\2\5\2", 12, &o) == 0 && o.sacks == 1);
}

static void lengths_are_tested(void)
{
	static const char *const bad[] = {
		"\2", "\2\1", "\x77\1", "\x77\3", "\1\1\x8", "\4\2\x77\7zz"
	};
	struct tcp_opts o, was;

	memset(&o, 0x5a, sizeof(o));
	was = o;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		CHECK(parse(bad[i], strlen(bad[i]), &o) == -EBADMSG);
		CHECK(memcmp(&o, &was, sizeof(o)) == 0);
	}
	CHECK(parse("\x77\0", 2, &o) == -EBADMSG);

	/* As long as timestamps alone, and something else. */
	CHECK(parse("\2\4\5\xb4\1\1\4\2\1\3\3\7", 12, &o) == 0);
	CHECK(o.has == (OPT_HAS_MSS | OPT_HAS_SACK_OK | OPT_HAS_WSCALE));
	CHECK(o.mss == 1460 && o.wscale == 7);
}

static void check_written(const struct tcp_opts *o, const char *want, size_t n)
{
	uint8_t *out = malloc(TCP_OPT_MAX);

	CHECK(tcp_put_options(out, o) == n);
	CHECK(memcmp(out, want, n) == 0);
	free(out);
}

/* Byte by byte what Linux puts into the same segments. */
static void written_as_linux_does(void)
{
	struct tcp_opts o = { .mss = 1460, .wscale = 7, .tsval = 0x01020304 };

	check_written(&o, "", 0);
	o.has = OPT_HAS_MSS;
	check_written(&o, "\2\4\5\xb4", 4);
	o.has |= OPT_HAS_SACK_OK | OPT_HAS_TS | OPT_HAS_WSCALE;
	check_written(&o, "\2\4\5\xb4\4\2\x8\xa\1\2\3\4\0\0\0\0\1\3\3\7", 20);
	o.has = OPT_HAS_TS;
	o.tsecr = 0x05060708;
	check_written(&o, "\1\1\x8\xa\1\2\3\4\5\6\7\x8", 12);
	o.sacks = 1;
	o.sack[0] = (struct sack_block){ 0x11121314, 0x21222324 };
	check_written(&o,
		      "\1\1\x8\xa\1\2\3\4\5\6\7\x8\1\1\5\xa\x11\x12"
		      "\x13\x14\x21\x22\x23\x24",
		      24);
}

/* Four blocks fit alone, three beside the timestamps. */
static void blocks_without_room_are_left_out(void)
{
	struct tcp_opts o = { .sacks = TCP_SACK_MAX };
	uint8_t out[TCP_OPT_MAX];
	struct tcp_opts back;

	for (uint32_t i = 0; i < TCP_SACK_MAX; i++)
		o.sack[i] = (struct sack_block){ 10 * i, 10 * i + 5 };
	CHECK(tcp_put_options(out, &o) == 36);
	CHECK(tcp_parse_options(out, 36, &back) == 0 && back.sacks == 4);
	CHECK(back.sack[3].left == 30 && back.sack[3].right == 35);
	o.has = OPT_HAS_TS;
	CHECK(tcp_put_options(out, &o) == 40);
	CHECK(tcp_parse_options(out, 40, &back) == 0 && back.sacks == 3);
	CHECK(back.has == OPT_HAS_TS && back.sack[2].right == 25);
}

int main(void)
{
	static const struct check_test tests[] = {
		{ "options one by one", one_by_one },
		{ "lengths are tested", lengths_are_tested },
		{ "written as Linux does", written_as_linux_does },
		{ "blocks without room are left out",
		  blocks_without_room_are_left_out },
	};

	return check_main(tests, ARRAY_SIZE(tests));
}
