/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lone - An end of a tunnel of IP in IP
 */
#ifndef LONE_LONE_H
#define LONE_LONE_H

#include "ends/ends.h"

/**
 * lone_run() - Be an end until a signal says that it is enough
 * @o:		With ENDS_IPIP, as ends_options_check() lets it pass
 *
 * Return: 0 or -Exxx with a sentence
 */
int lone_run(const struct ends_options *o, struct errbuf *e);

#endif /* LONE_LONE_H */
