/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wire - UDP: one socket a family, whatever paths there are
 *
 * Which path a datagram takes is said with it (IP_PKTINFO): the address that it
 * leaves from and the device that it leaves by. So a path costs no socket, and
 * nothing is opened once the privileges are gone.
 */
#ifndef ENDS_WIRE_H
#define ENDS_WIRE_H

#include "ends/ends.h"

#define WIRE_BATCH    64 /* datagrams that are sent together */
#define WIRE_READ     16 /* that are read together, each up to 64 of a path */
#define WIRE_DATAGRAM (ENDS_MTU + 80) /* with all that stands round a packet */
#define WIRE_SOCKETS  2		      /* IPv4, IPv6 */

/**
 * struct wire_way - Between which addresses a datagram goes
 * @remote, @port, @scope: The other end's; @scope: of a link-local address
 * @local:	Ours; all zero: the routes say it
 * @ifindex:	Device that it leaves by; 0: the routes say it
 */
struct wire_way {
	struct ipaddr remote;
	struct ipaddr local;
	uint32_t ifindex;
	uint32_t scope;
	uint16_t port;
};

/**
 * struct wire_came - A datagram that came, and the TOS of its IP header
 * @p, @n:	Its bytes, or those of several that came one after the other
 * @each:	Of how many bytes each is, but for the last, which may have less
 * @device:	Index of the one that it came by
 */
struct wire_came {
	uint8_t *p;
	uint32_t n;
	uint32_t each;
	uint8_t tos;
	uint32_t device;
	struct wire_way way;
};

/**
 * struct wire_went - What became of datagrams
 * @unsent:	Could not be sent
 * @joined:	Were given to the kernel in one with others
 * @refused:	Times that it did not take such a one; they went one by one
 */
struct wire_went {
	uint32_t unsent;
	uint32_t joined;
	uint32_t refused;
};

struct wire;

/** wire_size() - Bytes that a wire takes of an arena */
size_t wire_size(void);

/**
 * wire_open() - Open the sockets that paths or --listen need
 *
 * Return: 0 or -Exxx with a sentence. wire_close() takes back what there is
 */
int wire_open(struct wire **out, struct arena *a, const struct ends_options *o,
	      struct errbuf *e);
void wire_close(struct wire *w);

/** wire_socket() - Socket number @i, or -1 */
int wire_socket(const struct wire *w, unsigned i);

/** wire_port() - The port of the socket of a family */
uint16_t wire_port(const struct wire *w, bool four);

/**
 * wire_receive() - Take what has come to socket number @i, at most WIRE_READ
 * @came:	Set to the first; valid until the next call
 *
 * What is longer than WIRE_DATAGRAM is none of ours, and has length 0.
 *
 * Return: how many
 */
unsigned wire_receive(struct wire *w, unsigned i, struct wire_came **came);

/**
 * struct wire_told - What is said of a datagram of ours that did not arrive
 * @p, @n:	The beginning of it; of no bytes, if that was not quoted
 * @way:	Where it went to
 * @network:	A router says so, or a host; else our own kernel
 * @size:	The longest IP packet that goes on from there; 0: it is not that
 */
struct wire_told {
	const uint8_t *p;
	uint32_t n;
	struct wire_way way;
	bool network;
	uint32_t size;
};

/** wire_told() - The next of a socket. Return: false: there is none */
bool wire_told(struct wire *w, unsigned i, struct wire_told *out);

/** wire_room() - WIRE_DATAGRAM bytes for the next datagram of a way */
uint8_t *wire_room(struct wire *w, const struct wire_way *way);

/**
 * wire_send() - Send @n bytes of them with the next batch, under this TOS
 * @whole:	Nobody may cut it: what takes no datagram so long drops it
 * @together:	Bytes that the kernel may get in one, with those that follow
 */
void wire_send(struct wire *w, const struct wire_way *way, uint32_t n,
	       uint8_t tos, bool whole, uint32_t together);

/** wire_flush() - Send what waits. Return: what became of it since the last */
struct wire_went wire_flush(struct wire *w);

/**
 * wire_source() - The address that the kernel would send from
 *
 * Return: 0 or -Exxx: there is no route
 */
int wire_source(const struct wire_way *way, struct ipaddr *out);

#endif /* ENDS_WIRE_H */
