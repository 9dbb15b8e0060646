/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * proxy.c - What both examples have in common: a listener, and its clients one by one
 *
 *	example_NAME PORT [ARG]
 *
 * The library is asked in between; a client that is slow to say what it wants holds up
 * the others for PATIENCE seconds. Prints a line for each connection that is spliced.
 */
#include "proxy.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <usplice.h>

static int listen_at(struct usplice *u, const char *port)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6,
				  .sin6_port = htons((uint16_t)atoi(port)) };
	int fd = socket(AF_INET6, SOCK_STREAM, 0);
	int one = 1;

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (usplice_init(u, fd) == 0 &&
	    bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0 &&
	    listen(fd, 1024) == 0)
		return fd;
	close(fd);
	return -1;
}

static void tell(struct usplice *u)
{
	struct usplice_note note;

	while (usplice_next(u, &note) == 1)
		if (note.what == USPLICE_SPLICED)
			printf("spliced\n");
	fflush(stdout);
}

int main(int argc, char **argv)
{
	struct pollfd p[2] = { { .events = POLLIN }, { .events = POLLIN } };
	struct usplice *u;
	char err[200];

	if (argc < 2) {
		fprintf(stderr, "usage: %s PORT [ARG]\n", argv[0]);
		return 2;
	}
	if (usplice_open(&u, NULL, err, sizeof(err)) != 0) {
		fprintf(stderr, "%s: %s\n", argv[0], err);
		return 2;
	}
	p[0].fd = listen_at(u, argv[1]);
	if (p[0].fd < 0) {
		perror(argv[0]);
		return 2;
	}
	p[1].fd = usplice_fd(u);
	for (;;) {
		int client;

		poll(p, 2, -1);
		if (p[1].revents != 0)
			tell(u);
		if ((p[0].revents & POLLIN) == 0)
			continue;
		client = accept(p[0].fd, NULL, NULL);
		if (client >= 0)
			serve(u, client, argv[2]);
	}
}
