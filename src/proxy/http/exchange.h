/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * exchange - A client of an HTTP proxy: his requests, one after the other
 *
 * Bytes that were read go in, bytes that are to be sent come out, and wishes:
 * connect to a server, leave it. Nothing here knows a socket.
 */
#ifndef HTTP_EXCHANGE_H
#define HTTP_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/dir.h"
#include "http/body.h"
#include "http/edit.h"
#include "http/head.h"

#define HTTP_IN	    49152 /* bytes that were read and are not sent yet */
#define HTTP_OUT    16384 /* bytes of a head that is to be sent */
#define HTTP_BUFFER (HTTP_IN + HTTP_OUT)
#define HTTP_LINE   512 /* of a request's line, for a log */

/** enum http_step - What is to be done */
enum http_step {
	HTTP_WAIT,   /* until there are bytes, or some were sent */
	HTTP_SERVER, /* connect to @host, then http_connected() or http_fail() */
	HTTP_LEAVE,  /* close the server's connection, then http_left() */
	HTTP_DONE,   /* an exchange has ended: @line, @status, @bytes */
	HTTP_OVER,   /* all was sent: close */
	HTTP_BROKEN, /* an answer or a request was cut: close by a reset */
};

/** enum http_phase - Where in an exchange it is; private */
enum http_phase {
	HTTP_IDLE,
	HTTP_LOOKS, /* for a server */
	HTTP_ASKED, /* HTTP_SERVER was said */
	HTTP_TALKS,
	HTTP_TUNNELS,
	HTTP_TOLD, /* the exchange is over but for what is to be sent */
	HTTP_ENDS,
};

/**
 * struct http_way - What goes in one direction
 * @in:		HTTP_IN bytes; those from @at to @len are there
 * @pass:	Of them, the first that are to be sent as they are
 * @out:	HTTP_OUT bytes; those from @out_at to @out_len go before
 * @ended:	Its sender has said all
 * @shut:	In a tunnel: and all was sent, so its receiver is to be told
 */
struct http_way {
	uint8_t *in;
	uint8_t *out;
	uint32_t at;
	uint32_t len;
	uint32_t pass;
	uint32_t out_at;
	uint32_t out_len;
	bool ended;
	bool shut;
};

/**
 * struct http_exchange - A client
 * @way, @body:	By direction
 * @host, @port: Whom the request is for; @host ends with a 0
 * @status:	Of the answer; 0: none came; @ours: we have made it
 * @bytes:	By direction, of this exchange, sent
 * @line, @line_len: The request's line, or its begin
 * @head_len:	Bytes of the request's head that were written
 * @requests:	That were read
 * The rest is private.
 */
struct http_exchange {
	struct http_way way[DIR_COUNT];
	struct http_body body[DIR_COUNT];
	uint64_t bytes[DIR_COUNT];
	uint64_t requests;
	char host[HTTP_HOST + 1];
	uint16_t port;
	uint16_t status;
	uint16_t line_len;
	uint8_t phase;
	uint8_t method;
	uint8_t minor;
	bool ours;
	bool close;	   /* the client's connection ends with this */
	bool upgrade;	   /* he asks for another protocol */
	bool server;	   /* there is one, for @host and @port */
	bool server_close; /* and it ends with this */
	bool used;	   /* it has answered before */
	bool answered;	   /* the answer's head has come */
	bool heard;	   /* the server has said something */
	uint32_t head_len;
	char line[HTTP_LINE];
};

/* What a client is told whose CONNECT has come to a server. */
#define HTTP_TUNNEL "HTTP/1.1 200 Connection established\r\n\r\n"

/** http_begin() - A client is there. @memory: 2 * HTTP_BUFFER bytes */
void http_begin(struct http_exchange *x, uint8_t *memory);

/** http_run() - Go on. To be called again unless HTTP_WAIT, OVER or BROKEN */
enum http_step http_run(struct http_exchange *x);

/** http_connected() - There is a server. http_left(): there is none any more */
void http_connected(struct http_exchange *x);
void http_left(struct http_exchange *x);

/**
 * http_fail() - There will be none, or it is too late: answer that ourselves
 * @status, @why: As http_page() takes them
 */
void http_fail(struct http_exchange *x, unsigned status, const char *why);

/** http_is_idle() - Is nothing asked of us, or all answered? */
bool http_is_idle(const struct http_exchange *x);

/** http_room() - Where bytes of a direction are to be read to. Return: @n of
 * them; NULL: there is no room until some are sent
 */
uint8_t *http_room(struct http_exchange *x, enum dir d, size_t *n);

/** http_got() - @n bytes were; 0: there will be no more */
void http_got(struct http_exchange *x, enum dir d, size_t n);

/** http_next() - What is to be sent in a direction. Return: @n bytes; NULL:
 * nothing
 */
const uint8_t *http_next(const struct http_exchange *x, enum dir d, size_t *n);

/** http_sent() - @n bytes of it were */
void http_sent(struct http_exchange *x, enum dir d, size_t n);

#endif /* HTTP_EXCHANGE_H */
