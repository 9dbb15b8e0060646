/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * back.c - A pair ends at a cut, and the caller has two sockets again
 *
 * Theory of operation
 *
 * Once a pair is joined its sockets are closed, and all that they knew is in
 * the router: where the cuts are (splice/cut.h), and so the numbers of the
 * sockets that will follow. These are made at once, while what is to cross
 * still flows: in TCP_REPAIR a socket is given its numbers, is connected
 * without a packet, and left alone. The router is told for which cuts they are.
 * When they are reached it hands what comes to them, in the middle of a
 * segment's way; we hear of it afterwards.
 *
 * If a cut has moved back meanwhile, or is reached before the sockets are
 * there, all is held until they are: then they are made when we hear of it.
 *
 * Timestamps of the new socket begin ahead of what was relayed, since more will
 * be: TSvals of its peer's other end go on until the cut, at a clock that may
 * be a little faster than ours (RFC 7323 section 5.4).
 *
 * Before it is joined, a pair has its sockets still. What came beyond a cut is
 * in them, and what was sent on is taken out of them (pre.c).
 */
#include <assert.h>
#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/seq.h"
#include "core/seqmap.h"
#include "join/usplice_internal.h"

/* Ahead of the newest TSval that was relayed; even: the unit is 1 ms. */
#define TS_AHEAD 1000u

/* What an end may have been offered beyond this it is not offered any more. */
#define WINDOW_MOST 65535u

#define MSS_MOST 32767 /* that TCP_MAXSEG takes */

#define KIND_MSS  2
#define KIND_WS	  3
#define KIND_SACK 4
#define KIND_TS	  8

static int set(int fd, int level, int name, const void *v, socklen_t n)
{
	return setsockopt(fd, level, name, v, n) == 0 ? 0 : -errno;
}

static int set_int(int fd, int level, int name, int v)
{
	return set(fd, level, name, &v, sizeof(v));
}

/* Numbers of one of its two queues. */
static int set_seq(int fd, int queue, uint32_t seq)
{
	int rc = set_int(fd, IPPROTO_TCP, TCP_REPAIR_QUEUE, queue);

	return rc != 0 ? rc
		       : set(fd, IPPROTO_TCP, TCP_QUEUE_SEQ, &seq, sizeof(seq));
}

/* What both had agreed on; ECN is not among what can be had again. */
static int set_options(int fd, const struct splice_pair *k, enum dir d,
		       uint16_t mss)
{
	const struct splice_side *i = &k->side[d];
	struct tcp_repair_opt o[4];
	uint32_t ts = (i->tsval + TS_AHEAD) & ~1u;
	unsigned n = 0;
	int rc;

	o[n++] = (struct tcp_repair_opt){ KIND_MSS, mss };
	o[n++] = (struct tcp_repair_opt){ KIND_WS,
					  i->scale | (uint32_t)i->told << 16 };
	if (k->flags & SPLICE_PAIR_SACK)
		o[n++] = (struct tcp_repair_opt){ KIND_SACK, 0 };
	if (k->flags & SPLICE_PAIR_TS)
		o[n++] = (struct tcp_repair_opt){ KIND_TS, 0 };
	rc = set(fd, IPPROTO_TCP, TCP_REPAIR_OPTIONS, o,
		 (socklen_t)(n * sizeof(o[0])));
	if (rc == 0 && (k->flags & SPLICE_PAIR_TS))
		rc = set(fd, IPPROTO_TCP, TCP_TIMESTAMP, &ts, sizeof(ts));
	return rc;
}

static uint32_t window_of(const struct splice_side *i)
{
	uint32_t w = i->hi - i->lo;

	return w < WINDOW_MOST ? w : WINDOW_MOST;
}

static int set_windows(int fd, const struct splice_pair *k, enum dir d)
{
	uint32_t rcv_nxt = k->side[d].cut;
	struct tcp_repair_window w = {
		.snd_wl1 = rcv_nxt,
		.snd_wnd = window_of(&k->side[dir_reverse(d)]),
		.max_window = WINDOW_MOST,
		.rcv_wnd = window_of(&k->side[d]),
		.rcv_wup = rcv_nxt,
	};

	return set(fd, IPPROTO_TCP, TCP_REPAIR_WINDOW, &w, sizeof(w));
}

/* A socket in repair becomes the one behind the cut that faces the peer of
 * side[d].
 */
static int fill(const struct usplice_pair *p, const struct splice_pair *k,
		enum dir d, int fd)
{
	enum dir r = dir_reverse(d);
	bool foreign = d == DIR_S2C && p->s->o.mark != 0;
	int rc = pair_bind(fd, &p->tuple[d], foreign);

	if (rc == 0)
		rc = set_seq(fd, TCP_SEND_QUEUE,
			     seqmap_seq(&k->map, r, k->side[r].cut));
	if (rc == 0)
		rc = set_seq(fd, TCP_RECV_QUEUE, k->side[d].cut);
	/* It begins with this size; the options say only what is the most. */
	if (rc == 0)
		rc = set_int(fd, IPPROTO_TCP, TCP_MAXSEG,
			     p->mss[d] < MSS_MOST ? p->mss[d] : MSS_MOST);
	if (rc == 0)
		rc = pre_ask(fd, &p->tuple[d]);
	if (rc == 0)
		rc = set_options(fd, k, d, p->mss[d]);
	if (rc == 0)
		rc = set_windows(fd, k, d);
	if (rc == 0)
		rc = set_int(fd, IPPROTO_TCP, TCP_REPAIR, TCP_REPAIR_OFF_NO_WP);
	if (rc != 0)
		return rc;
	/* Of a listener's kind, or it could not be opened again. */
	if (d == DIR_C2S)
		(void)set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	(void)set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	pre_keep_urgent(fd);
	return 0;
}

/* Return: a descriptor or -Exxx */
static int make(const struct usplice_pair *p, const struct splice_pair *k,
		enum dir d)
{
	int family = (k->flags & SPLICE_PAIR_IP6) ? AF_INET6 : AF_INET;
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int rc;

	if (fd < 0)
		return -errno;
	rc = set_int(fd, IPPROTO_TCP, TCP_REPAIR, TCP_REPAIR_ON);
	if (rc == 0)
		rc = fill(p, k, d, fd);
	if (rc == 0)
		return fd;
	close(fd);
	return rc;
}

void back_drop(struct usplice_pair *p)
{
	for (enum dir d = DIR_C2S; d < DIR_COUNT; d++) {
		if (p->fd[d] < 0)
			continue;
		(void)set_int(p->fd[d], IPPROTO_TCP, TCP_REPAIR, TCP_REPAIR_ON);
		close(p->fd[d]);
		p->fd[d] = -1;
	}
}

static void lost(struct usplice_pair *p)
{
	router_forget(p->s->router, &p->name);
	pair_over(p, USPLICE_LOST);
}

/* The sockets are there, and the caller may have them. */
static void apart(struct usplice_pair *p)
{
	for (enum dir d = DIR_C2S; d < DIR_COUNT; d++)
		assert(p->fd[d] >= 0);
	p->s->counters.cut += p->state == PAIR_SPLICED;
	p->state = PAIR_APART;
	pair_note(p, USPLICE_CUT);
}

/* Make both, for where the cuts are now. Return: 0; -EAGAIN: they have moved;
 * or -Exxx
 */
static int make_both(struct usplice_pair *p, struct splice_pair *k)
{
	uint32_t cut[DIR_COUNT];
	uint32_t events;
	int rc = router_look(p->s->router, &p->name, k);

	if (rc != 0)
		return rc;
	for (enum dir d = DIR_C2S; d < DIR_COUNT; d++) {
		cut[d] = k->side[d].cut;
		p->fd[d] = make(p, k, d);
		if (p->fd[d] < 0)
			return p->fd[d];
	}
	rc = router_cut(p->s->router, &p->name, JOIN_CUT_READY, cut, &events);
	for (enum dir d = DIR_C2S; d < DIR_COUNT; d++)
		p->crossed[d] = cut[d] - k->side[d].from;
	return rc == -EINVAL ? -EAGAIN : rc;
}

void back_joined(struct usplice_pair *p)
{
	struct splice_pair k;
	int rc;

	assert(p->state == PAIR_SPLICED && p->has_cut);
	if (router_look(p->s->router, &p->name, &k) != 0)
		return;
	/* Of one that ends already, or whose cut moves, we hear later. */
	if (!splice_has_cut(&k) || splice_in_timewait(&k))
		return;
	rc = make_both(p, &k);
	if (rc == -EAGAIN)
		back_drop(p);
	else if (rc != 0)
		lost(p);
}

void back_cut(struct usplice_pair *p)
{
	struct splice_pair k;
	int rc = -EAGAIN;

	if (p->state == PAIR_PRE) {
		pre_apart(p);
		apart(p);
		return;
	}
	if (p->state != PAIR_SPLICED)
		return;
	/* Those that were made are the right ones, or all is held. */
	if (router_look(p->s->router, &p->name, &k) != 0)
		return;
	if (p->fd[DIR_C2S] >= 0 && !splice_has_cut(&k)) {
		apart(p);
		return;
	}
	back_drop(p);
	for (int i = 0; i < 2 && rc == -EAGAIN; i++) {
		back_drop(p);
		rc = make_both(p, &k);
	}
	if (rc == 0)
		apart(p);
	else
		lost(p);
}

/* Return: 0 or -Exxx; the pair may be over then, or apart */
static int cut_now(struct usplice_pair *p)
{
	uint32_t events = 0;
	int rc =
		router_cut(p->s->router, &p->name, JOIN_CUT_NOW, NULL, &events);

	if (rc != 0)
		return rc;
	back_drop(p);
	if (events & SPLICE_EV_CUT)
		back_cut(p);
	return 0;
}

/* Something of direction @d came from beyond its cut. */
static void held(struct usplice_pair *p, enum dir d)
{
	const struct splice_side *o;
	struct splice_pair k;

	if (p->state != PAIR_SPLICED || !p->has_cut ||
	    router_look(p->s->router, &p->name, &k) != 0)
		return;
	/* Who sends what cannot cross is not kept waiting for what still may,
	 * the other way.
	 */
	o = &k.side[dir_reverse(d)];
	if (splice_has_cut(&k) && seq_lt(o->end, o->cut))
		(void)cut_now(p);
}

void back_event(struct usplice_pair *p, enum dir d, uint32_t events)
{
	if (p->state == PAIR_OVER)
		return;
	if (events & SPLICE_EV_CUT)
		back_cut(p);
	else if (events & SPLICE_EV_HELD)
		held(p, d);
}

int usplice_cut(struct usplice_pair *p, const uint32_t bytes[USPLICE_DIRS])
{
	if (bytes) {
		if (p->state != PAIR_INTENDED)
			return -EINVAL;
		if (bytes[USPLICE_C2S] > SPLICE_CUT_MOST ||
		    bytes[USPLICE_S2C] > SPLICE_CUT_MOST)
			return -ERANGE;
		p->cut[DIR_C2S] = bytes[USPLICE_C2S];
		p->cut[DIR_S2C] = bytes[USPLICE_S2C];
		p->has_cut = true;
		return 0;
	}
	if (p->state != PAIR_SPLICED || !p->has_cut)
		return -EINVAL;
	return cut_now(p);
}

int usplice_unsplice(struct usplice_pair *p, int fd[USPLICE_DIRS],
		     uint32_t crossed[USPLICE_DIRS])
{
	if (p->state != PAIR_APART)
		return -EAGAIN;
	fd[USPLICE_C2S] = p->fd[DIR_C2S];
	fd[USPLICE_S2C] = p->fd[DIR_S2C];
	crossed[USPLICE_C2S] = p->crossed[DIR_C2S];
	crossed[USPLICE_S2C] = p->crossed[DIR_S2C];
	p->looked = 0;
	p->spoken = p->held = p->has_cut = false;
	memset(p->sent, 0, sizeof(p->sent));
	memset(p->ended, 0, sizeof(p->ended));
	memset(p->hurried, 0, sizeof(p->hurried));
	p->state = PAIR_INTENDED;
	return 0;
}
