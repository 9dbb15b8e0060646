/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check - What holds of every flow between two calls of the engine
 *
 * flow_check() is for tests, which call it between calls; no program does.
 */
#ifndef FLOW_CHECK_H
#define FLOW_CHECK_H

#include "flow/flow.h"

/** flow_check() - Assert what is legal at the enum leg_state, and the relations
 * of @f's members to each other; a call of the engine must not be under way
 */
void flow_check(const struct flow *f);

/** flow_is_due() - Has any of @f's deadlines come by @now (ns)? */
bool flow_is_due(const struct flow *f, uint64_t now);

#endif /* FLOW_CHECK_H */
