/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * packets.c - Packets of the device, on their way into the machine
 *
 * Theory of operation
 *
 * Where the kernel can (IFF_VNET_HDR), one packet of the device is up to 64 KB
 * of a connection. It is cut here into those that the paths take
 * (pieces/cut.h), and each goes the way of any packet: the machine knows no
 * other. So is the checksum made that the kernel left to its device.
 *
 * With --tap what the device gives are frames of Ethernet. Those that are too
 * long for the paths go in parts (pieces/parts.h), all in the lane of the
 * frame.
 */
#include <unistd.h>

#include "ends/ends_internal.h"
#include "pieces/cut.h"
#include "wire/numbers.h"

/* One packet that is as it goes on its way. */
static void take_piece(struct ends *t, struct buf *f, uint64_t now)
{
	struct mp_effects e = { .n = 0 };

	fits_shorten(t, f->data, f->len);
	mp_inner(t->mp, f, classes_find(t, f->data, f->len), now, &e);
	effects_do(t, &e, now);
}

/* Return: how many packets it was */
static uint32_t take_pieces(struct ends *t, struct cut *c, uint64_t now)
{
	uint32_t n = 0, len;

	for (; (len = cut_length(c)) > 0; n++) {
		struct buf *f = mp_frame(t->mp, len);

		if (!f) {
			t->n.no_memory++;
			cut_skip(c);
			continue;
		}
		cut_next(c, f->data);
		if (fits_out(t, f->data, len, now))
			take_piece(t, f, now);
		else
			mp_frame_free(t->mp, f);
	}
	t->n.cut += n > 1;
	return n;
}

/* A frame goes whole, or in parts that all paths take. Return: how many */
static uint32_t take_frame(struct ends *t, uint32_t len, uint64_t now)
{
	uint32_t limit = mp_size_limit(t->mp);
	uint32_t most = limit > 0 && limit < t->mtu ? limit : t->mtu;
	uint32_t each = parts_each(len, most), n = 0;
	enum mp_class class = classes_find(t, t->packet, len);

	for (uint32_t at = 0; at < len; at += each, n++) {
		struct mp_effects e = { .n = 0 };
		uint32_t rest = len - at < each ? len - at : each;
		struct buf *f = mp_frame(t->mp, rest + PARTS_TRAILER);

		if (!f) {
			t->n.no_memory++;
			continue;
		}
		f->len =
			parts_put(t->packet, len, t->frames, at, each, f->data);
		mp_inner_part(t->mp, f, each == len ? f->data : t->packet, len,
			      class, now, &e);
		effects_do(t, &e, now);
	}
	t->n.parted += n > 1;
	t->frames = (uint16_t)(t->frames + (n > 1));
	return n;
}

static uint32_t take_ethernet(struct ends *t, uint32_t len, uint64_t now)
{
	struct inner_head h;
	uint32_t n = 1;

	if (len < ETH_HEADER || len > PARTS_FRAME)
		t->n.not_ip++;
	else if (inner_of_frame(t->packet, len, &h) == 0 && paths_loops(t, &h))
		t->n.looped++;
	else if (!link_open(t->link, now))
		t->n.no_session++;
	else
		n = take_frame(t, len, now);
	t->n.read += n;
	return n;
}

uint32_t packets_take(struct ends *t, uint64_t now)
{
	uint32_t room = t->can.vnet ? VNET_HEADER : 0;
	ssize_t got = read(t->device, t->packet, sizeof(t->packet));
	struct vnet v = { .kind = VNET_ONE };
	const uint8_t *p = t->packet + room;
	uint32_t len, n = 1;
	struct inner_head h;
	struct cut c;

	if (got <= 0)
		return 0;
	if (t->o->tap)
		return take_ethernet(t, (uint32_t)got, now);
	len = (uint32_t)got - room;
	if ((t->can.vnet && vnet_parse(t->packet, (uint32_t)got, &v) != 0) ||
	    inner_read(p, len, &h) != 0 ||
	    cut_begin(&c, &v, p, len, fits_limit(t, p)) != 0) {
		t->n.not_ip++;
	} else if (paths_loops(t, &h)) {
		t->n.looped++;
	} else if (!link_open(t->link, now)) {
		t->n.no_session++;
	} else {
		n = take_pieces(t, &c, now);
	}
	t->n.read += n;
	return n;
}
