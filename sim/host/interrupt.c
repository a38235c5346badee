/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Interrupts at the host: messages and the INTx pin set something pending and wake the CPU; the
 * handler runs on the CPU, between two steps of whatever it does, and not while a lock is held.
 * Setting up MSI-X follows PCI Local Bus Specification 3.0 section 6.8.2 (table entry: address,
 * data, mask).
 */
#include "host/host_state.h"

#include <nvme/nvme.h>

#define MSIX_ENTRY_BYTES 16u
#define MSIX_ENABLE      0x8000u
#define MSIX_CONTROL_OFF 2u
#define PCI_COMMAND      4u
#define PCI_INTX_DISABLE 0x400u

void host_interrupt_msi(void *ctx, uint64_t address, uint32_t data)
{
    struct host *host = ctx;
    if (address != HOST_MSI_ADDRESS || data >= HOST_VECTORS)
        return; /* a message to nowhere: an ordinary memory write that nobody notices */
    host->pending |= UINT64_C(1) << data;
    cpu_wake(host->cpu);
}

void host_interrupt_intx(void *ctx, bool asserted)
{
    struct host *host = ctx;
    host->intx_level = asserted;
    if (asserted && host->intx_enabled)
        cpu_wake(host->cpu);
}

void host_deliver(struct host *host)
{
    do {
        unsigned vector = 0;
        if (host->pending != 0) {
            while ((host->pending >> vector & 1u) == 0)
                vector++;
            host->pending &= ~(UINT64_C(1) << vector);
        }
        host->in_handler = true;
        host->delivered++;
        host->stats.interrupts++;
        host_spend(host, CPU_INTERRUPT, host->p.interrupt_entry);
        RECORD_EMIT(host->stream, host_now(host), cpu_number(host->cpu), RECORD_INTERRUPT, vector,
                    0, 0, 0);
        host->handler(host->handler_ctx, vector);
        host_spend(host, CPU_INTERRUPT, host->p.interrupt_exit);
        host->in_handler = false;
    } while (host_can_deliver(host));
}

void host_set_interrupt_handler(struct host *host, void (*handler)(void *ctx, unsigned vector),
                                void *ctx)
{
    host->handler = handler;
    host->handler_ctx = ctx;
}

static void table_write(struct host *host, unsigned vector, uint32_t offset, uint32_t value)
{
    pcie_port_bar_write(host->port, host_now(host), host->msix_bar,
                        host->msix_table + vector * MSIX_ENTRY_BYTES + offset, 4, value);
}

static void set_bits(struct host *host, uint16_t offset, uint32_t clear, uint32_t set)
{
    uint32_t old = pcie_port_config_read(host->port, offset, 2);
    pcie_port_config_write(host->port, offset, 2, (old & ~clear) | set);
}

int host_irq_setup(void *ctx, enum nvme_irq_mode mode, unsigned vectors)
{
    struct host *host = ctx;
    uint16_t msix_control = (uint16_t)(host->msix_offset + MSIX_CONTROL_OFF);
    host->intx_enabled = false;
    if (host->msix_offset != 0)
        set_bits(host, msix_control, MSIX_ENABLE, 0);
    switch (mode) {
    case NVME_IRQ_NONE:
        set_bits(host, PCI_COMMAND, 0, PCI_INTX_DISABLE);
        return 0;
    case NVME_IRQ_INTX:
        set_bits(host, PCI_COMMAND, PCI_INTX_DISABLE, 0);
        host->intx_enabled = true;
        return 1;
    case NVME_IRQ_MSIX:
        if (host->msix_offset == 0)
            return NVME_E_UNSUPPORTED;
        if (vectors > host->msix_vectors)
            vectors = host->msix_vectors;
        if (vectors > HOST_VECTORS)
            vectors = HOST_VECTORS;
        for (unsigned v = 0; v < vectors; v++) {
            table_write(host, v, 0, (uint32_t)HOST_MSI_ADDRESS);
            table_write(host, v, 4, (uint32_t)(HOST_MSI_ADDRESS >> 32));
            table_write(host, v, 8, v);
            table_write(host, v, 12, 0); /* not masked */
        }
        set_bits(host, msix_control, 0, MSIX_ENABLE);
        return (int)vectors;
    case NVME_IRQ_MSI:
        break;
    }
    return NVME_E_UNSUPPORTED;
}
