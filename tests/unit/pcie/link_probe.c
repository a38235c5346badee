/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Measures the link's throughput for scripts/link_closed_form.py: transfers in a row, at both
 * levels of detail, over generations, widths, payloads and sizes, and prints one line of CSV each
 * with everything that went in. Says nothing about what the figures should be.
 *
 * usage: link_probe > measured.csv
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/clock.h"
#include "engine/engine.h"
#include "pcie/port.h"

enum kind { WRITE_UP, WRITE_DOWN, READ, KINDS };

static const char *const kind_names[KINDS] = {"write-up", "write-down", "read"};
static const char *const detail_names[] = {"line", "tlp"};

static struct link_params plain(void)
{
    return (struct link_params){.kind = LINK_PCIE,
                                .max_payload = 256,
                                .max_read_request = 512,
                                .completion_payload = 64,
                                .completion_boundary = 64,
                                .tags = 64,
                                .propagation = 150 * PS_PER_NS,
                                .memory_latency = 120 * PS_PER_NS,
                                .packet_overhead = 24,
                                .completion_overhead = 20,
                                .dllp_bytes = 8,
                                .flow_overhead = 20000};
}

/* As in the defaults: acknowledgements as a share. */
static struct link_params with_share(void)
{
    return plain();
}

/* Acks and UpdateFCs counted, digests, larger completions. */
static struct link_params with_dllps(void)
{
    struct link_params params = plain();
    params.flow_overhead = 0;
    params.ack_every = 4;
    params.update_every = 8;
    params.ecrc = 1;
    params.completion_payload = 128;
    params.tags = 256;
    return params;
}

/* Few tags, large requests, and far away. */
static struct link_params with_few_tags(void)
{
    struct link_params params = plain();
    params.tags = 8;
    params.max_read_request = 4096;
    params.propagation = 400 * PS_PER_NS;
    params.completion_boundary = 128;
    return params;
}

static struct link_params with_few_credits(void)
{
    struct link_params params = plain();
    params.posted_headers = 32;
    params.posted_data = 512;
    params.nonposted_headers = 8;
    params.completion_headers = 64;
    params.completion_data = 512;
    params.credit_return = 200 * PS_PER_NS;
    return params;
}

static const struct configuration {
    const char *name;
    struct link_params (*make)(void);
} configurations[] = {
    {"share", with_share},
    {"dllps", with_dllps},
    {"few-tags", with_few_tags},
    {"few-credits", with_few_credits},
};

static const uint64_t widths[] = {1, 2, 4, 8, 16};
/* Transfers before the measurement, in it, and behind it: enough for whole rounds of all tags, and
 * for nothing to run dry while it lasts. */
static const struct size {
    uint32_t bytes;
    unsigned before, measured, behind;
} sizes[] = {
    {4, 512, 1024, 512},  {64, 512, 1024, 512}, {128, 512, 1024, 512},
    {512, 512, 512, 512}, {4096, 64, 64, 64},   {16384, 16, 32, 16},
    {65536, 4, 8, 4},     {262144, 1, 2, 1},    {2097152, 1, 1, 0},
};

#define COUNT(array)  (sizeof(array) / sizeof(array)[0])
#define STREAMS       4u /* transfers that take turns, where there are many */
#define MANY          16u
#define ARRIVALS_MOST 2048u

struct probe {
    struct engine *engine;
    uint64_t arrival_ps[ARRIVALS_MOST];
    unsigned arrived;
};

static void arrive(void *ctx, uint64_t arg)
{
    struct probe *probe = ctx;

    (void)arg;
    probe->arrival_ps[probe->arrived++] = engine_now(probe->engine);
}

static uint64_t measure(const struct link_params *params, enum kind kind, const struct size *size)
{
    static struct probe probe;
    struct link *link = link_create(params);
    unsigned streams = size->before >= MANY ? STREAMS : 1;

    probe.engine = engine_create(1);
    probe.arrived = 0;
    link_use_engine(link, probe.engine);
    for (unsigned i = 0; i < size->before + size->measured + size->behind; i++)
        if (kind == READ)
            link_read_then(link, i % streams, 0, size->bytes, arrive, &probe, 0);
        else
            link_write_then(link, kind == WRITE_UP ? LINK_UP : LINK_DOWN, i % streams, 0,
                            size->bytes, arrive, &probe, 0);
    while (engine_step(probe.engine))
        ;
    engine_destroy(probe.engine);
    link_destroy(link);
    return probe.arrival_ps[size->before + size->measured - 1] - probe.arrival_ps[size->before - 1];
}

static void print_row(const struct configuration *configuration, const struct link_params *p,
                      enum kind kind, const struct size *size)
{
    printf(
        "%s,%s,%s,%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64
        ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64
        ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu32 ",%u,%" PRIu64 "\n",
        configuration->name, detail_names[p->detail], kind_names[kind], p->generation, p->lanes,
        p->max_payload, p->max_read_request, p->completion_payload, p->completion_boundary, p->tags,
        p->propagation, p->memory_latency, p->ecrc, p->flow_overhead, p->ack_every, p->update_every,
        p->posted_headers, p->posted_data, p->nonposted_headers, p->completion_headers,
        p->completion_data, p->credit_return, size->bytes, size->measured, measure(p, kind, size));
}

int main(void)
{
    puts("configuration,detail,kind,generation,lanes,max_payload,max_read_request,"
         "completion_payload,completion_boundary,tags,propagation_ps,memory_latency_ps,ecrc,"
         "flow_overhead_ppm,ack_every,update_every,posted_headers,posted_data,nonposted_headers,"
         "completion_headers,completion_data,credit_return_ps,bytes,transfers,ps");
    for (unsigned c = 0; c < COUNT(configurations); c++) {
        struct link_params params = configurations[c].make();

        for (params.detail = LINK_LINE; params.detail <= LINK_TLP; params.detail++)
            for (params.generation = 1; params.generation <= 5; params.generation++)
                for (unsigned w = 0; w < COUNT(widths); w++)
                    for (params.max_payload = 128; params.max_payload <= 512;
                         params.max_payload *= 2)
                        for (unsigned s = 0; s < COUNT(sizes); s++)
                            for (enum kind kind = 0; kind < KINDS; kind++) {
                                params.lanes = widths[w];
                                print_row(&configurations[c], &params, kind, &sizes[s]);
                            }
    }
    return EXIT_SUCCESS;
}
