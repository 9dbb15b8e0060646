/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * review - understudy report and diff: what runs found is looked at again
 *
 * See report.c and diff.c.
 */
#ifndef REVIEW_REVIEW_H
#define REVIEW_REVIEW_H

#include "forms/forms.h"
#include "opt/opt.h"
#include "os/errbuf.h"

/**
 * struct review_options - What is told
 * @dir, @dirs:	Folders of --out
 * @form:	--junit, --summary, --html, --har; NULL: not wanted
 * @json:	--json; NULL: none
 */
struct review_options {
	const char *dir[2];
	unsigned dirs;
	const char *form[FORM_KINDS];
	const char *json;
};

extern const struct opt_command report_command;
extern const struct opt_command diff_command;

/** review_parse() - As options_parse(). Return: 0, 1 (help), -EINVAL */
int review_parse(const struct opt_command *c, struct review_options *o,
		 int argc, char **argv, struct errbuf *e);

/** review_report() - Return: the exit code that the run had, or -Exxx with a
 * sentence
 */
int review_report(const struct review_options *o, struct errbuf *e);

/**
 * review_diff() - What the second run found and the first did not
 *
 * Return: EXIT_SAME; EXIT_DIFFERENT: there is a new kind of difference, or one
 * is more frequent; EXIT_ERROR: one of them compared nothing; or -Exxx with a
 * sentence
 */
int review_diff(const struct review_options *o, struct errbuf *e);

#endif /* REVIEW_REVIEW_H */
