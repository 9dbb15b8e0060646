/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sink - Where segments go, whatever carries them
 *
 * One face for all ways out. A sink refuses every destination that is not on
 * its list: a bug in a machine cannot reach the world.
 *
 * A payload that is handed to a sink is borrowed until the sink says that it is
 * done with it: @done is called exactly once for each packet that was accepted,
 * from inside a later call or the same one, in the order of acceptance. It must
 * not call the sink.
 */
#ifndef EMIT_SINK_H
#define EMIT_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/counters.h"
#include "core/ipaddr.h"
#include "core/limits.h"
#include "wire/build.h"

/**
 * struct emit_dest - A destination that may be sent to
 * @ip:		Address
 * @mac:	Its hardware address, valid if @known
 * @known:	Nothing but a question for its hardware address goes out before
 */
struct emit_dest {
	struct ipaddr ip;
	uint8_t mac[ETH_LEN];
	bool known;
};

#define SINK_COUNTERS(X, T)                                                    \
	X(T, frames, "", "frames that left, a super-frame as one")             \
	X(T, bytes, "bytes", "of these, with their headers")                   \
	X(T, calls, "", "system calls that sent")                              \
	X(T, retries, "", "of these, again for what did not fit at first")     \
	X(T, errors, "", "accepted, but could not be sent")                    \
	X(T, refused, "", "not accepted: not on the list")

/** struct sink_stats - Counters */
struct sink_stats {
	SINK_COUNTERS(COUNTER_MEMBER, )
};

/** sink_counter_list - Their names and what they are */
extern const struct counter_list sink_counter_list;

/**
 * typedef sink_done_fn - The sink is done with a packet
 * @ctx:	As given to the sink
 * @cookie:	As given with the packet
 * @err:	0: it left; -Exxx: it could not be sent and counts as lost
 */
typedef void sink_done_fn(void *ctx, uint64_t cookie, int err);

struct sink;

/** struct sink_ops - A way out; reached by sink_tcp() and so on */
struct sink_ops {
	int (*ip)(struct sink *s, uint8_t proto, const struct tcp_header *h,
		  const uint8_t *data, uint32_t len, uint16_t gso,
		  uint64_t cookie);
	int (*raw)(struct sink *s, const uint8_t *p, uint32_t len,
		   uint64_t cookie);
	void (*flush)(struct sink *s);
	void (*close)(struct sink *s);
};

/**
 * struct sink - What all have in common; embedded first in each
 * @mac:	Our own hardware address: the only source that is sent from
 * @dests:	Entries of @dest
 * @stamp:	Time of day, ns since 1970, just before the system call for what
 *		@done is called for; 0: nothing goes to a wire
 */
struct sink {
	const struct sink_ops *ops;
	sink_done_fn *done;
	void *ctx;
	uint8_t mac[ETH_LEN];
	uint32_t dests;
	struct emit_dest dest[MAP_MAX];
	struct sink_stats stats;
	uint64_t stamp;
};

/**
 * sink_init() - Fill in the common part, for the makers of sinks
 *
 * Return: 0, or -EINVAL if there are more than MAP_MAX destinations
 */
int sink_init(struct sink *s, const struct sink_ops *ops, const uint8_t *mac,
	      const struct emit_dest *dest, uint32_t dests, sink_done_fn *done,
	      void *ctx);

/** sink_pin() - Learn the hardware address of @ip. Return: 0 or -ENOENT */
int sink_pin(struct sink *s, const struct ipaddr *ip, const uint8_t *mac);

/**
 * sink_tcp() - Send a segment
 * @s:		Sink
 * @h:		Header; copied
 * @data, @len:	Payload, borrowed
 * @gso:	0: as one frame; else cut into segments of so many bytes
 * @cookie:	For @done
 *
 * Return: 0 accepted, or -EPERM not on the list, or -EMSGSIZE longer than a
 * frame can be; in these cases @done is not called
 */
int sink_tcp(struct sink *s, const struct tcp_header *h, const uint8_t *data,
	     uint32_t len, uint16_t gso, uint64_t cookie);

/** sink_udp() - Send a datagram; as sink_tcp() */
int sink_udp(struct sink *s, const struct tcp_header *h, const uint8_t *data,
	     uint32_t len, uint64_t cookie);

/**
 * sink_raw() - Send a whole ARP, neighbour discovery or ICMP frame
 * @s:		Sink
 * @p, @len:	Frame from its Ethernet header on, at most BUILD_RAW_MAX; copied
 * @cookie:	For @done
 *
 * To a destination's known hardware address. Or to all, if it asks for a
 * hardware address and nothing else: of a destination on the list, or from
 * nobody's address (198.18.0.0/15, link-local) of anybody. Of ICMP it takes
 * "port unreachable" alone, to a destination's own address as sink_tcp() does.
 *
 * Return: as sink_tcp()
 */
int sink_raw(struct sink *s, const uint8_t *p, uint32_t len, uint64_t cookie);

/** sink_flush() - Send what waits; after it every packet is done */
void sink_flush(struct sink *s);

/** sink_close() - Flush and close */
void sink_close(struct sink *s);

#endif /* EMIT_SINK_H */
