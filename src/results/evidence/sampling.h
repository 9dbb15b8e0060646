/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sampling - A difference as text: the request, and what was answered to it
 */
#ifndef EVIDENCE_SAMPLING_H
#define EVIDENCE_SAMPLING_H

#include "evidence/want.h"
#include "store/sample.h"

#define SAMPLING_BODY (256u << 10) /* of a body; beyond it is not looked at */

struct sampling;

/** sampling_new() - Room for one after the other; NULL: no memory */
struct sampling *sampling_new(void);

/** sampling_free() - NULL: nothing */
void sampling_free(struct sampling *m);

/**
 * sampling_make() - What each side said, before it is masked
 * @out:	Points into @m until the next call
 */
void sampling_make(struct sampling *m, const struct want *w,
		   const struct redact *r, struct sample out[SAMPLE_SIDES]);

#endif /* EVIDENCE_SAMPLING_H */
