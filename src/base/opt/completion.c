/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * completion.c - Programs by which a shell completes words of all commands
 */
#include <string.h>

#include "opt/opt_internal.h"

/* --- bash --- */

static void add_names(struct text *t, const struct opt_command *c)
{
	const struct opt_row *r;

	for (size_t i = 0; (r = opt_row(c, i, NULL)) != NULL; i++) {
		if (r->flags & OPT_HIDDEN)
			continue;
		text_add(t, " --%s", r->name);
		if (r->letter != 0)
			text_add(t, " -%c", r->letter);
	}
}

/* A line of the shell's case: after this option, these words. */
static void add_choices(struct text *t, const struct opt_command *c)
{
	const struct opt_row *r;

	for (size_t i = 0; (r = opt_row(c, i, NULL)) != NULL; i++) {
		if (!r->words || (r->flags & OPT_HIDDEN))
			continue;
		text_add(t, "\t'%s --%s'", c->name, r->name);
		if (r->letter != 0)
			text_add(t, "|'%s -%c'", c->name, r->letter);
		text_add(t, ") words='");
		for (const struct opt_word *w = r->words; w->word; w++)
			text_add(t, "%s%s", w == r->words ? "" : " ", w->word);
		text_add(t, "' ;;\n");
	}
}

void opt_complete_bash(const struct opt_command *const *commands, size_t count,
		       struct text *t)
{
	text_add(t, "# understudy: completion for bash\n"
		    "_understudy() {\n"
		    "\tlocal cur=${COMP_WORDS[COMP_CWORD]} words= all=\n"
		    "\tlocal prev=${COMP_WORDS[COMP_CWORD-1]}\n"
		    "\tlocal cmd=${COMP_WORDS[1]}\n"
		    "\tcase $cmd in\n");
	for (size_t i = 0; i < count; i++) {
		text_add(t, "\t%s) all='", commands[i]->name);
		add_names(t, commands[i]);
		text_add(t, "' ;;\n");
	}
	text_add(t, "\tesac\n\tcase \"$cmd $prev\" in\n");
	for (size_t i = 0; i < count; i++)
		add_choices(t, commands[i]);
	text_add(t, "\t*) [[ $cur == -* ]] && words=$all ;;\n\tesac\n"
		    "\t[ \"$COMP_CWORD\" = 1 ] && words='help --help "
		    "--version");
	for (size_t i = 0; i < count; i++)
		text_add(t, " %s", commands[i]->name);
	text_add(t, "'\n\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
		    "}\ncomplete -o default -F _understudy understudy\n");
}

/* --- zsh --- */

/* Text within single quotes, in which _arguments takes some characters for its
 * own.
 */
static void add_quoted(struct text *t, const char *words)
{
	for (; *words != '\0'; words++) {
		if (*words == '\'')
			text_add(t, "'\\''");
		else if (strchr("[]:\\", *words))
			text_add(t, "\\%c", *words);
		else
			text_add(t, "%c", *words);
	}
}

static bool names_file(const char *arg)
{
	return strstr(arg, "FILE") || strcmp(arg, "DIR") == 0;
}

/* What follows an option: ":its name:what it may be". */
static void add_value(struct text *t, const struct opt_row *r)
{
	if (!r->arg)
		return;
	text_add(t, ":");
	add_quoted(t, r->arg);
	text_add(t, ":");
	if (r->words) {
		for (const struct opt_word *w = r->words; w->word; w++)
			text_add(t, "%s%s", w == r->words ? "(" : " ", w->word);
		text_add(t, ")");
	} else if (names_file(r->arg)) {
		text_add(t, "_files");
	}
}

static void add_spec(struct text *t, const struct opt_row *r, const char *name)
{
	text_add(t, " \\\n\t\t'*%s%s[", r->name == name ? "--" : "-", name);
	add_quoted(t, r->help);
	text_add(t, "]");
	add_value(t, r);
	text_add(t, "'");
}

void opt_complete_zsh(const struct opt_command *const *commands, size_t count,
		      struct text *t)
{
	const struct opt_row *r;

	text_add(t, "#compdef understudy\n"
		    "_understudy() {\n"
		    "\tif (( CURRENT == 2 )); then\n"
		    "\t\tcompadd -- help --help --version");
	for (size_t i = 0; i < count; i++)
		text_add(t, " %s", commands[i]->name);
	text_add(t, "\n\t\treturn\n\tfi\n"
		    "\tlocal cmd=$words[2]\n"
		    "\tshift words\n\t(( CURRENT-- ))\n\tcase $cmd in\n");
	for (size_t i = 0; i < count; i++) {
		text_add(t, "\t%s) _arguments", commands[i]->name);
		for (size_t k = 0; (r = opt_row(commands[i], k, NULL)); k++) {
			const char letter[2] = { r->letter, '\0' };

			if (r->flags & OPT_HIDDEN)
				continue;
			add_spec(t, r, r->name);
			if (r->letter != 0)
				add_spec(t, r, letter);
		}
		text_add(t, " \\\n\t\t'*:file:_files' ;;\n");
	}
	text_add(t, "\tesac\n}\ncompdef _understudy understudy\n");
}
