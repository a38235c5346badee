/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The port's interface to the rest of a small system: see nvme_port.c.
 */
#ifndef NVME_PORT_H
#define NVME_PORT_H

#include <nvme/nvme.h>

/* The platform for nvme_init(). */
extern const struct nvme_platform nvme_port_platform;

/* Whose vector 0 the board's interrupt is; NULL: nobody's. */
void nvme_port_attach(struct nvme *nvme);

#endif
