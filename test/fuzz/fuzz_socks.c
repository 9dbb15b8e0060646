/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_socks.c - Fuzz what a client of SOCKS says
 *
 * Messages are read one after the other, as far as the bytes go. Cut at any place, the
 * same comes of them; what is not whole changes nothing; lengths, names and replies are
 * in their bounds.
 */
#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "dial/socks.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum socks_step read_copy(struct socks *s, const uint8_t *p, size_t n,
				 size_t *used)
{
	uint8_t *copy = malloc(n > 0 ? n : 1);
	enum socks_step step;

	if (copy == NULL)
		abort();
	memcpy(copy, p, n);
	step = socks_read(s, copy, n, used);
	free(copy);
	return step;
}

static void check(const struct socks *s, enum socks_step step, size_t n,
		  size_t used)
{
	assert(used <= n);
	assert((step == SOCKS_MORE) == (used == 0));
	assert(step != SOCKS_MORE || n < SOCKS_MOST);
	assert(s->reply_len <= SOCKS_REPLY);
	assert(step != SOCKS_ANSWER || s->reply_len > 0);
	assert(s->name[s->name_len] == '\0' && strlen(s->name) == s->name_len);
	assert(step != SOCKS_CONNECT || s->lock == SOCKS_OPEN ||
	       s->lock == SOCKS_KNOWN);
	if (step == SOCKS_CONNECT)
		assert(s->command == 1 && (s->version == 4 || s->version == 5));
}

/* What he says of himself lies in his bytes. */
static void login(struct socks *s, const uint8_t *b, size_t used)
{
	struct socks_names who = socks_names(b);

	assert(who.name == b + 2 &&
	       who.password == who.name + who.name_len + 1);
	assert(who.password + who.password_len == b + used);
	socks_login(s, true);
	assert(s->reply_len == 2);
}

static void read_all(const uint8_t *data, size_t size, enum socks_lock lock)
{
	struct socks s, was, whole;
	size_t at = 0, used;

	memset(&s, 0, sizeof(s));
	s.lock = (uint8_t)lock;
	for (;;) {
		size_t n = size - at < SOCKS_MOST ? size - at : SOCKS_MOST;
		enum socks_step step, last = SOCKS_MORE;

		was = whole = s;
		step = read_copy(&whole, data + at, n, &used);
		check(&whole, step, n, used);
		if (step == SOCKS_MORE)
			assert(memcmp(&whole, &was, sizeof(was)) == 0);
		/* A byte at a time it ends at the same one, or sooner if refused. */
		for (size_t i = 0; i <= n && last == SOCKS_MORE; i++) {
			s = was;
			last = read_copy(&s, data + at, i, &used);
			check(&s, last, i, used);
		}
		if (step == SOCKS_ANSWER || step == SOCKS_CONNECT ||
		    step == SOCKS_LOGIN)
			assert(last == step &&
			       memcmp(&s, &whole, sizeof(s)) == 0);
		if (last == SOCKS_LOGIN)
			login(&s, data + at, used);
		else if (last != SOCKS_ANSWER)
			return;
		at += used;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	read_all(data, size, SOCKS_OPEN);
	read_all(data, size, SOCKS_LOCKED);
	return 0;
}
