/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * run.c - From checked options to the report
 */
#include "run/run.h"

#include <stdlib.h>

#include "account/networks.h"
#include "os/exitcode.h"
#include "os/log.h"
#include "run/replay.h"
#include "run/run_internal.h"

static int play(struct run *run, const struct options *o)
{
	struct errbuf e = { "" };
	int code = EXIT_ERROR;
	int r;

	networks_first_line(o);
	r = run_open(run, o, &e);
	if (r == 0)
		r = run_play(run, &e);
	if (r == 0) {
		run_finish(run);
		run_report(run);
		run_gauge(run);
		networks_at_end(run->engine);
		if (run->has_sut && !o->quiet)
			log_line(LOG_INFO,
				 "%s stays guarded; 'understudy doctor "
				 "--release %s' lifts that",
				 o->sut_dev, o->sut_dev);
		if (run->stopped.s[0] != '\0')
			log_line(LOG_ERROR, "%s", run->stopped.s);
		code = run_forms(run);
	} else {
		log_line(LOG_ERROR, "%s", e.s);
		run_forget(run);
	}
	run_close(run);
	return code;
}

int run_live(const struct options *o)
{
	struct run *run = calloc(1, sizeof(*run));
	int code = EXIT_ERROR;

	if (run)
		code = play(run, o);
	else
		log_line(LOG_ERROR, "no memory");
	free(run);
	return code;
}

int run_replay(const struct options *o)
{
	struct run *run = calloc(1, sizeof(*run));
	struct replay *replay = replay_new();
	int code = EXIT_ERROR;

	if (run && replay) {
		run->replay = replay;
		code = play(run, o);
	} else {
		log_line(LOG_ERROR, "no memory");
	}
	replay_free(replay);
	free(run);
	return code;
}
