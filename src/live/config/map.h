/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * map - Values of --map, read and written
 */
#ifndef CONFIG_MAP_H
#define CONFIG_MAP_H

#include "engine/engine.h"
#include "text/text.h"

/**
 * value_get_map() - PROD[/LEN][:PORT]=SUT[:PORT]
 *
 * Return: 0, -EINVAL, or -EAFNOSUPPORT: one is IPv4, the other IPv6; @m then
 * untouched
 */
int value_get_map(const char *s, struct engine_map *m);

/** value_put_map() - Write one that value_get_map() reads */
void value_put_map(struct text *t, const struct engine_map *m);

#endif /* CONFIG_MAP_H */
