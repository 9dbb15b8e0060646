/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * netdev - What a driver says that it can do with XDP
 */
#ifndef BPF_NETDEV_H
#define BPF_NETDEV_H

/**
 * netdev_takes_redirects() - Ask whether XDP may redirect frames to a device
 * @index:	Interface index
 *
 * The kernel's netdev family of generic netlink tells it since Linux 6.3. Of a
 * veth pair it depends on the other end, which must have an XDP program or GRO.
 *
 * Return: 1, 0, -EOPNOTSUPP (the kernel does not tell) or another -Exxx
 */
int netdev_takes_redirects(int index);

#endif /* BPF_NETDEV_H */
