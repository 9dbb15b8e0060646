/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * observe_networks.c - A person is told which networks are not played, while it
 * is so
 */
#include "account/networks.h"
#include "os/log.h"
#include "run/run_internal.h"
#include "text/text.h"

#define TOLD_MOST 20 /* lines of a run; all are JSON lines and counted */

static void tell(struct run *run, const struct engine_item *t)
{
	const struct engine_event *ev = t->event;
	char net[NETWORK_NAME];
	char sut[TEXT_IP];

	if (t->kind != EVENT_NETWORK || run->networks_told > TOLD_MOST)
		return;
	run_clear_line(run);
	if (run->networks_told++ == TOLD_MOST) {
		log_line(LOG_WARN, "and other networks, which only --json "
				   "names");
		return;
	}
	networks_name(net, &ev->client, ev->bits);
	text_ip(sut, &ev->sut);
	if (ev->up)
		log_line(LOG_WARN,
			 "SUT %s answers %s on its wire again: its "
			 "clients are played",
			 sut, net);
	else
		log_line(LOG_WARN,
			 "SUT %s %s %s on its wire: its clients are not "
			 "played, and it is tried again every minute; a route "
			 "that is more specific than the default one, or a "
			 "firewall (understudy doctor says the remedy)",
			 sut,
			 ev->end == FLOW_END_NO_ROUTE ? "does not answer"
						      : "no longer answers",
			 net);
}

const struct observer_ops observe_networks = {
	.told = tell,
};
