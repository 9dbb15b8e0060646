/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * activation - Listeners that who started us has opened (sd_listen_fds(3))
 *
 * They are there before the process is, so its address may be one that takes
 * rights to listen at, and who connects while it starts anew waits.
 */
#ifndef NET_ACTIVATION_H
#define NET_ACTIVATION_H

#include <stdbool.h>
#include <stdint.h>

#include "core/ipaddr.h"
#include "os/errbuf.h"

#define ACTIVATION_MOST 32

/**
 * struct activation - Listeners that were handed over
 * @fd:		Of each; @taken: by activation_find()
 */
struct activation {
	unsigned n;
	int fd[ACTIVATION_MOST];
	struct ipaddr ip[ACTIVATION_MOST];
	uint16_t port[ACTIVATION_MOST];
	bool taken[ACTIVATION_MOST];
};

/**
 * activation_open() - See what there is, by LISTEN_PID and LISTEN_FDS
 *
 * Return: 0, also if there is nothing; -EINVAL with a sentence: one of them is
 * no listener of TCP for one family
 */
int activation_open(struct activation *a, struct errbuf *e);

/** activation_find() - The one at this address, the caller's from now on; -1:
 * there is none
 */
int activation_find(struct activation *a, const struct ipaddr *ip,
		    uint16_t port);

/** activation_rest() - Return: 0, or -EINVAL with a sentence that names one
 * which nobody has taken
 */
int activation_rest(const struct activation *a, struct errbuf *e);

#endif /* NET_ACTIVATION_H */
