/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * opt - Options as rows of tables: read, written, explained
 *
 * A row is one option: its name, its letter, its kind, and where in a struct
 * its value lies. Rows stand in tables, and a command is a list of tables, each
 * with the place of the struct that its rows count in; so several commands
 * share a table. Nothing else knows an option's name: the command line, files
 * of options, help, completion, the text that a journal keeps, and reading or
 * changing a value by its name all walk the rows.
 *
 * Errors are -Exxx with a sentence that says what is wrong and what to write.
 */
#ifndef OPT_OPT_H
#define OPT_OPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "opt/kind.h"
#include "os/errbuf.h"
#include "text/text.h"

#define OPT_ROWS_MAX 192 /* rows of one command */
#define OPT_FILES    8	 /* @FILEs that are remembered by name */

/* What is to be known of a row; see struct opt_row. */
enum {
	OPT_ONCE = 1 << 0,    /* given twice is an error; else the last holds */
	OPT_REPEAT = 1 << 1,  /* each time adds a value */
	OPT_COMPAT = 1 << 2,  /* taken for another program's sake */
	OPT_RUNTIME = 1 << 3, /* opt_set() may change it while a run goes on */
	OPT_HIDDEN = 1 << 4,  /* in no help, no completion, no man page */
	OPT_FIRST = 1 << 5,   /* changes how others are read: set before them */
	OPT_RELOAD = 1 << 6,  /* a file that is read again may change it */
};

/** struct opt_word - A word that a choice takes, and what it stands for */
struct opt_word {
	const char *word; /* NULL ends the list */
	int value;
};

/**
 * struct opt_row - An option
 * @name:	Without dashes; on the command line _ is as good as -
 * @letter:	0: none
 * @kind:	How its value is read and written
 * @offset:	Its field, in the struct of its table
 * @arg:	Its value, as help shows it; NULL: it takes none
 * @help:	What it does, in one sentence
 * @group:	Title under which help lists it
 * @least, @most: Of numbers, in the unit of the field
 * @words:	Of choices; for other kinds, what completion offers
 * @flags:	OPT_
 */
struct opt_row {
	const char *name;
	char letter;
	const struct opt_kind *kind;
	size_t offset;
	const char *arg;
	const char *help;
	const char *group;
	uint64_t least;
	uint64_t most;
	const struct opt_word *words;
	unsigned flags;
};

/** struct opt_table - Rows, and where in the command's struct theirs lies */
struct opt_table {
	const struct opt_row *rows;
	size_t count;
	size_t base;
};

/**
 * struct opt_command - What a command takes
 * @name:	As the user calls it
 * @usage:	Lines of its words, each behind "understudy "
 * @about:	A paragraph for its help, or NULL
 * @tables, @count: Its options, in the order of help and text
 * @shortened:	Long names may be shortened as long as one alone fits
 * @operand:	Takes a word that is no option
 */
struct opt_command {
	const char *name;
	const char *usage;
	const char *about;
	const struct opt_table *tables;
	size_t count;
	bool shortened;
	int (*operand)(void *base, const char *word, struct errbuf *e);
};

/**
 * struct opt_seen - What a command line named
 * @bits:	Which rows
 * @files:	How many @FILEs; the first OPT_FILES are @file
 */
struct opt_seen {
	uint64_t bits[OPT_ROWS_MAX / 64];
	unsigned files;
	const char *file[OPT_FILES];
};

/**
 * opt_row() - A command's row number @i, counted over its tables
 * @base:	Set to the place of its table's struct, unless NULL
 *
 * Return: NULL: there are no more
 */
const struct opt_row *opt_row(const struct opt_command *c, size_t i,
			      size_t *base);

/**
 * opt_parse() - Read a command line
 * @base:	The command's struct, which holds the defaults
 * @argv:	Words behind the command's name; strings are borrowed
 * @seen:	Set, unless NULL
 *
 * A word "@FILE" where an option may stand is replaced by the words of that
 * file, as words_next() takes them; a value is never looked at that way. "--"
 * ends the options.
 *
 * Return: 0; 1: help was asked for; -Exxx: @base may hold a part
 */
int opt_parse(const struct opt_command *c, void *base, int argc, char **argv,
	      struct opt_seen *seen, struct errbuf *e);

/** opt_read() - The same from a text of words, as opt_text() writes it */
int opt_read(const struct opt_command *c, void *base, const char *text,
	     struct errbuf *e);

/** opt_was_seen() - Was the option of this name given? */
bool opt_was_seen(const struct opt_command *c, const struct opt_seen *seen,
		  const char *name);

/** opt_keep() - Memory until opt_forget(), or NULL */
char *opt_keep(size_t size);

/** opt_forget() - Give back the memory behind all that was read */
void opt_forget(void);

/**
 * opt_mark() - Where memory stands now
 * opt_forget_since() - Give back what was read since then
 */
const void *opt_mark(void);
void opt_forget_since(const void *mark);

/**
 * opt_text() - Add " --name value" for all that is set, in order of the rows
 */
void opt_text(const struct opt_command *c, const void *base, struct text *t);

/**
 * opt_get() - Add the value of an option: words with blanks, on or off for
 * flags
 *
 * Return: 0 or -ENOENT with a sentence
 */
int opt_get(const struct opt_command *c, const void *base, const char *name,
	    struct text *t, struct errbuf *e);

/**
 * opt_set() - Give an option of OPT_RUNTIME a value; on or off for flags
 *
 * Return: 0, -ENOENT, -EPERM (not while a run goes on) or -EINVAL, with a
 * sentence
 */
int opt_set(const struct opt_command *c, void *base, const char *name,
	    const char *value, struct errbuf *e);

/** opt_help() - Add a command's help, by group, at most TEXT_COLUMNS wide */
void opt_help(const struct opt_command *c, struct text *t);

/** opt_complete_bash() - Add a program for bash that completes words of all */
void opt_complete_bash(const struct opt_command *const *commands, size_t count,
		       struct text *t);

/** opt_complete_zsh() - The same for zsh, with the sentences of help */
void opt_complete_zsh(const struct opt_command *const *commands, size_t count,
		      struct text *t);

/**
 * opt_near() - Is @word perhaps meant to be @other?
 *
 * Return: how many characters are wrong, missing, too many or swapped; -1: so
 * many that it is another word
 */
int opt_near(const char *word, const char *other);

#endif /* OPT_OPT_H */
