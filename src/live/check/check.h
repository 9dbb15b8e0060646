/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check - understudy doctor: the way to the SUT is examined, hop by hop
 */
#ifndef CHECK_CHECK_H
#define CHECK_CHECK_H

#include "run/run.h"

/**
 * check_run() - Examine the way, or with --release lift the guard of an
 * interface
 * @o:		Checked options of OPTIONS_DOCTOR
 *
 * What is found is printed. Return: the exit code
 */
int check_run(const struct options *o);

#endif /* CHECK_CHECK_H */
