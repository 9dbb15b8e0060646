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
#include "engine/engine.h"
#include "gauge/gauge.h"
#include "os/errbuf.h"
#include "os/maker.h"

struct outcome;

/**
 * struct outcome_config - What one is made with; what it points to outlives it
 * @opt:	What it says of the run may come later
 * @redact:	What is redacted of captured bytes
 * @user:	Whom the process of --out becomes; NULL: it stays who it is
 * @journal:	Of which evidence is made; NULL, "-": none
 * @read:	In the process of --out, once: fills in the redaction of the run
 *		that is in @journal, whose rules and key nobody knows before.
 *		Return: 0 or -Exxx. NULL: @redact is it
 * @ctx:	Of it
 */
struct outcome_config {
	const struct options *opt;
	const struct redact *redact;
	const char *user;
	const char *journal;
	int (*read)(void *ctx, struct redact *out);
	void *ctx;
};

/**
 * outcome_begin() - Make the folder of --out, and the process that fills it
 * @out:	Set to NULL if nothing is wanted
 *
 * Before the first thread, and while there are privileges. Return: 0, or -Exxx
 * with a sentence, and nothing is there (@out untouched)
 */
int outcome_begin(struct outcome **out, const struct outcome_config *config,
		  struct errbuf *e);

/**
 * outcome_open() - Make the other files
 * @m, @first:	Makers of the files from path number @first on; NULL: the
 *		process makes them
 *
 * Return: 0, or -Exxx with a sentence, and no file is there. NULL: 0
 */
int outcome_open(struct outcome *c, struct makers *m, unsigned first,
		 struct errbuf *e);

/** outcome_epoch() - That of the run, before anything is told. NULL: nothing */
void outcome_epoch(struct outcome *c, const struct run_epoch *epoch);

/** outcome_keeps() - Has it a process of its own? */
bool outcome_keeps(const struct outcome *c);

/** outcome_item() - The engine has told something */
void outcome_item(struct outcome *c, const struct engine_item *t);

/**
 * outcome_look() - A look at how the run goes, for its folder
 * @now:	Of the engine
 * @drops:	Frames that the capture lost
 *
 * Called at any time, of which one a second counts. NULL: nothing
 */
void outcome_look(struct outcome *c, struct engine *engine, uint64_t now,
		  uint64_t drops);

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

/**
 * outcome_code() - The exit code of a run that is over
 * @g:		Settled
 * @stopped:	It came to an early end
 */
int outcome_code(const struct engine *e, const struct gauge *g,
		 const struct options *o, uint64_t now, bool stopped);

/** outcome_was_down() - Was a SUT down for longer than is allowed? */
bool outcome_was_down(const struct engine *e, const struct options *o,
		      uint64_t now);

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
