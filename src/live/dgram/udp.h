/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * udp - Play clients' datagrams to a SUT and pair the answers
 *
 * An exchange is one query of a client and the answers of production and of one
 * SUT to it. With several SUTs every one has its own exchange. The caller reads
 * the protocol and says in a tag how answers find their query; this machine
 * knows addresses and tags only.
 *
 * After each call, take the finished exchanges with udp_pop() until there is
 * none.
 */
#ifndef DGRAM_UDP_H
#define DGRAM_UDP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/counters.h"
#include "core/buf.h"
#include "core/hash.h"
#include "core/ipaddr.h"
#include "core/limits.h"
#include "core/list.h"
#include "core/who.h"
#include "effect/effect.h"
#include "wire/segment.h"

/* How long production's answer is waited for (the SUT's: wait.h, from then on),
 * and how long an answer is then known as late.
 */
#define UDP_TIMEOUT (10 * NS_PER_SEC)
/* Exchanges remembered with one key; full: the oldest of them goes, counted. */
#define UDP_SAME_KEY 16
/* Datagrams behind a server's first answer that wait for the same one of the
 * other server; full: the oldest of them was sent by one alone, counted.
 */
#define UDP_AHEAD 16
/* Finished exchanges kept for udp_pop(); full: the exchange is not compared,
 * counted. No call of this machine finishes more than this.
 */
#define UDP_PAIRS 64

/*
 * Counters, as reports print them. These sums are closed:
 *   queries = exchanges + repeats + query_cut + query_pool_full
 *   exchanges = answered + no_production + no_sut + no_answer + evicted +
 *               same_key + run_ended + those that are open
 *   answers (of either side) = paired + repeated + late + stray
 *   datagram_stream = 2 stream_same + stream_prod + stream_sut + those of
 *               exchanges that are remembered
 */
#define UDP_COUNTERS(X, T)                                                     \
	X(T, queries, "udp_queries", "", "datagrams of clients")               \
	X(T, exchanges, "udp_exchanges", "", "queries that began an exchange") \
	X(T, repeats, "udp_repeats", "",                                       \
	  "queries that repeat one with no answer yet")                        \
	X(T, query_cut, "udp_query_cut", "",                                   \
	  "queries not captured whole: not played")                            \
	X(T, query_pool_full, "udp_query_pool_full", "",                       \
	  "queries not played: the pool was full")                             \
	X(T, forwarded, "udp_forwarded", "", "effects written")                \
	X(T, repeat_held, "udp_repeat_held", "",                               \
	  "repeats not forwarded: one of their exchange waits for room")       \
	X(T, unsent, "udp_unsent", "", "effects that a sink gave back")        \
	X(T, answered, "udp_answered", "",                                     \
	  "exchanges that ended with both answers")                            \
	X(T, no_production, "udp_no_production", "",                           \
	  "exchanges that timed out: only the SUT answered")                   \
	X(T, no_sut, "udp_no_sut", "",                                         \
	  "exchanges that timed out: only production answered")                \
	X(T, no_answer, "udp_no_answer", "",                                   \
	  "exchanges that timed out: neither answered")                        \
	X(T, evicted, "udp_evicted", "",                                       \
	  "exchanges ended because the table was full")                        \
	X(T, same_key, "udp_same_key", "",                                     \
	  "exchanges ended: too many with one key")                            \
	X(T, run_ended, "udp_run_ended", "",                                   \
	  "exchanges that the end of the run ended")                           \
	X(T, pairs_lost, "udp_pairs_lost", "",                                 \
	  "exchanges ended that nobody took in time")                          \
	X(T, forgotten, "udp_forgotten", "",                                   \
	  "ended exchanges forgotten early, for room")                         \
	X(T, prod_answers, "udp_prod_answers", "", "datagrams of production")  \
	X(T, prod_paired, "udp_prod_paired", "",                               \
	  "of these, the answer to a query")                                   \
	X(T, prod_repeated, "udp_prod_repeated", "",                           \
	  "of these, beyond the first answer")                                 \
	X(T, prod_late, "udp_prod_late", "",                                   \
	  "of these, after the end of its exchange")                           \
	X(T, prod_stray, "udp_prod_stray", "",                                 \
	  "of production: no query is known")                                  \
	X(T, sut_answers, "udp_sut_answers", "", "datagrams of a SUT")         \
	X(T, sut_paired, "udp_sut_paired", "",                                 \
	  "of these, the answer to a query")                                   \
	X(T, sut_repeated, "udp_sut_repeated", "",                             \
	  "of these, beyond the first answer")                                 \
	X(T, sut_late, "udp_sut_late", "",                                     \
	  "of these, after the end of its exchange")                           \
	X(T, sut_stray, "udp_sut_stray", "", "of a SUT: no query is known")    \
	X(T, datagram_stream, "datagram_stream", "",                           \
	  "answers beyond one a query")                                        \
	X(T, stream_same, "datagram_stream_same", "",                          \
	  "pairs of these that are the same")                                  \
	X(T, stream_prod, "datagram_stream_production", "",                    \
	  "of these, which only production sent")                              \
	X(T, stream_sut, "datagram_stream_sut", "",                            \
	  "of these, which only the SUT sent")                                 \
	X(T, question_differs, "udp_question_differs", "",                     \
	  "answers paired by the id only")                                     \
	X(T, answer_cut, "udp_answer_cut", "",                                 \
	  "answers not captured whole: not compared")                          \
	X(T, answer_pool_full, "udp_answer_pool_full", "",                     \
	  "answers not compared: the pool was full")

/** struct udp_counters - What happened so far */
struct udp_counters {
	UDP_COUNTERS(COUNTER_MEMBER_AS, )
};

/** udp_counter_list - Their names and what they are */
extern const struct counter_list udp_counter_list;

/**
 * struct udp_tag - How an answer finds its query
 * @ordered:	Nothing in the bytes tells: the first answer belongs to the
 *		first query that has none. @id and @question are then 0
 * @id:		Number that the answer repeats (DNS: the message's ID)
 * @question:	Hash of what else it repeats (DNS: the question section)
 * @record:	Of a query: a number that its pair has, too
 * @conn:	Of a query: a number that is its alone, and that of its other
 *		SUTs'
 */
struct udp_tag {
	bool ordered;
	uint16_t id;
	uint32_t question;
	uint32_t record;
	uint64_t conn;
};

/** struct udp_to - The SUT that a query is played to */
struct udp_to {
	struct ipaddr addr;
	uint16_t port;
	uint8_t sut;   /* its index, goes into the effect */
	bool withheld; /* it is down: the query is only waited for */
};

/* How an exchange ended. */
enum udp_end {
	UDP_ANSWERED,	   /* both answers are there */
	UDP_NO_PRODUCTION, /* only the SUT's came in time */
	UDP_NO_SUT,	   /* only production's did */
	UDP_NO_ANSWER,	   /* neither did */
	UDP_EVICTED,	   /* made room for another */
	UDP_RUN_ENDED,
};

/**
 * struct udp_pair - A finished exchange
 * @end:	How it ended
 * @sut:	Index of the SUT
 * @client, @prod, @cport, @pport: Addresses of the query
 * @sport:	Port of the SUT that it was played to
 * @tag:	Of the query
 * @repeats:	How often the client repeated it
 * @has:	@who answered; [WHO_CLIENT] is true
 * @cut:	@who's datagram came and was not captured whole: it is not in
 *		@frame
 * @frame:	Payload of each; NULL: none or not kept. Interest BUF_CMP is
 *		the caller's to clear (udp_pair_free())
 * @opened:	When the query came, ns
 * @ts:		Stamps of the query and of the answers, ns since 1970; 0: none
 * @left:	Stamp of the flush that handed the query to the SUT's wire; 0:
 *		none
 * @record:	As in its tag
 * @sent:	When it was written as an effect last, or was opened, ns
 * @withheld:	It was not played: the SUT was down
 */
struct udp_pair {
	enum udp_end end;
	uint8_t sut;
	uint16_t cport;
	uint16_t pport;
	uint16_t sport;
	struct ipaddr client;
	struct ipaddr prod;
	struct udp_tag tag;
	uint32_t repeats;
	bool has[WHO_COUNT];
	bool cut[WHO_COUNT];
	struct buf *frame[WHO_COUNT];
	uint64_t opened;
	uint64_t ts[WHO_COUNT];
	uint64_t left;
	uint32_t record;
	uint64_t sent;
	bool withheld;
};

struct udp_shadow;

/** udp_size() - Arena bytes for @n exchanges, 1 to 2^24 */
size_t udp_size(uint32_t n);

/**
 * udp_init() - Make a machine
 * @out:	Machine, in the arena
 * @a:		Arena with udp_size(@n) bytes left
 * @pool:	Pool of the payloads
 * @n:		Exchanges it can remember; full: an ended one is forgotten, else
 *		the oldest is ended (UDP_EVICTED), both counted
 * @key:	Key of its maps
 * @keep:	Keep payloads for udp_pair (something is compared)
 * @wait:	The shortest wait for an answer that production has given, ns;
 *		0: UDP_TIMEOUT from the query on
 * @now:	Time, ns
 *
 * Return: 0, or -ENOMEM if the arena is too small (@out untouched)
 */
int udp_init(struct udp_shadow **out, struct arena *a, struct pool *pool,
	     uint32_t n, const struct hash_key *key, bool keep, uint64_t wait,
	     uint64_t now);

/**
 * udp_hold() - udp_query() of a datagram that must wait
 * @held:	It is not sent, but put into this list of its kind
 */
void udp_hold(struct udp_shadow *u, const struct segment *seg,
	      const struct udp_tag *tag, const struct udp_to *to, uint64_t now,
	      struct list *held);

/**
 * udp_release() - What has waited in @held is due, or (not @send) over
 *
 * Return: true if not all of it fits among the finished exchanges: take these,
 * and call again
 */
bool udp_release(struct udp_shadow *u, struct list *held, bool send,
		 uint64_t now);

/**
 * udp_query() - A client's datagram to production
 * @u:		Machine
 * @seg:	Datagram; its payload is copied
 * @tag:	How its answer will be known
 * @to:		SUT that it is played to
 * @now:	Time, ns, never goes back
 * @out:	One effect is added. If there is no room it is due at once by
 *		udp_timeout()
 */
void udp_query(struct udp_shadow *u, const struct segment *seg,
	       const struct udp_tag *tag, const struct udp_to *to, uint64_t now,
	       struct effects *out);

/**
 * udp_answer() - A datagram towards a client
 * @u:		Machine
 * @who:	WHO_PROD: from the mirror; WHO_SUT: from the SUT's wire
 * @sut:	Index of the SUT whose exchange is meant: with several, an
 *		answer of production is passed in once for each
 * @seg:	Datagram from production's or the SUT's address and port
 * @tag:	As it is in the answer
 * @now:	Time, ns
 */
void udp_answer(struct udp_shadow *u, enum who who, uint8_t sut,
		const struct segment *seg, const struct udp_tag *tag,
		uint64_t now);

/** udp_timeout() - End and forget what is due; send what found no room */
void udp_timeout(struct udp_shadow *u, uint64_t now, struct effects *out);

/** udp_next_timeout() - When udp_timeout() is due; UINT64_MAX: never */
uint64_t udp_next_timeout(const struct udp_shadow *u);

/** udp_waits_due() - Has a wait for a SUT ended, but for udp_sut_read()? */
bool udp_waits_due(const struct udp_shadow *u);

/**
 * udp_sut_read() - All that the SUTs had sent before @now has been handed in
 */
void udp_sut_read(struct udp_shadow *u, uint64_t now);

/** udp_stalled() - This process stood still for @ns: nobody was waited for */
void udp_stalled(struct udp_shadow *u, uint64_t ns);

/** udp_waits_left() - The longest wait for a SUT that runs, ns; their number is
 * added to @n
 */
uint64_t udp_waits_left(const struct udp_shadow *u, uint64_t now, uint32_t *n);

/** udp_unsent() - A sink could not take effect @e of this machine: counted */
void udp_unsent(struct udp_shadow *u, const struct effect *e);

/** udp_left() - Effect @e of this machine left at @stamp, ns since 1970 */
void udp_left(struct udp_shadow *u, const struct effect *e, uint64_t stamp);

/**
 * udp_pop() - Take the oldest finished exchange
 *
 * Return: true, with @pair filled in; false: there is none, @pair untouched
 */
bool udp_pop(struct udp_shadow *u, struct udp_pair *pair);

/** udp_pair_free() - Give a taken exchange's frames back */
void udp_pair_free(struct udp_shadow *u, struct udp_pair *pair);

/**
 * udp_flush() - End and forget exchanges as the run ends
 *
 * Return: true if some are left: call udp_pop() until there is none, then this
 * again
 */
bool udp_flush(struct udp_shadow *u);

/** udp_used() - Exchanges in the table, open and ended */
uint32_t udp_used(const struct udp_shadow *u);

/** udp_open() - Exchanges that wait for an answer */
uint32_t udp_open(const struct udp_shadow *u);

/** udp_counters() - What happened so far */
const struct udp_counters *udp_counters(const struct udp_shadow *u);

/** udp_check() - For tests: assert what holds between two calls, the first of
 * them at @now
 */
void udp_check(struct udp_shadow *u, uint64_t now);

#endif /* DGRAM_UDP_H */
