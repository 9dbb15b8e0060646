/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * send.c - Effects go to the sink
 *
 * The sink may keep a packet until it is flushed, and is done with them in the
 * order in which it took them; what waits for that lies in a ring of copies, as
 * payload stays in the pool until then.
 */
#include "os/log.h"
#include "run/out.h"
#include "run/run_internal.h"
#include "text/text.h"

/* What has left since the last time is told: behind the effects themselves,
 * before the next input.
 */
static void tell_left(struct run *run)
{
	if (run->left_stamp != 0)
		observe_left(run, run->left_to, run->left_stamp);
	run->left_stamp = 0;
}

static void has_left(struct run *run, const struct effect *x)
{
	uint64_t stamp = run->sink->stamp;

	if (!x->timed || stamp == 0)
		return;
	if (run->left_stamp != stamp)
		tell_left(run);
	run->left_stamp = stamp;
	engine_left(run->engine, x, stamp);
}

/* The sink is done with the oldest packet that it took. */
void run_done(void *ctx, uint64_t cookie, int err)
{
	struct run *run = ctx;
	struct effect *x = &run->pend[run->pend_head];

	run->pend_head = (run->pend_head + 1) % RUN_PENDING;
	run->pend_n--;
	run->sunk++;
	if (err != 0) {
		engine_unsent(run->engine, x);
		observe_unsent(run, cookie);
	} else {
		has_left(run, x);
	}
	run->left_to = cookie + 1;
	engine_sent(run->engine, x);
}

void run_flush(struct run *run)
{
	sink_flush(run->sink);
	tell_left(run);
}

static int sink_effect(struct run *run, const struct effect *x,
		       const uint8_t *dst)
{
	struct tcp_header h;

	if (x->kind == EFFECT_RAW)
		return sink_raw(run->sink, x->raw, x->rawlen, run->effects);
	out_header(x, run->mac, dst, run->effects, &h);
	if (x->kind == EFFECT_UDP)
		return sink_udp(run->sink, &h, effects_data(x), x->len,
				run->effects);
	return sink_tcp(run->sink, &h, effects_data(x), x->len, x->gso,
			run->effects);
}

static void say_moved(const struct run *run, uint8_t sut, const uint8_t *mac)
{
	char ip[TEXT_IP];

	run_clear_line(run);
	log_line(LOG_WARN,
		 "%s has moved to %02x:%02x:%02x:%02x:%02x:%02x, as --sut-mac "
		 "any lets it",
		 text_ip(ip, &run->packet.sink.dest[sut].ip), mac[0], mac[1],
		 mac[2], mac[3], mac[4], mac[5]);
}

/* A SUT's hardware address, as the guard of the wire has found it; from then on
 * the sink may send there.
 */
static const uint8_t *mac_of(struct run *run, uint8_t sut)
{
	static const uint8_t none[ETH_LEN];
	const struct sutwire *w = engine_wire(run->engine);
	const uint8_t *mac = w ? sutwire_mac(w, sut) : NULL;

	if (!mac)
		return none;
	if (!run->pinned[sut] || memcmp(run->pin[sut], mac, ETH_LEN) != 0) {
		if (run->pinned[sut])
			say_moved(run, sut, mac);
		sink_pin(run->sink, &run->packet.sink.dest[sut].ip, mac);
		memcpy(run->pin[sut], mac, ETH_LEN);
		run->pinned[sut] = true;
	}
	return mac;
}

void run_send(struct run *run, const struct effects *out)
{
	for (uint32_t i = 0; i < out->n; i++) {
		const struct effect *x = &out->e[i];
		const uint8_t *dst = mac_of(run, x->sut);
		int r;

		if (run->pend_n == RUN_PENDING)
			run_flush(run);
		run->pend[(run->pend_head + run->pend_n) % RUN_PENDING] = *x;
		run->pend_n++;
		observe_effect(run, x, dst);
		r = sink_effect(run, x, dst);
		run->effects++;
		tell_left(run);
		if (r != 0) { /* refused: it was not taken, and is last */
			run->pend_n--;
			run->sunk++;
			engine_unsent(run->engine, x);
			observe_unsent(run, run->effects - 1);
			engine_sent(run->engine, x);
		}
	}
}
