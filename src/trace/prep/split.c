/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * split.c - understudy prep: connection by connection
 *
 * Theory of operation
 *
 * The capture is read once, so it may be a pipe, and in a sandbox (confine.c).
 * What each frame belongs to goes into a log of four bytes a frame, in a file
 * without a name beside the cache; when the connections are decided, the log is
 * read back and becomes the cache. Memory does not depend on the length of the
 * capture, but for half a byte a connection.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "classify/split.h"
#include "os/exitcode.h"
#include "os/log.h"
#include "os/mem.h"
#include "os/random.h"
#include "prep/prep.h"
#include "text/text.h"
#include "wire/peek.h"

#define LOG_ENTRIES ((size_t)1 << 18)
#define STATES_SIZE ((size_t)SPLIT_CONNS_MAX / 2)

/** struct run - A run
 * @log, @logged: Entries not yet in @fd
 * @spilled:	Bytes of the log in @fd
 */
struct run {
	const struct prep_args *a;
	struct arena mem;
	struct split *split;
	struct bitcache states;
	uint8_t *state_mem;
	struct bitcache_pair pair;
	struct prep_out out;
	uint32_t *log;
	size_t logged;
	int fd;
	off_t spilled;
	struct errbuf said; /* what of the capture was not read */
	struct errbuf e;
};

/* A file without a name where the cache will be. */
static int open_log(struct run *r)
{
	char name[sizeof(r->out.temp)];
	int n = snprintf(name, sizeof(name), "%s.XXXXXX", r->a->out);
	sigset_t before;

	if (n < 0 || (size_t)n >= sizeof(name))
		return errbuf_set(&r->e, -ENAMETOOLONG, "%s: name too long",
				  r->a->out);
	prep_hold_signals(&before);
	r->fd = mkostemp(name, O_CLOEXEC);
	n = r->fd < 0 ? -errno : 0;
	if (n == 0)
		unlink(name);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return n == 0 ? 0
		      : errbuf_set(&r->e, n, "%s: log of the frames: %s",
				   r->a->out, strerror(-n));
}

static int spill(struct run *r)
{
	size_t len = r->logged * sizeof(*r->log);
	size_t done = 0;
	int rc = 0;

	while (rc == 0 && done < len) {
		ssize_t n = pwrite(r->fd, (const char *)r->log + done,
				   len - done, r->spilled);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			rc = n < 0 ? -errno : -EIO;
			break;
		}
		done += (size_t)n;
		r->spilled += n;
	}
	r->logged = 0;
	return rc == 0 ? 0
		       : errbuf_set(&r->e, rc, "%s: log of the frames: %s",
				    r->a->out, strerror(-rc));
}

static int take_frame(struct run *r, const struct frame_info *f)
{
	struct peek p;
	uint32_t entry;
	int rc;

	bitcache_pair_add(&r->pair, f->ts, f->wire);
	peek_frame(f->link, f->data, f->cap, &p);
	rc = split_frame(r->split, r->pair.frames, &p, &entry);
	if (rc)
		return errbuf_set(&r->e, rc, "%s: too many connections",
				  r->a->in);
	if (r->logged == LOG_ENTRIES) {
		rc = spill(r);
		if (rc)
			return rc;
	}
	r->log[r->logged++] = entry;
	return 0;
}

/* A frame that -x F: or -X F: leaves out still has its place in the cache. */
static int leave_out(struct run *r, const struct frame_info *f)
{
	bitcache_pair_add(&r->pair, f->ts, f->wire);
	if (r->logged == LOG_ENTRIES) {
		int rc = spill(r);

		if (rc)
			return rc;
	}
	r->log[r->logged++] = SPLIT_ENTRY_SKIP;
	return 0;
}

static int read_capture(struct run *r)
{
	struct prep_source s;
	int rc = prep_source_open(&s, r->a, 1, 1, &r->e);
	int more = 0;

	if (rc)
		return rc;
	s.all = true;
	rc = prep_confine(r->a, &s, 1, false, &r->e);
	while (rc == 0 && (more = prep_source_next(&s, &r->e)) > 0) {
		bool picked = !r->a->filter || s.matched != r->a->rules.exclude;

		rc = picked ? take_frame(r, &s.info) : leave_out(r, &s.info);
		if (rc)
			break;
	}
	r->said = s.said;
	prep_source_close(&s);
	if (rc == 0 && more == 0 && r->pair.frames == 0)
		return errbuf_set(&r->e, -ENODATA, "%s: no frames", r->a->in);
	return more < 0 ? more : rc;
}

static int add_entries(struct run *r, const uint32_t *entry, size_t n,
		       uint64_t *number)
{
	static const char *const word[] = { "Don't Send", "", "Secondary",
					    "Primary" };
	int rc = 0;

	for (size_t i = 0; i < n && rc == 0; i++) {
		unsigned fate = split_fate(r->split, entry[i]);

		if (r->a->verbose)
			printf("Packet %" PRIu64 " -> %s\n", ++*number,
			       word[fate]);
		rc = prep_out_add(&r->out, fate, &r->e);
	}
	return rc;
}

/* The log again, from its beginning. */
static int write_cache(struct run *r)
{
	uint64_t number = 0;
	off_t end = 0;
	off_t at = 0;
	int rc = 0;

	if (r->spilled > 0) {
		rc = spill(r);
		end = r->spilled;
	}
	while (rc == 0 && at < end) {
		ssize_t n =
			pread(r->fd, r->log, LOG_ENTRIES * sizeof(*r->log), at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0 || n % (ssize_t)sizeof(*r->log) != 0)
			return errbuf_set(
				&r->e, -EIO, "%s: log of the frames: %s",
				r->a->out, n < 0 ? strerror(errno) : "short");
		rc = add_entries(r, r->log, (size_t)n / sizeof(*r->log),
				 &number);
		at += n;
	}
	if (rc == 0)
		rc = add_entries(r, r->log, r->logged, &number);
	return rc;
}

/* The pairing, the command line, the user's words: a line each. */
static int finish(struct run *r)
{
	const struct prep_args *a = r->a;
	char comment[BITCACHE_PAIR_TEXT + PREP_ARGS_MAX + PREP_USER_MAX + 2];
	char *end = comment + BITCACHE_PAIR_TEXT;
	size_t len;

	bitcache_pair_text(&r->pair, comment);
	end = stpcpy(end, a->args);
	if (a->comment) {
		end = stpcpy(end, "\n");
		end = stpcpy(end, a->comment);
	}
	len = (size_t)(end - comment);
	return prep_out_finish(&r->out, r->pair.frames, comment, len,
			       (uint16_t)len, &r->e);
}

static size_t comment_length(const struct prep_args *a)
{
	return BITCACHE_PAIR_TEXT + strlen(a->args) +
	       (a->comment ? 1 + strlen(a->comment) : 0);
}

static int take_memory(struct run *r)
{
	struct hash_key key;
	int rc = random_bytes(&key, sizeof(key));

	if (rc == 0)
		rc = mem_take(&r->mem,
			      split_size(r->a->flows) +
				      LOG_ENTRIES * sizeof(*r->log),
			      0);
	if (rc)
		return errbuf_set(&r->e, rc, "no memory");
	/* Only what is used is taken: half a byte a connection. */
	r->state_mem = mmap(NULL, STATES_SIZE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (r->state_mem == MAP_FAILED) {
		r->state_mem = NULL;
		return errbuf_set(&r->e, -ENOMEM, "no memory");
	}
	rc = bitcache_init(&r->states, 2, r->state_mem, 4096,
			   STATES_SIZE / 4096);
	if (rc == 0)
		rc = split_init(&r->split, &r->mem, r->a->flows, &r->a->rules,
				&key, &r->states);
	r->log = arena_take(&r->mem, LOG_ENTRIES * sizeof(*r->log));
	return rc == 0 && r->log ? 0 : errbuf_set(&r->e, -ENOMEM, "no memory");
}

static void say_level(const struct split_counters *n, enum split_level l)
{
	char conns[TEXT_NUMBER], frames[TEXT_NUMBER], tried[TEXT_NUMBER];

	if (n->level[l] == 0 && n->frames[l] == 0)
		return;
	printf("  %-10s %14s connections %14s frames", split_level_name(l),
	       text_number(conns, n->level[l]),
	       text_number(frames, n->frames[l]));
	if (l == SPLIT_HANDSHAKE)
		printf("   certain");
	else if (n->tried[l] > 0)
		printf("   right in %.1f %% of %s with a handshake",
		       100.0 * (double)n->right[l] / (double)n->tried[l],
		       text_number(tried, n->tried[l]));
	else
		printf("   not measured");
	putchar('\n');
}

static void say_count(const char *what, uint64_t n)
{
	char s[TEXT_NUMBER];

	if (n > 0)
		printf("%s %s\n", text_number(s, n), what);
}

static void summary(const struct run *r)
{
	const struct split_counters *n = split_counters(r->split);
	char all[TEXT_NUMBER], c2s[TEXT_NUMBER], s2c[TEXT_NUMBER],
		skip[TEXT_NUMBER];

	printf("%s frames: %s primary (client to server), %s secondary, %s "
	       "not sent\n",
	       text_number(all, r->pair.frames),
	       text_number(c2s, n->fates[BITCACHE_C2S]),
	       text_number(s2c, n->fates[BITCACHE_S2C]),
	       text_number(skip, n->fates[BITCACHE_SKIP]));
	for (unsigned l = SPLIT_LEVEL_COUNT; l > 0; l--)
		say_level(n, l - 1);
	say_count("frames without IP", n->nonip);
	say_count("parts of datagrams whose first part was not seen before",
		  n->lost_fragments);
	say_count("connections left the table before the end (--max-flows)",
		  n->pushed_out);
	say_count("connections decided before the end, for want of room",
		  n->early);
	say_count("endpoints and hosts not remembered, for want of room",
		  n->unlearnt);
}

static int make_cache(struct run *r)
{
	int rc = take_memory(r);

	if (rc == 0)
		rc = prep_out_open(&r->out, r->a->out, comment_length(r->a),
				   &r->e);
	if (rc == 0)
		rc = open_log(r);
	if (rc == 0)
		rc = read_capture(r);
	if (rc == 0) {
		split_finish(r->split);
		rc = write_cache(r);
	}
	return rc == 0 ? finish(r) : rc;
}

int prep_run_split(struct prep_args *a)
{
	struct run *r = calloc(1, sizeof(*r));
	int rc;

	if (!r) {
		log_line(LOG_ERROR, "prep: no memory");
		return EXIT_ERROR;
	}
	r->a = a;
	r->fd = r->out.fd = -1;
	bitcache_pair_init(&r->pair);
	rc = make_cache(r);
	if (rc)
		log_line(LOG_ERROR, "prep: %s", r->e.s);
	else if (r->said.s[0] != '\0')
		log_line(LOG_WARN,
			 "%s; the cache is of the %" PRIu64 " frames that "
			 "could be read",
			 r->said.s, r->pair.frames);
	if (rc == 0 && !a->quiet)
		summary(r);
	prep_out_abort(&r->out);
	if (r->fd >= 0)
		close(r->fd);
	if (r->state_mem)
		munmap(r->state_mem, STATES_SIZE);
	mem_give(&r->mem);
	free(r);
	return rc ? EXIT_ERROR : EXIT_SAME;
}
