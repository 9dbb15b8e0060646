/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * run - Production's clients are played to a SUT: what the commands call
 *
 * Each prints what it finds, and its errors, and returns the exit code.
 */
#ifndef RUN_RUN_H
#define RUN_RUN_H

#include "config/config.h"

/**
 * run_live() - From a mirror, or from captures, to the report
 * @o:		Checked options of OPTIONS_SHADOW
 */
int run_live(const struct options *o);

/** run_replay() - The same by a plan of captures, at other speeds too; of
 * OPTIONS_REPLAY
 */
int run_replay(const struct options *o);

#endif /* RUN_RUN_H */
