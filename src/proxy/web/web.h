/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * web - Bytes of HTTP's clients and servers
 *
 * It needs neither a loop nor a clock; events tell of edges.
 */
#ifndef WEB_WEB_H
#define WEB_WEB_H

#include <stdbool.h>
#include <stdint.h>

#include "core/dir.h"
#include "http/exchange.h"

/**
 * struct web - A client and the server of his request
 * @fd:		By the direction in which they are read; -1: there is none
 * @sent:	Bytes, by direction
 * @deaf:	The server takes nothing more; he may have answered
 * @told:	Bits by direction: the receiver was told that no more comes
 * @dry:	By direction: there was nothing to read, and no event since
 */
struct web {
	struct http_exchange x;
	int fd[DIR_COUNT];
	uint64_t sent[DIR_COUNT];
	bool deaf;
	uint8_t told;
	bool dry[DIR_COUNT];
};

/** enum web_step - As enum http_step, and: */
#define WEB_MORE (HTTP_BROKEN + 1) /* come again, after others */

/** web_begin() - A client is there. @memory: 2 * HTTP_BUFFER bytes */
void web_begin(struct web *w, int client, uint8_t *memory);

/** web_server() - There is a server; web_left(): and there is none any more */
void web_server(struct web *w, int server);
void web_left(struct web *w);

/** web_event() - Something has happened to a socket; before web_run() */
static inline void web_event(struct web *w, enum dir d)
{
	w->dry[d] = false;
}

/**
 * web_run() - Go on, as far as it goes now
 * @moved:	Result: something was sent or read
 *
 * Return: enum http_step or WEB_MORE; HTTP_WAIT: until a socket can be read or
 * written
 */
int web_run(struct web *w, bool *moved);

#endif /* WEB_WEB_H */
