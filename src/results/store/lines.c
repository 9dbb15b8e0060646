/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lines.c - A store's differences and kinds, one after the other
 */
#include <errno.h>
#include <string.h>

#include "store/archive.h"

struct teller {
	store_put_fn put;
	void *ctx;
	char *line;
};

static int tell(struct teller *t, size_t n)
{
	return n > 0 ? t->put(t->ctx, t->line, n) : -EMSGSIZE;
}

static int tell_difference(struct archive_row *r, unsigned i, void *ctx)
{
	struct teller *t = ctx;
	struct compare_result result;
	struct report_difference d;

	(void)i;
	archive_difference(r, &d, &result);
	if (r->bad)
		return -EBADMSG;
	return tell(t, report_json_difference(t->line, REPORT_LINE_MAX, &d));
}

/* A line that was stored as it is. */
static int tell_line(struct archive_row *r, unsigned i, void *ctx)
{
	struct teller *t = ctx;
	const char *text = archive_bytes(r, NULL);
	const char *end = strchr(text, '\n');
	char *p;

	(void)i;
	if (!end || end == text || end[1] != '\0')
		return -EBADMSG;
	p = archive_printable(r->s, text);
	return p ? t->put(t->ctx, p, strlen(p)) : -ENOMEM;
}

static int tell_end(struct teller *t, const struct form *f)
{
	int r = 0;

	for (unsigned i = 0; r == 0 && i < f->times_n; i++)
		r = tell(t, report_json_times(t->line, REPORT_LINE_MAX,
					      &f->times[i]));
	for (unsigned i = 0; r == 0 && i < f->gates; i++)
		r = tell(t, report_json_gate(t->line, REPORT_LINE_MAX,
					     f->gate[i]));
	return r;
}

int archive_lines(struct archive *s, store_put_fn put, void *ctx,
		  struct errbuf *e)
{
	struct teller t = { .put = put, .ctx = ctx };
	struct form f;
	int r = archive_form(s, &f, e);

	if (r != 0)
		return r;
	t.line = archive_take(s, REPORT_LINE_MAX);
	if (!t.line)
		return archive_bad(s, -ENOMEM, e);
	r = tell(&t, report_json_start(t.line, REPORT_LINE_MAX, f.start));
	if (r == 0)
		r = archive_each(s, "SELECT * FROM difference ORDER BY id",
				 UINT32_MAX, tell_difference, &t);
	if (r == 0)
		r = archive_each(s, "SELECT json FROM line ORDER BY rowid",
				 ARCHIVE_ROWS, tell_line, &t);
	if (r == 0)
		r = tell_end(&t, &f);
	return r == 0 ? 0 : archive_bad(s, r, e);
}

/* --- kinds --- */

struct kinds {
	struct archive_kind *kind;
	unsigned n;
};

static const char *reason_of(unsigned i)
{
	return reason_name((enum compare_reason)i);
}

/* A captured name in memory of the archive's. */
static const char *name_of(struct archive_row *r, size_t *n)
{
	const char *name = archive_bytes(r, n);
	char *copy = archive_take(r->s, *n + 1);

	if (copy)
		memcpy(copy, name, *n);
	return copy;
}

int archive_kind_row(struct archive_row *r, struct archive_kind *k)
{
	k->id = archive_int(r, INT64_MIN, INT64_MAX);
	k->number = archive_int(r, INT64_MIN, INT64_MAX);
	k->name = name_of(r, &k->name_len);
	if (!k->name)
		return -ENOMEM;
	k->reason =
		(enum compare_reason)archive_word(r, reason_of, REASON_COUNT);
	k->baseline = archive_int(r, 0, 1) != 0;
	k->detail = archive_text(r);
	k->n = archive_u64(r);
	k->first = archive_u64(r);
	k->last = archive_u64(r);
	k->rule = r->s->version > 1 ? archive_text(r) : "";
	r->bad |= !k->detail || !k->rule;
	return 0;
}

static int take_kind(struct archive_row *r, unsigned i, void *ctx)
{
	struct kinds *a = ctx;

	a->n++;
	return archive_kind_row(r, &a->kind[i]);
}

int archive_kinds(struct archive *s, const struct archive_kind **out, size_t *n,
		  struct errbuf *e)
{
	struct kinds a = { .kind = archive_take(s, STORE_KINDS *
							   sizeof(*a.kind)) };
	int r = a.kind ? archive_each(s,
				      "SELECT * FROM kind ORDER BY n DESC, id",
				      STORE_KINDS, take_kind, &a)
		       : -ENOMEM;

	if (r != 0)
		return archive_bad(s, r, e);
	*out = a.kind;
	*n = a.n;
	return 0;
}
