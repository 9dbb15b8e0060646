/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * options_rerun.c - What a rerun is told, over what its run was told
 *
 * What a run demanded is demanded again, but for what the rerun names. Files of
 * the run are the run's: a rerun makes those that it names itself.
 */
#include <errno.h>
#include <string.h>

#include "config/options_internal.h"

static bool told(const struct options *t, const char *name)
{
	return opt_was_seen(&options_rerun, &t->seen, name);
}

void options_over(struct options *o, const struct options *t)
{
	if (told(t, "min-compared"))
		o->min_compared = t->min_compared;
	if (told(t, "max-different"))
		o->max_different = t->max_different;
	if (told(t, "max-no-route"))
		o->max_no_route = t->max_no_route;
	if (told(t, "allow-down"))
		o->allow_down = t->allow_down;
	if (told(t, "undecided"))
		o->undecided_pass = t->undecided_pass;
	if (told(t, "max-slower")) {
		memcpy(o->slower, t->slower, sizeof(o->slower));
		o->slowers = t->slowers;
	}
	/* Whoever wanted histograms got times, too. */
	o->perf |= t->perf || o->hdr;
	o->hdr = NULL;
	/* What the SUT's host told of it is not in the journal. */
	o->vitals = NULL;
	o->max_leak = 0;
	memcpy(o->form, t->form, sizeof(o->form));
	o->out = t->out;
	o->store_max = t->store_max;
	o->evidence_raw = t->evidence_raw;
}

bool options_judges(const struct options *t)
{
	static const char *const gate[] = { "min-compared", "max-different",
					    "max-no-route", "allow-down",
					    "undecided",    "max-slower",
					    "perf" };

	for (size_t i = 0; i < sizeof(gate) / sizeof(gate[0]); i++)
		if (told(t, gate[i]))
			return true;
	for (unsigned i = 0; i < FORM_KINDS; i++)
		if (t->form[i])
			return true;
	return t->out;
}
