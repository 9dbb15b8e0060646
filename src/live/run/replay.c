/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * replay.c - The plan of a capture
 *
 * Theory of operation
 *
 * A capture is read twice. First every record is decoded, and the plan notes
 * where it lies and which connection to production it belongs to (pace/plan.h).
 * So connections can be played each by itself, some of them only, or all again,
 * while the bytes stay in the file: about 70 bytes of memory a record, at most
 * --index of them. A record beyond that is counted and not played, and the run
 * ends as an error that says so. The second time records are read where the
 * plan says (replay_play.c), through a window, as neighbours are mostly played
 * soon after each other. A pipe cannot be read twice and is refused.
 *
 * What is decoded here decides about nothing but whose record it is; the engine
 * decodes the frame again when it is played.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "decap/decap.h"
#include "os/mem.h"
#include "run/replay_internal.h"

#define LOOK_RECORDS 65536 /* so many between two looks at signals */
#define FAST_FLOWS   64	   /* at once, if nothing else is said */
#define RECORD_LEAST 16	   /* bytes of a record in any format */
#define INDEX_LEAST  65536

struct replay *replay_new(void)
{
	struct replay *r = calloc(1, sizeof(*r));

	for (uint32_t i = 0; r && i < FILES_MAX; i++)
		r->fd[i] = -1;
	return r;
}

void replay_free(struct replay *r)
{
	if (!r)
		return;
	for (uint32_t i = 0; i < FILES_MAX; i++)
		if (r->fd[i] >= 0)
			close(r->fd[i]);
	mem_give(&r->mem);
	free(r);
}

const struct replay_counters *replay_count(const struct replay *r)
{
	return &r->count;
}

/* --- memory --- */

/* The first capture is open already; the others wait. */
static int descriptor(const struct run *run, uint32_t i)
{
	return i == 0 ? run->file.fd : run->capture[i];
}

/* Records that the captures can hold at most, as far as --index goes. */
static int room(const struct run *run, uint32_t *records, struct errbuf *e)
{
	uint64_t most = plan_records(run->opt->index);
	uint64_t all = 1;
	struct stat st;

	for (uint32_t i = 0; i < run->opt->files; i++) {
		if (fstat(descriptor(run, i), &st) != 0 || !S_ISREG(st.st_mode))
			return errbuf_set(e, -ESPIPE,
					  "%s: replay reads a capture twice, "
					  "and this is no file",
					  run->opt->file[i]);
		all += (uint64_t)st.st_size / RECORD_LEAST;
	}
	*records = (uint32_t)(all < most ? all : most);
	return 0;
}

static int take_memory(struct run *run, struct errbuf *e)
{
	const struct options *o = run->opt;
	struct replay *r = run->replay;
	uint32_t records = 0;
	size_t size;
	int rc = room(run, &records, e);

	if (rc != 0)
		return rc;
	r->most = o->concurrency != 0 ? o->concurrency
		  : o->fast	      ? FAST_FLOWS
				      : 0;
	size = plan_size(records) + arena_need(REPLAY_WINDOW) +
	       arena_need(PCAP_RECORD_MAX) +
	       arena_need(r->most * sizeof(struct replay_active));
	rc = mem_take(&r->mem, size, 0);
	if (rc != 0)
		return errbuf_set(e, rc,
				  "no memory for %zu MB of where records lie; "
				  "give less with --index",
				  size >> 20);
	rc = plan_init(&r->plan, &r->mem, records, o->flows, &run->key);
	if (rc != 0)
		return errbuf_set(e, rc, "no memory");
	r->window = arena_take(&r->mem, REPLAY_WINDOW);
	r->frame = arena_take(&r->mem, PCAP_RECORD_MAX);
	r->active = arena_take(&r->mem, r->most * sizeof(*r->active));
	return 0;
}

/* --- the plan --- */

uint64_t replay_leap(const struct options *o)
{
	uint64_t most = UINT64_MAX / 1000000000;
	uint64_t leap = o->maxsleep;

	if (leap / 1000 > most)
		return STAMPS_LEAP;
	leap = leap / 1000 * o->multiplier + leap % 1000 * o->multiplier / 1000;
	return leap != 0 || o->maxsleep == 0 ? leap : 1;
}

static bool is_skipped(const struct engine_config *c, const struct ipaddr *ip)
{
	for (uint32_t i = 0; i < c->skips; i++)
		if (ipaddr_in(ip, &c->skip[i].net, c->skip[i].bits))
			return true;
	return false;
}

/* Whose is it? Of no connection is also what the engine would not play. */
static void sort_out(struct replay *r, const struct engine_config *c,
		     const struct segment *seg, struct plan_seen *s)
{
	bool to = false;
	bool from = false;

	for (uint32_t m = 0; m < c->maps; m++) {
		to |= engine_is_prod(&c->map[m], &seg->dst, seg->dport);
		from |= engine_is_prod(&c->map[m], &seg->src, seg->sport);
	}
	if (!to && !from && r->other_port == 0 &&
	    (seg->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN) {
		r->other = seg->dst;
		r->other_port = seg->dport;
	}
	if (to == from || is_skipped(c, to ? &seg->src : &seg->dst))
		return;
	s->tuple.client = to ? seg->src : seg->dst;
	s->tuple.prod = to ? seg->dst : seg->src;
	s->tuple.cport = to ? seg->sport : seg->dport;
	s->tuple.pport = to ? seg->dport : seg->sport;
	s->tuple.proto = seg->proto;
	s->seq = seg->seq;
	s->ack = seg->ack;
	s->is = to ? PLAN_CLIENT : 0;
	if (seg->len > 0)
		s->is |= PLAN_DATA;
	if (seg->len > seg->cap)
		s->is |= PLAN_CUT;
	if (seg->proto == PROTO_UDP) {
		s->is |= PLAN_DATAGRAM;
		return;
	}
	if ((seg->flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN)
		s->is |= to ? PLAN_SYN : 0;
	if (seg->flags & (TCP_FIN | TCP_RST))
		s->is |= PLAN_END;
}

static void add(struct run *run, uint32_t file, struct frame_info *in)
{
	const struct engine_config *c = &run->opt->engine;
	struct replay *r = run->replay;
	struct plan_seen s = { .offset = file_place(&run->file, in->data),
			       .ts = in->ts,
			       .cap = in->cap,
			       .wire = in->wire,
			       .link = in->link,
			       .file = (uint8_t)file };
	uint64_t at = stamps_next(&run->stamps, in->ts);
	struct decap_found found;
	bool open = false;
	struct decoded d;
	enum decode_result kind;

	if (!clients_take(run, in))
		return;
	kind = decap_frame(in, &c->decap, NULL, 0, &d, &open, &found);
	if (kind == DECODE_TCP || kind == DECODE_UDP)
		sort_out(r, c, &d.seg, &s);
	s.at = at;
	switch (plan_add(r->plan, &s)) {
	case PLAN_BEYOND:
		r->count.records_beyond++;
		return;
	case PLAN_FULL:
		r->count.records_not_indexed++;
		return;
	case PLAN_TAKEN:
		break;
	}
	r->count.records++;
	r->length = at;
	r->count.records_cut += in->cap < in->wire;
	r->count.records_no_flow += s.tuple.proto == 0;
}

static int read_capture(struct run *run, uint32_t i, struct errbuf *e)
{
	struct frame_info in;
	uint64_t n = 0;
	int rc = i > 0 ? run_file_open(run, i, e) : 0;

	run->replay->trust[i] = run->trust;
	while (rc >= 0 && !run->stop && (rc = run_record(run, &in, e)) > 0) {
		add(run, i, &in);
		if (++n % LOOK_RECORDS == 0)
			run_look(run);
	}
	if (rc == 0)
		run_file_over(run);
	if (run->file.buf)
		run->replay->fd[i] = file_release(&run->file);
	return rc < 0 ? rc : 0;
}

static void count_flows(struct replay *r)
{
	struct replay_counters *c = &r->count;

	c->flows = plan_flows(r->plan);
	c->clients = plan_clients(r->plan);
	for (uint32_t i = 0; i < c->flows; i++) {
		const struct plan_flow *f = plan_flow(r->plan, i);

		c->flows_one_sided += !f->answered;
		c->flows_no_client += !(f->has & PLAN_CLIENT);
		c->flows_cut += f->cut != PLAN_NONE;
		c->flows_midstream += !(f->has & (PLAN_SYN | PLAN_DATAGRAM));
	}
}

/* Nothing would be played for as long as the capture is. */
static int no_flow(const struct replay *r, struct errbuf *e)
{
	char other[TEXT_ENDPOINT];

	if (r->count.flows > 0 || r->other_port == 0)
		return 0;
	return errbuf_set(e, -EINVAL,
			  "none of the capture's connections is one of "
			  "production by --map; seen is for example %s",
			  text_endpoint(other, &r->other, r->other_port));
}

int replay_index(struct run *run, struct errbuf *e)
{
	struct replay *r = run->replay;
	int rc = take_memory(run, e);

	run->stamps.leap = replay_leap(run->opt);
	for (uint32_t i = 0; rc == 0 && i < run->opt->files; i++)
		rc = read_capture(run, i, e);
	if (rc == 0 && r->count.records_not_indexed > 0)
		errbuf_set(&r->short_of, -ENOSPC,
			   "%" PRIu64 " records of the capture had no place "
			   "and were not played; raise --index",
			   r->count.records_not_indexed);
	if (rc != 0)
		return rc;
	count_flows(r);
	return no_flow(r, e);
}
