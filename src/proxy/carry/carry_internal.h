/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * carry_internal - Between carry.c and pipe.c
 */
#ifndef CARRY_CARRY_INTERNAL_H
#define CARRY_CARRY_INTERNAL_H

#include "carry/carry.h"

/** pipe_open() - Have a pipe. Return: 0 or -Exxx */
int pipe_open(struct carry_way *w);

/** pipe_drop() - Have none */
void pipe_drop(struct carry_way *w);

/** pipe_fill() - Read from @from into the pipe, which is empty. Return: bytes,
 * 0: the stream has ended; -Exxx
 */
int pipe_fill(struct carry_way *w, int from);

/** pipe_empty() - Write to @to what lies in it. Return: bytes or -Exxx */
int pipe_empty(struct carry_way *w, int to);

#endif /* CARRY_CARRY_INTERNAL_H */
