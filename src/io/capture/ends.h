/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ends - The ends of tunnels that come in on an interface with an address
 *
 * Who sends a mirror to an address of this host would be answered by its kernel
 * that nobody listens there: ICMP, to production or to the cloud. Sockets that
 * take what comes and throw it away keep the kernel silent.
 */
#ifndef CAPTURE_ENDS_H
#define CAPTURE_ENDS_H

#include <stdint.h>

#include "decap/decap.h"
#include "os/errbuf.h"

#define ENDS_MAX 8

/** struct ends - Their descriptors */
struct ends {
	uint32_t n;
	int fd[ENDS_MAX];
};

/**
 * ends_open() - Take what --decap looks into
 * @ifname:	Where it comes in; elsewhere the kernel answers as ever
 *
 * A port that somebody else has is left to him. Needs CAP_NET_RAW.
 *
 * Return: 0, or -Exxx with a sentence, and nothing is open
 */
int ends_open(struct ends *t, const char *ifname, const struct decap *how,
	      struct errbuf *e);

/** ends_close() - Close them */
void ends_close(struct ends *t);

#endif /* CAPTURE_ENDS_H */
