/* SPDX-License-Identifier: BSD-2-Clause
 *
 * MSI messages, masks and pending bits. See msi.h.
 */
#include "pcie/msi.h"

#include <assert.h>

#include "pcie/configspace.h"

static void set_pending(struct msi *msi, uint32_t pending)
{
    if (pending == msi->pending)
        return;
    msi->pending = pending;
    configspace_set_msi_pending(msi->config, pending);
}

static uint32_t message_bit(const struct msi *msi, unsigned vector)
{
    return UINT32_C(1) << (vector & (msi->granted - 1u));
}

void msi_init(struct msi *msi, struct configspace *config, msi_due_fn *due, void *ctx)
{
    *msi = (struct msi){.config = config, .due = due, .ctx = ctx};
    msi_reset(msi);
}

static void take_registers(struct msi *msi)
{
    struct configspace_msi registers = configspace_msi(msi->config);

    msi->enabled = registers.enabled;
    msi->granted = registers.granted;
    msi->address = registers.address;
    msi->data = registers.data;
    msi->mask = registers.mask;
}

void msi_reset(struct msi *msi)
{
    take_registers(msi);
    set_pending(msi, 0);
}

void msi_registers_written(struct msi *msi)
{
    take_registers(msi);
    for (unsigned i = 0; msi->enabled && i < msi->granted; i++)
        if ((msi->pending & ~msi->mask & UINT32_C(1) << i) != 0) {
            msi_withdraw(msi, i);
            msi->due(msi->ctx, i);
        }
}

unsigned msi_granted(const struct msi *msi)
{
    return msi->granted;
}

bool msi_raise(struct msi *msi, unsigned vector, uint64_t *address, uint32_t *data)
{
    uint32_t bit = message_bit(msi, vector);

    assert(msi->enabled);
    if ((msi->mask & bit) != 0) {
        set_pending(msi, msi->pending | bit);
        return false;
    }
    *address = msi->address;
    /* The low bits of the data are the message's number (6.8.3.4). */
    *data = (msi->data & ~(msi->granted - 1u)) | (vector & (msi->granted - 1u));
    return true;
}

void msi_withdraw(struct msi *msi, unsigned vector)
{
    set_pending(msi, msi->pending & ~message_bit(msi, vector));
}
