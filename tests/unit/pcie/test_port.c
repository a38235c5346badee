/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The port: posted register writes in order with their values, however many are in flight; register
 * reads behind them; emulated ports, where an access is a function call; two ports on one engine;
 * and what passes straight through. Names of the event stream's records as well.
 */
#include <string.h>

#include "engine/rng.h"
#include "pcie/port.h"
#include "pcie/record.h"
#include "unit/pcie/suites.h"

#define MOST 4096u

/* A device that keeps what reaches it. */
struct device {
    struct engine *engine;
    struct {
        uint64_t time_ps, offset, value;
        unsigned bar, size;
    } writes[MOST];
    unsigned count;
    uint16_t config_offset;
    unsigned config_size;
    uint32_t config_value;
};

static void device_bar_write(void *ctx, unsigned bar, uint64_t offset, unsigned size,
                             uint64_t value)
{
    struct device *device = ctx;
    ck_assert_uint_lt(device->count, MOST);
    device->writes[device->count].time_ps = engine_now(device->engine);
    device->writes[device->count].bar = bar;
    device->writes[device->count].offset = offset;
    device->writes[device->count].size = size;
    device->writes[device->count++].value = value;
}

static uint64_t device_bar_read(void *ctx, unsigned bar, uint64_t offset, unsigned size)
{
    const struct device *device = ctx;
    return (uint64_t)device->count << 32 | bar << 24 | size << 16 | offset;
}

static uint32_t device_config_read(void *ctx, uint16_t offset, unsigned size)
{
    (void)ctx;
    return offset * 16u + size;
}

static void device_config_write(void *ctx, uint16_t offset, unsigned size, uint32_t value)
{
    struct device *device = ctx;
    device->config_offset = offset;
    device->config_size = size;
    device->config_value = value;
}

static const struct pcie_device_ops device_ops = {device_config_read, device_config_write,
                                                  device_bar_read, device_bar_write};

static struct engine *engine;
static struct pcie_port *port;
static struct device device;

static void make(struct link_params params)
{
    engine = engine_create(1);
    port = pcie_port_create(engine, &params);
    memset(&device, 0, sizeof device);
    device.engine = engine;
    pcie_port_attach_device(port, &device_ops, &device);
}

static void setup(void)
{
    struct link_params params = link_params_slow();
    params.propagation = 1000000;
    make(params);
}

static void teardown(void)
{
    pcie_port_destroy(port);
    engine_destroy(engine);
}

#define WRITE_PS ((4 + 24) * SLOW_BYTE_PS)

static void ck_write(unsigned index, uint64_t time_ps, uint64_t offset, uint64_t value)
{
    ck_assert_uint_lt(index, device.count);
    ck_assert_uint_eq(device.writes[index].time_ps, time_ps);
    ck_assert_uint_eq(device.writes[index].offset, offset);
    ck_assert_uint_eq(device.writes[index].value, value);
}

START_TEST(a_posted_write_arrives_later_with_its_value)
{
    pcie_port_bar_write(port, 0, 2, 0x1008, 4, 0xabcd);
    ck_assert_uint_eq(device.count, 0);
    engine_run_until(engine, WRITE_PS + 1000000 - 1);
    ck_assert_uint_eq(device.count, 0);
    engine_run_until(engine, WRITE_PS + 1000000);
    ck_write(0, WRITE_PS + 1000000, 0x1008, 0xabcd);
    ck_assert_uint_eq(device.writes[0].bar, 2);
    ck_assert_uint_eq(device.writes[0].size, 4);
    pcie_port_bar_write(port, engine_now(engine), 0, 0x28, 8, UINT64_MAX);
    engine_step(engine);
    ck_write(1, 2 * WRITE_PS + 4 * SLOW_BYTE_PS + 2000000, 0x28, UINT64_MAX);
    ck_assert_uint_eq(device.writes[1].size, 8);
}
END_TEST

START_TEST(a_thousand_posted_writes_arrive_in_order)
{
    /* given 1000 writes at time 0, more than the port had room for at first */
    for (unsigned i = 0; i < 1000; i++)
        pcie_port_bar_write(port, 0, 0, 4 * i, 4, 0x10000 + i);
    while (engine_step(engine))
        ;
    ck_assert_uint_eq(device.count, 1000);
    for (unsigned i = 0; i < 1000; i++)
        ck_write(i, (i + 1) * WRITE_PS + 1000000, 4 * i, 0x10000 + i);
}
END_TEST

START_TEST(posted_writes_keep_their_order_while_the_ring_wraps_and_grows)
{
    /* given bursts of 0 to 150 writes with pauses, so that the ring grows with its head anywhere */
    struct rng rng;
    rng_init(&rng, 1, "posted");
    unsigned sent = 0;
    while (sent < 3000) {
        uint64_t burst = rng_below(&rng, 150);
        for (uint64_t i = 0; i < burst && sent < 3000; i++, sent++)
            pcie_port_bar_write(port, engine_now(engine), 0, sent, 1, sent * 3u);
        engine_run_until(engine, engine_now(engine) + rng_below(&rng, 100) * WRITE_PS);
    }
    while (engine_step(engine))
        ;
    ck_assert_uint_eq(device.count, 3000);
    for (unsigned i = 0; i < 3000; i++) {
        ck_assert_uint_eq(device.writes[i].offset, i);
        ck_assert_uint_eq(device.writes[i].value, i * 3u);
    }
}
END_TEST

START_TEST(a_register_read_pushes_posted_writes_before_it)
{
    /* given 100 posted writes, when a read sets out behind them */
    for (unsigned i = 0; i < 100; i++)
        pcie_port_bar_write(port, 0, 0, 0, 4, i);
    uint64_t arrives = pcie_port_read_request(port, 0);
    ck_assert_uint_eq(arrives, 100 * WRITE_PS + 24 * SLOW_BYTE_PS + 1000000);
    engine_run_until(engine, arrives);
    /* then all of them are at the device before it */
    ck_assert_uint_eq(pcie_port_bar_read(port, 1, 0x1c, 4), UINT64_C(100) << 32 | 0x0104001c);
    ck_assert_uint_eq(pcie_port_read_reply(port, arrives, 4),
                      arrives + (4 + 20) * SLOW_BYTE_PS + 1000000);
}
END_TEST

START_TEST(an_emulated_port_is_a_function_call)
{
    teardown();
    struct link_params params = link_params_plain();
    params.kind = LINK_EMULATED;
    make(params);
    engine_run_until(engine, 500);
    pcie_port_bar_write(port, 500, 0, 0x14, 4, 1);
    ck_write(0, 500, 0x14, 1);
    ck_assert_uint_eq(engine_next_time(engine), ENGINE_NEVER);
    ck_assert_uint_eq(pcie_port_read_request(port, 500), 500);
    ck_assert_uint_eq(pcie_port_read_reply(port, 500, 8), 500);
    ck_assert_uint_eq(pcie_up_write(port, 500, 4096), 500);
    ck_assert_uint_eq(pcie_up_read(port, 500, 4096), 500);
}
END_TEST

START_TEST(two_ports_on_one_engine_do_not_mix)
{
    static struct device other;
    struct link_params params = link_params_slow();
    struct pcie_port *second = pcie_port_create(engine, &params); /* no propagation */
    memset(&other, 0, sizeof other);
    other.engine = engine;
    pcie_port_attach_device(second, &device_ops, &other);
    for (unsigned i = 0; i < 80; i++) {
        pcie_port_bar_write(port, 0, 0, i, 4, i);
        pcie_port_bar_write(second, 0, 0, i, 4, 1000 + i);
    }
    while (engine_step(engine))
        ;
    ck_assert_uint_eq(device.count, 80);
    ck_assert_uint_eq(other.count, 80);
    for (unsigned i = 0; i < 80; i++) {
        ck_write(i, (i + 1) * WRITE_PS + 1000000, i, i);
        ck_assert_uint_eq(other.writes[i].time_ps, (i + 1) * WRITE_PS);
        ck_assert_uint_eq(other.writes[i].value, 1000 + i);
    }
    pcie_port_destroy(second);
    pcie_port_destroy(NULL);
}
END_TEST

START_TEST(the_device_s_transfers_take_the_link_s_time)
{
    ck_assert_uint_eq(pcie_up_write(port, 0, 16), (16 + 24) * SLOW_BYTE_PS + 1000000);
    ck_assert_uint_eq(pcie_up_write(port, 0, 16), 2 * (16 + 24) * SLOW_BYTE_PS + 1000000);
    ck_assert_uint_eq(pcie_up_read(port, 0, 64), (80 + 24 + 64 + 20) * SLOW_BYTE_PS + 2000000);
    struct link_stats stats;
    link_get_stats(pcie_port_link(port), &stats);
    ck_assert_uint_eq(stats.up_packets, 3);
    ck_assert_uint_eq(stats.down_packets, 1);
    ck_assert_uint_eq(engine_next_time(engine), ENGINE_NEVER); /* time only: no events */
}
END_TEST

/* ---- what passes straight through ---- */

static struct {
    uint64_t bus, address;
    uint32_t bytes, data;
    unsigned segments;
    int asserted;
    uint8_t memory[16];
} host;

static int host_dma_read(void *ctx, uint64_t bus, void *to, uint32_t bytes)
{
    ck_assert_ptr_eq(ctx, &host);
    host.bus = bus;
    host.bytes = bytes;
    memcpy(to, host.memory, bytes);
    return bus == 0 ? PCIE_E_ABORT : PCIE_OK;
}

static int host_dma_write(void *ctx, uint64_t bus, const void *from, uint32_t bytes)
{
    ck_assert_ptr_eq(ctx, &host);
    memcpy(host.memory, from, bytes);
    return bus == 0 ? PCIE_E_ABORT : PCIE_OK;
}

static bool host_dma_tags(void *ctx, const struct pcie_segment *segments, unsigned count,
                          uint64_t *tags, uint32_t ntags)
{
    (void)ctx;
    host.segments = count;
    tags[ntags - 1] = segments[count - 1].bus;
    return true;
}

static bool host_take_tags(void *ctx, const struct pcie_segment *segments, unsigned count,
                           const uint64_t *tags, uint32_t ntags)
{
    (void)ctx;
    (void)segments;
    host.segments = count;
    host.bus = tags[ntags - 1];
    return true;
}

static uint64_t *host_place_tags(void *ctx, uint64_t bus, uint32_t bytes)
{
    static uint64_t place[1];
    (void)ctx;
    host.bus = bus;
    return bytes == 512 ? place : NULL;
}

static void host_msi(void *ctx, uint64_t address, uint32_t data)
{
    (void)ctx;
    host.address = address;
    host.data = data;
}

static void host_intx(void *ctx, bool asserted)
{
    (void)ctx;
    host.asserted = asserted;
}

START_TEST(dma_and_interrupts_reach_the_host)
{
    static const struct pcie_host_ops ops = {.dma_read = host_dma_read,
                                             .dma_write = host_dma_write,
                                             .dma_read_tags = host_dma_tags,
                                             .dma_write_tags = host_take_tags,
                                             .dma_place_tags = host_place_tags,
                                             .msi = host_msi,
                                             .intx = host_intx};
    static const struct pcie_host_ops plain = {.dma_read = host_dma_read,
                                               .dma_write = host_dma_write};
    const struct pcie_segment segments[] = {{0x1000, 512}, {0x9000, 512}};
    uint64_t tags[2] = {0, 77};
    uint8_t bytes[4] = {1, 2, 3, 4}, back[4] = {0};
    memset(&host, 0, sizeof host);
    pcie_port_attach_host(port, &ops, &host);
    ck_assert_int_eq(pcie_dma_write(port, 0x5000, bytes, 4), PCIE_OK);
    ck_assert_int_eq(pcie_dma_read(port, 0x5000, back, 4), PCIE_OK);
    ck_assert_mem_eq(back, bytes, 4);
    ck_assert_uint_eq(host.bus, 0x5000);
    ck_assert_int_eq(pcie_dma_read(port, 0, back, 4), PCIE_E_ABORT);
    ck_assert_int_eq(pcie_dma_write(port, 0, back, 4), PCIE_E_ABORT);
    ck_assert(pcie_dma_write_tags(port, segments, 2, tags, 2));
    ck_assert_uint_eq(host.bus, 77);
    ck_assert(pcie_dma_read_tags(port, segments, 2, tags, 2));
    ck_assert_uint_eq(tags[1], 0x9000);
    ck_assert_ptr_nonnull(pcie_dma_place_tags(port, 0x3000, 512));
    ck_assert_uint_eq(host.bus, 0x3000);
    ck_assert_ptr_null(pcie_dma_place_tags(port, 0x3000, 1024)); /* the host's to say */
    pcie_msi(port, 0xfee00000, 5);
    ck_assert_uint_eq(host.address, 0xfee00000);
    ck_assert_uint_eq(host.data, 5);
    pcie_intx(port, true);
    ck_assert_int_eq(host.asserted, 1);
    pcie_intx(port, false);
    ck_assert_int_eq(host.asserted, 0);
    /* a host that knows no tags */
    pcie_port_attach_host(port, &plain, &host);
    ck_assert(!pcie_dma_write_tags(port, segments, 2, tags, 2));
    ck_assert(!pcie_dma_read_tags(port, segments, 2, tags, 2));
    ck_assert_ptr_null(pcie_dma_place_tags(port, 0x3000, 512));
}
END_TEST

START_TEST(configuration_accesses_take_no_time)
{
    ck_assert_uint_eq(pcie_port_config_read(port, 0x34, 1), 0x341);
    pcie_port_config_write(port, 0x04, 2, 6);
    ck_assert_uint_eq(device.config_offset, 4);
    ck_assert_uint_eq(device.config_size, 2);
    ck_assert_uint_eq(device.config_value, 6);
    ck_assert_uint_eq(engine_now(engine), 0);
    ck_assert_uint_eq(engine_next_time(engine), ENGINE_NEVER);
}
END_TEST

/* ---- names ---- */

static void ck_names(const char *(*name)(unsigned), unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        ck_assert_ptr_nonnull(name(i));
        ck_assert_str_ne(name(i), "?");
        for (unsigned j = 0; j < i; j++)
            ck_assert_str_ne(name(i), name(j));
    }
    ck_assert_str_eq(name(count), "?");
    ck_assert_str_eq(name(UINT32_MAX), "?");
}

START_TEST(every_record_has_a_name_of_its_own)
{
    ck_names(record_kind_name, RECORD_KINDS);
    ck_names(record_cpu_use_name, CPU_USES);
    ck_names(record_stage_name, RECORD_STAGES);
    ck_assert_uint_le(RECORD_KINDS, 64); /* a reader's mask has 64 bits */
}
END_TEST

Suite *suite_port(void)
{
    Suite *suite = suite_create("port");
    TCase *tcase = tcase_create("port");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_posted_write_arrives_later_with_its_value);
    tcase_add_test(tcase, a_thousand_posted_writes_arrive_in_order);
    tcase_add_test(tcase, posted_writes_keep_their_order_while_the_ring_wraps_and_grows);
    tcase_add_test(tcase, a_register_read_pushes_posted_writes_before_it);
    tcase_add_test(tcase, an_emulated_port_is_a_function_call);
    tcase_add_test(tcase, two_ports_on_one_engine_do_not_mix);
    tcase_add_test(tcase, the_device_s_transfers_take_the_link_s_time);
    tcase_add_test(tcase, dma_and_interrupts_reach_the_host);
    tcase_add_test(tcase, configuration_accesses_take_no_time);
    tcase_add_test(tcase, every_record_has_a_name_of_its_own);
    suite_add_tcase(suite, tcase);
    return suite;
}
