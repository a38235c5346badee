/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a machine is, for the files of sim/machine only.
 */
#ifndef MACHINE_STATE_H
#define MACHINE_STATE_H

#include "machine/machine.h"
#include "media/store.h"

#define MACHINE_QUEUES_MOST 64u /* driver.io_queues */

/* The data oracle: what every block of the device must hold. */
struct oracle {
    struct store *expected; /* NULL: not verifying */
    uint64_t *scratch;      /* tags of one request */
    uint32_t scratch_units;
    uint32_t next_request;
    struct machine_verdict verdict;
};

struct machine {
    struct machine_params params;
    struct machine_options options;
    struct engine *engine;
    struct pcie_port *port;
    struct media *media;
    struct ctrl *ctrl;
    struct host *host;
    struct cpu_set *cpus;
    struct os *os[HOST_CPUS_MAX];
    struct os_steps steps;
    void *nvme_allocation;
    struct nvme *nvme;
    struct nvme_queue *queues[MACHINE_QUEUES_MOST];
    unsigned queue_count;
    struct nvme_namespace ns;
    struct block_device device;
    struct nvme_request
        request; /* the device's one request; the driver's if a completion was lost */
    bool stuck;
    struct oracle oracle;
    char why[128];
};

void oracle_create(struct oracle *oracle, uint64_t device_bytes, bool verify);
void oracle_destroy(struct oracle *oracle);
void device_init(struct machine *machine);

#endif
