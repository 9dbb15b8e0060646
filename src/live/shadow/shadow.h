/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shadow - The machine: plays a client's connection to the SUT
 *
 * Packet in, time in, effects out. The caller (the engine) finds the flow,
 * hands the segment in, takes the in-order bytes that it brought (spans), tells
 * where messages end (marks), and then lets the machine decide (shadow_push()):
 *
 *   shadow_syn(), shadow_client(), shadow_production(), shadow_sut()
 *        state only: event bits, acks, windows
 *   shadow_span()        each in-order byte once
 *   shadow_mark()        a message ends here
 *   shadow_push()        all that may now be sent
 *   shadow_attention()   what the machine wants its caller to look at
 *
 * Marks come between a segment and its consequences, so that no decision is
 * made in ignorance of a mark that the very same segment brings. The machine
 * knows marks, not protocols, and does not compare.
 */
#ifndef SHADOW_SHADOW_H
#define SHADOW_SHADOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/hash.h"
#include "core/limits.h"
#include "core/who.h"
#include "effect/effect.h"
#include "flow/flow.h"
#include "shadow/counters.h"
#include "shadow/options.h"
#include "wire/segment.h"

struct shadow;

/** shadow_size() - Arena bytes of a machine within these limits */
size_t shadow_size(const struct limits *lim);

/** shadow_init() - Make one. Return: 0 or -ENOMEM */
int shadow_init(struct shadow **out, struct arena *a, const struct limits *lim,
		const struct shadow_options *opt, const struct hash_key *key,
		uint64_t now);

/** shadow_add_sut() - Tell the address of SUT number @sut, 0 to MAP_MAX - 1 */
void shadow_add_sut(struct shadow *s, uint8_t sut, const struct ipaddr *ip);

/** shadow_set_ready() - May SUT @sut be played to? Its wire is proved (I40) */
void shadow_set_ready(struct shadow *s, uint8_t sut, bool ready);

/**
 * shadow_gate() - The answer to WANT_PROOF: may the leg of @f start?
 * @wait:	With GATE_WAIT: who else waits for it; the flow joins them, by
 *		its link @more. Else NULL: if it waited it is due at once
 */
void shadow_gate(struct shadow *s, struct flow *f, enum flow_gate gate,
		 struct list *wait);

/**
 * shadow_route_lost() - A network turned out to be answered elsewhere: counted
 */
void shadow_route_lost(struct shadow *s);

/** shadow_is_silent() - Has SUT @sut been silent for too long? */
bool shadow_is_silent(const struct shadow *s, uint8_t sut);

/** shadow_silent_since() - If so: since when has it owed what did not come? */
uint64_t shadow_silent_since(const struct shadow *s, uint8_t sut);

/** shadow_two_sided() - The mirror shows production, too */
void shadow_two_sided(struct shadow *s);

/** shadow_heard() - A frame came from SUT @sut: it is alive */
void shadow_heard(struct shadow *s, uint8_t sut);

/** shadow_pool() - The pool of all payload */
struct pool *shadow_pool(struct shadow *s);

/**
 * shadow_find() - The newest incarnation on the mirror
 *
 * Return: the flow; NULL: none, or only such as have been superseded
 */
struct flow *shadow_find(struct shadow *s, const struct flow_key *key);

/**
 * shadow_find_acked() - The incarnation on the mirror that a segment of
 * production is of: the one whose client's numbers are next to what it acks
 *
 * Where the mirror shows production later than the client, the client may have
 * begun anew meanwhile. Return: the flow, or NULL as shadow_find()
 */
struct flow *shadow_find_acked(struct shadow *s, const struct flow_key *key,
			       const struct segment *seg);

/**
 * struct shadow_leg - Whom a new flow is played to
 * @sut, @sport: SUT and its port
 * @play:	false: only watch it (FLOW_END_OBSERVED)
 */
struct shadow_leg {
	uint8_t sut;
	uint16_t sport;
	bool play;
};

/**
 * shadow_syn() - A client's SYN (without ACK)
 *
 * A new incarnation, or a repetition of the one that is known. A new one on a
 * tuple whose older one is still alive at the SUT waits for it (I23).
 *
 * Return: the flow; NULL: there is no room, counted
 */
struct flow *shadow_syn(struct shadow *s, const struct flow_key *key,
			const struct shadow_leg *leg, const struct segment *seg,
			uint64_t now, struct effects *out);

/**
 * shadow_is_newer() - Is a client's segment with data behind the end of @f, or
 * acks what production cannot have sent there?
 *
 * Then it belongs to a newer incarnation, whose SYN the mirror has not shown
 * yet.
 */
bool shadow_is_newer(const struct flow *f, const struct segment *seg);

/**
 * shadow_pickup() - A flow that is picked up mid-stream, at the start of a
 * message
 * @seg:	The client's segment that begins a message
 *
 * The handshake is made up: the first byte of @seg follows our SYN. The caller
 * goes on as for any segment.
 *
 * Return: the flow, or NULL if there is no room
 */
struct flow *shadow_pickup(struct shadow *s, const struct flow_key *key,
			   const struct shadow_leg *leg,
			   const struct segment *seg, uint64_t now,
			   struct effects *out);

/**
 * shadow_restart() - Resume a flow after a gap, at the start of a message
 * @seq:	First byte of the message
 * @ack:	Production's bytes that the client had acked then
 * @keep:	Production's stream and its marks from @ack on are good
 *
 * Exchanges must have been dropped (@keep: those that end up to @ack). As a new
 * incarnation with a made-up handshake, on the same tuple; a flow that was
 * shed, and for which there is no room, stays without a leg.
 */
void shadow_restart(struct shadow *s, struct flow *f, uint32_t seq,
		    uint32_t ack, bool keep, uint64_t now);

/** shadow_client(), shadow_production() - A segment of @f from the mirror;
 * header only, see above
 *
 * Return: (client's) production takes it; else it acks what production cannot
 * have sent, is counted, and nothing of it counts (RFC 5961 section 5.2)
 */
bool shadow_client(struct shadow *s, struct flow *f, const struct segment *seg,
		   uint64_t now);
void shadow_production(struct shadow *s, struct flow *f,
		       const struct segment *seg, uint64_t now);

/**
 * shadow_sut() - A segment from SUT @sut's wire
 *
 * Return: its flow, which the caller goes on with; NULL: it belongs to none, or
 * is outside its window (and is absorbed; the answer is what RFC 9293 wants,
 * I39)
 */
struct flow *shadow_sut(struct shadow *s, uint8_t sut,
			const struct segment *seg, uint64_t now,
			struct effects *out);

/**
 * shadow_owns() - Is there a flow that goes on and has this SUT segment's ends?
 */
bool shadow_owns(const struct shadow *s, uint8_t sut,
		 const struct segment *seg);

/**
 * shadow_may_refuse() - May SUT @sut get one more answer that no flow asks for?
 *
 * If so it is counted as given: see shadow_options.strays.
 */
bool shadow_may_refuse(struct shadow *s, uint8_t sut, uint64_t now);

/**
 * struct span - In-order bytes that a segment brought
 * @data, @len, @seq: The bytes; valid until the next call
 * @ack:	Acknowledgment number that came with them
 * @now:	When they were captured
 * @ts:		Their segment's own stamp
 * @frame, @step: Private
 */
struct span {
	const uint8_t *data;
	uint32_t len;
	uint32_t seq;
	uint32_t ack;
	uint64_t now;
	uint64_t ts;
	struct buf *frame;
	int step;
};

/**
 * shadow_span() - The next in-order bytes of @who's stream
 * @seg:	Segment just handed in; NULL: only what is early
 * @sp:		Zero before the first call; call until it returns false
 */
bool shadow_span(struct shadow *s, struct flow *f, enum who who,
		 const struct segment *seg, uint64_t now, struct span *sp);

/**
 * shadow_mark() - A message of @who ends before sequence number @seq
 *
 * Return: the exchange that it belongs to; NULL if the pool is full: the leg
 * then ends
 */
struct exchange *shadow_mark(struct shadow *s, struct flow *f, enum who who,
			     uint32_t seq, uint64_t now);

/**
 * shadow_unmark() - Take back @who's last mark, if its exchange is open still
 */
void shadow_unmark(struct shadow *s, struct flow *f, enum who who);

/** shadow_no_room() - The pool is full: the leg of @f ends */
void shadow_no_room(struct flow *f);

/** shadow_prod_lost() - The place in production's messages is lost */
void shadow_prod_lost(struct flow *f);

/** shadow_prod_left() - The same, as production says what is no message any
 * more: its FIN is then its end, wherever it lies
 */
void shadow_prod_left(struct flow *f);

/** shadow_prod_found() - It is known again */
void shadow_prod_found(struct flow *f);

/** shadow_closes() - Does the SUT's last answer end its connection? */
void shadow_closes(struct flow *f, bool closes);

/** shadow_left_seen() - What shadow_left() told of @f has been used up */
void shadow_left_seen(struct flow *f);

/**
 * shadow_leave_out() - A message of the client is not to be played
 * @x:		Its exchange, which has been opened
 * @seq:	Where it begins, in the bytes that were handed out last
 *
 * Nothing of it is sent, nor of what follows it before shadow_take_up(), which
 * may take it back itself as long as it is not here whole. It is to be judged
 * as soon as production has answered it.
 */
void shadow_leave_out(struct shadow *s, struct flow *f, struct exchange *x,
		      uint32_t seq);

/** shadow_is_shed() - Is a request that begins now left out? */
bool shadow_is_shed(const struct flow *f);

/**
 * shadow_take_up() - Play a flow again that was shed, or that left out what was
 * not to be played
 * @head, @n:	Bytes of a message, whose exchange has been opened; none: it
 *		begins at @seq
 * @sp:		Bytes of the client that were handed out last
 * @seq:	Where in them it goes on
 *
 * Return: true if there is room; the message and what follows it is
 * played, on a connection that begins with it, or as one that was only held
 */
bool shadow_take_up(struct shadow *s, struct flow *f, const char *head,
		    uint32_t n, const struct span *sp, uint32_t seq,
		    uint64_t now);

/**
 * shadow_cut() - The SUT has closed without the answer that was next (WANT_CUT)
 *
 * The exchange, which must have been judged, is done with; the next one has its
 * turn.
 */
void shadow_cut(struct shadow *s, struct flow *f);

/** shadow_push() - Do all that may be done for @f now */
void shadow_push(struct shadow *s, struct flow *f, uint64_t now,
		 struct effects *out);

/** shadow_retire() - Free exchanges that are judged and passed */
void shadow_retire(struct shadow *s, struct flow *f);

/** shadow_waits_for_production() - Do @f's bytes towards the SUT wait for bytes
 * of production that have not been captured yet?
 */
bool shadow_waits_for_production(const struct flow *f);

/** shadow_arm_quiet() - Raise WANT_QUIET at @when, unless that moves */
void shadow_arm_quiet(struct shadow *s, struct flow *f, uint64_t when);

/** shadow_end() - End the SUT's leg of @f with a RST, if it has one */
void shadow_end(struct shadow *s, struct flow *f, enum flow_end why,
		uint64_t now, struct effects *out);

/**
 * shadow_hold_prod() - Keep production's bytes until its place is known again
 *
 * Return: false if there is no room for them
 */
bool shadow_hold_prod(struct shadow *s, struct flow *f,
		      const struct segment *seg, uint64_t now);

/** shadow_lost() - No message begins in what @f holds early: drop it */
void shadow_lost(struct shadow *s, struct flow *f);

/** shadow_resumes() - Would @f go on with the client's next message, or be read
 * from there on?
 */
bool shadow_resumes(const struct shadow *s, const struct flow *f);

/**
 * shadow_syn_hold() - Keep the data of a client's SYN until it is known how
 * much of it production takes
 *
 * Data that was not captured whole, or has no room, is not kept: if production
 * takes it, it is missing as any other.
 */
void shadow_syn_hold(struct shadow *s, struct flow *f,
		     const struct segment *seg, uint64_t now);

/**
 * shadow_syn_take() - Production took the client's bytes up to @at, or the
 * client goes on there
 *
 * Return: true if it is known now what of a SYN's data is the stream's; it is
 * early data from now on, to be read
 */
bool shadow_syn_take(struct shadow *s, struct flow *f, uint32_t at);

/** shadow_syn_end() - Where the client's SYN ends, with the data in it that was
 * not settled yet
 */
uint32_t shadow_syn_end(const struct flow *f);

/** shadow_free() - Give @f back; its exchanges must have been dropped */
void shadow_free(struct shadow *s, struct flow *f);

/** shadow_attention() - The next flow that wants something (WANT_ bits in
 * @bits, cleared in the flow), or NULL
 */
struct flow *shadow_attention(struct shadow *s, uint16_t *bits);

/** shadow_timeout() - Do what is due. Afterwards look at shadow_attention() */
void shadow_timeout(struct shadow *s, uint64_t now, struct effects *out);

/** shadow_next_timeout() - When to call it; UINT64_MAX: never */
uint64_t shadow_next_timeout(const struct shadow *s);

/** shadow_answering() - Bytes of the answer of the SUT have come: see wait.c */
void shadow_answering(struct shadow *s, struct flow *f, uint64_t now);

/** shadow_waits_due() - Is a wait over, once shadow_sut_read() was called? */
bool shadow_waits_due(const struct shadow *s);

/**
 * shadow_sut_read() - All that the SUTs had sent before @now has been handed in
 */
void shadow_sut_read(struct shadow *s, uint64_t now);

/**
 * struct shadow_wait - A wait that is over
 * @since:	When it began anew last, ns, or a millisecond earlier
 * @flowing:	Bytes of the answer still came
 */
struct shadow_wait {
	uint64_t since;
	bool flowing;
};

/**
 * shadow_wait_over() - End the wait of @f (WANT_WAIT)
 *
 * Return: the exchange to judge; NULL: it was answered meanwhile
 */
struct exchange *shadow_wait_over(struct shadow *s, struct flow *f,
				  uint64_t now, struct shadow_wait *out);

/** shadow_waited() - Its exchange has been judged: a leg in vain ends */
void shadow_waited(struct shadow *s, struct flow *f, uint64_t now,
		   struct effects *out);

/**
 * shadow_waits() - Is an answer waited for?
 * @since, @more: Set if so: since when, and how long yet, ns
 */
bool shadow_waits(const struct shadow *s, const struct flow *f, uint64_t now,
		  uint64_t *since, uint64_t *more);

/** shadow_next_flow() - Flows in use, from place *@at on; NULL: no more */
struct flow *shadow_next_flow(struct shadow *s, uint32_t *at);

/**
 * shadow_stalled() - This process stood still for @ns: nobody was waited for
 */
void shadow_stalled(struct shadow *s, uint64_t ns);

/** shadow_unsent() - The sink could not send @e: as if lost on the wire */
void shadow_unsent(struct shadow *s, const struct effect *e, uint64_t now);

/** shadow_left() - Effect @e, which is timed, left at @stamp, ns since 1970 */
void shadow_left(struct shadow *s, const struct effect *e, uint64_t stamp);

/** shadow_any() - Some flow that is still there, oldest first, or NULL */
struct flow *shadow_any(struct shadow *s);

/** shadow_skip_prod() - Give up production's bytes before @to; what of them was
 * never seen is counted
 */
void shadow_skip_prod(struct shadow *s, struct flow *f, uint32_t to);

/** shadow_check() - For tests: assert what holds of every flow between two
 * calls, the first of them at @now
 */
void shadow_check(struct shadow *s, uint64_t now);

#endif /* SHADOW_SHADOW_H */
