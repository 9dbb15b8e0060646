/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * evidence - Differences as packets: the segments of both sides, from a journal
 *
 * See evidence.c.
 */
#ifndef EVIDENCE_EVIDENCE_H
#define EVIDENCE_EVIDENCE_H

#include <stddef.h>
#include <stdint.h>

#include "redact/redact.h"
#include "report/report.h"

struct sampler; /* store/sample.h */

/**
 * struct evidence_config - What is asked for
 * @journal:	Path; journals that follow it are found beside it
 * @dir:	Where files are made, "d-NUMBER.pcapng"
 * @redact:	What is redacted; off: nothing is
 * @sampler:	Where samples go; NULL: nowhere
 * @moved:	Called now and then: it goes on
 */
struct evidence_config {
	const char *journal;
	const char *dir;
	const struct redact *redact;
	struct sampler *sampler;
	void (*moved)(void *ctx);
	void *ctx;
};

/**
 * struct evidence_counts - What came of it
 * @made:	Files
 * @none:	Differences of which the journal has no frame, or that are no
 *		TCP connection's
 */
struct evidence_counts {
	uint64_t made;
	uint64_t none;
};

#define EVIDENCE_MOST 200u /* differences */

/**
 * evidence_make() - Make files of differences
 * @d, @n:	At most EVIDENCE_MOST
 * @number:	Of each, for its name
 *
 * Return: 0, or -Exxx: the journal cannot be read, or not all is written
 */
int evidence_make(const struct evidence_config *c,
		  const struct report_difference *d, const int64_t *number,
		  size_t n, struct evidence_counts *out);

#endif /* EVIDENCE_EVIDENCE_H */
