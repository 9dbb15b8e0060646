/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * options - How the machine plays
 */
#ifndef SHADOW_OPTIONS_H
#define SHADOW_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/limits.h"
#include "effect/wait.h"

/**
 * struct shadow_options - How flows are played
 * @midstream:	Start flows whose beginning was not captured at their next
 *		message, by a made-up handshake
 * @order_captured: Release the client's bytes when captured, not when the SUT
 *		has answered what production had
 * @shed:	End flows that are more than @max_lag behind
 * @timing:	Level `timing`: capture time plus @delay, acks on frame
 *		boundaries, the handshake's ack on its own
 * @proof:	Ask before a leg starts (WANT_PROOF), and tell of each SYN
 *		without an answer (WANT_DEAF)
 * @gso:	The sink cuts: effects may be longer than the SUT's MSS
 * @reorder_wait: How long a hole must stay open before it is believed: a mirror
 *		may swap segments, or show one direction later than the other;
 *		ns
 * @reopen:	A request that meets a connection which the SUT has closed
 *		begins another one (reopen.c)
 * @answer_wait: The shortest wait for an answer, ns; 0: nothing is waited for
 * @strays:	Answers a second to one SUT's segments of no flow, and to what
 *		else shadow_may_refuse() is asked about
 * @max_lag, @sut_silent, @idle, @delay: ns
 */
struct shadow_options {
	bool midstream;
	bool order_captured;
	bool shed;
	bool timing;
	bool proof;
	bool gso;
	uint64_t reorder_wait;
	bool reopen;
	uint64_t answer_wait;
	uint32_t strays;
	uint64_t max_lag;
	uint64_t sut_silent;
	uint64_t idle;
	uint64_t delay;
};

#define SHADOW_REORDER	     (30 * NS_PER_MS)
#define SHADOW_REORDER_FILE  (200 * NS_PER_MS) /* of a capture */
#define SHADOW_MAX_LAG	     (30 * NS_PER_SEC)
#define SHADOW_SUT_SILENT    (10 * NS_PER_SEC)
#define SHADOW_IDLE	     (300 * NS_PER_SEC)
#define SHADOW_DELAY	     (5 * NS_PER_MS)
#define SHADOW_STRAYS	     100  /* with refusals of what goes outside */
#define SHADOW_STRAYS_SILENT 1000 /* without */

#endif /* SHADOW_OPTIONS_H */
