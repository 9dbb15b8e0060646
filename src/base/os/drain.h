/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drain - A thread that takes records out of a ring and does the slow work
 */
#ifndef OS_DRAIN_H
#define OS_DRAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/spsc.h"

/**
 * struct drain_ops - What the thread does; all are called in it
 * @record:	One record, borrowed
 * @idle:	The ring has just become empty; may be NULL
 * @asked:	drain_ask() was called, and what was put before is handled; may
 *		be NULL
 * @done:	drain_stop() was called and the ring is empty; may be NULL
 */
struct drain_ops {
	void (*record)(void *ctx, const uint8_t *p, uint32_t len);
	void (*idle)(void *ctx);
	void (*asked)(void *ctx);
	void (*done)(void *ctx);
};

struct drain;

/**
 * drain_start() - Take a ring's memory and start its thread
 * @out:	Result
 * @ring_bytes:	Room of the ring; all of it is touched now, not later by the
 *		producer
 * @ops, @ctx:	What is done; must live until drain_stop()
 *
 * The thread runs when this returns. Every signal is blocked in it: a write
 * beyond RLIMIT_FSIZE or to a closed pipe is an error there and not the end of
 * the process.
 *
 * Return: 0, -EINVAL (ring too large), -ENOMEM, -EAGAIN (no thread)
 */
int drain_start(struct drain **out, size_t ring_bytes,
		const struct drain_ops *ops, void *ctx);

/**
 * drain_ask() - Let the thread call @asked, once; any thread
 *
 * Calls that come before it did are one.
 */
void drain_ask(struct drain *d);

/** drain_stopping() - Has drain_stop() been called? Its thread asks */
bool drain_stopping(const struct drain *d);

/** drain_ring() - Where the producer puts its records */
struct spsc *drain_ring(struct drain *d);

/**
 * drain_stop() - Handle what is in the ring, end the thread
 *
 * The producer must have put its last record. Frees @d with its ring.
 */
void drain_stop(struct drain *d);

#endif /* OS_DRAIN_H */
