/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * source.c - The capture that prep reads, its filter, and how far it is
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/limits.h"
#include "os/clock.h"
#include "prep/prep.h"
#include "text/text.h"

#define SHOW_FRAMES 65536 /* the clock is looked at once in so many frames */
#define SHOW_NS	    (200 * NS_PER_MS)

/* libpcap looks names up, which the sandbox would not let it: the filters come
 * first. A filter that cannot be is an error only where such a frame is met.
 */
static void compile(struct prep_source *s)
{
	for (size_t i = 0; s->expr && i < FILE_LINKS; i++) {
		struct link_filter *f = &s->by_link[i];

		f->rc = filter_compile(&f->f, s->expr, file_links[i], &f->e);
	}
}

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
	s->regular = fstat(s->file.fd, &st) == 0 && S_ISREG(st.st_mode);
	if (s->regular)
		s->size = (uint64_t)st.st_size;
	s->progress = !a->quiet && isatty(STDERR_FILENO);
	compile(s);
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

static int set_link(struct prep_source *s, uint16_t link, struct errbuf *e)
{
	int rc;

	for (size_t i = 0; i < FILE_LINKS; i++) {
		const struct link_filter *f = &s->by_link[i];

		if (file_links[i] != link)
			continue;
		s->filter = &f->f;
		s->link = link;
		return f->rc ? errbuf_set(e, f->rc, "%s", f->e.s) : 0;
	}
	if (filter_has_names(s->expr))
		return errbuf_set(
			e, -EINVAL,
			"filter: names are not looked up for frames "
			"of link type %u: write addresses and numbers",
			link);
	filter_free(&s->rare);
	rc = filter_compile(&s->rare, s->expr, link, e);
	if (rc)
		return rc;
	s->filter = &s->rare;
	s->link = link;
	return 0;
}

static int match(struct prep_source *s, struct errbuf *e)
{
	if (s->link != s->info.link) {
		int rc = set_link(s, s->info.link, e);

		if (rc)
			return rc;
	}
	return filter_match(s->filter, s->info.data, s->info.cap, s->info.wire);
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

	if (s->begun == 0)
		s->begun = s->shown = clock_mono();
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
	s->progress = false;
	for (size_t i = 0; i < FILE_LINKS; i++)
		filter_free(&s->by_link[i].f);
	filter_free(&s->rare);
	file_close(&s->file);
}
