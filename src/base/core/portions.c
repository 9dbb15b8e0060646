/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * portions.c - Who may have how much of a queue that all share
 */
#include "core/portions.h"

#include <assert.h>
#include <string.h>

void portions_init(struct portions *p, uint32_t items, uint64_t bytes)
{
	memset(p, 0, sizeof(*p));
	p->most = (struct portion){ .items = items, .bytes = bytes };
}

bool portions_full(const struct portions *p, uint64_t sort, uint64_t n)
{
	const struct portion *own = &p->of[sort % PORTIONS];
	uint64_t free = p->most.bytes - p->all.bytes;

	assert(p->all.items <= p->most.items);
	if (own->items >= (uint64_t)PORTION * (p->most.items - p->all.items))
		return true;
	if (p->most.bytes == 0)
		return false;
	return n > free || own->bytes + n > PORTION * free;
}

void portions_take(struct portions *p, uint64_t sort, uint64_t n)
{
	struct portion *own = &p->of[sort % PORTIONS];

	assert(!portions_full(p, sort, n));
	own->items++;
	own->bytes += n;
	p->all.items++;
	p->all.bytes += n;
}

void portions_give(struct portions *p, uint64_t sort, uint64_t n)
{
	struct portion *own = &p->of[sort % PORTIONS];

	assert(own->items > 0 && own->bytes >= n);
	own->items--;
	own->bytes -= n;
	p->all.items--;
	p->all.bytes -= n;
}
