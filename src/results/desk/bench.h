/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench - A judge with its memory and its decoders: who judges in this process
 */
#ifndef DESK_BENCH_H
#define DESK_BENCH_H

#include <stddef.h>
#include <stdint.h>

#include "compare/case.h"
#include "core/hash.h"
#include "os/errbuf.h"
#include "redact/redact.h"
#include "rules/rules.h"

/* What each content may become, and how many times its encoded bytes; what the
 * decoders' libraries may have of memory.
 */
#define BENCH_DECODED (8u << 20)
#define BENCH_RATIO   200u
#define BENCH_FREE    (64u << 10)
#define BENCH_LIBRARY (32u << 20)
#define BENCH_MEMBERS (1u << 18) /* of a JSON text, open at once */

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
 * Return: 0, or -EBADMSG: it is no case (@out is untouched)
 */
int bench_judge(struct bench *b, const uint8_t *p, size_t n,
		struct case_answer *out);

/** bench_memory() - Bytes that one has */
size_t bench_memory(void);

#endif /* DESK_BENCH_H */
