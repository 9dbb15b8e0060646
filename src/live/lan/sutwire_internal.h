/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sutwire_internal.h - What the files of the SUT's wire share; the theory is in
 * sutwire.c
 */
#ifndef LAN_SUTWIRE_INTERNAL_H
#define LAN_SUTWIRE_INTERNAL_H

#include "lan/sutwire.h"

#include "core/rng.h"

#define OWN_MAX	  (4 * MAP_MAX)
#define ASKED_MAX 64

struct wire_sut {
	struct sutwire_sut cfg;
	enum sutwire_state state;
	bool known;    /* its hardware address is in cfg.mac */
	bool answered; /* the probe of this round */
	bool proved;   /* some probe was answered to us */
	bool astray;   /* the probe, to @via and not to us */
	uint8_t via[ETH_LEN];
	uint8_t tries;
	uint16_t sport;
	uint32_t iss;
	uint64_t due;
};

/* An unknown hardware address, and what it said before all SUTs were found. */
struct unknown {
	enum wire_kind kind;
	uint8_t mac[ETH_LEN];
	struct ipaddr ip;
};

struct sutwire {
	uint8_t mac[ETH_LEN]; /* ours */
	struct ipaddr probe4; /* who asks for the SUTs' addresses */
	struct ipaddr probe6;
	struct ipaddr link_local;
	struct rng rng;
	uint32_t suts;	   /* used of @sut */
	uint32_t alsos;	   /* used of @also */
	uint32_t owns;	   /* used of @own */
	uint32_t unknowns; /* used of @unknown */
	struct wire_sut sut[MAP_MAX];
	bool any;
	uint64_t ask_at; /* whether a SUT has moved, not before */
	bool ask;
	uint32_t asked_n;		/* used of @asked */
	uint32_t asked_next;		/* which of it is written next */
	struct ipaddr asked[ASKED_MAX]; /* does anybody else have these? */
	struct sutwire_also also[SUTWIRE_ALSO_MAX];
	struct ipaddr own[OWN_MAX];
	struct unknown unknown[SUTWIRE_UNKNOWN_MAX];
	struct sutwire_stop stop;
	struct sutwire_stats stats;
};

/* sutwire.c */

/* The SUT with this hardware address; NULL: no known one. */
struct wire_sut *lan_by_mac(struct sutwire *w, const uint8_t *mac);

bool lan_all_known(const struct sutwire *w);

bool lan_is_own(const struct sutwire *w, const struct ipaddr *ip);

/* Is this a host of --wire-also? By hardware address, by address, or both;
 * NULL: any.
 */
bool lan_is_also(const struct sutwire *w, const uint8_t *mac,
		 const struct ipaddr *ip);

/* Is a frame for our hardware address, or for a group's? */
bool lan_for_us(const struct sutwire *w, const struct decoded *d);

struct effect *lan_effect(struct sutwire *w, struct effects *out,
			  enum effect_kind kind, enum effect_cause cause,
			  const struct wire_sut *s);

/* Source address of a frame, as far as it was decoded; NULL: none. */
const struct ipaddr *lan_source(enum decode_result r, const struct decoded *d);

/* strangers.c */

void lan_stop(struct sutwire *w, enum sutwire_stop_reason why,
	      const uint8_t *mac, const struct ipaddr *ip);

/* A stranger's frame was @kind, and bears @ip. */
void lan_stranger(struct sutwire *w, enum wire_kind kind, const uint8_t *mac,
		  const struct ipaddr *ip);

/* All SUTs are found: who else spoke until now was a stranger. */
void lan_judge_unknown(struct sutwire *w);

/* A frame of a host of --wire-also. */
void lan_of_also(struct sutwire *w, const struct frame_info *in,
		 enum decode_result r, const struct decoded *d);

/* A frame from a hardware address that is no known SUT's. */
void lan_of_other(struct sutwire *w, const struct frame_info *in,
		  enum decode_result r, const struct decoded *d);

/* neighbours.c */

/* Test whether @ip is a found SUT's address, and @mac not its own. */
bool lan_has_moved(const struct sutwire *w, const struct ipaddr *ip,
		   const uint8_t *mac);

/* Ask all on the wire who has @target. Return: false if there is no room */
bool lan_moving(struct sutwire *w, enum decode_result r,
		const struct decoded *d, uint64_t now, struct effects *out);
bool lan_ask(struct sutwire *w, const struct wire_sut *s,
	     const struct ipaddr *target, struct effects *out);

void lan_on_arp(struct sutwire *w, const struct frame_info *in,
		const struct decoded *d, uint64_t now, struct effects *out);

void lan_on_nd(struct sutwire *w, const struct frame_info *in,
	       const struct decoded *d, uint64_t now, struct effects *out);

/* probe.c */

/* Begin a round of the probe; it is due at @now. */
void lan_probe_begin(struct sutwire *w, struct wire_sut *s, uint64_t now);

void lan_probe_syn(struct sutwire *w, const struct wire_sut *s,
		   struct effects *out);

/* Test whether a TCP segment is for the probe's addresses. */
bool lan_for_probe(const struct sutwire *w, const struct segment *g);

/* The entry whose latest probe this answers; NULL: none's. */
struct wire_sut *lan_probe_answered(struct sutwire *w, const struct segment *g);

void lan_on_probe(struct sutwire *w, const struct decoded *d, uint64_t now,
		  struct effects *out);

#endif /* LAN_SUTWIRE_INTERNAL_H */
