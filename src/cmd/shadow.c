/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shadow.c - understudy shadow
 */
#include <stdio.h>
#include <stdlib.h>

#include "cmd/cmd.h"
#include "cmd/live.h"
#include "os/log.h"

int cmd_shadow(int argc, char **argv)
{
	struct live *l = calloc(1, sizeof(*l));
	struct errbuf e = { "" };
	struct options o;
	int code = EXIT_ERROR;
	int r;

	options_defaults(&o);
	r = options_parse(&o, argc, argv, OPTIONS_SHADOW, &e);
	if (r == 1) {
		options_usage(OPTIONS_SHADOW);
		free(l);
		return EXIT_SAME;
	}
	if (r == 0)
		r = options_check(&o, OPTIONS_SHADOW, &e);
	if (l == NULL)
		r = -1;
	if (r == 0)
		r = live_open(l, &o, live_done, &e);
	if (r == 0)
		r = live_run(l, &e);
	if (r == 0) {
		live_finish(l);
		live_report(l);
		live_routes(l);
		if (l->stopped.s[0] != '\0')
			log_line(LOG_ERROR, "%s", l->stopped.s);
		code = live_exit_code(l);
	} else {
		log_line(LOG_ERROR, "%s", l != NULL ? e.s : "no memory");
		if (l != NULL)
			live_forget(l);
	}
	if (l != NULL)
		live_close(l);
	free(l);
	return code;
}
