/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sutwire - The guard of one wire to systems under test, as a pure machine
 *
 * Finds the SUTs' hardware addresses, answers their questions for everybody
 * else's, proves that the wire answers, and stops the run when a stranger is on
 * it. The theory is in sutwire.c.
 */
#ifndef LAN_SUTWIRE_H
#define LAN_SUTWIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/counters.h"
#include "core/ipaddr.h"
#include "core/limits.h"
#include "effect/effect.h"
#include "lan/wire_rules.h"
#include "wire/build.h"
#include "wire/decode.h"

#define SUTWIRE_ASK_EVERY   (200 * NS_PER_MS) /* ARP, NS until answered */
#define SUTWIRE_PROBE_EVERY (60 * NS_PER_SEC) /* of a wire that answers */
#define SUTWIRE_MOVE_EVERY  (2 * NS_PER_SEC)  /* the same, if a SUT may move */
#define SUTWIRE_PROBE_WAIT  NS_PER_SEC	      /* for an answer to a SYN */
#define SUTWIRE_PROBE_TRIES 4		      /* the first and 3 more */
#define SUTWIRE_NEVER	    UINT64_MAX
#define SUTWIRE_UNKNOWN_MAX 16 /* hardware addresses that may yet be a SUT's */

/**
 * struct sutwire_sut - A SUT on this wire
 * @ip, @port:	Where clients are played to; several SUTs may share an @ip
 * @index:	What effects call it
 * @pinned:	The user gave its hardware address, @mac; no other is taken
 */
struct sutwire_sut {
	struct ipaddr ip;
	uint16_t port;
	uint8_t index;
	bool pinned;
	uint8_t mac[ETH_LEN];
};

#define SUTWIRE_ALSO_MAX 16

/**
 * struct sutwire_also - A host that may be on the wire beside the SUTs
 * @mac:	Its hardware address; the same may be listed with several @ip
 * @ip:		What it may speak from, and be spoken to
 */
struct sutwire_also {
	uint8_t mac[ETH_LEN];
	struct ipaddr ip;
};

/**
 * struct sutwire_cfg - How a wire is set up
 * @sut, @suts:	SUTs on it, 1 to MAP_MAX
 * @also, @alsos: Other hosts on it, 0 to SUTWIRE_ALSO_MAX; none of them a SUT
 * @any:	A SUT may move to another hardware address
 * @ask:	Ask who else has the addresses that SUTs ask for
 * @mac:	Our private hardware address on it
 * @seed:	Of the run; chooses the probe's addresses and numbers
 */
struct sutwire_cfg {
	const struct sutwire_sut *sut;
	uint32_t suts;
	const struct sutwire_also *also;
	uint32_t alsos;
	bool any;
	bool ask;
	uint8_t mac[ETH_LEN];
	uint64_t seed;
};

/* Where a SUT stands. */
#define SUTWIRE_STATES(X)                                                      \
	X(SUTWIRE_ASKING, "hardware address not known yet")                    \
	X(SUTWIRE_PROBING, "probe not answered yet")                           \
	X(SUTWIRE_READY, "ready")                                              \
	X(SUTWIRE_NO_ANSWER, "probe not answered")

enum sutwire_state {
#define X(id, text) id,
	SUTWIRE_STATES(X)
#undef X
};

/** sutwire_state_text() - A state, in words */
const char *sutwire_state_text(enum sutwire_state s);

/* Why everything stopped; for good, since the wire is not ours alone. */
#define SUTWIRE_STOPS(X)                                                       \
	X(SUTWIRE_GOING, "not stopped")                                        \
	X(SUTWIRE_STRANGER,                                                    \
	  "a frame from a hardware address that is no SUT's")                  \
	X(SUTWIRE_ROUTES, "a SUT's packet to a hardware address that is "      \
			  "neither ours nor a SUT's")                          \
	X(SUTWIRE_ALSO_SPOKE,                                                  \
	  "a host of --wire-also that speaks from another address")            \
	X(SUTWIRE_ALSO_ROUTES, "a SUT's packet for another address to a "      \
			       "host of --wire-also")                          \
	X(SUTWIRE_ALSO_CLIENT, "a client in the network of a host of "         \
			       "--wire-also")                                  \
	X(SUTWIRE_MOVED, "a SUT's address at another hardware address")        \
	X(SUTWIRE_FORGED, "a message whose hardware address is not its "       \
			  "frame's")

enum sutwire_stop_reason {
#define X(id, text) id,
	SUTWIRE_STOPS(X)
#undef X
};

/** sutwire_stop_text() - A reason, in words */
const char *sutwire_stop_text(enum sutwire_stop_reason r);

/**
 * struct sutwire_stop - What stopped the run
 * @reason:	SUTWIRE_GOING: nothing did
 * @kind:	What the stranger's frame was
 * @mac:	Hardware address that was seen; that a SUT sent to
 * @ip:		Address that the frame was from, or spoke for; that a SUT sent
 *		to; the client's; zero: it had none
 */
struct sutwire_stop {
	enum sutwire_stop_reason reason;
	enum wire_kind kind;
	uint8_t mac[ETH_LEN];
	struct ipaddr ip;
};

/* Counters, as reports print them. "Absorbed": nothing came of it. */
#define SUTWIRE_COUNTERS(X, T)                                                 \
	X(T, frames, "", "frames seen")                                        \
	X(T, passed, "", "frames left to the engine")                          \
	X(T, control, "", "STP, LLDP, pause and the like")                     \
	X(T, other, "", "frames that are neither IP nor ARP nor control")      \
	X(T, arp, "", "ARP of the SUTs, answered or not")                      \
	X(T, nd, "", "neighbour discovery of the SUTs")                        \
	X(T, icmp, "", "ICMP of the SUTs (MLD too), absorbed")                 \
	X(T, router, "", "router discovery of the SUTs, redirects: absorbed")  \
	X(T, answered, "", "questions that were answered")                     \
	X(T, dad, "", "probes for duplicate addresses, not answered")          \
	X(T, bad, "", "frames of the SUTs that do not decode")                 \
	X(T, strangers, "", "frames that were or may yet be a reason to stop") \
	X(T, elsewhere, "",                                                    \
	  "of the SUTs, to one hardware address that is not ours, and no "     \
	  "SUT's")                                                             \
	X(T, sut_to_sut, "", "of one SUT to another: absorbed")                \
	X(T, wire_also, "", "from or to a host of --wire-also: absorbed")      \
	X(T, asked, "", "ARP requests and solicitations sent")                 \
	X(T, asked_others, "", "the same for what a SUT asked for")            \
	X(T, probes, "", "SYNs sent")                                          \
	X(T, probe_synack, "", "probes answered by SYN,ACK")                   \
	X(T, probe_rst, "", "probes answered by RST")                          \
	X(T, probe_stray, "", "other segments to the probe's addresses")       \
	X(T, no_room, "", "answers not given since the effects were full")     \
	X(T, own_full, "", "further addresses of SUTs: no room to remember")   \
	X(T, moves, "", "times that a SUT had another hardware address")       \
	X(T, moving, "",                                                       \
	  "frames with a SUT's address and another hardware address, "         \
	  "before it said by ARP or ND that it has moved")

/** struct sutwire_stats - All of them */
struct sutwire_stats {
	SUTWIRE_COUNTERS(COUNTER_MEMBER, )
	uint64_t other_hosts[WIRE_KINDS]; /* frames of no known SUT */
};

/** sutwire_counter_list - Their names and what they are */
extern const struct counter_list sutwire_counter_list;

/* What became of a frame. */
enum sutwire_fate {
	SUTWIRE_PASSED,	  /* segment, datagram or fragment of a SUT: use it */
	SUTWIRE_TAKEN,	  /* for the wire itself, or of no use */
	SUTWIRE_OUTSIDE,  /* ICMP or other IP of a SUT to the outside */
	SUTWIRE_NOT_OURS, /* of a SUT, to somebody else on its wire */
};

struct sutwire;

/** sutwire_size() - Arena bytes that sutwire_init() takes */
size_t sutwire_size(void);

/**
 * sutwire_init() - Start at time @now (ns); the first questions are due at once
 *
 * Return: 0, or -EINVAL (@cfg->suts, one address pinned twice, or a SUT among
 * @cfg->also), or -ENOMEM
 */
int sutwire_init(struct sutwire **out, struct arena *a,
		 const struct sutwire_cfg *cfg, uint64_t now);

/**
 * sutwire_frame() - A frame came in on the wire
 * @w:		Wire
 * @in:		Frame
 * @r, @d:	What frame_decode() made of it
 * @now:	Time, ns
 * @out:	Answers are added
 *
 * Return: what became of it; with anything but SUTWIRE_PASSED it is not to be
 * looked at any more, only counted
 */
enum sutwire_fate sutwire_frame(struct sutwire *w, const struct frame_info *in,
				enum decode_result r, const struct decoded *d,
				uint64_t now, struct effects *out);

/**
 * sutwire_client() - The mirror shows a client: is it in the network (/24, /64)
 * of a host of --wire-also?
 *
 * Such a host could be the client itself, and the SUT would answer it. Then the
 * run is stopped.
 *
 * Return: it was
 */
bool sutwire_client(struct sutwire *w, const struct ipaddr *client);

/** sutwire_timeout() - Do what is due; without room it stays due */
void sutwire_timeout(struct sutwire *w, uint64_t now, struct effects *out);

/** sutwire_next_timeout() - When to call it; SUTWIRE_NEVER after a stop */
uint64_t sutwire_next_timeout(const struct sutwire *w);

/** sutwire_state() - Where the SUT with cfg entry @i stands */
enum sutwire_state sutwire_state(const struct sutwire *w, uint32_t i);

/** sutwire_ready() - Whether clients may be played to cfg entry @i now */
bool sutwire_ready(const struct sutwire *w, uint32_t i);

/** sutwire_mac() - Hardware address of cfg entry @i, NULL: not known yet */
const uint8_t *sutwire_mac(const struct sutwire *w, uint32_t i);

/**
 * sutwire_via() - To whose hardware address cfg entry @i answered the probe
 *
 * Return: the address, or NULL: it did not answer it to another one than ours,
 * or has answered it to ours since
 */
const uint8_t *sutwire_via(const struct sutwire *w, uint32_t i);

/** sutwire_stop() - What stopped the run */
const struct sutwire_stop *sutwire_stop(const struct sutwire *w);

/** sutwire_stats() - Counters */
const struct sutwire_stats *sutwire_stats(const struct sutwire *w);

/** sutwire_check() - For tests: assert what holds between two calls, the first
 * of them at @now
 */
void sutwire_check(const struct sutwire *w, uint64_t now);

#endif /* LAN_SUTWIRE_H */
