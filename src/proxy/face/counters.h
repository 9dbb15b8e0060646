/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * counters - What becomes of connections
 *
 * accepted = spliced + copied + refused + failed + those that are still
 * opening; the last three of the four are the sums of the reasons that begin
 * with their word; and spliced + copied = all that ended + those that are still
 * open.
 */
#ifndef FACE_COUNTERS_H
#define FACE_COUNTERS_H

#include <stdint.h>

#include "core/counters.h"

#define FRONT_COUNTERS(X, T)                                                   \
	X(T, accepted, "", "connections that clients have opened")             \
	X(T, spliced, "", "of these, joined in the kernel")                    \
	X(T, copied, "", "of these, copied")                                   \
	X(T, refused, "", "of these, turned away by us")                       \
	X(T, failed, "", "of these, that came to no server")                   \
	X(T, copied_asked, "",                                                 \
	  "copied: --splice copy or --splice pipe says so")                    \
	X(T, copied_rights, "", "copied: no rights, or no BTF, to splice")     \
	X(T, copied_families, "",                                              \
	  "copied: IPv4 on one side, IPv6 on the other")                       \
	X(T, copied_local, "",                                                 \
	  "copied: an end is on this host, or behind no Ethernet")             \
	X(T, copied_options, "", "copied: one end only has timestamps")        \
	X(T, copied_full, "", "copied: all pairs were in use")                 \
	X(T, copied_ports, "", "copied: no port of ours was free")             \
	X(T, copied_gone, "", "copied: an end had gone before the splice")     \
	X(T, copied_beside, "",                                                \
	  "copied: another address was tried beside its own meanwhile")        \
	X(T, copied_http, "", "copied: requests of HTTP other than CONNECT")   \
	X(T, copied_other, "", "copied: the kernel refused the splice")        \
	X(T, refused_full, "", "refused: --connections were open")             \
	X(T, refused_client, "", "refused: --per-client were open")            \
	X(T, refused_copies, "", "refused: --copies were being copied")        \
	X(T, refused_unspliced, "",                                            \
	  "refused: --splice tc, and it could not be spliced")                 \
	X(T, refused_header, "",                                               \
	  "refused: no header of the PROXY protocol, or a wrong one")          \
	X(T, refused_http, "", "refused: a CONNECT that cannot be read")       \
	X(T, refused_socks, "", "refused: what it said is not SOCKS")          \
	X(T, refused_method, "",                                               \
	  "refused: SOCKS without a method of authentication that we take")    \
	X(T, refused_login, "", "refused: a wrong name or password")           \
	X(T, refused_busy, "", "refused: too many passwords were in work")     \
	X(T, refused_command, "", "refused: SOCKS other than CONNECT")         \
	X(T, refused_address, "",                                              \
	  "refused: its address may not be connected to")                      \
	X(T, refused_own, "", "refused: its address is a listener of ours")    \
	X(T, refused_names, "",                                                \
	  "refused: too many names were being looked up")                      \
	X(T, refused_killed, "", "refused: somebody ended it by kill")         \
	X(T, failed_handshake, "",                                             \
	  "failed: it did not say in time where to, or its name had no "       \
	  "answer")                                                            \
	X(T, failed_name, "", "failed: its name has no address")               \
	X(T, failed_server, "", "failed: no server took it")                   \
	X(T, failed_left, "", "failed: the client left before")                \
	X(T, failed_own, "", "failed: we had no socket or could not send")     \
	X(T, failed_stopped, "", "failed: we were stopped before")             \
	X(T, ended_closed, "", "spliced or copied, and closed by both ends")   \
	X(T, ended_reset, "", "the same, reset by one")                        \
	X(T, ended_idle, "", "the same, for --idle-timeout silent")            \
	X(T, ended_half_closed, "",                                            \
	  "the same, silent for --half-closed-timeout")                        \
	X(T, ended_lost, "",                                                   \
	  "the same, broken while our sockets were still in it")               \
	X(T, ended_stopped, "", "the same, cut when we were stopped")          \
	X(T, ended_killed, "", "the same, ended by kill")                      \
	X(T, ended_left, "", "the same, left to the kernel when we ended")     \
	X(T, bytes_c2s, "bytes", "that servers have acked")                    \
	X(T, bytes_s2c, "bytes", "that clients have acked")                    \
	X(T, requests, "",                                                     \
	  "requests of HTTP, but for CONNECTs that come first")                \
	X(T, requests_answered, "", "of these, answered by a server")          \
	X(T, requests_refused, "",                                             \
	  "of these, that cannot be read, or lead where nobody may go")        \
	X(T, requests_failed, "",                                              \
	  "of these, to which no server has an answer")                        \
	X(T, requests_cut, "", "of these, that were cut off by an end")        \
	X(T, adopted, "", "spliced connections that we found")                 \
	X(T, accept_errors, "",                                                \
	  "times that the kernel gave us no connection (descriptors?)")        \
	X(T, server_failures, "", "times that a server did not take one")      \
	X(T, servers_out, "", "times that one got no more clients")            \
	X(T, servers_back, "", "times that one got clients again")             \
	X(T, beside, "", "addresses that were tried beside others")            \
	X(T, lookups, "", "names that were looked up")                         \
	X(T, reloads, "", "times that files of options were read again")       \
	X(T, reload_errors, "", "of these, times that nothing was taken")      \
	X(T, unpiped, "",                                                      \
	  "of --splice pipe, that went by a buffer: we had no pipe")           \
	X(T, log_lost, "", "lines that a log did not take")                    \
	X(T, events_lost, "",                                                  \
	  "events of a worker that its parent did not take")                   \
	X(T, checks, "", "connections that asked whether one is back")

struct front_counters {
	FRONT_COUNTERS(COUNTER_MEMBER, )
};

#define FRONT_GAUGES(X, T)                                                     \
	X(T, opening, "", "of which nothing is settled yet")                   \
	X(T, open, "", "spliced or copied, and not over")                      \
	X(T, used, "", "of --connections, TIMEWAIT included")                  \
	X(T, copying, "", "of --copies")                                       \
	X(T, draining, "bool", "whether it accepts nothing more")

struct front_gauges {
	FRONT_GAUGES(COUNTER_MEMBER, )
};

#define FRONT_SERVER_GAUGES(X, T)                                              \
	X(T, users, "", "connections that are there, or are tried there")      \
	X(T, out, "bool", "whether it gets none while another is in")          \
	X(T, drained, "bool", "whether it gets none at all")

struct front_server_gauges {
	FRONT_SERVER_GAUGES(COUNTER_MEMBER, )
};

extern const struct counter_list front_counter_list;
extern const struct counter_list front_gauge_list;
extern const struct counter_list front_server_gauge_list;

#endif /* FACE_COUNTERS_H */
