/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * failing - A system that says no once
 *
 * Loaded in front of understudy (LD_PRELOAD), it counts the program's own and
 * its libraries' calls and lets one of them fail:
 *
 *   FAIL_ALLOC=N   the Nth call that asks for memory: malloc, calloc, realloc,
 *                  aligned_alloc, mmap
 *   FAIL_WRITE=N   the Nth write() to a regular file, with ENOSPC; N+: that one
 *                  and all after it
 *   FAIL_LOG=FILE  is made when that call has come
 *   FAIL_FOR=NAME  only in the program of this name (understudy)
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);
void *__libc_memalign(size_t align, size_t n);

static atomic_ulong allocs, writes;
static unsigned long fail_alloc, fail_write;
static bool write_all;

__attribute__((constructor)) static void begin(void)
{
	const char *only = getenv("FAIL_FOR");
	const char *alloc = getenv("FAIL_ALLOC");
	const char *file = getenv("FAIL_WRITE");

	if (strcmp(program_invocation_short_name,
		   only != NULL ? only : "understudy") != 0)
		return;
	fail_alloc = alloc != NULL ? strtoul(alloc, NULL, 10) : 0;
	fail_write = file != NULL ? strtoul(file, NULL, 10) : 0;
	write_all = file != NULL && strchr(file, '+') != NULL;
}

static void note(void)
{
	const char *log = getenv("FAIL_LOG");

	if (log != NULL)
		close(open(log, O_WRONLY | O_CREAT, 0666));
}

/* Is it this one? */
static bool alloc_fails(void)
{
	if (fail_alloc == 0 || atomic_fetch_add(&allocs, 1) + 1 != fail_alloc)
		return false;
	note();
	errno = ENOMEM;
	return true;
}

void *malloc(size_t n)
{
	return alloc_fails() ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
	return alloc_fails() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
	return alloc_fails() ? NULL : __libc_realloc(p, n);
}

void *aligned_alloc(size_t align, size_t n)
{
	return alloc_fails() ? NULL : __libc_memalign(align, n);
}

void *mmap(void *at, size_t n, int prot, int flags, int fd, off_t off)
{
	static void *(*real)(void *, size_t, int, int, int, off_t);

	if (real == NULL)
		real = (void *(*)(void *, size_t, int, int, int, off_t))dlsym(
			RTLD_NEXT, "mmap");
	return alloc_fails() ? MAP_FAILED : real(at, n, prot, flags, fd, off);
}

ssize_t write(int fd, const void *p, size_t n)
{
	static ssize_t (*real)(int, const void *, size_t);
	struct stat st;
	unsigned long k;

	if (real == NULL)
		real = (ssize_t(*)(int, const void *, size_t))dlsym(RTLD_NEXT,
								    "write");
	if (fail_write == 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) ||
	    fd == STDERR_FILENO || fd == STDOUT_FILENO)
		return real(fd, p, n);
	k = atomic_fetch_add(&writes, 1) + 1;
	if (k == fail_write || (write_all && k > fail_write)) {
		note();
		errno = ENOSPC;
		return -1;
	}
	return real(fd, p, n);
}
