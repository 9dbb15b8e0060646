/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * observe_journal.c - The journal gets what a rerun needs, in the engine's
 * order
 */
#include <string.h>

#include "core/bytes.h"
#include "effect/effect.h"
#include "run/out.h"
#include "run/run_internal.h"

#define VLAN_LEN  4
#define VLAN_TPID 0x8100 /* where the kernel does not say */

/* Differences name the frame of the journal by which they can be found. */
static void ahead(struct run *run)
{
	engine_record(run->engine, journal_next_frame(run->journal));
}

/* A frame's two addresses and, behind them, the VLAN tag that the kernel took
 * out of it; the journal gets it back. Engine and --map have no use for it.
 */
struct front {
	uint8_t b[2 * ETH_LEN + VLAN_LEN];
};

static void put_tag(struct journal_frame *jf, const struct ring_frame *f,
		    struct front *front)
{
	if (!f->has_vlan || jf->cap < 2 * ETH_LEN)
		return;
	memcpy(front->b, jf->data, 2 * ETH_LEN);
	put_be16(front->b + 2 * ETH_LEN,
		 f->vlan_tpid != 0 ? f->vlan_tpid : VLAN_TPID);
	put_be16(front->b + 2 * ETH_LEN + 2, f->vlan_tci);
	jf->more = jf->data + 2 * ETH_LEN;
	jf->more_len = jf->cap - 2 * ETH_LEN;
	jf->data = front->b;
	jf->cap = sizeof(front->b);
	jf->wire += VLAN_LEN;
}

static void input(struct run *run, const struct run_input *i)
{
	const struct frame_info *in = i->frame;
	struct front front;
	struct journal_frame jf = { .csum_ok = in->csum_ok,
				    .trusted = in->trusted,
				    .gso = in->gso,
				    .now = run->now,
				    .ts = in->ts,
				    .data = in->data,
				    .cap = in->cap,
				    .wire = in->wire };

	if (i->from == ENGINE_SUT)
		jf.iface = JOURNAL_SUT;
	else if (i->kind == ENGINE_CLIENT)
		jf.iface = JOURNAL_CLIENT;
	else if (i->kind == ENGINE_PROD)
		jf.iface = JOURNAL_PROD;
	else
		jf.iface = JOURNAL_MIRROR;
	if (i->ring)
		put_tag(&jf, i->ring, &front);
	journal_frame(run->journal, &jf);
}

static void timeout(struct run *run)
{
	journal_timeout(run->journal, run->now);
}

static void note(struct run *run, enum engine_note what, uint64_t value)
{
	journal_note(run->journal, what, value, run->now);
}

static void clock_set(struct run *run, int64_t step)
{
	journal_clock(run->journal, step, run->now);
}

static void effect(struct run *run, const struct effect *x, const uint8_t *dst)
{
	struct journal_frame jf = { .iface = JOURNAL_EMITTED,
				    .sut = x->sut,
				    .gso = x->gso,
				    .csum_ok = true,
				    .now = run->now };
	struct out_frame f;

	out_build(x, run->mac, dst, run->effects, &f);
	jf.ts = run->epoch.started + (run->now - run->epoch.begun);
	jf.data = f.hdr;
	jf.cap = f.hdr_len;
	jf.more = f.data;
	jf.more_len = f.len;
	jf.wire = f.hdr_len + f.len;
	jf.comment = cause_name(x->cause);
	journal_frame(run->journal, &jf);
}

static void unsent(struct run *run, uint64_t number)
{
	journal_unsent(run->journal, number, run->now);
}

static void left(struct run *run, uint64_t to, uint64_t stamp)
{
	journal_left(run->journal, to, stamp, run->now);
}

const struct observer_ops observe_journal = {
	.ahead = ahead,
	.input = input,
	.timeout = timeout,
	.note = note,
	.clock = clock_set,
	.effect = effect,
	.unsent = unsent,
	.left = left,
};
