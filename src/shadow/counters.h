/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * counters - What the machine counts; reports print them under these names
 */
#ifndef SHADOW_COUNTERS_H
#define SHADOW_COUNTERS_H

#include <stdint.h>

#include "flow/flow.h"

#define SHADOW_COUNTERS(X)                                                     \
	X(flows_seen)	     /* connections and resumptions */                 \
	X(flows_played)	     /* a SYN went to the SUT */                       \
	X(flows_established) /* and was answered */                            \
	X(flows_midstream)   /* begun by a made-up handshake */                \
	X(flows_untaken)     /* the same; production took nothing of it */     \
	X(flows_resumed)     /* the same, after a gap */                       \
	X(resumed_by_close)  /* the same, the SUT had closed */                \
	X(flows_shed)	     /* cut between two messages: they were behind */  \
	X(flows_taken_up)    /* and played again when there was room */        \
	X(flows_not_played)  /* no room for a flow */                          \
	X(flows_waited)	     /* behind an older incarnation */                 \
	X(flows_other_port)  /* got another client port */                     \
	X(victims)	     /* ended because the table was full */            \
	X(victims_half_open)                                                   \
	X(client_syn_again)                                                    \
	X(client_bytes)                                                        \
	X(client_again) /* segments with nothing new */                        \
	X(client_early) /* segments after a hole */                            \
	X(client_keepalive)                                                    \
	X(client_truncated) /* capture cut the payload */                      \
	X(client_full)	    /* early, and could not be kept */                 \
	X(client_conflict)  /* contradicting copies */                         \
	X(syn_stripped)	    /* options or data taken from a SYN */             \
	X(prod_again)                                                          \
	X(prod_early)                                                          \
	X(prod_truncated)                                                      \
	X(prod_full)                                                           \
	X(sut_again)                                                           \
	X(sut_early)                                                           \
	X(sut_full)                                                            \
	X(sut_rst)                                                             \
	X(sut_stray) /* segments of no flow, or outside its window */          \
	X(stray_rst_limited)                                                   \
	X(inferred_prod_synack)                                                \
	X(inferred_client_fin)                                                 \
	X(inferred_prod_fin)                                                   \
	X(gap_client)                                                          \
	X(gap_client_healed)                                                   \
	X(gap_client_bytes)                                                    \
	X(gap_prod)                                                            \
	X(gap_prod_healed)                                                     \
	X(gap_prod_bytes)                                                      \
	X(client_segments) /* with payload, captured */                        \
	X(client_payload)  /* bytes of these */                                \
	X(prod_segments)                                                       \
	X(prod_payload)                                                        \
	X(requests_seen)                                                       \
	X(requests_delivered)                                                  \
	X(requests_answered)                                                   \
	X(acks_merged)                                                         \
	X(acks_spontaneous)                                                    \
	X(fin_held)                                                            \
	X(fin_deadline)                                                        \
	X(rst_held)                                                            \
	X(rst_deadline)                                                        \
	X(late_data) /* client bytes after production's FIN */                 \
	X(late_data_dropped)                                                   \
	X(order_held)  /* waited for the SUT's answer */                       \
	X(timing_late) /* level timing: production's bytes came too late */    \
	X(retransmits)                                                         \
	X(fast_retransmits)                                                    \
	X(zero_probes)                                                         \
	X(unsent) /* the sink could not take it */                             \
	X(effects_left_over)                                                   \
	X(routes_lost) /* networks that the SUT answers elsewhere */           \
	X(sut_silences)

/** struct shadow_counters - All of them; the last arrays are by reason */
struct shadow_counters {
#define X(name) uint64_t name;
	SHADOW_COUNTERS(X)
#undef X
	uint64_t ended[FLOW_END_COUNT];
	uint64_t not_delivered[FLOW_END_COUNT];
};

#endif /* SHADOW_COUNTERS_H */
