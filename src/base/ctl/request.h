/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * request - Bytes of a client become requests
 *
 * A request is a line of printable ASCII:
 *
 *	get [NAME]
 *	set NAME VALUE
 *	show [text | json | prometheus]
 *	watch
 *	NAME [VALUE]
 *
 * Blanks separate; VALUE is the rest of the line, without blanks round it. The
 * last is a request of the process's own, if it knows one of that name.
 */
#ifndef CTL_REQUEST_H
#define CTL_REQUEST_H

#include <stddef.h>

#include "os/errbuf.h"

#define CTL_LINE 512 /* bytes of a request, newline included; longer: refused */
#define CTL_NAME 64  /* bytes of a name, with its end; longer: refused */

enum ctl_verb {
	CTL_GET,
	CTL_SET,
	CTL_SHOW_TEXT,
	CTL_SHOW_JSON,
	CTL_SHOW_PROMETHEUS,
	CTL_WATCH,
	CTL_CALL,
};

/* What may be asked of each process. */
#define CTL_USAGE                                                              \
	"write get [NAME], set NAME VALUE, show [json|prometheus] or watch"

/**
 * struct ctl_request - A request
 * @name:	Of CTL_GET (empty: all), CTL_SET and CTL_CALL; [A-Za-z0-9_-]
 * @value:	Of CTL_SET, not empty; of CTL_CALL
 */
struct ctl_request {
	enum ctl_verb verb;
	char name[CTL_NAME];
	char value[CTL_LINE];
};

/** struct ctl_input - What has come of a client and is no request yet */
struct ctl_input {
	char b[CTL_LINE];
	size_t n;
};

/**
 * ctl_input_next() - Take the first request out of what has come
 * @r:		Result, untouched unless 1 is returned
 * @e:		Sentence of -EINVAL
 *
 * Return: 1; 0: there is no whole line yet, and room for more; -EINVAL: a line
 * that is none, which is taken out, too; -E2BIG: CTL_LINE bytes without an end
 */
int ctl_input_next(struct ctl_input *in, struct ctl_request *r,
		   struct errbuf *e);

#endif /* CTL_REQUEST_H */
