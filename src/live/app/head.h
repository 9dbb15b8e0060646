/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * head - Lines of a kept head
 */
#ifndef APP_HEAD_H
#define APP_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes that are yet to be read. */
struct head_rest {
	const uint8_t *p;
	const uint8_t *end;
};

/* A line without its end, or a part of one. */
struct head_line {
	const uint8_t *p;
	size_t n;
};

/** head_next() - The next line. Return: false: there is none */
bool head_next(struct head_rest *r, struct head_line *l);

/** head_name() - Bytes of a field line's name; all of it if it has no colon */
size_t head_name(const struct head_line *l);

/**
 * head_value() - What is behind a name of @name bytes and its colon, trimmed
 */
struct head_line head_value(struct head_line l, size_t name);

/** head_same() - Are @n bytes of both the same but for the case of letters? */
bool head_same(const uint8_t *a, const uint8_t *b, size_t n);

/**
 * head_find() - The first field of a name
 * @head:	With its start line
 * @name:	Of ASCII letters and dashes
 * @out:	Set if there is one: its value; a folded one only as far as its
 *		line
 *
 * Return: how many there are
 */
unsigned head_find(struct head_rest head, const char *name,
		   struct head_line *out);

/** head_has() - Does the text have the word in it, in any case? */
bool head_has(const struct head_line *l, const char *word);

#endif /* APP_HEAD_H */
