/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * quic - Is a datagram one of QUIC?
 */
#ifndef APP_QUIC_H
#define APP_QUIC_H

#include <stdbool.h>
#include <stdint.h>

/**
 * quic_is() - Is it? (RFC 9000 section 17)
 * @p, @n:	Its payload
 * @port:	Of the server
 *
 * A long header has a version, which is known on any port. A short one has but
 * a fixed bit, which is believed on port 443 alone.
 */
bool quic_is(const uint8_t *p, uint32_t n, uint16_t port);

#endif /* APP_QUIC_H */
