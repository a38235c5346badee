/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The tests' host and its device; see rig.h.
 */
#include "unit/host/rig.h"

#include <string.h>

struct rig rig;

static struct param_cost ps(uint64_t amount)
{
    return (struct param_cost){amount, false};
}

struct rig_options rig_options(void)
{
    return (struct rig_options){
        .link = {.kind = LINK_EMULATED,
                 .generation = 1,
                 .lanes = 1,
                 .max_payload = 256,
                 .max_read_request = 512,
                 .completion_payload = 64,
                 .tags = 64,
                 .packet_overhead = RIG_HEADER,
                 .completion_overhead = RIG_REPLY_HEADER},
        .host = {.emulation = HOST_EMULATION_NONE,
                 .cpus = 1,
                 .dma_bits = 64,
                 .softirq_entry = ps(211 * NS),
                 .ipi = ps(401 * NS),
                 .lock_transfer = ps(43 * NS),
                 .emulation_tick = PS_PER_SECOND,
                 .cpu_clock = 1000000000,
                 .memory_base = UINT64_C(0x100000000),
                 .coherent = 1,
                 .bounce_memory = HOST_BOUNCE_CACHED,
                 .loads_ordered = 1,
                 .register_write = ps(101 * NS),
                 .register_read = ps(53 * NS),
                 .entry_build = ps(31 * NS),
                 .publish = ps(11 * NS),
                 .entry_look = ps(7 * NS),
                 .entry_consume = ps(23 * NS),
                 .read_barrier = ps(5 * NS),
                 .relax = ps(103 * NS),
                 .spin = ps(13 * NS),
                 .map = ps(59 * NS),
                 .map_page = ps(3 * NS),
                 .unmap = ps(37 * NS),
                 .list_alloc = ps(211 * NS),
                 .copy_call = ps(17 * NS),
                 .copy_byte_cached = UINT64_C(1000000000),
                 .copy_byte_uncached = UINT64_C(100000000),
                 .copy_optimised_cached = UINT64_C(10000000000),
                 .copy_optimised_uncached = UINT64_C(400000000),
                 .fill = UINT64_C(20000000000),
                 .interrupt_entry = ps(503 * NS),
                 .interrupt_exit = ps(199 * NS),
                 .idle_exit = ps(307 * NS)},
        .cache = {.enabled = 0,
                  .line = 64,
                  .l1_size = 4096,
                  .l1_ways = 2,
                  .l2_size = 65536,
                  .l2_ways = 4,
                  .l2_hit = ps(6 * NS),
                  .miss = ps(80 * NS),
                  .write_back = ps(40 * NS),
                  .maintain_call = ps(50 * NS),
                  .maintain_dirty = ps(61 * NS),
                  .maintain_clean = ps(5 * NS),
                  .maintain_absent = ps(4 * NS)},
        .form = MEMORY_BYTES,
    };
}

void rig_use_pcie(struct rig_options *options)
{
    options->link.kind = LINK_PCIE;
    options->link.propagation = RIG_WAY_PS;
}

/* ---- the device ---- */

static uint32_t device_config_read(void *ctx, uint16_t offset, unsigned size)
{
    (void)ctx;
    return rig_config_get(offset, size);
}

static void device_config_write(void *ctx, uint16_t offset, unsigned size, uint32_t value)
{
    (void)ctx;
    if (offset == 0x10)
        value = (value & (uint32_t)rig.device.bar0_mask) | (rig_config_get(0x10, 4) & 0xf);
    else if (offset == 0x14)
        value &= (uint32_t)(rig.device.bar0_mask >> 32);
    rig_config_set(offset, size, value);
}

static uint64_t device_bar_read(void *ctx, unsigned bar, uint64_t offset, unsigned size)
{
    (void)ctx;
    ck_assert_uint_eq(bar, 0);
    rig.device.read_time_ps = engine_now(rig.engine);
    rig.device.read_offset = offset;
    rig.device.read_size = size;
    rig.device.writes_at_read = rig.device.count;
    return rig.device.on_read != NULL ? rig.device.on_read(offset) : rig.device.read_value;
}

static void device_bar_write(void *ctx, unsigned bar, uint64_t offset, unsigned size,
                             uint64_t value)
{
    (void)ctx;
    unsigned at = rig.device.count++ % RIG_WRITES; /* the oldest are forgotten */
    rig.device.writes[at].time_ps = engine_now(rig.engine);
    rig.device.writes[at].bar = bar;
    rig.device.writes[at].offset = offset;
    rig.device.writes[at].size = size;
    rig.device.writes[at].value = value;
    if (rig.device.on_write != NULL)
        rig.device.on_write(offset, value);
}

static const struct pcie_device_ops device_ops = {device_config_read, device_config_write,
                                                  device_bar_read, device_bar_write};

void rig_config_set(unsigned offset, unsigned size, uint32_t value)
{
    ck_assert_uint_le(offset + size, RIG_CONFIG);
    for (unsigned i = 0; i < size; i++)
        rig.device.config[offset + i] = (uint8_t)(value >> 8 * i);
}

uint32_t rig_config_get(unsigned offset, unsigned size)
{
    uint32_t value = 0;
    ck_assert_uint_le(offset + size, RIG_CONFIG);
    for (unsigned i = size; i-- > 0;)
        value = value << 8 | rig.device.config[offset + i];
    return value;
}

void rig_config_nvme(void)
{
    memset(rig.device.config, 0, sizeof rig.device.config);
    rig_config_set(0x00, 4, 0x00101b36);
    rig_config_set(0x06, 2, 0x0010);     /* a capability list */
    rig_config_set(0x08, 4, 0x01080201); /* NVM Express */
    rig_config_set(0x10, 4, 0x4);        /* memory, 64 bits */
    rig.device.bar0_mask = ~UINT64_C(0x3fff);
    rig_config_set(0x34, 1, 0x40);
    rig_config_set(0x40, 2, 0x0011); /* MSI-X, the last one */
    rig_config_set(0x42, 2, 7);      /* 8 vectors */
    rig_config_set(0x44, 4, 0x2000); /* in BAR0 */
}

/* ---- the host ---- */

void rig_make(const struct rig_options *options)
{
    memset(&rig, 0, sizeof rig);
    rig.engine = engine_create(1);
    rig.port = pcie_port_create(rig.engine, &options->link);
    pcie_port_attach_device(rig.port, &device_ops, &rig.device);
    rig.host = host_create(rig.engine, rig.port, &options->host, &options->cache, options->form);
    rig.set = cpu_set_create(rig.engine);
    for (unsigned i = 0; i < options->host.cpus; i++) {
        rig.cpus[i] =
            cpu_add(rig.set, NULL, NULL, options->host.emulation == HOST_EMULATION_SINGLE_THREAD);
        host_set_cpu(rig.host, rig.cpus[i]);
    }
    rig.cpu = rig.cpus[0];
    rig.ops = host_platform(rig.host)->ops;
    rig.ctx = host_platform(rig.host)->ctx;
}

void rig_setup(void)
{
    struct rig_options options = rig_options();
    rig_make(&options);
}

void rig_teardown(void)
{
    host_destroy(rig.host);
    cpu_set_destroy(rig.set);
    pcie_port_destroy(rig.port);
    engine_destroy(rig.engine);
    memset(&rig, 0, sizeof rig);
}
