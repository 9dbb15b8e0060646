/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * exchange - A request and its two answers, as marks in three streams
 *
 * The open exchanges of a flow are a list in the order of their index. The k-th
 * mark of each endpoint belongs to exchange k. Cursors make every step O(1),
 * however far one endpoint is behind.
 */
#ifndef FLOW_EXCHANGE_H
#define FLOW_EXCHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/seq.h"
#include "core/who.h"

#define EXCHANGE_REQUEST 96 /* bytes of the request's first line kept */

/* Bits of exchange.flags. */
enum {
	X_HAVE_C = 1 << WHO_CLIENT, /* the mark of this endpoint is known */
	X_HAVE_P = 1 << WHO_PROD,
	X_HAVE_S = 1 << WHO_SUT,
	X_DELIVERED = 1 << 3, /* the SUT acked the request's last byte */
	X_P_ACKED = 1 << 4,   /* production did */
	X_JUDGED = 1 << 5,    /* its verdict has been given */
	X_PASSED = 1 << 6,    /* the client's acks are past it, on both sides */
	X_P_BEGUN = 1 << 7,   /* bytes of the answer were seen */
	X_S_BEGUN = 1 << 8,
	X_C_BEGUN = 1 << 9,
	X_LINE = 1 << 10,    /* the request's first line is kept whole */
	X_P_EARLY = 1 << 11, /* production's answer began before its end */
	X_S_EARLY = 1 << 12,
	X_RESUMED = 1 << 13, /* with it the flow was taken up */
	X_SENT = 1 << 14,    /* all of it was sent to the SUT */
	X_LEFT = 1 << 15,    /* it is not to be played: nothing of it is sent */
};

/* Bits of exchange.odd, what is not by the book in its answers. */
enum {
	ODD_P_LEFT = 1 << 0, /* it makes a tunnel: CONNECT, upgrade */
	ODD_S_LEFT = 1 << 1,
	ODD_P_BROKE = 1 << 2, /* it breaks the protocol */
	ODD_S_BROKE = 1 << 3,
	ODD_S_EXTRA = 1 << 4, /* ... in bytes of the answer before, and the line
			       * is that one's */
};

/**
 * struct exchange - One of them; lies in a frame of the pool
 *
 * Its place in the list and its ends are written by the functions below alone,
 * what is marked E by the engine alone, all else by the machine.
 * @index:	Number in its flow, from 0 on
 * @end:	Where the message of each ends, before this number
 * @flags:	X_ bits: HAVE by the functions below; DELIVERED, P_ACKED, PASSED
 *		and SENT by the machine; the others by the engine. For a request
 *		that comes again the engine clears all but a few
 * @request, @request_len: The request's first line (E)
 * @c_ack:	Production's bytes that the client had acked when it began (E)
 * @c_now:	When the request was here whole
 * @p_acked:	When production acked it
 * @p_first:	When the first byte of its answer came (E)
 * @p_took:	From the request's last byte to the end of production's answer,
 *		us; 0: not known
 * @waited:	When the wait for the SUT's answer began (shadow/wait.c), then
 *		when the verdict was given (E), ms, modulo 2^32; 0: not yet
 * @fate:	What the SUT's end made of its answer: enum unanswered (E); 0:
 *		nothing yet
 * @c_ts:	Stamp of the request's last byte, ns since 1970 (E); 0: none.
 *		This and what follows serve latencies alone
 * @s_left:	Stamp of the flush that handed that byte to the SUT's wire; also
 *		the engine's, where the request's end is not known
 * @p_ts, @p_ts_last, @s_ts, @s_ts_last: Stamps of each answer's first byte, and
 *		of its last one to come, by their distance from these two (E)
 * @cmp:	Its comparison (E)
 * @spoilt:	Why it will not be compared (E)
 * @odd:	ODD_ bits (E)
 * @record:	Number of the frame that its request began with (E)
 */
struct exchange {
	struct exchange *next;
	void *cmp;
	uint32_t index;
	uint32_t end[WHO_COUNT];
	uint32_t c_ack;
	uint16_t flags;
	uint8_t spoilt;
	uint8_t request_len;
	uint64_t c_now;
	uint64_t p_acked;
	uint64_t p_first;
	uint64_t c_ts;
	uint64_t s_left;
	uint32_t p_ts;
	uint32_t p_ts_last;
	uint32_t s_ts;
	uint32_t s_ts_last;
	uint32_t p_took;
	uint32_t waited;
	uint8_t fate;
	char request[EXCHANGE_REQUEST];
	uint8_t odd;
	uint32_t record;
};

/**
 * struct exchanges - The open ones of a flow
 * @head, @tail: List
 * @at:		Per endpoint: the exchange of its next mark, NULL: not made yet
 * @deliver:	First one not acked by the SUT, NULL: all are
 * @pack:	First one not acked by production
 * @sent:	First one not wholly sent to the SUT
 * @marks:	Per endpoint: marks so far, which is the index of the next one
 * @turn:	Where the client's message begins that the SUT's next mark
 *		answers, if marks[WHO_CLIENT] >= marks[WHO_SUT]; who begins the
 *		client's stream sets it first
 */
struct exchanges {
	struct exchange *head;
	struct exchange *tail;
	struct exchange *at[WHO_COUNT];
	struct exchange *deliver;
	struct exchange *pack;
	struct exchange *sent;
	uint32_t marks[WHO_COUNT];
	uint32_t turn;
};

/**
 * exchange_open() - The exchange of @who's next mark, made if need be
 *
 * Return: it, or NULL if the pool is full
 */
struct exchange *exchange_open(struct exchanges *xs, struct pool *pool,
			       enum who who);

/**
 * exchange_mark() - @who's message ends before sequence number @seq
 *
 * Return: the exchange it belongs to, or NULL if the pool is full
 */
struct exchange *exchange_mark(struct exchanges *xs, struct pool *pool,
			       enum who who, uint32_t seq);

/** exchange_unmark() - Take back @who's last mark, if its exchange is open
 * still
 *
 * Return: true if it was taken back
 */
bool exchange_unmark(struct exchanges *xs, enum who who);

/**
 * exchange_restart() - The client and the SUT begin anew
 *
 * Their next mark belongs to the first exchange that is open, or to the one of
 * production's next mark.
 */
void exchange_restart(struct exchanges *xs);

/** exchange_clear() - Count from 0 again; none may be open */
void exchange_clear(struct exchanges *xs);

/** exchange_drop() - Free the first one; its comparison must have ended */
void exchange_drop(struct exchanges *xs, struct pool *pool);

#endif /* FLOW_EXCHANGE_H */
