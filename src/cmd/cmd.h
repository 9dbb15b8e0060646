/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cmd - The subcommands; each returns the exit code
 *
 * 0 the same or equivalent, 1 different, 2 error; each prints its errors itself,
 * one line with the mend.
 */
#ifndef CMD_CMD_H
#define CMD_CMD_H

#define EXIT_SAME      0
#define EXIT_DIFFERENT 1
#define EXIT_ERROR     2

int cmd_shadow(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_rerun(int argc, char **argv);
int cmd_replay(int argc, char **argv);
int cmd_prep(int argc, char **argv);
int cmd_send(int argc, char **argv);

#endif /* CMD_CMD_H */
