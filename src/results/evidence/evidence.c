/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * evidence.c - Differences as packets
 *
 * Theory of operation
 *
 * The journal is read once from its beginning. Each frame of TCP is held
 * against the differences that are wanted (want.c); those that it belongs to
 * get a copy. Frames of the SUT's wire are there with the SUT's own addresses,
 * those of the mirror with production's: packet tools see two connections, and
 * take neither for a repetition of the other. At the end each difference is
 * redacted (mask.c) and written: interfaces as the journal names them, the
 * frames in their order, and a comment at the frame in which each answer first
 * differs. The same as text goes into the store (sampling.c).
 */
#include "evidence/evidence.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compare/compare.h"
#include "evidence/sampling.h"
#include "evidence/want.h"
#include "os/folder.h"
#include "text/text.h"
#include "wire/pcap.h"

#define NAME 1100 /* bytes of a file's name */

struct evidence {
	const struct evidence_config *c;
	struct want *want;
	size_t wants;
	struct sampling *sampling; /* NULL: no samples are wanted */
	uint16_t link[JOURNAL_IFACES];
	size_t room;
	uint8_t block[PCAP_RECORD_MAX];
};

static int take_frame(struct evidence *v, uint64_t number,
		      const struct journal_frame *f)
{
	const struct frame_info in = { .data = f->data,
				       .cap = f->cap,
				       .wire = f->wire,
				       .ts = f->ts,
				       .link = v->link[f->iface],
				       .gso = f->gso,
				       .csum_ok = true,
				       .trusted = true };
	struct decoded d;
	int r = 0;

	if (frame_decode(&in, NULL, f->now, &d) != DECODE_TCP)
		return 0;
	for (size_t i = 0; r == 0 && i < v->wants; i++)
		r = want_take(&v->want[i], number, f, &d, &v->room);
	return r;
}

#define MOVED_EVERY 4096 /* frames */

static int read_journal(struct evidence *v)
{
	struct journal_reader *in = NULL;
	struct journal_record rec;
	uint64_t number = 0;
	char err[JOURNAL_ERR];
	int r = journal_read_open(&in, v->c->journal, err);

	if (r != 0)
		return r;
	memcpy(v->link, journal_read_header(in)->link, sizeof(v->link));
	while ((r = journal_read_next(in, &rec)) > 0) {
		if (rec.kind != JOURNAL_FRAME)
			continue;
		number++;
		if (number % MOVED_EVERY == 0)
			v->c->moved(v->c->ctx);
		r = take_frame(v, number, &rec.frame);
		if (r != 0)
			break;
	}
	journal_read_close(in);
	/* One that is damaged has evidence up to there. */
	return r == -EBADMSG ? 0 : r;
}

/* --- files --- */

static int put(int fd, const uint8_t *p, size_t n)
{
	while (n > 0) {
		ssize_t r = write(fd, p, n);

		if (r <= 0)
			return r < 0 ? -errno : -EIO;
		p += r;
		n -= (size_t)r;
	}
	return 0;
}

static const char *iface_name(unsigned i)
{
	static const char *const name[] = {
#define X(id, text) [id] = text,
		JOURNAL_IFACE_LIST(X)
#undef X
	};

	return name[i];
}

static int put_head(struct evidence *v, int fd, const struct want *w,
		    int64_t number)
{
	char comment[512], a[TEXT_ENDPOINT], b[TEXT_ENDPOINT];
	struct text t;
	size_t n;
	int r;

	text_begin(&t, comment, sizeof(comment));
	text_add(&t, "difference %lld, %s: production is %s, the SUT %s; %s%s",
		 (long long)number, reason_name(w->d->result->reason),
		 text_endpoint(a, &w->d->production.ip, w->d->production.port),
		 text_endpoint(b, &w->d->sut.ip, w->d->sut.port),
		 v->c->redact->off
			 ? "raw: nothing is redacted"
			 : "secrets are tags, and what could not be searched "
			   "for them is 'x'; checksums are made anew",
		 w->full ? "; not all of its frames found room" : "");
	n = pcapng_write_shb(v->block, sizeof(v->block), "understudy", comment,
			     strlen(comment));
	r = put(fd, v->block, n);
	for (unsigned i = 0; r == 0 && i < JOURNAL_IFACES; i++) {
		n = pcapng_write_idb(v->block, sizeof(v->block), v->link[i], 0,
				     iface_name(i));
		r = put(fd, v->block, n);
	}
	return r;
}

static int put_piece(struct evidence *v, int fd, const struct want *w,
		     const struct piece *p)
{
	char comment[JOURNAL_COMMENT_MAX], detail[160];
	struct text t;
	size_t n;

	text_begin(&t, comment, sizeof(comment));
	text_add(&t, "%s's answer differs here: %s: %s",
		 p->side == WANT_SUT ? "the SUT" : "production",
		 reason_name(w->d->result->reason),
		 text_safe(detail, sizeof(detail), w->d->detail,
			   strlen(w->d->detail)));
	n = pcapng_write_epb(v->block, sizeof(v->block), p->iface, p->ts,
			     p->bytes, p->cap, p->wire, 0,
			     p->first ? comment : NULL, strlen(comment));
	return n > 0 ? put(fd, v->block, n) : -EMSGSIZE;
}

static int put_samples(struct evidence *v, const struct want *w, int64_t number)
{
	struct sample sample[SAMPLE_SIDES];
	int r = 0;

	if (!v->sampling)
		return 0;
	sampling_make(v->sampling, w, v->c->redact, sample);
	for (unsigned i = 0; r == 0 && i < SAMPLE_SIDES; i++)
		r = sampler_put(v->c->sampler, number, &sample[i]);
	return r;
}

static int make_file(struct evidence *v, struct want *w, int64_t number)
{
	char path[NAME];
	int fd, r;

	snprintf(path, sizeof(path), "%s/d-%06lld.pcapng", v->c->dir,
		 (long long)number);
	r = put_samples(v, w, number);
	if (r == 0)
		r = want_mask(w, v->c->redact);
	if (r != 0)
		return r;
	fd = folder_make(AT_FDCWD, path);
	if (fd < 0)
		return fd;
	r = put_head(v, fd, w, number);
	for (uint32_t i = 0; r == 0 && i < w->n; i++)
		r = put_piece(v, fd, w, &w->piece[i]);
	close(fd);
	return r;
}

static int make_all(struct evidence *v, const int64_t *number,
		    struct evidence_counts *out)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < v->wants; i++) {
		v->c->moved(v->c->ctx);
		if (!v->want[i].seen) {
			out->none++;
			continue;
		}
		r = make_file(v, &v->want[i], number[i]);
		out->made += r == 0;
	}
	return r;
}

int evidence_make(const struct evidence_config *c,
		  const struct report_difference *d, const int64_t *number,
		  size_t n, struct evidence_counts *out)
{
	struct evidence *v = calloc(1, sizeof(*v));
	int r = v && n <= EVIDENCE_MOST ? 0 : -ENOMEM;

	*out = (struct evidence_counts){ 0 };
	if (r == 0)
		v->want = calloc(n + 1, sizeof(*v->want));
	if (r == 0 && c->sampler)
		v->sampling = sampling_new();
	if (r == 0 && (!v->want || (c->sampler && !v->sampling)))
		r = -ENOMEM;
	if (r == 0) {
		v->c = c;
		v->wants = n;
		v->room = WANT_ALL;
		for (size_t i = 0; i < n; i++)
			v->want[i].d = &d[i];
		r = read_journal(v);
	}
	if (r == 0)
		r = make_all(v, number, out);
	for (size_t i = 0; v && v->want && i < n; i++)
		want_forget(&v->want[i]);
	if (v) {
		sampling_free(v->sampling);
		free(v->want);
	}
	free(v);
	return r;
}
