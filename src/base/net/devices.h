/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * devices - Which devices have an address
 */
#ifndef NET_DEVICES_H
#define NET_DEVICES_H

#define DEVICES_LISTED 32

/** devices_list() - Names of Ethernet devices that are up and have an address,
 * and a NULL; static
 */
void devices_list(const char *out[DEVICES_LISTED + 1]);

#endif /* NET_DEVICES_H */
