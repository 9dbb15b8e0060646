/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * places - Options that name places and what goes there
 */
#ifndef ENDS_PLACES_H
#define ENDS_PLACES_H

#include "ends/ends.h"

/* Kinds of values, over struct ends_options. */
extern const struct opt_kind places_path;
extern const struct opt_kind places_listen;
extern const struct opt_kind places_class;

/**
 * places_is_dev() - Is this a device's name that the kernel would take, without
 * what a shell or @FILE would read otherwise?
 */
bool places_is_dev(const char *s);

/**
 * places_look_up() - Look all hosts' names up. Return: 0 or -Exxx with a
 * sentence
 */
int places_look_up(struct ends_options *o, struct errbuf *e);

#endif /* ENDS_PLACES_H */
