/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ahead.c - A long file read by two threads, in order, through a small window
 *
 * Theory of operation
 *
 * Copying a file out of the page cache costs as much as looking at its headers,
 * so it is worth a second processor. The file is read in chunks of AHEAD_CHUNK
 * into a ring that fits a cache. Who has nothing else to do takes the number of
 * the next chunk and reads it: the thread always, the consumer while it waits
 * for a chunk that the thread is at. So neither stands still, however the work
 * is spread between them.
 *
 * The ring is mapped twice, one copy behind the other: what begins at its end
 * and goes on at its front is contiguous, and nothing is ever moved.
 *
 * A chunk that is shorter than the others is the end of the file, also if the
 * file has grown since.
 */
#include "capture/ahead.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/**
 * struct ahead - The state; all but the ring's bytes under @lock
 * @base:	Position in the file of the first chunk
 * @ring:	The mapping, twice AHEAD_RING
 * @next:	Number of the next chunk that nobody reads yet
 * @free:	Chunks before this number are used up
 * @given:	Bytes that the consumer was given
 * @len:	Of each chunk in the ring: its bytes, or -Exxx
 * @ready:	It was read
 * @full:	Signalled when a chunk is ready
 * @room:	Signalled when one is used up, and at the end
 */
struct ahead {
	int fd;
	off_t base;
	uint8_t *ring;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t full;
	pthread_cond_t room;
	uint64_t next;
	uint64_t free;
	uint64_t given;
	ssize_t len[AHEAD_CHUNKS];
	bool ready[AHEAD_CHUNKS];
	bool over;
};

static uint8_t *map_twice(void)
{
	int fd = memfd_create("read-ahead", MFD_CLOEXEC);
	uint8_t *p = MAP_FAILED;
	bool good;

	if (fd < 0)
		return NULL;
	if (ftruncate(fd, (off_t)AHEAD_RING) == 0)
		p = mmap(NULL, 2 * AHEAD_RING, PROT_NONE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	good = p != MAP_FAILED;
	for (size_t i = 0; i < 2 && good; i++)
		good = mmap(p + i * AHEAD_RING, AHEAD_RING,
			    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd,
			    0) != MAP_FAILED;
	close(fd);
	if (p != MAP_FAILED && !good)
		munmap(p, 2 * AHEAD_RING);
	return good ? p : NULL;
}

/* Return: bytes, less than AHEAD_CHUNK at the end, or -Exxx */
static ssize_t read_whole(const struct ahead *a, uint64_t chunk)
{
	uint8_t *to = a->ring + chunk % AHEAD_CHUNKS * AHEAD_CHUNK;
	off_t at = a->base + (off_t)(chunk * AHEAD_CHUNK);
	size_t done = 0;

	while (done < AHEAD_CHUNK) {
		ssize_t n = pread(a->fd, to + done, AHEAD_CHUNK - done,
				  at + (off_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

/* Take the next chunk's number and read it; @lock is held, and let go of for
 * the time of the read. There must be room.
 */
static void read_next(struct ahead *a)
{
	uint64_t chunk = a->next++;
	ssize_t n;

	pthread_mutex_unlock(&a->lock);
	n = read_whole(a, chunk);
	pthread_mutex_lock(&a->lock);
	a->len[chunk % AHEAD_CHUNKS] = n;
	a->ready[chunk % AHEAD_CHUNKS] = true;
	/* Behind an end or an error nothing is needed. */
	if (n < (ssize_t)AHEAD_CHUNK)
		a->over = true;
	pthread_cond_signal(&a->full);
}

static bool has_room(const struct ahead *a)
{
	return !a->over && a->next < a->free + AHEAD_CHUNKS;
}

static void *reader(void *arg)
{
	struct ahead *a = arg;

	pthread_mutex_lock(&a->lock);
	while (!a->over) {
		if (has_room(a))
			read_next(a);
		else
			pthread_cond_wait(&a->room, &a->lock);
	}
	pthread_mutex_unlock(&a->lock);
	return NULL;
}

int ahead_open(struct ahead **out, int fd)
{
	struct ahead *a = calloc(1, sizeof(*a));
	int rc;

	if (!a)
		return -ENOMEM;
	a->fd = fd;
	a->base = lseek(fd, 0, SEEK_CUR);
	a->ring = a->base < 0 ? NULL : map_twice();
	if (!a->ring) {
		rc = a->base < 0 ? -ESPIPE : -ENOMEM;
		free(a);
		return rc;
	}
	pthread_mutex_init(&a->lock, NULL);
	pthread_cond_init(&a->full, NULL);
	pthread_cond_init(&a->room, NULL);
	rc = -pthread_create(&a->thread, NULL, reader, a);
	if (rc) {
		munmap(a->ring, 2 * AHEAD_RING);
		free(a);
		return rc;
	}
	*out = a;
	return 0;
}

uint8_t *ahead_bytes(const struct ahead *a)
{
	return a->ring;
}

ssize_t ahead_more(struct ahead *a, size_t unread)
{
	uint64_t used = (a->given - unread) / AHEAD_CHUNK;
	size_t slot = a->given / AHEAD_CHUNK % AHEAD_CHUNKS;
	ssize_t n;

	pthread_mutex_lock(&a->lock);
	if (used > a->free) {
		a->free = used;
		pthread_cond_signal(&a->room);
	}
	while (!a->ready[slot]) {
		if (has_room(a))
			read_next(a);
		else
			pthread_cond_wait(&a->full, &a->lock);
	}
	n = a->len[slot];
	if (n > 0)
		a->given += (uint64_t)n;
	/* An end, or an error, is told again when it is asked for again. */
	if (n == (ssize_t)AHEAD_CHUNK)
		a->ready[slot] = false;
	else if (n > 0)
		a->len[slot] = 0;
	pthread_mutex_unlock(&a->lock);
	return n;
}

void ahead_close(struct ahead *a)
{
	if (!a)
		return;
	pthread_mutex_lock(&a->lock);
	a->over = true;
	pthread_cond_signal(&a->room);
	pthread_mutex_unlock(&a->lock);
	pthread_join(a->thread, NULL);
	pthread_cond_destroy(&a->full);
	pthread_cond_destroy(&a->room);
	pthread_mutex_destroy(&a->lock);
	munmap(a->ring, 2 * AHEAD_RING);
	free(a);
}
