/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * method - Which methods of HTTP are played
 */
#ifndef APP_METHOD_H
#define APP_METHOD_H

#include <stdbool.h>
#include <stdint.h>

#define METHODS_TEXT 128 /* bytes of a list, with its end */

/* Those that are asked to change nothing (RFC 9110 section 9.2.1). */
#define METHODS_SAFE "GET,HEAD,OPTIONS,TRACE"

enum method_is {
	METHOD_IN,
	METHOD_OUT,
	METHOD_UNSURE, /* it may yet become one of them */
};

/**
 * method_is() - Does a request's method stand in a list?
 * @list:	Names with commas between them
 * @p, @n:	The request's first bytes, which may end inside of its method
 */
enum method_is method_is(const char *list, const uint8_t *p, uint32_t n);

/** method_list_good() - Are these tokens (RFC 9110 section 5.6.2) with commas
 * between them?
 */
bool method_list_good(const char *list);

#endif /* APP_METHOD_H */
