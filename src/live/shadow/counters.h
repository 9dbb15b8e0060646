/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * counters - What the machine counts; reports print them under these names
 */
#ifndef SHADOW_COUNTERS_H
#define SHADOW_COUNTERS_H

#include <stdint.h>

#include "core/counters.h"
#include "flow/key.h"

#define SHADOW_COUNTERS(X, T)                                                  \
	X(T, flows_seen, "", "connections and resumptions")                    \
	X(T, flows_played, "", "flows whose SYN went to the SUT")              \
	X(T, flows_established, "", "flows whose SYN the SUT answered")        \
	X(T, flows_midstream, "", "flows picked up mid-stream")                \
	X(T, flows_untaken, "",                                                \
	  "of these, those of which production took nothing")                  \
	X(T, flows_resumed, "", "flows that were resumed after a gap")         \
	X(T, resumed_by_close, "", "flows resumed because the SUT had closed") \
	X(T, flows_shed, "",                                                   \
	  "flows cut between two messages, for they were behind")              \
	X(T, flows_taken_up, "",                                               \
	  "shed flows played again when there was room")                       \
	X(T, flows_not_played, "", "flows that there was no room for")         \
	X(T, flows_waited, "",                                                 \
	  "flows that waited behind an older incarnation")                     \
	X(T, flows_other_port, "", "flows that got another client port")       \
	X(T, victims, "", "flows ended because the table was full")            \
	X(T, victims_half_open, "",                                            \
	  "half-open flows ended because the table was full")                  \
	X(T, client_syn_again, "", "SYNs of clients that came again")          \
	X(T, client_bytes, "bytes", "bytes of clients, in order")              \
	X(T, client_again, "", "segments of clients with nothing new")         \
	X(T, client_early, "", "segments of clients after a hole")             \
	X(T, client_keepalive, "", "keepalives of clients")                    \
	X(T, client_truncated, "",                                             \
	  "segments of clients whose payload the capture cut")                 \
	X(T, client_full, "",                                                  \
	  "early segments of clients that could not be kept")                  \
	X(T, client_acks_unsent, "",                                           \
	  "segments of clients that ack what production cannot have sent")     \
	X(T, client_conflict, "", "copies of clients' bytes that contradict")  \
	X(T, syn_stripped, "",                                                 \
	  "SYNs of clients that options or data were taken from")              \
	X(T, prod_again, "", "segments of production with nothing new")        \
	X(T, prod_early, "", "segments of production after a hole")            \
	X(T, prod_truncated, "",                                               \
	  "segments of production whose payload the capture cut")              \
	X(T, prod_full, "",                                                    \
	  "early segments of production that could not be kept")               \
	X(T, sut_again, "", "segments of a SUT with nothing new")              \
	X(T, sut_early, "", "segments of a SUT after a hole")                  \
	X(T, sut_full, "", "early segments of a SUT that could not be kept")   \
	X(T, sut_rst, "", "RSTs of a SUT that ended a leg")                    \
	X(T, sut_stray, "", "segments of no flow, or outside its window")      \
	X(T, stray_rst_limited, "", "strays that were not answered: too many") \
	X(T, inferred_prod_synack, "",                                         \
	  "production's SYN,ACK was missed, and is known to have been there")  \
	X(T, inferred_client_fin, "",                                          \
	  "clients' FINs that were missed, and are known to have been there")  \
	X(T, inferred_prod_fin, "",                                            \
	  "production's FINs that were missed, and are known to have been "    \
	  "there")                                                             \
	X(T, gap_client, "", "holes in clients' streams that were believed")   \
	X(T, gap_client_healed, "",                                            \
	  "holes in clients' streams that were filled in time")                \
	X(T, gap_client_bytes, "bytes",                                        \
	  "bytes of clients that the capture missed")                          \
	X(T, gap_prod, "", "holes in production's streams that were believed") \
	X(T, gap_prod_healed, "",                                              \
	  "holes in production's streams that were filled in time")            \
	X(T, gap_prod_bytes, "bytes",                                          \
	  "bytes of production that the capture missed")                       \
	X(T, client_segments, "",                                              \
	  "segments of clients with payload, captured")                        \
	X(T, client_payload, "bytes", "bytes of payload in them")              \
	X(T, prod_segments, "",                                                \
	  "segments of production with payload, captured")                     \
	X(T, prod_payload, "bytes", "bytes of payload in them")                \
	X(T, requests_seen, "", "requests captured whole")                     \
	X(T, requests_delivered, "", "requests whose last byte the SUT acked") \
	X(T, requests_answered, "", "requests whose answer came whole")        \
	X(T, acks_merged, "", "client's acks that one of ours stood for")      \
	X(T, acks_spontaneous, "",                                             \
	  "acks sent so that the SUT does not wait for ever")                  \
	X(T, fin_held, "", "clients' FINs that waited for the SUT")            \
	X(T, fin_deadline, "",                                                 \
	  "clients' FINs that waited as long as they may")                     \
	X(T, rst_held, "", "RSTs that waited for the SUT")                     \
	X(T, rst_deadline, "", "RSTs that waited as long as they may")         \
	X(T, late_data, "", "segments of clients after production's FIN")      \
	X(T, late_data_dropped, "", "of these, never sent")                    \
	X(T, order_held, "", "segments held until the SUT has answered")       \
	X(T, timing_late, "", "segments later than level timing promises")     \
	X(T, retransmits, "", "segments sent again after a timeout")           \
	X(T, fast_retransmits, "",                                             \
	  "segments sent again after three duplicate acks")                    \
	X(T, zero_probes, "", "probes of a closed window")                     \
	X(T, unsent, "", "effects that the sink could not take")               \
	X(T, effects_left_over, "",                                            \
	  "times that a call had more to send than it could")                  \
	X(T, routes_lost, "", "networks that the SUT answers elsewhere")       \
	X(T, sut_silences, "", "times that a SUT fell silent")

/** struct shadow_counters - All of them; the last arrays are by reason */
struct shadow_counters {
	SHADOW_COUNTERS(COUNTER_MEMBER, )
	uint64_t ended[FLOW_END_COUNT];
	uint64_t not_delivered[FLOW_END_COUNT];
};

/** shadow_counter_list - Their names and what they are */
extern const struct counter_list shadow_counter_list;

struct shadow;
struct histogram;

/** shadow_counters(), shadow_behind() - For reports */
const struct shadow_counters *shadow_counters(const struct shadow *s);
const struct histogram *shadow_behind(const struct shadow *s);

/** shadow_flows(), shadow_flows_peak(), shadow_timers() - Occupancy */
uint32_t shadow_flows(const struct shadow *s);
uint32_t shadow_flows_peak(const struct shadow *s);
uint32_t shadow_timers(const struct shadow *s);

#endif /* SHADOW_COUNTERS_H */
