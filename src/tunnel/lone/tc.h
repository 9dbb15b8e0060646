/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tc - What the programs of tc.bpf.c are told and count; also included by them
 */
#ifndef LONE_TC_H
#define LONE_TC_H

#include <stdint.h>

#define TC_NETS	 32 /* ENDS_ALLOWS */
#define TC_ADDRS 2  /* ENDS_ADDRS */
#define TC_PATHS 16 /* ENDS_PATHS, TURN_MOST */

/** struct tc_net - A network of IPv4, in the order of the wire */
struct tc_net {
	uint32_t addr;
	uint32_t mask;
};

/** struct tc_path - Both ends of a path, in the order of the wire */
struct tc_path {
	uint32_t ifindex;
	uint32_t local;
	uint32_t remote;
};

/** struct tc_path_count - lone/counters.h explains them */
struct tc_path_count {
	uint64_t sent;
	uint64_t sent_bytes;
	uint64_t came;
};

struct tc_count {
	uint64_t read;
	uint64_t looped;
	uint64_t not_ip4;
	uint64_t unsent;
	uint64_t came;
	uint64_t bad;
	uint64_t cut;
	uint64_t not_allowed;
	uint64_t not_written;
	uint64_t written;
	struct tc_path_count path[TC_PATHS];
};

#endif /* LONE_TC_H */
