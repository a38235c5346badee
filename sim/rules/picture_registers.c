/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Registers and configuration space as the host has read and written them (NVMe 1.4 section 3.1),
 * and doorbells, which move tails and heads.
 */
#include "rules/internal.h"

#define LOW_HALF  UINT64_C(0xffffffff)
#define HIGH_HALF UINT64_C(0xffffffff00000000)

/* A 64-bit register, written (or read) whole or by halves. */
static void merge(uint64_t *whole, uint64_t offset_in, unsigned size, uint64_t value)
{
    if (size == 8)
        *whole = value;
    else if (offset_in == 0)
        *whole = (*whole & HIGH_HALF) | (value & LOW_HALF);
    else
        *whole = (*whole & LOW_HALF) | value << 32;
}

void picture_register_read(struct rules *rules, const struct stream_record *r)
{
    struct picture_controller *c = &rules->picture.controller;
    if (r->b > SPEC_CAP + 4 || r->c == UINT64_MAX || (r->a == 4 && r->c == UINT32_MAX))
        return; /* all ones: nobody is there */
    merge(&c->cap, r->b - SPEC_CAP, r->a, r->c);
    c->cap_low_known |= r->b == SPEC_CAP;
    c->cap_high_known |= r->b != SPEC_CAP || r->a == 8;
}

static void doorbell_write(struct rules *rules, uint32_t number, uint32_t value)
{
    struct picture_sq *sq = picture_sq(&rules->picture, number / 2);
    struct picture_cq *cq = picture_cq(&rules->picture, number / 2);
    picture_shadow_look(rules); /* what was stored there came first */
    if (number % 2 == 0 && sq != NULL)
        picture_move_tail(rules, sq, value, true);
    else if (number % 2 != 0 && cq != NULL)
        picture_move_head(rules, cq, value, true);
}

static void cc_write(struct rules *rules, uint32_t value)
{
    struct picture_controller *c = &rules->picture.controller;
    bool enables = CC_IS_ENABLED(value) && !CC_IS_ENABLED(c->cc);
    c->cc = value;
    if (CC_SHN(value) != 0)
        c->shutdown_begun = true;
    if (!enables)
        return;
    c->shutdown_begun = CC_SHN(value) != 0;
    c->enabled_ps = rules->picture.now_ps;
    c->granted_sqs = 0;
    c->granted_cqs = 0;
    picture_admin_queue(rules);
}

void picture_register_write(struct rules *rules, const struct stream_record *r)
{
    struct picture_controller *c = &rules->picture.controller;
    uint32_t number;
    if (r->b >= SPEC_DOORBELLS) {
        if (picture_is_doorbell(&rules->picture, r->b, &number))
            doorbell_write(rules, number, (uint32_t)r->c);
        return;
    }
    if (r->b == SPEC_CC)
        cc_write(rules, (uint32_t)r->c);
    else if (r->b == SPEC_AQA)
        c->aqa = (uint32_t)r->c;
    else if (r->b >= SPEC_ASQ && r->b < SPEC_ACQ)
        merge(&c->asq, r->b - SPEC_ASQ, r->a, r->c);
    else if (r->b >= SPEC_ACQ && r->b < SPEC_ACQ + 8)
        merge(&c->acq, r->b - SPEC_ACQ, r->a, r->c);
}

void picture_config_write(struct picture *picture, const struct stream_record *r)
{
    if (r->b == PCI_COMMAND)
        picture->controller.pci_command = (uint16_t)r->c;
}
