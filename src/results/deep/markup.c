/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * markup.c - Compare two rows of tokens
 *
 * Token k of one document is held against token k of the other; the first pair
 * that is not alike is the difference. Names of production's open elements lie
 * on a stack, for the path only: an end tag takes off what is open up to its
 * own element, and nothing if it is not open, as readers of HTML do.
 */
#include "deep/markup_internal.h"

#include <assert.h>
#include <string.h>

#include "deep/text.h"

struct compared {
	const struct rules_view *v;
	struct markup_verdict *out;
	struct document d[2];
	struct token t[2];
	struct piece open[MARKUP_DEPTH];
	uint32_t depth; /* may be more than there is room for */
	uint64_t work;
	bool too_long; /* masks took too many steps */
};

static bool is_blank(uint8_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static void add_path(struct markup_verdict *out, size_t *n, const void *p,
		     size_t len)
{
	size_t room = MARKUP_PATH - 1 - *n;

	assert(*n < MARKUP_PATH);
	len = len < room ? len : room;
	memcpy(out->path + *n, p, len);
	*n += len;
	out->path[*n] = '\0';
}

static bool differ(struct compared *x, enum markup_change change,
		   const struct piece *attribute)
{
	uint32_t most = x->depth < MARKUP_DEPTH ? x->depth : MARKUP_DEPTH;
	struct markup_verdict *out = x->out;
	size_t n = 0;

	out->outcome = MARKUP_DIFFERENT;
	out->change = change;
	for (uint32_t i = 0; i < most; i++) {
		if (i > 0)
			add_path(out, &n, "/", 1);
		add_path(out, &n, x->open[i].p, x->open[i].n);
	}
	if (attribute) {
		if (n > 0)
			add_path(out, &n, "/", 1);
		add_path(out, &n, x->t[0].name.p, x->t[0].name.n);
		add_path(out, &n, "@", 1);
		add_path(out, &n, attribute->p, attribute->n);
	}
	for (unsigned i = 0; i < 2; i++) {
		out->at[i] = (size_t)(x->t[i].all.p - x->d[i].p);
		out->len[i] = x->t[i].all.n;
	}
	return false;
}

/* Two texts whose stretches of white space are each one blank. */
static bool same_folded(struct piece a, struct piece b)
{
	size_t i = 0, k = 0;

	a = piece_trim(a);
	b = piece_trim(b);
	while (i < a.n && k < b.n) {
		bool blank = is_blank(a.p[i]);

		if (blank != is_blank(b.p[k]) || (!blank && a.p[i] != b.p[k]))
			return false;
		i++;
		k++;
		while (blank && i < a.n && is_blank(a.p[i]))
			i++;
		while (blank && k < b.n && is_blank(b.p[k]))
			k++;
	}
	return i == a.n && k == b.n;
}

static bool same_masked(struct compared *x, const struct piece *a,
			const struct piece *b)
{
	int rc = 0;

	if (x->v->masks > 0)
		rc = text_masked(x->v, a->p, a->n, b->p, b->n, &x->work,
				 &x->out->masks);
	x->too_long = x->too_long || rc < 0;
	return rc == 1;
}

static bool same_text(struct compared *x)
{
	const struct piece *a = &x->t[0].all, *b = &x->t[1].all;
	struct piece at = piece_trim(*a), bt = piece_trim(*b);

	if (piece_same(a, b))
		return true;
	if (x->t[0].kind == TOKEN_TEXT && same_folded(*a, *b)) {
		x->out->folded = true;
		return true;
	}
	if (x->t[0].kind == TOKEN_TEXT ? same_masked(x, &at, &bt)
				       : same_masked(x, a, b))
		return true;
	return differ(x, MARKUP_TEXT, NULL);
}

static bool same_name(const struct compared *x, const struct piece *a,
		      const struct piece *b)
{
	return x->d[0].xml ? piece_same(a, b) : piece_same_case(a, b);
}

static const struct attribute *find(const struct compared *x,
				    const struct attribute *list, uint32_t n,
				    const struct piece *name)
{
	uint32_t i = 0;

	while (i < n && !same_name(x, &list[i].name, name))
		i++;
	return i < n ? &list[i] : NULL;
}

static bool has_word(const struct piece *p, const char *word)
{
	size_t n = strlen(word);

	for (size_t i = 0; i + n <= p->n; i++) {
		struct piece at = { p->p + i, n };

		if (piece_is(&at, word))
			return true;
	}
	return false;
}

static bool says_token(const struct attribute *name)
{
	static const char *const words[] = { "csrf", "xsrf", "nonce", "token" };
	size_t i = 0;

	while (name && i < sizeof(words) / sizeof(words[0]) &&
	       !has_word(&name->value, words[i]))
		i++;
	return name && i < sizeof(words) / sizeof(words[0]);
}

static bool looks_like_token(const struct piece *p)
{
	return class_has(CLASS_TOKEN, p->p, p->n) ||
	       class_has(CLASS_HEX, p->p, p->n) ||
	       class_has(CLASS_JWT, p->p, p->n);
}

static struct piece named(const char *text)
{
	return (struct piece){ (const uint8_t *)text, strlen(text) };
}

/* Is this an attribute that no server gives twice? */
static bool is_once(const struct compared *x, const struct attribute *a,
		    const struct attribute *list, uint32_t n)
{
	struct piece name = named("name"), type = named("type");
	const struct attribute *kind = find(x, list, n, &type);

	if (x->d[0].xml)
		return false;
	if (piece_is(&a->name, "nonce"))
		return true;
	if (!says_token(find(x, list, n, &name)))
		return false;
	if (piece_is(&x->t[0].name, "meta"))
		return piece_is(&a->name, "content");
	return piece_is(&x->t[0].name, "input") &&
	       piece_is(&a->name, "value") && kind &&
	       piece_is(&kind->value, "hidden");
}

static bool same_value(struct compared *x, const struct attribute *a,
		       const struct attribute *b, const struct attribute *list,
		       uint32_t n)
{
	if (piece_same(&a->value, &b->value))
		return true;
	if (is_once(x, a, list, n) && looks_like_token(&a->value) &&
	    looks_like_token(&b->value)) {
		x->out->tokens = true;
		return true;
	}
	return same_masked(x, &a->value, &b->value);
}

static bool same_tag(struct compared *x)
{
	struct attribute a[MARKUP_ATTRIBUTES], b[MARKUP_ATTRIBUTES];
	uint32_t n, m;

	if (piece_same(&x->t[0].all, &x->t[1].all))
		return true;
	if (!same_name(x, &x->t[0].name, &x->t[1].name) ||
	    (x->d[0].xml && x->t[0].alone != x->t[1].alone))
		return differ(x, MARKUP_TAG, NULL);
	n = markup_attributes(&x->t[0], a);
	m = markup_attributes(&x->t[1], b);
	if (n > MARKUP_ATTRIBUTES || m > MARKUP_ATTRIBUTES)
		return differ(x, MARKUP_TAG, NULL);
	x->out->folded = true;
	for (uint32_t i = 0; i < n; i++) {
		const struct attribute *o = find(x, b, m, &a[i].name);

		/* of two of one name readers take the first */
		if (find(x, a, n, &a[i].name) != &a[i])
			continue;
		if (!o || !same_value(x, &a[i], o, a, n))
			return differ(x, MARKUP_ATTRIBUTE, &a[i].name);
	}
	for (uint32_t i = 0; i < m; i++)
		if (!find(x, a, n, &b[i].name))
			return differ(x, MARKUP_ATTRIBUTE, &b[i].name);
	return true;
}

/* Follow production's tag on the stack. */
static void follow(struct compared *x)
{
	const struct token *t = &x->t[0];
	uint32_t i = x->depth;

	assert(t->kind == TOKEN_OPEN || t->kind == TOKEN_CLOSE);
	if (t->kind == TOKEN_OPEN) {
		if (t->alone || (!x->d[0].xml && markup_is_void(&t->name)))
			return;
		if (x->depth < MARKUP_DEPTH)
			x->open[x->depth] = t->name;
		x->depth++;
		return;
	}
	if (x->depth > MARKUP_DEPTH) {
		x->depth--;
		return;
	}
	while (i > 0 && !same_name(x, &x->open[i - 1], &t->name))
		i--;
	if (i > 0)
		x->depth = i - 1;
}

/* Are the two tokens alike? */
static bool same_tokens(struct compared *x)
{
	if (x->t[0].kind != x->t[1].kind) {
		enum markup_change change =
			x->t[1].kind == TOKEN_END   ? MARKUP_MISSING
			: x->t[0].kind == TOKEN_END ? MARKUP_EXTRA
						    : MARKUP_TAG;

		return differ(x, change, NULL);
	}
	if (x->t[0].kind != TOKEN_OPEN && x->t[0].kind != TOKEN_CLOSE)
		return same_text(x);
	if (!same_tag(x))
		return false;
	follow(x);
	return true;
}

void markup_compare(const struct rules_view *v, bool xml, const uint8_t *a,
		    size_t an, const uint8_t *b, size_t bn,
		    struct markup_verdict *out)
{
	struct compared x = {
		.v = v,
		.out = out,
		.d = { { .p = a, .n = an, .xml = xml },
		       { .p = b, .n = bn, .xml = xml } },
		.work = TEXT_WORK * ((uint64_t)an + bn) + TEXT_WORK,
	};
	bool same;

	memset(out, 0, sizeof(*out));
	do {
		for (unsigned i = 0; i < 2; i++)
			markup_token(&x.d[i], &x.t[i]);
		same = same_tokens(&x);
		assert(x.t[0].all.n > 0 || x.t[0].kind == TOKEN_END);
	} while (same && x.t[0].kind != TOKEN_END);
	if (!same && x.too_long) {
		memset(out, 0, sizeof(*out));
		out->outcome = MARKUP_UNJUDGED;
	}
}
