/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tap - What goes between us and servers is shown at a device
 *
 * A mirror port for who has none: at the device stand copies of all segments
 * of chosen connections, as a mirror in front of their servers would have them,
 * with the client in our place. Nothing that it does can be seen in the
 * connections themselves but time.
 */
#ifndef TAP_TAP_H
#define TAP_TAP_H

#include <stdbool.h>
#include <stdint.h>

#include "core/counters.h"
#include "core/ipaddr.h"
#include "core/sip.h"
#include "dial/shown.h"
#include "os/errbuf.h"
#include "tap/table.h"

#define TAP_SHARE_ALL 1000000u

/**
 * struct tap_config - What it is opened with
 * @dev:	Device for copies
 * @at:		Names of those by which servers are reached, and a NULL
 * @servers, @share: Which connections, and of how many of their clients, in
 *		millionths
 * @key:	By which clients are in the share
 * @connections: At once
 * @tables:	The router's (usplice_tables()), if it makes pairs of SYNs, or
 *		NULL
 * @tcx:	In no other way; else what there is
 */
struct tap_config {
	const char *dev;
	const char *const *at;
	const struct shown *servers;
	uint32_t share;
	struct hash_key key;
	uint32_t connections;
	const int *tables;
	bool tcx;
};

#define TAP_COUNTERS(X, T)                                                     \
	X(T, connections, "", "connections that were to be shown")             \
	X(T, unknown, "", "of these, that could not be")                       \
	X(T, shown, "", "frames that the tap's device got")                    \
	X(T, lost, "", "frames that it did not take: down, full or gone")      \
	X(T, too_long, "", "frames that are longer than it takes")             \
	X(T, odd, "", "frames that could not be changed: fragments")           \
	X(T, harmed, "",                                                       \
	  "frames that could not be changed back, and were dropped")           \
	X(T, stray, "", "frames of others that would have left by it")

struct tap_counters {
	TAP_COUNTERS(COUNTER_MEMBER, )
};

extern const struct counter_list tap_counter_list;

struct tap;

/**
 * tap_open() - Load the programs, guard the device, and begin
 * @out:	Result, to be given to tap_close()
 *
 * A dummy or veth device shows copies where they come in, so that nothing ever
 * leaves it; of any other device they leave, and nothing else does. It must not
 * be in use. Needs CAP_BPF and CAP_NET_ADMIN, or root; what comes later needs
 * neither.
 *
 * Return: 0; or -Exxx, with a sentence and its remedy
 */
int tap_open(struct tap **out, const struct tap_config *c, struct errbuf *e);

/** tap_close() - End it; the guard stays. NULL is allowed */
void tap_close(struct tap *t);

/**
 * tap_socket() - A socket of ours will be connected to a server
 * @fd:		It; its SYN has not been sent
 *
 * It is shown if it is chosen. Before each connection that it makes.
 */
void tap_socket(struct tap *t, int fd, const struct ipaddr *client,
		uint16_t client_port, const struct ipaddr *server,
		uint16_t server_port);

/** tap_count() - Read all counters; what cannot be read is 0 */
void tap_count(const struct tap *t, struct tap_counters *n);

#endif /* TAP_TAP_H */
