/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/cmd.h"
#include "cmd/prep.h"
int prep_run_split(struct prep_args *a)
{
	return a ? EXIT_ERROR : EXIT_ERROR;
}
