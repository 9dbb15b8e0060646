/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * places.c - Where answers differ: each --map, and endpoints
 */
#include <stdlib.h>
#include <string.h>

#include "account/account_internal.h"
#include "record/record.h"
#include "redact/redact.h"
#include "report/report.h"

static int by_differences(const void *a, const void *b)
{
	const struct report_place *x = a;
	const struct report_place *y = b;

	return x->n < y->n ? 1 : x->n > y->n ? -1 : 0;
}

/* The same; of equal ones the one that began first, and of those that began in
 * one turn any, if always the same one. A desk's verdicts come when they come.
 */
static int by_differences_judged(const void *a, const void *b)
{
	const struct report_place *x = a;
	const struct report_place *y = b;
	int r = by_differences(a, b);

	if (r != 0)
		return r;
	if (x->since != y->since)
		return x->since < y->since ? -1 : 1;
	r = snapshot_by_name(x->name, x->name_len, y->name, y->name_len);
	if (r != 0)
		return r;
	if (x->reason != y->reason)
		return x->reason < y->reason ? -1 : 1;
	return memcmp(&x->kind, &y->kind, sizeof(x->kind));
}

/* An endpoint's name, with tags in it. Return: bytes */
static size_t shown_name(const struct redact *by,
			 const struct engine_endpoint *p, char *out)
{
	const struct redact_text t = { .p = (const uint8_t *)p->name,
				       .n = p->name_len,
				       .to = p->name_len,
				       .cut = p->name_len == ENDPOINT_NAME };

	return redact_put(by, &t, (uint8_t *)out, PLACE_SHOWN);
}

/* The first line of a request, if it is known whole: cut is what has no end, as
 * a piece that is played again would be another request. Return: bytes
 */
static size_t shown_request(const struct redact *by,
			    const struct engine_endpoint *p, char *out)
{
	if (!p->http || p->request_len == RECORD_REQUEST)
		return 0;
	return redact_all(by, p->request, p->request_len, out,
			  2 * RECORD_REQUEST);
}

void snapshot_places(struct snapshot *f, const struct run_facts *x,
		     const struct engine_stats *st)
{
	f->d.map = f->map;
	f->d.maps = x->opt->engine.maps;
	for (size_t i = 0; i < f->d.maps; i++) {
		f->map[i].map = snapshot_map(x->opt, i);
		f->map[i].baseline = st->map[i].baseline;
		memcpy(f->map[i].verdicts, st->map[i].verdict,
		       sizeof(f->map[i].verdicts));
		memcpy(f->map[i].each, st->map[i].each, sizeof(f->map[i].each));
	}
	f->d.place = f->place;
	f->d.places = st->endpoints;
	for (size_t i = 0; i < f->d.places; i++) {
		const struct engine_endpoint *p = &st->endpoint[i];

		f->place[i] = (struct report_place){
			.name = f->place_name[i],
			.name_len = shown_name(x->redact, p, f->place_name[i]),
			.reason = (enum compare_reason)p->reason,
			.kind = p->kind,
			.map = p->map,
			.n = p->n,
			.over = p->over,
			.since = epoch_wall(&x->epoch, p->since),
			.last = epoch_wall(&x->epoch, p->last),
			.sut = { f->map[p->map].map.sut.ip, p->sut_port },
			.request = f->place_request[i],
			.request_len = shown_request(x->redact, p,
						     f->place_request[i]),
			.client_port = p->client_port,
			.udp = p->udp,
		};
	}
	qsort(f->place, f->d.places, sizeof(f->place[0]),
	      x->opt->engine.by ? by_differences_judged : by_differences);
	f->d.frames = x->frames;
	f->d.again = options_again(x->opt, f->place[0].map, f->again);
}
