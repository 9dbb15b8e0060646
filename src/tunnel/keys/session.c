/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * session.c - Transport: numbers, nonces, and what came before
 *
 * Theory of operation
 *
 * Paths have numbers of their own, since packets of several paths overtake each
 * other by seconds: one window for all would have to be as long. The machine's
 * own number of a path (multipath/header.h) cannot serve: its feedback has
 * none, and it begins again when the other end is new. Here a message of any
 * kind gets a number, and it ends with the key.
 *
 * Of the number 32 bits travel; the receiver takes the one that is nearest to
 * the next it expects (as RFC 9000 appendix A.3 does). A window of
 * SESSION_WINDOW bits, a ring over the numbers, says which have come (RFC
 * 6479). It moves only by packets that are authentic.
 */
#include "keys/session.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "core/bytes.h"

/* Far before the last number: a session lasts three minutes. */
#define NUMBERS (UINT64_C(1) << 60)

#define AT_PATH	   1
#define AT_INDEX   2
#define AT_COUNTER 4

uint16_t session_index(const uint8_t *p)
{
	return get_be16(p + AT_INDEX);
}

static void put_nonce(uint8_t nonce[CRYPTO_NONCE], unsigned path,
		      uint64_t number)
{
	put_le32(nonce, path);
	put_le32(nonce + 4, (uint32_t)number);
	put_le32(nonce + 8, (uint32_t)(number >> 32));
}

int session_seal(struct session *s, const struct crypto_ops *ops, unsigned path,
		 uint8_t *p, uint32_t n)
{
	struct crypto_part ad = { p, SESSION_HEADER };
	uint8_t nonce[CRYPTO_NONCE];
	uint64_t number;

	assert(s->used && path < SESSION_PATHS);
	number = s->sent[path];
	if (number >= NUMBERS)
		return -EOVERFLOW;
	/* Used, even if sealing fails: half of it may have been done. */
	s->sent[path]++;
	p[0] = SESSION_TYPE;
	p[AT_PATH] = (uint8_t)path;
	put_be16(p + AT_INDEX, (uint16_t)s->theirs);
	put_be32(p + AT_COUNTER, (uint32_t)number);
	put_nonce(nonce, path, number);
	return ops->seal(p + SESSION_HEADER, s->keys.send, nonce, &ad,
			 p + SESSION_HEADER, n);
}

/* The number with these lower 32 bits that is nearest to @next. */
static uint64_t nearest(uint64_t next, uint32_t low)
{
	const uint64_t round = UINT64_C(1) << 32;
	uint64_t n = (next & ~(round - 1)) | low;

	if (n + round / 2 <= next)
		return n + round;
	if (n > next + round / 2 && n >= round)
		return n - round;
	return n;
}

static bool is_new(const struct session_window *w, uint64_t n)
{
	uint64_t bit = UINT64_C(1) << n % 64;

	if (n >= w->next)
		return true;
	return w->next - n <= SESSION_WINDOW &&
	       !(w->bits[n % SESSION_WINDOW / 64] & bit);
}

static void note(struct session_window *w, uint64_t n)
{
	assert(is_new(w, n));
	if (n >= w->next && n - w->next >= SESSION_WINDOW) {
		memset(w->bits, 0, sizeof(w->bits));
		w->next = n + 1;
	}
	while (w->next <= n) {
		w->bits[w->next % SESSION_WINDOW / 64] &=
			~(UINT64_C(1) << w->next % 64);
		w->next++;
	}
	w->bits[n % SESSION_WINDOW / 64] |= UINT64_C(1) << n % 64;
}

int session_open(struct session *s, const struct crypto_ops *ops, uint8_t *p,
		 uint32_t n, bool *newest)
{
	struct crypto_part ad = { p, SESSION_HEADER };
	struct session_window *w;
	uint8_t nonce[CRYPTO_NONCE];
	uint64_t number;
	int r;

	assert(s->used);
	if (n < SESSION_HEADER + CRYPTO_TAG || p[AT_PATH] >= SESSION_PATHS)
		return -EINVAL;
	w = &s->came[p[AT_PATH]];
	number = nearest(w->next, get_be32(p + AT_COUNTER));
	if (number >= NUMBERS || !is_new(w, number))
		return -EALREADY;
	put_nonce(nonce, p[AT_PATH], number);
	r = ops->open(p + SESSION_HEADER, s->keys.recv, nonce, &ad,
		      p + SESSION_HEADER, n - SESSION_HEADER);
	if (r != 0)
		return r;
	*newest = number >= w->next;
	note(w, number);
	return 0;
}
