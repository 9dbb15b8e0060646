/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * main.c - The table of subcommands
 */
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/options.h"
#include "cmd/version.h"
#include "os/log.h"

/** struct command - A subcommand */
struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
};

static const struct command commands[] = {
	{ "shadow", cmd_shadow,
	  "play production's clients to a SUT, and compare the answers" },
	{ "replay", cmd_replay,
	  "play a capture's clients to a SUT, at other speeds too" },
	{ "doctor", cmd_doctor,
	  "examine the way to the SUT, and name what mends it" },
	{ "prep", cmd_prep,
	  "split a capture into its two directions, for tcpreplay or send" },
	{ "rerun", cmd_rerun,
	  "run the engine again from a journal, and say whether it is equal" },
	{ "send", cmd_send,
	  "send a capture, as tcpreplay does, and count what left" },
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void usage(FILE *f)
{
	fprintf(f, "usage: understudy COMMAND [OPTION...]\n\n");
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(f, "  %-8s %s\n", commands[i].name, commands[i].help);
	fprintf(f, "\n'understudy COMMAND --help' lists a command's options, "
		   "'understudy --version'\nsays which one this is.\n");
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";

	log_init("understudy", LOG_INFO);
	if (strcmp(name, "--version") == 0) {
		printf("understudy %s\n", VERSION);
		return EXIT_SAME;
	}
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
		usage(stdout);
		return EXIT_SAME;
	}
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(commands[i].name, name) == 0) {
			int rc = commands[i].run(argc - 2, argv + 2);

			options_forget();
			return rc;
		}
	if (name[0] == '\0')
		usage(stderr);
	else
		log_line(LOG_ERROR,
			 "no command '%s'; 'understudy --help' lists all",
			 name);
	return EXIT_ERROR;
}
