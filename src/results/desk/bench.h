/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench - A judge with its memory and its decoders: who judges in this process
 */
#ifndef DESK_BENCH_H
#define DESK_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compare/case.h"
#include "core/hash.h"
#include "os/errbuf.h"
#include "redact/redact.h"
#include "rules/rules.h"
#include "versions/versions.h"

/* What each content may become, and how many times its encoded bytes; what the
 * decoders' libraries may have of memory.
 */
#define BENCH_DECODED (8u << 20)
#define BENCH_RATIO   200u
#define BENCH_FREE    (64u << 10)
#define BENCH_LIBRARY (32u << 20)
#define BENCH_MEMBERS (1u << 18) /* of a JSON text, open at once */

/* Answers of production's that are remembered, and their bytes; differences
 * that may be taken back, and bytes of the SUT's answer of each.
 */
#define BENCH_VERSIONS	 8192u
#define BENCH_REMEMBERED (32u << 20)
#define BENCH_HELD	 64u
#define BENCH_LONGEST	 (64u << 10)

struct bench;

/**
 * bench_new() - Make one; bench_free() it
 * @rules:	After rules_end(); they must outlive it
 * @key:	Secret
 *
 * Return: 0 or -ENOMEM
 */
int bench_new(struct bench **out, const struct rules *rules,
	      const struct hash_key *key);

/**
 * bench_redact() - Secrets are shown as tags from now on
 * @r:		It must outlive the bench
 */
void bench_redact(struct bench *b, const struct redact *r);

/** bench_all() - All places of a difference are looked for from now on */
void bench_all(struct bench *b);

/** bench_free() - NULL is left alone */
void bench_free(struct bench *b);

/**
 * bench_judge() - Judge a case
 * @p, @n:	Its message, any bytes
 *
 * Return: 0; 1: it is a note, which is not answered; -EBADMSG: it is no case;
 * -ENOMEM: the system has no memory for what a decoder may have, then and
 * later. But for 0 @out is untouched
 */
int bench_judge(struct bench *b, const uint8_t *p, size_t n,
		struct case_answer *out);

/** bench_next() - The next answer that takes an older one back, after each
 * bench_judge()
 *
 * Return: false: there is none
 */
bool bench_next(struct bench *b, struct case_answer *out);

/** bench_versions() - What became of production's answers */
const struct versions_stats *bench_versions(const struct bench *b);

/** bench_memory() - Bytes that one has */
size_t bench_memory(void);

#endif /* DESK_BENCH_H */
