/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report.c - The forms of a run, made again of its folder
 *
 * A store may be anybody's (store/archive.c): before it is looked at, all is
 * shut but its folder, and those of the files that are to be made. These are
 * made once the store is known to be one, so that a bad one leaves nothing
 * behind.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/confine.h"
#include "os/exitcode.h"
#include "os/folder.h"
#include "review/review_internal.h"

#define OUTPUT	   "Output"
#define FORM(kind) offsetof(struct review_options, form[kind])

static const struct opt_row form_rows[] = {
	{ "junit", 0, &opt_kind_string, FORM(FORM_JUNIT), "FILE",
	  "write what came of it as test cases, for CI systems (- for stdout)",
	  .group = OUTPUT },
	{ "summary", 0, &opt_kind_string, FORM(FORM_SUMMARY), "FILE",
	  "the same as Markdown", .group = OUTPUT },
	{ "html", 0, &opt_kind_string, FORM(FORM_HTML), "FILE",
	  "the same as one page that needs no other file", .group = OUTPUT },
	{ "har", 0, &opt_kind_string, FORM(FORM_HAR), "FILE",
	  "write the first differences of each kind as an HTTP Archive",
	  .group = OUTPUT },
};

static const struct opt_row common_rows[] = {
	{ "json", 0, &opt_kind_string, offsetof(struct review_options, json),
	  "FILE", "write JSON lines (- for stdout)", .group = OUTPUT },
	{ "help", 'h', &opt_kind_help, 0, NULL, "this text", .group = OUTPUT },
};

static const struct opt_table report_tables[] = {
	{ form_rows, sizeof(form_rows) / sizeof(form_rows[0]), 0 },
	{ common_rows, sizeof(common_rows) / sizeof(common_rows[0]), 0 },
};

static const struct opt_table diff_tables[] = {
	{ common_rows, sizeof(common_rows) / sizeof(common_rows[0]), 0 },
};

static int operand(void *base, const char *word, struct errbuf *e)
{
	struct review_options *o = base;

	if (o->dirs == 2)
		return errbuf_set(e, -EINVAL,
				  "%s: there are two folders already", word);
	o->dir[o->dirs++] = word;
	return 0;
}

const struct opt_command report_command = {
	.name = "report",
	.usage = "report DIR [OPTION...]",
	.about = "Prints the report of a run again, of the folder that it made "
		 "with --out, and makes each of its forms.",
	.tables = report_tables,
	.count = sizeof(report_tables) / sizeof(report_tables[0]),
	.operand = operand,
};

const struct opt_command diff_command = {
	.name = "diff",
	.usage = "diff DIR DIR [OPTION...]",
	.about = "Compares what two runs found, of their folders: which kinds "
		 "of differences are new, more, less or gone.",
	.tables = diff_tables,
	.count = sizeof(diff_tables) / sizeof(diff_tables[0]),
	.operand = operand,
};

static int check_stdout(const struct review_options *o, struct errbuf *e)
{
	unsigned taken = o->json && strcmp(o->json, "-") == 0;

	for (unsigned i = 0; i < FORM_KINDS; i++)
		taken += o->form[i] && strcmp(o->form[i], "-") == 0;
	return taken > 1 ? errbuf_set(e, -EINVAL,
				      "two outputs on standard output; give "
				      "one of them a file")
			 : 0;
}

int review_parse(const struct opt_command *c, struct review_options *o,
		 int argc, char **argv, struct errbuf *e)
{
	unsigned want = c == &diff_command ? 2 : 1;
	int r;

	*o = (struct review_options){ .dirs = 0 };
	r = opt_parse(c, o, argc, argv, NULL, e);
	if (r == 0 && o->dirs != want)
		return errbuf_set(e, -EINVAL, "%s; write 'understudy %s'",
				  o->dirs < want ? "which run? A folder of "
						   "--out is missing"
						 : "that is one folder too "
						   "many",
				  c->usage);
	return r == 0 ? check_stdout(o, e) : r;
}

FILE *review_new(const char *path, struct errbuf *e)
{
	int fd;
	FILE *f;

	if (strcmp(path, "-") == 0)
		return stdout;
	fd = folder_make(AT_FDCWD, path);
	if (fd < 0) {
		errbuf_set(e, fd,
			   fd == -EEXIST ? "%s is there already; remove it, "
					   "or give another name"
					 : "%s: cannot be made",
			   path);
		return NULL;
	}
	f = fdopen(fd, "w");
	if (!f)
		errbuf_set(e, -ENOMEM, "no memory");
	return f;
}

int review_end(FILE *f, const char *path, struct errbuf *e)
{
	bool bad = ferror(f) != 0;

	bad |= (f == stdout ? fflush(f) : fclose(f)) != 0;
	return bad ? errbuf_set(e, -EIO, "%s: not all of it was written", path)
		   : 0;
}

int review_enter(const struct review_options *o, struct errbuf *e)
{
	static char path[2][STORE_PATH];
	struct confine c = { .stay = true,
			     .quiet = true,
			     .box = { .needs = SANDBOX_RUN | SANDBOX_STORE |
					       SANDBOX_MAKE,
				      .broker = -1,
				      .control = -1 } };
	int r;

	for (unsigned i = 0; i < o->dirs; i++) {
		int n = snprintf(path[i], STORE_PATH, "%s/" STORE_FILE,
				 o->dir[i]);

		if (n >= STORE_PATH || access(path[i], R_OK) != 0)
			return errbuf_set(e, -ENOENT,
					  "%s: no " STORE_FILE " that can be "
					  "read is there; give the folder that "
					  "a run made with --out",
					  o->dir[i]);
		/* SQLite makes its index beside it, and removes it. */
		confine_place(&c, path[i], true);
		confine_place(&c, path[i], false);
	}
	for (unsigned i = 0; i < FORM_KINDS; i++)
		confine_place(&c, o->form[i], true);
	confine_place(&c, o->json, true);
	r = confine(&c, CONFINE_EARLY, e);
	return r == 0 ? confine(&c, CONFINE_FINAL, e) : r;
}

/* --- the report --- */

struct report {
	const struct review_options *o;
	int fd[FORM_KINDS]; /* or -1 */
	FILE *lines;
};

static int open_all(struct report *a, struct errbuf *e)
{
	for (unsigned i = 0; i < FORM_KINDS; i++) {
		if (!a->o->form[i])
			continue;
		a->fd[i] = form_open(a->o->form[i], NULL, e);
		if (a->fd[i] < 0)
			return a->fd[i];
	}
	if (a->o->json) {
		a->lines = review_new(a->o->json, e);
		if (!a->lines)
			return -EIO;
	}
	return 0;
}

static void forget(struct report *a)
{
	for (unsigned i = 0; i < FORM_KINDS; i++) {
		if (a->fd[i] < 0)
			continue;
		close(a->fd[i]);
		if (strcmp(a->o->form[i], "-") != 0)
			(void)unlink(a->o->form[i]);
	}
	if (a->lines && a->lines != stdout) {
		(void)fclose(a->lines);
		(void)unlink(a->o->json);
	}
}

static int put_line(void *ctx, const void *p, size_t n)
{
	return fwrite(p, 1, n, ctx) == n ? 0 : -EIO;
}

static bool on_stdout(const struct review_options *o)
{
	for (unsigned i = 0; i < FORM_KINDS; i++)
		if (o->form[i] && strcmp(o->form[i], "-") == 0)
			return true;
	return o->json && strcmp(o->json, "-") == 0;
}

static int make_all(struct report *a, struct archive *s, struct errbuf *e)
{
	struct form f;
	int r = archive_form(s, &f, e);

	if (r == 0)
		r = open_all(a, e);
	if (r != 0)
		return r;
	for (unsigned i = 0; i < FORM_KINDS; i++) {
		if (a->fd[i] < 0)
			continue;
		r = form_write((enum form_kind)i, a->fd[i], &f);
		if (r != 0)
			return errbuf_set(e, r, "%s: not all of it was written",
					  a->o->form[i]);
	}
	if (a->lines)
		r = archive_lines(s, put_line, a->lines, e);
	if (r == 0 && !on_stdout(a->o))
		r = fputs(f.text, stdout) < 0 || fflush(stdout) != 0
			    ? errbuf_set(e, -EIO, "standard output is shut")
			    : 0;
	return r != 0 ? r : f.code;
}

int review_report(const struct review_options *o, struct errbuf *e)
{
	struct report a = { .o = o };
	struct archive *s = NULL;
	int r;

	for (unsigned i = 0; i < FORM_KINDS; i++)
		a.fd[i] = -1;
	r = review_enter(o, e);
	if (r == 0)
		r = archive_open(&s, o->dir[0], e);
	if (r == 0)
		r = make_all(&a, s, e);
	archive_close(s);
	if (r < 0) {
		forget(&a);
		return r;
	}
	for (unsigned i = 0; i < FORM_KINDS; i++)
		if (a.fd[i] >= 0)
			close(a.fd[i]);
	if (a.lines && review_end(a.lines, o->json, e) != 0)
		return -EIO;
	return r;
}
