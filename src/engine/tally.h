/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tally - Verdicts, counted
 */
#ifndef ENGINE_TALLY_H
#define ENGINE_TALLY_H

#include "engine/engine.h"

/**
 * tally() - A verdict is given
 * @st:		Its verdicts, reasons, maps and endpoints are counted on
 * @ev:		With all that tells whose it is. The reasons of a difference that has
 *		but one are set
 */
void tally(struct engine_stats *st, struct engine_event *ev);

#endif /* ENGINE_TALLY_H */
