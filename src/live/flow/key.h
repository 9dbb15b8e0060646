/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * key - What is said of a flow to those who do not see into it
 */
#ifndef FLOW_KEY_H
#define FLOW_KEY_H

#include <stdint.h>

#include "core/ipaddr.h"

/** struct flow_key - Addresses as the mirror shows them; no padding */
struct flow_key {
	struct ipaddr client;
	struct ipaddr prod;
	uint16_t cport;
	uint16_t pport;
	uint32_t map; /* which --map, so that one client has several legs */
};

/* Why a leg ended; reports use these names. */
#define FLOW_ENDS(X)                                                           \
	X(FLOW_END_NONE, "none")                                               \
	X(FLOW_END_CLOSED, "closed")                                           \
	X(FLOW_END_CLIENT_RST, "client_rst")                                   \
	X(FLOW_END_PROD_RST, "production_rst")                                 \
	X(FLOW_END_SUT_RST, "sut_rst")                                         \
	X(FLOW_END_SUT_CLOSED, "sut_closed")                                   \
	X(FLOW_END_SUT_REFUSED, "sut_refused")                                 \
	X(FLOW_END_SUT_SILENT, "sut_silent")                                   \
	X(FLOW_END_SYN_TIMEOUT, "syn_timeout")                                 \
	X(FLOW_END_NO_ROUTE, "no_route")                                       \
	X(FLOW_END_UNPROVED, "unproved")                                       \
	X(FLOW_END_NO_PROGRESS, "no_progress")                                 \
	X(FLOW_END_GAP, "client_gap")                                          \
	X(FLOW_END_LATE_DATA, "late_data")                                     \
	X(FLOW_END_BEHIND, "behind")                                           \
	X(FLOW_END_METHOD, "method")                                           \
	X(FLOW_END_RATE, "max_rate")                                           \
	X(FLOW_END_POOL_FULL, "pool_full")                                     \
	X(FLOW_END_IDLE, "idle")                                               \
	X(FLOW_END_VICTIM, "table_full")                                       \
	X(FLOW_END_REUSED, "reused")                                           \
	X(FLOW_END_TLS, "tls")                                                 \
	X(FLOW_END_OBSERVED, "observed")                                       \
	X(FLOW_END_NOT_READY, "wire_not_ready")                                \
	X(FLOW_END_STOPPED, "stopped")

enum flow_end {
#define X(id, name) id,
	FLOW_ENDS(X)
#undef X
		FLOW_END_COUNT
};

/** flow_end_name() - As reports spell it */
const char *flow_end_name(enum flow_end e);

/* May a leg start? The machine asks when nothing else is in its way. */
enum flow_gate {
	GATE_UNASKED,
	GATE_WAIT,  /* its network is being proved */
	GATE_OPEN,  /* it may */
	GATE_LOST,  /* the SUT answers its network by another wire */
	GATE_LATER, /* its network could not be proved yet */
	GATE_DEAF,  /* the SUT did not answer its network, perhaps nobody */
};

#endif /* FLOW_KEY_H */
