/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * front - understudy proxy
 */
#ifndef FRONT_FRONT_H
#define FRONT_FRONT_H

#include "os/errbuf.h"
#include "setup/setup.h"

struct worker;

/**
 * front_run() - Be a proxy until a signal says that it is enough
 * @w:		One worker of several, until its parent says so or is gone; then
 *		@o is its part. NULL: all of it
 *
 * Return: 0 or -Exxx with a sentence
 */
int front_run(const struct setup *o, const struct worker *w, struct errbuf *e);

#endif /* FRONT_FRONT_H */
