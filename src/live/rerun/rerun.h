/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rerun - The engine once more from journals: does the same come of it?
 */
#ifndef RERUN_RERUN_H
#define RERUN_RERUN_H

#include "config/config.h"

/**
 * rerun_run() - Rerun the journals that were named
 * @o:		Checked options of OPTIONS_RERUN
 *
 * What is found is printed. Return: the exit code
 */
int rerun_run(const struct options *o);

#endif /* RERUN_RERUN_H */
