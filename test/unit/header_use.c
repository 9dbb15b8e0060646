/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * header_use.c - Functions of headers that pure rooms call little, for tests
 */
#include "header_use.h"

bool use_ipaddr_is_host(const struct ipaddr *a)
{
	return ipaddr_is_host(a);
}

size_t use_stock_size(uint32_t n, size_t size)
{
	return stock_size(n, size);
}

void use_stock_init(struct stock *s, struct arena *a, uint32_t n, size_t size)
{
	stock_init(s, a, n, size);
}

void *use_stock_at(const struct stock *s, uint32_t i)
{
	return stock_at(s, i);
}

uint32_t use_stock_index(const struct stock *s, const void *record)
{
	return stock_index(s, record);
}

void *use_stock_take(struct stock *s)
{
	return stock_take(s);
}

void use_stock_give(struct stock *s, void *record)
{
	stock_give(s, record);
}

bool use_stock_empty(const struct stock *s)
{
	return stock_empty(s);
}
