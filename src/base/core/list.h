/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * list - Circular doubly linked list whose links live in the listed objects
 */
#ifndef CORE_LIST_H
#define CORE_LIST_H

#include <stdbool.h>
#include <stddef.h>

/** struct list - A head, or the link inside a member */
struct list {
	struct list *next;
	struct list *prev;
};

/** list_entry() - The object of type @type whose member @member is @ptr */
#define list_entry(ptr, type, member)                                          \
	((type *)(void *)((char *)(ptr)-offsetof(type, member)))

/** list_init() - Make @l an empty head, or a link that is in no list */
static inline void list_init(struct list *l)
{
	l->next = l;
	l->prev = l;
}

/** list_empty() - Test whether head @l has no member (link: is in no list) */
static inline bool list_empty(const struct list *l)
{
	return l->next == l;
}

/** list_add_tail() - Put link @n at the end of the list of @head */
static inline void list_add_tail(struct list *head, struct list *n)
{
	n->prev = head->prev;
	n->next = head;
	head->prev->next = n;
	head->prev = n;
}

/** list_del() - Take link @n out of its list, if it is in one */
static inline void list_del(struct list *n)
{
	n->prev->next = n->next;
	n->next->prev = n->prev;
	list_init(n);
}

#endif /* CORE_LIST_H */
