/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report.c - understudy report and diff
 */
#include "cmd/cmd.h"
#include "os/log.h"
#include "review/review.h"

static int with_options(const struct opt_command *c, int argc, char **argv,
			int (*run)(const struct review_options *o,
				   struct errbuf *e))
{
	struct review_options o;
	struct errbuf e = { "" };
	int r = review_parse(c, &o, argc, argv, &e);

	if (r == 1)
		return cmd_help(c);
	if (r == 0)
		r = run(&o, &e);
	if (r >= 0)
		return r;
	log_line(LOG_ERROR, "%s: %s", c->name, e.s);
	return EXIT_ERROR;
}

int cmd_report(int argc, char **argv)
{
	return with_options(&report_command, argc, argv, review_report);
}

int cmd_diff(int argc, char **argv)
{
	return with_options(&diff_command, argc, argv, review_diff);
}
