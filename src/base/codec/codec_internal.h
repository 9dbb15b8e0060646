/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * codec_internal - A library as one stage of a decoder
 */
#ifndef CODEC_INTERNAL_H
#define CODEC_INTERNAL_H

#include "codec/codec.h"

/* What the libraries have of what they may have. */
struct budget {
	size_t left;
	bool refused; /* more than that was asked for */
	bool starved; /* malloc() has failed */
};

/* malloc() and free() for libraries. */
void *budget_take(void *budget, size_t n);
void budget_give(void *budget, void *p);

/* One call of a library: all of both is bounded. */
struct step {
	const uint8_t *in;
	size_t n;
	uint8_t *out;
	size_t room;
};

/**
 * struct codec - A library's face
 * @begin:	Make a state. Return: it, or NULL
 * @step:	Take from step.in, put to step.out; both are moved. Return: 1:
 *		a stream ends here, and the next may begin; 0: go on; -EBADMSG,
 *		-ENOMEM
 * @end:	Free it
 * @again:	Streams may follow one another
 */
struct codec {
	void *(*begin)(struct budget *b, enum coding c);
	int (*step)(void *state, struct step *s);
	void (*end)(void *state);
	bool again;
};

extern const struct codec codec_inflate, codec_brotli, codec_zstd;

#endif /* CODEC_INTERNAL_H */
