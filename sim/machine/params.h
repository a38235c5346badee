/* SPDX-License-Identifier: BSD-2-Clause
 *
 * All parameters of a machine: the structures of the rooms below side by side, and those of the
 * driver core, whose own configuration structure knows nothing of parameter tables.
 */
#ifndef MACHINE_PARAMS_H
#define MACHINE_PARAMS_H

#include <nvme/nvme.h>

#include "engine/clock.h"
#include "host/cache.h"
#include "host/host.h"
#include "host/os.h"
#include "media/media.h"
#include "nvme/controller.h"
#include "pcie/link.h"

#define PARAM_AS_STRUCT
#include "config/param_begin.h"
struct driver_params {
#include "machine/driver.def"
};
#include "config/param_end.h"

extern const struct param_row driver_rows[];
extern const size_t driver_row_count;

struct machine_params {
    struct driver_params driver;
    struct link_params link;
    struct ctrl_params ctrl;
    struct media_params media;
    struct host_params host;
    struct cache_params cache;
    struct os_params os;
};

#define MACHINE_COALESCING_UNIT_PS (PS_PER_MS / 10) /* of TIME (NVMe 1.4, 5.21.1.8) */

/* What no single limit can say. NULL if the combination is good, else a sentence that names the
 * keys and what is allowed (valid until the next call). */
const char *machine_params_check(const struct machine_params *params);

/* I/O queue pairs that the driver gets. */
uint64_t machine_io_queues(const struct machine_params *params);

/* The interrupt kind, if completion = interrupt. */
enum nvme_irq_mode machine_irq_mode(const struct driver_params *driver);

#define MACHINE_PRIORITIES_MAX 64u /* classes in the list: as many as queues */

/* Priority class (QPRIO, NVMe 1.4, 5.4) of I/O queue `index`, from 0, in a list as
 * driver.priorities; -1 if the list is not one, and then *wrong is where it is wrong. */
int machine_priority(const char *list, unsigned index, const char **wrong);

/* The driver core's configuration. */
void machine_driver_config(const struct machine_params *params, struct nvme_config *config);

#endif
