/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * page.c - understudy page
 */
#include "cmd/cmd.h"
#include "os/log.h"
#include "page/page.h"

int cmd_page(int argc, char **argv)
{
	struct page_options o;
	struct errbuf e = { "" };
	int r = page_parse(&o, argc, argv, &e);

	if (r == 1)
		return cmd_help(&page_command);
	if (r == 0)
		r = page_run(&o, &e);
	if (r == 0)
		return EXIT_SAME;
	log_line(LOG_ERROR, "page: %s", e.s);
	return EXIT_ERROR;
}
