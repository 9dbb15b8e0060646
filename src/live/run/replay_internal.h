/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * replay_internal - What the files of replay share
 */
#ifndef RUN_REPLAY_INTERNAL_H
#define RUN_REPLAY_INTERNAL_H

#include "pace/plan.h"
#include "run/replay.h"
#include "run/run_internal.h"

#define REPLAY_WINDOW ((size_t)2 * PCAP_RECORD_MAX)

/**
 * struct replay_active - A connection that is being played
 * @flow, @loop: Which, in which repetition
 * @next:	Its next record, PLAN_NONE: all were played
 * @base:	When its first record was
 * @due:	When the next one is, by the capture's stamps
 * @since:	When its last one was
 */
struct replay_active {
	uint32_t flow;
	uint32_t loop;
	uint32_t next;
	uint64_t base;
	uint64_t due;
	uint64_t since;
	struct stamps stamps;
};

/**
 * struct replay_order - Where the plan stands, in the capture's order
 * @loop, @at:	Repetition and record that are next
 * @base:	When the repetition began
 * @found:	@due is that of the record at @at
 */
struct replay_order {
	uint32_t loop;
	uint32_t at;
	uint64_t base;
	struct stamps stamps;
	bool found;
	uint64_t due;
};

/**
 * struct replay_starts - Which connection begins next, over all repetitions
 * @base:	When the repetition began
 */
struct replay_starts {
	uint32_t flow;
	uint32_t loop;
	uint64_t base;
};

/**
 * struct replay - A capture and its plan
 * @fd:		Captures; -1: not open
 * @window:	Bytes of @window_file from @window_at on
 * @frame:	One frame that is written to
 * @length:	From the first record to the last one, by their stamps, ns
 * @short_of:	Why not all of the captures is in the plan; empty: it is
 * @active, @actives: Connections that are being played, with --fast or
 *		--concurrency
 */
struct replay {
	struct arena mem;
	struct plan *plan;
	int fd[FILES_MAX];
	bool trust[FILES_MAX]; /* their checksums are not tested */
	uint8_t *window;
	size_t window_len;
	uint64_t window_at;
	uint32_t window_file;
	uint8_t *frame;
	uint64_t length;
	struct errbuf short_of;
	struct ipaddr other; /* whom a SYN that --map does not name went to */
	uint16_t other_port; /* 0: there was none */
	struct replay_active *active;
	uint32_t actives;
	uint32_t most;	 /* of them */
	bool lingers;	 /* one of them waits for the SUT, not for a record */
	uint32_t cursor; /* the one that is looked at next */
	uint64_t wake;	 /* when one of those before it is due at the latest */
	struct replay_starts starts;
	struct replay_order order;
	struct replay_counters count;
};

/** replay_leap() - --maxsleep as time of the capture, ns; 0: no limit */
uint64_t replay_leap(const struct options *o);

#endif /* RUN_REPLAY_INTERNAL_H */
