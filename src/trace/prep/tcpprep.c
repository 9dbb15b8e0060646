/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcpprep.c - understudy prep --compat tcpprep
 *
 * Theory of operation
 *
 * The frames are those that libpcap would give tcpprep: cut at the file's
 * snapshot length, and up to the first record that libpcap does not read, where
 * tcpprep stops and writes what it has. In the modes that look for hosts the
 * file is read twice; the table of hosts grows with them, and nothing else
 * grows.
 *
 * Both readings are open before the first begins and the sandbox closes; but
 * what is no regular file (a named pipe) is opened again when it has been read.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "classify/tcpprep.h"
#include "os/exitcode.h"
#include "os/log.h"
#include "prep/prep.h"

#define HOSTS_FIRST ((size_t)1 << 12)
#define HOSTS_MAX   ((size_t)1 << 26) /* slots; full: the run ends */

/** struct compat - A run */
struct compat {
	const struct prep_args *a;
	struct tcpprep t;
	struct prep_out out;
	struct prep_source pass[2];
	uint64_t packets; /* of the last pass */
	char comment[PREP_ARGS_MAX + 1 + PREP_USER_MAX + 1];
	size_t comment_len;
	struct errbuf e;
};

static int grow(struct compat *c)
{
	struct tcpprep_host *old = c->t.host;
	size_t slots = c->t.slots ? c->t.slots * 2 : HOSTS_FIRST;
	struct tcpprep_host *host;

	host = slots <= HOSTS_MAX ? calloc(slots, sizeof(*host)) : NULL;
	if (!host)
		return errbuf_set(&c->e, -ENOMEM, "%s: more than %zu hosts",
				  c->a->in, c->t.hosts);
	tcpprep_grow(&c->t, host, slots);
	free(old);
	return 0;
}

/* Is there an interface of another kind than the first? libpcap reads no
 * further, whether a frame is of it or not.
 */
static bool unlike(const struct pcap_reader *r)
{
	uint32_t n = r->ifaces < PCAP_OWN ? r->ifaces : PCAP_OWN + r->kinds;

	for (uint32_t i = 1; i < n; i++)
		if (r->iface[i].link != r->iface[0].link ||
		    r->iface[i].snaplen != r->iface[0].snaplen)
			return true;
	return false;
}

/*
 * What libpcap makes of a frame. Return: 1, 0: here it sees the end of the
 * file, -Exxx: tcpprep gives up.
 */
static int as_libpcap(struct compat *c, const struct prep_source *s,
		      struct tcpprep_frame *f)
{
	const struct capture_file *file = &s->file;
	const struct pcap_iface *iface = file->reader.iface;
	uint32_t snap = iface[0].snaplen;
	uint32_t wire = file->claimed;

	*f = (struct tcpprep_frame){ s->info.data, s->info.cap, s->info.link };
	if (f->cap > TCPPREP_WIRE_MAX)
		return 0;
	if (unlike(&file->reader))
		return 0;
	if (!file->reader.ng && snap > 0 && snap < f->cap)
		f->cap = snap;
	if (wire > TCPPREP_WIRE_MAX || wire == 0 || f->cap == 0)
		return errbuf_set(&c->e, -EBADMSG,
				  "%s: tcpprep gives up at frame %llu, of %u "
				  "bytes, %u of them captured",
				  c->a->in, (unsigned long long)file->frames,
				  wire, f->cap);
	if (wire < f->cap)
		f->cap = wire;
	return 1;
}

static int stopped(struct compat *c, int rc)
{
	return errbuf_set(&c->e, -ENOTSUP, "%s: %s", c->a->in,
			  tcpprep_why((enum tcpprep_stop) - rc));
}

static int take_frame(struct compat *c, enum tcpprep_pass pass,
		      const struct tcpprep_frame *f)
{
	unsigned fate;
	int rc;

	while ((rc = tcpprep_frame(&c->t, pass, f, &fate)) == -TCPPREP_ROOM) {
		rc = grow(c);
		if (rc)
			return rc;
	}
	if (rc < 0)
		return stopped(c, rc);
	return rc == 1 ? prep_out_add(&c->out, fate, &c->e) : 0;
}

static int read_frames(struct compat *c, struct prep_source *s,
		       enum tcpprep_pass pass)
{
	struct tcpprep_frame f;
	int rc;

	c->packets = 0;
	for (;;) {
		rc = prep_source_next(s, &c->e);
		/* libpcap ends there, and tcpprep takes it for the end. */
		if (rc == -EBADMSG && s->file.reader.started)
			return 0;
		if (rc <= 0)
			return rc;
		rc = as_libpcap(c, s, &f);
		if (rc <= 0)
			return rc;
		if (c->packets == 0) {
			rc = tcpprep_link_ok(&c->a->rules, f.link);
			if (rc)
				return stopped(c, rc);
		}
		c->packets++;
		rc = take_frame(c, pass, &f);
		if (rc)
			return rc;
	}
}

static int run_pass(struct compat *c, struct prep_source *s,
		    enum tcpprep_pass pass)
{
	int rc = read_frames(c, s, pass);

	if (rc == 0 && c->packets == 0)
		rc = errbuf_set(&c->e, -ENODATA,
				"%s: no packets, and tcpprep writes no cache",
				c->a->in);
	return rc;
}

static int run_once(struct compat *c, struct prep_source *s)
{
	int rc = prep_source_open(s, c->a, 1, 1, &c->e);

	if (rc == 0)
		rc = prep_confine(c->a, s, 1, false, &c->e);
	return rc ? rc : run_pass(c, s, TCPPREP_SPLIT);
}

static int run_twice(struct compat *c, struct prep_source *s)
{
	bool again = false;
	int rc;

	if (strcmp(c->a->in, "-") == 0)
		return errbuf_set(&c->e, -EINVAL,
				  "-a reads the capture twice, and standard "
				  "input comes once");
	rc = grow(c);
	if (rc == 0)
		rc = prep_source_open(&s[0], c->a, 1, 2, &c->e);
	if (rc == 0) {
		again = !s[0].regular;
		rc = again ? 0 : prep_source_open(&s[1], c->a, 2, 2, &c->e);
	}
	if (rc == 0)
		rc = prep_confine(c->a, s, again ? 1 : 2, again, &c->e);
	if (rc == 0)
		rc = run_pass(c, &s[0], TCPPREP_LEARN);
	if (rc)
		return rc;
	prep_source_close(&s[0]);
	rc = tcpprep_learnt(&c->t);
	if (rc)
		return stopped(c, rc);
	if (again)
		rc = prep_source_open(&s[1], c->a, 2, 2, &c->e);
	return rc ? rc : run_pass(c, &s[1], TCPPREP_SPLIT);
}

static int run(struct compat *c)
{
	int rc = tcpprep_learns(&c->a->rules) ? run_twice(c, c->pass)
					      : run_once(c, c->pass);

	for (int i = 0; i < 2; i++)
		prep_source_close(&c->pass[i]);
	return rc;
}

static void make_comment(struct compat *c)
{
	const struct prep_args *a = c->a;
	char *end = stpcpy(c->comment, a->args);

	if (a->comment) {
		end = stpcpy(end, "\n");
		end = stpcpy(end, a->comment);
	}
	c->comment_len = (size_t)(end - c->comment);
}

int prep_run_tcpprep(struct prep_args *a)
{
	struct compat *c = calloc(1, sizeof(*c));
	int rc = -ENOMEM;

	if (c) {
		c->a = a;
		make_comment(c);
		tcpprep_init(&c->t, &a->rules, NULL, 0);
		rc = prep_out_open(&c->out, a->out, c->comment_len, &c->e);
	}
	if (rc == 0) {
		rc = run(c);
		if (rc == 0)
			rc = prep_out_finish(&c->out, c->packets, c->comment,
					     c->comment_len,
					     (uint16_t)c->comment_len, &c->e);
		prep_out_abort(&c->out);
	}
	if (rc)
		log_line(LOG_ERROR, "prep: %s", c ? c->e.s : "no memory");
	if (c)
		free(c->t.host);
	free(c);
	return rc ? EXIT_ERROR : EXIT_SAME;
}
