/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcpopt - TCP options: from bytes to fields and back
 */
#ifndef WIRE_TCPOPT_H
#define WIRE_TCPOPT_H

#include <stddef.h>
#include <stdint.h>

#include "wire/segment.h"

/**
 * tcp_parse_options() - Read a list of TCP options
 * @p:		First option
 * @len:	Length of the list, 0 to TCP_OPT_MAX
 * @o:		Result
 *
 * Unknown kinds are skipped. A known kind with a wrong length is ignored.
 *
 * Return: 0, or -EBADMSG if a length runs past the end or is below 2 (RFC 9293
 * section 3.1, MUST-7); @o then untouched
 */
int tcp_parse_options(const uint8_t *p, size_t len, struct tcp_opts *o);

/**
 * tcp_put_options() - Write a list of TCP options
 * @out:	At least TCP_OPT_MAX bytes
 * @o:		MSS, window scale, SACK-permitted, timestamps, SACK blocks;
 *		other bits of @has are not written, nor blocks for which there
 *		is no room
 *
 * Return: bytes written, a multiple of 4
 */
uint8_t tcp_put_options(uint8_t *out, const struct tcp_opts *o);

#endif /* WIRE_TCPOPT_H */
