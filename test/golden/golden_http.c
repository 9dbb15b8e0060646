/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * golden_http.c - How our framer splits a stream into messages
 *
 * usage: golden_http request|response <STREAM
 *
 * The stream ends behind its last byte. Prints:
 *   M END BODY A	a message ends behind byte END, with BODY bytes of body; A:
 *			1 if it is ambiguous
 *   U END		behind it the stream is not framed any more
 *   P BEGUN A		the end of the input; 1: inside of a message
 */
#include "app/framer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STREAM_MOST (1u << 20)

static uint64_t state[FRAMER_STATE_MAX / 8];

int main(int argc, char **argv)
{
	enum who who = argc > 1 && strcmp(argv[1], "response") == 0
			       ? WHO_PROD
			       : WHO_CLIENT;
	uint8_t *p = malloc(STREAM_MOST);
	bool begun = false, ambiguous = false, tunnel = false;
	uint32_t n, at = 0, body = 0;

	if (p == NULL)
		return 2;
	n = (uint32_t)fread(p, 1, STREAM_MOST, stdin);
	framer_http1.init(state, false);
	while (at < n && !tunnel) {
		struct framer_piece piece;

		framer_http1.feed(state, who, p + at, n - at, &piece);
		at += piece.used;
		begun |= (piece.flags & FRAMER_BEGIN) != 0;
		ambiguous = (piece.flags & FRAMER_AMBIGUOUS) != 0;
		if (piece.part == FRAMER_BODY)
			body += piece.used;
		if ((piece.flags & FRAMER_MARK) != 0) {
			printf("M %u %u %d\n", at, body, ambiguous);
			begun = ambiguous = false;
			body = 0;
		}
		tunnel = (piece.flags & FRAMER_TUNNEL) != 0;
	}
	if (tunnel)
		printf("U %u\n", at);
	else if (begun && (framer_http1.fin(state, who) & FRAMER_MARK) != 0)
		printf("M %u %u %d\nP 0 0\n", at, body, ambiguous);
	else
		printf("P %d %d\n", begun, ambiguous);
	free(p);
	return 0;
}
