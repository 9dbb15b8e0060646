/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * top - A run, while it goes on, on a terminal
 *
 * See screen.c.
 */
#ifndef TOP_TOP_H
#define TOP_TOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compare/compare.h"
#include "engine/engine.h"
#include "redact/redact.h"

#define TOP_KINDS 5 /* of differences that are shown */
#define TOP_SUTS  4
#define TOP_NAME  96   /* bytes of an endpoint's name, with tags in it */
#define TOP_TEXT  4096 /* room for any screen */

/**
 * struct top_view - What is shown
 * @elapsed:	ns
 * @flows:	In the table
 * @requests:	So far
 * @verdict:	Answers, by VERDICT_
 * @behind:	Of the SUT, ns: p50, p99
 * @missed:	Frames that the rings lost
 * @journal_lost: Records
 * @sut, @suts:	Where they are and how they fare
 * @kind, @kinds: Of differences, the most frequent first
 */
struct top_view {
	uint64_t elapsed;
	uint64_t flows;
	uint64_t requests;
	uint64_t verdict[VERDICT_COUNT];
	uint64_t behind[2];
	uint64_t missed;
	uint64_t journal_lost;
	struct {
		struct ipaddr ip;
		const char *state;
		uint64_t down; /* ns, in all */
		uint32_t times;
	} sut[TOP_SUTS];
	unsigned suts;
	struct {
		uint64_t n;
		const char *reason;
		char name[TOP_NAME];
		size_t len;
	} kind[TOP_KINDS];
	unsigned kinds;
};

/**
 * top_view() - Pick it from an engine
 * @by:		What is redacted of captured bytes
 * @now:	Of the engine
 *
 * @elapsed, @missed and @journal_lost are the caller's, and stay.
 */
void top_view(struct top_view *out, const struct engine *e,
	      const struct redact *by, uint64_t now);

/**
 * struct top - A screen; zeroes at first
 * @drawn:	Lines that stand on the terminal, above the cursor
 * @requests, @at: What it said before
 */
struct top {
	unsigned drawn;
	uint64_t requests;
	uint64_t at;
};

/**
 * top_draw() - Draw it over the one before
 * @columns, @rows: Of the terminal; no line is as wide, and no more lines are
 *		drawn than fit
 * @out:	TOP_TEXT bytes
 *
 * Return: bytes for the terminal
 */
size_t top_draw(struct top *t, const struct top_view *v, unsigned columns,
		unsigned rows, char *out);

/** top_clear() - Take it away, for a message. Return: bytes, as above */
size_t top_clear(struct top *t, char *out);

#endif /* TOP_TOP_H */
