/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * proof.c - Is the SUT's wire ours alone?
 *
 * Theory of operation
 *
 * Before the first frame of a client is handed in, every SUT's wire must be
 * proved to be ours; one that is not within PROVE_WAIT ends the run before it
 * has begun: its files are removed, and all that is said is why. One that
 * answers the probe to another hardware address has ASTRAY_WAIT: a neighbour
 * that is gone is believed by Linux for 8 seconds (5 of delay, 3 questions)
 * before it asks anew. The mirror's ring fills meanwhile; nothing of it is lost
 * by that for some seconds.
 */
#include <errno.h>

#include "run/run_internal.h"
#include "run/wire_stop.h"
#include "text/text.h"

#define PROVE_WAIT  (5 * NS_PER_SEC)  /* for the SUT's wire, then we end */
#define ASTRAY_WAIT (12 * NS_PER_SEC) /* the same, if it answers another */

/* Index of the SUT of --map number @m. */
uint32_t run_sut_of_map(const struct run *run, uint32_t m)
{
	return (uint32_t)engine_sut(run->engine, &run->opt->engine.map[m].sut);
}

/* Has a stranger been seen on the SUT's wire, or a wire gone? */
bool run_wire_is_bad(struct run *run)
{
	const struct sutwire *w = engine_wire(run->engine);
	const struct sutwire_stop *s = w ? sutwire_stop(w) : NULL;
	char said[WIRE_STOP_TEXT], remedy[WIRE_STOP_TEXT];

	if (!s || s->reason == SUTWIRE_GOING)
		return false;
	errbuf_set(&run->stopped, -EPERM, "%s: %s: %s", run->opt->sut_dev,
		   wire_stop_said(said, s),
		   wire_stop_remedy(remedy, s, run->opt->sut_dev));
	return true;
}

/* A SUT that is not proved; -1: all are. */
static int unproved(const struct run *run)
{
	const struct sutwire *w = engine_wire(run->engine);

	for (uint32_t m = 0; w && m < run->opt->engine.maps; m++)
		if (!sutwire_ready(w, run_sut_of_map(run, m)))
			return (int)m;
	return -1;
}

static int say_unproved(const struct run *run, uint32_t m, struct errbuf *e)
{
	const struct engine_map *map = &run->opt->engine.map[m];
	enum sutwire_state s =
		sutwire_state(engine_wire(run->engine), run_sut_of_map(run, m));
	const uint8_t *via =
		sutwire_via(engine_wire(run->engine), run_sut_of_map(run, m));
	bool four = ipaddr_is4(&map->sut);
	char ip[TEXT_IP];

	text_ip(ip, &map->sut);
	if (run->stopped.s[0] != '\0')
		return errbuf_set(e, -EPERM, "%s", run->stopped.s);
	if (via)
		return errbuf_set(
			e, -EHOSTUNREACH,
			"SUT %s: its route to the world leads to "
			"%02x:%02x:%02x:%02x:%02x:%02x on %s, not to us: take "
			"that host off the wire, and on the SUT: ip "
			"%sneighbour flush dev X",
			ip, via[0], via[1], via[2], via[3], via[4], via[5],
			run->opt->sut_dev, four ? "" : "-6 ");
	if (run->stop)
		return errbuf_set(e, -EINTR,
				  "ended before a client was played: SUT %s: "
				  "%s; 'understudy doctor' finds out why",
				  ip, sutwire_state_text(s));
	if (s == SUTWIRE_ASKING)
		return errbuf_set(
			e, -EHOSTUNREACH,
			"SUT %s: no answer to %s on %s; is the SUT "
			"up, on that wire, and the address right?",
			ip, four ? "ARP requests" : "neighbour solicitations",
			run->opt->sut_dev);
	return errbuf_set(e, -EHOSTUNREACH,
			  "SUT %s: its answers to the world do not come by %s; "
			  "give it its only default route that way: on the "
			  "SUT, 'ip %sroute replace default via GW dev X'; no "
			  "firewall may drop them",
			  ip, run->opt->sut_dev, four ? "" : "-6 ");
}

/* How long SUT number @m may take until its wire is proved. */
static uint64_t proof_wait(const struct run *run, int m)
{
	const struct sutwire *w = engine_wire(run->engine);

	return sutwire_via(w, run_sut_of_map(run, (uint32_t)m)) ? ASTRAY_WAIT
								: PROVE_WAIT;
}

/* struct proof - It is asked for since @asked; @m: who is not proved, -1: all
 * are
 */
struct proof {
	uint64_t asked;
	int m;
};

static bool proof_over(struct run *run, void *ctx)
{
	struct proof *p = ctx;

	p->m = unproved(run);
	return p->m < 0 || run->now - p->asked >= proof_wait(run, p->m);
}

int run_prove(struct run *run, struct errbuf *e)
{
	static const struct source_ops ops = { .over = proof_over };
	struct proof p = { .asked = run->now };
	int r = run_loop(run, &(struct source){ &ops, &p }, e);

	p.m = unproved(run);
	if (r == 0 && p.m >= 0)
		return say_unproved(run, (uint32_t)p.m, e);
	run->proved = r == 0;
	return r;
}
