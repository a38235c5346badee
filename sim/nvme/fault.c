/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Injected faults at work; fault.h has the language of the rules. Commands carry the rule that has
 * fired on them; everything else asks when its moment comes.
 */
#include "nvme/fault.h"

#include "nvme/internal.h"

static bool has_range(const struct command *cmd)
{
    switch (cmd->opcode) {
    case NVM_WRITE:
    case NVM_READ:
    case NVM_WRITE_UNCORRECTABLE:
    case NVM_COMPARE:
    case NVM_WRITE_ZEROES:
    case NVM_VERIFY:
        return cmd->sqid != 0;
    default:
        return false;
    }
}

static bool touches(const struct fault_rule *rule, const struct command *cmd)
{
    uint64_t first = cmd->cdw[0] | (uint64_t)cmd->cdw[1] << 32;
    uint64_t last = first + (cmd->cdw[2] & 0xffffu);

    return has_range(cmd) && first <= rule->lba_last && last >= rule->lba_first;
}

static bool is_or_any(uint64_t condition, uint64_t value)
{
    return condition == FAULT_ANY || condition == value;
}

/* All conditions but those that count hold: does it fire this time? */
static bool fires(struct ctrl *ctrl, struct fault_rule *rule)
{
    uint64_t now_ps = engine_now(ctrl->engine);

    if (now_ps < rule->after_ps || now_ps >= rule->before_ps || rule->fired >= rule->times)
        return false;
    rule->met++;
    if (rule->nth != FAULT_ANY && rule->met != rule->nth)
        return false;
    if (rule->every != FAULT_ANY && rule->met % rule->every != 0)
        return false;
    if (rule->chance_of != 0 && rng_below(&ctrl->faults.rng, rule->chance_of) >= rule->chance)
        return false;
    rule->fired++;
    ctrl->stats.faults++;
    return true;
}

static bool meets(const struct fault_rule *rule, const struct command *cmd)
{
    if (rule->action == FAULT_NOT_READY || rule->action == FAULT_DROP_INTERRUPT ||
        rule->at_ps != FAULT_ANY)
        return false;
    if (rule->queue == FAULT_ANY ? cmd->sqid == 0 : rule->queue != cmd->sqid)
        return false;
    return is_or_any(rule->opcode, cmd->opcode) && is_or_any(rule->nsid, cmd->nsid) &&
           (rule->lba_first == FAULT_ANY || touches(rule, cmd));
}

static struct fault_rule *rule_of(struct ctrl *ctrl, const struct command *cmd)
{
    for (uint32_t i = 0; i < ctrl->faults.count; i++) {
        struct fault_rule *rule = &ctrl->faults.rules[i];

        if (meets(rule, cmd) && fires(ctrl, rule))
            return rule;
    }
    return NULL;
}

/* The end of a duration; ENGINE_NEVER for one that does not end. */
static uint64_t end_of(uint64_t from_ps, uint64_t for_ps)
{
    return for_ps < ENGINE_NEVER - from_ps ? from_ps + for_ps : ENGINE_NEVER;
}

static void link_up(void *ctx, uint64_t arg)
{
    struct ctrl *ctrl = ctx;

    (void)arg;
    ctrl->faults.link_down = engine_now(ctrl->engine) < ctrl->faults.link_up_ps;
}

/* If it is down already, the longer time counts. */
static void take_link_down(struct ctrl *ctrl, uint64_t for_ps)
{
    uint64_t up_ps = end_of(engine_now(ctrl->engine), for_ps);

    pcie_port_lose_writes(ctrl->port);
    if (ctrl->faults.link_down && up_ps <= ctrl->faults.link_up_ps)
        return;
    ctrl->faults.link_down = true;
    ctrl->faults.link_up_ps = up_ps;
    engine_at(ctrl->engine, up_ps, link_up, ctrl, 0);
}

/* A link that goes down resets the function behind it (PCI Express Base 3.1, 6.6.1). */
static void link_down(struct ctrl *ctrl, uint64_t for_ps)
{
    ctrl_conventional_reset(ctrl);
    take_link_down(ctrl, for_ps);
}

static void power_loss(struct ctrl *ctrl, uint64_t for_ps)
{
    ctrl_power_cycle(ctrl);
    take_link_down(ctrl, for_ps);
}

static void strike(struct ctrl *ctrl, const struct fault_rule *rule)
{
    if (rule->action == FAULT_CFS)
        ctrl_fatal(ctrl);
    else if (rule->action == FAULT_LINK_DOWN)
        link_down(ctrl, rule->value);
    else
        power_loss(ctrl, rule->value);
}

static void its_time(void *ctx, uint64_t arg)
{
    struct ctrl *ctrl = ctx;
    struct fault_rule *rule = &ctrl->faults.rules[arg];

    rule->fired++;
    ctrl->stats.faults++;
    strike(ctrl, rule);
}

void faults_init(struct ctrl *ctrl)
{
    char message[1];
    bool track_loss = false;

    if (!fault_parse(ctrl->params.faults, &ctrl->faults, message, sizeof message))
        ctrl->faults.count = 0; /* ctrl_params_check() was not asked */
    rng_init(&ctrl->faults.rng, engine_seed(ctrl->engine) + ctrl->index, "faults");
    for (uint32_t i = 0; i < ctrl->faults.count; i++) {
        if (ctrl->faults.rules[i].action == FAULT_POWER_LOSS)
            track_loss = true;
        /* A controller may be made later than that; then it does not happen. */
        if (ctrl->faults.rules[i].at_ps != FAULT_ANY &&
            ctrl->faults.rules[i].at_ps >= engine_now(ctrl->engine))
            engine_at(ctrl->engine, ctrl->faults.rules[i].at_ps, its_time, ctrl, i);
    }
    /* It costs time and memory: only where it can happen. */
    if (track_loss)
        media_track_loss(ctrl->media, ctrl->namespaces.store);
}

static void slow_begins(void *ctx, uint64_t arg)
{
    struct ctrl *ctrl = ctx;
    struct command *cmd = command_find(ctrl, arg);

    if (cmd == NULL)
        return;
    cmd->abortable = false;
    command_begin(ctrl, cmd);
}

static void make_unreadable(struct ctrl *ctrl, struct command *cmd)
{
    if (has_range(cmd) && nvm_check_range(ctrl, cmd) == STATUS_SUCCESS)
        rangeset_add(&cmd->ns->uncorrectable, cmd->slba, cmd->blocks);
}

bool fault_decoded(struct ctrl *ctrl, struct command *cmd)
{
    struct fault_rule *rule = rule_of(ctrl, cmd);

    cmd->fault = rule;
    if (rule == NULL)
        return true;
    switch (rule->action) {
    case FAULT_STATUS:
        fused_refused(ctrl, cmd);
        complete_command(ctrl, cmd, (uint16_t)rule->value);
        return false;
    case FAULT_STUCK:
        fused_refused(ctrl, cmd);
        return false;
    case FAULT_SLOW:
        /* The halves of a fused operation are decoded one behind the other: such a half is late. */
        if ((cmd->flags & SQE_FUSE_MASK) != 0)
            return true;
        cmd->fault = NULL;
        cmd->abortable = true;
        engine_after(ctrl->engine, rule->value, slow_begins, ctrl, command_arg(cmd));
        return false;
    case FAULT_UNREADABLE:
        make_unreadable(ctrl, cmd);
        return true;
    case FAULT_CFS:
    case FAULT_LINK_DOWN:
    case FAULT_POWER_LOSS:
        strike(ctrl, rule);
        return false;
    default:
        return true; /* it strikes later */
    }
}

static void late_due(void *ctx, uint64_t arg)
{
    struct ctrl *ctrl = ctx;
    struct command *cmd = command_find(ctrl, arg);

    if (cmd == NULL)
        return;
    cmd->fault = NULL;
    complete_again(ctrl, cmd);
}

bool fault_completing(struct ctrl *ctrl, struct command *cmd)
{
    uint64_t now_ps = engine_now(ctrl->engine);

    if (cmd->fault->action == FAULT_LOSE) {
        /* Its data has moved; nothing tells the host. */
        if (cmd->kind == COMMAND_READ || cmd->kind == COMMAND_ADMIN_IN)
            transfer_out_move(ctrl, cmd);
        command_over(ctrl, cmd);
        return false;
    }
    if (cmd->fault->action != FAULT_LATE && cmd->fault->action != FAULT_SLOW)
        return true;
    engine_at(ctrl->engine, end_of(later(cmd->ready_ps, now_ps), cmd->fault->value), late_due, ctrl,
              command_arg(cmd));
    return false;
}

bool fault_completed(struct ctrl *ctrl, struct command *cmd)
{
    if (cmd->fault->action != FAULT_DUPLICATE)
        return true;
    cmd->fault = NULL;
    cmd->kind = COMMAND_PLAIN; /* its data is not sent again */
    complete_again(ctrl, cmd);
    return false;
}

uint16_t fault_cid(const struct command *cmd)
{
    if (cmd->fault == NULL || cmd->fault->action != FAULT_WRONG_CID)
        return cmd->cid;
    return cmd->cid ^ (uint16_t)cmd->fault->value;
}

bool fault_corrupts(const struct command *cmd)
{
    return cmd->fault != NULL && cmd->fault->action == FAULT_CORRUPT;
}

uint64_t fault_ready_delay(struct ctrl *ctrl)
{
    for (uint32_t i = 0; i < ctrl->faults.count; i++) {
        struct fault_rule *rule = &ctrl->faults.rules[i];

        if (rule->action == FAULT_NOT_READY && fires(ctrl, rule))
            return rule->value;
    }
    return 0;
}

bool fault_drops_interrupt(struct ctrl *ctrl, unsigned vector)
{
    for (uint32_t i = 0; i < ctrl->faults.count; i++) {
        struct fault_rule *rule = &ctrl->faults.rules[i];

        if (rule->action == FAULT_DROP_INTERRUPT && is_or_any(rule->vector, vector) &&
            fires(ctrl, rule))
            return true;
    }
    return false;
}
