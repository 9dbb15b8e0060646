/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * request_internal - Clients of HTTP
 */
#ifndef FRONT_REQUEST_INTERNAL_H
#define FRONT_REQUEST_INTERNAL_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "dial/socks.h"
#include "front/front_internal.h"

/* --- access.c --- */

/** access_request() - A request has ended */
void access_request(struct conn *c);

/* --- request.c --- */

/** request_hear() - He is admitted, and asks for something */
void request_hear(struct conn *c);

/** request_run() - Go on, as far as it goes now; @c may be over then */
void request_run(struct conn *c);

/** request_event() - The same, as something has happened to a socket */
void request_event(struct conn *c, enum dir d);

/** request_connected() - There is the server of a request */
void request_connected(struct conn *c);

/** request_failed() - There will be none: @why, as conn_give_up() */
void request_failed(struct conn *c, struct why why, enum socks_code code);

/** request_due() - Its time has come; @c may be over then */
void request_due(struct conn *c);

/** request_is_idle() - Is it one that asks for nothing now? */
bool request_is_idle(const struct conn *c);

/** request_end() - He is gone */
void request_end(struct conn *c);

/** request_page() - What a client whose CONNECT has failed is told. Return: its
 * length, in http_page()'s room at @out
 */
size_t request_page(const struct conn *c, enum socks_code code, uint8_t *out);

/* --- copy.c --- */

/** copy_take() - One of --copies for what is carried otherwise. Return: its
 * memory, 2 * CARRY_BUFFER bytes; NULL: all are in use
 */
uint8_t *copy_take(struct conn *c);

/* --- greet.c --- */

/** greet_look() - What the client has said and was not taken. Return: @n bytes
 * at *@b; 0: nothing, and he is waited for; -1: @c is over
 */
ssize_t greet_look(struct conn *c, const uint8_t **b);

/** greet_take() - Take away what was looked at */
void greet_take(struct conn *c, size_t n);

#endif /* FRONT_REQUEST_INTERNAL_H */
