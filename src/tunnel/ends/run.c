/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * run.c - The loop of an end
 *
 * Theory of operation
 *
 * Between the device and the sockets stand two machines that know neither: the
 * link (keys/link.h), which says whether a datagram is from the other end and
 * hides what is sent, and the machine of many paths (multipath/multipath.h),
 * which says by which path a packet goes and when one is delivered.
 *
 *	device -> mp_inner() -> effects -> link_seal() -> socket
 *	socket -> link_input() -> mp_outer() -> effects -> device
 *
 * What the device gives is taken in packets.c, what the machine wants done is
 * done in effects.c; in both, what is one packet to the kernel may be many.
 *
 * Each turn of the loop takes a batch from whatever is ready, does what has
 * come due, and sends what has gathered. While there is no session the device's
 * packets are dropped: what waited for it would be late.
 *
 * All is opened first: device, sockets, keys, memory. Then the privileges go,
 * and a filter leaves the system calls of this loop; then the first byte is
 * read.
 */
#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "codec/crypto.h"
#include "ends/ends_internal.h"
#include "ends/places.h"
#include "ends/secrets.h"
#include "keys/keytext.h"
#include "os/clock.h"
#include "os/confine.h"
#include "os/log.h"
#include "os/mem.h"
#include "os/privileges.h"
#include "os/random.h"
#include "os/signals.h"
#include "wire/tos.h"

/* Bounds of the machine: 2,048-byte blocks for what waits and what is held. */
#define LANES	1024
#define PACKETS ENDS_HELD
#define WINDOW	4096
#define POOL	(24u << 20)

#define NO_PATH ENDS_PATHS

#define TURN 64 /* packets of the device, or timers, in a turn */

/* --- what the link wants done --- */

static void greet(struct ends *t, unsigned path, bool answer, uint64_t now)
{
	const struct ends_path *p = &t->path[path];
	uint32_t n;

	if (!p->known)
		return;
	n = link_greet(t->link, path, answer, wire_room(t->wire, &p->way), now);
	if (n > 0)
		wire_send(t->wire, &p->way, n, 0, false, 0);
}

static void ask(struct ends *t, unsigned path)
{
	const struct ends_path *p = &t->path[path];
	uint32_t n;

	if (!p->known)
		return;
	n = link_ask(t->link, path, wire_room(t->wire, &p->way));
	if (n > 0)
		wire_send(t->wire, &p->way, n, 0, false, 0);
}

/* Is the session that was opened the first one? */
static bool first(const struct ends *t)
{
	return link_counters(t->link)->sessions == 1;
}

/* @came, @path: the datagram that brought it about, or NULL; and its path, if
 * it is proved.
 */
static void follow_link(struct ends *t, const struct link_out *out,
			const struct wire_came *came, unsigned path,
			uint64_t now)
{
	if (out->restart) {
		mp_restart(t->mp, now);
		parts_reset(t->parts);
		paths_forget(t, path, now);
	}
	if (out->opened) {
		paths_use(t, now);
		control_session(t, out->restart || first(t));
	}
	if (out->opened && !t->o->quiet && (out->restart || first(t)))
		log_line(LOG_INFO, "tunnel: the other end is there%s",
			 out->restart ? ", started anew" : "");
	if (out->reply_len > 0 && came) {
		memcpy(wire_room(t->wire, &came->way), out->reply,
		       out->reply_len);
		wire_send(t->wire, &came->way, out->reply_len, 0, false, 0);
	}
	for (unsigned i = 0; i < ENDS_PATHS; i++) {
		if (out->ask)
			ask(t, i);
		if (out->greet)
			greet(t, i, true, now);
	}
	if (out->greet_back)
		greet(t, path, false, now);
}

/* --- what is due --- */

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static void keep_alive(struct ends *t, uint64_t now)
{
	if (now < t->greet_at)
		return;
	t->greet_at = now + t->o->keepalive;
	for (unsigned i = 0; i < ENDS_PATHS; i++)
		greet(t, i, true, now);
}

/* The end of each turn. */
static void settle(struct ends *t, uint64_t now)
{
	struct link_out out = { .ask = false };
	uint64_t next;

	if (link_next_timeout(t->link) <= now) {
		link_timeout(t->link, now, clock_real(), &out);
		follow_link(t, &out, NULL, NO_PATH, now);
	}
	keep_alive(t, now);
	for (int i = 0; i < TURN && mp_next_timeout(t->mp) <= now; i++) {
		struct mp_effects e = { .n = 0 };

		mp_timeout(t->mp, now, &e);
		effects_do(t, &e, now);
	}
	effects_flush(t);
	control_paths(t);
	control_mtus(t);
	if (t->pads.pad.state != PAD_GOOD)
		loop_end(t->loop);
	next = least(link_next_timeout(t->link), mp_next_timeout(t->mp));
	next = least(next, t->greet_at);
	if (next != t->armed) {
		loop_set(&t->on_time, next);
		t->armed = next;
	}
}

static void time_is_due(void *ctx, uint64_t round)
{
	struct ends *t = ctx;

	(void)round;
	t->armed = 0;
	settle(t, clock_mono());
}

/* --- what came --- */

/* Each batch has a time of its own, read when it is there: with the loop's,
 * which is that of the first of a round, packets would arrive before they were
 * sent.
 */
static void device_is_ready(void *ctx, uint64_t round)
{
	struct ends *t = ctx;
	uint64_t now = clock_mono();

	(void)round;
	for (uint32_t taken = 0, n = 1; n > 0 && taken < TURN; taken += n)
		n = packets_take(t, now);
	settle(t, now);
}

/* The mark of a router goes from the datagram to the packet in it, if it is
 * one. A packet that is dropped for it is to the machine one that the path has
 * lost.
 */
static int met_on_the_way(bool tap, const struct wire_came *came,
			  const struct link_in *in)
{
	uint32_t at = 0, n;
	struct mp_header h;
	uint8_t *p = came->p + in->off;
	int head = mp_header_parse(p, in->len, &h);

	if (head < 0 || (h.type != MP_DATA && h.type != MP_DATA_TIMED))
		return 0;
	p += head;
	n = in->len - (uint32_t)head;
	if (tap) {
		at = parts_begins(p, n) ? inner_ip_at(p, n) : 0;
		if (at == 0)
			return 0;
	}
	return tos_arrive(p + at, n - at, came->tos);
}

static void take_outer(struct ends *t, const struct wire_came *came,
		       uint64_t now)
{
	struct link_out out = { .ask = false };
	struct mp_effects e = { .n = 0 };
	uint8_t from[LINK_FROM];
	struct link_in in = { .p = came->p,
			      .n = came->n,
			      .from = from,
			      .from_len = sizeof(from) };
	enum link_got got;
	struct buf *f;

	memcpy(from, came->way.remote.b, 16);
	memcpy(from + 16, &came->way.port, 2);
	if (link_is_cookie(&in))
		in.ways = paths_from(t, came);
	got = link_input(t->link, &in, now, &out);
	if (got != LINK_NOTHING)
		paths_proved(t, in.path, &came->way, in.newest, now);
	follow_link(t, &out, came, got != LINK_NOTHING ? in.path : NO_PATH,
		    now);
	if (got != LINK_PACKET)
		return;
	if (!t->path[in.path].added) {
		t->n.no_path++;
		return;
	}
	if (met_on_the_way(t->o->tap, came, &in) != 0) {
		t->n.congested++;
		return;
	}
	f = mp_frame(t->mp, in.len);
	if (!f) {
		t->n.no_memory++;
		return;
	}
	memcpy(f->data, came->p + in.off, in.len);
	mp_outer(t->mp, in.path, f, now, &e);
	effects_do(t, &e, now);
}

static void socket_is_ready(struct ends *t, unsigned i)
{
	struct wire_came *came;
	unsigned n = wire_receive(t->wire, i, &came);
	uint64_t now = clock_mono();
	struct mp_effects e = { .n = 0 };

	if (n == 0)
		told_take(t, i, now);
	mp_outer_begin(t->mp);
	for (unsigned k = 0; k < n; k++) {
		struct wire_came one = came[k];

		/* One that is many; and one of no bytes is one, too. */
		do {
			one.n = came[k].n < came[k].each ? came[k].n
							 : came[k].each;
			one.p = came[k].p;
			take_outer(t, &one, now);
			t->n.came_joined += came[k].n > one.n;
			came[k].p += one.n;
			came[k].n -= one.n;
		} while (came[k].n > 0);
	}
	mp_outer_end(t->mp, now, &e);
	effects_do(t, &e, now);
	settle(t, now);
}

static void socket4_is_ready(void *ctx, uint64_t round)
{
	(void)round;
	socket_is_ready(ctx, 0);
}

static void socket6_is_ready(void *ctx, uint64_t round)
{
	(void)round;
	socket_is_ready(ctx, 1);
}

static void signal_came(void *ctx, uint64_t now)
{
	struct ends *t = ctx;
	int s;

	(void)now;
	while ((s = signals_next(t->signals)) != 0) {
		if (s == SIGUSR1)
			report_end(t);
		else if (s == SIGINT || s == SIGTERM)
			loop_end(t->loop);
	}
}

/* --- start and end --- */

static int make_self(struct ends *t, struct noise_self *self, struct errbuf *e)
{
	const struct ends_options *o = t->o;
	uint8_t key[CRYPTO_KEY], psk[CRYPTO_KEY];
	int r = secrets_read(o->key, key, e);

	if (r == 0 && o->psk)
		r = secrets_read(o->psk, psk, e);
	if (r == 0) {
		r = noise_self_init(self, crypto_table(), key, o->peer,
				    o->psk ? psk : NULL);
		if (r != 0)
			errbuf_set(e, r,
				   "--peer: is our own key, or nobody's; give "
				   "the one that the other end prints");
	}
	memcpy(t->pub, self->pub, sizeof(t->pub));
	noise_wipe(key, sizeof(key));
	noise_wipe(psk, sizeof(psk));
	return r;
}

static int make_trust(struct ends *t, struct noise_self *self, struct errbuf *e)
{
	int r = crypto_open();

	if (r != 0)
		return errbuf_set(e, r,
				  "this libcrypto lacks X25519, BLAKE2s "
				  "or ChaCha20-Poly1305; --plain does "
				  "without");
	return t->o->pad ? pads_open(&t->pads, t->o->pad, t->o->paths > 0, e)
			 : make_self(t, self, e);
}

static int make_link(struct ends *t, uint64_t now, struct errbuf *e)
{
	struct noise_self self = { .ops = NULL };
	struct link_config c = { .role = t->o->paths > 0 ? LINK_BEGINS
							 : LINK_ANSWERS,
				 .plain = t->o->plain,
				 .self = &self,
				 .random = random_bytes };
	int r = t->o->plain ? 0 : make_trust(t, &self, e);

	if (t->o->pad)
		c.pad = &t->pads.pad;

	if (r == 0) {
		r = random_bytes(&c.tokens, sizeof(c.tokens));
		if (r == 0)
			r = link_init(&t->link, &t->arena, &c, now);
		if (r != 0)
			errbuf_set(e, r, "no connection could be made: %s",
				   strerror(-r));
	}
	noise_wipe(&self, sizeof(self));
	return r;
}

static int make_machine(struct ends *t, const struct mp_limits *l, uint64_t now,
			struct errbuf *e)
{
	struct mp_config c;
	struct hash_key key;
	int r = random_bytes(&key, sizeof(key));

	t->timed = t->o->release == MP_RELEASE_EQUAL;
	c = control_config(t);
	if (r == 0)
		r = mp_init(&t->mp, &t->arena, l, &c, &key, now);
	return r == 0 ? 0
		      : errbuf_set(e, r, "the machine could not be made: %s",
				   strerror(-r));
}

static int watch(struct ends *t, struct errbuf *e)
{
	static loop_fn *const ready[] = { socket4_is_ready, socket6_is_ready };
	int r = loop_open(&t->loop);

	t->on_device =
		(struct loop_watch){ .ready = device_is_ready, .ctx = t };
	t->on_signal = (struct loop_watch){ .ready = signal_came, .ctx = t };
	t->on_time = (struct loop_watch){ .ready = time_is_due, .ctx = t };
	if (r == 0)
		r = loop_timer(t->loop, &t->on_time);
	if (r == 0)
		r = loop_add(t->loop, &t->on_device, t->device);
	if (r == 0)
		r = loop_add(t->loop, &t->on_signal, t->signals);
	for (unsigned i = 0; r == 0 && i < WIRE_SOCKETS; i++) {
		t->on_socket[i] =
			(struct loop_watch){ .ready = ready[i], .ctx = t };
		if (wire_socket(t->wire, i) >= 0)
			r = loop_add(t->loop, &t->on_socket[i],
				     wire_socket(t->wire, i));
	}
	if (r == 0 && t->ctl)
		r = ctl_serve(t->ctl, t->loop);
	return r == 0 ? 0
		      : errbuf_set(e, r, "no loop could be made: %s",
				   strerror(-r));
}

static int open_all(struct ends *t, uint64_t now, struct errbuf *e)
{
	struct mp_limits l = { .lanes = LANES,
			       .packets = PACKETS,
			       .window = WINDOW,
			       .pool = POOL };
	int r = mem_take(&t->arena,
			 link_size() + wire_size() + mp_size(&l) + ctl_size() +
				 join_size() + parts_size(),
			 0);

	if (r != 0)
		return errbuf_set(e, r, "no memory for the tunnel");
	t->signals = signals_open();
	if (t->signals < 0)
		return errbuf_set(e, t->signals, "no signals: %s",
				  strerror(-t->signals));
	r = places_look_up(&t->set, e);
	if (r == 0)
		r = classes_open(t, e);
	if (r == 0)
		r = make_link(t, now, e);
	if (r == 0)
		r = make_machine(t, &l, now, e);
	if (r == 0)
		r = wire_open(&t->wire, &t->arena, t->o, e);
	if (r != 0)
		return r;
	t->mtu = fits_mtu(t->o, link_overhead(t->link));
	t->device = device_open(t->o, t->mtu, &t->can, e);
	if (t->device < 0)
		return t->device;
	r = join_init(&t->join, &t->arena, t->can.udp);
	if (r == 0)
		r = parts_init(&t->parts, &t->arena);
	assert(r == 0);
	r = paths_init(t, e);
	if (r == 0)
		r = control_open(t, e);
	if (r == 0)
		r = trace_open(t, e);
	return r == 0 ? watch(t, e) : r;
}

static int close_in(struct ends *t, struct errbuf *e)
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
	if (t->o->pad)
		c.box.needs |= SANDBOX_SYNC;

	for (unsigned i = 0; i < WIRE_SOCKETS; i++)
		if (wire_socket(t->wire, i) >= 0)
			c.box.sink[c.box.sinks++] = wire_socket(t->wire, i);
	r = confine(&c, CONFINE_EARLY, e);
	if (r == 0)
		r = trace_start(e);
	return r == 0 ? confine(&c, CONFINE_FINAL, e) : r;
}

static void say_start(const struct ends *t)
{
	char key[KEYTEXT + 1];

	if (t->o->quiet)
		return;
	keytext_put(key, t->pub);
	log_line(LOG_INFO, "tunnel: %s is up, MTU %u; %s%s", t->o->dev,
		 device_mtu(t->o, t->mtu),
		 t->o->plain ? "without keys"
		 : t->o->pad ? "with a pad"
			     : "our public key is ",
		 !t->o->key ? "" : key);
}

static void close_all(struct ends *t)
{
	if (t->loop)
		loop_drop(t->loop, &t->on_time);
	ctl_close(t->ctl);
	trace_close();
	loop_close(t->loop);
	if (t->device >= 0)
		close(t->device);
	wire_close(t->wire);
	if (t->signals >= 0)
		close(t->signals);
	if (t->link)
		link_wipe(t->link);
	pads_close(&t->pads);
	crypto_close();
	classes_close(t);
	mem_give(&t->arena);
}

int ends_run(const struct ends_options *o, struct errbuf *e)
{
	static struct ends t;
	uint64_t now = clock_mono();
	int r;

	t = (struct ends){ .o = &t.set,
			   .set = *o,
			   .device = -1,
			   .signals = -1,
			   .pads = { .fd = -1 },
			   .armed = UINT64_MAX,
			   .greet_at = o->keepalive > 0 ? now : UINT64_MAX };
	r = open_all(&t, now, e);
	if (r == 0)
		r = close_in(&t, e);
	if (r == 0) {
		say_start(&t);
		settle(&t, clock_mono());
		loop_run(t.loop);
		report_end(&t);
		r = pads_end(&t.pads, e);
	}
	close_all(&t);
	return r;
}
