/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pads - The file of a one-time pad, mapped
 */
#ifndef ENDS_PADS_H
#define ENDS_PADS_H

#include "keys/pad.h"
#include "os/errbuf.h"

/** struct pads - A pad of ours alone; @pad.bytes NULL: none */
struct pads {
	struct pad pad;
	int fd;
	uint64_t size;
};

/**
 * pads_open() - Take a file of our own, that nobody else uses
 * @begins:	We are the end that begins
 *
 * Return: 0 or -Exxx with a sentence
 */
int pads_open(struct pads *p, const char *path, bool begins, struct errbuf *e);

/** pads_end() - Why it cannot be sent by any more. Return: 0: it can; or -Exxx
 * with a sentence
 */
int pads_end(const struct pads *p, struct errbuf *e);

void pads_close(struct pads *p);

#endif /* ENDS_PADS_H */
