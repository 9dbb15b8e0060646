/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sample - A request and its two answers, as a person reads them
 *
 * What is in them is redacted already. They are added to a store when its run
 * is over.
 */
#ifndef STORE_SAMPLE_H
#define STORE_SAMPLE_H

#include "store/store.h"

#define SAMPLE_HEAD 8192u  /* bytes of a head that are kept */
#define SAMPLE_BODY 16384u /* bytes of a body that are kept */
#define SAMPLE_KIND 3u	   /* differences of a kind that have them */

enum sample_side { SAMPLE_REQUEST, SAMPLE_PROD, SAMPLE_SUT, SAMPLE_SIDES };

/* What of a body can be shown; a store has these words. */
#define SAMPLE_SHOWNS(X)                                                       \
	X(SAMPLE_PLAIN, "plain")     /* as it was sent */                      \
	X(SAMPLE_DECODED, "decoded") /* without its codings */                 \
	X(SAMPLE_BINARY, "binary")   /* no text: nothing of it */              \
	X(SAMPLE_PARTLY, "partly")   /* not all was seen: nothing of it */     \
	X(SAMPLE_BROKEN, "broken")   /* its coding is: nothing of it */        \
	X(SAMPLE_OTHER, "other")     /* no HTTP/1: nothing, no head either */

enum sample_shown {
#define X(id, name) id,
	SAMPLE_SHOWNS(X)
#undef X
		SAMPLE_SHOWN_COUNT
};

/** sample_side_name(), sample_shown_name() - As a store spells them */
const char *sample_side_name(enum sample_side s);
const char *sample_shown_name(enum sample_shown s);

#define SAMPLE_SAME UINT64_MAX

/**
 * struct sample - What one side said
 * @at:		First byte of the whole body in which the answers differ, both
 *		as they are shown; SAMPLE_SAME: in none
 * @start:	Of the whole body, number of the first byte of @body
 * @bytes:	That the whole body has
 */
struct sample {
	enum sample_side side;
	enum sample_shown shown;
	uint64_t at;
	uint64_t start;
	uint64_t bytes;
	const void *head;
	size_t head_len;
	const void *body;
	size_t body_len;
};

struct sampler;

/**
 * sampler_open() - Add to the store in @dir, which nobody else writes
 * @most:	As store_make(); full: what comes is left out
 *
 * Return: 0, or -Exxx with a sentence
 */
int sampler_open(struct sampler **out, const char *dir, uint64_t most,
		 struct errbuf *e);

/** sampler_put() - Add one of a difference. Return: 0 (also when it is full),
 * -EIO
 */
int sampler_put(struct sampler *s, int64_t difference, const struct sample *p);

/** sampler_close() - End it. NULL: 0. Return: 0 or -EIO: none is there */
int sampler_close(struct sampler *s);

#endif /* STORE_SAMPLE_H */
