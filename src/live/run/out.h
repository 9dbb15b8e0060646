/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * out - Effects become frames
 *
 * The one place that turns an effect into the bytes of a frame: the live sink,
 * the journal and a rerun all come here, so that they cannot differ.
 */
#ifndef RUN_OUT_H
#define RUN_OUT_H

#include "engine/engine.h"
#include "wire/build.h"

/**
 * struct out_frame - A frame to be sent
 * @hdr, @hdr_len: Its headers, checksums as if nothing were offloaded; or, for
 *		EFFECT_RAW, the whole frame
 * @data, @len:	Payload, borrowed from the effect's frame
 */
struct out_frame {
	uint8_t hdr[BUILD_RAW_MAX];
	uint32_t hdr_len;
	const uint8_t *data;
	uint32_t len;
};

/**
 * out_header() - Header fields of an effect
 * @x:		EFFECT_TCP or EFFECT_UDP
 * @src, @dst:	Hardware addresses
 * @number:	Number of the effect in its run, which gives the IPv4 id
 */
void out_header(const struct effect *x, const uint8_t *src, const uint8_t *dst,
		uint64_t number, struct tcp_header *h);

/** out_build() - The bytes of an effect; as out_header() */
void out_build(const struct effect *x, const uint8_t *src, const uint8_t *dst,
	       uint64_t number, struct out_frame *f);

#endif /* RUN_OUT_H */
