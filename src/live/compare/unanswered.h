/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unanswered - How a SUT failed to give an answer that production gave
 */
#ifndef COMPARE_UNANSWERED_H
#define COMPARE_UNANSWERED_H

/* These are differences, all of them (I41). */
#define UNANSWERED_KINDS(X)                                                    \
	X(UNANSWERED_NONE, "none")                                             \
	X(UNANSWERED_REFUSED, "refused") /* RST to our SYN */                  \
	X(UNANSWERED_RESET, "reset")	 /* RST on the connection */           \
	X(UNANSWERED_CUT, "cut")	 /* FIN before the answer was whole */ \
	X(UNANSWERED_SILENT, "silent")	 /* no byte of it for its wait */      \
	X(UNANSWERED_LATE, "late") /* began, and did not come to an end */     \
	X(UNANSWERED_WITHHELD, "withheld") /* not sent: the SUT was down */

enum unanswered {
#define X(id, name) id,
	UNANSWERED_KINDS(X)
#undef X
		UNANSWERED_COUNT
};

/** unanswered_name() - As reports spell it */
const char *unanswered_name(enum unanswered u);

#endif /* COMPARE_UNANSWERED_H */
