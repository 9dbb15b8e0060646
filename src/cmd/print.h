/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * print - Frames as lines of text
 */
#ifndef CMD_PRINT_H
#define CMD_PRINT_H

#include <stdint.h>

#include "wire/decode.h"

/**
 * print_decoded() - Print what a frame is, and the line's end
 * @r, @d:	Of frame_decode()
 * @bytes:	Its length, for what is no segment
 */
void print_decoded(enum decode_result r, const struct decoded *d,
		   uint32_t bytes);

#endif /* CMD_PRINT_H */
