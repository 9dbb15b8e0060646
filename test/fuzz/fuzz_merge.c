/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_merge.c - One list of several workers', however they end
 *
 * Input: a byte for the room, then each byte is a line: whose (2 bits), how much its
 * number grows (3 bits), and whether it is one of the list, says that there are more,
 * or is none. Held against crew/merge.h: of all that comes before the lowest number
 * that is not told, each is told once and in order, and that number is.
 */
#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crew/merge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PARTS 4
#define LINES 64

/* A list as it was made. @cut: from there on nothing is in it; 0: all is */
struct list {
	struct text t;
	char s[LINES * 32];
	uint64_t id[LINES];
	unsigned n;
	uint64_t last;
	uint64_t cut;
	bool over;
};

static void add(struct list *l, uint8_t b)
{
	l->last += (b >> 2) & 7;
	if (l->n == LINES || l->t.full)
		return;
	switch (b >> 5) {
	case 0:
		text_add(&l->t, "{\"more\":%llu}\n",
			 (unsigned long long)l->last);
		if (!l->over)
			l->cut = l->last + 1;
		l->over = true;
		break;
	case 1:
		text_add(&l->t, "{\"i\n");
		l->over = true;
		break;
	default:
		text_add(&l->t, "{\"id\":%llu,\"x\":1}\n",
			 (unsigned long long)l->last);
		if (!l->over)
			l->id[l->n++] = l->last;
	}
}

/* How many of a list have a number below @id, and how many have it. */
static unsigned below(const struct list *l, uint64_t id, bool also)
{
	unsigned n = 0;

	for (unsigned i = 0; i < l->n; i++)
		n += l->id[i] < id || (also && l->id[i] == id);
	return n;
}

/* Read the result. Return: its cut, plus one; 0: there is none */
static uint64_t read_back(const char *s, uint64_t *last, unsigned *n)
{
	unsigned long long id;

	for (const char *at = s; *at != '\0'; at = strchr(at, '\n') + 1) {
		if (sscanf(at, "{\"more\":%llu}", &id) == 1) {
			assert(strchr(at, '\n')[1] == '\0' && id >= *last);
			return id + 1;
		}
		assert(sscanf(at, "{\"id\":%llu,\"x\":1}", &id) == 1);
		assert(id >= *last);
		*last = id;
		(*n)++;
	}
	return 0;
}

static void check(const struct list *l, uint64_t cut, unsigned told, bool roomy)
{
	uint64_t first = 0;
	unsigned all = 0, least = 0, most = 0;

	for (int i = 0; i < PARTS; i++) {
		if (l[i].cut != 0 && (first == 0 || l[i].cut < first))
			first = l[i].cut;
		all += l[i].n;
		least += cut != 0 ? below(&l[i], cut - 1, false) : 0;
		most += cut != 0 ? below(&l[i], cut - 1, true) : 0;
	}
	if (cut == 0)
		assert(first == 0 && told == all);
	else
		assert(told >= least && told <= most &&
		       (first == 0 || cut <= first));
	assert(!roomy || cut == first);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct list l[PARTS];
	static char out[PARTS * LINES * 32];
	const char *part[PARTS];
	char *copy[PARTS];
	uint64_t last = 0, cut;
	unsigned told = 0;
	struct text t;
	size_t room;

	if (size == 0)
		return 0;
	room = data[0] < 128 ? data[0] * 4u : sizeof(out);
	for (int i = 0; i < PARTS; i++) {
		l[i] = (struct list){ .last = 0 };
		text_begin(&l[i].t, l[i].s, sizeof(l[i].s));
	}
	for (size_t i = 1; i < size && i < LINES; i++)
		add(&l[data[i] & 3], data[i]);
	for (int i = 0; i < PARTS; i++)
		part[i] = copy[i] = strdup(l[i].s);
	text_begin(&t, out, sizeof(out));
	merge_list(part, PARTS, room, &t);
	for (int i = 0; i < PARTS; i++)
		free(copy[i]);
	assert(!t.full);
	cut = read_back(out, &last, &told);
	check(l, cut, told, room == sizeof(out));
	return 0;
}
