/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * signals.c - Signals as something to read
 */
#include "os/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

int signals_open(void)
{
	static const int list[] = { SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2 };
	struct sigaction ign = { .sa_handler = SIG_IGN };
	sigset_t set;
	int fd;

	sigemptyset(&set);
	for (unsigned i = 0; i < sizeof(list) / sizeof(list[0]); i++)
		sigaddset(&set, list[i]);
	fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (sigprocmask(SIG_BLOCK, &set, NULL) ||
	    sigaction(SIGPIPE, &ign, NULL) || sigaction(SIGXFSZ, &ign, NULL)) {
		int rc = -errno;

		close(fd);
		return rc;
	}
	return fd;
}

bool signals_hup_ends(void)
{
	struct sigaction old = { .sa_handler = SIG_DFL };
	int fd = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return false;
	close(fd);
	sigaction(SIGHUP, NULL, &old);
	return old.sa_handler != SIG_IGN;
}

int signals_next(int fd)
{
	struct signalfd_siginfo s;

	if (read(fd, &s, sizeof(s)) != (ssize_t)sizeof(s))
		return 0;
	return (int)s.ssi_signo;
}
