/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * look_mirror.c - In the first seconds: does the mirror show what it should?
 *
 * Some seconds after the first frame it is said, once, if only one direction
 * came, and what still works then; or if frames came in tunnels that are of
 * another key than the one asked for. Who waits for the report would learn it
 * when the run is over.
 */
#include "os/log.h"
#include "run/run_internal.h"

#define SEE_FOR	  (3 * NS_PER_SEC) /* from the first frame on */
#define SEE_LEAST 20u		   /* frames that tell anything */

static void say_direction(const struct engine_stats *st)
{
	if (st->to_client == 0)
		log_line(LOG_WARN,
			 "the mirror shows only what clients send: it is "
			 "played, and nothing can be compared; make the switch "
			 "mirror both directions of production's port");
	if (st->to_prod == 0)
		log_line(LOG_WARN,
			 "the mirror shows only what production sends: nothing "
			 "can be played; make the switch mirror both "
			 "directions of production's port");
}

/* No tunnel had the key that was asked for: name one that came. */
static void say_key(const struct decap_tally *t)
{
	for (uint32_t i = 0; i < t->n; i++)
		if (t->seen[i].taken)
			return;
	if (t->seen[0].keyed)
		log_line(LOG_WARN,
			 "the mirror's frames are in %s %u, and --decap asks "
			 "for another: --decap %s:%u",
			 decap_name(t->seen[0].kind), t->seen[0].key,
			 decap_name(t->seen[0].kind), t->seen[0].key);
	else
		log_line(LOG_WARN,
			 "the mirror's frames are in %s without a key, and "
			 "--decap asks for one: --decap %s",
			 decap_name(t->seen[0].kind),
			 decap_name(t->seen[0].kind));
}

void run_look_at_mirror(struct run *run)
{
	const struct engine_stats *st = engine_stats(run->engine);

	if (!run->has_mirror || run->mirror_seen)
		return;
	if (st->to_prod + st->to_client == 0 && st->tunnels.n == 0)
		run->mirror_since = run->now;
	if (run->now - run->mirror_since < SEE_FOR)
		return;
	if (st->to_prod + st->to_client >= SEE_LEAST) {
		run->mirror_seen = true;
		run_clear_line(run);
		say_direction(st);
	} else if (st->to_prod + st->to_client == 0 &&
		   st->tunnels.seen[0].frames >= SEE_LEAST) {
		run->mirror_seen = true;
		run_clear_line(run);
		say_key(&st->tunnels);
	}
}
