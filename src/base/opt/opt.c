/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * opt.c - Rows by number and name; values written, read and changed by name
 */
#include "opt/opt.h"

#include <errno.h>
#include <string.h>

#include "opt/opt_internal.h"
#include "opt/values.h"

const struct opt_row *opt_row(const struct opt_command *c, size_t i,
			      size_t *base)
{
	for (size_t k = 0; k < c->count; k++) {
		const struct opt_table *t = &c->tables[k];

		if (i < t->count) {
			if (base)
				*base = t->base;
			return &t->rows[i];
		}
		i -= t->count;
	}
	return NULL;
}

bool opt_same_name(const char *name, const char *word, size_t len)
{
	size_t i = 0;

	for (; i < len && name[i] != '\0'; i++)
		if (name[i] != (word[i] == '_' ? '-' : word[i]))
			return false;
	return i == len;
}

long opt_find(const struct opt_command *c, const char *word, size_t len)
{
	const struct opt_row *r;

	for (size_t i = 0; (r = opt_row(c, i, NULL)) != NULL; i++)
		if (strlen(r->name) == len && opt_same_name(r->name, word, len))
			return (long)i;
	return -ENOENT;
}

bool opt_was_seen(const struct opt_command *c, const struct opt_seen *seen,
		  const char *name)
{
	long i = opt_find(c, name, strlen(name));

	return i >= 0 && (seen->bits[i / 64] >> i % 64 & 1);
}

void opt_text(const struct opt_command *c, const void *base, struct text *t)
{
	const struct opt_row *r;
	size_t at;

	for (size_t i = 0; (r = opt_row(c, i, &at)) != NULL; i++) {
		const char *field = (const char *)base + at + r->offset;
		struct text before = *t;

		for (unsigned k = 0;; k++) {
			text_add(t, r->kind->flag ? " --%s" : " --%s ",
				 r->name);
			if (!r->kind->put(t, field, r, k))
				break;
			before = *t;
		}
		/* The name was written to nothing. */
		*t = before;
		t->buf[t->len] = '\0';
	}
}

/* The row of @name, or NULL and a sentence. */
static const struct opt_row *named(const struct opt_command *c,
				   const char *name, size_t *at,
				   struct errbuf *e)
{
	long i = opt_find(c, name, strlen(name));

	if (i >= 0)
		return opt_row(c, (size_t)i, at);
	opt_unknown(c, name, e);
	return NULL;
}

int opt_get(const struct opt_command *c, const void *base, const char *name,
	    struct text *t, struct errbuf *e)
{
	size_t at;
	const struct opt_row *r = named(c, name, &at, e);
	const char *field;
	bool more;

	if (!r)
		return -ENOENT;
	field = (const char *)base + at + r->offset;
	more = r->kind->put(t, field, r, 0);
	if (r->kind->flag)
		text_add(t, more ? "on" : "off");
	for (unsigned i = 1; more && !r->kind->flag; i++) {
		struct text before = *t;

		text_add(t, " ");
		more = r->kind->put(t, field, r, i);
		if (!more) {
			*t = before;
			t->buf[t->len] = '\0';
		}
	}
	return 0;
}

int opt_set(const struct opt_command *c, void *base, const char *name,
	    const char *value, struct errbuf *e)
{
	size_t at;
	const struct opt_row *r = named(c, name, &at, e);
	char *field;

	if (!r)
		return -ENOENT;
	if (!(r->flags & OPT_RUNTIME))
		return errbuf_set(e, -EPERM,
				  "%s cannot be changed while a run goes on",
				  r->name);
	field = (char *)base + at + r->offset;
	if (!r->kind->flag)
		return r->kind->set(field, r, value, e);
	if (strcmp(value, "on") != 0 && strcmp(value, "off") != 0)
		return errbuf_set(e, -EINVAL, "%s %s: write on or off", r->name,
				  value);
	*(bool *)field = (value[1] == 'n') == (r->kind != &opt_kind_unset);
	return 0;
}
