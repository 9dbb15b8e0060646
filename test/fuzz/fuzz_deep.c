/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_deep.c - Heads, texts, markup, multipart and forms
 *
 * Input: 1 byte: which judge, and which rules; then two pieces with a byte 0xff
 * between them. What is compared with itself is equal and needs nothing; two
 * are equal the other way round, too; what is told lies in its piece. And: a
 * head in another order of its names is equal, with one more field it is not; a
 * text with one more byte, or markup with one more tag, is not, and markup with
 * blanks around it is.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "deep/headers.h"
#include "deep/markup.h"
#include "deep/parts.h"
#include "deep/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const rule_texts[] = {
	"",
	"header ignore A\nheader set B\nheader case C\ncookie session s\n",
	"include @nginx\ncookie class s hex\ncookie ignore t\n",
	"text mask /[0-9]+/\ntext mask /(a|ab)*c/\nheader class X token\n",
};

#define RULES (sizeof(rule_texts) / sizeof(rule_texts[0]))
#define MOST  4096u

static struct rules *rules[RULES];

static const struct rules_view *view(unsigned which)
{
	struct arena a = { .size = rules_size() };
	struct rules_error e;
	char text[512];

	if (rules[which] == NULL) {
		a.base = aligned_alloc(ARENA_ALIGN, a.size);
		assert(rules_init(&rules[which], &a) == 0);
		snprintf(text, sizeof(text), "understudy rules 1\n%s",
			 rule_texts[which]);
		assert(rules_read(rules[which], text, strlen(text), &e) == 0);
		assert(rules_end(rules[which], 0) == 0);
	}
	return rules_view(rules[which], RULES_ALL);
}

struct in {
	const uint8_t *p;
	size_t n;
};

static enum headers_outcome heads(unsigned which, struct in a, struct in b,
				  struct headers_verdict *v)
{
	struct headers_rules by = { .view = view(which & 3),
				    .flags = which >> 2 & 3 };

	by.rules = rules[which & 3];
	headers_compare(&by, a.p, a.n, b.p, b.n, v);
	assert(v->at[0] + v->len[0] <= a.n && v->at[1] + v->len[1] <= b.n);
	assert((v->outcome == HEADERS_DIFFERENT) ==
	       (v->change != HEADERS_NO_CHANGE));
	return v->outcome;
}

/* Field lines in reverse; false: two of one name, or a line that is none. */
static bool reverse(struct in a, uint8_t *out)
{
	size_t to = a.n, from;
	uint8_t names[256] = { 0 };

	for (from = 0; from < a.n;) {
		const uint8_t *end = memchr(a.p + from, '\n', a.n - from);
		uint8_t c = a.p[from];
		size_t n;

		if (end == NULL || c <= ' ' || a.p[from + 1] != ':' ||
		    names[c | 0x20]++ != 0)
			return false;
		n = (size_t)(end - a.p) + 1 - from;
		to -= n;
		memcpy(out + to, a.p + from, n);
		from += n;
	}
	return true;
}

static void fuzz_heads(unsigned which, struct in a, struct in b)
{
	struct headers_verdict v;
	uint8_t other[MOST + 8];
	enum headers_outcome one = heads(which, a, b, &v);
	enum headers_outcome back = heads(which, b, a, &v);

	if (one != HEADERS_UNJUDGED && back != HEADERS_UNJUDGED)
		assert((one == HEADERS_EQUAL) == (back == HEADERS_EQUAL));
	if (heads(which, a, a, &v) != HEADERS_UNJUDGED)
		assert(v.outcome == HEADERS_EQUAL && v.made == 0);
	if (!reverse(a, other))
		return;
	assert(heads(which, a, (struct in){ other, a.n }, &v) == HEADERS_EQUAL);
	memcpy(other + a.n, "Zz: 1\n", 6);
	heads(which, a, (struct in){ other, a.n + 6 }, &v);
	assert(v.outcome == HEADERS_DIFFERENT && v.change == HEADERS_EXTRA);
	assert(strcmp(v.name, "zz") == 0);
}

static enum text_outcome text(unsigned which, struct in a, struct in b,
			      struct text_verdict *v)
{
	text_compare(view(which & 3), a.p, a.n, b.p, b.n, v);
	assert(v->at[0] + v->len[0] <= a.n && v->at[1] + v->len[1] <= b.n);
	return v->outcome;
}

static void fuzz_text(unsigned which, struct in a, struct in b)
{
	enum text_outcome one, back;
	struct text_verdict v;
	uint8_t more[MOST + 1];
	size_t at = binary_first(a.p, a.n, b.p, b.n);

	one = text(which, a, b, &v);
	back = text(which, b, a, &v);
	if (one != TEXT_UNJUDGED && back != TEXT_UNJUDGED)
		assert(one == back);
	assert(text(which, a, a, &v) == TEXT_EQUAL && v.masks == 0);
	memcpy(more, a.p, a.n);
	more[a.n] = 'z';
	assert(text(which, a, (struct in){ more, a.n + 1 }, &v) != TEXT_EQUAL);
	assert(at <= a.n && at <= b.n && memcmp(a.p, b.p, at) == 0);
	if (at < a.n && at < b.n)
		assert(a.p[at] != b.p[at]);
	assert(binary_type(a.p, a.n) != NULL);
}

static enum markup_outcome markup(unsigned which, struct in a, struct in b,
				  struct markup_verdict *v)
{
	markup_compare(view(which & 3), (which & 4) != 0, a.p, a.n, b.p, b.n,
		       v);
	assert(v->at[0] + v->len[0] <= a.n && v->at[1] + v->len[1] <= b.n);
	assert(memchr(v->path, '\0', sizeof(v->path)) != NULL);
	return v->outcome;
}

static void fuzz_markup(unsigned which, struct in a, struct in b)
{
	enum markup_outcome one, back;
	struct markup_verdict v;
	uint8_t more[MOST + 8];

	one = markup(which, a, b, &v);
	back = markup(which, b, a, &v);
	if ((which & 3) != 3)
		assert(one == back);
	assert(markup(which, a, a, &v) == MARKUP_EQUAL);
	assert(!v.folded && !v.tokens && v.masks == 0);
	memcpy(more, " \n", 2);
	memcpy(more + 2, a.p, a.n);
	assert(markup(which, a, (struct in){ more, a.n + 2 }, &v) ==
	       MARKUP_EQUAL);
	memcpy(more, "<zq>", 4);
	memcpy(more + 4, a.p, a.n);
	assert(markup(which & ~3u, a, (struct in){ more, a.n + 4 }, &v) ==
	       MARKUP_DIFFERENT);
}

static void fuzz_parts(unsigned which, struct in a, struct in b)
{
	static const char type[] = "multipart/x; boundary=B";
	const uint8_t *const types[2] = { (const uint8_t *)type,
					  (const uint8_t *)type };
	const size_t tn[2] = { sizeof(type) - 1, sizeof(type) - 1 };
	const uint8_t *const body[2] = { a.p, b.p }, *const same[2] = { a.p,
									a.p };
	const size_t n[2] = { a.n, b.n }, own[2] = { a.n, a.n };
	struct headers_rules by = { .view = view(which & 3) };
	struct parts_verdict v;

	by.rules = rules[which & 3];
	if ((which & 4) != 0)
		multipart_compare(&by, types, tn, body, n, &v);
	else
		form_compare(body, n, &v);
	assert(v.at[0] + v.len[0] <= a.n && v.at[1] + v.len[1] <= b.n);
	if ((which & 4) != 0)
		multipart_compare(&by, types, tn, same, own, &v);
	else
		form_compare(same, own, &v);
	assert(v.outcome != PARTS_DIFFERENT || v.change == PARTS_HEADER);
	if (v.outcome == PARTS_DIFFERENT)
		assert(v.head.outcome == HEADERS_UNJUDGED);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *mark;
	struct in a, b;
	uint8_t *p, *q;
	unsigned which;

	if (size < 2 || size > MOST)
		return 0;
	which = data[0];
	data++;
	size--;
	mark = memchr(data, 0xff, size);
	a.n = mark != NULL ? (size_t)(mark - data) : size;
	b.n = mark != NULL ? size - a.n - 1 : size;
	a.p = p = malloc(a.n > 0 ? a.n : 1);
	b.p = q = malloc(b.n > 0 ? b.n : 1);
	memcpy(p, data, a.n);
	memcpy(q, mark != NULL ? mark + 1 : data, b.n);
	if ((which & 0x30) == 0)
		fuzz_heads(which, a, b);
	else if ((which & 0x30) == 0x10)
		fuzz_text(which, a, b);
	else if ((which & 0x30) == 0x20)
		fuzz_markup(which, a, b);
	else
		fuzz_parts(which, a, b);
	free(p);
	free(q);
	return 0;
}
