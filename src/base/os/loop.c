/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * loop.c - Wait for descriptors, moments and signals
 *
 * Theory of operation
 *
 * epoll says which descriptors are ready, level-triggered: what a callback
 * leaves is told again, unless it asked for edges. A timer is a timerfd of its
 * own, as a caller has few; a signalfd is a descriptor like another.
 *
 * A callback may drop what the same wait has found ready, and even add it
 * again. So each wait is a round with a number: who is not in the loop any more
 * when his turn comes, or was put in it in this round, is not called. The
 * memory of a dropped watch is only looked at while its wait lasts: who frees
 * it in a callback drops it first, and the loop takes it out of what was found.
 */
#include "os/loop.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "core/limits.h"
#include "os/clock.h"

#define FOUND_MAX 64 /* of one wait; the rest is found by the next */

struct loop {
	int epoll;
	bool over;
	uint64_t round;
	struct epoll_event found[FOUND_MAX];
	int n;
};

int loop_open(struct loop **out)
{
	struct loop *l = calloc(1, sizeof(*l));
	int r = 0;

	if (!l)
		return -ENOMEM;
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (l->epoll < 0) {
		r = -errno;
		free(l);
		return r;
	}
	*out = l;
	return 0;
}

void loop_close(struct loop *l)
{
	if (!l)
		return;
	close(l->epoll);
	free(l);
}

#define EDGES (EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET)

static int add(struct loop *l, struct loop_watch *w, int fd, bool timer,
	       uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = w };

	if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &ev) != 0)
		return -errno;
	w->fd = fd;
	w->timer = timer;
	w->on = true;
	w->round = l->round;
	return 0;
}

int loop_add(struct loop *l, struct loop_watch *w, int fd)
{
	return add(l, w, fd, false, EPOLLIN);
}

int loop_add_edges(struct loop *l, struct loop_watch *w, int fd)
{
	return add(l, w, fd, false, EDGES);
}

void loop_turn(struct loop *l, struct loop_watch *w, bool writes)
{
	struct epoll_event ev = { .events = writes ? EPOLLOUT : EPOLLIN,
				  .data.ptr = w };

	(void)epoll_ctl(l->epoll, EPOLL_CTL_MOD, w->fd, &ev);
}

int loop_timer(struct loop *l, struct loop_watch *w)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	int r = fd < 0 ? -errno : add(l, w, fd, true, EPOLLIN);

	if (r != 0 && fd >= 0)
		close(fd);
	return r;
}

void loop_set(struct loop_watch *w, uint64_t at)
{
	struct itimerspec t = { .it_value = { 0 } };

	/* 0 would mean never; the past is told at once. */
	if (at != UINT64_MAX) {
		t.it_value.tv_sec = (time_t)(at / NS_PER_SEC);
		t.it_value.tv_nsec = at > 0 ? (long)(at % NS_PER_SEC) : 1;
	}
	(void)timerfd_settime(w->fd, TFD_TIMER_ABSTIME, &t, NULL);
}

void loop_drop(struct loop *l, struct loop_watch *w)
{
	if (!w->on)
		return;
	w->on = false;
	(void)epoll_ctl(l->epoll, EPOLL_CTL_DEL, w->fd, NULL);
	if (w->timer)
		close(w->fd);
	for (int i = 0; i < l->n; i++)
		if (l->found[i].data.ptr == w)
			l->found[i].data.ptr = NULL;
}

/* Return: whether it was called */
static bool call(struct loop *l, struct loop_watch *w, uint64_t now)
{
	uint64_t times;

	if (!w || w->round == l->round)
		return false;
	/* Set again in this round, by another's callback: it is not its time.
	 */
	if (w->timer && read(w->fd, &times, sizeof(times)) < 0)
		return false;
	w->ready(w->ctx, now);
	return true;
}

static int milliseconds(uint64_t most)
{
	if (most > (uint64_t)INT32_MAX * NS_PER_MS)
		return -1;
	return (int)((most + NS_PER_MS - 1) / NS_PER_MS);
}

unsigned loop_wait(struct loop *l, uint64_t most)
{
	unsigned called = 0;
	uint64_t now;

	l->n = epoll_wait(l->epoll, l->found, FOUND_MAX, milliseconds(most));
	l->round++;
	now = clock_mono();
	for (int i = 0; i < l->n; i++)
		called += call(l, l->found[i].data.ptr, now);
	l->n = 0;
	return called;
}

void loop_run(struct loop *l)
{
	l->over = false;
	while (!l->over)
		loop_wait(l, UINT64_MAX);
}

void loop_end(struct loop *l)
{
	l->over = true;
}
