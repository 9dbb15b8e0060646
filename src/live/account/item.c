/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * item.c - What the engine hands out becomes lines of JSON
 */
#include "account/snapshot.h"

#include "account/networks.h"
#include "compare/kind.h"
#include "compare/protocol.h"
#include "flow/key.h"
#include "record/health.h"
#include "record/record.h"
#include "report/report.h"

/* Lines of other kinds than differences. Return: 0: there is none of this */
static size_t other_json(const struct run_epoch *t,
			 const struct engine_event *ev, char *out, size_t size)
{
	struct report_happened h = {
		.at = ev->now - t->begun,
		.flow = ev->flow,
		.client = { ev->client, ev->client_port },
		.production = { ev->prod, ev->prod_port },
		.sut = { ev->sut, ev->sut_port },
		.request = ev->request,
		.request_len = ev->request_len,
	};

	/* As the client, or production, ended it: nothing went wrong. */
	if (ev->kind == EVENT_FLOW_END &&
	    (ev->end == FLOW_END_CLIENT_RST || ev->end == FLOW_END_PROD_RST ||
	     ev->end == FLOW_END_REUSED))
		return 0;
	if (ev->kind == EVENT_FLOW_END) {
		h.what = flow_end_name(ev->end);
		return report_json_flow_end(out, size, &h);
	}
	h.what = ev->up ? "back" : health_name(ev->state);
	h.since = ev->since > t->begun ? ev->since - t->begun : 0;
	return report_json_sut_state(out, size, &h);
}

static size_t difference_json(const struct run_epoch *t,
			      const struct engine_item *told, char *out,
			      size_t size)
{
	const struct exchange_record *x = told->exchange;
	char detail[COMPARE_DETAIL];
	struct compare_result r;
	struct report_difference d = {
		.flow = x->flow,
		.client = { x->client, x->client_port },
		.production = { x->prod, x->prod_port },
		.sut = { x->sut, x->sut_port },
		.asked = x->asked != 0 ? epoch_wall(t, x->asked) : 0,
		.record = x->record,
		.index = x->index,
		.result = &r,
		.detail = detail,
		.request = told->text->request,
		.request_len = told->text->request_len,
		.prod_ns = x->first_ns[0],
		.sut_ns = x->first_ns[1],
	};

	item_result(told, &r);
	protocols[x->protocol].describe->difference(&r, detail);
	return report_json_difference(out, size, &d);
}

size_t item_json(const struct run_epoch *t, const struct engine_item *told,
		 char *out, size_t size)
{
	const struct engine_event *ev = told->event;
	char net[NETWORK_NAME];

	if (told->kind == EVENT_VERDICT)
		return told->text != NULL ? difference_json(t, told, out, size)
					  : 0;
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
	return other_json(t, ev, out, size);
}
