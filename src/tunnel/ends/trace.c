/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trace.c - Each packet's way and why, as a pcapng file
 *
 * Theory of operation
 *
 * What the machine does with a packet is an effect that says why it is. The
 * head of the packet goes with it into a ring, and a thread behind it writes
 * blocks: one interface a path, and one for the device, so that a reader's
 * filters know them; the reason is the block's comment. The loop never waits
 * for the disk: what the ring has no room for is lost, counted (trace_lost).
 * After an error of the disk nothing more is written, and the end of the run
 * says so.
 *
 * Messages of the machine's own are no packets, and are not in it.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/spsc.h"
#include "ends/ends_internal.h"
#include "os/clock.h"
#include "os/drain.h"
#include "os/folder.h"
#include "os/log.h"
#include "os/outlet.h"
#include "wire/decode.h"
#include "wire/pcap.h"

#define RING   (4u << 20)
#define SNAP   128 /* bytes of a packet */
#define GATHER 65536
#define BLOCK  512 /* more than one has */
#define DEVICE ENDS_PATHS

/* epb_flags: draft-ietf-opsawg-pcapng section 4.3.1 */
#define INBOUND	 1
#define OUTBOUND 2

/** struct decision - A record of the ring; @cap bytes of the packet follow */
struct decision {
	uint64_t at; /* ns since 1970 */
	struct mp_header head;
	uint32_t len;
	uint32_t cap;
	uint8_t iface;
	uint8_t why;
};

/* One run has one; all but @drain is the thread's from trace_start() on. */
static struct {
	struct drain *drain;
	struct outlet outlet;
	int fd;
	int error;
	size_t used;
	uint8_t buf[GATHER];
} trace = { .fd = -1 };

/* --- the thread --- */

static void flush(void *ctx)
{
	size_t done;
	int r;

	(void)ctx;
	if (trace.error == 0) {
		r = outlet_write(&trace.outlet, trace.drain, trace.buf,
				 trace.used, &done);
		trace.error = r;
	}
	trace.used = 0;
}

static void put_decision(void *ctx, const uint8_t *p, uint32_t len)
{
	struct decision d;
	char comment[128];
	struct text t;

	assert(len >= sizeof(d));
	memcpy(&d, p, sizeof(d));
	text_begin(&t, comment, sizeof(comment));
	text_add(&t, "%s", mp_why_name((enum mp_why)d.why));
	if (d.iface != DEVICE)
		text_add(&t, ": lane %u number %u, path %u number %u",
			 d.head.lane, d.head.lane_seq, d.head.path,
			 d.head.path_seq);
	if (sizeof(trace.buf) - trace.used < BLOCK)
		flush(ctx);
	trace.used += pcapng_write_epb(
		trace.buf + trace.used, sizeof(trace.buf) - trace.used, d.iface,
		d.at, p + sizeof(d), d.cap, d.len,
		d.iface == DEVICE ? INBOUND : OUTBOUND, comment, t.len);
}

static const struct drain_ops ops = { .record = put_decision,
				      .idle = flush,
				      .done = flush };

/* --- the loop --- */

static void put_heads(const struct ends *t)
{
	char name[16];
	struct text x;

	trace.used = pcapng_write_shb(trace.buf, sizeof(trace.buf),
				      "understudy " VERSION, NULL, 0);
	for (unsigned i = 0; i <= ENDS_PATHS; i++) {
		text_begin(&x, name, sizeof(name));
		if (i < ENDS_PATHS)
			text_add(&x, "path %u", i);
		else
			text_add(&x, "%s", t->o->dev);
		trace.used += pcapng_write_idb(
			trace.buf + trace.used, sizeof(trace.buf) - trace.used,
			t->o->tap ? LINK_ETHERNET : LINK_RAW, SNAP, name);
	}
}

int trace_open(struct ends *t, struct errbuf *e)
{
	if (!t->o->trace)
		return 0;
	trace.fd = folder_make(AT_FDCWD, t->o->trace);
	if (trace.fd < 0)
		return errbuf_set(e, trace.fd,
				  "--trace %s: %s; nothing is overwritten",
				  t->o->trace, strerror(-trace.fd));
	t->real = clock_real() - clock_mono();
	outlet_init(&trace.outlet, trace.fd);
	put_heads(t);
	return 0;
}

int trace_start(struct errbuf *e)
{
	int r = trace.fd < 0 ? 0 : drain_start(&trace.drain, RING, &ops, NULL);

	return r == 0 ? 0 : errbuf_set(e, r, "--trace: %s", strerror(-r));
}

void trace_effect(struct ends *t, const struct mp_effect *x, uint64_t now)
{
	struct decision d = { .at = now + t->real,
			      .len = x->len,
			      .cap = x->len < SNAP ? x->len : SNAP,
			      .iface = x->send ? x->path : DEVICE,
			      .why = (uint8_t)x->why };
	uint8_t *p;

	if (!trace.drain || !x->frame)
		return;
	if (x->send)
		(void)mp_header_parse(x->bytes, x->n, &d.head);
	p = spsc_reserve(drain_ring(trace.drain), (uint32_t)sizeof(d) + d.cap);
	if (!p) {
		t->n.trace_lost++;
		return;
	}
	memcpy(p, &d, sizeof(d));
	memcpy(p + sizeof(d), x->frame->data + x->off, d.cap);
	spsc_commit(drain_ring(trace.drain));
}

void trace_close(void)
{
	if (trace.drain)
		drain_stop(trace.drain);
	if (trace.error != 0)
		log_line(LOG_WARN, "tunnel: --trace: %s; the file is cut short",
			 strerror(-trace.error));
	if (trace.fd >= 0)
		close(trace.fd);
	trace.drain = NULL;
	trace.fd = -1;
}
