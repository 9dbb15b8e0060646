/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shring.c - A ring in shared memory whose ends do not believe each other
 *
 * Theory of operation
 *
 * Two counters of bytes, one written by each end, say what is in the ring: the
 * writer's less the reader's. Each end knows its own from its own memory and
 * reads the other's once a call. A difference of more than the ring's room is a
 * lie. A record is 8 bytes of head, its length, and its bytes, in a multiple of
 * 8; it may go over the end of the memory. The length is read once, held
 * against what the counters say, and the bytes are copied out before the
 * reader's counter moves: what the writer changes meanwhile changes a copy at
 * most, and whoever reads that checks it as he would any bytes.
 */
#include "os/shring.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#define HEAD	 8u
#define ROOM_MIN 4096u

struct shring_shared {
	_Alignas(64) _Atomic uint64_t written;
	_Alignas(64) _Atomic uint64_t read;
	_Alignas(64) uint8_t data[];
};

size_t shring_size(size_t room)
{
	assert(room >= ROOM_MIN && !(room & (room - 1)));
	return sizeof(struct shring_shared) + room;
}

void shring_open(struct shring *e, void *memory, size_t room)
{
	struct shring_shared *s = memory;

	assert(room >= ROOM_MIN && !(room & (room - 1)));
	*e = (struct shring){ .shared = s, .data = s->data, .room = room };
}

static uint64_t padded(uint64_t len)
{
	return HEAD + (len + 7) / 8 * 8;
}

static void put(struct shring *e, uint64_t at, const void *p, size_t n)
{
	uint64_t from = at & (e->room - 1);
	size_t first = n < e->room - from ? n : (size_t)(e->room - from);

	memcpy(e->data + from, p, first);
	memcpy(e->data, (const uint8_t *)p + first, n - first);
}

static void get(const struct shring *e, uint64_t at, void *p, size_t n)
{
	uint64_t from = at & (e->room - 1);
	size_t first = n < e->room - from ? n : (size_t)(e->room - from);

	memcpy(p, e->data + from, first);
	memcpy((uint8_t *)p + first, e->data, n - first);
}

int shring_begin(struct shring *e, size_t len)
{
	uint64_t read =
		atomic_load_explicit(&e->shared->read, memory_order_acquire);
	uint64_t used = e->own - read;
	uint64_t head = len;

	if (len > e->room - HEAD || padded(len) > e->room)
		return -EMSGSIZE;
	if (used > e->room)
		return -EPROTO;
	if (padded(len) > e->room - used)
		return -EAGAIN;
	put(e, e->own, &head, HEAD);
	e->ahead = e->own + HEAD;
	e->end = e->ahead + len;
	return 0;
}

void shring_add(struct shring *e, const void *p, size_t n)
{
	assert(n <= e->end - e->ahead);
	if (n > 0)
		put(e, e->ahead, p, n);
	e->ahead += n;
}

void shring_commit(struct shring *e)
{
	assert(e->ahead == e->end && e->end > e->own);
	e->own += padded(e->end - e->own - HEAD);
	atomic_store_explicit(&e->shared->written, e->own,
			      memory_order_release);
}

int shring_take(struct shring *e, void *p, size_t most, size_t *len)
{
	uint64_t written =
		atomic_load_explicit(&e->shared->written, memory_order_acquire);
	uint64_t used = written - e->own;
	uint64_t n;

	if (used == 0)
		return 0;
	if (used > e->room || used < HEAD)
		return -EPROTO;
	get(e, e->own, &n, HEAD);
	if (n > most || n > used || padded(n) > used)
		return -EPROTO;
	if (n > 0)
		get(e, e->own + HEAD, p, (size_t)n);
	*len = (size_t)n;
	e->own += padded(n);
	atomic_store_explicit(&e->shared->read, e->own, memory_order_release);
	return 1;
}
