/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * header - What stands in front of a packet on a path, as bytes
 */
#ifndef MULTIPATH_HEADER_H
#define MULTIPATH_HEADER_H

#include <stdint.h>

#define MP_HEADER	12 /* bytes of every header */
#define MP_HEADER_TIMED 16 /* with the time of sending */
#define MP_REPORT	20 /* of a feedback, without its ranges */
#define MP_RANGES	64 /* ranges that a feedback can name */

/* Longest message that is header only. */
#define MP_CONTROL_MAX (MP_REPORT + 4 * MP_RANGES)

/* First byte. Others are refused. */
enum mp_type {
	MP_DATA = 1,	   /* an inner packet follows */
	MP_DATA_TIMED = 2, /* the same, with the time of sending */
	MP_PROBE = 3,	   /* nothing follows; answered by feedback at once */
	MP_FEEDBACK = 4,   /* what has come on a path */
	MP_SETTLE = 5,	   /* which losses are known, how long to hold */
	MP_SIZE = 6,	   /* padding follows: does a message so long come? */
	MP_SIZED = 7,	   /* it has come */
};

/**
 * struct mp_header - The first MP_HEADER bytes
 * @type:	enum mp_type
 * @path:	Path it travels on; of a feedback, path that it reports on
 * @lane:	Lane, 0: thin; of a feedback, ranges that follow; of MP_SETTLE,
 *		ms to be added to equal release
 * @path_seq:	Number on the path; of a feedback the highest that has come, of
 *		MP_SETTLE the last whose fate the sender knows, of MP_SIZE and
 *		MP_SIZED the length of the one that is tried, which @lane
 *		numbers
 * @lane_seq:	Number in the lane; of a feedback bytes that have come, modulo
 *		2^32; of MP_SETTLE how long a hole may hold up a lane, us
 * @sent:	Of MP_DATA_TIMED: sender's clock, us modulo 2^32; else 0
 */
struct mp_header {
	uint8_t type;
	uint8_t path;
	uint16_t lane;
	uint32_t path_seq;
	uint32_t lane_seq;
	uint32_t sent;
};

/** struct mp_range - Numbers of a path that have not come; @count at least 1 */
struct mp_range {
	uint32_t first;
	uint32_t count;
};

/**
 * struct mp_report - What a feedback says
 * @path:	Path that it is about
 * @highest:	Highest number that has come
 * @bytes:	Bytes that have come, MP_OVERHEAD included, modulo 2^32
 * @at:		When @highest came, receiver's clock, us modulo 2^32
 * @held:	From then until the report was sent, us
 * @ranges:	Entries of @range, 0 to MP_RANGES
 * @range:	What is missing, ascending, not touching, all below @highest
 */
struct mp_report {
	uint8_t path;
	uint32_t highest;
	uint32_t bytes;
	uint32_t at;
	uint32_t held;
	uint32_t ranges;
	struct mp_range range[MP_RANGES];
};

/* What every packet weighs beyond its payload: UDP, IPv4 and Ethernet headers.
 * It is the same on both ends, whatever the real ones are, so that bytes of a
 * path are counted alike.
 */
#define MP_OVERHEAD 42u

/**
 * mp_header_parse() - Read a header
 * @p, @len:	Payload of a datagram
 * @h:		Result
 *
 * Return: length of the header, or -EBADMSG: too short or of no known type (@h
 * untouched). A probe or settle that is longer than its header is refused, too.
 */
int mp_header_parse(const uint8_t *p, uint32_t len, struct mp_header *h);

/**
 * mp_header_emit() - Write @h; @out: MP_HEADER_TIMED bytes. Return: its length
 */
uint32_t mp_header_emit(const struct mp_header *h, uint8_t *out);

/**
 * mp_report_parse() - Read a feedback
 *
 * Return: 0, or -EBADMSG: not one, its length is not that of its ranges, or the
 * ranges are not as struct mp_report says (@r untouched)
 */
int mp_report_parse(const uint8_t *p, uint32_t len, struct mp_report *r);

/**
 * mp_report_emit() - Write a feedback
 * @r:		As struct mp_report says; no range begins more than 65,535
 *		before @highest or is longer than that
 * @out:	MP_CONTROL_MAX bytes
 *
 * Return: its length
 */
uint32_t mp_report_emit(const struct mp_report *r, uint8_t *out);

#endif /* MULTIPATH_HEADER_H */
