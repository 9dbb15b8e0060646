/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * doctor - What the hops of understudy doctor share
 */
#ifndef CHECK_DOCTOR_H
#define CHECK_DOCTOR_H

#include "capture/ends.h"
#include "capture/ring.h"
#include "config/config.h"
#include "core/arena.h"
#include "decap/decap.h"
#include "emit/packet.h"
#include "hops/hops.h"
#include "lan/prove.h"
#include "lan/sutwire.h"
#include "match/filter.h"

#define DOCTOR_NETS   64 /* of clients; more are not asked for */
#define DOCTOR_PROOFS (DOCTOR_NETS * MAP_MAX)

/**
 * struct doctor - An examination
 * @o:		What would be run
 * @mirror, @filter: Of the mirror
 * @ends:	Of tunnels that come in there
 * @has_filter:	There is an expression
 * @frames, @matched, @mapped: Seen on the mirror, of these matched by the
 *		expression, of these named by --map
 * @wrong_sums:	Of those matched, with a wrong checksum
 * @to_prod, @to_client: Of these, by direction
 * @longest:	Longest frame
 * @tunnels:	What frames came in, by --decap
 * @hidden:	And what was not looked into
 * @other:	An endpoint that was seen and is in no --map
 * @other_port, @has_other: Its port; it is set
 * @tcp:	By --map: a TCP segment of it was seen
 * @payloads, @tls: By --map: segments with payload, those that begin as TLS
 *		does
 * @sut, @suts:	Who is looked for on the SUT's wire
 * @refused:	By entry of @sut: it answered the probe with a RST
 * @rejected:	By entry of @sut: an ICMP error about a SYN of ours came in on
 *		its wire, last about one from @reject_of
 * @sut_map:	By entry of @sut: a --map that names it
 * @seed:	Of the wire's machine
 * @prove, @net, @nets: Clients' networks; an address of each that was seen
 * @nets_left_out: There were more
 */
struct doctor {
	const struct options *o;
	struct ring mirror;
	struct ends ends;
	struct filter filter;
	bool has_filter;
	uint64_t frames;
	uint64_t matched;
	uint64_t wrong_sums;
	uint64_t mapped;
	uint64_t to_prod;
	uint64_t to_client;
	struct decap_tally tunnels;
	struct decap_tally hidden;
	uint32_t longest;
	struct ipaddr other;
	uint16_t other_port;
	bool has_other;
	bool tcp[MAP_MAX];
	uint64_t payloads[MAP_MAX];
	uint64_t tls[MAP_MAX];
	bool sut_in_mirror;

	struct ring wire_ring;
	struct sink_packet packet;
	struct arena mem;
	struct sutwire *wire;
	struct sutwire_sut sut[MAP_MAX];
	uint32_t suts;
	bool refused[MAP_MAX];
	bool rejected[MAP_MAX];
	struct ipaddr reject_of[MAP_MAX];
	uint32_t sut_map[MAP_MAX];
	uint64_t seed;
	uint64_t sent;
	struct prove *prove;
	struct ipaddr net[DOCTOR_NETS];
	uint32_t nets;
	bool nets_left_out;
};

#define DOCTOR_SUT 1u /* hops on the SUT's side: not with --sut-dev none */

/** doctor_flags() - IFF_ flags of an interface. Return: them, or -Exxx */
int doctor_flags(const char *ifname);

/** doctor_carrier() - Wait a little for the other end of its wire */
bool doctor_carrier(const char *ifname);

/* The hops of what the mirror brings, in mirror.c; @ctx is a struct doctor. */
int hop_mirror_traffic(void *ctx);
int hop_checksums(void *ctx);
int hop_mapped(void *ctx);
int hop_directions(void *ctx);
int hop_tls(void *ctx);
int hop_sut_apart(void *ctx);

/* The hops of the SUT's wire, in wire.c. */
int hop_wire_exists(void *ctx);
int hop_wire_free(void *ctx);
int hop_wire_guard(void *ctx);
int hop_wire_link(void *ctx);
int hop_wire_open(void *ctx);
int hop_neighbour(void *ctx);
int hop_route_back(void *ctx);
int hop_networks(void *ctx); /* networks.c */
int hop_listening(void *ctx);
int hop_strangers(void *ctx);

/** networks_init() - Make @prove, from @mem, once @sut and @seed are set */
int networks_init(struct doctor *d);

/** networks_seen() - A segment of the mirror, by what --map says of its ends */
void networks_seen(struct doctor *d, const struct segment *s, bool to,
		   bool from);

/** doctor_listen() - Look at what the mirror brings for so long, ns */
void doctor_listen(struct doctor *d, uint64_t wait);

/** doctor_drive() - Drive the machines of the wire until @enough, a stop, or
 * for @wait ns
 */
void doctor_drive(struct doctor *d, uint64_t wait,
		  bool (*enough)(const struct doctor *d));

/**
 * doctor_rejected() - If the firewall of SUT number @i sent an ICMP error about
 * a SYN of ours, say so
 *
 * Return: it did
 */
bool doctor_rejected(const struct doctor *d, uint32_t i);

/** doctor_stopped() - If the wire's machine stopped, say so. Return: it did */
bool doctor_stopped(const struct doctor *d);

/** doctor_wire_close() - Close what they opened */
void doctor_wire_close(struct doctor *d);

#endif /* CHECK_DOCTOR_H */
