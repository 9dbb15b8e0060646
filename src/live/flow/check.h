/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check - What holds of every flow between two calls of the engine
 *
 * For tests, which call it between calls; no program does.
 */
#ifndef FLOW_CHECK_H
#define FLOW_CHECK_H

#include "flow/flow.h"

/** flow_check() - Assert what is legal at the enum leg_state, and the relations
 * of @f's members to each other; a call of the engine must not be under way
 */
void flow_check(const struct flow *f);

#endif /* FLOW_CHECK_H */
