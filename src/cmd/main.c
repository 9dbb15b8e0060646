/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * main.c - The table of subcommands
 */
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"
#include "config/config.h"
#include "ctl/ctl.h"
#include "ends/ends.h"
#include "front/front.h"
#include "os/log.h"
#include "page/page.h"
#include "prep/prep.h"
#include "pulse/pulse.h"
#include "review/review.h"
#include "run/run.h"
#include "send/send.h"

/** struct command - A subcommand */
struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const struct opt_command *options;
	const char *help;
};

static const struct command commands[] = {
	{ "shadow", cmd_shadow, &options_shadow,
	  "play production's clients to a SUT, and compare the answers" },
	{ "replay", cmd_replay, &options_replay,
	  "play a capture's clients to a SUT, at other speeds too" },
	{ "doctor", cmd_doctor, &options_doctor,
	  "examine the way to the SUT, and name what fixes it" },
	{ "prep", cmd_prep, &prep_command,
	  "split a capture into its two directions, for tcpreplay or send" },
	{ "rerun", cmd_rerun, &options_rerun,
	  "run the engine again from a journal, and say whether it is equal" },
	{ "report", cmd_report, &report_command,
	  "print a run's report again, of its --out, in any form" },
	{ "diff", cmd_diff, &diff_command,
	  "compare what two runs found, by their --out" },
	{ "page", cmd_page, &page_command,
	  "show what a run found in a browser, by its --out" },
	{ "send", cmd_send, &send_command,
	  "send a capture, as tcpreplay does, and count what left" },
	{ "proxy", cmd_proxy, &proxy_command,
	  "take connections to servers, joined in the kernel" },
	{ "tunnel", cmd_tunnel, &tunnel_command,
	  "spread connections over several paths to another host" },
	{ "ctl", cmd_ctl, &ctl_command,
	  "ask and tell a process that runs, by the socket of its --ctl" },
	{ "vitals", cmd_vitals, &pulse_command,
	  "look at a server's memory, files and time, and whether it grows" },
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void usage(FILE *f)
{
	fprintf(f, "usage: understudy COMMAND [OPTION...]\n\n");
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(f, "  %-8s %s\n", commands[i].name, commands[i].help);
	fprintf(f, "\n'understudy help COMMAND' lists a command's options, "
		   "'understudy --version'\nsays which one this is.\n");
}

static const struct command *by_name(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

static int no_command(const char *name)
{
	const char *meant = NULL;
	int least = 0;

	for (size_t i = 0; i < COMMANDS; i++) {
		int d = opt_near(name, commands[i].name);

		if (d >= 0 && (!meant || d < least)) {
			meant = commands[i].name;
			least = d;
		}
	}
	log_line(LOG_ERROR,
		 "no command '%s'; %s%s%s'understudy --help' lists all", name,
		 meant ? "did you mean " : "", meant ? meant : "",
		 meant ? "? " : "");
	return EXIT_ERROR;
}

static int help(const char *name)
{
	const struct command *c = !name ? NULL : by_name(name);

	if (name && !c)
		return no_command(name);
	if (c)
		return cmd_help(c->options);
	usage(stdout);
	return EXIT_SAME;
}

static int completion(const char *shell)
{
	const struct opt_command *list[COMMANDS];

	for (size_t i = 0; i < COMMANDS; i++)
		list[i] = commands[i].options;
	return cmd_completion(shell, list, COMMANDS);
}

static bool is_one(const char *name, const char *a, const char *b)
{
	return strcmp(name, a) == 0 || strcmp(name, b) == 0;
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";
	const char *next = argc > 2 ? argv[2] : NULL;
	const struct command *c = by_name(name);
	int rc;

	log_init("understudy", LOG_INFO);
	if (c) {
		rc = c->run(argc - 2, argv + 2);
		opt_forget();
		return rc;
	}
	if (is_one(name, "--version", "-V")) {
		printf("understudy %s\n", VERSION);
		return EXIT_SAME;
	}
	if (is_one(name, "--help", "-h") || strcmp(name, "help") == 0)
		return help(next);
	if (strcmp(name, "--completion") == 0)
		return completion(next ? next : "");
	if (name[0] != '\0')
		return no_command(name);
	usage(stderr);
	return EXIT_ERROR;
}
