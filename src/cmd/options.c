/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Theory of operation
 *
 * A row of the table (options_table.c) is an option; its kind (options_kind.c)
 * knows how to read a value into the row's field and how to write it again.
 * Nothing else knows an option's name: help, parsing and the journal's text walk
 * the table. What depends on more than one option is in options_check.c.
 *
 * A word "@FILE" where an option may stand is replaced by the words in that
 * file. A value is never looked at that way, so "-r @x" reads the file "@x".
 * Words of files, and the filter expression that is joined from several words,
 * lie in blocks that are never given back: options live as long as the program.
 */
#include "cmd/options.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/options_internal.h"

#define ARGS_FILE_MAX (1u << 20) /* bytes of an @FILE */

/* A block that lives until options_forget(). */
struct kept {
	struct kept *next;
	char text[];
};

static struct kept *all_kept;

static char *keep(size_t size)
{
	struct kept *k = malloc(sizeof(*k) + size);

	if (k == NULL)
		return NULL;
	k->next = all_kept;
	all_kept = k;
	return k->text;
}

void options_forget(void)
{
	while (all_kept != NULL) {
		struct kept *k = all_kept;

		all_kept = k->next;
		free(k);
	}
}

/* Where words come from: argv, or a text. */
struct words {
	char **argv;
	int left;
	char *text;
};

/* Return: 1, 0 at the end, -EINVAL. */
static int take(struct words *w, char **word)
{
	if (w->text != NULL)
		return words_next(&w->text, word);
	if (w->left == 0)
		return 0;
	w->left--;
	*word = *w->argv++;
	return 1;
}

/* What is being read, for the functions below. */
struct parse {
	struct options *o;
	unsigned cmd;
	bool in_file;
	bool only_words; /* behind "--" */
	struct errbuf *e;
};

static const struct row *by_name(const char *name, size_t len, unsigned cmd)
{
	for (size_t i = 0; i < options_row_count; i++)
		if ((options_rows[i].cmds & cmd) &&
		    strlen(options_rows[i].name) == len &&
		    memcmp(options_rows[i].name, name, len) == 0)
			return &options_rows[i];
	return NULL;
}

static const struct row *by_letter(char letter, unsigned cmd)
{
	for (size_t i = 0; i < options_row_count; i++)
		if ((options_rows[i].cmds & cmd) &&
		    options_rows[i].letter == letter)
			return &options_rows[i];
	return NULL;
}

static int no_option(struct parse *p, const char *word)
{
	return errbuf_set(p->e, -EINVAL,
			  "no option %s; 'understudy %s --help' lists all",
			  word, options_cmd_name(p->cmd));
}

static int not_closed(struct parse *p)
{
	return errbuf_set(p->e, -EINVAL, "a quotation is not closed");
}

/* Set @r to @value, or to the next word if that is NULL. */
static int apply(struct parse *p, struct words *w, const struct row *r,
		 char *value)
{
	int rc = 1;

	if (!r->kind->has_value && value != NULL)
		return errbuf_set(p->e, -EINVAL, "--%s takes no value",
				  r->name);
	if (r->kind->has_value && value == NULL)
		rc = take(w, &value);
	if (rc < 0)
		return not_closed(p);
	if (rc == 0)
		return errbuf_set(p->e, -EINVAL,
				  "--%s wants a value; write --%s %s", r->name,
				  r->name, r->arg);
	return r->kind->set(p->o, r, value, p->e);
}

static int long_option(struct parse *p, struct words *w, char *word)
{
	char *name = word + 2;
	size_t len = strcspn(name, "=");
	const struct row *r = by_name(name, len, p->cmd);

	if (r == NULL)
		return no_option(p, word);
	return apply(p, w, r, name[len] == '=' ? name + len + 1 : NULL);
}

/* -q, -qc 5, -c5: the first letter with a value ends the word. */
static int short_options(struct parse *p, struct words *w, char *word)
{
	for (char *c = word + 1; *c != '\0'; c++) {
		const struct row *r = by_letter(*c, p->cmd);
		int rc;

		if (r == NULL)
			return no_option(p, word);
		if (r->kind->has_value)
			return apply(p, w, r, c[1] != '\0' ? c + 1 : NULL);
		rc = apply(p, w, r, NULL);
		if (rc)
			return rc;
	}
	return 0;
}

/* A word that is no option: of the filter expression, or rerun's file. */
static int operand(struct parse *p, const char *word)
{
	struct options *o = p->o;
	size_t size = strlen(o->expr) + strlen(word) + 2;
	char *expr;

	if (p->cmd == OPTIONS_RERUN) {
		if (o->files == FILES_MAX)
			return errbuf_set(p->e, -EINVAL,
					  "more than %d files at once",
					  FILES_MAX);
		o->file[o->files++] = word;
		return 0;
	}
	if (o->expr[0] == '\0') {
		o->expr = word;
		return 0;
	}
	expr = keep(size);
	if (expr == NULL)
		return errbuf_set(p->e, -ENOMEM, "no memory");
	snprintf(expr, size, "%s %s", o->expr, word);
	o->expr = expr;
	return 0;
}

/* Content of an @FILE, with an end; NULL and a sentence if it fails. */
static char *read_file(const char *path, struct errbuf *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t n = 1;
	char *text;

	if (fd < 0) {
		errbuf_set(e, -errno, "@%s: %s", path, strerror(errno));
		return NULL;
	}
	text = keep(ARGS_FILE_MAX + 1);
	while (text != NULL && n > 0 && len < ARGS_FILE_MAX) {
		n = read(fd, text + len, ARGS_FILE_MAX - len);
		if (n > 0)
			len += (size_t)n;
	}
	if (text == NULL || n < 0)
		errbuf_set(e, -errno, "@%s: %s", path, strerror(errno));
	else if (len == ARGS_FILE_MAX || memchr(text, '\0', len) != NULL)
		errbuf_set(e, -EINVAL, "@%s is no file of options", path);
	else
		text[len] = '\0';
	close(fd);
	return e->s[0] != '\0' ? NULL : text;
}

static int parse_words(struct parse *p, struct words *w);

static int at_file(struct parse *p, const char *path)
{
	struct words w = { .text = NULL };
	int rc;

	if (p->in_file)
		return errbuf_set(p->e, -EINVAL,
				  "@%s: a file of options may not name another",
				  path);
	w.text = read_file(path, p->e);
	if (w.text == NULL)
		return -EINVAL;
	p->in_file = true;
	rc = parse_words(p, &w);
	p->in_file = false;
	return rc;
}

static int parse_words(struct parse *p, struct words *w)
{
	char *word;
	int rc = take(w, &word);

	for (; rc > 0; rc = take(w, &word)) {
		bool dash = !p->only_words && word[0] == '-' && word[1] != '\0';

		if (dash && strcmp(word, "--") == 0) {
			p->only_words = true;
			continue;
		}
		if (dash && word[1] == '-')
			rc = long_option(p, w, word);
		else if (dash)
			rc = short_options(p, w, word);
		else if (!p->only_words && word[0] == '@' && word[1] != '\0')
			rc = at_file(p, word + 1);
		else
			rc = operand(p, word);
		if (rc)
			return rc;
	}
	return rc < 0 ? not_closed(p) : 0;
}

/* @each: --prove each unless it is said otherwise; a journal that does not say is
 * from before there was a choice.
 */
static int parse_from(struct options *o, struct words *w, unsigned cmd,
		      bool each, struct errbuf *e)
{
	struct errbuf own = { "" };
	struct options n;
	struct parse p = { .o = &n, .cmd = cmd, .e = &own };
	int rc;

	options_defaults(&n);
	/* A text without --outside was written before there was one, by a version
	 * that neither refused nor asked.
	 */
	if (w->text != NULL)
		n.engine.refuse = n.engine.ask_others = false;
	n.engine.prove_each = each;
	n.replay = cmd == OPTIONS_REPLAY;
	rc = parse_words(&p, w);
	if (rc < 0)
		return errbuf_set(e, -EINVAL, "%s", own.s);
	n.engine.mirror_live = n.files == 0;
	if (n.engine.shadow.reorder_wait == 0)
		n.engine.shadow.reorder_wait =
			n.files == 0 ? SHADOW_REORDER : SHADOW_REORDER_FILE;
	*o = n;
	return rc;
}

int options_parse(struct options *o, int argc, char **argv, unsigned cmd,
		  struct errbuf *e)
{
	struct words w = { .argv = argv, .left = argc };

	return parse_from(o, &w, cmd, true, e);
}

int options_read(struct options *o, const char *text, unsigned cmd,
		 struct errbuf *e)
{
	size_t size = strlen(text) + 1;
	struct words w = { .text = keep(size) };

	if (w.text == NULL)
		return errbuf_set(e, -EINVAL, "no memory");
	memcpy(w.text, text, size);
	return parse_from(o, &w, cmd, false, e);
}
