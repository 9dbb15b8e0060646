/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * item.c - What the engine hands out becomes lines of JSON
 */
#include "account/account_internal.h"

#include "account/networks.h"
#include "compare/kind.h"
#include "compare/protocol.h"
#include "flow/key.h"
#include "record/health.h"
#include "record/record.h"
#include "redact/redact.h"
#include "report/report.h"

size_t item_request(const struct redact *by, const char *p, size_t n,
		    char out[ITEM_REQUEST])
{
	const struct redact_text t = { .p = (const uint8_t *)p,
				       .n = n,
				       .to = n,
				       .cut = n == RECORD_REQUEST };

	return redact_put(by, &t, (uint8_t *)out, ITEM_REQUEST);
}

bool item_is_usual(const struct engine_event *ev)
{
	return ev->kind == EVENT_FLOW_END &&
	       (ev->end == FLOW_END_CLIENT_RST ||
		ev->end == FLOW_END_PROD_RST || ev->end == FLOW_END_REUSED);
}

/* Lines of other kinds than differences. Return: 0: there is none of this */
static size_t other_json(const struct run_epoch *t, const struct redact *by,
			 const struct engine_event *ev, char *out, size_t size)
{
	char request[ITEM_REQUEST];
	struct report_happened h = {
		.at = ev->now - t->begun,
		.flow = ev->flow,
		.client = { ev->client, ev->client_port },
		.production = { ev->prod, ev->prod_port },
		.sut = { ev->sut, ev->sut_port },
		.request = request,
		.request_len =
			item_request(by, ev->request, ev->request_len, request),
	};

	if (item_is_usual(ev))
		return 0;
	if (ev->kind == EVENT_FLOW_END) {
		h.what = flow_end_name(ev->end);
		return report_json_flow_end(out, size, &h);
	}
	h.what = ev->up ? "back" : health_name(ev->state);
	h.since = ev->since > t->begun ? ev->since - t->begun : 0;
	return report_json_sut_state(out, size, &h);
}

void item_difference(struct report_difference *d, const struct run_epoch *t,
		     const struct redact *by, const struct engine_item *told,
		     struct compare_result *r, char *detail, char *request)
{
	const struct exchange_record *x = told->exchange;

	*d = (struct report_difference){
		.flow = x->flow,
		.client = { x->client, x->client_port },
		.production = { x->prod, x->prod_port },
		.sut = { x->sut, x->sut_port },
		.asked = x->asked != 0 ? epoch_wall(t, x->asked) : 0,
		.record = x->record,
		.index = x->index,
		.baseline = x->baseline,
		.result = r,
		.detail = detail,
		.request = request,
		.request_len = item_request(by, told->text->request,
					    told->text->request_len, request),
		.prod_ns = x->first_ns[0],
		.sut_ns = x->baseline ? 0 : x->first_ns[1],
	};
	item_result(told, r);
	protocols[x->protocol].describe->difference(r, by, detail);
}

static size_t difference_json(const struct run_epoch *t,
			      const struct redact *by,
			      const struct engine_item *told, char *out,
			      size_t size)
{
	char request[ITEM_REQUEST];
	char detail[COMPARE_DETAIL];
	struct compare_result r;
	struct report_difference d;

	item_difference(&d, t, by, told, &r, detail, request);
	return report_json_difference(out, size, &d);
}

size_t item_json(const struct run_epoch *t, const struct redact *by,
		 const struct engine_item *told, char *out, size_t size)
{
	const struct engine_event *ev = told->event;
	char net[NETWORK_NAME];

	if (told->kind == EVENT_VERDICT)
		return told->text ? difference_json(t, by, told, out, size) : 0;
	if (ev->kind == EVENT_CLOCK_STEP)
		return report_json_clock_step(out, size, ev->step_ns);
	if (ev->kind == EVENT_NETWORK)
		return report_json_network(
			out, size,
			&(struct report_network){
				.name = networks_name(net, &ev->client,
						      ev->bits),
				.sut = { ev->sut, ev->sut_port },
				.state = ev->up ? "proved"
						: flow_end_name(ev->end) });
	return other_json(t, by, ev, out, size);
}
