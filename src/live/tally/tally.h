/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tally - Verdicts, counted
 */
#ifndef TALLY_TALLY_H
#define TALLY_TALLY_H

#include "tally/stats.h"
#include "wire/decode.h"
#include "wire/segment.h"

/**
 * tally() - A verdict is given
 * @st:		Its verdicts, reasons, maps and endpoints are counted on
 * @x:		With its verdict and all that tells whose it is. The reasons of
 *		a difference that has but one are set
 * @place:	Where a judge has found the difference; NULL: none has
 * @name, @len:	First line of the request, or its endpoint's name
 * @request, @request_len: First line of the request, an example
 *
 * Return: number of the kind of difference, or 0
 */
uint32_t tally(struct engine_stats *st, struct exchange_record *x,
	       const struct case_place *place, const char *name, uint8_t len,
	       const char *request, uint8_t request_len);

/**
 * tally_name() - Method and path of a request's first line, without query and
 * version; a question of DNS has neither
 *
 * Return: bytes of @p
 */
uint8_t tally_name(const struct exchange_record *x, const char *p, size_t n);

/** tally_absorbed() - A packet of a SUT to the outside, by where it was for */
void tally_absorbed(struct engine_stats *st, const struct segment *seg);

/** tally_icmp() - A DECODE_ICMP of the mirror */
void tally_icmp(struct engine_stats *st, const struct decoded *d);

#endif /* TALLY_TALLY_H */
