/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_socks.c - Unit test of dial/socks and dial/judge
 *
 * Each message is given a byte longer at a time, in a copy of its exact size: until it is
 * whole nothing may happen.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "dial/judge.h"
#include "dial/socks.h"
#include "opt/values.h"

/* Feed a prefix of the message. */
static enum socks_step feed(struct socks *s, const char *m, size_t n,
			    size_t *used)
{
	uint8_t *copy = malloc(n > 0 ? n : 1);
	enum socks_step step;

	memcpy(copy, m, n);
	step = socks_read(s, copy, n, used);
	free(copy);
	return step;
}

/* All of its prefixes, and then it itself with a byte behind it. */
static enum socks_step grow(struct socks *s, const char *m, size_t n)
{
	struct socks was = *s;
	enum socks_step step;
	char more[SOCKS_MOST + 1];
	size_t used = 7;

	for (size_t i = 0; i < n; i++) {
		CHECK(feed(s, m, i, &used) == SOCKS_MORE && used == 0);
		CHECK(memcmp(s, &was, sizeof(was)) == 0);
	}
	memcpy(more, m, n);
	more[n] = 5;
	step = feed(s, more, n + 1, &used);
	CHECK(used == n);
	return step;
}

#define GROW(s, m) grow(s, m, sizeof(m) - 1)

static bool is_at(const struct socks *s, const char *ip, uint16_t port)
{
	struct ipaddr a;

	return value_get_ip(ip, strlen(ip), &a) == 0 && ipaddr_eq(&a, &s->ip) &&
	       s->port == port && s->name_len == 0;
}

static bool said(const struct socks *s, const char *m, size_t n)
{
	return s->reply_len == n && memcmp(s->reply, m, n) == 0;
}

#define SAID(s, m) said(s, m, sizeof(m) - 1)

/* RFC 1929: who he is comes between the method and the request. */
static void test_names(void)
{
	static const char said_names[] = "\1\4user\6secret";
	struct socks s = { .lock = SOCKS_LOCKED };
	struct socks_names who = socks_names((const uint8_t *)said_names);

	CHECK(who.name_len == 4 && memcmp(who.name, "user", 4) == 0);
	CHECK(who.password_len == 6 && memcmp(who.password, "secret", 6) == 0);
	CHECK(GROW(&s, "\5\2\0\2") == SOCKS_ANSWER && SAID(&s, "\5\2"));
	CHECK(GROW(&s, said_names) == SOCKS_LOGIN);
	socks_login(&s, true);
	CHECK(SAID(&s, "\1\0"));
	CHECK(GROW(&s, "\5\1\0\1\300\0\2\7\1\273") == SOCKS_CONNECT);
	CHECK(is_at(&s, "192.0.2.7", 443));
	/* Nothing, or not him. */
	s = (struct socks){ .lock = SOCKS_LOCKED };
	CHECK(GROW(&s, "\5\1\2") == SOCKS_ANSWER);
	CHECK(GROW(&s, "\1\0\0") == SOCKS_LOGIN);
	socks_login(&s, false);
	CHECK(SAID(&s, "\1\1"));
	/* Whatever ends it in between, the reply is this one. */
	socks_reply(&s, SOCKS_FAILURE, NULL, 0);
	CHECK(SAID(&s, "\1\1"));
	/* Not without. */
	s = (struct socks){ .lock = SOCKS_LOCKED };
	CHECK(GROW(&s, "\5\1\0") == SOCKS_REFUSE && SAID(&s, "\5\377"));
	s = (struct socks){ .lock = SOCKS_LOCKED };
	CHECK(GROW(&s, "\4\1\0\120\300\0\2\7me\0") == SOCKS_REFUSE);
	CHECK(s.reply[1] == 0x5b);
	s = (struct socks){ .lock = SOCKS_LOCKED };
	CHECK(GROW(&s, "\5\1\2") == SOCKS_ANSWER);
	CHECK(GROW(&s, "\5") == SOCKS_REFUSE && SAID(&s, "\1\1"));
	/* Without a lock his names are not asked for. */
	s = (struct socks){ 0 };
	CHECK(GROW(&s, "\5\1\2") == SOCKS_REFUSE && SAID(&s, "\5\377"));
}

static void test_five(void)
{
	struct socks s = { 0 };

	CHECK(GROW(&s, "\5\2\2\0") == SOCKS_ANSWER && SAID(&s, "\5\0"));
	CHECK(GROW(&s, "\5\1\0\1\300\0\2\7\1\273") == SOCKS_CONNECT);
	CHECK(is_at(&s, "192.0.2.7", 443) && s.version == 5);
	s = (struct socks){ 0 };
	CHECK(GROW(&s, "\5\1\0") == SOCKS_ANSWER);
	CHECK(GROW(&s, "\5\1\0\4\40\1\15\270\0\0\0\0\0\0\0\0\0\0\0\1\0\120") ==
	      SOCKS_CONNECT);
	CHECK(is_at(&s, "2001:db8::1", 80));
	s = (struct socks){ 0 };
	CHECK(GROW(&s, "\5\1\0") == SOCKS_ANSWER);
	CHECK(GROW(&s, "\5\1\0\3\13a-b.C_9.org\0\120") == SOCKS_CONNECT);
	CHECK(strcmp(s.name, "a-b.C_9.org") == 0 && s.port == 80);
}

static void test_five_refused(void)
{
	static const struct {
		const char *m;
		size_t n;
		uint8_t code;
	} row[] = {
		{ "\5\2\0\1\1\2\3\4\0\1", 10, SOCKS_NO_COMMAND },
		{ "\5\3\0\1\1\2\3\4\0\1", 10, SOCKS_NO_COMMAND },
		{ "\5\1\0\3\0\0\1", 7, SOCKS_NO_ADDRESS },
		{ "\5\1\0\3\3a b\0\1", 10, SOCKS_NO_ADDRESS },
		{ "\5\1\0\3\3a\0b\0\1", 10, SOCKS_NO_ADDRESS },
		{ "\5\1\0\3\2a\377\0\1", 9, SOCKS_NO_ADDRESS },
		{ "\5\1\0\2", 4, SOCKS_NO_ADDRESS },
		{ "\4", 1, SOCKS_FAILURE },
	};
	struct socks s = { 0 };

	CHECK(GROW(&s, "\5\2\1\2") == SOCKS_REFUSE && SAID(&s, "\5\377"));
	s = (struct socks){ 0 };
	CHECK(GROW(&s, "\5\0") == SOCKS_REFUSE && SAID(&s, "\5\377"));
	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		s = (struct socks){ .version = 5, .greeted = 1 };
		CHECK(grow(&s, row[i].m, row[i].n) == SOCKS_REFUSE);
		CHECK(s.reply_len == 10 && s.reply[0] == 5 &&
		      s.reply[1] == row[i].code);
	}
}

static void test_four(void)
{
	struct socks s = { 0 };

	CHECK(GROW(&s, "\4\1\0\120\300\0\2\7me\0") == SOCKS_CONNECT);
	CHECK(is_at(&s, "192.0.2.7", 80) && s.version == 4);
	s = (struct socks){ 0 };
	CHECK(GROW(&s, "\4\1\0\120\0\0\0\1\0name.example\0") == SOCKS_CONNECT);
	CHECK(strcmp(s.name, "name.example") == 0 && s.name_len == 12);
	s = (struct socks){ 0 };
	CHECK(GROW(&s, "\4\1\0\120\0\0\0\0\0") == SOCKS_CONNECT &&
	      is_at(&s, "0.0.0.0", 80));
	s = (struct socks){ 0 };
	CHECK(GROW(&s, "\4\2\0\120\300\0\2\7\0") == SOCKS_REFUSE);
	CHECK(SAID(&s, "\0\133\0\0\0\0\0\0") && s.command == 2);
	s = (struct socks){ 0 };
	CHECK(GROW(&s, "\4\1\0\120\0\0\0\1\0\0") == SOCKS_REFUSE);
	CHECK(SAID(&s, "\0\133\0\0\0\0\0\0"));
}

/* Who never ends is told so before a message could be longer than there is room. */
static void test_endless(void)
{
	char m[SOCKS_MOST + 1];
	struct socks s = { 0 };
	size_t used;

	memset(m, 'a', sizeof(m));
	memcpy(m, "\4\1\0\120\0\0\0\1", 8);
	CHECK(feed(&s, m, 8 + SOCKS_NAME, &used) == SOCKS_MORE);
	CHECK(feed(&s, m, 8 + SOCKS_NAME + 1, &used) == SOCKS_REFUSE);
	m[8 + SOCKS_NAME] = 0;
	s = (struct socks){ 0 };
	CHECK(feed(&s, m, SOCKS_MOST - 1, &used) == SOCKS_MORE);
	CHECK(feed(&s, m, SOCKS_MOST, &used) == SOCKS_REFUSE && used > 0);
	m[SOCKS_MOST - 1] = 0;
	s = (struct socks){ 0 };
	CHECK(feed(&s, m, SOCKS_MOST, &used) == SOCKS_CONNECT);
	CHECK(used == SOCKS_MOST && s.name_len == SOCKS_NAME);
	s = (struct socks){ 0 };
	CHECK(feed(&s, "G", 1, &used) == SOCKS_REFUSE && s.reply_len == 0);
}

static void test_replies(void)
{
	struct ipaddr four = ipaddr_from4((const uint8_t[4]){ 1, 2, 3, 4 });
	struct ipaddr six = { { 0x20, 1 } };
	struct socks s = { .version = 5 };

	socks_reply(&s, SOCKS_GRANTED, &four, 0x0506);
	CHECK(SAID(&s, "\5\0\0\1\1\2\3\4\5\6"));
	socks_reply(&s, SOCKS_GRANTED, &six, 7);
	CHECK(s.reply_len == SOCKS_REPLY && s.reply[3] == 4 &&
	      memcmp(s.reply + 4, six.b, 16) == 0 && s.reply[21] == 7);
	socks_reply(&s, SOCKS_REFUSED, NULL, 0);
	CHECK(SAID(&s, "\5\5\0\1\0\0\0\0\0\0"));
	s.version = 4;
	socks_reply(&s, SOCKS_GRANTED, &four, 0x0506);
	CHECK(SAID(&s, "\0\132\5\6\1\2\3\4"));
	socks_reply(&s, SOCKS_GRANTED, &six, 0x0506);
	CHECK(SAID(&s, "\0\132\5\6\0\0\0\0"));
	socks_reply(&s, SOCKS_HOST_UNREACHABLE, NULL, 0);
	CHECK(SAID(&s, "\0\133\0\0\0\0\0\0"));
}

/* --- judged --- */

static void add(struct judge_nets *l, const char *s)
{
	CHECK(value_get_net(s, strlen(s), &l->net[l->n].ip,
			    &l->net[l->n].bits) == 0);
	l->n++;
}

static bool judge(const struct judge_nets *allow, const struct judge_nets *deny,
		  const char *s)
{
	struct ipaddr a;

	CHECK_ROW(value_get_ip(s, strlen(s), &a) == 0, s);
	return judge_address(allow, deny, &a);
}

static void test_judged(void)
{
	static const char *const world[] = {
		"1.1.1.1",	    "9.255.255.255",   "11.0.0.0",
		"100.63.0.1",	    "100.128.0.1",     "128.0.0.1",
		"169.253.1.1",	    "172.15.0.1",      "172.32.0.1",
		"192.169.0.1",	    "223.255.255.255", "2a00::1",
		"64:ff9b::101:101", "2002:101:101::1", "2600::",
	};
	static const char *const inner[] = {
		"127.0.0.1",
		"127.255.0.1",
		"10.1.2.3",
		"172.16.0.1",
		"172.31.255.255",
		"192.168.1.1",
		"169.254.169.254",
		"100.64.0.1",
		"198.18.0.1",
		"240.0.0.1",
		"::1",
		"::127.0.0.1",
		"fe80::1",
		"fec0::1",
		"fc00::1",
		"fd12::1",
		"64:ff9b::7f00:1",
		"64:ff9b::a9fe:a9fe",
		"2002:7f00:1::1",
		"2002:a00:1::",
		"2001:0:1:2::f5ff:fffe",
		"2001:db8::1",
	};
	static const char *const never[] = {
		"0.0.0.0", "0.1.2.3",	      "224.0.0.1", "239.1.1.1",
		"::",	   "255.255.255.255", "ff02::1",
	};
	static const struct judge_nets none;
	struct judge_nets all = { .n = 0 }, deny = { .n = 0 };

	add(&all, "0.0.0.0/0");
	add(&all, "::/0");
	add(&deny, "10.1.0.0/16");
	add(&deny, "2a00::/16");
	for (size_t i = 0; i < ARRAY_SIZE(world); i++)
		CHECK_ROW(judge(&none, &none, world[i]), world[i]);
	for (size_t i = 0; i < ARRAY_SIZE(inner); i++) {
		CHECK_ROW(!judge(&none, &none, inner[i]), inner[i]);
		CHECK_ROW(judge(&all, &none, inner[i]), inner[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(never); i++) {
		CHECK_ROW(!judge(&none, &none, never[i]), never[i]);
		CHECK_ROW(!judge(&all, &none, never[i]), never[i]);
	}
	CHECK(!judge(&all, &deny, "10.1.2.3") &&
	      judge(&all, &deny, "10.2.2.3"));
	CHECK(!judge(&none, &deny, "2a00::1") &&
	      judge(&none, &deny, "2a01::1"));
	/* The one of IPv4 within is denied with it. */
	CHECK(!judge(&all, &deny, "64:ff9b::a01:203"));
}

static const struct check_test tests[] = {
	{ "names and passwords", test_names },
	{ "version 5, a byte at a time", test_five },
	{ "version 5: what is refused, and by which code", test_five_refused },
	{ "versions 4 and 4A, a byte at a time", test_four },
	{ "names without an end are bounded", test_endless },
	{ "replies", test_replies },
	{ "addresses of the world, and others", test_judged },
};

int main(void)
{
	return check_main(tests, ARRAY_SIZE(tests));
}
