/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * usplice.c - The library: what happens to pairs
 *
 * Theory of operation
 *
 * All that can happen comes by one descriptor of epoll: the router's events, a
 * timer, changes of routes and devices, and the sockets of pairs that are not
 * yet joined. usplice_next() takes what is there, notes what is to be told, and
 * tells it.
 *
 * The timer runs once a second while there are pairs, and at once if there is
 * something to tell that no descriptor shows. Once a second it has the program
 * let go of those that have said nothing for too long, and finds what events
 * that were lost would have told. Those in TIMEWAIT wait in a list, in the
 * order in which they came: the first one that is still there ends the search.
 * A call for each pair, once a second, would hold up all that come meanwhile.
 *
 * The router's events wake us at most once in JOIN_PAUSE; those that come
 * meanwhile are looked for when it is over. So many connections that begin and
 * end at once cost one wake-up, and their sockets are closed together.
 */
#include "join/usplice.h"

#include <assert.h>
#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "bpf/way.h"
#include "core/limits.h"
#include "join/usplice_internal.h"
#include "os/clock.h"
#include "os/errbuf.h"
#include "os/random.h"

#define EVENTS_AT_ONCE 64   /* of epoll */
#define TOLD_AT_ONCE   1024 /* of the router */
/* Pairs a second that are looked at, and if events were lost. */
#define LOOK_AT_ONCE 64
#define LOOK_LOST    1024
#define ROUNDS	     8 /* of epoll, until the caller has his turn */

/* RFC 5382 REQ-5: what a connection may not be forgotten before. */
#define OPENING	 (240 * NS_PER_SEC)
#define IDLE	 (7440 * NS_PER_SEC)
#define CLOSING	 (240 * NS_PER_SEC)
#define TIMEWAIT (4 * NS_PER_SEC)
/* What is forgotten before begins anew with the client's next SYN. */
#define HANDSHAKE (10 * NS_PER_SEC)

static uint64_t or_default(uint64_t ns, uint64_t given)
{
	return ns != 0 ? ns : given;
}

static int take_options(struct usplice *s, const struct usplice_options *o,
			struct errbuf *e)
{
	uint32_t start = 0;

	if (o)
		s->o = *o;
	s->o.opening = or_default(s->o.opening, OPENING);
	s->o.idle = or_default(s->o.idle, IDLE);
	s->o.closing = or_default(s->o.closing, CLOSING);
	s->o.timewait = or_default(s->o.timewait, TIMEWAIT);
	if (s->o.pairs == 0)
		s->o.pairs = JOIN_PAIRS;
	if (s->o.port_low == 0)
		s->o.port_low = 2048;
	if (s->o.port_high == 0)
		s->o.port_high = 32767;
	if (s->o.pairs > JOIN_PAIRS)
		return errbuf_set(e, -EINVAL, "pairs: 1 to %u", JOIN_PAIRS);
	if (s->o.port_low > s->o.port_high)
		return errbuf_set(e, -EINVAL, "ports: %u is above %u",
				  s->o.port_low, s->o.port_high);
	if ((s->o.flags & USPLICE_TCX) && (s->o.flags & USPLICE_CLSACT))
		return errbuf_set(e, -EINVAL, "tcx only and clsact only");
	/* Who was here before us began elsewhere. */
	random_bytes(&start, sizeof(start));
	if (s->o.key[0] == 0 && s->o.key[1] == 0)
		random_bytes(s->o.key, sizeof(s->o.key));
	s->next_port = (uint16_t)(s->o.port_low + start % (s->o.port_high -
							   s->o.port_low + 1u));
	if (!s->o.pin)
		return 0;
	if (strlen(s->o.pin) >= sizeof(s->pin))
		return errbuf_set(e, -ENAMETOOLONG, "pin: too long a path");
	strcpy(s->pin, s->o.pin);
	s->o.pin = s->pin;
	return 0;
}

static uint64_t limit_of(uint64_t ns)
{
	return ns == UINT64_MAX ? 0 : ns;
}

static struct splice_limits limits_of(const struct usplice *s)
{
	return (struct splice_limits){ .opening = limit_of(s->o.opening),
				       .idle = limit_of(s->o.idle),
				       .closing = limit_of(s->o.closing),
				       .timewait = s->o.timewait };
}

static int take_memory(struct usplice *s)
{
	s->n_pairs = 2 * s->o.pairs;
	s->pairs = calloc(s->n_pairs, sizeof(*s->pairs));
	s->by_place = malloc(s->o.pairs * sizeof(*s->by_place));
	if (!s->pairs || !s->by_place)
		return -ENOMEM;
	memset(s->by_place, 0xff, s->o.pairs * sizeof(*s->by_place));
	return 0;
}

static int wait_for(struct usplice *s, int fd, void *who)
{
	struct epoll_event e = { .events = EPOLLIN, .data.ptr = who };

	return epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &e) == 0 ? 0 : -errno;
}

static int open_waits(struct usplice *s, struct errbuf *e)
{
	int rc;

	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	s->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (s->epoll < 0 || s->timer < 0)
		return errbuf_set(e, -errno, "no epoll or timerfd");
	rc = wait_for(s, router_fd(s->router), s->router);
	if (rc == 0)
		rc = wait_for(s, s->timer, &s->timer);
	if (rc == 0)
		rc = wait_for(s, s->watch, &s->watch);
	return rc == 0 ? 0 : errbuf_set(e, rc, "epoll");
}

static int open_all(struct usplice *s, const struct usplice_options *o,
		    struct errbuf *e)
{
	struct router_config c;
	int rc = take_options(s, o, e);

	if (rc == 0)
		rc = take_memory(s);
	if (rc != 0)
		return rc;
	c = (struct router_config){ .pairs = s->o.pairs,
				    .limits = limits_of(s),
				    .key = { { s->o.key[0], s->o.key[1] } },
				    .mark = s->o.mark,
				    .pin = s->o.pin };
	if (c.limits.opening == 0 || c.limits.opening > HANDSHAKE)
		c.limits.opening = HANDSHAKE;
	rc = router_open(&s->router, &c, e);
	if (rc == 0)
		rc = ways_open(s, e);
	if (rc == 0)
		rc = open_waits(s, e);
	/* Who had the tables before us may have been woken for their events. */
	if (rc == 0 && s->o.pin)
		tick_set(s, 1);
	return rc;
}

int usplice_open(struct usplice **out, const struct usplice_options *o,
		 char *err, size_t errlen)
{
	struct usplice *s = calloc(1, sizeof(*s));
	struct errbuf e = { "" };
	int rc;

	if (!s)
		return -ENOMEM;
	s->epoll = s->timer = s->watch = s->routes = -1;
	s->follow_syn_at = UINT32_MAX;
	list_init(&s->free);
	list_init(&s->told);
	list_init(&s->late);
	s->peeks = pre_peeks();
	rc = open_all(s, o, &e);
	if (rc != 0) {
		if (errlen > 0)
			snprintf(err, errlen, "%s",
				 e.s[0] != '\0' ? e.s : strerror(-rc));
		usplice_close(s);
		return rc;
	}
	*out = s;
	return 0;
}

void usplice_close(struct usplice *s)
{
	if (!s)
		return;
	for (uint32_t i = 0; i < s->used; i++) {
		if (s->pairs[i].state == PAIR_PRE)
			pre_close(&s->pairs[i], false);
		else if (s->pairs[i].state == PAIR_SPLICED ||
			 s->pairs[i].state == PAIR_APART)
			back_drop(&s->pairs[i]);
	}
	if (s->router)
		ways_close(s);
	router_close(s->router);
	if (s->timer >= 0)
		close(s->timer);
	if (s->epoll >= 0)
		close(s->epoll);
	free(s->by_place);
	free(s->pairs);
	free(s);
}

int usplice_fd(const struct usplice *s)
{
	return s->epoll;
}

int usplice_init(struct usplice *s, int listener)
{
	int mss = s->o.mss;
	socklen_t n = sizeof(int);
	int one = 1, on = 0;

	if (setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)))
		return -errno;
	pre_keep_urgent(listener);
	/* Who has come to one that listens already has not inherited it. */
	if (getsockopt(listener, SOL_SOCKET, SO_ACCEPTCONN, &on, &n) != 0)
		return -errno;
	s->listeners++;
	s->prepared += on == 0;
	if (mss != 0 &&
	    setsockopt(listener, IPPROTO_TCP, TCP_MAXSEG, &mss, sizeof(mss)))
		return -errno;
	return 0;
}

/* --- what the router tells --- */

static const enum usplice_reason reason[SPLICE_OVERS] = {
	[SPLICE_NEVER_JOINED] = USPLICE_NEVER_SPLICED,
	[SPLICE_IDLE] = USPLICE_IDLE,
	[SPLICE_HALF_CLOSED] = USPLICE_HALF_CLOSED,
	[SPLICE_DONE] = USPLICE_DONE,
};

static void on_event(struct usplice *s, const struct join_event *e)
{
	struct usplice_pair *p = pair_find(s, &e->name);
	enum dir d = e->dir == DIR_C2S ? DIR_C2S : DIR_S2C;

	if (!p)
		return;
	for (int k = 0; k < DIR_COUNT; k++) {
		p->last.segments[k] = e->side[k].segments;
		p->last.bytes[k] = e->side[k].bytes;
		p->last.outside[k] = e->side[k].outside;
		p->last.acked[1 - k] = e->side[k].acked;
	}
	if (e->events == JOIN_EV_OVER) {
		assert(e->dir < SPLICE_OVERS);
		pair_over(p, reason[e->dir]);
		return;
	}
	/* Whatever else happens happens to a joined pair. */
	if (e->events != SPLICE_EV_CUT)
		pair_joined(p);
	back_event(p, d, e->events);
	if (p->state != PAIR_SPLICED)
		return;
	if (e->events & SPLICE_EV_FIN) {
		p->fin |= (uint8_t)(1u << d);
		pair_note(p, USPLICE_FIN);
	}
	if (e->events & SPLICE_EV_RESET) {
		p->reset |= (uint8_t)(1u << d);
		pair_ending(p, USPLICE_RESET);
	}
	if (e->events & SPLICE_EV_REVIVED) {
		list_del(&p->late);
		pair_note(p, USPLICE_REVIVED);
	}
	if (e->events & SPLICE_EV_TIMEWAIT)
		pair_ending(p, USPLICE_TIMEWAIT);
}

bool pairs_told(struct usplice *s)
{
	struct join_event e;
	int n = 0;

	while (n < TOLD_AT_ONCE && router_next(s->router, &e) == 1) {
		on_event(s, &e);
		n++;
	}
	return n > 0;
}

/* --- once a second --- */

/* Those of which the program has let go, and no event has told. */
static void end_late(struct usplice *s)
{
	while (!list_empty(&s->late)) {
		struct usplice_pair *p =
			list_entry(s->late.next, struct usplice_pair, late);

		if (pair_read(p) == 0)
			return;
		pair_over(p, USPLICE_DONE);
	}
}

/* What an event would have told of a pair that does not fit the ring. */
static void look_at(struct usplice_pair *p)
{
	struct splice_pair pair;

	if (p->state != PAIR_PRE && p->state != PAIR_SPLICED)
		return;
	if (router_look(p->s->router, &p->name, &pair) != 0) {
		pair_over(p,
			  p->state == PAIR_PRE ? USPLICE_LOST : USPLICE_DONE);
		return;
	}
	if (splice_is_live(&pair))
		pair_joined(p);
	else if (p->has_cut &&
		 (p->state == PAIR_SPLICED || !splice_has_cut(&pair)))
		back_cut(p);
	if (p->state == PAIR_SPLICED && splice_in_timewait(&pair) &&
	    list_empty(&p->late))
		pair_ending(p, (pair.flags & SPLICE_PAIR_RESET)
				       ? USPLICE_RESET
				       : USPLICE_TIMEWAIT);
}

/* All of them when events were lost; some, whatever happens. */
static void look(struct usplice *s)
{
	uint64_t n[JOIN_COUNTS];
	unsigned most = LOOK_AT_ONCE;

	if (router_counts(s->router, n) == 0 &&
	    n[JOIN_NO_EVENT] + n[JOIN_NO_QUEUE] != s->missed) {
		s->missed = n[JOIN_NO_EVENT] + n[JOIN_NO_QUEUE];
		s->to_look = s->used;
	}
	if (s->to_look > 0)
		most = s->to_look < LOOK_LOST ? s->to_look : LOOK_LOST;
	for (unsigned i = 0; i < most && i < s->used; i++) {
		s->look_at = s->look_at + 1 < s->used ? s->look_at + 1 : 0;
		look_at(&s->pairs[s->look_at]);
	}
	s->to_look -= most < s->to_look ? most : s->to_look;
}

static void once_a_second(struct usplice *s)
{
	struct splice_limits l = limits_of(s);
	uint64_t now = clock_mono();

	if (now < s->tick_at)
		return;
	router_sweep(s->router, &l, now, &s->sweep_at);
	pairs_told(s);
	end_late(s);
	look(s);
	s->tick_at = now + NS_PER_SEC;
}

static void on_timer(struct usplice *s)
{
	uint64_t runs, now, next;
	bool more;

	if (read(s->timer, &runs, sizeof(runs)) < 0)
		return;
	s->pausing = pairs_told(s);
	more = s->follow_at < s->used && ways_follow(s);
	if (!more && s->follow_syn_at != UINT32_MAX)
		more = passages_follow(s);
	once_a_second(s);
	s->ticking = false;
	now = clock_mono();
	next = more	    ? 1
	       : s->pausing ? JOIN_PAUSE
	       : s->live > 0 || s->n_passages > 0 || s->has_syn
		       ? (s->tick_at > now ? s->tick_at - now : 1)
		       : 0;
	if (next != 0)
		tick_set(s, next);
}

static void on_change(struct usplice *s)
{
	unsigned what = way_changes(s->watch);

	if (what != 0)
		ways_unlearn(s);
	if (what & WAY_HOOKS)
		ways_mend(s);
	if (what & WAY_ROUTES) {
		s->follow_at = 0;
		s->follow_syn_at = 0;
		tick_set(s, 1);
	}
}

/* --- and is told --- */

static void take_events(struct usplice *s)
{
	struct epoll_event e[EVENTS_AT_ONCE];
	int n = epoll_wait(s->epoll, e, EVENTS_AT_ONCE, 0);

	/* Also of those that wake nobody. */
	pairs_told(s);
	for (int i = 0; i < n; i++) {
		if (e[i].data.ptr == s->router)
			pause_set(s); /* what comes meanwhile wakes nobody */
		else if (e[i].data.ptr == &s->timer)
			on_timer(s);
		else if (e[i].data.ptr == &s->watch)
			on_change(s);
		else
			pre_event(e[i].data.ptr, e[i].events);
	}
	s->emptied = n < EVENTS_AT_ONCE;
}

/* Take the lowest bit of @bits. Return: its direction */
static enum usplice_dir take_dir(uint8_t *bits)
{
	enum usplice_dir d = (*bits & 1) ? USPLICE_C2S : USPLICE_S2C;

	*bits &= (uint8_t)(*bits - 1);
	return d;
}

static void tell(struct usplice_pair *p, struct usplice_note *n)
{
	struct usplice *s = p->s;
	enum usplice_event what = USPLICE_SPLICED;
	bool again = false;

	assert(p->notes != 0);
	if (p->notes & 1u << USPLICE_CONNECTED)
		what = USPLICE_CONNECTED;
	while (!(p->notes & 1u << what))
		what++;
	*n = (struct usplice_note){ .what = what,
				    .pair = p,
				    .user = p->user,
				    .reason = (enum usplice_reason)p->reason,
				    .error = p->error };
	if (what == USPLICE_FIN || what == USPLICE_RESET) {
		uint8_t *bits = what == USPLICE_FIN ? &p->fin : &p->reset;

		n->dir = take_dir(bits);
		again = *bits != 0;
	}
	if (!again)
		p->notes &= (uint8_t) ~(1u << what);
	if (p->notes == 0)
		list_del(&p->link);
	if (what == USPLICE_OVER)
		s->last = p;
}

int usplice_next(struct usplice *s, struct usplice_note *n)
{
	if (s->last)
		pair_free(s->last);
	s->last = NULL;
	s->inside = true;
	for (int i = 0; i < ROUNDS && list_empty(&s->told) && !s->emptied; i++)
		take_events(s);
	if (list_empty(&s->told)) {
		s->inside = s->emptied = false;
		return 0;
	}
	tell(list_entry(s->told.next, struct usplice_pair, link), n);
	return 1;
}

int usplice_stats(struct usplice_pair *p, struct usplice_stats *st)
{
	if (p->state != PAIR_OVER)
		pair_read(p);
	*st = p->last;
	return 0;
}

void usplice_tables(const struct usplice *s, int fd[2])
{
	router_tables(s->router, fd);
}

int usplice_counters(const struct usplice *s, struct usplice_counters *c)
{
	uint64_t n[JOIN_COUNTS];
	struct join_state state = { .used = 0 };
	int rc = router_counts(s->router, n);

	if (rc == 0)
		rc = router_state(s->router, &state);
	if (rc != 0)
		return rc;
	*c = s->counters;
	for (uint32_t i = 0; i < s->used; i++)
		c->live += s->pairs[i].state == PAIR_SPLICED;
	c->relayed = n[JOIN_RELAYED];
	c->to_stack = n[JOIN_TO_STACK];
	c->dropped = n[JOIN_DROPPED];
	c->too_long = n[JOIN_TOO_LONG];
	c->challenged = n[JOIN_CHALLENGED];
	c->failed = n[JOIN_FAILED];
	c->errors = n[JOIN_ERRORS];
	c->missed = n[JOIN_NO_EVENT] + n[JOIN_NO_QUEUE];
	c->syn_begun = n[JOIN_SYN_BEGUN];
	c->syn_closed = n[JOIN_SYN_CLOSED];
	c->syn_reset = n[JOIN_SYN_RESET];
	c->syn_idle = n[JOIN_SYN_IDLE];
	c->syn_half_closed = n[JOIN_SYN_HALF_CLOSED];
	c->syn_unopened = n[JOIN_SYN_UNOPENED];
	c->syn_live = state.syn_live;
	c->syn_opening = state.syn_opening;
	c->syn_full = n[JOIN_SYN_FULL];
	c->syn_ports = n[JOIN_SYN_PORTS];
	c->held = n[JOIN_HELD];
	return 0;
}

/* --- pairs that were there before us --- */

static int adopt(struct usplice *s, const struct join_name *name,
		 const struct splice_pair *pair, struct usplice_pair **out)
{
	struct usplice_pair *p = pair_take(s);

	if (!p)
		return -ENOSPC;
	for (enum dir d = DIR_C2S; d < DIR_COUNT; d++)
		p->tuple[d] = pair->side[d].tuple;
	p->state = PAIR_SPLICED;
	pair_named(p, name);
	if (ways_find(p) != 0)
		s->counters.astray++;
	else if (router_move(s->router, name, p->way) == 0)
		s->counters.moved++;
	if (splice_in_timewait(pair))
		pair_ending(p, USPLICE_TIMEWAIT);
	s->counters.adopted++;
	*out = p;
	return 1;
}

int usplice_adopt(struct usplice *s, struct usplice_pair **out)
{
	struct splice_pair pair;
	struct join_name name;

	while (router_each(s->router, &s->adopt_at, &name, &pair) == 1) {
		if (pair_find(s, &name))
			continue;
		if (pair.flags & SPLICE_PAIR_SYN) {
			/* These are nobody's, and go on; their ways may be
			 * others.
			 */
			s->has_syn = true;
			s->follow_syn_at = 0;
			tick_set(s, 1);
			continue;
		}
		if (splice_is_live(&pair) && !splice_has_cut(&pair))
			return adopt(s, &name, &pair, out);
		router_forget(s->router, &name);
	}
	return 0;
}
