/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * usage.c - What the process has used
 */
#include "os/usage.h"

#include <sched.h>
#include <stdlib.h>
#include <sys/resource.h>

static uint64_t ns_of(const struct timeval *t)
{
	return (uint64_t)t->tv_sec * 1000000000u + (uint64_t)t->tv_usec * 1000u;
}

uint64_t usage_cpu(void)
{
	struct rusage u;

	/* Cannot fail with these arguments. */
	getrusage(RUSAGE_SELF, &u);
	return ns_of(&u.ru_utime) + ns_of(&u.ru_stime);
}

bool usage_cpu_free(void)
{
	cpu_set_t set;
	double load;
	int n;

	CPU_ZERO(&set);
	if (sched_getaffinity(0, sizeof(set), &set) != 0 ||
	    getloadavg(&load, 1) != 1)
		return false;
	n = CPU_COUNT(&set);
	return n > 1 && load + 1 <= n;
}
