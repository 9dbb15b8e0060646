/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tunnel.c - understudy tunnel
 */
#include "cmd/cmd.h"
#include "ends/ends.h"
#include "os/log.h"

int cmd_tunnel(int argc, char **argv)
{
	static struct ends_options o;
	struct errbuf e = { "" };
	int r = ends_options_parse(&o, argc, argv, &e);

	if (r == 1)
		return cmd_help(&tunnel_command);
	if (r == 0)
		r = o.keygen ? ends_keygen(o.keygen_file, &e)
			     : ends_run(&o, &e);
	if (r == 0)
		return EXIT_SAME;
	log_line(LOG_ERROR, "tunnel: %s", e.s);
	return EXIT_ERROR;
}
