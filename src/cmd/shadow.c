/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shadow.c - understudy shadow, replay, rerun and doctor: one family of options
 */
#include "check/check.h"
#include "cmd/cmd.h"
#include "config/config.h"
#include "os/clock.h"
#include "os/log.h"
#include "rerun/rerun.h"
#include "run/run.h"

/* Options of subcommand @cmd, and then @run. Return: the exit code */
static int with_options(int argc, char **argv, unsigned cmd,
			const struct opt_command *help,
			int (*run)(const struct options *o))
{
	struct errbuf e = { "" };
	struct options o;
	int r = options_parse(&o, argc, argv, cmd, &e);

	if (r == 1)
		return cmd_help(help);
	if (r == 0)
		r = options_dates(&o, clock_real(), &e);
	if (r == 0)
		r = options_check(&o, cmd, &e);
	if (r == 0)
		r = options_rules_read(&o, &e);
	if (r == 0)
		r = options_rules_make(&o, clock_real(), &e);
	if (r == 0)
		return run(&o);
	log_line(LOG_ERROR, "%s", e.s);
	return EXIT_ERROR;
}

int cmd_shadow(int argc, char **argv)
{
	return with_options(argc, argv, OPTIONS_SHADOW, &options_shadow,
			    run_live);
}

int cmd_replay(int argc, char **argv)
{
	return with_options(argc, argv, OPTIONS_REPLAY, &options_replay,
			    run_replay);
}

int cmd_rerun(int argc, char **argv)
{
	return with_options(argc, argv, OPTIONS_RERUN, &options_rerun,
			    rerun_run);
}

int cmd_doctor(int argc, char **argv)
{
	return with_options(argc, argv, OPTIONS_DOCTOR, &options_doctor,
			    check_run);
}
