/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ctl.c - understudy ctl
 */
#include "ctl/ctl.h"
#include "cmd/cmd.h"
#include "os/log.h"

int cmd_ctl(int argc, char **argv)
{
	static struct ctl_options o;
	struct errbuf e = { "" };
	int r = ctl_options_parse(&o, argc, argv, &e);

	if (r == 1)
		return cmd_help(&ctl_command);
	if (r == 0)
		r = ctl_ask(&o, &e);
	if (r == 0)
		return EXIT_SAME;
	log_line(LOG_ERROR, "ctl: %s", e.s);
	return r == 1 ? EXIT_DIFFERENT : EXIT_ERROR;
}
