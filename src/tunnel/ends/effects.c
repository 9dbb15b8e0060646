/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * effects.c - What the machine wants done
 *
 * Theory of operation
 *
 * Datagrams gather in the wire (wire.c), packets in join (pieces/join.h), until
 * the turn of the loop is over; so both ends of a connection inside get one
 * call of the kernel for many of them, and nothing waits for what may not come.
 *
 * In front of a packet for the device lie as many bytes as its header needs: of
 * one that came, those of the machine's header, which nobody needs any more.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "ends/ends_internal.h"
#include "wire/tos.h"

static_assert(MP_HEADER >= VNET_HEADER, "room in front of a packet");

bool effects_write(struct ends *t, uint8_t *p, uint32_t n, const struct vnet *v)
{
	if (t->can.vnet) {
		vnet_emit(v, p - VNET_HEADER);
		p -= VNET_HEADER;
		n += VNET_HEADER;
	}
	return write(t->device, p, n) == (ssize_t)n;
}

/* @packets: that it is made of */
static void hand_on(struct ends *t, uint8_t *p, uint32_t n,
		    const struct vnet *v, uint32_t packets)
{
	if (effects_write(t, p, n, v)) {
		t->n.written += packets;
		t->n.joined += packets > 1;
	} else {
		t->n.not_written += packets;
	}
}

static void take_place(struct ends *t, int place)
{
	uint32_t n, packets;
	struct vnet v;
	uint8_t *p;

	n = join_take(t->join, place, &p, &v, &packets);
	hand_on(t, p, n, &v, packets);
}

static void deliver(struct ends *t, const struct mp_effect *e)
{
	static const struct vnet one = { .kind = VNET_ONE };
	uint8_t *p = e->frame->data + e->off;
	struct join_look look;
	struct inner_head h;
	int place;

	assert(e->off >= VNET_HEADER);
	if (inner_read(p, e->len, &h) != 0) {
		t->n.broken++;
		return;
	}
	if (!inner_allowed(&h, t->o->allow, t->o->allows)) {
		t->n.not_allowed++;
		return;
	}
	fits_shorten(t, p, e->len);
	if (!t->can.tcp) {
		hand_on(t, p, e->len, &one, 1);
		return;
	}
	join_look(t->join, p, e->len, &look);
	while ((place = join_first(t->join, p, e->len, &look)) >= 0)
		take_place(t, place);
	if (!join_add(t->join, p, e->len, &look))
		hand_on(t, p, e->len, &one, 1);
}

static void deliver_frame(struct ends *t, const struct mp_effect *e)
{
	const struct parts_counters *n = parts_counters(t->parts);
	struct inner_head h;
	const uint8_t *p;
	uint32_t len;
	enum parts_got got =
		parts_take(t->parts, e->frame->data + e->off, e->len, &p, &len);
	int r;

	t->n.parts_joined = n->joined;
	t->n.parts_lost = n->lost;
	t->n.broken += got == PARTS_BAD;
	if (got != PARTS_DONE)
		return;
	r = inner_of_frame(p, len, &h);
	if (t->o->allows > 0 && r != -ENOENT &&
	    (r != 0 || !inner_allowed(&h, t->o->allow, t->o->allows)))
		t->n.not_allowed++;
	else if (write(t->device, p, len) == (ssize_t)len)
		t->n.written++;
	else
		t->n.not_written++;
}

/* TOS of a datagram: as the packet in it (RFC 2983 section 3.1, RFC 6040
 * section 4.1). A part without a frame's beginning could bear no mark further.
 */
static uint8_t tos_inside(const struct ends *t, const uint8_t *p, uint32_t n)
{
	uint32_t at = 0;

	if (t->o->tap) {
		at = parts_begins(p, n) ? inner_ip_at(p, n) : 0;
		if (at == 0)
			return 0;
	}
	return tos_of(p + at, n - at);
}

static void send_packet(struct ends *t, const struct mp_effect *e, uint64_t now)
{
	const struct ends_path *path = &t->path[e->path];
	uint32_t len = e->n + e->len + e->pad;
	uint8_t tos = 0;
	uint8_t *p;
	int n;

	assert(path->known);
	if (len + link_overhead(t->link) > WIRE_DATAGRAM) {
		t->n.not_sealed++;
		return;
	}
	p = wire_room(t->wire, &path->way);
	memcpy(p + LINK_HEADER, e->bytes, e->n);
	if (e->len > 0) {
		memcpy(p + LINK_HEADER + e->n, e->frame->data + e->off, e->len);
		tos = tos_inside(t, e->frame->data + e->off, e->len);
	}
	memset(p + LINK_HEADER + e->n + e->len, 0, e->pad);
	/* Feedback alone has no answer. */
	n = link_seal(t->link, e->path, p, len, e->bytes[0] <= MP_PROBE, now);
	if (n > 0)
		wire_send(t->wire, &path->way, (uint32_t)n, tos, e->pad > 0,
			  mp_together(t->mp, e->path));
	else
		t->n.not_sealed++;
}

void effects_do(struct ends *t, struct mp_effects *out, uint64_t now)
{
	for (uint32_t i = 0; i < out->n; i++) {
		struct mp_effect *e = &out->e[i];

		trace_effect(t, e, now);
		if (e->send)
			send_packet(t, e, now);
		else if (t->o->tap)
			deliver_frame(t, e);
		else
			deliver(t, e);
		mp_done(t->mp, e);
	}
}

void effects_flush(struct ends *t)
{
	struct wire_went went;
	int place;

	while ((place = join_any(t->join)) >= 0)
		take_place(t, place);
	went = wire_flush(t->wire);
	t->n.unsent += went.unsent;
	t->n.sent_joined += went.joined;
	t->n.joined_refused += went.refused;
}
