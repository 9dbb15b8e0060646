/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cells - What is played: cells by name, drawn ones, the thesis's tables
 */
#ifndef SIM_MULTIPATH_CELLS_H
#define SIM_MULTIPATH_CELLS_H

#include "sim.h"

/** struct named - A cell that has a bar */
struct named {
	struct cell cell;
	double bar;	 /* percent of the sum of direct connections; 0: none */
	double wish;	 /* the same, and known not to be reached yet */
	double ping_bar; /* ms, of the 99th of a hundred; 0: none */
	double gap_bar;	 /* ms; 0: none */
	double jain_bar; /* 0: none */
};

/** named_cell() - The n-th. Return: false: there is none */
bool named_cell(unsigned n, struct named *out);

/** drawn_cell() - The n-th cell of a seed */
void drawn_cell(uint64_t seed, unsigned n, struct cell *out);

/** drawn_words() - Its paths, as text */
void drawn_words(const struct cell *c, char *out, size_t size);

#define THESIS_CELLS 420

/**
 * thesis_cell() - The n-th cell of the thesis's tables; cell.want is its figure
 * @table:	Which table, row and rate
 * @sound:	Whether its figure can be right and be compared
 */
void thesis_cell(unsigned n, struct cell *out, char *table, size_t size,
		 bool *sound);

#endif /* SIM_MULTIPATH_CELLS_H */
