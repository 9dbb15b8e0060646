/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * line.c - A line of understudy vitals, read by a run on another host
 *
 * Whoever writes it may write anything, so what is taken is narrow: one object
 * of JSON (RFC 8259) with members that are whole numbers, null, true, false, or
 * strings without a backslash. Members that are not known are passed over. Each
 * number has a limit far above what a server has, so that no sum of them wraps.
 */
#include <errno.h>
#include <string.h>

#include "vitals/vitals.h"

#define NUMBER_MOST (UINT64_C(1) << 50)
#define KEY_MOST    16u

/* struct reader - What is left of a line */
struct reader {
	const char *p;
	const char *end;
};

/* struct member - One of them; @text, @n of a string, @is_number of one */
struct member {
	char key[KEY_MOST];
	bool is_number;
	bool is_null;
	uint64_t number;
	const char *text;
	size_t n;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void pass_blanks(struct reader *r)
{
	while (r->p < r->end && is_blank(*r->p))
		r->p++;
}

static bool take(struct reader *r, char c)
{
	pass_blanks(r);
	if (r->p == r->end || *r->p != c)
		return false;
	r->p++;
	return true;
}

static bool take_text(struct reader *r, const char **text, size_t *n)
{
	if (!take(r, '"'))
		return false;
	*text = r->p;
	while (r->p < r->end && *r->p != '"' && *r->p != '\\' &&
	       (unsigned char)*r->p >= ' ')
		r->p++;
	*n = (size_t)(r->p - *text);
	return take(r, '"');
}

static bool take_word(struct reader *r, const char *word)
{
	size_t n = strlen(word);

	if ((size_t)(r->end - r->p) < n || memcmp(r->p, word, n) != 0)
		return false;
	r->p += n;
	return true;
}

static bool take_number(struct reader *r, uint64_t *out)
{
	const char *from = r->p;
	uint64_t v = 0;

	for (; r->p < r->end && *r->p >= '0' && *r->p <= '9'; r->p++) {
		v = v * 10 + (uint64_t)(*r->p - '0');
		if (v >= 10 * NUMBER_MOST) /* times are beyond it, and pass */
			v = NUMBER_MOST;
	}
	*out = v;
	return r->p > from;
}

static bool take_value(struct reader *r, struct member *m)
{
	pass_blanks(r);
	m->is_number = m->is_null = false;
	m->text = NULL;
	m->n = 0;
	if (r->p < r->end && *r->p == '"')
		return take_text(r, &m->text, &m->n);
	if (take_word(r, "null")) {
		m->is_null = true;
		return true;
	}
	if (take_word(r, "true") || take_word(r, "false"))
		return true;
	m->is_number = take_number(r, &m->number);
	return m->is_number;
}

static bool take_member(struct reader *r, struct member *m)
{
	const char *key;
	size_t n;

	if (!take_text(r, &key, &n))
		return false;
	memset(m->key, 0, sizeof(m->key));
	if (n < KEY_MOST)
		memcpy(m->key, key, n);
	return take(r, ':') && take_value(r, m);
}

/* What a line must have, as bits. */
enum {
	HAS_TYPE = 1,
	HAS_RSS = 2,
	HAS_FDS = 4,
	HAS_THREADS = 8,
	HAS_CPU = 16,
	HAS_RESTARTS = 32,
	HAS_SCHEMA = 64,
	HAS_ALL = 127
};

static bool is_key(const struct member *m, const char *key)
{
	return strncmp(m->key, key, KEY_MOST) == 0;
}

/* Return: its bit; 0: it is not known; -EINVAL: it is not what it must be */
static int keep(struct vitals_look *out, const struct member *m)
{
	const struct {
		const char *key;
		uint64_t *at;
		int bit;
	} number[] = {
		{ "rss", &out->rss, HAS_RSS },
		{ "fds", &out->fds, HAS_FDS },
		{ "threads", &out->threads, HAS_THREADS },
		{ "cpu_us", &out->cpu_us, HAS_CPU },
		{ "restarts", &out->restarts, HAS_RESTARTS },
	};

	if (is_key(m, "schema"))
		return m->is_number && m->number == VITALS_SCHEMA ? HAS_SCHEMA
								  : -EINVAL;
	if (is_key(m, "type"))
		return !m->text ? -EINVAL
		       : m->n == 6 && memcmp(m->text, "vitals", 6) == 0
			       ? HAS_TYPE
			       : 0;
	for (size_t i = 0; i < sizeof(number) / sizeof(number[0]); i++) {
		if (!is_key(m, number[i].key))
			continue;
		if (m->is_null && number[i].bit == HAS_FDS)
			*number[i].at = VITALS_UNSEEN;
		else if (m->is_number && m->number < NUMBER_MOST)
			*number[i].at = m->number;
		else
			return -EINVAL;
		return number[i].bit;
	}
	return 0;
}

int vitals_line(struct vitals_look *out, const char *p, size_t n)
{
	struct reader r = { p, p + n };
	struct vitals_look l = { .rss = 0 };
	struct member m;
	int has = 0;

	if (!take(&r, '{'))
		return -EINVAL;
	do {
		int bit = take_member(&r, &m) ? keep(&l, &m) : -EINVAL;

		if (bit < 0)
			return bit;
		has |= bit;
	} while (take(&r, ','));
	if (!take(&r, '}'))
		return -EINVAL;
	pass_blanks(&r);
	if (r.p != r.end)
		return -EINVAL;
	if (!(has & HAS_TYPE))
		return -ENOMSG;
	if (has != HAS_ALL)
		return -EINVAL;
	*out = l;
	return 0;
}
