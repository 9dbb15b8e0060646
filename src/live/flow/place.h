/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * place - Where production's numbers lie in the SUT's stream
 */
#ifndef FLOW_PLACE_H
#define FLOW_PLACE_H

#include <stdbool.h>
#include <stdint.h>

#include "flow/flow.h"

/* A place in the SUT's stream. */
struct place {
	uint32_t seq;
	bool open; /* all of the SUT's answer k, whose end is not known yet */
};

/** data_ack() - Production's number @ack without the FIN that it may cover */
uint32_t data_ack(const struct flow *f, uint32_t ack);

/** place_of() - Where production's number @p_ack lies */
struct place place_of(const struct flow *f, uint32_t p_ack);

/** boundary() - The largest end of a SUT's frame up to @seq, or the last ack */
uint32_t boundary(const struct flow *f, uint32_t seq);

#endif /* FLOW_PLACE_H */
