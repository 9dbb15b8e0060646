/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report.c - What became of the frames
 *
 * Three numbers of each interface are set side by side: what the kernel took,
 * what it said was done, and how far the interface's own counter moved. Where
 * one is lower than the one before, frames were lost, and the exit code says
 * so.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/limits.h"
#include "os/clock.h"
#include "os/exitcode.h"
#include "os/log.h"
#include "send/send.h"
#include "text/json.h"
#include "text/text.h"

#define INDENT 12

/* Sums over both interfaces. */
static struct xmit_stats totals(const struct send_run *r)
{
	struct xmit_stats sum = { 0 };

	for (unsigned i = 0; r->xmit && i < r->ports; i++) {
		const struct xmit_stats *st = &r->xmit->stats[i];

		sum.sent += st->sent;
		sum.bytes += st->bytes;
		sum.completed += st->completed;
		sum.failed += st->failed;
		sum.calls += st->calls;
		sum.retries += st->retries;
		if (st->error)
			sum.error = st->error;
	}
	return sum;
}

/* ns, at least 1 */
static uint64_t lasted(const struct send_run *r, uint64_t now)
{
	return now > r->begun ? now - r->begun : 1;
}

static double seconds(const struct send_run *r, uint64_t now)
{
	return (double)lasted(r, now) / (double)NS_PER_SEC;
}

static void heading(const char *word)
{
	printf("%-*s", INDENT, word);
}

static void print_rate(const struct send_run *r, const struct xmit_stats *sum)
{
	double s = seconds(r, r->ended);
	char n[TEXT_NUMBER], b[TEXT_NUMBER], t[TEXT_NUMBER], f[TEXT_NUMBER];

	heading("sent");
	printf("%s frames, %s in %s: %s frames/s, %.2f Mbit/s\n",
	       text_number(n, sum->sent), text_amount(b, sum->bytes),
	       text_time(t, r->ended > r->begun ? r->ended - r->begun : 0),
	       text_number(f, (uint64_t)((double)sum->sent / s)),
	       (double)sum->bytes * 8 / s / 1e6);
}

static uint64_t left_by(const struct send_run *r, unsigned i)
{
	return r->after[i].tx_packets - r->before[i].tx_packets;
}

static void print_ports(const struct send_run *r)
{
	char a[TEXT_NUMBER], b[TEXT_NUMBER], c[TEXT_NUMBER];

	for (unsigned i = 0; i < r->ports; i++) {
		const struct xmit_stats *st = &r->xmit->stats[i];

		printf("  %-10s%s sent, %s completed, ", r->dev[i].name,
		       text_number(a, st->sent), text_number(b, st->completed));
		if (r->counted[i])
			printf("%s by its own counter\n",
			       text_number(c, left_by(r, i)));
		else
			printf("it cannot be asked\n");
		if (st->failed > 0)
			printf("  %-10s%s failed: %s\n", "",
			       text_number(a, st->failed),
			       strerror(-st->error));
	}
}

static void print_late(const struct send_run *r)
{
	char a[TEXT_NUMBER], b[TEXT_NUMBER], c[TEXT_NUMBER], d[TEXT_NUMBER];

	if (r->late.count == 0)
		return;
	heading("late");
	printf("p50 %s, p99 %s, max %s; the last frame %s\n",
	       text_time(a, hist_quantile(&r->late, 500)),
	       text_time(b, hist_quantile(&r->late, 990)),
	       text_time(c, r->late.max), text_time(d, r->late_last));
}

static void print_count(const char *what, uint64_t n)
{
	char a[TEXT_NUMBER];

	if (n > 0)
		printf("  %-10s%s %s\n", "", text_number(a, n), what);
}

static void print_records(const struct send_run *r)
{
	const struct load_stats *st = &r->load.st;
	char a[TEXT_NUMBER], b[TEXT_NUMBER];

	heading("capture");
	printf("%s records read%s\n", text_number(a, st->records),
	       r->feed.preload ? ", once" : "");
	print_count("not sent: the cache says so", st->skipped);
	print_count("not sent: --include or --exclude", st->unwanted);
	print_count("not sent: longer than the interface takes", st->too_long);
	print_count("not sent: no Ethernet header", st->runt);
	print_count("not sent: of another link type", st->link);
	print_count("not sent: cut by the capture (--fixlen del)",
		    st->edit.dropped);
	print_count("not sent: --fuzz-seed", st->edit.lost);
	print_count("sent damaged: --fuzz-seed", st->edit.damaged);
	print_count("sent with zeroes for what the capture cut (--pktlen)",
		    st->padded);
	print_count("shorter than they were on the wire: the capture cut them",
		    st->shorter);
	print_count("checksums not made: the payload is not there whole",
		    st->edit.unsummed);
	if (st->cut > 0)
		printf("  %-10s%s super-frames cut into %s segments\n", "",
		       text_number(a, st->cut), text_number(b, st->segments));
	print_count("gaps cut to --maxsleep", r->load.pace.capped);
	print_count("gaps of more than 7 days, cut to that",
		    r->load.pace.stamps.count.stamps_leaps);
	print_count("without a time: sent with the record before",
		    r->load.pace.stamps.count.stamps_missing);
	print_count("older than the record before: sent with it",
		    r->load.pace.backward);
	if (r->o->flows && st->flows > 0) {
		heading("flows");
		printf("%s%s, in %s records\n",
		       st->flows_more ? "at least " : "",
		       text_number(a, st->flows),
		       text_number(b, st->flow_frames));
	}
}

static void print_text(const struct send_run *r, const struct xmit_stats *sum)
{
	char t[TEXT_NUMBER], c[TEXT_NUMBER], n[TEXT_NUMBER];

	print_rate(r, sum);
	print_ports(r);
	print_late(r);
	print_records(r);
	heading("engine");
	printf("%s: %s\n", r->xmit->ops->name, r->why);
	heading("used");
	printf("%s processor time, %s calls, %s retries\n",
	       text_time(t, r->cpu), text_number(c, sum->calls),
	       text_number(n, sum->retries));
}

static void put_load(struct json *j, const struct load_stats *st)
{
	json_u64(j, "records", st->records);
	json_u64(j, "skipped", st->skipped);
	json_u64(j, "shorter", st->shorter);
	json_u64(j, "cut", st->cut);
	json_u64(j, "segments", st->segments);
	json_u64(j, "too_long", st->too_long);
	json_u64(j, "runt", st->runt);
	json_u64(j, "dropped", st->edit.dropped);
	json_u64(j, "unsummed", st->edit.unsummed);
	json_u64(j, "unwanted", st->unwanted);
	json_u64(j, "padded", st->padded);
	json_u64(j, "damaged", st->edit.damaged);
	json_u64(j, "lost", st->edit.lost);
	json_u64(j, "flows", st->flows);
}

static void print_json(const struct send_run *r, const struct xmit_stats *sum,
		       int code)
{
	static char line[8192];
	struct json j;

	json_begin(&j, line, sizeof(line));
	json_u64(&j, "schema", 1);
	json_str(&j, "type", "send");
	json_str(&j, "engine", r->xmit->ops->name);
	json_u64(&j, "exit", (uint64_t)code);
	json_bool(&j, "interrupted", send_stopped);
	json_s(&j, "seconds", lasted(r, r->ended));
	json_u64(&j, "cpu_ns", r->cpu);
	json_u64(&j, "sent", sum->sent);
	json_u64(&j, "bytes", sum->bytes);
	json_u64(&j, "completed", sum->completed);
	json_u64(&j, "failed", sum->failed);
	json_array(&j, "interfaces");
	for (unsigned i = 0; i < r->ports; i++) {
		json_object(&j, NULL);
		json_str(&j, "name", r->dev[i].name);
		json_u64(&j, "sent", r->xmit->stats[i].sent);
		json_u64(&j, "left", left_by(r, i));
		json_close_object(&j);
	}
	json_close_array(&j);
	json_object(&j, "late");
	json_u64(&j, "p50_ns", hist_quantile(&r->late, 500));
	json_u64(&j, "p99_ns", hist_quantile(&r->late, 990));
	json_u64(&j, "max_ns", r->late.max);
	json_u64(&j, "last_ns", r->late_last);
	json_close_object(&j);
	put_load(&j, &r->load.st);
	json_u64(&j, "link", r->load.st.link);
	json_bool(&j, "whole", r->load.not_read.s[0] == '\0');
	if (json_line(&j) > 0)
		fputs(line, stdout);
}

/* Did all that was to be sent leave? Says what did not. */
static bool all_left(const struct send_run *r, const struct xmit_stats *sum)
{
	bool good = true;

	for (unsigned i = 0; i < r->ports; i++) {
		const struct xmit_stats *st = &r->xmit->stats[i];
		const char *name = r->dev[i].name;

		if (st->failed > 0 || st->completed < st->sent) {
			log_line(
				LOG_ERROR,
				"%s: %llu frames were not sent, %llu not "
				"completed",
				name, (unsigned long long)st->failed,
				(unsigned long long)(st->sent - st->completed));
			good = false;
		}
		if (r->counted[i] && left_by(r, i) < st->sent) {
			log_line(LOG_ERROR,
				 "%s: by its own counter %llu of %llu frames "
				 "never left",
				 name,
				 (unsigned long long)(st->sent - left_by(r, i)),
				 (unsigned long long)st->sent);
			good = false;
		}
		if (r->counted[i] && left_by(r, i) > st->sent)
			log_line(
				LOG_WARN,
				"%s: by its own counter %llu frames left that "
				"are not ours",
				name,
				(unsigned long long)(left_by(r, i) - st->sent));
	}
	if (sum->sent == 0) {
		log_line(LOG_ERROR, "nothing was sent");
		good = false;
	}
	return good;
}

static bool input_whole(const struct send_run *r)
{
	const struct load_stats *st = &r->load.st;

	if (r->load.not_read.s[0] != '\0')
		log_line(LOG_WARN, "%s", r->load.not_read.s);
	if (st->too_long + st->runt > 0)
		log_line(LOG_ERROR,
			 "%llu records could not be sent: too long for the "
			 "interface, or no frames",
			 (unsigned long long)st->too_long +
				 (unsigned long long)st->runt);
	return st->too_long + st->runt == 0;
}

int send_report(struct send_run *r, int rc, const struct errbuf *e)
{
	struct xmit_stats sum = totals(r);
	bool good = rc == 0;

	if (r->begun == 0) {
		log_line(LOG_ERROR, "%s", e->s);
		return EXIT_ERROR;
	}
	print_text(r, &sum);
	fflush(stdout);
	if (rc)
		log_line(LOG_ERROR, "%s", e->s);
	if (send_stopped)
		log_line(LOG_INFO, "interrupted after %llu frames",
			 (unsigned long long)sum.sent);
	good &= all_left(r, &sum);
	good &= input_whole(r);
	if (r->o->json)
		print_json(r, &sum, good ? EXIT_SAME : EXIT_ERROR);
	return good ? EXIT_SAME : EXIT_ERROR;
}

void send_progress(const struct send_run *r, uint64_t now)
{
	struct xmit_stats sum = totals(r);
	double s = seconds(r, now);
	char n[TEXT_NUMBER], b[TEXT_NUMBER];

	fprintf(stderr, "%.1f s: %s frames, %s, %.0f frames/s, %llu failed\n",
		s, text_number(n, sum.sent), text_amount(b, sum.bytes),
		(double)sum.sent / s, (unsigned long long)sum.failed);
}
