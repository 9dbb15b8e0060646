/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_pp.c - Unit test of net/pp
 *
 * Each header is given a byte longer at a time, in a copy of its exact size.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "net/pp.h"
#include "opt/values.h"

#define LONG  "1111:2222:3333:4444:5555:6666:7777:8888"
#define MARK2 "\r\n\r\n\0\r\nQUIT\n"

static int read_copy(const char *m, size_t n, struct pp *out)
{
	uint8_t *copy = malloc(n > 0 ? n : 1);
	int rc;

	memcpy(copy, m, n);
	rc = pp_read(copy, n, out);
	free(copy);
	return rc;
}

/* It is taken, and not before it is whole. */
static void check_taken(const char *m, size_t n, struct pp *out)
{
	char more[PP_V2_MOST + 8];

	memset(out, 7, sizeof(*out));
	for (size_t i = 0; i < n; i++)
		CHECK(read_copy(m, i, out) == 0 && out->sport == 0x0707);
	memcpy(more, m, n);
	memcpy(more + n, "GET / ", 6);
	CHECK(read_copy(more, n + 6, out) == (int)n);
}

#define TAKEN(m, out) check_taken(m, sizeof(m) - 1, out)

static int has(const struct pp *p, const char *src, const char *dst)
{
	struct ipaddr a, b;

	return value_get_ip(src, strlen(src), &a) == 0 &&
	       value_get_ip(dst, strlen(dst), &b) == 0 && p->known &&
	       ipaddr_eq(&a, &p->src) && ipaddr_eq(&b, &p->dst);
}

static void test_one(void)
{
	struct pp p;

	TAKEN("PROXY TCP4 192.0.2.1 192.0.2.2 1 65535\r\n", &p);
	CHECK(has(&p, "192.0.2.1", "192.0.2.2") && p.sport == 1 &&
	      p.dport == 65535);
	TAKEN("PROXY TCP6 2001:db8::1 ::2 0 443\r\n", &p);
	CHECK(has(&p, "2001:db8::1", "::2") && p.sport == 0 && p.dport == 443);
	TAKEN("PROXY UNKNOWN\r\n", &p);
	CHECK(!p.known);
	TAKEN("PROXY UNKNOWN ffff:f...f:ffff ffff 65535 65535\r\n", &p);
	CHECK(!p.known);
}

static void test_two(void)
{
	struct pp p;

	TAKEN(MARK2 "\x21\x11\0\x0c\xc0\0\2\1\xc0\0\2\2\0\1\1\xbb", &p);
	CHECK(has(&p, "192.0.2.1", "192.0.2.2") && p.sport == 1 &&
	      p.dport == 443);
	/* With something behind the addresses. */
	TAKEN(MARK2 "\x21\x11\0\x10\xc0\0\2\1\xc0\0\2\2\0\1\1\xbb\4\0\1x", &p);
	CHECK(has(&p, "192.0.2.1", "192.0.2.2"));
	TAKEN(MARK2 "\x21\x21\0\x24\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"
		    "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\2\0\1\1\xbb",
	      &p);
	CHECK(has(&p, "2001:db8::1", "::2") && p.dport == 443);
	TAKEN(MARK2 "\x20\0\0\0", &p);
	CHECK(!p.known);
	TAKEN(MARK2 "\x20\x11\0\3abc", &p);
	CHECK(!p.known);
	TAKEN(MARK2 "\x21\0\0\2ab", &p);
	CHECK(!p.known);
}

#define ROW(m)                                                                 \
	{                                                                      \
		m, sizeof(m) - 1                                               \
	}

static const struct {
	const char *m;
	size_t n;
} wrong[] = {
	ROW("GET / HTTP/1.0\r\n"),
	ROW("PROXX"),
	ROW("PROXY TCP5 1.2.3.4 1.2.3.4 1 2\r\n"),
	ROW("PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n"),
	ROW("PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n"),
	ROW("PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n"),
	ROW("PROXY TCP4 1.2.3.4 1.2.3.4 1 2 \r\n"),
	ROW("PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n"),
	ROW("PROXY TCP4 1.2.3.4  1.2.3.4 1 2\r\n"),
	ROW("PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n"),
	ROW("PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n"),
	ROW("PROXY TCP4 1.2.3.4 1.2.3.4 1 -2\r\n"),
	ROW("PROXY TCP4 1.2.3.4 1.2.3.4 1 \r\n"),
	ROW("PROXY TCP4 ::1 ::1 1 2\r\n"),
	ROW("PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n"),
	ROW("PROXY TCP6 ::ffff:1.2.3.4 ::1 1 2\r\n"),
	ROW("PROXY TCP4 1.2.3.4\0x 1.2.3.4 1 2\r\n"),
	ROW("PROXY TCP4 1.2.3 1.2.3.4 1 2\r\n"),
	ROW("PROXY UNKNOWNS\r\n"),
	ROW("PROXY \n"),
	ROW(MARK2 "\x22\x11\0\x0c\xc0\0\2\1\xc0\0\2\2\0\1\1\xbb"),
	ROW(MARK2 "\x11\x11\0\x0c\xc0\0\2\1\xc0\0\2\2\0\1\1\xbb"),
	ROW(MARK2 "\x21\x12\0\x0c\xc0\0\2\1\xc0\0\2\2\0\1\1\xbb"),
	ROW(MARK2 "\x21\x11\0\x0b\xc0\0\2\1\xc0\0\2\2\0\1\1"),
	ROW(MARK2 "\x21\x21\0\x0c\xc0\0\2\1\xc0\0\2\2\0\1\1\xbb"),
};

static void test_wrong(void)
{
	char line[PP_V1_MOST + 1];
	struct pp p;

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		memset(&p, 7, sizeof(p));
		CHECK_ROW(read_copy(wrong[i].m, wrong[i].n, &p) == -EPROTO,
			  wrong[i].m);
		CHECK_ROW(p.sport == 0x0707, wrong[i].m);
	}
	/* Without an end. */
	memset(line, '1', sizeof(line));
	memcpy(line, "PROXY TCP4 ", 11);
	CHECK(read_copy(line, PP_V1_MOST - 1, &p) == 0);
	CHECK(read_copy(line, PP_V1_MOST, &p) == -EPROTO);
	CHECK(read_copy(MARK2 "\x21\x11\x08\x00", 16, &p) == 0);
	CHECK(read_copy(MARK2 "\x21\x11\x08\x01", 16, &p) == -EMSGSIZE);
}

static void test_made(void)
{
	static const char *const lines[] = {
		"PROXY TCP4 192.0.2.1 192.0.2.2 1 65535\r\n",
		"PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n",
		"PROXY TCP6 2001:db8::1 ::2 0 443\r\n",
		"PROXY TCP6 " LONG " " LONG " 65535 65535\r\n",
	};

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		uint8_t out[PP_MADE];
		struct pp p, again;
		size_t n;

		CHECK(read_copy(lines[i], strlen(lines[i]), &p) > 0);
		n = pp_make(1, &p, out);
		CHECK_ROW(n == strlen(lines[i]) &&
				  memcmp(out, lines[i], n) == 0,
			  lines[i]);
		n = pp_make(2, &p, out);
		CHECK_ROW(read_copy((char *)out, n, &again) == (int)n &&
				  memcmp(&p, &again, sizeof(p)) == 0,
			  lines[i]);
	}
}

static const struct check_test tests[] = {
	{ "version 1, a byte at a time", test_one },
	{ "version 2, a byte at a time", test_two },
	{ "what is no header is refused", test_wrong },
	{ "what is made is read again", test_made },
};

int main(void)
{
	return check_main(tests, ARRAY_SIZE(tests));
}
