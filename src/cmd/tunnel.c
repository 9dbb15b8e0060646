/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tunnel.c - understudy tunnel
 */
#include <errno.h>

#include "cmd/cmd.h"
#include "ends/ends.h"
#include "lone/lone.h"
#include "os/log.h"

int cmd_tunnel(int argc, char **argv)
{
	static struct ends_options o;
	struct errbuf e = { "" };
	int r = ends_options_parse(&o, argc, argv, &e);

	if (r == 1)
		return cmd_help(&tunnel_command);
	if (r == 0 && o.check)
		r = ends_check(&o, &e);
	else if (r == 0)
		r = o.task == ENDS_KEYGEN ? ends_keygen(o.word[0], &e)
		    : o.task == ENDS_PADGEN
			    ? ends_padgen(o.word[0], o.word[1], o.word[2], &e)
		    : o.encap == ENDS_IPIP ? lone_run(&o, &e)
					   : ends_run(&o, &e);
	if (r == -EHOSTUNREACH && o.check)
		return EXIT_ERROR; /* it was said */
	if (r == 0)
		return EXIT_SAME;
	log_line(LOG_ERROR, "tunnel: %s", e.s);
	return EXIT_ERROR;
}
