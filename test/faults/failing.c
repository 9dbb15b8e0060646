/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * failing - A system that says no once
 *
 * Loaded in front of understudy (LD_PRELOAD), it counts the program's own and
 * its libraries' calls and lets one of them fail:
 *
 *   FAIL_ALLOC=N   the Nth call that asks for memory: malloc, calloc, realloc,
 *                  aligned_alloc, mmap; but not from inside of getpwnam(), whose
 *                  nss_database.c (glibc 2.36) asserts or follows NULL then
 *   FAIL_WRITE=N   the Nth write() to a regular file, with ENOSPC; N+: that one
 *                  and all after it
 *   FAIL_LOG=FILE  holds "1" when that call has come, else a zero; it is mapped,
 *                  as the program's sandbox lets nobody open or write it
 *   FAIL_FOR=NAME  only in the program of this name (understudy)
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);
void *__libc_memalign(size_t align, size_t n);

static atomic_ulong allocs, writes;
static unsigned long fail_alloc, fail_write;
static bool write_all;
static _Thread_local bool spared;
static volatile char *come;

static volatile char *map_log(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	void *p;

	if (fd < 0 || ftruncate(fd, 1) != 0)
		return NULL;
	p = (void *)syscall(SYS_mmap, NULL, 1, PROT_READ | PROT_WRITE,
			    MAP_SHARED, fd, 0);
	close(fd);
	return p != MAP_FAILED ? p : NULL;
}

__attribute__((constructor)) static void begin(void)
{
	const char *only = getenv("FAIL_FOR");
	const char *alloc = getenv("FAIL_ALLOC");
	const char *file = getenv("FAIL_WRITE");
	const char *log = getenv("FAIL_LOG");

	if (strcmp(program_invocation_short_name,
		   only != NULL ? only : "understudy") != 0)
		return;
	fail_alloc = alloc != NULL ? strtoul(alloc, NULL, 10) : 0;
	fail_write = file != NULL ? strtoul(file, NULL, 10) : 0;
	write_all = file != NULL && strchr(file, '+') != NULL;
	if (log != NULL)
		come = map_log(log);
}

static void note(void)
{
	if (come != NULL)
		*come = '1';
}

struct passwd *getpwnam(const char *name)
{
	static struct passwd *(*real)(const char *);
	struct passwd *p;

	if (real == NULL)
		real = (struct passwd * (*)(const char *))
			dlsym(RTLD_NEXT, "getpwnam");
	spared = true;
	p = real(name);
	spared = false;
	return p;
}

/* Is it this one? */
static bool alloc_fails(void)
{
	if (fail_alloc == 0 || spared ||
	    atomic_fetch_add(&allocs, 1) + 1 != fail_alloc)
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
