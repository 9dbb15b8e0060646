/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * headers_internal - What the files of headers share
 */
#ifndef DEEP_HEADERS_INTERNAL_H
#define DEEP_HEADERS_INTERNAL_H

#include "deep/headers.h"

/* Bytes of a head. */
struct piece {
	const uint8_t *p;
	size_t n;
};

/* A field line. */
struct head_field {
	struct piece name;
	struct piece value; /* without white space around it */
	uint32_t hash;	    /* of the name in lower case */
	bool taken;
};

/* All of a head. */
struct head {
	const uint8_t *from;
	struct head_field *f;
	uint32_t most;
	uint32_t n;
};

/* Two heads that are compared; [0] is production's. */
struct heads {
	const struct headers_rules *by;
	struct headers_verdict *out;
	struct head h[2];
};

/* headers_piece.c */
bool piece_is(const struct piece *a, const char *text); /* in lower case */
bool piece_same(const struct piece *a, const struct piece *b);
bool piece_same_case(const struct piece *a, const struct piece *b);
struct piece piece_trim(struct piece p);
/* The next part of @rest up to @mark outside of quotes, trimmed; false: none */
bool piece_next(struct piece *rest, char mark, struct piece *part);
/* The same, where what rules call one host is one */
bool piece_same_host(const struct rules *r, const struct piece *a,
		     const struct piece *b);
void piece_copy(char to[HEADERS_NAME + 1], const struct piece *p);
/* Split "name=value"; without "=" @value is empty */
void piece_pair(const struct piece *p, struct piece *name, struct piece *value);

/* cookies.c: all Set-Cookie fields of both; true: they are alike */
bool cookies_compare(struct heads *x);

/* headers.c */
bool headers_differ(struct heads *x, enum headers_change change,
		    const struct head_field *a, const struct head_field *b);
/* The next field of this name that is not taken, at or behind @from */
struct head_field *headers_find(struct head *h, uint32_t from,
				const struct piece *name, uint32_t hash);

static inline void headers_made(struct heads *x, enum headers_made m)
{
	x->out->made |= UINT32_C(1) << m;
}

#endif /* DEEP_HEADERS_INTERNAL_H */
