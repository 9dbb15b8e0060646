/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fields.c - Compare header fields by their meaning
 *
 * Theory of operation
 *
 * Names are compared without case, values without the white space around them
 * (RFC 9110 section 5.5), fields of different names in any order, those of one
 * name in theirs (section 5.3). Every field of production's is matched with the
 * first of the SUT's with its name that is not taken yet; the search begins at
 * the first one that is not taken, so that heads in the same order cost one
 * step a field. Fields of a server's own moment say nothing about its answer
 * and are left out, and besides only what the user names.
 */
#include "compare/compare_internal.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#define FIELDS_SUT (COMPARE_FIELDS * COMPARE_SUT)

/* Data bytes of the frames that heads move to when they grow. */
#define GROW_FIRST ((uint32_t)(2048 - sizeof(struct buf)))

/**
 * struct field - One field line
 * @name:	Name, @name_len bytes
 * @value:	Value without white space around it, @value_len bytes
 * @hash:	Of the name in lower case
 * @taken:	Has been matched
 */
struct field {
	const uint8_t *name;
	const uint8_t *value;
	uint32_t name_len;
	uint32_t value_len;
	uint32_t hash;
	bool taken;
};

struct field_list {
	struct field *f;
	unsigned max;
	unsigned count;
};

const char *const fields_own[FIELDS_OWN] = { "date", "age", "expires",
					     "connection", "keep-alive" };

int fields_add(struct fields *f, struct pool *pool, const uint8_t *p,
	       uint32_t n)
{
	uint32_t cap = GROW_FIRST;
	struct buf *frame;

	assert(n <= f->max - f->len);
	if (n > f->cap - f->len) {
		if (f->len + n > GROW_FIRST)
			cap = f->len + n > COMPARE_HEAD ? f->max : COMPARE_HEAD;
		frame = buf_alloc(pool, cap, BUF_CMP);
		if (!frame)
			return -ENOMEM;
		memcpy(frame->data, f->p, f->len);
		fields_release(f, pool);
		f->frame = frame;
		f->p = frame->data;
		f->cap = cap;
	}
	memcpy(f->p + f->len, p, n);
	f->len += n;
	return 0;
}

void fields_release(struct fields *f, struct pool *pool)
{
	if (f->frame)
		buf_clear(pool, f->frame, BUF_CMP);
	f->frame = NULL;
}

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool same_name(const uint8_t *a, const uint8_t *b, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (lower(a[i]) != lower(b[i]))
			return false;
	return true;
}

/* RFC 9110 section 5.6.2 */
static bool is_token(char c)
{
	static const char others[] = "!#$%&'*+-.^_`|~";

	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       memchr(others, c, sizeof(others) - 1);
}

int compare_ignore(struct compare_rules *r, const char *name)
{
	size_t n = strlen(name);
	char low[COMPARE_NAME];

	if (n > COMPARE_NAME)
		return -ENAMETOOLONG;
	for (size_t i = 0; i < n; i++) {
		low[i] = (char)lower((uint8_t)name[i]);
		if (!is_token(low[i]))
			return -EINVAL;
	}
	if (n == 0)
		return -EINVAL;
	for (uint32_t i = 0; i < r->ignored; i++)
		if (r->ignore[i].len == n &&
		    memcmp(r->ignore[i].name, low, n) == 0)
			return 0;
	if (r->ignored == COMPARE_IGNORED)
		return -ENOSPC;
	r->ignore[r->ignored].len = (uint8_t)n;
	memcpy(r->ignore[r->ignored].name, low, n);
	r->ignored++;
	return 0;
}

static bool is_ignored(const struct compare_rules *r, const uint8_t *name,
		       uint32_t n)
{
	for (size_t i = 0; i < FIELDS_OWN; i++)
		if (strlen(fields_own[i]) == n &&
		    same_name((const uint8_t *)fields_own[i], name, n))
			return true;
	for (uint32_t i = 0; r && i < r->ignored; i++)
		if (r->ignore[i].len == n &&
		    same_name((const uint8_t *)r->ignore[i].name, name, n))
			return true;
	return false;
}

/* Set the value to [@p, @end), trimmed. */
static void set_value(struct field *f, const uint8_t *p, const uint8_t *end)
{
	while (p < end && is_blank(*p))
		p++;
	while (end > p && is_blank(end[-1]))
		end--;
	f->value = p;
	f->value_len = (uint32_t)(end - p);
}

/* Read a line that is not empty; a line without a colon is a name. */
static struct field read_line(const uint8_t *p, const uint8_t *end)
{
	const uint8_t *colon = memchr(p, ':', (size_t)(end - p));
	struct field f = { .name = p };

	if (!colon)
		colon = end;
	f.name_len = (uint32_t)(colon - p);
	while (f.name_len > 0 && is_blank(p[f.name_len - 1]))
		f.name_len--;
	set_value(&f, colon < end ? colon + 1 : end, end);
	for (uint32_t i = 0; i < f.name_len; i++)
		f.hash = f.hash * 31 + lower(p[i]);
	return f;
}

/* Read field lines into a list. Return: 0 or -E2BIG */
static int read_fields(struct field_list *list, const uint8_t *p, uint32_t n,
		       bool start, const struct compare_rules *rules)
{
	const uint8_t *end = p + n;
	struct field *last = NULL; /* the one that a fold goes on with */

	list->count = 0;
	while (p < end) {
		const uint8_t *lf = memchr(p, '\n', (size_t)(end - p));
		const uint8_t *next = lf ? lf + 1 : end;
		struct field f;

		if (start) {
			start = false;
		} else if (*p == ' ' || *p == '\t') {
			if (last)
				set_value(last, last->value, next);
		} else if (*p != '\r' && *p != '\n') {
			f = read_line(p, next);
			last = NULL;
			if (!is_ignored(rules, f.name, f.name_len)) {
				if (list->count == list->max)
					return -E2BIG;
				last = &list->f[list->count++];
				*last = f;
			}
		}
		p = next;
	}
	return 0;
}

/* Keep at most COMPARE_SHOWN of @n bytes. Return: how many */
static uint8_t keep(uint8_t *to, const uint8_t *p, uint32_t n)
{
	if (n > COMPARE_SHOWN)
		n = COMPARE_SHOWN;
	memcpy(to, p, n);
	return (uint8_t)n;
}

/* NULL: that side has no such field. */
static void note(struct compare_field *out, const struct field *a,
		 const struct field *b)
{
	const struct field *f[2] = { a, b };
	const struct field *named = a ? a : b;

	*out = (struct compare_field){ .known = true };
	out->name_len = keep(out->name, named->name, named->name_len);
	for (unsigned i = 0; i < 2; i++) {
		if (!f[i])
			continue;
		out->has[i] = true;
		out->len[i] = keep(out->value[i], f[i]->value, f[i]->value_len);
	}
}

/* First field of @list at or behind @from that has the name of @f. */
static struct field *find(struct field_list *list, unsigned from,
			  const struct field *f)
{
	for (unsigned i = from; i < list->count; i++) {
		struct field *g = &list->f[i];

		if (!g->taken && g->hash == f->hash &&
		    g->name_len == f->name_len &&
		    same_name(g->name, f->name, f->name_len))
			return g;
	}
	return NULL;
}

int fields_compare(const uint8_t *a, uint32_t an, const uint8_t *b, uint32_t bn,
		   bool start, const struct compare_rules *rules,
		   struct compare_field *out)
{
	struct field fa[COMPARE_FIELDS], fb[FIELDS_SUT];
	struct field_list la = { .f = fa, .max = COMPARE_FIELDS };
	struct field_list lb = { .f = fb, .max = FIELDS_SUT };
	unsigned from = 0;

	if (read_fields(&la, a, an, start, rules) != 0)
		return -E2BIG;
	if (read_fields(&lb, b, bn, start, rules) != 0)
		return FOUND_MANY;
	for (unsigned i = 0; i < la.count; i++) {
		struct field *f = &la.f[i];
		struct field *g = find(&lb, from, f);

		if (!g || g->value_len != f->value_len ||
		    memcmp(g->value, f->value, f->value_len) != 0) {
			note(out, f, g);
			return FOUND_BYTE;
		}
		g->taken = true;
		while (from < lb.count && lb.f[from].taken)
			from++;
	}
	if (from == lb.count)
		return FOUND_NOTHING;
	note(out, NULL, &lb.f[from]);
	return FOUND_BYTE;
}
