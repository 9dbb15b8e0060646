/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sums.c - Are the checksums of a capture to be believed?
 *
 * Theory of operation
 *
 * Many captures have addresses that were changed, and sums that were not made
 * anew. Nothing of them could be played: a frame with a wrong sum never changes a
 * state. So the beginning of a capture is looked at before it is read: where at
 * least one of SHARE sums is wrong, none of that file is tested. Only of files:
 * on a wire a wrong sum is a damaged frame, and an attacker would choose; a pipe
 * cannot be read twice; and a journal of ours has the frames that were played.
 */
#include <inttypes.h>

#include "cmd/live.h"
#include "os/log.h"

#define LOOK_SUMS   2000u   /* sums that are looked at, */
#define LOOK_FRAMES 200000u /* in so many frames at most */
#define SHARE	    10u	    /* one of so many wrong is too many */

/* The sums at the beginning of the open capture. */
struct look {
	uint32_t right;
	uint32_t wrong;
};

static struct look look_ahead(struct live *l)
{
	struct look k = { 0 };
	struct frame_info in;
	struct errbuf e;

	for (uint32_t n = 0;
	     n < LOOK_FRAMES && !l->stop && k.right + k.wrong < LOOK_SUMS &&
	     file_next(&l->file, &in, &e) > 0;
	     n++) {
		enum frame_sum s = frame_sum(&in);

		k.right += s == FRAME_SUM_RIGHT;
		k.wrong += s == FRAME_SUM_WRONG;
	}
	return k;
}

void live_choose_sums(struct live *l)
{
	struct look k;

	l->trust = l->opt->sums == OPTIONS_SUMS_TRUST;
	if (l->opt->sums != OPTIONS_SUMS_AUTO || file_is_pipe(&l->file))
		return;
	k = look_ahead(l);
	l->trust = k.wrong > 0 && k.wrong * SHARE >= k.right + k.wrong &&
		   l->file.pen != JOURNAL_PEN;
	if (l->trust)
		log_line(LOG_INFO,
			 "%s: %" PRIu32 " of the first %" PRIu32
			 " checksums are wrong: none of this file is tested; "
			 "--checksums verify refuses such frames",
			 l->file.path, k.wrong, k.right + k.wrong);
	if (file_rewind(&l->file) != 0) /* it was a file a moment ago */
		l->stop = true;
}

void live_say_sums(const struct live *l)
{
	const struct engine_stats *st = engine_stats(l->engine);
	uint64_t wrong = st->decode[ENGINE_MIRROR][DECODE_BAD_IP_CSUM] +
			 st->decode[ENGINE_MIRROR][DECODE_BAD_L4_CSUM];

	if (l->reads && wrong > 0 && wrong * SHARE >= st->count.frames_mirror)
		log_line(LOG_WARN,
			 "%" PRIu64 " of %" PRIu64 " frames have wrong "
			 "checksums and were not played; --checksums trust "
			 "does not look at them",
			 wrong, st->count.frames_mirror);
}
