/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * random - Secrets and seeds from the kernel
 */
#ifndef OS_RANDOM_H
#define OS_RANDOM_H

#include <stddef.h>

/** random_bytes() - Fill @len (up to 256) bytes at @p. Return: 0 or -Exxx */
int random_bytes(void *p, size_t len);

#endif /* OS_RANDOM_H */
