/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * growth - How the SUT's process fares, by lines of understudy vitals
 *
 * See growth.c.
 */
#ifndef GROWTH_GROWTH_H
#define GROWTH_GROWTH_H

#include <stddef.h>
#include <stdint.h>

#include "os/errbuf.h"
#include "vitals/vitals.h"

#define GROWTH_LINE 2048u /* room for any line of it, of text or JSON */
#define GROWTH_PER  1e6	  /* requests, by which growth is told */

struct growth;

/**
 * struct growth_found - What came of it
 * @looks:	Lines that were read
 * @bad:	Lines that are none of understudy vitals, or too long
 * @restarts:	Of the server, while it was looked at
 * @requests:	That were answered between the first look and the last
 * @cpu_us:	Processor time of it meanwhile
 * @last:	Look
 * @rss, @fds:	Growth since the last restart, in GROWTH_PER requests
 */
struct growth_found {
	uint64_t looks;
	uint64_t bad;
	uint64_t restarts;
	uint64_t requests;
	uint64_t cpu_us;
	struct vitals_look last;
	struct vitals_growth rss;
	struct vitals_growth fds;
};

/**
 * growth_open() - Open the file or FIFO of --vitals; of a file its end
 * @path:	NULL: nothing is done, and @out is NULL
 *
 * Return: 0, or -Exxx with a sentence (@out untouched)
 */
int growth_open(struct growth **out, const char *path, struct errbuf *e);

/**
 * growth_look() - Take the lines that have come; never waits. NULL: nothing
 * @requests:	That the SUT has answered so far; never goes back
 */
void growth_look(struct growth *g, uint64_t requests);

/** growth_settle() - No more comes: judge. NULL: nothing */
void growth_settle(struct growth *g);

/** growth_found() - Once settled; NULL: NULL */
const struct growth_found *growth_found(const struct growth *g);

/** growth_text(), growth_json() - The same as text, and as a JSON line. Return:
 * bytes of @out, GROWTH_LINE at most
 */
size_t growth_text(const struct growth_found *f, char *out, size_t size);
size_t growth_json(const struct growth_found *f, char *out, size_t size);

/** growth_close() - NULL: nothing is done */
void growth_close(struct growth *g);

#endif /* GROWTH_GROWTH_H */
