/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flow - A client's connection to production, and the SUT's leg of it
 *
 * One struct flow is one incarnation of a connection (tuple + initial sequence
 * number) on one leg. It holds the three streams, what each endpoint has said,
 * the queue of client bytes that the SUT has not acked, and the open exchanges.
 *
 *   client <---- p.nxt, c_ack ----> production        (watched)
 *   client ----- snd_una, snd_nxt ----> SUT           (played by us)
 *   client <---- s.nxt, ack_sent ---- SUT
 *
 * The client's sequence numbers are the same on both sides. Those of production
 * and of the SUT have nothing in common but the marks: exchange k ends at p_end
 * on one side and at s_end on the other.
 */
#ifndef FLOW_FLOW_H
#define FLOW_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/frame.h"
#include "core/ipaddr.h"
#include "core/list.h"
#include "core/wheel.h"
#include "core/who.h"
#include "flow/exchange.h"
#include "flow/stream.h"

#define FLOW_APP_MAX 168 /* bytes of a framer's state */
#define FLOW_ACKS                                                              \
	8 /* client acks waiting for the SUT's bytes; full: the
			  * newest takes the place of the one before it */
#define FLOW_BOUNDS                                                            \
	16 /* ends of SUT frames remembered; full: the oldest goes */

/* Event bits: only ever set (I20). A bit may be inferred from a later segment
 * that proves it.
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

/* Life of the SUT's leg. */
enum leg {
	LEG_NONE,     /* not played (any more): flow.end says why */
	LEG_WAITING,  /* for the older incarnation of its tuple */
	LEG_SYN_SENT, /* our SYN is out */
	LEG_OPEN,     /* SUT answered */
	LEG_CLOSED,   /* both FINs exchanged */
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

/* May a leg start? The machine asks when nothing else is in its way. */
enum flow_gate {
	GATE_UNASKED,
	GATE_WAIT,  /* its network is being proved */
	GATE_OPEN,  /* it may */
	GATE_LOST,  /* the SUT answers its network by another wire */
	GATE_LATER, /* its network could not be proved yet */
	GATE_DEAF,  /* the SUT did not answer its network, perhaps nobody */
};

/* Bits of flow.flags. */
enum {
	FLOW_MID = 1 << 0,   /* handshake made up by us */
	FLOW_LOST = 1 << 1,  /* looking for the next message of the client */
	FLOW_PLOST = 1 << 2, /* place in production's messages unknown */
	FLOW_FIN_SENT = 1 << 3,
	FLOW_TS = 1 << 4,	  /* SUT agreed to timestamps */
	FLOW_SACK = 1 << 5,	  /* SUT agreed to SACK */
	FLOW_WSCALE = 1 << 6,	  /* SUT agreed to window scale */
	FLOW_P_WSCALE = 1 << 7,	  /* production did, as far as we know */
	FLOW_SUPERSEDED = 1 << 8, /* a newer incarnation has the tuple */
	FLOW_DRAIN = 1 << 9,	  /* the first drain ack has been sent (I7) */
	FLOW_MORE = 1 << 10, /* in the list of those with effects left over */
	FLOW_HELD = 1 << 11, /* its FIN or RST was held (counted once) */
	FLOW_RECOVER = 1 << 12,	  /* retransmitting up to @recover */
	FLOW_HANDSHAKE = 1 << 13, /* our ACK of the SYN,ACK is still owed */
	FLOW_QUIET_P = 1 << 14, /* marks of production's stream come by quiet */
	FLOW_QUIET_S = 1 << 15,
	FLOW_SPOKE_P = 1 << 16, /* bytes since the last mark */
	FLOW_SPOKE_S = 1 << 17,
	FLOW_FRAMED = 1 << 18, /* a framer has been chosen */
	FLOW_C_TUNNEL =
		1 << 19,	/* no marks from the client's stream any more */
	FLOW_ENDED_P = 1 << 20, /* production's FIN was given to the framer */
	FLOW_ENDED_S = 1 << 21,
	FLOW_AMBIGUOUS = 1 << 22,
	FLOW_MOVE_P = 1 << 23, /* its last mark is by quiet, and may move */
	FLOW_MOVE_S = 1 << 24,
	FLOW_SPOKE_C = 1 << 25,
	FLOW_GAP = 1 << 27,    /* a hole is believed; the leg will end */
	FLOW_IS_TLS = 1 << 26, /* recognised, and not played */
	FLOW_CUT = 1 << 28, /* the capture cut payload of the client: @c_cut */
	FLOW_BROKEN_S = 1 << 29, /* the SUT's answers are not the protocol's */
	FLOW_SUT_CHOSE =
		1 << 30, /* the SUT spoke first, and no other did yet */
};

/* Whose stamp of the client's handshake with production flow.ts_hand is. */
enum {
	HAND_NONE,
	HAND_SYN,
	HAND_SYNACK,
	HAND_ACK, /* which came before the SYN,ACK */
	HAND_OVER,
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

/** struct flow_key - Addresses as the mirror shows them; no padding */
struct flow_key {
	struct ipaddr client;
	struct ipaddr prod;
	uint16_t cport;
	uint16_t pport;
	uint32_t map; /* which --map, so that one client has several legs */
};

/** struct flow_ack - A client's ack that waits for the SUT's bytes */
struct flow_ack {
	uint32_t ack;
	uint32_t win; /* bytes */
	uint64_t now;
};

/**
 * struct flow - One incarnation on one leg
 *
 * Fields are grouped by whose numbers they hold. All are the machine's, but for
 * @framer and @app, which are the engine's.
 */
struct flow {
	/* the table's */
	struct flow *mirror_next;
	struct flow *sut_next;
	struct list lru;
	struct list attention;
	struct list
		more; /* effects left over; with GATE_WAIT: who else waits */
	struct flow *older; /* incarnation that we wait for */
	struct flow *newer; /* incarnation that waits for us */
	struct timer timer;
	uint64_t due[DUE_COUNT]; /* ns; WHEEL_NEVER: not set */
	uint64_t id;
	uint64_t gap_c; /* when a hole in the client's stream was noticed; 0 */
	uint64_t gap_p;
	uint64_t s_progress; /* when the SUT last sent or acked something new */
	uint64_t last;	     /* when the last frame of any endpoint came */
	struct flow_key key;
	uint32_t flags;
	uint16_t ev;
	uint16_t eport; /* client's port as the SUT sees it */
	uint16_t sport; /* the SUT's port */
	uint16_t want;
	uint8_t sut;
	uint8_t class;
	uint8_t leg;
	uint8_t end;	/* enum flow_end */
	uint8_t ending; /* its RST did not fit into the effects yet */
	uint8_t gate;	/* enum flow_gate */

	/* client, as watched */
	uint8_t tries;
	uint8_t dupacks;
	uint8_t ack_n;
	uint8_t c_wscale;
	uint8_t c_has; /* OPT_HAS_ bits of its SYN that we pass on */
	uint8_t ttl;
	uint8_t bound_n;
	uint8_t met; /* connections that the SUT closed in front of x.turn */
	uint16_t c_mss;
	uint16_t s_mss;
	uint32_t c_iss;
	uint32_t c_ack; /* highest ack of production's bytes */
	uint32_t c_win; /* bytes, that went with it */
	uint32_t c_tsval;
	uint32_t c_cut;	     /* where the last payload ends that was cut */
	uint32_t lost_seen;  /* bytes captured while the place was lost */
	uint32_t rst_ack;    /* production's byte at which a RST goes out */
	uint32_t q_bytes;    /* blocks of the pool that the queue takes */
	uint32_t kept_bytes; /* the same of @kept */
	uint32_t left_to;    /* where those of its bytes end that left last */
	uint32_t
		wait_from; /* when the wait for an answer began anew, ms, on the
			     * clock of wait.c */
	struct stream c;
	struct stream p;
	uint32_t p_ack; /* highest ack of the client's bytes by production */

	/* the SUT's leg */
	uint32_t snd_una;
	uint32_t snd_nxt;
	uint32_t snd_wnd;
	uint32_t recover;
	uint32_t s_tsval;  /* TS.Recent (RFC 7323 section 4.3) */
	uint32_t ack_sent; /* of the SUT's bytes */
	uint32_t edge;	   /* right edge told to the SUT */
	uint32_t a_cur;	   /* client's ack consumed last */
	uint32_t a_win;	   /* bytes */
	uint32_t
		p_base; /* where the last exchange passed ended, in production's */
	uint32_t s_base; /* and in the SUT's numbers */
	uint32_t s_iss;
	uint32_t srtt_us; /* RFC 6298; 0: none yet */
	uint32_t rttvar_us;
	uint32_t rtt_seq; /* seq being timed */
	uint64_t rtt_at;  /* when it was sent; 0: none */
	struct stream s;
	uint64_t left_ts; /* stamp of the flush of @left_to; 0: none */
	uint8_t ack_head;
	uint8_t bound_head;
	uint8_t dup_ack;      /* owed: out of order, repeated or a probe */
	uint8_t s_wscale;     /* shift of the windows we announce */
	uint8_t sut_wscale;   /* shift of those it announces */
	bool hold_passed : 1; /* DUE_HOLD has come */
	bool untaken : 1;   /* joined: production has acked nothing of it yet */
	bool force_ack : 1; /* ack all that the SUT has sent */
	bool shut : 1;	    /* the SUT's window alone keeps bytes back */
	bool asked : 1;	    /* a SYN has gone out */
	bool waiting : 1;   /* for an answer of the SUT: wait.c */
	bool wait_whole : 1; /* production's answer to that is whole */
	bool unheard : 1;    /* one was waited for, and nothing came since */
	struct flow_ack acks[FLOW_ACKS];
	uint32_t bound[FLOW_BOUNDS];
	struct frame *q_head; /* not acked by the SUT, by seq */
	struct frame *q_tail;
	struct frame *q_send; /* first that is not wholly sent */
	struct frame
		*kept; /* of the same list: acked, up to @q_head; or NULL */

	/* exchanges */
	struct exchanges x;

	/* the engine's */
	union {
		uint64_t ts_hand; /* before production speaks: see @hand */
		uint64_t quiet_p; /* when production spoke last */
	};
	uint64_t quiet_s;
	uint32_t begun_ack; /* of the client's newest message, when it began */
	uint32_t unsure_from; /* first exchange whose pairing is guessed */
	uint8_t unsure;	      /* why it is; 0: none is */
	bool pipelines : 1;   /* the client does not wait for answers */
	bool taken_up : 1; /* the next request is the first of a made-up handshake */
	bool marked : 1; /* the client's protocol tells where its messages end */
	uint8_t hand;	 /* HAND_ */
	bool again : 1; /* the request at x.turn was sent on one of @met; the machine's */
	bool other_port : 1; /* play the leg from another port; the machine's */
	bool restarts : 1; /* a connection may begin with any message of the client's */
	uint8_t shed : 2; /* enum shed; the machine's */
	bool syn_data : 1; /* the first early data came in the SYN; the machine's */
	bool s_closes : 1; /* the SUT's last answer ends its connection; the machine
			* clears it with the leg */
	const void *framer;
	_Alignas(8) uint8_t app[FLOW_APP_MAX];
};

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

/** flow_find_sut() - The flow whose leg has these addresses, or NULL */
struct flow *flow_find_sut(struct flow_table *t, uint8_t sut, uint16_t sport,
			   const struct ipaddr *client, uint16_t eport);

/**
 * flow_new() - A flow, in the mirror table in front of its older incarnations
 *
 * All zero but key, timer and lists. NULL if there is none left: ask
 * flow_victim(), end it, and call again.
 */
struct flow *flow_new(struct flow_table *t, const struct flow_key *key);

/** flow_half_full() - May no more half-open flows be made? */
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
