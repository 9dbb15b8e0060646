/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * keeper - The process that keeps what a run finds: the folder of --out
 *
 * It is forked before a byte from outside is read, becomes the run's user,
 * makes the folder, and has from then on no other place in the file system, no
 * socket and no privilege. The run hands differences over by a ring and never
 * waits while it goes on; a full ring refuses. A keeper that is dead, stopped
 * or slow costs what is not in the store, and nothing else: neither a packet
 * nor an exit code.
 */
#ifndef STORE_KEEPER_H
#define STORE_KEEPER_H

#include <stdbool.h>

#include "store/store.h"

/**
 * struct keeper_config - What one is started with
 * @dir:	Made anew, 0700; one that is there must be empty
 * @most:	As store_make()
 * @user:	Whom it becomes; NULL: it stays who it is, without privileges
 * @difference: In its process: what was handed over as a report has it, which
 *		must live until the next call. false: it is none. @p is aligned
 *		to 8
 * @beside:	A file that it may read, and others beside it; NULL: none
 * @last:	In its process, when the run is over and the store is closed;
 *		@moved is called now and then. NULL: nothing. Return: 0 or -Exxx
 * @ctx:	Of both, as it was when the keeper was started
 */
struct keeper_config {
	const char *dir;
	uint64_t most;
	const char *user;
	bool (*difference)(void *ctx, const void *p, size_t n,
			   struct report_difference *out);
	const char *beside;
	int (*last)(void *ctx, const char *dir, void (*moved)(void *of),
		    void *of);
	void *ctx;
};

struct keeper;

/**
 * keeper_start() - Fork it, and wait until folder and database are there
 *
 * Before the first thread is made. Return: 0, or -Exxx with a sentence: nothing
 * is there
 */
int keeper_start(struct keeper **out, const struct keeper_config *c,
		 struct errbuf *e);

/**
 * keeper_put() - Hand a difference over, in two parts
 *
 * Never waits. Return: false: there was no room, it is counted
 */
bool keeper_put(struct keeper *k, const void *a, size_t n, const void *b,
		size_t m);

/** keeper_give() - The same: waits for room, while the keeper goes on */
bool keeper_give(struct keeper *k, const void *a, size_t n, const void *b,
		 size_t m);

/**
 * keeper_row() - Hand a row over (store_put_fn): waits, while the keeper goes
 * on. Return: 0 or -EPIPE
 */
int keeper_row(void *keeper, const void *p, size_t n);

/** keeper_offer() - The same, but never waits: without room it is left out
 * (store_put_fn). Return: 0
 */
int keeper_offer(void *keeper, const void *p, size_t n);

/** keeper_refused() - Differences that found no room so far */
uint64_t keeper_refused(const struct keeper *k);

/**
 * struct keeper_end - What came of it
 * @whole:	All that the store took is there, and the files made of it
 */
struct keeper_end {
	struct store_counts count;
	uint64_t refused;
	bool whole;
};

/** keeper_end() - No more comes: wait for it, while it goes on */
void keeper_end(struct keeper *k, struct keeper_end *out);

/** keeper_forget() - Remove all that it has made, and the folder if that may be
 */
void keeper_forget(struct keeper *k);

/** keeper_close() - Give everything back, and end it. NULL: nothing */
void keeper_close(struct keeper *k);

#endif /* STORE_KEEPER_H */
