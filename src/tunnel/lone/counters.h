/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * counters - What an end without another one counts
 */
#ifndef LONE_COUNTERS_H
#define LONE_COUNTERS_H

#include <stdint.h>

#include "core/counters.h"

/* Of the device and the socket. read = sent (of all paths) + looped + not_ip4 +
 * caught.
 */
#define LONE_COUNTERS(X, T)                                                    \
	X(T, read, "", "packets that the device gave us")                      \
	X(T, caught, "", "of these, plain packets of the far end")             \
	X(T, looped, "", "of these, dropped: packets of the tunnel itself")    \
	X(T, not_ip4, "", "of these, dropped: no IPv4")                        \
	X(T, unsent, "", "packets that the kernel did not take")               \
	X(T, came, "", "packets of IP in IP that came")                        \
	X(T, unknown_peer, "", "of these, dropped: not from a path's end")     \
	X(T, bad, "", "of these, dropped: not as RFC 2003 has them")           \
	X(T, cut, "", "of these, dropped: the inner packet is not whole")      \
	X(T, not_allowed, "", "packets with a source that may not come out")   \
	X(T, no_memory, "", "packets that the pool was full for")              \
	X(T, written, "", "packets that the device took")                      \
	X(T, not_written, "", "packets that it did not take")                  \
	X(T, told, "", "errors that the network reported")                     \
	X(T, told_strange, "", "of these, of no path")

struct lone_counters {
	LONE_COUNTERS(COUNTER_MEMBER, )
};

#define LONE_PATH_COUNTERS(X, T)                                               \
	X(T, sent, "", "packets sent")                                         \
	X(T, sent_bytes, "bytes", "of these, outer headers included")          \
	X(T, came, "", "packets of IP in IP that came from its end")           \
	X(T, told, "", "errors that the network reported of it")

struct lone_path_counters {
	LONE_PATH_COUNTERS(COUNTER_MEMBER, )
};

extern const struct counter_list lone_counter_list;
extern const struct counter_list lone_path_counter_list;

#endif /* LONE_COUNTERS_H */
