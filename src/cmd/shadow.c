/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shadow.c - understudy shadow, and what replay does in the same way
 */
#include <stdio.h>
#include <stdlib.h>

#include "cmd/cmd.h"
#include "cmd/live.h"
#include "cmd/replay.h"
#include "os/log.h"

/* From checked options to the report. Return: the exit code */
static int run(struct live *l, const struct options *o)
{
	struct errbuf e = { "" };
	int code = EXIT_ERROR;
	int r;

	networks_first_line(o);
	r = live_open(l, o, live_done, &e);
	if (r == 0)
		r = live_run(l, &e);
	if (r == 0) {
		live_finish(l);
		live_report(l);
		networks_at_end(l);
		if (l->stopped.s[0] != '\0')
			log_line(LOG_ERROR, "%s", l->stopped.s);
		code = live_exit_code(l);
	} else {
		log_line(LOG_ERROR, "%s", e.s);
		live_forget(l);
	}
	live_close(l);
	return code;
}

static int play(int argc, char **argv, unsigned cmd)
{
	struct live *l = calloc(1, sizeof(*l));
	struct replay *replay = NULL;
	struct errbuf e = { "no memory" };
	struct options o;
	int code = EXIT_ERROR;
	int r;

	options_defaults(&o);
	r = options_parse(&o, argc, argv, cmd, &e);
	if (r == 0)
		r = options_check(&o, cmd, &e);
	if (r == 0 && cmd == OPTIONS_REPLAY)
		replay = replay_new();
	if (r == 1) {
		options_usage(cmd);
		code = EXIT_SAME;
	} else if (r < 0 || l == NULL ||
		   (cmd == OPTIONS_REPLAY && replay == NULL)) {
		log_line(LOG_ERROR, "%s", e.s);
	} else {
		l->replay = replay;
		code = run(l, &o);
	}
	replay_free(replay);
	free(l);
	return code;
}

int cmd_shadow(int argc, char **argv)
{
	return play(argc, argv, OPTIONS_SHADOW);
}

int cmd_replay(int argc, char **argv)
{
	return play(argc, argv, OPTIONS_REPLAY);
}
