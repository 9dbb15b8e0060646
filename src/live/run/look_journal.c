/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * look_journal.c - What the journal loses is said while it does
 *
 * A journal with losses proves nothing, and who waits for the report would
 * learn it when the run is over: the first loss is said at once, and then each
 * time that there are ten times as many.
 */
#include "os/log.h"
#include "run/run_internal.h"
#include "text/text.h"

#define SAY_AGAIN 10 /* times as many */

void run_look_at_journal(struct run *run)
{
	struct journal_stats st;
	char n[TEXT_NUMBER];

	if (!run->journal)
		return;
	journal_stats(run->journal, &st);
	run->journal_lost = st.lost_ring + st.lost_disk;
	if (run->journal_lost == 0 || run->journal_lost < run->journal_said)
		return;
	run->journal_said = SAY_AGAIN * run->journal_lost;
	run_clear_line(run);
	log_line(LOG_WARN,
		 "the journal has lost %s records and cannot be rerun whole: "
		 "%s",
		 text_number(n, run->journal_lost),
		 st.lost_disk > 0
			 ? "its disk takes no more"
			 : "its disk is too slow; --journal-ring SIZE bridges "
			   "bursts, --sample N% and --journal-only client "
			   "make it smaller");
}
