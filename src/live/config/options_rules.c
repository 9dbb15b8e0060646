/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * options_rules.c - What --rules names becomes rules
 *
 * Theory of operation
 *
 * A word is a preset (@nginx), a file, or, if it has a line end in it, what a
 * file holds, behind a line that is its name. Files are read once, while the
 * process still is who it was started as, and their words become the latter: so
 * the options that a journal keeps are all that a rerun needs, and a rerun
 * never opens a file that a journal names. What --ignore-header names are rules
 * like any others, read last.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "config/config.h"
#include "core/arena.h"
#include "opt/opt.h"
#include "rules/rules.h"

#define RULES_FILE 65536u /* bytes of one */

static int read_file(const char *name, const char **out, struct errbuf *e)
{
	size_t front = strlen(name) + 1;
	FILE *f = fopen(name, "r");
	char *word = f ? opt_keep(front + RULES_FILE + 2) : NULL;
	char *text;
	size_t n;

	if (!f)
		return errbuf_set(e, -errno,
				  "--rules %s: %s; name a file of rules, or a "
				  "preset as @http",
				  name, strerror(errno));
	if (!word) {
		fclose(f);
		return errbuf_set(e, -ENOMEM, "no memory");
	}
	snprintf(word, front + 1, "%s\n", name);
	text = word + front;
	n = fread(text, 1, RULES_FILE + 1, f);
	if (ferror(f) != 0 || n > RULES_FILE || memchr(text, 0, n)) {
		bool bad = ferror(f) != 0;

		fclose(f);
		return errbuf_set(e, -EINVAL, "--rules %s: %s", name,
				  bad		   ? "it cannot be read"
				  : n > RULES_FILE ? "it has more than 64 KB"
						   : "it is no text");
	}
	fclose(f);
	text[n] = '\n';
	text[n + 1] = '\0';
	*out = word;
	return 0;
}

int options_rules_read(struct options *o, struct errbuf *e)
{
	for (uint32_t i = 0; i < o->sources; i++) {
		struct options_source *s = &o->source[i];
		int rc;

		if (s->word[0] == '@' || strchr(s->word, '\n'))
			continue;
		rc = read_file(s->word, &s->word, e);
		if (rc != 0)
			return rc;
	}
	return 0;
}

/* FILE:LINE:COLUMN: what is wrong, and the remedy. */
static int tell(const struct options_source *s, int rc,
		const struct rules_error *w, struct errbuf *e)
{
	char other[48] = "";

	if (w->other != 0)
		snprintf(other, sizeof(other), " (line %u)", w->other);
	return errbuf_set(e, rc, "--rules %s:%u:%u: %s%s%s%s%s; %s",
			  s->name ? s->name : s->word, w->line, w->column,
			  w->what, w->word[0] != '\0' ? " '" : "", w->word,
			  w->word[0] != '\0' ? "'" : "", other, w->remedy);
}

static int read_source(struct rules *r, struct options_source *s,
		       struct errbuf *e)
{
	struct rules_error w;
	int rc;

	s->number = rules_sources(r);
	if (s->word[0] == '@') {
		rc = rules_preset(r, s->word, strlen(s->word), &w);
		if (rc == -EINVAL && rules_sources(r) == s->number)
			return errbuf_set(e, rc,
					  "--rules %s: there is no such "
					  "preset; there are %s",
					  s->word, RULES_PRESETS);
	} else {
		const char *text = strchr(s->word, '\n');
		char *name = opt_keep(strlen(s->word) + 1);

		if (!text || !name)
			return errbuf_set(e, -ENOMEM, "no memory");
		text_safe(name, strlen(s->word) + 1, s->word,
			  (size_t)(text - s->word));
		s->name = name;
		rc = rules_read(r, text + 1, strlen(text + 1), &w);
	}
	return rc == 0 ? 0 : tell(s, rc, &w, e);
}

/* --ignore-header, as rules. */
static int read_ignored(struct rules *r, const struct compare_rules *c,
			struct errbuf *e)
{
	char text[32 + COMPARE_IGNORED * (COMPARE_NAME + 16)];
	struct rules_error w;
	struct text t;

	if (c->ignored == 0)
		return 0;
	text_begin(&t, text, sizeof(text));
	text_add(&t, "understudy rules 1\n");
	for (uint32_t i = 0; i < c->ignored; i++)
		text_add(&t, "header ignore %.*s\n", (int)c->ignore[i].len,
			 c->ignore[i].name);
	if (rules_read(r, text, t.len, &w) == 0)
		return 0;
	return errbuf_set(e, -EINVAL,
			  "--ignore-header: %s '%s'; write it as a rule",
			  w.what, w.word);
}

int options_rules_make(struct options *o, uint64_t now, struct errbuf *e)
{
	size_t size = rules_size();
	char *memory;
	struct arena a = { .size = size };
	struct rules *r;
	int rc = 0;

	o->engine.by = NULL;
	if (o->sources == 0)
		return 0;
	memory = opt_keep(size + ARENA_ALIGN);
	if (!memory)
		return errbuf_set(e, -ENOMEM, "no memory");
	a.base = (uint8_t *)memory + ARENA_ALIGN -
		 (uintptr_t)memory % ARENA_ALIGN;
	rc = rules_init(&r, &a);
	for (uint32_t i = 0; rc == 0 && i < o->sources; i++)
		rc = read_source(r, &o->source[i], e);
	if (rc == 0)
		rc = read_ignored(r, &o->engine.rules, e);
	if (rc != 0)
		return rc;
	rc = rules_end(r, (int64_t)now);
	if (rc != 0)
		return errbuf_set(e, rc,
				  "--rules: one endpoint has too many rules of "
				  "a sort (%u, of headers %u, %u steps of JSON "
				  "places); give some of them to others",
				  RULES_VIEW, RULES_VIEW_HEADERS, RULES_STEPS);
	o->engine.by = r;
	return 0;
}
