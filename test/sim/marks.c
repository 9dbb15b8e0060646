/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * marks.c - Has a run reached what its checks are for?
 *
 * A check that is never come to passes always. So runs count what they reached, and
 * each profile says how often that must be, in 10,000 connections: four fifths of the
 * healthy that were measured and half of all else, so that another draw of the plan
 * is no failure but a check that is not come to any more is.
 */
#include <stdio.h>

#include "sim.h"

#define OF	    10000u /* connections, of a profile's floors */
#define CONNS_LEAST 5000u  /* fewer are too few to be judged */

static const char *const names[MARK_COUNT] = {
	[MARK_HEALTHY] = "healthy",	[MARK_HEALED] = "healed",
	[MARK_DIFFERS] = "differing",	[MARK_RESUMED] = "resumed",
	[MARK_ZERO] = "zero windows",	[MARK_RST] = "resets",
	[MARK_ORDER] = "orders judged",
};

unsigned marks_tell(const struct profile *p, const uint64_t mark[MARK_COUNT],
		    uint64_t conns, bool heal)
{
	unsigned few = 0;

	printf("# reached:");
	for (unsigned i = 0; i < MARK_COUNT; i++)
		printf("%s %llu %s", i > 0 ? "," : "",
		       (unsigned long long)mark[i], names[i]);
	printf("\n");
	for (unsigned i = 0; i < MARK_COUNT; i++) {
		if (conns < CONNS_LEAST || (i == MARK_HEALED && !heal) ||
		    mark[i] * OF >= (uint64_t)p->least[i] * conns)
			continue;
		printf("# too few %s: %llu of %llu connections, at least %u of "
		       "%u are usual\n",
		       names[i], (unsigned long long)mark[i],
		       (unsigned long long)conns, p->least[i], OF);
		few++;
	}
	return few;
}
