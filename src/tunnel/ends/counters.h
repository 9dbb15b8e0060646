/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * counters - What the program counts beside its machines
 */
#ifndef ENDS_COUNTERS_H
#define ENDS_COUNTERS_H

#include <stdint.h>

#include "core/counters.h"

#define ENDS_COUNTERS(X, T)                                                    \
	X(T, read, "", "packets that the device gave us")                      \
	X(T, cut, "", "long packets that some of these were cut from")         \
	X(T, parted, "", "frames that some of these are parts of")             \
	X(T, no_session, "", "of these, dropped: there was no session")        \
	X(T, looped, "", "of these, dropped: packets of the tunnel itself")    \
	X(T, not_ip, "", "of these, dropped: no IP packets")                   \
	X(T, too_big, "", "of these, dropped: too long for a path")            \
	X(T, too_big_untold, "", "of those, whose source was not told")        \
	X(T, mss, "", "segments whose MSS was lowered")                        \
	X(T, no_memory, "",                                                    \
	  "packets and datagrams that the pool was full for")                  \
	X(T, congested, "",                                                    \
	  "packets dropped for a mark that they cannot bear")                  \
	X(T, written, "", "packets that the device took")                      \
	X(T, joined, "", "long packets that it took for some of these")        \
	X(T, parts_joined, "", "frames whose parts all came")                  \
	X(T, parts_lost, "", "frames of which some part did not come")         \
	X(T, not_written, "", "packets that it did not take")                  \
	X(T, not_allowed, "", "packets with a source that may not come out")   \
	X(T, broken, "", "packets of the other end that are no IP packets")    \
	X(T, no_path, "", "packets by a path that there is not")               \
	X(T, not_sealed, "", "datagrams that there was no session for")        \
	X(T, unsent, "", "datagrams that the kernel did not take")             \
	X(T, sent_joined, "",                                                  \
	  "datagrams that the kernel was given in one with others")            \
	X(T, joined_refused, "",                                               \
	  "times that it did not take such a one, and got single ones")        \
	X(T, came_joined, "",                                                  \
	  "datagrams that the kernel gave in one with the next")               \
	X(T, trace_lost, "", "packets that the trace lost")                    \
	X(T, pad_left, "bytes",                                                \
	  "bytes of our half of the pad that are not used yet")                \
	X(T, moved, "", "times that a path led to another address")            \
	X(T, told, "", "errors that the network reported")                     \
	X(T, told_strange, "", "of these, about nothing that we sent")

struct ends_counters {
	ENDS_COUNTERS(COUNTER_MEMBER, )
};

extern const struct counter_list ends_counter_list;

/* What is measured of a path, beside what multipath/counters.h counts. */
#define ENDS_PATH_GAUGES(X, T)                                                 \
	X(T, alive, "bool", "whether anything comes back")                     \
	X(T, rate, "bytes/s", "measured rate")                                 \
	X(T, rtt_us, "us", "round trip")                                       \
	X(T, min_rtt_us, "us", "its least of the last ten seconds")            \
	X(T, mtu, "bytes", "the longest packet, as far as it is known")        \
	X(T, window, "bytes", "bytes that may be out")                         \
	X(T, out, "bytes", "bytes that are out")                               \
	X(T, told, "", "errors that the network reported of it")               \
	X(T, told_size, "", "of these, that a datagram is too long")

struct ends_path_gauges {
	ENDS_PATH_GAUGES(COUNTER_MEMBER, )
};

extern const struct counter_list ends_path_gauge_list;

#endif /* ENDS_COUNTERS_H */
