/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * netlink - Ask the kernel for a table of routing netlink
 */
#ifndef BPF_NETLINK_H
#define BPF_NETLINK_H

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stddef.h>
#include <stdint.h>

/**
 * typedef netlink_fn - Takes one message of a dump
 *
 * Return: 0 to go on; anything else ends the dump and is its result
 */
typedef int netlink_fn(void *ctx, const struct nlmsghdr *h);

/**
 * netlink_dump() - Dump a table
 * @type:	RTM_GET...
 * @body:	What follows the netlink header of the request
 * @len:	Its length, at most 64
 * @fn, @ctx:	Called for each message
 *
 * Return: 0, or what @fn said, or -Exxx
 */
int netlink_dump(uint16_t type, const void *body, size_t len, netlink_fn *fn,
		 void *ctx);

/**
 * netlink_open(), netlink_ask() - The same in two steps, for who may open no
 * socket any more when it asks
 * @fd:		What netlink_open() gave, or -Exxx
 *
 * Return: the descriptor, to be closed by the caller; as netlink_dump()
 */
int netlink_open(void);
int netlink_ask(int fd, uint16_t type, const void *body, size_t len,
		netlink_fn *fn, void *ctx);

/**
 * netlink_get() - Ask for one thing
 * @fd:		What netlink_open() gave, or -Exxx
 * @type, @body, @len, @fn, @ctx: As netlink_dump(); @fn is called once
 *
 * Return: as there
 */
int netlink_get(int fd, uint16_t type, const void *body, size_t len,
		netlink_fn *fn, void *ctx);

/**
 * netlink_set() - Make or remove one thing
 * @fd:		What netlink_open() gave, or -Exxx
 * @type:	RTM_NEW... or RTM_DEL...
 * @flags:	NLM_F_CREATE, NLM_F_EXCL and their kind
 * @body, @len:	As netlink_dump()
 *
 * Return: 0 or -Exxx, as the kernel says
 */
int netlink_set(int fd, uint16_t type, uint16_t flags, const void *body,
		size_t len);

/**
 * netlink_attr() - Find an attribute
 * @h:		Message
 * @head:	Length of the fixed part after the netlink header
 * @type:	Attribute type; flag bits are ignored
 * @len:	Set to the length of its payload
 *
 * Return: its payload, aligned to 4, or NULL
 */
const void *netlink_attr(const struct nlmsghdr *h, size_t head, uint16_t type,
			 size_t *len);

/**
 * netlink_nested() - Find an attribute among those inside another
 * @p, @n:	Payload of the outer one, as netlink_attr() gave it
 * @type, @len:	As there
 */
const void *netlink_nested(const void *p, size_t n, uint16_t type, size_t *len);

#endif /* BPF_NETLINK_H */
