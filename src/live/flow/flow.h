/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flow - A client's connection to production, and the SUT's leg of it
 *
 * One struct flow is one incarnation of a connection (tuple + initial sequence
 * number) on one leg. It holds what client and production have said (struct
 * watch), the client's bytes that the SUT has not acked (struct queue), the
 * connection with the SUT (struct leg), and the open exchanges.
 *
 *   client <---- w.p.nxt, w.c_ack ----> production      (watched)
 *   client ----- leg.snd_una, leg.snd_nxt ----> SUT     (played by us)
 *   client <---- leg.s.nxt, leg.last_ack_sent ---- SUT
 *
 * The client's sequence numbers are the same on both sides. Those of production
 * and of the SUT have nothing in common but the marks: exchange k ends at
 * end[WHO_PROD] on one side and at end[WHO_SUT] on the other.
 */
#ifndef FLOW_FLOW_H
#define FLOW_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/list.h"
#include "core/wheel.h"
#include "core/who.h"
#include "flow/exchange.h"
#include "flow/key.h"
#include "flow/stream.h"

#define FLOW_READER_MAX 384 /* bytes of what its reader keeps */
#define FLOW_ACKS                                                              \
	8 /* client acks waiting for the SUT's bytes; full: the
			  * newest takes the place of the one before it */
#define FLOW_BOUNDS                                                            \
	16 /* ends of SUT frames remembered; full: the oldest goes */

/* Event bits: only ever set (I20). A bit may be inferred from a later segment
 * that proves it. Those of client and production are in watch.ev, the SUT's in
 * leg.ev; a connection with the SUT that begins anew begins without any.
 */
enum {
	EV_C_ACK = 1 << 0, /* client completed its handshake */
	EV_P_SYNACK = 1 << 1,
	EV_S_SYNACK = 1 << 2,
	EV_C_FIN = 1 << 3, /* in order */
	EV_P_FIN = 1 << 4,
	EV_S_FIN = 1 << 5,
	EV_S_ACKFIN = 1 << 6, /* SUT acked our FIN */
	EV_C_RST = 1 << 7,
	EV_P_RST = 1 << 8,
};

/* Life of the SUT's leg, and what is legal in each state; flow_check() asserts
 * it. Columns: the state; events that are set, and that may be; flags that are
 * set, and that may be; has it an end; is it in the SUT's table; may bytes of
 * the client be queued.
 */
#define EV_S_ALL (EV_S_SYNACK | EV_S_FIN | EV_S_ACKFIN)
#define LEG_STATES(X)                                                          \
	/* not played (any more): leg.end says why */                          \
	X(LEG_NONE, 0, EV_S_ALL, 0, L_ALL, true, false, false)                 \
	/* for the older incarnation of its tuple, the SUT, or its network */  \
	X(LEG_WAITING, 0, 0, 0, 0, false, false, true)                         \
	/* our SYN is out */                                                   \
	X(LEG_SYN_SENT, 0, 0, 0, L_HELD, false, true, true)                    \
	/* SUT answered */                                                     \
	X(LEG_OPEN, EV_S_SYNACK, EV_S_ALL, 0, L_ALL, false, true, true)        \
	/* both FINs exchanged; in the table until somebody wants its place */ \
	X(LEG_CLOSED, EV_S_ALL, EV_S_ALL, L_FIN_SENT, L_ALL, true, true, false)

enum leg_state {
#define X(state, ...) state,
	LEG_STATES(X)
#undef X
};

/* Deadlines of a flow; one timer is armed for the earliest. */
enum flow_due {
	DUE_RTO,   /* retransmission, SYN, window probe */
	DUE_DACK,  /* delayed partial ack, handshake ack */
	DUE_SPONT, /* SUT's bytes that nobody has acked */
	DUE_HOLD,  /* FIN, RST, late data, older incarnation */
	DUE_GAP,   /* is it a hole? */
	DUE_QUIET, /* nobody spoke: a mark */
	DUE_LAG,   /* more than max_lag behind */
	DUE_WAIT,  /* the SUT's answer has been waited for */
	DUE_IDLE,  /* lazily; also the end of time-wait */
	DUE_COUNT
};

/* What the machine wants its caller to look at; see shadow_attention(). */
enum {
	WANT_QUIET = 1 << 0, /* DUE_QUIET has come */
	WANT_PHOLE = 1 << 1, /* production's stream has a believed hole */
	WANT_SYNC = 1 << 2,  /* the client's has: find a message to start at */
	WANT_JUDGE = 1 << 3, /* the leg has ended: judge what is open */
	WANT_FREE = 1 << 4,  /* nothing more will come: free it */
	WANT_ANEW =
		1 << 5, /* the SUT's stream begins anew, with the next answer */
	WANT_CUT = 1 << 6,   /* the SUT has closed without its next answer */
	WANT_PROOF = 1 << 7, /* may its client be played? see flow_gate */
	WANT_DEAF = 1 << 8,  /* a SYN of it went unanswered */
	WANT_WAIT = 1 << 9,  /* the wait for an answer is over: judge it */
};

/* Bits of watch.flags: what is known of client and production. */
enum {
	W_MID = 1 << 0,	       /* handshake made up by us */
	W_LOST = 1 << 1,       /* looking for the next message of the client */
	W_PLOST = 1 << 2,      /* place in production's messages unknown */
	W_P_WSCALE = 1 << 3,   /* production agreed to scale, as far as known */
	W_SUPERSEDED = 1 << 4, /* a newer incarnation has the tuple */
	W_GAP = 1 << 5,	       /* a hole is believed; the leg will end */
	W_CUT = 1 << 6, /* the capture cut payload of the client: @c_cut */
};

/* Bits of leg.flags: what was agreed and done on a connection with the SUT. */
enum {
	L_FIN_SENT = 1 << 0,
	L_TS = 1 << 1,	      /* SUT agreed to timestamps */
	L_SACK = 1 << 2,      /* SUT agreed to SACK */
	L_WSCALE = 1 << 3,    /* SUT agreed to window scale */
	L_DRAIN = 1 << 4,     /* the first drain ack has been sent (I7) */
	L_HELD = 1 << 5,      /* its FIN or RST was held (counted once) */
	L_RECOVER = 1 << 6,   /* retransmitting up to @recover */
	L_HANDSHAKE = 1 << 7, /* our ACK of the SYN,ACK is still owed */
	L_ALL = (1 << 8) - 1,
};

/* Bits of flow.framing: how messages are known, as the engine's reader tells.
 */
enum {
	FRAMING_MARKED = 1 << 0, /* the protocol says where the client's end */
	FRAMING_RESTARTS = 1 << 1, /* a connection may begin with any of them */
	FRAMING_QUIET_P = 1 << 2,  /* production's end by quiet */
	FRAMING_QUIET_S = 1 << 3,
	FRAMING_C_TUNNEL = 1 << 4,  /* no marks from the client any more */
	FRAMING_AMBIGUOUS = 1 << 5, /* nobody knows what answers what */
	FRAMING_BROKEN_S = 1 << 6,  /* the SUT's are not the protocol's */
	FRAMING_SUT_CHOSE =
		1 << 7, /* the SUT spoke first, and no other did yet */
	FRAMING_SPOKE_C = 1 << 8, /* the client has, since its mark by quiet */
};

/* A flow that is behind: see shadow/shed.c. */
enum shed {
	SHED_NO,
	SHED_WANTED, /* when it is known where the message ends that goes out */
	SHED_CUT,    /* nothing is queued behind that; or the leg has ended */
};

/* Which list of the table a flow is in. */
enum flow_class {
	FLOW_HALF_OPEN, /* the client's handshake is not complete */
	FLOW_LIVE,
	FLOW_TIME_WAIT,
	FLOW_CLASSES
};

/** struct flow_ack - A client's ack that waits for the SUT's bytes */
struct flow_ack {
	uint32_t ack;
	uint32_t win; /* bytes */
	uint64_t now;
};

/**
 * struct watch - Client and production, as the mirror shows them
 * @c, @p:	What each has sent
 * @last:	When the last frame of any endpoint came
 * @gap_c, @gap_p: When a hole in the stream was noticed; 0: there is none
 * @flags:	W_ bits
 * @ev:		EV_C_ and EV_P_ bits
 * @c_iss:	The number before the first of the client's bytes that are
 *		played
 * @c_ack, @c_win: The client's highest ack of production's bytes, and the
 *		window in bytes that went with it
 * @c_tsval:	Its newest timestamp
 * @c_cut:	Where its last payload ends that was cut
 * @p_ack:	Production's highest ack of the client's bytes
 * @p_base:	Where production's answer ended that was passed last, on both
 *		sides
 * @rst_ack:	Production's byte that the SUT has to reach before our FIN or
 *		RST goes out
 * @lost_seen:	Bytes captured while the client's place was lost
 * @c_mss, @c_wscale, @c_has: Of its SYN; OPT_HAS_ bits of what we pass on
 * @ttl:	Of its first segment
 * @unconfirmed:	Joined: production has acked nothing of it yet
 * @syn_data:	The first early data came in the SYN
 */
struct watch {
	struct stream c;
	struct stream p;
	uint64_t last;
	uint64_t gap_c;
	uint64_t gap_p;
	uint32_t flags;
	uint32_t c_iss;
	uint32_t c_ack;
	uint32_t c_win;
	uint32_t c_tsval;
	uint32_t c_cut;
	uint32_t p_ack;
	uint32_t p_base;
	uint32_t rst_ack;
	uint32_t lost_seen;
	uint16_t ev;
	uint16_t c_mss;
	uint8_t c_wscale;
	uint8_t c_has;
	uint8_t ttl;
	bool unconfirmed : 1;
	bool syn_data : 1;
};

/**
 * struct queue - The client's bytes towards the SUT
 *
 * It outlives a connection that the SUT closes: what was not answered goes out
 * on the next one (shadow/reopen.c).
 * @head, @tail: Frames that the SUT has not acked, by seq
 * @send:	First of them that is not wholly sent
 * @kept:	In front of @head, of the same list: acked; NULL: none is kept
 * @bytes, @kept_bytes: Blocks of the pool that they take
 * @reopened:	Connections that the SUT closed in front of x.turn
 * @again:	The request at x.turn was sent on one of them
 * @left:	The client's bytes are of a message that is not to be played
 */
struct queue {
	struct buf *head;
	struct buf *tail;
	struct buf *send;
	struct buf *kept;
	uint32_t bytes;
	uint32_t kept_bytes;
	uint8_t reopened;
	bool again : 1;
	bool left : 1;
};

/**
 * struct answer_wait - The wait for an answer of the SUT: shadow/wait.c
 * @from:	When it began anew, ms, on that file's clock
 * @on:		There is one
 * @whole:	Production's answer to it is whole
 */
struct answer_wait {
	uint32_t from;
	bool on;
	bool whole;
};

/**
 * struct leg - One connection with the SUT
 *
 * The next one begins with zeroes.
 * @s:		What the SUT has sent
 * @progress:	When it last sent or acked something new
 * @rtt_at, @rtt_seq: When the number was sent that is being timed; 0: none is
 * @srtt_us, @rttvar_us: RFC 6298; 0: none yet
 * @left_ts, @left_to: Stamp of the flush of the bytes that left last, and where
 *		they end; 0: none
 * @flags:	L_ bits
 * @snd_una, @snd_nxt, @snd_wnd: RFC 9293; but @snd_nxt does not count our FIN
 * @recover:	RFC 6582
 * @iss:	The SUT's initial sequence number
 * @tsval:	TS.Recent (RFC 7323 section 4.3)
 * @last_ack_sent:	Of the SUT's bytes
 * @adv_edge:	Right edge of the window advertised to it
 * @cli_ack, @cli_wnd: The client's ack that was consumed last, and its window
 *		in bytes
 * @base:	watch.p_base in the SUT's numbers
 * @ev:		EV_S_ bits
 * @mss:	Largest segment that it takes
 * @state:	enum leg_state
 * @end:	enum flow_end
 * @ending:	enum flow_end: the RST did not fit into the effects yet
 * @gate:	enum flow_gate
 * @tries:	Retransmissions since the last progress
 * @dupacks:	Of the SUT, in a row
 * @ack_head, @ack_n, @acks: Acks that wait for the SUT's bytes
 * @bound_head, @bound_n, @bound: Ends of the SUT's frames
 * @wscale:	Shift of the windows that we announce
 * @sut_wscale:	Shift of those that it announces
 * @dup_ack:	Owed: out of order, repeated or a probe
 * @hold_passed: DUE_HOLD has come
 * @shut:	The SUT's window alone keeps bytes back
 * @syn_out:	A SYN has gone out
 * @unheard:	An answer was waited for, and nothing came since
 * @other_port:	Play it from another port than the client's
 * @closes:	The SUT's last answer ends the connection
 */
struct leg {
	struct stream s;
	uint64_t progress;
	uint64_t rtt_at;
	uint64_t left_ts;
	uint32_t flags;
	uint32_t snd_una;
	uint32_t snd_nxt;
	uint32_t snd_wnd;
	uint32_t recover;
	uint32_t iss;
	uint32_t tsval;
	uint32_t last_ack_sent;
	uint32_t adv_edge;
	uint32_t cli_ack;
	uint32_t cli_wnd;
	uint32_t base;
	uint32_t srtt_us;
	uint32_t rttvar_us;
	uint32_t rtt_seq;
	uint32_t left_to;
	uint16_t ev;
	uint16_t mss;
	uint8_t state;
	uint8_t end;
	uint8_t ending;
	uint8_t gate;
	uint8_t tries;
	uint8_t dupacks;
	uint8_t ack_head;
	uint8_t ack_n;
	uint8_t bound_head;
	uint8_t bound_n;
	uint8_t wscale;
	uint8_t sut_wscale;
	bool dup_ack : 1;
	bool hold_passed : 1;
	bool shut : 1;
	bool syn_out : 1;
	bool unheard : 1;
	bool other_port : 1;
	bool closes : 1;
	uint32_t bound[FLOW_BOUNDS];
	struct flow_ack acks[FLOW_ACKS];
};

/**
 * struct flow - One incarnation on one leg
 *
 * Written by the table (table.c) alone:
 * @in_mirror, @in_sut: Links of its two maps
 * @lru:	Others of its class, by age
 * @class:	enum flow_class
 * @id:		Serial number; 0: free
 * @key:	Key in the mirror's table
 *
 * By the machine (shadow) alone:
 * @sut, @sport, @eport: Key in the SUT's table, while it is in: the SUT, its
 *		port, and the client's as the SUT sees it
 * @older, @newer: The incarnation that it waits for; that waits for it
 * @attention, @want: Who wants something of the caller, and what: WANT_ bits
 * @more:	Who has effects left over; with GATE_WAIT: who else waits (lan)
 * @timer, @due: Deadlines, ns; WHEEL_NEVER: not set
 * @shed:	enum shed
 * @w, @q, @wait, @leg: See there
 *
 * By the reader (engine) alone:
 * @framing:	FRAMING_ bits, for the machine
 * @reader:	Its own; all zero at first
 *
 * By both:
 * @x:		Open exchanges; struct exchange tells whose its members are
 */
struct flow {
	uint32_t in_mirror;
	uint32_t in_sut;
	struct list lru;
	uint64_t id;
	struct flow_key key;
	uint8_t class;

	uint8_t sut;
	uint16_t sport;
	uint16_t eport;
	uint16_t want;
	uint8_t shed;
	struct flow *older;
	struct flow *newer;
	struct list attention;
	struct list more;
	struct timer timer;
	uint64_t due[DUE_COUNT];
	struct watch w;
	struct queue q;
	struct answer_wait wait;
	struct leg leg;

	uint32_t framing;
	_Alignas(8) uint8_t reader[FLOW_READER_MAX];

	struct exchanges x;
};

/** flow_events() - All that have happened: EV_ bits */
static inline uint16_t flow_events(const struct flow *f)
{
	return (uint16_t)(f->w.ev | f->leg.ev);
}

/* Both tables, the lists and the free flows. */
struct flow_table;

/** flow_table_size() - Arena bytes for @n flows */
size_t flow_table_size(uint32_t n);

struct hash_key;

/** flow_table_init() - Make one. Return: 0 or -ENOMEM */
int flow_table_init(struct flow_table **out, struct arena *a, uint32_t n,
		    const struct hash_key *key);

/** flow_find() - The newest incarnation of a connection, or NULL */
struct flow *flow_find(struct flow_table *t, const struct flow_key *key);

/** flow_older() - The incarnation of @f's key before @f, or NULL */
struct flow *flow_older(struct flow_table *t, const struct flow *f);

/** flow_find_sut() - The flow whose leg has these addresses, or NULL */
struct flow *flow_find_sut(struct flow_table *t, uint8_t sut, uint16_t sport,
			   const struct ipaddr *client, uint16_t eport);

/**
 * flow_new() - A flow, in the mirror table in front of its older incarnations
 *
 * All zero but key, timer and lists. NULL if there is none left: who wants one
 * ends flow_victim() before that, as ending takes a call more.
 */
struct flow *flow_new(struct flow_table *t, const struct flow_key *key);

/**
 * flow_half_full() - Do half-open flows have their share, so that one must go?
 */
bool flow_half_full(const struct flow_table *t);

/**
 * flow_victim() - Who has to go for a new flow
 * @half_only:	Only a half-open one
 *
 * The oldest half-open, then time-wait, then the longest idle (I29). NULL if
 * there is none.
 */
struct flow *flow_victim(struct flow_table *t, bool half_only);

/** flow_bind() - Enter @f into the SUT table by sut, sport, client and eport */
void flow_bind(struct flow_table *t, struct flow *f);

/** flow_unbind() - Take it out, if it is in */
void flow_unbind(struct flow_table *t, struct flow *f);

/** flow_touch() - @f was used: it is now the youngest of its class */
void flow_touch(struct flow_table *t, struct flow *f);

/** flow_set_class() - Move @f to another list */
void flow_set_class(struct flow_table *t, struct flow *f, enum flow_class c);

/** flow_free() - Give @f back; it must have no frames, timer or exchange */
void flow_free(struct flow_table *t, struct flow *f);

/** flow_count(), flow_peak() - Flows in use, and the most that ever were */
uint32_t flow_count(const struct flow_table *t);
uint32_t flow_peak(const struct flow_table *t);

/** flow_table_n() - Flows that the table has room for */
uint32_t flow_table_n(const struct flow_table *t);

/** flow_at() - The flow in place @i, below flow_table_n(); NULL: it is free */
struct flow *flow_at(struct flow_table *t, uint32_t i);

/** flow_oldest() - The one of a class that was used longest ago, or NULL */
struct flow *flow_oldest(const struct flow_table *t, enum flow_class c);

#endif /* FLOW_FLOW_H */
