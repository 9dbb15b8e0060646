/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prometheus.c - What a run counts, in a file for Prometheus
 *
 * Theory of operation
 *
 * node_exporter's textfile collector reads each FILE.prom of a folder whenever
 * it is asked, so the file must be whole at any moment: a new one is written
 * beside it and takes its name (rename(2)). That other user reads it, so it is
 * readable for all; it holds numbers alone.
 *
 * The packet thread copies the counters every PROM_EVERY and no more, some
 * kilobytes. A thread of its own makes them text, as a control socket would
 * show them (ctl/show.c), and waits for the disk: a disk that hangs costs
 * copies, not packets (I37).
 */
#include "account/prometheus.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/drain.h"
#include "os/folder.h"

#define TEXT_MAX   (256u << 10)
#define RING_BYTES (64u << 10)
#define BESIDE	   1 /* the number of the file beside */

_Static_assert(sizeof(struct prom_copy) <= RING_BYTES / 2,
	       "a copy finds room at any place of the ring");

struct prom {
	struct drain *drain;
	struct maker *maker;
	char *path;
	char *beside;
	uint64_t lost; /* copies; the packet thread's */
	int error;     /* the thread's; read when it has ended */
	struct prom_copy copy;
	char text[TEXT_MAX];
};

/* --- text --- */

#define NOW_GAUGES(X, T)                                                       \
	X(T, flows, "", "flows in the table")                                  \
	X(T, pool_used, "bytes", "bytes of the pool in use")                   \
	X(T, pool, "bytes", "bytes of the pool")                               \
	X(T, datagrams_open, "", "datagrams that wait for an answer")          \
	X(T, timers, "", "timers that run")                                    \
	X(T, copies_lost, "", "times that the file was not written: no room")

static const struct counter now_rows[] = { NOW_GAUGES(COUNTER_ROW,
						      struct prom_now) };
static const struct counter_list now_list = COUNTER_LIST(now_rows);

#define ANSWERS(X, T)                                                          \
	X(T, identical, "", "answers that are the same, byte by byte")         \
	X(T, equivalent, "", "answers that mean the same")                     \
	X(T, different, "", "answers that differ")                             \
	X(T, not_compared, "", "answers that were not compared")

static const struct counter answer_rows[] = { ANSWERS(COUNTER_ROW,
						      struct prom_answers) };
static const struct counter_list answer_list = COUNTER_LIST(answer_rows);

#define X(id, name)                                                            \
	{ name, "", "answers that are so for this reason",                     \
	  (id) * sizeof(uint64_t) },
static const struct counter reason_rows[] = { COMPARE_REASONS(X) };
#undef X
static const struct counter_list reason_list = {
	reason_rows + 1, REASON_COUNT - 1 /* without REASON_NONE */
};

/* --- groups; of each there is one struct, in the copy --- */

#define FIND(name, where)                                                      \
	static bool find_##name(void *ctx, unsigned i, struct ctl_item *out)   \
	{                                                                      \
		const struct prom_copy *c = ctx;                               \
                                                                               \
		(void)i;                                                       \
		out->gauges = out->counters = (where);                         \
		return true;                                                   \
	}

FIND(now, &c->now)
FIND(answers, &c->answers)
FIND(different, c->different)
FIND(not_compared, c->not_compared)
FIND(machine, &c->machine)
FIND(frames, &c->frames)
FIND(datagrams, &c->datagrams)
FIND(sink, &c->sink)
FIND(mirror_ring, &c->ring[0])
FIND(sut_ring, &c->ring[1])

static const struct ctl_group always[] = {
	{ "now", "now", 0, NULL, &now_list, find_now },
	{ "answers", "answers", 0, &answer_list, NULL, find_answers },
	{ "different", "different answers, by reason", 0, &reason_list, NULL,
	  find_different },
	{ "not_compared", "answers that were not compared, by reason", 0,
	  &reason_list, NULL, find_not_compared },
	{ "machine", "machine", 0, &shadow_counter_list, NULL, find_machine },
	{ "frames", "frames", 0, &engine_counter_list, NULL, find_frames },
	{ "datagrams", "datagrams", 0, &udp_counter_list, NULL,
	  find_datagrams },
	{ "sink", "sink", 0, &sink_counter_list, NULL, find_sink },
};

static const struct ctl_group rings[] = {
	{ "mirror_ring", "the mirror's ring", 0, &ring_counter_list, NULL,
	  find_mirror_ring },
	{ "sut_ring", "the ring of the SUT's wire", 0, &ring_counter_list, NULL,
	  find_sut_ring },
};

#define ALWAYS (sizeof(always) / sizeof(always[0]))

_Static_assert(ALWAYS + 2 == PROM_GROUPS, "a view has room for all");

void prom_view(struct prom_view *v, const bool has_ring[2])
{
	memcpy(v->group, always, sizeof(always));
	v->groups = ALWAYS;
	for (int i = 0; i < 2; i++)
		if (has_ring[i])
			v->group[v->groups++] = rings[i];
}

size_t prom_text(struct prom_copy *c, char *out, size_t size)
{
	struct prom_view v;
	struct text t;

	prom_view(&v, c->has_ring);
	text_begin(&t, out, size);
	ctl_show_prometheus(
		&(struct ctl_shown){ "shadow", v.group, v.groups, c }, &t);
	return t.full ? 0 : t.len;
}

/* --- its thread --- */

static int write_all(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t w = write(fd, p, n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			return -errno;
		p += w;
		n -= (size_t)w;
	}
	return 0;
}

static int make(struct prom *m)
{
	return m->maker ? maker_make(m->maker, BESIDE)
			: folder_make(AT_FDCWD, m->beside);
}

static int replace(struct prom *m)
{
	if (m->maker)
		return maker_replace(m->maker, BESIDE);
	return renameat(AT_FDCWD, m->beside, AT_FDCWD, m->path) ? -errno : 0;
}

static void drop(struct prom *m)
{
	if (m->maker)
		(void)maker_remove(m->maker, BESIDE);
	else
		unlinkat(AT_FDCWD, m->beside, 0);
}

static int write_file(struct prom *m, size_t n)
{
	int fd = make(m);
	int r = 0;

	if (fd < 0)
		return fd;
	if (!m->maker && fchmod(fd, FOLDER_READ_MODE) != 0)
		r = -errno;
	if (r == 0)
		r = write_all(fd, m->text, n);
	if (close(fd) != 0 && r == 0)
		r = -errno;
	if (r == 0)
		r = replace(m);
	if (r != 0)
		drop(m);
	return r;
}

static void on_record(void *ctx, const uint8_t *p, uint32_t len)
{
	struct prom *m = ctx;
	size_t n;
	int r;

	memcpy(&m->copy, p, len);
	n = prom_text(&m->copy, m->text, sizeof(m->text));
	r = n > 0 ? write_file(m, n) : -ENOSPC;
	if (m->error == 0)
		m->error = r;
}

/* --- who puts --- */

static void prom_free(struct prom *m)
{
	free(m->path);
	free(m->beside);
	free(m);
}

int prom_open(struct prom **out, const char *path, struct maker *maker)
{
	static const struct drain_ops ops = { .record = on_record };
	struct prom *m = calloc(1, sizeof(*m));
	size_t n = strlen(path) + 2;
	int r;

	if (!m)
		return -ENOMEM;
	m->maker = maker;
	m->path = strdup(path);
	m->beside = malloc(n);
	if (!m->path || !m->beside) {
		prom_free(m);
		return -ENOMEM;
	}
	snprintf(m->beside, n, "%s1", path);
	r = drain_start(&m->drain, RING_BYTES, &ops, m);
	if (r != 0)
		prom_free(m);
	else
		*out = m;
	return r;
}

void prom_put(struct prom *m, const struct prom_copy *c)
{
	struct spsc *ring = drain_ring(m->drain);
	uint8_t *p = spsc_reserve(ring, sizeof(*c));

	if (!p) {
		m->lost++;
		return;
	}
	memcpy(p, c, sizeof(*c));
	spsc_commit(ring);
}

uint64_t prom_lost(const struct prom *m)
{
	return m->lost;
}

int prom_close(struct prom *m)
{
	int r;

	if (!m)
		return 0;
	drain_stop(m->drain);
	r = m->error;
	prom_free(m);
	return r;
}
