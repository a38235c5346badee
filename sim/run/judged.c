/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the checker needs of a machine; see judged.h.
 */
#include "run/judged.h"

static bool peek(void *ctx, uint64_t bus, void *to, size_t bytes)
{
    return memory_peek(host_memory(machine_host(ctx)), bus, to, bytes);
}

static uint64_t digest(void *ctx, uint64_t bus, size_t bytes)
{
    return memory_digest(host_memory(machine_host(ctx)), bus, bytes);
}

static void tripped(void *ctx)
{
    machine_condemn(ctx);
}

struct rules *judged_begin(struct machine *machine, const struct machine_params *params,
                           const struct judged_options *options)
{
    if (options->mode == RULES_OFF)
        return NULL;
    const struct rules_setup setup = {
        .stream = engine_stream(machine_engine(machine)),
        .peek = peek,
        .digest = digest,
        .tripped = tripped,
        .ctx = machine,
        .mode = options->mode,
        .suppress = options->suppress,
        .again = options->again,
        .seed = engine_seed(machine_engine(machine)),
        .loads_ordered = params->host.loads_ordered != 0,
        .coherent = params->host.coherent != 0,
        .performance = !options->special,
    };
    return rules_create(&setup);
}

void judged_end(struct rules *rules, struct rules_verdict *verdict)
{
    *verdict = (struct rules_verdict){0};
    if (rules == NULL)
        return;
    rules_conclude(rules);
    *verdict = *rules_get_verdict(rules);
    rules_destroy(rules);
}
