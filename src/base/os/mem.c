/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mem.c - The block of memory that the packet path lives on
 */
#include "os/mem.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POISON 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define POISON 1
#endif

#ifdef POISON
void __asan_unpoison_memory_region(const volatile void *addr, size_t size);
#endif

int mem_take(struct arena *a, size_t size, unsigned flags)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *p;

	if (size == 0 || size > SIZE_MAX - page)
		return -EINVAL;
	size = (size + page - 1) / page * page;
	/* No MAP_NORESERVE, see mem.h. */
	p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		 (flags & MEM_SHARED ? MAP_SHARED : MAP_PRIVATE) |
			 MAP_ANONYMOUS,
		 -1, 0);
	if (p == MAP_FAILED)
		return -ENOMEM;
	/* Advice only: a kernel without huge pages says no, and serves. */
	if (flags & MEM_HUGE)
		(void)madvise(p, size, MADV_HUGEPAGE);
	/* A write to each page, since reading maps the shared zero page. */
	if (flags & MEM_TOUCH)
		memset(p, 0, size);
	*a = (struct arena){ .base = p, .size = size };
	return 0;
}

void mem_give(struct arena *a)
{
#ifdef POISON
	/* What core/buf.c poisons stays so: the next block may lie there. */
	if (a->base)
		__asan_unpoison_memory_region(a->base, a->size);
#endif
	if (a->base)
		munmap(a->base, a->size);
	*a = (struct arena){ 0 };
}
