/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * crew - A proxy of one process or several
 */
#ifndef CREW_CREW_H
#define CREW_CREW_H

#include "os/errbuf.h"
#include "setup/setup.h"

/**
 * crew_run() - Be a proxy, of as many processes as @o says, until a signal says
 * that it is enough
 *
 * Return: 0; -ECHILD: a worker has ended by itself, and so have all; or another
 * -Exxx; with a sentence
 */
int crew_run(const struct setup *o, struct errbuf *e);

#endif /* CREW_CREW_H */
