/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * header.c - The bytes of the protocol between two ends
 *
 * Theory of operation
 *
 * Twelve bytes stand in front of every inner packet:
 *
 *	0	type
 *	1	path
 *	2-3	lane
 *	4-7	path sequence: counts what is sent on this path
 *	8-11	lane sequence: counts the inner packets of this lane
 *
 * The two numbers have two jobs. A path delivers in order, so a jump of the
 * path sequence is a loss, and which. The lane sequence is the order in which
 * inner packets came, and is what is put right at the far end. A packet that is
 * sent again has a new path sequence and the old lane sequence: its own loss is
 * seen like any other, and a second copy of it is known.
 *
 * A feedback says of one path the highest number that came, when (by the
 * receiver's clock) and how long ago, the bytes that came, and each range that
 * is missing below: 4 bytes each, as distance back from the highest and length.
 * It has no number of its own; the next one says all that it said. A settle
 * answers one that named ranges: what is missing up to that number need not be
 * named again.
 *
 * All numbers are big-endian. A reader refuses whatever a writer does not
 * write.
 */
#include "multipath/header.h"

#include <assert.h>
#include <errno.h>

#include "core/bytes.h"

int mp_header_parse(const uint8_t *p, uint32_t len, struct mp_header *h)
{
	uint32_t n = MP_HEADER;

	if (len < MP_HEADER)
		return -EBADMSG;
	switch (p[0]) {
	case MP_DATA:
	case MP_FEEDBACK:
		break;
	case MP_DATA_TIMED:
		n = MP_HEADER_TIMED;
		if (len < n)
			return -EBADMSG;
		break;
	case MP_PROBE:
	case MP_SETTLE:
	case MP_SIZED:
		if (len != n)
			return -EBADMSG;
		break;
	case MP_SIZE:
		if (len != get_be32(p + 4))
			return -EBADMSG;
		break;
	default:
		return -EBADMSG;
	}
	*h = (struct mp_header){
		.type = p[0],
		.path = p[1],
		.lane = get_be16(p + 2),
		.path_seq = get_be32(p + 4),
		.lane_seq = get_be32(p + 8),
		.sent = n == MP_HEADER_TIMED ? get_be32(p + 12) : 0,
	};
	return (int)n;
}

uint32_t mp_header_emit(const struct mp_header *h, uint8_t *out)
{
	out[0] = h->type;
	out[1] = h->path;
	put_be16(out + 2, h->lane);
	put_be32(out + 4, h->path_seq);
	put_be32(out + 8, h->lane_seq);
	if (h->type != MP_DATA_TIMED)
		return MP_HEADER;
	put_be32(out + 12, h->sent);
	return MP_HEADER_TIMED;
}

int mp_report_parse(const uint8_t *p, uint32_t len, struct mp_report *r)
{
	struct mp_report got;
	uint32_t last = 0; /* distance of the end of the range before */

	if (len < MP_REPORT || p[0] != MP_FEEDBACK)
		return -EBADMSG;
	got.path = p[1];
	got.ranges = get_be16(p + 2);
	got.highest = get_be32(p + 4);
	got.bytes = get_be32(p + 8);
	got.at = get_be32(p + 12);
	got.held = get_be32(p + 16);
	if (got.ranges > MP_RANGES || len != MP_REPORT + 4 * got.ranges)
		return -EBADMSG;
	for (uint32_t i = 0; i < got.ranges; i++) {
		uint32_t back = get_be16(p + MP_REPORT + 4 * i);
		uint32_t count = get_be16(p + MP_REPORT + 4 * i + 2);

		/* It ends below the highest, and begins above the last one. */
		if (count == 0 || back < count || (i > 0 && back >= last))
			return -EBADMSG;
		got.range[i] = (struct mp_range){ got.highest - back, count };
		last = back - count;
	}
	r->path = got.path;
	r->ranges = got.ranges;
	r->highest = got.highest;
	r->bytes = got.bytes;
	r->at = got.at;
	r->held = got.held;
	for (uint32_t i = 0; i < got.ranges; i++)
		r->range[i] = got.range[i];
	return 0;
}

uint32_t mp_report_emit(const struct mp_report *r, uint8_t *out)
{
	assert(r->ranges <= MP_RANGES);
	out[0] = MP_FEEDBACK;
	out[1] = r->path;
	put_be16(out + 2, (uint16_t)r->ranges);
	put_be32(out + 4, r->highest);
	put_be32(out + 8, r->bytes);
	put_be32(out + 12, r->at);
	put_be32(out + 16, r->held);
	for (uint32_t i = 0; i < r->ranges; i++) {
		uint32_t back = r->highest - r->range[i].first;

		assert(back <= UINT16_MAX && r->range[i].count <= back);
		put_be16(out + MP_REPORT + 4 * i, (uint16_t)back);
		put_be16(out + MP_REPORT + 4 * i + 2,
			 (uint16_t)r->range[i].count);
	}
	return MP_REPORT + 4 * r->ranges;
}
