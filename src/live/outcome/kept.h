/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kept - What of a run goes into the folder of --out
 */
#ifndef OUTCOME_KEPT_H
#define OUTCOME_KEPT_H

#include "account/snapshot.h"
#include "forms/forms.h"
#include "record/record.h"
#include "outcome/outcome.h"
#include "store/tick.h"

struct kept;

/** kept_start() - Start the process that keeps it; as outcome_begin() */
int kept_start(struct kept **out, const struct outcome_config *config,
	       struct errbuf *e);

/** kept_epoch() - Set what time it is in the run, before anything is put */
void kept_epoch(struct kept *k, const struct run_epoch *t);

/** kept_put() - A record of the engine, if it is a difference; never waits */
void kept_put(struct kept *k, const struct engine_item *t);

/** kept_tick() - How the run goes; never waits */
void kept_tick(struct kept *k, const struct store_tick *t);

/** kept_save() - The run is over: hand over what forms are made of, wait, and
 * say what is not there
 */
void kept_save(struct kept *k, const struct form *f);

/** kept_forget() - Remove the folder */
void kept_forget(struct kept *k);

/** kept_close() - NULL: nothing */
void kept_close(struct kept *k);

#endif /* OUTCOME_KEPT_H */
