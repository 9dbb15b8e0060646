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
 * @x:		With its verdict and all that tells whose it is. The reasons of
 *		a difference that has but one are set
 * @request, @len: First line of the request
 */
void tally(struct engine_stats *st, struct exchange_record *x,
	   const char *request, uint8_t len);

#endif /* ENGINE_TALLY_H */
