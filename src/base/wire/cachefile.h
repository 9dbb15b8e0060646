/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cachefile - What was decided about each packet of a capture, in a few bits
 *
 * Three things on one layout: a table of small states that is built packet by
 * packet in bounded memory (struct bitcache), tcpreplay's cache file read from
 * its bytes (struct cachefile), and its header written. And the pairing: which
 * capture a cache file was made from, so that another one is refused.
 *
 * Source: "tcpreplay cache algorithm" for the idea; tcpreplay's cache files,
 * version 04, for the layout.
 */
#ifndef WIRE_CACHEFILE_H
#define WIRE_CACHEFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a cache file says of one packet; its two bits. */
enum bitcache_fate {
	BITCACHE_SKIP = 0, /* do not send */
	BITCACHE_S2C = 2,  /* send from the secondary interface */
	BITCACHE_C2S = 3,  /* send from the primary interface */
};

/**
 * struct bitcache - States of packets, in a ring of chunks
 * @mem:	Memory, @slots chunks of @chunk bytes
 * @chunk:	Bytes of a chunk
 * @slots:	Chunks in memory
 * @count:	Packets that have a state
 * @dropped:	Chunks that were taken away from the front
 * @per_byte:	States in a byte
 * @bits:	Bits of a state
 * @next:	Byte of the next packet's state, if @left is not 0
 * @left:	Packets that the newest chunk still takes
 *
 * Private but for @count.
 */
struct bitcache {
	uint8_t *mem;
	size_t chunk;
	size_t slots;
	uint64_t count;
	uint64_t dropped;
	unsigned per_byte;
	unsigned bits;
	uint8_t *next;
	uint64_t left;
};

/**
 * bitcache_init() - Begin an empty table
 * @c:		Table
 * @per_byte:	8, 4, 2 or 1 packets in a byte: 2, 4, 16 or 256 states
 * @mem:	Memory, kept by the caller for as long as the table
 * @chunk:	Bytes of a chunk, at least 1
 * @slots:	Chunks at @mem, at least 1
 *
 * Return: 0, or -EINVAL
 */
int bitcache_init(struct bitcache *c, unsigned per_byte, uint8_t *mem,
		  size_t chunk, size_t slots);

/**
 * bitcache_add() - Append the next packet's state
 * @state:	Below 2 to the power of the bits of a state
 *
 * Return: 0, or -ENOSPC if all chunks are full (take one away with
 * bitcache_drop() and call again), or -EINVAL if the state is too large
 */
int bitcache_add(struct bitcache *c, unsigned state);

/**
 * bitcache_set() - Set more bits of a packet's state
 * @i:		Packet, from 0
 * @bits:	Are ORed to what is there
 *
 * Return: 0, or -ERANGE if the packet has no state yet or its chunk was taken
 * away, or -EINVAL if @bits are too many
 */
int bitcache_set(struct bitcache *c, uint64_t i, unsigned bits);

/**
 * bitcache_get() - A packet's state
 *
 * Return: state, or -ERANGE as in bitcache_set()
 */
int bitcache_get(const struct bitcache *c, uint64_t i);

/**
 * bitcache_oldest() - The chunk that is first in the table
 * @len:	Bytes of it that hold states; the bits behind the last are 0
 *
 * Return: the chunk, NULL if the table is empty
 */
const uint8_t *bitcache_oldest(const struct bitcache *c, size_t *len);

/** bitcache_drop() - Take the oldest chunk away; there must be one */
void bitcache_drop(struct bitcache *c);

/** bitcache_bytes() - Bytes that @count states take; 0 if there is no such
 * table (@per_byte)
 */
uint64_t bitcache_bytes(uint64_t count, unsigned per_byte);

/*
 * Cache files of tcpreplay, version 04: a header of CACHEFILE_HEADER bytes, a
 * comment, and four packets in a byte, the first in the lowest bits.
 */

#define CACHEFILE_HEADER      24u
#define CACHEFILE_COMMENT_MAX 65534u /* longest that tcpreplay reads */
#define CACHEFILE_PER_BYTE    4u

/**
 * struct cachefile - A cache file that was found good
 * @packets:	Packets that it knows
 * @comment:	Not terminated; points into the file's bytes
 * @comment_len: Its length
 * @data:	States; points into the file's bytes
 */
struct cachefile {
	uint64_t packets;
	const char *comment;
	size_t comment_len;
	const uint8_t *data;
};

/**
 * cachefile_open() - Examine the bytes of a whole cache file
 * @f:		Set on success; borrows @p
 * @p:		All bytes of the file
 * @len:	How many
 *
 * Return: 0, or
 *	   -ENODATA it is shorter than its header says, or
 *	   -EFBIG it is longer, or
 *	   -EBADMSG it is no cache file, or
 *	   -EPROTONOSUPPORT a version other than 04, or
 *	   -ENOTSUP not four packets in a byte, or
 *	   -EMSGSIZE its comment is longer than tcpreplay reads
 */
int cachefile_open(struct cachefile *f, const uint8_t *p, size_t len);

/** cachefile_why() - A sentence for an error of cachefile_open() */
const char *cachefile_why(int rc);

/**
 * cachefile_get() - What to do with a packet
 * @i:		Packet, from 0
 *
 * The unused state 1 counts as BITCACHE_SKIP, as tcpreplay has it.
 *
 * Return: an enum bitcache_fate, or -ERANGE if the file does not know it
 */
int cachefile_get(const struct cachefile *f, uint64_t i);

/**
 * cachefile_header() - Write the header of a file
 * @out:	Header
 * @packets:	Packets
 * @comment_len: Bytes of the comment that follows
 */
void cachefile_header(uint8_t out[CACHEFILE_HEADER], uint64_t packets,
		      uint16_t comment_len);

/*
 * Pairing of a cache file with its capture. The digest is over each frame's
 * time, relative to the first one's and in microseconds, and its length on the
 * wire: it is the same for a capture whose addresses were rewritten or which
 * was written in another format, since its cache is still right.
 */

/** struct bitcache_pair - Which capture */
struct bitcache_pair {
	uint64_t frames;
	uint64_t digest;
	uint64_t first; /* time of the first frame, microseconds since 1970 */
};

/* Text of a pairing, in a comment: a line of its own. */
#define BITCACHE_PAIR_TEXT 56u

/** bitcache_pair_init() - Before the first frame */
void bitcache_pair_init(struct bitcache_pair *p);

/**
 * bitcache_pair_add() - The next frame
 * @ts:		Its time, ns since 1970
 * @wire:	Its length on the wire
 */
void bitcache_pair_add(struct bitcache_pair *p, uint64_t ts, uint32_t wire);

/** bitcache_pair_text() - Write it as text, BITCACHE_PAIR_TEXT bytes, not
 * terminated; the length does not depend on what is in it
 */
void bitcache_pair_text(const struct bitcache_pair *p,
			char out[BITCACHE_PAIR_TEXT]);

/**
 * bitcache_pair_find() - Read the pairing in a file's comment
 * @frames, @digest: Set if there is one
 *
 * Return: whether there is one. tcpprep's own files have none.
 */
bool bitcache_pair_find(const struct cachefile *f, uint64_t *frames,
			uint64_t *digest);

#endif /* WIRE_CACHEFILE_H */
