/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What an operating system's PCI code does before a driver starts: look at the function, size and
 * place its BARs, walk the capability list, switch on memory space and bus mastering. PCI Local Bus
 * Specification 3.0 chapter 6.
 */
#include "host/host_state.h"

#include <nvme/nvme.h>

#define PCI_VENDOR         0x00u
#define PCI_DEVICE         0x02u
#define PCI_SUBSYS_VENDOR  0x2cu
#define PCI_SUBSYS         0x2eu
#define PCI_COMMAND        0x04u
#define PCI_COMMAND_MEMORY 0x2u
#define PCI_COMMAND_MASTER 0x4u
#define PCI_STATUS         0x06u
#define PCI_STATUS_CAPS    0x10u
#define PCI_CLASS          0x08u
#define PCI_BAR0           0x10u
#define PCI_CAP_POINTER    0x34u
#define PCI_CAP_MSI        0x05u
#define PCI_CAP_MSIX       0x11u
#define MSI_CONTROL        2u
#define MSI_CAPABLE_SHIFT  1u /* Multiple Message Capable: log2 of the messages (6.8.1.3) */
#define MSI_CAPABLE_MASK   7u
#define MSI_CAPABLE_MOST   5u /* above: reserved */
#define MSI_64             0x80u
#define CLASS_NVME         0x010802u
#define BAR_FLAGS          0xfu /* low bits that are no address (6.2.5.1) */
#define BAR_IO             0x1u
#define BAR_TYPE_MASK      0x6u /* without the prefetchable bit */
#define BAR_64             0x4u
#define BAR_LEAST          4096u /* registers up to the first doorbells (NVMe 1.4 3.1) */
#define CAPS_MOST          48    /* more would be a loop: 192 bytes of config space hold 48 */
#define BAR_PLACE          UINT64_C(0xe0000000) /* where a 32-bit PCI window is on many machines */

static uint32_t config_read(struct host *host, unsigned offset, unsigned size)
{
    return pcie_port_config_read(host->port, (uint16_t)offset, size);
}

static void config_write(struct host *host, unsigned offset, unsigned size, uint32_t value)
{
    pcie_port_config_write(host->port, (uint16_t)offset, size, value);
}

/* Size BAR0 by writing all ones (6.2.5.1) and place it at a multiple of its size. */
static bool place_bar0(struct host *host)
{
    uint32_t low = config_read(host, PCI_BAR0, 4);
    bool wide = (low & BAR_TYPE_MASK) == BAR_64;
    if ((low & BAR_IO) != 0)
        return false;
    config_write(host, PCI_BAR0, 4, UINT32_MAX);
    uint64_t mask = config_read(host, PCI_BAR0, 4) & ~BAR_FLAGS;
    if (wide) {
        config_write(host, PCI_BAR0 + 4, 4, UINT32_MAX);
        mask |= (uint64_t)config_read(host, PCI_BAR0 + 4, 4) << 32;
    } else if (mask != 0) {
        mask |= UINT64_C(0xffffffff) << 32;
    }
    uint64_t size = ~mask + 1; /* 0: no bit can be written, there is no such BAR */
    uint64_t place = (BAR_PLACE + size - 1) & mask;
    if (size < BAR_LEAST || (!wide && place > UINT32_MAX))
        return false;
    config_write(host, PCI_BAR0, 4, (uint32_t)place);
    if (wide)
        config_write(host, PCI_BAR0 + 4, 4, (uint32_t)(place >> 32));
    return true;
}

static void found_msi(struct host *host, unsigned at)
{
    uint32_t control = config_read(host, at + MSI_CONTROL, 2);
    unsigned log = control >> MSI_CAPABLE_SHIFT & MSI_CAPABLE_MASK;
    host->msi_offset = (uint16_t)at;
    host->msi_messages = 1u << (log < MSI_CAPABLE_MOST ? log : MSI_CAPABLE_MOST);
    host->msi_wide = (control & MSI_64) != 0;
}

static void find_capabilities(struct host *host)
{
    host->msi_offset = host->msix_offset = 0;
    if ((config_read(host, PCI_STATUS, 2) & PCI_STATUS_CAPS) == 0)
        return;
    unsigned at = config_read(host, PCI_CAP_POINTER, 1) & ~3u;
    for (int i = 0; at != 0 && i < CAPS_MOST; i++) {
        if (config_read(host, at, 1) == PCI_CAP_MSI)
            found_msi(host, at);
        if (config_read(host, at, 1) == PCI_CAP_MSIX) {
            host->msix_offset = (uint16_t)at;
            host->msix_vectors = (config_read(host, at + 2, 2) & 0x7ff) + 1;
            uint32_t table = config_read(host, at + 4, 4);
            host->msix_bar = table & 7;
            host->msix_table = table & ~7u;
        }
        at = config_read(host, at + 1, 1) & ~3u;
    }
}

int host_enumerate(struct host *host, const char **why)
{
    if (config_read(host, PCI_VENDOR, 2) == 0xffff) {
        *why = "no device answers on the bus";
        return NVME_E_GONE;
    }
    if (config_read(host, PCI_CLASS, 4) >> 8 != CLASS_NVME) {
        *why = "the device's class code is not 010802h (NVM Express)";
        return NVME_E_UNSUPPORTED;
    }
    if (!place_bar0(host)) {
        *why = "BAR0 is missing, smaller than 4 KiB, or no memory that can be placed";
        return NVME_E_DEVICE;
    }
    find_capabilities(host);
    config_write(host, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    return NVME_OK;
}

struct host_pci_ids host_pci_ids(struct host *host)
{
    return (struct host_pci_ids){
        .vendor = (uint16_t)config_read(host, PCI_VENDOR, 2),
        .device = (uint16_t)config_read(host, PCI_DEVICE, 2),
        .subsystem_vendor = (uint16_t)config_read(host, PCI_SUBSYS_VENDOR, 2),
        .subsystem = (uint16_t)config_read(host, PCI_SUBSYS, 2),
    };
}
