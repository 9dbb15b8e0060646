/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_servers.c - Unit test of dial/servers, and of the command line of proxy
 */
#include <errno.h>
#include <string.h>

#include "check.h"
#include "dial/servers.h"
#include "front/front.h"
#include "setup/setup.h"
#include "opt/values.h"

#define CLIENTS 4000

static const struct hash_key key = { { 1, 2 } };

static struct servers make(unsigned n)
{
	struct servers l = { .n = n };

	for (unsigned i = 0; i < n; i++) {
		l.s[i].ip = ipaddr_from4(
			(const uint8_t[4]){ 10, 0, 0, (uint8_t)i });
		l.s[i].port = 80;
	}
	return l;
}

static struct ipaddr client(unsigned i)
{
	return ipaddr_from4(
		(const uint8_t[4]){ 192, 0, (uint8_t)(i >> 8), (uint8_t)i });
}

static int choice(const struct servers *l, unsigned i, uint32_t tried)
{
	struct ipaddr ip = client(i);

	return servers_choose(l, &key, &ip, tried);
}

static void test_even(void)
{
	struct servers l = make(8);
	unsigned n[8] = { 0 };

	for (unsigned i = 0; i < CLIENTS; i++) {
		int k = choice(&l, i, 0);

		CHECK(k >= 0 && k < 8 && k == choice(&l, i, 0));
		n[k & 7]++;
	}
	/* 500 each; 6 standard deviations are 125. */
	for (unsigned k = 0; k < 8; k++)
		CHECK(n[k] > 375 && n[k] < 625);
}

static void test_out(void)
{
	struct servers l = make(8), all = l;

	CHECK(!servers_failed(&l, 3, 2) && servers_failed(&l, 3, 2));
	CHECK(!servers_failed(&l, 3, 2));
	for (unsigned i = 0; i < CLIENTS; i++) {
		int was = choice(&all, i, 0);

		if (was == 3)
			CHECK(choice(&l, i, 0) != 3);
		else
			CHECK(choice(&l, i, 0) == was);
	}
	CHECK(servers_good(&l, 3) && !servers_good(&l, 3));
	for (unsigned i = 0; i < CLIENTS; i++)
		CHECK(choice(&l, i, 0) == choice(&all, i, 0));
	/* One good connection, and the row begins anew. */
	CHECK(!servers_failed(&l, 0, 2) && !servers_good(&l, 0));
	CHECK(!servers_failed(&l, 0, 2));
	/* Or there is no such limit. */
	for (int i = 0; i < 100; i++)
		CHECK(!servers_failed(&l, 1, 0));
}

/* Each is tried once, those that are out last. */
static void test_tried(void)
{
	struct servers l = make(SERVERS_MAX);

	for (unsigned k = 0; k < SERVERS_MAX; k += 2)
		servers_failed(&l, k, 1);
	for (unsigned i = 0; i < 200; i++) {
		uint32_t tried = 0;

		for (unsigned n = 0; n < SERVERS_MAX; n++) {
			int k = choice(&l, i, tried);

			CHECK(k >= 0 && (tried & 1u << k) == 0);
			CHECK(k % 2 == (n < SERVERS_MAX / 2 ? 1 : 0));
			tried |= 1u << k;
		}
		CHECK(choice(&l, i, tried) == -1);
	}
}

/* One that is drained gets nobody, and moves his own clients only. */
static void test_drained(void)
{
	struct servers l = make(8), all = l;

	l.s[3].drained = true;
	for (unsigned i = 0; i < CLIENTS; i++) {
		int was = choice(&all, i, 0);

		if (was == 3)
			CHECK(choice(&l, i, 0) != 3);
		else
			CHECK(choice(&l, i, 0) == was);
	}
	l = make(1);
	l.s[0].drained = true;
	CHECK(choice(&l, 0, 0) == -1);
	CHECK(l.s[0].n.not_taken == 0 && servers_failed(&l, 0, 1));
	CHECK(l.s[0].n.not_taken == 1);
}

/* Who is named as getting clients now is who gets one, of many clients. */
static void test_now(void)
{
	for (unsigned k = 0; k < 3 * 3 * 3 * 3; k++) {
		struct servers l = make(4);
		const struct server *now[SERVERS_MAX];
		unsigned seen = 0, named = 0, n, left = k, gone = 0;

		for (unsigned i = 0; i < 4; i++, left /= 3) {
			l.s[i].out = left % 3 == 1;
			l.s[i].drained = left % 3 == 2 && i % 2 == 0;
			l.s[i].gone = left % 3 == 2 && i % 2 != 0;
			gone += l.s[i].gone;
		}
		CHECK(servers_there(&l) == 4 - gone);
		n = servers_now(&l, now);
		for (unsigned i = 0; i < n; i++)
			named |= 1u << (now[i] - l.s);
		for (unsigned i = 0; i < 200; i++)
			if (choice(&l, i, 0) >= 0)
				seen |= 1u << choice(&l, i, 0);
		CHECK(seen == named);
	}
}

/* Who stays has his place; who goes keeps his as long as he has users. */
static void test_changed(void)
{
	struct servers l = make(3), to = make(5), all = make(SERVERS_MAX);

	l.s[1].failures = 7;
	l.s[1].drained = true;
	l.s[2].users = 1;
	/* 0 stays, 3 comes, 1 and 2 go: 1 has no users. */
	to.s[1] = to.s[3];
	to.n = 2;
	CHECK(servers_change(&l, &to) == 0);
	CHECK(l.n == 3 && !l.s[0].gone && !l.s[1].gone && l.s[2].gone);
	CHECK(l.s[1].ip.b[15] == 3 && l.s[1].failures == 0);
	CHECK(!l.s[1].drained && l.s[2].users == 1);
	for (unsigned i = 0; i < 100; i++)
		CHECK(choice(&l, i, 0) != 2);
	/* It comes back, with what is known of it. */
	to = make(3);
	CHECK(servers_change(&l, &to) == 0);
	CHECK(l.n == 3 && !l.s[2].gone && l.s[2].users == 1);
	CHECK(!l.s[1].gone && l.s[1].ip.b[15] == 1);
	/* All places have users, and others are wanted. */
	l = all;
	for (unsigned k = 0; k < SERVERS_MAX; k++)
		l.s[k].users = 1;
	for (unsigned k = 0; k < SERVERS_MAX; k++)
		all.s[k].ip.b[14] = 1;
	CHECK(servers_change(&l, &all) == 0 && l.n == SERVERS_PLACES);
	l.s[SERVERS_MAX].users = 1;
	for (unsigned k = 0; k < SERVERS_MAX; k++)
		all.s[k].ip.b[14] = 2;
	CHECK(servers_change(&l, &all) == -ENOSPC);
}

/* --- the command line --- */

static int parse(struct setup *o, const char *line, struct errbuf *e)
{
	static char copy[1024];
	char *argv[64], *rest = copy;
	int n = 0;

	memcpy(copy, line, strlen(line) + 1);
	while (n < 64 && words_next(&rest, &argv[n]) == 1)
		n++;
	return setup_parse(o, n, argv, e);
}

static const char *const taken[] = {
	"--forward 192.0.2.1:80=192.0.2.2:8080",
	"--forward [2001:db8::1]:80=192.0.2.2:8080,[2001:db8::2]:1",
	"--forward 0.0.0.0:80=192.0.2.2:80 --forward [::]:80=192.0.2.2:80",
	"--forward 192.0.2.1:80=192.0.2.2:80 --splice tc --pin /sys/fs/bpf/x "
	"--ports 1024-65535 --timewait 1s --connections 65536 --per-client 7 "
	"--copies 5 --failures 0 --check-every 1s --handshake-timeout 1s "
	"--connect-timeout 2s --idle-timeout 1m --half-closed-timeout 5m "
	"--drain 0 --ctl /run/x.ctl --metrics 127.0.0.1:9100 --user nobody "
	"--quiet --json",
	"--socks 192.0.2.1:1080",
	"--socks 0.0.0.0:1080 --socks [::]:1080 --allow 10.0.0.0/8 --allow ::1 "
	"--deny 0.0.0.0/0 --socks-users 'x y' --dns 192.0.2.53 --log a "
	"--log-json 'b c'",
	"--socks 192.0.2.1:1 --forward 192.0.2.1:80=192.0.2.2:80 --dns "
	"[2001:db8::1]:5353 --proxy-in 10.0.0.0/8 --proxy-in fd00::/8 "
	"--proxy-out v2",
};

static void test_metrics(void)
{
	static struct setup o;
	struct errbuf e = { "" };
	struct ipaddr here;

	CHECK(parse(&o, "--socks 192.0.2.1:1 --metrics 9", &e) == 0);
	CHECK(value_get_ip("127.0.0.1", 9, &here) == 0);
	CHECK(o.metrics_port == 9 && ipaddr_eq(&o.metrics, &here));
	CHECK(parse(&o, "--socks 192.0.2.1:1 --metrics [::]:9", &e) == 0);
	CHECK(parse(&o, "--socks 192.0.2.1:1 --metrics 65536", &e) < 0);
	CHECK(parse(&o, "--socks 192.0.2.1:1 --metrics 0", &e) < 0);
	CHECK(parse(&o, "--socks 192.0.2.1:1 --metrics 10.0.0.1", &e) < 0);
}

static void test_words(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(taken); i++) {
		static struct setup o, again;
		char text[2][2048];
		struct errbuf e = { "" };
		struct text t;

		CHECK_ROW(parse(&o, taken[i], &e) == 0, taken[i]);
		CHECK_ROW(e.s[0] == '\0', e.s);
		text_begin(&t, text[0], sizeof(text[0]));
		opt_text(&proxy_command, &o, &t);
		CHECK_ROW(!t.full, taken[i]);
		CHECK_ROW(parse(&again, text[0], &e) == 0, text[0]);
		text_begin(&t, text[1], sizeof(text[1]));
		opt_text(&proxy_command, &again, &t);
		CHECK_ROW(strcmp(text[0], text[1]) == 0, text[1]);
	}
}

static const struct check_test tests[] = {
	{ "clients are spread evenly, each to the same one", test_even },
	{ "who is out moves his own clients only", test_out },
	{ "each is tried once, those that are out last", test_tried },
	{ "who is drained gets nobody", test_drained },
	{ "those that get clients now", test_now },
	{ "servers are changed", test_changed },
	{ "what is taken is written again", test_words },
	{ "metrics are this host's without an address", test_metrics },
};

int main(void)
{
	return check_main(tests, ARRAY_SIZE(tests));
}
