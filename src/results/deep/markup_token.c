/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * markup_token.c - Cut a document into tokens
 *
 * A "<" begins a tag if a letter, "/", "!" or "?" is behind it, and there is an
 * end; else it is text, as HTML's own rules have it (HTML standard, section
 * 13.2.5). In a tag ">" ends it outside of quotes. What stands in script and
 * style, and in textarea and title, is one text up to the element's own end.
 */
#include "deep/markup_internal.h"

#include <assert.h>
#include <string.h>

static bool is_blank(uint8_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_letter(uint8_t c)
{
	c |= 0x20;
	return c >= 'a' && c <= 'z';
}

static bool is_any(const struct piece *name, const char *const *list, size_t n)
{
	size_t i = 0;

	while (i < n && !piece_is(name, list[i]))
		i++;
	return i < n;
}

/* Does a byte behind "<" begin more than a text? */
static bool begins_markup(uint8_t c)
{
	return is_letter(c) || c == '/' || c == '!' || c == '?';
}

bool markup_is_void(const struct piece *name)
{
	static const char *const voids[] = {
		"area",	 "base", "br",	 "col",	   "embed", "hr",  "img",
		"input", "link", "meta", "source", "track", "wbr",
	};

	return is_any(name, voids, sizeof(voids) / sizeof(voids[0]));
}

static bool is_raw(const struct piece *name)
{
	static const char *const raws[] = { "script", "style", "textarea",
					    "title" };

	return is_any(name, raws, sizeof(raws) / sizeof(raws[0]));
}

/* Where @text stands at or behind @from; the document's end if nowhere. */
static size_t find(const struct document *d, size_t from, const char *text)
{
	size_t n = strlen(text);

	while (from < d->n) {
		const uint8_t *at = memchr(d->p + from, text[0], d->n - from);

		if (!at)
			break;
		from = (size_t)(at - d->p);
		if (d->n - from >= n && memcmp(at, text, n) == 0)
			return from;
		from++;
	}
	return d->n;
}

static void set_token(struct document *d, struct token *t, enum token_kind kind,
		      size_t end)
{
	assert(end >= d->at && end <= d->n);
	*t = (struct token){ .kind = kind,
			     .all = { d->p + d->at, end - d->at } };
	d->at = end;
}

/* Behind a declaration's end mark, or 0: it has none. */
static size_t declaration_end(const struct document *d)
{
	const char *mark = ">";
	size_t at = d->at, end;

	if (d->n - at >= 4 && memcmp(d->p + at, "<!--", 4) == 0)
		mark = "-->";
	else if (d->n - at >= 9 && memcmp(d->p + at, "<![CDATA[", 9) == 0)
		mark = "]]>";
	end = find(d, at + (mark[0] == '-' ? 4 : 2), mark);
	return end < d->n ? end + strlen(mark) : 0;
}

/* Behind a tag's ">", or 0: it has none. */
static size_t tag_end(const struct document *d)
{
	uint8_t quote = 0;
	bool value = false; /* an "=" is in front of it */

	for (size_t i = d->at + 1; i < d->n; i++) {
		uint8_t c = d->p[i];

		if (quote != 0) {
			if (c == quote)
				quote = 0;
		} else if ((c == '"' || c == '\'') && value) {
			quote = c;
		} else if (c == '>') {
			return i + 1;
		}
		value = c == '=' || (value && is_blank(c));
	}
	return 0;
}

static void set_tag(struct document *d, struct token *t, size_t end)
{
	bool close = d->p[d->at + 1] == '/';
	size_t from = d->at + 1 + close, at = from;

	set_token(d, t, close ? TOKEN_CLOSE : TOKEN_OPEN, end);
	end--;
	while (at < end && !is_blank(d->p[at]) && d->p[at] != '/')
		at++;
	t->name = (struct piece){ d->p + from, at - from };
	if (end > at && d->p[end - 1] == '/' && !close) {
		t->alone = true;
		end--;
	}
	assert(at <= end && from <= at);
	t->rest = (struct piece){ d->p + at, end - at };
	if (d->xml)
		return;
	if (!close && is_raw(&t->name))
		d->raw = t->name;
	if (piece_is(&t->name, "pre") && (!close || d->keep > 0))
		d->keep += close ? UINT32_MAX : 1;
}

/* The text of a raw element, up to its end tag. */
static void set_raw(struct document *d, struct token *t)
{
	size_t at = d->at;

	for (; at < d->n; at++) {
		struct piece name;

		at = find(d, at, "</");
		if (at == d->n)
			break;
		name = (struct piece){ d->p + at + 2, d->raw.n };
		if (d->n - at - 2 >= name.n && piece_same_case(&name, &d->raw))
			break;
	}
	set_token(d, t, TOKEN_RAW, at);
	d->raw = (struct piece){ NULL, 0 };
}

static void set_text(struct document *d, struct token *t)
{
	size_t at = d->at + 1;

	while (at < d->n && !(d->p[at] == '<' && d->n - at > 1 &&
			      begins_markup(d->p[at + 1])))
		at++;
	set_token(d, t, d->keep > 0 ? TOKEN_RAW : TOKEN_TEXT, at);
}

static void read_token(struct document *d, struct token *t)
{
	size_t end;
	uint8_t c;

	if (d->at == d->n) {
		set_token(d, t, TOKEN_END, d->n);
		return;
	}
	if (d->raw.n > 0) {
		set_raw(d, t);
		return;
	}
	c = d->p[d->at] == '<' && d->n - d->at > 1 ? d->p[d->at + 1] : 0;
	if (!begins_markup(c)) {
		set_text(d, t);
		return;
	}
	end = c == '!' || c == '?' ? declaration_end(d) : tag_end(d);
	if (end == 0)
		/* it is never ended: the rest is a text */
		set_token(d, t, TOKEN_RAW, d->n);
	else if (c == '!' || c == '?')
		set_token(d, t, TOKEN_COMMENT, end);
	else
		set_tag(d, t, end);
}

void markup_token(struct document *d, struct token *t)
{
	do {
		read_token(d, t);
	} while ((t->kind == TOKEN_TEXT && piece_trim(t->all).n == 0) ||
		 (t->kind == TOKEN_RAW && t->all.n == 0));
}

/* The next attribute of @p. Return: false: there is none */
static bool next_attribute(struct piece *p, struct attribute *a)
{
	size_t i = 0, from;

	while (i < p->n && (is_blank(p->p[i]) || p->p[i] == '/'))
		i++;
	if (i == p->n)
		return false;
	from = i++;
	while (i < p->n && !is_blank(p->p[i]) && p->p[i] != '=' &&
	       p->p[i] != '/')
		i++;
	a->name = (struct piece){ p->p + from, i - from };
	a->value = (struct piece){ p->p + i, 0 };
	while (i < p->n && is_blank(p->p[i]))
		i++;
	if (i < p->n && p->p[i] == '=') {
		uint8_t quote;

		i++;
		while (i < p->n && is_blank(p->p[i]))
			i++;
		quote = i < p->n ? p->p[i] : 0;
		from = i;
		if (quote == '"' || quote == '\'') {
			from = ++i;
			while (i < p->n && p->p[i] != quote)
				i++;
		} else {
			while (i < p->n && !is_blank(p->p[i]))
				i++;
		}
		a->value = (struct piece){ p->p + from, i - from };
		if (quote == '"' || quote == '\'')
			i += i < p->n;
	}
	assert(i > 0 && i <= p->n);
	p->p += i;
	p->n -= i;
	return true;
}

uint32_t markup_attributes(const struct token *t, struct attribute *out)
{
	struct piece rest = t->rest;
	struct attribute a;
	uint32_t n = 0;

	while (next_attribute(&rest, &a)) {
		if (n == MARKUP_ATTRIBUTES)
			return n + 1;
		out[n++] = a;
	}
	return n;
}
