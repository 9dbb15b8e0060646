/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ring_grow.c - A lane that fills gets its larger memory
 *
 * Theory of operation
 *
 * The memory of a socket's ring cannot be changed while it is mapped, so each
 * lane has a spare socket (ring_open.c), which gets the larger memory and then
 * the lane's frames.
 *
 * To find and clear a hundred megabytes takes the kernel some 50 ms, and on a
 * virtual machine that has never touched them 250, in which a busy lane runs
 * full; and to close a packet socket waits until all processors have passed a
 * grace period of RCU, tens of milliseconds where they are busy. So a thread of
 * its own (ring_watch()) does both, and the reader, who is the only one to
 * touch lanes and filters, changes over when the memory is there. Each lane's
 * state is handed from one to the other:
 *
 *   RESTS --reader: it fills--> ASKED --thread--> HAD, or FAILED
 *         --reader: changed over, the former memory read empty--> LEFT
 *         --thread: that is closed--> GONE
 *
 * Without the thread the reader does all of it. A kernel that is not
 * preemptible clears the memory in one go, and who waits for that processor
 * waits as long: the thread leaves the reader's to the reader.
 */
#include "capture/ring_internal.h"

#include <assert.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* A lane is asked for more when it is full to a part in so many: later than
 * that frames are lost before the memory is there; earlier, every burst would
 * take it.
 */
#define EARLY 4u

enum grow_state { RESTS, ASKED, HAD, FAILED, LEFT, GONE };

/** struct ring_grower - The thread, and what it is asked for */
struct ring_grower {
	struct ring *ring;
	pthread_t thread;
	sem_t ask;
	sem_t runs; /* it does, and needs no more to begin */
	_Atomic bool quit;
	_Atomic int state[RING_LANES];	  /* enum grow_state */
	struct ring_lane old[RING_LANES]; /* LEFT: to be closed */
	_Atomic int reader; /* its processor when it asked; -1: unknown */
	cpu_set_t may;	    /* processors that we have; none: unknown */
};

static int have_memory(struct ring *r, unsigned i)
{
	size_t bytes = r->most * (i == LANE_SUPER ? RING_SUPER_FACTOR : 1);

	return ring_map(&r->spare[i], RING_V2, bytes, r->lane[i].slot_size);
}

/* Go to another processor than the reader's, if there is one. */
static void make_way(const struct ring_grower *g)
{
	cpu_set_t to = g->may;
	int cpu = g->reader;

	if (cpu < 0 || cpu >= CPU_SETSIZE)
		return;
	CPU_CLR((unsigned)cpu, &to);
	/* If it cannot, it is late and no more. */
	if (CPU_COUNT(&to) > 0)
		(void)sched_setaffinity(0, sizeof(to), &to);
}

/* What lane @i is waiting for. */
static void serve(struct ring_grower *g, unsigned i)
{
	if (g->state[i] == ASKED) {
		make_way(g);
		g->state[i] = have_memory(g->ring, i) == 0 ? HAD : FAILED;
	} else if (g->state[i] == LEFT) {
		ring_lane_close(&g->old[i]);
		g->state[i] = GONE;
	}
}

static void *grower_main(void *arg)
{
	struct ring_grower *g = arg;

	sem_post(&g->runs);
	while (!g->quit) {
		if (sem_wait(&g->ask) != 0)
			continue; /* a signal */
		for (unsigned i = 0; i < RING_LANES && !g->quit; i++)
			serve(g, i);
	}
	return NULL;
}

int ring_watch(struct ring *r)
{
	struct ring_grower *g;
	int rc;

	if (r->spares == 0)
		return 0;
	g = calloc(1, sizeof(*g));
	if (!g)
		return -ENOMEM;
	g->ring = r;
	if (sched_getaffinity(0, sizeof(g->may), &g->may) != 0)
		CPU_ZERO(&g->may);
	/* Neither fails: both begin at 0. */
	(void)sem_init(&g->ask, 0, 0);
	(void)sem_init(&g->runs, 0, 0);
	rc = pthread_create(&g->thread, NULL, grower_main, g);
	if (rc != 0) {
		free(g);
		return -rc;
	}
	while (sem_wait(&g->runs) != 0)
		continue; /* a signal */
	r->grower = g;
	return 0;
}

void ring_unwatch(struct ring *r)
{
	struct ring_grower *g = r->grower;

	if (!g)
		return;
	g->quit = true;
	sem_post(&g->ask);
	pthread_join(g->thread, NULL);
	for (unsigned i = 0; i < RING_LANES; i++)
		if (g->state[i] == LEFT)
			ring_lane_close(&g->old[i]);
	sem_destroy(&g->ask);
	sem_destroy(&g->runs);
	free(g);
	r->grower = NULL;
}

/* Does a lane begin to fill? */
static bool is_filling(const struct ring_lane *l)
{
	const struct tpacket2_hdr *h =
		(const void *)(l->map + (size_t)((l->cur + l->slots / EARLY) %
						 l->slots) *
						l->slot_size);

	return (__atomic_load_n(&h->tp_status, __ATOMIC_RELAXED) &
		TP_STATUS_USER) != 0;
}

/* How far is the memory of lane @i, which is asked for if the lane fills? */
static int ask(struct ring *r, unsigned i)
{
	struct ring_grower *g = r->grower;
	int state = g ? g->state[i] : RESTS;

	if (state != RESTS || !is_filling(&r->lane[i]))
		return state;
	if (!g)
		return have_memory(r, i) == 0 ? HAD : FAILED;
	g->reader = sched_getcpu();
	g->state[i] = ASKED;
	sem_post(&g->ask);
	return ASKED;
}

/* The spare of lane @i, which has memory, takes the lane's frames. */
static int change_over(struct ring *r, unsigned i)
{
	int rc = ring_attach(r->spare[i].fd, &r->filter[i]);

	return rc == 0 ? ring_shut(r->lane[i].fd) : rc;
}

void ring_leave(struct ring *r, unsigned i, struct ring_lane *l)
{
	struct ring_grower *g = r->grower;

	if (!g) {
		ring_lane_close(l);
		return;
	}
	assert(g->state[i] == HAD || g->state[i] == FAILED);
	g->old[i] = *l;
	memset(l, 0, sizeof(*l));
	g->state[i] = LEFT;
	sem_post(&g->ask);
}

unsigned ring_grow(struct ring *r)
{
	unsigned what = 0;

	for (unsigned i = 0; i < r->spares; i++) {
		int state = r->grown[i] ? RESTS : ask(r, i);

		if (state != HAD && state != FAILED)
			continue;
		r->grown[i] = true;
		if (state == FAILED || change_over(r, i) != 0) {
			/* Not a frame has come by it. */
			ring_leave(r, i, &r->spare[i]);
			(void)ring_attach(r->lane[i].fd, &r->filter[i]);
			r->stats.not_grown++;
			what |= RING_NOT_GROWN;
			continue;
		}
		r->former[i] = r->lane[i];
		r->lane[i] = r->spare[i];
		r->stats.grown++;
		what |= RING_GREW;
	}
	return what;
}
