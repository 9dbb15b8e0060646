/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vitals.c - understudy vitals
 */
#include "cmd/cmd.h"
#include "os/log.h"
#include "pulse/pulse.h"

int cmd_vitals(int argc, char **argv)
{
	struct pulse_options o;
	struct errbuf e = { "" };
	int r = pulse_options_parse(&o, argc, argv, &e);

	if (r == 1)
		return cmd_help(&pulse_command);
	if (r == 0)
		r = pulse_run(&o, &e);
	if (r >= 0)
		return r;
	log_line(LOG_ERROR, "vitals: %s", e.s);
	return EXIT_ERROR;
}
