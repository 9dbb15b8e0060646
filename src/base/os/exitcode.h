/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * exitcode - What a subcommand tells its caller by its exit code
 */
#ifndef OS_EXITCODE_H
#define OS_EXITCODE_H

#define EXIT_SAME      0 /* the same or equivalent; done */
#define EXIT_DIFFERENT 1
#define EXIT_ERROR     2

#endif /* OS_EXITCODE_H */
