/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pulse - understudy vitals: how a server fares
 *
 * See pulse.c and look.c.
 */
#ifndef PULSE_PULSE_H
#define PULSE_PULSE_H

#include <stdbool.h>
#include <stdint.h>

#include "opt/opt.h"
#include "os/errbuf.h"

/**
 * struct pulse_options - What it is told
 * @pid:	--pid; 0: not given
 * @cgroup:	--cgroup; NULL: not given
 * @every:	--every, ns
 * @duration:	--duration, ns; 0: until a signal, or the end of the process
 * @max_leak:	--max-leak, bytes an hour; UINT64_MAX: not given
 */
struct pulse_options {
	uint32_t pid;
	const char *cgroup;
	uint64_t every;
	uint64_t duration;
	uint64_t max_leak;
};

extern const struct opt_command pulse_command;

/** pulse_options_parse() - As options_parse(). Return: 0, 1 (help), -EINVAL */
int pulse_options_parse(struct pulse_options *o, int argc, char **argv,
			struct errbuf *e);

/**
 * pulse_run() - Look until it is over. Return: the exit code, or -Exxx with a
 * sentence
 */
int pulse_run(const struct pulse_options *o, struct errbuf *e);

/**
 * struct pulse_look - One look
 * @start:	When the oldest process was started, in clock ticks since boot
 * @fds:	UINT64_MAX: may not be seen
 * @rss:	Bytes; of a control group all memory that is charged to it
 */
struct pulse_look {
	uint64_t start;
	uint64_t rss;
	uint64_t fds;
	uint64_t threads;
	uint64_t cpu_us;
};

/** pulse_look_pid(), pulse_look_cgroup() - Look. Return: 0, -ESRCH (there is
 * none any more), or another -Exxx
 */
int pulse_look_pid(struct pulse_look *out, uint32_t pid);
int pulse_look_cgroup(struct pulse_look *out, const char *path);

#endif /* PULSE_PULSE_H */
