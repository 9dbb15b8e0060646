/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * counters - What one end counts; reports print them under these names
 */
#ifndef MULTIPATH_COUNTERS_H
#define MULTIPATH_COUNTERS_H

#include <stdint.h>

#include "core/counters.h"

/* Of an end. The sums that these close stand in check.c. */
#define MP_COUNTERS(X, T)                                                      \
	X(T, inner, "", "packets from our own side")                           \
	X(T, inner_thin, "", "of these, thin ones: they pass the queue")       \
	X(T, drop_bound, "", "inner packets over the bound of their lane")     \
	X(T, drop_law, "", "inner packets that CoDel's law dropped")           \
	X(T, drop_full, "", "inner packets beyond the limit of all lanes")     \
	X(T, drop_thin, "", "thin packets that no path could take")            \
	X(T, drop_restart, "", "inner packets that a restart found waiting")   \
	X(T, marked_ce, "", "inner packets that CoDel's law marked")           \
	X(T, first, "", "inner packets that went on their way")                \
	X(T, ahead, "", "of these, packets that overtook the head of a lane")  \
	X(T, again, "", "packets sent again")                                  \
	X(T, again_old, "", "lost packets that were too old to be sent again") \
	X(T, twin, "", "second and further copies by policy")                  \
	X(T, measured, "", "copies that measured a path")                      \
	X(T, measure_full, "", "times that copies had sent all that they may") \
	X(T, probes, "", "probes")                                             \
	X(T, settles, "", "settles")                                           \
	X(T, feedback_out, "", "feedbacks sent")                               \
	X(T, feedback_in, "", "feedbacks taken")                               \
	X(T, feedback_old, "", "feedbacks that said nothing new")              \
	X(T, feedback_bad, "", "feedbacks about what was never sent")          \
	X(T, bad, "", "messages that nobody writes")                           \
	X(T, bad_path, "", "messages of a path that there is not")             \
	X(T, bad_seq, "", "packets far off the numbers of their path")         \
	X(T, bad_lane, "", "packets of a lane that there is not")              \
	X(T, probes_came, "", "probes that came from the other end")           \
	X(T, arrived, "", "packets that came from the other end")              \
	X(T, delivered, "", "of these, packets handed on")                     \
	X(T, delivered_late, "", "of those, packets behind their turn")        \
	X(T, duplicate, "", "packets that had come before")                    \
	X(T, stale, "", "packets of which nobody knows if they came before")   \
	X(T, drop_held, "", "packets that there was no room to hold")          \
	X(T, drop_restart_held, "", "packets that a restart found held")       \
	X(T, held, "", "packets that waited for one before them")              \
	X(T, given_up, "", "numbers of a lane that were waited for in vain")   \
	X(T, release_time, "", "times that the timer gave up")                 \
	X(T, release_size, "", "times that the size limit gave up")            \
	X(T, resync, "", "lanes that went on far ahead")                       \
	X(T, ranges_lost, "", "missing ranges that no feedback could name")    \
	X(T, size_probes, "", "messages that tried how long one may be")       \
	X(T, size_answers, "", "answers to such ones of the other end")        \
	X(T, size_found, "", "times that a path's limit was found")            \
	X(T, size_black, "", "times that a path took less than before")        \
	X(T, path_lost, "", "times that a path fell silent")                   \
	X(T, path_back, "", "times that one came back")

struct mp_counters {
	MP_COUNTERS(COUNTER_MEMBER, )
};

extern const struct counter_list mp_counter_list;

/* Of a path. Every number of it has one fate: sent = acked + lost + left, and
 * what is out.
 */
#define MP_PATH_COUNTERS(X, T)                                                 \
	X(T, sent, "", "packets and probes sent")                              \
	X(T, sent_bytes, "bytes", "of these, headers and overhead included")   \
	X(T, acked, "", "packets that feedback said have come")                \
	X(T, lost, "", "packets that feedback said are missing")               \
	X(T, left, "", "packets given up when the path fell silent")           \
	X(T, timeouts, "", "times that its probe timer ran out")               \
	X(T, remeasured, "", "times that it was measured anew")                \
	X(T, came, "", "packets and probes that came on it")                   \
	X(T, came_bytes, "bytes", "of these, headers and overhead included")   \
	X(T, came_again, "", "of these, numbers that had come before")         \
	X(T, missing, "", "numbers that were jumped over")                     \
	X(T, missing_came, "", "of these, numbers that came after all")

struct mp_path_counters {
	MP_PATH_COUNTERS(COUNTER_MEMBER, )
};

extern const struct counter_list mp_path_counter_list;

/* Of a group of lanes: thin packets, and as many groups of the others. All
 * groups together are the end's own.
 */
#define MP_LANE_COUNTERS(X, T)                                                 \
	X(T, inner, "", "packets from our own side")                           \
	X(T, dropped, "", "of these, packets that were not sent")              \
	X(T, arrived, "", "packets that came from the other end")              \
	X(T, delivered, "", "of these, packets handed on")                     \
	X(T, delivered_late, "", "of those, packets behind their turn")        \
	X(T, held, "", "packets that waited for one before them")              \
	X(T, given_up, "", "numbers that were waited for in vain")

struct mp_lane_counters {
	MP_LANE_COUNTERS(COUNTER_MEMBER, )
};

extern const struct counter_list mp_lane_counter_list;

#endif /* MULTIPATH_COUNTERS_H */
