/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * counters - What the control socket counts
 */
#ifndef CTL_COUNTERS_H
#define CTL_COUNTERS_H

#include <stdint.h>

#include "core/counters.h"

#define CTL_COUNTERS(X, T)                                                     \
	X(T, clients, "", "clients that were taken")                           \
	X(T, strangers, "", "clients of another user, refused")                \
	X(T, full, "", "clients beyond the limit, refused")                    \
	X(T, requests, "", "requests that were answered")                      \
	X(T, errors, "", "of these, requests answered with an error")          \
	X(T, too_long, "", "clients closed for a line without an end")         \
	X(T, no_room, "", "answers that were too long to be given")            \
	X(T, slow, "", "watchers closed, as they did not read")                \
	X(T, events, "", "events that somebody watched")

struct ctl_counters {
	CTL_COUNTERS(COUNTER_MEMBER, )
};

extern const struct counter_list ctl_counter_list;

#endif /* CTL_COUNTERS_H */
