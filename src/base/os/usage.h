/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * usage - What the process has used
 */
#ifndef OS_USAGE_H
#define OS_USAGE_H

#include <stdbool.h>
#include <stdint.h>

/** usage_cpu() - Processor time of all threads, user and system, ns */
uint64_t usage_cpu(void);

/**
 * usage_cpu_free() - Has the machine a processor that nobody uses?
 *
 * Of those that this process may run on, less the load average of the last
 * minute; of a single one never.
 */
bool usage_cpu_free(void);

#endif /* OS_USAGE_H */
