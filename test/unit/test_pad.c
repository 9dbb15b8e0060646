/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_pad.c - Unit test of the one-time pad: its file's page, frames, a link
 *
 * Each end has a copy of the pad in memory, and what it made durable in a second
 * one: a process that is killed leaves its memory (the kernel writes it), a host
 * that falls leaves only that. All that is sent is recorded by the bytes of the
 * pad that it took; none may be taken twice.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "codec/crypto.h"
#include "core/bytes.h"
#include "keys/link.h"

#define SEC  NS_PER_SEC
#define SIZE PAD_LEAST
#define ALL  (PAD_PAGE + SIZE)
#define HALF (PAD_PAGE + SIZE / 2)

static const struct crypto_ops *ops;
static uint64_t state;

static int numbers(void *p, size_t n)
{
	uint8_t *b = p;

	for (size_t i = 0; i < n; i++) {
		state = state * 6364136223846793005u + 1442695040888963407u;
		b[i] = (uint8_t)(state >> 56);
	}
	return 0;
}

struct end {
	uint8_t *file;	   /* of exact size, for ASan */
	uint8_t kept[ALL]; /* what is durable */
	struct pad pad;
	bool broken; /* its disk */
	unsigned keeps;
	struct link *l;
	struct arena arena;
	unsigned opened, restarts;
};

static struct world {
	struct end end[2]; /* 0 begins */
	uint64_t now;
	bool used[ALL]; /* bytes that have hidden something */
	unsigned twice;
	bool lose;
} w;

static int keep(void *ctx)
{
	struct end *e = ctx;

	if (e->broken)
		return -EIO;
	memcpy(e->kept, e->file, ALL);
	e->keeps++;
	return 0;
}

static int load(unsigned i)
{
	struct end *e = &w.end[i];

	e->pad = (struct pad){
		.ops = ops, .keep = keep, .ctx = e, .bytes = e->file
	};
	return pad_load(&e->pad, ALL, i == 0);
}

static void make_files(void)
{
	for (unsigned i = 0; i < 2; i++) {
		free(w.end[i].file);
		free(w.end[i].arena.base);
	}
	memset(&w, 0, sizeof(w));
	w.now = 1000 * SEC;
	state = 1;
	for (unsigned i = 0; i < 2; i++)
		w.end[i].file = malloc(ALL);
	pad_page(w.end[0].file, SIZE);
	numbers(w.end[0].file + PAD_PAGE, SIZE);
	memcpy(w.end[1].file, w.end[0].file, ALL);
	for (unsigned i = 0; i < 2; i++)
		memcpy(w.end[i].kept, w.end[i].file, ALL);
}

static void make_pads(void)
{
	make_files();
	CHECK(load(0) == 0 && load(1) == 0);
}

static void record(const uint8_t *d, uint32_t n)
{
	uint64_t at = pad_offset(d);

	for (uint64_t i = at; i < at + n - PAD_HEADER - CRYPTO_TAG + PAD_KEY;
	     i++) {
		w.twice += w.used[i];
		w.used[i] = true;
	}
}

static uint8_t *exact(const uint8_t *d, uint32_t n)
{
	uint8_t *copy = malloc(n > 0 ? n : 1);

	memcpy(copy, d, n);
	return copy;
}

/* A datagram of @n bytes inside, from end @i. Return: its length, 0: none */
static uint32_t seal(unsigned i, uint8_t *d, uint32_t n)
{
	memset(d + PAD_HEADER, 'x', n);
	if (pad_seal(&w.end[i].pad, 3, d, n) != 0)
		return 0;
	record(d, PAD_HEADER + n + CRYPTO_TAG);
	return PAD_HEADER + n + CRYPTO_TAG;
}

static int open_at(unsigned i, const uint8_t *d, uint32_t n)
{
	uint8_t *copy = exact(d, n);
	bool newest;
	int r = pad_open(&w.end[i].pad, copy, n, &newest);

	for (uint32_t k = PAD_HEADER; r == 0 && k < n - CRYPTO_TAG; k++)
		CHECK(copy[k] == 'x');
	free(copy);
	return r;
}

static void poly1305_is_rfc_8439s(void)
{
	static const uint8_t key[] = { 0x85, 0xd6, 0xbe, 0x78, 0x57, 0x55, 0x6d,
				       0x33, 0x7f, 0x44, 0x52, 0xfe, 0x42, 0xd5,
				       0x06, 0xa8, 0x01, 0x03, 0x80, 0x8a, 0xfb,
				       0x0d, 0xb2, 0xfd, 0x4a, 0xbf, 0xf6, 0xaf,
				       0x41, 0x49, 0xf5, 0x1b };
	static const uint8_t want[] = { 0xa8, 0x06, 0x1d, 0xc1, 0x30, 0x51,
					0x36, 0xc6, 0xc2, 0x2b, 0x8b, 0xaf,
					0x0c, 0x01, 0x27, 0xa9 };
	uint8_t tag[CRYPTO_TAG];

	CHECK(ops->poly(tag, key, "Cryptographic Forum Research Group", 34) ==
	      0);
	CHECK(memcmp(tag, want, sizeof(want)) == 0);
}

static void packets_go_both_ways(void)
{
	uint8_t d[2048];

	make_pads();
	for (uint32_t n = 0; n < 700; n += 13)
		for (unsigned i = 0; i < 2; i++) {
			uint32_t len = seal(i, d, n);

			CHECK(len == n + 24 && d[0] == PAD_TYPE && d[1] == 3);
			CHECK(open_at(!i, d, len) == 0);
			/* Again: the key is wiped. */
			CHECK(open_at(!i, d, len) == -EALREADY);
			/* Reflected: it is of our own half. */
			CHECK(open_at(i, d, len) == -EINVAL);
		}
	CHECK(w.twice == 0);
}

static void what_is_hidden_is_the_pad_and_the_text(void)
{
	uint8_t pad[600], d[PAD_HEADER + 500 + CRYPTO_TAG];
	uint8_t tag[CRYPTO_TAG];

	make_pads();
	memcpy(pad, w.end[0].file + PAD_PAGE, sizeof(pad));
	CHECK(seal(0, d, 500) > 0);
	CHECK(pad_offset(d) == PAD_PAGE);
	for (unsigned i = 0; i < 500; i++)
		CHECK(d[PAD_HEADER + i] == ('x' ^ pad[PAD_KEY + i]));
	ops->poly(tag, pad, d, PAD_HEADER + 500);
	CHECK(memcmp(tag, d + PAD_HEADER + 500, CRYPTO_TAG) == 0);
	/* Wiped, and no byte more. */
	for (unsigned i = 0; i < PAD_KEY + 500; i++)
		CHECK(w.end[0].file[PAD_PAGE + i] == 0);
	CHECK(memcmp(w.end[0].file + PAD_PAGE + PAD_KEY + 500,
		     pad + PAD_KEY + 500, 600 - PAD_KEY - 500) == 0);
}

static void a_forger_changes_nothing(void)
{
	uint8_t d[PAD_HEADER + 40 + CRYPTO_TAG], before[ALL];
	uint32_t n;
	struct pad pad;

	make_pads();
	n = seal(0, d, 40);
	memcpy(before, w.end[1].file, ALL);
	pad = w.end[1].pad;
	for (uint32_t i = 0; i < n * 8; i++) {
		d[i / 8] ^= (uint8_t)(1 << i % 8);
		if (i / 8 != 0) /* the type is the link's to look at */
			CHECK(open_at(1, d, n) < 0);
		d[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	for (uint32_t i = 0; i < n; i++)
		CHECK(open_at(1, d, i) < 0);
	CHECK(memcmp(before, w.end[1].file, ALL) == 0);
	CHECK(memcmp(&pad, &w.end[1].pad, sizeof(pad)) == 0);
	CHECK(open_at(1, d, n) == 0);
}

/* No offset reads outside the half, and the page is no pad. */
static void no_offset_leads_out(void)
{
	static const uint64_t at[] = {
		0,   1,	      PAD_PAGE - 1,	      HALF - 1, HALF, ALL - 1,
		ALL, ALL + 1, (UINT64_C(1) << 48) - 1
	};
	uint8_t d[PAD_HEADER + 8 + CRYPTO_TAG] = { PAD_TYPE };

	make_pads();
	for (unsigned i = 0; i < ARRAY_SIZE(at); i++) {
		put_be16(d + 2, (uint16_t)(at[i] >> 32));
		put_be32(d + 4, (uint32_t)at[i]);
		CHECK(open_at(0, d, sizeof(d)) ==
		      (at[i] == HALF ? -EBADMSG : -EINVAL));
		CHECK(open_at(1, d, sizeof(d)) == -EINVAL);
	}
	put_be16(d + 2, 0);
	put_be32(d + 4, ALL - PAD_KEY - 8);
	CHECK(open_at(0, d, sizeof(d)) == -EBADMSG);
	d[1] = PAD_PATHS;
	CHECK(open_at(0, d, sizeof(d)) == -EINVAL);
}

static void the_half_ends(void)
{
	uint8_t d[1200];
	uint32_t n, sent = 0;

	make_pads();
	while ((n = seal(0, d, 1000)) > 0) {
		CHECK(open_at(1, d, n) == 0);
		sent++;
	}
	CHECK(sent == SIZE / 2 / 1032);
	CHECK(w.end[0].pad.state == PAD_USED_UP);
	/* Not even a shorter one, which there would be room for. */
	CHECK(seal(0, d, 1) == 0 && pad_left(&w.end[0].pad) > 33);
	CHECK(seal(1, d, 1000) > 0 && w.twice == 0);
	CHECK(pad_random(w.end[0].file + PAD_PAGE, PAD_KEY) == false);
}

/* Whoever falls, whenever: what was sent before is not sent by again. */
static void no_byte_comes_twice(void)
{
	for (unsigned power = 0; power < 2; power++) {
		uint8_t d[1200], old[1200];
		uint32_t n, old_n = 0;

		make_pads();
		for (unsigned k = 0; k < 30; k++) {
			for (unsigned i = 0; i <= k % 4; i++) {
				n = seal(0, d, 100 + 37 * i);
				CHECK(n > 0);
				/* The first of a life is taken. */
				if (i == 0)
					CHECK(open_at(1, d, n) == 0);
				memcpy(old, d, n);
				old_n = n;
			}
			for (unsigned e = 0; power && e < 2; e++)
				memcpy(w.end[e].file, w.end[e].kept, ALL);
			CHECK(load(0) == 0 && load(1) == 0);
			/* Of a block that was begun the rest is gone. */
			CHECK(w.end[0].pad.at % PAD_BLOCK_LEAST == 0);
			CHECK(pad_random(w.end[0].file + PAD_PAGE,
					 w.end[0].pad.at - PAD_PAGE) == false);
			CHECK(open_at(1, old, old_n) == -EALREADY);
		}
		CHECK(w.twice == 0);
	}
}

static void a_page_that_cannot_be_kept_ends_it(void)
{
	uint8_t d[2000];
	uint32_t n = 0;

	make_pads();
	w.end[0].broken = true;
	for (unsigned i = 0; i < 3 && (n = seal(0, d, 400)) > 0; i++)
		;
	CHECK(n == 0 && w.end[0].pad.state == PAD_NOT_KEPT);
	w.end[0].broken = false;
	CHECK(seal(0, d, 10) == 0);
	/* Who cannot keep it takes nothing either. */
	make_pads();
	n = seal(0, d, 900);
	w.end[1].broken = true;
	CHECK(open_at(1, d, n) == -EIO);
}

static void a_wrong_file_is_refused(void)
{
	make_pads();
	CHECK(load(0) == 0 && load(1) == 0);
	/* The other end's copy. */
	memcpy(w.end[1].file, w.end[0].file, ALL);
	CHECK(load(1) == -EPERM);
	/* Cut off, or longer than it says. */
	make_files();
	for (uint64_t n = 0; n < ALL; n += 997)
		CHECK(pad_load(&(struct pad){ .ops = ops,
					      .keep = keep,
					      .ctx = &w.end[0],
					      .bytes = w.end[0].file },
			       n, true) == -EINVAL);
	for (unsigned i = 0; i < 32; i++) {
		w.end[0].file[i] ^= 0x10;
		/* Whose it is has a word of its own. */
		if (i < 24) /* then come the bytes of a block, and nothing */
			CHECK(load(0) == (i >= 20 ? -EPERM : -EINVAL));
		w.end[0].file[i] ^= 0x10;
	}
	/* Marks of nowhere. */
	CHECK(load(0) == 0);
	put_be64(w.end[0].file + 40, ALL);
	CHECK(load(0) == -EINVAL);
	put_be64(w.end[0].file + 40, PAD_PAGE - 1);
	CHECK(load(0) == -EINVAL);
	put_be64(w.end[0].file + 40, HALF);
	CHECK(load(0) == -ENOSPC);
}

static void zeros_are_no_pad(void)
{
	uint8_t d[1200];
	uint32_t n = 1;

	make_files();
	memset(w.end[0].file + PAD_PAGE, 0, SIZE);
	CHECK(load(0) == -ENODATA);
	make_files();
	memset(w.end[0].file + HALF + 64, 0, PAD_KEY);
	CHECK(load(0) == -ENODATA);
	/* Further behind: when it comes to that. */
	make_files();
	memset(w.end[0].file + PAD_PAGE + 4096, 0, PAD_KEY);
	CHECK(load(0) == 0);
	for (unsigned i = 0; i < 20 && n > 0; i++)
		n = seal(0, d, 300);
	CHECK(n == 0 && w.end[0].pad.state == PAD_ZERO);
	CHECK(w.end[0].pad.at <= PAD_PAGE + 4096);
}

/* --- a link --- */

static void make_link(unsigned i)
{
	struct end *e = &w.end[i];
	struct link_config c = { .role = i == 0 ? LINK_BEGINS : LINK_ANSWERS,
				 .pad = &e->pad,
				 .random = numbers };

	free(e->arena.base);
	e->arena.base = aligned_alloc(ARENA_ALIGN, link_size());
	e->arena.size = link_size();
	e->arena.used = 0;
	CHECK(load(i) == 0);
	CHECK(link_init(&e->l, &e->arena, &c, w.now) == 0);
	e->opened = e->restarts = 0;
}

static enum link_got arrive(unsigned to, const uint8_t *d, uint32_t n);

static void carry_out(unsigned from, const struct link_out *out, unsigned back)
{
	struct end *e = &w.end[from];
	uint8_t d[LINK_MESSAGE + LINK_GREETS];

	e->opened += out->opened;
	e->restarts += out->restart;
	for (unsigned i = 0; i < 2; i++) {
		uint32_t n = out->ask ? link_ask(e->l, i, d) : 0;

		if (n == 0 && (out->greet || (out->greet_back && back == i)))
			n = link_greet(e->l, i, out->greet, d, w.now);
		if (n == 0)
			continue;
		record(d, n);
		if (!w.lose)
			arrive(!from, d, n);
	}
}

static enum link_got arrive(unsigned to, const uint8_t *d, uint32_t n)
{
	struct link_out out = { .ask = false };
	uint8_t *copy = exact(d, n);
	struct link_in in = { .p = copy, .n = n, .from = "x", .from_len = 1 };
	enum link_got got = link_input(w.end[to].l, &in, w.now, &out);

	CHECK(link_check(w.end[to].l) == NULL);
	carry_out(to, &out, in.path);
	free(copy);
	return got;
}

static void pass(uint64_t ns)
{
	uint64_t end = w.now + ns;

	for (;;) {
		uint64_t t = link_next_timeout(w.end[0].l);
		struct link_out out = { .ask = false };

		CHECK(link_next_timeout(w.end[1].l) == UINT64_MAX);
		if (t > end)
			break;
		w.now = t > w.now ? t : w.now;
		link_timeout(w.end[0].l, w.now, w.now, &out);
		CHECK(link_next_timeout(w.end[0].l) > w.now);
		carry_out(0, &out, 0);
	}
	w.now = end;
}

static uint32_t packet(unsigned from, uint8_t *d)
{
	int n;

	memcpy(d + LINK_HEADER, "hello", 5);
	n = link_seal(w.end[from].l, 1, d, 5, true, w.now);
	if (n > 0)
		record(d, (uint32_t)n);
	return n > 0 ? (uint32_t)n : 0;
}

static enum link_got send_one(unsigned from)
{
	uint8_t d[LINK_HEADER + 5 + CRYPTO_TAG];
	uint32_t n = packet(from, d);

	return n > 0 ? arrive(!from, d, n) : LINK_NOTHING;
}

static void begin_both(void)
{
	make_files();
	make_link(0);
	make_link(1);
	pass(SEC / 10);
	CHECK(w.end[0].opened == 1 && w.end[1].opened == 1);
}

static void a_link_opens_and_stays_open(void)
{
	begin_both();
	for (unsigned i = 0; i < 100; i++) {
		CHECK(send_one(0) == LINK_PACKET);
		CHECK(send_one(1) == LINK_PACKET);
		pass(10 * SEC);
	}
	CHECK(w.end[0].opened == 1 && w.end[0].restarts == 0);
	CHECK(link_counters(w.end[0].l)->asks == 1 && w.twice == 0);
}

static void who_was_started_anew_is_found_out(void)
{
	begin_both();
	for (unsigned k = 1; k <= 8; k++) {
		make_link(1);
		CHECK(send_one(0) == LINK_NOTHING);
		pass(LINK_SILENCE + SEC / 100);
		CHECK(w.end[0].restarts == k && w.end[1].opened == 1);
		CHECK(send_one(0) == LINK_PACKET);
		CHECK(send_one(1) == LINK_PACKET);
	}
	for (unsigned k = 1; k <= 8; k++) {
		make_link(0);
		pass(SEC / 100);
		CHECK(w.end[1].restarts == k && w.end[0].opened == 1);
		CHECK(send_one(1) == LINK_PACKET);
		CHECK(send_one(0) == LINK_PACKET);
	}
	CHECK(w.twice == 0);
}

/* What was held back on the way is of no use when somebody has started anew. */
static void an_old_life_is_not_taken(void)
{
	uint8_t d[LINK_HEADER + 5 + CRYPTO_TAG], g[LINK_GREETS];
	uint32_t n, m;

	begin_both();
	n = packet(0, d);
	m = link_greet(w.end[0].l, 0, true, g, w.now);
	record(g, m);
	make_link(0);
	pass(SEC / 100);
	CHECK(w.end[1].restarts == 1);
	CHECK(arrive(1, d, n) == LINK_NOTHING);
	CHECK(link_counters(w.end[1].l)->early == 1);
	CHECK(arrive(1, g, m) == LINK_NOTHING);
	CHECK(link_counters(w.end[1].l)->old == 1);
	CHECK(send_one(0) == LINK_PACKET && send_one(1) == LINK_PACKET);

	/* The receiver is new: its floor is behind what was on its way. */
	n = packet(0, d);
	make_link(1);
	CHECK(arrive(1, d, n) == LINK_NOTHING);
	CHECK(w.twice == 0);
}

static void lost_greetings_are_asked_for_again(void)
{
	make_files();
	make_link(0);
	make_link(1);
	w.lose = true;
	pass(5 * SEC);
	w.lose = false;
	pass(2 * SEC);
	CHECK(w.end[0].opened == 1 && w.end[1].opened == 1 && w.twice == 0);
	CHECK(send_one(0) == LINK_PACKET);
}

/* An older copy of a pad begins where the other end has long been. */
static void a_pad_given_twice_is_found_out(void)
{
	static uint8_t copy[ALL];
	uint8_t g[LINK_GREETS];
	uint32_t n;

	begin_both();
	memcpy(copy, w.end[0].file, ALL);
	for (unsigned i = 0; i < 200; i++)
		CHECK(send_one(0) == LINK_PACKET && send_one(1) == LINK_PACKET);
	memcpy(w.end[0].file, copy, ALL);
	w.end[0].pad.place = 7;
	w.end[0].pad.state = PAD_USED_UP;
	CHECK(pad_load(&w.end[0].pad, ALL, true) == -EEXIST);
	/* Put back over the file itself: the other end does not answer it, and
	 * when it speaks, it is too far.
	 */
	make_link(0);
	pass(5 * SEC);
	CHECK(w.end[0].opened == 0 && w.end[1].restarts == 0);
	n = link_greet(w.end[1].l, 0, true, g, w.now);
	arrive(0, g, n);
	CHECK(w.end[0].pad.state == PAD_TWICE);
	CHECK(send_one(0) == LINK_NOTHING);
}

static const struct check_test tests[] = {
	{ "Poly1305 is RFC 8439's", poly1305_is_rfc_8439s },
	{ "packets go both ways", packets_go_both_ways },
	{ "what is hidden is the pad and the text",
	  what_is_hidden_is_the_pad_and_the_text },
	{ "a forger changes nothing", a_forger_changes_nothing },
	{ "no offset leads out", no_offset_leads_out },
	{ "the half ends", the_half_ends },
	{ "no byte comes twice", no_byte_comes_twice },
	{ "a page that cannot be kept ends it",
	  a_page_that_cannot_be_kept_ends_it },
	{ "a wrong file is refused", a_wrong_file_is_refused },
	{ "zeros are no pad", zeros_are_no_pad },
	{ "a link opens and stays open", a_link_opens_and_stays_open },
	{ "who was started anew is found out",
	  who_was_started_anew_is_found_out },
	{ "an old life is not taken", an_old_life_is_not_taken },
	{ "lost greetings are asked for again",
	  lost_greetings_are_asked_for_again },
	{ "a pad given twice is found out", a_pad_given_twice_is_found_out },
};

int main(void)
{
	int r;

	if (crypto_open() != 0) {
		printf("1..0 # SKIP libcrypto lacks a cipher\n");
		return 1;
	}
	ops = crypto_table();
	r = check_main(tests, ARRAY_SIZE(tests));
	for (unsigned i = 0; i < 2; i++) {
		free(w.end[i].file);
		free(w.end[i].arena.base);
	}
	crypto_close();
	return r;
}
