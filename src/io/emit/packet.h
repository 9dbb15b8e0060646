/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * packet - A packet socket as a way out
 *
 * The theory is in packet.c. Opening needs CAP_NET_RAW and CAP_NET_ADMIN; using
 * it needs nothing.
 */
#ifndef EMIT_PACKET_H
#define EMIT_PACKET_H

#include "emit/sink.h"
#include "os/errbuf.h"

#define PACKET_BATCH 64 /* frames of one system call */

struct packet_batch;

/**
 * struct sink_packet - Private but for the counter
 * @mtu:	Of the wire; longer datagrams leave in fragments
 * @super_max:	Longest super-frame that the device takes, 0: none
 * @super_rest:	Frames to go before a super-frame is tried again
 * @super_failed: Super-frames that the device did not take
 */
struct sink_packet {
	struct sink sink;
	int fd;
	int ifindex;
	uint32_t mtu;
	uint32_t super_max;
	uint32_t super_rest;
	uint64_t super_failed;
	uint32_t waiting; /* messages in @batch */
	int piece_err;	  /* of the earlier pieces of a cut segment */
	struct packet_batch *batch;
};

/**
 * packet_private_mac() - A locally administered address of ours for a device
 *
 * Always the same for the same device, so that a restart finds the SUT's
 * neighbour table right, and never the device's own: with that one the host's
 * stack would take the SUT's answers for its own.
 */
void packet_private_mac(uint8_t mac[ETH_LEN], const uint8_t dev[ETH_LEN]);

/**
 * packet_open() - Open a packet socket for sending
 * @p:		Set on success
 * @ifname:	The SUT's wire
 * @mac, @dest, @dests, @done, @ctx: See sink.h
 * @e:		Sentence on failure
 *
 * Return: 0, or -ENODEV, -EPERM, -EINVAL, -ENOMEM or another -Exxx
 */
int packet_open(struct sink_packet *p, const char *ifname, const uint8_t *mac,
		const struct emit_dest *dest, uint32_t dests,
		sink_done_fn *done, void *ctx, struct errbuf *e);

#endif /* EMIT_PACKET_H */
