/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ready - What stands in a splice's way on this host
 */
#ifndef READY_READY_H
#define READY_READY_H

#include "setup/setup.h"

/** ready_check() - Say it on standard output. Return: 0, or -1: something does
 */
int ready_check(const struct setup *o);

#endif /* READY_READY_H */
