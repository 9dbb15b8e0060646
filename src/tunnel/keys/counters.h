/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * counters - What a link counts; reports print them under these names
 */
#ifndef KEYS_COUNTERS_H
#define KEYS_COUNTERS_H

#include <stdint.h>

#include "core/counters.h"

/* Each datagram that came has one of these fates. */
#define LINK_FATES(X, T)                                                       \
	X(T, data, "", "packets of the other end, for the machine")            \
	X(T, greetings, "", "greetings of the other end")                      \
	X(T, asked, "", "handshakes that the other end asked for")             \
	X(T, asked_again, "", "of these, repetitions by another path")         \
	X(T, answered, "", "answers to a handshake that we asked for")         \
	X(T, cookies, "", "cookies that we were given")                        \
	X(T, bad, "", "messages that nobody writes")                           \
	X(T, bad_mac, "", "handshakes by who does not know our key")           \
	X(T, busy, "", "handshakes that were answered with a cookie")          \
	X(T, old, "", "handshakes that were asked for before")                 \
	X(T, forged, "", "messages that do not open")                          \
	X(T, stray, "", "answers that nobody waits for")                       \
	X(T, unknown, "", "packets of a session that there is not")            \
	X(T, replayed, "", "packets that came before, or far too late")        \
	X(T, early, "", "packets of a session whose greeting has not come")    \
	X(T, failed, "", "messages that the library of ciphers failed at")

#define LINK_EVENTS(X, T)                                                      \
	X(T, came, "", "datagrams that came")                                  \
	X(T, asks, "", "handshakes that we asked for")                         \
	X(T, silences, "", "of these, since the other end did not answer")     \
	X(T, sessions, "", "sessions that were opened")                        \
	X(T, restarts, "", "of these, with another process at the other end")

struct link_counters {
	LINK_EVENTS(COUNTER_MEMBER, )
	LINK_FATES(COUNTER_MEMBER, )
};

extern const struct counter_list link_counter_list;

#endif /* KEYS_COUNTERS_H */
