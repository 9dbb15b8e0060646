/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * usage - What the process has used
 */
#ifndef OS_USAGE_H
#define OS_USAGE_H

#include <stdint.h>

/** usage_cpu() - Processor time of all threads, user and system, ns */
uint64_t usage_cpu(void);

#endif /* OS_USAGE_H */
