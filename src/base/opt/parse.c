/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * parse.c - Words of a command line to values of fields
 *
 * The words are first cut into items, each an option with its value or a word
 * that is none, and only then are values read: so an option that changes how
 * others are read (OPT_FIRST) may stand behind them, and --help is found in
 * front of what is wrong behind it.
 *
 * A word "@FILE" where an option may stand is replaced by the words in that
 * file. A value is never looked at that way, so "-r @x" reads the file "@x".
 * Words of files lie in blocks that are given back by opt_forget() alone:
 * values point into them.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "opt/opt_internal.h"
#include "opt/values.h"

#define ARGS_FILE_MAX (1u << 20) /* bytes of an @FILE */
#define ITEMS_FIRST   64
#define ITEMS_MAX     (1u << 16) /* of one command line */

/* A block that lives until opt_forget(). */
struct kept {
	struct kept *next;
	char text[];
};

static struct kept *all_kept;

char *opt_keep(size_t size)
{
	struct kept *k = malloc(sizeof(*k) + size);

	if (!k)
		return NULL;
	k->next = all_kept;
	all_kept = k;
	return k->text;
}

const void *opt_mark(void)
{
	return all_kept;
}

void opt_forget_since(const void *mark)
{
	while (all_kept != mark) {
		struct kept *k = all_kept;

		all_kept = k->next;
		free(k);
	}
}

void opt_forget(void)
{
	opt_forget_since(NULL);
}

/* Where words come from: argv, or a text. */
struct words {
	char **argv;
	int left;
	char *text;
};

/* Return: 1, 0 at the end, -EINVAL. */
static int take(struct words *w, const char **word)
{
	char *text;
	int rc;

	if (w->text) {
		rc = words_next(&w->text, &text);
		if (rc > 0)
			*word = text;
		return rc;
	}
	if (w->left == 0)
		return 0;
	w->left--;
	*word = *w->argv++;
	return 1;
}

/** struct item - Row number @row with its value, or an operand (@row -1) */
struct item {
	long row;
	const char *value;
};

/* What is being read, for the functions below. */
struct parse {
	const struct opt_command *c;
	struct item *item;
	size_t items;
	size_t room;
	bool in_file;
	bool only_words; /* behind "--" */
	struct opt_seen *seen;
	struct errbuf *e;
};

/* --- words to items --- */

static int add_item(struct parse *p, long row, const char *value)
{
	if (p->items == p->room) {
		size_t room = p->room ? 2 * p->room : ITEMS_FIRST;
		struct item *more = NULL;

		if (room <= ITEMS_MAX)
			more = realloc(p->item, room * sizeof(*more));
		if (!more)
			return errbuf_set(p->e, -EINVAL, "too many words");
		p->item = more;
		p->room = room;
	}
	p->item[p->items++] = (struct item){ row, value };
	return 0;
}

static int not_closed(struct parse *p)
{
	return errbuf_set(p->e, -EINVAL, "a quotation is not closed");
}

/* The row is named; @value is the rest of its word, or NULL. */
static int option(struct parse *p, struct words *w, long row, const char *value)
{
	const struct opt_row *r = opt_row(p->c, (size_t)row, NULL);
	int rc = 1;

	if (r->kind == &opt_kind_help)
		return 1;
	if (r->kind->flag && value)
		return errbuf_set(p->e, -EINVAL, "--%s takes no value",
				  r->name);
	if (!r->kind->flag && !value)
		rc = take(w, &value);
	if (rc < 0)
		return not_closed(p);
	if (rc == 0)
		return errbuf_set(p->e, -EINVAL,
				  "no value for --%s; write --%s %s", r->name,
				  r->name, r->arg);
	return add_item(p, row, value);
}

/*
 * The row of a long name, whole or, if the command wants it so, shortened.
 * Return: -ENOENT, or -EINVAL with a sentence if several fit
 */
static long long_row(struct parse *p, const char *name, size_t len)
{
	const struct opt_command *c = p->c;
	long found = opt_find(c, name, len);
	const struct opt_row *r, *first = NULL;

	if (found >= 0 || !c->shortened || len == 0)
		return found;
	for (size_t i = 0; (r = opt_row(c, i, NULL)) != NULL; i++) {
		if (!opt_same_name(r->name, name, len))
			continue;
		if (first)
			return errbuf_set(p->e, -EINVAL,
					  "--%.*s: is it --%s or --%s?",
					  (int)len, name, first->name, r->name);
		first = r;
		found = (long)i;
	}
	return found;
}

static int long_option(struct parse *p, struct words *w, const char *word)
{
	const char *name = word + 2;
	size_t len = strcspn(name, "=");
	long row = long_row(p, name, len);

	if (row == -ENOENT)
		return opt_unknown(p->c, word, p->e);
	if (row < 0)
		return (int)row;
	return option(p, w, row, name[len] == '=' ? name + len + 1 : NULL);
}

static long by_letter(const struct opt_command *c, char letter)
{
	const struct opt_row *r;

	for (size_t i = 0; (r = opt_row(c, i, NULL)) != NULL; i++)
		if (r->letter == letter)
			return (long)i;
	return -ENOENT;
}

/* -q, -qc 5, -c5: the first letter with a value ends the word. */
static int short_options(struct parse *p, struct words *w, const char *word)
{
	for (const char *c = word + 1; *c != '\0'; c++) {
		long row = by_letter(p->c, *c);
		int rc;

		if (row < 0)
			return opt_unknown(p->c, word, p->e);
		if (!opt_row(p->c, (size_t)row, NULL)->kind->flag)
			return option(p, w, row, c[1] != '\0' ? c + 1 : NULL);
		rc = option(p, w, row, NULL);
		if (rc)
			return rc;
	}
	return 0;
}

/* --- files of options --- */

/* All that can be read from @fd, with an end. Return: 0 or -Exxx */
static int read_all(int fd, char *text)
{
	size_t len = 0;
	ssize_t n = 1;

	while (n > 0 && len < ARGS_FILE_MAX) {
		n = read(fd, text + len, ARGS_FILE_MAX - len);
		if (n < 0)
			return -errno;
		len += (size_t)n;
	}
	if (len == ARGS_FILE_MAX || memchr(text, '\0', len))
		return -EFBIG;
	text[len] = '\0';
	return 0;
}

/* Content of an @FILE; NULL and a sentence if it fails. */
static char *read_file(const char *path, struct errbuf *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *text = fd < 0 ? NULL : opt_keep(ARGS_FILE_MAX + 1);
	int rc = !text ? -errno : read_all(fd, text);

	if (fd >= 0)
		close(fd);
	if (rc == 0)
		return text;
	if (rc == -EFBIG)
		errbuf_set(e, rc, "@%s is no file of options", path);
	else
		errbuf_set(e, rc, "@%s: %s", path, strerror(-rc));
	return NULL;
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
	if (!w.text)
		return -EINVAL;
	if (p->seen->files < OPT_FILES)
		p->seen->file[p->seen->files] = path;
	p->seen->files++;
	p->in_file = true;
	rc = parse_words(p, &w);
	p->in_file = false;
	return rc;
}

static int parse_words(struct parse *p, struct words *w)
{
	const char *word;
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
			rc = add_item(p, -1, word);
		if (rc)
			return rc;
	}
	return rc < 0 ? not_closed(p) : 0;
}

/* --- items to values --- */

static bool mark(struct opt_seen *s, size_t row)
{
	uint64_t bit = UINT64_C(1) << row % 64;
	bool was = (s->bits[row / 64] & bit);

	s->bits[row / 64] |= bit;
	return was;
}

/* Options of OPT_FIRST, or all that is left. */
static int set_items(struct parse *p, void *base, bool first,
		     struct opt_seen *seen)
{
	for (size_t i = 0; i < p->items; i++) {
		const struct item *it = &p->item[i];
		const struct opt_row *r = NULL;
		size_t at = 0;
		int rc;

		if (it->row >= 0)
			r = opt_row(p->c, (size_t)it->row, &at);
		if (first != (r && (r->flags & OPT_FIRST)))
			continue;
		if (!r)
			rc = p->c->operand(base, it->value, p->e);
		else if (mark(seen, (size_t)it->row) && (r->flags & OPT_ONCE))
			rc = errbuf_set(p->e, -EINVAL, "--%s is given twice",
					r->name);
		else
			rc = r->kind->set((char *)base + at + r->offset, r,
					  it->value, p->e);
		if (rc)
			return rc;
	}
	return 0;
}

static int parse_from(const struct opt_command *c, void *base, struct words *w,
		      struct opt_seen *seen, struct errbuf *e)
{
	struct opt_seen own = { .files = 0 };
	struct parse p = { .c = c, .seen = &own, .e = e };
	int rc = parse_words(&p, w);

	if (rc == 0)
		rc = set_items(&p, base, true, &own);
	if (rc == 0)
		rc = set_items(&p, base, false, &own);
	if (seen)
		*seen = own;
	free(p.item);
	return rc;
}

int opt_parse(const struct opt_command *c, void *base, int argc, char **argv,
	      struct opt_seen *seen, struct errbuf *e)
{
	struct words w = { .argv = argv, .left = argc };

	return parse_from(c, base, &w, seen, e);
}

int opt_read(const struct opt_command *c, void *base, const char *text,
	     struct errbuf *e)
{
	size_t size = strlen(text) + 1;
	struct words w = { .text = opt_keep(size) };

	if (!w.text)
		return errbuf_set(e, -ENOMEM, "no memory");
	memcpy(w.text, text, size);
	return parse_from(c, base, &w, NULL, e);
}
