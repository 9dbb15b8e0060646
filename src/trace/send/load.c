/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * load.c - From the records of captures to frames that can be sent
 *
 * Theory of operation
 *
 * One record goes this way: the cache says whether and from which interface; a
 * record without an Ethernet header gets one; it is rewritten; what is longer
 * than the wire takes is cut into segments; the schedule says when each is due.
 * Every record has one fate, counted in struct load_stats.
 *
 * The files are opened before the privileges go and read through a bounded
 * window, once for each pass. A cache file is bound to its capture by the
 * number of packets and, where `understudy prep` wrote it, by a digest: with
 * the wrong one packets would leave from the wrong interface in silence.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rewrite/cut.h"
#include "send/send.h"

#define CACHE_FILE_MAX ((off_t)1 << 30) /* four thousand million packets */
#define LOOK_MS	       100 /* at signals, while a pipe has nothing */
#define WORK_BYTES     (EDIT_FRAME_MAX + PCAP_RECORD_MAX)

static int cache_read(struct loader *l, int fd, size_t size)
{
	size_t len = 0;

	l->cache_bytes = malloc(size + 1);
	if (!l->cache_bytes)
		return -ENOMEM;
	while (len < size) {
		ssize_t n = read(fd, l->cache_bytes + len, size - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -ENODATA;
		len += (size_t)n;
	}
	return 0;
}

static int cache_open(struct loader *l, struct errbuf *e)
{
	const char *path = l->o->cache;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st = { 0 };
	int rc = 0;

	if (fd < 0 || fstat(fd, &st))
		rc = -errno;
	else if (!S_ISREG(st.st_mode) || st.st_size > CACHE_FILE_MAX)
		rc = -EFBIG;
	else
		rc = cache_read(l, fd, (size_t)st.st_size);
	if (fd >= 0)
		close(fd);
	if (rc)
		return errbuf_set(e, rc, "%s: %s", path, strerror(-rc));
	rc = cachefile_open(&l->cache, l->cache_bytes, (size_t)st.st_size);
	if (rc)
		return errbuf_set(e, rc, "%s: %s", path, cachefile_why(rc));
	return 0;
}

/* A signal ends the wait for a pipe, too. */
static int wait_for_bytes(void *ctx, int fd)
{
	struct pollfd pf = { .fd = fd, .events = POLLIN };

	(void)ctx;
	while (poll(&pf, 1, LOOK_MS) <= 0 && !send_stopped)
		;
	return send_stopped ? -EINTR : 0;
}

int load_open(struct loader *l, const struct send_options *o, struct errbuf *e)
{
	int rc = 0;

	memset(l, 0, sizeof(*l));
	l->o = o;
	bitcache_pair_init(&l->pair);
	l->work = malloc(WORK_BYTES);
	if (o->flows)
		l->flows = flows_new(o->flow_expiry);
	if (!l->work || (o->flows && !l->flows))
		return errbuf_set(e, -ENOMEM, "no memory");
	rc = pace_init(&l->pace, &o->pace);
	if (rc)
		return errbuf_set(e, rc, "speed out of range");
	for (uint32_t i = 0; i < o->files && rc == 0; i++)
		rc = file_open(&l->in[i], o->file[i], e);
	for (uint32_t i = 0; i < o->files; i++) {
		l->in[i].wait = wait_for_bytes;
		l->in[i].any_link = true; /* the cache counts them */
	}
	if (rc == 0 && o->cache)
		rc = cache_open(l, e);
	return rc;
}

void load_close(struct loader *l)
{
	for (uint32_t i = 0; i < SEND_FILES; i++)
		file_close(&l->in[i]);
	flows_free(l->flows);
	free(l->cache_bytes);
	free(l->work);
	l->flows = NULL;
	l->cache_bytes = NULL;
	l->work = NULL;
}

/* --- the next record of all files --- */

/* The cache must be this capture's. */
static int check_pair(struct loader *l, struct errbuf *e)
{
	uint64_t frames;
	uint64_t digest;

	if (!l->o->cache)
		return 0;
	if (l->cache.packets != l->record)
		return errbuf_set(
			e, -EINVAL,
			"%s knows %llu packets, %s has %llu: it is "
			"another capture's",
			l->o->cache, (unsigned long long)l->cache.packets,
			l->o->file[l->now], (unsigned long long)l->record);
	if (bitcache_pair_find(&l->cache, &frames, &digest) &&
	    (frames != l->pair.frames || digest != l->pair.digest))
		return errbuf_set(e, -EINVAL,
				  "%s was made from another capture than %s",
				  l->o->cache, l->o->file[l->now]);
	return 0;
}

/* A file that ends in mid-record has ended. Too little of it that can be read
 * is an error.
 */
static int read_one(struct loader *l, uint32_t i, struct frame_info *f,
		    struct errbuf *e)
{
	struct errbuf own = { "" };
	int rc = file_next(&l->in[i], f, &own);

	if (rc == -EINTR && send_stopped)
		return 0;
	if (rc == 0 || rc == -ENODATA) {
		rc = file_verdict(&l->in[i], &own);
		if (rc > 0)
			l->not_read = own;
		if (rc >= 0)
			return 0;
	}
	if (rc < 0)
		errbuf_set(e, rc, "%s", own.s);
	return rc;
}

/* Of two files, the older record. */
static int next_of_two(struct loader *l, struct frame_info *f, unsigned *port,
		       struct errbuf *e)
{
	unsigned k;

	for (k = 0; k < 2; k++) {
		if (l->has[k] != 0)
			continue;
		l->has[k] = read_one(l, k, &l->ahead[k], e);
		if (l->has[k] < 0)
			return l->has[k];
		if (l->has[k] == 0)
			l->has[k] = -1; /* its end */
	}
	if (l->has[0] < 0 && l->has[1] < 0)
		return 0;
	k = l->has[0] < 0 || (l->has[1] > 0 && l->ahead[1].ts < l->ahead[0].ts);
	*f = l->ahead[k];
	*port = k;
	l->has[k] = 0;
	return 1;
}

/* Return: 1 a record, 0 the end of all files, -Exxx */
static int next_record(struct loader *l, struct frame_info *f, unsigned *port,
		       struct errbuf *e)
{
	*port = 0;
	if (l->o->dual)
		return next_of_two(l, f, port, e);
	for (;;) {
		int rc = read_one(l, l->now, f, e);

		if (rc > 0) {
			bitcache_pair_add(&l->pair, f->ts, f->wire);
			l->record++;
			return 1;
		}
		if (rc == 0)
			rc = check_pair(l, e);
		if (rc < 0 || l->now + 1 == l->o->files)
			return rc;
		l->now++;
		l->record = 0;
		bitcache_pair_init(&l->pair);
		pace_loop(&l->pace, 0);
	}
}

int load_again(struct loader *l, struct errbuf *e)
{
	for (uint32_t i = 0; i < l->o->files; i++) {
		int rc = file_rewind(&l->in[i]);

		if (rc)
			return errbuf_set(e, rc,
					  "%s cannot be read twice; give -K",
					  l->in[i].path);
	}
	l->now = 0;
	l->record = 0;
	l->has[0] = l->has[1] = 0;
	l->not_read.s[0] = '\0';
	bitcache_pair_init(&l->pair);
	return 0;
}

int load_check(struct loader *l, struct errbuf *e)
{
	struct frame_info f;
	unsigned port;
	int rc;

	do {
		rc = next_record(l, &f, &port, e);
	} while (rc > 0);
	if (rc == 0)
		rc = load_again(l, e);
	if (rc == 0)
		rc = pace_init(&l->pace, &l->o->pace);
	return rc;
}

/* --- one record --- */

static int no_room(struct errbuf *e)
{
	return errbuf_set(e, -ENOMEM,
			  "the captures do not fit in memory; "
			  "without -K they are read as they are "
			  "sent");
}

/* A frame lies at @p, which is what trace_reserve() gave. */
static void add(struct loader *l, struct trace *t, const uint8_t *p,
		uint32_t len, uint16_t gso, unsigned port, uint64_t ts)
{
	struct xmit_frame f = { .data = p,
				.len = len,
				.gso = gso,
				.port = (uint8_t)port,
				.due = pace_due(&l->pace, ts, len) };

	trace_add(t, &f);
	l->added++;
}

static bool enough(const struct loader *l)
{
	return l->o->limit > 0 && l->added >= l->o->limit;
}

static int add_cut(struct loader *l, struct trace *t, const struct cut *c,
		   const uint8_t *p, unsigned port, uint64_t ts,
		   struct errbuf *e)
{
	uint8_t *out;
	int64_t whole;

	if (l->super_max > 0) {
		out = trace_reserve(t, c->shape.end);
		if (!out)
			return no_room(e);
		memcpy(out, p, c->shape.end);
		whole = cut_keep(c, out, l->super_max);
		if (whole > 0) {
			add(l, t, out, (uint32_t)whole, (uint16_t)c->mss, port,
			    ts);
			return 0;
		}
	}
	l->st.cut++;
	for (uint32_t i = 0; i < c->segments && !enough(l); i++) {
		out = trace_reserve(t, c->head + c->mss);
		if (!out)
			return no_room(e);
		add(l, t, out, cut_segment(c, p, i, out), 0, port, ts);
		l->st.segments++;
	}
	return 0;
}

/* Rewrite in the working buffer. Return: 1 send it, 0 do not, -Exxx */
static int rewrite(struct loader *l, const struct frame_info *f,
		   const uint8_t **p, uint32_t *len, unsigned port,
		   struct errbuf *e)
{
	uint32_t wire;
	int rc;

	memcpy(l->work, f->data, f->cap);
	*p = l->work;
	if (f->link != LINK_ETHERNET) {
		rc = edit_ether(&l->o->edit, f->link, l->work, len, port);
		if (rc == -ENOTSUP && l->ether) {
			l->st.link++;
			return 0;
		}
		if (rc == -ENOTSUP)
			return errbuf_set(
				e, rc,
				"%s: link type %u is not Ethernet's; give "
				"--enet-dmac and --enet-smac, and its packets "
				"get such a header",
				l->in[l->now].path, f->link);
		if (rc) {
			l->st.runt++;
			return 0;
		}
	}
	wire = f->wire + (*len - f->cap);
	if (l->o->whole && wire > *len && wire <= EDIT_FRAME_MAX) {
		memset(l->work + *len, 0, wire - *len);
		*len = wire;
		l->st.padded++;
	}
	if (!l->o->edit.on)
		return 1;
	return edit_frame(&l->o->edit, &l->st.edit, l->work, len, wire, port);
}

static int fate_of(const struct loader *l, unsigned *port)
{
	int fate;

	if (!l->o->cache)
		return 1;
	fate = cachefile_get(&l->cache, l->record - 1);
	*port = fate == BITCACHE_S2C;
	/* What the cache does not know is found by check_pair(). */
	return fate == BITCACHE_S2C || fate == BITCACHE_C2S;
}

static bool wanted(const struct loader *l)
{
	const struct send_options *o = l->o;

	for (uint32_t i = 0; i < o->ranges; i++)
		if (l->record >= o->range[i].min &&
		    (o->range[i].max == 0 || l->record <= o->range[i].max))
			return !o->exclude;
	return o->ranges == 0 || o->exclude;
}

static int take(struct loader *l, struct trace *t, const struct frame_info *f,
		unsigned port, struct errbuf *e)
{
	const uint8_t *p = f->data;
	uint32_t len = f->cap;
	struct cut c;
	uint8_t *out;
	int rc = 1;

	l->st.records++;
	l->ether |= f->link == LINK_ETHERNET;
	if (!wanted(l)) {
		l->st.unwanted++;
		return 0;
	}
	if (!fate_of(l, &port)) {
		l->st.skipped++;
		return 0;
	}
	if (l->o->edit.on || l->o->whole || f->link != LINK_ETHERNET)
		rc = rewrite(l, f, &p, &len, port, e);
	if (rc <= 0)
		return rc;
	rc = cut_plan(&c, p, len, l->mtu);
	if (rc == -EBADMSG || rc == -EMSGSIZE) {
		l->st.runt += rc == -EBADMSG;
		l->st.too_long += rc == -EMSGSIZE;
		return 0;
	}
	/* But for what was put to its end. */
	l->st.shorter += f->cap < f->wire && !l->o->whole;
	if (l->flows)
		flows_add(l->flows, p, len, f->ts, &l->st);
	if (rc > 0)
		return add_cut(l, t, &c, p, port, f->ts, e);
	out = trace_reserve(t, len);
	if (!out)
		return no_room(e);
	memcpy(out, p, len);
	add(l, t, out, len, 0, port, f->ts);
	return 0;
}

int load_fill(struct loader *l, struct trace *t, uint64_t bytes,
	      struct errbuf *e)
{
	struct frame_info f;
	unsigned port = 0;

	while (t->bytes < bytes) {
		int rc;

		if (enough(l))
			return 0;
		rc = next_record(l, &f, &port, e);
		if (rc > 0)
			rc = take(l, t, &f, port, e);
		else
			return rc;
		if (rc < 0)
			return rc;
	}
	return 1;
}
