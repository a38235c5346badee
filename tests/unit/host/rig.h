/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A host, with one CPU unless asked for more, behind a port to a device that only keeps what
 * reaches it. Costs are distinct numbers, so that a sum tells what it is made of. The device's
 * registers, config space and events are the test's to play with.
 */
#ifndef TESTS_HOST_RIG_H
#define TESTS_HOST_RIG_H

#include <check.h>

#include <nvme/nvme.h>

#include "host/host.h"

#define NS UINT64_C(1000)

/* What the rig is built from; rig_options() gives a plain host on an emulated link. */
struct rig_options {
    struct link_params link;
    struct host_params host;
    struct cache_params cache;
    enum memory_form form;
};

#define RIG_WRITES 256u
#define RIG_CONFIG 256u

struct rig_device {
    struct {
        uint64_t time_ps, offset, value;
        unsigned bar, size;
    } writes[RIG_WRITES];
    unsigned count;
    uint64_t read_time_ps, read_offset; /* the last register read */
    unsigned read_size, writes_at_read;
    uint64_t read_value;
    uint8_t config[RIG_CONFIG];
    uint64_t bar0_mask; /* bits of BAR0 (and BAR1) that can be written */
    void (*on_write)(uint64_t offset, uint64_t value);
    uint64_t (*on_read)(uint64_t offset); /* NULL: read_value */
};

struct rig {
    struct engine *engine;
    struct pcie_port *port;
    struct cpu_set *set;
    struct cpu *cpu; /* CPU 0 */
    struct cpu *cpus[64];
    struct host *host;
    struct rig_device device;
    const struct nvme_platform_ops *ops;
    void *ctx; /* the platform's */
};

extern struct rig rig;

struct rig_options rig_options(void);
/* A PCI Express link on which a byte takes RIG_BYTE_PS and propagation RIG_WAY_PS. */
void rig_use_pcie(struct rig_options *options);
#define RIG_BYTE_PS      UINT64_C(4000)
#define RIG_WAY_PS       UINT64_C(1000000)
#define RIG_HEADER       24u
#define RIG_REPLY_HEADER 20u

void rig_make(const struct rig_options *options);
/* With rig_options(). */
void rig_setup(void);
void rig_teardown(void);

/* Little-endian values in the device's config space. */
void rig_config_set(unsigned offset, unsigned size, uint32_t value);
uint32_t rig_config_get(unsigned offset, unsigned size);
/* An NVMe function with a 64-bit BAR0 of 16 KiB and, at 40h, MSI-X with 8 vectors at 2000h. */
void rig_config_nvme(void);

/* The call takes exactly this time. */
#define ck_takes(ps_, call_)                                                                       \
    do {                                                                                           \
        uint64_t from_ = host_now(rig.host);                                                       \
        call_;                                                                                     \
        ck_assert_uint_eq(host_now(rig.host) - from_, (ps_));                                      \
    } while (0)

#endif
