/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * runner.c - Play dialogues of a client and a server through a spliced pair
 *
 *	splice_runner [-v] [-k] FILE.pkt...
 *
 * One file is one scenario and one line of TAP; it is played DIALOGUE_VARIANTS times,
 * over IPv4 and IPv6 and with other initial numbers, most of which wrap within it. The
 * notation is that of test/script (its parser reads both), with these senders: C the
 * client, S the server, and U what we relay of the packet before.
 *
 *	+0      C P. 1:101(100) ack 11 win 500
 *	+0      U P. 1:101(100) ack 1 win 500
 *	= state spliced spliced
 *
 * Numbers are relative to the initial ones of who counts them on that connection, so
 * that a stream that we have read 9 bytes of counts 9 less on the other one; TSvals and
 * TSecrs to a base of each clock. C and S have hop limit 1. +A is A seconds after the
 * line before. Each packet must be followed by what becomes of it: a U line, of which
 * what it names is compared, or
 *	= stack           it is for our own sockets
 *	= dropped FAULT   list, signed ...
 *	= held            it is beyond a cut, or came to one that nobody is ready for
 *	= answered        it was a SYN that became the answer to it, and the U line that
 *	    follows is what its sender gets, in the numbers that it counts
 *
 * With -k (root) every packet goes through the program in the kernel, too, and all must
 * come to the same: kernel.c.
 *
 * What is relayed must be, byte for byte, what the oracle makes of the packet
 * (splice_oracle.h); what is not must be unchanged.
 *
 *	set client.NAME N, set server.NAME N: what our socket there has at the splice;
 *	    see words.c, and struct splice_socket. At first: both handshakes are done,
 *	    nothing was read or written, windows of 65535, no options agreed on
 *	= splice [WHY]    splice them now; WHY: it is refused
 *	= cut yes|no      no more crosses than has come by now
 *	= ready yes|no CLIENT SERVER   there are sockets, made for cuts at these bytes
 *	= withdraw yes|no   the splice is not to be, after all
 *	= forward [MTU]   first of all: there are no sockets of ours, and the client's SYN
 *	    makes the pair; MTU of the way to the server. Then both ends count alike, hop
 *	    limits count down (set client.hops N: of all that is sent, 64 at first)
 *	= state CLIENT SERVER   of the two sides: close, established, pre, spliced,
 *	    fin, shutdown, timewait, cut
 *	= event NAME...   of the last packet or splice, all of them; none
 *	= client|server segments|bytes|acked|outside N
 *	= reuse yes|no TSVAL ISS   may a new connection from the same port go out?
 *	= due SECS yes|no   has a TIMEWAIT of that length passed?
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dialogue.h"

#define LINE_MAX_LEN 4096

static bool verbose;

static bool play(FILE *f, const char *path, unsigned variant)
{
	static struct dialogue g;
	char text[LINE_MAX_LEN];
	const char *no = dialogue_start(&g, variant);
	bool good = no == NULL;

	rewind(f);
	if (!good)
		printf("# %s\n", no);
	for (unsigned n = 1; fgets(text, sizeof(text), f) != NULL && good;
	     n++) {
		struct line l;
		bool empty = false;
		const char *wrong = line_parse(text, &l, &empty);

		if (wrong == NULL && !empty)
			wrong = dialogue_line(&g, &l);
		free(l.data);
		if (wrong == NULL)
			continue;
		printf("# %s:%u: variant %u: %s\n", path, n, variant, wrong);
		good = false;
	}
	if (good && g.open) {
		printf("# %s: nothing says what becomes of the last packet\n",
		       path);
		good = false;
	}
	return good;
}

static bool play_file(const char *path)
{
	FILE *f = fopen(path, "r");
	bool good = true;

	if (f == NULL) {
		printf("# %s cannot be read\n", path);
		return false;
	}
	for (unsigned v = 0; v < DIALOGUE_VARIANTS; v++) {
		good = play(f, path, v) && good;
		if (!good && !verbose)
			break;
	}
	fclose(f);
	return good;
}

int main(int argc, char **argv)
{
	int first = 1;
	int bad = 0;

	for (; first < argc && argv[first][0] == '-'; first++) {
		const char *no = NULL;

		if (strcmp(argv[first], "-k") == 0)
			no = kernel_open();
		else
			verbose = true;
		if (no != NULL) {
			printf("1..1\nnot ok 1 - %s\n", no);
			return 1;
		}
	}
	printf("1..%d\n", argc - first);
	for (int i = first; i < argc; i++) {
		const char *name = strrchr(argv[i], '/');
		bool good = play_file(argv[i]);

		printf("%sok %d - %s\n", good ? "" : "not ", i - first + 1,
		       name == NULL ? argv[i] : name + 1);
		bad += !good;
	}
	kernel_close();
	return bad != 0;
}
