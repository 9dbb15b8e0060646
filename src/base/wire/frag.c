/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * frag.c - Put IP fragments together
 *
 * Theory of operation
 *
 * A datagram under reassembly has a slot: room for the longest one there can
 * be, and a bit for each 8 bytes of it, which is the unit of fragment offsets.
 * So a fragment is placed by one copy, whatever order they come in, and no
 * pattern of holes needs more memory than another. The table costs 65 KB a slot
 * of address space; of that only what was ever written is real memory.
 *
 * The bits also tell what a fragment overlaps: nothing (it is new), only what
 * is there (a repetition; its bytes must be the same), or some of both. A
 * repetition may tell that no more follows, but as in Linux it makes nothing
 * whole. Some of both is what attacks on firewalls look like, and receivers
 * differ in whose bytes they keep: the datagram is dropped, as Linux and RFC
 * 5722 do.
 *
 * Slots in use stand in a list by age, and age is what ends them: time, or a
 * new datagram when there is no free slot. A slot that was completed is put at
 * the end of the free list; the bytes handed out stay whole until the next
 * call.
 */
#include "wire/frag.h"

#include <errno.h>
#include <string.h>

#include "core/bytes.h"
#include "core/list.h"
#include "core/map.h"

#define UNIT	  8u
#define DATAGRAM  65536u /* room; the longest payload is DATAGRAM_MAX */
#define WORD_BITS 64u
#define MAP_WORDS (DATAGRAM / UNIT / WORD_BITS)

/* Longest payload: an IPv6 payload length without jumbo option. IPv4 has 20
 * less, a header that is taken off before.
 */
#define DATAGRAM_MAX 65535u

/**
 * struct slot - One datagram
 * @link:	Place by age, or in the free list
 * @key:	Which datagram
 * @born:	When its first fragment came, ns
 * @in:		Link of the map
 * @units:	Units that are there
 * @end:	First byte after the highest that is there
 * @last:	The fragment without "more" came: @end is the datagram's
 * @map:	Bit i: unit i is there
 * @data:	The payload
 */
struct slot {
	struct list link;
	struct frag_key key;
	uint64_t born;
	uint32_t in;
	uint32_t units;
	uint32_t end;
	bool last;
	uint64_t map[MAP_WORDS];
	uint8_t data[DATAGRAM];
};

/**
 * struct frag_table - All datagrams under reassembly
 * @used:	Slots in use, oldest first
 * @spare:	Free slots, the one completed last at the end
 * @count:	Slots in use
 * @map:	Those in use, by key
 */
struct frag_table {
	struct list used;
	struct list spare;
	struct frag_stats stats;
	uint32_t count;
	struct map map;
	struct slot *slot;
};

size_t frag_size(uint32_t n)
{
	return arena_need(sizeof(struct frag_table)) + arena_need(map_size(n)) +
	       arena_need(n * sizeof(struct slot));
}

int frag_init(struct frag_table **out, struct arena *a, uint32_t n,
	      const struct hash_key *key)
{
	struct frag_table *t;
	uint32_t *heads;

	if (a->size - a->used < frag_size(n))
		return -ENOMEM;
	t = arena_take(a, sizeof(*t));
	heads = arena_take(a, map_size(n));
	t->slot = arena_take(a, n * sizeof(struct slot));
	t->stats = (struct frag_stats){ 0 };
	t->count = 0;
	memset(heads, 0, map_size(n));
	map_init(&t->map, n, key, heads, &t->slot->in, sizeof(struct slot));
	list_init(&t->used);
	list_init(&t->spare);
	for (uint32_t i = 0; i < n; i++) {
		t->slot[i].in = 0;
		list_add_tail(&t->spare, &t->slot[i].link);
	}
	*out = t;
	return 0;
}

static bool same_key(const struct frag_key *a, const struct frag_key *b)
{
	return a->id == b->id && a->proto == b->proto &&
	       ipaddr_eq(&a->src, &b->src) && ipaddr_eq(&a->dst, &b->dst);
}

static uint64_t hash_of(const struct frag_table *t, const struct frag_key *key)
{
	uint8_t p[37];

	memcpy(p, key->src.b, 16);
	memcpy(p + 16, key->dst.b, 16);
	put_be32(p + 32, key->id);
	p[36] = key->proto;
	return map_hash(&t->map, p, sizeof(p));
}

static struct slot *find(struct frag_table *t, const struct frag_key *key)
{
	uint32_t i = map_first(&t->map, hash_of(t, key));

	while (i != MAP_NONE && !same_key(&t->slot[i].key, key))
		i = map_next(&t->map, i);
	return i == MAP_NONE ? NULL : &t->slot[i];
}

/* Take a slot out of use; its data stay until it is used again. */
static void release(struct frag_table *t, struct slot *s)
{
	map_cut(&t->map, hash_of(t, &s->key), (uint32_t)(s - t->slot));
	list_del(&s->link);
	list_add_tail(&t->spare, &s->link);
	t->count--;
}

static struct slot *oldest(const struct frag_table *t)
{
	return list_entry(t->used.next, struct slot, link);
}

static bool is_expired(const struct slot *s, uint64_t now)
{
	return now >= s->born && now - s->born >= FRAG_TIMEOUT;
}

/* Start a datagram. Return: its slot, or NULL if the table has none at all. */
static struct slot *start(struct frag_table *t, const struct frag_key *key,
			  uint64_t now)
{
	struct slot *s;

	if (list_empty(&t->spare)) {
		if (t->count == 0)
			return NULL;
		release(t, oldest(t));
		t->stats.evicted++;
	}
	s = list_entry(t->spare.next, struct slot, link);
	list_del(&s->link);
	list_add_tail(&t->used, &s->link);
	t->count++;

	s->key = *key;
	s->born = now;
	s->units = 0;
	s->end = 0;
	s->last = false;
	memset(s->map, 0, sizeof(s->map));
	map_put(&t->map, hash_of(t, key), (uint32_t)(s - t->slot));
	return s;
}

/* Count the units from @first up to before @after that are there. */
static uint32_t units_there(const struct slot *s, uint32_t first,
			    uint32_t after)
{
	uint32_t n = 0;

	for (uint32_t u = first; u < after; u++)
		if (s->map[u / WORD_BITS] >> u % WORD_BITS & 1)
			n++;
	return n;
}

/**
 * place() - Put a fragment into its slot
 *
 * Return: false if it contradicts what is there
 */
static bool place(struct slot *s, uint32_t off, bool more, const uint8_t *p,
		  uint32_t len)
{
	uint32_t end = off + len;
	uint32_t first = off / UNIT;
	uint32_t after = (end + UNIT - 1) / UNIT;
	uint32_t there;

	if (s->last && (more ? end > s->end : end != s->end))
		return false;
	if (!more && end < s->end)
		return false;

	there = units_there(s, first, after);
	if (there == after - first) { /* so that @end is not beyond theirs */
		if (memcmp(s->data + off, p, len) != 0)
			return false;
		if (!more)
			s->last = true;
		return true;
	}
	if (there > 0)
		return false;

	memcpy(s->data + off, p, len);
	for (uint32_t u = first; u < after; u++)
		s->map[u / WORD_BITS] |= UINT64_C(1) << u % WORD_BITS;
	s->units += after - first;
	if (end > s->end)
		s->end = end;
	if (!more)
		s->last = true;
	return true;
}

int frag_input(struct frag_table *t, const struct frag_key *key, uint32_t off,
	       bool more, const uint8_t *p, uint32_t len, uint64_t now,
	       const uint8_t **whole)
{
	struct slot *s;
	uint32_t had;

	while (t->count > 0 && is_expired(oldest(t), now)) {
		release(t, oldest(t));
		t->stats.expired++;
	}
	if (len == 0 || len > DATAGRAM_MAX || off > DATAGRAM_MAX - len ||
	    off % UNIT != 0 || (more && len % UNIT != 0))
		return -EBADMSG;

	s = find(t, key);
	if (!s)
		s = start(t, key, now);
	if (!s)
		return -ENOBUFS;
	had = s->units;
	if (!place(s, off, more, p, len)) {
		release(t, s);
		t->stats.overlapped++;
		return -EBADMSG;
	}
	if (s->units == had || !s->last || s->units * UNIT < s->end)
		return 0;
	release(t, s);
	*whole = s->data;
	return (int)s->end;
}

uint32_t frag_used(const struct frag_table *t, uint64_t now)
{
	uint32_t n = t->count;

	for (const struct list *l = t->used.next; l != &t->used; l = l->next) {
		const struct slot *s = list_entry(l, struct slot, link);

		if (!is_expired(s, now))
			break;
		n--;
	}
	return n;
}

const struct frag_stats *frag_stats(const struct frag_table *t)
{
	return &t->stats;
}
