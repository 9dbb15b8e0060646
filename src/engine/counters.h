/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * counters - What the engine counts; reports print them under these names
 *
 * Every frame has exactly one of ENGINE_FATES, and one more for each further leg
 * (I33): the sum of fates is frames_mirror + frames_sut + other_legs.
 */
#ifndef ENGINE_COUNTERS_H
#define ENGINE_COUNTERS_H

#include <stdint.h>

/* Where a frame went. */
#define ENGINE_FATES(X)                                                        \
	X(client) /* of a flow */                                              \
	X(production)                                                          \
	X(production_early) /* before its client's SYN: kept for that */       \
	X(sut)                                                                 \
	X(client_datagram)                                                     \
	X(production_datagram)                                                 \
	X(sut_datagram)                                                        \
	X(not_segment)	 /* decode says what it was */                         \
	X(not_mapped)	 /* of no --map */                                     \
	X(both_mapped)	 /* both ends are production: no side can be told */   \
	X(sut_in_mirror) /* a SUT's address as client or production */         \
	X(skipped)	 /* --skip */                                          \
	X(not_sampled)	 /* --sample */                                        \
	X(no_flow)	 /* of a connection that is not known */               \
	X(no_room)	 /* the table of flows is full */                      \
	X(wire)		 /* ARP, ND and probes on the SUT's wire */            \
	X(not_ours)	 /* of a SUT, to somebody else on its wire */          \
	X(sut_stray)	 /* of no flow */                                      \
	X(absorbed)	 /* the SUT to the outside */                          \
	X(not_a_sut)	 /* on its wire, from no SUT's address */              \
	X(wire_stopped)	 /* after a stranger was seen */

#define ENGINE_COUNTERS(X)                                                     \
	ENGINE_FATES(X)                                                        \
	X(frames_mirror)                                                       \
	X(frames_sut)                                                          \
	X(offloaded)   /* of the mirror, good but for a checksum left open */  \
	X(other_legs)  /* fates beyond the first of a frame */                 \
	X(events_lost) /* nobody took them in time */                          \
	X(early_dropped)	/* of production_early: no SYN came in time */ \
	X(datagrams_not_played) /* no SUT was ready */                         \
	X(refused_tcp)		/* SYNs of the SUT to the outside, by RST */   \
	X(refused_udp)		/* its datagrams, by ICMP */                   \
	X(refuse_limited)	/* not refused: too many, or no room */        \
	X(tls)                                                                 \
	X(holes_skipped) /* in production's stream, place still known */       \
	X(holes_lost)	 /* place not known until the next request */          \
	X(resyncs)                                                             \
	X(requests_missed)	 /* judged, and not captured whole */          \
	X(answers_after_verdict) /* of the SUT, judged to be unanswered */     \
	X(stalls) /* times that this process stood still: nobody was */        \
		  /* waited for meanwhile */                                   \
	X(quiet_marks)

/** struct engine_counters - All of them */
struct engine_counters {
#define X(name) uint64_t name;
	ENGINE_COUNTERS(X)
#undef X
};

#endif /* ENGINE_COUNTERS_H */
