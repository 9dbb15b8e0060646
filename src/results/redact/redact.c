/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * redact.c - Where secrets begin and end, and tags in their place
 *
 * Theory of operation
 *
 * A text is read once, from its beginning, whatever it is: a head, a query, a
 * form, JSON, a page, or a piece of one. At each word it is asked whether the
 * word names a secret and a value follows it (value_behind()), and at each
 * place that could begin one whether it has the form of one (forms.c). No
 * grammar is asked for, since what is shown is mostly a piece. Four notations
 * have the name elsewhere than right in front of the value, and are looked for:
 * an element (<password>x</password>), a field of a page or an object that has
 * a name and a value (<input name=password value=x>), a part of multipart, and
 * the pairs of a cookie.
 *
 * A text without its beginning may begin inside of a secret, or of a name: what
 * stands there up to the first byte that ends a value is hidden, and so is a
 * value behind it.
 */
#include "redact/redact.h"

#include <string.h>

#include "redact/redact_internal.h"

#define NEAR   300u /* bytes in which a field of a page has its name */
#define HEADER 512u /* bytes of a part's head */
#define MASKED 512u /* secrets of a text that are masked one by one */

/**
 * struct scan - A text that is read
 * @at:		Next byte to look at
 * @pairs:	Up to here pairs of a cookie stand
 * @nameless:	Here a value may stand whose name is not known, or SIZE_MAX
 * @part:	Here content of a part whose name is not known, or 0
 */
struct scan {
	const struct redact *r;
	const struct redact_text *t;
	size_t at;
	size_t pairs;
	size_t nameless;
	size_t part;
};

void redact_init(struct redact *r, const struct hash_key *run,
		 const struct rules *rules, bool off)
{
	*r = (struct redact){
		.key = { { hash_bytes(run, "redact 0", 8),
			   hash_bytes(run, "redact 1", 8) } },
		.rules = rules,
		.off = off,
	};
}

static bool is_quote(uint8_t c)
{
	return c == '"' || c == '\'';
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

/* The byte at @i, or 0 behind the end. */
static uint8_t byte_at(const struct redact_text *t, size_t i)
{
	return i < t->n ? t->p[i] : 0;
}

/* Up to the first byte of @ends, or a control character. */
static size_t run_end(const struct redact_text *t, size_t i, const char *ends)
{
	while (i < t->n && t->p[i] >= ' ' && t->p[i] != 0x7f &&
	       !one_of(ends, t->p[i]))
		i++;
	return i;
}

/* Behind a tag of ours that stands at @i; @i: there is none. */
static size_t behind_tag(const struct redact_text *t, size_t i)
{
	size_t at = i + 8;

	if (!stands(t, i, "<secret:"))
		return i;
	while (at < i + 16 && is_alnum(byte_at(t, at)))
		at++;
	at += byte_at(t, at) == '+';
	return at >= i + 16 && byte_at(t, at) == '>' ? at + 1 : i;
}

/* --- where a value ends --- */

/* What stands in quotes, of which those at @i are the first. */
static void in_quotes(const struct redact_text *t, size_t i, size_t width,
		      struct secret *s)
{
	size_t at = i + width;

	s->from = at;
	for (; at < t->n; at++) {
		if (width == 1 && t->p[at] == '\\') {
			at++;
			continue;
		}
		if (at + width <= t->n &&
		    memcmp(t->p + at, t->p + i, width) == 0)
			break;
	}
	s->to = at < t->n ? at : t->n;
	s->part = s->to == t->n;
}

/* A list or an object: up to its own end. */
static void in_brackets(const struct redact_text *t, size_t i, struct secret *s)
{
	uint32_t depth = 0;
	size_t at = i;

	do {
		if (t->p[at] == '[' || t->p[at] == '{')
			depth++;
		else if (t->p[at] == ']' || t->p[at] == '}')
			depth--;
		at++;
	} while (at < t->n && depth > 0);
	*s = (struct secret){ i, at, depth > 0 };
}

/* The value at @i. @sep: what stood in front of it: '=', ':', '%' (either,
 * escaped), '>' (a tag's end); @quoted: the name was in quotes
 */
static void value_at(const struct redact_text *t, size_t i, uint8_t sep,
		     bool quoted, struct secret *s)
{
	const char *ends = "&; \t\"'<>";
	uint8_t c = byte_at(t, i);

	if (sep != '>' && c == '\\' && is_quote(byte_at(t, i + 1))) {
		in_quotes(t, i, 2, s);
		return;
	}
	if (sep != '>' && is_quote(c)) {
		in_quotes(t, i, 1, s);
		return;
	}
	if (sep != '>' && stands(t, i, "%22")) {
		in_quotes(t, i, 3, s);
		return;
	}
	if (sep != '>' && (c == '[' || c == '{')) {
		in_brackets(t, i, s);
		return;
	}
	if (sep == '>')
		ends = "<";
	else if (sep == ':')
		ends = quoted ? ",}] \t" : "";
	*s = (struct secret){ .from = i, .to = run_end(t, i, ends) };
	/* A text of an element may have lines. */
	while (sep == '>' && s->to < t->n && t->p[s->to] != '<')
		s->to = run_end(t, s->to + 1, ends);
	s->part = t->cut && s->to == t->n;
}

/* Is there something to hide? */
static bool is_value(const struct redact_text *t, const struct secret *s)
{
	static const char *const no[] = { "null", "true", "false" };

	for (unsigned i = 0; i < 3; i++)
		if (s->to - s->from == strlen(no[i]) &&
		    stands(t, s->from, no[i]))
			return false;
	return s->to > s->from && behind_tag(t, s->from) == s->from;
}

/* Leave a scheme in front of credentials out: "Bearer x", "Digest x". */
static void skip_scheme(const struct redact_text *t, struct secret *s)
{
	size_t at = s->from;

	while (at < s->to && is_alnum(t->p[at]))
		at++;
	if (at == s->from || at >= s->to || t->p[at] != ' ')
		return;
	while (at < s->to && t->p[at] == ' ')
		at++;
	if (at < s->to)
		s->from = at;
}

/* The next value of a cookie's pairs. */
static bool pair(struct scan *c, struct secret *s)
{
	const struct redact_text *t = c->t;

	while (c->at < c->pairs) {
		size_t from = c->at, to, eq;

		while (from < c->pairs &&
		       (is_blank(t->p[from]) || t->p[from] == ';'))
			from++;
		for (to = from; to < c->pairs && t->p[to] != ';';)
			to++;
		for (eq = from; eq < to && t->p[eq] != '=';)
			eq++;
		c->at = to;
		if (name_is_attribute(t->p + from, eq - from))
			continue;
		*s = (struct secret){ eq < to ? eq + 1 : from, to,
				      to == t->n && t->cut };
		if (is_value(t, s))
			return true;
	}
	return false;
}

/* The value of a name that was found is @s: what of it is hidden? Return: @s
 * is, or nothing of it
 */
static bool hide(struct scan *c, enum name_says says, struct secret *s)
{
	size_t to = s->to;

	if (says == NAME_COOKIE) {
		c->at = s->from;
		c->pairs = to;
		return pair(c, s);
	}
	if (says == NAME_AUTH)
		skip_scheme(c->t, s);
	if (!is_value(c->t, s))
		return false;
	c->at = to;
	return true;
}

/* --- values behind names --- */

/* Behind the quotes that end a name; how is told by @quoted. */
static size_t name_ends(const struct redact_text *t, size_t k, bool *quoted)
{
	size_t from;

	if (byte_at(t, k) == ']')
		k++;
	else if (stands(t, k, "%5d"))
		k += 3;
	from = k;
	if (byte_at(t, k) == '\\' && is_quote(byte_at(t, k + 1)))
		k += 2;
	else if (is_quote(byte_at(t, k)))
		k++;
	else if (stands(t, k, "%22"))
		k += 3;
	*quoted = k > from;
	return k;
}

/* Is there a value behind a name that ends in front of @k, and is it hidden?
 * @element: the name is a tag's
 */
static bool value_behind(struct scan *c, size_t k, bool element,
			 enum name_says says, struct secret *s)
{
	const struct redact_text *t = c->t;
	bool quoted;
	uint8_t sep;

	k = name_ends(t, k, &quoted);
	if (element) {
		size_t end = k;

		while (end < t->n && end - k < NEAR && t->p[end] != '>' &&
		       t->p[end] != '<')
			end++;
		k = end;
	}
	while (is_blank(byte_at(t, k)))
		k++;
	sep = byte_at(t, k);
	if (element		? sep != '>'
	    : says == NAME_REST ? !one_of("=:>", sep)
				: sep != '=' && sep != ':') {
		if (!stands(t, k, "%3d") && !stands(t, k, "%3a"))
			return false;
		sep = '%';
		k += 2;
	}
	k++;
	if (sep == '=' && byte_at(t, k) == '>')
		k++;
	while (is_blank(byte_at(t, k)))
		k++;
	if (k >= t->n)
		return false;
	value_at(t, k, sep, quoted, s);
	return hide(c, says, s);
}

/* Has the tag or the object around @at, a value's name, a name that says so? */
static bool is_named_nearby(const struct scan *c, size_t at)
{
	const struct redact_text *t = c->t;
	size_t from = at, to = at;

	while (from > 0 && at - from < NEAR && t->p[from - 1] != '<' &&
	       t->p[from - 1] != '{')
		from--;
	while (to < t->n && to - at < NEAR && t->p[to] != '>' &&
	       t->p[to] != '}')
		to++;
	/* Its name may be in what is not known. */
	if ((from == 0 && t->headless) ||
	    (to == t->n && t->cut && to - at < NEAR))
		return true;
	for (size_t i = from; i < to; i++) {
		size_t end = i;

		if (i == 0 || !one_of("\"'=: ", t->p[i - 1]))
			continue;
		while (end < to && is_word(t->p[end]))
			end++;
		if (end > i && name_says(c->r, t->p + i, end - i) != NAME_PLAIN)
			return true;
	}
	return false;
}

/* Content of a part that begins at @from. */
static bool part_at(struct scan *c, size_t from, struct secret *s)
{
	const struct redact_text *t = c->t;

	*s = (struct secret){ .from = from, .to = from };
	while (s->to < t->n && !stands(t, s->to, "\r\n--"))
		s->to++;
	s->part = t->cut && s->to == t->n;
	return hide(c, NAME_SECRET, s);
}

/* Content of a part whose name, which is the word behind @k, says so. */
static bool part_behind(struct scan *c, size_t k, struct secret *s)
{
	const struct redact_text *t = c->t;
	size_t from = k + 2, end = from, at;

	if (byte_at(t, k) != '=' || !is_quote(byte_at(t, k + 1)))
		return false;
	end = run_end(t, from, "\"'");
	if (name_says(c->r, t->p + from, end - from) == NAME_PLAIN)
		return false;
	for (at = end; at < t->n && at - end < HEADER; at++)
		if (stands(t, at, "\r\n\r\n"))
			break;
	if (!stands(t, at, "\r\n\r\n"))
		return false;
	return part_at(c, at + 4, s);
}

/* At the beginning of a word that may be a name. */
static bool named(struct scan *c, struct secret *s)
{
	const struct redact_text *t = c->t;
	size_t from = c->at, end = c->at;
	enum name_says says;
	bool element;

	while (end < t->n && is_word(t->p[end]))
		end++;
	/* The digits of an escape are none of a name. */
	if (from > 0 && t->p[from - 1] == '%' && end - from > 2)
		from += 2;
	if (end - from > NAME_MOST)
		return false;
	element = from > 0 && t->p[from - 1] == '<';
	says = name_says(c->r, t->p + from, end - from);
	if (says != NAME_PLAIN)
		return value_behind(c, end, element, says, s);
	if (end - from == 4 && stands(t, from, "name"))
		return part_behind(c, end, s);
	if (((end - from == 5 && stands(t, from, "value")) ||
	     (end - from == 7 && stands(t, from, "content"))) &&
	    is_named_nearby(c, from))
		return value_behind(c, end, false, NAME_SECRET, s);
	return false;
}

/* A text without its beginning: what may be the rest of a secret, or of what
 * names one. Content of a part may have lost its head.
 */
static bool rest(struct scan *c, struct secret *s)
{
	const struct redact_text *t = c->t;
	size_t from = 0, blank = 0;

	while (is_blank(byte_at(t, from)))
		from++;
	*s = (struct secret){ .from = from, .part = true };
	if (is_quote(byte_at(t, from))) {
		s->from = from + 1;
		s->to = run_end(t, from + 1, "\"'");
	} else {
		s->to = run_end(t, from, " \t\"'&;,<>{}[]()=:");
	}
	while (blank < t->n && blank < NEAR && !stands(t, blank, "\r\n\r\n"))
		blank++;
	if (stands(t, blank, "\r\n\r\n"))
		c->part = blank + 4;
	c->at = s->to;
	c->nameless = s->to;
	if (s->to > s->from)
		return true;
	c->nameless = c->at = 0;
	return false;
}

static bool next(struct scan *c, struct secret *s)
{
	const struct redact_text *t = c->t;

	if (c->at == 0 && t->headless && c->nameless == SIZE_MAX && rest(c, s))
		return true;
	if (c->at == c->nameless) {
		c->nameless = SIZE_MAX - 1;
		if (value_behind(c, c->at, false, NAME_REST, s))
			return true;
	}
	for (; c->at < t->n; c->at++) {
		size_t i;

		if (c->at < c->pairs && pair(c, s))
			return true;
		i = c->at;
		if (i >= t->n)
			return false;
		if (c->part > 0 && i >= c->part) {
			c->part = 0;
			if (part_at(c, i, s))
				return true;
		}
		c->at = behind_tag(t, i);
		if (c->at > i) {
			c->at--;
			continue;
		}
		if (is_word(t->p[i]) && (i == 0 || !is_word(t->p[i - 1])) &&
		    named(c, s))
			return true;
		c->at = i;
		if (form_secret(t, i, s)) {
			c->at = s->to;
			return true;
		}
	}
	return false;
}

/* --- what is shown --- */

/* Bytes that are written. */
struct out {
	uint8_t *p;
	size_t n;
	size_t room;
};

static void put(struct out *o, const uint8_t *p, size_t n)
{
	if (n > o->room - o->n)
		n = o->room - o->n;
	if (n > 0)
		memcpy(o->p + o->n, p, n);
	o->n += n;
}

/* Return: its length */
static size_t make_tag(uint8_t tag[REDACT_TAG], const struct redact *r,
		       const struct redact_text *t, const struct secret *s)
{
	uint64_t h = hash_bytes(&r->key, t->p + s->from, s->to - s->from);
	size_t n = 8;

	memcpy(tag, "<secret:", 8);
	for (unsigned i = 0; i < 8; i++)
		tag[n++] = (uint8_t) "0123456789abcdef"[h >> 4 * i & 15];
	if (s->part)
		tag[n++] = '+';
	tag[n++] = '>';
	return n;
}

static void put_tag(struct out *o, const struct redact *r,
		    const struct redact_text *t, const struct secret *s)
{
	uint8_t tag[REDACT_TAG];
	size_t n = make_tag(tag, r, t, s);

	if (n <= o->room - o->n)
		put(o, tag, n);
	else
		o->room =
			o->n; /* nothing stands behind a tag that is left out */
}

/* All of @t is a value whose name says so: its first secret. */
static bool whole(struct scan *c, enum name_says says, struct secret *s)
{
	const struct redact_text *t = c->t;

	*s = (struct secret){ 0, t->n, t->cut };
	if (t->n > 0 && t->p[0] == '"')
		in_quotes(t, 0, 1, s);
	if (!hide(c, says, s))
		return false;
	s->part |= t->headless && s->from == 0;
	return true;
}

size_t redact_put(const struct redact *r, const struct redact_text *t,
		  uint8_t *out, size_t room)
{
	struct scan c = { .r = r, .t = t, .nameless = SIZE_MAX };
	struct out o = { out, 0, room };
	enum name_says says = NAME_PLAIN;
	size_t at = t->from;
	struct secret s;
	bool more;

	if (!r || r->off || t->from >= t->to) {
		put(&o, t->p + at, t->from < t->to ? t->to - at : 0);
		return o.n;
	}
	if (t->name)
		says = name_says(r, (const uint8_t *)t->name, t->name_len);
	more = says != NAME_PLAIN ? whole(&c, says, &s) : next(&c, &s);
	for (; more && s.from < t->to;
	     more = says != NAME_PLAIN ? pair(&c, &s) : next(&c, &s)) {
		if (s.to <= at)
			continue;
		if (s.from > at)
			put(&o, t->p + at, s.from - at);
		put_tag(&o, r, t, &s);
		at = s.to < t->to ? s.to : t->to;
	}
	put(&o, t->p + at, t->to - at);
	return o.n;
}

void redact_mask(const struct redact *r, const struct redact_text *t,
		 uint8_t *out)
{
	struct scan c = { .r = r, .t = t, .nameless = SIZE_MAX };
	struct secret s, all[MASKED];
	uint8_t tag[MASKED][REDACT_TAG];
	size_t len[MASKED];
	size_t n = 0, from = 0;
	bool more = !r->off;

	/* All are found before the first is written over: @out may be @t. */
	while (more && (more = next(&c, &s))) {
		if (n == MASKED)
			break;
		if (s.to <= from)
			continue;
		s.from = s.from > from ? s.from : from;
		from = s.to;
		len[n] = make_tag(tag[n], r, t, &s);
		all[n++] = s;
	}
	if (out != t->p)
		memcpy(out, t->p, t->n);
	for (size_t i = 0; i < n; i++) {
		size_t room = all[i].to - all[i].from;

		memset(out + all[i].from, 'x', room);
		memcpy(out + all[i].from, tag[i],
		       len[i] < room ? len[i] : room);
	}
	/* More than that: the rest is not searched, and not shown. */
	if (more)
		memset(out + from, 'x', t->n - from);
}

size_t redact_all(const struct redact *r, const void *p, size_t n, void *out,
		  size_t room)
{
	const struct redact_text t = { .p = p, .n = n, .to = n };

	return redact_put(r, &t, out, room);
}
