/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prep_source.c - The capture that prep reads, its filter, and how far it is
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/prep.h"
#include "core/limits.h"
#include "os/clock.h"
#include "report/text.h"

#define SHOW_FRAMES 65536 /* the clock is looked at once in so many frames */
#define SHOW_NS	    (200 * NS_PER_MS)

int prep_source_open(struct prep_source *s, const struct prep_args *a,
		     unsigned pass, unsigned passes, struct errbuf *e)
{
	struct stat st;
	int rc;

	*s = (struct prep_source){ .expr = a->filter,
				   .link = UINT32_MAX,
				   .pass = pass,
				   .passes = passes };
	rc = file_open(&s->file, a->in, e);
	if (rc)
		return rc;
	s->file.any_link = true;
	s->file.strict = a->tcpprep;
	file_read_ahead(&s->file);
	if (fstat(s->file.fd, &st) == 0 && S_ISREG(st.st_mode))
		s->size = (uint64_t)st.st_size;
	s->progress = !a->quiet && isatty(STDERR_FILENO);
	s->begun = s->shown = clock_mono();
	return 0;
}

static void show_progress(struct prep_source *s)
{
	uint64_t now = clock_mono();
	uint64_t took = now - s->begun;
	char rate[TEXT_NUMBER], left[TEXT_NUMBER], frames[TEXT_NUMBER];
	uint64_t rest;

	if (now - s->shown < SHOW_NS)
		return;
	s->shown = now;
	text_amount(rate,
		    (uint64_t)((double)s->file.bytes * 1e9 / (double)took));
	fprintf(stderr, "\r%s frames, %s/s",
		text_number(frames, s->file.frames), rate);
	if (s->size > s->file.bytes) {
		rest = s->size - s->file.bytes +
		       (s->passes - s->pass) * s->size;
		text_time(left, (uint64_t)((double)took * (double)rest /
					   (double)s->file.bytes));
		fprintf(stderr, ", %u %%, %s left",
			(unsigned)(((s->pass - 1) * s->size + s->file.bytes) *
				   100 / (s->passes * s->size)),
			left);
	}
	fputs("\033[K", stderr);
}

static int match(struct prep_source *s, struct errbuf *e)
{
	if (s->link != s->info.link) {
		struct filter f;
		int rc = filter_compile(&f, s->expr, s->info.link, e);

		if (rc)
			return rc;
		filter_free(&s->filter);
		s->filter = f;
		s->link = s->info.link;
	}
	return filter_match(&s->filter, s->info.data, s->info.cap,
			    s->info.wire);
}

/* The capture's end: was it read? Return: 0 or -EBADMSG */
static int over(struct prep_source *s, struct errbuf *e)
{
	int rc = file_verdict(&s->file, &s->said);

	if (rc < 0)
		return errbuf_set(e, rc, "%s", s->said.s);
	if (rc == 0)
		s->said.s[0] = '\0';
	return 0;
}

int prep_source_next(struct prep_source *s, struct errbuf *e)
{
	int rc;

	do {
		rc = file_next(&s->file, &s->info, e);
		if ((rc == 0 || rc == -ENODATA) && s->file.strict)
			return 0;
		if (rc == 0 || rc == -ENODATA)
			return over(s, e);
		if (rc < 0)
			return rc;
		if (s->progress && s->file.frames % SHOW_FRAMES == 0)
			show_progress(s);
		rc = s->expr ? match(s, e) : 1;
		s->matched = rc > 0;
	} while (rc == 0 && !s->all);
	return rc < 0 ? rc : 1;
}

void prep_source_close(struct prep_source *s)
{
	if (s->progress && s->shown != s->begun)
		fputs("\r\033[K", stderr);
	filter_free(&s->filter);
	file_close(&s->file);
}
