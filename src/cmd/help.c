/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * help.c - What the tables of options tell a person and a shell
 */
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"
#include "os/log.h"
#include "text/text.h"

#define HELP_MAX 65536 /* more than all of it */

int cmd_help(const struct opt_command *c)
{
	static char buf[HELP_MAX];
	struct text t;

	text_begin(&t, buf, sizeof(buf));
	opt_help(c, &t);
	fputs(buf, stdout);
	return EXIT_SAME;
}

int cmd_completion(const char *shell, const struct opt_command *const *list,
		   size_t count)
{
	static char buf[HELP_MAX];
	struct text t;

	text_begin(&t, buf, sizeof(buf));
	if (strcmp(shell, "bash") == 0) {
		opt_complete_bash(list, count, &t);
	} else if (strcmp(shell, "zsh") == 0) {
		opt_complete_zsh(list, count, &t);
	} else {
		log_line(LOG_ERROR, "--completion: there are 'bash' and 'zsh'");
		return EXIT_ERROR;
	}
	fputs(buf, stdout);
	return EXIT_SAME;
}
