/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One suite getter per file of tests of sim/pcie, and the link that they start from.
 */
#ifndef TESTS_PCIE_SUITES_H
#define TESTS_PCIE_SUITES_H

#include <check.h>

#include "engine/clock.h"
#include "pcie/link.h"

Suite *suite_configspace(void);
Suite *suite_link(void);
Suite *suite_link_pace(void);
Suite *suite_link_rate(void);
Suite *suite_link_tlp(void);
Suite *suite_msi(void);
Suite *suite_port(void);

/* Generation 3, four lanes, and overheads as in the defaults of link.def. */
struct link_params link_params_plain(void);
/* The same with a wire on which a byte takes exactly 4000 ps, and no time for anything else:
 * generation 1, one lane, no share for flow control, no propagation, no memory latency. */
struct link_params link_params_slow(void);
#define SLOW_BYTE_PS UINT64_C(4000) /* 2.5 GT/s, 10 bits a byte */

#endif
