/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * compare_internal - The two halves of a comparison: bytes and fields
 */
#ifndef COMPARE_COMPARE_INTERNAL_H
#define COMPARE_COMPARE_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/asked.h"
#include "compare/compare.h"
#include "compare/protocol.h"
#include "core/buf.h"

#define STATUS_AT  9 /* offset of the status code in a status line */
#define STATUS_END 12

/* Reasons of the body, or of all bytes. */
#define OF_LANE                                                                \
	(reason_bit(REASON_BODY) | reason_bit(REASON_LENGTH) |                 \
	 reason_bit(REASON_BYTES))

/* What a step of a comparison found; negative: -ENOMEM or -E2BIG. */
enum found {
	FOUND_NOTHING,
	FOUND_BYTE,
	FOUND_LENGTH,
	FOUND_MANY, /* the SUT's head has too many fields */
};

#define LANE_WORDS  4
#define LANE_BLOCKS 3u /* of the window */

/**
 * struct window - Bytes of later blocks, block n at n % LANE_BLOCKS
 * @kept:	Number of the block that is there; 0: none
 * @bad:	Bytes of it that both have are not the same
 */
struct window {
	uint64_t kept[LANE_BLOCKS];
	bool bad[LANE_BLOCKS];
	uint8_t p[LANE_BLOCKS][COMPARE_BLOCK];
};

/**
 * struct lane - Two streams of bytes that should be the same
 * @pos:	Bytes that came of each
 * @room:	Memory of the first @room_size bytes that are kept
 * @keep:	Frames with the following ones, in order; len is their capacity
 * @hash:	Of the block under way of each, its whole words: word i goes
 *		into hash i % LANE_WORDS
 * @word:	Its bytes behind them
 * @window:	Frame with a struct window; NULL: not needed, or no room
 * @first:	Frames with the hashes of blocks that only one side has
 *		finished, oldest first
 * @last:	The last of them
 * @read:	Offset of the oldest hash in @first
 * @write:	Offset behind the youngest one in @last
 * @offset:	FOUND_BYTE, FOUND_LENGTH: where, UINT64_MAX: in @block
 * @block:	Number of that block
 * @found:	A byte differs: what comes then only completes @seen
 */
struct lane {
	uint64_t pos[2];
	uint8_t *room;
	uint32_t room_size;
	struct buf *keep;
	uint64_t hash[2][LANE_WORDS];
	uint64_t word[2];
	struct buf *window;
	struct buf *first;
	struct buf *last;
	uint32_t read;
	uint32_t write;
	uint64_t offset;
	uint64_t block;
	bool found;
	struct compare_excerpt seen;
};

/** lane_init() - Begin; @room is borrowed until lane_release() */
void lane_init(struct lane *l, uint8_t *room, uint32_t size);

/**
 * lane_feed() - Next @n bytes of side @side (0 or 1)
 *
 * Return: FOUND_NOTHING, FOUND_BYTE, once, or -ENOMEM: then feed no more
 */
int lane_feed(struct lane *l, struct pool *pool, unsigned side,
	      const uint8_t *p, uint32_t n);

/**
 * lane_finish() - Both streams are whole
 *
 * Return: FOUND_NOTHING, also if lane_feed() has found something, FOUND_BYTE,
 * or FOUND_LENGTH: as far as blocks that both have whole can tell, one is a
 * prefix of the other
 */
int lane_finish(struct lane *l);

/** lane_release() - Give all frames back; may be called twice */
void lane_release(struct lane *l, struct pool *pool);

/**
 * struct fields - Kept bytes of a head and its trailers, in one piece
 * @p:		Bytes, @len of @cap
 * @max:	Most of them
 * @frame:	Where they lie once the first memory is too small
 * @head:	Bytes of the head; the others are trailers
 * @ended:	The head is whole
 */
struct fields {
	uint8_t *p;
	uint32_t len;
	uint32_t cap;
	uint32_t max;
	struct buf *frame;
	uint32_t head;
	bool ended;
};

/** fields_add() - Keep @n more bytes, at most @f->max in all
 *
 * Return: 0 or -ENOMEM
 */
int fields_add(struct fields *f, struct pool *pool, const uint8_t *p,
	       uint32_t n);

/* Names of fields that say nothing about an answer: a server's own moment. */
#define FIELDS_OWN 5
extern const char *const fields_own[FIELDS_OWN];

/** fields_release() - Give the frame back; may be called twice */
void fields_release(struct fields *f, struct pool *pool);

/**
 * fields_compare() - Are these field lines equivalent?
 * @a, @an:	Production's lines, up to and with the empty line if there is
 *		one
 * @b, @bn:	The SUT's
 * @start:	A start line comes first: it is skipped
 * @rules:	What else is left out; NULL: nothing
 * @out:	The first field that differs; written if one does
 *
 * Return: FOUND_NOTHING, FOUND_BYTE, FOUND_MANY, or -E2BIG: production has too
 * many fields
 */
int fields_compare(const uint8_t *a, uint32_t an, const uint8_t *b, uint32_t bn,
		   bool start, const struct compare_rules *rules,
		   struct compare_field *out);

/**
 * struct field_mask - Where in bytes that nobody can parse the value of a line
 * lies that fields_compare() would leave out
 * @cand:	Names that the line still may begin with, a bit each
 * @pos:	Bytes of the line so far; beyond any name it stays there
 * @skip:	In such a value
 */
struct field_mask {
	uint64_t cand;
	uint8_t pos;
	bool skip;
};

/** field_mask_init() - At the beginning of a line */
void field_mask_init(struct field_mask *m);

/**
 * field_mask_run() - How much of these bytes is of one kind
 * @skip:	Set to whether they are left out
 *
 * Return: bytes, 1 to @n
 */
uint32_t field_mask_run(struct field_mask *m, const uint8_t *p, uint32_t n,
			bool *skip);

/**
 * struct side - One server's answer
 * @bytes:	Of its stream, whatever they are
 * @wrap:	Hash of interim answers and chunk framing, and where they lie
 * @fields:	Head and trailers
 * @field_bytes: Bytes of them that came, kept or not
 * @mask:	Of what stands behind the break of the protocol
 * @status:	Status code so far
 * @line:	Bytes of the status line so far, up to STATUS_END
 * @odd:	What is not by the book; ODD_NONE: it is
 * @done:	The answer is whole
 * @malformed:	It breaks the protocol: what follows is bytes
 * @extra:	They stand behind an answer that must have no content
 * @long_head:	Too much of a head to be kept
 */
struct side {
	uint64_t bytes;
	uint64_t wrap;
	struct fields fields;
	uint64_t field_bytes;
	struct field_mask mask;
	uint16_t status;
	uint8_t line;
	uint8_t odd;
	bool done;
	bool malformed;
	bool extra;
	bool long_head;
};

/**
 * struct compare - One exchange
 * @self:	Frame it lies in
 * @rules:	What is left out; NULL: nothing
 * @ops:	Takes the pieces
 * @equivalent:	At COMPARE_EQUIVALENT
 * @parse:	Heads are parsed (compare_ops.fields at COMPARE_EQUIVALENT)
 * @heads:	Both heads have been compared
 * @unlike:	Equivalent so far, but not the same bytes
 * @spoiled:	Why it is not compared; REASON_NONE: it is
 * @found:	What differs, as reason_bit()
 * @field:	The first field that does
 * @kept:	Both answers, for a judge; NULL: they are not kept
 * @state:	The protocol's, of compare_ops.state bytes
 * @by, @request, @request_len: As compare_asked() was told
 * @reply:	Type of both replies of redis
 * @rule:	Line of a rule that makes them alike, from 1; 0: none
 * @sent:	As compare_sends() was told
 * @hangs:	The same
 */
struct compare {
	struct buf *self;
	struct side side[2]; /* production, SUT */
	struct lane lane;
	const struct compare_rules *rules;
	const struct compare_ops *ops;
	bool equivalent;
	bool parse;
	bool heads;
	bool unlike;
	enum compare_reason spoiled;
	uint64_t found;
	struct compare_field field;
	struct keep *kept;
	void *state;
	const struct rules *by;
	const char *request;
	uint8_t request_len;
	uint8_t reply[2];
	uint32_t rule;
	uint64_t sent[ASKED_SENT];
	bool hangs;
	_Alignas(8) uint8_t room[];
};

/** compare_status() - Status code of a side; 0: none */
static inline uint16_t compare_status(const struct side *s)
{
	return s->line == STATUS_END ? s->status : 0;
}

/* The rows of protocols[] share them. */
extern const struct compare_ops compare_http;
extern const struct compare_ops compare_stream;
extern const struct compare_ops compare_reply;
extern const struct compare_ops compare_datagram;
extern const struct compare_ops compare_dns;
extern const struct compare_ops compare_dns_stream;
extern const struct describe_ops describe_answer;
extern const struct describe_ops describe_bytes;
extern const struct describe_ops describe_reply;
extern const struct describe_ops describe_datagram;
extern const struct describe_ops describe_dns;

/* What all rows do with a piece: see that it is by the book, hash what is not
 * compared, compare bytes.
 */
void compare_check_odd(struct compare *c, struct side *s,
		       const struct framer_piece *piece);
void compare_wrap(struct compare *c, unsigned side, const uint8_t *p,
		  uint32_t n);
void compare_lane(struct compare *c, struct pool *pool, unsigned side,
		  const uint8_t *p, uint32_t n);

/** reply_type_name() - A value of redis, by the byte that it begins with */
const char *reply_type_name(uint8_t type);

/** compare_verdict() - What was found to @out, @why as in compare_end() */
void compare_verdict(const struct compare *c, enum compare_reason why,
		     struct compare_result *out);

#endif /* COMPARE_COMPARE_INTERNAL_H */
