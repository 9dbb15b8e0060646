/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lead - Packets with a mark are this host's, whatever their address
 */
#ifndef BPF_LEAD_H
#define BPF_LEAD_H

#include <stdint.h>

/**
 * lead_here() - Give what has a mark to this host's sockets
 * @fd:		What netlink_open() gave
 * @mark:	All of it; also the number of a table of routes, and of the
 *		priority of a rule, which must be nobody else's
 *
 * A rule and a table for IPv4, and for IPv6 where there is that. What is there
 * already is taken for ours.
 *
 * Return: 0 or -Exxx
 */
int lead_here(int fd, uint32_t mark);

/** lead_no_more() - Take that away, as far as it is there */
void lead_no_more(int fd, uint32_t mark);

#endif /* BPF_LEAD_H */
