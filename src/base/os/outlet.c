/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * outlet.c - Write to who may stop reading
 *
 * Theory of operation
 *
 * O_NONBLOCK would belong to the open file, which may be shared with the shell
 * or the reader, so it is not set. When poll() says that a pipe can be written
 * to, PIPE_BUF bytes fit (pipe(7)): so much is written at a time, and write()
 * does not block.
 */
#include "os/outlet.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "os/clock.h"

#define LOOK_NS 100000000 /* how often a thread that waits looks for the end */

void outlet_init(struct outlet *o, int fd)
{
	struct stat st;

	*o = (struct outlet){
		.fd = fd, .waits = fstat(fd, &st) == 0 && !S_ISREG(st.st_mode)
	};
}

/* Return: 0 when something can be written, or an error to be told by write().
 */
static int wait_for_room(struct outlet *o, const struct drain *d)
{
	uint64_t since = clock_mono();

	for (;;) {
		struct pollfd pf = { o->fd, POLLOUT, 0 };
		struct timespec ts = { .tv_nsec = LOOK_NS };
		uint64_t now;

		if (ppoll(&pf, 1, &ts, NULL) > 0)
			return 0;
		now = clock_mono();
		if (o->end == 0 && d && !drain_stopping(d)) {
			since = now;
			continue;
		}
		if (o->end == 0)
			o->end = now + OUTLET_END;
		if (now - since >= OUTLET_STALL || now >= o->end) {
			o->over = true;
			return -ETIMEDOUT;
		}
	}
}

int outlet_write(struct outlet *o, const struct drain *d, const void *p,
		 size_t len, size_t *done)
{
	int r = o->over ? -ETIMEDOUT : 0;
	size_t at = 0;

	while (r == 0 && at < len) {
		size_t most = len - at;
		ssize_t n;

		if (o->waits) {
			r = wait_for_room(o, d);
			if (r != 0)
				break;
			if (most > PIPE_BUF)
				most = PIPE_BUF;
		}
		n = write(o->fd, (const char *)p + at, most);
		if (n > 0)
			at += (size_t)n;
		else if (n == 0)
			r = -EIO;
		else if (errno != EINTR && errno != EAGAIN)
			r = -errno;
	}
	*done = at;
	return r;
}
