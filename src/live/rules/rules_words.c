/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rules_words.c - Words of a line of rules
 *
 * Words have blanks between them; a "#" at the beginning of one ends the line.
 */
#include "rules/rules_internal.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#define NS INT64_C(1000000000)

int word_fail(struct scan *s, size_t at, size_t n, int rc, const char *what,
	      const char *remedy)
{
	size_t most = sizeof(s->e->word) - 1;

	assert(at <= s->n && n <= s->n - at && rc < 0);
	s->e->column = (uint32_t)at + 1;
	s->e->what = what;
	s->e->remedy = remedy;
	n = n < most ? n : most;
	memcpy(s->e->word, s->p + at, n);
	s->e->word[n] = '\0';
	return rc;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

bool word_next(struct scan *s, struct word *w)
{
	while (s->at < s->n && is_blank(s->p[s->at]))
		s->at++;
	if (s->at < s->n && s->p[s->at] == '#')
		s->at = s->n;
	w->p = s->p + s->at;
	w->at = s->at;
	while (s->at < s->n && !is_blank(s->p[s->at]))
		s->at++;
	w->n = s->at - w->at;
	assert(s->at <= s->n);
	return w->n > 0;
}

bool word_is(const struct word *w, const char *text)
{
	return strlen(text) == w->n && memcmp(w->p, text, w->n) == 0;
}

int word_need(struct scan *s, struct word *w, const char *what)
{
	if (word_next(s, w))
		return 0;
	return word_fail(s, s->n, 0, -EINVAL, "the line ends too early", what);
}

static bool is_token(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z') || memchr("!#$%&'*+-.^_`|~", c, 15);
}

int word_name(struct scan *s, const struct word *w, char *name, uint8_t *len,
	      bool lower)
{
	if (w->n > RULES_NAME)
		return word_fail(s, w->at, w->n, -EINVAL, "a name is too long",
				 "names have at most 64 bytes");
	for (size_t i = 0; i < w->n; i++) {
		char c = w->p[i];

		if (!is_token(c))
			return word_fail(s, w->at + i, 1, -EINVAL,
					 "a name has a byte that none can have",
					 "names are letters, digits, - and _");
		name[i] = lower && c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
	}
	*len = (uint8_t)w->n;
	return 0;
}

static int need_within(struct scan *s, struct word *w, const char *what)
{
	int rc = word_need(s, w, what);

	if (rc == 0 && !word_is(w, "within"))
		rc = word_fail(s, w->at, w->n, -EINVAL,
			       "\"within\" is expected", what);
	return rc != 0 ? rc : word_need(s, w, what);
}

static int64_t unit_of(const char *p, size_t n)
{
	static const struct {
		const char *name;
		int64_t ns;
	} units[] = { { "ms", NS / 1000 },
		      { "s", NS },
		      { "m", NS * 60 },
		      { "h", NS * 3600 },
		      { "d", NS * 86400 } };

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strlen(units[i].name) == n &&
		    memcmp(units[i].name, p, n) == 0)
			return units[i].ns;
	return 0;
}

int word_duration(struct scan *s, int64_t *ns)
{
	static const char how[] = "write \"within 5s\" (ms, s, m, h or d)";
	struct word w;
	int64_t v = 0, unit;
	size_t i = 0;
	int rc = need_within(s, &w, how);

	if (rc != 0)
		return rc;
	for (; i < w.n && w.p[i] >= '0' && w.p[i] <= '9' && i < 6; i++)
		v = v * 10 + (w.p[i] - '0');
	unit = unit_of(w.p + i, w.n - i);
	if (i == 0 || unit == 0 || v > INT64_MAX / 2 / unit)
		return word_fail(s, w.at, w.n, -EINVAL, "no duration", how);
	assert(v >= 0 && unit > 0);
	*ns = v * unit;
	return 0;
}

int word_tolerance(struct scan *s, uint64_t *m, int8_t *e)
{
	static const char how[] =
		"write \"within 0.005\", with at most 15 digits";
	struct word w;
	uint64_t v = 0;
	unsigned digits = 0, part = 0;
	bool point = false, bad = false;
	int rc = need_within(s, &w, how);

	if (rc != 0)
		return rc;
	for (size_t i = 0; i < w.n && !bad; i++) {
		if (w.p[i] >= '0' && w.p[i] <= '9') {
			bad = ++digits > 15;
			v = v * 10 + (uint64_t)(w.p[i] - '0');
			part += point;
		} else {
			bad = w.p[i] != '.' || point || digits == 0;
			point = true;
		}
	}
	if (bad || digits == 0 || (point && part == 0))
		return word_fail(s, w.at, w.n, -EINVAL, "no tolerance", how);
	assert(digits <= 15 && part <= digits);
	*m = v;
	*e = (int8_t) - (int)part;
	return 0;
}

int word_class(struct scan *s, uint8_t *class)
{
	static const char how[] = "classes are uuid, time, epoch, integer, "
				  "decimal, jwt, hex, token, url and etag";
	enum value_class c;
	struct word w;
	int rc = word_need(s, &w, how);

	if (rc != 0)
		return rc;
	c = class_find(w.p, w.n);
	if (c == CLASS_COUNT)
		return word_fail(s, w.at, w.n, -EINVAL, "no such class", how);
	*class = (uint8_t)c;
	return 0;
}

int word_place(struct scan *s, struct place *out)
{
	static const char how[] =
		"places are like $.items[*].price, $['a b'] or $..token";
	struct word w;
	size_t used;
	int rc = word_need(s, &w, how);

	if (rc != 0)
		return rc;
	rc = place_read(out, s->p + w.at, s->n - w.at, &used);
	s->at = w.at + used;
	if (rc == 0)
		return 0;
	w.at = s->at;
	while (s->at < s->n && !is_blank(s->p[s->at]))
		s->at++;
	if (rc == -E2BIG)
		return word_fail(s, w.at, s->at - w.at, rc,
				 "a place is too long",
				 "places have at most 16 steps, and 160 bytes "
				 "of names");
	return word_fail(s, w.at, s->at - w.at, rc, "no place", how);
}
