/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * address - Addresses as the kernel takes them, and listeners
 */
#ifndef NET_ADDRESS_H
#define NET_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "core/ipaddr.h"
#include "os/errbuf.h"

/** address_put() - An address as connect() takes it. Return: its length */
socklen_t address_put(struct sockaddr_storage *out, const struct ipaddr *ip,
		      uint16_t port);

/** address_get() - And back. Return: 0 or -EAFNOSUPPORT */
int address_get(const struct sockaddr_storage *a, struct ipaddr *ip,
		uint16_t *port);

/**
 * address_bind() - A socket of TCP, bound and not yet listening
 *
 * @shared:	Others of this user that say the same may listen there, too, and
 *		the kernel gives each a part of the clients (SO_REUSEPORT)
 *
 * It does not block; one of IPv6 is of IPv6 only.
 *
 * Return: the descriptor, the caller's; or -Exxx with a sentence
 */
int address_bind(const struct ipaddr *ip, uint16_t port, bool shared,
		 struct errbuf *e);

#endif /* NET_ADDRESS_H */
