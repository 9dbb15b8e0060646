/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * maker.c - What a broker makes and removes
 *
 * Theory of operation
 *
 * The files that root asked for lie in root's folders, where another user makes
 * and removes none: the broker does (os/broker.c). It takes three requests:
 * make the file of this path with this number, remove one that it has made, and
 * give the one that it has made last the path's own name. Names are its own,
 * numbers never go down, a file is made with O_EXCL: nothing that was there can
 * be read, written or removed through it, but for the paths that may be
 * replaced. The threads that write the files ask one after another.
 */
#include "os/maker.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/broker.h"
#include "os/folder.h"

#define NAME_SIZE (NAME_MAX + 32) /* with a number behind the longest */

enum { REQUEST_MAKE = 1, REQUEST_REMOVE, REQUEST_REPLACE };

struct request {
	uint32_t path;
	uint32_t none;
	uint64_t number;
};

struct makers {
	pthread_mutex_t lock; /* of @broker */
	struct broker *broker;
	struct maker maker[MAKER_PATHS];
};

/* A path of the broker's process. @made is a ring of the newest numbers. */
struct place {
	int folder;
	const char *base;
	bool replaced;
	bool any;
	uint64_t last; /* number of the newest request to make one */
	uint64_t *made;
	uint64_t made_n;
};

/* --- in the broker's process --- */

static void place_name(const struct place *p, uint64_t number, char *name)
{
	if (number == 0)
		snprintf(name, NAME_SIZE, "%s", p->base);
	else
		snprintf(name, NAME_SIZE, "%s%llu", p->base,
			 (unsigned long long)number);
}

static int make_file(struct place *p, uint64_t number)
{
	char name[NAME_SIZE];
	int fd;

	if (p->any && number < p->last)
		return -EPERM;
	p->any = true;
	p->last = number;
	place_name(p, number, name);
	fd = folder_make(p->folder, name);
	if (fd >= 0 && p->replaced && fchmod(fd, FOLDER_READ_MODE) != 0) {
		int r = -errno;

		close(fd);
		unlinkat(p->folder, name, 0);
		return r;
	}
	if (fd >= 0 &&
	    (p->made_n == 0 || p->made[(p->made_n - 1) % MAKER_KEPT] != number))
		p->made[p->made_n++ % MAKER_KEPT] = number;
	return fd;
}

static int remove_file(struct place *p, uint64_t number)
{
	uint64_t n = p->made_n < MAKER_KEPT ? p->made_n : MAKER_KEPT;
	char name[NAME_SIZE];

	for (uint64_t i = 0; i < n; i++) {
		if (p->made[i] != number)
			continue;
		place_name(p, number, name);
		/* Once: the name may be another file's afterwards. A number
		 * that is never asked for takes its place.
		 */
		p->made[i] = UINT64_MAX;
		return unlinkat(p->folder, name, 0) ? -errno : 0;
	}
	return -EPERM;
}

/* The place of a request; NULL: nobody asks for that. */
static struct place *place_of(struct place *place, const struct request *q)
{
	if (q->path >= MAKER_PATHS || place[q->path].folder < 0 ||
	    q->number == UINT64_MAX)
		return NULL;
	return &place[q->path];
}

static int serve_make(void *ctx, const void *arg, int *fd)
{
	struct request q;
	struct place *p;

	memcpy(&q, arg, sizeof(q));
	p = place_of(ctx, &q);
	if (!p)
		return BROKER_END;
	*fd = make_file(p, q.number);
	return *fd;
}

static int serve_remove(void *ctx, const void *arg, int *fd)
{
	struct request q;
	struct place *p;

	(void)fd;
	memcpy(&q, arg, sizeof(q));
	p = place_of(ctx, &q);
	return p ? remove_file(p, q.number) : BROKER_END;
}

static int serve_replace(void *ctx, const void *arg, int *fd)
{
	char name[NAME_SIZE];
	struct request q;
	struct place *p;
	uint64_t *made;

	(void)fd;
	memcpy(&q, arg, sizeof(q));
	p = place_of(ctx, &q);
	if (!p)
		return BROKER_END;
	made = &p->made[(p->made_n - 1) % MAKER_KEPT];
	if (!p->replaced || q.number == 0 || p->made_n == 0 ||
	    *made != q.number)
		return -EPERM;
	*made = UINT64_MAX;
	place_name(p, q.number, name);
	return renameat(p->folder, name, p->folder, p->base) ? -errno : 0;
}

static const struct broker_request requests[] = {
	{ REQUEST_MAKE, sizeof(struct request), serve_make },
	{ REQUEST_REMOVE, sizeof(struct request), serve_remove },
	{ REQUEST_REPLACE, sizeof(struct request), serve_replace },
};

/* --- who uses it --- */

static int open_places(struct place *place, const char *const *path,
		       unsigned paths, struct errbuf *e)
{
	for (unsigned i = 0; i < paths; i++) {
		struct place *p = &place[i];

		if (!path[i])
			continue;
		p->folder = folder_open(path[i], &p->base);
		if (p->folder < 0)
			return errbuf_set(e, p->folder, "%s: %s", path[i],
					  strerror(-p->folder));
		if (strlen(p->base) > NAME_MAX)
			return errbuf_set(e, -ENAMETOOLONG, "%s: %s", path[i],
					  strerror(ENAMETOOLONG));
		p->made = calloc(MAKER_KEPT, sizeof(*p->made));
		if (!p->made)
			return errbuf_set(e, -ENOMEM, "no memory");
	}
	return 0;
}

static void close_places(struct place *place)
{
	for (unsigned i = 0; i < MAKER_PATHS; i++) {
		if (place[i].folder >= 0)
			close(place[i].folder);
		free(place[i].made);
	}
}

static void makers_free(struct makers *m)
{
	if (m)
		pthread_mutex_destroy(&m->lock);
	free(m);
}

static int start(struct makers *m, struct place *place, struct errbuf *e)
{
	struct broker_config c = { .request = requests,
				   .requests = sizeof(requests) /
					       sizeof(requests[0]),
				   .ctx = place,
				   .needs = SANDBOX_MAKE };

	_Static_assert(MAKER_PATHS <= BROKER_FOLDERS, "all have a place");
	for (unsigned i = 0; i < MAKER_PATHS; i++) {
		if (place[i].folder >= 0)
			c.folder[c.folders++] = place[i].folder;
		if (place[i].replaced)
			c.needs |= SANDBOX_REPLACE;
	}
	return broker_start(&m->broker, &c, e);
}

int makers_start(struct makers **out, const char *const *path, unsigned n,
		 unsigned replaced, struct errbuf *e)
{
	struct place place[MAKER_PATHS];
	struct makers *m = calloc(1, sizeof(*m));
	int r = !m || n > MAKER_PATHS ? -ENOMEM : 0;

	memset(place, 0, sizeof(place));
	for (uint32_t i = 0; i < MAKER_PATHS; i++) {
		place[i].folder = -1;
		place[i].replaced = (replaced >> i & 1) != 0;
		if (m)
			m->maker[i] = (struct maker){ m, i };
	}
	if (m)
		pthread_mutex_init(&m->lock, NULL);
	if (r == 0)
		r = open_places(place, path, n, e);
	else
		errbuf_set(e, r, "no memory");
	if (r == 0)
		r = start(m, place, e);
	close_places(place);
	if (r != 0)
		makers_free(m);
	else
		*out = m;
	return r;
}

struct maker *makers_of(struct makers *m, unsigned i)
{
	return m ? &m->maker[i] : NULL;
}

int makers_fd(const struct makers *m)
{
	return m ? broker_fd(m->broker) : -1;
}

void makers_dismiss(struct makers *m)
{
	broker_dismiss(m->broker);
}

void makers_stop(struct makers *m)
{
	if (!m)
		return;
	broker_stop(m->broker);
	makers_free(m);
}

static int ask(struct maker *m, uint32_t id, uint64_t number, int *fd)
{
	struct request q = { .path = m->path, .number = number };
	int r;

	pthread_mutex_lock(&m->of->lock);
	r = broker_ask(m->of->broker, id, &q, sizeof(q), fd);
	pthread_mutex_unlock(&m->of->lock);
	return r;
}

int maker_make(struct maker *m, uint64_t number)
{
	int fd = -1;
	int r = ask(m, REQUEST_MAKE, number, &fd);

	/* The number in the answer is the descriptor's in the other process. */
	if (r >= 0 && fd < 0)
		r = -EPIPE;
	return r < 0 ? r : fd;
}

int maker_remove(struct maker *m, uint64_t number)
{
	return ask(m, REQUEST_REMOVE, number, NULL);
}

int maker_replace(struct maker *m, uint64_t number)
{
	return ask(m, REQUEST_REPLACE, number, NULL);
}
