/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wire_internal.h - What the two files of the wire share
 */
#ifndef ENDS_WIRE_INTERNAL_H
#define ENDS_WIRE_INTERNAL_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "core/arena.h"
#include "ends/wire.h"

/* A burst of several paths, while we are not scheduled. */
#define BUFFER	(4 << 20)
#define CONTROL 96 /* bytes of the messages that say addresses, TOS, length */

/* What the kernel takes as one (UDP_MAX_SEGMENTS of older ones), and what IP
 * has room for.
 */
#define JOIN_DATAGRAMS 64u
#define JOIN_BYTES     65000u
#define READ_BYTES     65536u /* of one that is many */

#define TOLD_CONTROL 256 /* bytes of the messages beside an error */
#define TOLD_BYTES   64	 /* of what is quoted */

/* Both are as long as a family's own, and all of one batch is of one family. */
union address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

/** struct message - One of a call, but for its bytes */
struct message {
	union address addr;
	_Alignas(struct cmsghdr) uint8_t control[CONTROL];
};

/** struct waiting - A datagram that is to be sent; @taken: into a message */
struct waiting {
	bool taken;
	bool whole;
	uint8_t tos;
	uint32_t n;
	uint32_t together;
	struct wire_way way;
	uint8_t data[WIRE_DATAGRAM];
};

struct wire {
	bool join; /* datagrams may be given to the kernel in one */
	int fd[WIRE_SOCKETS];
	uint16_t port[WIRE_SOCKETS];
	struct wire_went went;
	/* Of the call that is made now. */
	struct mmsghdr msg[WIRE_BATCH];
	struct message more[WIRE_BATCH];
	struct iovec iov[WIRE_BATCH];
	bool whole[WIRE_BATCH];
	struct wire_came came[WIRE_READ];
	uint8_t in[WIRE_READ][READ_BYTES];
	_Alignas(struct cmsghdr) uint8_t told_control[TOLD_CONTROL];
	uint8_t told[TOLD_BYTES];
	unsigned waits[WIRE_SOCKETS];
	struct waiting out[WIRE_SOCKETS][WIRE_BATCH];
};

/* wire.c */

/* An address of either family. Return: its length */
socklen_t wire_put_address(union address *a, const struct ipaddr *ip,
			   uint16_t port, uint32_t scope);
/* An option of a socket. Return: 0 or -errno */
int wire_set(int fd, int level, int name, int value);
/* Message @i of the next call has these bytes, and room for the rest. */
void wire_aim(struct wire *w, unsigned i, struct iovec *iov, unsigned n);

#endif /* ENDS_WIRE_INTERNAL_H */
