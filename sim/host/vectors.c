/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Setting up the function's interrupts and saying which CPU each vector goes to: the pin, MSI (PCI
 * Local Bus 3.0, 6.8.1) and MSI-X (6.8.2). With MSI-X each vector has a message address of its own,
 * and so a CPU of its own; with MSI all have one; the pin is CPU 0's. Called by the driver core
 * through its platform; the device's side is sim/pcie.
 */
#include "host/host_state.h"

#include <nvme/nvme.h>

#define PCI_COMMAND      4u
#define PCI_INTX_DISABLE 0x400u

#define MSIX_ENTRY_BYTES 16u
#define MSIX_ENTRY_LOW   0u /* message address (6.8.2.7) */
#define MSIX_ENTRY_HIGH  4u
#define MSIX_ENTRY_DATA  8u
#define MSIX_ENTRY_CTRL  12u /* vector control (6.8.2.9): bit 0 masks */
#define MSIX_MASKED      1u
#define MSIX_ENABLE      0x8000u
#define MSIX_CONTROL     2u

#define MSI_CONTROL     2u
#define MSI_ENABLE      0x0001u
#define MSI_GRANT_MASK  0x0070u /* Multiple Message Enable: log2 of the messages (6.8.1.3) */
#define MSI_GRANT_SHIFT 4u
#define MSI_LOW         4u
#define MSI_HIGH        8u /* where addresses have 64 bits: then data is behind it */
#define MSI_DATA_NARROW 8u
#define MSI_DATA_WIDE   12u

static void set_bits(struct host *host, unsigned offset, uint32_t clear, uint32_t set)
{
    uint32_t old = pcie_port_config_read(host->port, (uint16_t)offset, 2);
    pcie_port_config_write(host->port, (uint16_t)offset, 2, (old & ~clear) | set);
}

static void config_write(struct host *host, unsigned offset, unsigned size, uint32_t value)
{
    pcie_port_config_write(host->port, (uint16_t)offset, size, value);
}

static void table_write(struct host *host, unsigned vector, uint32_t offset, uint32_t value)
{
    pcie_port_bar_write(host->port, host_now(host), host->msix_bar,
                        host->msix_table + vector * MSIX_ENTRY_BYTES + offset, 4, value);
}

static uint32_t message_address(unsigned cpu)
{
    return (uint32_t)HOST_MSI_ADDRESS | cpu << HOST_MSI_SHIFT;
}

/* Where a vector goes unless it is moved: I/O queue q has vector q, and one CPU after the other has
 * one; the admin queue's is CPU 0's. */
static unsigned default_cpu(const struct host *host, unsigned vector)
{
    return vector == 0 ? 0 : (vector - 1) % (unsigned)host->p.cpus;
}

/* ---- setting up ---- */

static void all_off(struct host *host)
{
    host->intx_enabled = false;
    host_interrupt_pin(host);
    host->irq_mode = NVME_IRQ_NONE;
    host->irq_vectors = 0;
    if (host->msi_offset != 0)
        set_bits(host, host->msi_offset + MSI_CONTROL, MSI_ENABLE, 0);
    if (host->msix_offset != 0)
        set_bits(host, host->msix_offset + MSIX_CONTROL, MSIX_ENABLE, 0);
}

static int setup_intx(struct host *host)
{
    set_bits(host, PCI_COMMAND, PCI_INTX_DISABLE, 0);
    host->intx_enabled = true;
    host_interrupt_pin(host);
    host->route[0] = 0;
    return 1;
}

/* The standard grants powers of two: the next one, of which the driver gets what it asked for. */
static int setup_msi(struct host *host, unsigned vectors)
{
    unsigned log = 0;
    if (host->msi_offset == 0)
        return NVME_E_UNSUPPORTED;
    if (vectors > host->msi_messages)
        vectors = host->msi_messages;
    while (1u << log < vectors)
        log++;
    config_write(host, host->msi_offset + MSI_LOW, 4, message_address(0));
    if (host->msi_wide)
        config_write(host, host->msi_offset + MSI_HIGH, 4, 0);
    config_write(host, host->msi_offset + (host->msi_wide ? MSI_DATA_WIDE : MSI_DATA_NARROW), 2, 0);
    for (unsigned v = 0; v < vectors; v++)
        host->route[v] = 0;
    set_bits(host, host->msi_offset + MSI_CONTROL, MSI_GRANT_MASK,
             log << MSI_GRANT_SHIFT | MSI_ENABLE);
    return (int)vectors;
}

static int setup_msix(struct host *host, unsigned vectors)
{
    if (host->msix_offset == 0)
        return NVME_E_UNSUPPORTED;
    if (vectors > host->msix_vectors)
        vectors = host->msix_vectors;
    if (vectors > HOST_VECTORS)
        vectors = HOST_VECTORS;
    for (unsigned v = 0; v < vectors; v++) {
        host->route[v] = (uint8_t)default_cpu(host, v);
        table_write(host, v, MSIX_ENTRY_LOW, message_address(host->route[v]));
        table_write(host, v, MSIX_ENTRY_HIGH, (uint32_t)(HOST_MSI_ADDRESS >> 32));
        table_write(host, v, MSIX_ENTRY_DATA, v);
        table_write(host, v, MSIX_ENTRY_CTRL, 0);
    }
    set_bits(host, host->msix_offset + MSIX_CONTROL, 0, MSIX_ENABLE);
    return (int)vectors;
}

static enum record_irq_mode record_mode(enum nvme_irq_mode mode)
{
    return mode == NVME_IRQ_INTX   ? RECORD_IRQ_INTX
           : mode == NVME_IRQ_MSI  ? RECORD_IRQ_MSI
           : mode == NVME_IRQ_MSIX ? RECORD_IRQ_MSIX
                                   : RECORD_IRQ_NONE;
}

int host_irq_setup(void *ctx, enum nvme_irq_mode mode, unsigned vectors)
{
    struct host *host = ctx;
    int granted = 0;
    all_off(host);
    switch (mode) {
    case NVME_IRQ_NONE:
        set_bits(host, PCI_COMMAND, 0, PCI_INTX_DISABLE);
        break;
    case NVME_IRQ_INTX:
        granted = setup_intx(host);
        break;
    case NVME_IRQ_MSI:
        granted = setup_msi(host, vectors);
        break;
    case NVME_IRQ_MSIX:
        granted = setup_msix(host, vectors);
        break;
    }
    if (granted > 0) {
        host->irq_mode = mode;
        host->irq_vectors = (unsigned)granted;
    }
    RECORD_EMIT(host->stream, host_now(host), cpu_number(host->cpu), RECORD_IRQ_SETUP,
                record_mode(granted > 0 ? mode : NVME_IRQ_NONE), granted > 0 ? granted : 0, 0, 0);
    return granted;
}

/* ---- moving ---- */

/* An entry may be written only while it is masked (6.8.2); what the function has to say meanwhile
 * stays pending there and is sent, to the new address, when the mask is taken away. */
static void move_msix(struct host *host, unsigned vector, unsigned cpu)
{
    table_write(host, vector, MSIX_ENTRY_CTRL, MSIX_MASKED);
    host_spend(host, CPU_REGISTER, host->p.register_write);
    table_write(host, vector, MSIX_ENTRY_LOW, message_address(cpu));
    host_spend(host, CPU_REGISTER, host->p.register_write);
    table_write(host, vector, MSIX_ENTRY_CTRL, 0);
    host_spend(host, CPU_REGISTER, host->p.register_write);
}

int host_irq_move(void *ctx, unsigned vector, unsigned cpu)
{
    struct host *host = ctx;
    if (vector >= host->irq_vectors || cpu >= host->p.cpus)
        return NVME_E_INVAL;
    if (host->route[vector] == cpu)
        return NVME_OK;
    switch (host->irq_mode) {
    case NVME_IRQ_MSIX:
        move_msix(host, vector, cpu);
        break;
    case NVME_IRQ_MSI:
        if (host->irq_vectors > 1)
            return NVME_E_UNSUPPORTED; /* the others would go with it */
        /* The CPU's number lies in one dword, which one write changes at once. */
        config_write(host, host->msi_offset + MSI_LOW, 4, message_address(cpu));
        host_spend(host, CPU_REGISTER, host->p.register_write);
        break;
    default:
        return NVME_E_UNSUPPORTED;
    }
    host->route[vector] = (uint8_t)cpu;
    return NVME_OK;
}
