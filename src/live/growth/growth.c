/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * growth.c - Lines of understudy vitals, taken as they come
 *
 * Theory of operation
 *
 * Who tells is another host, by a FIFO or a file that grows, and what it tells
 * may be anything. So a look takes READ_MOST bytes at most and never waits; a
 * line has a bound, and what is none is counted and passed over
 * (vitals/line.c). Its clock is not believed, nor needed: a value belongs to
 * the number of requests that the SUT had answered when its line was read, and
 * growth is told by requests. A server that idles has no growth by requests
 * then, however long it does, and none is told.
 *
 * A server that was started anew begins a new series. What it counts of itself
 * from its start (processor time, restarts) may go back: only what it went
 * forward by counts.
 */
#include "growth/growth.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_MOST     16384u /* bytes of a look */
#define REQUESTS_MOST (UINT64_MAX / AXIS)
/* vitals/series.c counts ns and tells seconds: a request is its second. */
#define AXIS UINT64_C(1000000000)

/**
 * struct growth - What is known
 * @line, @len:	Of a line that has not ended yet
 * @skip:	The rest of the line under way is passed over
 * @first:	Requests at the first look
 */
struct growth {
	int fd;
	char line[VITALS_LINE];
	size_t len;
	bool skip;
	uint64_t first;
	struct growth_found found;
	struct vitals_series rss;
	struct vitals_series fds;
	struct vitals_scratch scratch;
};

/* Of a file, what was there before the run is not its. */
static int begin(struct growth *g)
{
	struct stat st;
	char last = '\n';

	if (fstat(g->fd, &st) != 0)
		return -errno;
	if (S_ISFIFO(st.st_mode))
		return 0;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (lseek(g->fd, 0, SEEK_END) < 0)
		return -errno;
	if (st.st_size > 0 && pread(g->fd, &last, 1, st.st_size - 1) != 1)
		return -EIO;
	g->skip = last != '\n';
	return 0;
}

int growth_open(struct growth **out, const char *path, struct errbuf *e)
{
	struct growth *g;
	int r;

	if (!path) {
		*out = NULL;
		return 0;
	}
	g = calloc(1, sizeof(*g));
	if (!g)
		return errbuf_set(e, -ENOMEM, "no memory");
	g->fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	r = g->fd < 0 ? -errno : begin(g);
	if (r != 0) {
		growth_close(g);
		return errbuf_set(e, r, "--vitals %s: %s", path,
				  r == -EINVAL ? "is neither a file nor a FIFO"
					       : strerror(-r));
	}
	*out = g;
	return 0;
}

static void take(struct growth *g, const struct vitals_look *l,
		 uint64_t requests)
{
	struct growth_found *f = &g->found;
	uint64_t at = requests * AXIS;

	if (f->looks++ == 0) {
		g->first = requests;
		f->last = *l;
	}
	if (l->restarts != f->last.restarts) {
		f->restarts += l->restarts > f->last.restarts
				       ? l->restarts - f->last.restarts
				       : 1;
		memset(&g->rss, 0, sizeof(g->rss));
		memset(&g->fds, 0, sizeof(g->fds));
	} else if (l->cpu_us > f->last.cpu_us) {
		f->cpu_us += l->cpu_us - f->last.cpu_us;
	}
	f->requests = requests - g->first;
	f->last = *l;
	vitals_add(&g->rss, at, l->rss);
	if (l->fds != VITALS_UNSEEN)
		vitals_add(&g->fds, at, l->fds);
}

static void end_line(struct growth *g, uint64_t requests)
{
	struct vitals_look l;
	int r;

	if (!g->skip) {
		r = vitals_line(&l, g->line, g->len);
		if (r == 0)
			take(g, &l, requests);
		else if (r != -ENOMSG)
			g->found.bad++;
	}
	g->skip = false;
	g->len = 0;
}

static void put(struct growth *g, const char *p, size_t n, uint64_t requests)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i] == '\n') {
			end_line(g, requests);
		} else if (!g->skip && g->len == sizeof(g->line)) {
			g->found.bad++;
			g->skip = true;
		} else if (!g->skip) {
			g->line[g->len++] = p[i];
		}
	}
	assert(g->len <= sizeof(g->line));
}

void growth_look(struct growth *g, uint64_t requests)
{
	char some[READ_MOST];
	ssize_t n;

	if (!g)
		return;
	if (requests > REQUESTS_MOST)
		requests = REQUESTS_MOST;
	n = read(g->fd, some, sizeof(some));
	if (n > 0)
		put(g, some, (size_t)n, requests);
}

void growth_settle(struct growth *g)
{
	if (!g)
		return;
	vitals_grows(&g->rss, GROWTH_PER, VITALS_LEAK_BYTES, 1, &g->scratch,
		     &g->found.rss);
	vitals_grows(&g->fds, GROWTH_PER, VITALS_LEAK_FDS, 1, &g->scratch,
		     &g->found.fds);
}

const struct growth_found *growth_found(const struct growth *g)
{
	return g ? &g->found : NULL;
}

void growth_close(struct growth *g)
{
	if (g && g->fd >= 0)
		close(g->fd);
	free(g);
}
