/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * feedback.c - What came on a path, and when the other end is told
 *
 * Theory of operation
 *
 * A path delivers in the order of its numbers. One that jumps has lost those
 * between, which are noted as a range and told at once: the sender's answer is
 * on its way before TCP inside has noticed. Ranges are told in every feedback
 * until the sender says that it knows their fate (a settle), or until one comes
 * after all; so a lost feedback costs nothing.
 *
 * Otherwise a feedback is due after four full packets or 20 ms, whichever is
 * first: one a packet fills a narrow way back. Thin packets tell nobody a rate,
 * and nobody waits for their fate: with only such a feedback waits for 200 ms.
 * For many that the owner was given at once one is enough (mp_outer_begin()).
 *
 * A table of ranges is full when MP_RANGES losses are unsettled, or one is
 * further back than 16 bits can say. The oldest is then forgotten
 * (ranges_lost): its sender takes these numbers as come, and the lanes give
 * them up by time.
 */
#include "multipath/multipath_internal.h"

static void forget_first(struct mp *m, struct mp_in *in)
{
	m->n.ranges_lost += in->range[0].count;
	in->ranges--;
	for (uint32_t i = 0; i < in->ranges; i++)
		in->range[i] = in->range[i + 1];
}

static void note_missing(struct mp *m, struct mp_in *in, uint32_t first,
			 uint32_t count)
{
	if (in->ranges == MP_RANGES)
		forget_first(m, in);
	in->range[in->ranges++] = (struct mp_range){ first, count };
}

/* Take @seq out of the range that it lies in. Return: false: it lies in none */
static bool found(struct mp *m, struct mp_in *in, uint32_t seq)
{
	uint32_t i = in->ranges;
	struct mp_range *r, rest;

	while (i > 0 &&
	       !seq_in(seq, in->range[i - 1].first,
		       in->range[i - 1].first + in->range[i - 1].count))
		i--;
	if (i == 0)
		return false;
	r = &in->range[--i];
	rest = (struct mp_range){ seq + 1, r->first + r->count - seq - 1 };
	r->count = seq - r->first;
	if (r->count == 0 && rest.count > 0) {
		*r = rest;
	} else if (r->count == 0) {
		in->ranges--;
		for (; i < in->ranges; i++)
			in->range[i] = in->range[i + 1];
	} else if (rest.count > 0) {
		if (in->ranges == MP_RANGES) {
			m->n.ranges_lost += rest.count;
			return true;
		}
		for (uint32_t k = in->ranges++; k > i + 1; k--)
			in->range[k] = in->range[k - 1];
		in->range[i + 1] = rest;
	}
	return true;
}

bool mp_came(struct mp *m, struct mp_path *p, uint32_t seq, uint32_t size,
	     bool bulk, uint64_t now)
{
	struct mp_in *in = &p->in;
	uint32_t step = seq - in->highest;

	if (step > MP_AHEAD && step < 0u - MP_AHEAD)
		return false;
	if (step != 0 && step <= MP_AHEAD) {
		if (step > 1) {
			note_missing(m, in, in->highest + 1, step - 1);
			p->n.missing += step - 1;
			in->now = true;
		}
		in->highest = seq;
		in->at = now;
	} else if (found(m, in, seq)) {
		p->n.missing_came++;
	} else {
		p->n.came_again++;
	}
	p->n.came++;
	p->n.came_bytes += size;
	in->bytes += size;
	in->unsaid += size;
	in->any = true;
	in->bulk |= bulk;
	if (in->unsaid >= MP_REPORT_BULK)
		in->now = true;
	if (in->now)
		m->more = true;
	else
		mp_arm(m, &p->report,
		       now + (bulk ? MP_REPORT_WAIT : MP_REPORT_THIN));
	return true;
}

void mp_report(struct mp *m, struct mp_path *p, uint64_t now,
	       struct mp_effects *out)
{
	struct mp_in *in = &p->in;
	struct mp_effect *e;
	struct mp_report r = { .path = (uint8_t)(p - m->path),
			       .highest = in->highest,
			       .bytes = in->bytes,
			       .at = mp_us(in->at),
			       .held = mp_us(now - in->at) };

	if (!in->any)
		return;
	e = mp_effect(m, out);
	if (!e)
		return;
	while (in->ranges > 0 && in->highest - in->range[0].first > UINT16_MAX)
		forget_first(m, in);
	r.ranges = in->ranges;
	for (uint32_t i = 0; i < in->ranges; i++)
		r.range[i] = in->range[i];
	*e = (struct mp_effect){ .send = true,
				 .path = r.path,
				 .why = MP_WHY_REPORT };
	e->n = mp_report_emit(&r, e->bytes);
	m->n.feedback_out++;
	in->now = false;
	in->any = false;
	in->bulk = false;
	in->unsaid = 0;
	wheel_disarm(&m->wheel, &p->report.t);
}

void mp_settled(struct mp_path *p, uint32_t seq)
{
	struct mp_in *in = &p->in;
	uint32_t old = 0;

	while (old < in->ranges &&
	       seq_le(in->range[old].first + in->range[old].count - 1, seq))
		old++;
	in->ranges -= old;
	for (uint32_t i = 0; i < in->ranges; i++)
		in->range[i] = in->range[i + old];
}
