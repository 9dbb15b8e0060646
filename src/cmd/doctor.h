/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * doctor - What the hops of understudy doctor share
 */
#ifndef CMD_DOCTOR_H
#define CMD_DOCTOR_H

#include "capture/ring.h"
#include "cmd/options.h"
#include "codec/filter.h"
#include "core/arena.h"
#include "emit/packet.h"
#include "engine/prove.h"
#include "engine/sutwire.h"

#define DOCTOR_NETS   64 /* of clients; more are not asked for */
#define DOCTOR_PROOFS (DOCTOR_NETS * MAP_MAX)

/**
 * struct doctor - An examination
 * @o:		What would be run
 * @mirror, @filter: Of the mirror
 * @has_filter:	There is an expression
 * @frames, @matched, @mapped: Seen on the mirror, of these matched by the
 *		expression, of these named by --map
 * @to_prod, @to_client: Of these, by direction
 * @longest:	Longest frame
 * @tunnel:	Frames that hold VXLAN
 * @other:	An endpoint that was seen and is in no --map
 * @other_port, @has_other: Its port; it is set
 * @tcp:	By --map: a TCP segment of it was seen
 * @sut, @suts:	Who is looked for on the SUT's wire
 * @refused:	By entry of @sut: it answered the probe with a RST
 * @sut_map:	By entry of @sut: a --map that names it
 * @seed:	Of the wire's machine
 * @prove, @net, @nets: Clients' networks; an address of each that was seen
 * @nets_left_out: There were more
 */
struct doctor {
	const struct options *o;
	struct ring mirror;
	struct filter filter;
	bool has_filter;
	uint64_t frames;
	uint64_t matched;
	uint64_t mapped;
	uint64_t to_prod;
	uint64_t to_client;
	uint64_t tunnel;
	uint32_t longest;
	struct ipaddr other;
	uint16_t other_port;
	bool has_other;
	bool tcp[MAP_MAX];
	bool sut_in_mirror;

	struct ring wire_ring;
	struct sink_packet packet;
	struct arena mem;
	struct sutwire *wire;
	struct sutwire_sut sut[MAP_MAX];
	uint32_t suts;
	bool refused[MAP_MAX];
	uint32_t sut_map[MAP_MAX];
	uint64_t seed;
	uint64_t sent;
	struct prove *prove;
	struct ipaddr net[DOCTOR_NETS];
	uint32_t nets;
	bool nets_left_out;
};

/** struct hop - One station of the way; @check: 0 good, else it said why not */
struct hop {
	bool sut; /* is on the SUT's side: left out with --sut-dev none */
	int (*check)(struct doctor *d);
};

/** doctor_ok() - Say that a hop is good. Return: 0 */
int doctor_ok(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/** doctor_fail() - Say what is wrong; doctor_mend() follows. Return: -1 */
int doctor_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/** doctor_mend() - Say what mends it. Return: -1 */
int doctor_mend(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/** doctor_flags() - IFF_ flags of an interface. Return: them, or -Exxx */
int doctor_flags(const char *ifname);

/** doctor_carrier() - Wait a little for the other end of its wire */
bool doctor_carrier(const char *ifname);

/* The hops of the SUT's wire, in doctor_wire.c. */
int hop_wire_exists(struct doctor *d);
int hop_wire_free(struct doctor *d);
int hop_wire_guard(struct doctor *d);
int hop_wire_link(struct doctor *d);
int hop_wire_open(struct doctor *d);
int hop_neighbour(struct doctor *d);
int hop_route_back(struct doctor *d);
int hop_networks(struct doctor *d); /* doctor_networks.c */
int hop_listening(struct doctor *d);
int hop_strangers(struct doctor *d);

/** networks_init() - Make @prove, from @mem, once @sut and @seed are set */
int networks_init(struct doctor *d);

/** networks_seen() - A segment of the mirror, by what --map says of its ends */
void networks_seen(struct doctor *d, const struct segment *s, bool to,
		   bool from);

/** doctor_listen() - Look at what the mirror brings for so long, ns */
void doctor_listen(struct doctor *d, uint64_t wait);

/** doctor_drive() - Drive the machines of the wire until @enough, a stop, or for
 * @wait ns
 */
void doctor_drive(struct doctor *d, uint64_t wait,
		  bool (*enough)(const struct doctor *d));

/** doctor_stopped() - If the wire's machine stopped, say so. Return: it did */
bool doctor_stopped(const struct doctor *d);

/** doctor_wire_close() - Close what they opened */
void doctor_wire_close(struct doctor *d);

#endif /* CMD_DOCTOR_H */
