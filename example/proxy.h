/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * proxy - What both examples have in common: a listener, and its clients one by one
 */
#ifndef EXAMPLE_PROXY_H
#define EXAMPLE_PROXY_H

#include <usplice.h>

#define PATIENCE                                                               \
	5 /* seconds for a client to say what it wants, for a server to answer */

/**
 * serve() - Serve a client; each example has its own
 * @u:		The library
 * @client:	To be closed
 * @arg:	Second word of the command line, or NULL
 */
void serve(struct usplice *u, int client, const char *arg);

#endif /* EXAMPLE_PROXY_H */
