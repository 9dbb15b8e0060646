/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * random.c - Secrets and seeds from the kernel
 */
#include "os/random.h"

#include <errno.h>
#include <sys/random.h>
#include <sys/types.h>

int random_bytes(void *p, size_t len)
{
	ssize_t n = getrandom(p, len, 0);

	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EIO;
}
