/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rerun_internal - What the files of rerun share
 */
#ifndef RERUN_RERUN_INTERNAL_H
#define RERUN_RERUN_INTERNAL_H

#include <stdio.h>
#include "compare/case.h"

#include "account/snapshot.h"
#include "gauge/gauge.h"
#include "journal/journal.h"
#include "outcome/outcome.h"
#include "redact/redact.h"
#include "wire/build.h"

#define KEPT 2048 /* effects that may yet turn out unsent */

/**
 * struct rerun_to - Where goes what is found; NULL: nowhere
 * @lines:	--json
 * @learned:	--rules-learn
 * @outcome:	Forms, and --out
 */
struct rerun_to {
	FILE *lines;
	FILE *learned;
	struct outcome *outcome;
};

/**
 * struct rerun - A rerun
 * @file:	Journal
 * @told:	What this rerun was told: rules, if others than the run's
 * @other_rules: It was
 * @judged:	Who judges by rules; NULL: there are none
 * @seen:	Effects so far, which is the number of the next
 * @compared:	Effects compared; what lies between waits
 * @records:	Records read, which is the number of the next
 * @frames:	Frames of them, the one under way too
 * @emitted:	Emitted frames that were equal
 * @differs:	Said: it sends something else. What comes behind goes in for the
 *		report's sake alone, and nothing is compared
 * @again:	The record under way did not go in yet when that was found
 * @what, @at:	What differs, and at which record
 * @stopping:	The run's end was asked for
 * @now:	Of the last record
 * @redact:	What of captured bytes is shown, by the run's key: a tag is the
 *		run's
 * @epoch:	Of the run
 * @mirror_frames, @file_begun: Frames of the mirror so far, and when the first
 *		came
 * @sent:	What a sink would have counted
 * @to:		Where goes what is found
 * @judges:	Answers have a verdict, too: a gate or a form was asked for
 * @reports:	There is a report
 * @gauge:	NULL: there is none
 * @left:	Effects of which it is known whether they left
 * @kept:	Last effects, by number
 * @result:	EXIT_
 */
struct rerun {
	const char *file;
	const struct options *told;
	bool other_rules;
	struct judged *judged;
	struct journal_reader *in;
	struct options o;
	struct arena mem;
	struct engine *engine;
	uint64_t seen;
	uint64_t compared;
	uint64_t left;
	uint64_t records;
	uint64_t frames;
	uint64_t emitted;
	bool differs;
	bool again;
	char what[256];
	uint64_t at;
	bool stopping;
	uint64_t now;
	struct redact redact;
	struct run_epoch epoch;
	uint64_t mirror_frames;
	uint64_t file_begun;
	struct sink_stats sent;
	struct rerun_to to;
	bool judges;
	bool reports;
	struct gauge *gauge;
	struct effect kept[KEPT];
	uint8_t frame[BUILD_HDR_MAX + FRAME_MAX];
	int result;
};

/** rerun_cannot() - Say why there is no answer. Return: -1 */
int rerun_cannot(struct rerun *g, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/** rerun_differs() - Remember where the first difference is. Return: -1 */
int rerun_differs(struct rerun *g, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/** rerun_say_difference() - Say it. Return: -1 */
int rerun_say_difference(struct rerun *g);

/** rerun_answers() - Where the answer goes: beside the report, if that is on
 * standard output
 */
FILE *rerun_answers(const struct rerun *g);

/** rerun_kept() - Effect @number, one of the last */
struct effect *rerun_kept(struct rerun *g, uint64_t number);

/** rerun_compare() - Compare the oldest effect that waits with what was sent.
 * Return: 0, or -1 and it was said
 */
int rerun_compare(struct rerun *g, const struct journal_frame *j);

/* told.c */

/**
 * rerun_options() - The options of a run, and what a rerun is told over them
 *
 * Its rules are made. Return: 0, or -Exxx with a sentence: why it cannot be
 */
int rerun_options(struct options *o, const struct options *told,
		  const struct journal_header *h, struct errbuf *e);

/** rerun_other_rules() - Was it told rules, in place of the run's? */
bool rerun_other_rules(const struct options *told);

/** rerun_redact() - What is redacted of the run in the first journal of a
 * rerun, in the process of --out. Return: 0 or -EBADMSG
 */
int rerun_redact(void *rerun, struct redact *out);

/* report.c; of @reports */

/** rerun_report_begin() - Before the first record. Return: 0, or -1 and it was
 * said
 */
int rerun_report_begin(struct rerun *g);

/** rerun_report_item() - The engine has told something */
void rerun_report_item(struct rerun *g, const struct engine_item *t);

/** rerun_report() - Report; with @judges that is in @result, too */
void rerun_report(struct rerun *g);

/* judged.c */

/** rerun_judge_open() - By the rules of @g->o. Return: 0 or -ENOMEM */
int rerun_judge_open(struct rerun *g);
void rerun_judge_close(struct rerun *g);

/** rerun_judge_refused() - The journal says that the run did not judge this.
 * Return: 0, -EINVAL: there are no rules, -ENOMEM
 */
int rerun_judge_refused(struct rerun *g, uint64_t flow, uint32_t index);

/** rerun_judge_answer() - Answer @i of the last call of the engine. Return: it,
 * or NULL: that was all, and the next call's begin at 0
 */
const struct case_answer *rerun_judge_answer(struct rerun *g, uint32_t i);

/** rerun_records() - Hand in all records. Return: 0, or -1 and it was said */
int rerun_records(struct rerun *g);

/** rerun_end() - End all flows, as a run does; what that sends was recorded
 * before.
 * Return: 0, or -1 and it was said
 */
int rerun_end(struct rerun *g);

#endif /* RERUN_RERUN_INTERNAL_H */
