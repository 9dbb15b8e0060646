/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * edit - The values of send's rewriting options
 *
 * Kinds that few options have (opt/kind.h). Their field is all of struct
 * send_options (offset 0), but for those of lists and of given numbers. None
 * says that frames are rewritten: that follows from which options were given.
 */
#ifndef SEND_EDIT_H
#define SEND_EDIT_H

#include "send/send.h"

extern const struct opt_kind send_kind_nets; /* [struct edit_nets] */
extern const struct opt_kind send_kind_pnat;
extern const struct opt_kind send_kind_endpoints;
extern const struct opt_kind send_kind_portmap;
extern const struct opt_kind send_kind_dmac;
extern const struct opt_kind send_kind_smac;
extern const struct opt_kind send_kind_subsmac;
extern const struct opt_kind send_kind_vlan_tag;
extern const struct opt_kind send_kind_vlan_cfi;
extern const struct opt_kind send_kind_vlan_pri;
extern const struct opt_kind send_kind_vlan_proto;
extern const struct opt_kind send_kind_dlt;
extern const struct opt_kind send_kind_ttl;
extern const struct opt_kind send_kind_given; /* [int], -1: not given */
extern const struct opt_kind send_kind_tcp_sequence;

/** send_edit_defaults() - Nothing is rewritten */
void send_edit_defaults(struct send_options *o);

/** send_edit_finish() - All were read. Return: 0; -EINVAL: not together */
int send_edit_finish(struct send_options *o, struct errbuf *e);

#endif /* SEND_EDIT_H */
