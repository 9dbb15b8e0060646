/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dialogue - Two ends and a pair between them, line by line
 *
 * The notation is described in runner.c.
 */
#ifndef SPLICE_DIALOGUE_H
#define SPLICE_DIALOGUE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/dir.h"
#include "script/script.h"
#include "splice/begin.h"
#include "splice_oracle.h"
#include "splice_way.h"

#define PACKET_MAX 70000 /* bytes of a packet, from its IP header on */

/**
 * struct base - What relative numbers of one side are counted from
 * @peer, @ours: Initial sequence numbers
 * @peer_ts, @our_ts: Timestamp clocks
 */
struct base {
	uint32_t peer;
	uint32_t ours;
	uint32_t peer_ts;
	uint32_t our_ts;
};

/**
 * struct dialogue - One run of a file
 * @base:	By the direction of what the peer sends
 * @variant:	As dialogue_start() was told
 * @ip6:	The family of both
 * @pair:	What is tested
 * @socket:	Our sockets, in absolute numbers, for the splice
 * @oracle:	Valid once spliced
 * @spliced:	So it is
 * @forward:	The client's SYN makes the pair; @begun: it has
 * @mtu:	With @forward, of the way to the server; 0: the device's
 * @hops:	With @forward, hop limit of what the ends send
 * @now:	Time, ns
 * @in, @out, @len: The last packet as it came and as it went; @dir its direction
 * @r:		What became of it
 * @open:	Nothing has said yet what should have
 * @answered:	The U line that follows is an answer
 */
struct dialogue {
	struct base base[DIR_COUNT];
	unsigned variant;
	bool ip6;
	struct splice_pair pair;
	struct splice_socket socket[DIR_COUNT];
	struct oracle oracle;
	bool spliced;
	bool forward;
	bool begun;
	uint32_t mtu;
	uint8_t hops;
	uint64_t now;
	uint8_t in[PACKET_MAX];
	uint8_t out[PACKET_MAX];
	uint32_t len;
	enum dir dir;
	struct way_result r;
	bool open;
	bool answered;
};

/**
 * dialogue_start() - Begin one
 * @variant:	0 to DIALOGUE_VARIANTS - 1: family and bases; numbers wrap early in
 *		most
 *
 * Return: NULL, or what is wrong
 */
const char *dialogue_start(struct dialogue *g, unsigned variant);
#define DIALOGUE_VARIANTS 12u

/** dialogue_line() - Play one line. Return: NULL, or what is wrong */
const char *dialogue_line(struct dialogue *g, const struct line *l);

/*
 * kernel.c: the program in the kernel, which after kernel_open() does all of it, too.
 * Each returns NULL, or what is wrong.
 */
const char *kernel_open(void);
const char *kernel_start(const struct dialogue *g);
const char *kernel_splice(const struct dialogue *g);
const char *kernel_send(const struct dialogue *g);
const char *kernel_check(const struct dialogue *g);
void kernel_close(void);

/* With dialogue.forward: no pair, but a forward; and the pair that the last packet has
 * made there: @g->pair gets its clock.
 */
const char *kernel_forward(const struct dialogue *g);
const char *kernel_begun(struct dialogue *g);

/** kernel_sums() - Does this kernel test the sum of all bytes behind a program? */
bool kernel_sums(void);

/** dialogue_mss() - Most that a SYN that is passed on may announce */
uint16_t dialogue_mss(const struct dialogue *g);

/* words.c: directives. */
const char *dialogue_set(struct dialogue *g, const struct line *l);
const char *dialogue_assert(struct dialogue *g, const struct line *l);

#endif /* SPLICE_DIALOGUE_H */
