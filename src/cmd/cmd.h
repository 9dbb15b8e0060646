/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cmd - The subcommands; each returns the exit code
 *
 * (os/exitcode.h); each prints its errors itself, one line with the remedy.
 */
#ifndef CMD_CMD_H
#define CMD_CMD_H

#include "opt/opt.h"
#include "os/exitcode.h"

int cmd_shadow(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_rerun(int argc, char **argv);
int cmd_replay(int argc, char **argv);
int cmd_prep(int argc, char **argv);
int cmd_send(int argc, char **argv);
int cmd_proxy(int argc, char **argv);
int cmd_tunnel(int argc, char **argv);
int cmd_ctl(int argc, char **argv);
int cmd_vitals(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_diff(int argc, char **argv);
int cmd_page(int argc, char **argv);

/** cmd_help() - Print what a subcommand takes. Return: EXIT_SAME */
int cmd_help(const struct opt_command *c);

/** cmd_completion() - Print completion for the shell @shell. Return: EXIT_ */
int cmd_completion(const char *shell, const struct opt_command *const *list,
		   size_t count);

#endif /* CMD_CMD_H */
