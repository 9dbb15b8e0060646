/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kept.c - What of a run goes into the folder of --out
 *
 * The packet thread hands a difference over as it came out of the engine, with
 * the run's epoch in front, which is not known when the keeper is forked. Words
 * are made of it in the keeper's process. There is evidence made, too, of the
 * journal (-w), once that is closed.
 */
#include "outcome/kept.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "evidence/evidence.h"
#include "os/log.h"
#include "os/privileges.h"
#include "page/page.h"
#include "store/keeper.h"
#include "store/look.h"

/* In the keeper: the difference that is being made. */
struct made {
	const struct redact *redact; /* NULL: it was not read yet */
	int (*read)(void *ctx, struct redact *out);
	void *ctx;
	struct redact own;   /* what was read */
	const char *journal; /* NULL: there is none that can be read */
	bool raw;
	uint64_t most; /* bytes of the store */
	struct compare_result result;
	char detail[COMPARE_DETAIL];
	char request[ITEM_REQUEST];
};

struct kept {
	const char *dir;
	bool waits; /* for room: nobody waits for it */
	struct keeper *keeper;
	struct page *page; /* NULL: none is wanted */
	struct run_epoch epoch;
	struct made made;
};

/* What is redacted; NULL: that cannot be known. */
static const struct redact *redact_of(struct made *m)
{
	if (!m->redact && m->read(m->ctx, &m->own) == 0)
		m->redact = &m->own;
	return m->redact;
}

static bool difference(void *ctx, const void *p, size_t n,
		       struct report_difference *out)
{
	struct made *m = ctx;
	struct run_epoch epoch;
	struct engine_item item;
	const uint8_t *bytes = p;
	size_t least = sizeof(epoch) + sizeof(struct exchange_record) +
		       sizeof(struct exchange_text);

	if (n < least)
		return false;
	memcpy(&epoch, bytes, sizeof(epoch));
	item_read(&item, bytes + sizeof(epoch), (uint32_t)(n - sizeof(epoch)));
	if (item.kind != EVENT_VERDICT || !item.text || !redact_of(m))
		return false;
	item_difference(out, &epoch, m->redact, &item, &m->result, m->detail,
			m->request);
	return true;
}

static int add_evidence(const struct made *m, struct evidence_config *c,
			const struct look_difference *x, size_t n)
{
	struct report_difference *d = calloc(n + 1, sizeof(*d));
	int64_t *number = calloc(n + 1, sizeof(*number));
	struct evidence_counts made;
	struct errbuf e;
	int r = d && number ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < n; i++) {
		d[i] = x[i].d;
		number[i] = x[i].id;
	}
	if (r == 0)
		r = sampler_open(&c->sampler, c->dir, m->most, &e);
	if (r == 0) {
		r = evidence_make(c, d, number, n, &made);
		if (sampler_close(c->sampler) != 0 && r == 0)
			r = -EIO;
	}
	free(d);
	free(number);
	return r;
}

/* The run is over: packets and samples of the first differences of each kind.
 */
static int last(void *ctx, const char *dir, void (*moved)(void *of), void *of)
{
	struct made *m = ctx;
	struct redact redact;
	struct evidence_config c = { .journal = m->journal,
				     .dir = dir,
				     .redact = &redact,
				     .moved = moved,
				     .ctx = of };
	const struct look_difference *x;
	struct archive *a = NULL;
	struct errbuf e;
	size_t n = 0;
	int r;

	if (!redact_of(m))
		return -EBADMSG;
	redact = *m->redact;
	redact.off |= m->raw;
	r = archive_open(&a, dir, &e);
	if (r == 0)
		r = archive_first(a, EVIDENCE_MOST, &x, &n, &e);
	if (r == 0)
		r = archive_end_reading(a);
	if (r == 0)
		r = add_evidence(m, &c, x, n);
	archive_close(a);
	return r;
}

/* Whose files are they? As run/open.c has it. */
static const char *whose(const struct options *o, const char *user)
{
	return getuid() != 0 || o->user || privileges_sudo() ? user : NULL;
}

static int show(struct kept *k, const struct options *o, const char *user,
		struct errbuf *e)
{
	const struct page_options p = { .dir = o->out, .listen = o->listen };
	char url[PAGE_URL];
	int r = page_start(&k->page, &p, user, url, e);

	if (r == 0)
		log_line(LOG_INFO, "the page of this run: %s", url);
	return r;
}

int kept_start(struct kept **out, const struct outcome_config *config,
	       struct errbuf *e)
{
	const struct options *o = config->opt;
	struct kept *k = calloc(1, sizeof(*k));
	struct keeper_config c = { .dir = o->out,
				   .most = o->store_max,
				   .user = whose(o, config->user),
				   .difference = difference };
	int r;

	if (!k)
		return errbuf_set(e, -ENOMEM, "no memory");
	k->dir = o->out;
	k->waits = config->read;
	k->made.redact = config->read ? NULL : config->redact;
	k->made.read = config->read;
	k->made.ctx = config->ctx;
	k->made.raw = o->evidence_raw;
	k->made.most = o->store_max;
	if (config->journal && strcmp(config->journal, "-") != 0) {
		k->made.journal = config->journal;
		c.beside = config->journal;
		c.last = last;
	}
	c.ctx = &k->made;
	r = keeper_start(&k->keeper, &c, e);
	if (r == 0 && o->listen) {
		r = show(k, o, c.user, e);
		if (r != 0)
			keeper_forget(k->keeper);
	}
	if (r != 0) {
		keeper_close(k->keeper);
		free(k);
		return r;
	}
	*out = k;
	return 0;
}

void kept_epoch(struct kept *k, const struct run_epoch *t)
{
	k->epoch = *t;
}

void kept_put(struct kept *k, const struct engine_item *t)
{
	if (t->kind == EVENT_VERDICT && t->text &&
	    t->exchange->verdict == VERDICT_DIFFERENT)
		(void)(k->waits ? keeper_give : keeper_put)(
			k->keeper, &k->epoch, sizeof(k->epoch), t->bytes,
			t->len);
}

void kept_tick(struct kept *k, const struct store_tick *t)
{
	(void)store_tick(t, keeper_offer, k->keeper);
}

static void say(const struct kept *k, const struct keeper_end *end)
{
	uint64_t lost = end->refused + end->count.full + end->count.failed;

	if (lost > 0)
		log_line(LOG_WARN,
			 "--out %s: %" PRIu64 " differences are counted but "
			 "not there: %" PRIu64 " found no room on their way, "
			 "%" PRIu64 " were beyond --store-max, the disk did "
			 "not take %" PRIu64,
			 k->dir, lost, end->refused, end->count.full,
			 end->count.failed);
	if (!end->whole)
		log_line(LOG_WARN,
			 "--out %s: not whole: the process that fills it died, "
			 "or its disk took no more",
			 k->dir);
}

void kept_save(struct kept *k, const struct form *f)
{
	static char line[REPORT_LINE_MAX];
	const char *lines[] = { line };
	size_t n = report_json(line, sizeof(line) - 1, f->data);
	struct keeper_end end;
	int r;

	line[n] = '\0';
	r = store_start(f->start, keeper_row, k->keeper);
	if (r == 0)
		r = store_save(f, keeper_refused(k->keeper), lines, n > 0,
			       keeper_row, k->keeper);
	keeper_end(k->keeper, &end);
	end.whole &= r == 0;
	say(k, &end);
}

void kept_forget(struct kept *k)
{
	keeper_forget(k->keeper);
}

void kept_close(struct kept *k)
{
	if (!k)
		return;
	page_stop(k->page);
	keeper_close(k->keeper);
	free(k);
}
