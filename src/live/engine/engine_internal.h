/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * engine_internal - What the files of the engine share
 */
#ifndef ENGINE_ENGINE_INTERNAL_H
#define ENGINE_ENGINE_INTERNAL_H

#include "app/framer.h"
#include "compare/protocol.h"
#include "core/spsc.h"
#include "flow/early.h"
#include "engine/engine.h"
#include "lan/prove.h"
#include "quota/quota.h"
#include "reader/reader.h"
#include "shadow/shadow.h"

#define QUIET_WAIT    (20 * NS_PER_MS) /* silence is a mark, without framing */
#define DATAGRAMS_MAX 65536	       /* UDP exchanges that are remembered */

/* A port of a SUT that no --map names answers queries for so long. */
#define OUTSIDE_ANSWERS (60 * NS_PER_SEC)
#define OUTSIDE_PORTS	64 /* that are remembered; full: see outside.c */

/** struct outside_port - A query went to this port of a SUT */
struct outside_port {
	uint64_t at; /* the last one */
	uint16_t port;
	uint8_t sut;
};

struct outside {
	uint64_t full_until; /* all ports are taken for asked ones */
	uint32_t n;
	struct outside_port port[OUTSIDE_PORTS];
};

struct engine {
	struct engine_config cfg; /* as it was given */
	uint64_t now;		  /* of the last call */
	uint32_t record;	  /* number of the frame under way, 0: none */
	struct shadow *shadow;	  /* the TCP connections */
	struct pool *pool;	  /* payload of all of them */
	struct udp_shadow *udp;	  /* the datagrams */
	struct frag_table *frags; /* IP fragments that wait for others */
	struct sutwire *wire;	  /* NULL: nothing is sent */
	struct prove *prove;	  /* with a wire */
	struct quota *quota;	  /* NULL: there is none */
	struct session *session;  /* the same */
	uint32_t suts;		  /* used of @sut_ip, @sut_port, @ready */
	struct ipaddr sut_ip[MAP_MAX];
	uint16_t sut_port[MAP_MAX]; /* that the probe asks */
	uint8_t map_sut[MAP_MAX];   /* --map to SUT */
	bool ready[MAP_MAX];	    /* the SUT's wire is proved */
	uint64_t sut_dropped;	    /* when frames of a SUT were lost last; 0 */
	uint64_t final;		    /* since when only the SUTs are read; 0 */
	struct outside outside; /* ports of a SUT that --map does not name */
	struct engine_stats stats;
	struct early early;	   /* of whom production was seen first */
	struct latencies measured; /* up to the last look at the clock */
	struct latencies recent;   /* since then */
	uint64_t queries;      /* clients' datagrams, each for all its SUTs */
	uint64_t stepped;      /* when the clock was set last; 0: never */
	struct refer *refer;   /* to the desk; NULL: there are no rules */
	struct rrsets *rrsets; /* with rules */
	struct noise *noise;   /* NULL: places are not counted */
	struct spsc *records;  /* of exchanges, to who tells them */
	bool record_lent;      /* the oldest one, by engine_take() */
};

/** struct route - Whose segment it is, by its addresses */
struct route {
	uint32_t n; /* legs */
	uint32_t map[LEGS_MAX];
	bool from_client;
	struct flow_key key; /* without map */
};

/* tcp.c */
enum engine_kind tcp_mirror(struct engine *e, const struct route *r,
			    const struct segment *seg, uint64_t now,
			    struct effects *out);
enum engine_kind tcp_sut(struct engine *e, uint8_t sut,
			 const struct segment *seg, bool ours, uint64_t now,
			 struct effects *out);
/* Look at the flows that want something. */
void attend(struct engine *e, uint64_t now, struct effects *out);

/* read.c: streams, framers, marks, comparison */

/* The in-order bytes that a segment (NULL: none) brought. */
void read_spans(struct engine *e, struct flow *f, enum who who,
		const struct segment *seg, uint64_t now);
/* What is here of either end, and waited for the other's bytes. */
void read_waiting(struct engine *e, struct flow *f, uint64_t now);
/* Production's stream has a believed hole. */
void read_hole(struct engine *e, struct flow *f, uint64_t now);
/* A request is here whole, up to @seq; it may have been judged without its end.
 */
void read_asked(struct engine *e, struct flow *f, uint32_t seq, uint64_t now);
/* An answer of @who is, up to @seq. */
void read_answered(struct engine *e, struct flow *f, enum who who, uint32_t seq,
		   uint64_t now);
/* Does the SUT's stream have no marks of its own although production's has?
 * What it says cannot be told apart then; its answers end with production's.
 */
bool read_is_broken(const struct flow *f);

/* quiet.c: marks where no framing is known */

/* @who's message ends here. */
void read_quiet_mark(struct engine *e, struct flow *f, enum who who,
		     uint64_t now);
/* A server speaks. */
void read_quiet_answer(struct engine *e, struct flow *f, enum who who,
		       uint64_t now);
/* The client speaks, and has acked production's bytes up to @ack. */
void read_quiet_client(struct engine *e, struct flow *f, uint32_t ack,
		       uint64_t now);
/* DUE_QUIET has come. */
void read_quiet(struct engine *e, struct flow *f, uint64_t now);

/* settle.c: what becomes of open exchanges */

/* Judge @x, if all that it waits for is known. */
void read_judge(struct engine *e, struct flow *f, struct exchange *x);
/* The SUT's stream begins anew, with the answer that is next. */
void read_anew(struct flow *f);
/* The SUT has closed without the answer that was next. */
void read_closed(struct engine *e, struct flow *f);
/* The leg has ended. */
void read_leg_over(struct engine *e, struct flow *f);
/* Nothing more will come: judge and drop every exchange. */
void read_close(struct engine *e, struct flow *f);
/* Begin with a client's message that was sent after it had acked production's
 * bytes up to @ack. Return: production's messages from there on can be kept
 */
bool read_restart(struct engine *e, struct flow *f, uint32_t ack);

/* wait.c: answers that did not come */

/* The wait for an answer of @f is over. */
void wait_end(struct engine *e, struct flow *f, uint64_t now,
	      struct effects *out);
/* How the end of @f's leg left the answer of @x; UNANSWERED_NONE: that is not
 * the SUT's doing.
 */
enum unanswered wait_fate(const struct engine *e, const struct flow *f,
			  const struct exchange *x);
/* May the fate of @x be held against the SUT, however its pairing was found? */
bool wait_is_sure(const struct flow *f, const struct exchange *x);
/* The SUT's answer @x came after the verdict. */
void wait_too_late(struct engine *e, const struct exchange *x, uint64_t now);
/* The run ends: a SUT that owes and did not speak is down. */
void wait_final(struct engine *e, uint64_t now);

/* health.c */

/* SUT @sut has state @to, since @since; @f, @x: what it owes, or NULL. */
void health_set(struct engine *e, uint8_t sut, enum health_state to,
		uint64_t since, const struct flow *f, const struct exchange *x);
void health_probe(struct engine *e, uint8_t sut, bool ready);
/* It sent a payload, or opened a connection. */
void health_heard(struct engine *e, uint8_t sut, bool payload, bool opened);
void health_leg_over(struct engine *e, const struct flow *f);
/* Has the machine found one silent? */
void health_watch(struct engine *e);
/* verdict.c */
void judge(struct engine *e, struct flow *f, struct exchange *x,
	   enum compare_reason why);
void event_flow_end(struct engine *e, const struct flow *f);
void event_tuple(struct engine *e, struct engine_event *ev,
		 const struct flow *f);

/* beside.c; if places are not counted each does nothing */
size_t beside_size(const struct engine_config *cfg);
int beside_init(struct engine *e, struct arena *a);

/** beside_note() - A verdict is given
 * @name, @len:	Its endpoint
 * @a:		What a judge said; NULL: none was asked
 */
void beside_note(struct engine *e, const struct exchange_record *rec,
		 const struct compare_result *r, const char *name, uint8_t len,
		 const struct case_answer *a);

/* given.c; without it each does nothing */
size_t given_size(const struct engine_config *cfg);
int given_init(struct engine *e, struct arena *a);
/* A comparison begins; @asked: what its request has asked, NULL: not known */
void given_begin(struct engine *e, const struct flow *f, struct compare *c,
		 const struct asked *asked);
/* A piece of an answer was compared. */
void given_piece(struct engine *e, const struct flow *f,
		 const struct exchange *x, const struct framer_piece *pc);
/* It is judged: does its request send what the SUT has not? */
bool given_judged(struct engine *e, const struct flow *f,
		  const struct exchange *x);

/* refer.c */
size_t refer_size(const struct engine_config *cfg);
int refer_init(struct engine *e, struct arena *a);
/* A rule that comparing looked up made answers alike: count it. */
void refer_by_rule(struct engine *e, const struct protocol *protocol,
		   const struct compare_result *r);
/* Count a verdict and let its record go, now or when it was judged. @k: bytes
 * of the exchange, given away; NULL: none are kept
 */
void refer_verdict(struct engine *e, const struct flow *f,
		   const struct exchange *x, struct keep *k,
		   struct exchange_record *rec, struct compare_result *r);

/* record.c */

/* Hand a record over; if it is reported, with its text. */
void record_put(struct engine *e, const struct exchange_record *x,
		const struct compare_result *r, const void *request,
		uint8_t request_len);
/* One of now. */
struct engine_event event_of(const struct engine *e, enum event_kind kind);
void event_put(struct engine *e, const struct engine_event *ev);

/* stamp.c */

/* A segment of @f from the mirror; of its SUT, which has been taken. */
void stamp_client(struct engine *e, struct flow *f, const struct segment *seg);
void stamp_production(struct engine *e, struct flow *f,
		      const struct segment *seg);
void stamp_sut(struct engine *e, struct flow *f, const struct segment *seg);
/* Bytes of @who's that belong to @x, with the @first of its answer or not;
 * @quiet: the request may have ended with what is here.
 */
void stamp_bytes(const struct flow *f, struct exchange *x, enum who who,
		 const struct span *sp, bool first, bool quiet);
/* What a client's segment let go at once. */
void stamp_effects(struct effects *out, uint64_t ts);
/* By how much later than production the SUT answered, ns; 0: not known */
int64_t stamp_late(const struct exchange *x);
/* An exchange is judged: measure it. */
void stamp_judged(struct engine *e, const struct flow *f,
		  const struct exchange *x, struct exchange_record *rec);
void stamp_pair(struct engine *e, const struct udp_pair *p,
		struct exchange_record *rec);
/* gate.c: who waits until his network is proved */

/* Networks that are remembered; 0: there is nobody to prove. */
uint32_t gate_nets(const struct engine_config *cfg);
int gate_init(struct engine *e, struct arena *a, uint64_t now);
/* The mirror showed these two, and no flow of theirs will ask. */
void gate_show(struct engine *e, const struct segment *seg);
/* Is its client within --max-rate? One that is not has no flow any more. */
bool gate_rate(struct engine *e, const struct route *r,
	       const struct segment *seg, uint64_t now, struct effects *out);
/* WANT_PROOF of a flow. */
void gate_flow(struct engine *e, struct flow *f, uint64_t now);
/* A datagram to be played, now or when its network is proved. */
void gate_query(struct engine *e, const struct segment *seg,
		const struct udp_tag *tag, const struct udp_to *to,
		uint64_t now, struct effects *out);
/* Let go who waited for a network that is settled. */
void gate_attend(struct engine *e, uint64_t now);

/* engine.c */

/* The TCP port of SUT @sut that is asked for a sign of life. */
uint16_t sut_probe_port(const struct engine *e, uint32_t sut);

/* dgram.c */
enum engine_kind udp_mirror(struct engine *e, const struct route *r,
			    const struct segment *seg, uint64_t now,
			    struct effects *out);
enum engine_kind udp_sut(struct engine *e, uint8_t sut,
			 const struct segment *seg, uint64_t now);
void udp_attend(struct engine *e);
/* The oldest verdict that waits stands. Return: there are more */
bool udp_unheld(struct engine *e);

/* outside.c */

/* Absorb and count a packet of a SUT to the outside (I3). */
void outside_absorb(struct engine *e, const struct segment *seg);
/* The same of a segment or datagram, and refuse it if it asks for something. */
void outside_segment(struct engine *e, uint8_t sut, enum decode_result r,
		     const struct frame_info *in, const struct decoded *d,
		     uint64_t now, struct effects *out);
/* Refuse a datagram of a SUT by its first fragment; it is absorbed when whole.
 */
void outside_fragment(struct engine *e, const struct frame_info *in,
		      const struct decoded *d, uint64_t now,
		      struct effects *out);
/* Is this port of the SUT's one that clients are played to? */
bool outside_serves(const struct engine *e, uint8_t sut, uint16_t port);
/* A client's datagram was played to this port. */
void outside_asked(struct engine *e, const struct engine_map *map, uint8_t sut,
		   uint16_t port, uint64_t now);
/* May a datagram from this port be an answer to one? */
bool outside_answers(const struct engine *e, uint8_t sut, uint16_t port,
		     uint64_t now);

#endif /* ENGINE_ENGINE_INTERNAL_H */
