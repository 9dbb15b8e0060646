/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pulse.c - A server's memory, open files, threads and processor time
 *
 * A line of JSON for each look, and two at the end that say whether memory and
 * open files grew (vitals/series.c). A server that was started anew begins a
 * new series, and is counted: what went with the old process is no growth.
 * Nothing is asked of the server, and nothing of it is changed.
 */
#include "pulse/pulse.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "opt/values.h"
#include "os/clock.h"
#include "os/exitcode.h"
#include "os/log.h"
#include "os/signals.h"
#include "text/json.h"
#include "vitals/vitals.h"

#define NS_A_MS UINT64_C(1000000)
#define LINE	VITALS_LINE

static const struct opt_row rows[] = {
	{ "pid", 0, &opt_kind_u32, offsetof(struct pulse_options, pid), "PID",
	  "this process", .group = "Options", .least = 1, .most = UINT32_MAX },
	{ "cgroup", 0, &opt_kind_string, offsetof(struct pulse_options, cgroup),
	  "PATH",
	  "all processes of this control group (version 2), as "
	  "/sys/fs/cgroup/system.slice/nginx.service",
	  .group = "Options" },
	{ "every", 0, &opt_kind_duration, offsetof(struct pulse_options, every),
	  "TIME", "between two looks (default 1s)", .group = "Options",
	  .least = 10 * NS_A_MS, .most = UINT64_C(3600000) * NS_A_MS },
	{ "duration", 0, &opt_kind_duration,
	  offsetof(struct pulse_options, duration), "TIME",
	  "end after so long (default 0: at a signal, or with the process)",
	  .group = "Options", .most = UINT64_MAX },
	{ "max-leak", 0, &opt_kind_size,
	  offsetof(struct pulse_options, max_leak), "SIZE",
	  "exit 1 if memory grows by more than this in an hour",
	  .group = "Options", .most = SIZE_MAX / 4 },
	{ "help", 'h', &opt_kind_help, 0, NULL, "this text",
	  .group = "Options" },
};

static const struct opt_table tables[] = {
	{ rows, sizeof(rows) / sizeof(rows[0]), 0 },
};

const struct opt_command pulse_command = {
	.name = "vitals",
	.usage = "vitals --pid PID | --cgroup PATH [OPTION...]",
	.about = "Looks at a server: a line of JSON each second, with memory, "
		 "open files, threads and processor time, and at the end "
		 "whether it grew.",
	.tables = tables,
	.count = sizeof(tables) / sizeof(tables[0]),
};

int pulse_options_parse(struct pulse_options *o, int argc, char **argv,
			struct errbuf *e)
{
	int rc;

	*o = (struct pulse_options){ .every = 1000 * NS_A_MS,
				     .max_leak = SIZE_MAX };
	rc = opt_parse(&pulse_command, o, argc, argv, NULL, e);
	if (rc != 0)
		return rc;
	if ((o->pid == 0) == !o->cgroup)
		return errbuf_set(e, -EINVAL,
				  o->cgroup ? "--pid and --cgroup at once; "
					      "drop one of them"
					    : "whose? Add --pid PID, or "
					      "--cgroup PATH");
	return 0;
}

/**
 * struct pulse - What is known
 * @now:	Of the last look, ns
 * @looks, @restarts: How many
 */
struct pulse {
	const struct pulse_options *opt;
	struct pulse_look last;
	uint64_t now;
	uint64_t looks;
	uint64_t restarts;
	struct vitals_series rss;
	struct vitals_series fds;
	struct vitals_scratch scratch;
};

/* Return: 0, or -Exxx: nobody reads */
static int put_line(struct json *j, const char *line)
{
	size_t n = json_line(j), done = 0;

	while (done < n) {
		ssize_t r = write(STDOUT_FILENO, line + done, n - done);

		if (r < 0)
			return -errno;
		done += (size_t)r;
	}
	return 0;
}

static void begin(struct json *j, char line[LINE], const char *type)
{
	json_begin(j, line, LINE);
	json_u64(j, "schema", VITALS_SCHEMA);
	json_str(j, "type", type);
}

static int tell_look(const struct pulse *p)
{
	char line[LINE];
	struct json j;

	begin(&j, line, "vitals");
	json_u64(&j, "time_ns", clock_real());
	json_u64(&j, "rss", p->last.rss);
	if (p->last.fds == UINT64_MAX)
		json_null(&j, "fds");
	else
		json_u64(&j, "fds", p->last.fds);
	json_u64(&j, "threads", p->last.threads);
	json_u64(&j, "cpu_us", p->last.cpu_us);
	json_u64(&j, "restarts", p->restarts);
	return put_line(&j, line);
}

static int tell_growth(const char *what, const struct vitals_growth *g)
{
	char line[LINE];
	struct json j;

	begin(&j, line, "growth");
	json_str(&j, "what", what);
	json_str(&j, "says", vitals_says_name(g->says));
	json_u64(&j, "points", g->points);
	if (g->says != VITALS_TOO_FEW) {
		json_i64(&j, "per_hour", vitals_whole(g->by));
		json_i64(&j, "low", vitals_whole(g->low));
		json_i64(&j, "high", vitals_whole(g->high));
		json_i64(&j, "adds", vitals_whole(g->adds));
		json_i64(&j, "level", vitals_whole(g->level));
	}
	return put_line(&j, line);
}

static int look(struct pulse *p)
{
	struct pulse_look l;
	int r = p->opt->cgroup ? pulse_look_cgroup(&l, p->opt->cgroup)
			       : pulse_look_pid(&l, p->opt->pid);

	if (r != 0)
		return r;
	p->now = clock_mono();
	if (p->looks > 0 && l.start != p->last.start) {
		p->restarts++;
		memset(&p->rss, 0, sizeof(p->rss));
		memset(&p->fds, 0, sizeof(p->fds));
	}
	p->looks++;
	p->last = l;
	vitals_add(&p->rss, p->now, l.rss);
	if (l.fds != UINT64_MAX)
		vitals_add(&p->fds, p->now, l.fds);
	return tell_look(p);
}

/* Until a signal, its end, or that of the time. Return: 0 or -Exxx */
static int look_on(struct pulse *p, int signals)
{
	uint64_t begun = clock_mono(), due = begun;

	for (;;) {
		struct pollfd fd = { .fd = signals, .events = POLLIN };
		uint64_t now;
		int r = look(p);

		/* A group may be empty while its server is restarted. */
		if (r == -ESRCH && p->looks > 0 && !p->opt->cgroup)
			return 0;
		if (r != 0 && !(r == -ESRCH && p->looks > 0))
			return r;
		now = clock_mono();
		if (p->opt->duration != 0 && now - begun >= p->opt->duration)
			return 0;
		due += p->opt->every;
		if (due < now)
			due = now;
		if (poll(&fd, 1, (int)((due - now) / NS_A_MS)) > 0)
			return 0;
	}
}

static int exit_code(const struct pulse *p, const struct vitals_growth *g)
{
	double most = (double)p->opt->max_leak;

	if (p->opt->max_leak == SIZE_MAX ||
	    (g->says != VITALS_TOO_FEW && g->high <= most))
		return EXIT_SAME;
	if (g->says != VITALS_TOO_FEW && g->low > most)
		return EXIT_DIFFERENT;
	log_line(LOG_ERROR, "--max-leak cannot be told%s; look for longer",
		 g->says == VITALS_TOO_FEW ? ": too few looks" : "");
	return EXIT_ERROR;
}

int pulse_run(const struct pulse_options *o, struct errbuf *e)
{
	static struct pulse p;
	struct vitals_growth rss, fds;
	int signals = signals_open();
	int r;

	if (signals < 0)
		return errbuf_set(e, signals, "cannot take signals");
	p.opt = o;
	r = look_on(&p, signals);
	close(signals);
	if (r == -ESRCH)
		return errbuf_set(e, r, "there is no such process");
	if (r != 0 && r != -EPIPE)
		return errbuf_set(e, r, "%s: %s%s",
				  o->cgroup ? o->cgroup : "--pid", strerror(-r),
				  o->cgroup ? "; it must be a control group "
					      "of version 2"
					    : "");
	vitals_grows(&p.rss, VITALS_HOUR, VITALS_LEAK_BYTES, 1, &p.scratch,
		     &rss);
	vitals_grows(&p.fds, VITALS_HOUR, VITALS_LEAK_FDS, 1, &p.scratch, &fds);
	if (r == 0 && tell_growth("rss", &rss) == 0)
		(void)tell_growth("fds", &fds);
	return exit_code(&p, &rss);
}
