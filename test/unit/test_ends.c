/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_ends.c - Unit test of tunnel/ends: its command line, and heads of packets
 *
 * What is taken is written and read again as the same words (test_tunnel.py has what
 * is refused by the program, with its sentences).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "core/bytes.h"
#include "ends/ends.h"
#include "ends/inner.h"
#include "opt/values.h"

#define KEY  "dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo="
#define PATH " --path p1,192.0.2.1:7000"
#define ADDR "--addr 10.99.0.1/30"

static int parse(struct ends_options *o, const char *line, struct errbuf *e)
{
	static char copy[1024];
	char *argv[64], *rest = copy;
	int n = 0;

	memcpy(copy, line, strlen(line) + 1);
	while (n < 64 && words_next(&rest, &argv[n]) == 1)
		n++;
	return ends_options_parse(o, n, argv, e);
}

static const char *const taken[] = {
	ADDR PATH " --plain",
	ADDR " --path any,192.0.2.1:7000 --plain",
	ADDR " --path 192.0.2.9,192.0.2.1:7000 --plain",
	ADDR " --path 192.0.2.9,192.0.2.1:7000,tier=backup,cap=1G --plain",
	ADDR " --path p1,[2001:db8::1]:7000,tier=secondary --plain",
	ADDR " --path 2001:db8::9,[2001:db8::1]:7000,tier=primary --plain",
	ADDR " --path p1,far.example:7000,weight=3,rate=100K,cap=1M --plain",
	ADDR " --path 2001:db8::9,a-1.b:65535,tier=secondary --plain",
	ADDR " --listen my.example:7000 --listen your.example:7000 --plain",
	ADDR PATH " --plain --class 'udp port 53=copy' --class icmp=pin "
		  "--class 'ip[1] & 0xfc == 0xb8=spread'",
	ADDR " --addr fd99::1/64" PATH " --plain",
	"--tap" PATH " --plain",
	"--tap --offload off --mtu 9000 " ADDR PATH " --plain",
	ADDR " --listen 0.0.0.0:7000 --plain",
	ADDR " --listen 0.0.0.0:7000 --listen [::]:7000 --plain",
	ADDR PATH " --key a --peer " KEY,
	ADDR PATH " --key a --psk b --peer " KEY,
	"--dev t9 --mtu 1400 --mark 7 --keepalive 25s --user nobody " ADDR PATH
	" --plain --allow 0.0.0.0/0 --allow ::/0 --scheduler weights --weight "
	"5 "
	"--release equal --no-again --buffer-size 25 --ctl /run/x --trace x "
	"--quiet "
	"--json",
};

static void what_is_taken_is_written_again(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(taken); i++) {
		static struct ends_options o, again;
		char text[2][2048];
		struct errbuf e = { "" };
		struct text t;

		CHECK_ROW(parse(&o, taken[i], &e) == 0, taken[i]);
		CHECK_ROW(e.s[0] == '\0', e.s);
		text_begin(&t, text[0], sizeof(text[0]));
		opt_text(&tunnel_command, &o, &t);
		CHECK_ROW(parse(&again, text[0], &e) == 0, text[0]);
		text_begin(&t, text[1], sizeof(text[1]));
		opt_text(&tunnel_command, &again, &t);
		CHECK_ROW(strcmp(text[0], text[1]) == 0, text[1]);
		CHECK_ROW(o.paths == again.paths &&
				  o.listens == again.listens &&
				  o.allows == again.allows,
			  taken[i]);
		opt_forget();
	}
}

static const struct {
	const char *line;
	const char *says;
} refused[] = {
	{ "", "--path" },
	{ ADDR, "--path" },
	{ PATH " --plain", "--addr" },
	{ ADDR " --addr 10.0.0.1/8" PATH " --plain", "second" },
	{ "--addr 10.99.0.1/33" PATH " --plain", "length" },
	{ "--addr fd99::1/129" PATH " --plain", "length" },
	{ "--addr 10.99.0.1" PATH " --plain", "length" },
	{ ADDR " --path p1 --plain", "far end" },
	{ ADDR " --path p1,192.0.2.1 --plain", "far end" },
	{ ADDR " --path p1,192.0.2.1:0 --plain", "far end" },
	{ ADDR " --path p1,192.0.2.0/24:70 --plain", "far end" },
	{ ADDR " --path ,192.0.2.1:7 --plain", "begins" },
	{ ADDR " --path a/b,192.0.2.1:7 --plain", "begins" },
	{ ADDR " --path a234567890123456,192.0.2.1:7 --plain", "begins" },
	{ ADDR " --path 'p 1,192.0.2.1:7' --plain", "begins" },
	{ ADDR " --path 'p\\1,192.0.2.1:7' --plain", "begins" },
	{ ADDR " --path ::1,192.0.2.1:7 --plain", "IPv6" },
	{ ADDR PATH ",tier=9 --plain", "word" },
	{ ADDR PATH ",cap=x --plain", "word" },
	{ ADDR PATH ",rate=999 --plain", "range" },
	{ ADDR PATH ",weight=0 --plain", "range" },
	{ ADDR PATH ",weight=1001 --plain", "range" },
	{ ADDR " --path p1,far_example:7 --plain", "far end" },
	{ ADDR " --path p1,-far.example:7 --plain", "far end" },
	{ ADDR " --path p1,far.example --plain", "far end" },
	{ ADDR " --path p1,far.example:0 --plain", "far end" },
	{ ADDR " --path p1,far.example:65536 --plain", "far end" },
	{ ADDR " --path p1,1.2.3:7 --plain", "far end" },
	{ ADDR PATH " --plain --class icmp", "filter" },
	{ ADDR PATH " --plain --class =pin", "filter" },
	{ ADDR PATH " --plain --class icmp=fast", "spread" },
	{ ADDR " --path us0,192.0.2.1:7 --plain", "tunnel itself" },
	{ ADDR " --listen 1.2.3.4:5 --listen 1.2.3.4:6 --plain", "second" },
	{ ADDR " --listen 1.2.3.4 --plain", "port" },
	{ ADDR PATH " --listen 1.2.3.4:5 --plain", "one of them" },
	{ ADDR PATH, "keygen" },
	{ ADDR PATH " --key a", "--peer" },
	{ ADDR PATH " --key a --peer x", "public key" },
	{ ADDR PATH " --plain --key a", "--plain" },
	{ ADDR PATH " --plain --psk a", "--plain" },
	{ ADDR PATH " --plain --allow 10.0.0.1/8", "network" },
	{ ADDR PATH " --plain --mtu 500", "--mtu" },
	{ ADDR PATH " --plain --dev a234567890123456", "--dev" },
	{ ADDR PATH " --plain --dev 'u s'", "--dev" },
	{ ADDR PATH " --plain nonsense", "nonsense" },
	{ "keygen", "FILE" },
	{ "keygen a b", "b" },
	{ "padgen", "FILE SIZE" },
	{ "padgen a", "FILE SIZE" },
	{ "padgen a 1M b c", "c" },
	{ ADDR PATH " --pad x --plain", "--pad goes without" },
	{ ADDR PATH " --pad x --key y", "--pad goes without" },
};

static void what_is_refused_is_said(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		static struct ends_options o;
		struct errbuf e = { "" };

		CHECK_ROW(parse(&o, refused[i].line, &e) < 0, refused[i].line);
		CHECK_ROW(strstr(e.s, refused[i].says) != NULL, e.s);
		opt_forget();
	}
}

static void too_many_are_refused(void)
{
	static struct ends_options o;
	char line[1024] = ADDR " --plain";
	struct errbuf e = { "" };

	for (int i = 0; i < ENDS_PATHS; i++)
		strcat(line, PATH);
	CHECK(parse(&o, line, &e) == 0);
	strcat(line, PATH);
	CHECK(parse(&o, line, &e) < 0 && strstr(e.s, "too many") != NULL);
	opt_forget();
}

static void the_far_end_is_on_our_networks(void)
{
	static struct ends_options o;
	struct inner_head h = { .udp = false };
	struct errbuf e = { "" };

	CHECK(parse(&o, ADDR " --addr fd99::1/64" PATH " --plain", &e) == 0);
	CHECK(o.allows == 2);
	h.src = ipaddr_from4((const uint8_t[4]){ 10, 99, 0, 2 });
	CHECK(inner_allowed(&h, o.allow, o.allows));
	h.src = ipaddr_from4((const uint8_t[4]){ 10, 99, 0, 4 });
	CHECK(!inner_allowed(&h, o.allow, o.allows));
	h.src = ipaddr_from6((const uint8_t[16]){ 0xfd, 0x99, [15] = 2 });
	CHECK(inner_allowed(&h, o.allow, o.allows));
	h.src.b[7] = 1;
	CHECK(!inner_allowed(&h, o.allow, o.allows));
	opt_forget();
}

static const uint8_t udp4[] = { 0x45, 0,  0,	28, 0, 0, 0,  0,  64, 17,
				0,    0,  10,	99, 0, 1, 10, 99, 0,  2,
				0x1b, 88, 0x1b, 89, 0, 8, 0,  0 };

/* A copy of exact size, so that ASan sees the byte too far. */
static int read_copy(const uint8_t *p, size_t n, struct inner_head *h)
{
	uint8_t *copy = malloc(n > 0 ? n : 1);
	int r;

	memcpy(copy, p, n);
	r = inner_read(copy, (uint32_t)n, h);
	free(copy);
	return r;
}

static void a_head_is_read(void)
{
	struct inner_head h = { .src_port = 5 };
	uint8_t p[sizeof(udp4)];

	for (size_t n = 0; n < sizeof(udp4); n++)
		CHECK(read_copy(udp4, n, &h) == -EBADMSG);
	CHECK(h.src_port == 5);
	CHECK(read_copy(udp4, sizeof(udp4), &h) == 0);
	CHECK(h.udp && h.src_port == 7000 && h.dst_port == 7001);
	CHECK(h.src.b[15] == 1 && h.dst.b[15] == 2);
	memcpy(p, udp4, sizeof(p));
	p[7] = 1; /* a later fragment */
	CHECK(read_copy(p, sizeof(p), &h) == 0 && !h.udp && h.src_port == 0);
	p[7] = 0;
	p[9] = 6;
	CHECK(read_copy(p, sizeof(p), &h) == 0 && !h.udp);
	p[9] = 17;
	p[0] = 0x46; /* an option, and half a header of UDP */
	CHECK(read_copy(p, sizeof(p), &h) == 0 && !h.udp);
	p[0] = 0x48; /* longer than the packet */
	CHECK(read_copy(p, sizeof(p), &h) == -EBADMSG);
	p[0] = 0x44;
	CHECK(read_copy(p, sizeof(p), &h) == -EBADMSG);
	p[0] = 0x75;
	CHECK(read_copy(p, sizeof(p), &h) == -EBADMSG);
}

static void a_head_of_ipv6_is_read(void)
{
	uint8_t p[48] = {
		0x60,	     [5] = 8,	[6] = 17,    [23] = 1, [39] = 2,
		[40] = 0x1b, [41] = 88, [42] = 0x1b, [43] = 89
	};
	struct inner_head h;

	CHECK(read_copy(p, sizeof(p), &h) == 0);
	CHECK(h.udp && h.src_port == 7000 && h.dst_port == 7001);
	CHECK(h.src.b[15] == 1 && h.dst.b[15] == 2);
	for (size_t n = 0; n < sizeof(p); n++)
		CHECK(read_copy(p, n, &h) == -EBADMSG);
	p[6] = 44; /* a fragment: its ports are not looked for */
	CHECK(read_copy(p, sizeof(p), &h) == 0 && !h.udp);
}

/* A frame of exact size with so many tags, padding, and our packet. */
static int read_frame(unsigned tags, uint32_t padding, uint32_t cut,
		      uint16_t type, struct inner_head *h)
{
	uint32_t at = 14 + 4 * tags;
	uint32_t n = at + (uint32_t)sizeof(udp4) + padding - cut;
	uint8_t *p = calloc(1, at + sizeof(udp4) + padding);
	uint8_t *copy = malloc(n);
	int r;

	for (unsigned i = 0; i < tags; i++)
		put_be16(p + 12 + 4 * i, i == 0 && tags > 1 ? 0x88a8 : 0x8100);
	put_be16(p + at - 2, type);
	memcpy(p + at, udp4, sizeof(udp4));
	memcpy(copy, p, n);
	CHECK(inner_ip_at(copy, n) == (type == 0x0800 ? at : 0));
	r = inner_of_frame(copy, n, h);
	free(p);
	free(copy);
	return r;
}

static void a_packet_in_a_frame_is_found(void)
{
	struct inner_head h = { .udp = false };
	uint8_t short_one[14] = { [12] = 8 };

	for (unsigned tags = 0; tags < 3; tags++) {
		CHECK(read_frame(tags, 0, 0, 0x0800, &h) == 0);
		CHECK(h.src_port == 7000);
		CHECK(read_frame(tags, 18, 0, 0x0800, &h) == 0);
		CHECK(read_frame(tags, 0, 1, 0x0800, &h) == -EBADMSG);
		CHECK(read_frame(tags, 0, 9, 0x0800, &h) == -EBADMSG);
		CHECK(read_frame(tags, 0, 0, 0x0806, &h) == -ENOENT);
	}
	CHECK(inner_of_frame(short_one, 14, &h) == -EBADMSG);
	CHECK(inner_of_frame(short_one, 13, &h) == -ENOENT);
}

static const struct check_test tests[] = {
	{ "what is taken is written again", what_is_taken_is_written_again },
	{ "what is refused is said", what_is_refused_is_said },
	{ "too many are refused", too_many_are_refused },
	{ "the far end is on our networks", the_far_end_is_on_our_networks },
	{ "a head is read", a_head_is_read },
	{ "a head of IPv6 is read", a_head_of_ipv6_is_read },
	{ "a packet in a frame is found", a_packet_in_a_frame_is_found },
};

int main(void)
{
	return check_main(tests, ARRAY_SIZE(tests));
}
