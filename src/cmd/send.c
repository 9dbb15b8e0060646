/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * send.c - understudy send
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "os/log.h"
#include "send/send.h"

int cmd_send(int argc, char **argv)
{
	struct send_run *r = calloc(1, sizeof(*r));
	struct send_options *o = calloc(1, sizeof(*o));
	struct errbuf e = { "" };
	int code = EXIT_ERROR;
	int rc = r && o ? send_options_parse(o, argc, argv, &e) : -1;

	if (rc == 1) {
		code = cmd_help(&send_command);
	} else if (rc == 0) {
		if (o->pid)
			printf("PID: %ld\n", (long)getpid());
		fflush(stdout);
		r->o = o;
		rc = send_files_open(o, &e);
		if (rc == 0)
			rc = send_run(r, &e);
		code = send_report(r, rc, &e);
		xmit_close(r->xmit);
		feed_close(&r->feed);
		if (r->feed.stuck)
			return code; /* the process ends, and the thread */
		load_close(&r->load);
	} else {
		log_line(LOG_ERROR, "%s", r && o ? e.s : "no memory");
	}
	free(r);
	free(o);
	return code;
}
