/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The one figure that is made of a result: throughput, averaged over the passes as AmigaDiskBench
 * does by default. Reporting only; model time stays in integers.
 */
#include "report/result.h"

#define MIB           1048576.0
#define PS_PER_SECOND 1e12

double result_mib_per_s(const struct result *result)
{
    double sum = 0;

    for (uint32_t pass = 0; pass < result->passes; pass++)
        if (result->pass_ps[pass])
            sum += (double)result->pass_bytes[pass] / MIB /
                   ((double)result->pass_ps[pass] / PS_PER_SECOND);
    return result->passes ? sum / result->passes : 0;
}
