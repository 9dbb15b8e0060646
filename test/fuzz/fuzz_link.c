/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_link.c - Fuzz two ends of a link and what becomes of their datagrams
 *
 * The input is a list of operations: packets, time, datagrams that arrive in any
 * order, again, changed or never, bytes of nobody's, an end that begins anew.
 * Primitives are toys of the right shape (a product for X25519, a keyed hash for
 * all else), fast and without secrets: what is looked for is what a link does with
 * them. Of a link with keys: no packet is taken twice or changed; no key seals twice
 * with one nonce; what was not sent opens nothing. Of one with a pad the same, and no
 * byte of the pad hides two, also of an end that began anew. Of all kinds:
 * link_check() after each call, and when all arrives again, packets go both ways.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "core/hash.h"
#include "keys/link.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define WIRE	 32
#define SEALS	 4096
#define PACKETS	 1024
#define DATAGRAM 192
#define PAD	 (PAD_PAGE + PAD_LEAST)

struct datagram {
	uint8_t p[DATAGRAM];
	uint32_t n;
	uint8_t to;
};

struct end {
	struct link *l;
	struct arena arena;
	struct noise_self self;
	struct pad pad;
	uint8_t file[PAD];
	uint32_t got; /* last packet that arrived */
};

static struct {
	struct end end[2]; /* 0 begins */
	bool plain;
	bool padded;
	bool used[PAD]; /* bytes that have hidden something */
	uint64_t now;
	uint64_t random;
	struct datagram wire[WIRE];
	unsigned wires;
	uint64_t seal[SEALS];
	unsigned seals;
	uint32_t packets;
	bool came[2][PACKETS];
} w;

/* --- primitives --- */

static const struct hash_key toy = { { 1, 2 } };

static int toy_public(uint8_t out[CRYPTO_KEY], const uint8_t priv[CRYPTO_KEY])
{
	memset(out, 0, CRYPTO_KEY);
	put_le32(out, get_le32(priv) * 0x9e3779b1u | 1);
	return 0;
}

static int toy_dh(uint8_t out[CRYPTO_KEY], const uint8_t priv[CRYPTO_KEY],
		  const uint8_t pub[CRYPTO_KEY])
{
	memset(out, 0, CRYPTO_KEY);
	if (get_le32(pub) == 0)
		return -EBADMSG;
	put_le32(out, (get_le32(priv) * 0x9e3779b1u | 1) * get_le32(pub));
	return 0;
}

static int toy_hash(uint8_t out[CRYPTO_HASH], const struct crypto_part *part,
		    size_t n)
{
	uint64_t h = 0;

	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < part[i].n; k++)
			h = (h ^ ((const uint8_t *)part[i].p)[k]) *
			    0x100000001b3;
	for (int i = 0; i < CRYPTO_HASH; i++)
		out[i] = (uint8_t)(h >> i % 8 * 8);
	return 0;
}

static int toy_mac(uint8_t out[CRYPTO_MAC], const uint8_t *key, size_t key_len,
		   const void *p, size_t n)
{
	struct crypto_part part[] = { { key, key_len }, { p, n } };
	uint8_t h[CRYPTO_HASH];

	toy_hash(h, part, 2);
	memcpy(out, h, CRYPTO_MAC);
	return 0;
}

static void tag_of(uint8_t out[CRYPTO_TAG], const uint8_t *key,
		   const uint8_t *nonce, const struct crypto_part *ad,
		   const uint8_t *p, size_t n)
{
	struct crypto_part part[] = {
		{ key, CRYPTO_KEY }, { nonce, CRYPTO_NONCE }, *ad, { p, n }
	};
	uint8_t h[CRYPTO_HASH];

	toy_hash(h, part, 4);
	memcpy(out, h, CRYPTO_TAG);
}

static int toy_seal(uint8_t *out, const uint8_t key[CRYPTO_KEY],
		    const uint8_t nonce[CRYPTO_NONCE],
		    const struct crypto_part *ad, const uint8_t *in, size_t n)
{
	uint8_t both[CRYPTO_KEY + CRYPTO_NONCE];
	uint64_t id;

	memcpy(both, key, CRYPTO_KEY);
	memcpy(both + CRYPTO_KEY, nonce, CRYPTO_NONCE);
	id = hash_bytes(&toy, both, sizeof(both));
	for (unsigned i = 0; i < w.seals; i++)
		assert(w.seal[i] != id);
	if (w.seals < SEALS)
		w.seal[w.seals++] = id;
	if (n > 0)
		memmove(out, in, n);
	tag_of(out + n, key, nonce, ad, out, n);
	return 0;
}

static int toy_open(uint8_t *out, const uint8_t key[CRYPTO_KEY],
		    const uint8_t nonce[CRYPTO_NONCE],
		    const struct crypto_part *ad, const uint8_t *in, size_t n)
{
	uint8_t tag[CRYPTO_TAG];

	if (n < CRYPTO_TAG)
		return -EBADMSG;
	n -= CRYPTO_TAG;
	tag_of(tag, key, nonce, ad, in, n);
	if (memcmp(tag, in + n, CRYPTO_TAG) != 0)
		return -EBADMSG;
	memmove(out, in, n);
	return 0;
}

static int toy_block(uint8_t out[CRYPTO_BLOCK], const uint8_t key[CRYPTO_KEY],
		     const uint8_t counter[16])
{
	struct crypto_part part[] = { { key, CRYPTO_KEY }, { counter, 16 } };

	toy_hash(out, part, 2);
	toy_hash(out + CRYPTO_HASH, part, 2);
	return 0;
}

static int toy_poly(uint8_t out[CRYPTO_TAG], const uint8_t key[CRYPTO_KEY],
		    const void *p, size_t n)
{
	return toy_mac(out, key, CRYPTO_KEY, p, n);
}

static const struct crypto_ops ops = {
	toy_public, toy_dh,   toy_hash,	 toy_mac,
	toy_seal,   toy_open, toy_block, toy_poly
};

static int numbers(void *p, size_t n)
{
	uint8_t *b = p;

	for (size_t i = 0; i < n; i++) {
		w.random = w.random * 6364136223846793005u + 1;
		b[i] = (uint8_t)(w.random >> 56);
	}
	return 0;
}

/* --- world --- */

static int kept(void *ctx)
{
	(void)ctx;
	return 0;
}

/* A process that is killed leaves its file. Return: whether it is of use yet */
static bool load(unsigned i)
{
	struct end *e = &w.end[i];

	e->pad = (struct pad){ .ops = &ops, .keep = kept, .bytes = e->file };
	return pad_load(&e->pad, PAD, i == 0) == 0;
}

static void make_end(unsigned i)
{
	struct end *e = &w.end[i];
	struct link_config c = { .role = i == 0 ? LINK_BEGINS : LINK_ANSWERS,
				 .plain = w.plain,
				 .self = &e->self,
				 .random = numbers };

	if (w.padded) {
		c.pad = &e->pad;
		if (!load(i))
			return;
	}
	numbers(&c.tokens, sizeof(c.tokens));
	e->arena.used = 0;
	memset(e->arena.base, 0, e->arena.size);
	if (link_init(&e->l, &e->arena, &c, w.now) != 0)
		abort();
}

static void make_files(void)
{
	static uint8_t file[PAD];

	memset(w.used, 0, sizeof(w.used));
	if (get_be64(file + PAD_PAGE) == 0) {
		pad_page(file, PAD_LEAST);
		numbers(file + PAD_PAGE, PAD_LEAST);
	}
	for (unsigned i = 0; i < 2; i++)
		memcpy(w.end[i].file, file, PAD);
}

static void make_world(unsigned kind)
{
	uint8_t priv[2][CRYPTO_KEY], pub[2][CRYPTO_KEY];

	w.plain = kind == 1;
	w.padded = kind == 2;
	if (w.padded)
		make_files();
	w.now = NS_PER_SEC;
	w.random = 1;
	w.wires = w.seals = w.packets = 0;
	memset(w.came, 0, sizeof(w.came));
	for (unsigned i = 0; i < 2; i++) {
		numbers(priv[i], CRYPTO_KEY);
		toy_public(pub[i], priv[i]);
	}
	for (unsigned i = 0; i < 2; i++) {
		struct end *e = &w.end[i];

		if (noise_self_init(&e->self, &ops, priv[i], pub[!i], NULL))
			abort();
		if (e->arena.base == NULL) {
			e->arena.size = link_size();
			e->arena.base =
				aligned_alloc(ARENA_ALIGN, e->arena.size);
		}
		make_end(i);
	}
}

static void put(unsigned to, const uint8_t *p, uint32_t n)
{
	struct datagram *d = &w.wire[w.wires];
	uint64_t at = w.padded && n > 0 ? pad_offset(p) : 0;

	for (uint32_t i = 0;
	     w.padded && n > 0 && i < n + PAD_KEY - PAD_HEADER - CRYPTO_TAG;
	     i++) {
		assert(!w.used[at + i]);
		w.used[at + i] = true;
	}
	if (n == 0 || w.wires == WIRE)
		return; /* lost */
	assert(n <= DATAGRAM);
	memcpy(d->p, p, n);
	d->n = n;
	d->to = (uint8_t)to;
	w.wires++;
}

static void carry_out(unsigned i, const struct link_out *out, unsigned path)
{
	struct link *l = w.end[i].l;
	uint8_t d[LINK_MESSAGE];

	assert(out->reply_len <= LINK_MESSAGE);
	assert(!out->restart || out->opened);
	put(!i, out->reply, out->reply_len);
	for (unsigned p = 0; p < 2; p++) {
		if (out->ask)
			put(!i, d, link_ask(l, p, d));
		if (out->greet)
			put(!i, d, link_greet(l, p, true, d, w.now));
	}
	if (out->greet_back)
		put(!i, d, link_greet(l, path, false, d, w.now));
	assert(link_check(l) == NULL);
}

/* @honest: nobody has changed or made it. */
static void arrive(unsigned to, const uint8_t *p, uint32_t n, bool honest)
{
	struct link_out out = { .ask = false };
	uint8_t *copy = malloc(n > 0 ? n : 1);
	struct link_in in = {
		.p = copy, .n = n, .from = "x", .from_len = 1, .ways = 3
	};
	enum link_got got;
	uint32_t id;

	if (copy == NULL)
		abort();
	memcpy(copy, p, n);
	got = link_input(w.end[to].l, &in, w.now, &out);
	if (!w.plain && !honest)
		assert(got == LINK_NOTHING && !out.opened);
	if (got == LINK_PACKET) {
		assert(in.path < LINK_PATHS && in.off + in.len <= n);
		id = in.len == 4 ? get_be32(copy + in.off) : 0;
		assert(w.plain || (in.len == 4 && id < w.packets));
		if (!w.plain && id < PACKETS) {
			assert(!w.came[to][id]);
			w.came[to][id] = true;
		}
		w.end[to].got = id;
	}
	carry_out(to, &out, in.path);
	free(copy);
}

static void send_packet(unsigned from, unsigned path)
{
	uint8_t d[LINK_HEADER + 4 + CRYPTO_TAG];
	int n;

	put_be32(d + LINK_HEADER, w.packets);
	n = link_seal(w.end[from].l, path, d, 4, true, w.now);
	if (n == -ENOSPC) {
		assert(w.padded && w.end[from].pad.state == PAD_USED_UP);
		return;
	}
	assert(n > 0 || n == -ENOTCONN);
	assert((n > 0) == link_open(w.end[from].l, w.now));
	if (n > 0)
		put(!from, d, (uint32_t)n);
	w.packets++;
}

static void timeout(unsigned i)
{
	struct link_out out = { .ask = false };

	link_timeout(w.end[i].l, w.now, w.now, &out);
	assert(link_next_timeout(w.end[i].l) > w.now);
	carry_out(i, &out, 0);
}

static void take(unsigned i, bool keep, bool honest)
{
	struct datagram d = w.wire[i];

	if (!keep)
		memmove(&w.wire[i], &w.wire[i + 1],
			(--w.wires - i) * sizeof(w.wire[0]));
	arrive(d.to, d.p, d.n, honest);
}

/* A packet each way, and all that comes of it. Return: whether both arrived */
static bool exchange(void)
{
	uint32_t first = w.packets;

	for (unsigned i = 0; i < 2; i++) {
		send_packet(i, i);
		while (w.wires > 0)
			take(0, false, true);
	}
	return w.end[1].got == first && w.end[0].got == first + 1;
}

/* All arrives from now on, in order: soon packets go both ways again. */
static void heal(void)
{
	bool both = false;

	w.wires = 0;
	w.end[0].got = w.end[1].got = UINT32_MAX; /* none */
	for (int k = 0; k < 20 && !both; k++) {
		w.now += 2 * NS_PER_SEC;
		timeout(0);
		timeout(1);
		both = exchange();
	}
	for (unsigned i = 0; i < 2; i++)
		if (w.padded && (w.end[i].pad.state != PAD_GOOD ||
				 pad_left(&w.end[i].pad) < PAD_LEAST / 8))
			return;
	assert(both);
}

/* One operation of two bytes. Return: how many bytes more it took */
static size_t operate(uint8_t op, uint8_t x, const uint8_t *more, size_t left)
{
	struct datagram d;

	switch (op % 8) {
	case 0:
		send_packet(x & 1, x >> 1 & 15);
		break;
	case 1:
		w.now += (uint64_t)(x + 1) << (op / 8);
		break;
	case 2:
		timeout(x & 1);
		break;
	case 3:
	case 4:
		if (w.wires > 0)
			take(x % w.wires, op % 8 == 4, true);
		break;
	case 5:
		if (w.wires == 0 || left == 0)
			break;
		d = w.wire[x % w.wires];
		if (more[0] == 0)
			break;
		d.p[op / 8 * 6 % d.n] ^= more[0];
		/* A handshake's mac2 is not looked at. */
		arrive(d.to, d.p, d.n, d.p[0] < 4);
		return 1;
	case 6:
		if (x > left)
			break;
		arrive(op / 8 & 1, more, x, false);
		return x;
	default:
		if (op / 8 < 2)
			make_end(op / 8 & 1);
		else if (w.wires > 0)
			w.wires--;
		break;
	}
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t at = 1;

	if (size < 3 || size > 2048)
		return 0;
	make_world(data[0] % 3);
	while (at + 2 <= size) {
		uint8_t op = data[at], x = data[at + 1];

		at += 2;
		at += operate(op, x, data + at, size - at);
	}
	heal();
	return 0;
}
