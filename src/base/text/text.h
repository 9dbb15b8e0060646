/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * text - Numbers, addresses and captured bytes as a person reads them
 *
 * Each text_ function that fills a buffer returns it, so that it can stand in
 * an argument list. All output is printable ASCII: a captured byte can never
 * steer a terminal.
 */
#ifndef TEXT_TEXT_H
#define TEXT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/ipaddr.h"

#define TEXT_IP	      46 /* room for any address */
#define TEXT_ENDPOINT 54 /* room for any address with its port */
#define TEXT_NUMBER   32 /* room for any number, amount or duration */
#define TEXT_COLUMNS  80 /* width that output is made for */

/**
 * struct text - Text that grows in a buffer
 * @buf, @size:	Where; always terminated
 * @len:	Bytes so far
 * @full:	Something did not fit and was cut
 */
struct text {
	char *buf;
	size_t size;
	size_t len;
	bool full;
};

/** text_begin() - Start an empty text; @size at least 1 */
void text_begin(struct text *t, char *buf, size_t size);

/** text_add() - Append, as printf() does */
void text_add(struct text *t, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/** text_ip() - Address, IPv6 as RFC 5952 wants it; @out has TEXT_IP bytes */
char *text_ip(char *out, const struct ipaddr *a);

/** text_endpoint() - 192.0.2.1:80 or [2001:db8::1]:80; TEXT_ENDPOINT bytes */
char *text_endpoint(char *out, const struct ipaddr *a, uint16_t port);

/* The following fill TEXT_NUMBER bytes. */

/** text_number() - 1,234,567 */
char *text_number(char *out, uint64_t v);

/** text_amount() - Bytes: 1.5 GB (powers of 1000) */
char *text_amount(char *out, uint64_t bytes);

/**
 * text_time() - A duration: 950 ns, 12.3 us, 8.1 ms, 3.4 s, 12 min 3 s, 2 h 5
 * min
 */
char *text_time(char *out, uint64_t ns);

/**
 * text_when() - Time of @ns since 1970: 2026-11-29T22:10:01.123456789Z (RFC
 * 3339)
 */
char *text_when(char *out, uint64_t ns);

/**
 * text_date() - The same as logs of the web have it: 29/Nov/2026:22:10:01 +0000
 */
char *text_date(char *out, uint64_t ns);

/**
 * text_share() - @part of @whole in percent, rounded down: 99.99 %
 *
 * Says 100 % only if it is all and 0 % only if it is none (else <0.01 %).
 */
char *text_share(char *out, uint64_t part, uint64_t whole);

/**
 * text_safe() - Captured bytes as printable ASCII
 * @out, @size:	Where, @size at least 4
 *
 * Other bytes become \xNN, a backslash two. What does not fit is cut at a whole
 * character, and "..." says so.
 */
char *text_safe(char *out, size_t size, const void *p, size_t len);

#endif /* TEXT_TEXT_H */
