/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * look.c - What the loop looks at beside frames: signals, limits, interfaces,
 * wires
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>

#include "os/log.h"
#include "os/signals.h"
#include "run/run_internal.h"
#include "shadow/counters.h"
#include "text/text.h"

#define NAP_FLOWS    8	 /* fewer are played without naps: each waits on us */
#define NAP_FRAMES   200 /* between two looks */
#define LINE_EVERY   NS_PER_SEC
#define GROWTH_EVERY (NS_PER_SEC / 10) /* --vitals */
#define EARLY_EVERY  NS_PER_SEC	       /* --stop-early */
#define LINK_EVERY   NS_PER_SEC /* at the interfaces; at once if poll() says so */
#define LONG_WAIT    (5 * NS_PER_SEC) /* for a record: it is said */

void run_clear_line(const struct run *run)
{
	char out[TOP_TEXT];

	if (run->top)
		fwrite(out, 1, top_clear(run->top, out), stderr);
	else if (run->live_line)
		fputs("\r\033[K", stderr);
}

/* Say once of each SUT that its wire has stopped to answer the probe. */
static void warn_wires(struct run *run)
{
	const struct sutwire *w = engine_wire(run->engine);
	char ip[TEXT_IP];

	for (uint32_t m = 0; w && m < run->opt->engine.maps; m++) {
		uint32_t i = run_sut_of_map(run, m);

		if (run->warned[i] || sutwire_state(w, i) != SUTWIRE_NO_ANSWER)
			continue;
		run->warned[i] = true;
		run_clear_line(run);
		log_line(LOG_WARN,
			 "%s does not answer the probe any more: no new client "
			 "is played to it until it does; is it up, and its "
			 "default route by %s?",
			 text_ip(ip, &run->opt->engine.map[m].sut),
			 run->opt->sut_dev);
	}
}

/* What was renamed is made anew, and the journal begins its next file. */
static void reopen(struct run *run)
{
	if (run->lines)
		lines_reopen(run->lines);
	if (run->journal)
		journal_rotate(run->journal);
}

void run_look_at_signals(struct run *run)
{
	int sig;

	while ((sig = signals_next(run->signal_fd)) > 0) {
		if (sig == SIGUSR1)
			run_report(run);
		else if (sig == SIGHUP && !run->hup_ends)
			reopen(run);
		else if (sig != SIGUSR2)
			run->stop = true;
	}
}

/* Say that an interface went down or came back; without it the run is over. */
static void look_at_link(struct run *run, const struct ring *r,
			 const char *name, bool *down)
{
	enum ring_state state = ring_state(r);

	if (state == RING_GONE) {
		errbuf_set(&run->stopped, -ENODEV, "%s: the interface is gone",
			   name);
		run->stop = true;
		return;
	}
	if ((state == RING_DOWN) == *down)
		return;
	*down = state == RING_DOWN;
	runctl_link(run->control, name, *down);
	run_clear_line(run);
	log_line(LOG_WARN, "%s is %s", name,
		 *down ? "down: nothing comes and goes by it until it is up"
		       : "up again");
}

void run_look_at_links(struct run *run)
{
	if (run->has_mirror)
		look_at_link(run, &run->mirror, run->opt->iface,
			     &run->mirror_down);
	if (run->has_sut)
		look_at_link(run, &run->sut, run->opt->sut_dev, &run->sut_down);
	run->next_link = run->now + LINK_EVERY;
}

/* --stop-early: can the run not end well any more? */
static void look_at_gates(struct run *run)
{
	static struct gauge_sums sums;
	const char *what;

	run->next_early = run->now + EARLY_EVERY;
	gauge_sums(&sums, run->engine, run->opt);
	what = gauge_hopeless(run->gauge, &sums);
	if (!what && outcome_was_down(run->engine, run->opt, run->now))
		what = "--allow-down";
	if (!what)
		return;
	run_clear_line(run);
	log_line(LOG_INFO, "%s cannot be met any more: the run ends", what);
	run->stop = true;
}

void run_look(struct run *run)
{
	const struct engine_stats *st = engine_stats(run->engine);
	const struct engine_counters *c = &st->count;
	uint64_t frames = c->frames_mirror + c->frames_sut;

	run_look_at_signals(run);
	runctl_turn(run->control);
	run_look_at_desk(run);
	run_look_at_journal(run);
	if (run->now >= run->next_growth) {
		growth_look(run->growth, run_answered(run));
		run->next_growth = run->now + GROWTH_EVERY;
	}
	if (run->mirror_over) /* but for the SUT's last answers it is over */
		return;
	run->busy = !run->opt->engine.shadow.timing &&
		    frames - run->look_frames >= NAP_FRAMES &&
		    shadow_flows(engine_shadow(run->engine)) >= NAP_FLOWS;
	run->look_frames = frames;
	if (run->opt->duration != 0 && run_elapsed(run) >= run->opt->duration)
		run->stop = true;
	if (run->opt->count != 0 && run->mirror_frames >= run->opt->count)
		run->stop = true;
	if (run->opt->stop_after != 0 &&
	    st->verdict[VERDICT_DIFFERENT] >= run->opt->stop_after)
		run->stop = true;
	if (run->opt->stop_early && run->now >= run->next_early)
		look_at_gates(run);
	if (run->metrics && run->now >= run->next_metrics)
		run_put_metrics(run);
	if (run->proved)
		warn_wires(run);
	run_look_at_mirror(run);
	if (run->now >= run->next_link)
		run_look_at_links(run);
	outcome_look(run->outcome, run->engine, run->now, run_drops(run));
	if ((run->live_line || run->plain) && run->now >= run->next_line) {
		run_progress(run);
		run->next_line = run->now + LINE_EVERY;
	}
}

void run_say_wait(struct run *run, uint64_t due)
{
	uint64_t wait = due > run->now ? due - run->now : 0;
	char t[TEXT_NUMBER];

	if (wait < LONG_WAIT || wait / 2 < run->wait_told)
		return;
	run->wait_told = wait;
	run_clear_line(run);
	log_line(LOG_INFO,
		 "the capture's next record comes in %s; --maxsleep TIME cuts "
		 "such waits",
		 text_time(t, wait));
}
