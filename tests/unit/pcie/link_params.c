/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The links that the tests start from; see suites.h. Written out here and not read from link.def:
 * the tests state their own numbers.
 */
#include "unit/pcie/suites.h"

struct link_params link_params_plain(void)
{
    return (struct link_params){.kind = LINK_PCIE,
                                .generation = 3,
                                .lanes = 4,
                                .max_payload = 256,
                                .max_read_request = 512,
                                .completion_payload = 64,
                                .completion_boundary = 64,
                                .dllp_bytes = 8,
                                .tags = 64,
                                .propagation = 150 * PS_PER_NS,
                                .memory_latency = 120 * PS_PER_NS,
                                .packet_overhead = 24,
                                .completion_overhead = 20,
                                .flow_overhead = 20000};
}

struct link_params link_params_slow(void)
{
    struct link_params params = link_params_plain();
    params.generation = 1;
    params.lanes = 1;
    params.flow_overhead = 0;
    params.propagation = 0;
    params.memory_latency = 0;
    return params;
}
