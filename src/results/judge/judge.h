/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * judge - A whole case in, an answer out
 *
 * Content is judged by what its Content-Type says that it is, as production has
 * it: JSON by its value, HTML and XML by their tokens, multipart by parts,
 * forms by fields, text by lines, all else by bytes; content codings are undone
 * first. The heads are judged then, since what is right in a head depends on
 * the content.
 *
 * What production has served before and later is taken into account (RFC 9111):
 * what a client's validator stands for is compared with what the SUT sends
 * instead, an older object of the SUT's may be a fresh one, and where a rule
 * says so a newer one may be one that production comes to serve.
 *
 * What could not be judged is never called the same: it has a reason. A
 * difference that was found elsewhere in the same answer stands all the same.
 */
#ifndef JUDGE_JUDGE_H
#define JUDGE_JUDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compare/case.h"
#include "core/arena.h"
#include "core/hash.h"
#include "redact/redact.h"
#include "rules/rules.h"
#include "versions/versions.h"

/**
 * struct judge_limits - What a judge may use
 * @members:	As for json_init()
 * @decoded:	Bytes that each content may become
 * @versions:	Production's answers that are remembered
 * @held:	Differences that may be taken back when production serves what
 *		the SUT did; full: one more is not
 * @longest:	Bytes of the SUT's answer, of each of them
 */
struct judge_limits {
	uint32_t members;
	size_t decoded;
	struct versions_limits versions;
	uint32_t held;
	size_t longest;
};

/**
 * struct judge_ops - What a pure room cannot do
 * @decode:	Undo the codings of a Content-Encoding (@coding, @cn) into @room
 *		bytes at @out; @len is set on success. Return: 0; 1: nothing was
 *		encoded, and @out is untouched; -EBADMSG (broken, or cut),
 *		-E2BIG (a bomb, or too many codings), -ENOTSUP (a coding is not
 *		known), -ENOMEM
 */
struct judge_ops {
	int (*decode)(void *ctx, const uint8_t *coding, size_t cn,
		      const uint8_t *in, size_t n, uint8_t *out, size_t room,
		      size_t *len);
	void *ctx;
};

struct judge;

/** judge_size() - Bytes that judge_init() takes of an arena */
size_t judge_size(const struct judge_limits *l);

/**
 * judge_init() - Make one
 * @rules:	After rules_end(); they must outlive it
 * @key:	Secret: as for json_init()
 * @ops:	Copied
 *
 * Return: 0 or -ENOMEM
 */
int judge_init(struct judge **out, struct arena *a,
	       const struct judge_limits *l, const struct rules *rules,
	       const struct hash_key *key, const struct judge_ops *ops);

/**
 * judge_redact() - What of a value is shown from now on
 * @r:		It must outlive the judge; NULL, as at first: all
 */
void judge_redact(struct judge *j, const struct redact *r);

/** judge_all() - Look for all places of a difference from now on */
void judge_all(struct judge *j);

/**
 * judge_case() - Judge a case; time grows with its bytes
 *
 * Return: false: it is a note (CASE_NOTE), and there is no answer
 */
bool judge_case(struct judge *j, const struct case_view *c,
		struct case_answer *out);

/**
 * judge_next() - The next answer that takes another one back
 *
 * Return: false: there is none
 */
bool judge_next(struct judge *j, struct case_answer *out);

const struct versions_stats *judge_versions(const struct judge *j);

/** judge_kind() - By whom content of a Content-Type is judged; @n may be 0 */
enum case_judge judge_kind(const uint8_t *type, size_t n);

#endif /* JUDGE_JUDGE_H */
