/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * header_use.h - Functions of headers that pure rooms call little, for tests
 *
 * A function in a header is counted (tools/coverage) where a counted file calls
 * it, and tests themselves are not counted. Each of these calls the function of
 * src it is named after.
 */
#ifndef TEST_HEADER_USE_H
#define TEST_HEADER_USE_H

#include "core/ipaddr.h"
#include "core/stock.h"

bool use_ipaddr_is_host(const struct ipaddr *a);

void use_stock_init(struct stock *s, struct arena *a, uint32_t n, size_t size);
size_t use_stock_size(uint32_t n, size_t size);
void *use_stock_at(const struct stock *s, uint32_t i);
uint32_t use_stock_index(const struct stock *s, const void *record);
void *use_stock_take(struct stock *s);
void use_stock_give(struct stock *s, void *record);
bool use_stock_empty(const struct stock *s);

#endif /* TEST_HEADER_USE_H */
