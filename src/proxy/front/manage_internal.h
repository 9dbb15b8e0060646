/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * manage_internal - The proxy is asked and told while it runs
 */
#ifndef FRONT_MANAGE_INTERNAL_H
#define FRONT_MANAGE_INTERNAL_H

#include <stdbool.h>

#include "front/front_internal.h"
#include "os/errbuf.h"
#include "text/text.h"

/* --- manage.c --- */

/** manage_open() - Make what --ctl and --metrics ask for */
int manage_open(struct front *f, struct errbuf *e);

/** manage_server() - Something has happened to a server; @what: the event */
void manage_server(struct front *f, const char *what, unsigned place,
		   unsigned server);

/** manage_run() - Answer a request of the control socket's. Return: 0 or -Exxx
 * with a sentence
 */
int manage_run(struct front *f, const char *name, const char *words,
	       struct text *out, struct errbuf *e);

/** manage_told() - An event without more to say */
void manage_told(struct front *f, const char *what);

/* --- reload.c --- */

/**
 * reload() - Read the command line and its files again
 * @takes:	Let it hold; else only see whether it may
 *
 * Return: 0, or -Exxx with a sentence and nothing has changed
 */
int reload(struct front *f, bool takes, struct errbuf *e);

/** reload_files() - The same, if there are files, and say what came of it */
void reload_files(struct front *f);

#endif /* FRONT_MANAGE_INTERNAL_H */
