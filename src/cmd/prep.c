/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prep.c - understudy prep: a capture's two directions, as a cache file
 */
#include <stdlib.h>

#include "cmd/cmd.h"
#include "os/log.h"
#include "prep/prep.h"

int cmd_prep(int argc, char **argv)
{
	struct prep_args *a = calloc(1, sizeof(*a));
	struct errbuf e = { "" };
	int rc;

	if (!a) {
		log_line(LOG_ERROR, "prep: no memory");
		return EXIT_ERROR;
	}
	rc = prep_args_parse(a, argc, argv, &e);
	if (rc < 0) {
		log_line(LOG_ERROR, "prep: %s", e.s);
		rc = EXIT_ERROR;
	} else if (rc > 0) {
		rc = cmd_help(&prep_command);
	} else if (a->show) {
		rc = prep_show(a);
	} else {
		rc = a->tcpprep ? prep_run_tcpprep(a) : prep_run_split(a);
	}
	prep_args_free(a);
	free(a);
	return rc;
}
