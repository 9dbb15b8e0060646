/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim - A whole world round an engine, in virtual time, from one seed
 *
 * Clients and production talk over links that lose, swap, repeat and delay; a
 * mirror shows (most of) it to the engine; what the engine sends goes over
 * another bad link to a SUT. All endpoints are one model of TCP (endpoint.c),
 * written from the RFCs, which shares no code with the flow and shadow folders.
 */
#ifndef SIM_SIM_H
#define PEND_MAX 4096u /* effects that the sink has in hand */
#define SIM_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "core/rng.h"
#include "core/seq.h"
#include "emit/sink.h"
#include "engine/engine.h"
#include "shadow/shadow.h"

#define REQ_MAX	  40	/* requests of a connection */
#define IV_MAX	  64	/* pieces of a stream that are out of order */
#define SACKS	  4	/* blocks of one segment */
#define TRACE_MAX 40000 /* lines kept for a failure */
#define TRACE_LEN 200
#define CLIENTS	  24 /* client addresses */
#define PORTS	  6  /* ports of each */
#define LEG_PORTS 65536

enum side { SIDE_CLIENT, SIDE_PROD, SIDE_SUT };

/* A piece [from, to) of a stream, by offset. */
struct iv {
	uint32_t from;
	uint32_t to;
};

/** struct ivs - Pieces in order, none touching another */
struct ivs {
	uint32_t n;
	struct iv v[IV_MAX];
};

/** struct grown - Bytes that grow */
struct grown {
	uint8_t *p;
	uint32_t len;
	uint32_t cap;
};

enum {
	HAS_MSS = 1,
	HAS_WSCALE = 2,
	HAS_SACK_OK = 4,
	HAS_TS = 8,
};

enum {
	FL_FIN = 1,
	FL_SYN = 2,
	FL_RST = 4,
	FL_PSH = 8,
	FL_ACK = 16,
};

/**
 * struct pkt - One segment under way
 * @refs:	Places that hold it
 * @conn, @leg:	Whose it is; @leg of the SUT's wire only
 * @client, @cport: The client's address (index) and port
 * @up:		From the client
 * @bad:	A byte was changed on the way: its checksum is wrong
 * @raw:	No segment of a client: a whole frame in @data
 * @gso:	Segment size of a super-frame, 0: it is none
 */
struct pkt {
	unsigned refs;
	struct conn *conn;
	struct played *leg;
	unsigned client;
	uint16_t cport;
	bool up;
	bool bad;
	bool raw;
	uint8_t flags;
	uint8_t has;
	uint8_t wscale;
	uint8_t sacks;
	uint16_t win;
	uint16_t mss;
	uint16_t gso;
	uint32_t seq;
	uint32_t ack;
	uint32_t tsval;
	uint32_t tsecr;
	struct iv sack[SACKS]; /* sequence numbers */
	uint32_t len;
	uint8_t data[];
};

/** struct tcp_cfg - How a host's TCP behaves */
struct tcp_cfg {
	uint16_t mss;
	uint8_t has; /* options that it offers */
	uint8_t wscale;
	bool nagle;
	bool cut;	 /* cuts segments at random places */
	bool fin_rides;	 /* FIN goes with the last data */
	bool probe_byte; /* zero-window probes carry a byte */
	uint8_t tso;	 /* segments of one frame */
	uint32_t rcvbuf;
	uint64_t delack;    /* ns */
	uint64_t keepalive; /* ns of idleness; 0: none */
};

enum tcp_state {
	TCP_CLOSED,
	TCP_SYN_SENT,
	TCP_SYN_RCVD,
	TCP_OPEN, /* ESTABLISHED to LAST-ACK: the FIN flags say which */
	TCP_TIME_WAIT,
};

/** struct tcp - One endpoint of one connection */
struct tcp {
	struct sim *sim;
	struct conn *conn;
	struct played *leg;
	enum side side;
	struct tcp_cfg cfg;
	enum tcp_state state;
	uint32_t iss;
	uint32_t irs;
	uint32_t una;
	uint32_t nxt;
	uint32_t max; /* behind the highest ever sent */
	uint32_t wnd;
	uint32_t wl1;
	uint32_t wl2;
	uint32_t cwnd;
	uint32_t ssthresh;
	uint32_t recover;
	uint32_t rcv_nxt;
	uint32_t rcv_edge;
	uint32_t read;
	uint32_t last_ack;
	uint32_t rtt_seq;
	uint32_t ts_recent;
	uint32_t ts_base;
	uint32_t fin_at; /* sequence number of the peer's FIN */
	uint16_t mss;	 /* that may be sent, without options */
	uint8_t snd_scale;
	uint8_t rcv_scale;
	uint8_t dupacks;
	uint8_t tries;
	uint8_t unacked; /* segments */
	bool ts;
	bool sack;
	bool recovering;
	bool fin_queued;
	bool fin_acked;
	bool fin_seen;
	bool fin_rcvd;
	bool closed; /* the application reads no more */
	bool was_reset;
	bool timed_out;
	uint8_t keeps; /* keepalives sent since it last heard something */
	bool ack_now;
	bool left_open; /* long after everything was over */
	struct grown tx;
	struct grown rx;
	struct ivs early;
	struct ivs sacked;
	uint64_t srtt;
	uint64_t rttvar;
	uint64_t rtt_at;
	uint64_t rto_at;
	uint64_t delack_at;
	uint64_t persist_at;
	uint64_t keep_at;
	uint64_t wait_at;
	uint64_t armed;
};

/* What the SUT's answer is, held against production's. */
enum differ {
	DIFFER_NOT,
	DIFFER_DATE,  /* equivalent */
	DIFFER_CHUNK, /* equivalent: other chunks */
	DIFFER_BODY,
	DIFFER_LENGTH,
	DIFFER_STATUS,
	DIFFER_HEADER,
	DIFFER_COUNT
};

enum answer_kind {
	ANSWER_LENGTH,
	ANSWER_CHUNKED,
	ANSWER_NO_BODY, /* 204 */
	ANSWER_UNTIL_FIN,
};

/** struct request - One exchange as it is planned */
struct request {
	uint8_t method; /* 0 GET, 1 HEAD, 2 POST, 3 POST chunked */
	uint8_t answer; /* enum answer_kind */
	uint8_t differ; /* enum differ */
	uint8_t pieces; /* writes of the answer */
	uint32_t size;	/* of the request's body */
	uint32_t answer_size;
	uint64_t think;	     /* before it, ns */
	uint64_t service[2]; /* production's, the SUT's */
	uint64_t pace;
	uint32_t c_end; /* in the client's stream; 0: not written */
	uint32_t p_end; /* in production's */
	bool sut_once;	/* the SUT's application has got it */
	uint8_t told;	/* verdicts "different" */
};

enum ending {
	END_CLIENT_FIN,
	END_HALF_CLOSE,
	END_PROD_FIN,
	END_CLIENT_RST,
	END_PROD_RST,
	END_PROD_CLOSE,	  /* with requests unread, if there are any */
	END_CLIENT_CLOSE, /* with an answer unread, if there is one */
	END_COUNT
};

enum fault {
	FAULT_NONE,
	FAULT_REFUSE,
	FAULT_RST_ANSWER, /* inside an answer */
	FAULT_FIN_EARLY,
	FAULT_STALL, /* does not read for a while: zero window */
	FAULT_MUTE,  /* drops everything for a while */
	FAULT_COUNT
};

/** struct server - An application that answers */
struct server {
	uint32_t next;	/* request that is answered next */
	uint32_t got;	/* requests that are here whole */
	uint32_t piece; /* of its answer, that is written next */
	uint32_t base;	/* offset of the client's stream where it begins */
	uint64_t at;	/* when something is due; 0: nothing */
	uint64_t read_at;
	struct grown answer;
	bool busy;
	bool done;
};

/** struct cseg - A client segment as the engine was shown it */
struct cseg {
	uint32_t from;
	uint32_t to;
	uint32_t ack; /* offset in production's stream */
	uint64_t at;
};

/* With profile.writes, --methods; and is a request of this method left out? */
#define SIM_METHODS    "GET,HEAD"
#define SIM_LEFT(s, q) ((s)->profile->writes && (q)->method >= 2)

#define CSEG_MAX 600

/** struct conn - One connection of a client, one incarnation */
struct conn {
	struct sim *sim;
	unsigned id;
	unsigned client;
	uint16_t port;
	uint64_t start;
	uint32_t n; /* requests */
	uint32_t depth;
	uint8_t ending;	    /* enum ending */
	uint8_t fault;	    /* enum fault */
	uint32_t end_after; /* requests or answers, at which the end comes */
	uint64_t end_delay;
	bool slow;
	bool begun;
	bool over;
	struct request r[REQ_MAX];
	struct tcp c;
	struct tcp p;
	bool p_used;
	struct server app;
	uint32_t sent; /* requests */
	uint64_t think_at;
	uint64_t read_at;
	uint64_t abort_at;
	struct conn *slot_next; /* on the same tuple, older */
	/* what the engine was shown */
	bool whole; /* the mirror lost, swapped for long or broke nothing of it */
	bool c_ack_seen;
	bool tuple_acked; /* or by an incarnation that came later */
	bool rst_seen;
	bool c_fin_seen;
	bool p_fin_seen;
	bool overtaken;	    /* the tuple was used again before its end */
	bool healed;	    /* begins long after the last fault */
	uint32_t c_fin_ack; /* production's bytes acked with the client's FIN */
	uint32_t cseg_n;
	struct cseg *cseg;
	struct played *legs; /* newest first */
	uint32_t leg_n;
};

/** struct played - What was played of a connection, from one SYN on */
struct played {
	struct played *next;
	struct played *all;
	struct conn *conn;
	uint16_t port;
	uint64_t flow;
	uint64_t snd_born; /* when its SYN went out first */
	uint32_t start;	   /* offset in the client's stream */
	uint32_t first;	   /* request */
	struct tcp sut;
	bool sut_used;
	struct server app;
	uint32_t s_end[REQ_MAX];
	/* as the engine sees the SUT */
	bool synack;
	bool s_fin;
	bool sut_rst;
	uint32_t s_iss;
	uint32_t s_max;
	uint32_t s_edge;
	uint16_t s_mss;
	uint8_t scale_c;
	uint8_t scale_s;
	uint8_t offer;
	uint8_t agreed;
	uint8_t offer_scale;
	uint32_t s_tsval;
	uint64_t progress;
	struct ivs got;
	/* what the engine has sent */
	uint8_t syns;
	bool acked;
	bool rst;
	uint32_t snd_nxt;
	uint32_t last_ack;
	uint32_t last_edge;
	bool fin_sent;
	bool ended;
	enum flow_end end;
	struct played *server; /* whose endpoint it talks to */
};

/** struct link - One direction of a wire; chances in 1/65536 */
struct link {
	uint64_t delay;
	uint64_t jitter;
	uint32_t lose;
	uint32_t swap;
	uint32_t twice;
	uint64_t swap_by;
	uint64_t last; /* when the last one arrives that keeps its order */
};

enum link_name {
	LINK_C_TAP,
	LINK_TAP_P,
	LINK_P_TAP,
	LINK_TAP_C,
	LINK_U_S,
	LINK_S_U,
	LINK_MIRROR,
	LINK_COUNT
};

enum event_name {
	EV_TAP,	   /* a segment passes the mirror port */
	EV_CLIENT, /* arrives at a client */
	EV_PROD,
	EV_SUT,
	EV_SHOWN,  /* a copy arrives at the engine's mirror interface */
	EV_ANSWER, /* arrives at the engine's other one */
	EV_TIMER,  /* of an endpoint */
	EV_APP,	   /* of a connection's applications */
	EV_LEG,	   /* of a leg's application */
	EV_START,
	EV_TURN, /* of the engine's loop */
};

/** struct event - Something to come */
struct event {
	uint64_t at;
	uint64_t n;
	enum event_name name;
	void *what;
};

/* What a run must have reached, or its checks have looked at nothing. */
enum mark {
	MARK_HEALTHY, /* connections held against all of the plan */
	MARK_HEALED,  /* of these, begun after the heal */
	MARK_DIFFERS, /* planned differences that were told */
	MARK_RESUMED, /* legs that begin inside a connection */
	MARK_ZERO,    /* the SUT closed its window */
	MARK_RST,     /* legs that ended by a RST, of either side */
	MARK_ORDER,   /* times that the order of new bytes was judged */
	MARK_COUNT
};

/** struct profile - What can go wrong in a run */
struct profile {
	const char *name;
	bool net; /* links between client, production and SUT */
	bool mirror;
	bool sut;  /* the SUT's own faults */
	bool keep; /* the SUT keeps connections for less than production does */
	bool aborts;
	bool reuse;
	bool scarce;
	bool differ;
	bool writes; /* they are left out (--methods) */
	bool lossy;  /* the mirror loses much, now and then all for seconds */
	uint32_t least[MARK_COUNT]; /* see marks.c */
};

/** struct held - A frame that waits for the engine's next turn */
struct held {
	struct pkt *p;
	uint64_t ts;
};

/* What is known not to hold; README.md says why. Counted and told. */
enum known {
	KNOWN_ORDER, /* I16b where a flow was resumed */
	KNOWN_WHOLE, /* ended early beside a bad SUT or a bad mirror */
	KNOWN_COUNT
};

/** struct sim_sink - The way out: the program's own allow-list, our wire */
struct sim_sink {
	struct sink sink;
	struct sim *sim;
	uint32_t n;
	struct pkt *wait[4096];
	uint64_t cookie[4096];
	bool last[4096]; /* the last piece of its effect */
};

/** struct trace_line - One line of the trace; @conn: -1: of none */
struct trace_line {
	int conn;
	char text[TRACE_LEN];
};

/** struct options - Of the program */
struct options {
	FILE *dump; /* all output, as bytes; NULL: nowhere */
	uint64_t seed;
	uint32_t conns; /* of a run */
	uint32_t batch; /* frames between two flushes; 0: all of a turn */
	int profile;	/* -1: the seed says */
	int compare;	/* -1: the seed says */
	int skew;	/* ms by which the mirror shows production later */
	bool heal;	/* all faults end, and more connections follow */
	bool floors;	/* too few of a mark are a failure */
	bool verbose;
	bool strict;	/* what is known not to hold is a failure */
	uint64_t known; /* seeds in which something of it may be */
};

struct sim {
	const struct options *opt;
	const struct profile *profile;
	struct rng rng;		 /* of the plan */
	struct rng wire_rng;	 /* of the wires; drawn in order of events */
	uint64_t late[PEND_MAX]; /* not sent, record at the turn's end */
	uint32_t late_n;
	bool v6;
	bool failed;
	uint64_t now;
	uint64_t events;
	uint64_t others; /* that are planned and no turn */
	/* heap */
	struct event *heap;
	size_t heap_n;
	size_t heap_cap;
	/* endpoints */
	uint32_t conns;
	struct conn **conn;
	struct conn *slot[CLIENTS][PORTS];     /* newest incarnation */
	struct conn *listener[CLIENTS][PORTS]; /* production's */
	struct played *legs;
	struct played **at_sut[CLIENTS];    /* newest SYN, by port */
	struct played **server_of[CLIENTS]; /* the SUT's endpoint, by port */
	struct link link[LINK_COUNT];
	/* the engine */
	struct engine_config cfg;
	struct arena arena;
	struct engine *engine;
	struct sim_sink sink;
	struct effect pend[4096];
	uint32_t pend_head;
	uint32_t pend_n;
	uint64_t effects;
	uint64_t sunk;
	uint64_t tick;
	uint64_t turn_at; /* planned; 0: none */
	uint64_t calls;	  /* of the engine */
	uint64_t last_frame;
	struct held *mirror_q;
	struct held *sut_q;
	uint32_t mirror_n, mirror_cap;
	uint32_t sut_n, sut_cap;
	uint32_t unsent;      /* chance in 1/65536 that the sink fails */
	uint64_t blind_every; /* the mirror is blind so often, ns; 0: never */
	uint64_t blind_for;
	bool pinned;
	bool mute_sut; /* the whole SUT is silent for a while */
	uint32_t
		keep_max; /* answers that a connection of the SUT gives; 0: all */
	uint64_t
		keep_idle; /* it closes after so long without a request; 0: never */
	bool keep_said; /* with the last answer it says that it closes */
	bool stop_early;
	uint64_t stop_at;
	uint64_t heal_at; /* no fault from here on; UINT64_MAX: never */
	uint64_t mute_from;
	uint64_t mute_to;
	/* what came of it */
	uint64_t digest;
	uint64_t emit_digest; /* of emitted bytes alone */
	uint64_t different;
	uint64_t records[VERDICT_COUNT]; /* that were taken */
	uint64_t known[KNOWN_COUNT];
	uint64_t mark[MARK_COUNT];
	uint32_t trace_n;
	struct trace_line *trace; /* NULL: nobody wants it */
};

/* main.c */

/** sim_fail() - An invariant does not hold; @c: whose, or NULL */
void sim_fail(struct sim *s, const struct conn *c, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/** sim_known() - The same, of something that is known not to hold */
void sim_known(struct sim *s, const struct conn *c, enum known k,
	       const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/** sim_mark() - Something that the checks are for was reached */
static inline void sim_mark(struct sim *s, enum mark m)
{
	s->mark[m]++;
}

/** sim_is_healed() - Are all faults over? */
static inline bool sim_is_healed(const struct sim *s)
{
	return s->now >= s->heal_at;
}

/** sim_trace() - A line of the trace, if somebody wants it */
void sim_trace(struct sim *s, const struct conn *c, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/** sim_pkt() - A segment, as a line of the trace */
void sim_pkt(struct sim *s, const char *where, const struct pkt *p);

/** sim_alloc() - Zeroed memory or abort() */
void *sim_alloc(size_t n);

/* marks.c */

/** marks_tell() - Print what was reached as a comment, and what was not enough
 *
 * Return: marks that @conns connections should have reached more often.
 */
unsigned marks_tell(const struct profile *p, const uint64_t mark[MARK_COUNT],
		    uint64_t conns, bool heal);

/* events.c */

/** sim_at() - Let something happen at @at */
void sim_at(struct sim *s, uint64_t at, enum event_name name, void *what);

/** sim_next() - Take the next event. Return: false if there is none */
bool sim_next(struct sim *s, struct event *e);

/** ivs_add() - Add a piece. Return: false if there is no room */
bool ivs_add(struct ivs *v, uint32_t from, uint32_t to);

/** ivs_cut() - Forget what lies before @to */
void ivs_cut(struct ivs *v, uint32_t to);

/** ivs_front() - Bytes from offset 0 on without a hole */
uint32_t ivs_front(const struct ivs *v);

/** buf_put() - Write @n bytes (NULL: leave them as they are) at @at */
void buf_put(struct grown *b, uint32_t at, const void *p, uint32_t n);

/* plan.c */

/** profile_of() - By number; NULL: no such */
const struct profile *profile_of(unsigned i);

/** plan_make() - All of a run, from its seed */
void plan_make(struct sim *s);

/** plan_cfg() - How a host's TCP behaves */
struct tcp_cfg plan_cfg(struct rng *r);

/* bytes.c: our own frames */

#define FRAME_ROOM (64 * 1024 + 256)

/** frame_put() - Write @p as an Ethernet frame. Return: its length */
uint32_t frame_put(const struct sim *s, const struct pkt *p, uint8_t *out);

/** frame_get() - Read a frame that the engine sent. Return: NULL and a reason
 * in @why if it is broken (I31)
 */
struct pkt *frame_get(const struct sim *s, const uint8_t *b, uint32_t len,
		      const char **why);

/** frame_address() - Address of a client, production or the SUT */
struct ipaddr frame_address(const struct sim *s, enum side side,
			    unsigned client);

extern const uint8_t mac_client[ETH_LEN];
extern const uint8_t mac_prod[ETH_LEN];
extern const uint8_t mac_sut[ETH_LEN];
extern const uint8_t mac_own[ETH_LEN];

#define SERVER_PORT 80
#define CLIENT_PORT 20000 /* first of a client's */

/* endpoint.c */

/** tcp_connect(), tcp_accept() - Open; numbers begin at @iss */
void tcp_connect(struct tcp *t, uint32_t iss);
void tcp_accept(struct tcp *t, uint32_t iss, const struct pkt *syn);

/** tcp_input() - A segment has come */
void tcp_input(struct tcp *t, const struct pkt *p);

/** tcp_due() - A timer's event has come */
void tcp_due(struct tcp *t);

/** tcp_write(), tcp_read(), tcp_shutdown(), tcp_close(), tcp_abort() - What an
 * application does
 */
void tcp_write(struct tcp *t, const void *p, uint32_t n);
void tcp_read(struct tcp *t, uint32_t n);
void tcp_shutdown(struct tcp *t);
void tcp_close(struct tcp *t);
void tcp_abort(struct tcp *t);

/** tcp_free() - Give its buffers back */
void tcp_free(struct tcp *t);

/** tcp_unread() - In-order bytes that nobody has read */
uint32_t tcp_unread(const struct tcp *t);

/* http.c */

/** app_client(), app_prod(), app_sut() - Something has changed for them */
void app_client(struct conn *c);
void app_prod(struct conn *c);
void app_sut(struct played *l);

/* net.c */

/** net_send() - An endpoint sends */
void net_send(struct tcp *t, struct pkt *p);

/** net_to_sut() - The engine's sink sends */
void net_to_sut(struct sim *s, struct pkt *p);

/** net_event() - A segment has got somewhere */
void net_event(struct sim *s, const struct event *e);

/** pkt_new(), pkt_drop() - Make one with room for @len bytes; give it back */
struct pkt *pkt_new(uint32_t len);
void pkt_drop(struct pkt *p);

/** chance() - True with @of in 65536 */
bool chance(struct sim *s, uint32_t of);

/* house.c */

/** house_open() - Make the engine and prove the SUT's wire */
void house_open(struct sim *s);

/** house_turn() - One turn of its loop, at s->now */
void house_turn(struct sim *s);

/** house_hold() - A frame for the next turn */
void house_hold(struct sim *s, bool mirror, struct pkt *p);

/** house_plan() - Plan a turn for the engine's own timers */
void house_plan(struct sim *s);

/** house_close() - Stop it; all must have come back */
void house_close(struct sim *s);

/* check.c */

/** check_shown() - The engine is about to see a segment of the mirror */
void check_shown(struct sim *s, const struct pkt *p);

/** check_answer() - The engine is about to see a segment of the SUT */
void check_answer(struct sim *s, const struct pkt *p);

/** check_effect() - The engine wants @e sent; @p: as it is on the wire */
void check_effect(struct sim *s, const struct effect *e, struct pkt *p);

/** check_told() - The engine tells */
void check_told(struct sim *s, const struct engine_item *t);

/** check_turn() - After each turn */
void check_turn(struct sim *s);

/** check_end() - After the last */
void check_end(struct sim *s);

/** check_bytes() - The SUT has got these bytes in order, from offset @at on */
void check_bytes(struct played *l, uint32_t at, const uint8_t *p, uint32_t n);

/** machine() - The machine's counters */
const struct shadow_counters *machine(const struct sim *s);

/* run.c */

/** sim_run() - One seed. Return: true if all held */
bool sim_run(struct sim *s);

/** sim_free() - Give all memory back */
void sim_free(struct sim *s);

#endif /* SIM_SIM_H */
