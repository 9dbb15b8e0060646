/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * watch.c - Can a limit not be met any more?
 *
 * An interval of 95 % that is looked at each second lies beyond the limit at
 * some time in far more than 5 % of the runs in which the share is no larger.
 * So looking goes by a bet: before each answer its share is guessed from those
 * in front of it, (hit + 1) / (n + 2), but never below the limit; then what was
 * won is multiplied by how probable the answer was under the guess, over how
 * probable it was under the limit. If the share is the limit or less the
 * expected gain of each bet is nothing or a loss, and what was won is ever K
 * times the stake in no more than 1 of K runs (J. Ville, "Étude critique de la
 * notion de collectif", 1939), however often one looks.
 *
 * A guess that learns loses no more than about 1 / n of the stake against the
 * best one that does not, so what is left never comes near 0.
 *
 * It holds for answers that come by themselves; who ends a run by it asks an
 * interval with the design effect, too.
 */
#include <assert.h>

#include "gates/gates.h"

#define MOST 1e300 /* so much was won at most */

void gates_watch(struct gates_watch *w, uint32_t limit, bool hit)
{
	double p = (double)limit / GATES_WHOLE;
	double guess = (double)(w->hit + 1) / (double)(w->n + 2);

	assert(limit > 0 && limit < GATES_WHOLE);
	if (w->n == 0)
		w->m = 1;
	if (guess < p)
		guess = p;
	w->m *= hit ? guess / p : (1 - guess) / (1 - p);
	w->n++;
	w->hit += hit;
	if (w->m > MOST)
		w->m = MOST;
	assert(w->m > 0 && w->hit <= w->n);
}

bool gates_hopeless(const struct gates_watch *w)
{
	return w->m >= GATES_CHANCE;
}
