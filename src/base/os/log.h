/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * log - Lines on stderr, for the command layer alone
 */
#ifndef OS_LOG_H
#define OS_LOG_H

enum log_level {
	LOG_ERROR, /* the run ends or cannot begin */
	LOG_WARN,  /* it goes on, and the user must know */
	LOG_INFO,
	LOG_DEBUG,
};

/** log_init() - Set the name in front of each line, and the last level shown */
void log_init(const char *name, enum log_level max);

/** log_line() - Write one line, as one write(), so that lines never mix */
void log_line(enum log_level level, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif /* OS_LOG_H */
