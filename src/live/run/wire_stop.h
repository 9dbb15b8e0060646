/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wire_stop - Why the SUT's wire is not ours alone, for a person
 *
 * A run and doctor say it in the same words.
 */
#ifndef RUN_WIRE_STOP_H
#define RUN_WIRE_STOP_H

#include <stddef.h>

#include "lan/sutwire.h"

#define WIRE_STOP_TEXT 200 /* room for any of these */

/**
 * wire_stop_said() - What was seen: "ARP from 10.1.0.9 at 02:00:00:00:00:09"
 */
char *wire_stop_said(char out[WIRE_STOP_TEXT], const struct sutwire_stop *s);

/** wire_stop_remedy() - What to do about it on the wire @dev */
char *wire_stop_remedy(char out[WIRE_STOP_TEXT], const struct sutwire_stop *s,
		       const char *dev);

#endif /* RUN_WIRE_STOP_H */
