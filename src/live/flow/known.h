/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * known - What is known of a flow: questions; nothing is changed
 */
#ifndef FLOW_KNOWN_H
#define FLOW_KNOWN_H

#include <stdbool.h>
#include <stdint.h>

#include "flow/flow.h"
#include "wire/segment.h"

/* Largest window; and how far two numbers may lie apart (RFC 1982). */
#define WINDOW_MOST  (1u << 30)
#define NUMBERS_MOST 0x7fffffffu

/* Has the client sent what is not here, and is not given up yet? */
bool client_hole(const struct flow *f);
/* Has production? */
bool prod_hole(const struct flow *f);
/* Does a client's @ack lie outside of what production can have sent? */
bool acks_unsent(const struct flow *f, uint32_t ack);
/* Are the client's next bytes here, and wait for production's that they ack? */
bool client_waits(const struct flow *f);
/* Are production's next bytes here, and wait for the client's? */
bool prod_waits(const struct flow *f);
/* Does a client's segment say something else than the copy that came first? */
bool contradicts(const struct flow *f, const struct segment *seg);
/* Does @ack ack bytes of @who's other end that are not here, and may come? */
bool is_ahead(const struct flow *f, enum who who, uint32_t ack);
/* Is a RST of production in the client's window? */
bool in_client_window(const struct flow *f, uint32_t seq);
/* Does production ack the client's SYN, and its own is yet to come? */
bool acks_syn_alone(const struct flow *f, const struct segment *seg);
/* Has the mirrored connection ended? */
bool mirror_over(const struct flow *f);
/* Who ended it otherwise than by FIN: the end that a leg has by that, or
 * FLOW_END_NONE.
 */
enum flow_end reset_by(const struct flow *f);
/* Is what the SUT would have to answer next left out? */
bool left_next(const struct flow *f);
/* Is something left out in front of the client's bytes that are sent next? */
bool at_hole(const struct flow *f);
/* Is it known where the client's and the SUT's messages begin? */
bool has_messages(const struct flow *f);

#endif /* FLOW_KNOWN_H */
