/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reader - What the engine keeps of a flow
 *
 * It lies in the flow, and is opaque to the rooms below. framing.c writes it,
 * and of the engine read.c, quiet.c, settle.c and verdict.c, of handshakes
 * stamp.c.
 */
#ifndef READER_READER_H
#define READER_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "app/asked.h"
#include "app/framer.h"
#include "compare/protocol.h"
#include "core/seq.h"
#include "flow/flow.h"

/* Bits of reader.flags. */
enum {
	R_SPOKE_P = 1 << 0, /* bytes since production's last mark by quiet */
	R_SPOKE_S = 1 << 1,
	R_ENDED_P = 1 << 2, /* production's FIN was given to the framer */
	R_ENDED_S = 1 << 3,
	R_MOVE_P = 1 << 4, /* its last mark is by quiet, and may move */
	R_MOVE_S = 1 << 5, /* the same, while the SUT was sent no more */
	R_IS_TLS = 1 << 6, /* recognised, and not played */
};

/* Whose stamp of the client's handshake with production reader.ts_hand is. */
enum hand {
	HAND_NONE,
	HAND_SYN,
	HAND_SYNACK,
	HAND_ACK, /* which came before the SYN,ACK */
	HAND_OVER,
};

/**
 * struct reader - It
 * @protocol:	Whose framer reads all three streams; NULL: not chosen yet
 * @ts_hand:	Before production speaks: see @hand
 * @quiet_p, @quiet_s: When production, the SUT spoke last, without marks
 * @flags:	R_ bits
 * @begun_ack:	Ack number of the client's newest message, when it began
 * @guessed_from: First exchange whose pairing is guessed
 * @moves_at:	What had been sent to the SUT when R_MOVE_S was set
 * @behind_first: Flows that were made since the connection's first one: the
 *		serial number less this names the connection, on all of its legs
 * @guessed:	enum compare_reason: why it is guessed; 0: none is
 * @hand:	enum hand
 * @pipelines:	The client does not wait for answers
 * @named:	@behind_first is known
 * @taken_up:	The next request is the first behind a handshake of our making
 * @asked:	By the newest request, as far as its head was read
 * @state:	The framer's
 */
struct reader {
	const struct protocol *protocol;
	union {
		uint64_t ts_hand;
		uint64_t quiet_p;
	};
	uint64_t quiet_s;
	uint32_t flags;
	uint32_t begun_ack;
	uint32_t guessed_from;
	uint32_t moves_at;
	uint8_t guessed;
	uint8_t hand;
	bool pipelines : 1;
	bool taken_up : 1;
	bool named : 1;
	uint32_t behind_first;
	struct asked asked;
	_Alignas(8) uint8_t state[FRAMER_STATE_MAX];
};

_Static_assert(sizeof(struct reader) <= FLOW_READER_MAX,
	       "a reader would overrun its flow");

static inline struct reader *reader_to_write(struct flow *f)
{
	return (void *)f->reader;
}

static inline const struct reader *reader_to_read(const struct flow *f)
{
	return (const void *)f->reader;
}

/* The reader of a flow; of a const one, const. */
#define reader_of(f)                                                           \
	_Generic((f), struct flow *: reader_to_write,          \
		 const struct flow *: reader_to_read)(f)

/* Is it guessed which answer belongs to the request of exchange @index? */
static inline bool reader_guesses(const struct reader *r, uint32_t index)
{
	return r->guessed != 0 && !seq_lt(index, r->guessed_from);
}

/* framing.c: which framer reads a flow, and where in it the client is */

/* NULL: it is not chosen yet. */
const struct framer_ops *read_framer(const struct flow *f);
/* Choose it by the first bytes that @who said, and R_IS_TLS by a client's. */
void read_choose(struct flow *f, enum who who, const uint8_t *p, uint32_t n);
/* Do @who's messages end by quiet? */
bool read_is_quiet(const struct flow *f, enum who who);
/* Does a message of the client begin with these bytes, at @seq? */
bool read_begins(const struct flow *f, uint32_t seq, const uint8_t *p,
		 uint32_t n);
/* Does @seq follow the end of the last message of the client's that was read?
 */
bool read_follows(const struct flow *f, uint32_t seq);
/* Which answer belongs to which request is guessed from exchange @from on, and
 * why.
 */
void read_unsure(struct flow *f, enum compare_reason why, uint32_t from);

/* odd.c: answers that are not by the book */

/* This exchange will not be compared, and why; the first reason stays. */
void read_spoil(struct exchange *x, enum compare_reason why);
/* A piece of an answer, with flags. */
void read_odd(struct flow *f, enum who who, struct exchange *x,
	      const struct framer_piece *pc);
/* The SUT's answer in @x (NULL: none is open) breaks the protocol. */
void read_break(struct flow *f, struct exchange *x);
/* @who's stream ends inside of its answer in @x. */
void read_cut(struct exchange *x, enum who who);
/* An exchange was judged by both its answers: do both servers still speak
 * alike?
 */
void read_parted(struct flow *f, struct exchange *x);
/* Did the SUT send what nobody asked for, and production did not? */
bool read_is_extra(const struct flow *f, const struct exchange *x);

#endif /* READER_READER_H */
