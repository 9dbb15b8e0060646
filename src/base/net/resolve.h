/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * resolve - Addresses of names, without waiting
 *
 * By c-ares, in a loop of ours (os/loop.h): from the hosts file, and by DNS
 * over UDP. A resolver belongs to one thread.
 */
#ifndef NET_RESOLVE_H
#define NET_RESOLVE_H

#include <stdint.h>

#include "core/ipaddr.h"
#include "os/errbuf.h"
#include "os/loop.h"

#define RESOLVE_LOOKUPS	  2048 /* at once; more are refused (-ENOSPC) */
#define RESOLVE_ADDRESSES 16   /* of one name; more are left out */
#define RESOLVE_HOSTS	  "/etc/hosts"

struct resolver;
struct lookup;

/**
 * typedef resolved_fn - A name was looked up
 * @rc:		0; -ENOENT: it has no address; -ETIMEDOUT: nobody says; or
 *		another -Exxx
 * @a, @n:	Its addresses; borrowed
 */
typedef void resolved_fn(void *ctx, int rc, const struct ipaddr *a, unsigned n);

/**
 * resolver_open() - Read how names are looked up here
 * @server:	Whom to ask, in place of /etc/resolv.conf; NULL: as it says
 * @port:	Of @server
 *
 * From then on it opens sockets of UDP, and RESOLVE_HOSTS to read.
 *
 * Return: 0 or -Exxx with a sentence
 */
int resolver_open(struct resolver **out, struct loop *loop,
		  const struct ipaddr *server, uint16_t port, struct errbuf *e);

/** resolver_close() - Lookups are forgotten; NULL: nothing */
void resolver_close(struct resolver *r);

/**
 * resolver_ask() - Look up a name's addresses of one family
 * @family:	AF_INET or AF_INET6
 * @fn, @ctx:	Whom to tell; perhaps before this returns
 * @out:	Set first: for resolver_drop(), until @fn is called
 *
 * Search domains are not tried. The time that it takes has the bounds of c-ares
 * (three tries of two seconds, growing, for each server).
 *
 * Return: 0, or -ENOSPC and @fn is not called
 */
int resolver_ask(struct resolver *r, const char *name, int family,
		 resolved_fn *fn, void *ctx, struct lookup **out);

/** resolver_drop() - Nobody is to be told */
void resolver_drop(struct lookup *l);

#endif /* NET_RESOLVE_H */
