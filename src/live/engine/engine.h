/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * engine - The way of one frame
 *
 *   frame -> decode -> whose is it? -> stream -> framer -> marks
 *                                        |                  |
 *                                        +--> machine <-----+--> compare
 *                                               |                  |
 *                                            effects            records
 *
 * The only callers are the live loop, rerun, replay, tests and fuzzers. Nothing
 * here reads a clock, allocates or sends: frames and time go in, effects and
 * records come out. The same inputs in the same order give the same outputs,
 * whatever the batches they come in.
 */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/method.h"
#include "compare/compare.h"
#include "compare/kind.h"
#include "core/arena.h"
#include "core/hash.h"
#include "core/histogram.h"
#include "core/limits.h"
#include "decap/decap.h"
#include "dgram/udp.h"
#include "effect/effect.h"
#include "latency/latency.h"
#include "engine/refer.h"
#include "flow/key.h"
#include "lan/prove.h"
#include "lan/sutwire.h"
#include "shadow/options.h"
#include "record/health.h"
#include "record/record.h"
#include "tally/stats.h"
#include "wire/decode.h"

/* Where a frame came from: its wire, before any address in it. */
enum engine_source {
	ENGINE_MIRROR, /* -i or -r */
	ENGINE_SUT,    /* --sut-dev */
};

/* What the engine took a frame for; the journal and --print say so. */
enum engine_kind {
	ENGINE_NONE, /* of no flow: ignored by rule or dropped by reason */
	ENGINE_CLIENT,
	ENGINE_PROD,
	ENGINE_ANSWER, /* the SUT's */
};

/**
 * struct engine_map - One --map
 * @prod, @bits: Production's address or prefix (0 to IPADDR_BITS)
 * @prod_port:	Its port; 0: every port
 * @sut:	The SUT's address
 * @sut_port:	The SUT's port; 0: the same as production's
 * @baseline:	It is a baseline: its verdicts are counted apart
 */
struct engine_map {
	struct ipaddr prod;
	uint8_t bits;
	uint16_t prod_port;
	struct ipaddr sut;
	uint16_t sut_port;
	bool baseline;
};

/** struct engine_net - One --skip */
struct engine_net {
	struct ipaddr net;
	uint8_t bits;
};

#define SKIP_MAX 32

#define SAMPLE_ALL 65536 /* engine_config.sample of 100 % */

/**
 * struct engine_config - All that an engine is made from
 * @limits, @shadow: Bounds, and the machine's options
 * @maps, @map:	Servers; at least 1
 * @compare:	Level of validation
 * @rules:	What is left out of it
 * @by, @keep, @desk: By what answers are judged that are not the same, after
 *		rules_end(): the engine counts hits in it; bytes that are kept
 *		of each; and by whom. NULL: by bytes alone
 * @learn:	Places are counted without a baseline, too
 * @methods:	Of HTTP, that are played, see method_is(); empty: all
 * @sample:	Clients that are played, of SAMPLE_ALL
 * @rate:	Bits a second of clients that are played, see quota.h; 0: any
 * @skips, @skip: Clients that are not played
 * @decap:	What the mirror's frames are wrapped in
 * @open_csum:	Take segments of the mirror whose checksum a host left to its
 *		device, as captures taken on hosts have them; a live ring tells
 *		of each frame
 * @mirror_live: The mirror's frames are stamped as they come, by the clock that
 *		stamps what is sent; of a capture they are not
 * @sut_none:	There is nobody to send to: flows are observed, not played
 * @prove_each:	A client's network is proved before it is played; else only the
 *		wire is
 * @sut_pinned, @sut_mac: The only SUT's hardware address, if it was given
 * @sut_any:	A SUT may move to another hardware address
 * @refuse:	Refuse what a SUT asks of the outside; else it hears nothing
 * @ask_others:	Ask who else has the addresses that a SUT asks for
 * @alsos, @also: Other hosts on the SUT's wire
 * @mac:	Our private hardware address on the SUT's wire
 * @seed:	Of the run
 * @key:	Key of every table
 */
struct engine_config {
	struct limits limits;
	struct shadow_options shadow;
	uint32_t maps;
	struct engine_map map[MAP_MAX];
	enum compare_level compare;
	struct compare_rules rules;
	struct rules *by;
	size_t keep;
	struct engine_desk desk;
	bool learn;
	char methods[METHODS_TEXT];
	uint32_t sample;
	uint64_t rate;
	uint32_t skips;
	struct engine_net skip[SKIP_MAX];
	struct decap decap;
	bool open_csum;
	bool mirror_live;
	bool sut_none;
	bool prove_each;
	bool sut_pinned;
	bool sut_any;
	bool refuse;
	bool ask_others;
	uint8_t sut_mac[ETH_LEN];
	uint32_t alsos;
	struct sutwire_also also[SUTWIRE_ALSO_MAX];
	uint8_t mac[ETH_LEN];
	uint64_t seed;
	struct hash_key key;
};

struct engine;
struct noise;
struct shadow;

/**
 * engine_defaults() - Set what is not said otherwise
 * @cfg:	Limits, options, level and sample are set; all else is
 *		zero
 *
 * Level packet, causal order, flows joined in the middle, late ones ended: the
 * defaults of every command that has an engine.
 */
void engine_defaults(struct engine_config *cfg);

/** engine_size() - Arena bytes that an engine of this configuration takes */
size_t engine_size(const struct engine_config *cfg);

/**
 * engine_init() - Make an engine
 * @out:	Engine, in the arena
 * @a:		Arena with engine_size() bytes left, zero filled
 * @cfg:	Configuration; copied
 * @now:	Time, ns
 *
 * Return: 0, -ENOMEM, or -EINVAL if the configuration contradicts itself
 */
int engine_init(struct engine **out, struct arena *a,
		const struct engine_config *cfg, uint64_t now);

/**
 * engine_frame() - One frame in
 * @e:		Engine
 * @from:	Its wire
 * @in:		Frame, borrowed
 * @now:	Time, ns; never less than at any call before
 * @out:	Effects; their number is set. Whatever does not fit is due at
 *		once
 *
 * Return: what it was taken for
 */
enum engine_kind engine_frame(struct engine *e, enum engine_source from,
			      const struct frame_info *in, uint64_t now,
			      struct effects *out);

/**
 * engine_record() - The next frame has this number in a journal; 0: it is in
 * none
 *
 * Only told on by exchange_record.record.
 */
void engine_record(struct engine *e, uint64_t number);

/** engine_timeout() - Do what is due; call again while engine_next_timeout()
 * is not after @now
 */
void engine_timeout(struct engine *e, uint64_t now, struct effects *out);

/** engine_next_timeout() - When to call engine_timeout(); UINT64_MAX: never */
uint64_t engine_next_timeout(const struct engine *e);

/* What a wire tells beyond its frames; the journal has it. */
enum engine_note {
	ENGINE_SUT_READ,    /* all that the SUTs had sent before now is in */
	ENGINE_STALLED,	    /* this process stood still for @value ns */
	ENGINE_SUT_DROPPED, /* frames of a SUT were lost until now */
	ENGINE_FINAL,	    /* from now on only the SUTs are read */
	ENGINE_ENDED,	    /* the run ends now: engine_stop() follows */
	ENGINE_NOTES
};

/**
 * engine_note() - Tell it
 *
 * No wait for an answer ends before ENGINE_SUT_READ: who reads the SUT's wire
 * says so while engine_waits_due().
 */
void engine_note(struct engine *e, enum engine_note what, uint64_t value,
		 uint64_t now, struct effects *out);

/** engine_waits_due() - Is a wait over, once ENGINE_SUT_READ was told? */
bool engine_waits_due(const struct engine *e);

/**
 * engine_waits_left() - How long the longest wait for an answer runs yet, ns
 * @n:		Answers that are waited for are added
 */
uint64_t engine_waits_left(struct engine *e, uint64_t now, uint32_t *n);

/** engine_sent() - The sink is done with @x: give its payload back. Once for
 * each effect, in any order
 */
void engine_sent(struct engine *e, const struct effect *x);

/** engine_unsent() - The sink could not send @x: counts as lost on the wire.
 * engine_sent() must be called all the same
 */
void engine_unsent(struct engine *e, const struct effect *x);

/**
 * engine_judged() - The oldest case that is out was judged
 *
 * Return: 0, or -EBADMSG: that is no answer to it
 */
int engine_judged(struct engine *e, const struct case_answer *a);

/** engine_desk_gone() - Nobody judges any more; the oldest that is out is not
 * judged.
 * Return: there are more: take the record, and call again
 */
bool engine_desk_gone(struct engine *e);

/**
 * engine_unheld() - The oldest answer that could be taken back stands
 *
 * At the end, when no desk says anything more. Return: there are more
 */
bool engine_unheld(struct engine *e);

/** engine_held() - Answers that can be taken back */
uint32_t engine_held(const struct engine *e);

/** engine_out() - Cases that are out */
uint32_t engine_out(const struct engine *e);

/** engine_open_sut() - Cases that are out or held, but for the baseline's */
uint32_t engine_open_sut(const struct engine *e);

/** engine_has_baseline() - Is there one? */
bool engine_has_baseline(const struct engine_config *cfg);

/** engine_is_baseline() - Is SUT number @sut one, and nothing else? */
bool engine_is_baseline(const struct engine *e, uint32_t sut);

/** engine_by_place() - Are differences counted by all of their places? */
bool engine_by_place(const struct engine_config *cfg);

/** engine_noise() - What they came to; NULL: they are not */
struct noise *engine_noise(const struct engine *e);

/** engine_left() - @x, which is timed, was handed to the wire at @stamp, ns
 * since
 * 1970. Before or after its engine_sent(), before the next frame or timeout
 */
void engine_left(struct engine *e, const struct effect *x, uint64_t stamp);

/** engine_clock() - The wall clock was looked at, as it is once a second
 * @step:	By how much it was set since the last time, ns forward; 0: it
 *		was not
 */
void engine_clock(struct engine *e, int64_t step, uint64_t now);

/** engine_latencies() - What was measured so far */
void engine_latencies(const struct engine *e, struct latencies *out);

/**
 * engine_stop() - End every flow with FLOW_END_STOPPED, a step a call
 *
 * Return: true while there is more to do
 */
bool engine_stop(struct engine *e, uint64_t now, struct effects *out);

/**
 * engine_take() - Take the oldest record out of the ring
 * @out:	Borrowed until the next call of this function
 *
 * Call it until it returns false, after each call of the engine that may give
 * verdicts: for what finds no room meanwhile see RECORDS_ROOM.
 *
 * Return: false if there is none
 */
bool engine_take(struct engine *e, struct engine_item *out);

/** engine_stats() - Counters as they are now */
const struct engine_stats *engine_stats(const struct engine *e);

/** engine_shadow() - The machine, for its counters and histograms */
const struct shadow *engine_shadow(const struct engine *e);

/** engine_udp() - The machine of datagrams, for its counters */
const struct udp_counters *engine_udp(const struct engine *e);

/** engine_sut() - Index of the SUT with address @ip, or -1 */
int engine_sut(const struct engine *e, const struct ipaddr *ip);

/** engine_is_prod() - Is this endpoint one of production that @m names? */
bool engine_is_prod(const struct engine_map *m, const struct ipaddr *ip,
		    uint16_t port);

/* What a connection's legs still have to do with what the engine was given of
 * it; the largest of all legs counts.
 */
enum engine_owed {
	ENGINE_OVER,  /* no leg is left: none is known, or they have ended */
	ENGINE_EVEN,  /* all of the client's bytes have gone out */
	ENGINE_AHEAD, /* the same, but production's answer is far ahead of the
		       * SUT's */
	ENGINE_BUSY,  /* client bytes wait for the SUT, or it for its opening */
};

/**
 * engine_owed() - How far the SUT is with a connection
 * @key:	Its addresses; @map is not looked at
 * @ahead:	Bytes by which production's answer may be ahead
 * @answers:	Also wait for the SUT's answers to all whole requests
 */
enum engine_owed engine_owed(struct engine *e, const struct flow_key *key,
			     uint32_t ahead, bool answers);

/** engine_check() - For tests: assert what holds between two calls */
void engine_check(struct engine *e);

/** engine_prove() - Which networks are proved; NULL with sut_none */
struct prove *engine_prove(const struct engine *e);

/** engine_wire() - State of the SUT's wire; NULL with sut_none */
const struct sutwire *engine_wire(const struct engine *e);

/**
 * struct engine_occupancy - What is in use now
 * @datagrams:	Exchanges of datagrams, with those that ended and are remembered
 * @datagrams_open: Those that wait for an answer
 */
struct engine_occupancy {
	size_t pool_used;
	size_t pool_peak;
	size_t pool_total;
	uint32_t flows;
	uint32_t flows_peak;
	uint32_t timers;
	uint32_t frags;
	uint32_t datagrams;
	uint32_t datagrams_open;
};

/** engine_occupancy() - Read it */
void engine_occupancy(const struct engine *e, uint64_t now,
		      struct engine_occupancy *out);

#endif /* ENGINE_ENGINE_H */
