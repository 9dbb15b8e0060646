/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * worker - A proxy that is one of several processes, as its parent has it
 *
 * Both have a struct worker_share. A request is a line there and a message of
 * its channel, in which only numbers are said; so is its answer. A worker asks
 * for nothing.
 */
#ifndef FRONT_WORKER_H
#define FRONT_WORKER_H

#include <stdint.h>
#include <sys/types.h>

#include "core/hash.h"
#include "ctl/ctl.h"
#include "dial/shares.h"
#include "face/counters.h"
#include "face/state.h"
#include "net/activation.h"
#include "os/child.h"
#include "os/errbuf.h"
#include "text/text.h"

#define WORKER_LINE 600 /* bytes of a request; one of the control socket fits */

/** enum worker_said - What a message is */
enum worker_said {
	WORKER_ASKED,  /* of the parent's; all others are of the worker's */
	WORKER_ANSWER, /* to it, by its number */
	WORKER_UP,     /* it takes clients from now on */
	WORKER_FAILED, /* it has not begun: worker_share.e */
	WORKER_EVENT,
	WORKER_OVER, /* it ends, as it was told to */
};

/** struct worker_message - A message; strings are of WORKER_EVENT */
struct worker_message {
	uint32_t what;
	uint32_t number;
	char event[24];
	char server[TEXT_ENDPOINT];
	char listener[TEXT_ENDPOINT];
};

/**
 * struct worker_share - Memory that both have
 * @n:		Counters, as they are now, also of one that has died
 * @state:	When it was last shown, or with WORKER_UP and WORKER_OVER
 * @number:	Of the last request; an older one, for whose answer nobody waits
 *		any more, is not run
 * @words:	A request: "show"; "stop" (front_stop()); "see" and "take" (the
 *		two halves of a reload()); "logs"; "set NAME VALUE"; or one of
 *		the control socket's
 * @rc, @e, @len, @text: Its answer
 *
 * The parent believes none of it: it copies, and bounds lengths.
 */
struct worker_share {
	struct front_counters n;
	struct front_state state;
	uint32_t number;
	char words[WORKER_LINE];
	int rc;
	struct errbuf e;
	uint32_t len;
	char text[CTL_ANSWER];
};

/**
 * struct worker - What it is told at its start
 * @index, @count: Which one of how many
 * @channel:	To the parent
 * @clients, @lock: Who has how many connections: of all workers together
 * @key:	Theirs alike: which client gets which server
 */
struct worker {
	unsigned index;
	unsigned count;
	pid_t parent;
	int channel;
	struct worker_share *share;
	struct shares *clients;
	struct lock *lock;
	struct hash_key key;
	const struct activation *activation;
};

#endif /* FRONT_WORKER_H */
