/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * counters - What the engine counts; reports print them under these names
 *
 * Every frame has exactly one of ENGINE_FATES, and one more for each further
 * leg (I33): the sum of fates is frames_mirror + frames_sut + other_legs.
 */
#ifndef TALLY_COUNTERS_H
#define TALLY_COUNTERS_H

#include <stdint.h>

#include "core/counters.h"

/* Where a frame went. */
#define ENGINE_FATES(X, T)                                                     \
	X(T, client, "", "frames of clients, of a flow")                       \
	X(T, production, "", "frames of production, of a flow")                \
	X(T, production_early, "",                                             \
	  "frames of production before its client's SYN, kept for it")         \
	X(T, sut, "", "frames of a SUT, of a flow")                            \
	X(T, client_datagram, "", "datagrams of clients")                      \
	X(T, production_datagram, "", "datagrams of production")               \
	X(T, sut_datagram, "", "datagrams of a SUT")                           \
	X(T, quic, "", "datagrams of QUIC, which cannot be played")            \
	X(T, not_segment, "", "frames that are no segment")                    \
	X(T, not_mapped, "", "frames of no --map")                             \
	X(T, both_mapped, "", "frames with both ends in production")           \
	X(T, sut_in_mirror, "", "frames of the mirror with a SUT's address")   \
	X(T, skipped, "", "frames of clients of --skip")                       \
	X(T, not_sampled, "", "frames of clients that --sample leaves out")    \
	X(T, over_rate, "", "frames of clients that --max-rate leaves out")    \
	X(T, no_flow, "", "frames of a connection that is not known")          \
	X(T, no_room, "", "frames without a flow: the table is full")          \
	X(T, wire, "", "ARP, ND and probes on the SUT's wire")                 \
	X(T, not_ours, "", "frames of a SUT to somebody else on its wire")     \
	X(T, sut_stray, "", "frames of a SUT of no flow")                      \
	X(T, absorbed, "", "frames of a SUT to the outside")                   \
	X(T, not_a_sut, "", "frames on its wire from no SUT's address")        \
	X(T, wire_stopped, "", "frames after a stranger was seen")

/* ICMP of the mirror from or to production, of frames that are no segment. */
#define MIRROR_ICMP(X, T)                                                      \
	X(T, echo, "", "asked whether somebody is there")                      \
	X(T, echo_reply, "", "answers to it")                                  \
	X(T, unreachable, "", "host, port or protocol cannot be reached")      \
	X(T, too_big, "", "a packet is too long for its path")                 \
	X(T, exceeded, "", "its hops or its time were over")                   \
	X(T, redirect, "", "there is a better way")                            \
	X(T, other, "", "of another kind")

#define ENGINE_COUNTERS(X, T)                                                  \
	ENGINE_FATES(X, T)                                                     \
	X(T, frames_mirror, "", "frames of the mirror")                        \
	X(T, frames_sut, "", "frames of the SUT's wire")                       \
	X(T, offloaded, "",                                                    \
	  "frames of the mirror, good but for a checksum left open")           \
	X(T, other_legs, "", "fates beyond the first of a frame")              \
	X(T, events_lost, "", "differences and events that found no room")     \
	X(T, early_dropped, "",                                                \
	  "frames of production_early: no SYN came in time")                   \
	X(T, datagrams_not_played, "",                                         \
	  "datagrams of clients: no SUT was ready")                            \
	X(T, refused_tcp, "",                                                  \
	  "SYNs of the SUT to the outside, answered by RST")                   \
	X(T, refused_udp, "",                                                  \
	  "datagrams of the SUT to the outside, answered by ICMP")             \
	X(T, refuse_limited, "", "not refused: too many, or no room")          \
	X(T, tls, "", "flows that turned out to be TLS")                       \
	X(T, holes_skipped, "",                                                \
	  "holes in production's stream, place still known")                   \
	X(T, holes_lost, "",                                                   \
	  "holes in production's stream, place not known until the next "      \
	  "request")                                                           \
	X(T, resyncs, "", "times that production's place was found again")     \
	X(T, requests_missed, "", "requests judged, and not captured whole")   \
	X(T, answers_after_verdict, "",                                        \
	  "answers of the SUT, judged to be unanswered")                       \
	X(T, stalls, "",                                                       \
	  "times that this process stood still: nobody was waited for "        \
	  "meanwhile")                                                         \
	X(T, quiet_marks, "", "messages that ended by quiet")

/** struct engine_counters - All of them */
struct engine_counters {
	ENGINE_COUNTERS(COUNTER_MEMBER, )
};

/** struct mirror_icmp - What ICMP the mirror had */
struct mirror_icmp {
	MIRROR_ICMP(COUNTER_MEMBER, )
};

/** mirror_icmp_list - Their names and what they are */
extern const struct counter_list mirror_icmp_list;

/** engine_counter_list - Their names and what they are */
extern const struct counter_list engine_counter_list;

/** engine_fate_list - Of these, ENGINE_FATES */
extern const struct counter_list engine_fate_list;

#endif /* TALLY_COUNTERS_H */
