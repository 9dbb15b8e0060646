/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * probe_port - From which port a probe comes: the usual ephemeral range
 */
#ifndef LAN_PROBE_PORT_H
#define LAN_PROBE_PORT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/rng.h"

#define PROBE_PORT_LOW	 32768 /* Linux, net.ipv4.ip_local_port_range */
#define PROBE_PORT_COUNT 28232

/** probe_port() - Draw one */
static inline uint16_t probe_port(struct rng *rng)
{
	return (uint16_t)(PROBE_PORT_LOW + rng_below(rng, PROBE_PORT_COUNT));
}

/** is_probe_port() - Is it of that range? */
static inline bool is_probe_port(uint16_t port)
{
	return port >= PROBE_PORT_LOW &&
	       port < PROBE_PORT_LOW + PROBE_PORT_COUNT;
}

#endif /* LAN_PROBE_PORT_H */
