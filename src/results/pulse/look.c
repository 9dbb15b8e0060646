/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * look.c - What the kernel says of a process, and of a control group
 *
 * Of a control group (version 2) memory, tasks and processor time are its own
 * files'; open files, and when the oldest process began, are those of its
 * processes, of which PROCESSES are looked at.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pulse/pulse.h"
#include "vitals/vitals.h"

#define FILE_MOST 65536
#define PROCESSES 1024u
#define US	  1000000u

/* A file of @folder, terminated. Return: bytes, or -Exxx */
static long read_file(const char *folder, const char *name, char *out,
		      size_t size)
{
	char path[512];
	ssize_t n;
	int fd;

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", folder, name) >=
	    sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, out, size - 1);
	if (n < 0)
		n = -errno;
	close(fd);
	out[n > 0 ? n : 0] = '\0';
	return n;
}

static uint64_t count_fds(const char *folder)
{
	char path[64];
	uint64_t n = 0;
	DIR *d;

	snprintf(path, sizeof(path), "%s/fd", folder);
	d = opendir(path);
	if (!d)
		return UINT64_MAX;
	for (struct dirent *e = readdir(d); e; e = readdir(d))
		n += e->d_name[0] != '.';
	closedir(d);
	return n;
}

int pulse_look_pid(struct pulse_look *out, uint32_t pid)
{
	char folder[32], text[2048];
	struct vitals_stat st;
	long n;

	snprintf(folder, sizeof(folder), "/proc/%u", (unsigned)pid);
	n = read_file(folder, "stat", text, sizeof(text));
	if (n < 0)
		return n == -ENOENT ? -ESRCH : (int)n;
	if (vitals_stat(&st, text, (size_t)n) != 0)
		return -EINVAL;
	*out = (struct pulse_look){
		.start = st.start,
		.rss = st.pages * (uint64_t)sysconf(_SC_PAGESIZE),
		.fds = count_fds(folder),
		.threads = st.threads,
		.cpu_us = st.ticks * US / (uint64_t)sysconf(_SC_CLK_TCK),
	};
	return 0;
}

static int read_number(const char *folder, const char *name, const char *key,
		       uint64_t *out)
{
	char text[4096];
	const char *at = text;
	long n = read_file(folder, name, text, sizeof(text));

	if (n < 0)
		return (int)n;
	if (key)
		at = strstr(text, key);
	if (!at)
		return -EINVAL;
	*out = strtoull(at + (key ? strlen(key) : 0), NULL, 10);
	return 0;
}

/* Open files of all, and when the oldest began. */
static int look_at_processes(struct pulse_look *out, const char *path)
{
	static char text[FILE_MOST];
	long n = read_file(path, "cgroup.procs", text, sizeof(text));
	uint32_t seen = 0;
	char *at = text;

	if (n < 0)
		return (int)n;
	out->start = UINT64_MAX;
	out->fds = 0;
	while (*at != '\0' && seen < PROCESSES) {
		struct pulse_look one;
		unsigned long pid = strtoul(at, &at, 10);

		while (*at == '\n')
			at++;
		if (pid == 0 || pid > UINT32_MAX ||
		    pulse_look_pid(&one, (uint32_t)pid) != 0)
			continue; /* it has just ended */
		seen++;
		if (one.start < out->start)
			out->start = one.start;
		if (one.fds == UINT64_MAX || out->fds == UINT64_MAX)
			out->fds = UINT64_MAX;
		else
			out->fds += one.fds;
	}
	return seen > 0 ? 0 : -ESRCH;
}

int pulse_look_cgroup(struct pulse_look *out, const char *path)
{
	struct pulse_look l = { .start = 0 };
	int r = look_at_processes(&l, path);

	if (r == 0)
		r = read_number(path, "memory.current", NULL, &l.rss);
	if (r == 0)
		r = read_number(path, "pids.current", NULL, &l.threads);
	if (r == 0)
		r = read_number(path, "cpu.stat", "usage_usec ", &l.cpu_us);
	if (r == 0)
		*out = l;
	return r;
}
