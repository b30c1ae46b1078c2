/* SPDX-License-Identifier: GPL-2.0-only */
/* The datapath's named counters, summed over the CPUs. */
#ifndef UP_CORE_COUNTERS_H
#define UP_CORE_COUNTERS_H

#include <stdint.h>

#include "underpass/counter.h"
#include "underpass/limits.h"

struct up_datapath;
struct up_err;

/** up_counter_name() - "drop_src_addr", for programs; up_counter_text() - the same for people */
const char *up_counter_name(enum up_counter id);
const char *up_counter_text(enum up_counter id);

/** up_counters_read() - all counters, by enum up_counter. Return: 0 or -errno */
int up_counters_read(struct up_datapath *dp, uint64_t ret_values[UP_CNT_MAX], struct up_err *err);

/** up_snat_hist_name() - what a row of the histogram counts: "3-4" tries, or "refused" */
const char *up_snat_hist_name(unsigned int row);

/**
 * up_snat_hist_read() - how many source ports were tried for flows whose own was taken
 * @ret_values: flows, by row
 *
 * Return: 0 or -errno
 */
int up_snat_hist_read(struct up_datapath *dp, uint64_t ret_values[UP_SNAT_HIST],
		      struct up_err *err);

#endif
