/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * outcome - What a run found, in the forms that were asked for
 *
 * See outcome.c.
 */
#ifndef OUTCOME_OUTCOME_H
#define OUTCOME_OUTCOME_H

#include "account/snapshot.h"
#include "config/config.h"
#include "gauge/gauge.h"
#include "os/errbuf.h"
#include "os/maker.h"

struct outcome;

/**
 * outcome_begin() - Make the folder of --out, and the process that fills it
 * @out:	Set to NULL if nothing is wanted
 * @redact:	What is redacted of captured bytes; must outlive it
 * @user:	Whom that process becomes; NULL: it stays who it is
 *
 * Before the first thread, and while there are privileges. Return: 0, or -Exxx
 * with a sentence, and nothing is there (@out untouched)
 */
int outcome_begin(struct outcome **out, const struct options *o,
		  const struct redact *redact, const char *user,
		  struct errbuf *e);

/**
 * outcome_open() - Make the other files
 * @m, @first:	Makers of the files from path number @first on; NULL: the
 *		process makes them
 * @epoch:	Of the run
 *
 * Return: 0, or -Exxx with a sentence, and no file is there. NULL: 0
 */
int outcome_open(struct outcome *c, struct makers *m, unsigned first,
		 const struct run_epoch *epoch, struct errbuf *e);

/** outcome_keeps() - Has it a process of its own? */
bool outcome_keeps(const struct outcome *c);

/** outcome_item() - The engine has told something */
void outcome_item(struct outcome *c, const struct engine_item *t);

/**
 * struct outcome_facts - What forms are made of
 * @command:	"shadow" or "replay"
 * @data, @text: The report, and as text
 * @gauge:	Settled
 * @code:	The exit code
 */
struct outcome_facts {
	const char *command;
	struct run_epoch epoch;
	const struct redact *redact;
	const struct report_data *data;
	const char *text;
	const struct gauge *gauge;
	int code;
};

/**
 * outcome_write() - Write all forms; what cannot be written is said
 *
 * Return: the exit code, which then is that of an error
 */
int outcome_write(struct outcome *c, const struct outcome_facts *f);

/** outcome_start() - How a run of these options begins, in words
 * @text:	JOURNAL_OPTIONS_MAX bytes that @s points to
 * @map:	MAP_MAX of them
 */
void outcome_start(struct report_start *s, const struct options *o,
		   const char *command, uint64_t started, char *text,
		   struct report_map *map);

/** outcome_forget() - Remove the files: there is nothing to report. NULL:
 * nothing
 */
void outcome_forget(struct outcome *c);

/** outcome_close() - End; NULL: nothing is done */
void outcome_close(struct outcome *c);

#endif /* OUTCOME_OUTCOME_H */
