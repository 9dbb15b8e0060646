/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sums.c - Are the checksums of a capture to be believed?
 *
 * Theory of operation
 *
 * Many captures have addresses that were changed, and sums that were not made
 * anew. Nothing of them could be played: a frame with a wrong sum never changes
 * a state. So the beginning of a capture is looked at before it is read: where
 * at least one of SHARE sums is wrong, none of that file is tested. Only of
 * files: on a wire a wrong sum is a damaged frame, and an attacker would
 * choose; a pipe cannot be read twice; and a journal of ours has the frames
 * that were played.
 */
#include <inttypes.h>

#include "os/log.h"
#include "run/run_internal.h"

#define LOOK_SUMS   2000u   /* sums that are looked at, */
#define LOOK_FRAMES 200000u /* in so many frames at most */
#define SHARE	    10u	    /* one of so many wrong is too many */

/* The sums at the beginning of the open capture. */
struct look {
	uint32_t right;
	uint32_t wrong;
};

static struct look look_ahead(struct run *run)
{
	struct look k = { 0 };
	struct frame_info in;
	struct errbuf e;

	for (uint32_t n = 0;
	     n < LOOK_FRAMES && !run->stop && k.right + k.wrong < LOOK_SUMS &&
	     file_next(&run->file, &in, &e) > 0;
	     n++) {
		enum frame_sum s = frame_sum(&in);

		k.right += s == FRAME_SUM_RIGHT;
		k.wrong += s == FRAME_SUM_WRONG;
	}
	return k;
}

void run_choose_sums(struct run *run)
{
	struct look k;

	run->trust = run->opt->sums == OPTIONS_SUMS_TRUST;
	if (run->opt->sums != OPTIONS_SUMS_AUTO || file_is_pipe(&run->file))
		return;
	k = look_ahead(run);
	run->trust = k.wrong > 0 && k.wrong * SHARE >= k.right + k.wrong &&
		     run->file.pen != JOURNAL_PEN;
	if (run->trust)
		log_line(LOG_INFO,
			 "%s: %" PRIu32 " of the first %" PRIu32
			 " checksums are wrong: none of this file is tested; "
			 "--checksums verify refuses such frames",
			 run->file.path, k.wrong, k.right + k.wrong);
	if (file_rewind(&run->file) != 0) /* it was a file a moment ago */
		run->stop = true;
}

void run_say_sums(const struct run *run)
{
	const struct engine_stats *st = engine_stats(run->engine);
	uint64_t wrong = st->decode[ENGINE_MIRROR][DECODE_BAD_IP_CSUM] +
			 st->decode[ENGINE_MIRROR][DECODE_BAD_L4_CSUM];

	if (run->opt->files > 0 && wrong > 0 &&
	    wrong * SHARE >= st->count.frames_mirror)
		log_line(LOG_WARN,
			 "%" PRIu64 " of %" PRIu64 " frames have wrong "
			 "checksums and were not played; --checksums trust "
			 "does not look at them",
			 wrong, st->count.frames_mirror);
}
