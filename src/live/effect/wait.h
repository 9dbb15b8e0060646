/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wait - How long is waited, and for what
 */
#ifndef EFFECT_WAIT_H
#define EFFECT_WAIT_H

#include <stdint.h>

#include "core/limits.h"

/* A leg with a hole in its client's stream ends after so long without progress
 * of the SUT, whatever is open.
 */
#define GAP_HOLD (1 * NS_PER_SEC)
/* Delayed partial ack. */
#define DACK_WAIT (20 * NS_PER_MS)
/* Our ACK of the SYN,ACK rides on the first data if that comes within this. */
#define HANDSHAKE_WAIT (2 * NS_PER_MS)
/* The SUT's bytes are acked after this long although the client has not acked
 * production's: just below Linux's shortest RTO.
 */
#define SPONT_WAIT (180 * NS_PER_MS)
/* A held FIN goes out after so long without progress of the SUT; a held RST. */
#define FIN_HOLD (10 * NS_PER_SEC)
#define RST_HOLD (2 * NS_PER_SEC)
/* Client bytes after production's FIN wait so long for the SUT's. */
#define LATE_HOLD (5 * NS_PER_SEC)
/* A new incarnation waits so long for the older one's end. */
#define REUSE_WAIT (1 * NS_PER_SEC)
/* How long an ended flow is remembered: mirror and SUT may repeat its end. */
#define TIME_WAIT (500 * NS_PER_MS)
/* RFC 6298: first RTO; Linux's lower bound; upper bound. */
#define RTO_FIRST (1 * NS_PER_SEC)
#define RTO_MIN	  (200 * NS_PER_MS)
#define RTO_MAX	  (10 * NS_PER_SEC)
/* What the sink could not send is tried again after this. */
#define UNSENT_WAIT (5 * NS_PER_MS)
/* The wait for an answer of the SUT. */
#define ANSWER_WAIT_LEAST (5 * NS_PER_SEC)  /* the least, by default */
#define ANSWER_WAIT_MORE  (60 * NS_PER_SEC) /* bound of ten times production's */

/**
 * answer_wait() - Without a byte of the answer for so long, it is not coming
 * @least:	The shortest wait, ns
 * @took:	From the request's last byte to the end of production's answer,
 *		ns
 *
 * Return: the largest of @least, 2 @took, and 10 @took up to ANSWER_WAIT_MORE
 */
uint64_t answer_wait(uint64_t least, uint64_t took);

/** answer_limit() - An answer that still flows after so long is late, ns */
uint64_t answer_limit(uint64_t least, uint64_t took);

#endif /* EFFECT_WAIT_H */
