/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * broker - A process that stays behind, to do a few things for one that gives
 * its rights up
 *
 * What it does is its caller's table of requests, each of a fixed length. The
 * theory is in broker.c.
 */
#ifndef OS_BROKER_H
#define OS_BROKER_H

#include <stddef.h>
#include <stdint.h>

#include "os/sandbox.h"

#define BROKER_ARG_MAX 64 /* longest argument of a request */
#define BROKER_FOLDERS 8

/**
 * struct broker_request - One that is taken
 * @id:		Its number
 * @size:	Bytes of its argument, at most BROKER_ARG_MAX
 * @serve:	Called in the broker's process. *@fd, -1 before, is handed over
 *		and closed there. Returns what the asker gets, 0 or more, or
 *		-Exxx; or BROKER_END: nobody asks this, and the broker ends
 */
struct broker_request {
	uint32_t id;
	uint32_t size;
	int (*serve)(void *ctx, const void *arg, int *fd);
};

#define BROKER_END INT32_MIN

/**
 * struct broker_config - What it is for
 * @request, @requests: The table
 * @ctx:	Of all of them; the broker has a copy, as of all memory
 * @needs:	SANDBOX_ bits of what they do, beside SANDBOX_BROKER
 * @folder, @folders: Descriptors of the only folders that they have, upwards
 */
struct broker_config {
	const struct broker_request *request;
	unsigned requests;
	void *ctx;
	unsigned needs;
	int folder[BROKER_FOLDERS];
	unsigned folders;
};

struct broker;

/**
 * broker_start() - Start it
 * @out:	Result
 * @c:		Only used here
 * @e:		Sentence on failure
 *
 * Called before anything else is opened and before the first thread: the broker
 * is a copy of the process. SIGCHLD is ignored from then on.
 *
 * Return: 0 or -Exxx
 */
int broker_start(struct broker **out, const struct broker_config *c,
		 struct errbuf *e);

/** broker_fd() - The socket to it; NULL: -1 */
int broker_fd(const struct broker *b);

/**
 * broker_ask() - Ask it, and wait for the answer; one thread at a time
 * @id:		Request
 * @arg, @size:	Its argument
 * @fd:		Set to a descriptor that came with the answer, or -1; NULL: none
 *		is wanted
 *
 * Return: the request's answer, or -EPIPE: the broker is gone
 */
int broker_ask(struct broker *b, uint32_t id, const void *arg, size_t size,
	       int *fd);

/** broker_dismiss() - Let it end: nothing is done from now on */
void broker_dismiss(struct broker *b);

/** broker_stop() - The same, and free @b; NULL: nothing is done */
void broker_stop(struct broker *b);

#endif /* OS_BROKER_H */
