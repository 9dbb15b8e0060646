/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * oracle.c - How llhttp splits a stream into messages
 *
 * usage: oracle request|response <STREAM
 *
 * Compiled by test/golden/run from the sources of Debian's node-llhttp, in strict
 * mode, without any lenience. The stream is fed byte by byte. Prints what
 * golden_http prints, so that the two can be compared:
 *   M END BODY	a message ends behind byte END, with BODY bytes of body
 *   U END	behind it the stream is another protocol's
 *   X END WHY	refused at byte END
 *   P BEGUN	the end of the input; 1: inside of a message
 * An interim answer (1xx) is a part of the answer that follows.
 */
#include <llhttp.h>
#include <stdio.h>
#include <string.h>

static size_t fed, body;
static int begun;

static int on_begin(llhttp_t *p)
{
	(void)p;
	begun = 1;
	body = 0;
	return 0;
}

static int on_body(llhttp_t *p, const char *at, size_t n)
{
	(void)p;
	(void)at;
	body += n;
	return 0;
}

static int on_complete(llhttp_t *p)
{
	begun = p->status_code / 100 == 1 && p->status_code != 101;
	if (!begun)
		printf("M %zu %zu\n", fed, body);
	return 0;
}

int main(int argc, char **argv)
{
	llhttp_settings_t s;
	llhttp_t p;
	int c;

	llhttp_settings_init(&s);
	s.on_message_begin = on_begin;
	s.on_body = on_body;
	s.on_message_complete = on_complete;
	llhttp_init(&p,
		    argc > 1 && strcmp(argv[1], "response") == 0 ? HTTP_RESPONSE
								 : HTTP_REQUEST,
		    &s);
	while ((c = getchar()) != EOF) {
		char byte = (char)c;
		llhttp_errno_t e;

		fed++;
		e = llhttp_execute(&p, &byte, 1);
		if (e == HPE_PAUSED_UPGRADE || e == HPE_PAUSED_H2_UPGRADE) {
			printf("U %zu\n", fed);
			return 0;
		}
		if (e != HPE_OK) {
			printf("X %zu %s\n", fed, llhttp_errno_name(e));
			return 0;
		}
	}
	if (llhttp_message_needs_eof(&p) && begun)
		llhttp_finish(&p);
	printf("P %d\n", begun);
	return 0;
}
