/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * again - A difference asked for again, or left out
 */
#ifndef REPORT_AGAIN_H
#define REPORT_AGAIN_H

#include "report/report.h"

/**
 * report_curl_to() - A request as a line for a shell, to @to; secrets are
 * variables
 * @request, @n: Its first line, with tags
 *
 * Return: bytes written; 0: there is none, or no room
 */
size_t report_curl_to(char *out, size_t size, const void *request, size_t n,
		      const struct report_endpoint *to);

/**
 * report_rule() - The rule that leaves a difference out, with its endpoint
 * @r:		The difference, as its judge has found it
 * @name, @n:	Of the endpoint: method and path
 *
 * It may hide what the run was made to find: it is for a person to judge.
 * Return: bytes written, whole lines; 0: no rule can, and @out is ""
 */
size_t report_rule(char *out, size_t size, const struct compare_result *r,
		   const char *name, size_t n);

#endif /* REPORT_AGAIN_H */
