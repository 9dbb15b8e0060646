/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * runctl.c - What a run that goes on may be asked and told
 *
 * Theory of operation
 *
 * The packet thread's loop is its own (run/loop.c), and the control socket
 * wants one of os/loop.h. The run has such a one for it, which the packet
 * thread turns whenever it looks at its signals, and in which nobody waits: an
 * answer comes up to a tenth of a second late, and a run without --ctl pays
 * nothing. What an answer costs is the packet thread's time, and only root and
 * who started the run may ask.
 *
 * Options of OPT_RUNTIME are the run's copy, read where they are needed, each
 * time, and none has to do with another. None of them is the engine's: a
 * journal is rerun by what it holds, and its header keeps the options of the
 * start.
 *
 * Counters are a copy, made when the first group is looked at, as --metrics has
 * them. Events are what the engine's records tell, as far as they are
 * reported; JSON lines (--json) have all of it, events RUNCTL_EVENTS a second.
 */
#include "account/runctl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "account/account_internal.h"
#include "account/networks.h"
#include "ctl/ctl.h"
#include "flow/key.h"
#include "os/mem.h"
#include "record/health.h"
#include "record/record.h"
#include "text/json.h"

#define GROUPS (PROM_GROUPS + 2)

/* @copy is first: whose groups they are sees no more of it. */
struct runctl {
	struct prom_copy copy;
	struct runctl_config config;
	struct arena mem;
	struct ctl *ctl;
	struct prom_view view;
	struct ctl_group group[GROUPS];
	struct runctl_counters n;
	uint64_t second; /* that is counted, as of the engine's time */
	uint64_t events; /* in it */
};

static const struct counter rows[] = { RUNCTL_COUNTERS(
	COUNTER_ROW, struct runctl_counters) };

const struct counter_list runctl_counter_list = COUNTER_LIST(rows);

/* --- counters --- */

/* The first group that is looked at: a new copy is made. */
static bool find_now(void *ctx, unsigned i, struct ctl_item *out)
{
	struct runctl *c = ctx;

	c->config.copy(c->config.ctx, &c->copy);
	return c->view.group[0].find(&c->copy, i, out);
}

static bool find_ctl(void *ctx, unsigned i, struct ctl_item *out)
{
	const struct runctl *c = ctx;

	(void)i;
	out->counters = ctl_counters(c->ctl);
	return true;
}

static bool find_events(void *ctx, unsigned i, struct ctl_item *out)
{
	const struct runctl *c = ctx;

	(void)i;
	out->counters = &c->n;
	return true;
}

static struct ctl_shown shown(struct runctl *c)
{
	size_t n = c->view.groups;

	memcpy(c->group, c->view.group, n * sizeof(c->group[0]));
	c->group[0].find = find_now;
	c->group[n++] = (struct ctl_group){ "ctl", "control socket",
					    0,	   &ctl_counter_list,
					    NULL,  find_ctl };
	c->group[n++] = (struct ctl_group){ "events", "events",
					    0,	      &runctl_counter_list,
					    NULL,     find_events };
	return (struct ctl_shown){ "shadow", c->group, n, c };
}

/* --- requests --- */

static int call_report(void *ctx, const char *words, struct text *out,
		       struct errbuf *e)
{
	struct runctl *c = ctx;

	(void)out;
	if (words[0] != '\0')
		return errbuf_set(e, -EINVAL, "report takes no word");
	c->config.report(c->config.ctx);
	return 0;
}

static int call_stop(void *ctx, const char *words, struct text *out,
		     struct errbuf *e)
{
	struct runctl *c = ctx;

	(void)out;
	if (words[0] != '\0')
		return errbuf_set(e, -EINVAL, "stop takes no word");
	c->config.stop(c->config.ctx);
	return 0;
}

static const struct ctl_call calls[] = {
	{ "report", "report", call_report },
	{ "stop", "stop", call_stop },
};

/* --- events --- */

static void put_end(struct json *j, const char *key, const struct ipaddr *ip,
		    uint16_t port)
{
	char s[TEXT_ENDPOINT];

	json_str(j, key, text_endpoint(s, ip, port));
}

static void put_request(const struct runctl *c, struct json *j,
			const char *request, size_t len)
{
	char shown[ITEM_REQUEST];

	if (len > 0)
		json_bytes(j, "request", shown,
			   item_request(c->config.redact, request, len, shown));
}

static void tell_difference(struct runctl *c, const struct engine_item *t)
{
	const struct exchange_record *x = t->exchange;
	struct json j;

	if (!ctl_event(c->ctl, &j, "different"))
		return;
	c->n.told++;
	json_u64(&j, "flow", x->flow);
	put_end(&j, "client", &x->client, x->client_port);
	put_end(&j, "production", &x->prod, x->prod_port);
	put_end(&j, "sut", &x->sut, x->sut_port);
	json_bool(&j, "baseline", x->baseline);
	json_str(&j, "reason", reason_name((enum compare_reason)x->reason));
	put_request(c, &j, t->text->request, t->text->request_len);
	ctl_tell(c->ctl, &j);
}

static void tell_network(struct runctl *c, const struct engine_event *ev,
			 struct json *j)
{
	char net[NETWORK_NAME];

	(void)c;
	json_str(j, "network", networks_name(net, &ev->client, ev->bits));
	put_end(j, "sut", &ev->sut, ev->sut_port);
	json_str(j, "state", ev->up ? "proved" : flow_end_name(ev->end));
}

static void tell_sut(struct runctl *c, const struct engine_event *ev,
		     struct json *j)
{
	put_end(j, "sut", &ev->sut, ev->sut_port);
	json_str(j, "state", ev->up ? "back" : health_name(ev->state));
	put_request(c, j, ev->request, ev->request_len);
}

static void tell_flow(struct runctl *c, const struct engine_event *ev,
		      struct json *j)
{
	(void)c;
	json_u64(j, "flow", ev->flow);
	put_end(j, "client", &ev->client, ev->client_port);
	put_end(j, "sut", &ev->sut, ev->sut_port);
	json_str(j, "state", flow_end_name(ev->end));
}

static void tell_step(struct runctl *c, const struct engine_event *ev,
		      struct json *j)
{
	(void)c;
	json_i64(j, "step_ns", ev->step_ns);
}

static void tell_event(struct runctl *c, const struct engine_event *ev)
{
	static const struct {
		const char *name;
		void (*put)(struct runctl *c, const struct engine_event *ev,
			    struct json *j);
	} kind[] = {
		[EVENT_FLOW_END] = { "flow_end", tell_flow },
		[EVENT_SUT_STATE] = { "sut_state", tell_sut },
		[EVENT_NETWORK] = { "network", tell_network },
		[EVENT_CLOCK_STEP] = { "clock_step", tell_step },
	};
	struct json j;

	if (!ctl_event(c->ctl, &j, kind[ev->kind].name))
		return;
	c->n.told++;
	kind[ev->kind].put(c, ev, &j);
	ctl_tell(c->ctl, &j);
}

/* One more in this second? */
static bool has_room(struct runctl *c, uint64_t now)
{
	if (now - c->second >= NS_PER_SEC) {
		c->second = now;
		c->events = 0;
	}
	if (c->events < RUNCTL_EVENTS) {
		c->events++;
		return true;
	}
	c->n.left_out++;
	return false;
}

void runctl_item(struct runctl *c, const struct engine_item *t, uint64_t now)
{
	if (!c || !ctl_watched(c->ctl))
		return;
	if (t->kind == EVENT_VERDICT ? !t->text : item_is_usual(t->event))
		return;
	if (!has_room(c, now))
		return;
	if (t->kind == EVENT_VERDICT)
		tell_difference(c, t);
	else
		tell_event(c, t->event);
}

void runctl_link(struct runctl *c, const char *name, bool down)
{
	struct json j;

	if (!c || !ctl_event(c->ctl, &j, "link"))
		return;
	json_str(&j, "interface", name);
	json_str(&j, "state", down ? "down" : "up");
	ctl_tell(c->ctl, &j);
}

/* --- start and end --- */

int runctl_open(struct runctl **out, const struct runctl_config *config,
		struct errbuf *e)
{
	struct runctl *c = calloc(1, sizeof(*c));
	struct ctl_config cc = { .path = config->path,
				 .options = config->opt->replay
						    ? &options_replay
						    : &options_shadow,
				 .base = config->opt,
				 .call = calls,
				 .calls = sizeof(calls) / sizeof(calls[0]),
				 .ctx = c };
	int r;

	if (!c)
		return errbuf_set(e, -ENOMEM, "no memory");
	c->config = *config;
	prom_view(&c->view, config->has_ring);
	cc.shown = shown(c);
	r = mem_take(&c->mem, ctl_size(), 0);
	if (r != 0)
		errbuf_set(e, r, "--ctl: %s", strerror(-r));
	if (r == 0)
		r = ctl_open(&c->ctl, &c->mem, &cc, e);
	if (r == 0 && (r = ctl_serve(c->ctl, config->loop)) != 0)
		errbuf_set(e, r, "--ctl: %s", strerror(-r));
	if (r == 0)
		*out = c;
	else
		runctl_close(c);
	return r;
}

void runctl_close(struct runctl *c)
{
	struct json j;

	if (!c)
		return;
	if (ctl_event(c->ctl, &j, "end"))
		ctl_tell(c->ctl, &j);
	ctl_close(c->ctl);
	mem_give(&c->mem);
	free(c);
}

int runctl_fd(const struct runctl *c)
{
	return c ? ctl_fd(c->ctl) : -1;
}

void runctl_turn(struct runctl *c)
{
	if (c)
		(void)loop_wait(c->config.loop, 0);
}
