/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/*
 * table - What the programs of the tap and their loader share
 *
 * A connection is known by its socket until its SYN has left, and by its
 * addresses and ports from then on.
 */
#ifndef TAP_TABLE_H
#define TAP_TABLE_H

#include <stdint.h>

#define TAP_NETS 16 /* of --tap-match */

/**
 * struct tap_client - Whom copies of a connection show
 * @ip:		His address, as of core/ipaddr.h
 * @cookie:	Of our socket towards the server; 0: there is none any more
 * @port:	His, host order
 * @differs:	His family is not the server's: he is not shown
 * @fins:	Bits by direction (core/dir.h) that a FIN has gone in
 */
struct tap_client {
	uint8_t ip[16];
	uint64_t cookie;
	uint16_t port;
	uint8_t differs;
	uint8_t fins;
	uint32_t pad;
};

/**
 * struct tap_net - Servers whose connections are shown
 * @ip, @mask:	In network order
 * @port:	0: any
 * @only6:	An address of IPv4 lies in none of them
 */
struct tap_net {
	uint8_t ip[16];
	uint8_t mask[16];
	uint32_t port;
	uint32_t only6;
};

/**
 * struct tap_rule - Which connections are chosen
 * @key:	Of rendezvous_client(), by which a client is in the share
 * @most:	Highest hash, its upper 32 bits, that is in it
 * @nets:	Of @net; 0: all servers
 */
struct tap_rule {
	uint64_t key[2];
	uint32_t most;
	uint32_t nets;
	struct tap_net net[TAP_NETS];
};

/**
 * struct tap_device - Where copies go, set before the program runs
 * @ifindex:	Device
 * @out:	They leave by it; else they come in there
 * @syn:	Pairs that were made of a SYN are shown, too (route/pass.h)
 */
struct tap_device {
	struct tap_rule rule;
	uint32_t ifindex;
	uint32_t out;
	uint32_t syn;
};

/* What is counted, of frames that are to be shown. */
enum tap_count {
	TAP_SHOWN,
	TAP_LOST,     /* the device took none: down, full, gone */
	TAP_TOO_LONG, /* longer than it takes */
	TAP_ODD,      /* no headers that can be changed */
	TAP_HARMED,   /* could not be changed back, and were dropped */
	TAP_STRAY,    /* somebody else's, that would have left by the device */

	TAP_COUNTS
};

#endif /* TAP_TABLE_H */
