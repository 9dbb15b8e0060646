/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * want - A difference whose frames are gathered
 */
#ifndef EVIDENCE_WANT_H
#define EVIDENCE_WANT_H

#include <stdbool.h>

#include "evidence/evidence.h"
#include "journal/journal.h"
#include "wire/decode.h"

#define WANT_FRAMES 512u	 /* of one difference */
#define WANT_BYTES  (2u << 20)	 /* of its frames */
#define WANT_STREAM (1u << 20)	 /* of what one side said */
#define WANT_ALL    (192u << 20) /* of all of them */

/* Who speaks: the client, whose bytes are the same on both wires, and both
 * servers.
 */
enum want_side { WANT_CLIENT, WANT_PROD, WANT_SUT, WANT_SIDES };

/**
 * struct piece - A frame that was gathered
 * @l4:		Where its TCP header begins; 0: not known
 * @at, @len:	Payload captured in it
 * @seq:	Of its first byte
 * @first:	A byte of the first difference is in it
 */
struct piece {
	uint8_t *bytes;
	uint32_t cap;
	uint32_t wire;
	uint32_t l4;
	uint32_t at;
	uint32_t len;
	uint32_t seq;
	uint64_t ts;
	struct ipaddr src;
	struct ipaddr dst;
	uint16_t sport;
	uint16_t dport;
	enum journal_iface iface;
	enum want_side side;
	bool first;
};

/**
 * struct want - A difference
 * @base, @begun: Sequence number of a side's first byte of the exchange
 * @got:	Bytes of it, from there
 * @over:	Of the mirror, and of the SUT's wire: the answer is whole
 * @shaken:	Frames of the handshake, of each
 * @full:	There was no room for more
 */
struct want {
	const struct report_difference *d;
	uint32_t base[WANT_SIDES];
	bool begun[WANT_SIDES];
	uint64_t got[WANT_SIDES];
	bool over[2];
	uint8_t shaken[2];
	bool full;
	bool seen;  /* the request's frame was */
	bool asked; /* we have sent it to the SUT */
	size_t bytes;
	uint32_t n;
	struct piece piece[WANT_FRAMES];
};

/**
 * want_take() - A frame of the journal: it is copied if it belongs to it
 * @number:	Its number
 * @d:		What it holds
 * @room:	Bytes that all wants may have yet
 *
 * Return: 0; -ENOMEM: there is none
 */
int want_take(struct want *w, uint64_t number, const struct journal_frame *f,
	      const struct decoded *d, size_t *room);

/** want_forget() - Free its frames */
void want_forget(struct want *w);

/**
 * struct said - What one side said, put together
 * @p:		WANT_STREAM bytes
 * @known:	A byte for each: it was seen
 * @n:		Bytes of which some are known
 * @whole:	Bytes from the first on that all are
 * @head:	Bytes of its head; 0: it has none that is whole
 */
struct said {
	uint8_t *p;
	uint8_t *known;
	uint32_t n;
	uint32_t whole;
	uint32_t head;
};

/** said_gather() - Put together what @side said; unknown bytes are @fill */
void said_gather(struct said *s, const struct want *w, enum want_side side,
		 uint8_t fill);

/** said_is_http() - Does it begin as a message of HTTP/1? */
bool said_is_http(const struct said *s, enum want_side side);

/** said_field() - A field of the head, by its name in lower case with a colon.
 * Return: its value, up to the end of the line, or NULL
 */
const uint8_t *said_field(const struct said *s, const char *name, size_t *len);

/** said_is_text() - Bytes of a text, in ASCII or another set */
bool said_is_text(const uint8_t *p, size_t n);

/** want_mask() - Redact its frames, and find those that differ first */
int want_mask(struct want *w, const struct redact *r);

#endif /* EVIDENCE_WANT_H */
