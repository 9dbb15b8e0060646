/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * run.c - The loop of an end without another one
 *
 * Theory of operation
 *
 * Each packet that is routed into the device gets an IPv4 header in front (RFC
 * 2003) and goes to the end of one of the paths: a gateway that takes the
 * header off and routes what is in it on, or a host at which the tunnel ends.
 * None of these knows of us, so there is no session, no key, no feedback.
 *
 *	device -> a path's turn -> outer header -> socket of protocol 4
 *
 * What comes back has two ways. In packets of IP in IP, where the far end
 * sends such to us; or plain, through gateways that took its header off. Plain
 * packets would go to the host's own stack in the order of the paths' delays:
 * a program at the ingress of the device that they come by (--catch) leads
 * them into our device, so that we read them like those that the host sends,
 * and know them by their destination, which is our own address.
 *
 *	socket of protocol 4 -> outer header off -> source allowed? -.
 *	--catch: ingress -> our device -> source allowed? -----------+-> order
 *	order (ipip/reorder.h) -> device -> the host's stack
 *
 * Where nothing is to be put in order (--release off) all of that can be the
 * kernel's (kernel.c), and this loop sees no packet.
 *
 * All is opened first. Then the privileges go, and a filter leaves the system
 * calls of this loop; then the first byte is read.
 */
#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "core/bytes.h"
#include "ends/device.h"
#include "lone/lone_internal.h"
#include "os/clock.h"
#include "os/confine.h"
#include "os/log.h"
#include "os/mem.h"
#include "os/privileges.h"
#include "os/random.h"
#include "os/signals.h"

#define FLOWS 4096
#define POOL  (24u << 20)
#define MTU   (1500u - OUTER_HEADER)
#define TURN  64 /* packets of the device in a turn of the loop */

/* --- what came --- */

static void hand_on(struct lone *t)
{
	struct buf *f;

	while ((f = reorder_next(t->order))) {
		if (write(t->device, f->data, f->len) == (ssize_t)f->len)
			t->n.written++;
		else
			t->n.not_written++;
		reorder_done(t->order, f);
	}
}

/* A packet of the far end, which is IPv4. */
static void take_inner(struct lone *t, const uint8_t *p, uint32_t n,
		       const struct inner_head *h, uint64_t now)
{
	struct buf *f;

	if (!inner_allowed(h, t->o->allow, t->o->allows)) {
		t->n.not_allowed++;
		return;
	}
	f = reorder_frame(t->order, n);
	if (!f) {
		t->n.no_memory++;
		return;
	}
	memcpy(f->data, p, n);
	reorder_put(t->order, f, now);
	hand_on(t);
}

static void take_outer(struct lone *t, const struct raw_came *came,
		       uint64_t now)
{
	const uint8_t *src;
	struct inner_head h;
	struct lone_path *from;
	uint32_t at;
	enum outer_got got = outer_parse(came->p, came->n, &src, &at);

	t->n.came++;
	if (got == OUTER_BAD) {
		t->n.bad++;
		return;
	}
	from = lone_paths_find(t, src);
	if (!from) {
		t->n.unknown_peer++;
		return;
	}
	from->n.came++;
	if (got == OUTER_CUT)
		t->n.cut++;
	else if (got != OUTER_PACKET ||
		 inner_read(came->p + at, came->n - at, &h) != 0)
		t->n.bad++;
	else
		take_inner(t, came->p + at, came->n - at, &h, now);
}

/* --- what the device gives --- */

static bool is_ours(const struct lone *t, const struct ipaddr *a)
{
	for (unsigned i = 0; i < t->o->addrs; i++)
		if (ipaddr_eq(a, &t->o->addr[i].ip))
			return true;
	return false;
}

/* Is it a packet of the tunnel, routed into it? */
static bool loops(struct lone *t, const uint8_t *p)
{
	return p[9] == OUTER_PROTO && lone_paths_find(t, p + 16);
}

/* @p: raw_room()'s */
static void take_packet(struct lone *t, uint8_t *p, uint32_t n, uint64_t now)
{
	struct lone_path *path;
	struct inner_head h;

	t->n.read++;
	if (inner_read(p, n, &h) != 0 || !ipaddr_is4(&h.dst)) {
		t->n.not_ip4++;
	} else if (is_ours(t, &h.dst)) {
		t->n.caught++;
		take_inner(t, p, n, &h, now);
	} else if (loops(t, p)) {
		t->n.looped++;
	} else {
		path = lone_paths_choose(t, p, n);
		path->n.sent++;
		path->n.sent_bytes += n + OUTER_HEADER;
		raw_send(t->raw, &path->way, n);
	}
}

static void settle(struct lone *t, uint64_t now)
{
	uint64_t next;

	t->n.unsent += raw_flush(t->raw);
	reorder_timeout(t->order, now);
	hand_on(t);
	next = reorder_next_timeout(t->order);
	if (next != t->armed) {
		loop_set(&t->on_time, next);
		t->armed = next;
	}
}

static void device_is_ready(void *ctx, uint64_t round)
{
	struct lone *t = ctx;
	uint64_t now = clock_mono();

	(void)round;
	for (int i = 0; i < TURN && !raw_full(t->raw); i++) {
		uint8_t *p = raw_room(t->raw);
		ssize_t n = read(t->device, p, ENDS_MTU);

		if (n <= 0)
			break;
		take_packet(t, p, (uint32_t)n, now);
	}
	settle(t, now);
}

static void told(struct lone *t)
{
	uint8_t remote[4];

	for (int i = 0; i < RAW_BATCH && raw_told(t->raw, remote); i++) {
		struct lone_path *p = lone_paths_find(t, remote);

		t->n.told++;
		if (p)
			p->n.told++;
		else
			t->n.told_strange++;
	}
}

static void socket_is_ready(void *ctx, uint64_t round)
{
	struct lone *t = ctx;
	uint64_t now = clock_mono();
	struct raw_came *came;
	unsigned n = raw_receive(t->raw, &came);

	(void)round;
	if (n == 0)
		told(t);
	for (unsigned i = 0; i < n; i++)
		take_outer(t, &came[i], now);
	settle(t, now);
}

static void time_is_due(void *ctx, uint64_t round)
{
	struct lone *t = ctx;

	(void)round;
	t->armed = 0;
	settle(t, clock_mono());
}

static void signal_came(void *ctx, uint64_t now)
{
	struct lone *t = ctx;
	int s;

	(void)now;
	while ((s = signals_next(t->signals)) != 0) {
		if (s == SIGUSR1)
			lone_report_end(t);
		else if (s == SIGINT || s == SIGTERM)
			loop_end(t->loop);
	}
}

/* --- start and end --- */

static int watch(struct lone *t, struct errbuf *e)
{
	int r = loop_open(&t->loop);

	t->on_device =
		(struct loop_watch){ .ready = device_is_ready, .ctx = t };
	t->on_socket =
		(struct loop_watch){ .ready = socket_is_ready, .ctx = t };
	t->on_signal = (struct loop_watch){ .ready = signal_came, .ctx = t };
	t->on_time = (struct loop_watch){ .ready = time_is_due, .ctx = t };
	if (r == 0)
		r = loop_timer(t->loop, &t->on_time);
	if (r == 0)
		r = loop_add(t->loop, &t->on_device, t->device);
	if (r == 0)
		r = loop_add(t->loop, &t->on_socket, raw_socket(t->raw));
	if (r == 0)
		r = loop_add(t->loop, &t->on_signal, t->signals);
	if (r == 0 && t->ctl)
		r = ctl_serve(t->ctl, t->loop);
	return r == 0 ? 0
		      : errbuf_set(e, r, "no loop could be made: %s",
				   strerror(-r));
}

static int make_order(struct lone *t, const struct reorder_limits *l,
		      uint64_t now, struct errbuf *e)
{
	struct reorder_config c = lone_control_config(t);
	struct hash_key key;
	int r = random_bytes(&key, sizeof(key));

	if (r == 0)
		r = random_bytes(&t->key, sizeof(t->key));
	if (r == 0)
		r = reorder_init(&t->order, &t->arena, l, &c, &key, now);
	return r == 0 ? 0
		      : errbuf_set(e, r, "the buffer could not be made: %s",
				   strerror(-r));
}

static int open_device(struct lone *t, struct errbuf *e)
{
	struct ends_options o = *t->o;
	struct device_can can;

	/* Each packet has a turn of its own. */
	o.offload = ENDS_OFFLOAD_OFF;
	if (o.mtu == 0)
		t->set.mtu = MTU;
	t->device = device_open(&o, t->set.mtu, &can, e);
	return t->device < 0 ? t->device : 0;
}

static int open_all(struct lone *t, uint64_t now, struct errbuf *e)
{
	struct reorder_limits l = { .flows = FLOWS,
				    .held = ENDS_HELD,
				    .pool = POOL };
	int r = mem_take(&t->arena, raw_size() + reorder_size(&l) + ctl_size(),
			 0);

	if (r != 0)
		return errbuf_set(e, r, "no memory for the tunnel");
	t->signals = signals_open();
	if (t->signals < 0)
		return errbuf_set(e, t->signals, "no signals: %s",
				  strerror(-t->signals));
	r = make_order(t, &l, now, e);
	if (r == 0)
		r = raw_open(&t->raw, &t->arena, t->o->mark, e);
	if (r == 0)
		r = open_device(t, e);
	if (r == 0)
		r = lone_paths_init(t, e);
	if (r == 0)
		r = kernel_open(t, e);
	if (r == 0)
		r = lone_control_open(t, e);
	return r == 0 ? watch(t, e) : r;
}

static int close_in(struct lone *t, struct errbuf *e)
{
	struct confine c = {
		.user = privileges_user(t->o->user),
		.quiet = t->o->quiet,
		.box = { .needs =
				 SANDBOX_RUN | SANDBOX_LOOP | SANDBOX_DATAGRAMS,
			 .broker = -1,
			 .control = ctl_fd(t->ctl) },
	};
	int r;

	if (t->ctl)
		c.box.needs |= SANDBOX_CONTROL;
	c.box.sink[c.box.sinks++] = raw_socket(t->raw);
	r = confine(&c, CONFINE_EARLY, e);
	return r == 0 ? confine(&c, CONFINE_FINAL, e) : r;
}

static void close_all(struct lone *t)
{
	if (t->loop)
		loop_drop(t->loop, &t->on_time);
	ctl_close(t->ctl);
	loop_close(t->loop);
	kernel_close(t->kernel);
	if (t->device >= 0)
		close(t->device);
	raw_close(t->raw);
	if (t->signals >= 0)
		close(t->signals);
	mem_give(&t->arena);
}

int lone_run(const struct ends_options *o, struct errbuf *e)
{
	static struct lone t;
	int r;

	assert(o->paths > 0 && o->paths <= TURN_MOST);
	t = (struct lone){ .o = &t.set,
			   .set = *o,
			   .device = -1,
			   .signals = -1,
			   .armed = UINT64_MAX };
	r = open_all(&t, clock_mono(), e);
	if (r == 0)
		r = close_in(&t, e);
	if (r == 0) {
		if (!o->quiet)
			log_line(LOG_INFO,
				 "tunnel: %s is up, MTU %u; IP in IP, without "
				 "keys%s",
				 o->dev, t.set.mtu,
				 kernel_whole(&t) ? ", in the kernel" : "");
		settle(&t, clock_mono());
		loop_run(t.loop);
		lone_report_end(&t);
	}
	close_all(&t);
	return r;
}
