/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * proxy.c - understudy proxy
 */
#include "cmd/cmd.h"
#include "crew/crew.h"
#include "front/front.h"
#include "ready/ready.h"
#include "setup/setup.h"
#include "os/log.h"

int cmd_proxy(int argc, char **argv)
{
	static struct setup o;
	struct errbuf e = { "" };
	int r = setup_parse(&o, argc, argv, &e);

	if (r == 1)
		return cmd_help(&proxy_command);
	if (r == 0 && o.check)
		return ready_check(&o) == 0 ? EXIT_SAME : EXIT_ERROR;
	if (r == 0)
		r = crew_run(&o, &e);
	if (r == 0)
		return EXIT_SAME;
	log_line(LOG_ERROR, "proxy: %s", e.s);
	return EXIT_ERROR;
}
