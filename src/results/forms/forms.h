/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * forms - What a run found, as files that others read
 *
 * Each form is made of the same facts, once, when the run is over. Captured
 * bytes are in all of them; see out.c.
 */
#ifndef FORMS_FORMS_H
#define FORMS_FORMS_H

#include <stddef.h>
#include <stdint.h>

#include "os/errbuf.h"
#include "os/maker.h"
#include "report/report.h"

enum form_kind {
	FORM_JUNIT,   /* test cases, as CI systems read them */
	FORM_SUMMARY, /* Markdown */
	FORM_HTML,    /* one page that needs no other file */
	FORM_HAR,     /* differences, HTTP Archive 1.2 */
	FORM_KINDS
};

/**
 * struct form - What each is made of
 * @start, @data: As the report has them
 * @text:	The report's text (report_text())
 * @ended:	ns since 1970
 * @code:	The exit code
 * @times, @times_n: Rows of --perf
 * @gate, @gates: What is demanded, and what came of it
 * @difference, @differences: Of each kind some
 * @left_out:	Differences that are not among them
 */
struct form {
	const struct report_start *start;
	const struct report_data *data;
	const char *text;
	uint64_t ended;
	int code;
	const struct report_times *times;
	unsigned times_n;
	const struct report_gate *const *gate;
	unsigned gates;
	const struct report_difference *difference;
	size_t differences;
	uint64_t left_out;
};

/** form_option() - The option that asks for one */
const char *form_option(enum form_kind kind);

/**
 * form_open() - Make its file
 * @path:	Made anew, 0600, no symbolic link; "-": standard output
 * @maker:	Makes it; NULL: the process does
 *
 * Return: descriptor, the caller's, or -Exxx with a sentence
 */
int form_open(const char *path, struct maker *maker, struct errbuf *e);

/**
 * form_write() - Write one to @fd, which stays the caller's
 *
 * Return: 0, or -Exxx: not all of it was written
 */
int form_write(enum form_kind kind, int fd, const struct form *f);

#endif /* FORMS_FORMS_H */
