/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_given.c - What production gives its clients, and the SUT otherwise
 *
 * Input: steps. Each begins with a byte: which leg, and whether tokens in content or
 * cookies are given. Then come symbols, a byte each, in three lists that end with a
 * byte from 0xf0 on: what production says, what the SUT says (0xff: nothing yet, of
 * cookies), what a client sends. A token's symbol is a word that looks like one, a
 * name's one that does not. An oracle knows which tokens the judge must find, and a
 * model what each leg has learned: a request hangs on the session if and only if it
 * sends one of these.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/asked.h"
#include "app/tokens.h"
#include "case_rig.h"
#include "judge/judge.h"
#include "session/session.h"

#define TOKENS	12u
#define SYMBOLS 20u /* behind the tokens: names */
#define COOKIES 16u
#define LEGS	2u
#define LIST	300u
#define LOOKED	128u /* tokens of a content that are looked at */
#define SEED	UINT64_C(77)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct list {
	uint8_t end; /* the byte that ended it */
	size_t n;
	uint8_t at[LIST];
};

static const struct hash_key key = { { 3, 4 } };
static struct judge *judge;
static struct arena judge_mem, session_mem;
static struct session *tokens, *cookies;
static bool learned[LEGS][TOKENS];
static enum session_state state[LEGS][COOKIES];

static int no_coding(void *ctx, const uint8_t *coding, size_t cn,
		     const uint8_t *in, size_t n, uint8_t *out, size_t room,
		     size_t *len)
{
	(void)ctx, (void)coding, (void)cn, (void)in, (void)n;
	(void)out, (void)room, (void)len;
	return 1;
}

static void reset(void)
{
	static const struct judge_limits l = {
		.members = 64,
		.decoded = 65536,
		.versions = { .answers = 8, .bytes = 8192 },
		.held = 1,
		.longest = 64,
	};
	static const struct judge_ops ops = { .decode = no_coding };

	if (judge == NULL) {
		judge_mem.size = judge_size(&l);
		judge_mem.base = aligned_alloc(ARENA_ALIGN, judge_mem.size);
		assert(judge_init(&judge, &judge_mem, &l, case_rules(""), &key,
				  &ops) == 0);
		session_mem.size = 2 * session_size();
		session_mem.base = aligned_alloc(ARENA_ALIGN, session_mem.size);
	}
	session_mem.used = 0;
	assert(session_init(&tokens, &session_mem) == 0);
	assert(session_init(&cookies, &session_mem) == 0);
	memset(learned, 0, sizeof(learned));
	memset(state, 0, sizeof(state));
}

static void word(unsigned symbol, char out[32])
{
	snprintf(out, 32, symbol < TOKENS ? "a1b2c3d4e5f60718%02u" : "name%u",
		 symbol);
}

static uint64_t number(unsigned symbol, uint64_t seed)
{
	struct token_reader r;
	struct token_word w;
	char text[32];

	word(symbol, text);
	tokens_begin(&r, seed);
	for (const char *p = text; *p != '\0'; p++)
		assert(!tokens_next(&r, (uint8_t)*p, &w));
	assert(tokens_end(&r, &w) && w.token == (symbol < TOKENS));
	return w.number;
}

static size_t text_of(const struct list *l, uint8_t *out)
{
	size_t n = 0;
	char w[32];

	for (size_t i = 0; i < l->n; i++) {
		word(l->at[i] % SYMBOLS, w);
		n += (size_t)sprintf((char *)out + n, "%s%c", w,
				     " \n,=:\"/&"[l->at[i] / SYMBOLS % 8]);
	}
	return n;
}

/* A list as tokens with their names. */
struct named {
	size_t n;
	uint8_t token[LOOKED];
	uint8_t name[LOOKED]; /* 0: none */
};

static struct named named(const struct list *l)
{
	struct named out = { 0 };
	uint8_t name = 0;

	for (size_t i = 0; i < l->n && out.n < LOOKED; i++) {
		uint8_t s = l->at[i] % SYMBOLS;

		if (s >= TOKENS) {
			name = s;
			continue;
		}
		out.token[out.n] = s;
		out.name[out.n++] = name;
	}
	return out;
}

static bool has(const struct named *n, uint8_t token)
{
	return memchr(n->token, token, n->n) != NULL;
}

/* Tokens of @a in whose place @b has one of its own: how many, at most @most. */
static unsigned oracle(const struct named *a, const struct named *b,
		       uint8_t *out, unsigned most)
{
	unsigned k = 0;

	for (size_t i = 0; i < a->n && k < most; i++) {
		bool other = false;

		for (size_t j = 0; j < b->n; j++)
			other |= b->name[j] == a->name[i] &&
				 !has(a, b->token[j]);
		if (other && !has(b, a->token[i]))
			out[k++] = a->token[i];
	}
	return k;
}

static void give_tokens(unsigned leg, const struct list l[3])
{
	static const uint8_t head[] = "HTTP/1.1 200 OK\r\n"
				      "Content-Type: text/plain\r\n\r\n";
	static uint8_t text[2][LIST * 32];
	struct named a = named(&l[0]), b = named(&l[1]);
	struct case_view c = { 0 };
	struct case_answer said;
	uint8_t want[CASE_GIVEN];
	uint64_t sent[9] = { 0 };
	unsigned n = oracle(&a, &b, want, CASE_GIVEN);
	bool hangs = false;

	for (unsigned i = 0; i < CASE_PARTS; i++)
		case_part(&c, i, head, 0);
	for (unsigned i = 0; i < 2; i++) {
		case_part(&c, CASE_HEAD + i, head, sizeof(head) - 1);
		case_part(&c, CASE_BODY + i, text[i], text_of(&l[i], text[i]));
	}
	assert(judge_case(judge, &c, &said));
	assert(case_is_answer(&said, 0));
	assert(said.givens == n);
	for (unsigned i = 0; i < n; i++) {
		assert(said.given[i] == number(want[i], tokens_seed(&key)));
		learned[leg][want[i]] = true;
	}
	session_tokens(tokens, leg, said.given, said.givens);
	for (size_t i = 0; i < l[2].n && i < 8; i++) {
		uint8_t s = l[2].at[i] % TOKENS;

		sent[i] = number(s, tokens_seed(&key));
		hangs |= learned[leg][s];
	}
	assert(session_hangs(tokens, leg, sent, 8) == hangs);
}

static size_t cookie(unsigned c, char *out)
{
	return (size_t)sprintf(out, "n%u=v%u", c / 4, c % 4);
}

static size_t head_of(const struct list *l, char *out)
{
	size_t n = (size_t)sprintf(out, "Server: x\r\n");

	for (size_t i = 0; i < l->n; i++) {
		n += (size_t)sprintf(out + n, "set-Cookie:  ");
		n += cookie(l->at[i] % COOKIES, out + n);
		n += (size_t)sprintf(out + n, "%s\r\n",
				     (l->at[i] & 16) ? "; Path=/" : "");
	}
	return n + (size_t)sprintf(out + n, "\r\n");
}

static bool gives(const struct list *l, uint8_t c)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->at[i] % COOKIES == c)
			return true;
	return false;
}

static void give_cookies(unsigned leg, const struct list l[3])
{
	static char head[2][LIST * 40];
	struct head_rest r[2];
	bool here = l[1].end != 0xff, hangs = false;
	uint64_t sent[9] = { 0 };
	char text[32];

	for (unsigned i = 0; i < 2; i++) {
		r[i].p = (const uint8_t *)head[i];
		r[i].end = r[i].p + head_of(&l[i], head[i]);
	}
	session_given(cookies, SEED, leg, r[0], here ? &r[1] : NULL);
	for (size_t i = 0; i < l[0].n && i < SESSION_GIVEN; i++) {
		uint8_t c = l[0].at[i] % COOKIES;

		if (here)
			state[leg][c] =
				gives(&l[1], c) ? SESSION_SAME : SESSION_OTHER;
		else if (state[leg][c] == SESSION_UNKNOWN)
			state[leg][c] = SESSION_OPEN;
	}
	for (size_t i = 0; i < l[2].n && i < 8; i++) {
		uint8_t c = l[2].at[i] % COOKIES;

		sent[i] = asked_pair(SEED, (const uint8_t *)text,
				     cookie(c, text));
		hangs |= state[leg][c] == SESSION_OPEN ||
			 state[leg][c] == SESSION_OTHER;
	}
	assert(session_hangs(cookies, leg, sent, 8) == hangs);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct list l[3];

	if (size > 4096)
		return 0;
	reset();
	while (size > 0) {
		uint8_t how = data[0];

		data++;
		size--;
		for (unsigned i = 0; i < 3; i++)
			l[i] = (struct list){ .end = 0xf0 };
		for (unsigned i = 0; i < 3; i++) {
			while (size > 0 && data[0] < 0xf0 && l[i].n < LIST) {
				l[i].at[l[i].n++] = data[0];
				data++;
				size--;
			}
			if (size == 0)
				break;
			l[i].end = data[0];
			data++;
			size--;
		}
		if (how & 2)
			give_cookies(how & 1, l);
		else
			give_tokens(how & 1, l);
	}
	return 0;
}
