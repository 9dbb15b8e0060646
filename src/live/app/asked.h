/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * asked - Which object an HTTP request is about, and on what condition
 *
 * An object is a target (RFC 9110 section 7.1) and a Host, as one number: the
 * bytes themselves are not kept. What depends on more than these two is not
 * told apart here.
 */
#ifndef APP_ASKED_H
#define APP_ASKED_H

#include <stdint.h>

/* Fields that a request has: bits of asked.flags. */
#define ASKED_FIELDS(X)                                                        \
	X(ASKED_HOST, "host")                                                  \
	X(ASKED_NONE_MATCH, "if-none-match")                                   \
	X(ASKED_SINCE, "if-modified-since")                                    \
	X(ASKED_RANGE, "if-range")                                             \
	X(ASKED_MATCH, "if-match")                                             \
	X(ASKED_UNMODIFIED, "if-unmodified-since")                             \
	X(ASKED_AUTHORIZED, "authorization")

enum asked_field {
#define X(id, name) id,
	ASKED_FIELDS(X)
#undef X
		ASKED_FIELD_COUNT
};

/** asked_bit() - The bit of a field */
static inline uint8_t asked_bit(enum asked_field f)
{
	return (uint8_t)(1u << f);
}

/**
 * struct asked - It
 * @object:	So far; the seed's without a target
 * @index:	Number of the request, the caller's
 * @flags:	Bits of enum asked_field
 * @cand, @pos, @where: Of the line that is read: names that it still may
 *		begin with, bytes of it so far, and what they are
 */
struct asked {
	uint64_t object;
	uint32_t index;
	uint8_t flags;
	uint8_t cand;
	uint8_t pos;
	uint8_t where;
};

/** asked_begin() - Request @index begins. @seed: secret of the run */
void asked_begin(struct asked *a, uint64_t seed, uint32_t index);

/** asked_head() - The next bytes of its head, cut anywhere */
void asked_head(struct asked *a, const uint8_t *p, uint32_t n);

#endif /* APP_ASKED_H */
