/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * send_edit - The values of send's rewriting options
 *
 * Each send_edit_ function takes the value of the option of its name (NULL: it
 * has none) and returns 0, or -EINVAL and a sentence.
 */
#ifndef CMD_SEND_EDIT_H
#define CMD_SEND_EDIT_H

#include "cmd/send.h"

#define SEND_EDITS(X)                                                          \
	X(portmap)                                                             \
	X(pnat)                                                                \
	X(srcipmap)                                                            \
	X(dstipmap)                                                            \
	X(endpoints)                                                           \
	X(seed)                                                                \
	X(skipbroadcast)                                                       \
	X(dmac)                                                                \
	X(smac)                                                                \
	X(subsmac)                                                             \
	X(vlan)                                                                \
	X(vlan_tag)                                                            \
	X(vlan_pri)                                                            \
	X(vlan_cfi)                                                            \
	X(vlan_proto)                                                          \
	X(ttl)                                                                 \
	X(tos)                                                                 \
	X(tclass)                                                              \
	X(flowlabel)                                                           \
	X(mtu)                                                                 \
	X(mtu_trunc)                                                           \
	X(fixlen)                                                              \
	X(fixcsum)                                                             \
	X(efcs)                                                                \
	X(tcp_sequence)                                                        \
	X(mac_seed)                                                            \
	X(mac_keep)                                                            \
	X(skip_mac_casts)                                                      \
	X(dlt)                                                                 \
	X(fuzz_seed)                                                           \
	X(fuzz_factor)

#define X(name)                                                                \
	int send_edit_##name(struct send_options *o, const char *v,            \
			     struct errbuf *e);
SEND_EDITS(X)
#undef X

/** send_edit_defaults() - Nothing is rewritten */
void send_edit_defaults(struct send_options *o);

/** send_edit_finish() - All were read. Return: 0; -EINVAL: not together */
int send_edit_finish(struct send_options *o, struct errbuf *e);

#endif /* CMD_SEND_EDIT_H */
