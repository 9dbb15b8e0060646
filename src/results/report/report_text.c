/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report_text.c - The summary for a person
 *
 * Theory of operation
 *
 * The first line is the answer to what the user asked; then come warnings, in
 * words, for what makes that answer weaker; then one paragraph a subject, its
 * name in the first INDENT columns. Lists are wrapped at the terminal's width.
 * What is zero and says nothing by it is left out.
 */
#include "report/report.h"

#include <stdio.h>
#include <string.h>

#include "report/report_internal.h"
#include "text/text.h"

uint64_t report_compared(const struct report_data *d)
{
	return d->verdicts[VERDICT_IDENTICAL] +
	       d->verdicts[VERDICT_EQUIVALENT] + d->verdicts[VERDICT_DIFFERENT];
}

bool report_sums_closed(const struct report_data *d)
{
	for (size_t i = 0; i < d->sum_count; i++)
		if (d->sums[i].left != d->sums[i].right)
			return false;
	return true;
}

void para_begin(struct para *p, struct text *t, const char *title)
{
	*p = (struct para){ .t = t, .column = INDENT, .first = true };
	if (strlen(title) < INDENT)
		text_add(t, "%-*s", INDENT, title);
	else
		text_add(t, "%s\n%*s", title, INDENT, "");
}

void para_item(struct para *p, const char *item)
{
	size_t len = strlen(item);

	/* A comma may have to follow. */
	if (!p->first && p->column + 2 + len + 1 > TEXT_COLUMNS) {
		text_add(p->t, ",\n%*s", INDENT, "");
		p->column = INDENT;
		p->first = true;
	}
	text_add(p->t, "%s%s", p->first ? "" : ", ", item);
	p->column += len + (p->first ? 0 : 2);
	p->first = false;
}

void para_count(struct para *p, const char *before, uint64_t v,
		const char *after)
{
	char item[128];
	char n[TEXT_NUMBER];
	struct text t;

	text_begin(&t, item, sizeof(item));
	text_add(&t, "%s%s%s", before, text_number(n, v), after);
	para_item(p, item);
}

void para_end(struct para *p)
{
	text_add(p->t, "\n");
}

/* "name count" for all that are not zero. */
static void para_counts(struct text *t, const char *title,
			const struct report_counts *c)
{
	char name[64];
	struct para p;
	bool any = false;

	for (size_t i = 0; i < c->n; i++) {
		if (c->v[i].value == 0)
			continue;
		if (!any)
			para_begin(&p, t, title);
		any = true;
		text_safe(name, sizeof(name) - 1, c->v[i].name,
			  strlen(c->v[i].name));
		strcat(name, " ");
		para_count(&p, name, c->v[i].value, "");
	}
	if (any)
		para_end(&p);
}

/* The SUT that was down longest, if that is not allowed; NULL: none was. */
static const struct report_sut *downest(const struct report_data *d)
{
	const struct report_sut *most = NULL;

	for (size_t i = 0; i < d->suts; i++)
		if (d->sut_list[i].down > d->allow_down &&
		    (!most || most->down < d->sut_list[i].down))
			most = &d->sut_list[i];
	return most;
}

/* "SUT DOWN for 8.2 s of 13.0 s: 200 requests unanswered" */
static void head_down(struct text *t, const struct report_data *d,
		      const struct report_sut *sut)
{
	char a[TEXT_NUMBER], b[TEXT_NUMBER], ip[TEXT_IP];
	uint64_t n = d->reasons[VERDICT_DIFFERENT][REASON_UNANSWERED];

	text_add(t, "SUT%s%s DOWN for %s of %s: ", d->suts > 1 ? " " : "",
		 d->suts > 1 ? text_ip(ip, &sut->ip) : "",
		 text_time(a, sut->down), text_time(b, d->elapsed));
	text_add(t, "%s %s unanswered\n", text_number(a, n),
		 n == 1 ? "request" : "requests");
}

#define MANY 10 /* one in so many is told first */

static void headline(struct text *t, const struct report_data *d)
{
	const struct report_sut *down = downest(d);
	uint64_t compared = report_compared(d);
	uint64_t different = d->verdicts[VERDICT_DIFFERENT] - report_excused(d);
	uint64_t left = d->verdicts[VERDICT_NOT_COMPARED];
	char a[TEXT_NUMBER], b[TEXT_NUMBER], s[TEXT_NUMBER];

	if (down)
		head_down(t, d, down);
	if (d->no_route)
		text_add(t, "SUT does not answer %s: firewall or route\n",
			 d->no_route);
	if (compared == 0)
		text_add(t, "No answer was compared");
	else if (different == 0 && down)
		text_add(t, "%s answers were compared, and none was different",
			 text_number(a, compared));
	else if (different == 0)
		text_add(t, "Same: all %s compared answers",
			 text_number(a, compared));
	else
		text_add(t, "DIFFERENT: %s of %s compared answers (%s)",
			 text_number(a, different), text_number(b, compared),
			 text_share(s, different, compared));
	if (left * MANY >= compared + left && compared > 0)
		text_add(t, ", %s of %s not compared", text_number(a, left),
			 text_number(b, compared + left));
	text_add(t, ", in %s\n", text_time(a, d->elapsed));
	if (d->input.read < d->input.all)
		text_add(t, "read: %s of %s bytes, %s damaged places\n",
			 text_number(a, d->input.read),
			 text_number(b, d->input.all),
			 text_number(s, d->input.damaged));
	if (compared == 0 && d->unmapped)
		text_add(t,
			 "  none of the %s frames is from or to what --map "
			 "names\n",
			 text_number(a, d->capture.frames));
	if (compared == 0 && d->ask_doctor)
		text_add(t, "  'understudy doctor' with the same options finds "
			    "out why\n");
}

static void warn(struct text *t, uint64_t n, const char *one, const char *many)
{
	char a[TEXT_NUMBER];

	if (n > 0)
		text_add(t, "warning: %s %s\n", text_number(a, n),
			 n == 1 ? one : many);
}

static uint64_t answers(const struct report_data *d)
{
	uint64_t n = 0;

	for (unsigned v = 0; v < VERDICT_COUNT; v++)
		n += d->verdicts[v];
	return n;
}

static void warnings(struct text *t, const struct report_data *d)
{
	char a[TEXT_NUMBER], b[TEXT_NUMBER];

	warn(t, d->capture.drops, "frame was missed by the capture",
	     "frames were missed by the capture");
	if (d->capture.drops > 0)
		text_add(t,
			 "  give it another processor, --mirror-ring 256M, or "
			 "--capture v3;\n"
			 "  else play fewer clients: --sample N%%\n");
	warn(t, d->capture.not_grown,
	     "capture ring is small, for lack of memory",
	     "capture rings are small, for lack of memory");
	warn(t, d->reasons[VERDICT_NOT_COMPARED][REASON_TLS],
	     "request is TLS, which cannot be played: mirror the wire behind "
	     "what ends it",
	     "requests are TLS, which cannot be played: mirror the wire behind "
	     "what ends it");
	warn(t, d->quic,
	     "datagram is QUIC, which cannot be played: mirror the wire behind "
	     "what ends it",
	     "datagrams are QUIC, which cannot be played: mirror the wire "
	     "behind what ends it");
	warn(t, d->alone,
	     "datagram behind a first answer was sent by one server alone",
	     "datagrams behind first answers were sent by one server alone");
	warn(t, d->reasons[VERDICT_NOT_COMPARED][REASON_OVERLOAD],
	     "answer was not judged: the desk had no room",
	     "answers were not judged: the desk had no room");
	warn(t, d->reasons[VERDICT_NOT_COMPARED][REASON_DESK],
	     "answer was not judged: the desk died, or did not answer",
	     "answers were not judged: the desk died, or did not answer");
	if (d->reasons[VERDICT_NOT_COMPARED][REASON_DIVERGED] * 100 >
	    answers(d))
		warn(t, d->reasons[VERDICT_NOT_COMPARED][REASON_DIVERGED],
		     "answer hangs on a session that the SUT does not know",
		     "answers hang on sessions that the SUT does not know");
	warn(t, d->not_played, "flow was ended because the SUT was too slow",
	     "flows were ended because the SUT was too slow");
	if (d->stalls > 0)
		text_add(t,
			 "warning: this process stood still %s times, for %s: "
			 "no answer was waited for meanwhile\n",
			 text_number(a, d->stalls), text_time(b, d->stalled));
	warn(t, d->emit.errors, "frame could not be sent",
	     "frames could not be sent");
	warn(t, d->emit.refused, "frame had a destination that is not allowed",
	     "frames had a destination that is not allowed");
	warn(t, d->journal_lost, "record is missing in the journal",
	     "records are missing in the journal");
	warn(t, d->report_lost, "line is missing in the report's file",
	     "lines are missing in the report's file");
	for (size_t i = 0; i < d->sum_count; i++)
		if (d->sums[i].left != d->sums[i].right)
			text_add(t, "warning: %s do not add up: %s and %s\n",
				 d->sums[i].name,
				 text_number(a, d->sums[i].left),
				 text_number(b, d->sums[i].right));
}

/* "n what (share)" */
static void para_share(struct para *p, uint64_t n, const char *what,
		       uint64_t whole)
{
	char after[96];
	char s[TEXT_NUMBER];
	struct text t;

	text_begin(&t, after, sizeof(after));
	text_add(&t, " %s", what);
	if (whole > 0)
		text_add(&t, " (%s)", text_share(s, n, whole));
	para_count(p, "", n, after);
}

static void flows_and_requests(struct text *t, const struct report_data *d)
{
	struct para p;

	para_begin(&p, t, "flows");
	para_count(&p, "", d->flows.seen, " seen");
	para_share(&p, d->flows.played, "played", d->flows.seen);
	if (d->flows.resumed > 0)
		para_count(&p, "", d->flows.resumed, " resumed");
	para_end(&p);
	para_counts(t, "  ended by", &d->flows.ended);

	para_begin(&p, t, "requests");
	para_count(&p, "", d->requests.seen, " seen");
	para_share(&p, d->requests.delivered, "delivered", d->requests.seen);
	para_share(&p, d->requests.answered, "answered", d->requests.seen);
	para_end(&p);
}

static void reasons(struct text *t, const char *title, const uint64_t *by)
{
	struct report_count count[REASON_COUNT];

	for (unsigned i = 0; i < REASON_COUNT; i++)
		count[i] = (struct report_count){
			reason_name((enum compare_reason)i), by[i]
		};
	para_counts(t, title, &(struct report_counts){ count, REASON_COUNT });
}

/* How the SUT failed to answer, and how much too late it did. */
static void unanswered(struct text *t, const struct report_data *d)
{
	struct report_count count[UNANSWERED_COUNT];
	const struct histogram *late = d->after_verdict;
	char a[TEXT_NUMBER], b[TEXT_NUMBER];

	for (unsigned i = 0; i < UNANSWERED_COUNT; i++)
		count[i] = (struct report_count){
			unanswered_name((enum unanswered)i), d->unanswered[i]
		};
	para_counts(t, "  unansw.",
		    &(struct report_counts){ count, UNANSWERED_COUNT });
	if (late && late->count > 0)
		text_add(t,
			 "%-*s%s answers came after their verdict, the last of "
			 "them %s\n",
			 INDENT, "", text_number(a, late->count),
			 text_time(b, late->max));
}

/* By all of their reasons, and said if that is more than there are. */
static void differences(struct text *t, const struct report_data *d)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < REASON_COUNT; i++)
		sum += d->each[i];
	reasons(t, "  different", d->each);
	if (sum > d->verdicts[VERDICT_DIFFERENT])
		text_add(t, "%*s(one answer may differ in several)\n", INDENT,
			 "");
}

static void verdicts(struct text *t, const struct report_data *d)
{
	struct para p;

	para_begin(&p, t, "answers");
	para_count(&p, "", d->verdicts[VERDICT_IDENTICAL], " identical");
	para_count(&p, "", d->verdicts[VERDICT_EQUIVALENT], " equivalent");
	para_count(&p, "", d->verdicts[VERDICT_DIFFERENT], " different");
	para_count(&p, "", d->verdicts[VERDICT_NOT_COMPARED], " not compared");
	para_end(&p);
	differences(t, d);
	unanswered(t, d);
	reasons(t, "  not comp.", d->reasons[VERDICT_NOT_COMPARED]);
	report_text_rules(t, d);
	report_text_noise(t, d);
}

/* "10.9.0.1 down 8.2 s in all, 2 times, now silent" */
static void suts(struct text *t, const struct report_data *d)
{
	char a[TEXT_NUMBER], b[TEXT_NUMBER], ip[TEXT_IP];

	for (size_t i = 0; i < d->suts; i++) {
		const struct report_sut *s = &d->sut_list[i];

		if (s->times > 0)
			text_add(t, "%-*s%s down %s in all, %s %s, now %s\n",
				 INDENT, "SUT", text_ip(ip, &s->ip),
				 text_time(a, s->down),
				 text_number(b, s->times),
				 s->times == 1 ? "time" : "times", s->state);
	}
}

static void tunnels(struct text *t, const struct report_data *d)
{
	struct para p;

	if (d->capture.tunnels == 0)
		return;
	para_begin(&p, t, "  tunnels");
	for (size_t i = 0; i < d->capture.tunnels; i++) {
		const struct report_tunnel *x = &d->capture.tunnel[i];
		char item[64], n[TEXT_NUMBER];
		struct text s;

		text_begin(&s, item, sizeof(item));
		text_add(&s, "%s", x->kind ? x->kind : "more");
		if (x->keyed)
			text_add(&s, " %u", x->key);
		text_add(&s, " %s%s", text_number(n, x->frames),
			 x->taken ? "" : " (not looked into)");
		para_item(&p, item);
	}
	para_end(&p);
}

static void traffic(struct text *t, const struct report_data *d)
{
	char n[TEXT_NUMBER], item[64];
	struct para p;

	para_begin(&p, t, "capture");
	para_count(&p, "", d->capture.frames, " frames");
	para_count(&p, "", d->capture.drops, " missed");
	if (d->capture.missed > 0)
		para_count(&p, "", d->capture.missed,
			   " segments not on the mirror");
	if (d->capture.delay && d->capture.delay->count > 0) {
		struct text s;

		text_begin(&s, item, sizeof(item));
		text_add(&s, "read after %s p50",
			 text_time(n, hist_quantile(d->capture.delay, P50)));
		para_item(&p, item);
		text_begin(&s, item, sizeof(item));
		text_add(&s, "%s p99",
			 text_time(n, hist_quantile(d->capture.delay, P99)));
		para_item(&p, item);
	}
	para_end(&p);
	para_counts(t, "  frames", &d->capture.decode);
	tunnels(t, d);

	para_begin(&p, t, "sent");
	para_count(&p, "", d->emit.frames, " frames");
	para_item(&p, text_amount(n, d->emit.bytes));
	para_end(&p);
}

static void absorbed(struct text *t, const struct report_data *d)
{
	char n[TEXT_NUMBER], to[TEXT_ENDPOINT], kind[16];

	text_add(t, "%-*s%s frames of the SUT", INDENT, "absorbed",
		 text_number(n, d->absorbed));
	if (d->refused > 0)
		text_add(t, ", %s refused", text_number(n, d->refused));
	text_add(t, "%s\n", d->tops > 0 ? ", most to" : "");
	for (size_t i = 0; i < d->tops && i < REPORT_TOP; i++)
		text_add(t, "%*s%-46s %-5s %14s\n", INDENT, "",
			 d->top[i].dst.port == 0
				 ? text_ip(to, &d->top[i].dst.ip)
				 : text_endpoint(to, &d->top[i].dst.ip,
						 d->top[i].dst.port),
			 text_safe(kind, sizeof(kind), d->top[i].kind,
				   strlen(d->top[i].kind)),
			 text_number(n, d->top[i].n));
}

static void process(struct text *t, const struct report_data *d)
{
	char a[TEXT_NUMBER], b[TEXT_NUMBER], item[96];
	struct text s;
	struct para p;

	para_begin(&p, t, "used");
	text_begin(&s, item, sizeof(item));
	text_add(&s, "%s processor time", text_time(a, d->cpu));
	para_item(&p, item);
	text_begin(&s, item, sizeof(item));
	text_add(&s, "%s of %s pool at most",
		 text_amount(a, d->memory.pool_peak),
		 text_amount(b, d->memory.pool_total));
	para_item(&p, item);
	para_end(&p);
	for (size_t i = 0; i < d->group_count; i++)
		para_counts(t, d->groups[i].name, &d->groups[i].counts);
}

size_t report_text(char *out, size_t size, const struct report_data *d)
{
	struct text t;

	text_begin(&t, out, size);
	headline(&t, d);
	report_text_doubts(&t, d);
	warnings(&t, d);
	text_add(&t, "\n");
	flows_and_requests(&t, d);
	verdicts(&t, d);
	report_text_maps(&t, d);
	suts(&t, d);
	report_times(&t, d);
	traffic(&t, d);
	absorbed(&t, d);
	process(&t, d);
	report_text_places(&t, d);
	return t.len;
}

size_t report_text_live(char *out, size_t size, unsigned columns,
			const struct report_live *l)
{
	char item[9][48], n[TEXT_NUMBER];
	size_t room = columns < size ? columns : size;
	struct text t;

	snprintf(item[0], sizeof(item[0]), "%s", text_time(n, l->elapsed));
	snprintf(item[1], sizeof(item[1]), "  %s flows",
		 text_number(n, l->flows));
	snprintf(item[2], sizeof(item[2]), "  %s/s", text_number(n, l->rate));
	snprintf(item[3], sizeof(item[3]), "  %s same",
		 text_number(n, l->same));
	snprintf(item[4], sizeof(item[4]), "  %s different",
		 text_number(n, l->different));
	snprintf(item[5], sizeof(item[5]), "  %s not compared",
		 text_number(n, l->not_compared));
	snprintf(item[6], sizeof(item[6]), "  %s missed",
		 text_number(n, l->drops));
	item[7][0] = '\0';
	if (l->journal_lost > 0)
		snprintf(item[7], sizeof(item[7]), "  journal lost %s",
			 text_number(n, l->journal_lost));
	snprintf(item[8], sizeof(item[8]), "  behind %s",
		 text_time(n, l->behind));
	text_begin(&t, out, size);
	for (unsigned i = 0; i < 9 && t.len + strlen(item[i]) < room; i++)
		text_add(&t, "%s", item[i]);
	return t.len;
}
